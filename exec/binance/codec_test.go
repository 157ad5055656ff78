package binance

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"riposte/core"
	"riposte/exec"
)

var update = flag.Bool("update", false, "write golden files anew")

// venueNow is the time of the documentation's signing example.
const venueNow = core.WallNs(1499827319559 * int64(1e6))

func instruments(t testing.TB) *core.Instruments {
	t.Helper()
	table := core.NewInstruments()
	for _, s := range []struct{ symbol, base, quote string }{{"BTCUSDT", "BTC", "USDT"}, {"ETHBTC", "ETH", "BTC"}, {"１２３４５６", "１２３", "４５６"}, {"BATUSDT", "BAT", "USDT"}} {
		if _, err := table.Add(core.Instrument{Symbol: s.symbol, Base: table.Asset(s.base), Quote: table.Asset(s.quote),
			Status: core.StatusTrading, Filters: core.Filters{Tick: 1_000_000}}); err != nil {
			t.Fatal(err)
		}
	}
	table.Asset("BNB")
	return table
}

func codec(t testing.TB, key *Key, rungs int) *Codec {
	t.Helper()
	ids, err := exec.NewIDs("rp", 1_700_000_000)
	if err != nil {
		t.Fatal(err)
	}
	c, err := NewCodec(Config{Instruments: instruments(t), URL: "https://api.binance.com", Key: key, IDs: ids, Rungs: rungs})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func limit(price, qty int64) core.Intent {
	return core.Intent{Kind: core.Place, Type: core.Limit, Price: core.Price(price), Qty: core.Qty(qty)}
}

// lv is one side of a market: a touch and what is behind it.
func lv(prices ...int64) (out []core.Level) {
	for _, p := range prices {
		out = append(out, core.Level{Price: core.Price(p)})
	}
	return out
}

func TestGoldenRequests(t *testing.T) {
	c := codec(t, hmacKey(t), 0)
	ed := codec(t, edKey(t), 0)
	var out bytes.Buffer
	show := func(name string, b []byte) { fmt.Fprintf(&out, "== %s\n%s", name, b) }
	var r exec.Request
	for _, in := range []struct {
		name   string
		intent core.Intent
	}{
		{"LIMIT GTC buy", core.Intent{Type: core.Limit, Price: 61837_64000000, Qty: 35210000}},
		{"LIMIT IOC sell", core.Intent{Type: core.Limit, TIF: core.IOC, Side: core.Sell, Price: 10000000, Qty: 1_00000000}},
		{"LIMIT FOK buy", core.Intent{Type: core.Limit, TIF: core.FOK, Price: 1, Qty: 92233720368_54775807}},
		{"LIMIT_MAKER sell", core.Intent{Type: core.LimitMaker, Side: core.Sell, Price: 62000_00000000, Qty: 1000}},
		{"MARKET buy", core.Intent{Type: core.MarketOrder, Qty: 5_00000000}},
		{"STOP_LOSS_LIMIT sell, trailing, 15 ms to live", core.Intent{Type: core.StopLossLimit, Side: core.Sell, Price: 61000_00000000, Stop: 61100_00000000, Trail: 25, Qty: 1000, LifeUs: 15_000}},
		{"TAKE_PROFIT buy, no self-trade", core.Intent{Type: core.TakeProfit, Stop: 61100_00000000, Qty: 1000, STP: core.STPExpireMaker}},
		{"LIMIT iceberg", core.Intent{Type: core.Limit, Price: 61837_64000000, Qty: 1_00000000, Iceberg: 10000000}},
		{"LIMIT on a non-ASCII symbol", core.Intent{Type: core.Limit, Instrument: 2, Price: 10000000, Qty: 1_00000000}},
	} {
		if e := c.Place(&in.intent, venueNow, venueNow, &r); e != exec.EncodeOK {
			t.Fatalf("%s: %v", in.name, e)
		}
		show(in.name, r.Bytes)
	}
	o := exec.Order{Client: r.Client, Instrument: 0}
	if e := c.Cancel(&o, venueNow, &r); e != exec.EncodeOK {
		t.Fatal(e)
	}
	show("cancel by client id", r.Bytes)
	o.VenueID = 12345678901
	if e := c.Cancel(&o, venueNow, &r); e != exec.EncodeOK {
		t.Fatal(e)
	}
	show("cancel by venue id", r.Bytes)
	next := core.Intent{Kind: core.Replace, Type: core.LimitMaker, Side: core.Sell, Price: 61900_00000000, Qty: 35210000}
	for _, old := range []struct {
		name string
		o    exec.Order
	}{{"by venue id", o}, {"by client id", exec.Order{Client: o.Client}}} {
		if e := c.Replace(&next, &old.o, venueNow, venueNow, &r); e != exec.EncodeOK {
			t.Fatal(e)
		}
		show("replace "+old.name, r.Bytes)
		if e := c.Amend(&old.o, 12345678, venueNow, &r); e != exec.EncodeOK {
			t.Fatal(e)
		}
		show("amend "+old.name, r.Bytes)
	}
	c.Probe(&r)
	show("probe", r.Bytes)
	in := limit(61837_64000000, 35210000)
	if e := ed.Place(&in, venueNow, venueNow, &r); e != exec.EncodeOK {
		t.Fatal(e)
	}
	show("LIMIT with Ed25519", r.Bytes)

	const file = "testdata/requests.golden"
	if *update {
		if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Bytes(), want) {
		t.Errorf("requests are\n%s\nwant\n%s", out.Bytes(), want)
	}
}

// checkRequest parses a request with the standard library and verifies it the way
// the venue does: signature over the raw query without the signature.
func checkRequest(t rapid.TB, b []byte, key *Key) url.Values {
	t.Helper()
	req, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(b)))
	if err != nil {
		t.Fatalf("request cannot be read: %v\n%s", err, b)
	}
	if req.Host != "api.binance.com" || req.Header.Get("X-MBX-APIKEY") == "" || req.ContentLength != 0 {
		t.Fatalf("head is wrong: %s", b)
	}
	payload, sig, ok := strings.Cut(req.URL.RawQuery, "&signature=")
	if !ok {
		t.Fatalf("request has no signature at its end: %s", b)
	}
	if want := string(key.Signer().AppendREST(nil, []byte(payload))); sig != want {
		t.Fatalf("signature is %s, want %s", sig, want)
	}
	q, err := url.ParseQuery(payload)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func TestEveryOrderRequestIsReadBackAsTheIntent(t *testing.T) {
	keys := []*Key{hmacKey(t), edKey(t)}
	rapid.Check(t, func(rt *rapid.T) {
		key := keys[rapid.IntRange(0, 1).Draw(rt, "key")]
		c := codec(t, key, 5)
		now := venueNow
		for range rapid.IntRange(1, 12).Draw(rt, "orders") {
			in := core.Intent{
				Kind: core.Place, Type: rapid.SampledFrom([]core.OrderType{core.Limit, core.LimitMaker, core.MarketOrder}).Draw(rt, "type"),
				Side: core.Side(rapid.IntRange(0, 1).Draw(rt, "side")), TIF: core.TIF(rapid.IntRange(0, 2).Draw(rt, "tif")),
				Instrument: core.InstrumentID(rapid.IntRange(0, 3).Draw(rt, "instrument")),
				Price:      core.Price(rapid.Int64Range(1, 5).Draw(rt, "price") * 1_000_000), Qty: core.Qty(rapid.Int64Range(1, 2).Draw(rt, "qty")),
			}
			var r exec.Request
			if e := c.Place(&in, now, now, &r); e != exec.EncodeOK {
				rt.Fatal(e)
			}
			q := checkRequest(rt, r.Bytes, key)
			want := url.Values{
				"symbol": {c.instruments.Get(in.Instrument).Symbol}, "side": {in.Side.String()}, "type": {in.Type.String()},
				"quantity": {in.Qty.String()}, "recvWindow": {"5000"}, "newOrderRespType": {"FULL"},
				"newClientOrderId": {r.Client.String()}, "timestamp": {fmt.Sprint(int64(r.Stamp) / 1e6)},
			}
			if in.Type == core.Limit {
				want.Set("timeInForce", in.TIF.String())
			}
			if in.Type != core.MarketOrder {
				want.Set("price", in.Price.String())
			}
			if q.Encode() != want.Encode() {
				rt.Fatalf("request says %v, want %v", q, want)
			}
			if age := now - r.Stamp; age > core.WallNs(2500*time.Millisecond) || age < 0 {
				rt.Fatalf("request is signed %v ago, want at most half of recvWindow", time.Duration(age))
			}
			if _, seq, owner := c.ids.Parse(r.Client.Bytes()); owner != exec.Ours || seq != r.Seq {
				rt.Fatalf("client id %s reads as %d %v, want %d ours", r.Client, seq, owner, r.Seq)
			}
			for range rapid.IntRange(0, 12).Draw(rt, "idle") {
				c.Idle(now)
			}
			// Now and then over the digits of the timestamp that a draft has settled.
			now += core.WallNs(rapid.OneOf(rapid.Int64Range(0, 4000), rapid.Int64Range(0, 300_000)).Draw(rt, "ms") * 1e6)
		}
	})
}

