package airlock

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"riposte/core"
)

const second = core.MonoNs(time.Second)

// good is an alert with facts that every gate lets pass.
func good() (Bounds, Alert, Facts) {
	b := Bounds{AgeMax: 5 * second, AheadMax: second, DriftMax: 20 * Bp, AgreementMax: 10 * Bp, SpreadMax: 10 * Bp, DepthTimes: 2, SlippageMax: 5 * Bp,
		CostMax: 30 * Bp, EdgeMin: 2 * Bp, StatisticsMax: 90 * second, DayMargin: 50 * Bp, VolumeTimes: 100, TrendMax: 100 * Bp, LossPart: 80,
		Contradict: true, ScoreMin: core.Scale / 20, Edge: 40 * Bp, EdgeHorizon: 300 * second}
	p := core.Price(60_000 * core.Scale)
	a := Alert{Source: 1, Side: core.Buy, Price: p, Strength: core.Scale, Horizon: 300 * second, Issued: 1_000_000_000_000}
	q := core.Qty(core.Scale / 100)
	f := Facts{Size: q, Live: true, Proof: second / 10, ProofMax: second, Venue: a.Issued + 200_000_000, ClockError: second / 100,
		Touch: core.Top{Bid: p - core.Scale, Ask: p + core.Scale}, Bid: p - core.Scale, Ask: p + core.Scale, Last: p,
		Value: core.NotionalOf(p+core.Scale, q), Filled: q, Deep: 2 * q,
		Day:    DayFacts{High: p + 1000*core.Scale, Low: p - 1000*core.Scale, Volume: 1_000_000 * core.Scale, Fee: 10 * Bp, At: 1},
		DayAge: second, WorstMax: core.Scale, Worst: q, LossMax: 100 * core.Scale, Weight: core.Scale / 2}
	return b, a, f
}

func TestAGoodAlertIsAcceptedAndScaled(t *testing.T) {
	b, a, f := good()
	var v Verdict
	b.Judge(&a, &f, &v)
	if v.Outcome != Accepted || v.Failed != None || v.Scaled != core.Scale/2 {
		t.Fatalf("%v by %v (%s), scaled %d, want accepted at half its strength", v.Outcome, v.Failed, v.Failed.Describe(v.Readings[v.Failed]), v.Scaled)
	}
	b.Approve = true
	if b.Judge(&a, &f, &v); v.Outcome != Queued {
		t.Errorf("%v where a person must let it pass, want queued", v.Outcome)
	}
}

// Each fact that goes bad fails its gate and no other, and a gate behind it that goes
// bad too does not hide it.
func TestTheFirstGateThatFailsIsNamed(t *testing.T) {
	cases := []struct {
		name string
		bad  func(*Bounds, *Alert, *Facts)
		want Gate
	}{
		{"refused at the door", func(_ *Bounds, a *Alert, _ *Facts) { a.Failed = Replay }, Replay},
		{"symbol not in the table", func(_ *Bounds, a *Alert, _ *Facts) { a.Instrument = core.NoInstrument }, Symbol},
		{"no size for the symbol", func(_ *Bounds, _ *Alert, f *Facts) { f.Size = 0 }, Symbol},
		{"book not live", func(_ *Bounds, _ *Alert, f *Facts) { f.Live = false }, Book},
		{"book not proved lately", func(_ *Bounds, _ *Alert, f *Facts) { f.Proof = 2 * second }, Book},
		{"too old", func(_ *Bounds, a *Alert, _ *Facts) { a.Issued -= 5_000_000_000 }, Age},
		{"from the future", func(_ *Bounds, a *Alert, _ *Facts) { a.Issued += 2_000_000_000 }, Age},
		{"venue's time not known", func(_ *Bounds, _ *Alert, f *Facts) { f.Venue = 0 }, Age},
		{"price has moved", func(_ *Bounds, a *Alert, _ *Facts) { a.Price += a.Price / 400 }, Drift},
		{"price is absurd", func(_ *Bounds, a *Alert, _ *Facts) { a.Price = 1 }, Drift},
		{"price is enormous", func(_ *Bounds, a *Alert, _ *Facts) { a.Price = 1<<63 - 1 }, Drift},
		{"no trade seen", func(_ *Bounds, _ *Alert, f *Facts) { f.Last = 0 }, Agreement},
		{"trade is elsewhere", func(_ *Bounds, _ *Alert, f *Facts) { f.Last += f.Last / 500 }, Agreement},
		{"book is elsewhere", func(_ *Bounds, _ *Alert, f *Facts) { f.Bid -= 200 * core.Scale }, Agreement},
		{"spread is wide", func(_ *Bounds, _ *Alert, f *Facts) { f.Touch.Ask += 70 * core.Scale; f.Ask = f.Touch.Ask }, Spread},
		{"book is thin", func(_ *Bounds, _ *Alert, f *Facts) { f.Deep-- }, Depth},
		{"it would slip", func(_ *Bounds, _ *Alert, f *Facts) {
			f.Value = core.NotionalOf(f.Ask+60*core.Scale, f.Size)
		}, Slippage},
		{"size is not there", func(b *Bounds, _ *Alert, f *Facts) { f.Filled, b.DepthTimes = f.Size-1, 1 }, Slippage},
		{"fee is high", func(_ *Bounds, _ *Alert, f *Facts) { f.Day.Fee = 40 * Bp }, Cost},
		{"fee is not known", func(_ *Bounds, _ *Alert, f *Facts) { f.Day.At = 0 }, Cost},
		{"too weak for the cost", func(_ *Bounds, a *Alert, _ *Facts) { a.Strength = core.Scale / 10 }, Edge},
		{"too short for the cost", func(_ *Bounds, a *Alert, _ *Facts) { a.Horizon = second }, Edge},
		{"statistics are old", func(_ *Bounds, _ *Alert, f *Facts) { f.DayAge = 91 * second }, Statistics},
		{"outside the day's range", func(_ *Bounds, _ *Alert, f *Facts) { f.Day.High = 59_000 * core.Scale }, Day},
		{"statistics are nonsense", func(_ *Bounds, _ *Alert, f *Facts) { f.Day.High, f.Day.Low = 1, 2 }, Day},
		{"nobody trades it", func(_ *Bounds, _ *Alert, f *Facts) { f.Day.Volume = 59_999 * core.Scale }, Volume},
		{"the last minutes say no", func(_ *Bounds, _ *Alert, f *Facts) { f.Day.Trend = -101 * Bp }, Trend},
		{"halted", func(_ *Bounds, _ *Alert, f *Facts) { f.Halted = 4 }, Halt},
		{"no room", func(_ *Bounds, _ *Alert, f *Facts) { f.Worst = f.WorstMax + 1 }, Position},
		{"the day's loss", func(_ *Bounds, _ *Alert, f *Facts) { f.Lost = 81 * core.Scale }, Loss},
		{"an own signal says no", func(_ *Bounds, _ *Alert, f *Facts) { f.Opposite = 1 }, Contradiction},
		{"a source without credit", func(_ *Bounds, _ *Alert, f *Facts) { f.Weight = 0 }, Score},
	}
	last := None
	for _, c := range cases {
		b, a, f := good()
		c.bad(&b, &a, &f)
		var v Verdict
		b.Judge(&a, &f, &v)
		if v.Outcome != Refused || v.Failed != c.want || v.Scaled != 0 {
			t.Errorf("%s: %v by %v, scaled %d, want refused by %v", c.name, v.Outcome, v.Failed, v.Scaled, c.want)
		}
		if c.want > Symbol && v.Readings[Score].State != Measured {
			t.Errorf("%s: the gates behind %v were not measured", c.name, c.want)
		}
		if c.want < last {
			t.Fatalf("%s: the table is not in the gates' order", c.name)
		}
		last = c.want
		if text := v.Failed.Describe(v.Readings[v.Failed]); !strings.HasPrefix(text, c.want.String()) {
			t.Errorf("%s: told as %q, want the gate's name first", c.name, text)
		}
		f.Weight = 0 // the last gate
		if b.Judge(&a, &f, &v); v.Failed != c.want {
			t.Errorf("%s: %v with a bad gate behind it, want %v", c.name, v.Failed, c.want)
		}
	}
}

