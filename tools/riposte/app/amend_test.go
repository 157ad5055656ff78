package app

import (
	"testing"

	"riposte/core"
	"riposte/core/engine"
	"riposte/core/risk"
)

func init() { engine.Register("shrinker", newShrinker) }

// shrinker rests one order away from the market and halves it until the venue would take
// no less, then cancels it and begins again.
type shrinker struct {
	id core.OrderID
}

func newShrinker(_ *core.Instrument, p *engine.Params) (engine.Strategy, error) {
	return &shrinker{}, p.Done()
}

func (s *shrinker) Market(v *engine.View, _ *core.Event) {
	if top := v.Top(); s.id == 0 && top.Bid > 0 {
		f := &v.Instrument().Filters
		price := (top.Bid - top.Bid/200).TickFloor(f.Tick)
		if id, r := v.Limit(core.Buy, price, core.Qty(core.Scale/100).LotFloor(f.Lot)); r == risk.None {
			s.id = id
		}
	}
}

func (s *shrinker) Report(v *engine.View, r *core.Report, o *risk.Order) {
	switch {
	case o.Status.Terminal():
		s.id = 0
	case r.Kind == core.ReportAck || r.Kind == core.ReportAmended:
		if v.Amend(s.id, (o.Qty/2).LotFloor(v.Instrument().Filters.Lot)) != risk.None {
			v.Cancel(s.id)
		}
	case r.Kind == core.ReportCancelRejected:
		v.Cancel(s.id)
	}
}

func (s *shrinker) Timer(*engine.View) {}

// TestAmendsAgainstTheEmbeddedExchange: each is confirmed, the venue and we agree on what
// is left, and an answer that is lost is found out.
func TestAmendsAgainstTheEmbeddedExchange(t *testing.T) {
	d := started(t, simConfig(t, `name = "quoter"`, `name = "shrinker"`, "symbols = []", `symbols = ["BTCUSDT"]`, `slack_ticks = 2`, "", `life_min = "250ms"`, "",
		`recv_window = "2s"`, `recv_window = "500ms"`, `margin = "10s"`, `margin = "300ms"`, `span = "60s"`, `span = "500ms"`))
	amends := func() uint64 { return d.dealer.view().stats.Amends }
	wait(t, "amends", d, func(r *report) bool { return amends() >= 6 && settled(r) })
	if v := d.dealer.view(); v.stats.AnswersUnknown != 0 {
		t.Errorf("%d answers were not understood", v.stats.AnswersUnknown)
	}
	for _, how := range []string{"taken", "untaken"} {
		before := amends()
		fault(t, d, "lose all "+how+" reset 2")
		wait(t, "amends beside answers that are lost", d, func(r *report) bool { return amends() >= before+4 && settled(r) })
	}
	finish(t, d)
	if v := d.dealer.view(); v.table.Contradictions != 0 {
		t.Errorf("%d contradictions", v.table.Contradictions)
	}
	t.Logf("%d amends", amends())
}
