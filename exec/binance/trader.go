package binance

import (
	"context"
	"errors"
	"fmt"

	"github.com/valyala/fastjson"

	"riposte/core"
	"riposte/exec"
)

// Trader is the cold client with the calls that create orders: for tools and for a
// person, never for the engine, whose orders all pass the gate. A request that can
// create an order is written once, to a connection of its own, and by nobody again
// (see call.once); what became of it when its answer is lost is ClassUnknown, to be
// asked about by its client id. A ClassRefused without Status never left. Any goroutine.
type Trader struct{ *REST }

// NewTrader lends r the calls that create orders.
func NewTrader(r *REST) *Trader { return &Trader{r} }

// Weights of calls that create orders: nothing is charged for those that succeed
// (since 2026-04-02), the weight for those that fail (Binance Spot API docs, 2026-07-21).
const (
	weightPlace     = 1
	weightTestRates = 20
	weightAmend     = 4
)

// Place sends a new order: POST /api/v3/order, weight 1 if it fails, order count 1
// (Binance Spot API docs, 2026-07-21).
func (t *Trader) Place(ctx context.Context, o *OrderRequest) (*Order, error) {
	c, err := o.call("/api/v3/order", weightPlace)
	c.orders = 1
	return t.placed(ctx, c, o, err)
}

// PlaceSOR sends a new order that the venue may fill from several books: POST
// /api/v3/sor/order, LIMIT or MARKET by quantity alone, weight 1 if it fails, order
// count 1 (Binance Spot API docs, 2026-07-21).
func (t *Trader) PlaceSOR(ctx context.Context, o *OrderRequest) (*Order, error) {
	c, err := o.call("/api/v3/sor/order", weightPlace)
	if err == nil && (o.Type != core.Limit && o.Type != core.MarketOrder || o.QuoteQty != 0 || o.Peg != PegNone) {
		err = fmt.Errorf("type is %s, want LIMIT or MARKET by quantity and without peg", o.Type)
	}
	c.orders = 1
	return t.placed(ctx, c, o, err)
}

// placed sends c, a call that o was laid out for unless bad says why not.
func (t *Trader) placed(ctx context.Context, c *call, o *OrderRequest, bad error) (*Order, error) {
	if bad != nil {
		return nil, refusedHere(c, bad)
	}
	body, err := t.do(ctx, c)
	if err != nil {
		return nil, err
	}
	return parsed(c, body, func(b []byte) (*Order, error) {
		doc, err := parse(b, fastjson.TypeObject)
		if err != nil {
			return nil, err
		}
		return t.newOrderOf(doc, o)
	})
}

// newOrderOf reads the answer to a placement, which must be about that order.
func (r *REST) newOrderOf(v *fastjson.Value, o *OrderRequest) (*Order, error) {
	got, err := r.orderOf(v, idsPlaced)
	if err == nil && (got.Client != o.Client.String() || got.Symbol != o.Symbol) {
		err = fmt.Errorf("found order %q on %q, want %q on %q", clip(got.Client), clip(got.Symbol), o.Client, o.Symbol)
	}
	return got, err
}

// refusedHere is the error of a call of which no byte was made.
func refusedHere(c *call, err error) error {
	var ce *exec.CallError
	if errors.As(err, &ce) {
		return err
	}
	return &exec.CallError{Op: c.op(), Class: exec.ClassRefused, Err: err}
}

// Rates are commission rates at 1e-8 per unit.
type Rates struct{ Maker, Taker, Buyer, Seller int64 }

// Commission is what the account pays on a symbol: the sum of the three, each maker or
// taker plus buyer or seller. Paid in DiscountAsset, Standard is changed by Discount;
// the venue's pages contradict each other on how (7.11 of the facts).
type Commission struct {
	Standard, Special, Tax Rates
	ForAccount, ForSymbol  bool // the discount is enabled for
	DiscountAsset          string
	Discount               int64 // at 1e-8
}

// Test has the venue check an order without placing it: POST /api/v3/order/test, weight
// 1, or 20 with rates, the commission it would cost (Binance Spot API docs, 2026-07-21).
// The Commission is nil without rates. It is in REST because it creates nothing.
func (r *REST) Test(ctx context.Context, o *OrderRequest, rates bool) (*Commission, error) {
	c, err := o.call("/api/v3/order/test", weightOrderTest)
	if err != nil {
		return nil, refusedHere(c, err)
	}
	c.once = false
	if rates {
		c.weight = weightTestRates
		c.params.Text("computeCommissionRates", "true")
	}
	body, err := r.do(ctx, c)
	if err != nil || !rates {
		return nil, err
	}
	return parsed(c, body, func(b []byte) (*Commission, error) { return parseCommission(b, "ForOrder") })
}

// Commission is what the account pays on a symbol: GET /api/v3/account/commission,
// weight 20 (Binance Spot API docs, 2026-07-21).
func (r *REST) Commission(ctx context.Context, symbol string) (*Commission, error) {
	c := &call{method: "GET", path: "/api/v3/account/commission", weight: weightCommission, sec: signed}
	c.params.Text("symbol", symbol)
	body, err := r.do(ctx, c)
	if err != nil {
		return nil, err
	}
	return parsed(c, body, func(b []byte) (*Commission, error) { return parseCommission(b, "") })
}

func parseCommission(body []byte, suffix string) (*Commission, error) {
	doc, err := parse(body, fastjson.TypeObject)
	if err != nil {
		return nil, err
	}
	var bad error
	rates := func(name string) Rates {
		f := fields{v: doc.Get(name + suffix)}
		if f.v == nil {
			bad = fmt.Errorf("found no %s", name+suffix)
			return Rates{}
		}
		x := Rates{f.decimal("maker"), f.decimal("taker"), f.amount("buyer"), f.amount("seller")}
		if f.err != nil {
			bad = f.err
		}
		return x
	}
	m := &Commission{Standard: rates("standardCommission"), Special: rates("specialCommission"), Tax: rates("taxCommission")}
	if d := doc.Get("discount"); d != nil {
		f := fields{v: d}
		m.ForAccount, m.ForSymbol, m.DiscountAsset, m.Discount = d.GetBool("enabledForAccount"), d.GetBool("enabledForSymbol"), f.text("discountAsset"), f.amount("discount")
		if f.err != nil {
			bad = f.err
		}
	}
	return m, bad
}
