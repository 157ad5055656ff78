package binance

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"riposte/core"
	"riposte/exec"
)

// restVenue is a scripted REST service that checks what every call must have.
type restVenue struct {
	t     *testing.T
	srv   *httptest.Server
	key   *Key
	mu    sync.Mutex
	calls []string // "GET /api/v3/order symbol=..&.." without time and signature
	serve func(w http.ResponseWriter, r *http.Request)
	tls   bool
}

func newRESTVenue(t *testing.T, tls bool) (*restVenue, *REST) {
	t.Helper()
	v := &restVenue{t: t, key: hmacKey(t), tls: tls}
	h := http.HandlerFunc(v.handle)
	if tls {
		v.srv = httptest.NewTLSServer(h)
	} else {
		v.srv = httptest.NewServer(h)
	}
	t.Cleanup(v.srv.Close)
	return v, v.client(t)
}

func (v *restVenue) client(t *testing.T) *REST {
	t.Helper()
	clock := core.NewSystemClock()
	b, err := exec.NewBudget(20)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Set([]exec.Limit{{Kind: exec.LimitWeight, Span: time.Minute, Max: 6000}, {Kind: exec.LimitOrders, Span: 10 * time.Second, Max: 50}}); err != nil {
		t.Fatal(err)
	}
	r, err := NewREST(RESTConfig{URL: v.srv.URL, Key: v.key, Instruments: instruments(t), Clock: clock, Time: exec.NewVenueClock(clock), Budget: b,
		Dial: v.dial, Timeout: 20 * time.Second, Samples: 3})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func (v *restVenue) dial(ctx context.Context, rawURL string) (net.Conn, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, err
	}
	var d net.Dialer
	if !v.tls {
		return d.DialContext(ctx, "tcp", u.Host)
	}
	return v.tlsDial(ctx, u.Host)
}

func (v *restVenue) handle(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		v.t.Errorf("%s %s: %v", r.Method, r.URL.Path, err)
	}
	raw := r.URL.RawQuery + string(body) // what is signed is both
	payload, sig, signed := strings.Cut(raw, "&signature=")
	if signed {
		if want := string(v.key.Signer().AppendREST(nil, []byte(payload))); sig != want {
			v.t.Errorf("%s %s: signature is %s, want %s over %s", r.Method, r.URL.Path, sig, want, payload)
		}
		if r.Header.Get("X-MBX-APIKEY") != docAPIKey {
			v.t.Errorf("%s %s: API key header is missing", r.Method, r.URL.Path)
		}
	} else if r.Header.Get("X-MBX-APIKEY") != "" {
		v.t.Errorf("%s %s: a public call shows the API key", r.Method, r.URL.Path)
	}
	if r.Header.Get("Accept-Encoding") != "" {
		v.t.Errorf("%s %s: compression was asked for", r.Method, r.URL.Path)
	}
	payload, _, _ = strings.Cut(payload, "&recvWindow=")
	v.calls = append(v.calls, strings.TrimSuffix(r.Method+" "+r.URL.Path+" "+payload, " "))
	v.serve(w, r)
}

