// Package venue is the embedded Binance-compatible exchange with its sockets: REST under /api/v3, JSON market streams
// under /ws and /stream, the WS API with user data under /ws-api/v3, and the simulator's own pages under /sim/, all on
// one loopback listener. A client cannot tell it from the venue but by its address; a test can make it fail in every
// documented way and ask it what really happened.
//
// The matching, balances and books are in the sub-folder exchange, a state machine without clock or sockets. One
// goroutine (loop.go) owns it and everything that routes its events; connections hand it commands and take frames from
// bounded queues, so that no client can slow another or the market. REST and WS API share one table of operations
// (table.go, op.go): weight, key, time and signature are checked in one place.
//
// The room:
//
//	config.go server.go loop.go   what is served, start and end, the goroutine that drives the exchange
//	op.go table.go args.go        operations: admission, execution, parameters
//	rest.go wsapi.go session.go   the two transports of operations, sessions and user data subscriptions
//	streams.go hub.go sink.go     stream sockets, topics, events on their way out
//	conn.go wsframe.go            one WebSocket: reader, writer, PING and PONG, limits
//	orders.go orderparams.go lists.go rules.go accounts.go markets.go tickers.go info.go   the operations and their answers
//	keys.go rights.go params.go timing.go limits.go      signature, raw parameters, recvWindow, weights and counts
//	users.go lag.go               user events and their race with answers, queries from the past
//	faultscript.go faultverbs.go  fault lines: their grammar, and the one table of verbs that parser and usage are made of
//	faults.go                     what goes wrong on purpose, at its time or event
//	faultline.go faultanswer.go faultdata.go faultspoil.go faultrules.go   faults of connections, answers, events, rules
//	link/                         bytes of connections that are cut, held, slowed, below TLS
//	admin.go tls.go               /sim/ and the Go API, certificates
//	enc.go userevent.go orderjson.go listjson.go   JSON; market data is in the sub-folder wire
//
// Venue rules follow the Binance Spot API docs, 2026-07-21, unless said otherwise. The package imports nothing of
// riposte but its own sub-folders: it shares no number, codec or book with the engine that is tested on it.
package venue
