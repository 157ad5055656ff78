package binance

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"riposte/core"
)

func TestRoadsAgreeOnGoldenFrames(t *testing.T) {
	syms := testSymbols(t)
	for _, f := range goldenFrames(t) {
		for _, unit := range []core.TimeUnit{core.Milliseconds, core.Microseconds} {
			for _, levels := range []int{0, 1, 3, 1000} {
				agree(t, syms, unit, noRaw, levels, f)
				agree(t, syms, unit, Raw{Instrument: 0, Partial: true}, levels, f)
			}
		}
		// Cut and altered at every byte they must still agree.
		for i := range f {
			agree(t, syms, core.Milliseconds, noRaw, 100, f[:i])
			for _, c := range []byte{'"', '0', '}', ' ', '\\', 0} {
				g := slices.Clone(f)
				g[i] = c
				agree(t, syms, core.Milliseconds, noRaw, 100, g)
			}
		}
	}
}

const ms = int64(1_000_000)

// one decodes a frame that must hold one event.
func one(t *testing.T, frame string) (core.Event, []core.Level) {
	t.Helper()
	out, res := agree(t, testSymbols(t), core.Milliseconds, Raw{Instrument: core.NoInstrument}, 100, []byte(frame))
	if res != Decoded {
		t.Fatalf("got %v, want decoded: %s", res, frame)
	}
	return out[0].Event, out[0].Levels
}

