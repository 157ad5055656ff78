package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"riposte/core"
	"riposte/exec"
	execbinance "riposte/exec/binance"
	"riposte/exec/guard"
	"riposte/tools/sock"
	"riposte/tools/store"
)

// DeadManConfig is [dead_man].
type DeadManConfig struct {
	LostAfter     duration `toml:"lost_after"`
	StaleAfter    duration `toml:"stale_after"`
	GuardKeyFile  string   `toml:"guard_key_file"`
	GuardRequired bool     `toml:"guard_required"`

	USDMSymbols   []string `toml:"usdm_symbols"`
	USDMCountdown duration `toml:"usdm_countdown"`
	USDMRest      string   `toml:"usdm_rest"`
}

func (c *DeadManConfig) check() error {
	return errors.Join(zeroOrSpan("dead_man.lost_after", c.LostAfter, time.Second, time.Hour),
		span("dead_man.stale_after", c.StaleAfter, 500*time.Millisecond, time.Minute),
		span("dead_man.usdm_countdown", c.USDMCountdown, 5*time.Second, time.Hour), c.checkUSDM())
}

func (c *DeadManConfig) checkUSDM() error {
	if c.USDMRest == "" {
		return nil
	}
	return checkURL("dead_man.usdm_rest", c.USDMRest)
}

func zeroOrSpan(key string, got duration, lo, hi time.Duration) error {
	if d := got.Duration; d != 0 && (d < lo || d > hi) {
		return want(key, d, fmt.Sprintf("0s or %v to %v", lo, hi))
	}
	return nil
}

// heartbeatSharers is how many processes map a heartbeat: an engine, and guards.
const heartbeatSharers = 4

// openHeartbeat maps what engine and guard share, in the journal's folder.
func openHeartbeat(cfg *Config) (*store.Shared[guard.Heartbeat], error) {
	h, err := store.OpenShared[guard.Heartbeat](filepath.Join(cfg.Journal.Dir, "heartbeat"), heartbeatSharers)
	if err != nil {
		return nil, usageError{fmt.Errorf("journal.dir: %w", err)}
	}
	return h, nil
}

type guardCmd struct {
	Config    string        `type:"path" required:"" help:"The configuration of the engine to guard."`
	Set       []string      `placeholder:"KEY=VALUE" sep:"none" help:"Change one key of the configuration; may be given more than once."`
	CancelNow bool          `help:"Cancel all orders of the engine now, whether it lives or not, and end once none is open."`
	For       time.Duration `hidden:"" help:"End after this long; 0 watches until SIGINT or SIGTERM."`
}

// cancelNowTime bounds --cancel-now.
const cancelNowTime = time.Minute

