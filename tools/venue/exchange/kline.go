package exchange

import (
	"sort"
	"time"
)

// Interval is a kline interval; String is its name on the wire.
type Interval uint8

// The kline intervals. The zero value is none of them.
const (
	Interval1s Interval = iota + 1
	Interval1m
	Interval3m
	Interval5m
	Interval15m
	Interval30m
	Interval1h
	Interval2h
	Interval4h
	Interval6h
	Interval8h
	Interval12h
	Interval1d
	Interval3d
	Interval1w
	Interval1M
)

var intervalNames = [...]string{"", "1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M"}

var intervalWidths = [...]Micros{0, second, minute, 3 * minute, 5 * minute, 15 * minute, 30 * minute, 60 * minute, 120 * minute,
	240 * minute, 360 * minute, 480 * minute, 720 * minute, Day, 3 * Day, 7 * Day, 0}

// String is the name on the wire.
func (v Interval) String() string { return name(intervalNames[:], v) }

// ParseInterval finds an interval by its name; names are case-sensitive.
func ParseInterval(s string) (Interval, bool) { return parseName[Interval](intervalNames[:], s) }

// openOf is when the bar that holds t opens; bars are aligned to UTC + offset,
// weeks to Monday, months to their first day.
func (v Interval) openOf(t, offset Micros) Micros {
	t += offset
	if v == Interval1M {
		u := time.UnixMicro(t).UTC()
		return time.Date(u.Year(), u.Month(), 1, 0, 0, 0, 0, time.UTC).UnixMicro() - offset
	}
	var shift Micros
	if v == Interval1w {
		shift = 4 * Day // the epoch was a Thursday
	}
	w := intervalWidths[v]
	return t - (t-shift)%w - offset
}

// next is when the bar after the one opening at open opens.
func (v Interval) next(open, offset Micros) Micros {
	if v == Interval1M {
		u := time.UnixMicro(open + offset).UTC()
		return time.Date(u.Year(), u.Month()+1, 1, 0, 0, 0, 0, time.UTC).UnixMicro() - offset
	}
	return open + intervalWidths[v]
}

func (t *trades) source(v Interval) []bar {
	if v == Interval1s {
		return t.seconds
	}
	return t.minutes
}

// Klines are bars of a symbol, oldest first, the running one included. Bars
// without trades repeat the close before them; bars before the first trade kept
// do not exist.
func (x *Exchange) Klines(symbol string, q KlineQuery) ([]Kline, *Reject) {
	in := x.byName[symbol]
	if in == nil {
		return nil, rejectSymbol()
	}
	if q.Interval < Interval1s || q.Interval > Interval1M {
		return nil, reject(codeBadInterval, "Invalid interval.")
	}
	out := []Kline{}
	src := in.tape.source(q.Interval)
	if len(src) == 0 {
		return out, nil
	}
	limit := clampLimit(q.Limit)
	oldest := q.Interval.openOf(src[0].open, q.Offset)
	end := q.Interval.openOf(x.now, q.Offset)
	if q.EndTime.Set && q.EndTime.V < end {
		end = q.Interval.openOf(q.EndTime.V, q.Offset)
	}
	var open Micros
	if q.StartTime.Set {
		open = q.Interval.openOf(max(q.StartTime.V, oldest), q.Offset)
		if open < q.StartTime.V {
			open = q.Interval.next(open, q.Offset)
		}
	} else {
		open = end
		for i := 1; i < limit && open > oldest; i++ {
			open = q.Interval.openOf(open-1, q.Offset)
		}
	}
	open = max(open, oldest)
	for ; open <= end && len(out) < limit; open = q.Interval.next(open, q.Offset) {
		out = append(out, in.kline(src, q.Interval, open, q.Offset))
	}
	return out, nil
}

// CurrentKline is the bar that holds Now; false for an unknown symbol, or while
// there was no trade at all.
func (x *Exchange) CurrentKline(symbol string, v Interval, offset Micros) (Kline, bool) {
	return x.KlineAt(symbol, v, offset, x.now)
}

// KlineAt is the bar that holds a time, so that the last state of a bar can
// still be told after it closed. False as for CurrentKline, or before the oldest bar.
func (x *Exchange) KlineAt(symbol string, v Interval, offset, t Micros) (Kline, bool) {
	in := x.byName[symbol]
	if in == nil || v < Interval1s || v > Interval1M {
		return Kline{}, false
	}
	src := in.tape.source(v)
	open := v.openOf(min(t, x.now), offset)
	if len(src) == 0 || v.next(open, offset) <= src[0].open {
		return Kline{}, false
	}
	return in.kline(src, v, open, offset), true
}

// kline sums the source bars of one bar.
func (in *instrument) kline(src []bar, v Interval, open, offset Micros) Kline {
	next := v.next(open, offset)
	i := sort.Search(len(src), func(i int) bool { return src[i].open >= open })
	b := bar{open: open}
	for j := i; j < len(src) && src[j].open < next; j++ {
		b.join(&src[j])
	}
	k := Kline{
		Symbol: in.sym.Name, Interval: v, OpenTime: open, CloseTime: next - 1, Open: b.o, High: b.h, Low: b.l, Close: b.c,
		Volume: b.vol, Quote: b.quote, TakerBase: b.takerBase, TakerQuote: b.takerQuote, Trades: b.count,
		FirstID: b.firstID, LastID: b.lastID, Closed: in.x.now >= next,
	}
	if b.count == 0 {
		k.FirstID, k.LastID = -1, -1
		if i > 0 {
			c := src[i-1].c
			k.Open, k.High, k.Low, k.Close = c, c, c, c
		}
	}
	return k
}
