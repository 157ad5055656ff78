package path

import (
	"errors"
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"riposte/bench"
	"riposte/core"
)

// Schedule says when frame i shall leave, counted from the start. It never falls.
type Schedule func(i int) Ns

// Steady sends at a fixed rate per second.
func Steady(rate int) Schedule {
	return func(i int) Ns { return Ns(int64(i) * int64(time.Second) / int64(rate)) }
}

// Recorded sends at the pace at which the corpus' bookTicker frames were received,
// bursts and pauses and all, again from the beginning after the last. A pause of
// more than most is shortened to it.
func Recorded(c *bench.Corpus, most time.Duration) (Schedule, error) {
	var at []Ns
	last := int64(0)
	for i := range c.Lines {
		l := &c.Lines[i]
		if field(l.Frame, `@bookTicker","data":{"u":`) == nil {
			continue
		}
		if len(at) == 0 {
			at = append(at, 0)
		} else {
			at = append(at, at[len(at)-1]+Ns(min(max(l.RecvNs-last, 0), int64(most))))
		}
		last = l.RecvNs
	}
	if len(at) < 2 {
		return nil, fmt.Errorf("cannot make a schedule: corpus %s has %d bookTicker frames, want 2 or more", c.Name, len(at))
	}
	round := at[len(at)-1] + Ns(most)
	return func(i int) Ns { return round*Ns(i/len(at)) + at[i%len(at)] }, nil
}

// Plan is one measurement.
type Plan struct {
	Samples  int
	Warmup   int // frames before them that do not count
	Schedule Schedule
	InOrder  bool          // orders do not say which frame caused them: the first is of the first
	Grace    time.Duration // how long orders may come after the last frame; default 1 s
}

// Result is what came of a plan. Late frames left more than LateAfter behind their
// time; their latency counts from it all the same.
type Result struct {
	Histogram *hdrhistogram.Histogram
	Samples   int
	Lost      int // frames without an order
	Stray     int // orders without a frame
	Late      int
	LagMost   time.Duration
	Seconds   float64
	Said      string // the subject's last line of output
}

// LateAfter is when a frame counts as late.
const LateAfter = 20 * time.Microsecond

const (
	depthEvery = Ns(100 * time.Millisecond)
	depthMost  = Ns(500 * time.Millisecond) // and if the schedule leaves no pause for it
	settleTime = Ns(100 * time.Microsecond) // after a frame and before the next, for a depth event
	spinTime   = Ns(2 * time.Microsecond)   // before a frame, when polling could make it late
)

// measurement is a plan being carried out.
type measurement struct {
	s        *Server
	p        Plan
	res      *Result
	start    Ns
	due      []Ns
	answered []bool
	bySlot   [bidRange]int32 // newest frame with that bid, -1: none
	next     int             // InOrder: whose order comes next
	got      int
}

// Measure carries out a plan on the calling goroutine, which should have a thread and
// a CPU of its own and no garbage collector running. It replaces s.Order.
func (s *Server) Measure(p Plan) (*Result, error) {
	if p.Samples < 1 || p.Warmup < 0 || p.Schedule == nil {
		return nil, fmt.Errorf("cannot measure: got %d samples after %d, schedule %t, want at least 1 and a schedule", p.Samples, p.Warmup, p.Schedule != nil)
	}
	if p.Grace == 0 {
		p.Grace = time.Second
	}
	n := p.Warmup + p.Samples
	m := &measurement{s: s, p: p, due: make([]Ns, n), answered: make([]bool, n),
		res: &Result{Histogram: hdrhistogram.New(1, 10_000_000_000, 3), Samples: p.Samples}}
	for i := range m.bySlot {
		m.bySlot[i] = -1
	}
	s.Order = m.order
	asked := s.Asked
	m.send(n)
	for end := s.Now() + Ns(p.Grace); m.got < n && s.Now() < end; {
		s.Step(0)
	}
	m.res.Seconds = float64(s.Now()-m.start) / 1e9
	for _, ok := range m.answered[p.Warmup:] {
		if !ok {
			m.res.Lost++
		}
	}
	if m.res.Lost == p.Samples {
		return m.res, errors.Join(fmt.Errorf("no order came for any of %d frames; %d other requests meanwhile", n, s.Asked-asked), s.Odd)
	}
	return m.res, nil
}

