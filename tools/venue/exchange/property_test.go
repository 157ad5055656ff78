package exchange

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// follower is a client with every right to be strict: it rebuilds the book from
// diffs of two speeds, compares it with the newest top, keeps balances from
// balance events and orders from reports.
type follower struct {
	Discard
	x        *Exchange
	symbol   string
	cursors  [2]*DepthCursor
	books    [2][3]map[Fixed]Fixed
	u        [2]int64
	top      Top
	err      error
	lastID   int64
	lastAgg  int64
	lastExec int64
	done     map[int64]Fixed // quantity executed by order, from reports
	onBook   map[int64]bool  // w of the newest report
	lists    map[int64]ListState
	queues   *queueModel // nil beside a market
	status   map[int64]OrderStatus
	bal      map[AccountID]map[string]Balance
	volume   Fixed
	aggVol   Fixed
}

func newFollower(symbol string) *follower {
	return &follower{
		symbol: symbol, done: map[int64]Fixed{}, status: map[int64]OrderStatus{}, bal: map[AccountID]map[string]Balance{},
		onBook: map[int64]bool{}, lists: map[int64]ListState{},
	}
}

func (f *follower) fail(format string, args ...any) {
	if f.err == nil {
		f.err = fmt.Errorf(format, args...)
	}
}

func (f *follower) start(x *Exchange) {
	f.x = x
	f.top, _ = x.BookTicker(f.symbol)
	for i := range f.cursors {
		f.cursors[i], _ = x.NewDepthCursor(f.symbol)
		id, bids, asks, _ := x.Depth(f.symbol, 0)
		f.u[i] = id
		f.books[i] = [3]map[Fixed]Fixed{Buy: {}, Sell: {}}
		apply(f.books[i][Buy], bids)
		apply(f.books[i][Sell], asks)
	}
}

func (f *follower) Trade(t *Trade) {
	if t.Symbol != f.symbol {
		return
	}
	if f.lastID != 0 && t.ID != f.lastID+1 {
		f.fail("trade id %d after %d", t.ID, f.lastID)
	}
	f.lastID = t.ID
	f.volume += t.Qty
}

func (f *follower) AggTrade(a *AggTrade) {
	if a.Symbol != f.symbol {
		return
	}
	if f.lastAgg != 0 && a.ID != f.lastAgg+1 || a.LastID != f.lastID {
		f.fail("aggregate trade %+v after %d, last trade %d", a, f.lastAgg, f.lastID)
	}
	f.lastAgg = a.ID
	f.aggVol += a.Qty
}

func (f *follower) Top(t *Top) {
	if t.Symbol != f.symbol {
		return
	}
	if t.UpdateID <= f.top.UpdateID || t.Bid == f.top.Bid && t.Ask == f.top.Ask {
		f.fail("top %+v after %+v", *t, f.top)
	}
	f.top = *t
}

func (f *follower) Execution(a AccountID, r *ExecutionReport) {
	if r.ExecutionID <= f.lastExec && r.Symbol == f.symbol {
		f.fail("execution id %d after %d", r.ExecutionID, f.lastExec)
	}
	if r.Symbol != f.symbol {
		return
	}
	f.lastExec = r.ExecutionID
	old, known := f.status[r.OrderID]
	switch {
	// A second NEW tells that an order off the book works now: a stop that was
	// triggered, a pending leg that was set going.
	case r.Exec == ExecNew && known && (f.onBook[r.OrderID] || !r.OnBook && old != StatusPendingNew),
		r.Exec != ExecNew && r.Exec != ExecRejected && !known:
		f.fail("report %s of order %d in state %v", r.Exec, r.OrderID, old)
	case known && old.Ended():
		f.fail("report %s of order %d that had ended as %s", r.Exec, r.OrderID, old)
	}
	if f.queues != nil {
		if err := f.queues.report(r); err != nil {
			f.fail("%w", err)
		}
	}
	if r.Exec == ExecTrade && !f.onBook[r.OrderID] {
		f.fail("order %d traded before it worked", r.OrderID)
	}
	f.onBook[r.OrderID] = f.onBook[r.OrderID] || r.OnBook
	f.status[r.OrderID] = r.Status
	f.done[r.OrderID] += r.LastQty
	if f.done[r.OrderID] != r.CumQty {
		f.fail("order %d: reports sum to %d, z is %d", r.OrderID, f.done[r.OrderID], r.CumQty)
	}
	if rem := r.Quantity - r.CumQty - r.PreventedQty; (r.Status == StatusFilled || r.Status == StatusExpiredInMatch) != (rem == 0) && r.Exec != ExecReplaced && r.QuoteOrderQty == 0 && r.Status != StatusExpired && r.Status != StatusCanceled {
		f.fail("order %d: %s with %d left", r.OrderID, r.Status, rem)
	}
}

