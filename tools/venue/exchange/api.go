package exchange

import "io"

// Config is everything that decides an Exchange. It is copied by New, except
// that Market is owned by the Exchange from then on.
type Config struct {
	Seed     uint64          // seeds the market; equal seeds and inputs give equal logs
	Start    Micros          // venue time of New; must be positive
	Symbols  []Symbol        // at least one; names unique
	Accounts []AccountConfig // AccountID is the index

	// Market trades besides the accounts: nil for an empty venue, or what
	// Agents or Tape return.
	Market Market

	// ExchangeFilters are the filters over all symbols of an account, e.g.
	// EXCHANGE_MAX_NUM_ORDERS. Symbol filters in here are refused.
	ExchangeFilters []Filter

	// AssetLimits are the MAX_ASSET filters. Their order does not matter.
	AssetLimits []AssetLimit

	Log io.Writer // canonical event log, may be nil; see Exchange.LogErr

	BookHistory int  // level changes kept per symbol for BookAt; 0 keeps none
	Ledger      bool // keep every balance change of Accounts for Exchange.Ledger
	OrdersKept  int  // ended orders kept per account, default 100 000
	TradesKept  int  // recent trades kept per symbol and fills per account, default 10 000

	// Discount is what a commission paid in BNB is multiplied by, scaled 1e-8, default 0.75.
	Discount Fixed
}

// AccountConfig is one account. Rates are scaled 1e-8 per unit (10 bps =
// 100 000); a negative rate is free of commission, zero means the default of 10 bps.
type AccountConfig struct {
	Name       string
	Balances   map[string]Fixed // free at start by asset
	MakerRate  Fixed
	TakerRate  Fixed
	TradeGroup int64 // STP group; 0 or -1 for none
	Disabled   bool  // may not trade: "This account may not place or cancel orders."
	PayBNB     bool  // commissions in BNB while it lasts; see SetPayBNB
}

// Reject is an answer of the venue that refuses a command: Binance's code and text.
type Reject struct {
	Code int
	Msg  string
}

// Error makes a Reject an error for tests and logs.
func (r *Reject) Error() string { return r.Msg }

// NewOrder are the parameters of POST /api/v3/order after parsing, or those of
// one leg of a list.
type NewOrder struct {
	Leg           string // prefix of the leg's parameters ("above"), names them in rejects
	Symbol        string
	Side          Side
	Type          OrderType
	TimeInForce   TimeInForce
	Quantity      Opt
	QuoteOrderQty Opt
	Price         Opt
	StopPrice     Opt
	IcebergQty    Opt
	TrailingDelta Opt    // V in basis points, not scaled
	ClientOrderID string // empty: the exchange makes one
	STP           STPMode
	StrategyID    Opt // V as sent, not scaled
	StrategyType  Opt // V as sent, not scaled
	Peg           Peg
}

// CancelRequest are the parameters of DELETE /api/v3/order.
type CancelRequest struct {
	Symbol            string
	OrderID           Opt // V as sent, not scaled
	OrigClientOrderID string
	NewClientOrderID  string // id of this cancel; empty: the exchange makes one
	Restriction       CancelRestriction
}

// AmendRequest are the parameters of PUT /api/v3/order/amend/keepPriority.
type AmendRequest struct {
	Symbol            string
	OrderID           Opt // V as sent, not scaled
	OrigClientOrderID string
	NewClientOrderID  string
	NewQty            Opt
}

// ReplaceRequest are the parameters of POST /api/v3/order/cancelReplace.
type ReplaceRequest struct {
	Cancel       CancelRequest // Symbol is taken from New
	New          NewOrder
	AllowFailure bool // cancelReplaceMode ALLOW_FAILURE
	// NewRefused, if not nil, is why the new order may not even be tried (the
	// order count with orderRateLimitExceededMode CANCEL_ONLY): the cancel is
	// done, the new order fails with it.
	NewRefused *Reject
}