func TestDecodeReadsEachPayload(t *testing.T) {
	const u = core.Scale
	cases := []struct {
		name, frame string
		want        core.Event
		levels      []core.Level
	}{
		{"spot depth", `{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1723161255208,"s":"BTCUSDT","U":157,"u":160,"b":[["61737.63000000","0.00000000"],["2.00000001","3.1"]],"a":[["61837.64","1.54698000"]]}}`,
			core.Event{Kind: core.DepthDelta, Bids: 2, Asks: 1, ID: 160, W: [4]int64{157, 0, 1723161255208 * ms}},
			[]core.Level{{Price: 6173763000000, Qty: 0}, {Price: 200000001, Qty: 310000000}, {Price: 6183764000000, Qty: 154698000}}},
		{"futures depth chains by pu", `{"stream":"btcusdt@depth@0ms","data":{"e":"depthUpdate","E":2,"T":1,"s":"BTCUSDT","U":5,"u":9,"pu":4,"b":[],"a":[["1","2"]]}}`,
			core.Event{Kind: core.DepthDelta, Asks: 1, ID: 9, W: [4]int64{5, 4, 2 * ms}}, []core.Level{{Price: u, Qty: 2 * u}}},
		{"partial depth", `{"stream":"btcusdt@depth5@100ms","data":{"lastUpdateId":7,"bids":[["1","2"]],"asks":[["3","4"]]}}`,
			core.Event{Kind: core.DepthTop, Bids: 1, Asks: 1, ID: 7}, []core.Level{{Price: u, Qty: 2 * u}, {Price: 3 * u, Qty: 4 * u}}},
		{"futures partial depth is a delta by its event name only", `{"stream":"btcusdt@depth20@100ms","data":{"e":"depthUpdate","E":2,"T":1,"s":"BTCUSDT","U":5,"u":9,"pu":4,"b":[],"a":[["1","2"]]}}`,
			core.Event{Kind: core.DepthTop, Asks: 1, ID: 9, W: [4]int64{0, 0, 2 * ms}}, []core.Level{{Price: u, Qty: 2 * u}}},
		{"asks told first", `{"asks":[["3","4"],["5","6"]],"lastUpdateId":7,"bids":[["1","2"]],"e":"depthUpdate","a":[["3","4"],["5","6"]],"s":"BTCUSDT","b":[["1","2"]],"U":6,"u":7}`,
			core.Event{Kind: core.DepthDelta, Bids: 1, Asks: 2, ID: 7, W: [4]int64{6}},
			[]core.Level{{Price: u, Qty: 2 * u}, {Price: 3 * u, Qty: 4 * u}, {Price: 5 * u, Qty: 6 * u}}},
		{"spot bookTicker", `{"stream":"btcusdt@bookTicker","data":{"u":11,"s":"BTCUSDT","b":"1","B":"2","a":"3","A":"4"}}`,
			core.Event{Kind: core.Touch, ID: 11, W: [4]int64{u, 2 * u, 3 * u, 4 * u}}, nil},
		{"trade", `{"e":"trade","E":9,"s":"BTCUSDT","t":12,"p":"0.5","q":"100","T":8,"m":true,"M":true}`,
			core.Event{Kind: core.Trade, Flags: core.FlagBuyerMaker, ID: 12, W: [4]int64{u / 2, 100 * u, 8 * ms}}, nil},
		{"futures trade", `{"e":"trade","E":9,"T":8,"s":"BTCUSDT","t":12,"p":"0.5","q":"100","X":"INSURANCE_FUND","m":false}`,
			core.Event{Kind: core.Trade, ID: 12, W: [4]int64{u / 2, 100 * u, 8 * ms}}, nil},
		{"aggTrade", `{"e":"aggTrade","E":9,"s":"BTCUSDT","a":12,"p":"0.5","q":"100","f":-1,"l":105,"T":8,"m":true,"M":true}`,
			core.Event{Kind: core.AggTrade, Flags: core.FlagBuyerMaker, Bids: 1, ID: 12, W: [4]int64{u / 2, 100 * u, 8 * ms, -1}}, []core.Level{{Price: 105}}},
		{"kline", `{"e":"kline","E":9,"s":"BTCUSDT","k":{"t":60000,"T":119999,"s":"BTCUSDT","i":"1m","f":100,"L":200,"o":"1","c":"2","h":"3","l":"0.5","v":"10","n":101,"x":true,"q":"20","V":"5","Q":"6","B":"0"}}`,
			core.Event{Kind: core.Kline, Flags: core.FlagClosed, Bids: 4, ID: 200, W: [4]int64{60000 * ms, 119999 * ms, 101, 100}},
			[]core.Level{{Price: u, Qty: 3 * u}, {Price: u / 2, Qty: 2 * u}, {Price: 10 * u, Qty: 20 * u}, {Price: 5 * u, Qty: 6 * u}}},
		{"ticker of a cheap token: volume beyond an int64", `{"e":"24hrTicker","E":1,"s":"BTCUSDT","p":"-0.0015","P":"-250.00","w":"1","x":"1","c":"2","Q":"10","b":"0.5","B":"6","a":"0.7","A":"8","o":"1","h":"3","l":"0.25","v":"250000000000.00","q":"18","O":0,"C":1,"F":0,"L":9,"n":10}`,
			core.Event{Kind: core.Ticker24h, Bids: 4, ID: 9, W: [4]int64{ms, 2 * u, u, 10}},
			[]core.Level{{Price: 3 * u, Qty: u / 4}, {Price: math.MaxInt64, Qty: 18 * u}, {Price: u / 2, Qty: 6 * u}, {Price: 7 * u / 10, Qty: 8 * u}}},
		{"miniTicker", `{"e":"24hrMiniTicker","E":1,"s":"BTCUSDT","c":"2","o":"1","h":"3","l":"0.25","v":"25","q":"18"}`,
			core.Event{Kind: core.MiniTicker, Bids: 2, W: [4]int64{ms, 2 * u, u}}, []core.Level{{Price: 3 * u, Qty: u / 4}, {Price: 25 * u, Qty: 18 * u}}},
		{"avgPrice", `{"e":"avgPrice","E":1,"s":"BTCUSDT","i":"5m","w":"25776.86000000","T":7}`,
			core.Event{Kind: core.AvgPrice, W: [4]int64{2577686000000, 7 * ms}}, nil},
		{"escaped keys and values", `{"\u0065":"tra\u0064e","s":"BTC\u0055SDT","t":1,"p":"\u0030.5","q":"1","T":1,"m":false}`,
			core.Event{Kind: core.Trade, ID: 1, W: [4]int64{u / 2, u, ms}}, nil},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			ev, lv := one(t, tc.frame)
			if ev != tc.want || !slices.Equal(lv, tc.levels) {
				t.Fatalf("got %+v %v\nwant %+v %v", ev, lv, tc.want, tc.levels)
			}
		})
	}
}

