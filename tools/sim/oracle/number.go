package oracle

// scale is what prices, quantities and amounts are scaled by.
const scale = 100_000_000

// decimal reads a decimal text as a number at 1e-8; false if it is none, or has digits
// beyond.
func decimal(s string) (v int64, ok bool) {
	neg := len(s) > 0 && s[0] == '-'
	if neg {
		s = s[1:]
	}
	digits, places, point := 0, 0, false
	for _, c := range []byte(s) {
		switch {
		case c == '.' && !point:
			point = true
			continue
		case c < '0' || c > '9':
			return 0, false
		}
		digits++
		if point {
			if places++; places > 8 {
				if c != '0' {
					return 0, false
				}
				continue
			}
		}
		d := int64(c - '0')
		if v > (1<<63-1-d)/10 {
			return 0, false
		}
		v = v*10 + d
	}
	for ; places < 8; places++ {
		if v > (1<<63-1)/10 {
			return 0, false
		}
		v *= 10
	}
	if neg {
		v = -v
	}
	return v, digits > 0
}

// times is p*q at 1e-8, rounded down; both are not negative. False if it does not fit.
func times(p, q int64) (int64, bool) {
	// p and q in halves of 32 bits, so that no product of two of them wraps.
	hi1, lo1, hi2, lo2 := uint64(p)>>32, uint64(p)&(1<<32-1), uint64(q)>>32, uint64(q)&(1<<32-1)
	mid := hi1*lo2 + lo1*lo2>>32
	mid2 := mid&(1<<32-1) + lo1*hi2
	hi, lo := hi1*hi2+mid>>32+mid2>>32, mid2<<32|lo1*lo2&(1<<32-1)
	// hi:lo divided by the scale, bit by bit: nobody is in a hurry here.
	rest, out := uint64(0), uint64(0)
	for i := 127; i >= 0; i-- {
		bit := lo >> i & 1
		if i >= 64 {
			bit = hi >> (i - 64) & 1
		}
		rest = rest<<1 | bit
		if out >= 1<<62 {
			return 0, false
		}
		out <<= 1
		if rest >= scale {
			rest -= scale
			out |= 1
		}
	}
	return int64(out), true
}
