package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"riposte/core"
	"riposte/core/book"
	"riposte/core/ring"
	execbinance "riposte/exec/binance"
	"riposte/feed"
	feedbinance "riposte/feed/binance"
)

// How long each stream may be silent before it is looked at, and how long after
// its confirmation its first message may take. A market that moves while a stream
// stands still for that long replaces the connection.
const (
	depthMaxAge = 5 * time.Second
	touchMaxAge = 5 * time.Second
	firstWithin = 30 * time.Second
	// lineSilence is after how long without a byte we ask whether anyone is there.
	// It must be well below stale_after, or quiet books would go stale.
	lineSilence = time.Second
	pongWithin  = 3 * time.Second
)

// feed builds the way in: market session, account session, snapshots.
func (d *desk) feed(images *ring.Ring[*book.Image], want *ring.Ring[book.Want]) error {
	unit := core.Milliseconds
	if d.cfg.Venue.TimeUnit == "us" {
		unit = core.Microseconds
	}
	syms, err := feedbinance.NewSymbols(d.table)
	if err != nil {
		return err
	}
	d.shown = feed.NewShown(len(d.table.List))
	if err := d.openMarket(syms, unit, d.allow.connects); err != nil {
		return err
	}
	if err := d.openUser(syms, d.allow.connects); err != nil {
		return err
	}
	if err := d.openBackfill(); err != nil {
		return err
	}
	return d.openSnapshots(images, want)
}

// subscription is one stream of the config: what it carries and how it is watched.
func subscription(in *core.Instrument, kind string) (feed.Subscription, error) {
	s := feedbinance.NewStream(in.Symbol, kind)
	if err := s.Check(); err != nil {
		return feed.Subscription{}, fmt.Errorf("market.streams: %w", err)
	}
	sub := feed.Subscription{Stream: string(s), Instrument: in.ID}
	switch {
	case s.Depth():
		sub.Kind, sub.MaxAge = core.DepthDelta, depthMaxAge
	case kind == "bookTicker":
		sub.Kind, sub.MaxAge = core.Touch, touchMaxAge
	case kind == "trade":
		sub.Kind = core.Trade
	case kind == "aggTrade":
		sub.Kind = core.AggTrade
	case strings.HasPrefix(kind, "kline_"):
		sub.Kind = core.Kline
	case kind == "ticker":
		sub.Kind, sub.FirstWithin = core.Ticker24h, firstWithin
	case kind == "miniTicker":
		sub.Kind, sub.FirstWithin = core.MiniTicker, firstWithin
	case kind == "avgPrice":
		sub.Kind, sub.FirstWithin = core.AvgPrice, firstWithin
	default:
		return sub, fmt.Errorf("market.streams: %q is not a stream that riposte reads, want depth, depth@100ms, bookTicker, trade, aggTrade, kline_<i>, ticker, miniTicker or avgPrice", kind)
	}
	return sub, nil
}

func (d *desk) openUser(syms *feedbinance.Symbols, connects *feed.ConnectBudget) error {
	lines := &userLines{wake: d.engineWait.Wake}
	lines.open = func(key *execbinance.Key) (*userLine, error) {
		signer, err := execbinance.NewWSSigner(key, d.cfg.Venue.RecvWindow.Duration)
		if err != nil {
			return nil, err
		}
		line := &userLine{UserHandler: userEvents{d}, lines: lines, signer: signer}
		cfg := feed.UserConfig{
			LineConfig: feed.LineConfig{URL: d.sites.api, Dial: d.ports.dialer(d.engineWait, d.sites.tls, d.cfg.Loop.sockets()), Clock: d.clock, Budget: connects,
				Wake: d.engineWait.Wake, Go: d.ports.spawn, Seed: d.ports.seedOf(seedUser, 0),
				Silence: lineSilence, PongWithin: pongWithin, OnSilence: d.silence},
			Codec:     feedbinance.NewUserDecoder(d.table, syms, core.Milliseconds),
			Handler:   line,
			Subscribe: func(dst []byte, id int64) []byte { return signer.AppendSubscribe(dst, id, d.vclock.Now()) },
			Successor: true,
			// On the engine's thread, as all of the session.
			OnClockRefused: func() { d.gateway.SyncClock() },
			Silent:         func() bool { return d.budget.Silent(d.clock.Mono()) },
		}
		d.cfg.Market.rotation(&cfg.LineConfig)
		line.session, err = feed.NewUserSession(cfg)
		return line, err
	}
	line, err := lines.open(d.key)
	if err != nil {
		return err
	}
	lines.current = line
	lines.shown.Store(line)
	d.user = lines
	return nil
}

