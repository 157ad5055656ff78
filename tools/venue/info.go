package venue

import (
	"encoding/json"
	"slices"
	"sort"

	"riposte/tools/venue/exchange"
)

// exchangeInfo holds what of GET /api/v3/exchangeInfo does not change while the venue runs; statuses and filters are
// asked for at each request. Any goroutine may read it.
type exchangeInfo struct {
	symbols []exchange.Symbol
	byName  map[string]*exchange.Symbol
	limits  []byte // rateLimits of REST
	wsLimit []byte // rateLimits of the WS API
	filters []exchange.Filter
}

func newExchangeInfo(s *Server) *exchangeInfo {
	e := &exchangeInfo{symbols: s.x.Symbols(), byName: make(map[string]*exchange.Symbol), filters: s.x.ExchangeFilters()}
	for i := range e.symbols {
		e.byName[e.symbols[i].Name] = &e.symbols[i]
	}
	for ws := range 2 {
		w := enc{}
		w.open('[')
		w.limit("REQUEST_WEIGHT", s.cfg.Weight, -1)
		for _, l := range s.cfg.Orders {
			w.limit("ORDERS", l, -1)
		}
		if ws == 1 {
			w.limit("CONNECTIONS", s.cfg.Connections, -1)
			w.close(']')
			e.wsLimit = w.b
			continue
		}
		w.limit("RAW_REQUESTS", s.cfg.RawRequests, -1)
		w.close(']')
		e.limits = w.b
	}
	return e
}

func (e *exchangeInfo) find(name string) *exchange.Symbol { return e.byName[name] }

// names reads symbols=["A","B"]: known, no duplicates, at most 100.
func (c *call) names(text string) ([]string, *apiError) {
	var list []string
	if json.Unmarshal([]byte(text), &list) != nil {
		return nil, bad(-1135, "JSON sent for parameter 'symbols' is not valid")
	}
	if len(list) == 0 {
		return nil, bad(-1105, "Parameter 'symbols' was empty.")
	}
	if len(list) > 100 {
		return nil, bad(-1101, "Too many values sent for parameter 'symbols', maximum allowed up to 100.")
	}
	for i, n := range list {
		if !legalSymbolText(n) {
			return nil, errIllegal("symbols", legalSymbol)
		}
		if slices.Contains(list[:i], n) {
			return nil, bad(-1151, "Symbol is present multiple times in the list.")
		}
		if c.srv.static.find(n) == nil {
			return nil, errSymbol()
		}
	}
	return list, nil
}

// selection is what symbol, symbols and symbolStatus of a request select.
type selection struct {
	names  []string
	single bool
	status string
}

// selected reads symbol, symbols or neither (all).
func (c *call) selected() (sel selection, err *apiError) {
	one, many := c.p.has("symbol"), c.p.has("symbols")
	if sel.status, _, err = c.text("symbolStatus"); err != nil {
		return sel, err
	}
	switch sel.status {
	case "", "TRADING", "HALT", "BREAK":
	default:
		return sel, bad(-1122, "Invalid symbolStatus.")
	}
	switch {
	case one && many:
		return sel, bad(-1128, "Combination of optional parameters invalid.")
	case one:
		name, err := c.market()
		if err != nil {
			return sel, err
		}
		sel.names, sel.single = []string{name}, true
	case many:
		text, _, err := c.text("symbols")
		if err != nil {
			return sel, err
		}
		if sel.names, err = c.names(text); err != nil {
			return sel, err
		}
	default:
		for i := range c.srv.static.symbols {
			sel.names = append(sel.names, c.srv.static.symbols[i].Name)
		}
	}
	return sel, nil
}

// apply keeps the symbols in the wanted status. Loop goroutine.
func (sel *selection) apply(x *exchange.Exchange) *apiError {
	if sel.status == "" {
		return nil
	}
	match := func(n string) bool {
		s, ok := x.Symbol(n)
		return ok && s.Status.String() == sel.status
	}
	if sel.single && !match(sel.names[0]) {
		return bad(-1220, "The symbol's status does not match the requested symbolStatus.")
	}
	sel.names = slices.DeleteFunc(sel.names, func(n string) bool { return !match(n) })
	return nil
}

