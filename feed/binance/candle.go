package binance

import (
	"riposte/core"
)

// The fast road's readers of payloads that are mostly a run of decimals; see
// fast.go.

func level(p, q int64) core.Level { return core.Level{Price: core.Price(p), Qty: core.Qty(q)} }

// candle: {"e":"kline","E":1,"s":S,"k":{"t":1,"T":1,"s":S,"i":"1m","f":1,"L":1,
// "o":..,"c":..,"h":..,"l":..,"v":..,"n":1,"x":false,"q":..,"V":..,"Q":..,
// "B":".."}}. An interval without trades has f and L at -1 and goes the long way.
func (d *Decoder) candle(b []byte, t *template, ev *core.Event, lv []core.Level) (n, next int) {
	_, i := number(b, int(t.route.At))
	if i = t.passMid(b, i); i < 0 || cap(lv) < 4 {
		return 0, -1
	}
	var open, end, first, last, trades int64
	if open, i = d.time(b, i); i < 0 || !lit(b, i, `,"T":`) {
		return 0, -1
	}
	if end, i = d.time(b, i+5); i < 0 {
		return 0, -1
	}
	if i = t.passMid2(b, i); i < 0 {
		return 0, -1
	}
	if first, i = number(b, i); i < 0 || !lit(b, i, `,"L":`) {
		return 0, -1
	}
	if last, i = number(b, i+5); i < 0 || !lit(b, i, `,"o":"`) {
		return 0, -1
	}
	var p [5]int64 // open, close, high, low, volume
	if i = decimals(b, i+6, "chlv", p[:]); i < 0 || !lit(b, i, `,"n":`) {
		return 0, -1
	}
	if trades, i = number(b, i+5); i < 0 {
		return 0, -1
	}
	ev.Flags = 0
	if lit(b, i, `,"x":true`) {
		ev.Flags, i = core.FlagClosed, i+9
	} else if i = pass(b, i, `,"x":false`); i < 0 {
		return 0, -1
	}
	var q [3]int64
	if !lit(b, i, `,"q":"`) {
		return 0, -1
	}
	if i = decimals(b, i+6, "VQ", q[:]); i < 0 || !lit(b, i, `,"B":"`) {
		return 0, -1
	}
	if i = plainText(b, i+6); i < 0 {
		return 0, -1
	}
	ev.Kind, ev.Bids, ev.Asks = core.Kline, 4, 0
	ev.ID, ev.W = uint64(last), [4]int64{open, end, trades, first}
	lv = lv[:4]
	lv[0], lv[1], lv[2], lv[3] = level(p[0], p[2]), level(p[3], p[1]), level(p[4], q[0]), level(q[1], q[2])
	return 4, pass(b, i, `}}`)
}

// ticker: spot {"e":"24hrTicker","E":1,"s":S,"p":..,"P":..,"w":..,"x":..,"c":..,
// "Q":..,"b":..,"B":..,"a":..,"A":..,"o":..,"h":..,"l":..,"v":..,"q":..,"O":1,
// "C":1,"F":1,"L":1,"n":1}; futures have no x, b, B, a and A.
func (d *Decoder) ticker(b []byte, t *template, ev *core.Event, lv []core.Level) (n, next int) {
	at, i := d.time(b, int(t.route.At))
	if i = t.passMid(b, i); i < 0 || cap(lv) < 4 {
		return 0, -1
	}
	// The changes p and P have a sign and are not read.
	if i = plainText(b, i); i < 0 || !lit(b, i, `,"P":"`) {
		return 0, -1
	}
	if i = plainText(b, i+6); i < 0 || !lit(b, i, `,"w":"`) {
		return 0, -1
	}
	if i = plainText(b, i+6); i < 0 {
		return 0, -1
	}
	var p [11]int64 // c Q b B a A o h l v q
	if lit(b, i, `,"x":"`) {
		if i = plainText(b, i+6); i < 0 || !lit(b, i, `,"c":"`) {
			return 0, -1
		}
		i = decimals(b, i+6, "QbBaAohlvq", p[:])
	} else if lit(b, i, `,"c":"`) {
		i = decimals(b, i+6, "Qohlvq", p[:7])
		copy(p[6:], p[2:7])
		p[2], p[3], p[4], p[5] = 0, 0, 0, 0
	} else {
		return 0, -1
	}
	if i < 0 {
		return 0, -1
	}
	var last, trades int64
	for _, key := range [...]string{`,"O":`, `,"C":`, `,"F":`, `,"L":`, `,"n":`} {
		if !lit(b, i, key) {
			return 0, -1
		}
		last = trades
		if trades, i = number(b, i+5); i < 0 {
			return 0, -1
		}
	}
	ev.Kind, ev.Flags, ev.Bids, ev.Asks = core.Ticker24h, 0, 4, 0
	ev.ID, ev.W = uint64(last), [4]int64{at, p[0], p[6], trades}
	lv = lv[:4]
	lv[0], lv[1], lv[2], lv[3] = level(p[7], p[8]), level(p[9], p[10]), level(p[2], p[3]), level(p[4], p[5])
	return 4, pass(b, i, `}`)
}

// mini: {"e":"24hrMiniTicker","E":1,"s":S,"c":..,"o":..,"h":..,"l":..,"v":..,"q":..}.
func (d *Decoder) mini(b []byte, t *template, ev *core.Event, lv []core.Level) (n, next int) {
	at, i := d.time(b, int(t.route.At))
	if i = t.passMid(b, i); i < 0 || cap(lv) < 2 {
		return 0, -1
	}
	var p [6]int64 // c o h l v q
	if i = decimals(b, i, "ohlvq", p[:]); i < 0 {
		return 0, -1
	}
	ev.Kind, ev.Flags, ev.Bids, ev.Asks = core.MiniTicker, 0, 2, 0
	ev.ID, ev.W = 0, [4]int64{at, p[0], p[1]}
	lv = lv[:2]
	lv[0], lv[1] = level(p[2], p[3]), level(p[4], p[5])
	return 2, pass(b, i, `}`)
}

// plainText passes text of digits, points and minus signs, and the quote behind it:
// what is not read need not be a number, but must be a string.
func plainText(b []byte, i int) int {
	for i < len(b) && (b[i]-'-' <= '9'-'-') {
		i++
	}
	if i >= len(b) || b[i] != '"' {
		return -1
	}
	return i + 1
}