func (v *restVenue) body(status int, body string, headers ...string) {
	v.serve = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json;charset=UTF-8")
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

const orderBody = `{"symbol":"ETHBTC","orderId":7,"orderListId":-1,"clientOrderId":"rp-0s44we8-00000001","price":"0.10000000","origQty":"2.00000000","executedQty":"0.50000000",` +
	`"cummulativeQuoteQty":"0.05000000","status":"PARTIALLY_FILLED","timeInForce":"GTC","type":"LIMIT","side":"SELL","stopPrice":"0.0","icebergQty":"0.0","time":1499827319559,` +
	`"updateTime":1499827319560,"isWorking":true,"workingTime":1499827319559,"origQuoteOrderQty":"0.000000","selfTradePreventionMode":"NONE"}`

const tradeBody = `{"symbol":"ETHBTC","id":28457,"orderId":7,"orderListId":-1,"price":"0.10000000","qty":"0.50000000","quoteQty":"0.05000000","commission":"0.00010000","commissionAsset":"BNB","time":1499865549590,"isBuyer":false,"isMaker":true,"isBestMatch":true}`

func TestCallsSayWhatTheyShould(t *testing.T) {
	v, r := newRESTVenue(t, false)
	ctx := t.Context()
	client, _ := core.MakeClientID("rp-0s44we8-00000001")
	check := func(got any, err error, want any) {
		t.Helper()
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("got %v, %v, want %v", got, err, want)
		}
	}
	v.body(200, `{"serverTime":1499827319559}`)
	at, err := r.ServerTime(ctx)
	check(at, err, venueNow)
	v.body(200, `{"raw":"body"}`)
	b, err := r.ExchangeInfo(ctx, "BTCUSDT", "１２３４５６")
	check(string(b), err, `{"raw":"body"}`)
	b, err = r.ExchangeInfo(ctx)
	check(string(b), err, `{"raw":"body"}`)
	b, err = r.Depth(ctx, "BTCUSDT", 1000)
	check(string(b), err, `{"raw":"body"}`)

	v.body(200, `[[1499040000000,"0.01634790","0.80000000","0.01575800","0.01577100","148976.11427815",1499644799999,"2434.19055334",308,"1756.87402397","28.46694368","0"]]`)
	ks, err := r.Klines(ctx, "BTCUSDT", "1m", venueNow, 500)
	if err != nil || len(ks) != 1 || ks[0].Open.String() != "0.0163479" || ks[0].Trades != 308 || ks[0].CloseTime != 1499644799999e6 || ks[0].TakerQuote.String() != "28.46694368" {
		t.Errorf("klines are %+v, %v", ks, err)
	}
	v.body(200, `[{"id":28457,"price":"4.00000100","qty":"12.00000000","quoteQty":"48.000012","time":1499865549590,"isBuyerMaker":true,"isBestMatch":true}]`)
	ts, err := r.Trades(ctx, "BTCUSDT", 5)
	if err != nil || len(ts) != 1 || ts[0].ID != 28457 || ts[0].Quote.String() != "48.000012" || !ts[0].BuyerMaker {
		t.Errorf("trades are %+v, %v", ts, err)
	}

	v.body(200, `{"canTrade":true,"updateTime":123456789,"balances":[{"asset":"BTC","free":"4723846.89208129","locked":"0.10000000"},{"asset":"NEW","free":"1.00000000","locked":"0"}]}`)
	bs, _, err := r.Balances(ctx)
	if err != nil || len(bs) != len(r.cfg.Instruments.Assets) || bs[0].Free.String() != "4723846.89208129" || bs[0].Locked.String() != "0.1" || bs[1].Free != 0 || r.UnknownAssets() != 1 {
		t.Errorf("balances are %+v, %v, %d unknown", bs, err, r.UnknownAssets())
	}

	v.body(200, orderBody)
	e, err := r.Order(ctx, 1, client, 0)
	if err != nil || e.Instrument != 1 || e.Client != client || e.VenueID != 7 || e.Status != core.PartiallyFilled || e.Cum != 50000000 || e.Side != core.Sell || e.Kind != core.ExecStatus || e.Time != 1499827319560e6 {
		t.Errorf("order is %+v, %v", e, err)
	}
	_, err = r.Order(ctx, 1, client, 7)
	check(nil, err, nil)
	v.body(200, strings.Replace(strings.Replace(orderBody, "clientOrderId", "origClientOrderId", 1), "PARTIALLY_FILLED", "CANCELED", 1))
	e, err = r.Cancel(ctx, 1, client, 7)
	check(e.Status, err, core.Canceled)
	v.body(200, `{"orderListId":1,"orderReports":[{"symbol":"ETHBTC","orderId":6,"origClientOrderId":"other"},`+strings.Replace(strings.Replace(orderBody, "clientOrderId", "origClientOrderId", 1), "PARTIALLY_FILLED", "CANCELED", 1)+"]}")
	e, err = r.Cancel(ctx, 1, core.ClientID{}, 7)
	check(e.VenueID, err, 7)
	v.body(200, "["+orderBody+"]")
	es, err := r.OpenOrders(ctx)
	check(len(es), err, 1)
	es, err = r.OpenOrdersOf(ctx, 1)
	check(len(es), err, 1)
	es, err = r.AllOrders(ctx, 1, 7)
	check(len(es), err, 1)
	v.body(200, strings.Replace("["+orderBody+"]", "ETHBTC", "OTHER", 1))
	es, err = r.OpenOrders(ctx)
	check(es[0].Instrument, err, core.NoInstrument)

	v.body(200, "["+tradeBody+"]")
	es, err = r.OrderTrades(ctx, 1, 7)
	if err != nil || len(es) != 1 || es[0].TradeID != 28457 || es[0].VenueID != 7 || es[0].Side != core.Sell || !es[0].Maker || es[0].LastQuote != 5000000 ||
		es[0].Fee != 10000 || r.cfg.Instruments.AssetName(es[0].FeeAsset) != "BNB" || es[0].Kind != core.ExecTrade {
		t.Errorf("trades are %+v, %v", es, err)
	}
	es, err = r.TradesFrom(ctx, 1, 28000)
	check(len(es), err, 1)
	es, err = r.TradesFrom(ctx, 1, -1)
	check(len(es), err, 1)
	v.body(200, `{}`)
	in := limit(10000000, 2_00000000)
	check(nil, r.OrderTest(ctx, &in), nil)
	v.body(200, `{"ipRestrict":true,"createTime":1,"enableReading":true,"enableWithdrawals":false,"enableInternalTransfer":true,"enableMargin":false,"enableFutures":false,"permitsUniversalTransfer":false,"enableVanillaOptions":false,"enableSpotAndMarginTrading":true,"tradingAuthorityExpirationTime":1628985600000}`)
	rights, err := r.Restrictions(ctx)
	if err != nil || !rights.Has("ipRestrict") || !rights.Has("enableInternalTransfer") || !rights.Has("enableSpotAndMarginTrading") || rights.Has("enableMargin") || rights.ExpiresAt != 1628985600000e6 {
		t.Errorf("rights are %+v, %v", rights, err)
	}

	want := []string{
		"GET /api/v3/time", "GET /api/v3/exchangeInfo symbols=%5B%22BTCUSDT%22%2C%22%EF%BC%91%EF%BC%92%EF%BC%93%EF%BC%94%EF%BC%95%EF%BC%96%22%5D", "GET /api/v3/exchangeInfo",
		"GET /api/v3/depth symbol=BTCUSDT&limit=1000", "GET /api/v3/klines symbol=BTCUSDT&interval=1m&startTime=1499827319559&limit=500", "GET /api/v3/trades symbol=BTCUSDT&limit=5",
		"GET /api/v3/account omitZeroBalances=true", "GET /api/v3/order symbol=ETHBTC&origClientOrderId=rp-0s44we8-00000001", "GET /api/v3/order symbol=ETHBTC&orderId=7",
		"DELETE /api/v3/order symbol=ETHBTC&orderId=7", "DELETE /api/v3/order symbol=ETHBTC&orderId=7", "GET /api/v3/openOrders recvWindow=10000", "GET /api/v3/openOrders symbol=ETHBTC", "GET /api/v3/allOrders symbol=ETHBTC&orderId=7&limit=1000",
		"GET /api/v3/openOrders recvWindow=10000", "GET /api/v3/myTrades symbol=ETHBTC&orderId=7&limit=1000", "GET /api/v3/myTrades symbol=ETHBTC&fromId=28000&limit=1000",
		"GET /api/v3/myTrades symbol=ETHBTC&limit=1",
		"POST /api/v3/order/test symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=2&price=0.1", "GET /sapi/v1/account/apiRestrictions recvWindow=10000",
	}
	for i, w := range want {
		got := v.calls[i]
		if strings.HasSuffix(w, "recvWindow=10000") {
			got, _, _ = strings.Cut(got, "&timestamp")
		}
		if got != w {
			t.Errorf("call %d is %q, want %q", i, got, w)
		}
	}
}

