package binance

import (
	"errors"
	"fmt"
	"math"

	"github.com/valyala/fastjson"

	"riposte/core"
	"riposte/feed"
)

// ExchangeInfo is what GET /api/v3/exchangeInfo or /fapi/v1/exchangeInfo tells:
// the symbols, and the venue's budgets as raw as it tells them (exec reads them).
type ExchangeInfo struct {
	Instruments *core.Instruments
	ServerTime  core.WallNs
	RateLimits  []RateLimit
	// UnknownFilters counts filters we have never heard of, by name: a rule of the
	// venue that we do not enforce. UnknownOrderTypes likewise.
	UnknownFilters    map[string]int
	UnknownOrderTypes map[string]int
}

// RateLimit is one budget of the venue.
type RateLimit = feed.RateLimit

// ParseExchangeInfo reads the rules of the symbols in only, or of all if only is
// empty, in the venue's order. Spot schemas of 2021 and 2025 and USD-M futures
// are read; unknown fields, filters and order types are tolerated. A symbol of
// only that is missing is an error: trading without its rules is not possible.
func ParseExchangeInfo(body []byte, market core.Market, only ...string) (*ExchangeInfo, error) {
	v, err := parse(body)
	if err != nil {
		return nil, fmt.Errorf("cannot read exchangeInfo: %w", err)
	}
	info := &ExchangeInfo{Instruments: core.NewInstruments(), UnknownFilters: map[string]int{}, UnknownOrderTypes: map[string]int{}}
	if v.Exists("serverTime") {
		ms, err := wholeNumber(v, "serverTime")
		if err != nil || ms > math.MaxInt64/1_000_000 {
			return nil, fmt.Errorf("cannot read exchangeInfo: serverTime: got %s, want milliseconds", clip(v.Get("serverTime")))
		}
		info.ServerTime = core.WallNs(ms * 1_000_000)
	}
	for i, l := range v.GetArray("rateLimits") {
		r, err := rateLimit(l)
		if err != nil {
			return nil, fmt.Errorf("cannot read exchangeInfo, rate limit %d: %w", i, err)
		}
		info.RateLimits = append(info.RateLimits, r)
	}
	for i, f := range v.GetArray("exchangeFilters") {
		if err := info.accountFilter(f); err != nil {
			return nil, fmt.Errorf("cannot read exchangeInfo, exchange filter %d: %w", i, err)
		}
	}
	wanted := map[string]bool{}
	for _, s := range only {
		wanted[s] = true
	}
	if s := v.Get("symbols"); s == nil || s.Type() != fastjson.TypeArray {
		return nil, fmt.Errorf("cannot read exchangeInfo: symbols: got %s, want an array", clip(s))
	}
	for i, s := range v.GetArray("symbols") {
		name, err := textField(s, "symbol")
		if err != nil {
			return nil, fmt.Errorf("cannot read exchangeInfo, symbol %d: %w", i, err)
		}
		if len(only) > 0 && !wanted[name] {
			continue
		}
		delete(wanted, name)
		if err := info.instrument(s, name, market); err != nil {
			return nil, fmt.Errorf("cannot read exchangeInfo, %s: %w", name, err)
		}
	}
	for s := range wanted {
		return nil, fmt.Errorf("cannot read exchangeInfo: symbol %s is not in it", s)
	}
	return info, nil
}

func rateLimit(v *fastjson.Value) (r RateLimit, err error) {
	if r.Type, err = textField(v, "rateLimitType"); err != nil {
		return r, err
	}
	if r.Interval, err = textField(v, "interval"); err != nil {
		return r, err
	}
	for key, to := range map[string]*int{"intervalNum": &r.IntervalNum, "limit": &r.Limit} {
		n, err := wholeNumber(v, key)
		if err != nil {
			return r, err
		}
		if n > math.MaxInt32 {
			return r, fmt.Errorf("%s: got %d, want at most %d", key, n, math.MaxInt32)
		}
		*to = int(n)
	}
	return r, nil
}

