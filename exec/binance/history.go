package binance

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/valyala/fastjson"

	"riposte/core"
)

// QueryOrder is one order by symbol and id: GET /api/v3/order, weight 4; -2013 is no proof
// that it never was (Binance Spot API docs, 2026-07-21).
func (r *REST) QueryOrder(ctx context.Context, symbol string, ref Ref) (*Order, error) {
	c := &call{method: "GET", path: "/api/v3/order", weight: weightOrder, sec: signed}
	ref.add(c.params.Text("symbol", symbol), "orderId", "origClientOrderId")
	body, err := r.do(ctx, c)
	if err != nil {
		return nil, err
	}
	return parsed(c, body, func(b []byte) (*Order, error) {
		doc, err := parse(b, fastjson.TypeObject)
		if err != nil {
			return nil, err
		}
		return r.orderOf(doc, idsPlaced)
	})
}

// OpenOn are the orders at work on a symbol, or with "" on all: GET /api/v3/openOrders,
// weight 6, or 80 for all (Binance Spot API docs, 2026-07-21).
func (r *REST) OpenOn(ctx context.Context, symbol string) ([]*Order, error) {
	c := &call{method: "GET", path: "/api/v3/openOrders", weight: weightOpenOne, sec: signed}
	if symbol == "" {
		c.weight = weightOpenAll
	}
	c.params.Text("symbol", symbol)
	return r.orderPage(ctx, c)
}

func (r *REST) orderPage(ctx context.Context, c *call) ([]*Order, error) {
	body, err := r.do(ctx, c)
	if err != nil {
		return nil, err
	}
	return parsed(c, body, func(b []byte) ([]*Order, error) {
		return parseEach(b, func(v *fastjson.Value) (*Order, error) { return r.orderOf(v, idsPlaced) })
	})
}

// OrdersFrom are all orders of a symbol from venue id from on, at work or not, by id:
// GET /api/v3/allOrders page by page, weight 20 each (Binance Spot API docs, 2026-07-21).
func (r *REST) OrdersFrom(ctx context.Context, symbol string, from int64) ([]*Order, error) {
	return byID(from, func(id int64) ([]*Order, error) { return r.ordersAt(ctx, symbol, id, 0, 0) }, func(o *Order) int64 { return o.VenueID })
}

// OrdersBetween are all orders of a symbol created from start on and before end; one call
// looks at 24 h at most.
func (r *REST) OrdersBetween(ctx context.Context, symbol string, start, end core.WallNs) ([]*Order, error) {
	return between(start, end,
		func(a, b core.WallNs) ([]*Order, error) { return r.ordersAt(ctx, symbol, 0, a, b) },
		func(id int64) ([]*Order, error) { return r.OrdersFrom(ctx, symbol, id) },
		func(o *Order) (int64, core.WallNs) { return o.VenueID, o.Created })
}

func (r *REST) ordersAt(ctx context.Context, symbol string, id int64, start, end core.WallNs) ([]*Order, error) {
	c := &call{method: "GET", path: "/api/v3/allOrders", weight: weightAllOrders, sec: signed}
	c.params.Text("symbol", symbol)
	if start == 0 && end == 0 {
		c.params.Int("orderId", id)
	}
	c.params.Time("startTime", start).Time("endTime", end).Int("limit", pageMax)
	return r.orderPage(ctx, c)
}

// AccountTrade is one fill of the account, with the asset of its commission by name:
// that may be one that no instrument in the table has.
type AccountTrade struct {
	Symbol       string
	ID, VenueID  int64
	ListID       int64 // -1: of no list
	Price        core.Price
	Qty          core.Qty
	Quote        core.Amount
	Fee          core.Amount
	FeeAsset     string
	Time         core.WallNs
	Buyer, Maker bool
}

