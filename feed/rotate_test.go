package feed

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"riposte/core"
)

// Whenever a connection is made, and as often as it is replaced after that, every
// replacement falls into the window and before the age, if the window leaves room.
func TestRotationsFallIntoTheWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		age := time.Duration(rapid.IntRange(20*60, 23*60+50).Draw(t, "age")) * time.Minute
		least := wholeDay - age + 10*time.Minute
		w := DayWindow{From: time.Duration(rapid.IntRange(0, 1439).Draw(t, "from")) * time.Minute}
		length := time.Duration(rapid.IntRange(int(least/time.Minute)+1, 1439).Draw(t, "length")) * time.Minute
		w.To = (w.From + length) % wholeDay
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		at := time.Duration(rapid.Int64Range(0, int64(3*wholeDay)).Draw(t, "start"))
		for n := range 60 {
			in := rotateIn(age, w, core.WallNs(at), rng)
			if in > age || in < rotateSoonest {
				t.Fatalf("rotation %d after %v, want at most %v", n, in, age)
			}
			at += in
			if since := (at%wholeDay - w.From + wholeDay) % wholeDay; since > w.Length() {
				t.Fatalf("rotation %d at %v of the day, outside of %v-%v, age %v", n, at%wholeDay, w.From, w.To, age)
			}
		}
	})
}

func TestRotationsWithoutAWindowSpread(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	seen := map[time.Duration]bool{}
	for range 100 {
		in := rotateIn(23*time.Hour, DayWindow{}, 0, rng)
		if in > 23*time.Hour || in < 20*time.Hour {
			t.Fatalf("rotation after %v", in)
		}
		seen[in] = true
	}
	if len(seen) < 90 {
		t.Fatalf("%d different ages of 100", len(seen))
	}
}

func TestParseDayWindow(t *testing.T) {
	w, err := ParseDayWindow("22:30-01:00")
	if err != nil || w.From != 22*time.Hour+30*time.Minute || w.To != time.Hour || w.Length() != 150*time.Minute {
		t.Fatal(w, err)
	}
	for _, text := range []string{"3:00-05:00", "03:00", "03:00-24:00", "03:60-04:00", "03:00-03:00", "a", "03:00-05:00-06:00"} {
		if _, err := ParseDayWindow(text); err == nil || !strings.Contains(err.Error(), "want two different times of day") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
