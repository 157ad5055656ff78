package engine_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"riposte/core"
	"riposte/core/airlock"
	"riposte/core/engine"
	"riposte/core/engine/enginetest"
	"riposte/core/ring"
	"riposte/core/risk"
	"riposte/core/signal"
)

// outsider buys or sells at the touch for every signal from outside.
type outsider struct{ log []string }

func (o *outsider) Market(v *engine.View, _ *core.Event)                 { o.look(v, "market") }
func (o *outsider) Timer(v *engine.View)                                 { o.look(v, "timer") }
func (o *outsider) Report(_ *engine.View, _ *core.Report, _ *risk.Order) {}

func (o *outsider) look(v *engine.View, at string) {
	for _, f := range v.Fired() {
		o.log = append(o.log, fmt.Sprintf("%s: source %d (%s) says %v with %.2f", at, f.Source, v.NameOf(&f), f.Side, f.Strength))
		top := v.Top()
		p := top.Ask
		if f.Side == core.Sell {
			p = top.Bid
		}
		v.Limit(f.Side, p, 1000)
	}
}

func called(name string, s engine.AirlockSource) engine.AirlockSource {
	s.Name = name
	return s
}

func sourceOf(approve bool) engine.AirlockSource {
	return engine.AirlockSource{Sizes: []core.Qty{1000, 0}, Bounds: airlock.Bounds{AgeMax: core.MonoNs(5 * time.Second), AheadMax: core.MonoNs(time.Second), DriftMax: 20 * airlock.Bp,
		AgreementMax: 20 * airlock.Bp, SpreadMax: 20 * airlock.Bp, DepthTimes: 2, SlippageMax: 5 * airlock.Bp, CostMax: 30 * airlock.Bp, EdgeMin: 1, Edge: 100 * airlock.Bp,
		StatisticsMax: core.MonoNs(time.Hour), VolumeTimes: 1, TrendMax: 100 * airlock.Bp, Contradict: true, ScoreMin: 1, Approve: approve}}
}

// lockWorld is a world with two sources, of which the second waits for a person, and a
// quiet market in which a good signal passes.
func lockWorld(t testing.TB, o engine.Strategy) *enginetest.World {
	t.Helper()
	return worldOf(t, lockSetup(o))
}

func lockSetup(o engine.Strategy) enginetest.Setup {
	return enginetest.Setup{Symbols: []string{"AAA", "BBB"}, Strategy: func(*core.Instrument) (engine.Strategy, error) { return o, nil },
		Airlock: engine.AirlockConfig{Sources: []engine.AirlockSource{called("first", sourceOf(false)), called("second", sourceOf(true))}},
		Score:   engine.ScoreConfig{How: signal.DefaultScoring, Begin: make([]signal.Score, 2)}}
}

func worldOf(t testing.TB, s enginetest.Setup) *enginetest.World {
	t.Helper()
	w, err := enginetest.New(s)
	if err != nil {
		t.Fatal(err)
	}
	for id := range core.InstrumentID(2) {
		w.Quote(id, "100.00", "1", "100.02", "1")
		w.Trade(id, enginetest.P("100.01"), 1000)
		w.Command(engine.Command{Kind: engine.CmdDay, Instrument: id, Day: &airlock.DayFacts{High: enginetest.P("110"), Low: enginetest.P("90"),
			Volume: core.Scale, Fee: 10 * airlock.Bp, At: w.Clock.Now}})
	}
	w.Command(engine.Command{Kind: engine.CmdFacts, VenueAt: 1, Audited: w.Clock.Now, RulesRead: w.Clock.Now})
	w.Run()
	return w
}

func alertFor(w *enginetest.World, source uint16) airlock.Alert {
	return airlock.Alert{Source: source, Side: core.Buy, Price: enginetest.P("100.01"), Strength: core.Scale, Horizon: core.MonoNs(5 * time.Minute),
		Issued: core.WallNs(w.Clock.Now), Recv: w.Clock.Now, ID: airlock.MakeText("a")}
}

