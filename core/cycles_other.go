//go:build !amd64

package core

const haveCycles = false

func cycles() uint64 { return 0 }
