package core

// Level is one price level: the absolute quantity now resting there, 0 when the
// level is gone.
type Level struct {
	Price Price
	Qty   Qty
}

// EventKind is what a market event tells.
type EventKind uint8

// The kinds of market event. The comment says how ID, W and the levels are used;
// the accessors below read them by name.
const (
	// DepthDelta: changed levels, bids first. ID is the last update id in the
	// event, W[0] the first, W[1] the id the venue says precedes it (0: not told),
	// W[2] the venue time in ns.
	DepthDelta EventKind = iota + 1
	// DepthTop: the best levels as a whole (partial depth). ID is the update id,
	// W[2] the venue time in ns or 0.
	DepthTop
	// Touch: best bid and ask. ID is the update id, W is bid price, bid
	// quantity, ask price, ask quantity.
	Touch
	// Trade: one fill between two others. ID is the trade id; W is price,
	// quantity, trade time in ns, 0. FlagBuyerMaker tells the aggressor.
	Trade
	// AggTrade: fills of one taker order at one price. ID is the aggregate id; W
	// is price, quantity, trade time in ns, first trade id; the last trade id is
	// the Price of the one level that follows.
	AggTrade
	// Kline: one candle. ID is the last trade id, W is open time ns, close time
	// ns, trade count, first trade id; levels are pairs open/high, low/close,
	// volume/quote volume, taker base/taker quote. FlagClosed marks the last.
	Kline
	// Ticker24h and MiniTicker: ID is the last trade id or 0, W is venue time ns,
	// last price, open price, trade count; levels are high/low, volume/quote
	// volume and for Ticker24h bid price/quantity, ask price/quantity.
	Ticker24h
	MiniTicker
	// AvgPrice: W is price, last trade time ns.
	AvgPrice
	// LineDown: the connection that carried this instrument's depth is gone; what
	// was known is no longer current.
	LineDown
	// Overflow: the queue was full and events were lost before this one.
	Overflow
	// LineAlive: the connection answered a ping after everything before this
	// event. A quiet book is current up to Recv: bytes of one connection arrive in
	// order, so nothing sent earlier is still under way. W[2] is the newest venue time in
	// ns that the connection has told, of any of its streams, and W[1] when that was
	// read, plus by how much the line has fallen behind since. W[2] is 0 if it has told
	// none; then Recv is earlier by what it has fallen behind in all.
	LineAlive
)

// Event flags.
const (
	FlagBuyerMaker uint8 = 1 << iota // Trade, AggTrade: the seller was the aggressor
	FlagClosed                       // Kline: the candle is complete
	// FlagLate: Trade, AggTrade, Kline: told after the fact. It belongs to the past and
	// completes it; its price is not the last one and its flow is not now.
	FlagLate
)

// Event is one market event of one instrument, 64 bytes, one cache line. Its
// levels, if any, lie Bids+Asks long in the level ring beside the event ring;
// the queue joins the two. It points nowhere: copying it is owning it.
type Event struct {
	Kind       EventKind
	Flags      uint8
	Line       uint8 // which of the redundant connections brought it
	_          uint8
	Instrument InstrumentID
	Bids, Asks uint16 // levels that follow; other payload pairs count as Bids
	_          uint16
	DecodeNs   uint32   // time from Recv until decoded
	Recv       MonoNs   // when the bytes had been read from the socket
	ID         uint64   // update id or trade id, see EventKind
	W          [4]int64 // payload words, see EventKind
}

// FirstID is the first update id of a DepthDelta.
func (e *Event) FirstID() uint64 { return uint64(e.W[0]) }

// PrevID is the update id that a futures DepthDelta says it follows.
func (e *Event) PrevID() uint64 { return uint64(e.W[1]) }

// VenueTime is the venue's time of a DepthDelta, DepthTop or LineAlive, 0 if not told.
func (e *Event) VenueTime() WallNs { return WallNs(e.W[2]) }

// TradePrice is the price of a Trade or AggTrade.
func (e *Event) TradePrice() Price { return Price(e.W[0]) }

// TradeQty is the quantity of a Trade or AggTrade.
func (e *Event) TradeQty() Qty { return Qty(e.W[1]) }

// TradeTime is the time of a Trade or AggTrade.
func (e *Event) TradeTime() WallNs { return WallNs(e.W[2]) }

// Aggressor is the side of the taker of a Trade or AggTrade.
func (e *Event) Aggressor() Side {
	if e.Flags&FlagBuyerMaker != 0 {
		return Sell
	}
	return Buy
}

// Late reports whether the event completes the past; see FlagLate.
func (e *Event) Late() bool { return e.Flags&FlagLate != 0 }

// Top is a best bid and ask, with the update id they belong to. A side without
// orders has price and quantity 0.
type Top struct {
	ID     uint64
	Bid    Price
	BidQty Qty
	Ask    Price
	AskQty Qty
}

// Top reads a Touch.
func (e *Event) Top() Top {
	return Top{e.ID, Price(e.W[0]), Qty(e.W[1]), Price(e.W[2]), Qty(e.W[3])}
}

// Mid is the middle of the touch, rounded down to 1e-8, or 0 if a side is empty.
func (t *Top) Mid() Price {
	if t.Bid == 0 || t.Ask == 0 {
		return 0
	}
	return t.Bid + (t.Ask-t.Bid)/2
}
