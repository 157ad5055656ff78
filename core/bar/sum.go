package bar

import (
	"fmt"
	"math/bits"

	"riposte/core"
)

// Sum is a volume in units of 1e-8, unsigned 128 bits: a day of a coin that trades by
// the million million has more units than an int64 holds.
type Sum struct{ Hi, Lo uint64 }

// Units is a Sum of a number of units; a negative one counts as 0.
func Units(u int64) Sum { return Sum{Lo: uint64(max(u, 0))} }

// Add is s+o. It cannot wrap: 2^63 trades of the largest size are less than 2^126.
func (s Sum) Add(o Sum) Sum {
	lo, carry := bits.Add64(s.Lo, o.Lo, 0)
	hi, _ := bits.Add64(s.Hi, o.Hi, carry)
	return Sum{hi, lo}
}

// IsZero reports whether s is zero.
func (s Sum) IsZero() bool { return s.Hi|s.Lo == 0 }

// Float is s in whole units of the asset, for signals.
func (s Sum) Float() float64 { return (float64(s.Hi)*(1<<64) + float64(s.Lo)) / core.Scale }

// String prints the plain decimal.
func (s Sum) String() string {
	q, r := bits.Div64(s.Hi%core.Scale, s.Lo, core.Scale)
	if s.Hi < core.Scale {
		return trimmed(fmt.Sprintf("%d.%08d", q, r))
	}
	return fmt.Sprintf("%.8g", s.Float()) // beyond anything that an exchange can print
}

func trimmed(t string) string {
	n := len(t)
	for t[n-1] == '0' {
		n--
	}
	if t[n-1] == '.' {
		n--
	}
	return t[:n]
}

// ParseSum reads an unsigned plain decimal, as core.ParseDecimal does, but up to
// 184467440737 times 1e8: its whole part may have as many digits as a uint64.
func ParseSum[T ~string | ~[]byte](text T) (Sum, error) {
	whole := len(text)
	for i := 0; i < len(text); i++ {
		if text[i] == '.' {
			whole = i
			break
		}
	}
	if whole <= 10 {
		v, err := core.ParseDecimal(text)
		return Units(v), err
	}
	var w uint64
	for i := range whole {
		d := text[i] - '0'
		if d > 9 {
			return Sum{}, core.ErrDecimalChar
		}
		hi, lo := bits.Mul64(w, 10)
		sum, carry := bits.Add64(lo, uint64(d), 0)
		if hi|carry != 0 {
			return Sum{}, core.ErrDecimalOverflow
		}
		w = sum
	}
	frac := int64(0)
	if whole < len(text) {
		var err error
		if frac, err = core.ParseDecimal("0" + string(text[whole:])); err != nil {
			return Sum{}, err
		}
	}
	hi, lo := bits.Mul64(w, core.Scale)
	return Sum{hi, lo}.Add(Units(frac)), nil
}

// over is s divided by o as a price, rounded down; 0 where o is zero.
func (s Sum) over(o Sum) core.Price {
	if o.IsZero() {
		return 0
	}
	// Both lose the same number of low bits until the product fits: what is lost is
	// less than one part in 2^32 of a number that has more than 64 bits.
	for o.Hi != 0 || s.Hi>>36 != 0 {
		s = Sum{s.Hi >> 1, s.Lo>>1 | s.Hi<<63}
		o = Sum{o.Hi >> 1, o.Lo>>1 | o.Hi<<63}
		if o.IsZero() {
			return 0
		}
	}
	hi, lo := bits.Mul64(s.Lo, core.Scale)
	hi += s.Hi * core.Scale
	return core.Price(core.Notional{Hi: hi, Lo: lo}.Div(o.Lo))
}
