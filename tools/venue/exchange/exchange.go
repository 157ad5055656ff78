package exchange

import (
	"cmp"
	"fmt"
	"slices"
)

// Day is the window of the 24 h ticker.
const Day Micros = 24 * 3600 * second

const (
	millisecond Micros = 1000
	second      Micros = 1_000_000
	minute      Micros = 60 * second
)

// Defaults of Config.
const (
	defaultRate       Fixed = One / 1000 // 10 bps
	defaultOrdersKept       = 100_000
	defaultTradesKept       = 10_000
)

// Exchange is the venue's state. All methods belong to one goroutine.
type Exchange struct {
	sink   Sink
	market Market
	log    eventLog

	now     Micros
	names   []string // symbols in the order of Config
	insts   []*instrument
	byName  map[string]*instrument
	assets  []string
	assetNo map[string]int
	issued  []Fixed  // by asset: deposits and balances at start of all accounts
	filters []Filter // over the exchange
	limits  []AssetLimit

	accounts []*account // of Config, by AccountID
	house    []*account
	fees     *account // collects every commission
	discount Fixed    // of commissions in BNB

	nextList int64 // id of the newest order list

	ordersKept, tradesKept int
	keepLedger             bool

	// of the running transaction
	touched []*account
	follow  []followUp
	report  ExecutionReport
	trade   Trade
	agg     AggTrade
	balBuf  []Balance

	freeOrders []*order // ended orders of the house
}

// instrument is the live state of one symbol.
type instrument struct {
	x     *Exchange
	no    int
	sym   Symbol
	base  int // asset numbers
	quote int
	tick  Fixed
	lot   Fixed

	bids, asks book
	updateID   int64
	firstID    int64 // update id of the oldest state BookAt can know
	lastTop    Top
	cursors    []*DepthCursor
	history    []past

	nextOrder, nextTrade, nextAgg, nextExec, nextPrevented int64

	ref     Opt // reference price
	refTime Micros

	stops []*order // waiting for their trigger, in the order of acceptance

	house *account // the market's account for this symbol, nil without a market
	tape  trades
}

func (in *instrument) book(s Side) *book {
	if s == Buy {
		return &in.bids
	}
	return &in.asks
}

// Market trades at the venue besides its accounts. Agents and Tape make one;
// a Market serves one Exchange.
type Market interface {
	// attach builds the market's initial state inside x.
	attach(x *Exchange, seed uint64) error
	// next is the time of the next event, false if there is none.
	next() (Micros, bool)
	// step runs the event due at next; x.now is that time already.
	step()
}

// New makes an exchange at cfg.Start with the market's initial book in place.
// The initial book reaches no sink: whoever connects takes a snapshot first.
func New(cfg Config, sink Sink) (*Exchange, error) {
	if cfg.Start <= 0 {
		return nil, fmt.Errorf("cannot start exchange: got start time %d, want Unix microseconds above 0", cfg.Start)
	}
	if len(cfg.Symbols) == 0 {
		return nil, fmt.Errorf("cannot start exchange: got no symbols, want at least one")
	}
	if sink == nil {
		sink = Discard{}
	}
	x := &Exchange{
		sink: sink, market: cfg.Market, now: cfg.Start,
		byName: map[string]*instrument{}, assetNo: map[string]int{},
		ordersKept: orInt(positive(cfg.OrdersKept), defaultOrdersKept),
		tradesKept: orInt(positive(cfg.TradesKept), defaultTradesKept),
		keepLedger: cfg.Ledger, discount: cfg.Discount,
	}
	if x.discount == 0 {
		x.discount = defaultDiscount
	}
	if x.discount < 0 || x.discount > One {
		return nil, fmt.Errorf("cannot start exchange: got a commission discount of %s, want 0 to 1", AppendPlain(nil, x.discount))
	}
	x.log.w = cfg.Log
	for _, f := range cfg.ExchangeFilters {
		if !f.Type.overExchange() {
			return nil, fmt.Errorf("cannot use %s as an exchange filter: it belongs to a symbol", f.Type)
		}
		x.filters = append(x.filters, f)
	}
	x.limits = slices.Clone(cfg.AssetLimits)
	slices.SortFunc(x.limits, func(a, b AssetLimit) int { return cmp.Compare(a.Asset, b.Asset) })
	for i := range cfg.Symbols {
		if err := x.addSymbol(&cfg.Symbols[i], cfg.BookHistory); err != nil {
			return nil, err
		}
	}
	x.fees = x.newAccount(AccountConfig{Name: "fees", MakerRate: -1, TakerRate: -1}, feeAccount)
	for i := range cfg.Accounts {
		if err := x.addAccount(AccountID(i), cfg.Accounts[i]); err != nil {
			return nil, err
		}
	}
	x.log.start(x, cfg.Seed)
	if x.market != nil {
		if err := x.market.attach(x, cfg.Seed); err != nil {
			return nil, fmt.Errorf("cannot start the market: %w", err)
		}
	}
	for _, in := range x.insts {
		in.firstID = in.updateID
		in.lastTop = in.currentTop(x.now)
	}
	x.log.flush()
	return x, nil
}

