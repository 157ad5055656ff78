package core

// ExecKind is why the venue reported on an order.
type ExecKind uint8

// The kinds of execution, in the venue's order: New always comes first.
const (
	ExecNew ExecKind = iota + 1
	ExecTrade
	ExecCanceled
	ExecExpired
	ExecRejected
	ExecReplaced
	ExecTradePrevention
	ExecStatus // not an event: the state of an order as a query or answer told it
)

// Execution is one piece of venue evidence about one order, whoever placed it:
// an event of the user stream, one fill of an answer, or the state told by a
// query. Fixed size; it points nowhere.
type Execution struct {
	Kind       ExecKind
	Status     OrderStatus
	Side       Side
	Type       OrderType
	TIF        TIF
	Maker      bool
	Instrument InstrumentID
	FeeAsset   AssetID  // NoAsset unless Kind is ExecTrade
	Code       int32    // venue error code where the order was rejected
	Client     ClientID // of the order itself, also where a cancel had an id of its own
	VenueID    int64
	ExecID     int64 // the venue's execution id, rises per account, 0 if not told
	TradeID    int64 // ExecTrade, unique per instrument; else -1
	Price      Price
	Qty        Qty
	LastPrice  Price
	LastQty    Qty
	Cum        Qty
	LastQuote  Amount
	CumQuote   Amount
	Fee        Amount
	Time       WallNs // transaction time
	Recv       MonoNs // when its bytes had been read
}

// Balance is what the account holds of one asset: free to use, and locked in
// open orders.
type Balance struct {
	Asset  AssetID
	Free   Amount
	Locked Amount
}
