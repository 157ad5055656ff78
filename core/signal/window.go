package signal

import "math"

// window is the last n values, oldest overwritten first.
type window struct {
	v    []float64
	at   int // where the next one goes
	full bool
}

func newWindow(n int) window { return window{v: make([]float64, n)} }

// push takes a value and returns the one that it pushes out, 0 while none is.
// wrapped is true once every n values.
func (w *window) push(x float64) (out float64, wrapped bool) {
	out, w.v[w.at] = w.v[w.at], x
	if w.at++; w.at == len(w.v) {
		w.at, w.full, wrapped = 0, true, true
	}
	return out, wrapped
}

// ago is the value k places before the newest. k is less than n.
func (w *window) ago(k int) float64 {
	i := w.at - 1 - k
	if i < 0 {
		i += len(w.v)
	}
	return w.v[i]
}

func (w *window) reset() {
	clear(w.v)
	w.at, w.full = 0, false
}

// mean is the mean of the last n values. The sum is taken anew once every n values:
// what rounding has added then goes, so no error is older than the window, and the
// cost is one addition more a value.
type mean struct {
	w   window
	sum float64
}

func newMean(n int) mean { return mean{w: newWindow(n)} }

func (m *mean) push(x float64) {
	old, wrapped := m.w.push(x)
	m.sum += x - old
	if wrapped {
		m.sum = 0
		for _, v := range m.w.v {
			m.sum += v
		}
	}
}

func (m *mean) value() (float64, bool) { return m.sum / float64(len(m.w.v)), m.w.full }

func (m *mean) reset() {
	m.w.reset()
	m.sum = 0
}

// scatter is the mean and the variance of the last n values, moved along by Welford's
// formula for a value that takes the place of another and, like mean, taken anew once
// every n values.
type scatter struct {
	w        window
	mean, m2 float64
}

func newScatter(n int) scatter { return scatter{w: newWindow(n)} }

func (s *scatter) push(x float64) {
	full := s.w.full
	old, wrapped := s.w.push(x)
	switch {
	case wrapped:
		s.anew()
	case full:
		was := s.mean
		s.mean += (x - old) / float64(len(s.w.v))
		s.m2 += (x - old) * (x - s.mean + old - was)
	}
}

func (s *scatter) anew() {
	s.mean, s.m2 = 0, 0
	for _, v := range s.w.v {
		s.mean += v
	}
	s.mean /= float64(len(s.w.v))
	for _, v := range s.w.v {
		s.m2 += (v - s.mean) * (v - s.mean)
	}
}

// dev is the standard deviation of all n, not of a sample.
func (s *scatter) dev() float64 { return math.Sqrt(max(s.m2, 0) / float64(len(s.w.v))) }

func (s *scatter) reset() {
	s.w.reset()
	s.mean, s.m2 = 0, 0
}

// highest is the largest of the last n values: a queue of those that can still become
// it, which fall from front to back. Each value enters and leaves once, so the cost
// is constant over time, and at most n for one value. The lowest is the highest of
// the negated.
type highest struct {
	v          []int64
	seq        []uint64
	head, held int
	n          uint64 // taken so far
}

func newHighest(n int) highest { return highest{v: make([]int64, n), seq: make([]uint64, n)} }

func (h *highest) slot(i int) int {
	if i += h.head; i >= len(h.v) {
		i -= len(h.v)
	}
	return i
}

func (h *highest) push(x int64) {
	h.n++
	if h.held > 0 && h.n-h.seq[h.head] >= uint64(len(h.v)) {
		h.head = h.slot(1)
		h.held--
	}
	for h.held > 0 && h.v[h.slot(h.held-1)] <= x {
		h.held--
	}
	at := h.slot(h.held)
	h.v[at], h.seq[at] = x, h.n
	h.held++
}

func (h *highest) full() bool { return h.n >= uint64(len(h.v)) }

// value is meaningless before the first push.
func (h *highest) value() int64 { return h.v[h.head] }

func (h *highest) reset() { h.head, h.held, h.n = 0, 0, 0 }
