package exchange

// Fixed is a price, quantity or amount scaled 1e-8. It is never negative in a
// command or report; only ledger deltas are signed.
type Fixed = int64

// Micros is venue time in Unix microseconds.
type Micros = int64

// AccountID is an index into Config.Accounts. House accounts of the market are
// negative and never reach a Sink.
type AccountID int32

// Opt is an optional number of a request: the zero value was not sent.
type Opt struct {
	V   Fixed
	Set bool
}

// Some is a number that was sent.
func Some(v Fixed) Opt { return Opt{V: v, Set: true} }

// Level is one price of a book with its displayed quantity, both scaled 1e-8.
type Level struct{ Price, Qty Fixed }

// Side of an order.
type Side uint8

// The sides. The zero value is not a side.
const (
	Buy Side = iota + 1
	Sell
)

// OrderType is the type of an order.
type OrderType uint8

// The order types. The zero value is not a type.
const (
	LimitOrder OrderType = iota + 1
	LimitMakerOrder
	MarketOrder
	StopLossOrder
	StopLossLimitOrder
	TakeProfitOrder
	TakeProfitLimitOrder
)

// TimeInForce of an order; TIFNone means it was not sent.
type TimeInForce uint8

// The times in force.
const (
	TIFNone TimeInForce = iota
	GTC
	IOC
	FOK
)

// STPMode is a self-trade prevention mode; STPDefault means it was not sent
// and the symbol's default holds.
type STPMode uint8

// The self-trade prevention modes.
const (
	STPDefault STPMode = iota
	STPNone
	STPExpireTaker
	STPExpireMaker
	STPExpireBoth
	STPDecrement
	STPTransfer
)

// OrderStatus is the state of an order.
type OrderStatus uint8

// The order states.
const (
	StatusNew OrderStatus = iota + 1
	StatusPendingNew
	StatusPartiallyFilled
	StatusFilled
	StatusCanceled
	StatusRejected
	StatusExpired
	StatusExpiredInMatch
)

// Ended reports whether the order can no longer trade.
func (v OrderStatus) Ended() bool { return v >= StatusFilled }

// ExecutionType says what an execution report is about.
type ExecutionType uint8

// The execution types.
const (
	ExecNew ExecutionType = iota + 1
	ExecCanceled
	ExecReplaced
	ExecRejected
	ExecTrade
	ExecExpired
	ExecTradePrevention
)

// ExpiryReason says why an order expired. ExpiryNone is not printed.
type ExpiryReason uint8

// The expiry reasons (Binance enums page, 2026-07-21).
const (
	ExpiryNone ExpiryReason = iota
	ExpiryRejected
	ExpiryExchangeCanceled
	ExpiryOCOTrigger
	ExpiryOTOPhaseOne
	ExpiryIOC
	ExpiryFOK
	ExpiryLiquidity
	ExpiryPriceRange
)

// RejectReason is field r of an execution report.
type RejectReason uint8

// The reject reasons.
const (
	RejectNone RejectReason = iota
	RejectBalance
	RejectStopTrigger
	RejectWouldMatch
	RejectOCOPrices
)

// SymbolStatus is the trading phase of a symbol.
type SymbolStatus uint8

// The symbol states. HALT keeps market data, BREAK stops it, CANCEL_ONLY allows
// cancels and amends only.
const (
	Trading SymbolStatus = iota + 1
	EndOfDay
	Halt
	Break
	CancelOnly
)

// CancelRestriction limits which state an order may be cancelled in.
type CancelRestriction uint8

// The cancel restrictions; the zero value restricts nothing.
const (
	CancelAny CancelRestriction = iota
	CancelOnlyNew
	CancelOnlyPartiallyFilled
)

