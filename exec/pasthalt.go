package exec

import (
	"slices"

	"riposte/core/journal"
)

// PastHalt is one cause that stopped trading in the last run and was not lifted, with the
// number of its record.
type PastHalt struct {
	journal.Halt
	Seq uint64
}

// halt takes a record of halts apart, one cause each.
func (p *Past) halt(d *journal.Halt, seq uint64) {
	p.Halted = slices.DeleteFunc(p.Halted, func(h PastHalt) bool { return h.Code&d.Code != 0 && h.Scope == d.Scope })
	if !d.On {
		return
	}
	for bit := uint32(1); bit != 0; bit <<= 1 {
		if bit&d.Code != 0 {
			h := PastHalt{*d, seq}
			h.Code = bit
			p.Halted = append(p.Halted, h)
		}
	}
}
