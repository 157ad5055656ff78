//go:build !amd64

package binance

import "riposte/core"

const hasVectors = false

func vectorSides([]byte, int, *gap, []core.Level, uint8, uint8) (bids, n, next int) { return 0, 0, -1 }

func layoutAVX512(*byte, int, *layout, *[8]int64) bool { return false }