// Outcome is one half of a cancelReplace.
type Outcome uint8

// The outcomes of a cancelReplace half.
const (
	NotAttempted Outcome = iota
	Success
	Failure
)

// String is the name on the wire.
func (o Outcome) String() string { return [...]string{"NOT_ATTEMPTED", "SUCCESS", "FAILURE"}[o] }

// ReplaceReport is the result of a cancelReplace. Code is 0, -2021 or -2022.
type ReplaceReport struct {
	Code         int
	CancelResult Outcome
	NewResult    Outcome
	Cancel       *CancelReport
	CancelReject *Reject
	New          *OrderReport
	NewReject    *Reject
}

// Order is a copy of an order's state. Prices, quantities and amounts are
// scaled 1e-8, times are Micros.
type Order struct {
	Symbol           string
	OrderID          int64
	OrderListID      int64 // -1 if it is no leg of a list
	ClientOrderID    string
	Side             Side
	Type             OrderType
	TimeInForce      TimeInForce
	Status           OrderStatus
	Price            Fixed
	OrigQty          Fixed
	ExecutedQty      Fixed
	CumQuote         Fixed // cummulativeQuoteQty
	QuoteOrderQty    Fixed // origQuoteOrderQty
	PreventedQty     Fixed
	PreventedMatchID int64 // newest one, -1 if none
	StopPrice        Fixed
	IcebergQty       Fixed
	TrailingDelta    int64  // basis points, 0 if none
	TrailingTime     Micros // -1 until it tracks
	Peg              Peg
	PeggedPrice      Fixed  // 0 until the book has given it
	Time             Micros // creation
	UpdateTime       Micros
	WorkingTime      Micros // -1 while it has not worked
	IsWorking        bool
	STP              STPMode
	ExpiryReason     ExpiryReason // ExpiryNone unless expired
	StrategyID       Opt
	StrategyType     Opt
}

// Fill is one entry of a FULL answer.
type Fill struct {
	Price, Qty      Fixed
	Commission      Fixed
	CommissionAsset string
	TradeID         int64
}

// PreventedMatch is one self-trade that was prevented.
type PreventedMatch struct {
	ID                     int64
	Symbol                 string
	TakerOrderID           int64
	MakerOrderID           int64
	TradeGroupID           int64
	STP                    STPMode
	Price                  Fixed
	TakerPreventedQuantity Fixed
	MakerPreventedQuantity Fixed
	Time                   Micros
}

// OrderReport is the answer to a placement: enough for ACK, RESULT and FULL.
type OrderReport struct {
	Order
	TransactTime Micros
	Fills        []Fill
	Prevented    []PreventedMatch
	TradeGroupID int64 // -1 if none
}

// CancelReport is the answer to a cancel. Order.ClientOrderID is the order's
// own id (origClientOrderId on the wire), CancelID the id of the cancel. For a
// leg of a list only List is set.
type CancelReport struct {
	Order
	List         *ListReport
	CancelID     string
	TransactTime Micros
}

// AmendReport is the answer to an amend. OrigClientOrderID is the id before it.
type AmendReport struct {
	Order
	OrigClientOrderID string
	TransactTime      Micros
	ExecutionID       int64
	OldQty            Fixed
	List              *ListState // nil unless it is a leg of a list
}

// UserTrade is one fill of an account, as GET /api/v3/myTrades shows it.
type UserTrade struct {
	Symbol          string
	ID              int64
	OrderID         int64
	OrderListID     int64 // -1 if the order is no leg of a list
	Price, Qty      Fixed
	QuoteQty        Fixed
	Commission      Fixed
	CommissionAsset string
	Time            Micros
	IsBuyer         bool
	IsMaker         bool
}

// Balance is one asset of an account.
type Balance struct {
	Asset        string
	Free, Locked Fixed
}

