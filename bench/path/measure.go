package path

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"riposte/bench"
	"riposte/core"
)

// Plan is one measurement. A sample is a frame that causes an order.
type Plan struct {
	Samples int
	Warmup  int // samples at the beginning that do not count
	Traffic Traffic
	InOrder bool          // orders do not say which frame caused them: the first is of the first
	Grace   time.Duration // how long orders may come after the last frame; default 1 s

	// Slice is how many samples are taken at a time, 0: all. A slice in which other
	// programs took more than Foreign of a CPU is put aside and another one measured,
	// up to Patience times as many as are wanted; then the least disturbed of those
	// put aside fill up what is missing. Only the CPUs' use decides, never a latency.
	Slice    int
	Foreign  float64
	Patience int
	PID      int  // of the subject, if it has a CPU of its own; 0: nothing to look at
	Shared   bool // the subject runs in this process and needs its scheduler and collector
}

// sliceWarmup is how many samples at the beginning of each slice do not count: while a
// slice is made the subject has been idle.
const sliceWarmup = 20

// LateAfter is when a frame that left behind its time counts as late. Its latency from
// the intended time contains that all the same.
const LateAfter = 20 * time.Microsecond

const (
	spinTime = Ns(time.Microsecond) // before a frame, when polling could make it late
	most     = 64                   // frames sent in a row without a look at the sockets
)

// measurement is a plan being carried out. All its memory is made before the first
// frame leaves.
type measurement struct {
	s      *Server
	p      *Plan
	warmup int
	start  Ns
	frames []frame
	due    []Ns // by sample
	sent   []Ns // when the kernel got it
	got    []Ns // when its order was there, 0: not yet
	bySlot [bidRange]int32
	next   int // InOrder: whose order comes next
	n      int // orders matched
	left   int // samples sent
	stray  int
}

// Measure carries out a plan on the calling goroutine, which should have a thread and
// a CPU of its own and no garbage collector running. It replaces s.Order.
func (s *Server) Measure(p Plan) (*Result, error) {
	if p.Samples < 1 || p.Warmup < 0 || p.Slice < 0 || p.Traffic == nil {
		return nil, fmt.Errorf("cannot measure: got %d samples after %d in slices of %d, traffic %t, want at least 1 and traffic", p.Samples, p.Warmup, p.Slice, p.Traffic != nil)
	}
	if p.Grace == 0 {
		p.Grace = time.Second
	}
	if p.Slice == 0 {
		p.Slice, p.Patience = p.Samples, 1
	}
	next, stop := iter.Pull(iter.Seq[Slot](p.Traffic))
	defer stop()
	asked := s.Asked
	warmup, wanted := max(p.Warmup, sliceWarmup), (p.Samples+p.Slice-1)/p.Slice
	var quiet, aside []*Result
	for n := 0; len(quiet) < wanted && n < wanted*max(p.Patience, 1); n++ {
		r := s.slice(&p, next, warmup)
		if r.Lost == r.Samples {
			return r, errors.Join(fmt.Errorf("no order came for any of %d frames; %d other requests meanwhile", r.Samples, s.Asked-asked), s.Odd)
		}
		if warmup = sliceWarmup; r.Foreign <= p.Foreign || p.PID == 0 {
			quiet = append(quiet, r)
		} else {
			aside = append(aside, r)
		}
	}
	res := NewResult(0)
	for _, r := range quiet {
		res.Add(r)
	}
	slices.SortFunc(aside, func(a, b *Result) int { return cmp.Compare(a.Foreign, b.Foreign) })
	for _, r := range aside[:min(wanted-len(quiet), len(aside))] {
		res.Add(r)
		res.Disturbed += r.Samples
	}
	return res, nil
}

// slice measures p.Slice samples.
func (s *Server) slice(p *Plan, next func() (Slot, bool), warmup int) *Result {
	n := warmup + p.Slice
	m := &measurement{s: s, p: p, warmup: warmup, due: make([]Ns, n), sent: make([]Ns, n), got: make([]Ns, n)}
	for i := range m.bySlot {
		m.bySlot[i] = -1
	}
	const lead = Ns(time.Millisecond)
	m.frames = s.load(next, n, time.Now().UnixMilli())
	s.Order = m.order
	before, subject := threadUse(), processUse(p.PID)
	m.start = s.Now() + lead
	if p.Shared {
		m.run()
	} else {
		procPin()
		m.run()
		procUnpin()
	}
	span := s.Now() - m.start
	s.Order = func(*bench.Order, Ns) {}
	res := m.result()
	res.Seconds = float64(span) / 1e9
	res.Waited = threadUse().waited - before.waited
	res.Foreign = max(res.Waited.Seconds()/res.Seconds, processUse(p.PID).disturbed(subject, span))
	return res
}

func (m *measurement) run() {
	s, list := m.s, m.frames
	for at := 0; at < len(list); {
		due := m.start + list[at].due
		now := s.Now()
		if left := due - now; left > 0 {
			if left > spinTime {
				s.Step(0)
			}
			continue
		}
		end := at + 1
		for end < len(list) && end-at < most && m.start+list[end].due <= now {
			end++
		}
		m.depart(list[at:end])
		at = end
	}
	for end := s.Now() + Ns(m.p.Grace); m.n < m.left && s.Now() < end; {
		s.Step(0)
	}
}

// depart sends the frames whose time has come.
func (m *measurement) depart(list []frame) {
	s, first := m.s, m.left
	for i := range list {
		f := &list[i]
		if f.mark >= 0 {
			m.due[f.mark], m.bySlot[f.slot] = m.start+f.due, f.mark
			m.left++
		}
		if f.told.turns > 0 {
			s.told[f.topic/int(kinds)] = f.told
		}
	}
	if len(list) == 1 {
		s.send(list[0].topic, list[0].bytes)
	} else {
		s.sendAll(list)
	}
	at := s.Now()
	if len(s.subs) > 0 {
		at = s.subs[len(s.subs)-1].sock.wroteAt
	}
	for i := first; i < m.left; i++ {
		m.sent[i] = at
	}
}

// order matches an order to its frame.
func (m *measurement) order(o *bench.Order, at Ns) {
	i := m.next
	if !m.p.InOrder {
		p, err := core.ParsePrice(o.Price)
		k := slotOf(p)
		if err != nil || k < 0 {
			m.stray++
			return
		}
		i = int(m.bySlot[k])
	}
	if i < 0 || i >= len(m.due) || m.due[i] == 0 || m.got[i] != 0 {
		m.stray++
		return
	}
	m.got[i] = at
	m.next++
	m.n++
}

// result sums up.
func (m *measurement) result() *Result {
	r := NewResult(len(m.due) - m.warmup)
	r.Stray = m.stray
	for i := m.warmup; i < len(m.due); i++ {
		lag := m.sent[i] - m.due[i]
		r.LagMost = max(r.LagMost, time.Duration(lag))
		if lag > Ns(LateAfter) {
			r.Late++
		}
		if m.got[i] == 0 {
			r.Lost++
			continue
		}
		r.record(m.got[i]-m.due[i], m.got[i]-m.sent[i])
	}
	return r
}
