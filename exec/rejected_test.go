package exec

import (
	"testing"

	"riposte/core"
)

func TestARejectToldByStreamAndAnswerIsNoContradiction(t *testing.T) {
	rejected := func(o *Order) *core.Execution {
		return &core.Execution{Kind: core.ExecRejected, Status: core.Rejected, Instrument: o.Instrument, Client: o.Client, VenueID: 7, TradeID: -1}
	}
	for name, steps := range map[string][]func(*tableRig, *Order){
		"stream first": {func(r *tableRig, o *Order) { r.Apply(rejected(o)) }, func(r *tableRig, o *Order) { r.Refuse(o, -2010, 1) }},
		"answer first": {func(r *tableRig, o *Order) { r.Refuse(o, -2010, 1) }, func(r *tableRig, o *Order) { r.Apply(rejected(o)) }},
	} {
		r := newTableRig(t, 4)
		o := r.add(5)
		id := o.ID
		for _, f := range steps {
			f(r, o)
		}
		if r.Stats.Contradictions != 0 || r.Stats.Rejected != 1 {
			t.Errorf("%s: got %d contradictions, %d rejected; want 0, 1", name, r.Stats.Contradictions, r.Stats.Rejected)
		}
		if n := len(r.reports); n != 1 || r.reports[0].Status != core.Rejected || r.reports[0].ID != id {
			t.Errorf("%s: got reports %+v, want the rejection once", name, r.reports)
		}
	}
}
