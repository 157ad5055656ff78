package exchange

import (
	"encoding/json"
	"fmt"
)

type rawSymbol struct {
	Symbol              string            `json:"symbol"`
	Status              string            `json:"status"`
	BaseAsset           string            `json:"baseAsset"`
	QuoteAsset          string            `json:"quoteAsset"`
	BasePrecision       *int              `json:"baseAssetPrecision"`
	QuotePrecision      *int              `json:"quoteAssetPrecision"`
	BaseCommPrecision   *int              `json:"baseCommissionPrecision"`
	QuoteCommPrecision  *int              `json:"quoteCommissionPrecision"`
	OrderTypes          []string          `json:"orderTypes"`
	Iceberg             bool              `json:"icebergAllowed"`
	OCO                 bool              `json:"ocoAllowed"`
	OTO                 bool              `json:"otoAllowed"`
	OPO                 bool              `json:"opoAllowed"`
	QuoteOrderQtyMarket bool              `json:"quoteOrderQtyMarketAllowed"`
	TrailingStop        bool              `json:"allowTrailingStop"`
	CancelReplace       *bool             `json:"cancelReplaceAllowed"`
	Amend               *bool             `json:"amendAllowed"`
	Peg                 *bool             `json:"pegInstructionsAllowed"`
	SpotTrading         bool              `json:"isSpotTradingAllowed"`
	MarginTrading       bool              `json:"isMarginTradingAllowed"`
	Filters             []json.RawMessage `json:"filters"`
	Permissions         []string          `json:"permissions"`
	PermissionSets      [][]string        `json:"permissionSets"`
	DefaultSTP          string            `json:"defaultSelfTradePreventionMode"`
	AllowedSTP          []string          `json:"allowedSelfTradePreventionModes"`
}

// LoadSymbols reads symbols from the body of GET /api/v3/exchangeInfo, of the
// 2021 schema or of today's, in the order of names; no names means all of the
// body. Symbols that are not spot, or have an unknown status, order type or
// filter, are loaded without it: a recording may be newer than this table.
//
// What the 2021 schema does not say gets today's venue-wide value: cancelReplace
// and amend allowed, pegs on all symbols since 2025-08-28, STP modes of
// 2025-05-07, commission precision 8.
func LoadSymbols(exchangeInfo []byte, names []string) ([]Symbol, error) {
	var body struct {
		Symbols []rawSymbol `json:"symbols"`
	}
	if err := json.Unmarshal(exchangeInfo, &body); err != nil {
		return nil, fmt.Errorf("cannot read exchangeInfo: %w", err)
	}
	byName := make(map[string]*rawSymbol, len(body.Symbols))
	for i := range body.Symbols {
		byName[body.Symbols[i].Symbol] = &body.Symbols[i]
	}
	if len(names) == 0 {
		for i := range body.Symbols {
			names = append(names, body.Symbols[i].Symbol)
		}
	}
	out := make([]Symbol, 0, len(names))
	for _, n := range names {
		r := byName[n]
		if r == nil {
			return nil, fmt.Errorf("cannot load symbol %q: not among the %d symbols of exchangeInfo", n, len(body.Symbols))
		}
		s, err := r.symbol()
		if err != nil {
			return nil, fmt.Errorf("cannot load symbol %q: %w", n, err)
		}
		out = append(out, s)
	}
	return out, nil
}

// LoadExchangeFilters reads exchangeFilters from the body of GET
// /api/v3/exchangeInfo; none if the body is empty.
func LoadExchangeFilters(exchangeInfo []byte) ([]Filter, error) {
	if len(exchangeInfo) == 0 {
		return nil, nil
	}
	var body struct {
		Filters []json.RawMessage `json:"exchangeFilters"`
	}
	if err := json.Unmarshal(exchangeInfo, &body); err != nil {
		return nil, fmt.Errorf("cannot read exchangeInfo: %w", err)
	}
	var out []Filter
	for _, raw := range body.Filters {
		f, known, err := parseFilter(raw)
		if err != nil {
			return nil, err
		}
		if known && f.Type.overExchange() {
			out = append(out, f)
		}
	}
	return out, nil
}