// AccountState is a copy of an account. Balances are sorted by asset.
type AccountState struct {
	ID         AccountID
	Name       string
	MakerRate  Fixed // scaled 1e-8 per unit
	TakerRate  Fixed
	CanTrade   bool
	PayBNB     bool
	TradeGroup int64 // -1 if none
	UpdateTime Micros
	Balances   []Balance
}

// Trade is one match of a taker with one maker.
type Trade struct {
	Symbol       string
	ID           int64
	Price, Qty   Fixed
	QuoteQty     Fixed
	BuyOrderID   int64 // -1 for quantity of a tape
	SellOrderID  int64 // -1 for quantity of a tape
	Time         Micros
	BuyerIsMaker bool
}

// AggTrade is the sum of one taker order's trades at one price.
type AggTrade struct {
	Symbol       string
	ID           int64
	Price, Qty   Fixed
	FirstID      int64
	LastID       int64
	Time         Micros
	BuyerIsMaker bool
}

// Top is the best bid and ask after a transaction. An empty side has price and
// quantity 0.
type Top struct {
	Symbol   string
	UpdateID int64
	Bid      Level
	Ask      Level
	Time     Micros
}

// DepthDiff are the levels changed between two flushes: bids best first, asks
// best first, absolute quantities, 0 for a level that is gone. Bids and Asks
// are borrowed until the cursor's next flush.
type DepthDiff struct {
	Symbol string
	First  int64 // U
	Last   int64 // u
	Bids   []Level
	Asks   []Level
}

// Kline is one bar. Times are Micros; Close is the last microsecond of the bar.
// FirstID and LastID are -1 for a bar without trades.
type Kline struct {
	Symbol     string
	Interval   Interval
	OpenTime   Micros
	CloseTime  Micros
	Open       Fixed
	High       Fixed
	Low        Fixed
	Close      Fixed
	Volume     Fixed
	Quote      Fixed
	TakerBase  Fixed // taker buy volume
	TakerQuote Fixed
	Trades     int64
	FirstID    int64
	LastID     int64
	Closed     bool
}

// Ticker is a rolling window over trades; the 24 h ticker and the mini ticker
// are printed from it. An empty window has prices of the last trade before it
// and ids -1.
type Ticker struct {
	Symbol    string
	Change    Fixed // signed
	ChangePct Fixed // percent, signed, scaled 1e-8
	VWAP      Fixed
	PrevClose Fixed // price before the window
	Last      Fixed
	LastQty   Fixed
	Bid, Ask  Level
	Open      Fixed
	High      Fixed
	Low       Fixed
	Volume    Fixed
	Quote     Fixed
	OpenTime  Micros
	CloseTime Micros
	FirstID   int64
	LastID    int64
	Count     int64
}

// AvgPrice is the volume weighted mean of the last Mins minutes.
type AvgPrice struct {
	Symbol    string
	Mins      int
	Price     Fixed
	CloseTime Micros // time of the last trade
}

// ExecutionReport holds every field of an executionReport event (section 8.1 of
// the venue's user data page). The letter on the wire follows each field.
type ExecutionReport struct {
	EventTime     Micros // E
	Symbol        string // s
	ClientOrderID string // c: for a cancel the cancel's id
	OrigClientID  string // C: the cancelled order's id, else ""
	Side          Side   // S
	Type          OrderType
	TimeInForce   TimeInForce
	Quantity      Fixed         // q
	Price         Fixed         // p
	StopPrice     Fixed         // P
	IcebergQty    Fixed         // F
	OrderListID   int64         // g
	Exec          ExecutionType // x
	Status        OrderStatus   // X
	Reject        RejectReason  // r
	OrderID       int64         // i
	LastQty       Fixed         // l
	CumQty        Fixed         // z
	LastPrice     Fixed         // L
	Commission    Fixed         // n
	CommAsset     string        // N: empty prints null
	TransactTime  Micros        // T
	TradeID       int64         // t
	ExecutionID   int64         // I
	OnBook        bool          // w
	Maker         bool          // m
	OrderTime     Micros        // O
	CumQuote      Fixed         // Z
	LastQuote     Fixed         // Y
	QuoteOrderQty Fixed         // Q
	WorkingTime   Micros        // W: printed only if it has worked, else -1
	STP           STPMode       // V
	StrategyID    Opt           // j
	StrategyType  Opt           // J
	ExpiryReason  ExpiryReason  // eR: printed if not ExpiryNone

	PreventedMatchID int64  // v: -1 if none
	PreventedQty     Fixed  // A: cumulative
	LastPrevented    Fixed  // B
	TradeGroupID     int64  // u: -1 if none
	CounterOrderID   int64  // U
	CounterSymbol    string // Cs
	PreventedExecQty Fixed  // pl
	PreventedExecPx  Fixed  // pL
	PreventedExecQuo Fixed  // pY

	TrailingDelta int64  // d: 0 if none
	TrailingTime  Micros // D: -1 until it tracks
	Peg           Peg    // gP, gOT, gOV
	PeggedPrice   Fixed  // gp: 0 until the book has given it
}

