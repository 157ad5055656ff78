package signal

import (
	"math"

	"riposte/core"
)

// fade is a window without an edge: what lies a half-life back counts half. weight is
// how much of the whole window time has filled, from 0 to 1; a mean is divided by it,
// so that it is not drawn to zero while young.
type fade struct {
	half   float64 // seconds
	weight float64
	at     core.MonoNs
	since  core.MonoNs
	begun  bool
}

// ageing returns how much of the past is gone at now, without moving on.
func (f *fade) ageing(now core.MonoNs) float64 {
	if !f.begun || now <= f.at {
		return 0
	}
	return faded(float64(now-f.at) / (1e9 * f.half))
}

// age moves on to now and returns how much of the past is gone.
func (f *fade) age(now core.MonoNs) float64 {
	if !f.begun {
		f.begun, f.at, f.since = true, now, now
		return 0
	}
	gone := f.ageing(now)
	f.weight += gone * (1 - f.weight)
	f.at = max(f.at, now)
	return gone
}

// ready once one half-life has been seen.
func (f *fade) ready(now core.MonoNs) bool {
	return f.begun && float64(now-f.since) >= 1e9*f.half
}

// held is the mean over time, and the deviation from it, of something that keeps its
// value until it gets the next one.
type held struct {
	fade
	x        float64 // in force since at
	mean, m2 float64 // weighted
}

// set gives it a new value at now; the old one is counted for as long as it was held.
func (h *held) set(x float64, now core.MonoNs) {
	h.mean, h.m2, _ = h.until(now)
	h.age(now)
	h.x = x
}

// until is mean and squared deviation as they are at now.
func (h *held) until(now core.MonoNs) (mean, m2, weight float64) {
	gone := h.ageing(now)
	weight = h.weight + gone*(1-h.weight)
	if gone == 0 {
		return h.mean, h.m2, weight
	}
	d := h.x - h.mean
	mean = h.mean + gone/weight*d
	return mean, (1-gone)*h.m2 + gone*d*(h.x-mean), weight
}

// value is mean and standard deviation as they are at now.
func (h *held) value(now core.MonoNs) (mean, dev float64, ok bool) {
	if !h.ready(now) {
		return 0, 0, false
	}
	mean, m2, weight := h.until(now)
	return mean, math.Sqrt(max(m2, 0) / weight), true
}

func (h *held) reset() { *h = held{fade: fade{half: h.half}} }

// sum is the sum of what happened, each amount fading.
type sum struct {
	fade
	x float64
}

func (s *sum) add(x float64, now core.MonoNs) {
	s.x -= s.x * s.age(now)
	s.x += x
}

// value is the sum as it is at now. It is ready from the first half-life on.
func (s *sum) value(now core.MonoNs) (float64, bool) {
	return s.x - s.x*s.ageing(now), s.ready(now)
}

func (s *sum) reset() { *s = sum{fade: fade{half: s.half}} }
