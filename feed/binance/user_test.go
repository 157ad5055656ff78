package binance

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"riposte/core"
	"riposte/feed"
)

func userDecoder(t testing.TB) (*UserDecoder, *core.Instruments) {
	tab := testInstruments(t)
	for _, a := range []string{"BTC", "BNB", "USDT", "ACH", "LTC"} {
		tab.Asset(a)
	}
	syms, err := NewSymbols(tab)
	if err != nil {
		t.Fatal(err)
	}
	return NewUserDecoder(tab, syms, core.Milliseconds), tab
}

func goldenUser(t testing.TB) (out [][]byte) {
	t.Helper()
	b, err := os.ReadFile("testdata/user.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSuffix(line, "\n"); line != "" && line[0] != '#' {
			out = append(out, []byte(line))
		}
	}
	return out
}

func client(t *testing.T, s string) core.ClientID {
	c, ok := core.MakeClientID(s)
	if !ok {
		t.Fatal(s)
	}
	return c
}

func TestUserDecodesARecordedMarketOrder(t *testing.T) {
	d, tab := userDecoder(t)
	bnb, _ := tab.AssetID("BNB")
	ach, _ := tab.Lookup("ACHUSDT")
	base := core.Execution{
		Instrument: ach.ID, Side: core.Sell, Type: core.MarketOrder, Client: client(t, "ovBwCdYvGKctMzMnkEYt2s"),
		VenueID: 1281722113, Qty: 800 * core.Scale, Time: 1772459280089 * core.WallNs(ms),
	}
	want := [3]core.Execution{base, base, base}
	want[0].Kind, want[0].Status, want[0].ExecID, want[0].TradeID, want[0].FeeAsset = core.ExecNew, core.New, 2623837276, -1, core.NoAsset
	w := &want[1]
	w.Kind, w.Status, w.ExecID, w.TradeID, w.FeeAsset, w.Fee = core.ExecTrade, core.PartiallyFilled, 2623837277, 65044223, bnb, 603
	w.LastQty, w.LastPrice, w.Cum, w.LastQuote, w.CumQuote = 765*core.Scale, 655000, 765*core.Scale, 501075000, 501075000
	w = &want[2]
	w.Kind, w.Status, w.ExecID, w.TradeID, w.FeeAsset, w.Fee = core.ExecTrade, core.Filled, 2623837279, 65044224, bnb, 27
	w.LastQty, w.LastPrice, w.Cum, w.LastQuote, w.CumQuote = 35*core.Scale, 654000, 800*core.Scale, 22890000, 523965000
	i := 0
	for _, f := range goldenUser(t) {
		if !strings.Contains(string(f), "ovBwCdYvGKctMzMnkEYt2s") {
			continue
		}
		if ev, k := d.Decode(f); k != UserExecution || ev.Execution != want[i] {
			t.Fatalf("event %d: got %v %+v\nwant %+v", i, k, ev.Execution, want[i])
		}
		i++
	}
	if i != 3 {
		t.Fatalf("got %d events, want 3", i)
	}
}

func TestUserDecodesTheRecordings(t *testing.T) {
	dir := dataDir(t)
	if dir == "" {
		t.Skip("the recordings are not here; testdata/user.txt holds the same events")
	}
	d, tab := userDecoder(t)
	var kinds [feed.UserKinds]int
	var ev *feed.UserEvent
	for _, r := range readRecords(t, filepath.Join(dir, "user", "user_data.tsv.gz")) {
		var k feed.UserKind
		ev, k = d.Decode(r.payload)
		kinds[k]++
		if strings.HasPrefix(r.kind, "ws:Future") != (k == UserIgnored) {
			t.Errorf("got %v: %s", k, r.payload)
		}
	}
	if kinds[UserExecution] != 6 || kinds[UserBalances] != 1 {
		t.Fatalf("got kinds %v", kinds)
	}
	usdt, _ := tab.AssetID("USDT")
	if len(ev.Balances) != 3 || ev.Balances[2] != (core.Balance{Asset: usdt, Free: 5443390661}) || ev.Time != 1616628815745*core.WallNs(ms) {
		t.Fatalf("got %v at %d", ev.Balances, ev.Time)
	}
}