func TestNoTwoRequestsShareAClientID(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := codec(t, hmacKey(t), 7)
		seen := map[string]bool{}
		now := venueNow
		for range 60 {
			switch rapid.IntRange(0, 3).Draw(rt, "do") {
			case 0:
				c.Hint(0, lv(rapid.Int64Range(1, 9).Draw(rt, "bid")*1_000_000), lv(rapid.Int64Range(10, 19).Draw(rt, "ask")*1_000_000))
			case 1:
				now += core.WallNs(rapid.Int64Range(0, 3000).Draw(rt, "ms") * 1e6)
			default:
				in := limit(rapid.Int64Range(1, 12).Draw(rt, "price")*1_000_000, 1)
				in.Side = core.Side(rapid.IntRange(0, 1).Draw(rt, "side"))
				var r exec.Request
				c.Place(&in, now, now, &r)
				if seen[r.Client.String()] {
					rt.Fatalf("client id %s was used twice", r.Client)
				}
				seen[r.Client.String()] = true
				if !bytes.Contains(r.Bytes, r.Client.Bytes()) {
					rt.Fatalf("request does not hold its client id %s", r.Client)
				}
			}
			c.Idle(now)
		}
	})
}

func TestPlaceRefusesWhatHasNoTemplate(t *testing.T) {
	c := codec(t, hmacKey(t), 0)
	for _, tc := range []struct {
		in   core.Intent
		want exec.EncodeError
	}{
		{core.Intent{Instrument: 9, Price: 1, Qty: 1}, exec.EncodeInstrument},
		{core.Intent{Type: core.StopLoss, Qty: 1}, exec.EncodeNumber},
		{core.Intent{Type: core.Limit, Price: 1, Qty: 1, Stop: 1}, exec.EncodeNumber},
		{core.Intent{Type: core.MarketOrder, Qty: 1, Trail: 1}, exec.EncodeNumber},
		{core.Intent{Type: core.StopLossLimit, Stop: 1, Qty: 1}, exec.EncodeNumber},
		{core.Intent{Type: core.TakeProfit, Stop: -1, Trail: 5, Qty: 1}, exec.EncodeNumber},
		{core.Intent{Type: core.Limit, Price: 1, Qty: 5, Iceberg: 5}, exec.EncodeNumber},
		{core.Intent{Type: core.MarketOrder, Qty: 5, Iceberg: 1}, exec.EncodeNumber},
		{core.Intent{Type: core.Limit, TIF: core.IOC, Price: 1, Qty: 5, Iceberg: 1}, exec.EncodeType},
		{core.Intent{Type: core.TakeProfitLimit + 1, Price: 1, Qty: 1}, exec.EncodeType},
		{core.Intent{Type: core.Limit, Price: 1, Qty: 1, STP: core.STPTransfer + 1}, exec.EncodeType},
		{core.Intent{Type: core.Limit, Price: 0, Qty: 1}, exec.EncodeNumber},
		{core.Intent{Type: core.Limit, Price: 1, Qty: 0}, exec.EncodeNumber},
		{core.Intent{Type: core.MarketOrder, Qty: -1}, exec.EncodeNumber},
		{core.Intent{Type: core.Limit, Side: 2, Price: 1, Qty: 1}, exec.EncodeNumber},
	} {
		var r exec.Request
		if got := c.Place(&tc.in, venueNow, venueNow, &r); got != tc.want {
			t.Errorf("%+v: got %v, want %v", tc.in, got, tc.want)
		}
	}
}