func TestTimesFollowTheConnectionsUnit(t *testing.T) {
	frame := []byte(`{"stream":"btcusdt@trade","data":{"e":"trade","E":1723161255343000,"s":"BTCUSDT","t":1,"p":"1","q":"1","T":1723161255342123,"m":true,"M":true}}`)
	syms := testSymbols(t)
	us, res := agree(t, syms, core.Microseconds, noRaw, 0, frame)
	if res != Decoded || us[0].Event.TradeTime() != 1723161255342123000 {
		t.Fatalf("microseconds: got %v %+v", res, us)
	}
	// Microseconds on a millisecond connection do not fit: nothing is guessed.
	if _, res := agree(t, syms, core.Milliseconds, noRaw, 0, frame); res != Malformed {
		t.Fatalf("milliseconds: got %v, want malformed", res)
	}
}

func TestStrictNumbersMakeAFrameMalformed(t *testing.T) {
	syms := testSymbols(t)
	for _, p := range []string{`"-1"`, `"+1"`, `"1e3"`, `"1."`, `".5"`, `""`, `"."`, `"1 "`, `" 1"`, `"1,5"`, `"92233720368.54775808"`, `"100000000000"`,
		`"1.000000001"`, `1.5`, `null`, `"0x1"`, `"１"`, `"1\u0000"`, `["1"]`} {
		for _, f := range []string{
			`{"stream":"btcusdt@bookTicker","data":{"u":1,"s":"BTCUSDT","b":%s,"B":"1","a":"1","A":"1"}}`,
			`{"stream":"btcusdt@depth","data":{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":1,"u":1,"b":[["1",%s]],"a":[]}}`,
		} {
			frame := fmt.Sprintf(f, p)
			if _, res := agree(t, syms, core.Milliseconds, noRaw, 10, []byte(frame)); res != Malformed {
				t.Errorf("got %v, want malformed: %s", res, frame)
			}
		}
	}
	for _, p := range []string{`"1"`, `1.5`, `1e3`, `-1`, `9223372036854775808`, `01`, `null`, `true`} {
		frame := fmt.Sprintf(`{"stream":"btcusdt@bookTicker","data":{"u":%s,"s":"BTCUSDT","b":"1","B":"1","a":"1","A":"1"}}`, p)
		if _, res := agree(t, syms, core.Milliseconds, noRaw, 10, []byte(frame)); res != Malformed {
			t.Errorf("got %v, want malformed: %s", res, frame)
		}
	}
	for _, p := range []string{`"92233720368.54775807"`, `"0"`, `"000.10"`, `"1.0000000000"`, `"10000000.5"`, `"99999999999.0"`} {
		frame := fmt.Sprintf(`{"stream":"btcusdt@bookTicker","data":{"u":9223372036854775807,"s":"BTCUSDT","b":%s,"B":"1","a":"1","A":"1"}}`, p)
		want := Decoded
		if p == `"99999999999.0"` {
			want = Malformed
		}
		if _, res := agree(t, syms, core.Milliseconds, noRaw, 10, []byte(frame)); res != want {
			t.Errorf("got %v, want %v: %s", res, want, frame)
		}
	}
}

