package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"riposte/core"
	"riposte/core/engine"
	feedbinance "riposte/feed/binance"
	"riposte/tools/backtest"
)

type backtestCmd struct {
	Config string   `type:"path" help:"Configuration file, the same as for run; without one, the built-in configuration."`
	Set    []string `placeholder:"KEY=VALUE" sep:"none" help:"Change one key of the configuration; may be given more than once."`
	Files  []string `arg:"" help:"Recordings, folders of them, files of the venue's public history (trades, aggTrades, klines)."`

	venueFlags
	Repeat  int    `default:"1" help:"Play the tape so many times over as if the market had gone on."`
	Cache   string `type:"path" placeholder:"DIR" help:"Keep the decoded tape in this folder for the next time."`
	JSON    bool   `name:"json" help:"Print the result as one JSON object."`
	Report  string `type:"path" placeholder:"FILE" help:"Write a report: one HTML file that needs nothing else."`
	Out     string `type:"path" placeholder:"DIR" help:"Write fills, orders and equity as CSV and Parquet into this folder."`
	Workers int    `help:"Cores for sweeps; 0: all."`

	Sweep     []string `placeholder:"NAME=VALUES" sep:"none" help:"Try values of a parameter: 1..5/1, or 0,1,2; may be given more than once: all combinations are run. NAME is a parameter of the strategy or a key of the configuration."`
	Sort      string   `default:"pnl" enum:"pnl,bps,sharpe,drawdown,fills" help:"What sweeps are judged by: pnl, bps, sharpe, drawdown, fills."`
	Split     string   `placeholder:"PERCENT" help:"Choose by this first part of the tape and show what became of each in the rest, such as 70%%."`
	Lookahead int      `placeholder:"N" help:"Test for look-ahead: decide again on tapes that end at N instants, and compare."`
	Calibrate string   `type:"path" placeholder:"DIR" help:"Measure queue models by the own fills of this journal, which belongs to the recording."`
	profileFlags
}

// venueFlags are how the venue of a backtest behaves.
type venueFlags struct {
	Latency  string        `default:"1ms" help:"One way, of orders, reports and feed: a duration, or drawn: file:F (round trips, one a line), journal:DIR (of own orders), tape[:BASE] (what receive times were late by)."`
	Queue    string        `default:"risk" help:"How orders move up in their queue: risk, prob:N, power2:N, power3:N, log, log2, front, or journal:DIR: the one that is nearest to the own fills of this journal."`
	Impact   string        `default:"consumed" enum:"none,consumed" help:"Whether what own orders took is gone until the recording sets its level anew."`
	Maker    float64       `name:"maker-bps" default:"10" help:"Commission of makers, in 1/10000."`
	Taker    float64       `name:"taker-bps" default:"10" help:"Commission of takers, in 1/10000."`
	Fee      string        `default:"received" enum:"received,bnb" help:"What commissions are taken from: what the trade brought in, or BNB at its discount."`
	BNBPrice string        `name:"bnb-price" help:"Price of BNB in the quote asset, where the tape has no BNB symbol."`
	Balance  []string      `placeholder:"ASSET=AMOUNT" help:"What the account begins with; 1000000 USDT and 100 of each other asset if none is given."`
	Rules    string        `type:"path" placeholder:"FILE" help:"An exchangeInfo (may be gzipped) with the symbols' rules, where the tape has none or others are wanted."`
	Spread   int           `name:"spread-ticks" default:"1" help:"Width of the touch that is made up where there are trades alone."`
	Seed     uint64        `default:"1" help:"Of what is drawn."`
	From     time.Duration `help:"Trade from this time on, counted from the tape's beginning; before it books and indicators get warm."`
	To       time.Duration `help:"End here; 0: with the tape."`
}

// Run backtests.
func (c backtestCmd) Run(o *output) (err error) {
	b, err := c.open()
	if err != nil {
		return usageError{err}
	}
	defer func() { err = errors.Join(err, b.events.Close()) }()
	for _, note := range b.notes {
		fmt.Fprintln(o.stderr, "riposte: note:", note)
	}
	if c.Lookahead < 0 || c.Lookahead > 1000 {
		return usageError{want("--lookahead", c.Lookahead, "1 to 1000")}
	}
	if (c.Lookahead > 0 || c.Calibrate != "") && c.Report+c.Out != "" {
		return usageError{errors.New("--report and --out are of a run or of a sweep's best: want neither beside --lookahead or --calibrate")}
	}
	stopProfile, err := c.profileFlags.start(o.stderr)
	if err != nil {
		return usageError{err}
	}
	defer stopProfile()
	ctx, stop := interruptible()
	defer stop()
	switch {
	case c.Calibrate != "":
		return c.calibrate(o, b)
	case c.Lookahead > 0:
		return c.lookahead(ctx, o, b)
	case len(c.Sweep) > 0:
		return c.sweep(ctx, o, b)
	}
	return c.once(ctx, o, b)
}

