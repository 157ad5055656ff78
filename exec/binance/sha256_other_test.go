//go:build !amd64

package binance

func setHardware(bool) {}
