package binance_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"strconv"
	"testing"
	"time"

	"riposte/core"
	"riposte/exec"
	"riposte/exec/binance"
	"riposte/tools/venue"
	"riposte/tools/venue/exchange"
)

// pair is a market of the wallet test: where its prices lie, in ticks, and its lot.
type pair struct {
	symbol, base, quote string
	tick, lot           int64 // at 1e-8
	mid, spread, lots   int64 // ticks, ticks, lots at most
}

var pairs = []pair{
	{"BTCUSDT", "BTC", "USDT", 1_000_000, 1_000, 6_000_000, 20_000, 100},
	{"ETHUSDT", "ETH", "USDT", 1_000_000, 10_000, 250_000, 1_000, 300},
	{"BNBBTC", "BNB", "BTC", 100, 100_000, 10_000, 200, 900},
	{"ETHBTC", "ETH", "BTC", 1_000, 10_000, 4_200, 100, 900},
	{"BNBETH", "BNB", "ETH", 10_000, 100_000, 2_400, 100, 900},
}

// trader is one account at the venue, with a client of its own.
type trader struct {
	*binance.Trader
	n    int
	name string
}

// wallets is a venue without a market, on which two accounts trade with each other.
type wallets struct {
	venue      *venue.Server
	table      *core.Instruments
	mine, them *trader
	ledger     *exec.Ledger
	opening    []core.Amount
	read       map[core.InstrumentID]int64 // newest trade id that was booked
	booked     int
}