// silence obeys the venue on all ways when it demands silence on one of them: it counts
// what comes from an address together.
func (d *desk) silence(wait time.Duration) {
	now := d.clock.Mono()
	d.budget.Lockout(wait, d.vclock.At(now), now)
}

// userEvents joins the account's stream to the order table. Engine thread.
type userEvents struct{ d *desk }

// OnExecution hands evidence to the table.
func (u userEvents) OnExecution(e *core.Execution) { u.d.gateway.OnExecution(e) }

// OnBalances hands absolute balances to the ledger.
func (u userEvents) OnBalances(bs []core.Balance, at core.WallNs) { u.d.gateway.OnBalances(bs, at) }

// OnExternal hands deposits and withdrawals to the ledger.
func (u userEvents) OnExternal(a core.AssetID, delta core.Amount, _ core.WallNs) {
	u.d.gateway.OnExternal(a, delta)
}

// OnUserUp lets trading go on once an audit has shown what was missed.
func (u userEvents) OnUserUp() { u.d.gateway.OnUserUp() }

// OnUserDown stops new orders.
func (u userEvents) OnUserDown(string) { u.d.gateway.OnUserDown() }

func (d *desk) closeFeed(ctx context.Context) error {
	var errs []error
	if d.market != nil {
		errs = append(errs, d.market.Close(ctx))
	}
	if d.user != nil {
		errs = append(errs, d.user.Close(ctx))
	}
	if d.snapshots != nil {
		errs = append(errs, d.snapshots.Close(ctx))
	}
	if d.backfill != nil {
		errs = append(errs, d.backfill.Close(ctx))
	}
	return errors.Join(errs...)
}

// reportFeed adds what the sessions say of themselves.
func (d *desk) reportFeed(r *report) {
	m, u, s := d.market.Status(), d.user.Status(), d.snapshots.Status()
	r.Frames, r.Bytes, r.Lines = m.Messages, m.Bytes, reportLines(&m)
	d.takeGaps(m.GapsLost)
	r.Missed = d.news.gaps.missed
	r.LineGaps, r.LineGapsTotal, r.LineGapsOpen = d.news.gaps.newest, d.news.gaps.total, d.news.gaps.total-d.news.gaps.covered
	r.Connects = m.Connects + u.Connects
	add := func(bad bool, format string, args ...any) {
		if bad {
			r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
		}
	}
	add(m.State != feed.Live, "market connection is %s%s", m.State, because(m.LastError))
	for i := range m.Lines {
		l := &m.Lines[i]
		add(m.State == feed.Live && l.State != feed.Live, "market line %d is %s%s", l.Number, l.State, because(l.LastError))
	}
	add(u.State != feed.Live, "account connection is %s%s", u.State, because(u.LastError))
	add(m.Mute > 0, "%d streams were confirmed and brought nothing", m.Mute)
	add(m.LostEvents > 0, "%d market events found their queue full", m.LostEvents)
	add(m.Results[feed.Malformed] > 0, "%d frames could not be read", m.Results[feed.Malformed])
	add(s.Waiting > len(s.Aside) && s.LastError != "", "snapshots fail: %s", s.LastError)
}

func because(why string) string {
	if why == "" {
		return ""
	}
	return ": " + why
}
