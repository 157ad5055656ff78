// Package wire prints the venue's market data as Binance does: JSON of the
// recorded shape, key order and decimals. It is shared by the sockets and by the
// writer of recordings, so that a tape and a live stream cannot differ.
//
// Every function appends one JSON text to dst and returns the longer slice.
// Events are only read. Times of events are printed in milliseconds or
// microseconds as the connection asked. Shapes: venue page section 4.3 (Binance
// Spot API docs, 2026-07-21); key order as recorded 2021-10-12 and 2024-08-08.
package wire
