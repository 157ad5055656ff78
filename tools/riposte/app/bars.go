package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"riposte/core"
	"riposte/core/bar"
	"riposte/core/engine"
	"riposte/core/ring"
	"riposte/core/trail"
	"riposte/exec"
	"riposte/feed"
	feedbinance "riposte/feed/binance"
)

// BarsConfig is [bars]: bars made of trades, the history to begin with, and holes.
type BarsConfig struct {
	Intervals []string `toml:"intervals"`
	History   int      `toml:"history"`
	ActAfter  duration `toml:"act_after"`
	Keep      int      `toml:"keep"`
	FillMax   int      `toml:"fill_max"`
}

func (c *Config) checkBars() error {
	b := &c.Bars
	errs := []error{
		between("bars.history", b.History, 0, 10_000),
		between("bars.keep", b.Keep, 1, 100_000),
		between("bars.fill_max", b.FillMax, 1, 10_000_000),
		span("bars.act_after", b.ActAfter, 0, time.Hour),
	}
	for i, name := range b.Intervals {
		_, err := bar.Parse(name)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("bars.intervals: %w", err))
		case slices.Contains(b.Intervals[:i], name):
			errs = append(errs, want("bars.intervals", fmt.Sprintf("%q twice", name), "each once"))
		}
	}
	trades := slices.Contains(c.Market.Streams, "trade") || slices.Contains(c.Market.Streams, "aggTrade")
	if len(b.Intervals) > 0 && !trades {
		errs = append(errs, want("market.streams", c.Market.Streams, `"trade" or "aggTrade" among them: bars are made of trades`))
	}
	if b.History > 0 && len(b.Intervals) == 0 {
		errs = append(errs, want("bars.history", b.History, "0 without bars.intervals"))
	}
	return errors.Join(errs...)
}

// trail is what is followed of each symbol, by the configured streams.
func (c *Config) trail() trail.Config {
	t := trail.Config{Keep: c.Bars.Keep, FillMax: uint64(c.Bars.FillMax), History: c.Bars.History}
	for _, name := range c.Bars.Intervals {
		v, _ := bar.Parse(name) // checked
		t.Bars = append(t.Bars, v)
	}
	for _, s := range c.Market.Streams {
		switch {
		case s == "trade":
			t.Trades = true
		case s == "aggTrade":
			t.Aggs = true
		case strings.HasPrefix(s, "kline_"):
			if v, err := bar.Parse(strings.TrimPrefix(s, "kline_")); err == nil {
				t.Klines = append(t.Klines, v)
			}
		}
	}
	return t
}

// Rings of a backfill: each instrument has one question at a time.
const (
	askRing    = 1 << 10
	answerRing = 1 << 4 // pages of a thousand trades: more would only wait
)

// followTrades gives the shard's trails their way to the venue's memory.
func (d *desk) followTrades(shard *engine.Config) {
	shard.Asks = ring.New[trail.Ask](askRing)
	shard.Answers = ring.New[*trail.Answer](answerRing)
	d.asks, d.answers = shard.Asks, shard.Answers
}

// openBackfill builds the way to the venue's memory.
func (d *desk) openBackfill() (err error) {
	d.backfill, err = feed.NewBackfill(feed.BackfillConfig{
		Instruments: d.table, Clock: d.clock, Asks: d.asks, Answers: d.answers,
		Fetch: d.remember,
		Parse: func(body []byte, a *trail.Ask) (*trail.Answer, error) {
			return feedbinance.ParseMemory(body, a, core.Milliseconds)
		},
		Weight: func(a *trail.Ask) int { return questionCost[a.Kind] },
		Room: func() int {
			room, _ := d.budget.Spare(questionsKeep, d.vclock.Now(), d.clock.Mono())
			return room
		},
		Priority: d.rank,
		RetryAfter: func(err error) time.Duration {
			var ce *exec.CallError
			if errors.As(err, &ce) {
				return ce.RetryAfter
			}
			return 0
		},
		Wake: d.engineWait.Wake, Go: d.ports.spawn, Seed: d.ports.seedOf(seedBackfill, d.epoch+1),
	})
	return err
}

