package core

import (
	"math"
	"math/bits"
)

// Scale is the number of units in one whole: prices, quantities and amounts
// are integers at 1e-8. It is the venue's own resolution: the largest
// quantity it publishes, 92233720368.54775807, is exactly an int64 here.
const Scale = 100_000_000

// Price is a price in quote per base at 1e-8.
type Price int64

// Qty is a quantity of the base asset at 1e-8.
type Qty int64

// Amount is a quantity of some asset at 1e-8: a balance, a fee, a value in
// quote. Unlike Price and Qty it may be negative.
type Amount int64

// Notional is price times quantity, unsigned 128 bits at 1e-16, so that no
// product of two legal numbers can overflow.
type Notional struct{ Hi, Lo uint64 }

// DecimalError says why text is not a decimal number we accept. It is a
// one-byte value, so returning it as an error does not allocate.
type DecimalError uint8

// The ways a number can be refused.
const (
	ErrDecimalEmpty     DecimalError = iota + 1 // no digits where a digit must be
	ErrDecimalChar                              // a byte that is neither digit nor the one point
	ErrDecimalSign                              // negative where only zero and above are legal
	ErrDecimalOverflow                          // more than an int64 holds at 1e-8
	ErrDecimalPrecision                         // a non-zero digit beyond the eighth
)

func (e DecimalError) Error() string {
	switch e {
	case ErrDecimalEmpty:
		return "number is empty or has no digit beside its point"
	case ErrDecimalChar:
		return "number holds a byte that is neither a digit nor its only point"
	case ErrDecimalSign:
		return "number is negative; want zero or more"
	case ErrDecimalOverflow:
		return "number is above 92233720368.54775807"
	case ErrDecimalPrecision:
		return "number has a digit beyond 1e-8"
	}
	return "not a decimal number"
}

// ParseDecimal reads an unsigned plain decimal ("61837.64", "0.00000100") into
// units of 1e-8. Leading zeros and trailing zeros beyond the eighth decimal are
// legal; exponents, signs, blanks and a point without digits on both sides are
// not. It does not allocate.
func ParseDecimal[T ~string | ~[]byte](s T) (int64, error) {
	var v uint64
	i, n := 0, len(s)
	if n > 0 && s[0] == '-' {
		return 0, ErrDecimalSign
	}
	for ; i < n && s[i] != '.'; i++ {
		d := s[i] - '0'
		if d > 9 {
			return 0, ErrDecimalChar
		}
		v = v*10 + uint64(d)
		// 92233720368 is the last whole number that fits; checking here keeps
		// v far from wrapping whatever the length.
		if v > math.MaxInt64/Scale {
			return 0, ErrDecimalOverflow
		}
	}
	if i == 0 {
		return 0, ErrDecimalEmpty
	}
	v *= Scale
	if i < n {
		i++
		if i == n {
			return 0, ErrDecimalEmpty
		}
		unit := uint64(Scale / 10)
		for ; i < n; i++ {
			d := s[i] - '0'
			if d > 9 {
				return 0, ErrDecimalChar
			}
			if unit == 0 && d != 0 {
				return 0, ErrDecimalPrecision
			}
			v += uint64(d) * unit
			unit /= 10
		}
	}
	if v > math.MaxInt64 {
		return 0, ErrDecimalOverflow
	}
	return int64(v), nil
}

// ParseSignedDecimal is ParseDecimal with an optional leading minus, for the
// few venue fields that are deltas.
func ParseSignedDecimal[T ~string | ~[]byte](s T) (int64, error) {
	if len(s) > 0 && s[0] == '-' {
		v, err := ParseDecimal(s[1:])
		return -v, err
	}
	return ParseDecimal(s)
}

// ParsePrice reads a price; see ParseDecimal.
func ParsePrice[T ~string | ~[]byte](s T) (Price, error) {
	v, err := ParseDecimal(s)
	return Price(v), err
}

// ParseQty reads a quantity; see ParseDecimal.
func ParseQty[T ~string | ~[]byte](s T) (Qty, error) {
	v, err := ParseDecimal(s)
	return Qty(v), err
}

// AppendDecimal appends v (units of 1e-8) as a plain decimal without trailing
// zeros: 35210000 becomes "0.3521", 0 becomes "0".
func AppendDecimal(dst []byte, v int64) []byte {
	if v < 0 {
		dst = append(dst, '-')
	}
	u := magnitude(v)
	dst = appendUint(dst, u/Scale)
	frac := u % Scale
	if frac == 0 {
		return dst
	}
	digits := 8
	for frac%10 == 0 {
		frac /= 10
		digits--
	}
	dst = append(dst, '.')
	return appendPadded(dst, frac, digits)
}

// AppendDecimal8 appends v (units of 1e-8) with exactly eight decimals, the
// form the spot venue itself prints.
func AppendDecimal8(dst []byte, v int64) []byte {
	if v < 0 {
		dst = append(dst, '-')
	}
	u := magnitude(v)
	dst = appendUint(dst, u/Scale)
	dst = append(dst, '.')
	return appendPadded(dst, u%Scale, 8)
}

func magnitude(v int64) uint64 {
	if v < 0 {
		return -uint64(v)
	}
	return uint64(v)
}