const report = `{"subscriptionId":0,"event":{"e":"executionReport","E":1,"s":"BTCUSDT","c":"cancel-1","S":"BUY","o":"LIMIT","f":"GTC","q":"1.5","p":"2","P":"0","F":"0","g":-1,"C":"order-1","x":"CANCELED","X":"CANCELED","r":"NONE","i":7,"l":"0","z":"0.5","L":"0","n":"0","N":null,"T":5,"t":-1,"I":9,"w":false,"m":false,"M":false,"O":1,"Z":"1","Y":"0","Q":"0","W":1,"V":"NONE"}}`

func TestUserFindsTheCancelledOrderByItsOwnID(t *testing.T) {
	d, _ := userDecoder(t)
	if ev, k := d.Decode([]byte(report)); k != UserExecution || ev.Execution.Client.String() != "order-1" || ev.Execution.Kind != core.ExecCanceled || ev.Execution.Cum != core.Scale/2 {
		t.Fatalf("got %v %+v", k, ev.Execution)
	}
	for _, c := range []string{`""`, `null`} {
		f := strings.Replace(report, `"order-1"`, c, 1)
		if ev, k := d.Decode([]byte(f)); k != UserExecution || ev.Execution.Client.String() != "cancel-1" {
			t.Fatalf("C %s: got %v %v", c, k, ev.Execution.Client)
		}
	}
}

func TestUserToleratesUnknownEnums(t *testing.T) {
	d, _ := userDecoder(t)
	for _, tc := range []struct {
		from, to string
		kind     core.ExecKind
		status   core.OrderStatus
	}{
		{`"x":"CANCELED"`, `"x":"HALTED"`, core.ExecStatus, core.Canceled},
		{`"X":"CANCELED"`, `"X":"FROZEN"`, core.ExecCanceled, core.Unknown},
		{`"X":"CANCELED"`, `"X":"PENDING_NEW"`, core.ExecCanceled, core.Unknown},
		{`"x":"CANCELED","X":"CANCELED"`, `"x":"TRADE_PREVENTION","X":"EXPIRED_IN_MATCH"`, core.ExecTradePrevention, core.Expired},
		{`"x":"CANCELED","X":"CANCELED"`, `"x":"EXPIRED","X":"EXPIRED"`, core.ExecExpired, core.Expired},
		{`"x":"CANCELED","X":"CANCELED"`, `"x":"REPLACED","X":"NEW"`, core.ExecReplaced, core.New},
		{`"o":"LIMIT"`, `"o":"MAGIC"`, core.ExecCanceled, core.Canceled},
		{`"f":"GTC"`, `"f":"GTD"`, core.ExecCanceled, core.Canceled},
	} {
		if ev, k := d.Decode([]byte(strings.Replace(report, tc.from, tc.to, 1))); k != UserExecution || ev.Execution.Kind != tc.kind || ev.Execution.Status != tc.status {
			t.Errorf("%s: got %v %+v", tc.to, k, ev.Execution)
		}
	}
	if got := d.Stats().UnknownEnums; got != 5 {
		t.Errorf("counted %d unknown values, want 5", got)
	}
	f := strings.Replace(report, `"x":"CANCELED","X":"CANCELED"`, `"x":"REJECTED","X":"REJECTED"`, 1)
	if ev, k := d.Decode([]byte(f)); k != UserExecution || ev.Execution.Code != -2010 {
		t.Errorf("rejected: got %v %+v", k, ev.Execution)
	}
}

func TestUserRefusesWhatItCannotRead(t *testing.T) {
	d, _ := userDecoder(t)
	for from, to := range map[string]string{
		`"q":"1.5"`: `"q":"1.5x"`, `"i":7`: `"i":"7"`, `"S":"BUY"`: `"S":"HOLD"`, `"T":5`: `"T":-5`, `"z":"0.5"`: `"z":"-0.5"`, `"s":"BTCUSDT"`: `"s":1`, `"p":"2",`: ``,
	} {
		if _, k := d.Decode([]byte(strings.Replace(report, from, to, 1))); k != UserMalformed {
			t.Errorf("%s: got %v, want malformed", to, k)
		}
	}
	if _, k := d.Decode([]byte(strings.Replace(report, "BTCUSDT", "NOPE", 1))); k != UserUnknownSymbol {
		t.Errorf("got %v, want unknown symbol", k)
	}
	for i := range report {
		if _, k := d.Decode([]byte(report[:i])); k != UserMalformed {
			t.Fatalf("cut at %d: got %v", i, k)
		}
	}
}

