package exec

import (
	"testing"

	"riposte/core"
)

// TestABalanceOfBeforeTheLastFillsIsNoDifferenceThatStays: a venue whose reads lag shows the
// balance of before the last fill again and again, and where all fills are of one size that
// looks like one difference for long. A real one is found all the same.
func TestABalanceOfBeforeTheLastFillsIsNoDifferenceThatStays(t *testing.T) {
	const settle = 10
	for _, c := range []struct {
		name string
		told core.Amount // by the venue, at 100
		want DiffKind
	}{
		{"of before the last fill", 120, DiffBalance},
		{"of before the last two", 110, DiffBalance},
		{"of before one of long ago", 90, DiffMismatch},
		{"of no time at all", 121, DiffMismatch},
	} {
		l := NewLedger(ledgerTable(t))
		base := l.instruments.Get(1).Base
		l.Open([]core.Balance{{Asset: base, Free: 80}})
		for _, at := range []core.MonoNs{50, 60, 85, 95, 98} { // 80, 90, 100, 110, 120, 130
			l.Fill(&core.Report{Kind: core.ReportFill, Instrument: 1, Qty: 10, Recv: at, FeeAsset: core.NoAsset})
		}
		v := &View{Ledger: l, Before: []Sighting{{Mismatch{base, 100, 100 + c.told - 130}, 70}}, Settle: settle}
		got := Reconcile(v, &Snapshot{Begun: 100, Balances: []core.Balance{{Asset: base, Free: c.told}}})
		if len(got) != 1 || got[0].Kind != c.want {
			t.Errorf("%s: found %+v, want %v", c.name, got, c.want)
		}
	}
}