// AccountTradesFrom are the account's fills on a symbol from trade id from on: GET
// /api/v3/myTrades page by page, weight 20 each (Binance Spot API docs, 2026-07-21).
func (r *REST) AccountTradesFrom(ctx context.Context, symbol string, from int64) ([]AccountTrade, error) {
	return byID(from, func(id int64) ([]AccountTrade, error) { return r.tradesAt(ctx, symbol, id, 0, 0) }, func(t AccountTrade) int64 { return t.ID })
}

// AccountTradesBetween are the account's fills on a symbol from start on and before end;
// one call looks at 24 h at most.
func (r *REST) AccountTradesBetween(ctx context.Context, symbol string, start, end core.WallNs) ([]AccountTrade, error) {
	return between(start, end,
		func(a, b core.WallNs) ([]AccountTrade, error) { return r.tradesAt(ctx, symbol, 0, a, b) },
		func(id int64) ([]AccountTrade, error) { return r.AccountTradesFrom(ctx, symbol, id) },
		func(t AccountTrade) (int64, core.WallNs) { return t.ID, t.Time })
}

func (r *REST) tradesAt(ctx context.Context, symbol string, id int64, start, end core.WallNs) ([]AccountTrade, error) {
	c := &call{method: "GET", path: "/api/v3/myTrades", weight: weightMyTrades, sec: signed}
	c.params.Text("symbol", symbol)
	if start == 0 && end == 0 {
		c.params.Int("fromId", id)
	}
	c.params.Time("startTime", start).Time("endTime", end).Int("limit", pageMax)
	body, err := r.do(ctx, c)
	if err != nil {
		return nil, err
	}
	return parsed(c, body, func(b []byte) ([]AccountTrade, error) {
		return parseEach(b, func(v *fastjson.Value) (AccountTrade, error) {
			f := fields{v: v}
			t := AccountTrade{Symbol: f.text("symbol"), ID: f.integer("id"), VenueID: f.integer("orderId"), ListID: f.number("orderListId"),
				Price: core.Price(f.decimal("price")), Qty: core.Qty(f.decimal("qty")), Quote: core.Amount(f.decimal("quoteQty")), Fee: core.Amount(f.decimal("commission")),
				FeeAsset: f.text("commissionAsset"), Time: f.ms("time"), Buyer: v.GetBool("isBuyer"), Maker: v.GetBool("isMaker")}
			return t, f.err
		})
	})
}

// byID reads pages from an id on until one is not full. A page that does not lead
// further ends it with an error instead of asking forever.
func byID[T any](from int64, page func(id int64) ([]T, error), id func(T) int64) (all []T, err error) {
	for {
		p, err := page(from)
		if err != nil {
			return nil, err
		}
		if all = append(all, p...); len(p) < pageMax {
			return all, nil
		}
		next := id(p[len(p)-1]) + 1
		if next <= from {
			return nil, fmt.Errorf("cannot read the next page: it ends at id %d, want one above %d", next-1, from)
		}
		from = next
	}
}

// between reads what lies from start on and before end. The venue looks at 24 h at a time
// (Binance Spot API docs, 2026-07-21); where such a window holds more than one page, the
// rest is read by id, which is then the rest of all.
func between[T any](start, end core.WallNs, window func(a, b core.WallNs) ([]T, error), from func(id int64) ([]T, error), key func(T) (int64, core.WallNs)) (all []T, err error) {
	const day = core.WallNs(24 * time.Hour)
	if start <= 0 {
		return nil, fmt.Errorf("cannot read a range: it starts at %d, want a time", start)
	}
	for a := start; a < end; a += day {
		// Both ends of a window belong to it, and it may not be longer than the day.
		p, err := window(a, min(a+day, end)-core.WallNs(time.Millisecond))
		if err != nil {
			return nil, err
		}
		if all = append(all, p...); len(p) < pageMax {
			continue
		}
		last, _ := key(p[len(p)-1])
		rest, err := from(last + 1)
		if err != nil {
			return nil, err
		}
		for _, t := range rest {
			if _, at := key(t); at < end {
				all = append(all, t)
			}
		}
		return all, nil
	}
	return all, nil
}

