package venue

import (
	"slices"

	"riposte/tools/venue/exchange"
)

// Order lists: OCO, OTO, OTOCO, the deprecated OCO, and the refusal of OPO (Binance Spot API docs, 2026-07-21).

var listCommon = []string{"symbol", "listClientOrderId", "newOrderRespType", "selfTradePreventionMode"}

// wholeLeg are the parameters of a leg that has a type and a client id of its own.
func wholeLeg(leg string, more ...string) []string {
	return slices.Concat([]string{legParam(leg, "type"), legParam(leg, "clientOrderId")}, more, legParams(leg))
}

var (
	ocoParams   = slices.Concat(listCommon, []string{"side", "quantity"}, wholeLeg("above"), wholeLeg("below"))
	otoParams   = slices.Concat(listCommon, wholeLeg("working", "workingSide", "workingQuantity"), wholeLeg("pending", "pendingSide", "pendingQuantity"))
	otocoParams = slices.Concat(listCommon, wholeLeg("working", "workingSide", "workingQuantity"),
		[]string{"pendingSide", "pendingQuantity"}, wholeLeg("pendingAbove"), wholeLeg("pendingBelow"))
	oldOCOParams = slices.Concat(listCommon, []string{"side", "quantity", "limitClientOrderId", "limitStrategyId", "limitStrategyType", "price",
		"limitIcebergQty", "trailingDelta", "stopClientOrderId", "stopPrice", "stopStrategyId", "stopStrategyType", "stopLimitPrice",
		"stopIcebergQty", "stopLimitTimeInForce"})
)

// listReader reads one kind of list from a request.
type listReader func(c *call, l *exchange.NewList, common *exchange.NewOrder) *apiError

// placeList is the op of every kind of list.
func placeList(read listReader) func(c *call, b []byte) ([]byte, *apiError) {
	return func(c *call, b []byte) ([]byte, *apiError) {
		l := &exchange.NewList{}
		common := exchange.NewOrder{}
		var err *apiError
		if l.Symbol, err = c.symbol(); err != nil {
			return b, err
		}
		if l.ClientID, err = c.clientID("listClientOrderId"); err != nil {
			return b, err
		}
		if common.STP, err = c.stpMode(); err != nil {
			return b, err
		}
		resp, err := c.respType("RESULT")
		if err != nil {
			return b, err
		}
		common.Symbol = l.Symbol
		if err = read(c, l, &common); err != nil {
			return b, err
		}
		var rep *exchange.ListReport
		err = c.engine(func(x *exchange.Exchange, now int64) *apiError {
			var rej *exchange.Reject
			rep, rej = x.PlaceList(now, c.account, l)
			return fromReject(rej)
		})
		if err != nil {
			c.srv.stats.rejects.Add(1)
			return b, err
		}
		c.srv.stats.orders.Add(uint64(len(rep.Reports)))
		w := enc{b: b, us: c.us}
		w.listReport(rep, resp)
		return w.b, nil
	}
}

// typedLeg reads a leg with its type and client id.
func (c *call) typedLeg(common *exchange.NewOrder, leg string) (exchange.NewOrder, *apiError) {
	r := *common
	r.Leg = leg
	var err *apiError
	if r.Type, err = c.orderType(legParam(leg, "type")); err != nil {
		return r, err
	}
	if r.ClientOrderID, err = c.clientID(legParam(leg, "clientOrderId")); err != nil {
		return r, err
	}
	return r, c.leg(&r)
}

// sided reads side and quantity of a leg, or of the legs that share them.
func (c *call) sided(r *exchange.NewOrder, leg string) (err *apiError) {
	if r.Side, err = c.side(legParam(leg, "side")); err != nil {
		return err
	}
	r.Quantity, err = c.fixed(legParam(leg, "quantity"))
	if err == nil && !r.Quantity.Set {
		err = errMandatory(legParam(leg, "quantity"))
	}
	return err
}

