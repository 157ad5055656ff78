package binance

import (
	"context"
	"fmt"

	"github.com/valyala/fastjson"

	"riposte/core"
	"riposte/exec"
)

// OrderList is an OCO, OTO or OTOCO as an answer told it.
type OrderList struct {
	ListID      int64
	Client      string // listClientOrderId
	Contingency string // OCO or OTO
	StatusType  string // RESPONSE, EXEC_STARTED, UPDATED, ALL_DONE
	Status      string // EXECUTING, ALL_DONE, REJECT
	Symbol      string
	At          core.WallNs
	Orders      []ListedOrder
	Reports     []*Order // of placements and cancels
}

// ListedOrder names a leg.
type ListedOrder struct {
	Symbol  string
	VenueID int64
	Client  string
}

// ListRequest is what all lists have in common. Prices follow the rules of 7.5 of the
// facts; the venue checks them against the market.
type ListRequest struct {
	Symbol string
	Client core.ClientID // listClientOrderId; must be set
	STP    core.STP
	Detail Detail
}

// OCORequest is two orders of which one cancels the other: one is LIMIT_MAKER or a take
// profit, the other a stop loss. Above is the one with the higher price.
type OCORequest struct {
	ListRequest
	Side         core.Side
	Qty          core.Qty
	Above, Below Terms
}

// OTORequest is an order and another that is placed once the first is wholly filled.
type OTORequest struct {
	ListRequest
	WorkingSide, PendingSide core.Side
	WorkingQty, PendingQty   core.Qty
	Working, Pending         Terms
}

// OTOCORequest is an order and an OCO that is placed once it is wholly filled.
type OTOCORequest struct {
	ListRequest
	WorkingSide, PendingSide core.Side
	WorkingQty, PendingQty   core.Qty
	Working, Above, Below    Terms
}

// PlaceOCO sends POST /api/v3/orderList/oco, weight 1 if it fails, order count 2
// (Binance Spot API docs, 2026-07-21).
func (t *Trader) PlaceOCO(ctx context.Context, q *OCORequest) (*OrderList, error) {
	l := q.begin("oco", 2)
	l.c.params.Text("side", q.Side.String())
	l.qty("quantity", q.Qty)
	l.leg("above", &q.Above, q.Qty)
	l.leg("below", &q.Below, q.Qty)
	return t.placeList(ctx, l)
}

// PlaceOTO sends POST /api/v3/orderList/oto, weight 1 if it fails, order count 2
// (Binance Spot API docs, 2026-07-21).
func (t *Trader) PlaceOTO(ctx context.Context, q *OTORequest) (*OrderList, error) {
	l := q.begin("oto", 2)
	l.working(&q.Working, q.WorkingSide, q.WorkingQty)
	l.c.params.Text("pendingSide", q.PendingSide.String())
	l.qty("pendingQuantity", q.PendingQty)
	l.leg("pending", &q.Pending, q.PendingQty)
	return t.placeList(ctx, l)
}

// PlaceOTOCO sends POST /api/v3/orderList/otoco, weight 1 if it fails, order count 3
// (Binance Spot API docs, 2026-07-21).
func (t *Trader) PlaceOTOCO(ctx context.Context, q *OTOCORequest) (*OrderList, error) {
	l := q.begin("otoco", 3)
	l.working(&q.Working, q.WorkingSide, q.WorkingQty)
	l.c.params.Text("pendingSide", q.PendingSide.String())
	l.qty("pendingQuantity", q.PendingQty)
	l.leg("pendingAbove", &q.Above, q.PendingQty)
	l.leg("pendingBelow", &q.Below, q.PendingQty)
	return t.placeList(ctx, l)
}

// listCall is a list being laid out; err is the first thing that is wrong with it.
type listCall struct {
	c   *call
	q   *ListRequest
	err error
}

func (q *ListRequest) begin(kind string, orders int) *listCall {
	l := &listCall{q: q, c: &call{method: "POST", path: "/api/v3/orderList/" + kind, weight: weightPlace, sec: signed, orders: orders, once: true}}
	if q.Symbol == "" || !plainID(q.Client.Bytes()) || q.STP > core.STPTransfer || q.Detail > DetailFULL {
		l.err = fmt.Errorf("list is %q on %q with STP mode %d and detail %d, want a client id, a symbol and known ones", q.Client, q.Symbol, q.STP, q.Detail)
		return l
	}
	l.c.params.Text("symbol", q.Symbol).Text("listClientOrderId", q.Client.String())
	l.c.params.Text("selfTradePreventionMode", q.STP.String()).Text("newOrderRespType", detailText[q.Detail])
	return l
}

func (l *listCall) note(err error) {
	if l.err == nil {
		l.err = err
	}
}

func (l *listCall) qty(name string, q core.Qty) {
	if q <= 0 {
		l.note(fmt.Errorf("%s is %v, want more than 0", name, q))
		return
	}
	l.c.params.Decimal(name, int64(q))
}

