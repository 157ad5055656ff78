package engine_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"riposte/core"
	"riposte/core/bar"
	"riposte/core/engine"
	"riposte/core/engine/enginetest"
	"riposte/core/risk"
	"riposte/core/signal"
	"riposte/core/trail"
	"riposte/tools/riposte/rule"
)

// one is a signal as a test writes it.
type one struct {
	name, on, when, direction, strength string
	horizon                             core.MonoNs
}

// rulesOf compiles signals for one symbol.
func rulesOf(list ...one) func(*core.Instrument) (*signal.Rules, error) {
	return func(*core.Instrument) (*signal.Rules, error) {
		r := new(signal.Rules)
		for _, o := range list {
			on := o.on
			if on != "event" {
				on = "bar " + on
			}
			s := rule.Source{Name: o.name, On: on, When: o.when, Direction: o.direction, Strength: o.strength, Horizon: o.horizon}
			if err := s.Add(r); err != nil {
				return nil, err
			}
		}
		return r, nil
	}
}

// follower places an order for every signal that it sees, and writes down when.
type follower struct{ log []string }

func (f *follower) Market(v *engine.View, ev *core.Event) { f.look(v, fmt.Sprint(ev.Kind)) }
func (f *follower) Timer(v *engine.View)                  { f.look(v, "timer") }

func (f *follower) Report(v *engine.View, _ *core.Report, _ *risk.Order) {
	if n := len(v.Fired()); n > 0 {
		f.log = append(f.log, fmt.Sprintf("%d at a report", n))
	}
}

func (f *follower) look(v *engine.View, at string) {
	for _, s := range v.Fired() {
		f.log = append(f.log, at+" "+v.Rules().Reason(&s))
		top := v.Top()
		p := top.Bid
		if s.Side == core.Sell {
			p = top.Ask
		}
		v.Limit(s.Side, p, core.Qty(1000+1000*s.Strength))
	}
}

var press = one{"press", "event", "abs(imbalance()) > 0.5", "imbalance()", "abs(imbalance())", 5e9}

func TestASignalIsSeenOnTheVeryEventThatFiresIt(t *testing.T) {
	f := new(follower)
	w, err := enginetest.New(enginetest.Setup{Strategy: func(*core.Instrument) (engine.Strategy, error) { return f, nil }, Rules: rulesOf(press)})
	if err != nil {
		t.Fatal(err)
	}
	w.Quote(0, "100.00", "1", "100.01", "1")
	w.Run()
	w.Quote(0, "100.00", "9", "100.01", "1") // fires
	w.Run()
	w.Quote(0, "100.00", "1", "100.01", "9") // in force: what it says now does not matter
	w.Run()
	w.Clock.Now += 5e9
	w.Quote(0, "100.00", "1", "100.01", "9") // over: fires again, the other way
	w.Run()
	for _, in := range w.Out() {
		w.Ack(in.ID)
	}
	w.Run()
	want := []string{
		"1 press buy 0.80: abs(imbalance()) > 0.5; imbalance() = 0.8",
		"1 press sell 0.80: abs(imbalance()) > 0.5; imbalance() = -0.8",
	}
	if !slices.Equal(f.log, want) {
		t.Errorf("the strategy saw\n%s\nwant\n%s", strings.Join(f.log, "\n"), strings.Join(want, "\n"))
	}
	if fired := w.Fired.Pending(); len(fired) != 2 || fired[0].Side != core.Buy || fired[1].At-fired[0].At < 5e9 || fired[1].Input <= fired[0].Input {
		t.Errorf("the record has %+v", fired)
	}
	if got := w.Shard.Stats(); got != nil && got.Signals > 2 {
		t.Errorf("counted %d signals", got.Signals)
	}
}

// A signal on a book that nobody can prove is none; and what it had counted of the
// market before is forgotten with the book.
func TestNothingFiresOnABookThatIsNotLive(t *testing.T) {
	f := new(follower)
	w, err := enginetest.New(enginetest.Setup{Strategy: func(*core.Instrument) (engine.Strategy, error) { return f, nil },
		Rules: rulesOf(one{"bars", "2 ticks", "close(\"2 ticks\") > 0", "buy", "1", 1}, press)})
	if err != nil {
		t.Fatal(err)
	}
	trade := func() {
		w.Trade(0, 100*core.Scale, core.Scale)
		w.Run()
	}
	trade()
	trade() // a bar, and no book yet
	w.Quote(0, "100.00", "1", "100.01", "1")
	w.Run()
	if len(f.log) != 0 {
		t.Errorf("fired without a book: %v", f.log)
	}
	trade()
	trade()
	w.Mark(0, core.LineDown)
	w.Run()
	trade()
	trade()
	if len(f.log) != 1 || !strings.HasPrefix(f.log[0], "4 bars buy 1.00") {
		t.Errorf("saw %v, want one signal of a trade while live", f.log)
	}
}

