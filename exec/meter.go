package exec

import (
	"time"

	"riposte/core"
)

// meter keeps the newest times that a kind of request took on a route. To note one is two
// stores; percentiles are made of the few that are kept, and only of fresh ones, so that a
// route that got slow shows it with the next answers and one that recovered is not held
// to its past. Written by the loop goroutine.
type meter struct {
	took  [meterKeeps]core.MonoNs
	at    [meterKeeps]core.MonoNs
	total uint64

	fresh    int // of those the figures below are
	p50, p95 core.MonoNs
}

const (
	meterKeeps = 32
	meterFew   = 4 // fewer say little
	meterFresh = core.MonoNs(10 * time.Second)
)

func (m *meter) add(took, now core.MonoNs) {
	i := m.total % meterKeeps
	m.took[i], m.at[i] = took, now
	m.total++
}

// figures makes the percentiles anew.
func (m *meter) figures(now core.MonoNs) {
	var s [meterKeeps]core.MonoNs
	n := 0
	for i := range min(m.total, meterKeeps) {
		if now-m.at[i] > meterFresh {
			continue
		}
		at := n
		for ; at > 0 && s[at-1] > m.took[i]; at-- {
			s[at] = s[at-1]
		}
		s[at] = m.took[i]
		n++
	}
	m.fresh = n
	if n > 0 {
		m.p50, m.p95 = s[(n-1)/2], s[(n*95+99)/100-1]
	}
}

// cost is one figure for the whole: half the middle, half the tail.
func (m *meter) cost() core.MonoNs { return (m.p50 + m.p95) / 2 }
