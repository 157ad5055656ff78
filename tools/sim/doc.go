// Package sim is the world of a deterministic simulation: time, network, choices and
// judges, for one engine and one venue in one process. The same seed gives the same run,
// byte for byte, and a run is a list of choices that can be cut down to the few that
// matter.
//
//	world.go    time and the calendar: one thing at a time
//	net.go      dials, hosts, the listener; end.go a connection's two ends,
//	            link.go what lies between them, with its faults
//	wire.go     messages, read off the links
//	trace.go    what happened: a digest for machines, lines for people
//	plan.go     the choices of a run; draw.go takes them from a seed, lasting.go those
//	            of faults that last, worlds.go those of what the engine lives in
//	shrink.go   fewer choices that still break a promise
//	checker.go  what judges may look at; judges.go some of them, handover.go one
//
// The engine is not known here: who assembles one puts it on a Host and steps it.
package sim
