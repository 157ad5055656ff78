// Command riposte is a low-latency trading engine for Binance in one binary. The
// work is in package app, so that a main of the user's own, with strategies of
// the user's own, is as short as this one.
package main

import (
	_ "embed"

	"riposte/tools/riposte/app"
)

//go:embed TUNING.md
var tuning string

func main() {
	app.Tuning = tuning
	app.Main()
}
