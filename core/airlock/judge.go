package airlock

import (
	"math"

	"riposte/core"
)

// Bounds are what one source's signals must keep to. Fields that say so bind nothing
// at 0.
type Bounds struct {
	AgeMax        core.MonoNs
	AheadMax      core.MonoNs // how far in the venue's future one may say it was issued, beside the clock's error
	DriftMax      Ratio       // of the mid from the alert's price
	AgreementMax  Ratio       // between last trade, touch and book
	SpreadMax     Ratio
	DepthTimes    int64 // the intended size must be there so many times
	SlippageMax   Ratio
	CostMax       Ratio
	EdgeMin       Ratio       // after costs
	StatisticsMax core.MonoNs // age of the venue's statistics; 0: only the fee is asked
	DayMargin     Ratio       // how far outside the day's range the price may lie
	VolumeTimes   int64       // the day's value must be so many times the intended; 0: off
	TrendMax      Ratio       // by how much the last minutes may have gone against it; 0: off
	LossPart      int64       // percent of the account's daily loss that may be lost before; 0: off
	Contradict    bool        // an own signal in force that says the opposite refuses it
	ScoreMin      Ratio       // of the source's weight
	Approve       bool        // a person must let it pass

	Edge        Ratio       // what a signal of strength 1 promises for EdgeHorizon
	EdgeHorizon core.MonoNs // longer ones promise more, by the root of the time
}

// DayFacts are what the venue says of a symbol's last 24 hours and last minutes.
type DayFacts struct {
	High, Low core.Price
	Volume    core.Amount // in quote
	// Trend is the move over the last minutes, by the venue's klines.
	Trend Ratio
	Fee   Ratio       // what a taker pays
	At    core.MonoNs // when it was asked
}

// Facts are the market and the account at the instant of the judgement. A zero price
// or quantity is one that is not known.
type Facts struct {
	Size       core.Qty // intended; 0: the source may not speak of this symbol
	Live       bool
	Proof      core.MonoNs // age of the book's last proof
	ProofMax   core.MonoNs
	Venue      core.WallNs // the venue's time, 0: not known
	ClockError core.MonoNs
	Touch      core.Top   // freshest
	Bid, Ask   core.Price // of the book
	Last       core.Price // trade
	Value      core.Notional
	Filled     core.Qty // of Size, by which Value was reached
	Deep       core.Qty // of DepthTimes * Size, how much is known to be there
	Day        DayFacts
	DayAge     core.MonoNs
	Halted     int64
	Worst      core.Qty // position on the signal's side with all that may still trade and the size
	WorstMax   core.Qty
	Lost       core.Amount // of the day, positive
	LossMax    core.Amount // of the account, 0: none
	Opposite   int64       // own signals in force that say the opposite
	Weight     Ratio       // of the source
}

// Outcome is what became of a signal.
type Outcome uint8

// The outcomes. Own signals are not judged here.
const (
	Refused Outcome = iota
	Queued          // waits for a person
	Accepted
	Own
)

func (o Outcome) String() string {
	return [...]string{"refused", "queued", "accepted", "own"}[o]
}

// Verdict is one signal that was heard and what became of it. It crosses a ring.
type Verdict struct {
	Number  uint64 // of the run's signals, own ones too, from 1
	Input   uint64
	At      core.MonoNs
	Venue   core.WallNs
	Alert   Alert // of an own signal: Source 0, with instrument, side, strength, horizon
	Rule    uint16
	Outcome Outcome
	Failed  Gate
	Weight  Ratio
	Scaled  Ratio // strength by weight, as strategies are told
	Mid     core.Price
	// Readings are by gate. All that could be measured are there, those behind the gate
	// that failed too.
	Readings [Gates]Reading
}

// Judge holds an alert against its bounds and fills in v what it says of it.
func (b *Bounds) Judge(a *Alert, f *Facts, v *Verdict) {
	v.Alert, v.Venue, v.Weight, v.Scaled = *a, f.Venue, f.Weight, 0
	v.Readings = [Gates]Reading{}
	v.Mid = 0
	if a.Failed != None {
		v.Outcome, v.Failed = Refused, a.Failed
		return
	}
	b.measure(a, f, v)
	v.Failed = None
	for g := Symbol; g < Approval; g++ {
		if !g.passes(&v.Readings[g]) {
			v.Outcome, v.Failed = Refused, g
			return
		}
	}
	v.Outcome = Accepted
	if b.Approve {
		v.Outcome = Queued
	}
	v.Scaled = scale(a.Strength, f.Weight)
}

