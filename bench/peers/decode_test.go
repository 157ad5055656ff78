package peers

import (
	"bytes"
	"testing"

	"riposte/bench"
	"riposte/core"
	"riposte/feed/binance"
)

// The checksums of the three kinds of frame, over everything that is decoded.
// Floors in C compute the same, see floor_parse_test.go.

func touchSum(u, bid, bidQty, ask, askQty int64) uint64 {
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

// frameMix adds a frame's checksum to that of the frames before it.
const frameMix = 1_000_003

// num is riposte's number parser, for everyone. Recorded numbers are sound.
func num[T ~string | ~[]byte](s T) int64 {
	v, err := core.ParseDecimal(s)
	if err != nil {
		panic(err)
	}
	return v
}

// each makes a contender's pass of what it does with one frame.
func each(fs [][]byte, f func([]byte) uint64) func() uint64 {
	return func() (sum uint64) {
		for _, b := range fs {
			sum = sum*frameMix + f(b)
		}
		return sum
	}
}

// riposteDecode is our own decoder. The event's memory is used again, as the queue's
// slots are. road, if not nil, takes one of its ways from it.
func riposteDecode(c *bench.Corpus, fs [][]byte, road func(*binance.Decoder) *binance.Decoder) func() uint64 {
	d, err := c.Decoder()
	must(err)
	if road != nil {
		road(d)
	}
	lv := make([]core.Level, 0, bench.LevelsMax)
	var ev core.Event
	return func() (sum uint64) {
		for _, f := range fs {
			n, res := d.Decode(f, &ev, lv)
			if res != binance.Decoded {
				panic("riposte: " + string(f))
			}
			sum = sum*frameMix + eventSum(&ev, lv[:n])
		}
		return sum
	}
}

func eventSum(ev *core.Event, lv []core.Level) uint64 {
	switch ev.Kind {
	case core.Touch:
		return touchSum(int64(ev.ID), ev.W[0], ev.W[1], ev.W[2], ev.W[3])
	case core.Trade:
		return tradeSum(int64(ev.ID), ev.W[0], ev.W[1], ev.W[2]/1e6, ev.Flags&core.FlagBuyerMaker != 0)
	}
	sum := depthSum(int64(ev.FirstID()), int64(ev.ID))
	for i := range lv {
		sum = levelSum(sum, int64(lv[i].Price), int64(lv[i].Qty))
	}
	return sum
}

// decoders are the libraries; each makes what decodes one frame of a kind.
var decoders = []struct {
	name string
	make func(kind core.EventKind) func([]byte) uint64
}{
	{"fastjson", fastjsonDecode},
	{"json-iterator", jsoniterDecode},
	{"jx", jxDecode},
	{"easyjson-lexer", easyjsonDecode},
	{"jsonparser", jsonparserDecode},
	{"sonic", sonicDecode},
	{"simdjson-go", simdjsonDecode},
	{"goccy", goccyDecode},
	{"json-v2", v2Decode},
	{"encoding-json", stdDecode},
	{"go-binance", goBinanceDecode},
}

// decodeFloors are contenders in C for frames of a kind; floor_parse_test.go adds
// them. Each takes all frames in one call.
var decodeFloors []func(kind core.EventKind, fs [][]byte) contender

func decodeMatches(tb testing.TB) (out []match) {
	c := load(tb, bench.Spot)
	for _, k := range bench.Buckets {
		if k.Name == "depth5" {
			continue // between trade and depth20 in every respect
		}
		fs, err := c.Pick(k)
		if err != nil {
			tb.Fatal(err)
		}
		if len(fs) == 0 {
			tb.Logf("left out %s: the corpus has no such frames", k.Name)
			continue
		}
		m := match{name: k.Name, items: len(fs), list: []contender{
			{name: ours, pass: riposteDecode(c, fs, nil)},
			{name: ours + "-scalar", pass: riposteDecode(c, fs, (*binance.Decoder).ScalarOnly)},
			{name: ours + "-general", pass: riposteDecode(c, fs, (*binance.Decoder).GeneralOnly)}}}
		for _, f := range fs {
			m.bytes += len(f)
			m.levels += bytes.Count(f, []byte(`["`)) // each level begins so, and nothing else
		}
		for _, d := range decoders {
			m.list = append(m.list, contender{name: d.name, pass: each(fs, d.make(k.Kind))})
		}
		for _, f := range decodeFloors {
			m.list = append(m.list, f(k.Kind, fs))
		}
		out = append(out, m)
	}
	return out
}

func TestDecodersAgree(t *testing.T) { allAgree(t, decodeMatches(t)) }

// BenchmarkDecode is one combined frame's bytes to integers at 1e-8.
func BenchmarkDecode(b *testing.B) {
	for _, m := range decodeMatches(b) {
		contest(b, m)
	}
}

// allAgree is a stage's test: everyone takes part and has the same result.
func allAgree(t *testing.T, list []match) {
	t.Helper()
	if len(list) == 0 {
		t.Fatal("got no match, want some")
	}
	for i := range list {
		if _, err := list[i].agree(t.Name()); err != nil {
			t.Error(err)
		}
		if len(list[i].list) < 2 {
			t.Errorf("%s: got nobody to compare with, want some", list[i].name)
		}
	}
}
