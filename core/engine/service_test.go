package engine_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"riposte/core"
	"riposte/core/book"
	"riposte/core/engine"
	"riposte/core/engine/enginetest"
	"riposte/core/risk"
)

// A ring's end splits what waits in it; what lies beyond must be served before the
// market all the same.
func TestAllReportsAreServedBeforeAnyMarketEvent(t *testing.T) {
	for wrapAt := range 4 {
		var calls []string
		p := &probe{
			market: func(v *engine.View, ev *core.Event) {
				calls = append(calls, "market")
				if v.Exposure().Open == 0 && len(calls) == 1 {
					for range 3 {
						v.Limit(core.Buy, v.Top().Bid, core.Scale)
					}
				}
			},
			report: func(*engine.View, *core.Report, *risk.Order) { calls = append(calls, "report") },
		}
		w := newWorld(t, p, enginetest.Setup{RingSize: 4})
		for range wrapAt { // move the ring on, with reports that reach nobody
			*w.Reports.Claim() = core.Report{Instrument: core.NoInstrument}
			w.Reports.Publish()
			w.Run()
		}
		w.Quote(0, "100", "1", "101", "1")
		w.Run()
		for _, in := range w.Out() {
			w.Ack(in.ID)
		}
		w.Quote(0, "100.01", "1", "101", "1")
		w.Shard.Step()
		if want := []string{"market", "report", "report", "report", "market"}; !slices.Equal(calls, want) {
			t.Errorf("ring wrapped after %d: served %v, want %v", 4-wrapAt, calls, want)
		}
	}
}

func TestCommandsAreServedBeforeReportsAndMarkets(t *testing.T) {
	p := &probe{market: everyQuote}
	w := newWorld(t, p, enginetest.Setup{RingSize: 2})
	w.Command(engine.Command{Kind: engine.CmdLift, Cause: risk.HaltOperator})
	w.Run()
	w.Quote(0, "100", "1", "101", "1")
	w.Command(engine.Command{Kind: engine.CmdLift, Cause: risk.HaltOperator})
	w.Command(engine.Command{Kind: engine.CmdHalt, Cause: risk.HaltKey}) // beyond the ring's end
	w.Run()
	if got := w.Gate.Halted(); got != risk.HaltKey || p.markets != 1 || len(w.Out()) != 0 {
		t.Errorf("halted for %v after %d market calls, want %v, 1 and no order", got, p.markets, risk.HaltKey)
	}
}

