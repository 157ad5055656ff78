package binance

import (
	"fmt"
	"slices"

	"github.com/valyala/fastjson"

	"riposte/core"
)

// Order is an order as an answer told it: to its placement, its cancel, its amend or a
// query. What an answer does not tell is 0. Its own client id is in Client whichever of
// the venue's two names it stood under. Prices, quantities and amounts are at 1e-8.
type Order struct {
	Symbol     string
	Instrument core.InstrumentID // NoInstrument for symbols outside the table
	VenueID    int64
	ListID     int64  // -1: of no list
	Client     string // foreign orders may have any text
	Other      string // cancel: the id of the cancel; amend: the id before it

	// Status is Unknown if the answer told none (an ACK) or one that is not known
	// yet: then ask for the order. Odd names every member whose word is not known,
	// as name=WORD, separated by blanks; such a member is 0.
	Status core.OrderStatus
	Odd    string

	Side     core.Side
	Type     core.OrderType
	TIF      core.TIF
	STP      core.STP
	Price    core.Price
	Stop     core.Price
	Qty      core.Qty
	Cum      core.Qty // executed
	Iceberg  core.Qty
	QuoteQty core.Amount // origQuoteOrderQty
	CumQuote core.Amount // below 0: the venue does not know it (old orders)
	Trail    int64
	Working  bool // isWorking, of queries alone

	Created, Updated, Transacted core.WallNs
	WorkingSince                 core.WallNs // 0: never
	TrailingSince                core.WallNs // 0: not yet

	StrategyID, StrategyType int64
	PreventedQty             core.Qty
	PreventedMatch           int64
	Prevented                []PreventedMatch // of placements
	TradeGroup               int64
	Peg                      Peg
	PegLevels                int64
	PeggedPrice              core.Price
	UsedSOR                  bool
	Floor                    string // workingFloor
	ExpiryReason             string
	Fills                    []Fill // of FULL answers
}

// Fill is one trade in the answer to a placement.
type Fill struct {
	TradeID  int64
	Price    core.Price
	Qty      core.Qty
	Fee      core.Amount
	FeeAsset string
}

// PreventedMatch is a trade of the account with itself that did not take place.
type PreventedMatch struct {
	ID                   int64
	Symbol               string // of the maker's order
	TakerOrder           int64
	MakerOrder           int64
	TradeGroup           int64
	STP                  core.STP
	Price                core.Price
	TakerLost, MakerLost core.Qty
	At                   core.WallNs
}

// words reads members that hold one word of a list, and keeps those it does not know.
type words struct {
	v   *fastjson.Value
	odd []byte
}

func word[T any](w *words, name string, parse func(string) (T, bool)) (known T) {
	b := w.v.GetStringBytes(name)
	if len(b) == 0 {
		return known
	}
	if v, ok := parse(string(b)); ok {
		return v
	}
	if len(w.odd) > 0 {
		w.odd = append(w.odd, ' ')
	}
	w.odd = append(append(append(w.odd, name...), '='), clip(string(b))...)
	return known
}

var statusWords = map[string]core.OrderStatus{
	"NEW": core.New, "PENDING_NEW": core.New, "PENDING_CANCEL": core.New, "PARTIALLY_FILLED": core.PartiallyFilled, "FILLED": core.Filled,
	"CANCELED": core.Canceled, "REJECTED": core.Rejected, "EXPIRED": core.Expired, "EXPIRED_IN_MATCH": core.Expired,
}

func parseStatus(s string) (core.OrderStatus, bool) {
	st, ok := statusWords[s]
	return st, ok
}

func parseSide(s string) (core.Side, bool) { return core.Sell, s == core.Sell.String() }

func parsePeg(s string) (Peg, bool) {
	i := slices.Index(pegText[:], s)
	return Peg(max(i, 0)), i > 0
}

// idNames is under which names an answer has an order's own client id and the other one.
type idNames struct{ client, other string }

var (
	idsPlaced   = idNames{"clientOrderId", ""}
	idsCanceled = idNames{"origClientOrderId", "clientOrderId"}
	idsAmended  = idNames{"clientOrderId", "origClientOrderId"}
)

