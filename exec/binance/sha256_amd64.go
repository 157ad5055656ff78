package binance

// hardware says that the processor has the SHA extensions and what else the assembly
// uses. A variable, so that tests can take the other road.
var hardware = hasSHA()

func hasSHA() bool {
	const ssse3, sse41, sha = 1 << 9, 1 << 19, 1 << 29
	most, _, _, _ := cpuid(0, 0)
	if most < 7 {
		return false
	}
	_, _, c, _ := cpuid(1, 0)
	_, b, _, _ := cpuid(7, 0)
	return c&ssse3 != 0 && c&sse41 != 0 && b&sha != 0
}

// blocksSHA takes n blocks of 64 bytes at p into the state h.
//
//go:noescape
func blocksSHA(h *[8]uint32, p *byte, n int)

// signSHA is the end of an HMAC: it takes n blocks at p and then m at last, which hold
// the padding, into the inner state mid, takes the digest into the outer state, and
// writes the 64 hex digits of the result to out. It changes neither state.
//
//go:noescape
func signSHA(out *byte, mid, outer *[8]uint32, p *byte, n int, last *byte, m int)

//go:noescape
func cpuid(leaf, sub uint32) (a, b, c, d uint32)