// Run watches the engine's heartbeat. This process has no gate, no strategy and no
// client that could create an order.
func (c guardCmd) Run(o *output) (err error) {
	cfg, err := loadConfig(c.Config, c.Set...)
	if err != nil {
		return usageError{err}
	}
	if cfg.Journal.Dir == "" {
		return usageError{want("journal.dir", `""`, "the folder that engine and guard share")}
	}
	stop, release := interrupts()
	defer release()
	at, err := openContact(cfg, cfg.DeadMan.GuardKeyFile, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, at.close()) }()
	heart, err := openHeartbeat(cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, heart.Close()) }()
	g, err := at.guard(cfg, heart.Value, o.stdout)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	if c.For > 0 {
		ctx, cancel = context.WithTimeout(context.Background(), c.For)
	}
	defer cancel()
	go func() {
		select {
		case <-stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	if c.CancelNow {
		ctx, end := context.WithTimeout(ctx, cancelNowTime)
		defer end()
		if err := g.CancelNow(ctx); err != nil {
			return err
		}
		fmt.Fprintf(o.stdout, "no order of %s is open on %s\n", cfg.Journal.Instance, at.sites.name)
		return nil
	}
	own, err := g.Check(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(o.stdout, "guarding %s on %s: %d of its orders are open\n", cfg.Journal.Instance, at.sites.name, own)
	g.Run(ctx)
	return nil
}

// guard makes a guard of the configured engine's orders.
func (c *contact) guard(cfg *Config, heart *guard.Heartbeat, out io.Writer) (*guard.Guard, error) {
	// Of any run: only the prefix counts.
	ids, err := exec.NewIDs(cfg.Journal.Instance, 1)
	if err != nil {
		return nil, usageError{err}
	}
	origin, err := commonTime(c.clock)
	if err != nil {
		return nil, err
	}
	arm, err := c.countdown(&cfg.DeadMan)
	if err != nil {
		return nil, err
	}
	return guard.New(guard.Config{
		Arm: arm, Countdown: cfg.DeadMan.USDMCountdown.Duration,
		Heartbeat: heart, Venue: &guarded{rest: c.rest, table: c.table}, Now: func() int64 { return int64(c.clock.Mono()) + origin },
		Own: func(id core.ClientID) bool {
			_, _, owner := ids.Parse(id.Bytes())
			return owner != exec.Foreign
		},
		Say: func(format string, a ...any) {
			fmt.Fprintf(out, "%s %s\n", time.Now().UTC().Format("15:04:05.000"), fmt.Sprintf(format, a...))
		},
		StaleAfter: cfg.DeadMan.StaleAfter.Duration, LostAfter: 2 * cfg.DeadMan.LostAfter.Duration,
	})
}

// usdmWeight is what USD-M futures let an address use (Binance USD-M docs, read
// 2026-07-21); it is an account of its own beside the spot one.
const usdmWeight = 2400

// countdown is the call that starts the countdown of USD-M futures, nil where none is
// configured.
func (c *contact) countdown(cfg *DeadManConfig) (func(context.Context, time.Duration) error, error) {
	if len(cfg.USDMSymbols) == 0 {
		return nil, nil
	}
	url := cfg.USDMRest
	if url == "" {
		url = c.sites.usdm
	}
	if url == "" {
		return nil, usageError{want("dead_man.usdm_rest", `""`, "the futures host of an environment that has no known one")}
	}
	budget, err := exec.NewBudget(0)
	if err != nil {
		return nil, err
	}
	limits := []exec.Limit{{Kind: exec.LimitWeight, Span: time.Minute, Max: usdmWeight}, {Kind: exec.LimitOrders, Span: time.Minute, Max: 1}}
	if err := budget.Set(limits); err != nil {
		return nil, err
	}
	rest, err := execbinance.NewREST(execbinance.RESTConfig{URL: url, Dial: (&sock.Dialer{TLS: c.sites.tls}).Dial, Key: c.key,
		Instruments: c.table, Clock: c.clock, Time: c.vclock, Budget: budget})
	if err != nil {
		return nil, usageError{err}
	}
	return func(ctx context.Context, d time.Duration) error {
		var errs []error
		for _, symbol := range cfg.USDMSymbols {
			errs = append(errs, rest.CountdownCancelAll(ctx, symbol, d))
		}
		return errors.Join(errs...)
	}, nil
}

// guarded is the venue as a guard may use it. It asks symbol by symbol where that costs
// less than asking for the whole account.
type guarded struct {
	rest  *execbinance.REST
	table *core.Instruments
}

// Asking for all symbols costs 80, for one 6 (Binance Spot API docs, 2026-07-21).
const askEachBelow = 13

// OpenOrders are the account's working orders on the configured symbols.
func (v *guarded) OpenOrders(ctx context.Context) ([]core.Execution, error) {
	if len(v.table.List) > askEachBelow {
		all, err := v.rest.OpenOrders(ctx)
		known := all[:0]
		for i := range all {
			if all[i].Instrument != core.NoInstrument {
				known = append(known, all[i])
			}
		}
		return known, err
	}
	var all []core.Execution
	for i := range v.table.List {
		list, err := v.rest.OpenOrdersOf(ctx, core.InstrumentID(i))
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	return all, nil
}

// Cancel ends one order.
func (v *guarded) Cancel(ctx context.Context, id core.InstrumentID, client core.ClientID, venueID int64) (core.Execution, error) {
	return v.rest.Cancel(ctx, id, client, venueID)
}

// pulse is the engine's end of the heartbeat. Engine thread, but for open and close.
type pulse struct {
	shared *store.Shared[guard.Heartbeat]
	heart  *guard.Heartbeat
	origin int64
	began  int64
	market core.MonoNs // since when the market connection is down, 0: it is up
}

func (p *pulse) open(cfg *Config, epoch int64, clock core.Clock) (err error) {
	if p.origin, err = commonTime(clock); err != nil {
		return err
	}
	if p.shared, err = openHeartbeat(cfg); err != nil {
		return err
	}
	p.heart = p.shared.Value
	p.began = p.at(clock.Mono())
	p.heart.Begin(epoch, p.began)
	return nil
}

func (p *pulse) at(now core.MonoNs) int64 { return int64(now) + p.origin }

// beat says that the loop's round is done. lost is since when account stream or order
// link are down.
func (p *pulse) beat(now core.MonoNs, live int, lost core.MonoNs, marketUp bool) {
	switch {
	case marketUp:
		p.market = 0
	case p.market == 0:
		p.market = now
	}
	if lost == 0 || p.market != 0 && p.market < lost {
		lost = p.market
	}
	since := int64(0)
	if lost != 0 {
		since = p.at(lost)
	}
	p.heart.Beat(p.at(now), live, since)
}

// buried reports whether a guard has taken this run for dead.
func (p *pulse) buried() bool { return p.heart != nil && p.heart.Fired() > p.began }

// guardedWithin is how old a guard's last look may be for us to count as guarded.
const guardedWithin = 3 * time.Second

func (p *pulse) guarded(now core.MonoNs) bool {
	return p.heart != nil && p.at(now)-p.heart.Guarded() <= int64(guardedWithin)
}

// close ends the run for the guard: in order if nothing was left at the venue.
func (p *pulse) close(clean bool) error {
	if p.shared == nil {
		return nil
	}
	if clean {
		p.heart.End()
	}
	p.heart = nil
	return p.shared.Close()
}