// Sink receives events in engine order, synchronously, on the goroutine that
// gave the command. Pointers and slices are borrowed for the call. A Sink must
// not call back into the Exchange's commands; queries are allowed.
type Sink interface {
	// Trade is called for every match.
	Trade(*Trade)
	// AggTrade is called once per taker order and price, after its trades.
	AggTrade(*AggTrade)
	// Top is called after each transaction that changed the best bid or ask, in
	// price or quantity. A flush of a DepthCursor made at any later moment, before
	// the next Top, leaves a book with exactly this top.
	Top(*Top)
	// Execution is called for every report of an account of Config.Accounts.
	Execution(AccountID, *ExecutionReport)
	// List is called when a list of an account begins, changes or ends.
	List(AccountID, *ListState)
	// Balances is called once per transaction and account it touched, after its
	// reports: the assets possibly changed, with absolute values.
	Balances(AccountID, []Balance, Micros)
	// Status is called when SetStatus changed a symbol.
	Status(symbol string, s SymbolStatus)
}

// LedgerEntry is one change of a balance. Free and Locked are the balance after
// it, the deltas what it changed.
type LedgerEntry struct {
	Time        Micros
	Account     AccountID
	Asset       string
	Reason      LedgerReason
	FreeDelta   Fixed
	LockedDelta Fixed
	Free        Fixed
	Locked      Fixed
	Symbol      string
	OrderID     int64 // 0 if none
	TradeID     int64 // -1 if none
}

// LedgerReason says why a balance changed.
type LedgerReason uint8

// The reasons of a ledger entry.
const (
	LedgerDeposit LedgerReason = iota + 1
	LedgerLock
	LedgerRelease
	LedgerTrade
	LedgerCommission
)

// String names the reason.
func (r LedgerReason) String() string {
	return name([]string{"", "deposit", "lock", "release", "trade", "commission"}, r)
}

// TradeQuery selects entries of MyTrades. Zero values select nothing: FromID and
// OrderID use Set.
type TradeQuery struct {
	OrderID   Opt // V as sent
	FromID    Opt // V as sent
	StartTime Opt // Micros
	EndTime   Opt // Micros
	Limit     int // default 500, at most 1000
}

// OrderQuery selects entries of AllOrders.
type OrderQuery struct {
	OrderID   Opt // from this id
	StartTime Opt // Micros
	EndTime   Opt // Micros
	Limit     int // default 500, at most 1000
}

// AggQuery selects entries of AggTrades.
type AggQuery struct {
	FromID    Opt
	StartTime Opt // Micros
	EndTime   Opt // Micros
	Limit     int // default 500, at most 1000
}

// KlineQuery selects bars.
type KlineQuery struct {
	Interval  Interval
	Offset    Micros // bars are aligned to UTC plus this (timeZone)
	StartTime Opt    // Micros
	EndTime   Opt    // Micros
	Limit     int    // default 500, at most 1000
}
