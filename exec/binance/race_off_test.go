//go:build !race

package binance

const raceOn = false
