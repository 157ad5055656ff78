package exchange

import (
	"testing"
	"time"
)

func at(t *testing.T, s string) Micros {
	t.Helper()
	v, err := time.Parse("2006-01-02 15:04:05.000000", s)
	if err != nil {
		t.Fatal(err)
	}
	return v.UnixMicro()
}

func TestIntervalsAlignToTheClock(t *testing.T) {
	now := at(t, "2026-07-22 13:47:31.500000") // a Wednesday
	for _, c := range []struct {
		name, open, next string
		offset           Micros
	}{
		{"1s", "2026-07-22 13:47:31", "2026-07-22 13:47:32", 0},
		{"1m", "2026-07-22 13:47:00", "2026-07-22 13:48:00", 0},
		{"3m", "2026-07-22 13:45:00", "2026-07-22 13:48:00", 0},
		{"5m", "2026-07-22 13:45:00", "2026-07-22 13:50:00", 0},
		{"15m", "2026-07-22 13:45:00", "2026-07-22 14:00:00", 0},
		{"30m", "2026-07-22 13:30:00", "2026-07-22 14:00:00", 0},
		{"1h", "2026-07-22 13:00:00", "2026-07-22 14:00:00", 0},
		{"2h", "2026-07-22 12:00:00", "2026-07-22 14:00:00", 0},
		{"4h", "2026-07-22 12:00:00", "2026-07-22 16:00:00", 0},
		{"6h", "2026-07-22 12:00:00", "2026-07-22 18:00:00", 0},
		{"8h", "2026-07-22 08:00:00", "2026-07-22 16:00:00", 0},
		{"12h", "2026-07-22 12:00:00", "2026-07-23 00:00:00", 0},
		{"1d", "2026-07-22 00:00:00", "2026-07-23 00:00:00", 0},
		{"1w", "2026-07-20 00:00:00", "2026-07-27 00:00:00", 0}, // Monday
		{"1M", "2026-07-01 00:00:00", "2026-08-01 00:00:00", 0},
		{"1d", "2026-07-21 16:00:00", "2026-07-22 16:00:00", 8 * 60 * minute},
		{"1M", "2026-06-30 16:00:00", "2026-07-31 16:00:00", 8 * 60 * minute},
	} {
		v, ok := ParseInterval(c.name)
		if !ok {
			t.Fatalf("interval %s is unknown", c.name)
		}
		open := v.openOf(now, c.offset)
		if want := at(t, c.open+".000000"); open != want {
			t.Errorf("%s: opens at %s, want %s", c.name, time.UnixMicro(open).UTC(), c.open)
		}
		if want := at(t, c.next+".000000"); v.next(open, c.offset) != want {
			t.Errorf("%s: next opens at %s, want %s", c.name, time.UnixMicro(v.next(open, c.offset)).UTC(), c.next)
		}
	}
	if _, ok := ParseInterval("1D"); ok {
		t.Error("intervals are case-sensitive, 1D is none")
	}
}

// trading makes trades at 13:00:10 (1 at 100), 13:00:50 (2 at 104, taker sells)
// and 13:02:30 (1 at 99) and stops at 13:03:20.
func trading(t *testing.T) *desk {
	d := newDesk(t, func(c *Config) { c.Start = at(t, "2026-07-22 13:00:00.000000"); c.Symbols[0].Filters = nil })
	d.now = at(t, "2026-07-22 13:00:10.000000")
	d.place(0, "SELL LIMIT GTC 1@100")
	d.place(1, "BUY MARKET 1")
	d.now += 40 * second
	d.place(0, "BUY LIMIT GTC 2@104")
	d.place(1, "SELL MARKET 2")
	d.now += 100 * second
	d.place(0, "SELL LIMIT GTC 1@99")
	d.place(1, "BUY MARKET 1")
	d.x.Advance(d.now + 50*second)
	return d
}

