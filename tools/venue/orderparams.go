package venue

import "riposte/tools/venue/exchange"

var orderParams = append([]string{"symbol", "side", "type", "quantity", "quoteOrderQty", "newClientOrderId", "newOrderRespType",
	"selfTradePreventionMode", "computeCommissionRates"}, legParams("")...)

// legParam is a parameter's name in the request of a leg: "price" of leg "above" is "abovePrice", of no leg "price".
func legParam(leg, name string) string {
	if leg == "" {
		return name
	}
	return leg + string(name[0]-'a'+'A') + name[1:]
}

// legNames are the parameters that a single order and a leg of a list share.
var legNames = []string{"timeInForce", "price", "stopPrice", "trailingDelta", "icebergQty", "strategyId", "strategyType",
	"pegPriceType", "pegOffsetType", "pegOffsetValue"}

func legParams(leg string) []string {
	out := make([]string, 0, len(legNames))
	for _, n := range legNames {
		out = append(out, legParam(leg, n))
	}
	return out
}

// newOrder reads the parameters of order.place. What each type needs and may not have is the exchange's to say.
func (c *call) newOrder() (*exchange.NewOrder, *apiError) {
	r := &exchange.NewOrder{}
	var err *apiError
	if r.Symbol, err = c.symbol(); err != nil {
		return nil, err
	}
	if r.Side, err = c.side("side"); err != nil {
		return nil, err
	}
	if r.Type, err = c.orderType("type"); err != nil {
		return nil, err
	}
	if r.Quantity, err = c.fixed("quantity"); err != nil {
		return nil, err
	}
	if r.QuoteOrderQty, err = c.fixed("quoteOrderQty"); err != nil {
		return nil, err
	}
	if r.ClientOrderID, err = c.clientID("newClientOrderId"); err != nil {
		return nil, err
	}
	if r.STP, err = c.stpMode(); err != nil {
		return nil, err
	}
	return r, c.leg(r)
}

// leg reads what a single order and a leg of a list share, under the names of r.Leg.
func (c *call) leg(r *exchange.NewOrder) *apiError {
	name := func(n string) string { return legParam(r.Leg, n) }
	if v, ok, err := c.text(name("timeInForce")); err != nil {
		return err
	} else if ok {
		if r.TimeInForce, ok = exchange.ParseTimeInForce(v); !ok {
			return bad(-1115, "Invalid timeInForce.")
		}
	}
	for _, f := range []struct {
		name string
		dst  *exchange.Opt
		read func(string) (exchange.Opt, *apiError)
	}{{"price", &r.Price, c.fixed}, {"stopPrice", &r.StopPrice, c.fixed}, {"icebergQty", &r.IcebergQty, c.fixed},
		{"trailingDelta", &r.TrailingDelta, c.int}, {"strategyId", &r.StrategyID, c.int}, {"strategyType", &r.StrategyType, c.int},
		{"pegOffsetValue", &r.Peg.Value, c.int}} {
		var err *apiError
		if *f.dst, err = f.read(name(f.name)); err != nil {
			return err
		}
	}
	if r.StrategyType.Set && r.StrategyType.V < 1_000_000 {
		return bad(-1134, "`strategyType` was less than 1000000.")
	}
	return c.peg(r, name("pegPriceType"), name("pegOffsetType"))
}

func (c *call) peg(r *exchange.NewOrder, price, offset string) *apiError {
	if v, ok, err := c.text(price); err != nil {
		return err
	} else if ok {
		if r.Peg.Price, ok = exchange.ParsePegPrice(v); !ok {
			return bad(-1210, "Invalid pegPriceType.")
		}
	}
	v, ok, err := c.text(offset)
	if ok && err == nil {
		if r.Peg.Offset, ok = exchange.ParsePegOffset(v); !ok {
			return bad(-1211, "Invalid pegOffsetType.")
		}
	}
	return err
}

func (c *call) side(name string) (exchange.Side, *apiError) {
	v, err := c.need(name)
	if err != nil {
		return 0, err
	}
	side, ok := exchange.ParseSide(v)
	if !ok {
		return 0, bad(-1117, "Invalid side.")
	}
	return side, nil
}

func (c *call) orderType(name string) (exchange.OrderType, *apiError) {
	v, err := c.need(name)
	if err != nil {
		return 0, err
	}
	typ, ok := exchange.ParseOrderType(v)
	if !ok {
		return 0, bad(-1116, "Invalid orderType.")
	}
	return typ, nil
}

func (c *call) stpMode() (exchange.STPMode, *apiError) {
	v, ok, err := c.text("selfTradePreventionMode")
	if err != nil || !ok {
		return 0, err
	}
	m, ok := exchange.ParseSTPMode(v)
	if !ok {
		return 0, bad(-1130, "Data sent for parameter 'selfTradePreventionMode' is not valid.")
	}
	return m, nil
}
