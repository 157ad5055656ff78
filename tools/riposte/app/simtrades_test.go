package app

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"riposte/core"
	"riposte/core/bar"
	"riposte/core/engine"
	"riposte/core/risk"
	"riposte/core/trail"
	"riposte/feed"
	feedbinance "riposte/feed/binance"
	"riposte/tools/sim"
	"riposte/tools/venue"
	"riposte/tools/venue/exchange"
)

// simTrades is how many trades the market makes in the test below; acceptance runs take
// 100000 or more.
var simTrades = flag.Uint64("sim.trades", 3000, "trades of a simulated market whose bars are held against the venue's")

// lossy stands between a connection's frames and its session, and loses trades and
// klines: single ones, and runs of them.
type lossy struct {
	feed.Codec
	rng    *rand.Rand
	off    bool
	losing [2]int // trades, klines still to be lost
	fresh  map[tradeID]bool
	lost   [2]uint64 // trades, klines
}

type tradeID struct {
	in core.InstrumentID
	id uint64
}

// lossySession shares one lossy state among the codecs of an engine.
type lossySession struct {
	feed.Codec
	*lossy
}

func (l lossySession) Route(b []byte) feed.Route { return l.Codec.Route(b) }
func (l lossySession) Reply() *feed.Reply        { return l.Codec.Reply() }
func (l lossySession) AppendSubscribe(d []byte, id int64, s []string) []byte {
	return l.Codec.AppendSubscribe(d, id, s)
}

func (l lossySession) NextOf(b []byte, ev *core.Event, lv []core.Level) (int, feed.Result, bool) {
	return l.Codec.NextOf(b, ev, lv)
}

func (l lossySession) DecodeRouted(b []byte, r feed.Route, ev *core.Event, lv []core.Level) (int, feed.Result) {
	n, res := l.Codec.DecodeRouted(b, r, ev, lv)
	if res != feed.Decoded {
		return n, res
	}
	which := 0
	switch ev.Kind {
	case core.Trade:
	case core.Kline:
		which = 1
	default:
		return n, res
	}
	if l.losing[which] == 0 && !l.off {
		switch draw := l.rng.Float64(); {
		case draw < 0.0005:
			l.losing[which] = 1 + l.rng.IntN(400)
		case draw < 0.03:
			l.losing[which] = 1
		}
	}
	if l.losing[which] > 0 {
		l.losing[which]--
		l.lost[which]++
		return 0, feed.Ignored
	}
	if ev.Kind == core.Trade {
		l.fresh[tradeID{ev.Instrument, ev.ID}] = true
	}
	return n, res
}

// tradeWitness is a strategy that looks at trades and bars and does nothing.
type tradeWitness struct {
	in    core.InstrumentID
	see   func(core.InstrumentID, *core.Event)
	bars  map[string][]bar.Bar
	early bool // called before its history was there
}

// witnesses are of the newest engine; the loop is one goroutine.
var witnesses map[core.InstrumentID]*tradeWitness

var witnessSees func(core.InstrumentID, *core.Event)

func init() {
	engine.Register("watched-trade-witness", func(in *core.Instrument, _ *engine.Params) (engine.Strategy, error) {
		w := &tradeWitness{in: in.ID, see: witnessSees, bars: map[string][]bar.Bar{}}
		if witnesses != nil {
			witnesses[in.ID] = w
		}
		return w, nil
	})
}

func (w *tradeWitness) Market(v *engine.View, ev *core.Event) {
	w.early = w.early || !v.Warm()
	if ev.Kind == core.Trade && w.see != nil {
		w.see(w.in, ev)
	}
}
func (w *tradeWitness) Report(*engine.View, *core.Report, *risk.Order) {}
func (w *tradeWitness) Timer(v *engine.View)                           { w.early = w.early || !v.Warm() }
func (w *tradeWitness) Bar(_ *engine.View, in bar.Interval, b *bar.Bar) {
	w.bars[in.String()] = append(w.bars[in.String()], *b)
}

// A market whose trades and klines are lost by ones and by hundreds, on lines that are
// cut: the bars are the venue's own, made of all of them, to the last digit; every trade
// that the stream did not bring is told late, and no other.
func TestBarsEqualTheVenuesAfterLostTrades(t *testing.T) {
	for _, klines := range []bool{true, false} {
		root := t.TempDir()
		t.Run(fmt.Sprintf("klines=%v", klines), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { runLossy(t, root, klines) })
		})
	}
}

