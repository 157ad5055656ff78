package core

import (
	"errors"
	"math"
	"math/big"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseDecimalReadsWhatTheVenueWrites(t *testing.T) {
	cases := []struct {
		in   string
		want int64
		err  error
	}{
		{"61837.64", 6183764000000, nil},
		{"61837.64000000", 6183764000000, nil},
		{"0.00000001", 1, nil},
		{"0", 0, nil},
		{"00012", 12_00000000, nil},
		{"0.000000010000", 1, nil},
		{"92233720368.54775807", math.MaxInt64, nil},
		{"92233720368.547758070", math.MaxInt64, nil},
		{"92233720368.54775808", 0, ErrDecimalOverflow},
		{"92233720369", 0, ErrDecimalOverflow},
		{"92233720368547758080", 0, ErrDecimalOverflow},
		{"99999999999999999999999999999999", 0, ErrDecimalOverflow},
		{"0.000000001", 0, ErrDecimalPrecision},
		{"1.123456789", 0, ErrDecimalPrecision},
		{"", 0, ErrDecimalEmpty},
		{".", 0, ErrDecimalEmpty},
		{".5", 0, ErrDecimalEmpty},
		{"5.", 0, ErrDecimalEmpty},
		{"-1", 0, ErrDecimalSign},
		{"-", 0, ErrDecimalSign},
		{"+1", 0, ErrDecimalChar},
		{" 1", 0, ErrDecimalChar},
		{"1 ", 0, ErrDecimalChar},
		{"1e5", 0, ErrDecimalChar},
		{"1.2.3", 0, ErrDecimalChar},
		{"1,5", 0, ErrDecimalChar},
		{"0x10", 0, ErrDecimalChar},
		{"1.5\x00", 0, ErrDecimalChar},
		{"１", 0, ErrDecimalChar},
	}
	for _, c := range cases {
		got, err := ParseDecimal(c.in)
		if got != c.want || err != c.err {
			t.Errorf("ParseDecimal(%q) = %d, %v, want %d, %v", c.in, got, err, c.want, c.err)
		}
		if got, err := ParseDecimal([]byte(c.in)); got != c.want || err != c.err {
			t.Errorf("ParseDecimal of bytes %q = %d, %v, want %d, %v", c.in, got, err, c.want, c.err)
		}
		if err != nil && err.Error() == "not a decimal number" {
			t.Errorf("error %d has no text", err)
		}
	}
	if p, err := ParsePrice("1.5"); p != 1_50000000 || err != nil {
		t.Errorf("ParsePrice: %d, %v", p, err)
	}
	if q, err := ParseQty("x"); q != 0 || !errors.Is(err, ErrDecimalChar) {
		t.Errorf("ParseQty: %d, %v", q, err)
	}
	if DecimalError(0).Error() != "not a decimal number" {
		t.Error("no error has a text")
	}
}

func TestParseSignedDecimal(t *testing.T) {
	for in, want := range map[string]int64{"-0.00000001": -1, "-0": 0, "12.5": 12_50000000, "-92233720368.54775807": -math.MaxInt64} {
		if got, err := ParseSignedDecimal(in); got != want || err != nil {
			t.Errorf("%q = %d, %v, want %d", in, got, err, want)
		}
	}
	for _, in := range []string{"--1", "-", "-.5", "1-", ""} {
		if got, err := ParseSignedDecimal(in); err == nil || got != 0 {
			t.Errorf("%q = %d, want an error", in, got)
		}
	}
}

func TestDecimalsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Int64().Draw(t, "v")
		plain, eight := string(AppendDecimal(nil, v)), string(AppendDecimal8([]byte("x"), v))[1:]
		for _, s := range []string{plain, eight} {
			if v == math.MinInt64 {
				continue // its magnitude is one more than is legal
			}
			if got, err := ParseSignedDecimal(s); got != v || err != nil {
				t.Fatalf("%d printed %q, read %d, %v", v, s, got, err)
			}
		}
		if want := new(big.Rat).SetFrac64(v, Scale).FloatString(8); eight != want {
			t.Fatalf("%d printed %q, want %q", v, eight, want)
		}
		short := new(big.Rat).SetFrac64(v, Scale).FloatString(8)
		short = strings.TrimSuffix(strings.TrimRight(short, "0"), ".")
		if plain != short {
			t.Fatalf("%d printed %q, want %q", v, plain, short)
		}
		if Price(v).String() != plain || Qty(v).String() != plain || Amount(v).String() != plain {
			t.Fatalf("%d has several texts", v)
		}
	})
}

