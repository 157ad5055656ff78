package ring

import (
	"fmt"
	"runtime"
	"testing"

	"pgregory.net/rapid"

	"riposte/core"
)

// sent is what the model of a queue remembers of an unread event.
type sent struct {
	id uint64
	lv []core.Level
}

// TestQueueEqualsSlice lets random calls of both sides run against a plain
// slice; every unread event's levels are compared after every step, so memory
// that is lent twice cannot hide.
func TestQueueEqualsSlice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := 1 << rapid.IntRange(0, 4).Draw(t, "log2 events")
		most := rapid.IntRange(1, 20).Draw(t, "levels per event")
		levels := most + rapid.IntRange(0, 60).Draw(t, "levels beyond one event")
		q := NewQueue(events, levels, most)
		q.at = -uint32(rapid.IntRange(0, 3).Draw(t, "laps before the counter wraps")) * q.lap
		q.lookedAt = q.at
		var model []sent
		next := uint64(0)
		t.Repeat(map[string]func(*rapid.T){
			"publish": func(t *rapid.T) {
				ev, lv := q.Claim()
				if (ev == nil) != (len(model) == events) {
					t.Fatalf("Claim gives %v with %d of %d events unread", ev, len(model), events)
				}
				if ev == nil {
					return
				}
				if len(lv) != 0 || cap(lv) > most {
					t.Fatalf("Claim lends %d of %d levels, want 0 of at most %d", len(lv), cap(lv), most)
				}
				held := 0
				for _, s := range model {
					held += len(s.lv)
				}
				// Half the nominal room is always usable: what is lost is the end
				// of a lap, and that is shorter than one event.
				if cap(lv) < most && held+2*most <= levels/2 {
					t.Fatalf("Claim lends %d levels with %d of %d held", cap(lv), held, levels)
				}
				n := rapid.IntRange(0, cap(lv)).Draw(t, "n")
				s := sent{id: next}
				for i := range n {
					l := core.Level{Price: core.Price(next), Qty: core.Qty(i)}
					lv = append(lv, l)
					s.lv = append(s.lv, l)
				}
				*ev = core.Event{Kind: core.DepthDelta, ID: next}
				q.Publish(n)
				model = append(model, s)
				next++
			},
			"pop": func(t *rapid.T) {
				if len(model) == 0 {
					if ev, _ := q.Peek(); ev != nil {
						t.Fatalf("Peek gives event %d, want none", ev.ID)
					}
					return
				}
				q.Peek()
				q.Pop()
				model = model[1:]
			},
			"": func(t *rapid.T) {
				if q.Len() != len(model) {
					t.Fatalf("Len %d, want %d", q.Len(), len(model))
				}
				if len(model) > 0 {
					ev, lv := q.Peek()
					if ev == nil || ev.ID != model[0].id || fmt.Sprint(lv) != fmt.Sprint(model[0].lv) {
						t.Fatalf("Peek gives %v %v, want %v", ev, lv, model[0])
					}
				}
				for i, s := range model {
					slot := (q.first + uint64(i)) & q.mask
					sp := q.spans[slot]
					at := sp.start & (q.lap - 1)
					if got := q.levels[at : at+sp.n]; q.events[slot].ID != s.id || fmt.Sprint(got) != fmt.Sprint(s.lv) {
						t.Fatalf("unread event %d holds %v, want %v", s.id, got, s.lv)
					}
				}
			},
		})
	})
}

// TestQueueKeepsEventsWholeBetweenTwoGoroutines streams numbered events whose
// levels follow from their number.
func TestQueueKeepsEventsWholeBetweenTwoGoroutines(t *testing.T) {
	const events = 100_000
	for _, size := range []struct{ events, levels, most int }{{4, 16, 16}, {64, 256, 33}, {1024, 4096, 700}} {
		q := NewQueue(size.events, size.levels, size.most)
		count := func(id uint64) int { return int(id*7919) % (size.most + 1) }
		go func() {
			for id := uint64(0); id < events; {
				ev, lv := q.Claim()
				n := count(id)
				if ev == nil || cap(lv) < n {
					runtime.Gosched()
					continue
				}
				*ev = core.Event{ID: id}
				for i := range n {
					lv = append(lv, core.Level{Price: core.Price(id), Qty: core.Qty(i)})
				}
				q.Publish(n)
				id++
			}
		}()
		for want := uint64(0); want < events; {
			ev, lv := q.Peek()
			if ev == nil {
				runtime.Gosched()
				continue
			}
			if ev.ID != want || len(lv) != count(want) {
				t.Fatalf("%v: event %d with %d levels, want %d with %d", size, ev.ID, len(lv), want, count(want))
			}
			for i, l := range lv {
				if l.Price != core.Price(want) || l.Qty != core.Qty(i) {
					t.Fatalf("%v: event %d level %d is %v", size, want, i, l)
				}
			}
			q.Pop()
			want++
		}
	}
}

func TestQueueRestartsItsLevelsWhenTheReaderKeepsUp(t *testing.T) {
	q := NewQueue(64, 1<<16, 100)
	for range 10_000 {
		_, lv := q.Claim()
		if cap(lv) != 100 {
			t.Fatalf("lends %d levels of an empty queue, want 100", cap(lv))
		}
		q.Publish(100)
		q.Peek()
		q.Pop()
	}
	for i, l := range q.levels[restartAfter+200:] {
		if l != (core.Level{}) {
			t.Fatalf("level slot %d was written although the queue ran empty each time", i)
		}
	}
	if q.at&(q.lap-1) > restartAfter+100 {
		t.Fatalf("levels start at %d, want near the start", q.at&(q.lap-1))
	}
}

func TestQueueRefusesWhatWasNotLent(t *testing.T) {
	cases := map[string]func(){
		"events not a power of two": func() { NewQueue(3, 16, 4) },
		"no levels":                 func() { NewQueue(4, 0, 0) },
		"event larger than room":    func() { NewQueue(4, 16, 17) },
		"too many levels":           func() { NewQueue(4, 8, 4).Publish(5) },
		"negative levels":           func() { NewQueue(4, 8, 4).Publish(-1) },
		"publish into a full one":   func() { q := NewQueue(1, 8, 4); q.Publish(0); q.Publish(0) },
		"pop of nothing":            func() { NewQueue(4, 8, 4).Pop() },
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

func TestQueueDoesNotAllocate(t *testing.T) {
	q := NewQueue(16, 256, 50)
	got := testing.AllocsPerRun(100, func() {
		ev, lv := q.Claim()
		ev.ID = 7
		lv = lv[:40]
		lv[39] = core.Level{Price: 1, Qty: 1}
		q.Publish(len(lv))
		q.Peek()
		q.Pop()
	})
	if got != 0 {
		t.Fatalf("%v allocations per event, want 0", got)
	}
}