func TestRecvWindowIsRefusedBeyondTheVenuesLimit(t *testing.T) {
	for _, tc := range []struct {
		d    time.Duration
		want string
	}{
		{5 * time.Second, "5000"}, {60 * time.Second, "60000"}, {6000346 * time.Microsecond, "6000.346"}, {500 * time.Microsecond, "0.5"},
		{0, ""}, {-1, ""}, {60*time.Second + time.Microsecond, ""}, {time.Nanosecond, ""},
	} {
		got, err := windowText(tc.d)
		if got != tc.want || (err == nil) != (tc.want != "") {
			t.Errorf("recvWindow %v: got %q, %v, want %q", tc.d, got, err, tc.want)
		}
	}
}

func TestPlacingDoesNotAllocate(t *testing.T) {
	c := codec(t, hmacKey(t), 5)
	in := limit(61837_64000000, 35210000)
	var r exec.Request
	if n := testing.AllocsPerRun(200, func() {
		in.Price += 1_000_000_000
		c.Place(&in, venueNow, venueNow, &r)
	}); n != 0 {
		t.Errorf("a miss allocates %v times, want 0", n)
	}
	for c.Idle(venueNow) != 0 {
	}
	hits := c.Stats.Hits
	if n := testing.AllocsPerRun(200, func() {
		c.Place(&in, venueNow, venueNow, &r)
		c.Idle(venueNow)
	}); n != 0 {
		t.Errorf("a hit and its replacement allocate %v times, want 0", n)
	}
	if c.Stats.Hits == hits {
		t.Error("nothing hit")
	}
	o := exec.Order{Client: r.Client}
	if n := testing.AllocsPerRun(200, func() {
		o.VenueID++
		c.Cancel(&o, venueNow, &r)
	}); n != 0 {
		t.Errorf("a cancel allocates %v times, want 0", n)
	}
}

func BenchmarkPlaceMiss(b *testing.B) {
	c := codec(b, hmacKey(b), 0)
	in := limit(61837_64000000, 35210000)
	var r exec.Request
	b.ReportAllocs()
	for b.Loop() {
		c.Place(&in, venueNow, venueNow, &r)
	}
	checkRequest(b, r.Bytes, hmacKey(b))
}

// BenchmarkPlacePresigned times a hit; the rung used is made ready again by hand.
func BenchmarkPlacePresigned(b *testing.B) {
	c := codec(b, hmacKey(b), 5)
	in := limit(61837_64000000, 35210000)
	var r exec.Request
	c.Place(&in, venueNow, venueNow, &r)
	for c.Idle(venueNow) != 0 {
	}
	l := &c.books[0].orders[core.Buy][kindGTC]
	i := l.holding(in.Price)
	hit := &l.rungs[i]
	seq := hit.seq
	b.ReportAllocs()
	for b.Loop() {
		l.prices[i], hit.seq = in.Price, seq
		c.Place(&in, venueNow, venueNow, &r)
	}
	if !r.Presigned {
		b.Fatal("it was not a hit")
	}
	checkRequest(b, r.Bytes, hmacKey(b))
}
