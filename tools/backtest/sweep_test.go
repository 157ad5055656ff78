package backtest

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
)

// TestAxesAreReadOrRefused.
func TestAxesAreReadOrRefused(t *testing.T) {
	for text, want := range map[string]string{
		"a=1..5/1":       "1 2 3 4 5",
		"a=1..5":         "1 2 3 4 5",
		"a=0..0.3/0.1":   "0.0 0.1 0.2 0.3",
		"a=-1..1/0.5":    "-1.0 -0.5 0.0 0.5 1.0",
		"a=1..1/3":       "1",
		"a=0,1, 2":       "0 1 2",
		"a=cancel,amend": "cancel amend",
		"a=250ms,1s":     "250ms 1s",
	} {
		if a, err := ParseAxis(text); err != nil || strings.Join(a.Values, " ") != want {
			t.Errorf("%s is read as %v, %v; want %s", text, a.Values, err, want)
		}
	}
	for _, text := range []string{"", "a", "a=", "=1", "a=1..", "a=1..0", "a=1..5/0", "a=1..5/-1", "a=1..x", "a=1,,2", "a=1,1", "a=0..1/1e-9", "a=NaN..1"} {
		if a, err := ParseAxis(text); err == nil {
			t.Errorf("%q is taken as %v", text, a)
		}
	}
}

// TestWarningsNameEdgesAndPeaks: what looks best by chance is said to.
func TestWarningsNameEdgesAndPeaks(t *testing.T) {
	g := Grid{{"a", []string{"1", "2", "3", "4", "5"}}, {"b", []string{"x", "y", "z"}}}
	if n, err := g.Len(); n != 15 || err != nil {
		t.Fatalf("%d combinations, %v; want 15", n, err)
	}
	if v := g.Values(7); strings.Join(v, " ") != "3 y" {
		t.Errorf("combination 7 is %v, want 3 y", v)
	}
	hill := make([]float64, 15)
	for i := range hill {
		at := g.At(i)
		hill[i] = 10 - math.Abs(float64(at[0]-2)) - math.Abs(float64(at[1]-1))
	}
	if w := g.Warnings(7, hill); len(w) != 0 {
		t.Errorf("a hill in the middle is warned of: %v", w)
	}
	peak := make([]float64, 15)
	peak[7] = 10
	if w := g.Warnings(7, peak); len(w) != 1 || !strings.Contains(w[0], "stands alone") {
		t.Errorf("a lone peak: %v", w)
	}
	slope := make([]float64, 15)
	for i := range slope {
		slope[i] = float64(g.At(i)[0])
	}
	if w := g.Warnings(13, slope); len(w) != 1 || !strings.Contains(w[0], "edge of a") {
		t.Errorf("a slope: %v", w)
	}
	if c := RankCorrelation(hill, hill); math.Abs(c-1) > 1e-12 {
		t.Errorf("the rank correlation with itself is %v", c)
	}
	if _, err := (Grid{{"a", nil}, {"a", nil}}).Len(); err == nil {
		t.Error("the same axis twice is taken")
	}
}

// TestASweepEndsWithItsFirstError and with its context.
func TestASweepEndsWithItsFirstError(t *testing.T) {
	bad := errors.New("bad")
	n := 0
	err := Sweep(context.Background(), 1000, 2, func(_ context.Context, i int) error {
		if i == 5 {
			return bad
		}
		return nil
	}, func() { n++ })
	if !errors.Is(err, bad) || n > 900 {
		t.Errorf("%v after %d runs, want the error soon", err, n)
	}
	ctx, cancel := context.WithCancel(context.Background())
	if err := Sweep(ctx, 10, 2, func(context.Context, int) error { cancel(); return nil }, func() {}); !errors.Is(err, context.Canceled) {
		t.Errorf("a sweep that was interrupted ends with %v", err)
	}
	n = 0
	if err := Sweep(context.Background(), 50, 4, func(context.Context, int) error { return nil }, func() { n++ }); err != nil || n != 50 {
		t.Errorf("%v after %d of 50 runs", err, n)
	}
}
