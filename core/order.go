package core

// Side is the direction of an order or trade.
type Side uint8

// The two sides.
const (
	Buy Side = iota
	Sell
)

func (s Side) String() string {
	if s == Sell {
		return "SELL"
	}
	return "BUY"
}

// Opposite is the other side.
func (s Side) Opposite() Side { return s ^ 1 }

// Sign is +1 for Buy and -1 for Sell.
func (s Side) Sign() int64 { return 1 - 2*int64(s) }

// OrderType is what kind of order it is.
type OrderType uint8

// The order types; LimitMaker is post-only.
const (
	Limit OrderType = iota
	LimitMaker
	MarketOrder
	StopLoss
	StopLossLimit
	TakeProfit
	TakeProfitLimit
)

var orderTypeText = [...]string{"LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT"}

func (t OrderType) String() string { return orderTypeText[t] }

// ParseOrderType finds the type with that name.
func ParseOrderType(s string) (OrderType, bool) { return parseText[OrderType](s, orderTypeText[:]) }

// OrderTypeSet says which types a symbol takes.
type OrderTypeSet uint8

// Has reports whether t is in the set.
func (s OrderTypeSet) Has(t OrderType) bool { return s&(1<<t) != 0 }

// With is the set with t added.
func (s OrderTypeSet) With(t OrderType) OrderTypeSet { return s | 1<<t }

// TIF is time in force.
type TIF uint8

// The times in force. LIMIT_MAKER and MARKET orders carry none; they are GTC here.
const (
	GTC TIF = iota
	IOC
	FOK
)

var tifText = [...]string{"GTC", "IOC", "FOK"}

func (t TIF) String() string { return tifText[t] }

// ParseTIF finds the time in force with that name.
func ParseTIF(s string) (TIF, bool) { return parseText[TIF](s, tifText[:]) }

func parseText[T ~uint8](s string, names []string) (T, bool) {
	for i, n := range names {
		if n == s {
			return T(i), true
		}
	}
	return 0, false
}

// OrderStatus is the state of an order in FIX words.
type OrderStatus uint8

// The states. PendingNew: bytes may have left, nothing heard yet. Unknown: an
// answer was lost or unreadable, and only venue evidence may end it. The last
// five are terminal.
const (
	PendingNew OrderStatus = iota
	Unknown
	New
	PartiallyFilled
	Filled
	Canceled
	Rejected
	Expired
	NotSent // ours: no byte left, the venue never heard of it
)

var statusText = [...]string{"PENDING_NEW", "UNKNOWN", "NEW", "PARTIALLY_FILLED", "FILLED", "CANCELED", "REJECTED", "EXPIRED", "NOT_SENT"}

func (s OrderStatus) String() string { return statusText[s] }

// Terminal reports whether no further state can follow.
func (s OrderStatus) Terminal() bool { return s >= Filled }

// OrderID is the engine's own handle of an order: assigned by the engine in
// sequence, unique within one run, never seen by the venue.
type OrderID uint64

// ClientID is the text by which the venue knows our order (newClientOrderId, at
// most 36 bytes). It is made by exec before the first byte is written.
type ClientID struct {
	n uint8
	b [36]byte
}

// MakeClientID copies s; ok is false if it is longer than 36 bytes.
func MakeClientID[T ~string | ~[]byte](s T) (c ClientID, ok bool) {
	if len(s) > len(c.b) {
		return c, false
	}
	c.n = uint8(copy(c.b[:], s))
	return c, true
}

// Bytes is the text, valid as long as c.
func (c *ClientID) Bytes() []byte { return c.b[:c.n] }

// String is a copy of the text.
func (c ClientID) String() string { return string(c.b[:c.n]) }

// IntentKind is what an intent asks for.
type IntentKind uint8

// The kinds of intent.
const (
	Place IntentKind = iota
	Cancel
	CancelAll // every own working order of the instrument
	Amend     // less quantity for a working order, which keeps its place in the queue
	Replace   // cancel one order and place another in one request
)

// STP is what happens when an order would trade with another of its own account.
type STP uint8

// The self-trade prevention modes. STPDefault sends none: the symbol's own holds.
const (
	STPDefault STP = iota
	STPNone
	STPExpireTaker
	STPExpireMaker
	STPExpireBoth
	STPDecrement
	STPTransfer
)

var stpText = [...]string{"", "NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT", "TRANSFER"}

func (m STP) String() string { return stpText[m] }

// ParseSTP finds the mode with that name.
func ParseSTP(s string) (STP, bool) { return parseText[STP](s, stpText[:]) }

// NoStrategy is the number of whoever is no strategy: the account itself, to which
// belongs what no strategy of this run has begun.
const NoStrategy = ^uint16(0)

// Intent is one decision, before the gate: what a strategy wants done. A Cancel
// names only the ID of the order it ends; a CancelAll only the instrument; an
// Amend the ID and, in Qty, the order's new whole quantity, below the present one.
// A Replace is a Place that names, in Old, the order that must end for it. 64 bytes.
type Intent struct {
	Kind       IntentKind
	Side       Side
	Type       OrderType
	TIF        TIF
	Instrument InstrumentID
	Strategy   uint16
	ID         OrderID // assigned by the engine
	Price      Price   // 0 for MarketOrder, StopLoss and TakeProfit
	Qty        Qty
	Stop       Price   // what triggers the four types that wait, 0: Trail alone
	Iceberg    Qty     // how much of a resting order is shown, 0: all
	Old        OrderID // Replace: the order that ends
	LifeUs     uint32  // how long after the decision the venue may take it, 0: the configured recvWindow
	Trail      uint16  // trailing delta in 1/10000 of the price, 0: none
	STP        STP
}

// ReportKind is what a report tells.
type ReportKind uint8

// The kinds of report. Ack: the venue took the order. Fill: one trade. Done: the
// order reached the terminal state in Status. CancelRejected: a cancel or an amend
// found nothing to act on or was refused; the order's own state stands in Status.
// Doubt: the order became Unknown. Resolved: doubt ended, Status tells how.
// Amended: Qty is the order's whole quantity from now on. Adopted: an order of ours of
// which the engine did not know lives at the venue (a former run's, or one that had
// been proved never to have arrived); Side, Price and Qty tell what it is.
const (
	ReportAck ReportKind = iota
	ReportFill
	ReportDone
	ReportCancelRejected
	ReportDoubt
	ReportResolved
	ReportAmended
	ReportAdopted
)

// Report is what the order table tells the engine of one of its own orders, in
// the order in which the truth became known. Fixed size; it crosses a ring.
// Fills are unique by (instrument, trade id): the table drops echoes.
type Report struct {
	Kind       ReportKind
	Status     OrderStatus
	Side       Side
	Maker      bool
	Instrument InstrumentID
	FeeAsset   AssetID
	Code       int32   // the venue's error code where Status is Rejected, else 0
	Strategy   uint16  // whose order it is, NoStrategy: the account's own
	ID         OrderID // the order concerned
	VenueID    int64   // the venue's order id, 0 while unknown
	TradeID    int64   // Fill only
	Price      Price   // Fill: the trade's price; Adopted: the order's
	Qty        Qty     // Fill: the trade's quantity; Amended, Adopted: the order's
	Cum        Qty     // executed so far
	Quote      Amount  // Fill: price times quantity as the venue computed it
	Fee        Amount  // Fill: commission in FeeAsset
	VenueTime  WallNs  // transaction time, 0 if not told
	Recv       MonoNs  // when its bytes were read
}