func (f *follower) List(_ AccountID, s *ListState) {
	old, known := f.lists[s.ListID]
	if (s.Type == ListExecStarted || s.Type == ListResponse) == known || old.Type == ListAllDone {
		f.fail("list status %+v after %+v", s, old)
	}
	for _, o := range s.Orders {
		if s.Type == ListAllDone && !f.status[o.OrderID].Ended() {
			f.fail("list %d is done, its order %d is %s", s.ListID, o.OrderID, f.status[o.OrderID])
		}
	}
	f.lists[s.ListID] = *s
}

func (f *follower) Balances(a AccountID, bs []Balance, _ Micros) {
	if f.bal[a] == nil {
		f.bal[a] = map[string]Balance{}
	}
	for _, b := range bs {
		f.bal[a][b.Asset] = b
	}
}

// flush takes the diff of one cursor and compares all there is to compare.
func (f *follower) flush(i int) {
	d, ok := f.x.FlushDepth(f.cursors[i])
	id, bids, asks, _ := f.x.Depth(f.symbol, 0)
	if !ok {
		if id != f.u[i] {
			f.fail("no diff though the update id went from %d to %d", f.u[i], id)
		}
		return
	}
	if d.First != f.u[i]+1 || d.Last != id || d.Last < d.First {
		f.fail("diff %d..%d after %d, snapshot is at %d", d.First, d.Last, f.u[i], id)
	}
	f.u[i] = d.Last
	if !slices.IsSortedFunc(d.Bids, func(a, b Level) int { return int(min(max(b.Price-a.Price, -1), 1)) }) ||
		!slices.IsSortedFunc(d.Asks, func(a, b Level) int { return int(min(max(a.Price-b.Price, -1), 1)) }) {
		f.fail("diff is not best first: %+v", d)
	}
	apply(f.books[i][Buy], d.Bids)
	apply(f.books[i][Sell], d.Asks)
	f.same(f.books[i][Buy], bids)
	f.same(f.books[i][Sell], asks)
	top, _ := f.x.BookTicker(f.symbol)
	if top.Bid != f.top.Bid || top.Ask != f.top.Ask || f.top.UpdateID > d.Last {
		f.fail("after diff to %d the top is %+v, newest top was %+v", d.Last, top, f.top)
	}
	f.wide(&d, bids, asks)
}

// wide holds a diff that begins earlier against the state in which it begins.
func (f *follower) wide(d *DepthDiff, bids, asks []Level) {
	w := f.x.WidenDepth(d, 3)
	if w.Last != d.Last || w.First > d.First || w.First < d.First-3 {
		f.fail("widened by 3, the diff %d..%d is %d..%d", d.First, d.Last, w.First, w.Last)
	}
	b, a, ok := f.x.BookAt(f.symbol, w.First-1)
	if !ok {
		f.fail("no book at %d, before a diff that begins at %d", w.First-1, w.First)
	}
	for _, side := range []struct{ before, diff, after []Level }{{b, w.Bids, bids}, {a, w.Asks, asks}} {
		book := map[Fixed]Fixed{}
		apply(book, side.before)
		apply(book, side.diff)
		f.same(book, side.after)
	}
}

func (f *follower) same(book map[Fixed]Fixed, ls []Level) {
	if len(book) != len(ls) {
		f.fail("book of diffs has %d levels, the exchange %d", len(book), len(ls))
	}
	for _, l := range ls {
		if book[l.Price] != l.Qty {
			f.fail("book of diffs has %d at %d, the exchange %d", book[l.Price], l.Price, l.Qty)
		}
	}
}

func propertyConfig(market Market, symbols []Symbol) Config {
	cfg := Config{Seed: 4, Start: testStart, Symbols: symbols, Market: market, Ledger: true, BookHistory: 4096}
	cfg.Symbols[0].Range = PriceRange{BidUp: fx("1.001"), BidDown: fx("0.99"), AskDown: fx("0.999")}
	for i := 0; i < 4; i++ {
		base, quote := symbols[0].Base, symbols[0].Quote
		c := AccountConfig{Name: fmt.Sprint(i), Balances: map[string]Fixed{base: 3 * One, quote: 20_000 * One}}
		if i >= 2 {
			c.TradeGroup = 9
		}
		cfg.Accounts = append(cfg.Accounts, c)
	}
	return cfg
}

type supply struct{ hi, lo uint64 }

func supplies(x *Exchange) map[string]supply {
	out := map[string]supply{}
	for _, a := range x.assets {
		hi, lo := x.Supply(a)
		out[a] = supply{hi, lo}
	}
	return out
}

