package exchange

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// recorder is a Sink that keeps copies of everything.
type recorder struct {
	trades   []Trade
	aggs     []AggTrade
	tops     []Top
	reports  []ExecutionReport
	owners   []AccountID
	lists    []ListState
	balances []balanceEvent
	lines    []string // engine order: kinds only
}

type balanceEvent struct {
	acct AccountID
	bal  []Balance
}

func (r *recorder) Trade(t *Trade) {
	r.trades = append(r.trades, *t)
	r.lines = append(r.lines, "trade")
}
func (r *recorder) AggTrade(a *AggTrade) {
	r.aggs = append(r.aggs, *a)
	r.lines = append(r.lines, "agg")
}
func (r *recorder) Top(t *Top) { r.tops = append(r.tops, *t); r.lines = append(r.lines, "top") }
func (r *recorder) Execution(a AccountID, e *ExecutionReport) {
	r.reports = append(r.reports, *e)
	r.owners = append(r.owners, a)
	r.lines = append(r.lines, fmt.Sprintf("%d:%s/%s", a, e.Exec, e.Status))
}
func (r *recorder) Balances(a AccountID, b []Balance, _ Micros) {
	r.balances = append(r.balances, balanceEvent{a, slices.Clone(b)})
	r.lines = append(r.lines, fmt.Sprintf("%d:balances", a))
}
func (r *recorder) List(a AccountID, s *ListState) {
	r.lists = append(r.lists, *s)
	r.lines = append(r.lines, fmt.Sprintf("%d:list %s/%s", a, s.Type, s.Status))
}
func (r *recorder) Status(s string, st SymbolStatus) { r.lines = append(r.lines, s+" "+st.String()) }

func (r *recorder) reset() { *r = recorder{} }

// desk is an exchange without a market and a few accounts, for tests that place
// every order themselves. Time stands still unless a test moves it.
type desk struct {
	t   testing.TB
	x   *Exchange
	rec *recorder
	now Micros
}

// fx reads a constant of a test.
func fx(s string) Fixed { return MustFixed(s) }

// testSymbol is BTCUSDT without the filters that need a price to compare with.
func testSymbol() Symbol {
	s, ok := builtinSymbol("BTCUSDT")
	if !ok {
		panic("BUG: BTCUSDT is not built in")
	}
	s.Filters = slices.DeleteFunc(s.Filters, func(f Filter) bool {
		return f.Type == Notional || f.Type == PercentPriceBySide || f.Type == MarketLotSize
	})
	return s
}

// newDesk has accounts 0 to 3 with 1000 BTC and 100 million USDT each, maker
// rate 5 bps and taker rate 10 bps. change may alter the config.
func newDesk(t testing.TB, change func(*Config)) *desk {
	t.Helper()
	cfg := Config{Start: testStart, Symbols: []Symbol{testSymbol()}, Ledger: true, BookHistory: 1000}
	for i := 0; i < 4; i++ {
		cfg.Accounts = append(cfg.Accounts, AccountConfig{
			Name: fmt.Sprintf("a%d", i), MakerRate: One / 2000, TakerRate: One / 1000,
			Balances: map[string]Fixed{"BTC": 1000 * One, "USDT": 100_000_000 * One},
		})
	}
	if change != nil {
		change(&cfg)
	}
	rec := &recorder{}
	x, err := New(cfg, rec)
	if err != nil {
		t.Fatal(err)
	}
	return &desk{t: t, x: x, rec: rec, now: testStart}
}

// ticket reads "BUY LIMIT GTC 2@100", "SELL MARKET 3", "BUY MARKET quote 500" and
// words id=, stp=, sym=, stop=, iceberg=, trail=, peg=, levels= behind it, for
// BTCUSDT.
func ticket(text string) *NewOrder {
	w := strings.Fields(text)
	r := &NewOrder{Symbol: "BTCUSDT"}
	r.Side, _ = ParseSide(w[0])
	r.Type, _ = ParseOrderType(w[1])
	quote := false
	for _, s := range w[2:] {
		key, v, has := strings.Cut(s, "=")
		tif, isTIF := ParseTimeInForce(s)
		switch {
		case isTIF:
			r.TimeInForce = tif
		case s == "quote":
			quote = true
		case has && key == "id":
			r.ClientOrderID = v
		case has && key == "stp":
			r.STP, _ = ParseSTPMode(v)
		case has && key == "stop":
			r.StopPrice = Some(fx(v))
		case has && key == "iceberg":
			r.IcebergQty = Some(fx(v))
		case has && key == "trail":
			r.TrailingDelta = Some(fx(v) / One)
		case has && key == "peg":
			r.Peg.Price, _ = ParsePegPrice(v)
		case has && key == "levels":
			r.Peg.Offset, r.Peg.Value = PegPriceLevel, Some(fx(v)/One)
		case has && key == "sym":
			r.Symbol = v
		case quote:
			r.QuoteOrderQty = Some(fx(s))
		default:
			q, p, limit := strings.Cut(s, "@")
			r.Quantity = Some(fx(q))
			if limit {
				r.Price = Some(fx(p))
			}
		}
	}
	return r
}