var plainDecimal = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?$`)

// FuzzParseDecimal compares with exact arithmetic: what is accepted, and what it
// is worth.
func FuzzParseDecimal(f *testing.F) {
	for _, s := range []string{"61837.64000000", "0.00000001", "92233720368.54775807", "92233720368.54775808", "", ".", "1.", "-1", "1e9", "0.123456789", "007"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := ParseDecimal(s)
		if !plainDecimal.MatchString(s) {
			if err == nil {
				t.Fatalf("%q was read as %d", s, got)
			}
			return
		}
		exact, _ := new(big.Rat).SetString(s)
		exact.Mul(exact, big.NewRat(Scale, 1))
		fits := exact.IsInt() && exact.Num().IsInt64()
		if fits != (err == nil) || fits && got != exact.Num().Int64() {
			t.Fatalf("%q is %v at 1e-8, read %d, %v", s, exact, got, err)
		}
	})
}

func bigOf(n Notional) *big.Int {
	v := new(big.Int).SetUint64(n.Hi)
	return v.Lsh(v, 64).Or(v, new(big.Int).SetUint64(n.Lo))
}

func TestNotionalEqualsExactArithmetic(t *testing.T) {
	most := bigOf(Notional{math.MaxUint64, math.MaxUint64})
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) int64 {
			return rapid.OneOf(rapid.Int64(), rapid.Int64Range(-1000, 1000), rapid.SampledFrom([]int64{math.MinInt64, math.MaxInt64, Scale})).Draw(t, name)
		}
		p, q, r, s := draw("p"), draw("q"), draw("r"), draw("s")
		product := func(a, b int64) *big.Int {
			v := new(big.Int).Mul(big.NewInt(a), big.NewInt(b))
			return v.Abs(v)
		}
		n, m := NotionalOf(Price(p), Qty(q)), NotionalOf(Price(r), Qty(s))
		bn, bm := product(p, q), product(r, s)
		if bigOf(n).Cmp(bn) != 0 {
			t.Fatalf("%d times %d is %v, want %v", p, q, bigOf(n), bn)
		}
		if n.Cmp(m) != bn.Cmp(bm) || n.IsZero() != (bn.Sign() == 0) {
			t.Fatalf("%v against %v: %d", bn, bm, n.Cmp(m))
		}
		sum := new(big.Int).Add(bn, bm)
		if sum.Cmp(most) > 0 {
			sum = most
		}
		if got := bigOf(n.Add(m)); got.Cmp(sum) != 0 {
			t.Fatalf("%v + %v = %v", bn, bm, got)
		}
		diff := new(big.Int).Sub(bn, bm)
		if diff.Sign() < 0 {
			diff.SetInt64(0)
		}
		if got := bigOf(n.Sub(m)); got.Cmp(diff) != 0 {
			t.Fatalf("%v - %v = %v", bn, bm, got)
		}
		if got := bigOf(NotionalOfAmount(Amount(p))); got.Cmp(product(p, Scale)) != 0 {
			t.Fatalf("amount %d is worth %v", p, got)
		}
		floor, rest := new(big.Int).QuoRem(bn, big.NewInt(Scale), new(big.Int))
		a, ok := n.AmountFloor()
		if ok != floor.IsInt64() || ok && int64(a) != floor.Int64() {
			t.Fatalf("floor of %v is %d, %v, want %v", bn, a, ok, floor)
		}
		if rest.Sign() > 0 {
			floor.Add(floor, big.NewInt(1))
		}
		a, ok = n.AmountCeil()
		if ok != floor.IsInt64() || ok && int64(a) != floor.Int64() {
			t.Fatalf("ceil of %v is %d, %v, want %v", bn, a, ok, floor)
		}
	})
	huge := Notional{math.MaxUint64, 5}
	if huge.Add(huge) != (Notional{math.MaxUint64, math.MaxUint64}) {
		t.Error("a sum wrapped")
	}
	if huge.String() != ">92233720368.54775807" || NotionalOf(150000000, 3_00000001).String() != "4.50000001" {
		t.Errorf("texts %v and %v", huge, NotionalOf(150000000, 3_00000001))
	}
}

func TestRoundingKeepsItsDirection(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Price(rapid.Int64Range(0, 1e18).Draw(t, "p"))
		tick := Price(rapid.Int64Range(1, 1e12).Draw(t, "tick"))
		floor, ceil := p.TickFloor(tick), p.TickCeil(tick)
		if floor > p || ceil < p || floor%tick != 0 || ceil%tick != 0 || p-floor >= tick || ceil-p >= tick {
			t.Fatalf("%d to multiples of %d: %d and %d", p, tick, floor, ceil)
		}
		if lot := Qty(p).LotFloor(Qty(tick)); lot != Qty(floor) {
			t.Fatalf("lot floor %d, want %d", lot, floor)
		}
	})
	if Price(7).TickFloor(0) != 7 || Price(7).TickCeil(0) != 7 || Qty(7).LotFloor(0) != 7 {
		t.Error("a tick or lot of 0 changed the number")
	}
}

func TestNumbersDoNotAllocate(t *testing.T) {
	text, buf := []byte("61837.64000000"), make([]byte, 0, 32)
	if got := testing.AllocsPerRun(100, func() {
		v, err := ParseDecimal(text)
		_, bad := ParseDecimal(text[:6])
		if err != nil || bad == nil {
			t.Fatal("misread")
		}
		AppendDecimal(buf, v)
		AppendDecimal8(buf, v)
		_, _ = NotionalOf(Price(v), 5).AmountFloor()
	}); got != 0 {
		t.Fatalf("%v allocations per round, want 0", got)
	}
}

func BenchmarkParseDecimal(b *testing.B) {
	text := []byte("61837.64000000")
	b.ReportAllocs()
	for range b.N {
		if v, _ := ParseDecimal(text); v != 6183764000000 {
			b.Fatal("misread")
		}
	}
}