func runLossy(t *testing.T, root string, klines bool) {
	symbols := []string{"BTCUSDT", "LTCBTC"}
	plan := &sim.Plan{Seed: max(*simSeed, 1), Work: sim.Work{
		Symbols: symbols, Streams: []string{"depth@100ms", "trade", "kline_1s", "kline_1m"}, Strategy: "trade-witness",
		Base: 500 * time.Microsecond, Tail: 300 * time.Microsecond, Park: 20 * time.Millisecond,
		Set: map[string]string{"bars.intervals": `["1s","1m","5m","1h","1d@+08:00","1M"]`, "bars.history": "30", "bars.keep": "10000", "market.lines": "1"},
	}}
	if !klines {
		plan.Work.Streams = plan.Work.Streams[:2]
	}
	r := newSimRun(plan, root)
	defer r.finish()
	if err := r.openTradesVenue(); err != nil {
		t.Fatal(err)
	}
	loss := &lossy{rng: rand.New(rand.NewPCG(plan.Seed, 9)), fresh: map[tradeID]bool{}}
	wrong, late := 0, uint64(0)
	witnesses = map[core.InstrumentID]*tradeWitness{}
	witnessSees = func(in core.InstrumentID, ev *core.Event) {
		if fresh := loss.fresh[tradeID{in, ev.ID}]; ev.Late() == fresh {
			wrong++
		}
		if ev.Late() {
			late++
		}
	}
	defer func() { witnesses, witnessSees = nil, nil }()
	r.port = func(p *ports) { p.codec = func(c feed.Codec) feed.Codec { return lossySession{c, loss} } }
	r.w.Run(90 * time.Second) // a market before anybody looks
	r.park()
	begun := r.w.Now()
	r.birth(filepath.Join(root, "life"))
	l := r.life
	running := func() bool { return l.stage.Load() == lifeRunning }
	for i := 0; i < 60 && !running(); i++ {
		r.w.Run(r.w.Now() + time.Second)
	}
	if !running() {
		t.Fatalf("the engine does not run: %v", l.err)
	}
	warm := func() bool {
		for i := range l.d.table.List {
			if tr := l.d.shard.Trail(core.InstrumentID(i)); tr != nil && !tr.Warm() {
				return false
			}
		}
		return true
	}
	for i := 0; i < 600 && !warm(); i++ {
		r.w.Run(r.w.Now() + 100*time.Millisecond)
	}
	weight := func() uint64 {
		b := l.d.backfill.Status()
		return weightOf(&b)
	}
	t.Logf("history: 30 bars of 6 intervals of 2 symbols within %v of the start, weight %d", r.w.Now()-begun, weight())
	atStart := weight()
	traded := func() (n uint64) {
		for id := range loss.fresh {
			_ = id
			n++
		}
		return n + loss.lost[0]
	}
	cuts := 0
	for traded() < *simTrades && r.w.Now() < 4*time.Hour {
		r.w.Run(r.w.Now() + 20*time.Second)
		for _, link := range r.w.Net.Links {
			if link.Kind == sim.Stream && link.Open() {
				link.Break(false)
				cuts++
			}
		}
	}
	loss.off = true
	r.w.Run(r.w.Now() + 2*time.Minute)
	// The venue's own bars, asked for by another reader.
	type span struct {
		symbol string
		in     core.InstrumentID
		v      bar.Interval
		theirs []bar.Bar
		ours   *bar.Series
	}
	var spans []*span
	for _, sym := range symbols {
		in, _ := l.d.table.Lookup(sym)
		for _, b := range l.d.shard.Trail(in.ID).Builders() {
			spans = append(spans, &span{symbol: sym, in: in.ID, v: b.Series().Interval(), ours: b.Series()})
		}
	}
	asked := make(chan error, 1)
	r.work.Go(func() {
		var err error
		for _, s := range spans {
			if s.theirs, err = venueBars(l.d, s.symbol, s.in, s.v, s.ours); err != nil {
				break
			}
		}
		asked <- err
		r.w.Poke()
	})
	for i := 0; i < 300 && len(asked) == 0; i++ {
		r.w.Run(r.w.Now() + time.Second)
	}
	if err := <-asked; err != nil {
		t.Fatal(err)
	}
	compared, trades := 0, int64(0)
	for _, s := range spans {
		theirs := map[core.WallNs]*bar.Bar{}
		for i := range s.theirs {
			theirs[s.theirs[i].Start] = &s.theirs[i]
		}
		for i := range s.ours.Len() {
			ours := s.ours.At(i)
			their := theirs[ours.Start]
			if their == nil {
				continue // more than the venue keeps
			}
			if !ours.Same(their) || ours.VWAP() != their.VWAP() || ours.Broken {
				t.Errorf("%s %s: ours %s broken %v, venue %s", s.symbol, s.v, ours, ours.Broken, their)
			}
			compared++
			if s.v == bar.Second {
				trades += ours.Trades
			}
			if i > 0 && s.ours.At(i-1).Start != ours.End {
				t.Errorf("%s %s: hole behind %s", s.symbol, s.v, ours)
			}
		}
		told := witnesses[s.in].bars[s.v.String()]
		for i := range told {
			if s.ours.Find(told[i].Start) != nil && *s.ours.Find(told[i].Start) != told[i] || i > 0 && told[i].Start != told[i-1].End {
				t.Errorf("%s %s: the strategy was told of %s, which is not what became of it", s.symbol, s.v, &told[i])
			}
		}
		if len(told) == 0 && s.v.Length() <= time.Minute {
			t.Errorf("%s %s: the strategy was told of no bar", s.symbol, s.v)
		}
	}
	var sum trail.Status
	for _, sym := range symbols {
		in, _ := l.d.table.Lookup(sym)
		st := l.d.shard.Trail(in.ID).Status()
		if st.Open != 0 || st.Unfilled != 0 || st.Absent != 0 || st.Stray != 0 || st.Differ != 0 || st.KlinesUnfilled != 0 || !st.Warm || (st.Matched > 0) != klines {
			t.Errorf("%s: %+v", sym, st)
		}
		sum.Holes += st.Holes
		sum.Late += st.Late
		sum.Matched += st.Matched
		sum.KlinesFilled += st.KlinesFilled
		if w := witnesses[in.ID]; w.early {
			t.Errorf("%s: the strategy was called before its history was there", sym)
		}
		if tr := l.d.shard.Trail(in.ID); klines && tr.Series(bar.Second).Total() == 0 {
			t.Errorf("%s: no klines", sym)
		}
	}
	if wrong != 0 || late == 0 || sum.Holes == 0 || compared < 100 {
		t.Errorf("%d late flags wrong, %d late of them, %d holes, %d bars compared", wrong, late, sum.Holes, compared)
	}
	t.Logf("%d trades, %d lost and %d cuts in %v: %d holes, %d trades told late (weight %d), %d klines filled; %d bars of %d intervals equal the venue's, %d compared while running",
		traded(), loss.lost[0], cuts, r.w.Now()-begun, sum.Holes, sum.Late, weight()-atStart, sum.KlinesFilled, compared, len(spans), sum.Matched)
	l.end()
	for i := 0; i < 60 && l.stage.Load() != lifeEnded; i++ {
		r.w.Run(r.w.Now() + time.Second)
	}
}

