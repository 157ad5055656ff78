package binance

import (
	"fmt"
	"strings"
	"time"

	"github.com/valyala/fastjson"

	"riposte/core"
	"riposte/exec"
)

// Kline is one candle. Volumes are at 1e-8, quote volume too.
type Kline struct {
	Open, High, Low, Close core.Price
	Volume                 core.Qty
	QuoteVolume            core.Amount
	OpenTime, CloseTime    core.WallNs
	Trades                 int64
	TakerBase              core.Qty
	TakerQuote             core.Amount
}

// PublicTrade is one trade between any two.
type PublicTrade struct {
	ID         int64
	Price      core.Price
	Qty        core.Qty
	Quote      core.Amount
	Time       core.WallNs
	BuyerMaker bool
}

// Account is the account as GET /account tells it.
type Account struct {
	CanTrade bool
	Balances []NamedBalance
	Updated  core.WallNs
}

// NamedBalance is a balance by asset name.
type NamedBalance struct {
	Asset        string
	Free, Locked core.Amount
}

func parse(body []byte, want fastjson.Type) (*fastjson.Value, error) {
	doc, err := fastjson.ParseBytes(body)
	if err != nil {
		return nil, fmt.Errorf("body is not JSON: %w", err)
	}
	if doc.Type() != want {
		return nil, fmt.Errorf("body is a JSON %s, want %s", doc.Type(), want)
	}
	return doc, nil
}

func parseTime(body []byte) (core.WallNs, error) {
	doc, err := parse(body, fastjson.TypeObject)
	if err == nil {
		if t := doc.GetInt64("serverTime"); t > 0 && t < 1<<43 {
			return core.WallNs(t * 1e6), nil
		}
		err = fmt.Errorf("found no serverTime in milliseconds")
	}
	return 0, &exec.CallError{Op: "GET /api/v3/time", Class: exec.ClassUnknown, Status: 200, Err: err}
}

// ParseLimits reads the rate limits out of an exchangeInfo body. Kinds it does not
// know are left out.
func ParseLimits(body []byte) ([]exec.Limit, error) {
	doc, err := parse(body, fastjson.TypeObject)
	if err != nil {
		return nil, fmt.Errorf("cannot read rate limits: %w", err)
	}
	var out []exec.Limit
	for _, v := range doc.GetArray("rateLimits") {
		var l exec.Limit
		switch string(v.GetStringBytes("rateLimitType")) {
		case "REQUEST_WEIGHT":
			l.Kind = exec.LimitWeight
		case "ORDERS":
			l.Kind = exec.LimitOrders
		case "RAW_REQUESTS":
			l.Kind = exec.LimitRequests
		default:
			continue
		}
		span, err := limitOf(v)
		if err != nil {
			return nil, fmt.Errorf("cannot read rate limits: %w", err)
		}
		l.Span, l.Max = span.Span, span.Max
		out = append(out, l)
	}
	return out, nil
}

// limitOf reads the span and the maximum of a rate limit, not its kind.
func limitOf(v *fastjson.Value) (l exec.Limit, err error) {
	unit, ok := map[string]time.Duration{"SECOND": time.Second, "MINUTE": time.Minute, "HOUR": time.Hour, "DAY": 24 * time.Hour}[string(v.GetStringBytes("interval"))]
	n := v.GetInt("intervalNum")
	if l.Max = v.GetInt("limit"); !ok || n <= 0 || n > 1000 || l.Max <= 0 {
		return l, fmt.Errorf("found %s, want a rate limit", clip(v.String()))
	}
	l.Span = time.Duration(n) * unit
	return l, nil
}

// fields reads members of one value and keeps the first error.
type fields struct {
	v   *fastjson.Value
	err error
}

func (f *fields) decimal(name string) int64 {
	n, err := core.ParseSignedDecimal(f.v.GetStringBytes(name))
	f.note(name, err)
	return n
}

func (f *fields) at(i int) int64 {
	n, err := core.ParseDecimal(f.v.Get(fmt.Sprint(i)).GetStringBytes())
	f.note(fmt.Sprint(i), err)
	return n
}

func (f *fields) integer(name string) int64 {
	v := f.v.Get(name)
	if v == nil {
		f.note(name, fmt.Errorf("it is missing"))
		return 0
	}
	n, err := v.Int64()
	f.note(name, err)
	return n
}

func (f *fields) ms(name string) core.WallNs {
	n := f.integer(name)
	if n < 0 || n >= 1<<43 {
		f.note(name, fmt.Errorf("%d is no time in milliseconds", n))
		return 0
	}
	return core.WallNs(n * 1e6)
}

func (f *fields) note(name string, err error) {
	if err != nil && f.err == nil {
		f.err = fmt.Errorf("field %s of %s: %w", name, clip(f.v.String()), err)
	}
}

