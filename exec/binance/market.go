package binance

import (
	"context"
	"fmt"
	"strings"

	"github.com/valyala/fastjson"

	"riposte/core"
)

// HistoricalTrades are public trades from trade id from on, oldest first, at most limit
// (1 to 1000): GET /api/v3/historicalTrades, weight 25 (Binance Spot API docs,
// 2026-07-21).
func (r *REST) HistoricalTrades(ctx context.Context, symbol string, from int64, limit int) ([]PublicTrade, error) {
	body, err := r.TradesBody(ctx, symbol, max(from, 0), limit)
	if err != nil {
		return nil, err
	}
	return parsed(&call{method: "GET", path: "/api/v3/historicalTrades"}, body, parseTrades)
}

// AggTrade is what one taker order traded at one price. The venue has rows without any
// trade: First and Last are -1 there.
type AggTrade struct {
	ID, First, Last int64
	Price           core.Price
	Qty             core.Qty
	Time            core.WallNs
	BuyerMaker      bool
}

// AggTrades are aggregate trades, oldest first, at most limit (1 to 1000), from id from
// on if it is not below 0, else from start on and up to end where those are not 0: GET
// /api/v3/aggTrades, weight 4 (Binance Spot API docs, 2026-07-21).
func (r *REST) AggTrades(ctx context.Context, symbol string, from int64, start, end core.WallNs, limit int) ([]AggTrade, error) {
	c := &call{method: "GET", path: "/api/v3/aggTrades", weight: weightAggTrades}
	c.params.Text("symbol", symbol)
	if from >= 0 {
		c.params.Int("fromId", from)
	}
	c.params.Time("startTime", start).Time("endTime", end).Int("limit", int64(limit))
	body, err := r.do(ctx, c)
	if err != nil {
		return nil, err
	}
	return parsed(c, body, func(b []byte) ([]AggTrade, error) {
		return parseEach(b, func(v *fastjson.Value) (AggTrade, error) {
			f := fields{v: v}
			t := AggTrade{ID: f.integer("a"), First: f.integer("f"), Last: f.integer("l"), Price: core.Price(f.decimal("p")), Qty: core.Qty(f.decimal("q")),
				Time: f.ms("T"), BuyerMaker: v.GetBool("m")}
			return t, f.err
		})
	})
}

// AvgPrice is the mean price of the last minutes, five as a rule: GET /api/v3/avgPrice,
// weight 2 (Binance Spot API docs, 2026-07-21).
func (r *REST) AvgPrice(ctx context.Context, symbol string) (core.Price, error) {
	c := &call{method: "GET", path: "/api/v3/avgPrice", weight: weightAvgPrice}
	c.params.Text("symbol", symbol)
	body, err := r.do(ctx, c)
	if err != nil {
		return 0, err
	}
	return parsed(c, body, func(b []byte) (core.Price, error) {
		doc, err := parse(b, fastjson.TypeObject)
		if err != nil {
			return 0, err
		}
		f := fields{v: doc}
		return core.Price(f.decimal("price")), f.err
	})
}

// Ticker is what a symbol did over a window. Best prices and the previous close are told
// for the last 24 h alone. First and Last are -1 for a window without trades.
type Ticker struct {
	Symbol                   string
	Open, High, Low, Close   core.Price
	Change, Mean, PrevClose  core.Price // Change is signed
	ChangePercent            int64      // at 1e-8, signed
	Bid, Ask                 core.Price
	BidQty, AskQty, CloseQty core.Qty
	Volume                   core.Qty
	QuoteVolume              core.Amount
	OpenTime, CloseTime      core.WallNs
	First, Last, Count       int64
}

// Tickers are the last 24 h of some symbols, or of all when none or more than a hundred
// are named: GET
// /api/v3/ticker/24hr, weight 2 up to 20 symbols, 40 up to 100, else 80 (Binance Spot API
// docs, 2026-07-21).
func (r *REST) Tickers(ctx context.Context, symbols ...string) ([]Ticker, error) {
	weight := 2
	switch n := len(symbols); {
	case n == 0 || n > namesMost:
		weight, symbols = 80, nil
	case n > 20:
		weight = 40
	}
	return r.tickers(ctx, &call{method: "GET", path: "/api/v3/ticker/24hr", weight: weight}, symbols)
}

// RollingTickers are windows of 1m to 59m, 1h to 23h or 1d to 7d that end now: GET
// /api/v3/ticker, weight 4 a symbol, 200 at most, of at most 100 symbols (Binance Spot
// API docs, 2026-07-21).
func (r *REST) RollingTickers(ctx context.Context, window string, symbols ...string) ([]Ticker, error) {
	c := &call{method: "GET", path: "/api/v3/ticker", weight: perSymbol(symbols)}
	c.params.Text("windowSize", window)
	return r.tickers(ctx, c, symbols)
}

// DayTickers are the trading day so far: GET /api/v3/ticker/tradingDay, weights as of
// RollingTickers.
func (r *REST) DayTickers(ctx context.Context, symbols ...string) ([]Ticker, error) {
	return r.tickers(ctx, &call{method: "GET", path: "/api/v3/ticker/tradingDay", weight: perSymbol(symbols)}, symbols)
}