// interruptible is a context that ends with the first SIGINT or SIGTERM.
func interruptible() (context.Context, func()) {
	done, release := interrupts()
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		select {
		case <-done:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(); release() }
}

// backtesting is a tape with what it takes to run on it, any number of times at once.
type backtesting struct {
	cmd      *backtestCmd
	source   *tapeSource
	events   *backtest.Events
	laps     *backtest.Laps
	table    *core.Instruments
	venue    backtest.Options
	currency core.AssetID
	notes    []string
}

func (c *backtestCmd) open() (b *backtesting, err error) {
	b = &backtesting{cmd: c}
	cfg, err := c.config(nil)
	if err != nil {
		return nil, err
	}
	if c.Repeat < 1 || c.Repeat > 1_000_000 {
		return nil, want("--repeat", c.Repeat, "1 to 1000000")
	}
	if b.source, err = openSource(c.Files); err != nil {
		return nil, err
	}
	if market, _ := b.source.scan.marketOf("auto"); market != core.Spot {
		return nil, errors.New("cannot backtest a recording of futures: orders are for spot")
	}
	missing, err := cfg.onlySymbols(b.source.scan.symbols)
	if err != nil {
		return nil, err
	}
	if len(missing) > 0 {
		b.note("the tapes do not have %s, which the configuration follows", strings.Join(missing, ", "))
	}
	if b.events, err = b.source.decode(cfg.Market.Symbols, c.Spread, c.Cache); err != nil {
		return nil, err
	}
	defer func(e *backtest.Events) {
		if err != nil {
			_ = e.Close() // the error that is told came first
		}
	}(b.events)
	b.notes = append(b.notes, b.events.Notes...)
	if cfg.Bars.History > 0 {
		b.note("bars.history is of no use here: what lies before the tape cannot be asked for")
	}
	b.laps = backtest.NewLaps(b.events, c.Repeat)
	var limits []feedbinance.RateLimit
	var note string
	if b.table, limits, note, err = backtestRules(b.events, c.Rules); err != nil {
		return nil, err
	}
	if note != "" {
		b.note("%s", note)
	}
	if b.venue, err = c.venue(b, limits); err != nil {
		return nil, err
	}
	b.currency = b.table.List[0].Quote
	if id, ok := b.table.AssetID(cfg.Account.Currency); ok {
		b.currency = id
	}
	_, err = b.run(nil, backtest.Keep{}, 0, 0) // whatever is wrong with it is told now
	return b, err
}

func (b *backtesting) note(format string, args ...any) {
	b.notes = append(b.notes, fmt.Sprintf(format, args...))
}

// config is the configuration with some keys changed.
func (c *backtestCmd) config(sets []string) (*Config, error) {
	return loadConfig(c.Config, append(slices.Clone(c.Set), sets...)...)
}

// run builds a run with some keys of the configuration changed. Its strategies, gate and
// rules are those that a session of the same configuration would have.
func (b *backtesting) run(sets []string, keep backtest.Keep, from, to core.MonoNs) (*backtest.Run, error) {
	cfg, err := b.cmd.config(sets)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(b.table.List))
	for i := range names {
		names[i] = b.table.List[i].Symbol
	}
	if _, err := cfg.onlySymbols(names); err != nil {
		return nil, err
	}
	tr, err := cfg.trading(b.table)
	if err != nil {
		return nil, err
	}
	e := engine.Config{Instruments: b.table, Gate: tr.gate, Strategies: tr.seats, Window: cfg.Market.bookWindow(len(b.table.List)),
		TimerEvery: cfg.Loop.Timer.Duration, LostAfter: cfg.DeadMan.LostAfter.Duration}
	t := cfg.trail()
	t.History = 0
	for _, name := range names {
		e.Trails = append(e.Trails, t)
		r, err := cfg.rules(name)
		if err != nil {
			return nil, err
		}
		e.Rules = append(e.Rules, r)
	}
	if from == 0 {
		from = core.MonoNs(b.cmd.From)
	}
	if to == 0 {
		to = core.MonoNs(b.cmd.To)
	}
	return backtest.New(backtest.Config{Laps: b.laps, Venue: b.venue, Engine: e, From: from, To: to, Keep: keep, Names: tr.names, Currency: b.currency})
}

