package wire

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/valyala/fastjson"

	"riposte/tools/venue/exchange"
)

// Frames as received from Binance: spot BTCUSDT 2024-08-08, NKNUSDT and LRCBTC
// 2021-10-12 (recordings A and B of the data README).
var frames = []string{
	`{"stream":"btcusdt@bookTicker","data":{"u":50093239212,"s":"BTCUSDT","b":"61837.63000000","B":"3.78826000","a":"61837.64000000","A":"1.54698000"}}`,
	`{"stream":"btcusdt@trade","data":{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":3735683259,"p":"61837.63000000","q":"0.02000000","T":1723161255342,"m":true,"M":true}}`,
	`{"stream":"nknusdt@depth@100ms","data":{"e":"depthUpdate","E":1633998513366,"s":"NKNUSDT","U":499869765,"u":499869767,"b":[["0.35120000","6567.00000000"],["0.35080000","8246.00000000"]],"a":[["0.35340000","0.00000000"]]}}`,
	`{"stream":"lrcbtc@depth@100ms","data":{"e":"depthUpdate","E":1633998514469,"s":"LRCBTC","U":259345536,"u":259345539,"b":[["0.00000636","10310.00000000"]],"a":[]}}`,
	`{"stream":"nknusdt@aggTrade","data":{"e":"aggTrade","E":1633998523963,"s":"NKNUSDT","a":15683430,"p":"0.35280000","q":"58.00000000","f":19862790,"l":19862790,"T":1633998523963,"m":false,"M":true}}`,
	`{"stream":"nknusdt@kline_1m","data":{"e":"kline","E":1633998523963,"s":"NKNUSDT","k":{"t":1633998480000,"T":1633998539999,"s":"NKNUSDT","i":"1m","f":19862761,"L":19862790,"o":"0.35270000","c":"0.35280000","h":"0.35280000","l":"0.35220000","v":"25877.00000000","n":30,"x":false,"q":"9116.04600000","V":"58.00000000","Q":"20.46240000","B":"0"}}}`,
}

func fixed(v *fastjson.Value, key string) exchange.Fixed {
	n, err := exchange.ParseFixed(string(v.GetStringBytes(key)))
	if err != nil {
		return -1
	}
	return n
}

func sides(v *fastjson.Value, key string) (out []exchange.Level) {
	for _, l := range v.GetArray(key) {
		p := l.GetArray()
		price, _ := exchange.ParseFixed(string(p[0].GetStringBytes()))
		qty, _ := exchange.ParseFixed(string(p[1].GetStringBytes()))
		out = append(out, exchange.Level{Price: price, Qty: qty})
	}
	return out
}

// reprint reads a recorded combined frame with an independent parser and prints
// it again; nil for an event this package does not print.
func reprint(t testing.TB, p *fastjson.Parser, frame []byte) []byte {
	v, err := p.ParseBytes(frame)
	if err != nil {
		t.Fatal(err)
	}
	d := v.Get("data")
	s, now := string(d.GetStringBytes("s")), d.GetInt64("E")*1000
	out := OpenCombined(nil, string(v.GetStringBytes("stream")))
	switch string(d.GetStringBytes("e")) {
	case "depthUpdate":
		out = AppendDepthUpdate(out, &exchange.DepthDiff{Symbol: s, First: d.GetInt64("U"), Last: d.GetInt64("u"), Bids: sides(d, "b"), Asks: sides(d, "a")}, now, Milli)
	case "trade":
		out = AppendTrade(out, &exchange.Trade{Symbol: s, ID: d.GetInt64("t"), Price: fixed(d, "p"), Qty: fixed(d, "q"), Time: d.GetInt64("T") * 1000, BuyerIsMaker: d.GetBool("m")}, now, Milli)
	case "aggTrade":
		out = AppendAggTrade(out, &exchange.AggTrade{
			Symbol: s, ID: d.GetInt64("a"), Price: fixed(d, "p"), Qty: fixed(d, "q"), FirstID: d.GetInt64("f"), LastID: d.GetInt64("l"),
			Time: d.GetInt64("T") * 1000, BuyerIsMaker: d.GetBool("m"),
		}, now, Milli)
	case "kline":
		k := d.Get("k")
		iv, ok := exchange.ParseInterval(string(k.GetStringBytes("i")))
		if !ok {
			t.Fatalf("unknown interval in %s", frame)
		}
		out = AppendKline(out, &exchange.Kline{
			Symbol: s, Interval: iv, OpenTime: k.GetInt64("t") * 1000, CloseTime: k.GetInt64("T")*1000 + 999, Open: fixed(k, "o"), High: fixed(k, "h"),
			Low: fixed(k, "l"), Close: fixed(k, "c"), Volume: fixed(k, "v"), Quote: fixed(k, "q"), TakerBase: fixed(k, "V"), TakerQuote: fixed(k, "Q"),
			Trades: k.GetInt64("n"), FirstID: k.GetInt64("f"), LastID: k.GetInt64("L"), Closed: k.GetBool("x"),
		}, now, Milli)
	case "":
		out = AppendBookTicker(out, &exchange.Top{
			Symbol: s, UpdateID: d.GetInt64("u"), Bid: exchange.Level{Price: fixed(d, "b"), Qty: fixed(d, "B")}, Ask: exchange.Level{Price: fixed(d, "a"), Qty: fixed(d, "A")},
		})
	default:
		return nil
	}
	return CloseCombined(out)
}

