package app

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"riposte/core"
	"riposte/core/book"
	"riposte/core/risk"
	"riposte/exec"
	execbinance "riposte/exec/binance"
	feedbinance "riposte/feed/binance"
	"riposte/tools/sock"
	"riposte/tools/venue"
)

// filterRig is a gate before a venue that serves recorded symbols, each with a market
// made by two accounts of the house: nothing moves but by the test's own hand.
type filterRig struct {
	t     *testing.T
	rng   *rand.Rand
	srv   *venue.Server
	body  []byte // the venue's rules as recorded
	table *core.Instruments
	gate  *risk.Gate
	books []*book.Sync
	mids  []core.Price // where the house quotes
	refs  [][3]core.Price
	lives []int // orders that may be open
	now   core.MonoNs
	n     int

	me, house, guest *execbinance.Trader

	asked, sent, taken int
	refused            map[risk.Refusal]int
	filters            map[string]int // rejects of the venue that the gate should have foreseen
	business           map[string]int
}

// recordedRules reads a file of the recordings, nil if there are none.
func recordedRules(t *testing.T, name string) []byte {
	t.Helper()
	dir := os.Getenv("RIPOSTE_DATA")
	if dir == "" {
		dir = "../../../../shared/data"
	}
	f, err := os.Open(filepath.Join(dir, "rest", name))
	if err != nil {
		t.Logf("left out: recordings (%v)", err)
		return nil
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

const lots = 14e9 // of every asset, for everybody

func newFilterRig(t *testing.T, body []byte, seed uint64, symbols ...string) *filterRig {
	t.Helper()
	all, err := feedbinance.ParseExchangeInfo(body, core.Spot, symbols...)
	if err != nil {
		t.Fatal(err)
	}
	rich := map[string]string{}
	for _, a := range all.Instruments.Assets {
		rich[a] = fmt.Sprint(int64(lots))
	}
	for i := range all.Instruments.List {
		if in := &all.Instruments.List[i]; in.Filters.PositionMax > 0 {
			rich[all.Instruments.AssetName(in.Base)] = (in.Filters.PositionMax / 2).String()
		}
	}
	limits := venue.RateLimit{Interval: "MINUTE", Num: 1, Limit: 1 << 30}
	var accounts []venue.Account
	for _, name := range []string{"me", "house", "guest"} {
		accounts = append(accounts, venue.Account{Name: name, Balances: rich, Keys: []venue.Key{venue.NewHMACKey(seed, name)}})
	}
	f := &filterRig{t: t, rng: rand.New(rand.NewPCG(seed, 1)), body: body, now: core.MonoNs(time.Hour), refused: map[risk.Refusal]int{}, filters: map[string]int{}, business: map[string]int{}}
	f.srv, err = venue.Start(t.Context(), venue.Config{Seed: seed, Quiet: true, ExchangeInfo: body, Symbols: symbols, Accounts: accounts, Weight: limits, RawRequests: limits,
		Orders: []venue.RateLimit{{Interval: "SECOND", Num: 10, Limit: 1 << 30}, {Interval: "DAY", Num: 1, Limit: 1 << 30}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.srv.Close(); err != nil {
			t.Error(err)
		}
	})
	// By the venue's own answer, which is what the engine goes by.
	f.table = all.Instruments
	f.me, f.house, f.guest = f.open("me"), f.open("house"), f.open("guest")
	served, err := f.me.ExchangeInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	info, err := feedbinance.ParseExchangeInfo(served, core.Spot, symbols...)
	if err != nil {
		t.Fatal(err)
	}
	if len(info.UnknownFilters)+len(info.UnknownOrderTypes) > 0 {
		t.Errorf("filters and order types that nobody checks: %v %v", info.UnknownFilters, info.UnknownOrderTypes)
	}
	f.table = info.Instruments
	f.me, f.house, f.guest = f.open("me"), f.open("house"), f.open("guest")
	n := len(f.table.List)
	f.books, f.mids, f.refs, f.lives = make([]*book.Sync, n), make([]core.Price, n), make([][3]core.Price, n), make([]int, n)
	money := map[core.InstrumentID]risk.Limits{}
	for i := range f.table.List {
		money[core.InstrumentID(i)] = risk.Limits{QtyMax: 9e18, NotionalMax: 9e18, PositionMax: 9e18, OpenMax: 1000, CollarBps: 10000, StaleAfter: 1 << 62}
	}
	f.gate, err = risk.NewGate(f.table, money, risk.AccountLimits{OpenMax: 10000, RateMax: 1_000_000, RateSpan: time.Second, RejectMax: 1 << 40})
	if err != nil {
		t.Fatal(err)
	}
	f.gate.Lift(risk.HaltNotReconciled)
	for i := range f.table.List {
		for again := f.table.List[i].Status == core.StatusTrading; again; {
			again = !f.found(core.InstrumentID(i))
		}
		f.look(core.InstrumentID(i))
	}
	f.hold()
	return f
}

// open is an account's client.
func (f *filterRig) open(account string) *execbinance.Trader {
	f.t.Helper()
	k, _ := f.srv.Key(account, venue.HMAC)
	key, err := execbinance.NewHMACKey(k.APIKey, k.Secret)
	if err != nil {
		f.t.Fatal(err)
	}
	budget, err := exec.NewBudget(0)
	if err != nil {
		f.t.Fatal(err)
	}
	if err := budget.Set([]exec.Limit{{Kind: exec.LimitWeight, Span: time.Minute, Max: 1 << 30}, {Kind: exec.LimitOrders, Span: time.Second, Max: 1 << 30}}); err != nil {
		f.t.Fatal(err)
	}
	clock := core.NewSystemClock()
	r, err := execbinance.NewREST(execbinance.RESTConfig{URL: f.srv.REST(), Key: key, Instruments: f.table, Clock: clock, Time: exec.NewVenueClock(clock), Budget: budget, Dial: (&sock.Dialer{}).Dial})
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(r.Close)
	return execbinance.NewTrader(r)
}

// by places an order of the house or its guest. What the rules forbid them is not placed.
func (f *filterRig) by(who *execbinance.Trader, id core.InstrumentID, side core.Side, p core.Price, q core.Qty) {
	f.t.Helper()
	if q <= 0 {
		return
	}
	o := execbinance.OrderRequest{Symbol: f.table.Get(id).Symbol, Side: side, Qty: q}
	o.Type, o.Price, o.Client = core.Limit, p, f.client()
	var ce *exec.CallError
	if _, err := who.Place(f.t.Context(), &o); err != nil && (!errors.As(err, &ce) || ce.Code != -1013 && ce.Code != -2010) {
		f.t.Fatalf("the house, %s %v %v at %v: %v", o.Symbol, side, q, p, err)
	}
}

func (f *filterRig) client() core.ClientID {
	f.n++
	c, _ := core.MakeClientID(fmt.Sprintf("t-%d", f.n))
	return c
}

// found begins a market: two trades at prices of their own, so that last and average
// differ, and quotes around a mid somewhere. It fails where the filters leave no room.
func (f *filterRig) found(id core.InstrumentID) bool {
	fl := &f.gate.Instrument(id).Filters
	ticks := int64(20) << f.rng.IntN(12)
	if f.rng.IntN(6) == 0 {
		ticks = 3 + f.rng.Int64N(5) // a coin that is worth a few ticks
	}
	mid := max(core.Price(ticks)*fl.Tick, fl.PriceMin)
	f.mids[id] = mid
	for _, p := range []core.Price{mid * 9 / 10, mid * 11 / 10} {
		p = max(p.TickFloor(fl.Tick), fl.Tick, fl.PriceMin)
		q := f.worth(id, p, 10)
		f.by(f.house, id, core.Sell, p, q)
		f.by(f.guest, id, core.Buy, p, q)
	}
	f.quote(id)
	last, err := f.me.LastPrices(f.t.Context(), f.table.Get(id).Symbol)
	return err == nil && last[0].Price > 0
}

// worth is a quantity of n times the least value at a price.
func (f *filterRig) worth(id core.InstrumentID, p core.Price, n int64) core.Qty {
	fl := &f.gate.Instrument(id).Filters
	least := core.Qty(core.NotionalOfAmount(max(fl.NotionalMin, 1)).Div(uint64(p)) + 1)
	q := max(least*core.Qty(n), fl.QtyMin*core.Qty(n), fl.Lot).LotFloor(fl.Lot) + fl.Lot
	if fl.QtyMax > 0 {
		q = min(q, fl.QtyMax.LotFloor(fl.Lot))
	}
	if fl.PositionMax > 0 {
		q = min(q, max(fl.PositionMax/200, 2*least))
	}
	if fl.NotionalMax > 0 {
		q = min(q, core.Qty(core.NotionalOfAmount(fl.NotionalMax).Div(uint64(p))))
	}
	// What the house can pay, and the numbers hold.
	return min(max(q, least), core.Qty(core.NotionalOfAmount(2e17).Div(uint64(p))), 2e17).LotFloor(fl.Lot)
}

// quote has the house quote anew, around its mid.
func (f *filterRig) quote(id core.InstrumentID) {
	f.cancel(f.house, id)
	fl := &f.gate.Instrument(id).Filters
	mid := f.mids[id].TickFloor(fl.Tick)
	for level := range core.Price(3) {
		off := fl.Tick * (1 + level*core.Price(1+f.rng.IntN(3)))
		if bid := mid - off; bid >= max(fl.PriceMin, fl.Tick) {
			f.by(f.house, id, core.Buy, bid, f.worth(id, bid, 1000<<level))
		}
		f.by(f.house, id, core.Sell, mid+off, f.worth(id, mid+off, 1000<<level))
	}
}

// cancel ends all that somebody has open on a symbol.
func (f *filterRig) cancel(who *execbinance.Trader, id core.InstrumentID) {
	f.t.Helper()
	var ce *exec.CallError
	if _, err := who.CancelSymbol(f.t.Context(), f.table.Get(id).Symbol); err != nil && (!errors.As(err, &ce) || ce.Code != -2011) {
		f.t.Fatal(err)
	}
}

// look has the gate see the market as it is.
func (f *filterRig) look(id core.InstrumentID) {
	f.t.Helper()
	in := f.gate.Instrument(id)
	s := book.NewSync(in, 1024, 16)
	f.books[id] = s
	if f.mids[id] == 0 { // never traded: any book will do
		mid := 1000 * max(in.Filters.Tick, 1)
		s.Snapshot(&book.Image{Instrument: id, LastID: 1, Bids: []core.Level{{Price: mid - in.Filters.Tick, Qty: core.Scale}}, Asks: []core.Level{{Price: mid + in.Filters.Tick, Qty: core.Scale}}, Limit: 1000})
		s.Delta(&core.Event{Kind: core.DepthDelta, Instrument: id, ID: 1, W: [4]int64{1}, Recv: f.now}, nil)
		f.refs[id] = [3]core.Price{mid, mid, mid}
		return
	}
	snap, err := f.me.BookSnapshot(f.t.Context(), in.Symbol, 1000)
	if err != nil {
		f.t.Fatal(err)
	}
	s.Snapshot(&book.Image{Instrument: id, LastID: snap.LastUpdateID, Bids: snap.Bids, Asks: snap.Asks, Limit: 1000})
	s.Delta(&core.Event{Kind: core.DepthDelta, Instrument: id, ID: snap.LastUpdateID, W: [4]int64{int64(snap.LastUpdateID)}, Recv: f.now}, nil)
	average, err := f.me.AvgPrice(f.t.Context(), in.Symbol)
	if err != nil {
		f.t.Fatal(err)
	}
	last, err := f.me.LastPrices(f.t.Context(), in.Symbol)
	if err != nil {
		f.t.Fatal(err)
	}
	f.gate.Traded(id, last[0].Price)
	f.gate.Averaged(id, average)
	top := s.Top()
	f.refs[id] = [3]core.Price{top.Mid(), last[0].Price, average}
}

// hold tells the gate what the account has.
func (f *filterRig) hold() {
	f.t.Helper()
	bs, _, err := f.me.Balances(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	held := map[core.AssetID]core.Amount{}
	for _, b := range bs {
		held[b.Asset] = b.Free + b.Locked
	}
	for i := range f.table.List {
		in := &f.table.List[i]
		f.gate.Holds(in.ID, core.Qty(held[in.Base]), f.gate.Exposure(in.ID).Position)
	}
}

// clear ends our orders on a symbol, quotes anew if something traded, and looks.
func (f *filterRig) clear(id core.InstrumentID, traded bool) {
	f.cancel(f.me, id)
	var open []core.OrderID
	f.gate.Each(id, func(o *risk.Order) bool { open = append(open, o.ID); return true })
	for _, o := range open {
		f.gate.Report(&core.Report{Kind: core.ReportDone, Status: core.Canceled, ID: o, Instrument: id, FeeAsset: core.NoAsset, Recv: f.now})
	}
	f.lives[id] = 0
	if traded {
		f.quote(id)
		f.hold()
	}
	f.look(id)
}

// change gives a symbol other rules at the venue and has the gate read them.
func (f *filterRig) change(id core.InstrumentID, edit func(filter map[string]any), more ...map[string]any) {
	f.t.Helper()
	var info map[string]any
	if err := json.Unmarshal(f.body, &info); err != nil {
		f.t.Fatal(err)
	}
	symbol := f.table.Get(id).Symbol
	for _, s := range info["symbols"].([]any) {
		s := s.(map[string]any)
		if s["symbol"] != symbol {
			continue
		}
		list := s["filters"].([]any)
		for _, x := range list {
			edit(x.(map[string]any))
		}
		for _, m := range more {
			list = append(list, m)
		}
		s["filters"] = list
		info["symbols"] = []any{s}
		break
	}
	body, err := json.Marshal(info)
	if err != nil {
		f.t.Fatal(err)
	}
	if err := f.srv.SetFilters(symbol, body); err != nil {
		f.t.Fatal(err)
	}
	f.read(id)
}

// read has the gate take over what the venue says of a symbol.
func (f *filterRig) read(id core.InstrumentID) {
	f.t.Helper()
	symbol := f.table.Get(id).Symbol
	body, err := f.me.ExchangeInfo(f.t.Context(), symbol)
	if err != nil {
		f.t.Fatal(err)
	}
	info, err := feedbinance.ParseExchangeInfo(body, core.Spot, symbol)
	if err != nil {
		f.t.Fatal(err)
	}
	in := info.Instruments.List[0]
	in.ID = id
	f.gate.SetRules(&in)
	f.clear(id, in.Status == core.StatusTrading)
}
