package journal

import (
	"math"

	"riposte/core"
)

// Signal is one signal that was heard, of the configuration's own rules or from outside,
// and what became of it. One that waited for a person has a second record of the same
// number.
type Signal struct {
	Number   uint64 // of the run's signals
	Input    uint64 // of the engine; an order that came of it has the same
	Source   string // by its name, or that of the rule
	Own      bool
	Symbol   string // ours, "" for one that we do not have
	Told     string // the symbol as it was told, and the signal's own id
	ID       string
	Side     core.Side
	Outcome  uint8 // refused, queued, accepted, own; see core/airlock
	Failed   uint8 // gate
	Price    core.Price
	Mid      core.Price // then, 0: not known
	Strength int64      // at 1e-8, as it was told
	Scaled   int64      // and as strategies were, by its source's weight
	Horizon  core.MonoNs
	Issued   core.WallNs
	Heard    core.WallNs // by the venue's clock
	Wall     core.WallNs
	Why      string // what the intake found wrong
	Readings []Reading
}

// Reading is one gate's number and its bound; see core/airlock for their units.
type Reading struct {
	Gate, State  uint8
	Value, Bound int64
}

// MarkOut is what the price did after a signal. One that could not be measured has no price.
type MarkOut struct {
	Number  uint64
	Source  string
	Horizon core.MonoNs
	Price   core.Price // the mid then
	Edge    float64    // bps in the signal's direction, after half the spread and the fee
	Wall    core.WallNs
}

// Score is what a source is worth: at a run's start, and when it has changed.
type Score struct {
	Source    string
	N, Hits   float64 // signals that weigh, and those of them that were right, fading
	Sum, Sum2 float64 // of their edges in bps, and of the squares
	Weight    float64 // 0 to 1
	Wall      core.WallNs
}

// Append adds the record to dst.
func (p *Signal) Append(dst []byte, seq uint64) []byte {
	dst, at := open(dst, seq, KindSignal)
	dst = u64(u64(dst, p.Number), p.Input)
	dst = append(text(dst, p.Source), yesNo(p.Own))
	dst = text(text(text(dst, p.Symbol), p.Told), p.ID)
	dst = append(dst, byte(p.Side), p.Outcome, p.Failed)
	dst = i64(i64(dst, p.Price), p.Mid)
	dst = u64(u64(dst, uint64(p.Strength)), uint64(p.Scaled))
	dst = i64(i64(i64(i64(dst, p.Horizon), p.Issued), p.Heard), p.Wall)
	dst = u32(text(dst, p.Why), uint32(len(p.Readings)))
	for _, r := range p.Readings {
		dst = u64(u64(append(dst, r.Gate, r.State), uint64(r.Value)), uint64(r.Bound))
	}
	return seal(dst, at)
}

// Decode reads the record.
func (p *Signal) Decode(rec *Record) error {
	f := fields(rec, KindSignal)
	p.Number, p.Input = f.u64(), f.u64()
	p.Source, p.Own = f.text(), f.flag()
	p.Symbol, p.Told, p.ID = f.text(), f.text(), f.text()
	p.Side = enum(&f, core.Sell)
	p.Outcome, p.Failed = f.u8(), f.u8()
	p.Price, p.Mid = core.Price(f.u64()), core.Price(f.u64())
	p.Strength, p.Scaled = int64(f.u64()), int64(f.u64())
	p.Horizon, p.Issued, p.Heard, p.Wall = core.MonoNs(f.u64()), core.WallNs(f.u64()), core.WallNs(f.u64()), core.WallNs(f.u64())
	p.Why = f.text()
	p.Readings = p.Readings[:0]
	for range f.count(18) {
		p.Readings = append(p.Readings, Reading{f.u8(), f.u8(), int64(f.u64()), int64(f.u64())})
	}
	return f.end()
}

// Append adds the record to dst.
func (p *MarkOut) Append(dst []byte, seq uint64) []byte {
	dst, at := open(dst, seq, KindMarkOut)
	dst = i64(i64(text(u64(dst, p.Number), p.Source), p.Horizon), p.Price)
	return seal(i64(f64(dst, p.Edge), p.Wall), at)
}

// Decode reads the record.
func (p *MarkOut) Decode(rec *Record) error {
	f := fields(rec, KindMarkOut)
	p.Number, p.Source = f.u64(), f.text()
	p.Horizon, p.Price, p.Edge, p.Wall = core.MonoNs(f.u64()), core.Price(f.u64()), f.f64(), core.WallNs(f.u64())
	return f.end()
}

// Append adds the record to dst.
func (p *Score) Append(dst []byte, seq uint64) []byte {
	dst, at := open(dst, seq, KindScore)
	dst = f64(f64(f64(f64(f64(text(dst, p.Source), p.N), p.Hits), p.Sum), p.Sum2), p.Weight)
	return seal(i64(dst, p.Wall), at)
}

// Decode reads the record.
func (p *Score) Decode(rec *Record) error {
	f := fields(rec, KindScore)
	p.Source = f.text()
	p.N, p.Hits, p.Sum, p.Sum2, p.Weight = f.f64(), f.f64(), f.f64(), f.f64(), f.f64()
	p.Wall = core.WallNs(f.u64())
	return f.end()
}

func f64(dst []byte, v float64) []byte { return u64(dst, math.Float64bits(v)) }
func (f *payload) f64() float64        { return math.Float64frombits(f.u64()) }