func TestKlinesSumTrades(t *testing.T) {
	d := trading(t)
	ks, rej := d.x.Klines("BTCUSDT", KlineQuery{Interval: Interval1m})
	if rej != nil || len(ks) != 4 {
		t.Fatalf("got %d bars %v, want 4", len(ks), rej)
	}
	first := Kline{
		Symbol: "BTCUSDT", Interval: Interval1m, OpenTime: at(t, "2026-07-22 13:00:00.000000"), CloseTime: at(t, "2026-07-22 13:00:59.999999"),
		Open: fx("100"), High: fx("104"), Low: fx("100"), Close: fx("104"), Volume: fx("3"), Quote: fx("308"),
		TakerBase: fx("1"), TakerQuote: fx("100"), Trades: 2, FirstID: 1, LastID: 2, Closed: true,
	}
	if ks[0] != first {
		t.Errorf("first bar: got %+v, want %+v", ks[0], first)
	}
	if k := ks[1]; k.Open != fx("104") || k.Close != fx("104") || k.Volume != 0 || k.FirstID != -1 || k.Trades != 0 || !k.Closed {
		t.Errorf("bar without trades: got %+v, want the last close throughout", k)
	}
	if k := ks[3]; k.Closed || k.Close != fx("99") {
		t.Errorf("running bar: got %+v, want it open at 99", k)
	}
	for _, c := range []struct {
		q    KlineQuery
		n    int
		open string
	}{
		{KlineQuery{Interval: Interval1m, Limit: 2}, 2, "2026-07-22 13:02:00"},
		{KlineQuery{Interval: Interval1m, StartTime: Some(at(t, "2026-07-22 13:00:00.000001"))}, 3, "2026-07-22 13:01:00"},
		{KlineQuery{Interval: Interval1m, EndTime: Some(at(t, "2026-07-22 13:01:00.000000"))}, 2, "2026-07-22 13:00:00"},
		{KlineQuery{Interval: Interval1m, StartTime: Some(1), Limit: 1}, 1, "2026-07-22 13:00:00"},
		{KlineQuery{Interval: Interval5m}, 1, "2026-07-22 13:00:00"},
		{KlineQuery{Interval: Interval1M}, 1, "2026-07-01 00:00:00"},
		{KlineQuery{Interval: Interval1s, Limit: 1000}, 191, "2026-07-22 13:00:10"},
	} {
		ks, rej := d.x.Klines("BTCUSDT", c.q)
		if rej != nil || len(ks) != c.n || ks[0].OpenTime != at(t, c.open+".000000") {
			t.Errorf("%+v: got %d bars %v from %v, want %d from %s", c.q, len(ks), rej, ks, c.n, c.open)
		}
	}
	if _, rej := d.x.Klines("BTCUSDT", KlineQuery{}); rej == nil || rej.Code != -1120 {
		t.Errorf("no interval: got %v, want -1120", rej)
	}
}

func TestTickerAndAverage(t *testing.T) {
	d := trading(t)
	k, ok := d.x.Ticker("BTCUSDT", Day)
	if !ok {
		t.Fatal("no ticker")
	}
	if k.Open != fx("100") || k.High != fx("104") || k.Low != fx("99") || k.Last != fx("99") || k.LastQty != One || k.Change != -One ||
		k.ChangePct != -One || k.Volume != fx("4") || k.Quote != fx("407") || k.VWAP != fx("101.75") || k.Count != 3 || k.FirstID != 1 || k.LastID != 3 {
		t.Errorf("got %+v", k)
	}
	if k, _ = d.x.Ticker("BTCUSDT", minute); k.Count != 1 || k.PrevClose != fx("104") {
		t.Errorf("one minute: got %+v, want one trade and 104 before it", k)
	}
	if a, ok := d.x.AvgPrice("BTCUSDT"); !ok || a.Price != fx("101.75") || a.Mins != 5 || a.CloseTime != at(t, "2026-07-22 13:02:30.000000") {
		t.Errorf("average: got %+v", a)
	}
	d.x.Advance(d.now + 10*minute)
	if a, _ := d.x.AvgPrice("BTCUSDT"); a.Price != fx("99") {
		t.Errorf("average of an empty window: got %+v, want the last price", a)
	}
	ts, _ := d.x.Trades("BTCUSDT", Opt{}, 2)
	if len(ts) != 2 || ts[0].ID != 2 {
		t.Errorf("newest two trades: got %+v", ts)
	}
	if ts, _ = d.x.Trades("BTCUSDT", Some(1), 2); len(ts) != 2 || ts[0].ID != 1 {
		t.Errorf("two trades from 1: got %+v", ts)
	}
	if as, _ := d.x.AggTrades("BTCUSDT", AggQuery{FromID: Some(3)}); len(as) != 1 || as[0].Qty != One {
		t.Errorf("aggregates from 3: got %+v", as)
	}
}

func TestAgentsStartWithAHistoryThatJoinsTheTrades(t *testing.T) {
	syms, err := BuiltinSymbols("BTCUSDT")
	if err != nil {
		t.Fatal(err)
	}
	rec := &recorder{}
	x, err := New(Config{Seed: 2, Start: testStart, Symbols: syms, Market: Agents(AgentOptions{})}, rec)
	if err != nil {
		t.Fatal(err)
	}
	x.Advance(testStart + 5*second)
	ks, rej := x.Klines("BTCUSDT", KlineQuery{Interval: Interval1m, Limit: 1000})
	if rej != nil || len(ks) != 1000 {
		t.Fatalf("got %d bars %v, want 1000", len(ks), rej)
	}
	for i := range ks {
		k := &ks[i]
		if k.Low > min(k.Open, k.Close) || k.High < max(k.Open, k.Close) || k.TakerBase > k.Volume || k.TakerQuote > k.Quote || k.Trades != k.LastID-k.FirstID+1 {
			t.Fatalf("bar %d contradicts itself: %+v", i, *k)
		}
		if i > 0 && (k.OpenTime != ks[i-1].CloseTime+1 || k.FirstID != ks[i-1].LastID+1) {
			t.Fatalf("bar %d does not follow %+v: %+v", i, ks[i-1], *k)
		}
	}
	if rec.trades[0].ID > ks[999].LastID || rec.trades[0].ID < ks[998].FirstID {
		t.Errorf("first trade has id %d, last bars %+v %+v", rec.trades[0].ID, ks[998], ks[999])
	}
	if tk, _ := x.Ticker("BTCUSDT", Day); tk.Count < 1_000_000 || tk.High < tk.Low || tk.VWAP < tk.Low || tk.VWAP > tk.High {
		t.Errorf("24 h ticker: got %+v", tk)
	}
}
