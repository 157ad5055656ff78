package app

import (
	"testing"

	"riposte/core"
	"riposte/core/engine"
	"riposte/core/risk"
)

// heldWatch notes, on the engine's thread, what the gate believes to be held while no
// report is on its way to it.
type heldWatch struct {
	d     *desk
	id    core.InstrumentID
	wrong int
	seen  int
	gate  core.Qty
	owned core.Qty
}

// Step compares the gate's holding with the ledger's.
func (h *heldWatch) Step() int {
	held, told := h.d.gate.Held(h.id)
	if !told || h.d.gateway.Table().Stats.Filled == 0 {
		return 0
	}
	owned := core.Qty(h.d.gateway.Ledger().Owned(h.d.table.Get(h.id).Base))
	h.seen++
	if held != owned {
		h.wrong++
		h.gate, h.owned = held, owned
	}
	return 0
}

// The engine's own fills reach the gate as reports, everything else as what is held: both
// together are what the account has, after every round, and MAX_POSITION goes by that.
func TestTheGateKnowsWhatTheAccountHolds(t *testing.T) {
	t.Chdir(t.TempDir())
	cfg, err := loadConfig("", "sim.audit=false", "market.symbols=['BTCUSDT']", "account.rate_max=100000", "account.duplicate_span=0s")
	if err != nil {
		t.Fatal(err)
	}
	d, err := openDesk(cfg)
	if err != nil {
		t.Fatal(err)
	}
	in, _ := d.table.Lookup("BTCUSDT")
	w := &heldWatch{d: d, id: in.ID}
	d.witness = w // after the shard, before the gateway brings new fills
	if err := d.start(); err != nil {
		t.Fatal(err)
	}
	defer d.end(t)
	waitFor(t, "fills", func() bool { v := d.dealer.view(); return v != nil && v.table.Filled > 3 })
	rules := *in
	rules.Filters.PositionMax = 1 << 60
	d.control.send(engine.Command{Kind: engine.CmdRules, Rules: &rules})
	filled := d.dealer.view().table.Filled
	waitFor(t, "fills under a filter with room", func() bool { return d.dealer.view().table.Filled > filled+2 })
	if n := d.shard.Stats().Refused[risk.RefusedMaxPosition]; n != 0 {
		t.Errorf("%d buys were refused although the filter has room", n)
	}
	tight := rules
	tight.Filters.PositionMax = 1
	d.control.send(engine.Command{Kind: engine.CmdRules, Rules: &tight})
	waitFor(t, "refused buys", func() bool { return d.shard.Stats().Refused[risk.RefusedMaxPosition] > 0 })
	d.threads.halt()
	if w.wrong != 0 || w.seen == 0 {
		t.Errorf("%d of %d rounds: the gate takes %v for held where the ledger has %v", w.wrong, w.seen, w.gate, w.owned)
	}
}
