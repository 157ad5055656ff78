package venue

import "slices"

// register fills the tables of REST paths and WS API methods. Weights follow sections "market data" and "trading" of
// the Binance Spot API docs, 2026-07-21.
func (s *Server) register() {
	s.rest = make(map[string]map[string]*op)
	s.methods = make(map[string]*op)
	for _, o := range endpoints() {
		if o.path != "" {
			if s.rest[o.path] == nil {
				s.rest[o.path] = make(map[string]*op)
			}
			s.rest[o.path][o.verb] = o
		}
		if o.method != "" {
			s.methods[o.method] = o
		}
	}
}

func endpoints() []*op {
	return slices.Concat(marketEndpoints(), tradeEndpoints(), listEndpoints(), accountEndpoints(), sessionEndpoints(), countdownEndpoints())
}

func marketEndpoints() []*op {
	get := func(path, method string, weight func(*call) int, run func(*call, []byte) ([]byte, *apiError), params ...string) *op {
		return &op{verb: "GET", path: "/api/v3/" + path, method: method, weight: weight, run: run, params: params}
	}
	return []*op{
		get("ping", "ping", cost(1), pingOp),
		get("time", "time", cost(1), timeOp),
		get("exchangeInfo", "exchangeInfo", cost(20), exchangeInfoOp, "symbol", "symbols", "permissions", "showPermissionSets", "symbolStatus"),
		get("executionRules", "executionRules", rulesWeight, executionRules, "symbol", "symbols", "symbolStatus"),
		get("referencePrice", "referencePrice", cost(2), referencePrice, "symbol"),
		get("referencePrice/calculation", "referencePrice.calculation", cost(2), referenceCalculation, "symbol", "symbolStatus"),
		get("depth", "depth", depthWeight, depthOp, "symbol", "limit", "symbolStatus"),
		get("trades", "trades.recent", cost(25), tradesOp, "symbol", "limit"),
		get("historicalTrades", "trades.historical", cost(25), tradesOp, "symbol", "limit", "fromId"),
		get("historicalBlockTrades", "blockTrades.historical", cost(25), blockTradesOp, "symbol", "fromId", "limit"),
		get("aggTrades", "trades.aggregate", cost(4), aggTradesOp, "symbol", "limit", "fromId", "startTime", "endTime"),
		get("klines", "klines", cost(2), klinesOp, "symbol", "interval", "limit", "startTime", "endTime", "timeZone"),
		get("uiKlines", "uiKlines", cost(2), klinesOp, "symbol", "interval", "limit", "startTime", "endTime", "timeZone"),
		get("avgPrice", "avgPrice", cost(2), avgPriceOp, "symbol"),
		get("ticker/24hr", "ticker.24hr", dayWeight, tickerOp(tickerDay), "symbol", "symbols", "type", "symbolStatus"),
		get("ticker", "ticker", rollingWeight, tickerOp(tickerRolling), "symbol", "symbols", "type", "windowSize", "symbolStatus"),
		get("ticker/tradingDay", "ticker.tradingDay", rollingWeight, tickerOp(tickerTradingDay), "symbol", "symbols", "timeZone", "type", "symbolStatus"),
		get("ticker/price", "ticker.price", simpleWeight, tickerOp(tickerPrice), "symbol", "symbols", "symbolStatus"),
		get("ticker/bookTicker", "ticker.book", simpleWeight, tickerOp(tickerBook), "symbol", "symbols", "symbolStatus"),
	}
}

var cancelParams = []string{"symbol", "orderId", "origClientOrderId", "newClientOrderId", "cancelRestrictions"}

func tradeEndpoints() []*op {
	return []*op{
		{verb: "POST", path: "/api/v3/order", method: "order.place", security: trade, weight: cost(1), free: true, orders: 1,
			params: orderParams, run: placeOrder},
		{verb: "POST", path: "/api/v3/order/test", method: "order.test", security: trade, weight: testWeight, params: orderParams, run: testOrder},
		{verb: "DELETE", path: "/api/v3/order", method: "order.cancel", security: trade, weight: cost(1), free: true,
			params: cancelParams, run: cancelOrder},
		{verb: "DELETE", path: "/api/v3/openOrders", method: "openOrders.cancelAll", security: trade, weight: cost(1), free: true,
			params: []string{"symbol"}, run: cancelAll},
		{verb: "POST", path: "/api/v3/order/cancelReplace", method: "order.cancelReplace", security: trade, weight: cost(1), free: true,
			orders: 1, amends: true, run: replaceOrder, params: append([]string{"cancelReplaceMode", "cancelOrderId", "cancelOrigClientOrderId",
				"cancelNewClientOrderId", "cancelRestrictions", "orderRateLimitExceededMode"}, orderParams...)},
		{verb: "PUT", path: "/api/v3/order/amend/keepPriority", method: "order.amend.keepPriority", security: trade, weight: cost(4),
			params: []string{"symbol", "orderId", "origClientOrderId", "newClientOrderId", "newQty"}, run: amendOrder},
	}
}

