package journal

import "riposte/core"

// Rules are the venue's rules of a symbol from now on, as text (the JSON of a
// core.Instrument): which rules there are changes more often than this format may.
type Rules struct {
	Symbol string
	Wall   core.WallNs
	Text   string
}

// Append adds the record to dst.
func (p *Rules) Append(dst []byte, seq uint64) []byte {
	dst, at := open(dst, seq, KindRules)
	dst = u32(i64(text(dst, p.Symbol), p.Wall), uint32(len(p.Text)))
	return seal(append(dst, p.Text...), at)
}

// Decode reads the record.
func (p *Rules) Decode(rec *Record) error {
	f := fields(rec, KindRules)
	p.Symbol, p.Wall = f.text(), core.WallNs(f.u64())
	if n := f.count(1); f.err == nil {
		p.Text = string(f.b[:n])
		f.b = f.b[n:]
	}
	return f.end()
}
