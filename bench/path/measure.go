package path

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"os"
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

	// Slice is how many samples are taken at a time, 0: all. Up to Patience times as
	// many are taken as are wanted, to have as many that no other program disturbed:
	// those during which one ran on the harness's CPU or the subject's are set aside.
	// Only that decides, never a latency. Where the kernel does not tell what ran when,
	// slices in which others took more than Foreign of a CPU are set aside whole, and
	// the least disturbed of them fill up what is missing in the end.
	Slice    int
	Patience int
	Foreign  float64

	PID    int  // of the subject, if it has a CPU of its own; 0: nothing to look at
	Shared bool // the subject runs in this process and needs its scheduler and collector
}

// quietTime is for how long after its intended time no other program may run, if a
// sample is to count; more, if its order takes longer. That it is the same for all keeps
// long latencies from being set aside more often than short ones.
const quietTime = Ns(300 * time.Microsecond)

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
	warmup, most := max(p.Warmup, sliceWarmup), p.Samples*max(p.Patience, 1)
	res, aside := NewResult(0), []*Result{}
	for n := 0; res.Samples < p.Samples && n < most; n += p.Slice {
		r := s.slice(&p, next, warmup)
		warmup = sliceWarmup
		if r.Orders == 0 {
			return r, errors.Join(fmt.Errorf("no order came for any of %d frames; %d other requests meanwhile, %d subscribers, %d orders of no frame",
				p.Slice, s.Asked-asked, len(s.subs), r.Stray), s.Odd)
		}
		if r.Foreign <= p.Foreign || p.PID == 0 || s.watches != nil {
			res.Add(r)
		} else {
			aside = append(aside, r)
		}
	}
	slices.SortFunc(aside, func(a, b *Result) int { return cmp.Compare(a.Foreign, b.Foreign) })
	for _, r := range aside {
		if res.Samples >= p.Samples {
			res.Aside += r.Samples
			continue
		}
		res.Add(r)
		res.Disturbed += r.Samples
	}
	if res.Samples == 0 {
		return res, fmt.Errorf("other programs disturbed all of %d samples", res.Aside)
	}
	return res, nil
}

// slice measures p.Slice samples.
func (s *Server) slice(p *Plan, next func() (Slot, bool), warmup int) *Result {
	n := warmup + p.Slice
	m := &measurement{s: s, p: p, warmup: warmup, due: make([]Ns, n), sent: make([]Ns, n), got: make([]Ns, n)}
	for _, list := range [][]Ns{m.due, m.sent, m.got} {
		clear(list) // so that the kernel has given the pages
	}
	for i := range m.bySlot {
		m.bySlot[i] = -1
	}
	const lead = Ns(time.Millisecond)
	m.frames = s.load(next, n, time.Now().UnixMilli())
	s.Order = m.order
	before, subject := threadUse(), processUse(p.PID)
	_, _ = s.foreign(p.PID) // what has been until now
	m.start = s.Now() + lead
	if p.Shared {
		m.run()
	} else {
		procPin()
		m.run()
		procUnpin()
	}
	took := s.Now() - m.start
	s.Order = func(*bench.Order, Ns) {}
	others, complete := s.foreign(p.PID)
	res := m.result(others, complete)
	res.Seconds = float64(took) / 1e9
	res.Waited = threadUse().waited - before.waited
	res.Foreign = max(res.Waited.Seconds()/res.Seconds, processUse(p.PID).disturbed(subject, took))
	return res
}

// foreign is when other programs ran on the watched CPUs since the last call.
func (s *Server) foreign(pid int) (lists [][]span, complete bool) {
	complete = true
	for _, w := range s.watches {
		list, whole := w.others(func(p int) bool { return p == pid || p == os.Getpid() })
		lists = append(lists, list)
		complete = complete && whole
	}
	return lists, complete
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

// result sums up what was not disturbed.
func (m *measurement) result(others [][]span, complete bool) *Result {
	r := NewResult(0)
	r.Stray, r.Orders = m.stray, m.n
	at := make([]int, len(others))
	for i := m.warmup; i < len(m.due); i++ {
		disturbed := !complete
		for k := range others {
			disturbed = overlaps(others[k], &at[k], m.due[i], max(m.due[i]+quietTime, m.got[i])) || disturbed
		}
		switch lag := m.sent[i] - m.due[i]; {
		case m.got[i] == 0:
			r.Samples++
			r.Lost++
		case disturbed:
			r.Aside++
		default:
			r.Samples++
			r.LagMost = max(r.LagMost, time.Duration(lag))
			if lag > Ns(LateAfter) {
				r.Late++
			}
			r.record(m.got[i]-m.due[i], m.got[i]-m.sent[i])
		}
	}
	return r
}