// remember asks the venue, inside the weight budget.
func (d *desk) remember(ctx context.Context, symbol string, a *trail.Ask) ([]byte, error) {
	from := int64(-1)
	if a.From != trail.Newest {
		from = int64(a.From)
	}
	switch a.Kind {
	case trail.AskKlines:
		zone := "0"
		if off := a.Interval.Offset(); off != 0 {
			zone = fmt.Sprint(int(off / time.Hour))
		}
		return d.rest.KlinesBody(ctx, symbol, a.Interval.Name(), zone, a.Start, a.End, a.Limit)
	case trail.AskAggs:
		return d.rest.AggTradesBody(ctx, symbol, from, a.Limit)
	}
	return d.rest.TradesBody(ctx, symbol, from, a.Limit)
}

// tradesReport is the continuity of trades and bars in figures.
type tradesReport struct {
	Late        uint64 `json:"late"`    // told by the venue's memory, or out of order
	Doubles     uint64 `json:"doubles"` // dropped
	Holes       uint64 `json:"holes"`   // ever seen
	Open        int    `json:"open"`
	Unfilled    uint64 `json:"unfilled"` // given up,
	UnfilledIDs uint64 `json:"unfilled_trades"`
	Bars        uint64 `json:"bars"` // complete
	Broken      uint64 `json:"bars_broken"`
	Compared    uint64 `json:"bars_compared"` // with the venue's klines
	Differ      uint64 `json:"bars_different"`
	Klines      uint64 `json:"klines_filled"`
	Warm        int    `json:"warm"` // instruments whose history is there,
	Wanted      int    `json:"history_wanted"`
	Weight      uint64 `json:"weight"` // of the venue's allowance, so far
}

// questionCost is the weight of a question (Binance Spot API docs, 2026-07-21).
var questionCost = [...]int{trail.AskTrades: 25, trail.AskAggs: 4, trail.AskKlines: 2}

// questionsKeep is the percentage of the weight that questions leave alone: books come
// first.
const questionsKeep = snapshotKeep + 15

// weightOf is what the answers so far have cost.
func weightOf(b *feed.BackfillStatus) uint64 {
	return uint64(questionCost[trail.AskTrades])*b.Trades + uint64(questionCost[trail.AskAggs])*b.Aggs + uint64(questionCost[trail.AskKlines])*b.Klines
}

// reportTrades adds what is to be said of trades and bars.
func (d *desk) reportTrades(r *report) {
	b := d.backfill.Status()
	t := &tradesReport{Weight: weightOf(&b)}
	r.Trades = t
	add := func(bad bool, format string, args ...any) {
		if bad {
			r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
		}
	}
	for i := range d.table.List {
		m, sym := d.shard.MarketStats(d.table.List[i].ID), d.table.List[i].Symbol
		if m == nil {
			continue
		}
		s := &m.Trail
		t.Late += s.Late
		t.Doubles += s.Doubles
		t.Holes += s.Holes
		t.Open += s.Open
		t.Unfilled += s.Unfilled
		t.UnfilledIDs += s.UnfilledIDs
		t.Bars += s.Bars
		t.Broken += s.Broken
		t.Compared += s.Matched + s.Differ
		t.Differ += s.Differ
		t.Klines += s.KlinesFilled
		if s.Wanted {
			t.Wanted++
		}
		if s.Wanted && s.Warm {
			t.Warm++
		}
		add(s.Unfilled > 0, "%s: %d holes with %d trades could not be filled, last ids %d to %d", sym, s.Unfilled, s.UnfilledIDs, s.LastUnfilled[0], s.LastUnfilled[1])
		add(s.Differ > 0, "%s: %d bars differ from the venue's klines; the first %s", sym, s.Differ, s.First)
		add(s.Stray > 0, "%s: %d trades came after their bar had been told", sym, s.Stray)
		add(s.KlinesUnfilled > 0, "%s: %d klines could not be filled", sym, s.KlinesUnfilled)
		add(s.AggTears > 0, "%s: %d aggregates do not follow the trades before them", sym, s.AggTears)
		add(s.Failed != "", "%s: no history: %s", sym, s.Failed)
	}
	add(t.Warm < t.Wanted, "history is there of %d of %d symbols", t.Warm, t.Wanted)
	add(b.Waiting > 0 && b.LastError != "", "holes in trades are not filled: %s", b.LastError)
}
