//go:build assert || race

package exec

// asserts turns broken promises between our own parts into panics.
const asserts = true