// place sends an order that must be accepted.
func (d *desk) place(a AccountID, text string) *OrderReport {
	d.t.Helper()
	rep, rej := d.x.Place(d.now, a, ticket(text))
	if rej != nil {
		d.t.Fatalf("%q of account %d: got reject %d %s", text, a, rej.Code, rej.Msg)
	}
	d.check()
	return rep
}

// refused sends an order that must be rejected, and changes nothing.
func (d *desk) refused(a AccountID, r *NewOrder, code int, msg string) {
	d.t.Helper()
	before := d.x.Account(a)
	_, rej := d.x.Place(d.now, a, r)
	if rej == nil {
		d.t.Fatalf("%+v: got accepted, want reject %d %s", r, code, msg)
	}
	if rej.Code != code || rej.Msg != msg {
		d.t.Errorf("%+v: got reject %d %q, want %d %q", r, rej.Code, rej.Msg, code, msg)
	}
	if after := d.x.Account(a); !slices.Equal(before.Balances, after.Balances) {
		d.t.Errorf("reject changed balances: %v to %v", before.Balances, after.Balances)
	}
	d.check()
}

func (d *desk) balance(a AccountID, asset string) (free, locked Fixed) {
	for _, b := range d.x.Account(a).Balances {
		if b.Asset == asset {
			return b.Free, b.Locked
		}
	}
	return 0, 0
}

func (d *desk) wantBalance(a AccountID, asset, free, locked string) {
	d.t.Helper()
	f, l := d.balance(a, asset)
	if f != fx(free) || l != fx(locked) {
		d.t.Errorf("account %d %s: got %s free %s locked, want %s and %s", a, asset, AppendPlain(nil, f), AppendPlain(nil, l), free, locked)
	}
}

// book prints the book of BTCUSDT as "bids | asks".
func (d *desk) book() string {
	_, bids, asks, _ := d.x.Depth("BTCUSDT", 0)
	var b strings.Builder
	for _, l := range bids {
		fmt.Fprintf(&b, "%s@%s ", AppendPlain(nil, l.Qty), AppendPlain(nil, l.Price))
	}
	b.WriteString("|")
	for _, l := range asks {
		fmt.Fprintf(&b, " %s@%s", AppendPlain(nil, l.Qty), AppendPlain(nil, l.Price))
	}
	return b.String()
}

func (d *desk) wantBook(want string) {
	d.t.Helper()
	if got := d.book(); got != want {
		d.t.Errorf("book: got %q, want %q", got, want)
	}
}

func (d *desk) check() {
	d.t.Helper()
	if err := checkInvariants(d.x); err != nil {
		d.t.Fatal(err)
	}
}