// TestRandomCommandsKeepEveryInvariant plays random commands of four accounts,
// without a market and against agents, and checks after each: book in order and
// not crossed, locks equal to open orders, nothing negative, supply constant,
// both diff chains equal to the book, top equal to the newest top, trade ids
// gapless, reports in order and adding up, every maker in its turn by price and
// time, balance events and ledger equal to the account, history equal to what the
// book was.
func TestRandomCommandsKeepEveryInvariant(t *testing.T) {
	for _, market := range []string{"none", "agents"} {
		t.Run(market, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				syms, err := BuiltinSymbols("LTCUSDT")
				if err != nil {
					rt.Fatal(err)
				}
				var m Market
				n := 220
				if market == "agents" {
					m = Agents(AgentOptions{HistoryMinutes: -1})
				}
				f := newFollower("LTCUSDT")
				if m == nil {
					f.queues = &queueModel{}
				}
				x, err := New(propertyConfig(m, syms), f)
				if err != nil {
					rt.Fatal(err)
				}
				f.start(x)
				run(rt, x, f, drawCommands(rt, n))
			})
		})
	}
}

// failer is what a rapid test and a plain one have in common.
type failer interface {
	Fatalf(format string, args ...any)
}

func run(rt failer, x *Exchange, f *follower, cs []command) {
	p := &player{x: x, symbol: f.symbol, now: testStart, mid: fx("62.6")}
	before := supplies(x)
	var kept struct {
		id         int64
		bids, asks []Level
	}
	for i := range cs {
		p.do(&cs[i])
		if err := checkInvariants(x); err != nil {
			rt.Fatalf("after command %d %+v: %v", i, cs[i], err)
		}
		f.flush(0)
		if f.queues != nil {
			f.queues.settle()
			_, bids, asks, _ := x.Depth(f.symbol, 0)
			if err := f.queues.compare(bids, asks); err != nil {
				f.fail("%w", err)
			}
		}
		if i%10 == 9 {
			f.flush(1)
			if kept.id != 0 {
				bids, asks, ok := x.BookAt(f.symbol, kept.id)
				if ok && (!slices.Equal(bids, kept.bids) || !slices.Equal(asks, kept.asks)) {
					rt.Fatalf("book at %d is not what it was", kept.id)
				}
			}
			kept.id, kept.bids, kept.asks, _ = x.Depth(f.symbol, 0)
		}
		if f.err != nil {
			rt.Fatalf("after command %d %+v: %v", i, cs[i], f.err)
		}
	}
	if f.volume != f.aggVol {
		rt.Fatalf("trades sum to %d, aggregate trades to %d", f.volume, f.aggVol)
	}
	for a, s := range supplies(x) {
		if s != before[a] {
			rt.Fatalf("supply of %s went from %v to %v", a, before[a], s)
		}
	}
	checkAccounts(rt, x, f)
	closeAll(rt, x, f)
}

// closeAll cancels what is open: no lock, stop or list may be left behind.
func closeAll(rt failer, x *Exchange, f *follower) {
	for i := range x.accounts {
		_, _ = x.CancelAll(x.now, AccountID(i), f.symbol)
	}
	if err := checkInvariants(x); err != nil {
		rt.Fatalf("after cancelling everything: %v", err)
	}
	for i, a := range x.accounts {
		if len(a.open) > 0 || len(a.openLists) > 0 {
			rt.Fatalf("account %d: %d orders and %d lists are open after cancelling everything", i, len(a.open), len(a.openLists))
		}
		for n, b := range a.bal {
			if b.locked != 0 {
				rt.Fatalf("account %d: %d of %s locked with nothing open", i, b.locked, x.assets[n])
			}
		}
	}
	if n := len(x.byName[f.symbol].stops); n > 0 {
		rt.Fatalf("%d stops wait with nothing open", n)
	}
	if f.err != nil {
		rt.Fatalf("after cancelling everything: %v", f.err)
	}
}

func checkAccounts(rt failer, x *Exchange, f *follower) {
	for i := range x.accounts {
		id := AccountID(i)
		last := map[string]LedgerEntry{}
		free := map[string]Fixed{}
		for _, e := range x.Ledger(id) {
			free[e.Asset] += e.FreeDelta
			if e.Free != free[e.Asset] {
				rt.Fatalf("ledger of %d: %+v does not follow from the sum %d", i, e, free[e.Asset])
			}
			last[e.Asset] = e
		}
		for _, b := range x.Account(id).Balances {
			if e := last[b.Asset]; e.Free != b.Free || e.Locked != b.Locked {
				rt.Fatalf("account %d: ledger ends at %+v, balance is %+v", i, e, b)
			}
			if e, ok := f.bal[id][b.Asset]; ok && e != b {
				rt.Fatalf("account %d: last event said %+v, balance is %+v", i, e, b)
			}
		}
		open, _ := x.OpenOrders(id, "")
		for _, o := range open {
			if f.status[o.OrderID] != o.Status || f.done[o.OrderID] != o.ExecutedQty {
				rt.Fatalf("open order %+v, reports said %s of %d", o, f.status[o.OrderID], f.done[o.OrderID])
			}
		}
	}
}

