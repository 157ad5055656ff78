// Compare does the same work by riposte and by others, on the same bytes in one run,
// and prints one table with ratios and targets. The raw output and the table go to
// bench/history.
//
//	make compare
//
// Two programs are built and run by turns, as many rounds as runs are asked for: the
// stage benchmarks of bench and the contests of bench/peers. So each figure is a
// median over runs that lie minutes apart with all others between them, and what
// disturbs the machine for a while disturbs all.
//
//	main.go    building, running, keeping
//	output.go  reading benchmark output
//	rows.go    the stages and their targets: the one place where these are
//	judge.go   medians, ratios, met or missed
//	table.go   printing
package main
