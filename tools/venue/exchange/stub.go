package exchange

type (
	Exchange    struct{}
	Market      interface{ marketIsOurs() }
	DepthCursor struct{}
	Filter      struct{}
	Symbol      struct {
		Name, Base, Quote string
		Status            SymbolStatus
	}
	Interval uint8
)

func New(cfg Config, sink Sink) (*Exchange, error)                      { return nil, nil }
func Agents() Market                                                    { return nil }
func LoadSymbols(exchangeInfo []byte, names []string) ([]Symbol, error) { return nil, nil }
func BuiltinSymbols(names ...string) ([]Symbol, error)                  { return nil, nil }
func ParseInterval(s string) (Interval, bool)                           { return 0, false }
func ParseFixed(s string) (Fixed, error)                                { return 0, nil }
func AppendFixed(dst []byte, v Fixed) []byte                            { return dst }

// Commands. now must not go backwards (an earlier now counts as the latest one); every command first runs Advance(now).
func (x *Exchange) Now() Micros               { return 0 }
func (x *Exchange) Advance(now Micros)        {}
func (x *Exchange) NextEvent() (Micros, bool) { return 0, false }
func (x *Exchange) Place(now Micros, a AccountID, r *NewOrder) (*OrderReport, *Reject) {
	return nil, nil
}
func (x *Exchange) Test(now Micros, a AccountID, r *NewOrder) *Reject { return nil }
func (x *Exchange) Cancel(now Micros, a AccountID, r *CancelRequest) (*CancelReport, *Reject) {
	return nil, nil
}
func (x *Exchange) CancelAll(now Micros, a AccountID, symbol string) ([]CancelReport, *Reject) {
	return nil, nil
}
func (x *Exchange) Amend(now Micros, a AccountID, r *AmendRequest) (*AmendReport, *Reject) {
	return nil, nil
}
func (x *Exchange) CancelReplace(now Micros, a AccountID, r *ReplaceRequest) (*ReplaceReport, *Reject) {
	return nil, nil
}
func (x *Exchange) SetStatus(now Micros, symbol string, s SymbolStatus) *Reject       { return nil }
func (x *Exchange) Deposit(now Micros, a AccountID, asset string, amount Fixed) error { return nil }

// Queries of an account.
func (x *Exchange) Order(a AccountID, symbol string, orderID Opt, clientID string) (*Order, *Reject) {
	return nil, nil
}
func (x *Exchange) OpenOrders(a AccountID, symbol string) ([]Order, *Reject) { return nil, nil } // symbol "" = all
func (x *Exchange) AllOrders(a AccountID, symbol string, q OrderQuery) ([]Order, *Reject) {
	return nil, nil
}
func (x *Exchange) MyTrades(a AccountID, symbol string, q TradeQuery) ([]UserTrade, *Reject) {
	return nil, nil
}
func (x *Exchange) PreventedMatches(a AccountID, symbol string, id, orderID Opt, limit int) ([]PreventedMatch, *Reject) {
	return nil, nil
}
func (x *Exchange) Account(a AccountID) AccountState { return AccountState{} }
func (x *Exchange) Ledger(a AccountID) []LedgerEntry { return nil }

// Market data.
func (x *Exchange) Symbols() []Symbol                  { return nil } // with current status
func (x *Exchange) Symbol(name string) (*Symbol, bool) { return nil, false }
func (x *Exchange) ExchangeFilters() []Filter          { return nil }
func (x *Exchange) Depth(symbol string, limit int) (lastUpdateID int64, bids, asks []Level, rej *Reject) {
	return
}
func (x *Exchange) AppendDepth(symbol string, limit int, bids, asks []Level) (lastUpdateID int64, b, a []Level) {
	return
}
func (x *Exchange) NewDepthCursor(symbol string) (*DepthCursor, *Reject) { return nil, nil }
func (x *Exchange) CloseDepthCursor(c *DepthCursor)                      {}
func (x *Exchange) FlushDepth(c *DepthCursor) (DepthDiff, bool)          { return DepthDiff{}, false }
func (x *Exchange) BookAt(symbol string, updateID int64) (bids, asks []Level, ok bool) {
	return nil, nil, false
}
func (x *Exchange) BookTicker(symbol string) (Top, bool)                           { return Top{}, false }
func (x *Exchange) Trades(symbol string, fromID Opt, limit int) ([]Trade, *Reject) { return nil, nil }
func (x *Exchange) AggTrades(symbol string, q AggQuery) ([]AggTrade, *Reject)      { return nil, nil }
func (x *Exchange) Klines(symbol string, q KlineQuery) ([]Kline, *Reject)          { return nil, nil }
func (x *Exchange) CurrentKline(symbol string, iv Interval, offset Micros) (Kline, bool) {
	return Kline{}, false
}                                                                      // bar holding Now
func (x *Exchange) Ticker(symbol string, window Micros) (Ticker, bool) { return Ticker{}, false } // 24 h: exchange.Day
func (x *Exchange) AvgPrice(symbol string) (AvgPrice, bool)            { return AvgPrice{}, false }

const Day Micros = 86_400_000_000
