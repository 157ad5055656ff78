package venue

import (
	"fmt"

	"riposte/tools/venue/exchange"
)

// Execution rules and reference prices (Binance Spot API docs, 2026-07-21). A symbol has a rule if Config.PriceRanges
// gives it one; its reference price is set from outside, as EXTERNAL calculation 0 ("manual"), by SetReferencePrice.

func rulesWeight(c *call) int {
	if c.p.has("symbol") {
		return 2
	}
	sel, err := c.selected()
	if err != nil || !c.p.has("symbols") {
		return 40
	}
	return min(40, 2*len(sel.names))
}

func executionRules(c *call, b []byte) ([]byte, *apiError) {
	sel, err := c.selected()
	if err != nil {
		return b, err
	}
	if c.p.has("symbolStatus") && (c.p.has("symbol") || c.p.has("symbols")) {
		return b, bad(-1128, "Combination of optional parameters invalid.")
	}
	var ranges []exchange.PriceRange
	if err = c.engine(func(x *exchange.Exchange, _ int64) *apiError {
		if err := sel.apply(x); err != nil {
			return err
		}
		for _, n := range sel.names {
			sym, _ := x.Symbol(n)
			ranges = append(ranges, sym.Range)
		}
		return nil
	}); err != nil {
		return b, err
	}
	w := enc{b: b}
	w.open('{')
	w.key("symbolRules")
	w.open('[')
	for i, n := range sel.names {
		r := ranges[i]
		if r == (exchange.PriceRange{}) {
			continue
		}
		w.open('{')
		w.str("symbol", n)
		w.key("rules")
		w.open('[')
		w.open('{')
		w.str("ruleType", "PRICE_RANGE")
		for _, m := range []struct {
			name string
			v    int64
		}{{"bidLimitMultUp", r.BidUp}, {"bidLimitMultDown", r.BidDown}, {"askLimitMultUp", r.AskUp}, {"askLimitMultDown", r.AskDown}} {
			if m.v > 0 { // a missing multiplier bounds nothing
				w.plain(m.name, m.v)
			}
		}
		w.close('}')
		w.close(']')
		w.close('}')
	}
	w.close(']')
	w.close('}')
	return w.b, nil
}

// reference asks for a symbol's reference price; -2043 if it never had one.
func (c *call) reference() (symbol string, price exchange.Opt, at int64, err *apiError) {
	if symbol, err = c.market(); err != nil {
		return
	}
	err = c.engine(func(x *exchange.Exchange, _ int64) *apiError {
		if price, at = x.Reference(symbol); at == 0 {
			return bad(-2043, "This symbol doesn't have a reference price.")
		}
		return nil
	})
	return
}

func referencePrice(c *call, b []byte) ([]byte, *apiError) {
	symbol, price, at, err := c.reference()
	if err != nil {
		return b, err
	}
	w := enc{b: b, us: c.us}
	w.open('{')
	w.str("symbol", symbol)
	if price.Set {
		w.fixed("referencePrice", price.V)
	} else {
		w.raw("referencePrice", []byte("null"))
	}
	w.time("timestamp", at)
	w.close('}')
	return w.b, nil
}

func referenceCalculation(c *call, b []byte) ([]byte, *apiError) {
	symbol, _, _, err := c.reference()
	if err != nil {
		return b, err
	}
	w := enc{b: b}
	w.open('{')
	w.str("symbol", symbol)
	w.str("calculationType", "EXTERNAL")
	w.int("externalCalculationId", 0)
	w.close('}')
	return w.b, nil
}

// SetReferencePrice gives a symbol a reference price, a decimal text; "" makes it null.
func (s *Server) SetReferencePrice(symbol, price string) error {
	var ref exchange.Opt
	if price != "" {
		v, err := exchange.ParseFixed(price)
		if err != nil || v == 0 {
			return fmt.Errorf("cannot set the reference price of %s: got %q, want a price above 0", symbol, price)
		}
		ref = exchange.Some(v)
	}
	var rej *exchange.Reject
	if !s.loop.do(func(now int64) { rej = s.x.SetReference(now, symbol, ref) }) {
		return errVenueClosed
	}
	if rej != nil {
		return fmt.Errorf("cannot set the reference price of %q: %s", symbol, rej.Msg)
	}
	return nil
}
