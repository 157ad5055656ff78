//go:build race

package bench

// raceOn says that the race detector makes everything about ten times slower.
const raceOn = true