func exchangeInfoOp(c *call, b []byte) ([]byte, *apiError) {
	perms, hasPerms, err := c.text("permissions")
	if err != nil {
		return b, err
	}
	if hasPerms && (c.p.has("symbol") || c.p.has("symbols")) ||
		c.p.has("symbolStatus") && (c.p.has("symbol") || c.p.has("symbols")) {
		return b, bad(-1128, "Combination of optional parameters invalid.")
	}
	sets, err := c.flag("showPermissionSets", true)
	if err != nil {
		return b, err
	}
	sel, err := c.selected()
	if err != nil {
		return b, err
	}
	want := []string{"SPOT", "MARGIN", "LEVERAGED"}
	if hasPerms {
		if want = []string{perms}; perms[0] == '[' {
			if json.Unmarshal([]byte(perms), &want) != nil {
				return b, bad(-1135, "JSON sent for parameter 'permissions' is not valid")
			}
		}
	}
	byPermission := !sel.single && !c.p.has("symbols")
	var list []exchange.Symbol
	var now int64
	err = c.engine(func(x *exchange.Exchange, t int64) *apiError {
		now = t
		sel.single = false
		if err := sel.apply(x); err != nil {
			return err
		}
		for _, n := range sel.names {
			if s, ok := x.Symbol(n); ok && (!byPermission || permitted(s, want)) {
				list = append(list, *s)
			}
		}
		return nil
	})
	if err != nil {
		return b, err
	}
	w := enc{b: b, us: c.us}
	w.open('{')
	w.str("timezone", "UTC")
	w.time("serverTime", now)
	if c.conn != nil {
		w.raw("rateLimits", c.srv.static.wsLimit)
	} else {
		w.raw("rateLimits", c.srv.static.limits)
	}
	w.filters("exchangeFilters", c.srv.static.filters)
	w.key("symbols")
	w.open('[')
	for i := range list {
		w.symbolInfo(&list[i], sets)
	}
	w.close(']')
	w.close('}')
	return w.b, nil
}

// permitted says whether a symbol grants one of the wanted permissions; symbols without sets grant all.
func permitted(s *exchange.Symbol, want []string) bool {
	if len(s.PermissionSets) == 0 {
		return true
	}
	for _, set := range s.PermissionSets {
		for _, p := range set {
			if slices.Contains(want, p) {
				return true
			}
		}
	}
	return false
}

func (w *enc) symbolInfo(s *exchange.Symbol, sets bool) {
	w.open('{')
	w.str("symbol", s.Name)
	w.str("status", s.Status.String())
	w.str("baseAsset", s.Base)
	w.int("baseAssetPrecision", int64(s.BasePrecision))
	w.str("quoteAsset", s.Quote)
	w.int("quotePrecision", int64(s.QuotePrecision))
	w.int("quoteAssetPrecision", int64(s.QuotePrecision))
	w.int("baseCommissionPrecision", int64(s.BaseCommPrecision))
	w.int("quoteCommissionPrecision", int64(s.QuoteCommPrecision))
	w.key("orderTypes")
	w.open('[')
	for _, t := range s.OrderTypes {
		w.comma()
		w.b = appendQuoted(w.b, t.String())
	}
	w.close(']')
	for _, f := range []struct {
		name string
		v    bool
	}{{"icebergAllowed", s.Iceberg}, {"ocoAllowed", s.OCO}, {"otoAllowed", s.OTO}, {"opoAllowed", s.OPO},
		{"quoteOrderQtyMarketAllowed", s.QuoteOrderQtyMarket}, {"allowTrailingStop", s.TrailingStop},
		{"cancelReplaceAllowed", s.CancelReplace}, {"amendAllowed", s.Amend}, {"pegInstructionsAllowed", s.Peg},
		{"isSpotTradingAllowed", s.SpotTrading}, {"isMarginTradingAllowed", s.MarginTrading}} {
		w.bool(f.name, f.v)
	}
	w.filters("filters", s.Filters)
	w.strs("permissions", nil)
	if sets {
		w.key("permissionSets")
		w.open('[')
		for _, set := range s.PermissionSets {
			w.comma()
			w.open('[')
			for _, p := range set {
				w.comma()
				w.b = appendQuoted(w.b, p)
			}
			w.close(']')
		}
		w.close(']')
	}
	w.str("defaultSelfTradePreventionMode", s.DefaultSTP.String())
	w.key("allowedSelfTradePreventionModes")
	w.open('[')
	for _, m := range s.AllowedSTP {
		w.comma()
		w.b = appendQuoted(w.b, m.String())
	}
	w.close(']')
	w.close('}')
}

func (w *enc) filters(key string, list []exchange.Filter) {
	w.key(key)
	w.open('[')
	for i := range list {
		w.filter(&list[i])
	}
	w.close(']')
}