func tell(w *enginetest.World, a airlock.Alert) {
	*w.Alerts.Claim() = a
	w.Alerts.Publish()
}

func verdicts(w *enginetest.World) (all []airlock.Verdict) {
	for p := w.Verdicts.Pending(); len(p) > 0; p = w.Verdicts.Pending() {
		all = append(all, p...)
		w.Verdicts.Release(len(p))
	}
	return all
}

func TestAnAcceptedSignalReachesTheStrategyOnItsOwnInput(t *testing.T) {
	o := new(outsider)
	w := lockWorld(t, o)
	tell(w, alertFor(w, 1))
	w.Run()
	vs := verdicts(w)
	if len(vs) != 1 || vs[0].Outcome != airlock.Accepted {
		t.Fatalf("%d verdicts, first %+v, want one accepted", len(vs), vs)
	}
	if want := "timer: source 1 (first) says BUY with 0.50"; len(o.log) != 1 || o.log[0] != want {
		t.Fatalf("the strategy heard %q, want %q once", o.log, want)
	}
	out := w.TakeApproved()
	if len(out) != 1 || out[0].Input() != vs[0].Input {
		t.Fatalf("%d orders, want one of the signal's input %d", len(out), vs[0].Input)
	}
	w.Advance(time.Second)
	if len(o.log) != 1 {
		t.Errorf("the strategy heard of it again: %q", o.log)
	}
}

func TestARefusedSignalReachesNobodyAndIsMarkedAllTheSame(t *testing.T) {
	o := new(outsider)
	w := lockWorld(t, o)
	bad := []struct {
		change func(*airlock.Alert)
		want   airlock.Gate
	}{
		{func(a *airlock.Alert) { a.Failed = airlock.Authenticity }, airlock.Authenticity},
		{func(a *airlock.Alert) { a.Instrument = core.NoInstrument }, airlock.Symbol},
		{func(a *airlock.Alert) { a.Instrument = 1 }, airlock.Symbol}, // without a size
		{func(a *airlock.Alert) { a.Issued -= core.WallNs(6 * time.Second) }, airlock.Age},
		{func(a *airlock.Alert) { a.Price = enginetest.P("101") }, airlock.Drift},
		{func(a *airlock.Alert) { a.Strength = core.Scale / 20 }, airlock.Edge},
	}
	for _, b := range bad {
		a := alertFor(w, 1)
		b.change(&a)
		tell(w, a)
	}
	tell(w, airlock.Alert{Source: 9})
	w.Run()
	vs := verdicts(w)
	if len(vs) != len(bad) {
		t.Fatalf("%d verdicts, want %d", len(vs), len(bad))
	}
	for i, b := range bad {
		if vs[i].Outcome != airlock.Refused || vs[i].Failed != b.want || vs[i].Number != uint64(i+1) {
			t.Errorf("signal %d: number %d, %v by %v, want refused by %v", i+1, vs[i].Number, vs[i].Outcome, vs[i].Failed, b.want)
		}
	}
	w.Advance(2 * time.Second)
	s := w.Shard.Scores().List[0]
	// A forgery says nothing of the source, and one of no market has no price.
	if len(o.log) > 0 || len(w.Out()) > 0 || s.Heard != 6 || s.Waiting != 4 || s.Gates[airlock.Drift] != 1 || w.Shard.Stats().StrayAlerts != 1 {
		t.Errorf("heard %q, %d heard, %d waiting for marks, want none, 6 and 4", o.log, s.Heard, s.Waiting)
	}
	if by := s.Score.By[0]; by.N != 4 || by.Mean() > -10.9 || by.Mean() < -11.1 {
		t.Errorf("%v marks with a mean of %v bps, want 4 that lost the fee and half the spread", by.N, by.Mean())
	}
}

