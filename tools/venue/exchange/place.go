package exchange

import "strconv"

// Place puts an order into the engine. The answer holds what ACK, RESULT and
// FULL need. A reject has changed nothing.
func (x *Exchange) Place(now Micros, id AccountID, r *NewOrder) (*OrderReport, *Reject) {
	x.command(now, "place", id, r.Symbol)
	if x.log.on() {
		x.log.newOrder(r)
	}
	o, rej := x.prepare(x.account(id), r)
	if rej != nil {
		x.log.reject(rej)
		return nil, rej
	}
	rep, rej := x.submit(o)
	if rej != nil {
		x.log.reject(rej)
	}
	x.commit(o.in)
	return rep, rej
}

// Test runs every check of Place that does not reach the engine, as
// POST /api/v3/order/test does.
func (x *Exchange) Test(now Micros, id AccountID, r *NewOrder) *Reject {
	x.command(now, "test", id, r.Symbol)
	if x.log.on() {
		x.log.newOrder(r)
	}
	_, rej := x.prepare(x.account(id), r)
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

// prepare checks an order up to the engine's door: parameters, symbol, filters.
// The order it returns has no id and has changed nothing.
func (x *Exchange) prepare(a *account, r *NewOrder) (*order, *Reject) {
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
	c := candidate{in: in, acct: a, side: r.Side, typ: r.Type, price: r.Price.V, qty: r.Quantity.V, quoteQty: r.QuoteOrderQty.V}
	if rej := x.filter(&c); rej != nil {
		return nil, rej
	}
	if c.price > 0 {
		quote, ok := mulDiv(c.price, c.qty, One)
		if !ok || quote <= 0 {
			return nil, reject(codeNewRejected, textZeroNotional)
		}
	}
	tif := r.TimeInForce
	if tif == TIFNone {
		tif = GTC // what the venue prints for LIMIT_MAKER and MARKET
	}
	return &order{
		in: in, acct: a, side: r.Side, typ: r.Type, tif: tif, stp: stp, status: StatusNew,
		price: r.Price.V, qty: r.Quantity.V, quoteQty: r.QuoteOrderQty.V, clientID: r.ClientOrderID,
		lastMatch: -1, strategyID: r.StrategyID, strategyTy: r.StrategyType,
	}, nil
}

// checkParams checks which parameters the type needs and which it may not have
// (section 7.1 of the venue page).
func (in *instrument) checkParams(r *NewOrder) *Reject {
	if r.ClientOrderID != "" && !validClientID(r.ClientOrderID) {
		return rejectIllegal("newClientOrderId", clientIDRange)
	}
	if r.StrategyType.Set && r.StrategyType.V < 1_000_000 {
		return reject(codeStrategyType, "`strategyType` was less than 1000000.")
	}
	if !supported(r.Type) || !in.allows(r.Type) {
		return notSupported(typeKinds[r.Type])
	}
	switch {
	case r.TrailingDelta.Set:
		return notSupported("Trailing stop")
	case r.IcebergQty.Set && r.IcebergQty.V > 0:
		return notSupported("Iceberg")
	case r.Pegged:
		return notSupported("Pegged")
	case r.StopPrice.Set:
		return rejectNotRequired("stopPrice")
	}
	if r.Type == MarketOrder {
		return in.checkMarketParams(r)
	}
	switch {
	case r.Type == LimitOrder && r.TimeInForce == TIFNone:
		return rejectMandatory("timeInForce")
	case r.Type == LimitOrder && r.TimeInForce > FOK:
		return reject(codeBadTIF, "Invalid timeInForce.")
	case r.Type == LimitMakerOrder && r.TimeInForce != TIFNone:
		return reject(codeTIFNotNeeded, "TimeInForce parameter sent when not required.")
	case r.QuoteOrderQty.Set:
		return rejectNotRequired("quoteOrderQty")
	case !r.Quantity.Set:
		return rejectMandatory("quantity")
	case !r.Price.Set:
		return rejectMandatory("price")
	case r.Quantity.V <= 0 || r.Price.V <= 0:
		return reject(codeNewRejected, textZeroNotional)
	}
	return nil
}

func (in *instrument) checkMarketParams(r *NewOrder) *Reject {
	switch {
	case r.TimeInForce != TIFNone:
		return reject(codeTIFNotNeeded, "TimeInForce parameter sent when not required.")
	case r.Price.Set:
		return rejectNotRequired("price")
	case !r.Quantity.Set && !r.QuoteOrderQty.Set:
		return rejectEither("quantity", "quoteOrderQty")
	case r.Quantity.Set && r.QuoteOrderQty.Set:
		return reject(codeBadCombo, "Combination of optional parameters invalid.")
	case r.QuoteOrderQty.Set && !in.sym.QuoteOrderQtyMarket:
		return reject(codeNewRejected, "Quote order qty market orders are not support for this symbol.")
	case r.Quantity.V+r.QuoteOrderQty.V <= 0:
		return reject(codeNewRejected, textZeroNotional)
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
	over := func(o Opt, decimals int) bool {
		unit := int64(1)
		for i := decimals; i < 8; i++ {
			unit *= 10
		}
		return o.Set && o.V%unit != 0
	}
	switch {
	case over(r.Price, in.sym.QuotePrecision):
		return rejectPrecision("price")
	case over(r.Quantity, in.sym.BasePrecision):
		return rejectPrecision("quantity")
	case over(r.QuoteOrderQty, in.sym.QuotePrecision):
		return rejectPrecision("quoteOrderQty")
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

// submit is the engine's side of a placement: duplicate id, post-only, funds,
// then NEW, matching, and the rest on the book or expired.
func (x *Exchange) submit(o *order) (*OrderReport, *Reject) {
	a, in := o.acct, o.in
	if o.clientID != "" {
		if old := a.byClient[clientKey{in.no, o.clientID}]; old != nil && !old.status.Ended() {
			return nil, reject(codeNewRejected, textDuplicate)
		}
	}
	if o.typ == LimitMakerOrder && in.crosses(o) {
		return nil, x.refuse(o, RejectWouldMatch, textWouldMatch)
	}
	if o.typ == MarketOrder {
		if rej := x.sizeMarket(o); rej != nil {
			return nil, rej
		}
	} else if a.free(o.lockAsset()) < o.lockFor(o.qty) {
		return nil, x.refuse(o, RejectBalance, textInsufficient)
	}
	x.accept(o)
	rep := &OrderReport{TransactTime: x.now, TradeGroupID: a.tradeGroup()}
	x.work(o, rep)
	rep.Order = o.snapshot()
	return rep, nil
}

// accept gives the order its id and place in the account, locks its funds and
// reports NEW.
func (x *Exchange) accept(o *order) {
	a, in := o.acct, o.in
	o.id = in.nextOrder
	in.nextOrder++
	if o.clientID == "" {
		o.clientID = a.makeClientID(in)
	}
	o.created, o.updated, o.workedAt, o.working = x.now, x.now, x.now, true
	a.remember(o)
	x.touch(a, in)
	if o.typ != MarketOrder {
		x.lock(o)
	}
	x.reportNew(o)
}

// refuse reports an engine reject. The order has an id of its own, is not kept,
// and has changed no balance.
func (x *Exchange) refuse(o *order, why RejectReason, text string) *Reject {
	o.id = o.in.nextOrder
	o.in.nextOrder++
	if o.clientID == "" {
		o.clientID = o.acct.makeClientID(o.in)
	}
	o.created, o.updated, o.workedAt, o.status = x.now, x.now, -1, StatusRejected
	x.reportRejected(o, why)
	return reject(codeNewRejected, text)
}

// work matches an accepted order and settles its remainder.
func (x *Exchange) work(o *order, rep *OrderReport) {
	in := o.in
	if o.tif == FOK && in.available(o) < o.rem() {
		x.expire(o, ExpiryFOK)
		return
	}
	x.match(o, rep)
	switch {
	case o.status.Ended():
	case o.typ == MarketOrder:
		x.expire(o, ExpiryLiquidity)
	case o.tif == IOC:
		x.expire(o, ExpiryIOC)
	default:
		x.rest(o)
	}
}

// rest puts what is left of o on the book.
func (x *Exchange) rest(o *order) {
	b := o.in.book(o.side)
	before := Fixed(0)
	if l := b.find(o.price); l != nil {
		before = l.total()
	}
	l := b.push(o)
	o.in.touched(o.side, o.price, before, l.total())
}

// makeClientID is 22 characters, like the ids the venue makes.
func (a *account) makeClientID(in *instrument) string {
	a.nextID++
	b := append(make([]byte, 0, 24), "x-"...)
	b = strconv.AppendInt(b, int64(a.id), 36)
	b = append(b, '-')
	n := strconv.AppendUint(nil, a.nextID, 36)
	for i := len(b) + len(n); i < 22; i++ {
		b = append(b, '0')
	}
	return string(append(b, n...))
}

// remember files an accepted order under its account.
func (a *account) remember(o *order) {
	a.open = append(a.open, o)
	a.orders[o.in.no] = append(a.orders[o.in.no], o)
	a.byID[orderKey{o.in.no, o.id}] = o
	a.byClient[clientKey{o.in.no, o.clientID}] = o
}
