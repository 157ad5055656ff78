// Package binance speaks the venue's dialect on the receiving side: market
// data frames and user events into core's records, snapshots and rules into
// core's tables. It does no I/O and knows no clock.
//
// One frame becomes one core.Event by one of three roads that must agree:
//
//	fast.go     one pass that expects the stream's own words as its last frame had
//	            them (template.go), and turns eight digits at a time into units of
//	            1e-8; candle.go holds the readers of candles and tickers
//	general.go  one pass over any legal JSON: any key order, white space,
//	            escapes, unknown fields; every frame the fast road does not
//	            recognise to its last byte comes here; arrays.go has its levels
//	slow.go     the twin on fastjson and encoding/json that tests and fuzzing
//	            hold against the other two; never used live
//
// The fast road has two ways to compute the same, and tests and fuzzing hold them
// together: words of eight bytes (words.go, levels.go), which every machine has, and
// AVX-512 (vector_amd64.go): levels four at a time (levels_amd64.s), touches and
// trades as wholes (layout.go, layout_amd64.s). What the vectors do not take, the
// words decide. RIPOSTE_VECTORS=off leaves the vectors out.
//
// Around them: symbol.go (lookup keyed by xxhash), words.go (words and digits),
// scan.go (JSON lexing), event.go (fields to events), decode.go (Decoder), and
// for the cold side stream.go (stream names, requests), snapshot.go,
// exchangeinfo.go and user.go.
//
// Sources: Binance Spot API docs, repository revision of 2026-07-21; USD-M and
// COIN-M developer pages as of 2026.
package binance
