package ring

import (
	"runtime"
	"testing"

	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestRingEqualsSlice lets random calls of both sides run against a plain slice.
func TestRingEqualsSlice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		capacity := 1 << rapid.IntRange(0, 5).Draw(t, "log2 capacity")
		r := New[int](capacity)
		var model []int
		next := 0
		t.Repeat(map[string]func(*rapid.T){
			"publish": func(t *rapid.T) {
				p := r.Claim()
				if (p == nil) != (len(model) == capacity) {
					t.Fatalf("Claim gives slot %v with %d of %d published", p, len(model), capacity)
				}
				if p == nil {
					return
				}
				if again := r.Claim(); again != p {
					t.Fatalf("second Claim gives another slot")
				}
				*p = next
				r.Publish()
				model = append(model, next)
				next++
			},
			"commit": func(t *rapid.T) {
				n := rapid.IntRange(0, capacity+2).Draw(t, "n")
				s := r.Space(n)
				if len(s) > n || len(s) > capacity-len(model) {
					t.Fatalf("Space(%d) gives %d slots, %d are free", n, len(s), capacity-len(model))
				}
				if n > 0 && len(s) == 0 && len(model) < capacity {
					t.Fatalf("Space(%d) is empty, %d are free", n, capacity-len(model))
				}
				k := rapid.IntRange(0, len(s)).Draw(t, "k")
				for i := range k {
					s[i] = next
					model = append(model, next)
					next++
				}
				r.Commit(k)
			},
			"release": func(t *rapid.T) {
				p := r.Pending()
				if (len(p) == 0) != (len(model) == 0) || len(p) > len(model) {
					t.Fatalf("Pending gives %d, want up to %d and at least one of them", len(p), len(model))
				}
				for i, v := range p {
					if v != model[i] {
						t.Fatalf("Pending[%d] = %d, want %d", i, v, model[i])
					}
				}
				k := rapid.IntRange(0, len(p)).Draw(t, "k")
				r.Release(k)
				model = model[k:]
			},
			"": func(t *rapid.T) {
				if r.Len() != len(model) || r.Cap() != capacity {
					t.Fatalf("Len %d of %d, want %d of %d", r.Len(), r.Cap(), len(model), capacity)
				}
			},
		})
	})
}

// item is the size of a market event, and every word of it must agree.
type item struct{ w [8]uint64 }

func (it *item) set(v uint64) {
	for i := range it.w {
		it.w[i] = v + uint64(i)
	}
}

func (it *item) is(v uint64) bool {
	for i := range it.w {
		if it.w[i] != v+uint64(i) {
			return false
		}
	}
	return true
}

// TestRingKeepsOrderBetweenTwoGoroutines streams numbered items through rings
// of several sizes, one by one and in batches.
func TestRingKeepsOrderBetweenTwoGoroutines(t *testing.T) {
	const items = 200_000
	for _, capacity := range []int{1, 2, 8, 1024} {
		for _, batch := range []int{1, 7, 64} {
			r := New[item](capacity)
			n := uint64(items)
			if capacity < 8 {
				n /= 20 // every item is a round trip between two goroutines
			}
			go func() {
				for v := uint64(0); v < n; {
					if batch == 1 {
						p := r.Claim()
						if p == nil {
							runtime.Gosched()
							continue
						}
						p.set(v)
						v++
						r.Publish()
						continue
					}
					s := r.Space(min(batch, int(n-v)))
					if len(s) == 0 {
						runtime.Gosched()
					}
					for i := range s {
						s[i].set(v)
						v++
					}
					r.Commit(len(s))
				}
			}()
			for want := uint64(0); want < n; {
				p := r.Pending()
				if len(p) == 0 {
					runtime.Gosched()
				}
				for i := range p {
					if !p[i].is(want) {
						t.Fatalf("capacity %d, batch %d: item %d reads %v", capacity, batch, want, p[i].w)
					}
					want++
				}
				r.Release(len(p))
			}
		}
	}
}

func TestRingRefusesWhatWasNotLent(t *testing.T) {
	cases := map[string]func(){
		"capacity 0":              func() { New[int](0) },
		"capacity 3":              func() { New[int](3) },
		"commit beyond capacity":  func() { New[int](4).Commit(5) },
		"release of nothing":      func() { New[int](4).Release(1) },
		"publish into a full one": func() { r := New[int](1); r.Publish(); r.Publish() },
	}
	for name, f := range cases {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Fatal("went through, want a panic")
				}
			}()
			f()
		})
	}
}

func TestRingDoesNotAllocate(t *testing.T) {
	r := New[item](64)
	got := testing.AllocsPerRun(100, func() {
		r.Claim().set(1)
		r.Publish()
		r.Commit(len(r.Space(8)))
		for p := r.Pending(); len(p) > 0; p = r.Pending() {
			r.Release(len(p))
		}
	})
	if got != 0 {
		t.Fatalf("%v allocations per round, want 0", got)
	}
}
