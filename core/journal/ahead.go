package journal

import "riposte/core"

// Ahead is what the venue has said of an order ahead of the trades that bear it out: that it
// is over, or that more has traded than the known trades add up to. The reports follow with
// the trades, and the run may die before: then the next one has to know it all the same.
type Ahead struct {
	Order core.OrderID
	End   core.OrderStatus // PendingNew if it is not over
	Cum   core.Qty         // traded in all
	Wall  core.WallNs
}

// Append adds the record to dst.
func (p *Ahead) Append(dst []byte, seq uint64) []byte {
	dst, at := open(dst, seq, KindAhead)
	dst = append(u64(dst, uint64(p.Order)), byte(p.End))
	return seal(i64(i64(dst, p.Cum), p.Wall), at)
}

// Decode reads the record.
func (p *Ahead) Decode(rec *Record) error {
	f := fields(rec, KindAhead)
	p.Order, p.End = core.OrderID(f.u64()), enum(&f, core.NotSent)
	p.Cum, p.Wall = core.Qty(f.u64()), core.WallNs(f.u64())
	return f.end()
}
