package venue

import (
	"slices"

	"riposte/tools/venue/exchange"
)

func (w *enc) rates(key string, maker, taker int64, sides bool) {
	w.key(key)
	w.open('{')
	w.fixed("maker", maker)
	w.fixed("taker", taker)
	if sides {
		w.fixed("buyer", 0)
		w.fixed("seller", 0)
	}
	w.close('}')
}

// discount is how a commission in BNB comes about.
func (w *enc) discount(account bool, discount int64) {
	w.key("discount")
	w.open('{')
	w.bool("enabledForAccount", account)
	w.bool("enabledForSymbol", true)
	w.str("discountAsset", "BNB")
	w.fixed("discount", discount)
	w.close('}')
}

func queryOrder(c *call, b []byte) ([]byte, *apiError) {
	symbol, err := c.symbol()
	if err != nil {
		return b, err
	}
	id, client, err := c.orderRef("orderId", "origClientOrderId")
	if err != nil {
		return b, err
	}
	var o *exchange.Order
	err = c.engine(func(x *exchange.Exchange, now int64) *apiError {
		var rej *exchange.Reject
		o, rej = c.srv.lag.order(c.account, symbol, id, client, now)
		return fromReject(rej)
	})
	if err != nil {
		return b, err
	}
	w := enc{b: b, us: c.us}
	w.order(o)
	return w.b, nil
}

func (w *enc) orders(list []exchange.Order) {
	w.open('[')
	for i := range list {
		w.order(&list[i])
	}
	w.close(']')
}

func openOrders(c *call, b []byte) ([]byte, *apiError) {
	symbol := ""
	if c.p.has("symbol") {
		var err *apiError
		if symbol, err = c.market(); err != nil {
			return b, err
		}
	}
	var list []exchange.Order
	err := c.engine(func(x *exchange.Exchange, now int64) *apiError {
		var rej *exchange.Reject
		list, rej = c.srv.lag.open(c.account, symbol, now)
		return fromReject(rej)
	})
	if err != nil {
		return b, err
	}
	w := enc{b: b, us: c.us}
	w.orders(list)
	return w.b, nil
}

func allOrders(c *call, b []byte) ([]byte, *apiError) {
	symbol, err := c.market()
	if err != nil {
		return b, err
	}
	var q exchange.OrderQuery
	if q.OrderID, err = c.int("orderId"); err != nil {
		return b, err
	}
	if q.StartTime, q.EndTime, err = c.span(24); err != nil {
		return b, err
	}
	if q.Limit, err = c.limit(500, 1000); err != nil {
		return b, err
	}
	var list []exchange.Order
	err = c.engine(func(x *exchange.Exchange, now int64) *apiError {
		var rej *exchange.Reject
		list, rej = x.AllOrders(c.account, symbol, q)
		list = c.srv.lag.aged(c.account, list, now)
		return fromReject(rej)
	})
	if err != nil {
		return b, err
	}
	w := enc{b: b, us: c.us}
	w.orders(list)
	return w.b, nil
}

// myTradeCombos are the documented combinations of orderId, startTime, endTime, fromId.
var myTradeCombos = [][4]bool{{}, {true}, {false, true}, {false, false, true}, {false, false, false, true},
	{false, true, true}, {true, false, false, true}}

func myTrades(c *call, b []byte) ([]byte, *apiError) {
	symbol, err := c.market()
	if err != nil {
		return b, err
	}
	var q exchange.TradeQuery
	if q.OrderID, err = c.int("orderId"); err != nil {
		return b, err
	}
	if q.FromID, err = c.int("fromId"); err != nil {
		return b, err
	}
	if q.StartTime, q.EndTime, err = c.span(24); err != nil {
		return b, err
	}
	if q.Limit, err = c.limit(500, 1000); err != nil {
		return b, err
	}
	if !slices.Contains(myTradeCombos, [4]bool{q.OrderID.Set, q.StartTime.Set, q.EndTime.Set, q.FromID.Set}) {
		return b, bad(-1128, "Combination of optional parameters invalid.")
	}
	var list []exchange.UserTrade
	err = c.engine(func(x *exchange.Exchange, now int64) *apiError {
		var rej *exchange.Reject
		list, rej = x.MyTrades(c.account, symbol, q)
		list = slices.DeleteFunc(list, func(t exchange.UserTrade) bool { return c.srv.lag.tooFresh("trades", t.Time, now) })
		return fromReject(rej)
	})
	if err != nil {
		return b, err
	}
	w := enc{b: b, us: c.us}
	w.userTrades(list)
	return w.b, nil
}

func (w *enc) userTrades(list []exchange.UserTrade) {
	w.open('[')
	for i := range list {
		t := &list[i]
		w.open('{')
		w.str("symbol", t.Symbol)
		w.int("id", t.ID)
		w.int("orderId", t.OrderID)
		w.int("orderListId", t.OrderListID)
		w.fixed("price", t.Price)
		w.fixed("qty", t.Qty)
		w.fixed("quoteQty", t.QuoteQty)
		w.fixed("commission", t.Commission)
		w.str("commissionAsset", t.CommissionAsset)
		w.time("time", t.Time)
		w.bool("isBuyer", t.IsBuyer)
		w.bool("isMaker", t.IsMaker)
		w.bool("isBestMatch", true)
		w.close('}')
	}
	w.close(']')
}