func TestResultsOtherThanEvents(t *testing.T) {
	syms := testSymbols(t)
	for frame, want := range map[string]Result{
		``:       Malformed,
		`   `:    Malformed,
		`{`:      Malformed,
		`{}`:     Ignored,
		`"text"`: Ignored,
		`7`:      Ignored,
		`{} {}`:  Malformed,
		`{"e":"markPriceUpdate","E":1,"s":"BTCUSDT","p":"1"}`:                                           Ignored,
		`{"e":"serverShutdown","E":1770123456789}`:                                                      Shutdown,
		`{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1}}`:                              Shutdown,
		`{"u":1,"s":"NOPE","b":"1","B":"1","a":"1","A":"1"}`:                                            UnknownSymbol,
		`{"u":1,"s":"btcusdt","b":"1","B":"1","a":"1","A":"1"}`:                                         UnknownSymbol,
		`{"lastUpdateId":1,"bids":[],"asks":[]}`:                                                        UnknownSymbol,
		`{"stream":"btcusdt@bookTicker","data":{"u":1,"s":"ETHUSDT","b":"1","B":"1","a":"1","A":"1"}}`:  Malformed,
		`{"u":1,"u":1,"s":"BTCUSDT","b":"1","B":"1","a":"1","A":"1"}`:                                   Malformed,
		`{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":1,"u":1,"b":[["1","1"],["2","2"]],"a":[["3","3"]]}`: Full,
		`{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":1,"u":1,"b":[["1","1"],["2","2"]],"a":[["3","x"]]}`: Malformed,
		`{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":1,"u":1,"b":[]}`:                                    Malformed,
		`{"e":"trade","E":1,"s":"BTCUSDT","t":1,"p":"1","q":"1","T":1}`:                                 Malformed,
		`{"e":7}`:           Malformed,
		"{\"e\":\"a\x01\"}": Malformed,
		`{"x":` + strings.Repeat("[", 63) + strings.Repeat("]", 63) + `}`: Ignored,
		`{"x":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `}`: Malformed,
	} {
		if _, res := agree(t, syms, core.Milliseconds, noRaw, 2, []byte(frame)); res != want {
			t.Errorf("got %v, want %v: %q", res, want, frame)
		}
	}
}

func TestRawPartialDepthBelongsToItsSocket(t *testing.T) {
	syms := testSymbols(t)
	eth := syms.Lookup([]byte("ETHUSDT"))
	raw := Raw{Instrument: eth, Partial: true}
	out, res := agree(t, syms, core.Milliseconds, raw, 10, []byte(`{"lastUpdateId":160,"bids":[["1","2"]],"asks":[]}`))
	if res != Decoded || out[0].Event.Instrument != eth || out[0].Event.Kind != core.DepthTop {
		t.Fatalf("got %v %+v", res, out)
	}
	out, res = agree(t, syms, core.Milliseconds, raw, 10, []byte(`{"e":"depthUpdate","E":2,"T":1,"s":"ETHUSDT","U":5,"u":9,"pu":4,"b":[],"a":[]}`))
	if res != Decoded || out[0].Event.Kind != core.DepthTop {
		t.Fatalf("futures: got %v %+v", res, out)
	}
	if _, res = agree(t, syms, core.Milliseconds, raw, 10, []byte(`{"e":"depthUpdate","E":2,"s":"BTCUSDT","U":5,"u":9,"b":[],"a":[]}`)); res != Malformed {
		t.Fatalf("another symbol: got %v, want malformed", res)
	}
}

func TestArraysGiveEveryEvent(t *testing.T) {
	syms := testSymbols(t)
	el := func(s string) string {
		return fmt.Sprintf(`{"e":"24hrMiniTicker","E":1,"s":%q,"c":"2","o":"1","h":"3","l":"0.25","v":"25","q":"18"}`, s)
	}
	for _, frame := range []string{
		`{"stream":"!miniTicker@arr","data":[` + el("BTCUSDT") + `,` + el("NOPE") + ` , ` + el("ETHUSDT") + `]}`,
		` [ ` + el("BTCUSDT") + `,` + el("NOPE") + `,` + el("ETHUSDT") + ` ]`,
	} {
		out, res := agree(t, syms, core.Milliseconds, noRaw, 10, []byte(frame))
		if res != Many || len(out) != 3 || out[0].Result != Decoded || out[1].Result != UnknownSymbol || out[2].Result != Decoded ||
			syms.Name(out[2].Event.Instrument) != "ETHUSDT" {
			t.Fatalf("got %v %+v", res, out)
		}
	}
	if out, res := agree(t, syms, core.Milliseconds, noRaw, 10, []byte(`[]`)); res != Many || len(out) != 0 {
		t.Fatalf("empty array: got %v %v", res, out)
	}
}

func TestRepliesInEveryShape(t *testing.T) {
	d := NewDecoder(testSymbols(t), core.Milliseconds, noRaw)
	for frame, want := range map[string]Reply{
		`{"result":null,"id":7}`:                                  {ID: 7, HasID: true, OK: true},
		`{"result":["a"],"id":"x"}`:                               {OK: true},
		`{"error":{"code":2,"msg":"Invalid \"x\""},"id":-1}`:      {ID: -1, HasID: true, Code: 2, Msg: []byte(`Invalid "x"`)},
		`{"code":3,"msg":"Invalid JSON","id":null}`:               {Code: 3, Msg: []byte("Invalid JSON")},
		`{"id":5,"error":"odd"}`:                                  {ID: 5, HasID: true},
		`{"id":5,"error":null,"result":null}`:                     {ID: 5, HasID: true, OK: true},
		`{"error":{"code":1e9,"code":2,"msg":7},"id":1}`:          {ID: 1, HasID: true},
		`{"error":{"code":-9223372036854775808,"msg":""},"id":1}`: {ID: 1, HasID: true},
	} {
		agree(t, testSymbols(t), core.Milliseconds, noRaw, 10, []byte(frame))
		var ev core.Event
		if _, res := d.Decode([]byte(frame), &ev, nil); res != Control {
			t.Fatalf("got %v, want control: %s", res, frame)
		}
		r := d.Reply()
		if r.ID != want.ID || r.HasID != want.HasID || r.OK != want.OK || r.Code != want.Code || string(r.Msg) != string(want.Msg) {
			t.Errorf("got %+v, want %+v: %s", r, want, frame)
		}
	}
}

func TestUnknownFieldsAreCountedNotRefused(t *testing.T) {
	d := NewDecoder(testSymbols(t), core.Milliseconds, noRaw)
	var ev core.Event
	frame := []byte(`{"e":"trade","E":9,"s":"BTCUSDT","t":12,"p":"0.5","q":"100","T":8,"m":true,"M":true,"Z":{"a":[]},"nq":"1","ps":"x"}`)
	if _, res := d.Decode(frame, &ev, nil); res != Decoded || d.Stats().UnknownFields != 2 || d.Stats().General != 1 {
		t.Fatalf("got %v, stats %+v", res, *d.Stats())
	}
}

func TestFastRoadTakesTheVenuesOwnShapes(t *testing.T) {
	d := NewDecoder(testSymbols(t), core.Milliseconds, noRaw)
	lv := make([]core.Level, 0, 1000)
	var ev core.Event
	recorded := true
	n := 0
	for _, f := range goldenFrames(t) {
		// The written part follows the first raw trade.
		if strings.HasPrefix(string(f), `{"e":"trade"`) {
			recorded = false
		}
		if !recorded || strings.Contains(string(f), "markPrice") {
			continue
		}
		// Spot and futures frames, which share stream names, come to one decoder
		// here: the first of a kind may have to teach it.
		_, _ = d.Decode(f, &ev, lv)
		before := d.Stats().Fast
		if _, res := d.Decode(f, &ev, lv); res != Decoded || d.Stats().Fast == before {
			t.Errorf("left the fast road with %v: %s", res, f)
		}
		n++
	}
	if n < 20 {
		t.Fatalf("only %d frames tried", n)
	}
	for _, f := range []string{
		`{"e":"trade","E":1672515782136,"s":"BNBBTC","t":12345,"p":"0.001","q":"100","T":1672515782136,"m":true,"M":true}`,
		`{"u":400900217,"s":"BNBUSDT","b":"25.35190000","B":"31.21000000","a":"25.36520000","A":"40.66000000"}`,
		`{"u":17242169,"e":"bookTicker","s":"BTCUSD_PERP","ps":"BTCUSD","b":"9548.1","B":"52","a":"9548.5","A":"11","T":1591268628155,"E":1591268628166}`,
		`{"e":"depthUpdate","E":1591270260907,"T":1591270260891,"s":"BTCUSD_PERP","ps":"BTCUSD","U":17285681,"u":17285702,"pu":17285675,"b":[["9517.6","10"]],"a":[["9518.5","45"]]}`,
		`{"e":"aggTrade","E":1591261134288,"a":424951,"s":"BTCUSDT","p":"9643.5","q":"2","f":606073,"l":606073,"T":1591261134199,"m":false}`,
		`{"stream":"bnbbtc@depth20@100ms","data":{"lastUpdateId":160,"bids":[["0.0024","10"],["0.0023","1"]],"asks":[]}}`,
		`{"stream":"bnbbtc@depth5","data":{"lastUpdateId":160,"bids":[["0.0024","123456789"],["0.0023","1"]],"asks":[["1234567890.5","12345678.00000001"]]}}`,
		`{"e":"kline","E":1672515782136,"s":"BNBBTC","k":{"t":1672515780000,"T":1672515839999,"s":"BNBBTC","i":"1m","f":100,"L":200,"o":"0.0010","c":"0.0020","h":"0.0025","l":"0.0015","v":"1000","n":100,"x":true,"q":"12345678901.5","V":"500","Q":"0.500","B":"123456"}}`,
		`{"e":"24hrTicker","E":1672515782136,"s":"BNBBTC","p":"-0.0015","P":"250.00","w":"0.0018","x":"0.0009","c":"0.0025","Q":"10","b":"0.0024","B":"10","a":"0.0026","A":"100","o":"0.0010","h":"0.0025","l":"0.0010","v":"10000","q":"18","O":0,"C":86400000,"F":0,"L":18150,"n":18151}`,
		`{"e":"24hrTicker","E":1672515782136,"s":"BTCUSDT","p":"-10.0","P":"-0.200","w":"61000.0","c":"61337.4","Q":"10","o":"61347.4","h":"61900","l":"60900","v":"100000.125","q":"6100000000.50","O":1672429380000,"C":1672515782131,"F":1,"L":18150,"n":18151}`,
		`{"stream":"bnbbtc@miniTicker","data":{"e":"24hrMiniTicker","E":1672515782136,"s":"BNBBTC","c":"0.0025","o":"0.0010","h":"0.0025","l":"0.0010","v":"12345678901.00000000","q":"18"}}`,
	} {
		agree(t, testSymbols(t), core.Milliseconds, noRaw, 10, []byte(f))
		before := d.Stats().Fast
		if _, res := d.Decode([]byte(f), &ev, lv); res != Decoded || d.Stats().Fast == before {
			t.Errorf("left the fast road with %v: %s", res, f)
		}
	}
}

func TestDecimalAgreesWithCore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching(`[0-9]{0,12}(\.[0-9]{0,10})?`).Draw(t, "s")
		want, err := core.ParseDecimal(s)
		pad := rapid.SampledFrom([]string{`"`, `"}}`, `","A":"1.54698000"}}`}).Draw(t, "behind")
		got, next := decimal([]byte(s+pad), 0)
		if next >= 0 && (err != nil || got != want || next != len(s)+1) {
			t.Fatalf("%q: got %d at %d, want %d, %v", s, got, next, want, err)
		}
		if whole, frac, _ := strings.Cut(s, "."); err == nil && next < 0 && len(whole) < 8 && len(frac) <= 8 {
			t.Fatalf("%q: refused", s)
		}
	})
}

