package journal

import (
	"math"
	"time"

	"riposte/core"
)

// Strategies tells what the numbers of strategies mean in this session: Names[n] is
// number n. Behind those of the configuration come former ones that still have orders or a
// position.
type Strategies struct{ Names []string }

// Share is what of a Position is one strategy's. It is part of a checkpoint.
type Share struct {
	Strategy string
	Symbol   string
	Net      core.Qty
	BaseFees core.Qty
}

// Param is one parameter of a strategy at a symbol that a person has changed while it runs:
// it counts from here on, until the session ends.
type Param struct {
	Strategy string
	Symbol   string
	Name     string
	Value    string
	Wall     core.WallNs
	Who      string
	Why      string
}

// Choice is why an order was posted, or taken at once: what each was expected to cost
// against the mid, in 1/10000 of its value, and what that was made of; see engine.Choice.
type Choice struct {
	Order    core.OrderID
	Input    uint64
	Symbol   string
	Strategy uint16
	Maker    bool
	MakerBps float64
	TakerBps float64
	Spread   float64
	Impact   float64
	Fill     float64 // 0 to 1
	Adverse  float64
	Miss     float64
	Horizon  time.Duration
	Wall     core.WallNs
}

// Append adds the record to dst.
func (p *Strategies) Append(dst []byte, seq uint64) []byte {
	dst, at := open(dst, seq, KindStrategies)
	dst = u32(dst, uint32(len(p.Names)))
	for _, n := range p.Names {
		dst = text(dst, n)
	}
	return seal(dst, at)
}

// Decode reads the record.
func (p *Strategies) Decode(rec *Record) error {
	f := fields(rec, KindStrategies)
	p.Names = p.Names[:0]
	for range f.count(1) {
		p.Names = append(p.Names, f.text())
	}
	return f.end()
}

// Append adds the record to dst.
func (p *Share) Append(dst []byte, seq uint64) []byte {
	dst, at := open(dst, seq, KindShare)
	return seal(i64(i64(text(text(dst, p.Strategy), p.Symbol), p.Net), p.BaseFees), at)
}

// Decode reads the record.
func (p *Share) Decode(rec *Record) error {
	f := fields(rec, KindShare)
	p.Strategy, p.Symbol = f.text(), f.text()
	p.Net, p.BaseFees = core.Qty(f.u64()), core.Qty(f.u64())
	return f.end()
}

// Append adds the record to dst.
func (p *Param) Append(dst []byte, seq uint64) []byte {
	dst, at := open(dst, seq, KindParam)
	dst = text(text(text(text(dst, p.Strategy), p.Symbol), p.Name), p.Value)
	return seal(text(text(i64(dst, p.Wall), p.Who), p.Why), at)
}

// Decode reads the record.
func (p *Param) Decode(rec *Record) error {
	f := fields(rec, KindParam)
	p.Strategy, p.Symbol, p.Name, p.Value = f.text(), f.text(), f.text(), f.text()
	p.Wall = core.WallNs(f.u64())
	p.Who, p.Why = f.text(), f.text()
	return f.end()
}

// Append adds the record to dst.
func (p *Choice) Append(dst []byte, seq uint64) []byte {
	dst, at := open(dst, seq, KindChoice)
	dst = text(u64(u64(dst, uint64(p.Order)), p.Input), p.Symbol)
	dst = append(u16(dst, p.Strategy), yesNo(p.Maker))
	for _, v := range [...]float64{p.MakerBps, p.TakerBps, p.Spread, p.Impact, p.Fill, p.Adverse, p.Miss} {
		dst = u64(dst, math.Float64bits(v))
	}
	return seal(i64(i64(dst, p.Horizon), p.Wall), at)
}

// Decode reads the record.
func (p *Choice) Decode(rec *Record) error {
	f := fields(rec, KindChoice)
	p.Order, p.Input, p.Symbol = core.OrderID(f.u64()), f.u64(), f.text()
	p.Strategy, p.Maker = f.u16(), f.flag()
	for _, v := range [...]*float64{&p.MakerBps, &p.TakerBps, &p.Spread, &p.Impact, &p.Fill, &p.Adverse, &p.Miss} {
		*v = math.Float64frombits(f.u64())
	}
	p.Horizon, p.Wall = time.Duration(f.u64()), core.WallNs(f.u64())
	return f.end()
}
