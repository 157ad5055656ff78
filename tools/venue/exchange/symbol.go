package exchange

import "slices"

// Symbol is one instrument: what exchangeInfo publishes and the exchange
// enforces. It is plain data; the exchange keeps its own copy.
type Symbol struct {
	Name, Base, Quote   string
	Status              SymbolStatus
	BasePrecision       int // baseAssetPrecision
	QuotePrecision      int // quoteAssetPrecision, also printed as quotePrecision
	BaseCommPrecision   int
	QuoteCommPrecision  int
	OrderTypes          []OrderType
	Iceberg             bool // icebergAllowed
	OCO, OTO, OPO       bool // ocoAllowed, otoAllowed, opoAllowed
	QuoteOrderQtyMarket bool
	TrailingStop        bool
	CancelReplace       bool
	Amend               bool
	Peg                 bool // pegInstructionsAllowed
	SpotTrading         bool
	MarginTrading       bool
	Filters             []Filter
	PermissionSets      [][]string
	DefaultSTP          STPMode
	AllowedSTP          []STPMode

	// Range is the PRICE_RANGE rule, which executionRules publishes; the zero value is none.
	Range PriceRange

	// StartPrice is where a market of agents starts; 0 leaves it to them. It is
	// not part of exchangeInfo.
	StartPrice Fixed
}

// Tick is the tickSize of PRICE_FILTER, 0 if there is none.
func (s *Symbol) Tick() Fixed {
	if f := s.filter(PriceFilter); f != nil {
		return f.TickSize
	}
	return 0
}

// Lot is the stepSize of LOT_SIZE, 0 if there is none.
func (s *Symbol) Lot() Fixed {
	if f := s.filter(LotSize); f != nil {
		return f.StepSize
	}
	return 0
}

// Filter returns the symbol's filter of a type; false if it has none.
func (s *Symbol) Filter(t FilterType) (Filter, bool) {
	if f := s.filter(t); f != nil {
		return *f, true
	}
	return Filter{}, false
}

func (s *Symbol) filter(t FilterType) *Filter {
	for i := range s.Filters {
		if s.Filters[i].Type == t {
			return &s.Filters[i]
		}
	}
	return nil
}

func (s *Symbol) clone() Symbol {
	c := *s
	c.OrderTypes = slices.Clone(s.OrderTypes)
	c.Filters = slices.Clone(s.Filters)
	c.AllowedSTP = slices.Clone(s.AllowedSTP)
	c.PermissionSets = slices.Clone(s.PermissionSets)
	return c
}

// publishOnlySupported removes from s what this exchange would refuse, so that
// exchangeInfo tells the truth.
func (s *Symbol) publishOnlySupported() {
	s.AllowedSTP = slices.DeleteFunc(s.AllowedSTP, func(m STPMode) bool { return m == STPTransfer })
	s.OPO = false
}

// FilterType names a filter; String is its name on the wire.
type FilterType uint8

// The filters of Binance Spot (filters page, 2026-07-21).
const (
	PriceFilter FilterType = iota + 1
	PercentPrice
	PercentPriceBySide
	LotSize
	MarketLotSize
	MinNotional
	Notional
	IcebergParts
	MaxNumOrders
	MaxNumAlgoOrders
	MaxNumIcebergOrders
	MaxNumOrderLists
	MaxNumOrderAmends
	MaxPosition
	TrailingDelta
	ExchangeMaxNumOrders
	ExchangeMaxNumAlgoOrders
	ExchangeMaxNumIcebergOrders
	ExchangeMaxNumOrderLists
	filterTypes // number of types, plus one
)

var filterNames = [filterTypes]string{"", "PRICE_FILTER", "PERCENT_PRICE", "PERCENT_PRICE_BY_SIDE", "LOT_SIZE",
	"MARKET_LOT_SIZE", "MIN_NOTIONAL", "NOTIONAL", "ICEBERG_PARTS", "MAX_NUM_ORDERS", "MAX_NUM_ALGO_ORDERS",
	"MAX_NUM_ICEBERG_ORDERS", "MAX_NUM_ORDER_LISTS", "MAX_NUM_ORDER_AMENDS", "MAX_POSITION", "TRAILING_DELTA",
	"EXCHANGE_MAX_NUM_ORDERS", "EXCHANGE_MAX_NUM_ALGO_ORDERS", "EXCHANGE_MAX_NUM_ICEBERG_ORDERS",
	"EXCHANGE_MAX_NUM_ORDER_LISTS"}

// String is the name on the wire.
func (t FilterType) String() string { return name(filterNames[:], t) }

func (t FilterType) overExchange() bool { return t >= ExchangeMaxNumOrders }

// Filter is one filter with the fields of its type; the others are zero.
// Prices, quantities, notionals and multipliers are scaled 1e-8.
type Filter struct {
	Type FilterType

	MinPrice, MaxPrice, TickSize Fixed // PRICE_FILTER; 0 disables a bound

	MultiplierUp, MultiplierDown       Fixed // PERCENT_PRICE
	BidMultiplierUp, BidMultiplierDown Fixed // PERCENT_PRICE_BY_SIDE
	AskMultiplierUp, AskMultiplierDown Fixed
	AvgPriceMins                       int // PERCENT_*, MIN_NOTIONAL, NOTIONAL

	MinQty, MaxQty, StepSize Fixed // LOT_SIZE, MARKET_LOT_SIZE; step 0 disables it

	MinNotional, MaxNotional Fixed // MIN_NOTIONAL, NOTIONAL
	ApplyMinToMarket         bool  // applyToMarket of MIN_NOTIONAL
	ApplyMaxToMarket         bool

	Limit int64 // the one number of ICEBERG_PARTS and the MAX_NUM filters

	MaxPosition Fixed // MAX_POSITION

	// TRAILING_DELTA, basis points
	MinAboveDelta, MaxAboveDelta, MinBelowDelta, MaxBelowDelta int64
}
