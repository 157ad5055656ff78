package binance

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"riposte/core"
)

// failer is what a test of any kind has.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// bothSides reads list, which starts behind a side's opening bracket, by the vector
// reader and by the scalar one, at the very end of its memory, and fails where they
// differ. It tells whether the vector reader took it.
func bothSides(t failer, list []byte, most int, frac, qfrac uint8) bool {
	t.Helper()
	const before = `"U":1234,"u":12345,"b":[`
	b := append([]byte(before), list...)
	b = slices.Clip(b)
	got, want := make([]core.Level, most+1), make([]core.Level, most)
	guard := core.Level{Price: -7, Qty: -7}
	got[most] = guard
	bids, n, next := vectorSides(b, len(before), gapDelta, got[:most], frac, qfrac)
	if got[most] != guard {
		t.Fatalf("wrote behind the %d levels it may: %.300q", most, list)
	}
	if next < 0 {
		return false
	}
	first, after := sideOf(b, len(before), want)
	after = pass(b, after, gapDelta.text)
	second, after := sideOf(b, max(after, 0), want[first:])
	m := first + second
	if bids != first || n != m || next != after || !slices.Equal(got[:n], want[:m]) {
		t.Fatalf("vectors: %d levels to %d, %+v, scalar: %d levels to %d, %+v, on %.300q", n, next, got[:n], m, after, want[:m], list)
	}
	return true
}

func side(levels []string) (b []byte) {
	for i, l := range levels {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, l...)
	}
	return append(b, "]"...)
}

// sides are those levels as bids, and again from the from-th as asks.
func sides(levels []string, from int) []byte {
	b := append(side(levels), gapDelta.text...)
	return append(append(b, side(levels[from:])...), '}')
}

func TestVectorLevelsReadEveryFormAndCount(t *testing.T) {
	if !hasVectors {
		t.Skip("this machine has no AVX-512 with VBMI2; the scalar reader is tested by itself")
	}
	rapid.Check(t, func(t *rapid.T) {
		frac, qfrac := rapid.IntRange(0, 8).Draw(t, "frac"), rapid.IntRange(0, 8).Draw(t, "qfrac")
		number := func(frac int, name string) string {
			most := 8
			if frac == 8 {
				most = 7
			}
			whole := rapid.IntRange(0, []int{10, 1000, 1e5, 1e7, 1e8}[rapid.IntRange(0, most-4).Draw(t, "digits")]-1).Draw(t, name)
			if frac == 0 {
				return fmt.Sprint(whole)
			}
			return fmt.Sprintf("%d.%0*d", whole, frac, rapid.IntRange(0, []int{1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8}[frac]-1).Draw(t, "f"))
		}
		var levels []string
		for range rapid.IntRange(1, 150).Draw(t, "n") {
			levels = append(levels, `["`+number(frac, "p")+`","`+number(qfrac, "q")+`"]`)
		}
		from := rapid.IntRange(0, len(levels)).Draw(t, "from")
		n := 2*len(levels) - from
		if !bothSides(t, sides(levels, from), n, uint8(frac), uint8(qfrac)) {
			t.Fatalf("refused %.300q", sides(levels, from))
		}
		if bothSides(t, sides(levels, from), n-1, uint8(frac), uint8(qfrac)) {
			t.Fatal("took more levels than there is room for")
		}
	})
}

// Any one byte changed in a list: the vector reader takes nothing that the scalar
// one would not.
func TestVectorLevelsRefuseWhatIsMalformed(t *testing.T) {
	if !hasVectors {
		t.Skip("this machine has no AVX-512 with VBMI2; the scalar reader is tested by itself")
	}
	levels := []string{`["61737.63000000","0.00000000"]`, `["61730.17000000","12.50000000"]`, `["0.17000000","1234567.50000000"]`, `["9.00000001","1.00000000"]`, `["9.00000002","1.00000000"]`}
	for n := 1; n <= len(levels); n++ {
		list := sides(levels[:n], n-1)
		if !bothSides(t, list, n+1, 8, 8) {
			t.Fatalf("refused %q", list)
		}
		taken := 0
		for i := range list {
			for _, c := range []byte("\"[],.059:;-}\\ \x00\xff/") {
				bad := slices.Clone(list)
				bad[i] = c
				if bothSides(t, bad, n+1, 8, 8) {
					taken++
				}
				bothSides(t, slices.Insert(slices.Clone(list), i, c), n+2, 8, 8)
			}
			bothSides(t, slices.Delete(slices.Clone(list), i, i+1), n+1, 8, 8)
		}
		if taken == 0 {
			t.Fatal("refused every change of a digit")
		}
	}
}

// FuzzVectorLevels: what the vector reader takes, the scalar one reads to the same.
func FuzzVectorLevels(f *testing.F) {
	if !hasVectors {
		f.Skip("this machine has no AVX-512 with VBMI2")
	}
	var levels []string
	for i := range 70 {
		levels = append(levels, fmt.Sprintf(`["%d.%08d","%d.%08d"]`, 61000+i, i*i*i, i*i, i))
		if i%13 == 0 {
			f.Add(sides(levels, i/2), uint8(8), uint8(8))
		}
	}
	f.Add([]byte(`["28145.10","3.868"],["5000.00","14.368"]],"a":[]}`), uint8(2), uint8(3))
	f.Add([]byte(`["7.6110","2"],["7.6120","297"]],"a":[["1.5","2"]]}}`), uint8(4), uint8(0))
	f.Add([]byte(`["1","2"],["76120","297"]],"a":[["1","2"]]}}`), uint8(0), uint8(0))
	f.Fuzz(func(t *testing.T, list []byte, frac, qfrac uint8) {
		for most := range 3 {
			bothSides(t, list, most*40, frac%9, qfrac%9)
		}
	})
}
