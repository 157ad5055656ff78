// Package sql is what a journal tells, as tables to be asked: orders, fills, positions,
// fees, balances, refusals, halts, comparisons with the venue, runs.
//
// All of it is derived. The journal stays the only thing that anything is decided by; the
// store is written behind it by one goroutine, which reads the journal's files as anybody
// could, far from the order path. It may be slow, stand still or be lost, and Rebuild
// makes it anew. How far the journal has been read is kept in the transaction of the rows
// that came of it, so each record counts exactly once, however the process ends.
//
//	open.go      the file: its schema, who writes it, what its errors mean
//	schema/      the schema's versions, numbered; a released one never changes
//	writer.go    records into rows, in batches
//	orders.go    what becomes of orders
//	account.go   what becomes of money
//	position.go  quantity, cost and profit of a symbol, in exact integers
//	follow.go    the goroutine behind a run
//	read.go      the rows, for those who ask
//	rebuild.go   a database made anew from the journal
//
// Prices, quantities and amounts are integers at 1e-8, times Unix nanoseconds; 0 is a
// time that has not come.
package sql