func listEndpoints() []*op {
	post := func(path, method string, orders int, params []string, run func(*call, []byte) ([]byte, *apiError)) *op {
		return &op{verb: "POST", path: "/api/v3/" + path, method: method, security: trade, weight: cost(1), free: true, orders: orders,
			params: params, run: run}
	}
	opo := append(slices.Clone(otoParams), otocoParams...)
	return []*op{
		post("orderList/oco", "orderList.place.oco", 2, ocoParams, placeList(readOCO)),
		post("orderList/oto", "orderList.place.oto", 2, otoParams, placeList(readOTO)),
		post("orderList/otoco", "orderList.place.otoco", 3, otocoParams, placeList(readOTOCO)),
		post("order/oco", "orderList.place", 2, oldOCOParams, placeList(readOldOCO)),
		post("orderList/opo", "orderList.place.opo", 2, opo, refuseOPO),
		post("orderList/opoco", "orderList.place.opoco", 3, opo, refuseOPO),
		post("sor/order", "sor.order.place", 1, orderParams, refuseSOR),
		post("sor/order/test", "sor.order.test", 0, orderParams, refuseSOR),
		{verb: "DELETE", path: "/api/v3/orderList", method: "orderList.cancel", security: trade, weight: cost(1), free: true,
			params: []string{"symbol", "orderListId", "listClientOrderId", "newClientOrderId"}, run: cancelList},
	}
}

func testWeight(c *call) int {
	if v, _ := c.p.get("computeCommissionRates"); v == "true" {
		return 20
	}
	return 1
}

func openOrdersWeight(c *call) int {
	if c.p.has("symbol") {
		return 6
	}
	return 80
}

func byID(name string, with, without int) func(*call) int {
	return func(c *call) int {
		if c.p.has(name) {
			return with
		}
		return without
	}
}

func accountEndpoints() []*op {
	get := func(path, method string, weight func(*call) int, run func(*call, []byte) ([]byte, *apiError), params ...string) *op {
		return &op{verb: "GET", path: path, method: method, security: userData, weight: weight, run: run, params: params}
	}
	return []*op{
		get("/api/v3/order", "order.status", cost(4), queryOrder, "symbol", "orderId", "origClientOrderId"),
		get("/api/v3/openOrders", "openOrders.status", openOrdersWeight, openOrders, "symbol"),
		get("/api/v3/allOrders", "allOrders", cost(20), allOrders, "symbol", "orderId", "startTime", "endTime", "limit"),
		get("/api/v3/order/amendments", "order.amendments", cost(4), amendments, "symbol", "orderId", "fromExecutionId", "limit"),
		get("/api/v3/orderList", "orderList.status", cost(4), queryList, "orderListId", "origClientOrderId"),
		get("/api/v3/allOrderList", "allOrderLists", cost(20), allLists, "fromId", "startTime", "endTime", "limit"),
		get("/api/v3/openOrderList", "openOrderLists.status", cost(6), openLists),
		get("/api/v3/myFilters", "myFilters", cost(40), myFilters, "symbol"),
		get("/api/v3/myAllocations", "myAllocations", cost(20), noAllocations, "symbol", "startTime", "endTime", "fromAllocationId", "limit", "orderId"),
		get("/api/v3/myTrades", "myTrades", byID("orderId", 5, 20), myTrades, "symbol", "orderId", "fromId", "startTime", "endTime", "limit"),
		get("/api/v3/account", "account.status", cost(20), accountStatus, "omitZeroBalances"),
		get("/api/v3/account/commission", "account.commission", cost(20), accountCommission, "symbol"),
		get("/api/v3/rateLimit/order", "account.rateLimits.orders", cost(40), orderLimits),
		get("/api/v3/myPreventedMatches", "myPreventedMatches", byID("preventedMatchId", 2, 20), preventedMatches,
			"symbol", "preventedMatchId", "orderId", "limit"),
		get(restrictionsPath, "", cost(1), apiRestrictions),
		// Asked for by clients that load every product with the spot symbols; none is traded on margin here.
		{verb: "GET", path: "/sapi/v1/margin/allPairs", weight: cost(1), run: noPairs},
		{verb: "GET", path: "/sapi/v1/margin/isolated/allPairs", weight: cost(10), run: noPairs, params: []string{"symbol"}},
	}
}

func noPairs(_ *call, b []byte) ([]byte, *apiError) { return append(b, "[]"...), nil }
