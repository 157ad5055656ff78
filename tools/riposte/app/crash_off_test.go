//go:build !faultpoints

package app

func dieAt(string) { panic("BUG: this program has no places to die at") }