// statuses that the venues write; any other is StatusUnknown, which takes no
// order. A futures symbol before and after its life trades nothing.
var statuses = map[string]core.Status{
	"TRADING": core.StatusTrading, "HALT": core.StatusHalt, "BREAK": core.StatusBreak,
	"CANCEL_ONLY": core.StatusCancelOnly, "END_OF_DAY": core.StatusEndOfDay,
	"PENDING_TRADING": core.StatusBreak, "PRE_TRADING": core.StatusBreak, "POST_TRADING": core.StatusBreak,
	"AUCTION_MATCH": core.StatusHalt,
}

// features by the name of a symbol's field that allows them.
var features = map[string]core.Features{
	"icebergAllowed": core.FeatureIceberg, "allowTrailingStop": core.FeatureTrailing,
	"amendAllowed": core.FeatureAmend, "cancelReplaceAllowed": core.FeatureReplace,
}

func (info *ExchangeInfo) instrument(v *fastjson.Value, name string, market core.Market) error {
	in := core.Instrument{Symbol: name, Market: market}
	base, err := textField(v, "baseAsset")
	if err != nil {
		return err
	}
	quote, err := textField(v, "quoteAsset")
	if err != nil {
		return err
	}
	status := "status"
	if !v.Exists(status) {
		status = "contractStatus" // COIN-M
	}
	s, err := textField(v, status)
	if err != nil {
		return err
	}
	in.Status = statuses[s]
	types := v.GetArray("orderTypes")
	if types == nil {
		types = v.GetArray("orderType") // COIN-M of 2020
	}
	for _, t := range types {
		text := string(t.GetStringBytes())
		if typ, ok := core.ParseOrderType(text); ok && (market == core.Spot || typ <= core.MarketOrder) {
			in.OrderTypes = in.OrderTypes.With(typ)
		} else {
			// Futures' conditional types share names with spot's and not their
			// meaning.
			info.UnknownOrderTypes[text]++
		}
	}
	for key, feature := range features {
		if v.GetBool(key) {
			in.Features |= feature
		}
	}
	for _, m := range v.GetArray("allowedSelfTradePreventionModes") {
		if mode, ok := core.ParseSTP(string(m.GetStringBytes())); ok {
			in.Features |= core.FeatureSTP(mode)
		}
	}
	for _, f := range v.GetArray("filters") {
		if err := info.filter(f, &in.Filters); err != nil {
			return err
		}
	}
	if len(info.Instruments.Assets) > int(core.NoAsset)-2 {
		return fmt.Errorf("the table of assets is full: it holds %d", len(info.Instruments.Assets))
	}
	in.Base, in.Quote = info.Instruments.Asset(base), info.Instruments.Asset(quote)
	_, err = info.Instruments.Add(in)
	return err
}

