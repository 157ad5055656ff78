// Package path measures tick-to-order from outside: a bookTicker frame leaves on
// one socket at a time fixed beforehand, and the clock stops when the whole order
// request that it caused has been read from another. What answers may be the
// riposte binary, or a bare echo that does nothing but write fixed bytes: the
// reference without which no figure here means anything.
//
//	market.go     the market that is sent: touches, depth events, snapshots
//	server.go     one thread that serves all sockets and never waits unless told to
//	conn.go       a socket under it
//	rest.go       the answers of a venue's REST service, as few as an engine needs
//	websocket.go  frames, subscriptions and the WebSocket API, likewise
//	measure.go    the schedule, the matching of orders to frames, the histogram
//	subject.go    what is measured: riposte, or the echo
//	echo.go       the echo
//
// # Method
//
// One thread, pinned if asked for, does all of the harness: it spins to the next
// intended time, writes the frame, and in between polls the sockets without waiting,
// stamps orders and answers them. Latency is counted from the intended time, not
// from the write, so a late sender or a full socket counts against the result and
// nothing is omitted (coordinated omission). The schedule is open loop: a frame does
// not wait for the order of the one before.
//
// Frames have the layout and quantities of recorded ones; the update id rises and
// every frame has another best bid, drawn so that none repeats within 4096 frames:
// the price in an order names the frame that caused it. Every 100 ms a depth event
// confirms the touches, as on the venue, so the engine's book stays proved. Orders
// are IOC and end with the answer.
//
// # Left out
//
// The network card and the distance. Signatures are not checked here; the embedded
// venue and the tests of exec do that.
package path
