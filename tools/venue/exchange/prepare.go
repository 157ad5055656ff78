package exchange

// Test runs every check of Place that does not reach the engine, as
// POST /api/v3/order/test does.
func (x *Exchange) Test(now Micros, id AccountID, r *NewOrder) *Reject {
	x.command(now, "test", id, r.Symbol)
	if x.log.on() {
		x.log.newOrder(r)
	}
	_, rej := x.prepare(x.account(id), r, true)
	x.log.reject(rej)
	return rej
}

// clientIDRange is the pattern the venue names in its reject. The pattern is
// not in today's documentation.
const clientIDRange = "^[a-zA-Z0-9-_]{1,36}$"

func validClientID(s string) bool {
	if len(s) < 1 || len(s) > 36 {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_' {
			continue
		}
		return false
	}
	return true
}

// param is a parameter's name in the request of a leg: "price" of leg "above"
// is "abovePrice".
func (r *NewOrder) param(name string) string {
	if r.Leg == "" {
		return name
	}
	return r.Leg + string(name[0]-'a'+'A') + name[1:]
}

// prepare checks an order up to the engine's door: parameters, symbol, filters.
// The order it returns has no id and has changed nothing. Without counts the
// filters over numbers of orders are left out: a list checks them as a whole.
func (x *Exchange) prepare(a *account, r *NewOrder, counts bool) (*order, *Reject) {
	in := x.byName[r.Symbol]
	if in == nil {
		return nil, rejectSymbol()
	}
	if r.Side != Buy && r.Side != Sell {
		return nil, reject(codeBadSide, "Invalid side.")
	}
	if r.Type < LimitOrder || r.Type > TakeProfitLimitOrder {
		return nil, reject(codeBadType, "Invalid orderType.")
	}
	if rej := in.checkParams(r); rej != nil {
		return nil, rej
	}
	if rej := in.checkPrecision(r); rej != nil {
		return nil, rej
	}
	if a == nil || a.disabled {
		return nil, reject(codeNewRejected, textAccountOff)
	}
	if in.sym.Status != Trading {
		return nil, reject(codeNewRejected, textClosed)
	}
	stp, rej := in.stpMode(r.STP)
	if rej != nil {
		return nil, rej
	}
	tif := r.TimeInForce
	if tif == TIFNone {
		tif = GTC // what the venue prints for LIMIT_MAKER and MARKET
	}
	o := &order{
		in: in, acct: a, side: r.Side, typ: r.Type, tif: tif, stp: stp, status: StatusNew,
		price: r.Price.V, asked: r.Price.V, qty: r.Quantity.V, quoteQty: r.QuoteOrderQty.V, clientID: r.ClientOrderID,
		stop: r.StopPrice.V, trail: r.TrailingDelta.V, trailAt: -1, iceberg: r.IcebergQty.V, peg: r.Peg,
		lastMatch: -1, strategyID: r.StrategyID, strategyTy: r.StrategyType,
	}
	if o.typ.stop() && o.price == 0 {
		o.reserve = o.stop
		if o.stop == 0 {
			o.reserve = in.tape.last
		}
	}
	return o, x.checkFilters(o, counts)
}

// checkFilters runs the filters on an order before it exists: a pegged one also
// at the price that the book selects now.
func (x *Exchange) checkFilters(o *order, counts bool) *Reject {
	c := o.candidate()
	if counts {
		c.count(o.typ, o.iceberg)
	}
	if rej := x.filter(&c); rej != nil {
		return rej
	}
	if o.peg.Price != PegNone && !o.typ.stop() {
		if p, ok := o.in.pegged(o.side, o.peg); ok {
			c.price = p
			if rej := x.filterPrices(&c); rej != nil {
				return rej
			}
		}
	}
	return notionalInRange(max(c.price, o.reserve), o.qty)
}

// notionalInRange refuses a product of nothing, or one beyond 64 bits. A price
// of 0 is not known yet.
func notionalInRange(price, qty Fixed) *Reject {
	if price == 0 {
		return nil
	}
	if quote, ok := mulDiv(price, qty, One); !ok || quote <= 0 {
		return reject(codeNewRejected, textZeroNotional)
	}
	return nil
}

// checkParams checks which parameters the type needs and which it may not have
// (section 7.1 of the venue page).
func (in *instrument) checkParams(r *NewOrder) *Reject {
	if r.ClientOrderID != "" && !validClientID(r.ClientOrderID) {
		name := "newClientOrderId"
		if r.Leg != "" {
			name = r.param("clientOrderId")
		}
		return rejectIllegal(name, clientIDRange)
	}
	if r.StrategyType.Set && r.StrategyType.V < 1_000_000 {
		return reject(codeStrategyType, "`strategyType` was less than 1000000.")
	}
	if !in.allows(r.Type) {
		return notSupported(typeKinds[r.Type])
	}
	if rej := checkTimeInForce(r); rej != nil {
		return rej
	}
	if rej := in.checkAmounts(r); rej != nil {
		return rej
	}
	if rej := in.checkStopParams(r); rej != nil {
		return rej
	}
	if rej := in.checkIceberg(r); rej != nil {
		return rej
	}
	return in.checkPeg(r)
}