func TestUserOtherFrames(t *testing.T) {
	d, tab := userDecoder(t)
	btc, _ := tab.AssetID("BTC")
	for f, want := range map[string]feed.UserKind{
		`{"subscriptionId":0,"event":{"e":"eventStreamTerminated","E":1}}`:                      UserTerminated,
		`{"event":{"e":"serverShutdown","E":1770123456789}}`:                                    UserShutdown,
		`{"subscriptionId":0,"event":{"e":"listStatus","E":1,"s":"BTCUSDT","g":2}}`:             UserIgnored,
		`{"subscriptionId":0,"event":{"e":"externalLockUpdate","E":1,"a":"NEO","d":"1","T":1}}`: UserIgnored,
		`{"subscriptionId":0,"event":7}`:                                                        UserIgnored,
		`[]`:                                                                                    UserIgnored,
		`{"event":{"e":"balanceUpdate","E":1,"a":"NOPE","d":"1","T":1}}`:                        UserIgnored,
		`{"event":{"e":"balanceUpdate","E":1,"a":"BTC","d":"1e5","T":1}}`:                       UserMalformed,
		`{"event":{"e":"outboundAccountPosition","E":1,"B":{}}}`:                                UserMalformed,
		`{"event":{"e":"outboundAccountPosition","E":1,"B":[{"a":"BTC","f":"-1","l":"0"}]}}`:    UserMalformed,
		`{"id":1,"status":"200"}`:                                                               UserMalformed,
	} {
		if _, k := d.Decode([]byte(f)); k != want {
			t.Errorf("got %v, want %v: %s", k, want, f)
		}
	}
	if ev, k := d.Decode([]byte(`{"subscriptionId":0,"event":{"e":"balanceUpdate","E":1,"a":"BTC","d":"-100.00000000","T":3}}`)); k != UserDelta ||
		ev.Delta != (core.Balance{Asset: btc, Free: -100 * core.Scale}) || ev.Time != 3*core.WallNs(ms) {
		t.Errorf("got %v %+v", k, ev.Delta)
	}
}

func TestUserReplies(t *testing.T) {
	d, _ := userDecoder(t)
	ev, k := d.Decode([]byte(`{"id":3,"status":200,"result":{"subscriptionId":4},"rateLimits":[{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":6000,"count":2}]}`))
	if k != UserReplied {
		t.Fatal(k)
	}
	r := ev.Reply
	if r.ID != 3 || !r.HasID || r.Status != 200 || r.Subscription != 4 || len(r.Limits) != 1 ||
		r.Limits[0] != (feed.LimitUse{RateLimit: RateLimit{Type: "REQUEST_WEIGHT", Interval: "MINUTE", IntervalNum: 1, Limit: 6000}, Count: 2}) {
		t.Fatalf("got %+v", r)
	}
	if ev, k = d.Decode([]byte(`{"id":null,"status":429,"error":{"code":-1003,"msg":"Too much","data":{"serverTime":1723161250000,"retryAfter":1723161255000}}}`)); k != UserReplied {
		t.Fatal(k)
	}
	r = ev.Reply
	if r.HasID || r.Status != 429 || r.Code != -1003 || string(r.Msg) != "Too much" || r.RetryAfter != 5*time.Second || r.Subscription != -1 || len(r.Limits) != 0 {
		t.Fatalf("got %+v", r)
	}
}

func TestUserDecodeDoesNotAllocate(t *testing.T) {
	d, _ := userDecoder(t)
	fs := goldenUser(t)
	all := func() {
		for _, f := range fs {
			d.Decode(f)
		}
	}
	all()
	if n := testing.AllocsPerRun(100, all); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}

func FuzzUser(f *testing.F) {
	for _, s := range goldenUser(f) {
		f.Add(s)
	}
	d, _ := userDecoder(f)
	fresh, _ := userDecoder(f)
	f.Fuzz(func(t *testing.T, frame []byte) {
		ev, k := d.Decode(frame)
		// What came before must not matter.
		ev2, again := fresh.Decode(frame)
		if again != k {
			t.Fatalf("got %v, then %v", k, again)
		}
		if k == UserExecution && (ev.Execution != ev2.Execution || ev.Execution.Kind == 0 || ev.Execution.Qty < 0 || ev.Execution.Cum < 0) {
			t.Fatalf("got %+v and %+v", ev.Execution, ev2.Execution)
		}
	})
}