func TestNumberReadsEveryLength(t *testing.T) {
	for _, behind := range []string{",", "}", `,"s":"BTCUSDT"`, ""} {
		v := int64(0)
		for digits := 1; digits <= 16; digits++ {
			v = v*10 + int64(digits%10)
			s := fmt.Sprint(v)
			if got, next := number([]byte(s+behind), 0); got != v || next != len(s) {
				t.Fatalf("%q: got %d at %d", s+behind, got, next)
			}
		}
		for _, bad := range []string{"", "-1", "01", "000000000", "12345678901234567", "x"} {
			if got, next := number([]byte(bad+behind), 0); next >= 0 {
				t.Fatalf("%q: got %d at %d, want refusal", bad+behind, got, next)
			}
		}
	}
}

func TestSymbolsRefuseWhatWouldBeAmbiguous(t *testing.T) {
	for _, syms := range [][]string{{"A\"B"}, {"A@B"}, {"A\\"}, {"A\n"}, {"ABC", "abc"}} {
		tab := core.NewInstruments()
		for _, s := range syms {
			if _, err := tab.Add(core.Instrument{Symbol: s}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := NewSymbols(tab); err == nil {
			t.Errorf("%q: accepted", syms)
		}
	}
}

func TestSymbolsFindAllOfMany(t *testing.T) {
	tab := core.NewInstruments()
	for i := range 2000 {
		if _, err := tab.Add(core.Instrument{Symbol: fmt.Sprintf("C%dUSDT", i)}); err != nil {
			t.Fatal(err)
		}
	}
	s, err := NewSymbols(tab)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2000 {
		id := core.InstrumentID(i)
		if s.Lookup([]byte(fmt.Sprintf("C%dUSDT", i))) != id || s.LookupStream([]byte(fmt.Sprintf("c%dusdt", i))) != id {
			t.Fatalf("symbol %d is not found", i)
		}
		if s.Lookup([]byte(fmt.Sprintf("D%dUSDT", i))) != core.NoInstrument || s.Lookup(nil) != core.NoInstrument {
			t.Fatalf("symbol %d: found what is not there", i)
		}
	}
}

func TestDecodeDoesNotAllocate(t *testing.T) {
	syms := testSymbols(t)
	fs := goldenFrames(t)
	lv := make([]core.Level, 0, 1000)
	var ev core.Event
	for _, d := range []*Decoder{NewDecoder(syms, core.Milliseconds, noRaw), NewDecoder(syms, core.Milliseconds, noRaw).ScalarOnly(), NewDecoder(syms, core.Milliseconds, noRaw).GeneralOnly()} {
		all := func() {
			for _, f := range fs {
				if _, res := d.Decode(f, &ev, lv); res == Many {
					for more := true; more; {
						_, _, more = d.NextOf(f, &ev, lv)
					}
				}
			}
		}
		all()
		if n := testing.AllocsPerRun(100, all); n != 0 {
			t.Errorf("got %v allocations, want 0", n)
		}
	}
}

// Any JSON the venue could send with its keys in another order decodes alike.
func TestKeyOrderDoesNotMatter(t *testing.T) {
	pairs := []string{`"e":"depthUpdate"`, `"E":123`, `"s":"BTCUSDT"`, `"U":1`, `"u":2`, `"b":[["1","2"],["3","4"]]`, `"a":[["5","6"]]`, `"pu":0`, `"x":{"b":[["9","9"]]}`}
	want, _ := one(t, `{`+strings.Join(pairs, ",")+`}`)
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		rng.Shuffle(len(pairs), func(i, j int) { pairs[i], pairs[j] = pairs[j], pairs[i] })
		if got, _ := one(t, `{"data":{`+strings.Join(pairs, ",")+`},"stream":"btcusdt@depth"}`); got != want {
			t.Fatalf("%v: got %+v, want %+v", pairs, got, want)
		}
	}
}