// myFilters is what an account has to pass: the only place that shows MAX_ASSET.
func myFilters(c *call, b []byte) ([]byte, *apiError) {
	symbol, err := c.market()
	if err != nil {
		return b, err
	}
	var assets []exchange.AssetLimit
	var filters []exchange.Filter
	if err := c.engine(func(x *exchange.Exchange, _ int64) *apiError {
		if s, ok := x.Symbol(symbol); ok {
			filters = s.Filters
		}
		assets = x.AssetLimits(symbol)
		return nil
	}); err != nil {
		return b, err
	}
	w := enc{b: b}
	w.open('{')
	w.filters("exchangeFilters", c.srv.static.filters)
	w.filters("symbolFilters", filters)
	w.key("assetFilters")
	w.open('[')
	for _, a := range assets {
		w.open('{')
		w.str("filterType", "MAX_ASSET")
		w.str("asset", a.Asset)
		w.fixed("limit", a.Limit)
		w.close('}')
	}
	w.close(']')
	w.close('}')
	return w.b, nil
}

// limitNames are the filters that are one number, and what that number is called.
var limitNames = map[string]string{
	"ICEBERG_PARTS": "limit", "MAX_NUM_ORDERS": "maxNumOrders", "MAX_NUM_ALGO_ORDERS": "maxNumAlgoOrders",
	"MAX_NUM_ICEBERG_ORDERS": "maxNumIcebergOrders", "MAX_NUM_ORDER_LISTS": "maxNumOrderLists",
	"MAX_NUM_ORDER_AMENDS": "maxNumOrderAmends", "EXCHANGE_MAX_NUM_ORDERS": "maxNumOrders",
	"EXCHANGE_MAX_NUM_ALGO_ORDERS":    "maxNumAlgoOrders",
	"EXCHANGE_MAX_NUM_ICEBERG_ORDERS": "maxNumIcebergOrders", "EXCHANGE_MAX_NUM_ORDER_LISTS": "maxNumOrderLists",
}

func (w *enc) filter(f *exchange.Filter) {
	w.open('{')
	w.str("filterType", f.Type.String())
	if n := limitNames[f.Type.String()]; n != "" {
		w.int(n, f.Limit)
	}
	switch f.Type {
	case exchange.PriceFilter:
		w.fixed("minPrice", f.MinPrice)
		w.fixed("maxPrice", f.MaxPrice)
		w.fixed("tickSize", f.TickSize)
	case exchange.PercentPrice:
		w.plain("multiplierUp", f.MultiplierUp)
		w.plain("multiplierDown", f.MultiplierDown)
		w.int("avgPriceMins", int64(f.AvgPriceMins))
	case exchange.PercentPriceBySide:
		w.plain("bidMultiplierUp", f.BidMultiplierUp)
		w.plain("bidMultiplierDown", f.BidMultiplierDown)
		w.plain("askMultiplierUp", f.AskMultiplierUp)
		w.plain("askMultiplierDown", f.AskMultiplierDown)
		w.int("avgPriceMins", int64(f.AvgPriceMins))
	case exchange.LotSize, exchange.MarketLotSize:
		w.fixed("minQty", f.MinQty)
		w.fixed("maxQty", f.MaxQty)
		w.fixed("stepSize", f.StepSize)
	case exchange.MinNotional:
		w.fixed("minNotional", f.MinNotional)
		w.bool("applyToMarket", f.ApplyMinToMarket)
		w.int("avgPriceMins", int64(f.AvgPriceMins))
	case exchange.Notional:
		w.fixed("minNotional", f.MinNotional)
		w.bool("applyMinToMarket", f.ApplyMinToMarket)
		w.fixed("maxNotional", f.MaxNotional)
		w.bool("applyMaxToMarket", f.ApplyMaxToMarket)
		w.int("avgPriceMins", int64(f.AvgPriceMins))
	case exchange.MaxPosition:
		w.fixed("maxPosition", f.MaxPosition)
	case exchange.TrailingDelta:
		w.int("minTrailingAboveDelta", f.MinAboveDelta)
		w.int("maxTrailingAboveDelta", f.MaxAboveDelta)
		w.int("minTrailingBelowDelta", f.MinBelowDelta)
		w.int("maxTrailingBelowDelta", f.MaxBelowDelta)
	}
	w.close('}')
}

// plain appends a decimal without trailing zeros: multipliers are printed so ("5", "0.2").
func (w *enc) plain(k string, v int64) {
	w.key(k)
	w.b = append(w.b, '"')
	w.b = exchange.AppendPlain(w.b, v)
	w.b = append(w.b, '"')
}

func sortConns(list []*conn) {
	sort.Slice(list, func(i, j int) bool { return list[i].id < list[j].id })
}