func positive(n int) *int {
	if n <= 0 {
		return nil
	}
	return &n
}

func (x *Exchange) addSymbol(s *Symbol, history int) error {
	if x.byName[s.Name] != nil {
		return fmt.Errorf("cannot add symbol %q: it is there twice", s.Name)
	}
	if s.Name == "" || s.Base == "" || s.Quote == "" || s.Base == s.Quote {
		return fmt.Errorf("cannot add symbol %q of %q and %q: want a name and two assets", s.Name, s.Base, s.Quote)
	}
	if err := ofSymbol(s.Name, s.Filters); err != nil {
		return err
	}
	in := &instrument{
		x: x, no: len(x.insts), sym: s.clone(), base: x.asset(s.Base), quote: x.asset(s.Quote),
		tick: max(s.Tick(), 1), lot: max(s.Lot(), 1),
		bids: book{side: Buy}, asks: book{side: Sell},
		nextOrder: 1, nextTrade: 1, nextAgg: 1, nextExec: 1, nextPrevented: 1,
		history: make([]past, max(history, 0)),
	}
	in.sym.publishOnlySupported()
	in.tape.init(in, x.tradesKept)
	x.insts = append(x.insts, in)
	x.byName[s.Name] = in
	x.names = append(x.names, s.Name)
	return nil
}

// asset numbers an asset by first use.
func (x *Exchange) asset(name string) int {
	n, ok := x.assetNo[name]
	if !ok {
		n = len(x.assets)
		x.assets = append(x.assets, name)
		x.assetNo[name] = n
		x.issued = append(x.issued, 0)
	}
	return n
}

// Now is the venue's time: that of the latest command or market event.
func (x *Exchange) Now() Micros { return x.now }

// LogErr is the first error of writing to Config.Log; nil if there was none.
func (x *Exchange) LogErr() error { return x.log.err }

// NextEvent is when Advance would do something next; false if the market has
// nothing left.
func (x *Exchange) NextEvent() (Micros, bool) {
	if x.market == nil {
		return 0, false
	}
	return x.market.next()
}

// Advance runs the market up to now, including events due at now. An earlier
// now than the latest one does nothing. Every command does it first.
func (x *Exchange) Advance(now Micros) {
	if x.market != nil {
		for {
			t, ok := x.market.next()
			if !ok || t > now {
				break
			}
			x.now = max(x.now, t)
			x.market.step()
		}
	}
	x.now = max(x.now, now)
}

// command runs the market up to now and writes the command into the log.
func (x *Exchange) command(now Micros, verb string, acct AccountID, symbol string) {
	x.Advance(now)
	if x.log.on() {
		x.log.command(x.now, verb, acct, symbol)
	}
}

