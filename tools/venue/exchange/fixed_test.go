package exchange

import (
	"errors"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseFixed(t *testing.T) {
	for _, c := range []struct {
		in   string
		want Fixed
		err  error
	}{
		{"0", 0, nil}, {"1", One, nil}, {"0.00000001", 1, nil}, {"61837.63000000", 6_183_763_000_000, nil}, {"00012.5", 1_250_000_000, nil},
		{"1.000000000000", One, nil}, {"92233720368.54775807", 1<<63 - 1, nil}, {"92233720368.00000000", 9_223_372_036_800_000_000, nil},
		{"92233720368.54775808", 0, ErrOverflow}, {"92233720369", 0, ErrOverflow}, {"99999999999999999999", 0, ErrOverflow},
		{"99999999999999999999.5", 0, ErrOverflow}, {"18446744073709551616", 0, ErrOverflow},
		{"1.000000001", 0, ErrPrecision}, {"0.123456789", 0, ErrPrecision},
		{"", 0, ErrSyntax}, {".", 0, ErrSyntax}, {".5", 0, ErrSyntax}, {"5.", 0, ErrSyntax}, {"1.2.3", 0, ErrSyntax}, {"-1", 0, ErrSyntax}, {"+1", 0, ErrSyntax},
		{"1e5", 0, ErrSyntax}, {" 1", 0, ErrSyntax}, {"1 ", 0, ErrSyntax}, {"1,5", 0, ErrSyntax}, {"0x10", 0, ErrSyntax}, {"１", 0, ErrSyntax},
		{"99999999999999999999x", 0, ErrSyntax}, {"99999999999999999999.5.5", 0, ErrSyntax}, {"1.123456789x", 0, ErrSyntax}, {"92233720369.x", 0, ErrSyntax},
	} {
		got, err := ParseFixed(c.in)
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%q: got %d %v, want %d %v", c.in, got, err, c.want, c.err)
		}
	}
}

func TestAppendFixedAndPlain(t *testing.T) {
	for _, c := range []struct {
		v            Fixed
		fixed, plain string
	}{
		{0, "0.00000000", "0"}, {1, "0.00000001", "0.00000001"}, {One, "1.00000000", "1"}, {35_210_000, "0.35210000", "0.3521"},
		{16_324 * One, "16324.00000000", "16324"}, {1<<63 - 1, "92233720368.54775807", "92233720368.54775807"}, {-150_000_000, "-1.50000000", "-1.5"},
		{-1 << 63, "-92233720368.54775808", "-92233720368.54775808"},
	} {
		if got := string(AppendFixed(nil, c.v)); got != c.fixed {
			t.Errorf("%d: got %s, want %s", c.v, got, c.fixed)
		}
		if got := string(AppendPlain(nil, c.v)); got != c.plain {
			t.Errorf("%d: got %s, want %s", c.v, got, c.plain)
		}
	}
}

func TestProductsEqualBigIntegers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Int64Range(0, 1<<63-1).Draw(t, "a"), rapid.Int64Range(0, 1<<63-1).Draw(t, "b")
		c, d := rapid.Int64Range(1, 1<<63-1).Draw(t, "c"), rapid.Int64Range(0, 1<<63-1).Draw(t, "d")
		ab := new(big.Int).Mul(big.NewInt(a), big.NewInt(b))
		want := new(big.Int).Div(ab, big.NewInt(c))
		got, ok := mulDiv(a, b, c)
		if ok != want.IsInt64() || ok && got != want.Int64() {
			t.Fatalf("%d × %d / %d: got %d %v, want %s", a, b, c, got, ok, want)
		}
		if less128(a, b, c, d) != (ab.Cmp(new(big.Int).Mul(big.NewInt(c), big.NewInt(d))) < 0) {
			t.Fatalf("%d × %d < %d × %d is wrong", a, b, c, d)
		}
		var w wide
		w.addProduct(a, b)
		w.add(c)
		w.sub(d % (c + 1))
		sum := ab.Add(ab, big.NewInt(c-d%(c+1)))
		want = new(big.Int).Div(sum, big.NewInt(One))
		if got := w.over(One); want.IsInt64() && got != want.Int64() || !want.IsInt64() && got != 1<<63-1 {
			t.Fatalf("wide sum over one: got %d, want %s", got, want)
		}
	})
}

func FuzzParseFixedRoundTrips(f *testing.F) {
	for _, s := range []string{"0", "1.5", "92233720368.54775807", "0.00000001", "1.000000001", "", "99999999999999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := ParseFixed(s)
		if err != nil {
			return
		}
		back, err := ParseFixed(string(AppendFixed(nil, v)))
		if err != nil || back != v || v < 0 {
			t.Fatalf("%q: got %d, back %d %v", s, v, back, err)
		}
		r, ok := new(big.Rat).SetString(s)
		if !ok || strings.ContainsAny(s, "/eExX_") {
			t.Fatalf("%q was accepted", s)
		}
		if r.Mul(r, big.NewRat(One, 1)); !r.IsInt() || r.Num().Int64() != v {
			t.Fatalf("%q: got %d, want %s", s, v, r)
		}
	})
}
