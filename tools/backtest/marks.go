package backtest

import (
	"math"
	"time"

	"riposte/core"
)

// Horizons are how long after a fill or a signal the market is looked at again.
var Horizons = [...]time.Duration{100 * time.Millisecond, time.Second, 5 * time.Second, 30 * time.Second, time.Minute, 5 * time.Minute}

// Marks are the market's moves after something, in basis points of its price, above 0 in
// our favour; NaN where the tape ended before.
type Marks [len(Horizons)]float64

// MarkStats sum marks up.
type MarkStats struct {
	N      [len(Horizons)]int     `json:"n"`
	Mean   [len(Horizons)]float64 `json:"mean_bps"`
	square [len(Horizons)]float64
}

func (s *MarkStats) add(h int, v float64) {
	s.N[h]++
	d := v - s.Mean[h]
	s.Mean[h] += d / float64(s.N[h])
	s.square[h] += d * (v - s.Mean[h])
}

// Error is the standard error of a mean, 0 with fewer than two.
func (s *MarkStats) Error(h int) float64 {
	n := float64(s.N[h])
	if n < 2 {
		return 0
	}
	return math.Sqrt(s.square[h] / (n - 1) / n)
}

// marked is something that waits for its marks.
type marked struct {
	at    core.MonoNs
	in    core.InstrumentID
	side  core.Side
	price core.Price
	group int
	keep  *Marks // nil: only summed up
}

// marker marks things out at each horizon; things come in the order of their times, so
// for each horizon the next that is due is the one behind the last.
type marker struct {
	list   []marked
	heads  [len(Horizons)]int
	groups []MarkStats
}

func (m *marker) add(x marked) {
	for len(m.groups) <= x.group {
		m.groups = append(m.groups, MarkStats{})
	}
	if done := m.heads[len(m.heads)-1]; done > 0 && len(m.list) == cap(m.list) {
		m.list = m.list[:copy(m.list, m.list[done:])]
		for h := range m.heads {
			m.heads[h] -= done
		}
	}
	if x.keep != nil {
		for h := range x.keep {
			x.keep[h] = math.NaN()
		}
	}
	m.list = append(m.list, x)
}

// due is when the next mark is.
func (m *marker) due() core.MonoNs {
	at := never
	for h, head := range m.heads {
		if head < len(m.list) {
			at = min(at, m.list[head].at+core.MonoNs(Horizons[h]))
		}
	}
	return at
}

// mark takes all marks that were due before now, at the mids as they have been until now.
func (m *marker) mark(now core.MonoNs, mid func(core.InstrumentID) core.Price) {
	for h := range m.heads {
		for m.heads[h] < len(m.list) {
			x := &m.list[m.heads[h]]
			if x.at+core.MonoNs(Horizons[h]) > now {
				break
			}
			if p := mid(x.in); p > 0 && x.price > 0 {
				v := float64(x.side.Sign()) * float64(p-x.price) / float64(x.price) * 1e4
				m.groups[x.group].add(h, v)
				if x.keep != nil {
					x.keep[h] = v
				}
			}
			m.heads[h]++
		}
	}
}

// Histogram counts durations in steps of a twelfth of a decade from 1 µs.
type Histogram struct {
	Counts [97]uint64
	N      uint64
	Sum    float64
	Max    core.MonoNs
}

const histogramSteps = 12 // to a decade

func (h *Histogram) add(d core.MonoNs) {
	i := 0
	if d > 1000 {
		i = min(1+int(math.Log10(float64(d)/1000)*histogramSteps), len(h.Counts)-1)
	}
	h.Counts[i]++
	h.N++
	h.Sum += float64(d)
	h.Max = max(h.Max, d)
}

// Upper is where a step ends.
func (h *Histogram) Upper(i int) time.Duration {
	return time.Duration(1000 * math.Pow(10, float64(i)/histogramSteps))
}

// Quantile is about the duration below which a part of all lies.
func (h *Histogram) Quantile(p float64) time.Duration {
	want := uint64(math.Ceil(p * float64(h.N)))
	n := uint64(0)
	for i, c := range h.Counts {
		if n += c; n >= want && n > 0 {
			return min(h.Upper(i), time.Duration(h.Max))
		}
	}
	return time.Duration(h.Max)
}