func newWallets(t *testing.T) *wallets {
	t.Helper()
	balances := map[string]string{"USDT": "1000000", "BTC": "50", "ETH": "500", "BNB": "3"}
	rich := map[string]string{"USDT": "100000000", "BTC": "5000", "ETH": "50000", "BNB": "50000"}
	limits := venue.RateLimit{Interval: "MINUTE", Num: 1, Limit: 1 << 30}
	s, err := venue.Start(context.Background(), venue.Config{Quiet: true, Seed: 1, Weight: limits, RawRequests: limits,
		Symbols: []string{"BTCUSDT", "ETHUSDT", "BNBBTC", "ETHBTC", "BNBETH"},
		Orders:  []venue.RateLimit{{Interval: "SECOND", Num: 10, Limit: 1 << 30}, {Interval: "DAY", Num: 1, Limit: 1 << 30}},
		Accounts: []venue.Account{{Name: "mine", Balances: balances, Keys: []venue.Key{venue.NewHMACKey(1, "mine")}, MakerRate: 70_000},
			{Name: "them", Balances: rich, Keys: []venue.Key{venue.NewHMACKey(1, "them")}}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	w := &wallets{venue: s, table: core.NewInstruments(), read: map[core.InstrumentID]int64{}}
	for _, p := range pairs {
		id, err := w.table.Add(core.Instrument{Symbol: p.symbol, Base: w.table.Asset(p.base), Quote: w.table.Asset(p.quote), Status: core.StatusTrading,
			Filters: core.Filters{Tick: core.Price(p.tick), Lot: core.Qty(p.lot)}})
		if err != nil {
			t.Fatal(err)
		}
		w.read[id] = -1
	}
	w.mine, w.them = w.open(t, "mine"), w.open(t, "them")
	w.ledger = exec.NewLedger(w.table)
	bs, _, err := w.mine.Balances(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.ledger.Open(bs)
	for a := range w.table.Assets {
		w.opening = append(w.opening, w.ledger.Owned(core.AssetID(a)))
	}
	return w
}

func (w *wallets) open(t *testing.T, account string) *trader {
	t.Helper()
	k, _ := w.venue.Key(account, venue.HMAC)
	key, err := binance.NewHMACKey(k.APIKey, k.Secret)
	if err != nil {
		t.Fatal(err)
	}
	budget, err := exec.NewBudget(0)
	if err != nil {
		t.Fatal(err)
	}
	if err := budget.Set([]exec.Limit{{Kind: exec.LimitWeight, Span: time.Minute, Max: 1 << 30}, {Kind: exec.LimitOrders, Span: time.Second, Max: 1 << 30}}); err != nil {
		t.Fatal(err)
	}
	clock := core.NewSystemClock()
	r, err := binance.NewREST(binance.RESTConfig{URL: w.venue.REST(), Key: key, Instruments: w.table, Clock: clock, Time: exec.NewVenueClock(clock), Budget: budget, Dial: dialPlain})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return &trader{binance.NewTrader(r), 0, account}
}

func dialPlain(ctx context.Context, rawURL string) (net.Conn, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, err
	}
	return new(net.Dialer).DialContext(ctx, "tcp", u.Host)
}

// place sends an order; what the venue refuses for lack of funds is no trade.
func (w *wallets) place(t *testing.T, who *trader, o binance.OrderRequest) *binance.Order {
	t.Helper()
	who.n++
	o.Client, _ = core.MakeClientID(fmt.Sprintf("%s-%d", who.name, who.n))
	got, err := who.Place(t.Context(), &o)
	var ce *exec.CallError
	if errors.As(err, &ce) && ce.Class == exec.ClassRefused && ce.Code == -2010 {
		return nil
	}
	if err != nil {
		t.Fatalf("%s %s: %v", who.name, o.Symbol, err)
	}
	return got
}

// book reads our new trades and enters them.
func (w *wallets) book(t *testing.T) {
	t.Helper()
	for id, last := range w.read {
		trades, err := w.mine.TradesFrom(t.Context(), id, last+1)
		if err != nil {
			t.Fatal(err)
		}
		for i := range trades {
			e := &trades[i]
			w.ledger.Fill(&core.Report{Kind: core.ReportFill, Instrument: e.Instrument, Side: e.Side, TradeID: e.TradeID, Price: e.LastPrice, Qty: e.LastQty,
				Quote: e.LastQuote, Fee: e.Fee, FeeAsset: e.FeeAsset})
			w.read[id] = e.TradeID
			w.booked++
		}
	}
}

// compare holds the ledger against the wallet and the commissions against the venue's own
// list of balance changes, to the last unit, and gross against net.
func (w *wallets) compare(t *testing.T) {
	t.Helper()
	bs, _, err := w.mine.Balances(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range w.ledger.Compare(nil, bs, nil) {
		t.Errorf("after %d trades: %s is %v, the wallet has %v", w.booked, w.table.AssetName(m.Asset), m.Ours, m.Venue)
	}
	entries, err := w.venue.Ledger("mine")
	if err != nil {
		t.Fatal(err)
	}
	charged, inBase := map[string]int64{}, map[core.InstrumentID]int64{}
	for i := range entries {
		e := &entries[i]
		if e.Reason != exchange.LedgerCommission {
			continue
		}
		charged[e.Asset] -= e.FreeDelta + e.LockedDelta
		if in, _ := w.table.Lookup(e.Symbol); w.table.AssetName(in.Base) == e.Asset {
			inBase[in.ID] -= e.FreeDelta + e.LockedDelta
		}
	}
	for id, fee := range inBase {
		if got := w.ledger.Position(id) - w.ledger.Holding(id); int64(got) != fee {
			t.Errorf("after %d trades: commissions in the base of %s are %v, the venue charged %d", w.booked, w.table.Get(id).Symbol, got, fee)
		}
	}
	for a, name := range w.table.Assets {
		id := core.AssetID(a)
		if got := w.ledger.Fees(id); int64(got) != charged[name] {
			t.Errorf("after %d trades: fees in %s are %v, the venue charged %d", w.booked, name, got, charged[name])
		}
		// What trading alone brought, and what commissions took: together the change.
		gross := core.Amount(0)
		for i := range w.table.List {
			in := &w.table.List[i]
			if in.Base == id {
				gross += core.Amount(w.ledger.Position(in.ID))
			}
			if in.Quote == id {
				gross += w.ledger.Cash(in.ID)
			}
		}
		if net := w.ledger.Owned(id) - w.opening[a]; net != gross-w.ledger.Fees(id) {
			t.Errorf("after %d trades: %s changed by %v, want gross %v less fees %v", w.booked, name, net, gross, w.ledger.Fees(id))
		}
	}
	if w.ledger.Unpriced() != 0 || t.Failed() {
		t.Fatalf("after %d trades: %d commissions in unknown assets", w.booked, w.ledger.Unpriced())
	}
}

// TestLedgerEqualsTheWalletWhateverTheFeeAsset: random trades, as maker and as taker, on
// five markets, while the payment of commissions in BNB is switched on and off and the BNB
// run out and come back. RIPOSTE_TRIALS is how many trades, 10,000 for acceptance.
func TestLedgerEqualsTheWalletWhateverTheFeeAsset(t *testing.T) {
	want := 600
	if n, err := strconv.Atoi(os.Getenv("RIPOSTE_TRIALS")); err == nil && n > 0 {
		want = n
	}
	w := newWallets(t)
	rng := rand.New(rand.NewPCG(uint64(want), 0x77616c6c6574))
	traded := map[*pair]bool{}
	for round := 0; w.booked < want; round++ {
		if rng.IntN(10) == 0 {
			if err := w.venue.SetPayBNB("mine", rng.IntN(3) > 0); err != nil {
				t.Fatal(err)
			}
		}
		p := &pairs[rng.IntN(len(pairs))]
		side := core.Side(rng.IntN(2))
		maker, taker := w.mine, w.them
		if rng.IntN(2) == 0 {
			maker, taker = taker, maker
		}
		// Some orders rest, one crosses some of them.
		price := p.mid + rng.Int64N(2*p.spread) - p.spread
		qty := int64(0)
		for range 1 + rng.IntN(3) {
			q := 1 + rng.Int64N(p.lots) + 100
			if w.place(t, maker, binance.OrderRequest{Symbol: p.symbol, Side: side, Qty: core.Qty(q * p.lot),
				Terms: binance.Terms{Type: core.Limit, Price: core.Price(price * p.tick)}}) != nil {
				qty += q
			}
			price += (1 + rng.Int64N(10)) * side.Sign() // ever better, so that each is met
		}
		if qty == 0 {
			continue
		}
		o := binance.OrderRequest{Symbol: p.symbol, Side: side.Opposite(), Qty: core.Qty((100 + rng.Int64N(qty-99)) * p.lot)}
		if o.Type = core.MarketOrder; !traded[p] || rng.IntN(2) == 0 { // without a price no market order has a value
			traded[p] = true
			o.Type, o.TIF, o.Price = core.Limit, core.IOC, core.Price((p.mid-2*p.spread*side.Sign())*p.tick)
		}
		if got := w.place(t, taker, o); got != nil && taker == w.mine {
			w.answered(t, got)
		}
		if round%10 == 9 {
			w.clear(t)
		}
		if round%100 == 99 {
			w.book(t)
			w.compare(t)
		}
	}
	w.clear(t)
	w.book(t)
	w.compare(t)
	paid := 0
	for a := range w.table.Assets {
		if w.ledger.Fees(core.AssetID(a)) > 0 {
			paid++
		}
	}
	if paid < 4 {
		t.Errorf("commissions were paid in %d assets, want all 4", paid)
	}
	t.Logf("%d trades; fees BNB %v, BTC %v, ETH %v, USDT %v", w.booked, w.fee("BNB"), w.fee("BTC"), w.fee("ETH"), w.fee("USDT"))
}

func (w *wallets) fee(asset string) core.Amount {
	id, _ := w.table.AssetID(asset)
	return w.ledger.Fees(id)
}

// answered holds a FULL answer against its own sums.
func (w *wallets) answered(t *testing.T, o *binance.Order) {
	t.Helper()
	cum := core.Qty(0)
	for _, f := range o.Fills {
		cum += f.Qty
		if f.Fee < 0 || f.FeeAsset == "" {
			t.Errorf("fill %+v of %s", f, o.Symbol)
		}
	}
	if cum != o.Cum {
		t.Errorf("%s executed %v, its fills sum to %v", o.Symbol, o.Cum, cum)
	}
}

// clear takes every resting order off the books.
func (w *wallets) clear(t *testing.T) {
	t.Helper()
	for _, who := range []*trader{w.mine, w.them} {
		for _, p := range pairs {
			var ce *exec.CallError
			if _, err := who.CancelSymbol(t.Context(), p.symbol); err != nil && (!errors.As(err, &ce) || ce.Code != -2011) {
				t.Fatal(err)
			}
		}
	}
}
