package app

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"riposte/core"
	"riposte/core/airlock"
	"riposte/core/engine"
	"riposte/core/risk"
	"riposte/core/signal"
)

// heeder takes at the touch for every signal from outside, a little more each time so that
// no two orders are alike, and does nothing else.
type heeder struct {
	in *core.Instrument
	n  int
}

var heeded, heedOrders atomic.Int64

func init() {
	engine.Register("test-heeder", func(in *core.Instrument, p *engine.Params) (engine.Strategy, error) {
		return &heeder{in: in}, p.Done()
	})
}

func (h *heeder) Market(v *engine.View, _ *core.Event)           { h.look(v) }
func (h *heeder) Timer(v *engine.View)                           { h.look(v) }
func (h *heeder) Report(*engine.View, *core.Report, *risk.Order) {}

func (h *heeder) look(v *engine.View) {
	for _, f := range v.Fired() {
		if f.Source == 0 {
			continue
		}
		heeded.Add(1)
		h.n++
		p := v.Top().Ask
		if f.Side == core.Sell {
			p = v.Top().Bid
		}
		q := h.in.Filters.QtyMin + h.in.Filters.Lot*core.Qty(20+h.n%50)
		if _, r := v.Place(core.Intent{Side: f.Side, Type: core.Limit, TIF: core.IOC, Price: p, Qty: q}); r == risk.None {
			heedOrders.Add(1)
		}
	}
}

const hookSecret = "a secret that is long enough"

const sourceFields = `
rate_max = 60000
burst = 1000
sides = { buy = "buy", long = "buy", sell = "sell", short = "sell" }
edge_bps = 300
`

const mainFields = `symbol = "ticker"
side = "side"
price = "price"
time = "time"
id = "id"
strength = "strength"
horizon = "interval"
`

