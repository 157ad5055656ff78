package backtest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"riposte/core"
	"riposte/tools/tape"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// script writes a tape a line at a time. Times are in ms since its beginning.
type script struct {
	lines []string
	id    int64
	trade int64
}

const scriptStart = 1_700_000_000_000 // ms

func (s *script) line(ms int64, kind, payload string) {
	s.lines = append(s.lines, fmt.Sprintf("%d\t%s\t%s", (scriptStart+ms)*1e6, kind, payload))
}

func levels(pairs string) string {
	var out []string
	for _, p := range strings.Fields(pairs) {
		price, qty, _ := strings.Cut(p, "@")
		out = append(out, fmt.Sprintf(`[%q,%q]`, qty, price))
	}
	return "[" + strings.Join(out, ",") + "]"
}

// snapshot makes the book consist of levels, written qty@price, and proves it.
func (s *script) snapshot(ms int64, bids, asks string) {
	s.id = 100
	s.line(ms, "rest:/api/v3/depth?symbol=BTCUSDT&limit=1000", fmt.Sprintf(`{"lastUpdateId":%d,"bids":%s,"asks":%s}`, s.id, levels(bids), levels(asks)))
	s.depth(ms, "", "")
}

func (s *script) depth(ms int64, bids, asks string) {
	s.id++
	s.line(ms, "ws", fmt.Sprintf(`{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":%d,"s":"BTCUSDT","U":%d,"u":%d,"b":%s,"a":%s}}`,
		scriptStart+ms, s.id, s.id, levels(bids), levels(asks)))
}

func (s *script) touch(ms int64, bid, ask string) {
	s.id++
	b, bq, _ := strings.Cut(bid, "@")
	a, aq, _ := strings.Cut(ask, "@")
	s.line(ms, "ws", fmt.Sprintf(`{"stream":"btcusdt@bookTicker","data":{"u":%d,"s":"BTCUSDT","b":%q,"B":%q,"a":%q,"A":%q}}`, s.id, bq, b, aq, a))
}

// sold is a trade whose aggressor sold, bought one whose bought.
func (s *script) sold(ms int64, qty, price string)   { s.traded(ms, qty, price, true) }
func (s *script) bought(ms int64, qty, price string) { s.traded(ms, qty, price, false) }

func (s *script) traded(ms int64, qty, price string, maker bool) {
	s.trade++
	s.line(ms, "ws", fmt.Sprintf(`{"stream":"btcusdt@trade","data":{"e":"trade","E":%d,"s":"BTCUSDT","t":%d,"p":%q,"q":%q,"T":%d,"m":%v,"M":true}}`,
		scriptStart+ms, s.trade, price, qty, scriptStart+ms, maker))
}

// source reads lines.
func source(t testing.TB, lines []string) *Source {
	t.Helper()
	return &Source{Tapes: "script", Symbols: []string{"BTCUSDT"}, Each: func(f func(*tape.Line) error) error {
		r, err := tape.NewReader("script", strings.NewReader(strings.Join(lines, "\n")+"\n"))
		if err != nil {
			return err
		}
		defer r.Close()
		for {
			var l tape.Line
			if r.Next(&l) != nil {
				return nil
			}
			if err := f(&l); err != nil {
				return err
			}
		}
	}}
}

