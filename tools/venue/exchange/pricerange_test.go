package exchange

import "testing"

// The rule bounds takers to 99..101 for buys and 98..unbounded for sells.
func rangeDesk(t *testing.T) *desk {
	d := newDesk(t, func(c *Config) {
		c.Symbols[0].Filters = nil
		c.Symbols[0].Range = PriceRange{BidUp: fx("1.01"), BidDown: fx("0.99"), AskDown: fx("0.98")}
	})
	if rej := d.x.SetReference(d.now, "BTCUSDT", Some(fx("100"))); rej != nil {
		t.Fatal(rej)
	}
	for _, o := range []string{"SELL LIMIT GTC 1@100", "SELL LIMIT GTC 1@101", "SELL LIMIT GTC 1@101.01", "BUY LIMIT GTC 1@99", "BUY LIMIT GTC 1@98", "BUY LIMIT GTC 1@97.99"} {
		d.place(1, o)
	}
	return d
}

func TestTakersOutsideThePriceRangeExpire(t *testing.T) {
	for _, c := range []struct {
		order, executed string
		status          OrderStatus
		why             ExpiryReason
	}{
		{"BUY MARKET 2", "2", StatusFilled, ExpiryNone},
		{"BUY MARKET 3", "2", StatusExpired, ExpiryPriceRange},
		{"BUY LIMIT GTC 3@105", "2", StatusExpired, ExpiryPriceRange},
		{"BUY LIMIT IOC 3@105", "2", StatusExpired, ExpiryPriceRange},
		{"BUY LIMIT FOK 3@105", "0", StatusExpired, ExpiryFOK},
		{"BUY LIMIT GTC 3@101", "2", StatusPartiallyFilled, ExpiryNone},
		{"SELL MARKET 3", "2", StatusExpired, ExpiryPriceRange},
		{"SELL LIMIT GTC 3@98", "2", StatusPartiallyFilled, ExpiryNone},
		{"SELL LIMIT GTC 1@500", "0", StatusNew, ExpiryNone}, // a maker is not bounded
	} {
		d := rangeDesk(t)
		rep := d.place(0, c.order)
		if rep.Status != c.status || rep.ExpiryReason != c.why || rep.ExecutedQty != fx(c.executed) {
			t.Errorf("%s: got %s %s of %d, want %s %s of %s", c.order, rep.Status, rep.ExpiryReason, rep.ExecutedQty, c.status, c.why, c.executed)
		}
	}
	d := rangeDesk(t)
	if rej := d.x.SetReference(d.now, "BTCUSDT", Opt{}); rej != nil {
		t.Fatal(rej)
	}
	if rep := d.place(0, "BUY MARKET 3"); rep.Status != StatusFilled {
		t.Errorf("got %s, want no bound without a reference price", rep.Status)
	}
	if _, at := d.x.Reference("BTCUSDT"); at != d.now {
		t.Errorf("got reference of %d, want that of now", at)
	}
	if rej := d.x.SetReference(d.now, "NOPE", Opt{}); rej == nil {
		t.Error("unknown symbol: got accepted")
	}
}

func TestFiltersMeasureAgainstTheReferencePrice(t *testing.T) {
	d := withFilters(t, Filter{Type: PercentPrice, MultiplierDown: fx("0.9"), MultiplierUp: fx("1.1"), AvgPriceMins: 5})
	d.x.byName["BTCUSDT"].tape.last = fx("100")
	if rej := d.x.SetReference(d.now, "BTCUSDT", Some(fx("200"))); rej != nil {
		t.Fatal(rej)
	}
	d.refused(0, ticket("BUY LIMIT GTC 1@110"), -1013, "Filter failure: PERCENT_PRICE")
	d.place(0, "BUY LIMIT GTC 1@180")
}