// outsideConfig is a configuration with sources of every kind. ETHUSDT's own signal says sell.
func outsideConfig(t *testing.T, socketURL string, edits ...string) *Config {
	t.Helper()
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(hookSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	hook := func(name, auth, more, fields string) string {
		return fmt.Sprintf("[sources.%s]\nkind = \"webhook\"\nlisten = \"127.0.0.1:0\"\npath = \"/%s\"\nauth = %q\nsecret_file = %q\n%s%s[sources.%s.fields]\n%s\n",
			name, name, auth, secret, sourceFields, more, name, fields)
	}
	sizes := "sizes = { BTCUSDT = \"0.001\", ETHUSDT = \"0.01\", LTCBTC = \"0.01\", BNBBTC = \"1000000\" }\nhorizon_unit = \"1m\"\n"
	text := hook("main", "hmac", sizes+"symbols = { \"BINANCE:BTCUSDT\" = \"BTCUSDT\" }\n", mainFields) +
		hook("tv", "path", "sizes = { BTCUSDT = \"0.001\" }\ntime_format = \"rfc3339\"\n", "symbol = \"ticker\"\nside = \"strategy.order.action\"\nprice = \"close\"\ntime = \"timenow\"\n") +
		hook("pass", "body", "sizes = { BTCUSDT = \"0.001\" }\n", "proof = \"key\"\nsymbol = \"ticker\"\nside = \"side\"\nprice = \"price\"\ntime = \"time\"\n") +
		hook("big", "hmac", "sizes = { BTCUSDT = \"0.06\" }\nhorizon_unit = \"1m\"\n", mainFields) +
		hook("loser", "hmac", "sizes = { BTCUSDT = \"0.001\" }\nhorizon_unit = \"1m\"\n", mainFields) +
		hook("slow", "hmac", "sizes = { BTCUSDT = \"0.001\" }\nmode = \"approve\"\nage_max = \"1s\"\nhorizon_unit = \"1m\"\n", mainFields) +
		hook("person", "hmac", "sizes = { BTCUSDT = \"0.001\" }\nmode = \"approve\"\nage_max = \"60s\"\ndrift_bps = 500\nhorizon_unit = \"1m\"\n", mainFields) +
		hook("rare", "hmac", "sizes = { BTCUSDT = \"0.001\" }\nhorizon_unit = \"1m\"\n", mainFields) +
		"[sources.voc]\nkind = \"websocket\"\nurl = \"" + socketURL + "\"\nsecret_file = \"" + secret + "\"\nsubscribe = '{\"op\":\"subscribe\",\"key\":\"{secret}\"}'\nwhen = \"type\"\nequals = \"signal\"\n" +
		"sizes = { BTCUSDT = \"0.001\" }\ntime_format = \"s\"\nstrength_full = 100\n" + sourceFields +
		"[sources.voc.fields]\nsymbol = \"data.0.sym\"\nside = \"data.0.dir\"\nprice = \"data.0.px\"\ntime = \"data.0.ts\"\nstrength = \"data.0.conf\"\n"
	text = strings.Replace(text, "path = \"/rare\"\nauth = \"hmac\"\nsecret_file = \""+secret+"\"\n"+sourceFields, "path = \"/rare\"\nauth = \"hmac\"\nsecret_file = \""+secret+"\"\n"+strings.Replace(strings.Replace(sourceFields, "60000", "1", 1), "1000", "2", 1), 1)
	own := "[signals.down]\non = \"event\"\nwhen = \"mid() > 0\"\ndirection = \"sell\"\nhorizon = \"24h\"\nsymbols = [\"ETHUSDT\"]\n"
	return simConfig(t, append(edits, `name = "quoter"`, `name = "test-heeder"`, "[strategy.params]\nslack_ticks = 2\nlife_min = \"250ms\"\n", "", "[airlock]\n", own+text+"[airlock]\n",
		"statistics_every = \"30s\"", "statistics_every = \"1h\"", "cost_bps = 25", "cost_bps = 60", "agreement_bps = 10", "agreement_bps = 60", "drift_bps = 20", "drift_bps = 40",
		"depth_times = 3", "depth_times = 1", "slippage_bps = 5", "slippage_bps = 50", "volume_times = 1000", "volume_times = 1", "trend_bps = 150", "trend_bps = 9000",
		"duplicate_span = \"500ms\"", "duplicate_span = \"0s\"", "rate_max = 40\n", "rate_max = 100000\n", "strategy_rate_max = 20", "strategy_rate_max = 100000", "message_max = 100", "message_max = 1000000",
		"audit = true", "audit = false")...)
}

// rig is a running engine with sources, and whoever sends to them.
type rig struct {
	t      *testing.T
	d      *desk
	client http.Client
	socket net.Conn
	ids    int
}

func newRig(t *testing.T, edits ...string) *rig {
	return newRigWith(t, nil, airlock.None, edits...)
}

// newRigWith is newRig with a configuration changed, under which it is the gate known that
// refuses what else is good.
func newRigWith(t *testing.T, change func(*Config), known airlock.Gate, edits ...string) *rig {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	conns := make(chan net.Conn, 1)
	go func() {
		defer ln.Close()
		c, err := ln.Accept()
		if err == nil {
			if _, err = ws.Upgrade(c); err == nil {
				conns <- c
				return
			}
		}
		close(conns)
	}()
	cfg := outsideConfig(t, "ws://"+ln.Addr().String(), edits...)
	if change != nil {
		change(cfg)
	}
	if err := os.MkdirAll(cfg.Journal.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	var worst signal.Score
	worst.Weigh = signal.Tally{N: 100, Sum: -1000, Sum2: 20_000}
	if err := writeScores(cfg.Journal.Dir, []savedScore{{"loser", worst}}); err != nil {
		t.Fatal(err)
	}
	heeded.Store(0)
	heedOrders.Store(0)
	d := begunWith(t, cfg)
	r := &rig{t: t, d: d, client: http.Client{Transport: &http.Transport{}}}
	t.Cleanup(r.end)
	c, ok := <-conns
	if !ok {
		t.Fatal("no connection to the WebSocket source")
	}
	r.socket = c
	if got, err := wsutil.ReadClientText(c); err != nil || string(got) != `{"op":"subscribe","key":"`+hookSecret+`"}` {
		t.Fatalf("subscribed by %q, %v", got, err)
	}
	wait(t, "start", d, func(rep *report) bool {
		for i := range d.table.List {
			m := d.shard.MarketStats(d.table.List[i].ID)
			if m == nil || m.Top.Mid() == 0 {
				return false
			}
		}
		return settled(rep)
	})
	// Until there has been a trade everywhere, and the venue has told its statistics.
	wait(t, "trades", d, func(*report) bool {
		v := r.verdict(r.post("main", r.body("BTCUSDT", nil)).number)
		return v.Outcome == airlock.Accepted || known != airlock.None && v.Failed == known
	})
	for _, symbol := range []string{"LTCBTC", "BNBBTC"} {
		wait(t, "a trade of "+symbol, d, func(*report) bool {
			v := r.verdict(r.post("main", r.body(symbol, nil)).number)
			return v.Readings[airlock.Agreement].State == airlock.Measured
		})
	}
	return r
}

// end closes all, once.
func (r *rig) end() {
	if r.d != nil {
		r.client.CloseIdleConnections()
		r.d.end(r.t)
		r.socket.Close()
		r.d = nil
	}
}

func begunWith(t *testing.T, cfg *Config) *desk {
	t.Helper()
	d, err := openDesk(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.start(); err != nil {
		t.Fatal(err)
	}
	return d
}

func (r *rig) venueMs() int64 { return int64(r.d.vclock.Now()) / 1e6 }

// mid is a symbol's as last published.
func (r *rig) mid(symbol string) core.Price {
	in, _ := r.d.table.Lookup(strings.TrimPrefix(symbol, "BINANCE:"))
	m := r.d.shard.MarketStats(in.ID)
	return m.Top.Mid()
}

// body is a good message with fields changed: raw JSON by name, "" leaves one out.
func (r *rig) body(symbol string, change map[string]string) string {
	r.ids++
	fields := map[string]string{"ticker": strconv.Quote(symbol), "side": `"buy"`, "price": r.mid(symbol).String(), "time": fmt.Sprint(r.venueMs()),
		"id": fmt.Sprintf(`"s%d"`, r.ids), "strength": "1", "interval": "60"}
	for k, v := range change {
		fields[k] = v
	}
	var parts []string
	for _, k := range []string{"id", "ticker", "side", "price", "time", "strength", "interval", "key"} {
		if fields[k] != "" {
			parts = append(parts, strconv.Quote(k)+":"+fields[k])
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// posted is a message's answer.
type posted struct {
	status int
	text   string
	number uint64 // of the newest signal before it was sent
}

// last is the number of the newest verdict that was read.
var last struct {
	sync.Mutex
	number   uint64
	verdicts []airlock.Verdict
}

// verdict waits for the first verdict of the shard's own after a number.
func (r *rig) verdict(after uint64) airlock.Verdict {
	r.t.Helper()
	var got airlock.Verdict
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if !until(ctx, func() bool {
		r.drain()
		last.Lock()
		defer last.Unlock()
		for i := range last.verdicts {
			if v := &last.verdicts[i]; v.Number > after && v.Outcome != airlock.Own && v.Alert.Failed == airlock.None {
				got = *v
				return true
			}
		}
		return false
	}) {
		r.t.Fatal("no verdict within 20 s")
	}
	return got
}

func (r *rig) drain() {
	last.Lock()
	defer last.Unlock()
	for p := r.d.intake.verdicts.Pending(); len(p) > 0; p = r.d.intake.verdicts.Pending() {
		last.verdicts = append(last.verdicts, p...)
		for i := range p {
			r.d.intake.verdict(&p[i])
			last.number = max(last.number, p[i].Number)
		}
		r.d.intake.verdicts.Release(len(p))
	}
}

func signed(body string, ms int64) map[string]string {
	stamp := fmt.Sprint(ms)
	mac := hmac.New(sha256.New, []byte(hookSecret))
	mac.Write([]byte(stamp + body))
	return map[string]string{"X-Timestamp": stamp, "X-Signature": hex.EncodeToString(mac.Sum(nil))}
}

// post sends a message, signed.
func (r *rig) post(source, body string) posted {
	return r.postAs("/"+source, body, signed(body, r.venueMs()))
}

func (r *rig) postAs(path, body string, header map[string]string) posted {
	r.t.Helper()
	r.drain()
	last.Lock()
	before := last.number
	last.Unlock()
	// All sources listen at the same address.
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "http://"+r.d.intake.webhooks[0].ln.Addr().String()+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	resp, err := r.client.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(resp.Body); err != nil {
		r.t.Fatal(err)
	}
	return posted{resp.StatusCode, b.String(), before}
}

// push sends a message on the WebSocket, with fields put in place of good ones.
func (r *rig) push(change string) posted {
	r.t.Helper()
	r.drain()
	last.Lock()
	before := last.number
	last.Unlock()
	fields := []string{`"sym":"BTCUSDT"`, `"dir":"long"`, `"px":"` + r.mid("BTCUSDT").String() + `"`, fmt.Sprintf(`"ts":%d`, r.venueMs()/1000), `"conf":100`}
	for _, c := range strings.Split(change, ",") {
		key, _, _ := strings.Cut(c, ":")
		fields = slices.DeleteFunc(fields, func(f string) bool { return strings.HasPrefix(f, key+":") })
		if c != "" {
			fields = append(fields, c)
		}
	}
	if err := wsutil.WriteServerText(r.socket, []byte(`{"type":"signal","data":[{`+strings.Join(fields, ",")+`}]}`)); err != nil {
		r.t.Fatal(err)
	}
	return posted{number: before}
}

// atDoor is how many messages sources have refused by a gate of theirs.
func (r *rig) atDoor(g airlock.Gate) (n uint64) {
	for _, s := range r.d.intake.sources {
		st := s.Status()
		n += st.Refused[g]
	}
	return n
}

func (r *rig) await(ok func() bool) {
	r.t.Helper()
	waitFor(r.t, "what a test waits for", ok)
}

// Each of these is a real message to a real webhook, or on a real WebSocket, of a running
// engine. None becomes an order, each is refused by its gate; good ones become orders.
func TestNoBadSignalFromOutsideBecomesAnOrder(t *testing.T) {
	last.number, last.verdicts = 0, nil
	r := newRig(t)
	usualAgain(r)
	before, sent := heeded.Load(), heedOrders.Load()
	list := badSignals(r)
	doors := map[airlock.Gate]int{airlock.Authenticity: 401, airlock.Size: 413, airlock.Message: 400, airlock.Replay: 409, airlock.Rate: 429}
	for _, b := range list {
		was := r.atDoor(b.want)
		p := b.send(r)
		if b.want < airlock.Symbol {
			// Of many at once the shard is not told; the source has counted and told all.
			r.await(func() bool { return r.atDoor(b.want) > was })
			if status := doors[b.want]; p.status != 0 && p.status != status {
				t.Errorf("%s: answered %d %s, want %d", b.name, p.status, p.text, status)
			}
			if testing.Verbose() {
				t.Logf("%-44s %d %s", b.name, p.status, strings.TrimSpace(p.text))
			}
			continue
		}
		v := r.verdict(p.number)
		if v.Outcome != airlock.Refused || v.Failed != b.want {
			t.Errorf("%s: %v by %v (%d %s), want refused by %v", b.name, v.Outcome, v.Failed, p.status, r.d.intake.describe(&v), b.want)
		}
		if text := r.d.intake.describe(&v); !strings.Contains(text, b.want.String()) {
			t.Errorf("%s: told as %q, want the gate %v in it", b.name, text, b.want)
		}
		if testing.Verbose() {
			t.Logf("%-44s %s", b.name, r.d.intake.describe(&v))
		}
		if b.undo != nil {
			b.undo(r)
		}
	}
	if n := heeded.Load() - before; n != 0 || heedOrders.Load() != sent {
		t.Fatalf("%d of %d bad signals reached the strategy", n, len(list))
	}
	t.Logf("%d bad signals refused, each by its gate, none reached a strategy", len(list))
	// Good ones by every way.
	tv := fmt.Sprintf(`{"ticker":"BTCUSDT","exchange":"BINANCE","close":%v,"timenow":%q,"strategy":{"order":{"action":"buy","contracts":"0.01"}}}`,
		r.mid("BTCUSDT"), time.UnixMilli(r.venueMs()).UTC().Format(time.RFC3339))
	for name, send := range map[string]func() posted{
		"signed":     func() posted { return r.post("main", r.body("BINANCE:BTCUSDT", nil)) },
		"path token": func() posted { return r.postAs("/tv/"+hookSecret, tv, nil) },
		"body token": func() posted {
			return r.postAs("/pass", r.body("BTCUSDT", map[string]string{"key": `"` + hookSecret + `"`}), nil)
		},
		"WebSocket":     func() posted { return r.push("") },
		"by a person":   func() posted { return r.approved() },
		"sell, by name": func() posted { return r.post("main", r.body("BTCUSDT", map[string]string{"side": `"short"`})) },
	} {
		before := heeded.Load()
		p := send()
		if v := r.verdict(p.number); v.Outcome != airlock.Accepted {
			t.Errorf("%s: %v: %s (%d %s), want it accepted", name, v.Outcome, r.d.intake.describe(&v), p.status, p.text)
		}
		r.await(func() bool { return heeded.Load() > before }) // the verdict is told before the strategy
		if heeded.Load() != before+1 {
			t.Errorf("%s: the strategy heard of %d signals, want 1", name, heeded.Load()-before)
		}
	}
	rep := r.d.report()
	var b bytes.Buffer
	rep.screen(&b, false)
	rep.metrics(&b)
	for _, want := range []string{"last refused: main", `riposte_signals_refused_total{source="main",gate="drift"}`, "last accepted: voc: signal"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("screen and metrics have no %q:\n%s", want, b.String())
		}
	}
	if text, err := tellEngine(r.d.cfg, "/signals", &order{Who: "me", Reason: "to look"}); err != nil || !strings.Contains(text, "main") {
		t.Errorf("told %q, %v, want the sources", text, err)
	}
}

// approved sends a signal that waits, and lets it pass.
func (r *rig) approved() posted {
	p := r.post("person", r.body("BTCUSDT", nil))
	v := r.verdict(p.number)
	if v.Outcome != airlock.Queued {
		r.t.Errorf("%v by %v, want it to wait", v.Outcome, v.Failed)
	}
	last.Lock()
	last.verdicts = nil
	last.Unlock()
	if text, err := tellEngine(r.d.cfg, "/approve", &order{Who: "me", Reason: "it looks good", Signal: v.Number}); err != nil {
		r.t.Errorf("approve: %q, %v", text, err)
	}
	return p
}
