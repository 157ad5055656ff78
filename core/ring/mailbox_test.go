package ring

import (
	"runtime"
	"testing"
)

func TestMailboxGivesTheNewestOnce(t *testing.T) {
	m := NewMailbox[int]()
	if v, fresh := m.Latest(); *v != 0 || fresh {
		t.Fatalf("new mailbox gives %d, fresh %v, want 0, false", *v, fresh)
	}
	for i := 1; i <= 5; i++ {
		for j := range i { // posted but never looked at
			*m.Draft() = -j
			m.Post()
		}
		*m.Draft() = i
		m.Post()
		if v, fresh := m.Latest(); *v != i || !fresh {
			t.Fatalf("Latest gives %d, fresh %v, want %d, true", *v, fresh, i)
		}
		*m.Draft() = -99 // a draft is nobody's business
		if v, fresh := m.Latest(); *v != i || fresh {
			t.Fatalf("second Latest gives %d, fresh %v, want %d, false", *v, fresh, i)
		}
	}
}

func TestMailboxValuesAreWholeAndNeverGoBack(t *testing.T) {
	const posts = 300_000
	m := NewMailbox[item]()
	m.Draft().set(0)
	m.Post()
	go func() {
		for v := uint64(1); v <= posts; v++ {
			m.Draft().set(v)
			m.Post()
			if v%64 == 0 {
				runtime.Gosched()
			}
		}
	}()
	last := uint64(0)
	for last < posts {
		v, fresh := m.Latest()
		if !v.is(v.w[0]) {
			t.Fatalf("torn value %v", v.w)
		}
		if v.w[0] < last || fresh && v.w[0] == last && last > 0 {
			t.Fatalf("value %d (fresh %v) after %d", v.w[0], fresh, last)
		}
		last = v.w[0]
		if !fresh {
			runtime.Gosched()
		}
	}
}

func TestMailboxDoesNotAllocate(t *testing.T) {
	m := NewMailbox[item]()
	if got := testing.AllocsPerRun(100, func() {
		m.Draft().set(3)
		m.Post()
		m.Latest()
	}); got != 0 {
		t.Fatalf("%v allocations per round, want 0", got)
	}
}
