package peers

import (
	"encoding/json"
	"testing"

	binance "github.com/adshao/go-binance/v2"
	"github.com/bitly/go-simplejson"
	"github.com/valyala/fastjson"

	"riposte/bench"
	"riposte/core"
)

// The checksums of the three kinds of frame, over everything that is decoded.

func touchSum(u int64, bid, bidQty, ask, askQty int64) uint64 {
	return uint64(u) ^ uint64(bid)*3 ^ uint64(bidQty)*5 ^ uint64(ask)*7 ^ uint64(askQty)*11
}

func tradeSum(id, price, qty, ms int64, buyerMaker bool) uint64 {
	s := uint64(id) ^ uint64(price)*3 ^ uint64(qty)*5 ^ uint64(ms)*7
	if buyerMaker {
		s = ^s
	}
	return s
}

func depthSum(first, last int64) uint64            { return uint64(first)*3 ^ uint64(last) }
func levelSum(sum uint64, price, qty int64) uint64 { return sum*31 + uint64(price) ^ uint64(qty) }

// num is riposte's number parser, for everyone. Recorded numbers are sound.
func num[T ~string | ~[]byte](s T) int64 {
	v, err := core.ParseDecimal(s)
	if err != nil {
		panic(err)
	}
	return v
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// each makes a contender's pass of what it does with one frame.
func each(fs [][]byte, f func([]byte) uint64) func() uint64 {
	return func() (sum uint64) {
		for _, b := range fs {
			sum = sum*1_000_003 + f(b)
		}
		return sum
	}
}

// riposte's own decoder.
func riposteDecode(b *testing.B, c *bench.Corpus) func([]byte) uint64 {
	d, err := c.Decoder()
	if err != nil {
		b.Fatal(err)
	}
	lv := make([]core.Level, 0, bench.LevelsMax)
	var ev core.Event
	return func(f []byte) uint64 {
		n, _ := d.Decode(f, &ev, lv)
		switch ev.Kind {
		case core.Touch:
			return touchSum(int64(ev.ID), ev.W[0], ev.W[1], ev.W[2], ev.W[3])
		case core.Trade:
			return tradeSum(int64(ev.ID), ev.W[0], ev.W[1], ev.W[2]/1e6, ev.Flags&core.FlagBuyerMaker != 0)
		}
		sum := depthSum(int64(ev.FirstID()), int64(ev.ID))
		for i := range lv[:n] {
			l := &lv[:n][i]
			sum = levelSum(sum, int64(l.Price), int64(l.Qty))
		}
		return sum
	}
}

// fastjson, one parser kept.
func fastjsonDecode(kind core.EventKind) func([]byte) uint64 {
	var p fastjson.Parser
	return func(f []byte) uint64 {
		v, err := p.ParseBytes(f)
		must(err)
		d := v.Get("data")
		text := func(key string) int64 { return num(d.GetStringBytes(key)) }
		switch kind {
		case core.Touch:
			return touchSum(d.GetInt64("u"), text("b"), text("B"), text("a"), text("A"))
		case core.Trade:
			return tradeSum(d.GetInt64("t"), text("p"), text("q"), d.GetInt64("T"), d.GetBool("m"))
		}
		sum := depthSum(d.GetInt64("U"), d.GetInt64("u"))
		for _, side := range [2]string{"b", "a"} {
			for _, l := range d.GetArray(side) {
				sum = levelSum(sum, num(l.GetStringBytes("0")), num(l.GetStringBytes("1")))
			}
		}
		return sum
	}
}

// The shapes of the standard library's contender. Fields that differ from others in
// case only are named so that none is filled by the wrong key.
type (
	touchFrame struct {
		Data struct {
			U      int64  `json:"u"`
			S      string `json:"s"`
			Bid    string `json:"b"`
			BidQty string `json:"B"`
			Ask    string `json:"a"`
			AskQty string `json:"A"`
		} `json:"data"`
	}
	tradeFrame struct {
		Data struct {
			Event string `json:"e"`
			Time  int64  `json:"E"`
			S     string `json:"s"`
			ID    int64  `json:"t"`
			Price string `json:"p"`
			Qty   string `json:"q"`
			Trade int64  `json:"T"`
			Maker bool   `json:"m"`
			Best  bool   `json:"M"`
		} `json:"data"`
	}
	depthFrame struct {
		Data struct {
			Event string      `json:"e"`
			Time  int64       `json:"E"`
			S     string      `json:"s"`
			First int64       `json:"U"`
			Last  int64       `json:"u"`
			Bids  [][2]string `json:"b"`
			Asks  [][2]string `json:"a"`
		} `json:"data"`
	}
)

// encoding/json into structs, the frame's memory used again where it can be.
func stdDecode(kind core.EventKind) func([]byte) uint64 {
	switch kind {
	case core.Touch:
		return func(f []byte) uint64 {
			var v touchFrame
			must(json.Unmarshal(f, &v))
			d := &v.Data
			return touchSum(d.U, num(d.Bid), num(d.BidQty), num(d.Ask), num(d.AskQty))
		}
	case core.Trade:
		return func(f []byte) uint64 {
			var v tradeFrame
			must(json.Unmarshal(f, &v))
			d := &v.Data
			return tradeSum(d.ID, num(d.Price), num(d.Qty), d.Trade, d.Maker)
		}
	}
	var v depthFrame
	return func(f []byte) uint64 {
		v.Data.Bids, v.Data.Asks = v.Data.Bids[:0], v.Data.Asks[:0]
		must(json.Unmarshal(f, &v))
		sum := depthSum(v.Data.First, v.Data.Last)
		for _, side := range [2][][2]string{v.Data.Bids, v.Data.Asks} {
			for i := range side {
				sum = levelSum(sum, num(side[i][0]), num(side[i][1]))
			}
		}
		return sum
	}
}

// goBinanceDecode is what go-binance's handlers of combined streams do with a message,
// with its own types: encoding/json for touches and trades, a tree of maps for depth.
func goBinanceDecode(kind core.EventKind) func([]byte) uint64 {
	switch kind {
	case core.Touch:
		return func(f []byte) uint64 {
			v := new(binance.WsCombinedBookTickerEvent)
			must(json.Unmarshal(f, v))
			d := v.Data
			return touchSum(d.UpdateID, num(d.BestBidPrice), num(d.BestBidQty), num(d.BestAskPrice), num(d.BestAskQty))
		}
	case core.Trade:
		return func(f []byte) uint64 {
			v := new(binance.WsCombinedTradeEvent)
			must(json.Unmarshal(f, v))
			d := &v.Data
			return tradeSum(d.TradeID, num(d.Price), num(d.Quantity), d.TradeTime, d.IsBuyerMaker)
		}
	}
	return func(f []byte) uint64 {
		j, err := simplejson.NewJson(f)
		must(err)
		v := new(binance.WsDepthEvent)
		data := j.Get("data").MustMap()
		v.LastUpdateID, _ = data["u"].(json.Number).Int64()
		v.FirstUpdateID, _ = data["U"].(json.Number).Int64()
		bids := data["b"].([]any)
		v.Bids = make([]binance.Bid, len(bids))
		for i := range bids {
			item := bids[i].([]any)
			v.Bids[i] = binance.Bid{Price: item[0].(string), Quantity: item[1].(string)}
		}
		asks := data["a"].([]any)
		v.Asks = make([]binance.Ask, len(asks))
		for i := range asks {
			item := asks[i].([]any)
			v.Asks[i] = binance.Ask{Price: item[0].(string), Quantity: item[1].(string)}
		}
		sum := depthSum(v.FirstUpdateID, v.LastUpdateID)
		for _, l := range v.Bids {
			sum = levelSum(sum, num(l.Price), num(l.Quantity))
		}
		for _, l := range v.Asks {
			sum = levelSum(sum, num(l.Price), num(l.Quantity))
		}
		return sum
	}
}

// BenchmarkDecode is one combined frame's bytes to integers.
func BenchmarkDecode(b *testing.B) {
	c := load(b, bench.Spot)
	for _, k := range bench.Buckets {
		fs, err := c.Pick(k)
		if err != nil {
			b.Fatal(err)
		}
		contest(b, k.Name, len(fs), []contender{
			{ours, each(fs, riposteDecode(b, c))},
			{"fastjson", each(fs, fastjsonDecode(k.Kind))},
			{"encoding-json", each(fs, stdDecode(k.Kind))},
			{"go-binance", each(fs, goBinanceDecode(k.Kind))},
		})
	}
}
