package engine_test

import (
	"testing"
	"time"

	"riposte/core"
	"riposte/core/book"
	"riposte/core/engine"
	"riposte/core/engine/enginetest"
	"riposte/core/risk"
)

// probe is a strategy made of functions; any may be nil. It counts its calls and
// holds every call against what must be true of it.
type probe struct {
	t        testing.TB
	market   func(*engine.View, *core.Event)
	report   func(*engine.View, *core.Report, *risk.Order)
	timer    func(*engine.View)
	markets  int
	timers   int
	reported []core.Report
	lastNow  core.MonoNs
}

func (p *probe) check(v *engine.View) {
	if v.Now() < p.lastNow {
		p.t.Errorf("time went back from %d to %d", p.lastNow, v.Now())
	}
	p.lastNow = v.Now()
}

func (p *probe) live(v *engine.View) {
	p.check(v)
	if !v.Live() {
		p.t.Error("a strategy was called while its book is not Live")
		return
	}
	if b := v.Book(); b.Crossed() {
		p.t.Errorf("the book shown is crossed: %+v", b.Top())
	}
	if top, b := v.Top(), v.Book().Top(); top.ID < b.ID || top.ID == b.ID && top != b {
		p.t.Errorf("the top shown is %+v, want that of the book, %+v, or a newer one", top, b)
	}
}

func (p *probe) Market(v *engine.View, ev *core.Event) {
	p.markets++
	p.live(v)
	if p.market != nil {
		p.market(v, ev)
	}
}

func (p *probe) Timer(v *engine.View) {
	p.timers++
	p.live(v)
	if p.timer != nil {
		p.timer(v)
	}
}

func (p *probe) Report(v *engine.View, r *core.Report, o *risk.Order) {
	p.check(v)
	p.reported = append(p.reported, *r)
	if o.ID != r.ID {
		p.t.Errorf("a report of order %d came with the record of %d", r.ID, o.ID)
	}
	if p.report != nil {
		p.report(v, r, o)
	}
}

