package app

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"riposte/core"
	"riposte/core/engine"
	"riposte/core/risk"
	"riposte/tools/backtest"
)

// bids is a strategy that decides by the market alone: one order that does not rest for
// each change of the best bid's price. It writes down what it decided on, whatever became
// of that.
type bids struct{ last core.Price }

type bidSeen struct {
	id  uint64 // update id of the top
	bid core.Price
}

var bidsSeen []bidSeen

func init() {
	engine.Register("test-bids", func(_ *core.Instrument, p *engine.Params) (engine.Strategy, error) { return &bids{}, p.Done() })
}

func (b *bids) Market(v *engine.View, _ *core.Event) {
	top := v.Top()
	if top.Bid == b.last || top.Bid == 0 {
		return
	}
	b.last = top.Bid
	bidsSeen = append(bidsSeen, bidSeen{top.ID, top.Bid})
	v.Place(core.Intent{Side: core.Buy, Type: core.Limit, TIF: core.IOC, Price: top.Bid, Qty: v.Instrument().Filters.QtyMin * 1000})
}

func (*bids) Report(*engine.View, *core.Report, *risk.Order) {}
func (*bids) Timer(*engine.View)                             {}

const bidsTOML = `
[market]
symbols = ["BTCUSDT"]
streams = ["depth@100ms", "bookTicker", "trade"]
lines = 1
[strategy]
name = "test-bids"
[limits.BTCUSDT]
qty_max = "1"
notional_max = "100000"
position_max = "100"
[account]
currency = "USDT"
gross_max = "100000000"
loss_max = "1000000"
drawdown_max = "1000000"
`

// TestARunAndABacktestOfItDecideAlike: what a strategy decides by the market alone it
// decides in a session on the embedded venue and in a backtest of that session's
// recording on the same update ids and prices, one after the other.
//
// Equal is the run's list as a whole, from its second entry on, to a part without holes of
// the backtest's. The backtest may begin earlier, because a session takes up a snapshot
// some time after its bytes came, and go on longer, because a session that ends records on
// while it no longer decides. What orders do depends on when they arrive and is not
// compared; nor is a run in which the process stood still and its books began anew.
func TestARunAndABacktestOfItDecideAlike(t *testing.T) {
	for try := 1; ; try++ {
		dir := t.TempDir()
		cfg, rec := filepath.Join(dir, "bids.toml"), filepath.Join(dir, "rec")
		if err := os.WriteFile(cfg, []byte(bidsTOML), 0o644); err != nil {
			t.Fatal(err)
		}
		bidsSeen = nil
		out := mustRun(t, "run", "--config", cfg, "--for", "2s", "--json", "--record", rec, "--set", "journal.dir="+filepath.Join(dir, "journal"))
		ran := bidsSeen
		lines := strings.Split(strings.TrimSpace(out), "\n")
		var final struct {
			Demotions, Gaps uint64
			Orders          uint64
		}
		if err := json.Unmarshal([]byte(lines[len(lines)-1]), &final); err != nil {
			t.Fatal(err)
		}
		if final.Demotions+final.Gaps > 0 && try < 5 {
			continue // this machine was too busy to watch
		}
		bidsSeen = nil
		mustRun(t, "backtest", "--config", cfg, rec)
		tested := bidsSeen
		if len(ran) < 5 || final.Orders == 0 {
			t.Fatalf("the run decided %d times and placed %d orders, want more to compare", len(ran), final.Orders)
		}
		ran = ran[1:] // its first is where its book became live
		at := slices.Index(tested, ran[0])
		if at < 0 || at+len(ran) > len(tested) || !slices.Equal(tested[at:at+len(ran)], ran) {
			t.Fatalf("the run decided on\n%v,\nthe backtest on\n%v", ran, tested)
		}
		bidsSeen = nil
		mustRun(t, "backtest", "--config", cfg, "--latency", "50ms", "--queue", "front", rec)
		if !slices.Equal(bidsSeen, tested) {
			t.Errorf("with another latency and queue the market alone decides otherwise: %d and %d times", len(bidsSeen), len(tested))
		}
		return
	}
}

// TestQueueModelsForetellTheFillsOfARun: the own orders of a run on the embedded venue,
// whose agents' orders stand in the very queues, against what the models make of its
// recording. RIPOSTE_FIDELITY=3m runs so long and wants nine fills in ten foretold.
func TestQueueModelsForetellTheFillsOfARun(t *testing.T) {
	long, full := os.LookupEnv("RIPOSTE_FIDELITY")
	span := "2s"
	if full {
		span = long
	}
	dir := t.TempDir()
	rec, j := filepath.Join(dir, "rec"), filepath.Join(dir, "journal")
	mustRun(t, "run", "--for", span, "--json", "--record", rec, "--set", "journal.dir="+j, "--set", "account.losses_max=100000",
		"--set", `strategy.params={slack_ticks=10,slack_bps=3.0,cooldown="100ms",skew_bps=0.5}`)
	var fits []backtest.Fit
	code, out, errs := command(t, "backtest", "--json", "--calibrate", j, rec)
	if !full && strings.Contains(errs, "rested, from beginning to end, within the recording") {
		return // two seconds of a busy machine: no order had both
	}
	if err := json.Unmarshal([]byte(out), &fits); err != nil || code != exitOK || len(fits) != len(calibrated) {
		t.Fatalf("calibrate: exit %d, %v, %s", code, err, errs)
	}
	for _, f := range fits {
		t.Logf("%-9s %4d orders, %4d filled, %4d foretold, %4d both, %3d missed, %3d wrong, value %3.0f %%, late %.1f ms, F1 %.3f",
			f.Queue, f.Orders, f.Real, f.Predicted, f.Both, f.Missed, f.Wrong, 100*f.ModelQty/max(f.RealQty, 1e-9), f.Late, f.F1)
		if f.Both+f.Missed != f.Real || f.Both+f.Wrong != f.Predicted || f.Orders < f.Real {
			t.Errorf("%+v does not add up", f)
		}
		if full && f.Both*10 < f.Real*9 {
			t.Errorf("%s foretold %d of %d fills, want nine in ten", f.Queue, f.Both, f.Real)
		}
	}
}
