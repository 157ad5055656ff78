package backtest

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"riposte/core"
	"riposte/core/engine"
	"riposte/core/risk"
	"riposte/core/strategy"
)

// config is a run of a strategy with limits that bind nothing.
func config(t testing.TB, e *Events, laps int, tab *core.Instruments, make func(*core.Instrument) (engine.Strategy, error)) Config {
	t.Helper()
	limits := map[core.InstrumentID]risk.Limits{}
	seats := [][]engine.Seat{}
	for i := range tab.List {
		in := &tab.List[i]
		limits[in.ID] = risk.Limits{QtyMax: 1 << 50, NotionalMax: 1 << 60, PositionMax: 1 << 60, OpenMax: 50, CollarBps: 10_000, StaleAfter: 3 * time.Second}
		s, err := make(in)
		if err != nil {
			t.Fatal(err)
		}
		seats = append(seats, []engine.Seat{{Strategy: s}})
	}
	gate, err := risk.NewGate(tab, limits, risk.AccountLimits{OpenMax: 100, RateMax: 100_000, RateSpan: time.Second, RejectMax: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	q, err := ParseQueue("prob:2")
	if err != nil {
		t.Fatal(err)
	}
	return Config{Laps: NewLaps(e, laps), Currency: 1,
		Venue:  Options{Latency: ConstantLatency(time.Millisecond), Queue: q, Consumed: true, Seed: 1, Maker: 100_000, Taker: 100_000, Funds: funds(1_000_000, 100, 100)},
		Engine: engine.Config{Instruments: tab, Gate: gate, Strategies: seats, TimerEvery: 100 * time.Millisecond}}
}

// lively has the quoter follow each tick whatever it holds.
var lively = map[string]any{"skew_bps": 0.0, "slack_ticks": int64(0), "slack_bps": 0.0, "inventory": "5", "cooldown": "0s", "life_min": "0s"}

func quoter(params map[string]any) func(*core.Instrument) (engine.Strategy, error) {
	return func(in *core.Instrument) (engine.Strategy, error) {
		return strategy.NewQuoter(in, engine.NewParams(params))
	}
}

// busy is a script in which the market moves for a minute.
func busy() *script {
	s := &script{}
	s.snapshot(0, "5@100.00 5@99.99 10@99.90", "5@100.01 5@100.02 10@100.10")
	at := []string{"100.00", "100.01"}
	for i := range int64(600) {
		ms := 100 + 100*i
		switch i % 6 {
		case 0:
			s.sold(ms, "3", at[0])
		case 1:
			s.bought(ms, "4", at[1])
		case 2:
			s.depth(ms, "2@100.00 6@99.98", "5@100.01")
		case 3:
			s.depth(ms, "0@100.00 5@99.99", "3@100.00")
			at = []string{"99.99", "100.00"}
		case 4:
			s.sold(ms, "8", "99.99")
		case 5:
			s.depth(ms, "5@100.00", "0@100.00 5@100.01")
			at = []string{"100.00", "100.01"}
		}
	}
	return s
}

func play(t testing.TB, c Config) (*Run, *Result) {
	t.Helper()
	r, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	res, err := r.Play(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return r, res
}

// TestTwoRunsAreOne: the same decisions, the same money, to the last digit, with drawn
// latencies too; another seed draws others.
func TestTwoRunsAreOne(t *testing.T) {
	e := decoded(t, source(t, busy().lines))
	run := func(seed uint64) *Result {
		c := config(t, e, 3, table("0.01", "0.001"), quoter(lively))
		var err error
		if c.Venue.Latency, err = RoundTrips([]core.MonoNs{1e6, 5e6, 200e6, 1500e6}); err != nil {
			t.Fatal(err)
		}
		c.Names = []string{"quoter"}
		c.Venue.Seed, c.Keep = seed, Keep{Orders: 1000, Fills: 1000, Points: 100}
		_, res := play(t, c)
		res.Seconds, res.CPU, res.Rate = 0, 0, 0
		return res
	}
	a, b, other := run(1), run(1), run(2)
	if a.Orders.Fills == 0 || a.Orders.Canceled == 0 {
		t.Fatalf("the run shows nothing: %+v", a.Orders)
	}
	if a.Hash != b.Hash || a.PnL != b.PnL || !reflect.DeepEqual(a.Orders, b.Orders) || len(a.FillRows) != len(b.FillRows) {
		t.Errorf("two runs differ: %s, %v and %s, %v", a.Hash, a.PnL, b.Hash, b.PnL)
	}
	if a.Hash == other.Hash {
		t.Error("another seed has drawn the same latencies")
	}
	if d := a.PnL - (a.Spread + a.Holding - a.Fees); d > 1e-9 || d < -1e-9 {
		t.Errorf("the parts of the profit miss it by %v", d)
	}
	if d := a.PnL - a.Parts[0].PnL; d > 1e-9 || d < -1e-9 || a.Parts[0].Fills != a.Orders.Fills {
		t.Errorf("the only strategy has %+v of %v, want all", a.Parts[0], a.PnL)
	}
}

// TestLapsGoOnAsOneMarket: no gap between them, and each decides like the one before where
// nothing is carried over.
func TestLapsGoOnAsOneMarket(t *testing.T) {
	e := decoded(t, source(t, busy().lines))
	_, one := play(t, config(t, e, 1, table("0.01", "0.001"), quoter(lively)))
	_, four := play(t, config(t, e, 4, table("0.01", "0.001"), quoter(lively)))
	if g := four.Symbols[0].Gaps; g != 0 {
		t.Errorf("%d gaps in four laps, want none", g)
	}
	if lo, hi := 3*one.Orders.Placed, 5*one.Orders.Placed; four.Orders.Placed < lo || four.Orders.Placed > hi {
		t.Errorf("%d orders in four laps of %d", four.Orders.Placed, one.Orders.Placed)
	}
}

// TestLapsOfARecordingHaveNoGap: real books are taken back to their beginning.
func TestLapsOfARecordingHaveNoGap(t *testing.T) {
	e := recorded(t, "spot_btcusdt_20240808.tsv.gz", "BTCUSDT")
	_, res := play(t, config(t, e, 3, table("0.01", "0.00001"), quoter(nil)))
	if res.Symbols[0].Gaps != 0 || res.Events < 3*41_000 {
		t.Errorf("%d gaps in %d events, want none in three laps", res.Symbols[0].Gaps, res.Events)
	}
}

// watcher decides nothing and costs nothing.
type watcher struct{}

func (watcher) Market(*engine.View, *core.Event)               {}
func (watcher) Report(*engine.View, *core.Report, *risk.Order) {}
func (watcher) Timer(*engine.View)                             {}
func newWatcher(*core.Instrument) (engine.Strategy, error)     { return watcher{}, nil }

// TestAnEventAllocatesNothing once books and rings have their size: the second half of
// many laps is played between two looks at the allocator.
func TestAnEventAllocatesNothing(t *testing.T) {
	e := decoded(t, source(t, busy().lines))
	run := func(laps int) float64 {
		return testing.AllocsPerRun(3, func() {
			play(t, config(t, e, laps, table("0.01", "0.001"), newWatcher))
		})
	}
	few, many := run(10), run(200)
	events := float64(190 * e.Head.Events)
	if per := (many - few) / events; per > 0.0005 {
		t.Errorf("%.4f allocations an event, want none: %v in 10 laps, %v in 200", per, few, many)
	}
}

// TestTradingBeginsAtFrom: before it everything gets warm and nothing is sent; the end is
// where it was asked for.
func TestTradingBeginsAtFrom(t *testing.T) {
	e := decoded(t, source(t, busy().lines))
	c := config(t, e, 1, table("0.01", "0.001"), quoter(lively))
	c.From, c.To, c.Keep.Decisions = core.MonoNs(20*time.Second), core.MonoNs(40*time.Second), true
	r, _ := play(t, c)
	d := r.Decisions()
	if len(d) == 0 || d[0].At < c.From || d[0].At > c.From+core.MonoNs(5*time.Second) || d[len(d)-1].At > c.To {
		t.Errorf("decisions from %v to %v, want within %v and %v", d[0].At, d[len(d)-1].At, c.From, c.To)
	}
}

// TestDamagedEventsAreRefused: no cut and no flipped byte is taken, and none panics.
func TestDamagedEventsAreRefused(t *testing.T) {
	s := market100()
	f, err := os.Create(filepath.Join(t.TempDir(), "events"))
	if err != nil {
		t.Fatal(err)
	}
	e, err := Decode(source(t, s.lines), f)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	try := func(b []byte, what string) {
		name := filepath.Join(t.TempDir(), "damaged")
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if e, err := OpenEvents(name); err == nil {
			t.Errorf("a file %s is taken", what)
			_ = e.Close()
		}
	}
	for _, n := range []int{0, 1, 15, 16, 64, 100, len(whole) / 2, len(whole) - 1} {
		try(whole[:n], "that was cut")
	}
	for _, at := range []int{0, 8, 64, 64 + 70, len(whole) - 1} {
		b := append([]byte(nil), whole...)
		b[at] ^= 0x55
		try(b, "with a flipped byte")
	}
}

// BenchmarkEvents is the whole loop on a recording with the quoter: ns per event.
func BenchmarkEvents(b *testing.B) {
	e := recorded(b, "spot_btcusdt_20240808.tsv.gz", "BTCUSDT")
	laps := max(b.N/int(e.Head.Events), 1)
	c := config(b, e, laps, table("0.01", "0.00001"), quoter(nil))
	b.ReportAllocs()
	b.ResetTimer()
	_, res := play(b, c)
	b.ReportMetric(float64(b.Elapsed())/float64(res.Events), "ns/event")
}