// measure reads every gate that can be.
func (b *Bounds) measure(a *Alert, f *Facts, v *Verdict) {
	set := func(g Gate, value, bound int64) { v.Readings[g] = Reading{value, bound, Measured} }
	off := func(g Gate) { v.Readings[g].State = Off }
	known := a.Instrument != core.NoInstrument && f.Size > 0
	set(Symbol, yes(known), 1)
	if !known {
		return
	}
	if f.Live {
		set(Book, int64(f.Proof), int64(f.ProofMax))
	}
	if f.Venue > 0 {
		age := int64(f.Venue - a.Issued)
		if age < -int64(b.AheadMax+f.ClockError) {
			// From the future: as far off as it is, and never within the bound.
			set(Age, -age, -1)
		} else {
			set(Age, age, int64(b.AgeMax))
		}
	}
	b.market(a, f, v)
	b.statistics(a, f, v)
	set(Halt, f.Halted, 0)
	set(Position, int64(f.Worst), int64(f.WorstMax))
	if b.LossPart > 0 && f.LossMax > 0 {
		set(Loss, int64(f.Lost), int64(f.LossMax)/100*b.LossPart)
	} else {
		off(Loss)
	}
	if b.Contradict {
		set(Contradiction, f.Opposite, 0)
	} else {
		off(Contradiction)
	}
	set(Score, int64(f.Weight), int64(b.ScoreMin))
}

// market is what the own book and trades say.
func (b *Bounds) market(a *Alert, f *Facts, v *Verdict) {
	mid := f.Touch.Mid()
	if !f.Live || mid == 0 {
		return
	}
	v.Mid = mid
	set := func(g Gate, value Ratio, bound Ratio) { v.Readings[g] = Reading{int64(value), int64(bound), Measured} }
	set(Drift, size(Of(mid, a.Price)), b.DriftMax)
	if f.Last > 0 && f.Bid > 0 && f.Ask > 0 {
		book := f.Bid + (f.Ask-f.Bid)/2
		set(Agreement, max(size(Of(mid, book)), size(Of(f.Last, book)), size(Of(f.Last, mid))), b.AgreementMax)
	}
	spread := part(max(f.Touch.Ask-f.Touch.Bid, 0), mid)
	set(Spread, spread, b.SpreadMax)
	v.Readings[Depth] = Reading{int64(f.Deep), int64(times(f.Size, b.DepthTimes)), Measured}
	best := f.Ask
	if a.Side == core.Sell {
		best = f.Bid
	}
	if f.Filled < f.Size || best == 0 {
		return // how far it would slip is not known, and so is no cost
	}
	slip := size(Of(core.Price(f.Value.Div(uint64(f.Size))), best))
	set(Slippage, slip, b.SlippageMax)
	if f.Day.At == 0 {
		return // nor the fee
	}
	cost := spread/2 + slip + f.Day.Fee
	set(Cost, cost, b.CostMax)
	set(Edge, b.promise(a)-cost, b.EdgeMin)
}

// promise is the edge that a source claims for a signal of that strength and horizon.
func (b *Bounds) promise(a *Alert) Ratio {
	e := float64(b.Edge) * float64(a.Strength) / core.Scale
	if b.EdgeHorizon > 0 {
		e *= math.Sqrt(float64(a.Horizon) / float64(b.EdgeHorizon))
	}
	return Ratio(min(e, float64(core.Scale)))
}

// statistics are the venue's word, against the price here and the direction.
func (b *Bounds) statistics(a *Alert, f *Facts, v *Verdict) {
	set := func(g Gate, value, bound int64) { v.Readings[g] = Reading{value, bound, Measured} }
	if b.StatisticsMax == 0 {
		for _, g := range [...]Gate{Statistics, Day, Volume, Trend} {
			v.Readings[g].State = Off
		}
		return
	}
	d := &f.Day
	if d.At == 0 {
		return
	}
	set(Statistics, int64(f.DayAge), int64(b.StatisticsMax))
	out := Ratio(0)
	switch {
	case d.Low <= 0 || d.High < d.Low:
		out = most
	case a.Price > d.High:
		out = Of(a.Price, d.High)
	case a.Price < d.Low:
		out = -Of(a.Price, d.Low)
	}
	set(Day, int64(out), int64(b.DayMargin))
	if b.VolumeTimes > 0 {
		value, _ := core.NotionalOf(a.Price, f.Size).AmountFloor()
		set(Volume, int64(d.Volume), int64(times(value, b.VolumeTimes)))
	} else {
		v.Readings[Volume].State = Off
	}
	if b.TrendMax > 0 {
		set(Trend, int64(-d.Trend)*a.Side.Sign(), int64(b.TrendMax))
	} else {
		v.Readings[Trend].State = Off
	}
}

func yes(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func size(r Ratio) Ratio {
	if r < 0 {
		return -r
	}
	return r
}

// times is v*n, held at the largest number.
func times[T ~int64](v T, n int64) T {
	if n > 0 && v > T(math.MaxInt64/n) {
		return T(math.MaxInt64)
	}
	return v * T(n)
}

// scale is a strength by a weight.
func scale(strength, weight Ratio) Ratio {
	return Ratio(core.NotionalOf(core.Price(strength), core.Qty(weight)).Div(core.Scale))
}