// venue makes the venue's options of flags and of what the tape tells.
func (c *backtestCmd) venue(b *backtesting, limits []feedbinance.RateLimit) (v backtest.Options, err error) {
	v = backtest.Options{Consumed: c.Impact == "consumed", Seed: c.Seed, FixedRules: c.Rules != ""}
	if v.Latency, err = b.latency(c.Latency); err != nil {
		return v, err
	}
	if dir, ok := strings.CutPrefix(c.Queue, "journal:"); ok {
		fits, best, err := b.fits(dir, v.Latency.Feed)
		if err != nil {
			return v, err
		}
		b.note("queue model %s is nearest to what became of the journal's %d orders", fits[best].Queue, fits[best].Orders)
		v.Queue, err = backtest.ParseQueue(fits[best].Queue)
		if err != nil {
			return v, err
		}
	} else if v.Queue, err = backtest.ParseQueue(c.Queue); err != nil {
		return v, err
	}
	for _, r := range [...]struct {
		name string
		bps  float64
		to   *int64
	}{{"--maker-bps", c.Maker, &v.Maker}, {"--taker-bps", c.Taker, &v.Taker}} {
		if !(r.bps >= 0 && r.bps <= 1000) {
			return v, want(r.name, r.bps, "0 to 1000")
		}
		*r.to = int64(r.bps*core.Scale/1e4 + 0.5)
	}
	if c.Fee == "bnb" {
		v.Fee = backtest.FeeBNB
	}
	if c.BNBPrice != "" {
		if v.BNBPrice, err = core.ParsePrice(c.BNBPrice); err != nil {
			return v, fmt.Errorf("--bnb-price is %q: %w", c.BNBPrice, err)
		}
	}
	if v.Funds, err = c.funds(b.table); err != nil {
		return v, err
	}
	spans := map[string]time.Duration{"SECOND": time.Second, "MINUTE": time.Minute, "HOUR": time.Hour, "DAY": 24 * time.Hour}
	for _, l := range limits {
		if s := spans[l.Interval]; l.Type == "ORDERS" && s > 0 && l.IntervalNum > 0 && l.Limit > 0 {
			v.OrderLimits = append(v.OrderLimits, backtest.OrderLimit{Span: core.WallNs(s) * core.WallNs(l.IntervalNum), Most: l.Limit})
		}
	}
	return v, nil
}

// funds are what the account begins with: as told, or as on the embedded venue.
func (c *backtestCmd) funds(t *core.Instruments) (out []core.Balance, err error) {
	if len(c.Balance) == 0 {
		for a, name := range t.Assets {
			free := core.Amount(100 * core.Scale)
			if name == "USDT" {
				free = 1_000_000 * core.Scale
			}
			out = append(out, core.Balance{Asset: core.AssetID(a), Free: free})
		}
		return out, nil
	}
	for _, text := range c.Balance {
		name, amount, ok := strings.Cut(text, "=")
		v, err := core.ParseDecimal(amount)
		if !ok || err != nil {
			return nil, want("--balance", fmt.Sprintf("%q", text), "ASSET=AMOUNT, such as USDT=1000")
		}
		id, known := t.AssetID(name)
		if !known {
			return nil, want("--balance", fmt.Sprintf("%q", text), "an asset of the traded symbols: "+strings.Join(t.Assets, ", "))
		}
		out = append(out, core.Balance{Asset: id, Free: core.Amount(v)})
	}
	return out, nil
}

