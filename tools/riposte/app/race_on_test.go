//go:build race

package app

// raceOn says that the race detector keeps memory of its own beside ours.
const raceOn = true
