package app

import (
	"strings"
	"time"

	"riposte/core"
	storesql "riposte/tools/store/sql"
)

// stored holds the store that all these lives have written, each until it was killed,
// against the venue and against one that is made anew from the journal.
func (c *crashLoop) stored(truth map[tradeKey]time.Time) {
	t := c.t
	t.Helper()
	show := func() (all []string) {
		for _, what := range []string{"orders", "fills", "positions", "positions --fees", "store show balances", "store show refusals", "store show halts",
			"store show reconciliations", "store show sessions", "store show limits"} {
			all = append(all, mustRun(t, append(strings.Fields(what), "--format", "csv", "--set", "journal.dir="+c.dir)...))
		}
		return all
	}
	written := show()
	mustRun(t, "store", "rebuild", "--set", "journal.dir="+c.dir)
	for i, anew := range show() {
		if anew != written[i] {
			t.Errorf("killed lives wrote\n%.1000s\nmade anew it is\n%.1000s", written[i], anew)
		}
	}
	r, err := storesql.OpenReader(c.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	orders, fills := 0, 0
	if err := r.Orders(storesql.Query{}, func(o *storesql.Order) error {
		orders++
		if c.intents[o.Client] == 0 {
			t.Errorf("the store has an order that the journal does not know: %+v", o)
		}
		if o.Status == "NEW" || o.Status == "PARTIALLY_FILLED" || o.Status == "UNKNOWN" || o.Status == "PENDING_NEW" {
			t.Errorf("after a clean end the store has %+v", o)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := r.Fills(storesql.Query{}, func(f *storesql.Fill) error {
		fills++
		if _, ok := truth[tradeKey{f.Symbol, f.Trade}]; !ok {
			t.Errorf("the venue knows of no %+v", f)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if orders != len(c.intents) || fills != len(truth) {
		t.Errorf("the store has %d orders and %d fills, want %d and %d", orders, fills, len(c.intents), len(truth))
	}
	venue, err := c.venue.Balances("")
	if err != nil {
		t.Fatal(err)
	}
	held := map[string]core.Amount{}
	for _, b := range venue {
		held[b.Asset] = core.Amount(b.Free + b.Locked)
	}
	if err := r.Balances(storesql.Query{}, func(b *storesql.Balance) error {
		if b.Owned != held[b.Asset] || b.Difference != 0 {
			t.Errorf("the store has %+v, the venue %v", b, held[b.Asset])
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	t.Logf("store: %d orders and %d fills as at the venue, the same made anew", orders, fills)
}
