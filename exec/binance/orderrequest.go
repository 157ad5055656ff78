package binance

import (
	"fmt"
	"time"

	"riposte/core"
)

// Peg is the price that a pegged order takes when it enters the book, or when it
// triggers: once, it does not follow (Binance Spot API docs, pegged orders, 2026-07-21).
type Peg uint8

// The pegs. PegPrimary is the best price of the order's own side, PegMarket of the
// other one.
const (
	PegNone Peg = iota
	PegPrimary
	PegMarket
)

var pegText = [...]string{"", "PRIMARY_PEG", "MARKET_PEG"}

// Detail is how much the answer to a new order tells. DetailDefault is FULL for MARKET
// and LIMIT, else ACK (Binance Spot API docs, 2026-07-21).
type Detail uint8

// The details.
const (
	DetailDefault Detail = iota
	DetailACK
	DetailRESULT
	DetailFULL
)

var detailText = [...]string{"", "ACK", "RESULT", "FULL"}

// Terms are what an order alone and a leg of a list have in common. Everything that is
// 0 is not sent. Prices and quantities are at 1e-8.
type Terms struct {
	Client       core.ClientID // must be set: without it a lost answer could not be asked about
	Type         core.OrderType
	TIF          core.TIF // of LIMIT, STOP_LOSS_LIMIT and TAKE_PROFIT_LIMIT alone
	Price        core.Price
	Stop         core.Price // stopPrice
	Trail        int        // trailingDelta in basis points
	Iceberg      core.Qty
	StrategyID   int64
	StrategyType int64 // 1000000 or more
	Peg          Peg
	PegLevels    int // pegOffsetValue in price levels, 1 to 100, 0: none
}

// OrderRequest is a new order with every parameter of POST /api/v3/order.
type OrderRequest struct {
	Terms
	Symbol   string // any, also one outside the table
	Side     core.Side
	Qty      core.Qty
	QuoteQty core.Amount // MARKET instead of Qty: how much quote is spent or received
	STP      core.STP
	Detail   Detail
	Life     time.Duration // recvWindow, 0: the client's
}

// limitKind reports whether the type has a price and a time in force.
func (t *Terms) limitKind() bool {
	return t.Type == core.Limit || t.Type == core.StopLossLimit || t.Type == core.TakeProfitLimit
}

// waits reports whether the type waits for a trigger.
func (t *Terms) waits() bool { return t.Type >= core.StopLoss && t.Type <= core.TakeProfitLimit }

// check finds what the venue would refuse whatever the market: parameters missing for
// the type, or of no use to it (Binance Spot API docs, 2026-07-21). qty is the order's,
// 0 if not known.
func (t *Terms) check(qty core.Qty) error {
	switch {
	case t.Type > core.TakeProfitLimit:
		return fmt.Errorf("type is %d, want one of the seven order types", t.Type)
	case !plainID(t.Client.Bytes()):
		return fmt.Errorf("client id is %q, want 1 to 36 letters, digits, - and _", t.Client)
	case t.TIF > core.FOK || t.TIF != core.GTC && !t.limitKind():
		return fmt.Errorf("timeInForce is %d, want GTC for %s", t.TIF, t.Type)
	case t.Price < 0 || t.Stop < 0 || t.Trail < 0 || t.Iceberg < 0:
		return fmt.Errorf("price %v, stopPrice %v, trailingDelta %d, icebergQty %v: want none below 0", t.Price, t.Stop, t.Trail, t.Iceberg)
	case t.StrategyType != 0 && t.StrategyType < 1_000_000:
		return fmt.Errorf("strategyType is %d, want 1000000 or more", t.StrategyType)
	}
	priced := t.limitKind() || t.Type == core.LimitMaker
	switch {
	case priced && t.Price == 0 && t.Peg == PegNone:
		return fmt.Errorf("price is missing, want one for %s", t.Type)
	case !priced && t.Price != 0:
		return fmt.Errorf("price is %v, want none for %s", t.Price, t.Type)
	case t.waits() && t.Stop == 0 && t.Trail == 0:
		return fmt.Errorf("stopPrice and trailingDelta are missing, want one for %s", t.Type)
	case !t.waits() && (t.Stop != 0 || t.Trail != 0):
		return fmt.Errorf("stopPrice is %v and trailingDelta %d, want none for %s", t.Stop, t.Trail, t.Type)
	case t.Iceberg != 0 && (!priced || t.TIF != core.GTC):
		return fmt.Errorf("icebergQty is %v, want none for %s %s", t.Iceberg, t.Type, t.TIF)
	case t.Iceberg != 0 && qty != 0 && t.Iceberg >= qty:
		return fmt.Errorf("icebergQty is %v, want less than the quantity of %v", t.Iceberg, qty)
	}
	switch {
	case t.Peg > PegMarket || t.PegLevels < 0 || t.PegLevels > 100 || t.Peg == PegNone && t.PegLevels != 0:
		return fmt.Errorf("peg is %d with %d levels, want a peg and 0 to 100 levels", t.Peg, t.PegLevels)
	case t.Peg != PegNone && !priced:
		return fmt.Errorf("peg is %s, want none for %s", pegText[t.Peg], t.Type)
	case t.Peg == PegMarket && t.Type == core.LimitMaker:
		return fmt.Errorf("peg is %s, want %s for %s", pegText[t.Peg], pegText[PegPrimary], t.Type)
	case t.Peg == PegPrimary && t.Type == core.Limit && t.TIF != core.GTC:
		return fmt.Errorf("timeInForce is %s, want GTC for LIMIT with %s", t.TIF, pegText[t.Peg])
	}
	return nil
}