// A fact that is worse never makes a refusal an acceptance, and no number panics.
func TestNoFactOverflows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b, a, f := good()
		n := func(name string) int64 { return rapid.Int64().Draw(t, name) }
		a.Price, a.Strength, a.Horizon, a.Issued = core.Price(n("price")), Ratio(rapid.Int64Range(0, core.Scale).Draw(t, "strength")), core.MonoNs(n("horizon")), core.WallNs(n("issued"))
		f.Last, f.Bid, f.Ask, f.Filled, f.Day.Trend = core.Price(n("last")), core.Price(n("bid")), core.Price(n("ask")), core.Qty(n("filled")), Ratio(n("trend"))
		f.Touch.Bid, f.Touch.Ask = core.Price(rapid.Int64Range(0, 1<<62).Draw(t, "touch bid")), core.Price(rapid.Int64Range(0, 1<<62).Draw(t, "touch ask"))
		b.DepthTimes, b.VolumeTimes = rapid.Int64Range(1, 1<<62).Draw(t, "times"), rapid.Int64Range(0, 1<<62).Draw(t, "volume")
		var v Verdict
		b.Judge(&a, &f, &v)
		if v.Outcome == Accepted && (size(Of(f.Touch.Mid(), a.Price)) > b.DriftMax || a.Issued > f.Venue+1_010_000_000) {
			t.Fatalf("accepted with price %v at a mid of %v, issued %d ns ago", a.Price, f.Touch.Mid(), f.Venue-a.Issued)
		}
	})
}

func TestRatioOfPrices(t *testing.T) {
	for _, c := range []struct {
		a, b core.Price
		want Ratio
	}{{100, 100, 0}, {101, 100, 100 * Bp}, {99, 100, -100 * Bp}, {1, 0, most}, {1<<63 - 1, 1, most}, {1, 1<<63 - 1, -Ratio(core.Scale) + 1}} {
		if got := Of(c.a, c.b); got != c.want {
			t.Errorf("Of(%d, %d) is %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

func TestJudgingAllocatesNothing(t *testing.T) {
	b, a, f := good()
	var v Verdict
	if n := testing.AllocsPerRun(100, func() { b.Judge(&a, &f, &v) }); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func BenchmarkJudge(b *testing.B) {
	bounds, a, f := good()
	var v Verdict
	b.ReportAllocs()
	for b.Loop() {
		bounds.Judge(&a, &f, &v)
	}
	if v.Outcome != Accepted {
		b.Fatal(v.Outcome)
	}
}