// orderOf reads an order object.
func (r *REST) orderOf(v *fastjson.Value, ids idNames) (*Order, error) {
	if v == nil || v.Type() != fastjson.TypeObject {
		return nil, fmt.Errorf("found %s, want an order", clip(fmt.Sprint(v)))
	}
	f := fields{v: v}
	o := &Order{
		Symbol: f.text("symbol"), VenueID: f.integer("orderId"), ListID: f.number("orderListId"), Client: f.text(ids.client), Instrument: core.NoInstrument,
		Price: core.Price(f.amount("price")), Stop: core.Price(f.amount("stopPrice")), Qty: core.Qty(f.either("origQty", "qty")), Cum: core.Qty(f.amount("executedQty")),
		Iceberg: core.Qty(f.amount("icebergQty")), QuoteQty: core.Amount(f.either("origQuoteOrderQty", "quoteOrderQty")),
		CumQuote: core.Amount(f.either("cummulativeQuoteQty", "cumulativeQuoteQty")), Trail: f.number("trailingDelta"), Working: v.GetBool("isWorking"),
		Created: f.instant("time"), Updated: f.instant("updateTime"), Transacted: f.instant("transactTime"),
		WorkingSince: f.instant("workingTime"), TrailingSince: f.instant("trailingTime"),
		StrategyID: f.number("strategyId"), StrategyType: f.number("strategyType"),
		PreventedQty: core.Qty(f.either("preventedQuantity", "preventedQty")), PreventedMatch: f.number("preventedMatchId"), TradeGroup: f.number("tradeGroupId"),
		PegLevels: f.number("pegOffsetValue"), PeggedPrice: core.Price(f.amount("peggedPrice")),
		UsedSOR: v.GetBool("usedSor"), Floor: f.text("workingFloor"), ExpiryReason: f.text("expiryReason"),
	}
	if ids.other != "" {
		o.Other = f.text(ids.other)
	}
	if in, ok := r.cfg.Instruments.Lookup(o.Symbol); ok {
		o.Instrument = in.ID
	}
	w := words{v: v}
	o.Status = max(word(&w, "status", parseStatus), core.Unknown)
	if string(v.GetStringBytes("side")) != core.Buy.String() {
		o.Side = word(&w, "side", parseSide)
	}
	o.Type, o.TIF = word(&w, "type", core.ParseOrderType), word(&w, "timeInForce", core.ParseTIF)
	o.STP, o.Peg = word(&w, "selfTradePreventionMode", core.ParseSTP), word(&w, "pegPriceType", parsePeg)
	o.Odd = string(w.odd)
	for _, x := range v.GetArray("fills") {
		f := fields{v: x}
		o.Fills = append(o.Fills, Fill{TradeID: f.integer("tradeId"), Price: core.Price(f.decimal("price")), Qty: core.Qty(f.decimal("qty")),
			Fee: core.Amount(f.decimal("commission")), FeeAsset: f.text("commissionAsset")})
		if f.err != nil {
			return nil, f.err
		}
	}
	for _, x := range v.GetArray("preventedMatches") {
		m, err := preventedOf(x)
		if err != nil {
			return nil, err
		}
		o.Prevented = append(o.Prevented, m)
	}
	if f.err == nil && (o.VenueID <= 0 || o.Symbol == "") {
		f.note("orderId", fmt.Errorf("%d of %q is no order", o.VenueID, o.Symbol))
	}
	return o, f.err
}

func preventedOf(v *fastjson.Value) (PreventedMatch, error) {
	f, w := fields{v: v}, words{v: v}
	m := PreventedMatch{ID: f.integer("preventedMatchId"), Symbol: f.text("makerSymbol"), TakerOrder: f.number("takerOrderId"), MakerOrder: f.number("makerOrderId"),
		TradeGroup: f.number("tradeGroupId"), STP: word(&w, "selfTradePreventionMode", core.ParseSTP), Price: core.Price(f.decimal("price")),
		TakerLost: core.Qty(f.amount("takerPreventedQuantity")), MakerLost: core.Qty(f.amount("makerPreventedQuantity")), At: f.instant("transactTime")}
	return m, f.err
}
