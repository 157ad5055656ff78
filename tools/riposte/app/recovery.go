package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"riposte/core"
	"riposte/core/book"
	"riposte/core/ring"
	"riposte/exec"
	execbinance "riposte/exec/binance"
	"riposte/feed"
	feedbinance "riposte/feed/binance"
	"riposte/tools/venue/exchange"
)

// RecoveryConfig is [recovery].
type RecoveryConfig struct {
	FirstLevels int `toml:"first_levels"`
	RenewAt     int `toml:"renew_at"`
	AuditShare  int `toml:"audit_share"`
}

func (c *RecoveryConfig) check() error {
	return errors.Join(
		between("recovery.first_levels", c.FirstLevels, 5, 5000),
		between("recovery.renew_at", c.RenewAt, 1, 99),
		between("recovery.audit_share", c.AuditShare, 0, 50),
	)
}

const (
	// snapshotKeep is the percentage of the weight that snapshots leave alone: what
	// cancels are sure of, and as much as the questions about our own orders take.
	snapshotKeep = cancelReservePercent + 10
	// backgroundKeep is what those for Live books leave beside that: audits of the account
	// come out of what snapshots may take, and a return of all books must still fit.
	backgroundKeep = 10
	// snapshotsAtOnce is how many are fetched at a time: with a round trip of 100 ms
	// four hundred take five seconds.
	snapshotsAtOnce = 8
	auditCopiesMost = 4
	recoveredRing   = 1 << 12
)

// widen adds the embedded venue's own symbols to those that are followed, until there
// are as many as sim.symbols. The strategy stays where it was.
func (c *Config) widen() error {
	more := c.Sim.Symbols - len(c.Market.Symbols)
	if more <= 0 || !c.embedded() {
		return nil
	}
	names, err := exchange.SymbolNames(c.Sim.Symbols + len(c.Market.Symbols))
	if err != nil {
		return fmt.Errorf("sim.symbols: %w", err)
	}
	c.fixSymbols()
	c.Market.Symbols = slices.Clone(c.Market.Symbols)
	for _, name := range names {
		if more > 0 && !slices.Contains(c.Market.Symbols, name) {
			c.Market.Symbols = append(c.Market.Symbols, name)
			more--
		}
	}
	return nil
}

// checkStreams refuses what no connection can carry.
func (c *Config) checkStreams() error {
	if n := len(c.Market.Symbols) * len(c.Market.Streams); n > feedbinance.StreamsPerConn {
		return want("market.symbols times market.streams", n, fmt.Sprintf("at most %d, as many as the venue lets one connection have", feedbinance.StreamsPerConn))
	}
	return nil
}

// rankSymbols is the order of recovery: traded symbols first, then by what was traded in
// 24 h, in one currency. It is asked once. Where the venue does not say, the order of
// the config is left.
func (d *desk) rankSymbols() []int {
	n := len(d.cfg.Market.Symbols)
	rank := make([]int, len(d.table.List))
	for i, sym := range d.cfg.Market.Symbols {
		if in, ok := d.table.Lookup(sym); ok {
			rank[in.ID] = n - i
		}
	}
	if n > 1 {
		if err := d.rankByVolume(rank); err != nil {
			d.warnings = append(d.warnings, fmt.Sprintf("books are recovered in the order of market.symbols: %v", err))
		}
	}
	for _, sym := range d.cfg.traded() {
		if in, ok := d.table.Lookup(sym); ok {
			rank[in.ID] += 1 << 20
		}
	}
	return rank
}

