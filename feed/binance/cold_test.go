package binance

import (
	"compress/gzip"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"riposte/core"
)

func readGolden(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func readGzip(t testing.TB, path string) []byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestExchangeInfoReadsEachSchema(t *testing.T) {
	const u = core.Scale
	spot21, err := ParseExchangeInfo(readGolden(t, "exchangeinfo_spot_2021.json"), core.Spot, "BTCUSDT")
	if err != nil {
		t.Fatal(err)
	}
	in, ok := spot21.Instruments.Lookup("BTCUSDT")
	if !ok || len(spot21.Instruments.List) != 1 || spot21.Instruments.AssetName(in.Base) != "BTC" || spot21.Instruments.AssetName(in.Quote) != "USDT" ||
		in.Status != core.StatusTrading || !in.OrderTypes.Has(core.LimitMaker) || in.OrderTypes.Has(core.StopLoss) {
		t.Fatalf("got %+v", in)
	}
	if want := (core.Filters{
		Tick: u / 100, PriceMin: u / 100, PriceMax: 1000000 * u, Lot: 1000, QtyMin: 1000, QtyMax: 9000 * u, MarketQtyMax: in.Filters.MarketQtyMax,
		NotionalMin: 10 * u, NotionalMinMarket: true, BidMulUp: 5 * u, BidMulDown: u / 5, AskMulUp: 5 * u, AskMulDown: u / 5, OrdersMax: 200, AlgosMax: 5, PartsMax: 10,
	}); in.Filters != want || in.Filters.MarketQtyMax == 0 {
		t.Fatalf("got  %+v\nwant %+v", in.Filters, want)
	}
	if len(spot21.RateLimits) != 4 || spot21.RateLimits[1] != (RateLimit{Type: "ORDERS", Interval: "SECOND", IntervalNum: 10, Limit: 50}) || spot21.ServerTime != 1633998511098*core.WallNs(ms) {
		t.Fatalf("got %+v at %d", spot21.RateLimits, spot21.ServerTime)
	}
	spot25, err := ParseExchangeInfo(readGolden(t, "exchangeinfo_spot_2025.json"), core.Spot)
	if err != nil {
		t.Fatal(err)
	}
	in, _ = spot25.Instruments.Lookup("ETHBTC")
	if f := in.Filters; f.Tick != 1000 || f.NotionalMin != 10000 || f.NotionalMax != 9000000*u || !f.NotionalMinMarket || f.NotionalMaxMarket || f.BidMulUp != 5*u || f.AskMulDown != u/5 {
		t.Fatalf("got %+v", in.Filters)
	} else if f.TrailAboveMin != 10 || f.TrailAboveMax != 2000 || f.TrailBelowMin != 10 || f.TrailBelowMax != 2000 || f.PartsMax != 10 || f.AlgosMax != 5 {
		t.Fatalf("got %+v", in.Filters)
	}
	if want := core.FeatureIceberg | core.FeatureTrailing | core.FeatureAmend | core.FeatureReplace | core.FeatureSTP(core.STPExpireTaker) |
		core.FeatureSTP(core.STPExpireMaker) | core.FeatureSTP(core.STPExpireBoth) | core.FeatureSTP(core.STPDecrement); in.Features != want {
		t.Fatalf("got features %b, want %b", in.Features, want)
	}
	if in, _ = spot25.Instruments.Lookup("BCCBTC"); in.Status != core.StatusBreak {
		t.Fatalf("got status %v, want BREAK", in.Status)
	}
	usdm, err := ParseExchangeInfo(readGolden(t, "exchangeinfo_usdm_2021.json"), core.LinearFutures)
	if err != nil {
		t.Fatal(err)
	}
	in, _ = usdm.Instruments.Lookup("BTCUSDT")
	if f := in.Filters; in.Market != core.LinearFutures || f.Tick != u/100 || f.NotionalMin != 5*u || f.OrdersMax != 200 || f.BidMulUp != 115*u/100 || f.Lot != u/1000 {
		t.Fatalf("got %+v", in)
	}
	if len(usdm.UnknownFilters)+len(spot21.UnknownFilters)+len(spot25.UnknownFilters) != 0 {
		t.Fatalf("unknown filters: %v %v %v", usdm.UnknownFilters, spot21.UnknownFilters, spot25.UnknownFilters)
	}
	pending := usdm.Instruments.List[len(usdm.Instruments.List)-1]
	if pending.Status != core.StatusBreak {
		t.Fatalf("pending symbol: got %+v", pending)
	}
}

func TestExchangeInfoReadsTheRecordedBodies(t *testing.T) {
	dir := dataDir(t)
	if dir == "" {
		t.Skip("the recordings are not here; TestExchangeInfoReadsEachSchema reads parts of them")
	}
	for name, want := range map[string]struct {
		market  core.Market
		symbols int
		trading int
	}{
		"exchangeInfo_spot_20211012.json.gz":           {core.Spot, 1695, 1262},
		"exchangeInfo_spot_20250807_25symbols.json.gz": {core.Spot, 25, 12},
		"exchangeInfo_usdm_20210722.json.gz":           {core.LinearFutures, 122, 121},
	} {
		info, err := ParseExchangeInfo(readGzip(t, filepath.Join(dir, "rest", name)), want.market)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		trading := 0
		for _, in := range info.Instruments.List {
			if in.Status == core.StatusTrading {
				trading++
			}
			if in.Status == core.StatusTrading && (in.Filters.Tick <= 0 || in.Filters.Lot <= 0) {
				t.Errorf("%s: %s trades without tick or lot: %+v", name, in.Symbol, in.Filters)
			}
		}
		if len(info.Instruments.List) != want.symbols || trading != want.trading || len(info.UnknownFilters) != 0 {
			t.Errorf("%s: got %d symbols, %d trading, unknown filters %v", name, len(info.Instruments.List), trading, info.UnknownFilters)
		}
		if _, err := NewSymbols(info.Instruments); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Binance Spot API docs, filters, 2026-07-21: every name of a rule over one symbol, and
// of one over all of an account.
func TestExchangeInfoReadsEveryCount(t *testing.T) {
	body := `{"exchangeFilters":[{"filterType":"EXCHANGE_MAX_NUM_ORDERS","maxNumOrders":1000},{"filterType":"EXCHANGE_MAX_NUM_ALGO_ORDERS","maxNumAlgoOrders":200},
		{"filterType":"EXCHANGE_MAX_NUM_ICEBERG_ORDERS","maxNumIcebergOrders":10000},{"filterType":"EXCHANGE_MAX_NUM_ORDER_LISTS","maxNumOrderLists":20}],
		"symbols":[{"symbol":"AB","status":"TRADING","baseAsset":"A","quoteAsset":"B","orderTypes":["LIMIT"],"filters":[
		{"filterType":"MAX_NUM_ORDERS","maxNumOrders":1},{"filterType":"MAX_NUM_ALGO_ORDERS","maxNumAlgoOrders":2},{"filterType":"MAX_NUM_ICEBERG_ORDERS","maxNumIcebergOrders":3},
		{"filterType":"MAX_NUM_ORDER_LISTS","maxNumOrderLists":4},{"filterType":"MAX_NUM_ORDER_AMENDS","maxNumOrderAmends":5},{"filterType":"ICEBERG_PARTS","limit":99999999999},
		{"filterType":"TRAILING_DELTA","minTrailingAboveDelta":7,"maxTrailingAboveDelta":8,"minTrailingBelowDelta":9,"maxTrailingBelowDelta":10}]}]}`
	info, err := ParseExchangeInfo([]byte(body), core.Spot)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := info.Instruments.Account, (core.AccountFilters{OrdersMax: 1000, AlgosMax: 200, IcebergsMax: 10000, ListsMax: 20}); got != want {
		t.Errorf("account: got %+v, want %+v", got, want)
	}
	want := core.Filters{OrdersMax: 1, AlgosMax: 2, IcebergsMax: 3, ListsMax: 4, AmendsMax: 5, PartsMax: math.MaxInt32,
		TrailAboveMin: 7, TrailAboveMax: 8, TrailBelowMin: 9, TrailBelowMax: 10}
	if got := info.Instruments.List[0].Filters; got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for _, bad := range []string{`{"exchangeFilters":[{}],"symbols":[]}`, `{"exchangeFilters":[{"filterType":"EXCHANGE_MAX_NUM_ORDERS","maxNumOrders":"many"}],"symbols":[]}`} {
		if _, err := ParseExchangeInfo([]byte(bad), core.Spot); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
}

func TestExchangeInfoToleratesAndCounts(t *testing.T) {
	body := `{"symbols":[{"symbol":"AB","status":"DREAMING","baseAsset":"A","quoteAsset":"B","orderTypes":["LIMIT","MAGIC"],
		"filters":[{"filterType":"NEW_RULE","x":1},{"filterType":"LOT_SIZE","minQty":"1","maxQty":"99999999999999","stepSize":"1"},{"filterType":"MAX_POSITION","maxPosition":"5"}]}]}`
	info, err := ParseExchangeInfo([]byte(body), core.Spot)
	if err != nil {
		t.Fatal(err)
	}
	in := info.Instruments.List[0]
	if in.Status != core.StatusUnknown || info.UnknownFilters["NEW_RULE"] != 1 || info.UnknownOrderTypes["MAGIC"] != 1 ||
		in.Filters.QtyMax != math.MaxInt64 || in.Filters.PositionMax != 5*core.Scale {
		t.Fatalf("got %+v, %+v", in, info)
	}
}

func TestExchangeInfoErrorsNameTheThing(t *testing.T) {
	sym := func(filters string) string {
		return `{"symbols":[{"symbol":"AB","status":"TRADING","baseAsset":"A","quoteAsset":"B","filters":[` + filters + `]}]}`
	}
	for body, want := range map[string]string{
		`nope`:                       "not JSON",
		`[]`:                         "want an object",
		`{}`:                         "symbols: got nothing",
		`{"symbols":7}`:              "symbols: got 7",
		`{"symbols":[{"symbol":7}]}`: "symbol: got 7",
		sym(``) + ` `:                "symbol XY is not in it",
		sym(`{"filterType":"PRICE_FILTER","minPrice":"1","maxPrice":"2","tickSize":"-1"}`): "AB: filter PRICE_FILTER: tickSize",
		sym(`{"filterType":"NOTIONAL","minNotional":"1","maxNotional":"2"}`):               "applyMinToMarket: got nothing",
		sym(`{"filterType":"MAX_NUM_ORDERS"}`):                                             "limit: got nothing",
		sym(`{"x":1}`):                                                                     "filterType: got nothing",
		`{"serverTime":-1,"symbols":[]}`:                                                   "serverTime: got -1",
		`{"rateLimits":[{"rateLimitType":"ORDERS"}],"symbols":[]}`:                         "rate limit 0",
		strings.Replace(sym(``), `{"symbols":[`, `{"symbols":[{"symbol":"AB","status":"TRADING","baseAsset":"A","quoteAsset":"B"},`, 1): "in the table already",
	} {
		only := []string{"AB", "XY"}
		if !strings.Contains(want, "XY") {
			only = nil
		}
		if _, err := ParseExchangeInfo([]byte(body), core.Spot, only...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q: %s", err, want, body)
		}
	}
}

func TestSnapshotReadsBothVenues(t *testing.T) {
	im, err := ParseSnapshot([]byte(`{"lastUpdateId": 160, "E": 5, "T": 4, "bids": [["2.5", "1"], ["2", "3"]], "asks": [["3.00000001","4",[]]]}`), 3, 1000, core.Milliseconds)
	if err != nil {
		t.Fatal(err)
	}
	if im.Instrument != 3 || im.LastID != 160 || im.Limit != 1000 || im.Time != 5*core.WallNs(ms) || len(im.Bids) != 2 ||
		im.Bids[1] != (core.Level{Price: 2 * core.Scale, Qty: 3 * core.Scale}) || im.Asks[0].Price != 3*core.Scale+1 {
		t.Fatalf("got %+v", im)
	}
	if im, err = ParseSnapshot([]byte(`{"asks":[],"bids":[],"lastUpdateId":1}`), 0, 5, core.Milliseconds); err != nil || im.Time != 0 {
		t.Fatalf("empty book: got %+v, %v", im, err)
	}
}

func TestSnapshotReadsTheRecordedBodies(t *testing.T) {
	dir := dataDir(t)
	if dir == "" {
		t.Skip("the recordings are not here; TestSnapshotReadsBothVenues reads written ones")
	}
	files, err := filepath.Glob(filepath.Join(dir, "streams", "*.tsv.gz"))
	if err != nil {
		t.Fatal(err)
	}
	files = append(files, filepath.Join(dir, "rest", "depth_trades_spot_20210826.tsv.gz"))
	n := 0
	for _, f := range files {
		for _, r := range readRecords(t, f) {
			if !strings.HasPrefix(r.kind, "rest:") || !strings.Contains(r.kind, "/depth?") {
				continue
			}
			im, err := ParseSnapshot(r.payload, 0, 5000, core.Milliseconds)
			if err != nil {
				t.Fatalf("%s: %v", r.kind, err)
			}
			if len(im.Bids) == 0 || len(im.Asks) == 0 || im.LastID == 0 {
				t.Fatalf("%s: got an empty side", r.kind)
			}
			n++
		}
	}
	if n != 16 {
		t.Fatalf("read %d snapshots, want 16", n)
	}
}

func TestSnapshotErrorsNameTheThing(t *testing.T) {
	for body, want := range map[string]string{
		``:                                       "not JSON",
		`{"code":-1121,"msg":"Invalid symbol."}`: "lastUpdateId: got nothing",
		`{"lastUpdateId":1.5}`:                   "lastUpdateId: got 1.5",
		`{"lastUpdateId":1,"bids":[]}`:           `want an array "asks"`,
		`{"lastUpdateId":1,"bids":[["1"]],"asks":[]}`:               "level 0: got [\"1\"]",
		`{"lastUpdateId":1,"bids":[["1","x"]],"asks":[]}`:           "level 0, quantity",
		`{"lastUpdateId":1,"bids":[["1",2]],"asks":[]}`:             "want a decimal in a string",
		`{"lastUpdateId":1,"E":9223372036854,"bids":[],"asks":[]}`:  "",
		`{"lastUpdateId":1,"E":9223372036855,"bids":[],"asks":[]}`:  "does not fit",
		`{"lastUpdateId":1,"bids":[["3","1"]],"asks":[["2","1"]]}`:  "want bid below ask",
		`{"lastUpdateId":1,"bids":[["1","1"],["2","1"]],"asks":[]}`: "want best first",
	} {
		_, err := ParseSnapshot([]byte(body), 0, 10, core.Milliseconds)
		if (want == "") != (err == nil) || (err != nil && !strings.Contains(err.Error(), want)) {
			t.Errorf("got %v, want %q: %s", err, want, body)
		}
	}
}

func TestStreamNamesAndRequests(t *testing.T) {
	s := NewStream("BTCUSDT", "depth@100ms")
	if s != "btcusdt@depth@100ms" || s.Symbol() != "btcusdt" || s.Kind() != "depth@100ms" || !s.Depth() || NewStream("A", "depth20@100ms").Depth() {
		t.Fatalf("got %q", s)
	}
	if got := string(AppendSubscribe(nil, 7, []Stream{s, "btcusdt@trade"})); got != `{"method":"SUBSCRIBE","params":["btcusdt@depth@100ms","btcusdt@trade"],"id":7}` {
		t.Fatalf("got %s", got)
	}
	if got := string(AppendUnsubscribe(nil, 8, []Stream{s})); got != `{"method":"UNSUBSCRIBE","params":["btcusdt@depth@100ms"],"id":8}` {
		t.Fatalf("got %s", got)
	}
	for _, bad := range []Stream{"", "btcusdt", "btcusdt@", "BTCUSDT@trade", `a"b@trade`, "@trade"} {
		if bad.Check() == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
	for _, good := range []Stream{s, "!miniTicker@arr", "１２３@kline_1m", "btcusdt@kline_1M@+08:00"} {
		if err := good.Check(); err != nil {
			t.Error(err)
		}
	}
	if u, err := StreamURL("wss://stream.binance.com:9443/", core.Microseconds); err != nil || u != "wss://stream.binance.com:9443/stream?timeUnit=MICROSECOND" {
		t.Fatalf("got %q, %v", u, err)
	}
	if u, err := StreamURL("ws://127.0.0.1:1", core.Milliseconds); err != nil || u != "ws://127.0.0.1:1/stream" {
		t.Fatalf("got %q, %v", u, err)
	}
	for _, bad := range []string{"https://x", "wss://", "::"} {
		if _, err := StreamURL(bad, core.Milliseconds); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

func FuzzExchangeInfo(f *testing.F) {
	for _, n := range []string{"exchangeinfo_spot_2021.json", "exchangeinfo_spot_2025.json", "exchangeinfo_usdm_2021.json"} {
		f.Add(readGolden(f, n))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		info, err := ParseExchangeInfo(body, core.Spot)
		if err != nil {
			return
		}
		for i, in := range info.Instruments.List {
			if int(in.ID) != i || in.Symbol == "" || in.Filters.Tick < 0 || in.Filters.Lot < 0 || in.Filters.NotionalMin < 0 {
				t.Fatalf("got %+v", in)
			}
		}
	})
}

func FuzzSnapshot(f *testing.F) {
	f.Add([]byte(`{"lastUpdateId": 160, "E": 5, "bids": [["2.5", "1"], ["2", "3"]], "asks": [["3.00000001","4",[]]]}`))
	f.Add([]byte(`{"asks":[],"bids":[],"lastUpdateId":1}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		im, err := ParseSnapshot(body, 0, 10, core.Milliseconds)
		if err == nil && im.Check() != nil {
			t.Fatalf("took an image that no book may load: %v", im.Check())
		}
	})
}