// legs reads typed legs that share what common holds.
func (c *call) legs(l *exchange.NewList, common *exchange.NewOrder, names ...string) *apiError {
	for _, n := range names {
		r, err := c.typedLeg(common, n)
		if err != nil {
			return err
		}
		l.Legs = append(l.Legs, r)
	}
	return nil
}

func readOCO(c *call, l *exchange.NewList, common *exchange.NewOrder) *apiError {
	l.Kind = exchange.ListOCO
	if err := c.sided(common, ""); err != nil {
		return err
	}
	return c.legs(l, common, "above", "below")
}

func readOTO(c *call, l *exchange.NewList, common *exchange.NewOrder) *apiError {
	l.Kind = exchange.ListOTO
	for _, n := range []string{"working", "pending"} {
		leg := *common
		if err := c.sided(&leg, n); err != nil {
			return err
		}
		if err := c.legs(l, &leg, n); err != nil {
			return err
		}
	}
	return nil
}

func readOTOCO(c *call, l *exchange.NewList, common *exchange.NewOrder) *apiError {
	l.Kind = exchange.ListOTOCO
	leg := *common
	if err := c.sided(&leg, "working"); err != nil {
		return err
	}
	if err := c.legs(l, &leg, "working"); err != nil {
		return err
	}
	if err := c.sided(&leg, "pending"); err != nil {
		return err
	}
	return c.legs(l, &leg, "pendingAbove", "pendingBelow")
}

// readOldOCO is the deprecated OCO: a LIMIT_MAKER at price and a stop at stopPrice, which has a limit if stopLimitPrice
// is sent.
func readOldOCO(c *call, l *exchange.NewList, common *exchange.NewOrder) *apiError {
	l.Kind = exchange.ListOCO
	if err := c.sided(common, ""); err != nil {
		return err
	}
	limit, stop := *common, *common
	limit.Leg, stop.Leg = "limit", "stop"
	limit.Type, stop.Type = exchange.LimitMakerOrder, exchange.StopLossOrder
	for _, f := range []struct {
		name string
		dst  *exchange.Opt
		read func(string) (exchange.Opt, *apiError)
	}{{"price", &limit.Price, c.fixed}, {"limitIcebergQty", &limit.IcebergQty, c.fixed}, {"limitStrategyId", &limit.StrategyID, c.int},
		{"limitStrategyType", &limit.StrategyType, c.int}, {"stopPrice", &stop.StopPrice, c.fixed}, {"trailingDelta", &stop.TrailingDelta, c.int},
		{"stopLimitPrice", &stop.Price, c.fixed}, {"stopIcebergQty", &stop.IcebergQty, c.fixed}, {"stopStrategyId", &stop.StrategyID, c.int},
		{"stopStrategyType", &stop.StrategyType, c.int}} {
		var err *apiError
		if *f.dst, err = f.read(f.name); err != nil {
			return err
		}
	}
	var err *apiError
	if limit.ClientOrderID, err = c.clientID("limitClientOrderId"); err != nil {
		return err
	}
	if stop.ClientOrderID, err = c.clientID("stopClientOrderId"); err != nil {
		return err
	}
	if !limit.Price.Set {
		return errMandatory("price")
	}
	if !stop.StopPrice.Set && !stop.TrailingDelta.Set {
		return errMandatory("stopPrice")
	}
	if stop.Price.Set {
		stop.Type = exchange.StopLossLimitOrder
		v, err := c.need("stopLimitTimeInForce")
		if err != nil {
			return err
		}
		var ok bool
		if stop.TimeInForce, ok = exchange.ParseTimeInForce(v); !ok {
			return bad(-1115, "Invalid timeInForce.")
		}
	}
	l.Legs = []exchange.NewOrder{limit, stop}
	if common.Side == exchange.Buy {
		l.Legs = []exchange.NewOrder{stop, limit}
	}
	return nil
}

