// Package exchange is the embedded venue without its sockets: a deterministic
// state machine that matches orders in price-time order, keeps accounts to the
// last unit, numbers every book change and carries its own market.
//
// It has no goroutine, no clock, no socket and no JSON on its paths. Whoever
// owns an Exchange calls it from one goroutine, hands in the time of every
// command, and receives events through a Sink in engine order. Equal config and
// equal commands give a byte-equal event log.
//
// The room:
//
//	api.go, types.go   the contract: config, commands, reports, events, enums
//	exchange.go        the Exchange: time, transactions, what surrounds the rest
//	fixed.go           numbers: int64 at 1e-8, 128-bit products
//	symbol*.go         symbols and filters, from a recorded exchangeInfo or the built-in table
//	filter.go, filtercount.go   one check per filter
//	book.go            price levels and their queues, icebergs in them
//	prepare.go, place.go, size.go, match.go, stp.go, cancel.go, amend.go, replace.go   life of an order
//	stop.go, peg.go, chain.go   orders that wait for a trade, prices that the book gives, what a trade sets going
//	pricerange.go      the reference price and the PRICE_RANGE rule
//	list.go, listplace.go, listapi.go   OCO, OTO and OTOCO
//	account.go         balances, locks, commissions, ledger
//	report.go, reject.go, log.go   what leaves: reports, rejects, the canonical log
//	query.go           orders and fills of an account
//	depth.go           update ids, diffs, snapshots, book history
//	trades.go, kline.go, ticker.go   market data kept in bounded memory
//	agents*.go, house.go             a seeded market of agents
//	tapemarket.go, tapequeue.go      a recording as the market
//
// Sub-package tape reads and writes recordings; the sibling package wire turns
// events into the venue's JSON. Nothing here imports the rest of riposte: the
// venue shares no number, codec or book with the engine that is tested on it.
//
// Venue rules follow the Binance Spot API docs, 2026-07-21, unless said otherwise.
package exchange