func (l *listCall) working(t *Terms, side core.Side, qty core.Qty) {
	if t.Type != core.Limit && t.Type != core.LimitMaker {
		l.note(fmt.Errorf("workingType is %d, want LIMIT or LIMIT_MAKER", t.Type))
	}
	l.c.params.Text("workingSide", side.String())
	l.qty("workingQuantity", qty)
	l.leg("working", t, qty)
}

func (l *listCall) leg(prefix string, t *Terms, qty core.Qty) {
	if err := t.check(qty); err != nil {
		l.note(fmt.Errorf("%s order: %w", prefix, err))
		return
	}
	t.add(&l.c.params, prefix)
}

func (t *Trader) placeList(ctx context.Context, l *listCall) (*OrderList, error) {
	if l.err != nil {
		return nil, refusedHere(l.c, l.err)
	}
	body, err := t.do(ctx, l.c)
	if err != nil {
		return nil, err
	}
	return parsed(l.c, body, func(b []byte) (*OrderList, error) {
		got, err := t.parseList(b, idsPlaced)
		if err == nil && (got.Client != l.q.Client.String() || got.Symbol != l.q.Symbol) {
			err = fmt.Errorf("found list %q on %q, want %q on %q", clip(got.Client), clip(got.Symbol), l.q.Client, l.q.Symbol)
		}
		return got, err
	})
}

// CancelList ends a list: DELETE /api/v3/orderList, weight 1 if it fails (Binance Spot
// API docs, 2026-07-21).
func (r *REST) CancelList(ctx context.Context, symbol string, ref Ref) (*OrderList, error) {
	c := &call{method: "DELETE", path: "/api/v3/orderList", weight: weightCancel, sec: signed, claim: exec.ForCancels}
	ref.add(c.params.Text("symbol", symbol), "orderListId", "listClientOrderId")
	return r.oneList(ctx, c, idsCanceled)
}

// List is one list by its id or client id: GET /api/v3/orderList, weight 4 (Binance Spot
// API docs, 2026-07-21).
func (r *REST) List(ctx context.Context, ref Ref) (*OrderList, error) {
	c := &call{method: "GET", path: "/api/v3/orderList", weight: weightOrder, sec: signed}
	ref.add(&c.params, "orderListId", "origClientOrderId")
	return r.oneList(ctx, c, idsPlaced)
}

func (r *REST) oneList(ctx context.Context, c *call, ids idNames) (*OrderList, error) {
	body, err := r.do(ctx, c)
	if err != nil {
		return nil, err
	}
	return parsed(c, body, func(b []byte) (*OrderList, error) { return r.parseList(b, ids) })
}

// OpenLists are all lists at work: GET /api/v3/openOrderList, weight 6 (Binance Spot API
// docs, 2026-07-21).
func (r *REST) OpenLists(ctx context.Context) ([]*OrderList, error) {
	return r.lists(ctx, &call{method: "GET", path: "/api/v3/openOrderList", weight: weightOpenLists, sec: signed})
}

// AllLists are lists from list id from on, at most limit (1 to 1000), or without it the
// newest ones: GET /api/v3/allOrderList, weight 20 (Binance Spot API docs, 2026-07-21).
func (r *REST) AllLists(ctx context.Context, from int64, limit int) ([]*OrderList, error) {
	c := &call{method: "GET", path: "/api/v3/allOrderList", weight: weightAllOrders, sec: signed}
	c.params.IntIf("fromId", from).Int("limit", int64(limit))
	return r.lists(ctx, c)
}

func (r *REST) lists(ctx context.Context, c *call) ([]*OrderList, error) {
	body, err := r.do(ctx, c)
	if err != nil {
		return nil, err
	}
	return parsed(c, body, func(b []byte) ([]*OrderList, error) {
		return parseEach(b, func(v *fastjson.Value) (*OrderList, error) { return r.listOf(v, idsPlaced) })
	})
}

func (r *REST) parseList(body []byte, ids idNames) (*OrderList, error) {
	doc, err := parse(body, fastjson.TypeObject)
	if err != nil {
		return nil, err
	}
	return r.listOf(doc, ids)
}

// listOf reads a list; lists say transactionTime where orders say transactTime.
func (r *REST) listOf(v *fastjson.Value, ids idNames) (*OrderList, error) {
	f := fields{v: v}
	l := &OrderList{ListID: f.integer("orderListId"), Client: f.text("listClientOrderId"), Contingency: f.text("contingencyType"),
		StatusType: f.text("listStatusType"), Status: f.text("listOrderStatus"), Symbol: f.text("symbol"), At: f.instant("transactionTime")}
	if f.err != nil {
		return nil, f.err
	}
	for _, x := range v.GetArray("orders") {
		f := fields{v: x}
		l.Orders = append(l.Orders, ListedOrder{f.text("symbol"), f.integer("orderId"), f.text("clientOrderId")})
		if f.err != nil {
			return nil, f.err
		}
	}
	for _, x := range v.GetArray("orderReports") {
		o, err := r.orderOf(x, ids)
		if err != nil {
			return nil, err
		}
		l.Reports = append(l.Reports, o)
	}
	return l, nil
}