func (r *rawSymbol) symbol() (Symbol, error) {
	s := Symbol{
		Name: r.Symbol, Base: r.BaseAsset, Quote: r.QuoteAsset,
		BasePrecision: orInt(r.BasePrecision, 8), QuotePrecision: orInt(r.QuotePrecision, 8),
		BaseCommPrecision: orInt(r.BaseCommPrecision, 8), QuoteCommPrecision: orInt(r.QuoteCommPrecision, 8),
		Iceberg: r.Iceberg, OCO: r.OCO, OTO: r.OTO, OPO: r.OPO, QuoteOrderQtyMarket: r.QuoteOrderQtyMarket,
		TrailingStop: r.TrailingStop, Peg: r.Peg == nil || *r.Peg, SpotTrading: r.SpotTrading, MarginTrading: r.MarginTrading,
		CancelReplace:  r.CancelReplace == nil || *r.CancelReplace,
		Amend:          r.Amend == nil || *r.Amend,
		PermissionSets: r.PermissionSets,
	}
	if s.Name == "" || s.Base == "" || s.Quote == "" {
		return s, fmt.Errorf("symbol, baseAsset or quoteAsset is empty")
	}
	if s.PermissionSets == nil && r.Permissions != nil {
		s.PermissionSets = [][]string{r.Permissions}
	}
	var ok bool
	if s.Status, ok = ParseSymbolStatus(r.Status); !ok {
		s.Status = Break
	}
	for _, n := range r.OrderTypes {
		if t, ok := ParseOrderType(n); ok {
			s.OrderTypes = append(s.OrderTypes, t)
		}
	}
	for _, n := range r.AllowedSTP {
		if m, ok := ParseSTPMode(n); ok {
			s.AllowedSTP = append(s.AllowedSTP, m)
		}
	}
	if s.DefaultSTP, ok = ParseSTPMode(r.DefaultSTP); !ok {
		s.DefaultSTP, s.AllowedSTP = builtinSTP()
	}
	for _, raw := range r.Filters {
		f, known, err := parseFilter(raw)
		if err != nil {
			return s, err
		}
		if known {
			s.Filters = append(s.Filters, f)
		}
	}
	s.StartPrice = builtinStart(s.Name)
	return s, nil
}

func orInt(p *int, d int) int {
	if p == nil {
		return d
	}
	return *p
}

// parseFilter reads one filter object; known is false for a type this table
// does not have.
func parseFilter(raw json.RawMessage) (f Filter, known bool, err error) {
	var m map[string]any
	if err := json.Unmarshal(raw, &m); err != nil {
		return f, false, fmt.Errorf("cannot read filter: %w", err)
	}
	typ, _ := m["filterType"].(string)
	if f.Type, known = parseName[FilterType](filterNames[:], typ); !known {
		return f, false, nil
	}
	for key, v := range m {
		switch v := v.(type) {
		case string:
			if p := f.fixedField(key); p != nil {
				if *p, err = ParseFixed(v); err != nil {
					return f, true, fmt.Errorf("cannot read %s.%s: got %q: %w", typ, key, v, err)
				}
			}
		case float64:
			if p := f.intField(key); p != nil {
				*p = int64(v)
			} else if key == "avgPriceMins" {
				f.AvgPriceMins = int(v)
			}
		case bool:
			switch key {
			case "applyToMarket", "applyMinToMarket":
				f.ApplyMinToMarket = v
			case "applyMaxToMarket":
				f.ApplyMaxToMarket = v
			}
		}
	}
	return f, true, nil
}

func (f *Filter) fixedField(key string) *Fixed {
	switch key {
	case "minPrice":
		return &f.MinPrice
	case "maxPrice":
		return &f.MaxPrice
	case "tickSize":
		return &f.TickSize
	case "multiplierUp":
		return &f.MultiplierUp
	case "multiplierDown":
		return &f.MultiplierDown
	case "bidMultiplierUp":
		return &f.BidMultiplierUp
	case "bidMultiplierDown":
		return &f.BidMultiplierDown
	case "askMultiplierUp":
		return &f.AskMultiplierUp
	case "askMultiplierDown":
		return &f.AskMultiplierDown
	case "minQty":
		return &f.MinQty
	case "maxQty":
		return &f.MaxQty
	case "stepSize":
		return &f.StepSize
	case "minNotional":
		return &f.MinNotional
	case "maxNotional":
		return &f.MaxNotional
	case "maxPosition":
		return &f.MaxPosition
	}
	return nil
}

func (f *Filter) intField(key string) *int64 {
	switch key {
	case "limit", "maxNumOrders", "maxNumAlgoOrders", "maxNumIcebergOrders", "maxNumOrderLists", "maxNumOrderAmends":
		return &f.Limit
	case "minTrailingAboveDelta":
		return &f.MinAboveDelta
	case "maxTrailingAboveDelta":
		return &f.MaxAboveDelta
	case "minTrailingBelowDelta":
		return &f.MinBelowDelta
	case "maxTrailingBelowDelta":
		return &f.MaxBelowDelta
	}
	return nil
}
