package exchange

// PegPrice is the side of the book that a pegged order takes its price from;
// PegNone is an order with a price of its own.
type PegPrice uint8

// The peg prices: the best price of the order's own side, or of the other one.
const (
	PegNone PegPrice = iota
	PrimaryPeg
	MarketPeg
)

// PegOffset says what Peg.Value counts; PegOffsetNone means it was not sent.
type PegOffset uint8

// The one peg offset there is: existing price levels deeper into the book.
const (
	PegOffsetNone PegOffset = iota
	PegPriceLevel
)

// Peg are the pegging instructions of an order. The price is fixed once, when
// the order enters the book (a stop: when it triggers), and does not follow the
// book (section 7.9 of the venue page).
type Peg struct {
	Price  PegPrice
	Offset PegOffset
	Value  Opt // pegOffsetValue, levels, not scaled
}

var (
	pegPriceNames  = [...]string{"", "PRIMARY_PEG", "MARKET_PEG"}
	pegOffsetNames = [...]string{"", "PRICE_LEVEL"}
)

// String is the name on the wire, empty for PegNone.
func (v PegPrice) String() string { return name(pegPriceNames[:], v) }

// String is the name on the wire, empty for PegOffsetNone.
func (v PegOffset) String() string { return name(pegOffsetNames[:], v) }

// ParsePegPrice finds a peg price by its name on the wire.
func ParsePegPrice(s string) (PegPrice, bool) { return parseName[PegPrice](pegPriceNames[:], s) }

// ParsePegOffset finds a peg offset by its name on the wire.
func ParsePegOffset(s string) (PegOffset, bool) { return parseName[PegOffset](pegOffsetNames[:], s) }

const (
	textPegOff   = "Pegged orders are not supported for this symbol."
	textPegType  = "This order type may not use pegged price."
	textPegPrice = "This price peg cannot be used with this order type."
	textPegDepth = "Order book liquidity is too low for this pegged order."
)

// pegLevelsMax bounds pegOffsetValue (1 to 100, section 7.1 of the venue page).
const pegLevelsMax = 100

func (in *instrument) checkPeg(r *NewOrder) *Reject {
	p := r.Peg
	if p == (Peg{}) {
		return nil
	}
	switch {
	case !in.sym.Peg:
		return reject(codeNewRejected, textPegOff)
	case p.Price == PegNone:
		return rejectMandatory(r.param("pegPriceType"))
	case p.Price > MarketPeg:
		return reject(codePegPrice, "Invalid pegPriceType.")
	case p.Offset > PegPriceLevel:
		return reject(codePegOffset, "Invalid pegOffsetType.")
	case p.Offset == PegOffsetNone && p.Value.Set:
		return rejectMandatory(r.param("pegOffsetType"))
	case p.Offset != PegOffsetNone && !p.Value.Set:
		return rejectMandatory(r.param("pegOffsetValue"))
	case p.Value.Set && (p.Value.V < 1 || p.Value.V > pegLevelsMax):
		return reject(codeInvalidData, "Data sent for parameter '"+r.param("pegOffsetValue")+"' is not valid.")
	case !r.Type.priced():
		return reject(codeNewRejected, textPegType)
	case r.Type == LimitMakerOrder && p.Price != PrimaryPeg,
		r.Type == LimitOrder && p.Price == PrimaryPeg && r.TimeInForce != GTC:
		return reject(codeNewRejected, textPegPrice)
	}
	return nil
}

// pegged is the price an instruction selects now; false if the book is not that
// deep. The levels counted are those that are there, whoever made them.
func (in *instrument) pegged(side Side, p Peg) (price Fixed, ok bool) {
	b := in.book(side)
	if p.Price == MarketPeg {
		b = in.book(side.other())
	}
	left := p.Value.V
	b.walk(func(l *level) bool {
		price, ok = l.price, left == 0
		left--
		return !ok
	})
	return price, ok
}

// fixPeg gives a pegged order that enters the book its price, and runs the
// filters that look at prices on it.
func (x *Exchange) fixPeg(o *order) *Reject {
	if o.peg.Price == PegNone {
		return nil
	}
	price, ok := o.in.pegged(o.side, o.peg)
	if !ok {
		return reject(codeNewRejected, textPegDepth)
	}
	o.price, o.reserve = price, 0
	c := o.candidate()
	if rej := x.filterPrices(&c); rej != nil {
		return rej
	}
	return notionalInRange(price, o.qty)
}
