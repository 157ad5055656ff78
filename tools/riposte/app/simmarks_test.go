package app

import (
	"strings"
	"sync/atomic"

	death "riposte/core/fault"
)

// simMarks counts how often simulated engines have come to each place of core/fault: in
// a build with the tag faultpoints, places that no seed reaches are told. A plan may also
// have the process die in one.
type simMarks struct {
	hits [death.Count]atomic.Uint64
	run  atomic.Pointer[simRun] // the one under way
}

// listen counts from now on, where there are places at all; the function that it returns
// ends that.
func (m *simMarks) listen() func() {
	if !death.On {
		return func() {}
	}
	before := death.Hit
	death.Hit = func(p death.Point) {
		m.hits[p].Add(1)
		if r := m.run.Load(); r != nil && r.stepping {
			r.place()
		}
	}
	return func() { death.Hit = before }
}

// missed are the places that no run came to.
func (m *simMarks) missed() string {
	if !death.On {
		return "not counted without the tag faultpoints"
	}
	var list []string
	for i := range m.hits {
		if m.hits[i].Load() == 0 {
			list = append(list, death.Point(i).String())
		}
	}
	if list == nil {
		return "none"
	}
	return strings.Join(list, ", ")
}

// place is a place to which the loop has come.
func (r *simRun) place() {
	if r.doom == nil {
		return
	}
	if r.doomIn--; r.doomIn <= 0 {
		doom := r.doom
		r.doom = nil
		doom()
	}
}