// openTradesVenue is a venue whose market trades much and quotes little.
func (r *simRun) openTradesVenue() error {
	cfg := venue.Config{Listener: r.w.Net.Listener(), Seed: r.plan.Seed, Symbols: r.plan.Work.Symbols, BookHistory: -1,
		Market: func(_ uint64, symbols []exchange.Symbol) (exchange.Market, error) {
			params := map[string]exchange.AgentParams{}
			for i := range symbols {
				p := exchange.DefaultAgentParams("ETHBTC")
				p.TakerRate, p.LevelsMean, p.TouchRate, p.Reach = 20, 0.5, 10, 300
				params[symbols[i].Name] = p
			}
			return exchange.Agents(exchange.AgentOptions{Params: params, HistoryMinutes: 3000}), nil
		}}
	a, err := venue.DefaultAccount(r.plan.Seed)
	if err != nil {
		return err
	}
	cfg.Accounts = []venue.Account{a}
	if r.srv, err = venue.Start(context.Background(), cfg); err != nil {
		return err
	}
	key, _ := r.srv.Key("", venue.HMAC)
	r.key = filepath.Join(r.root, "key")
	return os.WriteFile(r.key, fmt.Appendf(nil, "api_key = %q\nsecret = %q\n", key.APIKey, key.Secret), 0o600)
}

// venueBars asks the venue for the bars that a series has.
func venueBars(d *desk, symbol string, in core.InstrumentID, v bar.Interval, ours *bar.Series) (out []bar.Bar, err error) {
	if ours.Len() == 0 {
		return nil, nil
	}
	a := trail.Ask{Instrument: in, Kind: trail.AskKlines, Interval: v, Start: ours.At(ours.Len() - 1).Start, End: ours.At(0).End, Limit: trail.PageMax}
	for a.Start < a.End {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		body, err := d.remember(ctx, symbol, &a)
		cancel()
		if err != nil {
			return nil, err
		}
		ans, err := feedbinance.ParseMemory(body, &a, core.Milliseconds)
		if err != nil || len(ans.Bars) == 0 {
			return out, err
		}
		out = append(out, ans.Bars...)
		a.Start = ans.Bars[len(ans.Bars)-1].End
	}
	return out, nil
}