// latency reads how long orders and reports are under way.
func (b *backtesting) latency(text string) (backtest.Latency, error) {
	kind, arg, _ := strings.Cut(text, ":")
	switch kind {
	case "file":
		trips, err := backtest.ReadRoundTrips(arg)
		if err != nil {
			return backtest.Latency{}, err
		}
		return backtest.RoundTrips(trips)
	case "journal":
		trips, err := journalTrips(arg)
		if err != nil {
			return backtest.Latency{}, err
		}
		return backtest.RoundTrips(trips)
	case "tape":
		base := time.Millisecond
		if arg != "" {
			var err error
			if base, err = time.ParseDuration(arg); err != nil || base < 0 {
				return backtest.Latency{}, want("--latency", fmt.Sprintf("%q", text), "tape, or tape:BASE with the shortest time as a duration, such as tape:2ms")
			}
		}
		return backtest.LagLatency(b.events.Lag, base)
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 || d > time.Minute {
		return backtest.Latency{}, want("--latency", fmt.Sprintf("%q", text), "a duration up to 1m, file:F, journal:DIR or tape")
	}
	return backtest.ConstantLatency(d), nil
}

// keepForReport is what a single run keeps.
var keepForReport = backtest.Keep{Orders: 1 << 20, Fills: 1 << 19, Points: 2000}

func (c *backtestCmd) once(ctx context.Context, o *output, b *backtesting) error {
	run, err := b.run(nil, keepForReport, 0, 0)
	if err != nil {
		return usageError{err}
	}
	res, err := run.Play(ctx)
	if err != nil {
		return err
	}
	if err := b.write(res, nil, nil); err != nil {
		return err
	}
	if c.JSON {
		e := json.NewEncoder(o.stdout)
		e.SetIndent("", " ")
		return e.Encode(res)
	}
	return b.print(o, res)
}

// print is a result for eyes.
func (b *backtesting) print(o *output, r *backtest.Result) error {
	cur := b.table.AssetName(b.currency)
	t := tabwriter.NewWriter(o.stdout, 0, 4, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(t, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	row("events", "%d in %.2f s, %.2f of a processor: %.2f million/s a core; %v of market", r.Events, r.Seconds, r.CPU, r.Rate/1e6, time.Duration(r.Span*1e9).Round(time.Second))
	row("pnl", "%+.4f %s = spread %+.4f, inventory %+.4f, fees %+.4f", r.PnL, cur, r.Spread, r.Holding, -r.Fees)
	row("traded", "%.2f %s, pnl %+.2f bps of it; drawdown %.4f", r.Traded, cur, r.Bps, r.Drawdown)
	row("orders", "%d placed, %d filled, %d cancelled, %d expired, %d rejected; of %d cancels, replaces and amends %d came too late", r.Orders.Placed,
		r.Orders.Filled, r.Orders.Canceled, r.Orders.Expired, r.Orders.Rejected, r.Orders.Cancels+r.Orders.Replaces+r.Orders.Amends, r.Orders.CancelBad)
	row("fills", "%d, %d as maker; decision to answer p50 %.2f ms, p99 %.2f ms", r.Orders.Fills, r.Orders.Maker, r.Ack.P50, r.Ack.P99)
	row("mark-out", "%s", marksLine(&r.Maker, &r.Taker))
	for i := range r.Parts {
		if s := &r.Parts[i]; len(r.Parts) > 1 {
			row("strategy", "%s: %+.4f, %d fills, %.2f traded, %.4f of fees", s.Name, s.PnL, s.Fills, s.Traded, s.Fees)
		}
	}
	for _, s := range sortedCounts(r.Refused) {
		row("refused", "%d: %s", r.Refused[s], s)
	}
	for i := range r.Signals {
		row("signal", "%s %s: %s", r.Signals[i].Symbol, r.Signals[i].Rule, marksLine(&r.Signals[i].Marks, nil))
	}
	if r.Halted != "" {
		row("halted", "%s", r.Halted)
	}
	row("queue", "%s, latency %s, impact %s", b.venue.Queue, b.cmd.Latency, b.cmd.Impact)
	row("decisions", "%d, sha256 %s", r.Decided, r.Hash)
	return t.Flush()
}

func sortedCounts(m map[string]uint64) (keys []string) {
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b string) int {
		if m[a] != m[b] {
			return int(m[b]) - int(m[a])
		}
		return strings.Compare(a, b)
	})
	return keys
}

func marksLine(maker, taker *backtest.MarkStats) string {
	var s []string
	for h, d := range backtest.Horizons {
		text := ""
		if maker.N[h] > 0 {
			text = fmt.Sprintf("%+.2f", maker.Mean[h])
		}
		if taker != nil && taker.N[h] > 0 {
			text += fmt.Sprintf("/%+.2f", taker.Mean[h])
		}
		if text != "" {
			s = append(s, d.String()+" "+text)
		}
	}
	if len(s) == 0 {
		return "none"
	}
	return strings.Join(s, ", ") + " bps"
}
