// Package bench says how fast riposte is, against what, and how we know.
//
//	corpus.go    recorded frames, loaded the same way every time
//	authority.go certificates of one run
//	frames.go    the corpus by kinds of frame, and decoded
//	heap.go      counting allocations
//	machine.go   the line that travels with every number
//	memory.go    connections in memory: feed.go brings frames, wire.go answers orders
//	rig.go       the whole engine between two such connections
//	model.go     what the rig must have done, found the slow and obvious way
//	stage*_test  one benchmark per stage
//	budget_test  no allocation, stage by stage and from first byte to last
//	count_test   the stages whose instructions are counted
//	callgrind    counting them, under valgrind
//	testdata     a small corpus that never changes, and the committed counts
//	path         tick-to-order, wire to wire, from outside the process
//	peers        the same work by others, in a module of its own
//	cmd          record, compare, count, tick2order: programs around all this
//	history      raw outputs by date and commit
//
// # What is timed
//
// A stage benchmark does a real unit of work on recorded frames and checks its
// result after the clock has stopped: book hashes, checksums of decoded numbers,
// order counts. An operation is one item (a frame, a level, an order), and the
// clock runs over whole passes of the corpus, so ns/op is a mean over real
// traffic in its real order, bursts and far levels included, and allocations
// are those of everything the traffic asks for.
//
// # Schedule
//
// Stages run closed loop: the next item starts when the last is done. Tick-to-order
// is open loop: frames leave at times fixed beforehand and latency is counted from
// the intended time, so a stall is paid for by every frame that should have left
// during it. Percentiles come with their sample count.
//
// # Corpus
//
// The recordings in ../shared/data (RIPOSTE_DATA overrides the place). Where they
// are not, the embedded venue writes a recording from a seed, so that everything
// still runs; each output says which of the two it was, and figures of the two are
// not comparable.
//
// # What is counted
//
// Times on a shared machine differ by 20 % from hour to hour; instructions do not.
// cmd/count runs every stage on the corpus in testdata under valgrind and fails if a
// count is off its committed figure by more than 3 %, which is what make check holds
// the code to. A count says nothing of caches, branches or vector units that valgrind
// does not know (AVX-512, SHA-NI): it finds the change, not the speed.
//
// # What is left out
//
// Stage benchmarks leave out the kernel, waking up, cache misses of a cold start
// and everything that else runs on the machine; a sum of stages is therefore a
// lower bound. Whole has all of the process but the sockets, and the journal's file. Tick-to-order has
// everything but the network card and the distance.
package bench
