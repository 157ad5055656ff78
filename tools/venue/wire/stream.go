package wire

import (
	"strconv"

	"riposte/tools/venue/exchange"
)

// Unit is the time unit of a connection.
type Unit uint8

// The time units; the zero value is the default everywhere.
const (
	Milli Unit = iota
	Micro
)

// AppendTime appends a time in the unit; milliseconds are rounded down.
func (u Unit) AppendTime(dst []byte, t exchange.Micros) []byte {
	if u == Milli {
		t /= 1000
	}
	return strconv.AppendInt(dst, t, 10)
}

// key appends ,"name": without checking name, which is a constant.
func key(dst []byte, name string) []byte {
	dst = append(dst, `,"`...)
	dst = append(dst, name...)
	return append(dst, `":`...)
}

func str(dst []byte, name, v string) []byte {
	dst = append(key(dst, name), '"')
	dst = appendEscaped(dst, v)
	return append(dst, '"')
}

func num(dst []byte, name string, v int64) []byte {
	return strconv.AppendInt(key(dst, name), v, 10)
}

func fix(dst []byte, name string, v exchange.Fixed) []byte {
	dst = append(key(dst, name), '"')
	dst = exchange.AppendFixed(dst, v)
	return append(dst, '"')
}

func yes(dst []byte, name string, v bool) []byte { return strconv.AppendBool(key(dst, name), v) }

// appendEscaped appends s as the inside of a JSON string. Symbols may be any
// UTF-8; quotes, backslashes and control bytes are escaped.
func appendEscaped(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < 0x20:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// head starts an event: its type, event time and symbol.
func head(dst []byte, e string, now exchange.Micros, symbol string, u Unit) []byte {
	dst = append(dst, `{"e":"`...)
	dst = append(dst, e...)
	dst = append(dst, `","E":`...)
	return str(u.AppendTime(dst, now), "s", symbol)
}

// OpenCombined starts the wrapper of a combined stream; the payload and
// CloseCombined follow.
func OpenCombined(dst []byte, stream string) []byte {
	dst = append(dst, `{"stream":"`...)
	dst = appendEscaped(dst, stream)
	return append(dst, `","data":`...)
}

// CloseCombined ends the wrapper.
func CloseCombined(dst []byte) []byte { return append(dst, '}') }

// AppendTrade appends a trade event. now is the event time.
func AppendTrade(dst []byte, t *exchange.Trade, now exchange.Micros, u Unit) []byte {
	dst = head(dst, "trade", now, t.Symbol, u)
	dst = num(dst, "t", t.ID)
	dst = fix(dst, "p", t.Price)
	dst = fix(dst, "q", t.Qty)
	dst = u.AppendTime(key(dst, "T"), t.Time)
	dst = yes(dst, "m", t.BuyerIsMaker)
	return append(dst, `,"M":true}`...)
}

// AppendAggTrade appends an aggTrade event.
func AppendAggTrade(dst []byte, a *exchange.AggTrade, now exchange.Micros, u Unit) []byte {
	dst = head(dst, "aggTrade", now, a.Symbol, u)
	dst = num(dst, "a", a.ID)
	dst = fix(dst, "p", a.Price)
	dst = fix(dst, "q", a.Qty)
	dst = num(dst, "f", a.FirstID)
	dst = num(dst, "l", a.LastID)
	dst = u.AppendTime(key(dst, "T"), a.Time)
	dst = yes(dst, "m", a.BuyerIsMaker)
	return append(dst, `,"M":true}`...)
}

// AppendBookTicker appends a bookTicker event, which has neither e nor E.
func AppendBookTicker(dst []byte, t *exchange.Top) []byte {
	dst = append(dst, `{"u":`...)
	dst = strconv.AppendInt(dst, t.UpdateID, 10)
	dst = str(dst, "s", t.Symbol)
	dst = fix(dst, "b", t.Bid.Price)
	dst = fix(dst, "B", t.Bid.Qty)
	dst = fix(dst, "a", t.Ask.Price)
	dst = fix(dst, "A", t.Ask.Qty)
	return append(dst, '}')
}

// AppendLevels appends levels as [["price","qty"],...].
func AppendLevels(dst []byte, ls []exchange.Level) []byte {
	dst = append(dst, '[')
	for i := range ls {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `["`...)
		dst = exchange.AppendFixed(dst, ls[i].Price)
		dst = append(dst, `","`...)
		dst = exchange.AppendFixed(dst, ls[i].Qty)
		dst = append(dst, `"]`...)
	}
	return append(dst, ']')
}

// AppendDepthUpdate appends a depthUpdate event.
func AppendDepthUpdate(dst []byte, d *exchange.DepthDiff, now exchange.Micros, u Unit) []byte {
	dst = head(dst, "depthUpdate", now, d.Symbol, u)
	dst = num(dst, "U", d.First)
	dst = num(dst, "u", d.Last)
	dst = AppendLevels(key(dst, "b"), d.Bids)
	dst = AppendLevels(key(dst, "a"), d.Asks)
	return append(dst, '}')
}

// AppendDepth appends a partial depth event or the body of a depth snapshot,
// which are the same text. Levels are best first.
func AppendDepth(dst []byte, lastUpdateID int64, bids, asks []exchange.Level) []byte {
	dst = append(dst, `{"lastUpdateId":`...)
	dst = strconv.AppendInt(dst, lastUpdateID, 10)
	dst = AppendLevels(key(dst, "bids"), bids)
	dst = AppendLevels(key(dst, "asks"), asks)
	return append(dst, '}')
}

// AppendKline appends a kline event.
func AppendKline(dst []byte, k *exchange.Kline, now exchange.Micros, u Unit) []byte {
	dst = head(dst, "kline", now, k.Symbol, u)
	dst = append(key(dst, "k"), `{"t":`...)
	dst = u.AppendTime(dst, k.OpenTime)
	dst = u.AppendTime(key(dst, "T"), k.CloseTime)
	dst = str(dst, "s", k.Symbol)
	dst = str(dst, "i", k.Interval.String())
	dst = num(dst, "f", k.FirstID)
	dst = num(dst, "L", k.LastID)
	dst = fix(dst, "o", k.Open)
	dst = fix(dst, "c", k.Close)
	dst = fix(dst, "h", k.High)
	dst = fix(dst, "l", k.Low)
	dst = fix(dst, "v", k.Volume)
	dst = num(dst, "n", k.Trades)
	dst = yes(dst, "x", k.Closed)
	dst = fix(dst, "q", k.Quote)
	dst = fix(dst, "V", k.TakerBase)
	dst = fix(dst, "Q", k.TakerQuote)
	return append(dst, `,"B":"0"}}`...)
}