var (
	sideNames   = [...]string{"", "BUY", "SELL"}
	typeNames   = [...]string{"", "LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT"}
	tifNames    = [...]string{"", "GTC", "IOC", "FOK"}
	stpNames    = [...]string{"", "NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT", "TRANSFER"}
	statusNames = [...]string{"", "NEW", "PENDING_NEW", "PARTIALLY_FILLED", "FILLED", "CANCELED", "REJECTED", "EXPIRED", "EXPIRED_IN_MATCH"}
	execNames   = [...]string{"", "NEW", "CANCELED", "REPLACED", "REJECTED", "TRADE", "EXPIRED", "TRADE_PREVENTION"}
	expiryNames = [...]string{"NONE", "REJECTED", "EXCHANGE_CANCELED", "OCO_TRIGGER", "OTO_PHASE_ONE_EXPIRED",
		"UNFILLED_IOC_QUANTITY_EXPIRED", "UNFILLED_FOK_ORDER_EXPIRED", "INSUFFICIENT_LIQUIDITY", "EXECUTION_RULE_PRICE_RANGE_EXCEEDED"}
	rejectNames  = [...]string{"NONE", "INSUFFICIENT_BALANCES", "STOP_PRICE_WOULD_TRIGGER_IMMEDIATELY", "WOULD_MATCH_IMMEDIATELY", "OCO_BAD_PRICES"}
	symbolStates = [...]string{"", "TRADING", "END_OF_DAY", "HALT", "BREAK", "CANCEL_ONLY"}
	cancelNames  = [...]string{"", "ONLY_NEW", "ONLY_PARTIALLY_FILLED"}
)

func name[T ~uint8](names []string, v T) string {
	if int(v) < len(names) {
		return names[v]
	}
	return "?"
}

// parseName finds s in names. The empty string is never found: a parameter that
// was not sent is the caller's case, not a value.
func parseName[T ~uint8](names []string, s string) (T, bool) {
	if s == "" {
		return 0, false
	}
	for i, n := range names {
		if n == s {
			return T(i), true
		}
	}
	return 0, false
}

// String is the name on the wire.
func (v Side) String() string { return name(sideNames[:], v) }

// String is the name on the wire.
func (v OrderType) String() string { return name(typeNames[:], v) }

// String is the name on the wire, empty if none was sent.
func (v TimeInForce) String() string { return name(tifNames[:], v) }

// String is the name on the wire, empty for STPDefault.
func (v STPMode) String() string { return name(stpNames[:], v) }

// String is the name on the wire.
func (v OrderStatus) String() string { return name(statusNames[:], v) }

// String is the name on the wire.
func (v ExecutionType) String() string { return name(execNames[:], v) }

// String is the name on the wire.
func (v ExpiryReason) String() string { return name(expiryNames[:], v) }

// String is the name on the wire.
func (v RejectReason) String() string { return name(rejectNames[:], v) }

// String is the name on the wire.
func (v SymbolStatus) String() string { return name(symbolStates[:], v) }

// String is the name on the wire, empty for CancelAny.
func (v CancelRestriction) String() string { return name(cancelNames[:], v) }

// ParseSide finds a side by its name on the wire.
func ParseSide(s string) (Side, bool) { return parseName[Side](sideNames[:], s) }

// ParseOrderType finds an order type by its name on the wire.
func ParseOrderType(s string) (OrderType, bool) { return parseName[OrderType](typeNames[:], s) }

// ParseTimeInForce finds a time in force by its name on the wire.
func ParseTimeInForce(s string) (TimeInForce, bool) { return parseName[TimeInForce](tifNames[:], s) }

// ParseSTPMode finds a self-trade prevention mode by its name on the wire.
func ParseSTPMode(s string) (STPMode, bool) { return parseName[STPMode](stpNames[:], s) }

// ParseSymbolStatus finds a symbol status by its name on the wire.
func ParseSymbolStatus(s string) (SymbolStatus, bool) {
	return parseName[SymbolStatus](symbolStates[:], s)
}

// ParseCancelRestriction finds a cancel restriction by its name on the wire.
func ParseCancelRestriction(s string) (CancelRestriction, bool) {
	return parseName[CancelRestriction](cancelNames[:], s)
}

func (v Side) other() Side { return Buy + Sell - v }
