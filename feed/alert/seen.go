package alert

import "riposte/core"

// key is what a message is known by.
type key [16]byte

// seen remembers messages for a while. It forgets nothing within that while: when it is
// full it says so, and what it could not remember must not be let in. One goroutine at a
// time.
type seen struct {
	keep core.MonoNs
	most int
	at   map[key]struct{}
	list []entry // oldest first, from first
	from int
}

type entry struct {
	k    key
	till core.MonoNs
}

func newSeen(keep core.MonoNs, most int) *seen {
	return &seen{keep: keep, most: most, at: map[key]struct{}{}}
}

// has reports whether a message is known.
func (s *seen) has(k key, now core.MonoNs) bool {
	for s.from < len(s.list) && s.list[s.from].till <= now {
		delete(s.at, s.list[s.from].k)
		s.from++
	}
	if s.from > len(s.list)/2 {
		s.list = append(s.list[:0], s.list[s.from:]...)
		s.from = 0
	}
	_, ok := s.at[k]
	return ok
}

// full reports whether there is no room for one more.
func (s *seen) full() bool { return len(s.at) >= s.most }

// add remembers one that is not known.
func (s *seen) add(k key, now core.MonoNs) {
	s.at[k] = struct{}{}
	s.list = append(s.list, entry{k, now + s.keep})
}

// bucket lets so many pass at once and one more each interval. The zero value lets none.
type bucket struct {
	every core.MonoNs
	burst int64
	at    core.MonoNs // when the bucket will be full again
}

func (b *bucket) take(now core.MonoNs) bool {
	at := max(b.at, now)
	if at+b.every-now > core.MonoNs(b.burst)*b.every {
		return false
	}
	b.at = at + b.every
	return true
}
