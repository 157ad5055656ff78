package binance

import (
	"context"
	"fmt"
	"time"

	"github.com/valyala/fastjson"

	"riposte/core"
	"riposte/exec"
)

// CancelRequest cancels one order. If it is a leg of a list, the whole list ends.
type CancelRequest struct {
	Symbol string
	Ref
	CancelClient core.ClientID // newClientOrderId: the id of this cancel, may be empty
	Only         Restriction
	Life         time.Duration // recvWindow, 0: the client's
}

// Canceled is what a cancel ended: an order or, if it was of a list, the list.
type Canceled struct {
	Order *Order
	List  *OrderList
}

// CancelOrder cancels: DELETE /api/v3/order, weight 1 if it fails; -2011 says that there
// was nothing to cancel (Binance Spot API docs, 2026-07-21).
func (r *REST) CancelOrder(ctx context.Context, q *CancelRequest) (Canceled, error) {
	c := &call{method: "DELETE", path: "/api/v3/order", weight: weightCancel, sec: signed, claim: exec.ForCancels}
	if q.empty() || q.Symbol == "" || q.Only > OnlyPartiallyFilled {
		return Canceled{}, refusedHere(c, fmt.Errorf("order is %d %q on %q with restriction %d, want a symbol, one of its ids and a known restriction", q.VenueID, q.Client, q.Symbol, q.Only))
	}
	q.add(c.params.Text("symbol", q.Symbol), "orderId", "origClientOrderId")
	c.params.Text("newClientOrderId", q.CancelClient.String()).Text("cancelRestrictions", restrictionText[q.Only])
	if err := c.live(q.Life); err != nil {
		return Canceled{}, refusedHere(c, err)
	}
	body, err := r.do(ctx, c)
	if err != nil {
		return Canceled{}, err
	}
	return parsed(c, body, func(b []byte) (Canceled, error) {
		doc, err := parse(b, fastjson.TypeObject)
		if err != nil {
			return Canceled{}, err
		}
		return r.canceledOf(doc)
	})
}

// CancelSymbol cancels every order and list of the account on a symbol, whoever placed
// them: DELETE /api/v3/openOrders, weight 1 if it fails (Binance Spot API docs,
// 2026-07-21). -2011 says that there was none.
func (r *REST) CancelSymbol(ctx context.Context, symbol string) ([]Canceled, error) {
	c := &call{method: "DELETE", path: "/api/v3/openOrders", weight: weightCancel, sec: signed, claim: exec.ForCancels}
	c.params.Text("symbol", symbol)
	body, err := r.do(ctx, c)
	if err != nil {
		return nil, err
	}
	return parsed(c, body, func(b []byte) ([]Canceled, error) { return parseEach(b, r.canceledOf) })
}

// canceledOf reads what a cancel answers.
func (r *REST) canceledOf(v *fastjson.Value) (Canceled, error) {
	if v != nil && v.Get("orderReports") != nil {
		l, err := r.listOf(v, idsCanceled)
		return Canceled{List: l}, err
	}
	o, err := r.orderOf(v, idsCanceled)
	return Canceled{Order: o}, err
}

// Amended is what an amend did.
type Amended struct {
	*Order
	ExecID int64
}

// Amend leaves an order less quantity and its place in the queue: PUT
// /api/v3/order/amend/keepPriority, weight 4, order count 0; qty is its whole quantity
// from now on, and must be below the present one. renamed, if not empty, is its client
// id from now on. -2038 if it cannot be done (Binance Spot API docs, 2026-07-21).
func (r *REST) Amend(ctx context.Context, symbol string, ref Ref, qty core.Qty, renamed core.ClientID) (Amended, error) {
	// Once, because a second copy would be told that there is nothing to change.
	c := &call{method: "PUT", path: "/api/v3/order/amend/keepPriority", weight: weightAmend, sec: signed, once: true}
	if ref.empty() || qty <= 0 {
		return Amended{}, refusedHere(c, fmt.Errorf("order is %d %q and newQty %v, want one of its ids and a quantity above 0", ref.VenueID, ref.Client, qty))
	}
	ref.add(c.params.Text("symbol", symbol), "orderId", "origClientOrderId")
	c.params.Text("newClientOrderId", renamed.String()).Decimal("newQty", int64(qty))
	body, err := r.do(ctx, c)
	if err != nil {
		return Amended{}, err
	}
	return parsed(c, body, func(b []byte) (Amended, error) {
		doc, err := parse(b, fastjson.TypeObject)
		if err != nil {
			return Amended{}, err
		}
		o, err := r.orderOf(doc.Get("amendedOrder"), idsAmended)
		if err != nil {
			return Amended{}, err
		}
		f := fields{v: doc}
		o.Transacted = f.instant("transactTime")
		return Amended{o, f.number("executionId")}, f.err
	})
}

// Amendment is one amend in an order's past.
type Amendment struct {
	VenueID, ExecID int64
	Before, After   string // client ids
	Qty, NewQty     core.Qty
	At              core.WallNs
}

// Amendments are the amends of an order from execution id from on, at most limit (1 to
// 1000): GET /api/v3/order/amendments, weight 4 (Binance Spot API docs, 2026-07-21).
func (r *REST) Amendments(ctx context.Context, symbol string, venueID, from int64, limit int) ([]Amendment, error) {
	c := &call{method: "GET", path: "/api/v3/order/amendments", weight: weightAmendments, sec: signed}
	c.params.Text("symbol", symbol).Int("orderId", venueID).IntIf("fromExecutionId", from).Int("limit", int64(limit))
	body, err := r.do(ctx, c)
	if err != nil {
		return nil, err
	}
	return parsed(c, body, func(b []byte) ([]Amendment, error) {
		return parseEach(b, func(v *fastjson.Value) (Amendment, error) {
			f := fields{v: v}
			a := Amendment{VenueID: f.integer("orderId"), ExecID: f.integer("executionId"), Before: f.text("origClientOrderId"), After: f.text("newClientOrderId"),
				Qty: core.Qty(f.decimal("origQty")), NewQty: core.Qty(f.decimal("newQty")), At: f.ms("time")}
			return a, f.err
		})
	})
}

// CountdownCancelAll is the dead man's switch of USD-M futures: unless it is called again
// within d, the venue cancels the account's orders on the symbol; 0 disarms it. POST
// /fapi/v1/countdownCancelAll, weight 10, looked at every 10 ms or so (Binance USD-M
// docs, read 2026-07-21). Spot has nothing like it. The client must be that of the
// futures host.
func (r *REST) CountdownCancelAll(ctx context.Context, symbol string, d time.Duration) error {
	c := &call{method: "POST", path: "/fapi/v1/countdownCancelAll", weight: weightCountdown, sec: signed, claim: exec.ForCancels}
	if d < 0 || d%time.Millisecond != 0 {
		return refusedHere(c, fmt.Errorf("countdown is %v, want whole milliseconds", d))
	}
	c.params.Text("symbol", symbol).Int("countdownTime", d.Milliseconds())
	body, err := r.do(ctx, c)
	if err != nil {
		return err
	}
	_, err = parsed(c, body, func(b []byte) (struct{}, error) {
		doc, err := parse(b, fastjson.TypeObject)
		if err == nil && string(doc.GetStringBytes("symbol")) != symbol {
			err = fmt.Errorf("found %s, want the countdown of %s", clip(string(b)), symbol)
		}
		return struct{}{}, err
	})
	return err
}