func TestAQueuedSignalPassesOnceWhenAPersonSaysSo(t *testing.T) {
	o := new(outsider)
	w := lockWorld(t, o)
	tell(w, alertFor(w, 2))
	w.Run()
	if vs := verdicts(w); len(vs) != 1 || vs[0].Outcome != airlock.Queued || len(o.log) > 0 {
		t.Fatalf("verdicts %+v, strategy heard %q, want one queued that nobody hears", vs, o.log)
	}
	w.Command(engine.Command{Kind: engine.CmdApprove, Number: 7})
	w.Command(engine.Command{Kind: engine.CmdApprove, Number: 1})
	w.Command(engine.Command{Kind: engine.CmdApprove, Number: 1})
	w.Run()
	if vs := verdicts(w); len(vs) != 1 || vs[0].Outcome != airlock.Accepted || vs[0].Number != 1 || len(o.log) != 1 {
		t.Fatalf("verdicts %+v, strategy heard %q, want it accepted once", vs, o.log)
	}
	w.Advance(time.Second)
	if n := w.Shard.Stats().BadCommands; n != 2 {
		t.Errorf("%d commands could not be done, want the two that named no queued signal", n)
	}
}

func TestAQueuedSignalIsJudgedAgainAndExpires(t *testing.T) {
	o := new(outsider)
	w := lockWorld(t, o)
	tell(w, alertFor(w, 2))
	tell(w, alertFor(w, 2))
	w.Run()
	w.Quote(0, "101.00", "1", "101.02", "1") // the price has gone meanwhile
	w.Trade(0, enginetest.P("101.01"), 1000)
	w.Run()
	w.Command(engine.Command{Kind: engine.CmdApprove, Number: 1})
	w.Run()
	verdict := verdicts(w)
	if v := verdict[len(verdict)-1]; v.Outcome != airlock.Refused || v.Failed != airlock.Drift {
		t.Errorf("approved after the price had gone: %v by %v, want refused by drift", v.Outcome, v.Failed)
	}
	for range 60 {
		w.Advance(100 * time.Millisecond)
	}
	if vs := verdicts(w); len(vs) != 1 || vs[0].Number != 2 || vs[0].Failed != airlock.Approval || len(o.log) > 0 {
		t.Errorf("verdicts %+v, want the second one expired", vs)
	}
	for range 40 {
		tell(w, alertFor(w, 2))
	}
	w.Run()
	full := 0
	for _, v := range verdicts(w) {
		if v.Failed == airlock.Drift {
			full++
		}
	}
	if full != 40 {
		t.Errorf("%d of 40 refused", full)
	}
}

func TestAReplayHearsTheSameSignals(t *testing.T) {
	setup := lockSetup(new(outsider))
	room := ring.NewBytes(1 << 20)
	setup.Inputs = engine.NewLog(room)
	w := worldOf(t, setup)
	for i := range 40 {
		a := alertFor(w, uint16(1+i%2))
		a.Price += core.Price(i%4) * 20 * tick // half of them have drifted
		tell(w, a)
		w.Run()
		w.Command(engine.Command{Kind: engine.CmdApprove, Number: uint64(i)})
		w.Advance(200 * time.Millisecond)
		w.Quote(0, "100.00", "1", "100.02", "1")
	}
	w.Run()
	msgs := messages(room)
	list, diff, err := again(t, lockSetup(new(outsider)), msgs)
	if err != nil || diff != nil || len(list) < 10 {
		t.Fatalf("%d decisions, %+v, %v, want the same ones", len(list), diff, err)
	}
	other := lockSetup(new(outsider))
	other.Airlock.Sources[0].Bounds.SpreadMax = 0
	if _, diff, err = again(t, other, msgs); diff == nil || err != nil {
		t.Errorf("a bound of 0 on the spread makes no difference (%v)", err)
	}
}