// filter adds one rule (Binance Spot API docs, filters, 2026-07-21; USD-M
// exchangeInfo writes "notional" for "minNotional" and "limit" for
// "maxNumOrders").
func (info *ExchangeInfo) filter(v *fastjson.Value, f *core.Filters) error {
	name, err := textField(v, "filterType")
	if err != nil {
		return fmt.Errorf("filter: %w", err)
	}
	r := filterReader{v: v}
	switch name {
	case "PRICE_FILTER":
		f.PriceMin, f.PriceMax, f.Tick = core.Price(r.bound("minPrice")), core.Price(r.bound("maxPrice")), core.Price(r.bound("tickSize"))
	case "LOT_SIZE":
		f.QtyMin, f.QtyMax, f.Lot = core.Qty(r.bound("minQty")), core.Qty(r.bound("maxQty")), core.Qty(r.bound("stepSize"))
	case "MARKET_LOT_SIZE":
		f.MarketQtyMin, f.MarketQtyMax, f.MarketLot = core.Qty(r.bound("minQty")), core.Qty(r.bound("maxQty")), core.Qty(r.bound("stepSize"))
	case "MIN_NOTIONAL":
		if v.Exists("notional") {
			f.NotionalMin, f.NotionalMinMarket = core.Amount(r.bound("notional")), true
			break
		}
		f.NotionalMin, f.NotionalMinMarket = core.Amount(r.bound("minNotional")), r.flag("applyToMarket")
	case "NOTIONAL":
		f.NotionalMin, f.NotionalMinMarket = core.Amount(r.bound("minNotional")), r.flag("applyMinToMarket")
		f.NotionalMax, f.NotionalMaxMarket = core.Amount(r.bound("maxNotional")), r.flag("applyMaxToMarket")
	case "PERCENT_PRICE":
		f.BidMulUp, f.BidMulDown = r.bound("multiplierUp"), r.bound("multiplierDown")
		f.AskMulUp, f.AskMulDown = f.BidMulUp, f.BidMulDown
	case "PERCENT_PRICE_BY_SIDE":
		f.BidMulUp, f.BidMulDown = r.bound("bidMultiplierUp"), r.bound("bidMultiplierDown")
		f.AskMulUp, f.AskMulDown = r.bound("askMultiplierUp"), r.bound("askMultiplierDown")
	case "MAX_NUM_ORDERS":
		f.OrdersMax = r.count("maxNumOrders")
	case "MAX_NUM_ALGO_ORDERS":
		f.AlgosMax = r.count("maxNumAlgoOrders")
	case "MAX_NUM_ICEBERG_ORDERS":
		f.IcebergsMax = r.count("maxNumIcebergOrders")
	case "MAX_NUM_ORDER_LISTS":
		f.ListsMax = r.count("maxNumOrderLists")
	case "MAX_NUM_ORDER_AMENDS":
		f.AmendsMax = r.count("maxNumOrderAmends")
	case "ICEBERG_PARTS":
		f.PartsMax = r.count("limit")
	case "TRAILING_DELTA":
		f.TrailAboveMin, f.TrailAboveMax = r.count("minTrailingAboveDelta"), r.count("maxTrailingAboveDelta")
		f.TrailBelowMin, f.TrailBelowMax = r.count("minTrailingBelowDelta"), r.count("maxTrailingBelowDelta")
	case "MAX_POSITION":
		f.PositionMax = core.Qty(r.bound("maxPosition"))
	default:
		info.UnknownFilters[name]++
	}
	if r.err != nil {
		return fmt.Errorf("filter %s: %w", name, r.err)
	}
	return nil
}

// accountFilter adds one rule over all symbols.
func (info *ExchangeInfo) accountFilter(v *fastjson.Value) error {
	name, err := textField(v, "filterType")
	if err != nil {
		return err
	}
	r, a := filterReader{v: v}, &info.Instruments.Account
	switch name {
	case "EXCHANGE_MAX_NUM_ORDERS":
		a.OrdersMax = r.count("maxNumOrders")
	case "EXCHANGE_MAX_NUM_ALGO_ORDERS":
		a.AlgosMax = r.count("maxNumAlgoOrders")
	case "EXCHANGE_MAX_NUM_ICEBERG_ORDERS":
		a.IcebergsMax = r.count("maxNumIcebergOrders")
	case "EXCHANGE_MAX_NUM_ORDER_LISTS":
		a.ListsMax = r.count("maxNumOrderLists")
	default:
		info.UnknownFilters[name]++
	}
	if r.err != nil {
		return fmt.Errorf("%s: %w", name, r.err)
	}
	return nil
}

type filterReader struct {
	v   *fastjson.Value
	err error
}

func (r *filterReader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// bound reads a decimal. One that an int64 does not hold bounds nothing we could
// send, and reads as the most it holds.
func (r *filterReader) bound(key string) int64 {
	f := r.v.Get(key)
	if f != nil && f.Type() == fastjson.TypeString {
		n, err := core.ParseDecimal(f.GetStringBytes())
		if errors.Is(err, core.ErrDecimalOverflow) {
			return math.MaxInt64
		}
		if err == nil {
			return n
		}
	}
	_, err := decimalField(r.v, key)
	r.fail(err)
	return 0
}

// count reads a whole number, which futures write under "limit". One beyond what an
// int32 holds bounds nothing.
func (r *filterReader) count(key string) int {
	if !r.v.Exists(key) {
		key = "limit"
	}
	n, err := wholeNumber(r.v, key)
	if err != nil {
		r.fail(err)
	}
	return int(min(n, math.MaxInt32))
}

func (r *filterReader) flag(key string) bool {
	f := r.v.Get(key)
	if f == nil || (f.Type() != fastjson.TypeTrue && f.Type() != fastjson.TypeFalse) {
		r.fail(fmt.Errorf("%s: got %s, want true or false", key, clip(f)))
		return false
	}
	return f.Type() == fastjson.TypeTrue
}