// commit ends a transaction: what it set going, then the new top of the touched
// instrument, then one balance event per account, as the venue sends
// outboundAccountPosition after its reports.
func (x *Exchange) commit(in *instrument) {
	x.chain()
	if in != nil {
		in.publishTop()
	}
	for _, a := range x.touched {
		x.publishBalances(a)
	}
	x.touched = x.touched[:0]
	x.log.flush()
}

func (in *instrument) publishTop() {
	t := &in.lastTop
	if t.UpdateID == in.updateID {
		return
	}
	now := in.currentTop(in.x.now)
	if now.Bid == t.Bid && now.Ask == t.Ask {
		return
	}
	*t = now
	if in.x.log.on() {
		in.x.log.top(t)
	}
	if in.sym.Status != Break {
		in.x.sink.Top(t)
	}
}

// SetStatus moves a symbol to another trading phase. Orders stay on the book.
func (x *Exchange) SetStatus(now Micros, symbol string, s SymbolStatus) *Reject {
	x.command(now, "status "+s.String(), 0, symbol)
	in := x.byName[symbol]
	if in == nil {
		return rejectSymbol()
	}
	if in.sym.Status != s {
		in.sym.Status = s
		x.sink.Status(symbol, s)
	}
	x.log.flush()
	return nil
}

// SetFilters replaces a symbol's filters for orders from now on. Those that are open stay
// as they are.
func (x *Exchange) SetFilters(now Micros, symbol string, filters []Filter) error {
	x.command(now, "filters", 0, symbol)
	defer x.log.flush()
	in := x.byName[symbol]
	if in == nil {
		return fmt.Errorf("cannot change the filters of symbol %q: it is not served", symbol)
	}
	if err := ofSymbol(symbol, filters); err != nil {
		return err
	}
	in.sym.Filters = slices.Clone(filters) // readers may hold the old ones
	in.tick, in.lot = max(in.sym.Tick(), 1), max(in.sym.Lot(), 1)
	return nil
}

// ofSymbol refuses filters that are the exchange's.
func ofSymbol(symbol string, filters []Filter) error {
	for i := range filters {
		if filters[i].Type.overExchange() {
			return fmt.Errorf("cannot use %s on symbol %q: it belongs to the exchange", filters[i].Type, symbol)
		}
	}
	return nil
}

// Symbols returns the symbols with their current status, in the order of Config.
func (x *Exchange) Symbols() []Symbol {
	out := make([]Symbol, len(x.insts))
	for i, in := range x.insts {
		out[i] = in.sym.clone()
	}
	return out
}

// Symbol returns one symbol with its current status. It is borrowed and must
// not be changed.
func (x *Exchange) Symbol(name string) (*Symbol, bool) {
	in := x.byName[name]
	if in == nil {
		return nil, false
	}
	return &in.sym, true
}

// Discount is what a commission paid in BNB is multiplied by, scaled 1e-8.
func (x *Exchange) Discount() Fixed { return x.discount }

// ExchangeFilters returns the filters over the whole exchange.
func (x *Exchange) ExchangeFilters() []Filter { return slices.Clone(x.filters) }

// Discard is a Sink that ignores everything.
type Discard struct{}

// Trade ignores a trade.
func (Discard) Trade(*Trade) {}

// AggTrade ignores an aggregate trade.
func (Discard) AggTrade(*AggTrade) {}

// Top ignores a top.
func (Discard) Top(*Top) {}

// Execution ignores a report.
func (Discard) Execution(AccountID, *ExecutionReport) {}

// List ignores a list.
func (Discard) List(AccountID, *ListState) {}

// Balances ignores balances.
func (Discard) Balances(AccountID, []Balance, Micros) {}

// Status ignores a status.
func (Discard) Status(string, SymbolStatus) {}