func accountStatus(c *call, b []byte) ([]byte, *apiError) {
	omit, err := c.flag("omitZeroBalances", false)
	if err != nil {
		return b, err
	}
	var a exchange.AccountState
	err = c.engine(func(x *exchange.Exchange, now int64) *apiError {
		a = x.Account(c.account)
		a = c.srv.lag.account(c.account, a, now)
		return nil
	})
	if err != nil {
		return b, err
	}
	w := enc{b: b, us: c.us}
	w.open('{')
	// makerCommission and its kin are in basis points.
	w.int("makerCommission", a.MakerRate/10_000)
	w.int("takerCommission", a.TakerRate/10_000)
	w.int("buyerCommission", 0)
	w.int("sellerCommission", 0)
	w.rates("commissionRates", a.MakerRate, a.TakerRate, true)
	w.bool("canTrade", a.CanTrade)
	w.bool("canWithdraw", false)
	w.bool("canDeposit", false)
	w.bool("brokered", false)
	w.bool("requireSelfTradePrevention", false)
	w.bool("preventSor", false)
	w.time("updateTime", a.UpdateTime)
	w.str("accountType", "SPOT")
	w.key("balances")
	w.open('[')
	for _, bal := range a.Balances {
		if omit && bal.Free == 0 && bal.Locked == 0 {
			continue
		}
		w.open('{')
		w.str("asset", bal.Asset)
		w.fixed("free", bal.Free)
		w.fixed("locked", bal.Locked)
		w.close('}')
	}
	w.close(']')
	w.strs("permissions", []string{"SPOT"})
	w.int("uid", 1_000_000+int64(c.account))
	if a.TradeGroup >= 0 {
		w.int("tradeGroupId", a.TradeGroup)
	}
	w.close('}')
	return w.b, nil
}

func accountCommission(c *call, b []byte) ([]byte, *apiError) {
	symbol, err := c.market()
	if err != nil {
		return b, err
	}
	var a exchange.AccountState
	var discount int64
	err = c.engine(func(x *exchange.Exchange, _ int64) *apiError {
		a, discount = x.Account(c.account), x.Discount()
		return nil
	})
	if err != nil {
		return b, err
	}
	w := enc{b: b}
	w.open('{')
	w.str("symbol", symbol)
	w.rates("standardCommission", a.MakerRate, a.TakerRate, true)
	w.rates("specialCommission", 0, 0, true)
	w.rates("taxCommission", 0, 0, true)
	w.discount(a.PayBNB, discount)
	w.close('}')
	return w.b, nil
}

func orderLimits(c *call, b []byte) ([]byte, *apiError) {
	var list []window
	err := c.engine(func(_ *exchange.Exchange, now int64) *apiError {
		oc := &c.srv.counts[c.account]
		oc.roll(now)
		list = slices.Clone(oc.windows)
		return nil
	})
	if err != nil {
		return b, err
	}
	w := enc{b: b}
	w.open('[')
	for i := range list {
		w.limit("ORDERS", list[i].RateLimit, list[i].count)
	}
	w.close(']')
	return w.b, nil
}

// limit is one entry of a rateLimits list; a negative count leaves the count out (exchangeInfo).
func (w *enc) limit(kind string, r RateLimit, count int) {
	w.open('{')
	w.str("rateLimitType", kind)
	w.str("interval", r.Interval)
	w.int("intervalNum", int64(r.Num))
	w.int("limit", int64(r.Limit))
	if count >= 0 {
		w.int("count", int64(count))
	}
	w.close('}')
}

func preventedMatches(c *call, b []byte) ([]byte, *apiError) {
	symbol, err := c.market()
	if err != nil {
		return b, err
	}
	id, err := c.int("preventedMatchId")
	if err != nil {
		return b, err
	}
	order, err := c.int("orderId")
	if err != nil {
		return b, err
	}
	if !id.Set && !order.Set {
		return b, errEither("preventedMatchId", "orderId")
	}
	n, err := c.limit(500, 1000)
	if err != nil {
		return b, err
	}
	var list []exchange.PreventedMatch
	err = c.engine(func(x *exchange.Exchange, _ int64) *apiError {
		var rej *exchange.Reject
		list, rej = x.PreventedMatches(c.account, symbol, id, order, n)
		return fromReject(rej)
	})
	if err != nil {
		return b, err
	}
	w := enc{b: b, us: c.us}
	w.open('[')
	for i := range list {
		m := &list[i]
		w.open('{')
		w.str("symbol", symbol)
		w.int("preventedMatchId", m.ID)
		w.int("takerOrderId", m.TakerOrderID)
		w.str("makerSymbol", m.Symbol)
		w.int("makerOrderId", m.MakerOrderID)
		w.int("tradeGroupId", m.TradeGroupID)
		w.str("selfTradePreventionMode", m.STP.String())
		w.fixed("price", m.Price)
		if m.TakerPreventedQuantity > 0 {
			w.fixed("takerPreventedQuantity", m.TakerPreventedQuantity)
		}
		if m.MakerPreventedQuantity > 0 {
			w.fixed("makerPreventedQuantity", m.MakerPreventedQuantity)
		}
		w.time("transactTime", m.Time)
		w.close('}')
	}
	w.close(']')
	return w.b, nil
}