func (m *measurement) send(n int) {
	s := m.s
	m.start = s.Now() + Ns(time.Millisecond)
	var frame []byte
	prepare := func() int {
		s.buf = s.market.AppendTouch(s.buf[:0])
		frame = bench.AppendServerFrame(frame[:0], s.buf)
		return slot(s.market.made.bid)
	}
	at := prepare()
	depthAt, sentAt := s.Now(), s.Now()
	for i := 0; i < n; {
		due := m.start + m.p.Schedule(i)
		now := s.Now()
		left := due - now
		switch {
		case left <= 0:
			m.due[i], m.bySlot[at] = due, int32(i)
			s.send(touchTopic, frame)
			s.market.Sent()
			sentAt = now
			if i >= m.p.Warmup {
				m.lag(time.Duration(-left))
			}
			if i++; i < n {
				at = prepare()
			}
		case left <= spinTime:
		case now-depthAt > depthEvery && left > settleTime && now-sentAt > settleTime || now-depthAt > depthMost:
			s.SendDepth()
			depthAt = now
		default:
			s.Step(0)
		}
	}
}

func (m *measurement) lag(d time.Duration) {
	m.res.LagMost = max(m.res.LagMost, d)
	if d > LateAfter {
		m.res.Late++
	}
}

// order matches an order to its frame and records the time from when that frame
// should have left.
func (m *measurement) order(o *bench.Order, at Ns) {
	i := m.next
	if !m.p.InOrder {
		p, err := core.ParsePrice(o.Price)
		k := slot(p)
		if err != nil || k < 0 {
			m.res.Stray++
			return
		}
		i = int(m.bySlot[k])
	}
	if i < 0 || i >= len(m.due) || m.due[i] == 0 || m.answered[i] {
		m.res.Stray++
		return
	}
	m.answered[i] = true
	m.next++
	m.got++
	if i >= m.p.Warmup {
		_ = m.res.Histogram.RecordValue(int64(at - m.due[i])) // beyond ten seconds it is lost
	}
}

// Add takes another result of the same plan in.
func (r *Result) Add(o *Result) {
	r.Histogram.Merge(o.Histogram)
	r.Samples += o.Samples
	r.Lost += o.Lost
	r.Stray += o.Stray
	r.Late += o.Late
	r.LagMost = max(r.LagMost, o.LagMost)
	r.Seconds += o.Seconds
	r.Said = o.Said
}

// Figures is a result in numbers, microseconds from intended send to whole order.
type Figures struct {
	Name      string  `json:"name"`
	Samples   int     `json:"samples"`
	P50       float64 `json:"p50_us"`
	P90       float64 `json:"p90_us"`
	P99       float64 `json:"p99_us"`
	P999      float64 `json:"p999_us"`
	Max       float64 `json:"max_us"`
	Lost      int     `json:"lost"`
	Stray     int     `json:"stray"`
	Late      int     `json:"late"`
	LagMostUs float64 `json:"lag_most_us"`
}

// Figures sums up.
func (r *Result) Figures(name string) Figures {
	us := func(q float64) float64 { return float64(r.Histogram.ValueAtQuantile(q)) / 1e3 }
	return Figures{Name: name, Samples: r.Samples, P50: us(50), P90: us(90), P99: us(99), P999: us(99.9), Max: float64(r.Histogram.Max()) / 1e3,
		Lost: r.Lost, Stray: r.Stray, Late: r.Late, LagMostUs: float64(r.LagMost) / 1e3}
}
