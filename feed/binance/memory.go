package binance

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"github.com/valyala/fastjson"

	"riposte/core"
	"riposte/core/bar"
	"riposte/core/trail"
)

// ParseMemory reads what the venue remembers: the body of GET /api/v3/trades,
// historicalTrades, aggTrades or klines, as asked for, with times in unit (REST tells
// milliseconds unless asked otherwise). Unknown fields and longer rows are legal. Cold
// path, any goroutine.
func ParseMemory(body []byte, a *trail.Ask, unit core.TimeUnit) (*trail.Answer, error) {
	fail := func(err error) (*trail.Answer, error) { return nil, fmt.Errorf("cannot read %s: %w", a.Kind, err) }
	// fastjson lets some non-JSON pass; the library's check is cheap out here.
	if !json.Valid(body) {
		return fail(errNotJSON)
	}
	var p fastjson.Parser
	v, err := p.ParseBytes(body)
	if err != nil {
		return fail(err)
	}
	rows, err := v.Array()
	if err != nil {
		return fail(fmt.Errorf("got %s, want an array", clip(v)))
	}
	if len(rows) > trail.PageMax {
		return fail(fmt.Errorf("got %d rows, want at most %d", len(rows), trail.PageMax))
	}
	out := &trail.Answer{Ask: *a}
	for i, row := range rows {
		switch a.Kind {
		case trail.AskKlines:
			err = pastKline(row, out, unit)
		case trail.AskAggs:
			err = pastAgg(row, out, unit)
		default:
			err = pastTrade(row, out, unit)
		}
		if err != nil {
			return fail(fmt.Errorf("row %d: %w", i, err))
		}
	}
	return out, nil
}

// pastTrade reads {"id":1,"price":"..","qty":"..","quoteQty":"..","time":1,
// "isBuyerMaker":true,"isBestMatch":true}.
func pastTrade(v *fastjson.Value, out *trail.Answer, unit core.TimeUnit) error {
	id, err := wholeNumber(v, "id")
	if err != nil {
		return err
	}
	ev := core.Event{Kind: core.Trade, Instrument: out.Instrument, ID: uint64(id)}
	if err := deal(v, &ev, "price", "qty", "time", "isBuyerMaker", unit); err != nil {
		return err
	}
	return inOrder(out, &ev)
}

// pastAgg reads {"a":1,"p":"..","q":"..","f":1,"l":1,"T":1,"m":true,"M":true}. Rows
// without trades have p and q at 0, f and l at -1 (Binance Spot API docs, 2026-07-21).
func pastAgg(v *fastjson.Value, out *trail.Answer, unit core.TimeUnit) error {
	id, err := wholeNumber(v, "a")
	if err != nil {
		return err
	}
	ev := core.Event{Kind: core.AggTrade, Instrument: out.Instrument, ID: uint64(id), Bids: 1}
	if err := deal(v, &ev, "p", "q", "T", "m", unit); err != nil {
		return err
	}
	first, last := v.GetInt64("f"), v.GetInt64("l")
	switch {
	case first < 0 && last < 0:
		ev.W[1] = 0
	case !v.Exists("f") || first < 0 || last < first:
		return fmt.Errorf("got trade ids %s to %s, want the first not above the last", clip(v.Get("f")), clip(v.Get("l")))
	}
	ev.W[3] = first
	out.Levels = append(out.Levels, core.Level{Price: core.Price(last)})
	return inOrder(out, &ev)
}

// deal reads what trades and aggregates have in common.
func deal(v *fastjson.Value, ev *core.Event, price, qty, at, maker string, unit core.TimeUnit) (err error) {
	if ev.W[0], err = decimalField(v, price); err != nil {
		return err
	}
	if ev.W[1], err = decimalField(v, qty); err != nil {
		return err
	}
	if ev.W[2], err = timeField(v, at, unit); err != nil {
		return err
	}
	m := v.Get(maker)
	if m == nil || m.Type() != fastjson.TypeTrue && m.Type() != fastjson.TypeFalse {
		return fmt.Errorf("%s: got %s, want true or false", maker, clip(m))
	}
	if m.Type() == fastjson.TypeTrue {
		ev.Flags = core.FlagBuyerMaker
	}
	return nil
}

func inOrder(out *trail.Answer, ev *core.Event) error {
	if n := len(out.Events); n > 0 && ev.ID <= out.Events[n-1].ID {
		return fmt.Errorf("id %d comes after %d", ev.ID, out.Events[n-1].ID)
	}
	out.Events = append(out.Events, *ev)
	return nil
}

func timeField(v *fastjson.Value, key string, unit core.TimeUnit) (int64, error) {
	n, err := wholeNumber(v, key)
	if err != nil {
		return 0, err
	}
	return inNanoseconds(n, unit)
}

func inNanoseconds(n int64, unit core.TimeUnit) (int64, error) {
	ns, ok := nanoseconds(n, unit.Ns(), math.MaxInt64/2/unit.Ns()) // half: a bar's end must fit too
	if !ok {
		return 0, fmt.Errorf("time %d does not fit", n)
	}
	return ns, nil
}

// pastKline reads [openTime,"o","h","l","c","volume",closeTime,"quoteVolume",trades,
// "takerBase","takerQuote","0"].
func pastKline(v *fastjson.Value, out *trail.Answer, unit core.TimeUnit) error {
	row, err := v.Array()
	if err != nil || len(row) < 11 {
		return fmt.Errorf("got %s, want an array of at least 11", clip(v))
	}
	var n [3]int64 // open time, close time, trades
	for i, at := range [...]int{0, 6, 8} {
		n[i], err = strconv.ParseInt(row[at].String(), 10, 64)
		if err != nil || n[i] < 0 || row[at].Type() != fastjson.TypeNumber {
			return fmt.Errorf("element %d: got %s, want an integer of zero or above", at, clip(row[at]))
		}
		if i < 2 {
			if n[i], err = inNanoseconds(n[i], unit); err != nil {
				return fmt.Errorf("element %d: %w", at, err)
			}
		}
	}
	b := bar.Bar{Start: core.WallNs(n[0]), Trades: n[2], First: -1, Last: -1}
	if !out.Interval.Matches(b.Start, core.WallNs(n[1])) {
		return fmt.Errorf("a bar from %d to %d is none of interval %s", n[0], n[1], out.Interval)
	}
	b.End = out.Interval.Next(b.Start)
	for i, to := range [...]*core.Price{&b.Open, &b.High, &b.Low, &b.Close} {
		p, err := coldDecimal(row[1+i])
		if err != nil {
			return fmt.Errorf("element %d: %w", 1+i, err)
		}
		*to = core.Price(p)
	}
	for _, s := range [...]struct {
		at int
		to *bar.Sum
	}{{5, &b.Volume}, {7, &b.Quote}, {9, &b.TakerBase}, {10, &b.TakerQuote}} {
		if row[s.at].Type() != fastjson.TypeString {
			return fmt.Errorf("element %d: got %s, want a decimal in a string", s.at, clip(row[s.at]))
		}
		if *s.to, err = bar.ParseSum(row[s.at].GetStringBytes()); err != nil {
			return fmt.Errorf("element %d: got %s: %w", s.at, clip(row[s.at]), err)
		}
	}
	if k := len(out.Bars); k > 0 && b.Start < out.Bars[k-1].End {
		return fmt.Errorf("a bar that opens at %d comes after one that ends at %d", b.Start, out.Bars[k-1].End)
	}
	out.Bars = append(out.Bars, b)
	return nil
}
