package signal

import "math"

// Scoring is how a source earns its weight.
//
// What a source is worth is the edge of its signals at their own horizons, after costs,
// whether they were taken or refused. It begins with PriorN signals that nobody has seen,
// of such a mean that the weight is Prior. What is seen is added to these (a normal mean
// with a conjugate prior), and the weight is the lower confidence bound of the mean, Z
// standard errors below it, as a part of Full, held between 0 and 1: a source must show
// that it is good, and one that shows nothing is worth nothing. Signals that come while
// an earlier one of the same source on the same symbol is within its horizon do not
// weigh: they see the same price move, and would make a spread of chance look narrow.
// Evidence fades: once there are Memory signals, each new one takes 1/Memory of it away.
type Scoring struct {
	Prior    float64 // weight at the beginning
	PriorN   float64
	Spread   float64 // standard deviation of an edge that is assumed at first, in bps
	Z        float64
	Full     float64 // edge in bps, for certain, that earns the whole weight
	Memory   float64
	RuleFees float64 // bps that own signals are charged where the venue's fee is not known
}

// DefaultScoring is used where the configuration says nothing.
var DefaultScoring = Scoring{Prior: 0.5, PriorN: 10, Spread: 20, Z: 1.64, Full: 5, Memory: 500, RuleFees: 10}

// Tally is the edges of one source at one horizon, in bps after costs.
type Tally struct {
	N, Hits    float64 // hits: above 0
	Sum, Sum2  float64
	Unmeasured uint64 // marks at whose time there was no price
}

func (t *Tally) add(edge float64) {
	t.N++
	t.Sum += edge
	t.Sum2 += edge * edge
	if edge > 0 {
		t.Hits++
	}
}

// Mean is the mean edge, 0 without any.
func (t *Tally) Mean() float64 {
	if t.N == 0 {
		return 0
	}
	return t.Sum / t.N
}

// Error is the standard error of the mean, 0 below two edges. It takes them for
// independent, which those of overlapping signals are not.
func (t *Tally) Error() float64 {
	if t.N < 2 {
		return 0
	}
	m := t.Mean()
	return math.Sqrt(max(t.Sum2/t.N-m*m, 0) / (t.N - 1))
}

// HitRate is the part of edges above 0.
func (t *Tally) HitRate() float64 {
	if t.N == 0 {
		return 0
	}
	return t.Hits / t.N
}

// Score is what is known of one source. The zero value knows nothing.
type Score struct {
	By    [Horizons]Tally // every signal
	Weigh Tally           // those that count for the weight, fading
}

// Add takes one mark.
func (s *Score) Add(m *Marked, how *Scoring) {
	t := &s.By[m.Horizon]
	if m.After == 0 {
		t.Unmeasured++
		return
	}
	t.add(m.Edge)
	if !m.Weighs || m.Horizon != m.Own {
		return
	}
	if w := &s.Weigh; how.Memory > 0 && w.N >= how.Memory {
		keep := (how.Memory - 1) / w.N
		w.N, w.Hits, w.Sum, w.Sum2 = w.N*keep, w.Hits*keep, w.Sum*keep, w.Sum2*keep
	}
	s.Weigh.add(m.Edge)
}

// Weight is what the source has earned, 0 to 1.
func (s *Score) Weight(how *Scoring) float64 {
	n := how.PriorN + s.Weigh.N
	if n <= 0 {
		return how.Prior
	}
	prior := how.Prior*how.Full + how.Z*how.Spread/math.Sqrt(max(how.PriorN, 1))
	mean := (how.PriorN*prior + s.Weigh.Sum) / n
	// The scatter around the own mean; what is assumed counts as PriorN edges.
	own := s.Weigh.Mean()
	scatter := (how.PriorN*how.Spread*how.Spread + max(s.Weigh.Sum2-s.Weigh.N*own*own, 0)) / n
	bound := mean - how.Z*math.Sqrt(scatter/n)
	return min(max(bound/how.Full, 0), 1)
}