// OrderCount is how much of one of the account's order limits is used.
type OrderCount struct {
	Span       time.Duration
	Max, Count int
}

// OrderCounts are the account's unfilled order counts: GET /api/v3/rateLimit/order,
// weight 40 (Binance Spot API docs, 2026-07-21).
func (r *REST) OrderCounts(ctx context.Context) ([]OrderCount, error) {
	c := &call{method: "GET", path: "/api/v3/rateLimit/order", weight: weightOrderLimits, sec: signed}
	body, err := r.do(ctx, c)
	if err != nil {
		return nil, err
	}
	return parsed(c, body, func(b []byte) ([]OrderCount, error) {
		return parseEach(b, func(v *fastjson.Value) (OrderCount, error) {
			l, err := limitOf(v)
			return OrderCount{l.Span, l.Max, v.GetInt("count")}, err
		})
	})
}

// PreventedMatches are trades of the account with itself that did not take place, by the
// order they concern, from match id from on (0: the first), at most 1000: GET
// /api/v3/myPreventedMatches, weight 20 (Binance Spot API docs, 2026-07-21).
func (r *REST) PreventedMatches(ctx context.Context, symbol string, venueID, from int64) ([]PreventedMatch, error) {
	c := &call{method: "GET", path: "/api/v3/myPreventedMatches", weight: weightPrevented, sec: signed}
	c.params.Text("symbol", symbol).Int("orderId", venueID).IntIf("fromPreventedMatchId", from).Int("limit", pageMax)
	return r.prevented(ctx, c)
}

// PreventedMatch is one of them by its id: weight 2.
func (r *REST) PreventedMatch(ctx context.Context, symbol string, id int64) ([]PreventedMatch, error) {
	c := &call{method: "GET", path: "/api/v3/myPreventedMatches", weight: weightOnePrevented, sec: signed}
	c.params.Text("symbol", symbol).Int("preventedMatchId", id)
	return r.prevented(ctx, c)
}

func (r *REST) prevented(ctx context.Context, c *call) ([]PreventedMatch, error) {
	body, err := r.do(ctx, c)
	if err != nil {
		return nil, err
	}
	return parsed(c, body, func(b []byte) ([]PreventedMatch, error) { return parseEach(b, preventedOf) })
}

// Filter is one rule by its name, its other members as they were told.
type Filter struct {
	Type   string
	Fields map[string]string
}

// Filters are the rules that hold for this account on a symbol. MAX_ASSET is among
// Assets and nowhere else.
type Filters struct{ Exchange, Symbol, Assets []Filter }

// MyFilters is GET /api/v3/myFilters, weight 40 (Binance Spot API docs, 2026-07-21).
func (r *REST) MyFilters(ctx context.Context, symbol string) (*Filters, error) {
	c := &call{method: "GET", path: "/api/v3/myFilters", weight: weightMyFilters, sec: signed}
	c.params.Text("symbol", symbol)
	body, err := r.do(ctx, c)
	if err != nil {
		return nil, err
	}
	return parsed(c, body, func(b []byte) (*Filters, error) {
		doc, err := parse(b, fastjson.TypeObject)
		if err != nil {
			return nil, err
		}
		return &Filters{filtersOf(doc, "exchangeFilters"), filtersOf(doc, "symbolFilters"), filtersOf(doc, "assetFilters")}, nil
	})
}

func filtersOf(doc *fastjson.Value, name string) (out []Filter) {
	for _, v := range doc.GetArray(name) {
		f := Filter{Type: string(v.GetStringBytes("filterType")), Fields: map[string]string{}}
		o, _ := v.Object()
		if o == nil {
			continue
		}
		o.Visit(func(k []byte, v *fastjson.Value) {
			if string(k) != "filterType" {
				f.Fields[string(k)] = strings.Trim(v.String(), `"`)
			}
		})
		out = append(out, f)
	}
	return out
}