// TestSameCommandsMakeTheSameLog plays random commands twice.
func TestSameCommandsMakeTheSameLog(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		cs := drawCommands(rt, 60)
		var logs [2]bytes.Buffer
		for i := range logs {
			syms, err := BuiltinSymbols("LTCUSDT", "NKNUSDT")
			if err != nil {
				rt.Fatal(err)
			}
			cfg := propertyConfig(Agents(AgentOptions{HistoryMinutes: -1}), syms)
			cfg.Log = &logs[i]
			x, err := New(cfg, nil)
			if err != nil {
				rt.Fatal(err)
			}
			p := &player{x: x, symbol: "LTCUSDT", now: testStart, mid: fx("62.6")}
			for j := range cs {
				p.do(&cs[j])
			}
			if x.LogErr() != nil {
				rt.Fatal(x.LogErr())
			}
		}
		if !bytes.Equal(logs[0].Bytes(), logs[1].Bytes()) {
			rt.Fatal("the logs of two equal runs differ")
		}
		if logs[0].Len() < 1000 {
			rt.Fatalf("log has only %d bytes", logs[0].Len())
		}
	})
}

// TestLongRandomRunReachesEveryCorner plays 40 000 commands on one exchange and
// counts that every kind of outcome occurred: a property that nothing happens is
// worth nothing.
func TestLongRandomRunReachesEveryCorner(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	syms, err := BuiltinSymbols("LTCUSDT")
	if err != nil {
		t.Fatal(err)
	}
	f := &counter{follower: newFollower("LTCUSDT"), seen: map[string]int{}}
	cfg := propertyConfig(Agents(AgentOptions{}), syms)
	for i := range cfg.Accounts { // enough for 40 000 orders, not so much that funds never run out
		cfg.Accounts[i].Balances["LTC"] *= 5
	}
	x, err := New(cfg, f)
	if err != nil {
		t.Fatal(err)
	}
	f.start(x)
	cs := make([]command, 40_000)
	for i := range cs {
		cs[i] = command{r.IntN(26), r.IntN(4), r.IntN(2), r.IntN(16), r.IntN(6), r.IntN(6), 1 + r.IntN(60), r.IntN(25) - 12, r.IntN(1001), r.IntN(40)}
	}
	run(t, x, f.follower, cs)
	for _, k := range []string{
		"NEW NEW NONE", "TRADE PARTIALLY_FILLED NONE", "TRADE FILLED NONE", "CANCELED CANCELED NONE", "REPLACED NEW NONE",
		"TRADE_PREVENTION EXPIRED_IN_MATCH NONE", "TRADE_PREVENTION NEW NONE",
		"EXPIRED EXPIRED UNFILLED_IOC_QUANTITY_EXPIRED", "EXPIRED EXPIRED UNFILLED_FOK_ORDER_EXPIRED",
		"EXPIRED EXPIRED INSUFFICIENT_LIQUIDITY", "EXPIRED EXPIRED OCO_TRIGGER", "EXPIRED EXPIRED OTO_PHASE_ONE_EXPIRED",
		"EXPIRED EXPIRED REJECTED", "EXPIRED EXPIRED EXECUTION_RULE_PRICE_RANGE_EXCEEDED", "EXPIRED EXPIRED EXCHANGE_CANCELED", "NEW PENDING_NEW NONE",
		"REJECTED REJECTED NONE", "maker", "taker", "iceberg refilled", "stop traded", "peg traded", "trailing stop traded", "list done",
	} {
		if f.seen[k] < 2 {
			t.Errorf("%s: seen %d times, want at least 2", k, f.seen[k])
		}
	}
	t.Log(f.seen)
}

// counter is a follower that counts the kinds of reports.
type counter struct {
	*follower
	seen map[string]int
}

func (c *counter) Execution(a AccountID, r *ExecutionReport) {
	c.seen[r.Exec.String()+" "+r.Status.String()+" "+r.ExpiryReason.String()]++
	if r.Exec == ExecTrade && r.Maker {
		c.seen["maker"]++
	} else if r.Exec == ExecTrade {
		c.seen["taker"]++
	}
	if r.Exec == ExecTrade {
		for what, is := range map[string]bool{
			"stop traded": r.Type.stop(), "peg traded": r.PeggedPrice > 0, "trailing stop traded": r.TrailingDelta > 0,
			"iceberg refilled": r.IcebergQty > 0 && r.Maker && r.CumQty > r.IcebergQty,
		} {
			if is {
				c.seen[what]++
			}
		}
	}
	c.follower.Execution(a, r)
}

func (c *counter) List(a AccountID, s *ListState) {
	if s.Type == ListAllDone {
		c.seen["list done"]++
	}
	c.follower.List(a, s)
}
