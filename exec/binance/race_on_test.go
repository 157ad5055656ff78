//go:build race

package binance

// raceOn says that the race detector makes everything about ten times slower.
const raceOn = true