// refuseOPO answers lists whose pending quantity is what the working order brings: no symbol of this venue has
// opoAllowed.
func refuseOPO(c *call, b []byte) ([]byte, *apiError) {
	if _, err := c.market(); err != nil {
		return b, err
	}
	return b, bad(-2010, "OPO orders are not supported for this symbol.")
}

// refuseSOR answers smart order routing: exchangeInfo has no sors.
func refuseSOR(c *call, b []byte) ([]byte, *apiError) {
	if _, err := c.market(); err != nil {
		return b, err
	}
	return b, bad(-1020, "This operation is not supported.")
}

func noAllocations(c *call, b []byte) ([]byte, *apiError) {
	_, err := c.market()
	return append(b, '[', ']'), err
}

func cancelList(c *call, b []byte) ([]byte, *apiError) {
	r := &exchange.CancelListRequest{}
	var err *apiError
	if r.Symbol, err = c.symbol(); err != nil {
		return b, err
	}
	if r.ListID, r.ClientID, err = c.orderRef("orderListId", "listClientOrderId"); err != nil {
		return b, err
	}
	if r.NewClientOrderID, err = c.clientID("newClientOrderId"); err != nil {
		return b, err
	}
	var rep *exchange.ListReport
	err = c.engine(func(x *exchange.Exchange, now int64) *apiError {
		var rej *exchange.Reject
		rep, rej = x.CancelList(now, c.account, r)
		return fromReject(rej)
	})
	if err != nil {
		return b, err
	}
	w := enc{b: b, us: c.us}
	w.listReport(rep, "")
	return w.b, nil
}

func queryList(c *call, b []byte) ([]byte, *apiError) {
	id, client, err := c.orderRef("orderListId", "origClientOrderId")
	if err != nil {
		return b, err
	}
	var s *exchange.ListState
	err = c.engine(func(x *exchange.Exchange, now int64) *apiError {
		var rej *exchange.Reject
		s, rej = x.OrderList(c.account, id, client)
		if rej == nil && c.srv.lag.tooFresh("lists", s.Created, now) {
			return bad(-2013, "Order does not exist.")
		}
		return fromReject(rej)
	})
	if err != nil {
		return b, err
	}
	w := enc{b: b, us: c.us}
	w.open('{')
	w.list(s)
	w.close('}')
	return w.b, nil
}

func allLists(c *call, b []byte) ([]byte, *apiError) {
	var q exchange.ListQuery
	var err *apiError
	if q.FromID, err = c.int("fromId"); err != nil {
		return b, err
	}
	if q.StartTime, q.EndTime, err = c.span(24); err != nil {
		return b, err
	}
	if q.Limit, err = c.limit(500, 1000); err != nil {
		return b, err
	}
	return c.lists(b, func(x *exchange.Exchange) ([]exchange.ListState, *exchange.Reject) {
		return x.AllOrderLists(c.account, q)
	})
}

func openLists(c *call, b []byte) ([]byte, *apiError) {
	return c.lists(b, func(x *exchange.Exchange) ([]exchange.ListState, *exchange.Reject) {
		return x.OpenOrderLists(c.account), nil
	})
}

func (c *call) lists(b []byte, get func(x *exchange.Exchange) ([]exchange.ListState, *exchange.Reject)) ([]byte, *apiError) {
	var list []exchange.ListState
	err := c.engine(func(x *exchange.Exchange, now int64) *apiError {
		var rej *exchange.Reject
		list, rej = get(x)
		list = slices.DeleteFunc(list, func(s exchange.ListState) bool { return c.srv.lag.tooFresh("lists", s.Created, now) })
		return fromReject(rej)
	})
	if err != nil {
		return b, err
	}
	w := enc{b: b, us: c.us}
	w.open('[')
	for i := range list {
		w.open('{')
		w.list(&list[i])
		w.close('}')
	}
	w.close(']')
	return w.b, nil
}