func TestTradesAreReadToTheLastPage(t *testing.T) {
	v, r := newRESTVenue(t, false)
	v.serve = func(w http.ResponseWriter, q *http.Request) {
		var from int
		_, _ = fmt.Sscan(q.URL.Query().Get("fromId"), &from)
		var page []string
		for id := from; id < from+1000 && id < 2500; id++ {
			page = append(page, strings.Replace(tradeBody, "28457", fmt.Sprint(id), 1))
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, "["+strings.Join(page, ",")+"]")
	}
	es, err := r.TradesFrom(t.Context(), 1, 10)
	if err != nil || len(es) != 2490 || es[0].TradeID != 10 || es[2489].TradeID != 2499 || len(v.calls) != 3 {
		t.Errorf("read %d trades in %d calls, %v", len(es), len(v.calls), err)
	}
}

func TestErrorsHaveTheirClassAndNoParameters(t *testing.T) {
	page := func(status int, ct, body string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", ct)
			w.Header().Set("Location", "http://127.0.0.1:1/")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	const js = "application/json"
	for _, tc := range []struct {
		name  string
		serve func(http.ResponseWriter, *http.Request)
		class exec.Class
		code  int
	}{
		{"no such order", page(400, js, `{"code":-2013,"msg":"Order does not exist."}`), exec.ClassRefused, -2013},
		{"timeout", page(504, js, `{"code":-1007,"msg":"Timeout"}`), exec.ClassUnknown, -1007},
		{"limited", page(429, js, `{"code":-1003,"msg":"Too much request weight used"}`), exec.ClassLimited, -1003},
		{"page with 200", page(200, "text/html", "<html>"), exec.ClassUnknown, 0},
		{"page with 403", page(403, "text/html", "<html>"), exec.ClassUnknown, 0},
		{"redirect", page(302, js, `{}`), exec.ClassUnknown, 0},
		{"not JSON", page(200, js, `{"symbol"`), exec.ClassUnknown, 0},
		{"another thing", page(200, js, `[]`), exec.ClassUnknown, 0},
		{"empty order", page(200, js, `{}`), exec.ClassUnknown, 0},
		{"too long", page(200, js, `{"x":"`+strings.Repeat("y", 9<<20)+`"}`), exec.ClassUnknown, 0},
		{"cut", func(w http.ResponseWriter, _ *http.Request) {
			c, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{")
				_ = c.Close()
			}
		}, exec.ClassUnknown, 0},
	} {
		v, r := newRESTVenue(t, false)
		v.serve = tc.serve
		client, _ := core.MakeClientID("canary-client-id")
		_, err := r.Order(t.Context(), 1, client, 0)
		var ce *exec.CallError
		if !errors.As(err, &ce) || ce.Class != tc.class || ce.Code != tc.code || ce.NoSuchOrder != (tc.code == -2013) {
			t.Errorf("%s: got %v", tc.name, err)
			continue
		}
		for _, secret := range []string{"canary", "signature", docAPIKey, "127.0.0.1"} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%s: the error shows %s: %v", tc.name, secret, err)
			}
		}
		if len(v.calls) != 1 {
			t.Errorf("%s: %d calls were made, want 1", tc.name, len(v.calls))
		}
	}
}

