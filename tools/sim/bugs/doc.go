// Command bugs asks whether the simulation sees. Each of its planted bugs is a mistake
// that was made in public, in software of this kind, put into this engine as a change of
// a few lines. The runner builds the simulation with one of them at a time, by go's
// -overlay, so that no file of the tree is touched, and runs seeds until something is
// found. Few are no matter of the simulation: they name the test that must fail instead.
//
//	go run ./tools/sim/bugs [-bugs REGEXP] [-seeds N] [-json]
//
//	bug.go      what a bug is, and its file format
//	overlay.go  a bug as an overlay over the tree
//	hunt.go     build and run the simulation with an overlay
//	main.go     the command and its table
//
// The threads were read in excerpts, and often several tell of one mistake: the line is
// the cause that they have in common, as far as it can be told from outside. Their code
// and ours have nothing to do with each other.
package main
