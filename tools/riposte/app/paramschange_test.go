package app

import (
	"strings"
	"testing"

	"riposte/core/journal"
)

// Parameters change while orders work, by the same checks as at the start, and the journal
// tells who changed what.
func TestParametersChangeWhileTheStrategyRuns(t *testing.T) {
	d := running(t)
	waitFor(t, "orders at work", func() bool { v := d.dealer.view(); return v != nil && v.live > 0 })
	tell := func(symbol string, set map[string]string) error {
		_, err := tellEngine(d.cfg, "/params", &order{Who: "me", Reason: "wider", Strategy: "quoter", Symbol: symbol, Set: set})
		return err
	}
	for _, c := range []struct {
		symbol string
		set    map[string]string
		want   string
	}{
		{"", map[string]string{"half_spread_bps": "2000"}, "half_spread_bps is 2000, want a number from 0 to 1000"},
		{"", map[string]string{"halfspread": "2"}, "halfspread is not a parameter"},
		{"", map[string]string{"life_min": "5"}, "life_min is 5, want a duration"},
		{"XRPBTC", map[string]string{"qty": "0.001"}, "does not trade XRPBTC"},
		{"", nil, "nothing is set"},
	} {
		if err := tell(c.symbol, c.set); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %v: got %v, want %q in it", c.symbol, c.set, err, c.want)
		}
	}
	if err := tell("BTCUSDT", map[string]string{"qty": "0.002", "half_spread_bps": "3"}); err != nil {
		t.Fatal(err)
	}
	if err := tell("", map[string]string{"half_spread_bps": "900"}); err != nil { // nothing of the like is quoted: it shows
		t.Fatal(err)
	}
	waitFor(t, "the status", func() bool {
		p := d.report().Params
		return len(p) == 5 && p["quoter BTCUSDT"]["qty"] == "0.002" && p["quoter BTCUSDT"]["half_spread_bps"] == "900" && len(p["quoter ETHUSDT"]) == 1
	})
	waitFor(t, "the journal", func() bool { return d.shard.Stats().BadCommands == 0 && !d.control.waiting.Load() })
	dir := d.cfg.Journal.Dir
	d.end(t)
	list := journaled[journal.Param](t, dir, journal.KindParam)
	if len(list) != 2+5 {
		t.Fatalf("the journal tells of %d changed parameters, want 2 at one symbol and 1 at five: %v", len(list), list)
	}
	list[1].Wall = 0
	if list[1] != (journal.Param{Strategy: "quoter", Symbol: "BTCUSDT", Name: "qty", Value: "0.002", Who: "me", Why: "wider"}) {
		t.Errorf("the journal tells %+v", list[1])
	}
}