// An order does not wait behind events that came after its cause, and the next Step
// goes on with the next symbol.
func TestStepEndsOnceAnOrderIsHandedOn(t *testing.T) {
	calls := [2]int{}
	w, err := enginetest.New(enginetest.Setup{Symbols: []string{"AAA", "BBB"}, Strategy: func(in *core.Instrument) (engine.Strategy, error) {
		return &probe{t: t, market: func(v *engine.View, ev *core.Event) {
			calls[in.ID]++
			everyQuote(v, ev)
		}}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	for id := range core.InstrumentID(2) {
		w.Quote(id, "100", "1", "101", "1")
		w.Quote(id, "100.01", "1", "101", "1")
		w.Quote(id, "100.02", "1", "101", "1")
	}
	for step, want := range [][2]int{{1, 0}, {1, 1}, {2, 1}, {2, 2}, {3, 2}, {3, 3}} {
		if w.Shard.Step() == 0 || calls != want {
			t.Fatalf("step %d: the strategies were called %v times, want %v", step, calls, want)
		}
	}
}

func TestStampsRiseAndNameTheirCause(t *testing.T) {
	p := &probe{market: everyQuote, timer: func(v *engine.View) {
		if v.Exposure().Open < 10 {
			v.Limit(core.Sell, v.Top().Ask, core.Scale)
		}
	}}
	w := newWorld(t, p, enginetest.Setup{Stages: true})
	w.Clock.Tick = 7
	input := uint64(0)
	for i := range 20 {
		w.Quote(0, "100", "1", "101", "1")
		recv := w.Clock.Now
		w.Advance(50 * time.Millisecond)
		for _, a := range w.TakeApproved() {
			s := *a.Stamps()
			in := a.Intent()
			if s.Recv > s.Decoded || s.Decoded > s.Applied || s.Applied >= s.Decided || s.Decided >= s.Approved || s.Approved > w.Clock.Now {
				t.Fatalf("%d: stamps %+v do not rise", i, s)
			}
			if in.Side == core.Buy && (s.Recv != recv || s.Applied == s.Recv) {
				t.Fatalf("%d: stamps %+v, want the event's own, read at %d", i, s, recv)
			}
			if a.Cause() != s.Recv || a.Decided() != s.Decided || a.At() != s.Approved {
				t.Fatalf("%d: the short names differ from %+v", i, s)
			}
			if a.Input() < input {
				t.Fatalf("%d: input %d after %d", i, a.Input(), input)
			}
			input = a.Input()
		}
	}
	if n := len(w.Stages.Pending()); n != 20 {
		t.Errorf("%d stage samples, want 20", n)
	}
}

func TestHaltStopsOrdersAndEndsOwnOnes(t *testing.T) {
	p := &probe{market: everyQuote}
	w := newWorld(t, p, enginetest.Setup{})
	quote := func() []core.Intent {
		w.Quote(0, "100", "1", "101", "1")
		w.Run()
		return w.Out()
	}
	if out := quote(); len(out) != 1 {
		t.Fatalf("%d orders, want 1", len(out))
	}
	w.Command(engine.Command{Kind: engine.CmdHalt, Cause: risk.HaltOperator})
	w.Run()
	if out := w.Out(); len(out) != 1 || out[0].Kind != core.CancelAll {
		t.Fatalf("on the halt came %+v, want the cancel of all own orders", out)
	}
	if out := quote(); len(out) != 0 || p.markets != 2 {
		t.Fatalf("while halted came %+v after %d calls, want nothing after 2", out, p.markets)
	}
	w.Command(engine.Command{Kind: engine.CmdHalt, Cause: risk.HaltJournal}) // a new cause: once more
	w.Command(engine.Command{Kind: engine.CmdHalt, Cause: risk.HaltJournal})
	w.Run()
	if out := w.Out(); len(out) != 1 {
		t.Fatalf("on the second cause came %+v, want one cancel", out)
	}
	w.Command(engine.Command{Kind: engine.CmdLift, Cause: risk.HaltOperator})
	if out := quote(); len(out) != 0 {
		t.Fatalf("with one cause left came %+v, want nothing", out)
	}
	w.Command(engine.Command{Kind: engine.CmdLift, Cause: risk.HaltJournal})
	if out := quote(); len(out) != 1 || out[0].Kind != core.Place {
		t.Fatalf("after both were lifted came %+v, want an order", out)
	}
	w.Command(engine.Command{Kind: engine.CmdHalt, Cause: risk.HaltJournal})
	w.Run()
	if out := w.Out(); len(out) != 1 {
		t.Errorf("on the same cause, lifted before, came %+v, want one cancel", out)
	}
}

// A venue that rejects everything stops the strategy at the limit; no command is
// needed for its other orders to end.
func TestRejectsInARowHaltAndEndOwnOrders(t *testing.T) {
	p := &probe{market: everyQuote}
	w := newWorld(t, p, enginetest.Setup{Account: risk.AccountLimits{OpenMax: 100, RateMax: 1000, RateSpan: 1, RejectMax: 5}})
	w.Quote(0, "100", "1", "101", "1")
	w.Run()
	w.Ack(w.Out()[0].ID)
	sent := 0
	for range 100 {
		w.Quote(0, "100", "1", "101", "1")
		w.Run()
		for _, in := range w.Out() {
			if in.Kind == core.Place {
				sent++
				w.Done(in.ID, core.Rejected)
				continue
			}
			if in.Kind != core.CancelAll || sent != 5 {
				t.Fatalf("after %d orders came %+v", sent, in)
			}
			w.Done(1, core.Canceled)
		}
	}
	if w.Gate.Halted() != risk.HaltRejects || sent != 5 || w.Gate.Live() != 0 {
		t.Errorf("halted for %v after %d orders with %d live, want %v, 5, 0", w.Gate.Halted(), sent, w.Gate.Live(), risk.HaltRejects)
	}
}

func TestCancelAllCommandReachesEverySymbol(t *testing.T) {
	w, err := enginetest.New(enginetest.Setup{Symbols: []string{"AAA", "BBB", "CCC"}, Strategy: func(*core.Instrument) (engine.Strategy, error) {
		return &probe{t: t, market: everyQuote}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []core.InstrumentID{0, 2} {
		w.Quote(id, "100", "1", "101", "1")
	}
	w.Run()
	w.Out()
	w.Command(engine.Command{Kind: engine.CmdCancelAll})
	w.Run()
	var ended []core.InstrumentID
	for _, in := range w.Out() {
		if in.Kind == core.CancelAll {
			ended = append(ended, in.Instrument)
		}
	}
	if !slices.Equal(ended, []core.InstrumentID{0, 2}) {
		t.Errorf("cancelled on %v, want on 0 and 2, which have orders", ended)
	}
}

// A full ring out refuses before the gate is asked, so nothing that was approved can
// be lost and nothing counts that was not handed on. The last quarter is for cancels.
func TestFullOutboundRingRefusesAndLeaksNothing(t *testing.T) {
	var answers []risk.Refusal
	var ids []core.OrderID
	p := &probe{}
	p.market = func(v *engine.View, _ *core.Event) {
		id, r := v.Limit(core.Buy, v.Top().Bid, core.Scale)
		answers = append(answers, r)
		if r == risk.None {
			ids = append(ids, id)
		} else {
			answers = append(answers, v.Cancel(ids[len(answers)%len(ids)]))
		}
	}
	w := newWorld(t, p, enginetest.Setup{OutSize: 8})
	for range 10 {
		w.Quote(0, "100", "1", "101", "1")
		w.Run()
	}
	const none, full, pending = risk.None, risk.RefusedOutboundFull, risk.RefusedCancelPending
	if want := []risk.Refusal{none, none, none, none, none, none, full, none, full, none, full, full, full, full}; !slices.Equal(answers, want) {
		t.Fatalf("answers %v, want %v (%v would be a cancel lost)", answers, want, pending)
	}
	out := w.Out()
	places := 0
	for _, in := range out {
		if in.Kind == core.Place {
			places++
		}
	}
	if e := w.Gate.Exposure(0); len(out) != 8 || places != 6 || e.Open != 6 || e.Buy != 6*core.Scale || w.Gate.Live() != 6 {
		t.Errorf("%d handed on, %d of them orders, %+v at stake, want 8, 6 and exactly those", len(out), places, e)
	}
	w.Quote(0, "100", "1", "101", "1")
	w.Run()
	if got := answers[len(answers)-1]; got != none {
		t.Errorf("with room again: %v", got)
	}
	marketStats(t, w, 0)
	if s := w.Shard.Stats(); s.OutFull != 6 || s.Refused[full] != 6 || s.Orders != 7 || s.Cancels != 2 || s.Approved != 9 {
		t.Errorf("counted %d and %d full, %d orders, %d cancels, %d approved, want 6, 6, 7, 2, 9", s.OutFull, s.Refused[full], s.Orders, s.Cancels, s.Approved)
	}
}

func TestStrategyCannotTouchOrdersOfAnotherSymbol(t *testing.T) {
	var other core.OrderID
	w, err := enginetest.New(enginetest.Setup{Symbols: []string{"AAA", "BBB"}, Strategy: func(in *core.Instrument) (engine.Strategy, error) {
		return &probe{t: t, market: func(v *engine.View, ev *core.Event) {
			if in.ID == 0 {
				other, _ = v.Limit(core.Buy, v.Top().Bid, core.Scale)
				return
			}
			if v.Order(other) != nil || v.Cancel(other) != risk.RefusedUnknownOrder {
				t.Error("an order of another symbol can be reached")
			}
		}}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	w.Quote(0, "100", "1", "101", "1")
	w.Run()
	w.Quote(1, "100", "1", "101", "1")
	w.Run()
	if out := w.Out(); len(out) != 1 || other == 0 {
		t.Errorf("out came %+v, want the one order", out)
	}
}

func TestFiguresArePublished(t *testing.T) {
	p := &probe{market: everyQuote}
	w := newWorld(t, p, enginetest.Setup{})
	w.Quote(0, "100", "3", "102", "1")
	w.Run()
	w.Quote(0, "100", "3", "102", "1")
	w.Run()
	out := w.Out()
	w.Ack(out[0].ID)
	w.Fill(out[0].ID, core.Scale/2)
	*w.Reports.Claim() = core.Report{Kind: core.ReportFill, Status: core.Filled, ID: out[0].ID, Qty: core.Scale / 2, Price: 100 * core.Scale,
		Quote: 50 * core.Scale, FeeAsset: w.Table.Get(0).Quote, Fee: core.Scale}
	w.Reports.Publish()
	w.Report(core.Report{Kind: core.ReportDoubt, Status: core.Unknown, ID: out[1].ID})
	w.Done(out[1].ID, core.NotSent)
	w.Trade(0, 101*core.Scale, core.Scale)
	m := marketStats(t, w, 0)
	if m.Sync.State != book.Live || m.BidCount != 1 || m.AskCount != 1 || m.Top.BidQty != 3*core.Scale {
		t.Errorf("book %v with %d bids and %d asks, top %+v", m.Sync.State, m.BidCount, m.AskCount, m.Top)
	}
	// Bought 1 at 100 with a fee of 1; the mid is 101.
	if m.Fills != 2 || m.Traded != core.Scale || m.Cash != -101*core.Scale || m.PnL != 0 || m.Exposure.Position != core.Scale || m.Exposure.Open != 0 {
		t.Errorf("%d fills of %v, cash %v, PnL %v, %+v, want 2 of 1, -101, 0 and a position of 1", m.Fills, m.Traded, m.Cash, m.PnL, m.Exposure)
	}
	if m.Fees[0] != (engine.Fee{Asset: w.Table.Get(0).Quote, Amount: core.Scale}) {
		t.Errorf("fees %+v, want 1 of quote", m.Fees)
	}
	s := w.Shard.Stats()
	if s.Events != 3 || s.Snapshots != 1 || s.Orders != 2 || s.Acks != 1 || s.Fills != 2 || s.Doubts != 1 || s.Unsent != 1 || s.Live != 0 ||
		s.Approved != 2 || s.Now == 0 || s.Input == 0 || s.Halted != 0 {
		t.Errorf("figures %+v", *s)
	}
	// Fees in the base asset are position that was not got, in a third asset neither.
	base := w.Table.Get(0).Base
	*w.Reports.Claim() = core.Report{Kind: core.ReportFill, Status: core.Filled, ID: 99, Side: core.Sell, Qty: core.Scale, Price: 101 * core.Scale,
		Quote: 101 * core.Scale, FeeAsset: base, Fee: core.Scale / 10}
	w.Reports.Publish()
	m = marketStats(t, w, 0)
	if m.Exposure.Position != -core.Scale/10 || m.Cash != 0 || m.Fees[1] != (engine.Fee{Asset: base, Amount: core.Scale / 10}) || m.PnL != -101*core.Scale/10 {
		t.Errorf("position %v, cash %v, fees %+v, PnL %v, want -0.1, 0, 0.1 of base, -10.1", m.Exposure.Position, m.Cash, m.Fees, m.PnL)
	}
}

func TestShardWithAMissingPartIsAnError(t *testing.T) {
	w := newWorld(t, nil, enginetest.Setup{})
	good := engine.Config{Instruments: w.Table, Clock: w.Clock, Gate: w.Gate, Queues: w.Queues, Strategies: make([][]engine.Seat, 1),
		Reports: w.Reports, Images: w.Images, Commands: w.Commands, Out: w.Approved, Want: w.Want, TimerEvery: 1, StatsEvery: 1}
	if _, err := engine.NewShard(good); err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(*engine.Config){
		"got 0 queues and 1 strategies, want 1": func(c *engine.Config) { c.Queues = nil },
		"1 queues and 2 strategies":             func(c *engine.Config) { c.Strategies = make([][]engine.Seat, 2) },
		"timer interval is 0s":                  func(c *engine.Config) { c.TimerEvery = 0 },
		"stats interval -1ns":                   func(c *engine.Config) { c.StatsEvery = -1 },
		"rings is nil":                          func(c *engine.Config) { c.Out = nil },
		"gate or one":                           func(c *engine.Config) { c.Gate = nil },
	} {
		bad := good
		spoil(&bad)
		if _, err := engine.NewShard(bad); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}
