package core

import (
	"fmt"
	"strings"
)

// InstrumentID is a small dense index, the position in an Instruments table.
type InstrumentID uint16

// NoInstrument marks an event whose symbol is not in the table.
const NoInstrument InstrumentID = 0xffff

// AssetID is a small dense index of assets, the position in Instruments.Assets.
type AssetID uint16

// NoAsset marks the absence of an asset (a fill without commission).
const NoAsset AssetID = 0xffff

// Market is the kind of market a symbol trades on; update-id rules and payload
// shapes differ between them.
type Market uint8

// The markets.
const (
	Spot Market = iota
	LinearFutures
	InverseFutures
)

// Status is what the venue lets one do with a symbol.
type Status uint8

// The statuses. Only StatusTrading takes new orders; StatusCancelOnly takes
// cancels; market data continues except under StatusBreak.
const (
	StatusUnknown Status = iota
	StatusTrading
	StatusHalt
	StatusBreak
	StatusCancelOnly
	StatusEndOfDay
)

func (s Status) String() string {
	return [...]string{"UNKNOWN", "TRADING", "HALT", "BREAK", "CANCEL_ONLY", "END_OF_DAY"}[s]
}

// Filters are a symbol's order rules. A zero bound does not bind. Prices and
// quantities are at 1e-8; multipliers too (5 is 5e8).
type Filters struct {
	Tick               Price // 0 while a symbol is not tradable yet
	PriceMin, PriceMax Price

	Lot            Qty
	QtyMin, QtyMax Qty

	MarketLot                  Qty
	MarketQtyMin, MarketQtyMax Qty

	NotionalMin, NotionalMax             Amount
	NotionalMinMarket, NotionalMaxMarket bool // whether the bound applies to MARKET orders

	// Multipliers of the reference price between which a price must lie.
	BidMulUp, BidMulDown, AskMulUp, AskMulDown int64

	OrdersMax   int // open orders on the symbol, those that wait for a trigger included
	AlgosMax    int // open orders that wait for a trigger
	IcebergsMax int // open orders with a hidden part
	ListsMax    int // open order lists
	AmendsMax   int // amends of one order
	PartsMax    int // parts of an iceberg: quantity over shown quantity, rounded up
	PositionMax Qty // free + locked + open buys of the base asset

	// Trailing deltas in 1/10000: above for stop-loss buys and take-profit sales, which
	// trigger on a rise, below for the others.
	TrailAboveMin, TrailAboveMax, TrailBelowMin, TrailBelowMax int
}

// AccountFilters are rules over all symbols of an account. A zero bound does not bind.
type AccountFilters struct {
	OrdersMax, AlgosMax, IcebergsMax, ListsMax int
}

// Features are what a symbol takes beside plain orders.
type Features uint16

// The features. Each self-trade prevention mode is one too, see FeatureSTP.
const (
	FeatureIceberg Features = 1 << iota
	FeatureTrailing
	FeatureAmend
	FeatureReplace
	featureSTP
)

// FeatureSTP is the leave to send a self-trade prevention mode; STPDefault, which
// sends none, needs no leave.
func FeatureSTP(m STP) Features {
	if m == STPDefault {
		return 0
	}
	return featureSTP << (m - 1)
}

// Has reports whether all of f are there.
func (s Features) Has(f Features) bool { return s&f == f }

// Instrument is one symbol with its rules. Values are fixed once the table is
// built; the gate keeps its own copy, which a change of rules replaces.
type Instrument struct {
	ID          InstrumentID
	Symbol      string // as the venue writes it, upper case, may be non-ASCII
	Base, Quote AssetID
	Market      Market
	Status      Status
	OrderTypes  OrderTypeSet
	Features    Features
	Filters     Filters
}

// Sellable splits a holding of the base asset into what an order can sell, whole lots
// of at least the smallest quantity, and the dust that is left of it. Fees taken in the
// base asset and partial fills leave such remainders; an exit that asks for more than
// the lots is refused for ever.
func (in *Instrument) Sellable(holding Qty) (lots, dust Qty) {
	if holding <= 0 {
		return 0, 0
	}
	lots = holding
	if in.Filters.Lot > 0 {
		lots = holding.LotFloor(in.Filters.Lot)
	}
	if lots < in.Filters.QtyMin {
		lots = 0
	}
	return lots, holding - lots
}

// Instruments is the table of what is traded: dense ids for symbols and assets.
// It is built at start and then only read.
type Instruments struct {
	List    []Instrument
	Assets  []string
	Account AccountFilters

	bySym  map[string]InstrumentID
	byName map[string]AssetID
}

// NewInstruments returns an empty table.
func NewInstruments() *Instruments {
	return &Instruments{bySym: map[string]InstrumentID{}, byName: map[string]AssetID{}}
}

// Add puts in into the table under the next id, which it returns. The symbol must
// be new and the table holds at most 65535.
func (t *Instruments) Add(in Instrument) (InstrumentID, error) {
	if in.Symbol == "" {
		return NoInstrument, fmt.Errorf("cannot add an instrument: its symbol is empty")
	}
	if _, dup := t.bySym[in.Symbol]; dup {
		return NoInstrument, fmt.Errorf("cannot add instrument %s: it is in the table already", in.Symbol)
	}
	if len(t.List) >= int(NoInstrument) {
		return NoInstrument, fmt.Errorf("cannot add instrument %s: the table holds its %d already", in.Symbol, len(t.List))
	}
	in.ID = InstrumentID(len(t.List))
	t.List = append(t.List, in)
	t.bySym[in.Symbol] = in.ID
	return in.ID, nil
}

// Asset returns the id of an asset name, adding it if it is new.
func (t *Instruments) Asset(name string) AssetID {
	if id, ok := t.byName[name]; ok {
		return id
	}
	id := AssetID(len(t.Assets))
	t.Assets = append(t.Assets, strings.Clone(name))
	t.byName[t.Assets[id]] = id
	return id
}

// AssetID looks an asset up without adding it. It does not allocate when name is
// a []byte conversion at the call.
func (t *Instruments) AssetID(name string) (AssetID, bool) {
	id, ok := t.byName[name]
	return id, ok
}

// Lookup finds a symbol. It is for cold paths; decoders keep their own hash.
func (t *Instruments) Lookup(symbol string) (*Instrument, bool) {
	id, ok := t.bySym[symbol]
	if !ok {
		return nil, false
	}
	return &t.List[id], true
}

// Get is the instrument with that id, which must be from this table.
func (t *Instruments) Get(id InstrumentID) *Instrument { return &t.List[id] }

// AssetName is the name of an asset id, or "" for NoAsset.
func (t *Instruments) AssetName(id AssetID) string {
	if int(id) >= len(t.Assets) {
		return ""
	}
	return t.Assets[id]
}
