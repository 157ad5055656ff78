package signal

import (
	"time"

	"riposte/core"
)

// Horizons are how many marks a signal gets.
const Horizons = 6

// HorizonAt are the times after a signal at which it is marked.
var HorizonAt = [Horizons]core.MonoNs{core.MonoNs(time.Second), core.MonoNs(10 * time.Second), core.MonoNs(time.Minute),
	core.MonoNs(5 * time.Minute), core.MonoNs(15 * time.Minute), core.MonoNs(time.Hour)}

// HorizonName are they in words.
var HorizonName = [Horizons]string{"1s", "10s", "1m", "5m", "15m", "1h"}

// Nearest is the mark whose time lies nearest to a signal's own horizon, by ratio.
func Nearest(d core.MonoNs) int {
	for i := range Horizons - 1 {
		// Between two, the border is their geometric mean.
		if float64(d)*float64(d) < float64(HorizonAt[i])*float64(HorizonAt[i+1]) {
			return i
		}
	}
	return Horizons - 1
}

// Heard is a signal that waits for its marks, whatever became of it.
type Heard struct {
	Number     uint64 // of the run's signals
	Instrument core.InstrumentID
	Side       core.Side
	Own        uint8 // the mark of its own horizon
	Weighs     bool  // and whether that counts for the weight
	At         core.MonoNs
	Mid        core.Price // then
	Cost       float64    // half the spread and the fee, in bps
}

// Marked is one mark of one signal.
type Marked struct {
	Heard
	Horizon uint8
	After   core.Price // the mid at its time; 0: there was none, and it says nothing
	Edge    float64    // in bps, in the signal's direction, after costs
}

// Marks keeps one source's signals until the last of their marks. All wait for the
// same times, so they come due in the order in which they came, and a place in the ring
// for each horizon is all that there is to keep. One goroutine, the shard's.
type Marks struct {
	ring []Heard
	head uint64
	at   [Horizons]uint64 // the next to be marked, by horizon
}

// MarksKept is how many signals of one source can wait, an hour at the most; more are
// not marked, and counted.
const MarksKept = 512

// lateMost is how much later than its time a mark may be taken: after a pause of the
// process the price says nothing of the horizon.
const lateMost = core.MonoNs(2 * time.Second)

// NewMarks makes an empty one.
func NewMarks() *Marks { return &Marks{ring: make([]Heard, MarksKept)} }

// Add takes a signal; ok is false where there is no room.
func (m *Marks) Add(h *Heard) (ok bool) {
	if m.head-m.at[Horizons-1] == uint64(len(m.ring)) {
		return false
	}
	m.ring[m.head%uint64(len(m.ring))] = *h
	m.head++
	return true
}

// Due gives the next mark that has come due; ok is false when there is none. mid is
// the instrument's, 0 if its book cannot be read.
func (m *Marks) Due(now core.MonoNs, mid func(core.InstrumentID) core.Price, out *Marked) (ok bool) {
	for h := range m.at {
		if m.at[h] == m.head {
			continue
		}
		x := &m.ring[m.at[h]%uint64(len(m.ring))]
		late := now - x.At - HorizonAt[h]
		if late < 0 {
			continue
		}
		m.at[h]++
		*out = Marked{Heard: *x, Horizon: uint8(h)}
		if late > lateMost {
			return true
		}
		if out.After = mid(x.Instrument); out.After > 0 {
			out.Edge = float64(x.Side.Sign())*(float64(out.After)-float64(x.Mid))/float64(x.Mid)*1e4 - x.Cost
		}
		return true
	}
	return false
}

// Waiting is how many signals have marks to come.
func (m *Marks) Waiting() int { return int(m.head - m.at[Horizons-1]) }