func parseEach[T any](body []byte, f func(*fastjson.Value) (T, error)) ([]T, error) {
	doc, err := parse(body, fastjson.TypeArray)
	if err != nil {
		return nil, err
	}
	items, _ := doc.Array()
	out := make([]T, 0, len(items))
	for _, v := range items {
		t, err := f(v)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

func parseKlines(body []byte) ([]Kline, error) {
	return parseEach(body, func(v *fastjson.Value) (Kline, error) {
		if a, err := v.Array(); err != nil || len(a) < 11 {
			return Kline{}, fmt.Errorf("found %s, want a kline of 11 or more members", clip(v.String()))
		}
		f := fields{v: v}
		k := Kline{
			OpenTime: f.ms("0"), Open: core.Price(f.at(1)), High: core.Price(f.at(2)), Low: core.Price(f.at(3)), Close: core.Price(f.at(4)),
			Volume: core.Qty(f.at(5)), CloseTime: f.ms("6"), QuoteVolume: core.Amount(f.at(7)), Trades: f.integer("8"),
			TakerBase: core.Qty(f.at(9)), TakerQuote: core.Amount(f.at(10)),
		}
		return k, f.err
	})
}

func parseTrades(body []byte) ([]PublicTrade, error) {
	return parseEach(body, func(v *fastjson.Value) (PublicTrade, error) {
		f := fields{v: v}
		t := PublicTrade{
			ID: f.integer("id"), Price: core.Price(f.decimal("price")), Qty: core.Qty(f.decimal("qty")),
			Quote: core.Amount(f.decimal("quoteQty")), Time: f.ms("time"), BuyerMaker: v.GetBool("isBuyerMaker"),
		}
		return t, f.err
	})
}

func parseAccount(body []byte) (*Account, error) {
	doc, err := parse(body, fastjson.TypeObject)
	if err != nil {
		return nil, err
	}
	if doc.Get("balances") == nil || doc.Get("balances").Type() != fastjson.TypeArray {
		return nil, fmt.Errorf("found no balances")
	}
	a := &Account{CanTrade: doc.GetBool("canTrade"), Updated: core.WallNs(doc.GetInt64("updateTime") * 1e6)}
	for _, v := range doc.GetArray("balances") {
		f := fields{v: v}
		b := NamedBalance{strings.Clone(string(v.GetStringBytes("asset"))), core.Amount(f.decimal("free")), core.Amount(f.decimal("locked"))}
		if f.err != nil {
			return nil, f.err
		}
		a.Balances = append(a.Balances, b)
	}
	return a, nil
}

// parseOrder reads an order, or out of a list the one with one of these ids.
func (r *REST) parseOrder(body []byte, idField string, client core.ClientID, venueID int64) (core.Execution, error) {
	doc, err := parse(body, fastjson.TypeObject)
	if err != nil {
		return core.Execution{}, err
	}
	for _, v := range doc.GetArray("orderReports") { // a list that ended with one of its legs
		if e, err := r.execOf(v, idField); err == nil && (e.VenueID == venueID || e.Client == client) {
			return e, nil
		}
	}
	return r.execOf(doc, idField)
}

func (r *REST) parseOrders(body []byte) ([]core.Execution, error) {
	return parseEach(body, func(v *fastjson.Value) (core.Execution, error) { return r.execOf(v, "clientOrderId") })
}

// execOf reads an order object as a status. A symbol outside the table gives
// NoInstrument.
func (r *REST) execOf(v *fastjson.Value, idField string) (core.Execution, error) {
	e := core.Execution{Kind: core.ExecStatus, Instrument: core.NoInstrument, FeeAsset: core.NoAsset, TradeID: -1}
	if in, ok := r.cfg.Instruments.Lookup(string(v.GetStringBytes("symbol"))); ok {
		e.Instrument = in.ID
	}
	var ok bool
	if e.Client, ok = core.MakeClientID(v.GetStringBytes(idField)); !ok || !readOrder(v, &e) {
		return core.Execution{}, fmt.Errorf("found %s, want an order", clip(v.String()))
	}
	return e, nil
}

func (r *REST) parseMyTrades(body []byte) ([]core.Execution, error) {
	return parseEach(body, func(v *fastjson.Value) (core.Execution, error) {
		f := fields{v: v}
		e := core.Execution{
			Kind: core.ExecTrade, Status: core.New, Instrument: core.NoInstrument, FeeAsset: core.NoAsset,
			VenueID: f.integer("orderId"), TradeID: f.integer("id"), Side: core.Sell, Maker: v.GetBool("isMaker"),
			LastPrice: core.Price(f.decimal("price")), LastQty: core.Qty(f.decimal("qty")), LastQuote: core.Amount(f.decimal("quoteQty")),
			Fee: core.Amount(f.decimal("commission")), Time: f.ms("time"),
		}
		if v.GetBool("isBuyer") {
			e.Side = core.Buy
		}
		if in, ok := r.cfg.Instruments.Lookup(string(v.GetStringBytes("symbol"))); ok {
			e.Instrument = in.ID
		}
		if id, ok := r.cfg.Instruments.AssetID(string(v.GetStringBytes("commissionAsset"))); ok {
			e.FeeAsset = id
		} else if e.Fee != 0 {
			r.unknownAssets.Add(1)
		}
		return e, f.err
	})
}

// text is a string member, "" if it is missing.
func (f *fields) text(name string) string { return string(f.v.GetStringBytes(name)) }

// missing reports whether a member is not there or null.
func (f *fields) missing(name string) bool {
	v := f.v.Get(name)
	return v == nil || v.Type() == fastjson.TypeNull
}

// amount is a decimal that may be missing.
func (f *fields) amount(name string) int64 {
	if f.missing(name) {
		return 0
	}
	return f.decimal(name)
}

// either is a decimal under one of two names: amends have other names than all other
// answers (Binance Spot API docs, 2026-07-21).
func (f *fields) either(name, other string) int64 {
	if f.missing(name) {
		return f.amount(other)
	}
	return f.decimal(name)
}

// number is an integer that may be missing.
func (f *fields) number(name string) int64 {
	if f.missing(name) {
		return 0
	}
	return f.integer(name)
}

// instant is a time that may be missing; the venue's -1 for "not yet" is 0 too.
func (f *fields) instant(name string) core.WallNs {
	if f.missing(name) || f.integer(name) == -1 {
		return 0
	}
	return f.ms(name)
}