func decoded(t testing.TB, src *Source) *Events {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "events"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	e, err := Decode(src, f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// recorded decodes a recording of the shared data, or skips where that is not there.
func recorded(t testing.TB, name string, symbols ...string) *Events {
	t.Helper()
	dir := os.Getenv("RIPOSTE_DATA")
	if dir == "" {
		dir = "../../../shared/data"
	}
	file := filepath.Join(dir, "streams", name)
	if _, err := os.Stat(file); err != nil {
		t.Skipf("no recordings beside this clone: the scripts of this package run everywhere (%v)", err)
	}
	return decoded(t, &Source{Tapes: name, Symbols: symbols, Each: func(f func(*tape.Line) error) error { return tape.Each(f, file) }})
}

func table(tick, lot string) *core.Instruments {
	t := core.NewInstruments()
	p, _ := core.ParsePrice(tick)
	q, _ := core.ParseQty(lot)
	in := core.Instrument{Symbol: "BTCUSDT", Base: t.Asset("BTC"), Quote: t.Asset("USDT"), Status: core.StatusTrading, Features: ^core.Features(0),
		Filters: core.Filters{Tick: p, Lot: q, QtyMin: q}}
	for o := core.Limit; o <= core.TakeProfitLimit; o++ {
		in.OrderTypes = in.OrderTypes.With(o)
	}
	if _, err := t.Add(in); err != nil {
		panic(err)
	}
	t.Asset("BNB")
	return t
}

func funds(usdt, btc, bnb int64) []core.Balance {
	return []core.Balance{{Asset: 0, Free: core.Amount(btc * core.Scale)}, {Asset: 1, Free: core.Amount(usdt * core.Scale)}, {Asset: 2, Free: core.Amount(bnb * core.Scale)}}
}

// venue is an exchange on a script, with what is heard of its orders.
type venue struct {
	t     *testing.T
	x     *Exchange
	c     cursor
	on    bool
	heard []string
	next  core.OrderID
}

func newVenue(t *testing.T, s *script, opt Options) *venue {
	t.Helper()
	if opt.Funds == nil {
		opt.Funds = funds(1_000_000, 100, 100)
	}
	e := decoded(t, source(t, s.lines))
	tab := table("0.01", "0.001")
	x, err := NewExchange(tab, e, opt)
	if err != nil {
		t.Fatal(err)
	}
	x.trades = singleTrades(e)
	v := &venue{t: t, x: x, c: NewLaps(e, 1).cursor(), next: 1}
	v.on = v.c.next()
	return v
}

// until moves the venue to an instant, events at it included.
func (v *venue) until(ms int64) *venue {
	now := core.MonoNs(ms) * core.MonoNs(time.Millisecond)
	for {
		at := never
		if v.on {
			at = v.c.ev.Recv
		}
		if r, ok := v.x.Next(); ok && r < at && r <= now {
			v.x.Arrive()
			continue
		}
		if at > now {
			break
		}
		v.x.Market(at, v.c.ev.Instrument, v.c.ev, v.c.lv)
		v.on = v.c.next()
	}
	v.x.now = now
	for v.x.reports.head() != nil {
		r := v.x.Report()
		v.heard = append(v.heard, told(&r))
	}
	return v
}

func told(r *core.Report) string {
	switch r.Kind {
	case core.ReportAck:
		return fmt.Sprintf("%d ack", r.ID)
	case core.ReportFill:
		who := "taker"
		if r.Maker {
			who = "maker"
		}
		return fmt.Sprintf("%d %s %v@%v", r.ID, who, r.Qty, r.Price)
	case core.ReportDone:
		if r.Code != 0 {
			return fmt.Sprintf("%d %v %d", r.ID, r.Status, r.Code)
		}
		return fmt.Sprintf("%d %v", r.ID, r.Status)
	case core.ReportCancelRejected:
		return fmt.Sprintf("%d cancel-rejected %d", r.ID, r.Code)
	case core.ReportAmended:
		return fmt.Sprintf("%d amended %v", r.ID, r.Qty)
	}
	return fmt.Sprintf("%d kind %d", r.ID, r.Kind)
}

// send puts an intent on its way at an instant.
func (v *venue) send(ms int64, in core.Intent) core.OrderID {
	v.t.Helper()
	v.until(ms)
	if in.Kind == core.Place || in.Kind == core.Replace {
		in.ID = v.next
		v.next++
	}
	v.x.Send(&in, v.x.now)
	return in.ID
}

// asked is an order, qty@price.
func asked(side core.Side, typ core.OrderType, tif core.TIF, text string) core.Intent {
	q, p, _ := strings.Cut(text, "@")
	in := core.Intent{Kind: core.Place, Side: side, Type: typ, TIF: tif}
	var err error
	if in.Qty, err = core.ParseQty(q); err == nil && p != "" {
		in.Price, err = core.ParsePrice(p)
	}
	if err != nil {
		panic(err)
	}
	return in
}

func (v *venue) want(text string) {
	v.t.Helper()
	if got := strings.Join(v.heard, "; "); got != text {
		v.t.Errorf("heard %q, want %q", got, text)
	}
	v.heard = nil
}

// fmtNs is a receive time as a line begins with.
func fmtNs(ns core.MonoNs) string { return fmt.Sprintf("%d", ns) }

// decodeAgain decodes lines into events that the caller closes.
func decodeAgain(t testing.TB, lines []string) (*Events, error) {
	f, err := os.Create(filepath.Join(t.TempDir(), "events"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return Decode(source(t, lines), f)
}
