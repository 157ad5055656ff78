package exchange

import "fmt"

// builtin is a compact form of recorded exchangeInfo answers: those of
// 2025-08-07 (modern = true) and 2021-10-12. Every value is as recorded; the
// test beside this file compares them when the recordings are there. start is
// a price of the recordings or of that time, for a market of agents.
//
// What is common to all rows is in builtinSymbol: minPrice = tick, minQty =
// step, MARKET_LOT_SIZE without minimum and step, PERCENT_PRICE 0.2 to 5 over 5
// minutes, 200 orders, 5 algo orders.
var builtin = [...]struct {
	name, base, quote          string
	tick, maxPrice, step       string
	maxQty, marketMaxQty, minN string
	margin, modern             bool
	start                      string
}{
	{"BTCUSDT", "BTC", "USDT", "0.01", "1000000", "0.00001", "9000", "97.09521512", "5", true, true, "61837.63"},
	{"ETHUSDT", "ETH", "USDT", "0.01", "1000000", "0.0001", "9000", "2357.34408702", "5", true, true, "2683.5"},
	{"ETHBTC", "ETH", "BTC", "0.00001", "922327", "0.0001", "100000", "1378.22417541", "0.0001", true, true, "0.0434"},
	{"LTCBTC", "LTC", "BTC", "0.000001", "100000", "0.001", "100000", "1887.97569874", "0.0001", true, true, "0.001012"},
	{"BNBBTC", "BNB", "BTC", "0.000001", "100000", "0.001", "100000", "1507.76687866", "0.0001", true, true, "0.00836"},
	{"NEOBTC", "NEO", "BTC", "0.0000001", "100000", "0.01", "100000", "2191.75154811", "0.0001", true, true, "0.0001574"},
	{"QTUMETH", "QTUM", "ETH", "0.000001", "1000", "0.1", "90000000", "23719.63041666", "0.001", false, true, "0.000835"},
	{"GASBTC", "GAS", "BTC", "0.0000001", "1000", "0.1", "90000000", "3457.87791666", "0.0001", false, true, "0.0000513"},
	{"BNBETH", "BNB", "ETH", "0.0001", "1000", "0.001", "9000000", "709.32798333", "0.001", true, true, "0.1926"},
	{"LRCBTC", "LRC", "BTC", "0.00000001", "1000", "1", "90000000", "218118.79079497", "0.0001", true, true, "0.00000637"},
	{"LRCETH", "LRC", "ETH", "0.00000001", "1000", "1", "90000000", "62817.77083333", "0.001", false, true, "0.0001027"},
	{"QTUMBTC", "QTUM", "BTC", "0.00000001", "1000", "0.1", "90000000", "24610.85541666", "0.0001", false, true, "0.0000363"},
	{"NKNUSDT", "NKN", "USDT", "0.0001", "1000", "1", "9000000", "691026.0799166", "10", true, false, "0.3521"},
	{"BLZETH", "BLZ", "ETH", "0.00000001", "1000", "1", "90000000", "262095.4447533", "0.005", false, false, "0.00006547"},
	{"RUNEEUR", "RUNE", "EUR", "0.001", "10000", "0.1", "9222449", "9053.11035441", "10", false, false, "6.9"},
	{"BNBUSDT", "BNB", "USDT", "0.1", "100000", "0.001", "900000", "28160.593369", "10", true, false, "517.1"},
	{"SOLUSDT", "SOL", "USDT", "0.01", "10000", "0.01", "90000", "52005.8128492", "10", true, false, "163.2"},
	{"XRPUSDT", "XRP", "USDT", "0.0001", "10000", "1", "9222449", "9222449", "10", true, false, "0.6052"},
	{"ADAUSDT", "ADA", "USDT", "0.001", "1000", "0.1", "900000", "8234643.04711605", "10", true, false, "0.341"},
	{"DOGEUSDT", "DOGE", "USDT", "0.0001", "1000", "1", "9000000", "32613681.7095205", "10", true, false, "0.10534"},
	{"LTCUSDT", "LTC", "USDT", "0.1", "100000", "0.001", "90000", "25570.86240733", "10", true, false, "62.6"},
	{"ETHEUR", "ETH", "EUR", "0.01", "100000", "0.0001", "90000", "714.03233856", "10", true, false, "2450.1"},
	{"BTCEUR", "BTC", "EUR", "0.01", "1000000", "0.00001", "9000", "48.96178983", "10", true, false, "56620.5"},
}