// plainID: the characters that the venue takes in a client id.
func plainID(b []byte) bool {
	for _, c := range b {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' && c != '_' {
			return false
		}
	}
	return len(b) > 0
}

// add appends the terms; prefix is "" for an order alone, else that of the leg, such
// as "above" in aboveStopPrice.
func (t *Terms) add(p *Params, prefix string) {
	name := func(s string) string {
		if prefix == "" {
			return s
		}
		return prefix + string(s[0]-'a'+'A') + s[1:]
	}
	p.Text(name("type"), t.Type.String())
	if t.limitKind() {
		p.Text(name("timeInForce"), t.TIF.String())
	}
	p.DecimalIf(name("price"), int64(t.Price)).DecimalIf(name("stopPrice"), int64(t.Stop))
	p.IntIf(name("trailingDelta"), int64(t.Trail)).DecimalIf(name("icebergQty"), int64(t.Iceberg))
	p.IntIf(name("strategyId"), t.StrategyID).IntIf(name("strategyType"), t.StrategyType)
	p.Text(name("pegPriceType"), pegText[t.Peg])
	if t.PegLevels != 0 {
		p.Text(name("pegOffsetType"), "PRICE_LEVEL").Int(name("pegOffsetValue"), int64(t.PegLevels))
	}
	id := "newClientOrderId"
	if prefix != "" {
		id = prefix + "ClientOrderId"
	}
	p.Text(id, t.Client.String())
}

func (o *OrderRequest) check() error {
	switch {
	case o.Symbol == "":
		return fmt.Errorf("symbol is missing")
	case o.Side > core.Sell || o.STP > core.STPTransfer || o.Detail > DetailFULL:
		return fmt.Errorf("side is %d, STP mode %d, detail %d: want known ones", o.Side, o.STP, o.Detail)
	case o.Qty < 0 || o.QuoteQty < 0 || o.Qty == 0 && o.QuoteQty == 0:
		return fmt.Errorf("quantity is %v and quoteOrderQty %v, want one above 0", o.Qty, o.QuoteQty)
	case o.QuoteQty != 0 && (o.Type != core.MarketOrder || o.Qty != 0):
		return fmt.Errorf("quoteOrderQty is %v, want none for %s of %v", o.QuoteQty, o.Type, o.Qty)
	}
	return o.Terms.check(o.Qty)
}

// call lays out the order as a call to path; check comes first.
func (o *OrderRequest) call(path string, weight int) (*call, error) {
	c := &call{method: "POST", path: path, weight: weight, sec: signed, once: true}
	if err := o.check(); err != nil {
		return c, err
	}
	p := &c.params
	p.Text("symbol", o.Symbol).Text("side", o.Side.String())
	o.add(p, "")
	p.DecimalIf("quantity", int64(o.Qty)).DecimalIf("quoteOrderQty", int64(o.QuoteQty))
	p.Text("selfTradePreventionMode", o.STP.String()).Text("newOrderRespType", detailText[o.Detail])
	return c, c.live(o.Life)
}

// live sets the call's recvWindow, if it has one of its own.
func (c *call) live(d time.Duration) (err error) {
	if d != 0 {
		c.window, err = windowText(d)
	}
	return err
}
