package ring

import (
	"runtime"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

func TestSetKeepsOrderAndBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 300).Draw(t, "n")
		s, want := NewSet(n), map[int]bool{}
		for _, i := range rapid.SliceOf(rapid.IntRange(0, n-1)).Draw(t, "add") {
			s.Add(i)
			want[i] = true
		}
		for _, i := range rapid.SliceOf(rapid.IntRange(0, n-1)).Draw(t, "remove") {
			s.Remove(i)
			delete(want, i)
		}
		from := rapid.IntRange(0, n).Draw(t, "from")
		end := rapid.IntRange(from, n).Draw(t, "end")
		for i := from; i < end; i++ {
			if !want[i] {
				continue
			}
			if got := s.Next(from, end); got != i {
				t.Fatalf("next after %d is %d, want %d", from, got, i)
			}
			from = i + 1
		}
		if got := s.Next(from, end); got != end {
			t.Fatalf("next after %d is %d, want the end, %d", from, got, end)
		}
	})
}

// Every event is found by a reader that looks at nothing but queues whose bell it
// took, whatever the writers' timing.
func TestNoEventIsMissedWhenOnlyBellsAreFollowed(t *testing.T) {
	const queues, each = 70, 2000
	bells := NewBells(queues)
	list := make([]*Queue, queues)
	for i := range list {
		list[i] = NewQueue(64, 64, 1)
		list[i].Attach(bells, i)
	}
	var wg sync.WaitGroup
	for part := range 2 {
		wg.Go(func() {
			for n := range each {
				for i := part; i < queues; i += 2 {
					for {
						ev, _ := list[i].Claim()
						if ev == nil {
							runtime.Gosched()
							continue
						}
						ev.ID = uint64(n)
						list[i].Publish(0)
						break
					}
				}
			}
		})
	}
	rung := NewSet(queues)
	got := make([]uint64, queues)
	for left := queues * each; left > 0; {
		bells.Take(rung)
		if rung.Next(0, queues) == queues {
			runtime.Gosched()
		}
		for i := rung.Next(0, queues); i < queues; i = rung.Next(i+1, queues) {
			for ev, _ := list[i].Peek(); ev != nil; ev, _ = list[i].Peek() {
				if ev.ID != got[i] {
					t.Fatalf("queue %d gives %d, want %d", i, ev.ID, got[i])
				}
				got[i]++
				list[i].Pop()
				left--
			}
			rung.Remove(i)
		}
	}
	wg.Wait()
	bells.Take(rung)
	for i := rung.Next(0, queues); i < queues; i = rung.Next(i+1, queues) {
		if ev, _ := list[i].Peek(); ev != nil {
			t.Fatalf("queue %d has more", i)
		}
	}
}