// checkInvariants says what is wrong inside an exchange between transactions.
func checkInvariants(x *Exchange) error {
	type held map[int]Fixed // asset, locked
	need := map[*account]held{}
	for _, in := range x.insts {
		for _, b := range [2]*book{&in.bids, &in.asks} {
			if err := checkSide(in, b, func(o *order) {
				if o.acct.user() {
					return // counted with its account
				}
				if need[o.acct] == nil {
					need[o.acct] = held{}
				}
				need[o.acct][o.lockAsset()] += o.lockFor(o.rem())
			}); err != nil {
				return err
			}
		}
		for _, o := range in.stops {
			if !o.waiting || o.status != StatusNew || o.lvl != nil || o.trail == 0 && in.tape.last > 0 && o.reached(in.tape.last) {
				return fmt.Errorf("%s: order %d must not wait at a last price of %d: %+v", in.sym.Name, o.id, in.tape.last, o.snapshot())
			}
		}
		if bid, ask := in.bids.best, in.asks.best; bid != nil && ask != nil && bid.price >= ask.price {
			return fmt.Errorf("%s: book is crossed: bid %d ask %d", in.sym.Name, bid.price, ask.price)
		}
	}
	if len(x.follow) > 0 {
		return fmt.Errorf("%d orders and lists were set going and not done", len(x.follow))
	}
	for _, a := range x.accounts {
		need[a] = held{}
		for _, o := range a.open {
			switch r := o.list.rival(o); {
			case o.status == StatusPendingNew:
				if o.locked != 0 {
					return fmt.Errorf("pending order %d has %d locked", o.id, o.locked)
				}
			case r == nil:
				if o.locked != o.lockFor(o.rem()) {
					return fmt.Errorf("order %d has %d locked: %+v", o.id, o.locked, o.snapshot())
				}
				need[a][o.lockAsset()] += o.locked
			case o.id < r.id:
				most := max(o.lockFor(o.rem()), r.lockFor(r.rem()))
				if o.locked+r.locked != most || o.qty != r.qty && o.prevent == 0 && r.prevent == 0 {
					return fmt.Errorf("list %d: legs have %d and %d locked, need %d once", o.list.id, o.locked, r.locked, most)
				}
				need[a][o.lockAsset()] += most
			}
		}
		for _, l := range a.openLists {
			if l.done || l.ending {
				return fmt.Errorf("open list %d is done", l.id)
			}
		}
	}
	for _, a := range append(slices.Clone(x.accounts), x.house...) {
		for n, b := range a.bal {
			if b.free < 0 || b.locked < 0 {
				return fmt.Errorf("account %s %s: negative balance %+v", a.name, x.assets[n], b)
			}
			if b.locked != need[a][n] {
				return fmt.Errorf("account %s %s: locked %d, open orders need %d", a.name, x.assets[n], b.locked, need[a][n])
			}
		}
		for _, o := range a.open {
			stands := 0
			for _, is := range []bool{o.lvl != nil, o.waiting && slices.Contains(o.in.stops, o), o.status == StatusPendingNew} {
				if is {
					stands++
				}
			}
			if stands != 1 || o.status.Ended() || o.list != nil && o.list.done {
				return fmt.Errorf("account %s: open order %d is %s and stands in %d places", a.name, o.id, o.status, stands)
			}
		}
	}
	return nil
}

func checkSide(in *instrument, b *book, each func(*order)) error {
	n, err := 0, error(nil)
	var last *level
	b.walk(func(l *level) bool {
		if last == nil && b.best != l {
			err = fmt.Errorf("%s: best of %s is not the first level", in.sym.Name, b.side)
		}
		if last != nil && !b.better(last.price, l.price) {
			err = fmt.Errorf("%s: %s levels out of order at %d", in.sym.Name, b.side, l.price)
		}
		if l.empty() || l.ext < 0 {
			err = fmt.Errorf("%s: level %d has nothing in it", in.sym.Name, l.price)
		}
		var sum, hidden wide
		count := 0
		var prev *order
		for o := l.head; o != nil; prev, o = o, o.next {
			if o.lvl != l || o.prev != prev || o.price != l.price || o.side != b.side || o.rem() <= 0 || o.visible() <= 0 || o.visible() > o.rem() || !o.acct.user() && o.locked != o.lockFor(o.rem()) || o.status.Ended() {
				err = fmt.Errorf("%s: order %d does not belong at level %d: %+v", in.sym.Name, o.id, l.price, o.snapshot())
			}
			if o.ahead > l.ext || prev != nil && prev.ahead > o.ahead {
				err = fmt.Errorf("%s: order %d has %d ahead of %d at level %d", in.sym.Name, o.id, o.ahead, l.ext, l.price)
			}
			sum.add(o.visible())
			hidden.add(o.rem() - o.visible())
			count++
			each(o)
		}
		if sum != l.sum || hidden != l.hidden || count != l.n || prev != l.tail {
			err = fmt.Errorf("%s: level %d sums %v of %d orders, has %v of %d", in.sym.Name, l.price, l.sum, l.n, sum, count)
		}
		last = l
		n++
		return err == nil
	})
	if err == nil && (n == 0) != (b.best == nil) {
		err = fmt.Errorf("%s: %s has %d levels and best %v", in.sym.Name, b.side, n, b.best)
	}
	return err
}
