// Package path measures tick-to-order from outside: a bookTicker frame leaves on one
// socket at a time fixed beforehand, and the clock stops when the whole order request
// that it caused has been read from another. What answers may be the riposte binary, a
// stack of usual libraries, or a bare echo that does nothing but write fixed bytes: the
// reference without which no figure here means anything.
//
//	market.go     the market that is sent: touches, depth events, snapshots
//	traffic.go    the schedules, and the frames made for one before it begins
//	server.go     one thread that serves all sockets and never waits unless told to
//	conn.go       a socket under it
//	rest.go       the answers of a venue's REST service, as few as an engine needs
//	websocket.go  frames, subscriptions and the WebSocket API, likewise
//	measure.go    a plan carried out: the sending, the matching of orders to frames
//	result.go     what came of it
//	confine.go    one CPU for the harness, and nothing that takes it off it
//	switches.go   what else ran on the two CPUs, and when
//	neighbours.go how much, where the kernel does not tell when
//	subject.go    what is measured, and a trial of it
//	riposte.go    the engine as a subject
//	echo.go       the echo in Go, spinning or parked
//	floor.go      the echo in C (cecho/cecho.c), compiled when it is needed
//
// # Method
//
// The harness is one process on one CPU, its subject another on another. One thread
// does all of the measuring: it spins to the next intended time, hands the frame to the
// kernel, and in between polls the sockets without waiting, stamps orders and answers
// them. Nothing else happens on it: all frames of a slice are made and all memory is
// taken before the first one leaves, the collector is off, the scheduler is locked out,
// and system calls go round it. The sockets are raw descriptors; crypto/tls runs over
// them.
//
// Latency is counted twice. From the intended time: the schedule is open loop, a frame
// does not wait for the order of the one before, and a late sender or a full socket
// counts against the result (no coordinated omission). And from the moment at which the
// kernel was given the frame, which leaves the harness's own lateness out. The clock
// stops when the read that completed the request has returned, before it is decrypted
// or looked at.
//
// Frames have the layout and quantities of recorded ones; the update id rises and
// every touch that counts has another best bid, drawn so that none repeats within 4096:
// the price in an order names the frame that caused it. Every 100 ms a depth event
// confirms the touches, as on the venue, so the engine's book stays proved. Orders are
// IOC and end with the answer.
//
// The recorded schedule takes the arrival times of every frame of a recording, trades
// and depth and bursts of hundreds of frames in 10 ms and all; other symbols go through
// the same recording from other places in it, on the same connection. Only one touch in
// some moves the traded symbol's bid and so causes an order. Echoes know these by the
// parity of one digit of the update id.
//
// # Rounds
//
// Subjects take turns, A B C A B C, each with a fresh server and a fresh process, so that
// what disturbs the machine for a while disturbs all. A ratio of two subjects is the
// median of the rounds' ratios.
//
// A machine that others use as well is no excuse and no help: the kernel is asked what
// ran on the two CPUs and when (perf events of context switches, which need root), and a
// sample during which a program ran there that is neither harness nor subject is set
// aside, with the same 300 µs from its intended time for all, so that slow samples are
// not set aside more often than fast ones. Threads of the kernel's, and the subject's
// own, count. Where the kernel does not tell, slices of some hundred samples in which
// others took more than a five-hundredth of a CPU, by the scheduler's account of our
// threads, are set aside whole. How many were, and how many disturbed samples had to be
// used all the same, is in the table. What the hypervisor's other guests take is seen by
// nobody.
//
// # Left out
//
// The network card and the distance. Signatures are not checked here; the embedded
// venue and the tests of exec do that.
package path
