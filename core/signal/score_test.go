package signal

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"riposte/core"
)

func TestNearestHorizonByRatio(t *testing.T) {
	for _, c := range []struct {
		d    time.Duration
		want int
	}{{time.Millisecond, 0}, {time.Second, 0}, {3 * time.Second, 0}, {4 * time.Second, 1}, {time.Minute, 2}, {2 * time.Minute, 2}, {3 * time.Minute, 3}, {24 * time.Hour, 5}} {
		if got := Nearest(core.MonoNs(c.d)); got != c.want {
			t.Errorf("%v is marked at %s, want %s", c.d, HorizonName[got], HorizonName[c.want])
		}
	}
}

func TestASignalIsMarkedAtEachHorizonOnce(t *testing.T) {
	m := NewMarks()
	const start = core.MonoNs(1000 * time.Second)
	h := Heard{Number: 7, Side: core.Sell, At: start, Mid: 10_000, Cost: 3, Own: 2, Weighs: true}
	if !m.Add(&h) {
		t.Fatal("no room in an empty ring")
	}
	price := core.Price(9_990) // 10 bps its way
	mid := func(core.InstrumentID) core.Price { return price }
	var got []Marked
	var x Marked
	for now := start; now <= start+core.MonoNs(2*time.Hour); now += core.MonoNs(100 * time.Millisecond) {
		for m.Due(now, mid, &x) {
			if late := now - start - HorizonAt[x.Horizon]; late != 0 {
				t.Errorf("mark %s is taken %v late", HorizonName[x.Horizon], time.Duration(late))
			}
			got = append(got, x)
		}
	}
	if len(got) != Horizons || m.Waiting() != 0 {
		t.Fatalf("%d marks and %d waiting, want %d and none", len(got), m.Waiting(), Horizons)
	}
	for i := range got {
		if got[i].Number != 7 || math.Abs(got[i].Edge-7) > 1e-9 {
			t.Errorf("mark %s is of signal %d with an edge of %v bps, want 7 of signal 7", HorizonName[i], got[i].Number, got[i].Edge)
		}
	}
}

func TestAMarkWithoutAPriceSaysNothing(t *testing.T) {
	m := NewMarks()
	m.Add(&Heard{At: 0, Mid: 100})
	var x Marked
	var s Score
	none := func(core.InstrumentID) core.Price { return 0 }
	some := func(core.InstrumentID) core.Price { return 100 }
	if !m.Due(HorizonAt[0], none, &x) || x.After != 0 {
		t.Fatalf("mark %+v, want one without a price", x)
	}
	s.Add(&x, &DefaultScoring)
	// The process stood still: the price of now says nothing of ten seconds after.
	if !m.Due(HorizonAt[1]+lateMost+1, some, &x) || x.After != 0 {
		t.Fatalf("mark %+v, want one that is too late", x)
	}
	s.Add(&x, &DefaultScoring)
	if s.By[0].Unmeasured != 1 || s.By[1].Unmeasured != 1 || s.By[0].N+s.By[1].N != 0 {
		t.Errorf("tallies %+v, want two marks unmeasured", s.By[:2])
	}
}

func TestMarksThatDoNotFitAreRefused(t *testing.T) {
	m := NewMarks()
	for i := range MarksKept {
		if !m.Add(&Heard{Number: uint64(i), Mid: 1}) {
			t.Fatalf("no room for signal %d", i)
		}
	}
	if m.Add(&Heard{Mid: 1}) {
		t.Error("one more than fits was taken")
	}
}

// weightsOf are the weights of a source after each of n signals with edges of that mean and
// scatter.
func weightsOf(mean, spread float64, n int, seed uint64) (w []float64) {
	rng := rand.New(rand.NewPCG(seed, 1))
	var s Score
	for range n {
		s.Add(&Marked{Heard: Heard{Weighs: true, Own: 3}, Horizon: 3, After: 1, Edge: mean + spread*rng.NormFloat64()}, &DefaultScoring)
		w = append(w, s.Weight(&DefaultScoring))
	}
	return w
}

func TestWeightBeginsAtThePrior(t *testing.T) {
	for _, prior := range []float64{0, 0.25, 0.5, 1} {
		how := DefaultScoring
		how.Prior = prior
		if got := new(Score).Weight(&how); math.Abs(got-prior) > 1e-9 {
			t.Errorf("an unknown source weighs %v, want %v", got, prior)
		}
	}
}

// Random sources pay the costs and nothing else; good ones have an edge after them.
// What they need until zero or one is known: the worst of a hundred each.
func TestRandomGoesToZeroAndGoodToOne(t *testing.T) {
	worstRandom, worstGood := 0, 0
	for seed := range uint64(100) {
		random, good := weightsOf(-11, 30, 400, seed), weightsOf(15, 30, 400, seed)
		for i := range random {
			if random[i] > 0 {
				worstRandom = max(worstRandom, i+1)
			}
			if good[i] < 1 {
				worstGood = max(worstGood, i+1)
			}
		}
	}
	t.Logf("random at zero for good after %d signals, good at one for good after %d", worstRandom, worstGood)
	if worstRandom > 60 || worstGood > 200 {
		t.Errorf("the worst random source stayed above zero for %d signals and the worst good one below one for %d, want at most 60 and 200", worstRandom, worstGood)
	}
}

func TestASourceThatTurnsBadLosesItsWeight(t *testing.T) {
	var s Score
	rng := rand.New(rand.NewPCG(3, 3))
	add := func(mean float64) {
		s.Add(&Marked{Heard: Heard{Weighs: true}, After: 1, Edge: mean + 20*rng.NormFloat64()}, &DefaultScoring)
	}
	for range 5000 {
		add(15)
	}
	if w := s.Weight(&DefaultScoring); w != 1 {
		t.Fatalf("a good source weighs %v, want 1", w)
	}
	n := 0
	for ; s.Weight(&DefaultScoring) > 0; n++ {
		add(-15)
	}
	t.Logf("a source that turned bad is at zero after %d signals", n)
	if n > 500 {
		t.Errorf("%d signals until zero, want at most the memory of 500", n)
	}
}

func TestSignalsThatOverlapDoNotWeigh(t *testing.T) {
	var s Score
	for range 1000 {
		s.Add(&Marked{Heard: Heard{Own: 3}, Horizon: 3, After: 1, Edge: 50}, &DefaultScoring)
	}
	if w := s.Weight(&DefaultScoring); s.By[3].N != 1000 || math.Abs(w-DefaultScoring.Prior) > 1e-9 {
		t.Errorf("%v marks and a weight of %v, want 1000 that leave it at %v", s.By[3].N, w, DefaultScoring.Prior)
	}
}

func TestMarkingAllocatesNothing(t *testing.T) {
	m := NewMarks()
	var s Score
	var x Marked
	mid := func(core.InstrumentID) core.Price { return 101 }
	now := core.MonoNs(0)
	if n := testing.AllocsPerRun(1000, func() {
		now += core.MonoNs(time.Minute)
		m.Add(&Heard{At: now, Mid: 100, Weighs: true})
		for m.Due(now, mid, &x) {
			s.Add(&x, &DefaultScoring)
		}
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}
