package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"riposte/core"
	"riposte/exec"
	storesql "riposte/tools/store/sql"
)

type reconcileCmd struct {
	storeFlags
	Timeout time.Duration `default:"30s" help:"How long all questions together may take."`
}

// storeDifference is one thing that store and venue do not say alike. What others do on
// the account is shown and is settled.
type storeDifference struct {
	What    string `parquet:"what"`
	Subject string `parquet:"subject"` // a symbol or an asset
	Name    string `parquet:"name"`    // a client id or a trade
	Store   string `parquet:"store"`
	Venue   string `parquet:"venue"`
	Settled bool   `parquet:"settled"`
}

// reconcileTries is how often what differs is looked at: an engine may be trading, and
// what was under way the first time agrees the next.
const reconcileTries = 3

// Run compares what the store and the venue say, and changes neither.
func (c reconcileCmd) Run(o *output) (err error) {
	cfg, r, err := c.open(o)
	if err != nil {
		return err
	}
	if err := r.Close(); err != nil {
		return err
	}
	at, err := openContact(cfg, "", false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, at.close()) }()
	ctx, cancel := context.WithTimeout(context.Background(), c.Timeout)
	defer cancel()
	var list []storeDifference
	for try := 1; ; try++ {
		if list, err = at.compareStore(ctx, cfg); err != nil {
			return err
		}
		if unsettled(list) == 0 || try == reconcileTries || !pausedFor(ctx, time.Second) {
			break
		}
	}
	if err := writeRows(o, &c.storeFlags, func(each func(*storeDifference) error) error {
		for i := range list {
			if err := each(&list[i]); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	if n := unsettled(list); n > 0 {
		return fmt.Errorf("store and venue differ in %d things", n)
	}
	fmt.Fprintln(o.stderr, "riposte: store and venue agree")
	return nil
}

func unsettled(list []storeDifference) (n int) {
	for i := range list {
		if !list[i].Settled {
			n++
		}
	}
	return n
}

func pausedFor(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// compareStore asks the venue and holds its answers against the store as it is now.
func (c *contact) compareStore(ctx context.Context, cfg *Config) (list []storeDifference, err error) {
	r, _, err := openStore(cfg)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	orders, err := c.compareOrders(ctx, cfg, r)
	if err != nil {
		return nil, err
	}
	trades, err := c.compareTrades(ctx, r)
	if err != nil {
		return nil, err
	}
	balances, err := c.compareBalances(ctx, r)
	return slices.Concat(orders, trades, balances), err
}

func (c *contact) compareOrders(ctx context.Context, cfg *Config, r *storesql.Reader) (list []storeDifference, err error) {
	ids, err := exec.NewIDs(cfg.Journal.Instance, 1) // of any run: only the prefix counts
	if err != nil {
		return nil, usageError{err}
	}
	open, err := c.rest.OpenOrders(ctx)
	if err != nil {
		return nil, err
	}
	ours := map[string]storesql.Order{}
	if err := r.Orders(storesql.Query{Open: true}, func(o *storesql.Order) error { ours[o.Client] = *o; return nil }); err != nil {
		return nil, err
	}
	for i := range open {
		e := &open[i]
		name := e.Client.String()
		d := storeDifference{Subject: c.symbol(e.Instrument), Name: name, Venue: fmt.Sprintf("%v, %v of %v filled", e.Status, e.Cum, e.Qty)}
		o, held := ours[name]
		delete(ours, name)
		_, _, owner := ids.Parse(e.Client.Bytes())
		switch {
		case owner == exec.Foreign:
			d.What, d.Store, d.Settled = "order of somebody else", "-", true
		case !held:
			d.What, d.Store = "open at the venue alone", "ended, or unknown"
		case o.Cum != e.Cum:
			d.What, d.Store = "filled differently", fmt.Sprintf("%s, %v of %v filled", o.Status, o.Cum, o.Qty)
		default:
			continue
		}
		list = append(list, d)
	}
	for _, name := range slices.Sorted(maps.Keys(ours)) {
		o := ours[name]
		list = append(list, storeDifference{What: "open in the store alone", Subject: o.Symbol, Name: name,
			Store: fmt.Sprintf("%s, %v of %v filled", o.Status, o.Cum, o.Qty), Venue: "not open"})
	}
	return list, nil
}

func (c *contact) symbol(id core.InstrumentID) string {
	if int(id) >= len(c.table.List) {
		return ""
	}
	return c.table.Get(id).Symbol
}

// compareTrades reads the account's trades from those on that the last comparison had
// read and booked.
func (c *contact) compareTrades(ctx context.Context, r *storesql.Reader) (list []storeDifference, err error) {
	booked := map[string]map[int64]bool{}
	if err := r.Fills(storesql.Query{Era: true}, func(f *storesql.Fill) error {
		if booked[f.Symbol] == nil {
			booked[f.Symbol] = map[int64]bool{}
		}
		booked[f.Symbol][f.Trade] = true
		return nil
	}); err != nil {
		return nil, err
	}
	marks := map[string]int64{}
	if err := r.Positions(storesql.Query{}, func(p *storesql.Position) error { marks[p.Symbol] = p.Mark; return nil }); err != nil {
		return nil, err
	}
	for i := range c.table.List {
		in := &c.table.List[i]
		from := int64(-1)
		if mark, ok := marks[in.Symbol]; ok && mark >= 0 {
			from = mark + 1
		} else if known := booked[in.Symbol]; len(known) > 0 {
			from = slices.Min(slices.Collect(maps.Keys(known)))
		}
		if from < 0 {
			continue // nothing of it has ever been read: there is nothing to hold trades against
		}
		trades, err := c.rest.TradesFrom(ctx, in.ID, from)
		if err != nil {
			return nil, err
		}
		seen := map[int64]bool{}
		for j := range trades {
			e := &trades[j]
			seen[e.TradeID] = true
			if booked[in.Symbol][e.TradeID] {
				continue
			}
			d := storeDifference{What: "fill that is not booked", Subject: in.Symbol, Name: fmt.Sprint("trade ", e.TradeID), Store: "-",
				Venue: fmt.Sprintf("%v %v at %v", e.Side, e.LastQty, e.LastPrice)}
			held, err := r.Holds(in.Symbol, e.VenueID)
			if err != nil {
				return nil, err
			}
			if !held {
				d.What, d.Settled = "fill of somebody else", true
			}
			list = append(list, d)
		}
		for _, trade := range slices.Sorted(maps.Keys(booked[in.Symbol])) {
			if trade >= from && !seen[trade] {
				list = append(list, storeDifference{What: "fill that the venue does not list", Subject: in.Symbol, Name: fmt.Sprint("trade ", trade), Store: "booked", Venue: "-"})
			}
		}
	}
	return list, nil
}

// compareBalances holds balances against each other of which an opening is on record.
func (c *contact) compareBalances(ctx context.Context, r *storesql.Reader) (list []storeDifference, err error) {
	told, _, err := c.rest.Balances(ctx)
	if err != nil {
		return nil, err
	}
	venue := map[string]core.Amount{}
	for _, b := range told {
		venue[c.table.AssetName(b.Asset)] = b.Free + b.Locked
	}
	err = r.Balances(storesql.Query{}, func(b *storesql.Balance) error {
		v, asked := venue[b.Asset]
		if b.Time == 0 || !asked || v == b.Owned {
			return nil
		}
		list = append(list, storeDifference{What: "balance", Subject: b.Asset, Store: b.Owned.String(), Venue: v.String()})
		return nil
	})
	return list, err
}
