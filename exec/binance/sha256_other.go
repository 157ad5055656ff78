//go:build !amd64

package binance

const hardware = false

func blocksSHA(*[8]uint32, *byte, int) { panic("BUG: no SHA assembly here") }
func signSHA(_ *byte, _, _ *[8]uint32, _ *byte, _ int, _ *byte, _ int) {
	panic("BUG: no SHA assembly here")
}
