package journal

import "riposte/core"

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