func appendUint(dst []byte, u uint64) []byte {
	var buf [20]byte
	i := len(buf)
	for {
		i--
		buf[i] = byte('0' + u%10)
		u /= 10
		if u == 0 {
			return append(dst, buf[i:]...)
		}
	}
}

func appendPadded(dst []byte, u uint64, digits int) []byte {
	n := len(dst)
	for range digits {
		dst = append(dst, '0')
	}
	for i := n + digits - 1; u > 0; i-- {
		dst[i] = byte('0' + u%10)
		u /= 10
	}
	return dst
}

// String prints the plain decimal, as AppendDecimal does.
func (p Price) String() string { return string(AppendDecimal(nil, int64(p))) }

// String prints the plain decimal, as AppendDecimal does.
func (q Qty) String() string { return string(AppendDecimal(nil, int64(q))) }

// String prints the plain decimal, as AppendDecimal does.
func (a Amount) String() string { return string(AppendDecimal(nil, int64(a))) }

// TickFloor is the highest multiple of tick at or below p. A tick of 0 (a
// symbol not tradable yet) leaves p as it is.
func (p Price) TickFloor(tick Price) Price {
	if tick <= 0 {
		return p
	}
	return p - p%tick
}

// TickCeil is the lowest multiple of tick at or above p.
func (p Price) TickCeil(tick Price) Price {
	if tick <= 0 || p%tick == 0 {
		return p
	}
	return p - p%tick + tick
}

// LotFloor is the largest multiple of lot at or below q.
func (q Qty) LotFloor(lot Qty) Qty {
	if lot <= 0 {
		return q
	}
	return q - q%lot
}

// NotionalOf is |p| times |q|, exact.
func NotionalOf(p Price, q Qty) Notional {
	hi, lo := bits.Mul64(magnitude(int64(p)), magnitude(int64(q)))
	return Notional{hi, lo}
}

// NotionalOfAmount is an amount of quote as a Notional; a negative amount counts
// by its size.
func NotionalOfAmount(a Amount) Notional {
	hi, lo := bits.Mul64(magnitude(int64(a)), Scale)
	return Notional{hi, lo}
}

// Cmp is -1, 0 or +1 as n is below, equal to or above m.
func (n Notional) Cmp(m Notional) int {
	switch {
	case n.Hi != m.Hi:
		if n.Hi < m.Hi {
			return -1
		}
		return 1
	case n.Lo < m.Lo:
		return -1
	case n.Lo > m.Lo:
		return 1
	}
	return 0
}

// Add is n+m, held at the largest Notional instead of wrapping.
func (n Notional) Add(m Notional) Notional {
	lo, c := bits.Add64(n.Lo, m.Lo, 0)
	hi, over := bits.Add64(n.Hi, m.Hi, c)
	if over != 0 {
		return Notional{math.MaxUint64, math.MaxUint64}
	}
	return Notional{hi, lo}
}

// Sub is n-m, or zero where m is larger.
func (n Notional) Sub(m Notional) Notional {
	if n.Cmp(m) <= 0 {
		return Notional{}
	}
	lo, b := bits.Sub64(n.Lo, m.Lo, 0)
	hi, _ := bits.Sub64(n.Hi, m.Hi, b)
	return Notional{hi, lo}
}

// Div is n divided by d (units of 1e-8), rounded towards zero, so a notional over a
// price is a quantity; the largest int64 where the result does not fit, and where
// d is 0.
func (n Notional) Div(d uint64) int64 {
	if n.Hi >= d {
		return math.MaxInt64
	}
	q, _ := bits.Div64(n.Hi, n.Lo, d)
	return int64(min(q, math.MaxInt64))
}

// IsZero reports whether n is zero.
func (n Notional) IsZero() bool { return n.Hi|n.Lo == 0 }

// AmountFloor is n in units of 1e-8, rounded towards zero; ok is false where it
// does not fit an Amount.
func (n Notional) AmountFloor() (a Amount, ok bool) {
	q, _, ok := n.units()
	if !ok {
		return math.MaxInt64, false
	}
	return Amount(q), true
}

// AmountCeil is n in units of 1e-8, rounded up; ok is false where it does not fit.
func (n Notional) AmountCeil() (a Amount, ok bool) {
	q, rest, ok := n.units()
	if rest != 0 {
		q++
	}
	if !ok || q > math.MaxInt64 {
		return math.MaxInt64, false
	}
	return Amount(q), true
}

// units is n in whole units of 1e-8 and what is left over; ok is false where they do not
// fit an int64. Each 2^64 is a known number of units and a small rest, so nothing has to
// be divided but by a constant, which is a multiplication.
func (n Notional) units() (q, rest uint64, ok bool) {
	const each, over = (1 << 64) / Scale, (1 << 64) % Scale
	if n.Hi > math.MaxInt64/each {
		return 0, 0, false
	}
	rest = n.Hi*over + n.Lo%Scale
	q = n.Hi*each + n.Lo/Scale + rest/Scale
	return q, rest % Scale, q <= math.MaxInt64
}

// String prints the value in quote, rounded down to 1e-8.
func (n Notional) String() string {
	a, ok := n.AmountFloor()
	if !ok {
		return ">" + a.String()
	}
	return a.String()
}
