package peers

import (
	"encoding/json"
	"errors"

	binance "github.com/adshao/go-binance/v2"
	"github.com/bitly/go-simplejson"
	simdjson "github.com/minio/simdjson-go"
	"github.com/valyala/fastjson"

	"riposte/core"
)

// fastjsonDecode is fastjson with one parser kept.
func fastjsonDecode(kind core.EventKind) func([]byte) uint64 {
	var p fastjson.Parser
	return func(f []byte) uint64 {
		v, err := p.ParseBytes(f)
		must(err)
		d := v.Get("data")
		if kind != core.DepthDelta {
			return fastjsonFlow(kind, d)
		}
		sum := depthSum(d.GetInt64("U"), d.GetInt64("u"))
		for _, side := range [2]string{"b", "a"} {
			for _, l := range d.GetArray(side) {
				pair := l.GetArray()
				sum = levelSum(sum, num(pair[0].GetStringBytes()), num(pair[1].GetStringBytes()))
			}
		}
		return sum
	}
}

// fastjsonFlow is the checksum of a touch or a trade.
func fastjsonFlow(kind core.EventKind, d *fastjson.Value) uint64 {
	text := func(key string) int64 { return num(d.GetStringBytes(key)) }
	if kind == core.Touch {
		return touchSum(d.GetInt64("u"), text("b"), text("B"), text("a"), text("A"))
	}
	return tradeSum(d.GetInt64("t"), text("p"), text("q"), d.GetInt64("T"), d.GetBool("m"))
}

// simdjsonDecode is simdjson-go with its tape used again, one walk over the keys.
func simdjsonDecode(kind core.EventKind) func([]byte) uint64 {
	if !simdjson.SupportedCPU() {
		return func([]byte) uint64 { panic(errors.New("needs AVX2 and CLMUL")) }
	}
	s := new(simdFrame)
	return func(f []byte) uint64 {
		must(s.parse(f))
		switch kind {
		case core.Touch:
			return touchSum(s.u, s.b, s.bigB, s.a, s.bigA)
		case core.Trade:
			return tradeSum(s.t, s.p, s.q, s.bigT, s.m)
		}
		sum := depthSum(s.bigU, s.u)
		for _, side := range [2][]int64{s.bids, s.asks} {
			for i := 0; i < len(side); i += 2 {
				sum = levelSum(sum, side[i], side[i+1])
			}
		}
		return sum
	}
}

// simdFrame holds what simdjson-go found in a frame; capital keys have big in front.
type simdFrame struct {
	parsed                           *simdjson.ParsedJson
	data                             simdjson.Object
	list, pair                       simdjson.Array
	u, bigU, b, bigB, a, bigA        int64
	t, bigT, p, q                    int64
	m                                bool
	bids, asks                       []int64
	root, item, level, element, part simdjson.Iter
}

func (s *simdFrame) parse(f []byte) (err error) {
	if s.parsed, err = simdjson.Parse(f, s.parsed, simdjson.WithCopyStrings(false)); err != nil {
		return err
	}
	s.root = s.parsed.Iter()
	s.root.AdvanceInto()
	if _, _, err = s.root.Root(&s.item); err != nil {
		return err
	}
	if _, err = s.item.Object(&s.data); err != nil {
		return err
	}
	for {
		name, typ, err := s.data.NextElementBytes(&s.element)
		if err != nil {
			return err
		}
		if typ == simdjson.TypeNone {
			return errors.New("frame has no data")
		}
		if string(name) == "data" {
			break
		}
	}
	if _, err = s.element.Object(&s.data); err != nil {
		return err
	}
	for {
		name, typ, err := s.data.NextElementBytes(&s.element)
		if err != nil {
			return err
		}
		if typ == simdjson.TypeNone {
			return nil
		}
		if err := s.field(name, typ); err != nil {
			return err
		}
	}
}

func (s *simdFrame) field(name []byte, typ simdjson.Type) (err error) {
	if len(name) != 1 {
		return nil
	}
	switch typ {
	case simdjson.TypeInt:
		var v int64
		v, err = s.element.Int()
		switch name[0] {
		case 'u':
			s.u = v
		case 'U':
			s.bigU = v
		case 't':
			s.t = v
		case 'T':
			s.bigT = v
		}
	case simdjson.TypeString:
		var to *int64
		switch name[0] {
		case 'b':
			to = &s.b
		case 'B':
			to = &s.bigB
		case 'a':
			to = &s.a
		case 'A':
			to = &s.bigA
		case 'p':
			to = &s.p
		case 'q':
			to = &s.q
		default:
			return nil
		}
		var text []byte
		if text, err = s.element.StringBytes(); err == nil {
			*to = num(text)
		}
	case simdjson.TypeBool:
		if name[0] == 'm' {
			s.m, err = s.element.Bool()
		}
	case simdjson.TypeArray:
		to := &s.bids
		if name[0] == 'a' {
			to = &s.asks
		}
		*to, err = s.levels((*to)[:0])
	}
	return err
}

func (s *simdFrame) levels(dst []int64) ([]int64, error) {
	if _, err := s.element.Array(&s.list); err != nil {
		return dst, err
	}
	s.level = s.list.Iter()
	for s.level.Advance() == simdjson.TypeArray {
		if _, err := s.level.Array(&s.pair); err != nil {
			return dst, err
		}
		s.part = s.pair.Iter()
		for s.part.Advance() == simdjson.TypeString {
			text, err := s.part.StringBytes()
			if err != nil {
				return dst, err
			}
			dst = append(dst, num(text))
		}
	}
	return dst, nil
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
		v, _ := goBinanceDepth(f)
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

// goBinanceDepth is go-binance's depth event, made as its handler makes it, and what
// its twin for futures has besides: the id of the event before.
func goBinanceDepth(f []byte) (v *binance.WsDepthEvent, prev int64) {
	j, err := simplejson.NewJson(f)
	must(err)
	v = new(binance.WsDepthEvent)
	data := j.Get("data").MustMap()
	v.LastUpdateID, _ = data["u"].(json.Number).Int64()
	v.FirstUpdateID, _ = data["U"].(json.Number).Int64()
	if pu, ok := data["pu"].(json.Number); ok {
		prev, _ = pu.Int64()
	}
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
	return v, prev
}