func perSymbol(symbols []string) int { return min(4*len(symbols), 200) }

func (r *REST) tickers(ctx context.Context, c *call, symbols []string) ([]Ticker, error) {
	symbolList(&c.params, symbols)
	c.max = infoMax
	body, err := r.do(ctx, c)
	if err != nil {
		return nil, err
	}
	return parsed(c, body, func(b []byte) ([]Ticker, error) { return parseEach(b, parseTicker) })
}

func parseTicker(v *fastjson.Value) (Ticker, error) {
	f := fields{v: v}
	price := func(name string) core.Price { return core.Price(f.amount(name)) }
	qty := func(name string) core.Qty { return core.Qty(f.amount(name)) }
	t := Ticker{Symbol: f.text("symbol"), Open: price("openPrice"), High: price("highPrice"), Low: price("lowPrice"), Close: price("lastPrice"),
		Change: price("priceChange"), Mean: price("weightedAvgPrice"), PrevClose: price("prevClosePrice"), Bid: price("bidPrice"), Ask: price("askPrice"),
		BidQty: qty("bidQty"), AskQty: qty("askQty"), CloseQty: qty("lastQty"), Volume: core.Qty(f.decimal("volume")), QuoteVolume: core.Amount(f.amount("quoteVolume")),
		OpenTime: f.ms("openTime"), CloseTime: f.ms("closeTime"), First: f.number("firstId"), Last: f.number("lastId"), Count: f.number("count"),
		ChangePercent: f.amount("priceChangePercent")}
	return t, f.err
}

// BookTop is a symbol's best bid and ask, 0 for a side without any.
type BookTop struct {
	Symbol         string
	Bid, Ask       core.Price
	BidQty, AskQty core.Qty
}

// BookTops are the best bids and asks of some symbols, or of all when none is named: GET
// /api/v3/ticker/bookTicker, weight 4 (Binance Spot API docs, 2026-07-21).
func (r *REST) BookTops(ctx context.Context, symbols ...string) ([]BookTop, error) {
	return simple(ctx, r, "/api/v3/ticker/bookTicker", symbols, func(v *fastjson.Value) (BookTop, error) {
		f := fields{v: v}
		t := BookTop{f.text("symbol"), core.Price(f.decimal("bidPrice")), core.Price(f.decimal("askPrice")), core.Qty(f.decimal("bidQty")), core.Qty(f.decimal("askQty"))}
		return t, f.err
	})
}

// LastPrice is the price of a symbol's last trade.
type LastPrice struct {
	Symbol string
	Price  core.Price
}

// LastPrices are those of some symbols, or of all when none is named: GET
// /api/v3/ticker/price, weight 4 (Binance Spot API docs, 2026-07-21).
func (r *REST) LastPrices(ctx context.Context, symbols ...string) ([]LastPrice, error) {
	return simple(ctx, r, "/api/v3/ticker/price", symbols, func(v *fastjson.Value) (LastPrice, error) {
		f := fields{v: v}
		return LastPrice{f.text("symbol"), core.Price(f.decimal("price"))}, f.err
	})
}

// simple asks for a list with one small object a symbol.
func simple[T any](ctx context.Context, r *REST, path string, symbols []string, read func(*fastjson.Value) (T, error)) ([]T, error) {
	c := &call{method: "GET", path: path, weight: 4, max: infoMax}
	symbolList(&c.params, symbols)
	body, err := r.do(ctx, c)
	if err != nil {
		return nil, err
	}
	return parsed(c, body, func(b []byte) ([]T, error) { return parseEach(b, read) })
}

// symbolList adds the parameter symbols, a JSON array, unless there are none.
func symbolList(p *Params, symbols []string) {
	if len(symbols) > 0 {
		p.Text("symbols", `["`+strings.Join(symbols, `","`)+`"]`)
	}
}

// Snapshot is an order book at one update id.
type Snapshot struct {
	LastUpdateID uint64
	Bids, Asks   []core.Level // best first
}

// BookSnapshot is an order book as GET /api/v3/depth told it, read: for tools. The feed
// reads the bytes of Depth itself.
func (r *REST) BookSnapshot(ctx context.Context, symbol string, limit int) (*Snapshot, error) {
	body, err := r.Depth(ctx, symbol, limit)
	if err != nil {
		return nil, err
	}
	return parsed(&call{method: "GET", path: "/api/v3/depth"}, body, func(b []byte) (*Snapshot, error) {
		doc, err := parse(b, fastjson.TypeObject)
		if err != nil {
			return nil, err
		}
		s := &Snapshot{LastUpdateID: doc.GetUint64("lastUpdateId")}
		var bad error
		side := func(name string) (out []core.Level) {
			for _, v := range doc.GetArray(name) {
				f := fields{v: v}
				out = append(out, core.Level{Price: core.Price(f.at(0)), Qty: core.Qty(f.at(1))})
				if f.err != nil {
					bad = f.err
				}
			}
			return out
		}
		if s.Bids, s.Asks = side("bids"), side("asks"); s.LastUpdateID == 0 && bad == nil {
			bad = fmt.Errorf("found no lastUpdateId")
		}
		return s, bad
	})
}
