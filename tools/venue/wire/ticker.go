package wire

import "riposte/tools/venue/exchange"

// AppendTicker appends a 24hrTicker event.
func AppendTicker(dst []byte, t *exchange.Ticker, now exchange.Micros, u Unit) []byte {
	dst = head(dst, "24hrTicker", now, t.Symbol, u)
	dst = fix(dst, "p", t.Change)
	dst = percent(dst, "P", t.ChangePct)
	dst = fix(dst, "w", t.VWAP)
	dst = fix(dst, "x", t.PrevClose)
	dst = fix(dst, "c", t.Last)
	dst = fix(dst, "Q", t.LastQty)
	dst = fix(dst, "b", t.Bid.Price)
	dst = fix(dst, "B", t.Bid.Qty)
	dst = fix(dst, "a", t.Ask.Price)
	dst = fix(dst, "A", t.Ask.Qty)
	dst = fix(dst, "o", t.Open)
	dst = fix(dst, "h", t.High)
	dst = fix(dst, "l", t.Low)
	return window(dst, t, u)
}

// AppendWindowTicker appends a rolling window ticker; event is "1hTicker",
// "4hTicker" or "1dTicker".
func AppendWindowTicker(dst []byte, event string, t *exchange.Ticker, now exchange.Micros, u Unit) []byte {
	dst = head(dst, event, now, t.Symbol, u)
	dst = fix(dst, "p", t.Change)
	dst = percent(dst, "P", t.ChangePct)
	dst = fix(dst, "o", t.Open)
	dst = fix(dst, "h", t.High)
	dst = fix(dst, "l", t.Low)
	dst = fix(dst, "c", t.Last)
	dst = fix(dst, "w", t.VWAP)
	return window(dst, t, u)
}

func window(dst []byte, t *exchange.Ticker, u Unit) []byte {
	dst = fix(dst, "v", t.Volume)
	dst = fix(dst, "q", t.Quote)
	dst = u.AppendTime(key(dst, "O"), t.OpenTime)
	dst = u.AppendTime(key(dst, "C"), t.CloseTime)
	dst = num(dst, "F", t.FirstID)
	dst = num(dst, "L", t.LastID)
	dst = num(dst, "n", t.Count)
	return append(dst, '}')
}

// AppendMiniTicker appends a 24hrMiniTicker event.
func AppendMiniTicker(dst []byte, t *exchange.Ticker, now exchange.Micros, u Unit) []byte {
	dst = head(dst, "24hrMiniTicker", now, t.Symbol, u)
	dst = fix(dst, "c", t.Last)
	dst = fix(dst, "o", t.Open)
	dst = fix(dst, "h", t.High)
	dst = fix(dst, "l", t.Low)
	dst = fix(dst, "v", t.Volume)
	dst = fix(dst, "q", t.Quote)
	return append(dst, '}')
}

// AppendAvgPrice appends an avgPrice event.
func AppendAvgPrice(dst []byte, a *exchange.AvgPrice, now exchange.Micros, u Unit) []byte {
	dst = head(dst, "avgPrice", now, a.Symbol, u)
	dst = append(key(dst, "i"), `"5m"`...)
	dst = fix(dst, "w", a.Price)
	dst = u.AppendTime(key(dst, "T"), a.CloseTime)
	return append(dst, '}')
}

// AppendPercent appends a percentage scaled 1e-8 with the three decimals the
// venue prints, towards zero.
func AppendPercent(dst []byte, v exchange.Fixed) []byte {
	const drop = 100_000
	if v > -drop && v < 0 {
		v = 0 // not "-0.000"
	}
	dst = exchange.AppendFixed(dst, v-v%drop)
	return dst[:len(dst)-5]
}

func percent(dst []byte, name string, v exchange.Fixed) []byte {
	dst = append(key(dst, name), '"')
	return append(AppendPercent(dst, v), '"')
}