func TestKlinesOfTheStreamAreBars(t *testing.T) {
	f := new(follower)
	w, err := enginetest.New(enginetest.Setup{Trail: &trail.Config{Klines: []bar.Interval{bar.Minute}}, Strategy: func(*core.Instrument) (engine.Strategy, error) { return f, nil },
		Rules: rulesOf(one{"up", "kline 1m", `close("kline 1m") > sma("kline 1m", 2) and volume("kline 1m") > 1`, "buy", "0.5", 1})})
	if err != nil {
		t.Fatal(err)
	}
	w.Quote(0, "100.00", "1", "100.01", "1")
	w.Run()
	kline := func(minute int64, close core.Price, flags uint8) {
		ev := core.Event{Kind: core.Kline, Flags: flags, W: [4]int64{minute * 60e9, (minute+1)*60e9 - 1e6, 7, 1}}
		lv := []core.Level{{Price: 100, Qty: 110}, {Price: 90, Qty: core.Qty(close)}, {Price: 2 * core.Scale, Qty: 200}, {Price: core.Scale, Qty: 100}}
		w.Clock.Now += 60e9
		if !w.Publish(0, ev, lv, nil) {
			t.Fatal("no room")
		}
		w.Run()
	}
	kline(1, 100, core.FlagClosed)
	kline(2, 110, 0) // not closed
	kline(2, 105, core.FlagClosed)
	kline(2, 105, core.FlagClosed) // again
	kline(3, 95, core.FlagClosed)
	kline(4, 99, core.FlagClosed)
	if len(f.log) != 2 {
		t.Errorf("saw %v, want signals of the second and the fourth minute", f.log)
	}
}

// The bars of trades close by the market's time: with the first trade behind them, or
// by the clock once nothing of them can still be on its way.
func TestBarsOfTradesAreLookedAtWhenTheyAreComplete(t *testing.T) {
	f := new(follower)
	setup := enginetest.Setup{Trail: &trail.Config{Trades: true, Bars: []bar.Interval{bar.Minute}}, Strategy: func(*core.Instrument) (engine.Strategy, error) { return f, nil },
		Rules: rulesOf(one{"up", "1m", `close(1m) > open(1m) and trades(1m) == 3`, "buy", "0.5", 1})}
	w, err := enginetest.New(setup)
	if err != nil {
		t.Fatal(err)
	}
	w.Quote(0, "100.00", "1", "100.01", "1")
	w.Run()
	w.Clock.Now = 3600e9
	for minute := range 6 {
		for i := range 3 {
			w.Clock.Now = core.MonoNs(3600e9 + minute*60e9 + i*10e9)
			w.Trade(0, core.Price(100+[]int{i, -i}[minute%2])*core.Scale, core.Scale)
			w.Mark(0, core.LineAlive)
			w.Run()
		}
	}
	if len(f.log) != 2 || !strings.Contains(f.log[0], "close(1m) = 102, open(1m) = 100, trades(1m) = 3") {
		t.Errorf("saw %v, want signals of the two whole minutes that rose", f.log)
	}
	setup.Trail = &trail.Config{Trades: true}
	if _, err := enginetest.New(setup); err == nil || !strings.Contains(err.Error(), "read bars of 1m, which nobody makes") {
		t.Errorf("rules on bars that nobody makes: %v", err)
	}
}