func TestHearingASignalAllocatesNothing(t *testing.T) {
	o := &quiet{}
	w := lockWorld(t, o)
	a := alertFor(w, 1)
	if n := testing.AllocsPerRun(200, func() {
		tell(w, a)
		w.Shard.Step()
		w.Verdicts.Release(len(w.Verdicts.Pending()))
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
	if o.heard < 200 {
		t.Errorf("%d signals heard, want 200", o.heard)
	}
}

type quiet struct{ heard int }

func (q *quiet) Market(*engine.View, *core.Event)               {}
func (q *quiet) Report(*engine.View, *core.Report, *risk.Order) {}
func (q *quiet) Timer(v *engine.View)                           { q.heard += len(v.Fired()) }

// Ten sources, in a market that goes at random: each says every five minutes which way it
// will go, and is right so often. What it costs to follow one is 11 bps.
func TestTenSourcesEarnOrLoseTheirWeight(t *testing.T) {
	right := [10]float64{0.5, 0.5, 0.5, 0.5, 0.5, 0.2, 0.55, 0.7, 0.85, 0.95}
	const rounds, every, steps = 150, 300, 302
	rng := rand.New(rand.NewPCG(5, 5))
	var sources []engine.AirlockSource
	for range right {
		s := sourceOf(false)
		s.Sizes = s.Sizes[:1]
		sources = append(sources, s)
	}
	w, err := enginetest.New(enginetest.Setup{RingSize: 256, Strategy: func(*core.Instrument) (engine.Strategy, error) { return &quiet{}, nil },
		Airlock: engine.AirlockConfig{Sources: sources}, Score: engine.ScoreConfig{How: signal.DefaultScoring, Begin: make([]signal.Score, 10)}})
	if err != nil {
		t.Fatal(err)
	}
	w.Command(engine.Command{Kind: engine.CmdDay, Day: &airlock.DayFacts{Fee: 10 * airlock.Bp, High: 1 << 50, Low: 1, Volume: 1 << 60, At: 1}})
	w.Command(engine.Command{Kind: engine.CmdFacts, VenueAt: 1})
	price := func(p float64) core.Top {
		bid := core.Price(p*100) * tick
		return core.Top{Bid: bid, BidQty: core.Scale, Ask: bid + 2*tick, AskQty: core.Scale}
	}
	var zeroAt, oneAt [10]int
	p := 100.0
	w.Top(0, price(p))
	w.Run()
	for n := range rounds {
		move := 0.006 * rng.NormFloat64() // of the next five minutes
		for i := range right {
			a := alertFor(w, uint16(i+1))
			if a.Side = core.Buy; (move > 0) != (rng.Float64() < right[i]) {
				a.Side = core.Sell
			}
			tell(w, a) // refused or not, it is marked
		}
		w.Run()
		verdicts(w)
		from := p
		for i := 1; i <= steps; i++ {
			p = from * (1 + move*min(float64(i)/every, 1))
			w.Clock.Now += core.MonoNs(time.Second)
			w.Top(0, price(p))
			w.Run()
			w.Advance(0)
		}
		for i, s := range w.Shard.Scores().List {
			if s.Weight > 0 {
				zeroAt[i] = n + 1
			}
			if s.Weight < 1 {
				oneAt[i] = n + 1
			}
		}
	}
	for i, s := range w.Shard.Scores().List {
		own := &s.Score.By[3]
		t.Logf("right %3.0f %%: %v marks, hits %.2f, edge %6.1f ± %.1f bps, weight %.2f; at zero for good after %d, at one after %d", 100*right[i], own.N,
			own.HitRate(), own.Mean(), own.Error(), s.Weight, zeroAt[i], oneAt[i])
		switch {
		case right[i] <= 0.55 && (s.Weight > 0 || zeroAt[i] > 60):
			t.Errorf("a source that is right in %v of cases weighs %v after %d signals", right[i], s.Weight, zeroAt[i])
		case right[i] >= 0.85 && (s.Weight < 1 || oneAt[i] > 100):
			t.Errorf("a source that is right in %v of cases weighs %v, one after %d signals", right[i], s.Weight, oneAt[i])
		}
	}
}
