package main

import (
	"math"
	"strings"
	"testing"
	"time"
)

func line(n int, value func(i int) float64) []sample {
	rows := make([]sample, n)
	for i := range rows {
		rows[i].at = time.Duration(i) * time.Minute
		rows[i].values[heap] = value(i)
	}
	return rows
}

func TestSlopeIsPerHour(t *testing.T) {
	if got := slope(line(61, func(i int) float64 { return 1000 + 3*float64(i) }), heap); math.Abs(got-180) > 1e-9 {
		t.Errorf("3 a minute: got %v an hour, want 180", got)
	}
}

func TestSlopeIsNotMovedByOutliers(t *testing.T) {
	got := slope(line(100, func(i int) float64 {
		if i%10 == 9 {
			return 1e9 // a quarter of the pairs at most
		}
		return float64(i)
	}), heap)
	if got < 50 || got > 80 {
		t.Errorf("1 a minute with a tenth of wild samples: got %v an hour, want about 60", got)
	}
}

func TestSlopeOfTooFewSamplesIsZero(t *testing.T) {
	if got := slope(line(1, func(int) float64 { return 5 }), heap); got != 0 {
		t.Errorf("got %v, want 0", got)
	}
}

func TestTableLeavesOutTheWarmUp(t *testing.T) {
	var b strings.Builder
	table(&b, line(20, func(i int) float64 {
		if i < 10 {
			return 1e6
		}
		return 7
	}), 10*time.Minute)
	if out := b.String(); !strings.Contains(out, "10 samples from 10m0s to 19m0s") || strings.Contains(out, "1000000") {
		t.Errorf("got\n%s", out)
	}
	b.Reset()
	table(&b, line(3, func(int) float64 { return 1 }), time.Hour)
	if out := b.String(); !strings.Contains(out, "no samples") {
		t.Errorf("got %q", out)
	}
}

func TestNumberAfterItsMark(t *testing.T) {
	for _, c := range []struct {
		text string
		want float64
		ok   bool
	}{
		{"goroutine profile: total 23\n", 23, true},
		{"x total 4.5 kB", 4.5, true},
		{"total", 0, false},
		{"total many", 0, false},
		{"nothing", 0, false},
	} {
		got, err := after(c.text, "total ")
		if (err == nil) != c.ok || got != c.want {
			t.Errorf("%q: got %v %v, want %v %v", c.text, got, err, c.want, c.ok)
		}
	}
}