// The same inputs give the same signals and the same orders, to the byte.
func TestSignalsAreAsDeterministicAsDecisions(t *testing.T) {
	run := func(seed uint64) (log []byte, signals int) {
		rng := rand.New(rand.NewPCG(seed, 3))
		w, err := enginetest.New(enginetest.Setup{Symbols: []string{"AAA", "BBB"}, RingSize: 4096,
			Strategy: func(*core.Instrument) (engine.Strategy, error) { return new(follower), nil },
			Rules: rulesOf(press,
				one{"flow", "event", "abs(flow_share(1s)) > 0.6 and vol(1s) > 0 and depth_imbalance(3) > -2", "flow_share(1s)", "abs(flow_share(1s))", 1e8},
				one{"cross", "5 ticks", `crossed_above(ema("5 ticks", 3), sma("5 ticks", 8)) or rsi("5 ticks", 3) < 20`, "buy", `rsi("5 ticks", 3)`, 2e8})})
		if err != nil {
			t.Fatal(err)
		}
		w.Clock.Tick = 3
		bid := [2]core.Price{100 * core.Scale, 20 * core.Scale}
		for range 3000 {
			id := core.InstrumentID(rng.IntN(2))
			switch k := rng.IntN(100); {
			case k < 60:
				bid[id] += core.Price(rng.IntN(7)-3) * tick
				w.Top(id, core.Top{Bid: bid[id], BidQty: core.Qty(rng.Int64N(1e9) + 1), Ask: bid[id] + tick, AskQty: core.Qty(rng.Int64N(1e9) + 1)})
			case k < 98:
				w.Trade(id, bid[id]+core.Price(rng.IntN(5))*tick, core.Qty(rng.Int64N(1e9)))
			default:
				w.Break(id)
			}
			w.Clock.Now += core.MonoNs(rng.Int64N(40e6))
			w.Run()
			for _, a := range w.TakeApproved() {
				if log, err = binary.Append(log, binary.LittleEndian, a.Intent()); err != nil {
					t.Fatal(err)
				}
			}
			fired := w.Fired.Pending()
			signals += len(fired)
			for i := range fired {
				if log, err = binary.Append(log, binary.LittleEndian, fired[i]); err != nil {
					t.Fatal(err)
				}
			}
			w.Fired.Release(len(fired))
			w.Wanted()
		}
		return log, signals
	}
	for seed := range uint64(4) {
		a, n := run(seed)
		b, _ := run(seed)
		if string(a) != string(b) {
			t.Fatalf("seed %d: %d and %d bytes differ", seed, len(a), len(b))
		}
		if n < 50 {
			t.Errorf("seed %d: only %d signals, too quiet to prove anything", seed, n)
		}
	}
}

// Rules that look at every event, and signals that fire, allocate nothing.
func TestRulesDoNotAllocate(t *testing.T) {
	w, err := enginetest.New(enginetest.Setup{RingSize: 1 << 14, Rules: rulesOf(press,
		one{"bars", "2 ticks", `ema("2 ticks", 3) > 0 and depth_imbalance(5) > -2`, "buy", "rsi(\"2 ticks\")", 1})})
	if err != nil {
		t.Fatal(err)
	}
	w.Quote(0, "100.00", "1", "100.01", "1")
	w.Run()
	id := uint64(1000)
	if n := testing.AllocsPerRun(2000, func() {
		id++
		w.Clock.Now += 6e9
		for _, ev := range []core.Event{
			{Kind: core.Touch, ID: id, W: [4]int64{100 * core.Scale, 9 * core.Scale, 101 * core.Scale, core.Scale}},
			{Kind: core.Trade, ID: id, W: [4]int64{100 * core.Scale, core.Scale, int64(w.Clock.Now), 0}},
			{Kind: core.DepthDelta, ID: id, W: [4]int64{int64(id)}},
		} {
			slot, _ := w.Queues[0].Claim()
			ev.Recv = w.Clock.Now
			*slot = ev
			w.Queues[0].Publish(0)
		}
		w.Run()
		w.Fired.Release(len(w.Fired.Pending()))
	}); n != 0 {
		t.Errorf("got %v allocations for three events with rules, want 0", n)
	}
}

// BenchmarkRules is one touch through the shard, without rules and with some.
func BenchmarkRules(b *testing.B) {
	for _, c := range []struct {
		name  string
		rules func(*core.Instrument) (*signal.Rules, error)
	}{
		{"none", nil},
		{"one", rulesOf(press)},
		{"ten", rulesOf(slices.Repeat([]one{{"x", "event", "imbalance() > 0.3 and microprice() > mid() and spread() < 2", "buy", "imbalance()", 1e9}}, 10)...)},
		{"on bars", rulesOf(slices.Repeat([]one{{"x", "1m", "ema(1m, 20) > ema(1m, 50) and rsi(1m) < 70", "buy", "1", 1e9}}, 10)...)},
	} {
		b.Run(c.name, func(b *testing.B) {
			w, err := enginetest.New(enginetest.Setup{RingSize: 1 << 12, Rules: c.rules, Trail: &trail.Config{Trades: true, Bars: []bar.Interval{bar.Minute}}})
			if err != nil {
				b.Fatal(err)
			}
			w.Quote(0, "100.00", "1", "100.01", "1")
			w.Run()
			b.ReportAllocs()
			for i := range b.N {
				w.Clock.Now += 1e6
				slot, _ := w.Queues[0].Claim()
				*slot = core.Event{Kind: core.Touch, Recv: w.Clock.Now, ID: uint64(1000 + i), W: [4]int64{100 * core.Scale, int64(i&7+1) * core.Scale, 101 * core.Scale, core.Scale}}
				w.Queues[0].Publish(0)
				w.Shard.Step()
				w.Fired.Release(len(w.Fired.Pending()))
			}
		})
	}
}
