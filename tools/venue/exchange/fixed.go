package exchange

import (
	"errors"
	"math/bits"
)

// One is 1.00000000.
const One Fixed = 100_000_000

// Errors of ParseFixed. The sockets turn them into -1100, -1111 and -1108.
var (
	ErrSyntax    = errors.New("not a decimal number")
	ErrPrecision = errors.New("more than 8 decimals")
	ErrOverflow  = errors.New("number is too large")
)

// ParseFixed reads an unsigned decimal with at most 8 decimals: digits, or
// digits, a dot and digits. Zeros beyond the 8th decimal are accepted.
func ParseFixed(s string) (Fixed, error) {
	var v uint64
	i := 0
	for ; i < len(s) && s[i] != '.'; i++ {
		d := s[i] - '0'
		if d > 9 {
			return 0, ErrSyntax
		}
		if v > (1<<63)/10 {
			return 0, overflowOrSyntax(s[i:])
		}
		v = v*10 + uint64(d)
	}
	if i == 0 {
		return 0, ErrSyntax
	}
	frac := ""
	if i < len(s) {
		if frac = s[i+1:]; frac == "" {
			return 0, ErrSyntax
		}
	}
	hi, lo := bits.Mul64(v, uint64(One))
	if hi != 0 || lo>>63 != 0 {
		return 0, overflowOrSyntax(frac)
	}
	v = lo
	unit, deep := uint64(One), false
	for j := 0; j < len(frac); j++ {
		d := frac[j] - '0'
		if d > 9 {
			return 0, ErrSyntax
		}
		if unit /= 10; unit == 0 {
			deep = deep || d != 0
			continue
		}
		v += uint64(d) * unit
	}
	if deep {
		return 0, ErrPrecision
	}
	if v>>63 != 0 {
		return 0, ErrOverflow
	}
	return Fixed(v), nil
}

// overflowOrSyntax keeps "99999999999999999999x" a syntax error: what a number
// is comes before how large it is.
func overflowOrSyntax(rest string) error {
	dots := 0
	for i := 0; i < len(rest); i++ {
		if rest[i] == '.' {
			dots++
		} else if rest[i]-'0' > 9 {
			return ErrSyntax
		}
	}
	if dots > 1 {
		return ErrSyntax
	}
	return ErrOverflow
}

// MustFixed is ParseFixed for constants in tables and tests; it panics on error.
func MustFixed(s string) Fixed {
	v, err := ParseFixed(s)
	if err != nil {
		panic("BUG: cannot parse constant " + s + ": " + err.Error())
	}
	return v
}

// AppendFixed appends v with exactly 8 decimals, as the venue prints every
// price, quantity and amount. v may be negative.
func AppendFixed(dst []byte, v Fixed) []byte {
	u := uint64(v)
	if v < 0 {
		dst = append(dst, '-')
		u = -u
	}
	whole, frac := u/uint64(One), u%uint64(One)
	var buf [20]byte
	i := len(buf)
	for {
		i--
		buf[i] = byte('0' + whole%10)
		if whole /= 10; whole == 0 {
			break
		}
	}
	dst = append(dst, buf[i:]...)
	var f [9]byte
	f[0] = '.'
	for j := 8; j > 0; j-- {
		f[j] = byte('0' + frac%10)
		frac /= 10
	}
	return append(dst, f[:]...)
}

// AppendPlain appends v without trailing zeros and without a trailing dot.
func AppendPlain(dst []byte, v Fixed) []byte {
	dst = AppendFixed(dst, v)
	n := len(dst)
	for dst[n-1] == '0' {
		n--
	}
	if dst[n-1] == '.' {
		n--
	}
	return dst[:n]
}

// Product is a × b scaled 1e-8, rounded down, or ErrOverflow. Both must not be
// negative. The venue truncates quote amounts: trade 409018748 of ETHBTC,
// 0.06436200 × 0.01580000, is recorded with quoteQty 0.00101691.
func Product(a, b Fixed) (Fixed, error) {
	v, ok := mulDiv(a, b, One)
	if !ok {
		return 0, ErrOverflow
	}
	return v, nil
}

// mulDiv is a × b / c rounded down with a 128-bit product; false if it does not
// fit. a and b must not be negative, c must be positive.
func mulDiv(a, b, c int64) (int64, bool) {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	if hi >= uint64(c) {
		return 0, false
	}
	q, _ := bits.Div64(hi, lo, uint64(c))
	return int64(q), q>>63 == 0
}

// mul is Product for operands already known to fit, such as parts of an order
// whose whole was checked when it was accepted.
func mul(a, b Fixed) Fixed {
	v, ok := mulDiv(a, b, One)
	if !ok {
		panic("BUG: product of an accepted order overflows")
	}
	return v
}

// less128 reports a × b < c × d without rounding. No operand may be negative.
func less128(a, b, c, d int64) bool {
	h1, l1 := bits.Mul64(uint64(a), uint64(b))
	h2, l2 := bits.Mul64(uint64(c), uint64(d))
	return h1 < h2 || h1 == h2 && l1 < l2
}

// wide is a sum of non-negative Fixed that cannot overflow.
type wide struct{ hi, lo uint64 }

func (w *wide) add(v Fixed) {
	var c uint64
	w.lo, c = bits.Add64(w.lo, uint64(v), 0)
	w.hi += c
}

func (w *wide) sub(v Fixed) {
	var b uint64
	w.lo, b = bits.Sub64(w.lo, uint64(v), 0)
	w.hi -= b
}

func (w *wide) addProduct(a, b Fixed) {
	h, l := bits.Mul64(uint64(a), uint64(b))
	var c uint64
	w.lo, c = bits.Add64(w.lo, l, 0)
	w.hi, _ = bits.Add64(w.hi, h, c)
}

// sat is the sum capped at the int64 maximum, as the venue caps a level.
func (w wide) sat() Fixed {
	if w.hi != 0 || w.lo>>63 != 0 {
		return 1<<63 - 1
	}
	return Fixed(w.lo)
}

func (w wide) zero() bool { return w.hi == 0 && w.lo == 0 }

// over is w / c rounded down, capped at the int64 maximum.
func (w wide) over(c int64) Fixed {
	if w.hi >= uint64(c) {
		return 1<<63 - 1
	}
	q, _ := bits.Div64(w.hi, w.lo, uint64(c))
	if q>>63 != 0 {
		return 1<<63 - 1
	}
	return Fixed(q)
}
