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

	OrdersMax   int // open orders on the symbol
	PositionMax Qty // free + locked + open buys of the base asset
}

// Instrument is one symbol with its rules. Values are fixed once the table is
// built; a change of rules builds a new table.
type Instrument struct {
	ID          InstrumentID
	Symbol      string // as the venue writes it, upper case, may be non-ASCII
	Base, Quote AssetID
	Market      Market
	Status      Status
	OrderTypes  OrderTypeSet
	Filters     Filters
}

// Instruments is the table of what is traded: dense ids for symbols and assets.
// It is built at start and then only read.
type Instruments struct {
	List   []Instrument
	Assets []string
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