// BuiltinSymbols returns symbols of the built-in table, all if no names are
// given, and made-up ones by their names. A clone without recordings trades on them.
func BuiltinSymbols(names ...string) ([]Symbol, error) {
	if len(names) == 0 {
		for i := range builtin {
			names = append(names, builtin[i].name)
		}
	}
	out := make([]Symbol, 0, len(names))
	for _, n := range names {
		s, ok := builtinSymbol(n)
		if !ok {
			s, ok = madeSymbol(n)
		}
		if !ok {
			return nil, fmt.Errorf("cannot find symbol %q: the built-in table has %d symbols without it", n, len(builtin))
		}
		out = append(out, s)
	}
	return out, nil
}

func builtinSymbol(name string) (Symbol, bool) {
	for i := range builtin {
		b := &builtin[i]
		if b.name != name {
			continue
		}
		s := Symbol{
			Name: b.name, Base: b.base, Quote: b.quote, Status: Trading,
			BasePrecision: 8, QuotePrecision: 8, BaseCommPrecision: 8, QuoteCommPrecision: 8,
			OrderTypes: []OrderType{LimitOrder, LimitMakerOrder, MarketOrder, StopLossOrder, StopLossLimitOrder, TakeProfitOrder, TakeProfitLimitOrder},
			Iceberg:    true, OCO: true, OTO: true, OPO: true, QuoteOrderQtyMarket: true, TrailingStop: true,
			CancelReplace: true, Amend: true, Peg: true, SpotTrading: true, MarginTrading: b.margin,
			PermissionSets: [][]string{{"SPOT"}},
			StartPrice:     MustFixed(b.start),
		}
		if b.margin {
			s.PermissionSets = [][]string{{"SPOT", "MARGIN"}}
		}
		s.DefaultSTP, s.AllowedSTP = builtinSTP()
		tick, step := MustFixed(b.tick), MustFixed(b.step)
		up, down := 5*One, One/5
		s.Filters = []Filter{
			{Type: PriceFilter, MinPrice: tick, MaxPrice: MustFixed(b.maxPrice), TickSize: tick},
			{Type: LotSize, MinQty: step, MaxQty: MustFixed(b.maxQty), StepSize: step},
			{Type: IcebergParts, Limit: 100}, // since 2026-03-12
			{Type: MarketLotSize, MaxQty: MustFixed(b.marketMaxQty)},
		}
		if b.modern {
			s.Filters = append(s.Filters,
				Filter{Type: TrailingDelta, MinAboveDelta: 10, MaxAboveDelta: 2000, MinBelowDelta: 10, MaxBelowDelta: 2000},
				Filter{Type: PercentPriceBySide, BidMultiplierUp: up, BidMultiplierDown: down, AskMultiplierUp: up, AskMultiplierDown: down, AvgPriceMins: 5},
				Filter{Type: Notional, MinNotional: MustFixed(b.minN), ApplyMinToMarket: true, MaxNotional: 9_000_000 * One, AvgPriceMins: 5})
		} else {
			s.Filters = append(s.Filters,
				Filter{Type: PercentPrice, MultiplierUp: up, MultiplierDown: down, AvgPriceMins: 5},
				Filter{Type: MinNotional, MinNotional: MustFixed(b.minN), ApplyMinToMarket: true, AvgPriceMins: 5})
		}
		s.Filters = append(s.Filters, Filter{Type: MaxNumOrders, Limit: 200}, Filter{Type: MaxNumAlgoOrders, Limit: 5},
			// On all symbols since 2025-08-28, later than both recordings.
			Filter{Type: MaxNumOrderLists, Limit: 20}, Filter{Type: MaxNumOrderAmends, Limit: 10})
		return s, true
	}
	return Symbol{}, false
}

// builtinSTP is what the recording of 2025-08-07 says for most symbols.
func builtinSTP() (STPMode, []STPMode) {
	return STPExpireMaker, []STPMode{STPNone, STPExpireTaker, STPExpireMaker, STPExpireBoth, STPDecrement}
}

func builtinStart(name string) Fixed {
	for i := range builtin {
		if builtin[i].name == name {
			return MustFixed(builtin[i].start)
		}
	}
	return 0
}
