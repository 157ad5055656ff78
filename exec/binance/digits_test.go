package binance

import (
	"math"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"riposte/core"
)

func TestNumbersAreWrittenAsTheCoreDoes(t *testing.T) {
	check := func(t rapid.TB, v int64) {
		var b [40]byte
		n := putDecimal(b[:], v)
		if got, want := string(b[:n]), string(core.AppendDecimal(nil, v)); got != want {
			t.Fatalf("%d is written %s, want %s", v, got, want)
		}
		if n = putUint(b[:], uint64(v)); string(b[:n]) != strconv.FormatInt(v, 10) {
			t.Fatalf("%d is written %s", v, b[:n])
		}
	}
	for _, v := range []int64{0, 1, 9, 10, 99, 100, 1e7, 1e8 - 1, 1e8, 1e8 + 1, 10e8, 1e15, 1e16 - 1, 1e16, 1e16 + 1, 61837_64000000, math.MaxInt64} {
		check(t, v)
	}
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Int64Range(0, math.MaxInt64).Draw(t, "v")
		check(t, v)
		check(t, v>>rapid.IntRange(0, 62).Draw(t, "shift"))
		check(t, v/1e9*rapid.SampledFrom([]int64{1, 10, 1e3, 1e6, 1e8}).Draw(t, "unit"))
	})
}

func TestEightDigitsAreRightForAllHalves(t *testing.T) {
	for v := uint64(0); v < 10_000; v++ {
		for _, x := range []uint64{v, v * 10_000, v*10_000 + 9_999, 99_990_000 + v} {
			w := digits8(x)
			for i, unit := 0, uint64(1e7); i < 8; i, unit = i+1, unit/10 {
				if d := w >> (8 * i) & 0xff; d != x/unit%10 {
					t.Fatalf("digit %d of %d is %d", i, x, d)
				}
			}
		}
	}
}

func TestStampsHaveThirteenDigits(t *testing.T) {
	for _, v := range []uint64{0, 1, 1499827319559, 1723161255000, 1700000000000, 9999999999999} {
		var b [stampDigits + 1]byte
		b[stampDigits] = '&'
		putStamp(b[:], v)
		if got, err := strconv.ParseUint(string(b[:stampDigits]), 10, 64); err != nil || got != v || b[stampDigits] != '&' {
			t.Errorf("%d is written %s", v, b)
		}
	}
}