func (d *desk) rankByVolume(rank []int) error {
	ctx, cancel := context.WithTimeout(context.Background(), connectTime)
	defer cancel()
	list, err := d.rest.Tickers(ctx, d.cfg.Market.Symbols...)
	if err != nil {
		return err
	}
	type traded struct {
		id    core.InstrumentID
		value float64
	}
	var order []traded
	price := map[string]float64{} // of quote assets
	for i := range list {
		for _, dollar := range []string{"USDT", "USDC", "FDUSD"} {
			if asset, ok := strings.CutSuffix(list[i].Symbol, dollar); ok {
				price[asset] = float64(list[i].Close) / core.Scale
				price[dollar] = 1
			}
		}
	}
	for i := range list {
		in, ok := d.table.Lookup(list[i].Symbol)
		if !ok {
			continue
		}
		one, ok := price[d.table.AssetName(in.Quote)]
		if !ok {
			one = 1
		}
		order = append(order, traded{in.ID, one * float64(list[i].QuoteVolume)})
	}
	slices.SortStableFunc(order, func(a, b traded) int {
		switch {
		case a.value > b.value:
			return -1
		case a.value < b.value:
			return 1
		}
		return int(a.id) - int(b.id)
	})
	for i := range order {
		rank[order[i].id] = len(order) - i
	}
	return nil
}

// tradesReadMost is up to how many instruments' trades every audit of the account reads.
const tradesReadMost = 20

// tradesOf are the instruments whose trades an audit of the account reads: all of a few,
// of many those that are traded or were by a former run. At a weight of 20 each, hundreds
// that are only watched would leave none for their books.
func (d *desk) tradesOf() []bool {
	if len(d.table.List) <= tradesReadMost {
		return nil
	}
	of := make([]bool, len(d.table.List))
	for _, id := range d.orders {
		of[id] = true
	}
	if d.folder != nil {
		for i := range d.table.List {
			of[i] = of[i] || d.folder.Past.Symbols[d.table.List[i].Symbol] != nil
		}
	}
	return of
}

// urgent are the instruments that are traded.
func (d *desk) urgent() []bool {
	of := make([]bool, len(d.table.List))
	for _, id := range d.orders {
		of[id] = true
	}
	return of
}

// auditPace spends the share of the weight that audits may have evenly.
func (d *desk) auditPace() time.Duration {
	share := d.cfg.Recovery.AuditShare
	if share == 0 {
		return 0
	}
	use := d.budget.Use(d.vclock.Now(), d.clock.Mono())
	return time.Minute * 100 / time.Duration(share*max(use.WeightMax, 1))
}

// openSnapshots makes the fetcher.
func (d *desk) openSnapshots(images *ring.Ring[*book.Image], want *ring.Ring[book.Want]) (err error) {
	d.snapshots, err = feed.NewSnapshots(feed.SnapshotConfig{
		Instruments: d.table, Clock: d.clock, Want: want, Images: images,
		Limit: d.cfg.Market.SnapshotLimit, First: min(d.cfg.Recovery.FirstLevels, d.cfg.Market.SnapshotLimit),
		Weight: execbinance.DepthWeight,
		Room: func(p book.Purpose) (int, time.Duration) {
			keep := snapshotKeep
			if p > book.ForEdge {
				keep += backgroundKeep
			}
			return d.budget.Spare(keep, d.vclock.Now(), d.clock.Mono())
		},
		Fetch: d.rest.Depth,
		Parse: func(body []byte, id core.InstrumentID, limit int) (*book.Image, error) {
			im, err := feedbinance.ParseSnapshot(body, id, limit, core.Milliseconds)
			if err == nil {
				d.shown.See(id, im.LastID)
			}
			return im, err
		},
		Priority: d.rank, Urgent: d.urgent(), AuditPace: d.auditPace(),
		Parallel: snapshotsAtOnce,
		RetryAfter: func(err error) time.Duration {
			var ce *exec.CallError
			if errors.As(err, &ce) {
				return ce.RetryAfter
			}
			return 0
		},
		// The venue knows no such symbol any more, or will not show its book.
		Refused: func(err error) bool {
			var ce *exec.CallError
			return errors.As(err, &ce) && ce.Status == http.StatusBadRequest
		},
		Wake: d.engineWait.Wake, Go: d.ports.spawn, Seed: d.ports.seedOf(seedSnapshots, d.epoch),
	})
	return err
}
