// Package peers does the same work as riposte's stages with what others have made:
// the same bytes in, the same numbers out, in one run. It is a module of its own, so
// that none of these dependencies comes near the engine's.
//
// A benchmark's name is stage, case, contender; the contender "riposte" is ours.
// Every contender's result is compared with ours before anything is timed. Where a
// library leaves text as text, the same conversion to integers is added for all,
// riposte's own number parser: what differs is the library.
//
//	match_test.go   who does the work, checked and timed
//	decode*_test    one frame to integers
//	book*_test      one level set, both best prices read
//	ring*_test      64 bytes handed over between two threads
//	frame*_test     one WebSocket frame read
//	sign_test.go    one signature
//	order*_test     one order placed and answered, over loopback
//	other_test.go   the other ends of sockets, in a process of their own
//	floor           C of our own: what the processor can do
package peers
