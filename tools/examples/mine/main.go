// Command mine is riposte with two strategies of a user's own beside those it brings. See
// the README's section "Add a strategy".
//
//	go run ./tools/examples/mine run --config tools/examples/mine/mine.toml
package main

import (
	_ "riposte/tools/examples/breakout"
	_ "riposte/tools/examples/reversion"
	"riposte/tools/riposte/app"
)

func main() { app.Main() }