func TestRecordedFramesArePrintedByteForByte(t *testing.T) {
	var p fastjson.Parser
	for _, f := range frames {
		if got := reprint(t, &p, []byte(f)); string(got) != f {
			t.Errorf("got  %s\nwant %s", got, f)
		}
	}
	dir := os.Getenv("RIPOSTE_DATA")
	if dir == "" {
		dir = "../../../../shared/data"
	}
	for _, name := range []string{"spot_btcusdt_20240808.tsv.gz", "spot_multi4_20211012.tsv.gz"} {
		f, err := os.Open(filepath.Join(dir, "streams", name))
		if errors.Is(err, os.ErrNotExist) {
			t.Logf("recording %s is not here: only %d quoted frames compared", name, len(frames))
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		lines, n := bufio.NewScanner(z), 0
		lines.Buffer(nil, 1<<22)
		for lines.Scan() {
			w := bytes.SplitN(lines.Bytes(), []byte("\t"), 3)
			if string(w[1]) != "ws" {
				continue
			}
			if got := reprint(t, &p, w[2]); !bytes.Equal(got, w[2]) {
				t.Fatalf("%s: got  %s\nwant %s", name, got, w[2])
			}
			n++
		}
		if lines.Err() != nil || n == 0 {
			t.Errorf("%s: compared %d frames, %v", name, n, lines.Err())
		}
	}
}

func TestTickersHaveEveryMember(t *testing.T) {
	k := &exchange.Ticker{
		Symbol: "BNBBTC", Change: -15 * exchange.One / 10, ChangePct: -95_9609_0000, VWAP: 18, PrevClose: 9, Last: 25, LastQty: 10,
		Bid: exchange.Level{Price: 24, Qty: 1}, Ask: exchange.Level{Price: 26, Qty: 2}, Open: 10, High: 30, Low: 5, Volume: 1000, Quote: 2000,
		OpenTime: 86_400_000_123, CloseTime: 172_800_000_456, FirstID: 0, LastID: 18150, Count: 18151,
	}
	for _, c := range []struct {
		got  []byte
		want string
	}{
		{AppendTicker(nil, k, 123_456_789, Milli), `{"e":"24hrTicker","E":123456,"s":"BNBBTC","p":"-1.50000000","P":"-95.960","w":"0.00000018","x":"0.00000009","c":"0.00000025","Q":"0.00000010","b":"0.00000024","B":"0.00000001","a":"0.00000026","A":"0.00000002","o":"0.00000010","h":"0.00000030","l":"0.00000005","v":"0.00001000","q":"0.00002000","O":86400000,"C":172800000,"F":0,"L":18150,"n":18151}`},
		{AppendWindowTicker(nil, "1hTicker", k, 123_456_789, Micro), `{"e":"1hTicker","E":123456789,"s":"BNBBTC","p":"-1.50000000","P":"-95.960","o":"0.00000010","h":"0.00000030","l":"0.00000005","c":"0.00000025","w":"0.00000018","v":"0.00001000","q":"0.00002000","O":86400000123,"C":172800000456,"F":0,"L":18150,"n":18151}`},
		{AppendMiniTicker(nil, k, 123_456_789, Milli), `{"e":"24hrMiniTicker","E":123456,"s":"BNBBTC","c":"0.00000025","o":"0.00000010","h":"0.00000030","l":"0.00000005","v":"0.00001000","q":"0.00002000"}`},
		{AppendAvgPrice(nil, &exchange.AvgPrice{Symbol: "BTCUSDT", Price: 2_577_686_000_000, CloseTime: 1_693_907_032_213_999}, 1_693_907_033_000_000, Milli), `{"e":"avgPrice","E":1693907033000,"s":"BTCUSDT","i":"5m","w":"25776.86000000","T":1693907032213}`},
		{AppendDepth(nil, 160, []exchange.Level{{Price: 240_000, Qty: 10 * exchange.One}}, nil), `{"lastUpdateId":160,"bids":[["0.00240000","10.00000000"]],"asks":[]}`},
	} {
		if string(c.got) != c.want {
			t.Errorf("got  %s\nwant %s", c.got, c.want)
		}
	}
}

func TestPercentIsTruncatedToThreeDecimals(t *testing.T) {
	for v, want := range map[exchange.Fixed]string{0: "0.000", 99_999: "0.000", -99_999: "0.000", 100_000: "0.001", -94_999_000_000: "-949.990", 12_345_678_900: "123.456"} {
		if got := string(AppendPercent(nil, v)); got != want {
			t.Errorf("%d: got %s, want %s", v, got, want)
		}
	}
}

func TestAnySymbolMakesValidJSON(t *testing.T) {
	for _, s := range []string{"BTCUSDT", "１２３", `a"b\c`, "x\ny\x00z"} {
		out := CloseCombined(AppendTrade(OpenCombined(nil, strings.ToLower(s)+"@trade"), &exchange.Trade{Symbol: s}, 0, Milli))
		var v struct {
			Data struct {
				S string `json:"s"`
			} `json:"data"`
		}
		if err := json.Unmarshal(out, &v); err != nil || v.Data.S != s {
			t.Errorf("%q: got %s, %v", s, out, err)
		}
	}
}

func TestPrintingReusesItsBuffer(t *testing.T) {
	d := &exchange.DepthDiff{Symbol: "BTCUSDT", Bids: make([]exchange.Level, 20), Asks: make([]exchange.Level, 20)}
	buf := make([]byte, 0, 4096)
	if n := testing.AllocsPerRun(100, func() { buf = AppendDepthUpdate(buf[:0], d, 1, Milli) }); n != 0 {
		t.Errorf("got %v allocations per event, want 0", n)
	}
}