func checkTimeInForce(r *NewOrder) *Reject {
	switch {
	case r.TimeInForce > FOK:
		return reject(codeBadTIF, "Invalid timeInForce.")
	case r.Type.timed() && r.TimeInForce == TIFNone:
		return rejectMandatory(r.param("timeInForce"))
	case !r.Type.timed() && r.TimeInForce != TIFNone:
		return reject(codeTIFNotNeeded, "TimeInForce parameter sent when not required.")
	}
	return nil
}

// checkAmounts checks price, quantity and quoteOrderQty.
func (in *instrument) checkAmounts(r *NewOrder) *Reject {
	switch {
	case !r.Type.priced() && r.Price.Set:
		return rejectNotRequired(r.param("price"))
	case r.Type != MarketOrder && r.QuoteOrderQty.Set:
		return rejectNotRequired(r.param("quoteOrderQty"))
	case r.Type == MarketOrder && !r.Quantity.Set && !r.QuoteOrderQty.Set:
		return rejectEither(r.param("quantity"), r.param("quoteOrderQty"))
	case r.Quantity.Set && r.QuoteOrderQty.Set:
		return reject(codeBadCombo, "Combination of optional parameters invalid.")
	case r.Type != MarketOrder && !r.Quantity.Set:
		return rejectMandatory(r.param("quantity"))
	case r.Type.priced() && !r.Price.Set && r.Peg == (Peg{}):
		return rejectMandatory(r.param("price"))
	case r.QuoteOrderQty.Set && !in.sym.QuoteOrderQtyMarket:
		return reject(codeNewRejected, "Quote order qty market orders are not support for this symbol.")
	case r.Quantity.V+r.QuoteOrderQty.V <= 0, r.Price.Set && r.Price.V <= 0:
		return reject(codeNewRejected, textZeroNotional)
	}
	return nil
}

// trailMax is one whole price: a fall by more is none.
const trailMax = 10_000

func (in *instrument) checkStopParams(r *NewOrder) *Reject {
	switch {
	case !r.Type.stop() && r.StopPrice.Set:
		return rejectNotRequired(r.param("stopPrice"))
	case !r.Type.stop() && r.TrailingDelta.Set:
		return rejectNotRequired(r.param("trailingDelta"))
	case r.TrailingDelta.Set && !in.sym.TrailingStop:
		return notSupported("Trailing stop")
	case r.Type.stop() && !r.StopPrice.Set && !r.TrailingDelta.Set:
		return rejectEither(r.param("stopPrice"), r.param("trailingDelta"))
	case r.StopPrice.Set && r.StopPrice.V <= 0:
		return rejectMandatory(r.param("stopPrice"))
	case r.TrailingDelta.Set && (r.TrailingDelta.V <= 0 || r.TrailingDelta.V > trailMax):
		return reject(codeInvalidData, "Data sent for parameter '"+r.param("trailingDelta")+"' is not valid.")
	}
	return nil
}

// checkIceberg: an iceberg is a limit order that may rest, and displays less
// than it is. An icebergQty of 0 is none.
func (in *instrument) checkIceberg(r *NewOrder) *Reject {
	if !r.IcebergQty.Set || r.IcebergQty.V == 0 {
		return nil
	}
	switch {
	case !r.Type.priced():
		return rejectNotRequired(r.param("icebergQty"))
	case !in.sym.Iceberg:
		return notSupported("Iceberg")
	case r.TimeInForce != GTC && r.TimeInForce != TIFNone:
		return reject(codeComposition, textComposition)
	case r.IcebergQty.V >= r.Quantity.V:
		return reject(codeNewRejected, "IcebergQty exceeds QTY.")
	}
	return nil
}

func (in *instrument) allows(t OrderType) bool {
	for _, o := range in.sym.OrderTypes {
		if o == t {
			return true
		}
	}
	return false
}

// checkPrecision is -1111: more decimals than the asset has.
func (in *instrument) checkPrecision(r *NewOrder) *Reject {
	for _, p := range [...]struct {
		name     string
		v        Opt
		decimals int
	}{{"price", r.Price, in.sym.QuotePrecision}, {"quantity", r.Quantity, in.sym.BasePrecision},
		{"quoteOrderQty", r.QuoteOrderQty, in.sym.QuotePrecision}, {"stopPrice", r.StopPrice, in.sym.QuotePrecision},
		{"icebergQty", r.IcebergQty, in.sym.BasePrecision}} {
		unit := int64(1)
		for i := p.decimals; i < 8; i++ {
			unit *= 10
		}
		if p.v.Set && p.v.V%unit != 0 {
			return rejectPrecision(r.param(p.name))
		}
	}
	return nil
}

func (in *instrument) stpMode(m STPMode) (STPMode, *Reject) {
	if m == STPDefault {
		return in.sym.DefaultSTP, nil
	}
	for _, ok := range in.sym.AllowedSTP {
		if ok == m {
			return m, nil
		}
	}
	return 0, reject(codeFilter, "This symbol does not allow the specified self-trade prevention mode.")
}
