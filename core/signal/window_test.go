package signal

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"riposte/core"
)

func TestWindowsEqualTwoPasses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 40).Draw(t, "n")
		// From quiet to wild and back, as after a spike: what a large value leaves behind
		// in a running sum must go.
		values := rapid.SliceOfN(rapid.Float64Range(-1e6, 1e6), 1, 200).Draw(t, "values")
		quiet := rapid.SliceOfN(rapid.Float64Range(100, 101), 2*n, 3*n).Draw(t, "quiet")
		m, s := newMean(n), newScatter(n)
		all := []float64{}
		for _, x := range append(values, quiet...) {
			m.push(x)
			s.push(x)
			all = append(all, x)
			if m.w.full != (len(all) >= n) {
				t.Fatalf("full is %v after %d of %d", m.w.full, len(all), n)
			}
			if len(all) < n {
				continue
			}
			mean, dev := twoPasses(all[len(all)-n:])
			got, _ := m.value()
			// Rounding is of the largest value of the last two windows.
			big := slices.Max(all[max(0, len(all)-2*n):]) - min(0, slices.Min(all[max(0, len(all)-2*n):]))
			if math.Abs(got-mean) > 1e-13*big || math.Abs(s.mean-mean) > 1e-13*big {
				t.Fatalf("mean is %v and %v, want %v", got, s.mean, mean)
			}
			if d := s.dev(); math.Abs(d*d-dev*dev) > 1e-12*big*big {
				t.Fatalf("deviation is %v, want %v", d, dev)
			}
		}
		mean, dev := twoPasses(all[len(all)-n:])
		if got, _ := m.value(); math.Abs(got-mean) > 1e-14*mean*float64(n) || math.Abs(s.dev()-dev) > 1e-6*dev+1e-7 {
			t.Fatalf("after a whole quiet window mean is %v and deviation %v, want %v and %v", got, s.dev(), mean, dev)
		}
	})
}

func TestHighestEqualsASearchThroughTheWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 30).Draw(t, "n")
		h := newHighest(n)
		values := rapid.SliceOf(rapid.Int64Range(-20, 20)).Draw(t, "values")
		for i, x := range values {
			h.push(x)
			if want := slices.Max(values[max(0, i+1-n) : i+1]); h.value() != want {
				t.Fatalf("highest of %v is %d, want %d", values[max(0, i+1-n):i+1], h.value(), want)
			}
			if h.full() != (i+1 >= n) || h.held > n {
				t.Fatalf("full is %v and holds %d after %d of %d", h.full(), h.held, i+1, n)
			}
		}
	})
}

// What is held for a while counts for that while, however often it is asked or told
// the same in between.
func TestMeansOverTimeDoNotDependOnWhenTheyAreTold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		half := rapid.Float64Range(0.5, 100).Draw(t, "half")
		a, b := held{fade: fade{half: half}}, held{fade: fade{half: half}}
		now := core.MonoNs(0)
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			x := rapid.Float64Range(0, 10).Draw(t, "x")
			a.set(x, now)
			b.set(x, now)
			for range rapid.IntRange(0, 4).Draw(t, "repeats") {
				now += core.MonoNs(rapid.Int64Range(0, 5e9).Draw(t, "part"))
				b.set(x, now)
				b.value(now)
			}
			now += core.MonoNs(rapid.Int64Range(1, 5e9).Draw(t, "dt"))
		}
		m1, d1, ok1 := a.value(now)
		m2, d2, ok2 := b.value(now)
		if ok1 != ok2 || math.Abs(m1-m2) > 1e-9 || math.Abs(d1*d1-d2*d2) > 1e-9 {
			t.Fatalf("got %v %v %v and %v %v %v", m1, d1, ok1, m2, d2, ok2)
		}
	})
}