func TestDialErrorsShowNoURL(t *testing.T) {
	v, r := newRESTVenue(t, false)
	v.srv.Close()
	_, err := r.OpenOrders(t.Context())
	var ce *exec.CallError
	if !errors.As(err, &ce) || ce.Class != exec.ClassUnknown || strings.Contains(err.Error(), "signature") {
		t.Errorf("got %v", err)
	}
}

func TestLockoutHoldsBackEveryCall(t *testing.T) {
	v, r := newRESTVenue(t, false)
	v.body(429, `{"code":-1003,"msg":"Too much request weight used"}`, "Retry-After", "3600", "X-MBX-USED-WEIGHT-1M", "6001")
	_, err := r.ServerTime(t.Context())
	var ce *exec.CallError
	if !errors.As(err, &ce) || ce.RetryAfter != time.Hour {
		t.Fatalf("got %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	v.body(200, `{"serverTime":1499827319559}`)
	client, _ := core.MakeClientID("x")
	_, err = r.Cancel(ctx, 1, client, 1)
	if !errors.As(err, &ce) || ce.Class != exec.ClassLimited || ce.RetryAfter < 59*time.Minute {
		t.Errorf("a call during the lock-out: %v", err)
	}
	if len(v.calls) != 1 {
		t.Errorf("%d calls were made, want 1", len(v.calls))
	}
}

func TestWeightIsPaidBeforeTheCall(t *testing.T) {
	v, r := newRESTVenue(t, false)
	v.body(200, `{}`, "X-MBX-USED-WEIGHT-1M", "4790")
	if _, err := r.Depth(t.Context(), "BTCUSDT", 100); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithDeadline(t.Context(), time.Now())
	defer cancel()
	// 4790 used of 4800 for all but cancels.
	if _, err := r.Depth(ctx, "BTCUSDT", 5000); err == nil || len(v.calls) != 1 {
		t.Errorf("a call beyond the budget: %v, %d calls", err, len(v.calls))
	}
	// Nor does a question about orders fit, until there is nothing to cancel any more.
	v.body(200, `{}`, "X-MBX-USED-WEIGHT-1M", "5590")
	if _, err := r.OpenOrders(t.Context()); err == nil || len(v.calls) != 2 {
		t.Fatalf("the body is no list: %v, %d calls", err, len(v.calls))
	}
	if _, err := r.OpenOrders(ctx); err == nil || len(v.calls) != 2 {
		t.Errorf("a question beyond the budget: %v, %d calls", err, len(v.calls))
	}
	r.UseReserve()
	v.body(200, `[]`)
	if _, err := r.OpenOrders(t.Context()); err != nil || len(v.calls) != 3 {
		t.Errorf("a question when all is left to them: %v, %d calls", err, len(v.calls))
	}
	if _, err := r.Depth(ctx, "BTCUSDT", 5000); err == nil || len(v.calls) != 3 {
		t.Errorf("market data beyond the budget: %v, %d calls", err, len(v.calls))
	}
	if _, err := r.Depth(t.Context(), "BTCUSDT", 0); err == nil {
		t.Error("a limit of 0 was accepted")
	}
	for limit, want := range map[int]int{1: 5, 100: 5, 101: 25, 500: 25, 501: 50, 1000: 50, 1001: 250, 5000: 250} {
		if got := DepthWeight(limit); got != want {
			t.Errorf("depth with limit %d weighs %d, want %d", limit, got, want)
		}
	}
}

func TestSyncClockOverTLS(t *testing.T) {
	v, r := newRESTVenue(t, true)
	const ahead = 90 * time.Second
	v.serve = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"serverTime":%d}`, time.Now().Add(ahead).UnixMilli())
	}
	if err := r.SyncClock(t.Context()); err != nil {
		t.Fatal(err)
	}
	if off := r.cfg.Time.Offset() - ahead; off.Abs() > r.cfg.Time.Error()+time.Millisecond {
		t.Errorf("the offset is wrong by %v, the bound is %v", off, r.cfg.Time.Error())
	}
	if len(v.calls) != 3 {
		t.Errorf("took %d samples, want 3", len(v.calls))
	}
}

func TestRateLimitsOfRecordedExchangeInfo(t *testing.T) {
	small := []byte(`{"rateLimits":[{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":6000},{"rateLimitType":"ORDERS","interval":"SECOND","intervalNum":10,"limit":50},` +
		`{"rateLimitType":"ORDERS","interval":"DAY","intervalNum":1,"limit":160000},{"rateLimitType":"RAW_REQUESTS","interval":"MINUTE","intervalNum":5,"limit":300000},{"rateLimitType":"SOMETHING","interval":"EON","intervalNum":1,"limit":1}]}`)
	got, err := ParseLimits(small)
	want := []exec.Limit{{Kind: exec.LimitWeight, Span: time.Minute, Max: 6000}, {Kind: exec.LimitOrders, Span: 10 * time.Second, Max: 50},
		{Kind: exec.LimitOrders, Span: 24 * time.Hour, Max: 160000}, {Kind: exec.LimitRequests, Span: 5 * time.Minute, Max: 300000}}
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("limits are %v, %v, want %v", got, err, want)
	}
	for _, bad := range []string{"", "[]", `{"rateLimits":[{"rateLimitType":"ORDERS","interval":"WEEK","intervalNum":1,"limit":1}]}`, `{"rateLimits":[{"rateLimitType":"ORDERS","interval":"DAY","intervalNum":0,"limit":1}]}`} {
		if _, err := ParseLimits([]byte(bad)); err == nil {
			t.Errorf("limits were read from %q", bad)
		}
	}
	dir := dataDir(t)
	if dir == "" {
		return
	}
	for _, name := range []string{"exchangeInfo_spot_20211012.json.gz", "exchangeInfo_spot_20250807_25symbols.json.gz"} {
		limits, err := ParseLimits(gunzip(t, filepath.Join(dir, "rest", name)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		b, _ := exec.NewBudget(20)
		if len(limits) > 0 {
			if err := b.Set(limits); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		t.Logf("%s: %v", name, limits)
	}
}

func gunzip(t testing.TB, path string) []byte {
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

func TestRecordedMarketBodies(t *testing.T) {
	dir := dataDir(t)
	if dir == "" {
		return // TestCallsSayWhatTheyShould holds one of each
	}
	n := map[string]int{}
	for line := range strings.Lines(string(gunzip(t, filepath.Join(dir, "rest", "market_various.tsv.gz")))) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		path, _, _ := strings.Cut(strings.TrimPrefix(f[1], "rest:/api/v3/"), "?")
		var err error
		switch path {
		case "klines":
			var ks []Kline
			ks, err = parseKlines([]byte(f[2]))
			for _, k := range ks {
				if k.Low > k.Open || k.Low > k.Close || k.High < k.Open || k.High < k.Close || k.CloseTime <= k.OpenTime {
					t.Fatalf("kline is %+v", k)
				}
			}
			n[path] += len(ks)
		case "trades":
			var ts []PublicTrade
			ts, err = parseTrades([]byte(f[2]))
			for i, p := range ts {
				if p.Price <= 0 || p.Qty <= 0 || (i > 0 && p.ID <= ts[i-1].ID) {
					t.Fatalf("trade is %+v", p)
				}
			}
			n[path] += len(ts)
		case "account":
			var a *Account
			a, err = parseAccount([]byte(f[2]))
			if err == nil {
				n[path] += len(a.Balances)
			}
		}
		if err != nil {
			t.Errorf("%s: %v", f[1], err)
		}
	}
	if n["klines"] == 0 || n["trades"] == 0 || n["account"] == 0 {
		t.Errorf("read %v, want some of each", n)
	}
	t.Logf("read %v", n)
}