// newWorld makes a world of one symbol traded by p.
func newWorld(t testing.TB, p *probe, s enginetest.Setup) *enginetest.World {
	t.Helper()
	if p != nil {
		p.t = t
		s.Strategy = func(*core.Instrument) (engine.Strategy, error) { return p, nil }
	}
	w, err := enginetest.New(s)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func marketStats(t testing.TB, w *enginetest.World, id core.InstrumentID) *engine.MarketStats {
	t.Helper()
	w.Advance(time.Second) // past the next publication
	return w.Shard.MarketStats(id)
}

// everyQuote places one buy for each depth event.
func everyQuote(v *engine.View, ev *core.Event) {
	if ev.Kind == core.DepthDelta {
		v.Limit(core.Buy, v.Top().Bid, core.Scale)
	}
}

func TestDemotionComesBeforeAnyCallAndEndsOwnOrders(t *testing.T) {
	breaks := map[string]struct {
		do     func(*enginetest.World)
		state  book.State
		reason book.Reason
	}{
		"line down": {func(w *enginetest.World) { w.Mark(0, core.LineDown) }, book.Stale, book.LineLost},
		"overflow":  {func(w *enginetest.World) { w.Mark(0, core.Overflow) }, book.Stale, book.QueueFull},
		"gap":       {func(w *enginetest.World) { w.Delta(0, 1009, 1009, nil, nil) }, book.Gapped, book.EventMissing},
		"crossed":   {func(w *enginetest.World) { w.Delta(0, 1001, 1001, enginetest.Levels("200", "1"), nil) }, book.Gapped, book.BookCrossed},
	}
	for name, c := range breaks {
		t.Run(name, func(t *testing.T) {
			p := &probe{market: everyQuote}
			w := newWorld(t, p, enginetest.Setup{})
			w.Quote(0, "100", "1", "101", "1")
			w.Run()
			placed := w.Out()
			if len(placed) != 1 || p.markets != 1 {
				t.Fatalf("%d orders after %d calls, want one each", len(placed), p.markets)
			}
			c.do(w)
			// What is behind it must not be shown either: trade, touch, delta.
			w.Trade(0, enginetest.P("100"), core.Scale)
			w.Touch(0, core.Top{ID: 5000, Bid: enginetest.P("100"), BidQty: 1, Ask: enginetest.P("101"), AskQty: 1})
			w.Run()
			w.Advance(time.Second) // timers are silent too
			if p.markets != 1 || p.timers != 1 {
				t.Errorf("the strategy was called %d times for events and %d for timers, want 1 and 1, before the break", p.markets, p.timers)
			}
			out := w.Out()
			if len(out) != 1 || out[0].Kind != core.CancelAll || out[0].Instrument != 0 {
				t.Fatalf("out came %+v, want the cancel of all own orders", out)
			}
			if o := w.Gate.Find(placed[0].ID); o == nil || !o.Canceling {
				t.Errorf("the order stands as %+v, want cancelling and still counted", o)
			}
			m := w.Shard.MarketStats(0)
			if m.Sync.State != c.state || m.Sync.Reason != c.reason || m.Top != (core.Top{}) {
				t.Errorf("book %v (%v) with top %+v, want %v (%v) and none", m.Sync.State, m.Sync.Reason, m.Top, c.state, c.reason)
			}
			if n := w.Shard.Stats().Demotions; n != 1 {
				t.Errorf("%d demotions counted, want 1", n)
			}
		})
	}
}

// All lines end at once: the cancel of one market's orders ends the Step before the other
// market has come to the end of its book, and the timers wait for it.
func TestNoTimerSeesABookWhoseEndWaits(t *testing.T) {
	probes := [2]probe{{t: t, market: everyQuote}, {t: t, market: everyQuote}}
	w, err := enginetest.New(enginetest.Setup{Symbols: []string{"AAA", "BBB"}, Strategy: func(in *core.Instrument) (engine.Strategy, error) {
		return &probes[in.ID], nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	for id := range core.InstrumentID(2) {
		w.Quote(id, "100", "1", "101", "1")
	}
	w.Run()
	w.Out()
	seen := [2]int{probes[0].timers, probes[1].timers}
	for id := range core.InstrumentID(2) {
		w.Mark(id, core.LineDown)
		w.Quote(id, "100", "1", "101", "1")
	}
	w.Clock.Now += core.MonoNs(time.Second) // past the timer
	for range 10 {
		w.Shard.Step()
	}
	for id := range probes {
		if n := probes[id].timers - seen[id]; n != 0 {
			t.Errorf("the timer of market %d was called %d times with its book's end waiting or served, want never", id, n)
		}
	}
	if out := w.Out(); len(out) != 2 || out[0].Kind != core.CancelAll || out[1].Kind != core.CancelAll {
		t.Errorf("out came %+v, want the cancel of all own orders on both", out)
	}
	w.Run()
	if s := w.Shard.Stats(); s.Demotions != 2 {
		t.Errorf("%d demotions counted, want 2: timers go on", s.Demotions)
	}
}

// A report may come for a market that cannot be seen: the strategy hears it, the
// gate lets nothing new through.
func TestReportsReachTheStrategyOfABookThatIsNotLive(t *testing.T) {
	var refused risk.Refusal
	p := &probe{market: everyQuote, report: func(v *engine.View, _ *core.Report, _ *risk.Order) {
		if v.Live() || v.Signals().Ready() || v.Top() != (core.Top{}) {
			t.Error("the book is shown as Live, or its signals or top as known")
		}
		_, refused = v.Limit(core.Buy, enginetest.P("100"), core.Scale)
	}}
	w := newWorld(t, p, enginetest.Setup{})
	w.Quote(0, "100", "1", "101", "1")
	w.Run()
	id := w.Out()[0].ID
	w.Mark(0, core.LineDown)
	w.Run()
	w.Ack(id)
	w.Run()
	if len(p.reported) != 1 || refused != risk.RefusedStale {
		t.Errorf("%d reports, an order in answer was refused by %q, want 1 and %q", len(p.reported), refused, risk.RefusedStale)
	}
}

// The shard's own cancel must not get lost where the ring out is full.
func TestCancelOnDemotionWaitsForRoom(t *testing.T) {
	p := &probe{market: everyQuote}
	w := newWorld(t, p, enginetest.Setup{OutSize: 2})
	w.Quote(0, "100", "1", "101", "1")
	w.Quote(0, "100.01", "1", "101", "1")
	w.Run()
	if n := w.Approved.Len(); n != 2 {
		t.Fatalf("%d approvals wait, want the ring full with 2", n)
	}
	w.Mark(0, core.LineDown)
	w.Run()
	if n := w.Approved.Len(); n != 2 {
		t.Fatalf("%d approvals wait, want 2", n)
	}
	if placed := w.Out(); len(placed) != 2 || placed[1].Kind != core.Place {
		t.Fatalf("out came %+v, want two orders", placed)
	}
	w.Run()
	if out := w.Out(); len(out) != 1 || out[0].Kind != core.CancelAll {
		t.Fatalf("out came %+v, want the cancel that found no room", out)
	}
	w.Run()
	if out := w.Out(); len(out) != 0 {
		t.Errorf("the cancel came again: %+v", out)
	}
}

func TestUnknownInstrumentsInReportsAndSnapshotsAreCounted(t *testing.T) {
	w := newWorld(t, &probe{}, enginetest.Setup{})
	w.Quote(0, "100", "1", "101", "1")
	w.Run()
	for _, id := range []core.InstrumentID{1, core.NoInstrument} {
		*w.Reports.Claim() = core.Report{Kind: core.ReportFill, Instrument: id, ID: 1}
		w.Reports.Publish()
		*w.Images.Claim() = &book.Image{Instrument: id}
		w.Images.Publish()
	}
	w.Run()
	if m := marketStats(t, w, 0); m.Sync.State != book.Live {
		t.Errorf("the book is %v, want live", m.Sync.State)
	}
	if n := w.Shard.Stats().StrayReports; n != 2 {
		t.Errorf("%d stray reports counted, want 2", n)
	}
	if w.Shard.MarketStats(core.NoInstrument) != nil {
		t.Error("an instrument that is not in the table has figures")
	}
}
