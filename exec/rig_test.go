package exec_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"riposte/core"
	"riposte/core/book"
	"riposte/core/ring"
	"riposte/core/risk"
	"riposte/exec"
	"riposte/exec/binance"
)

// testClock is advanced by the test and read by any goroutine.
type testClock struct{ ns atomic.Int64 }

func (c *testClock) Wall() core.WallNs       { return core.WallNs(c.ns.Load()) + 1_700_000_000e9 }
func (c *testClock) Mono() core.MonoNs       { return core.MonoNs(c.ns.Load()) }
func (c *testClock) advance(d time.Duration) { c.ns.Add(int64(d)) }

// memConn is one connection to the scripted server, in memory: the transport's
// contract without a kernel. What it does on a write is the server's to say.
type memConn struct {
	s      *server
	in     []byte // answers not yet read
	out    int    // of in, read so far
	closed bool   // by the server
	ended  bool   // by the client
	pieces int    // > 0: at most so many bytes per read
	writes int
}

func (c *memConn) Read(p []byte) (int, error) {
	if c.out == len(c.in) {
		if c.closed {
			return 0, io.EOF
		}
		return 0, os.ErrDeadlineExceeded
	}
	n := len(p)
	if c.pieces > 0 {
		n = min(n, c.pieces)
	}
	n = copy(p[:n], c.in[c.out:])
	if c.out += n; c.out == len(c.in) {
		c.in, c.out = c.in[:0], 0
	}
	return n, nil
}

func (c *memConn) Write(p []byte) (int, error) {
	c.writes++
	return c.s.write(c, p)
}

func (c *memConn) Close() error                     { c.ended = true; return nil }
func (c *memConn) LocalAddr() net.Addr              { return nil }
func (c *memConn) RemoteAddr() net.Addr             { return nil }
func (c *memConn) SetDeadline(time.Time) error      { return nil }
func (c *memConn) SetReadDeadline(time.Time) error  { return nil }
func (c *memConn) SetWriteDeadline(time.Time) error { return nil }

func (c *memConn) push(text string) { c.in = append(c.in, text...) }

// request is one request as the server received it.
type request struct {
	method, path string
	query        url.Values
	conn         *memConn
}

// server is the scripted venue at the other end of the wires.
type server struct {
	t        testing.TB
	conns    []*memConn
	requests []request
	// handle answers everything but pings; write, if set, sees the bytes first.
	handle   func(r *request)
	onWrite  func(c *memConn, p []byte) (n int, err error, taken bool)
	dialFail atomic.Bool
	pings    int
	mu       sync.Mutex // conns only: dials come from other goroutines
}

func (s *server) dial(context.Context, string) (net.Conn, error) {
	if s.dialFail.Load() {
		return nil, fmt.Errorf("no route")
	}
	c := &memConn{s: s}
	s.mu.Lock()
	s.conns = append(s.conns, c)
	s.mu.Unlock()
	return c, nil
}

// all are the connections so far.
func (s *server) all() []*memConn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.conns)
}

func (s *server) write(c *memConn, p []byte) (int, error) {
	if s.onWrite != nil {
		if n, err, taken := s.onWrite(c, p); taken {
			return n, err
		}
	}
	req, err := http.ReadRequest(bufio.NewReader(strings.NewReader(string(p))))
	if err != nil {
		s.t.Errorf("server got a request it cannot read: %v\n%q", err, p)
		return len(p), nil
	}
	if !strings.HasSuffix(string(p), "\r\n\r\n") || strings.Count(string(p), "\r\n\r\n") != 1 {
		s.t.Errorf("a write is not one whole request: %q", p)
	}
	if req.URL.Path == "/api/v3/ping" {
		s.pings++
		c.push(answer(200, "{}"))
		return len(p), nil
	}
	r := request{req.Method, req.URL.Path, req.URL.Query(), c}
	s.requests = append(s.requests, r)
	s.handle(&r)
	return len(p), nil
}

func (s *server) count(method string) (n int) {
	for i := range s.requests {
		if s.requests[i].method == method {
			n++
		}
	}
	return n
}

func answer(status int, body string, headers ...string) string {
	return fmt.Sprintf("HTTP/1.1 %d %s\r\nContent-Type: application/json;charset=UTF-8\r\nContent-Length: %d\r\n%s\r\n%s",
		status, http.StatusText(status), len(body), strings.Join(append(headers, ""), "\r\n"), body)
}

func html(status int) string {
	const body = "<html><body>go away</body></html>"
	return fmt.Sprintf("HTTP/1.1 %d X\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s", status, len(body), body)
}

// placed is a FULL answer for the order of r, with fills as "price qty trade".
func placed(r *request, id int64, status, executed string, fills ...string) string {
	q := func(k string) string { return r.query.Get(k) }
	var list []string
	for _, f := range fills {
		p := strings.Fields(f)
		list = append(list, fmt.Sprintf(`{"price":"%s","qty":"%s","commission":"0.00100000","commissionAsset":"BNB","tradeId":%s}`, p[0], p[1], p[2]))
	}
	quote := "0.00000000"
	if len(fills) > 0 {
		quote = "-1.00000000"
	}
	return fmt.Sprintf(`{"symbol":"%s","orderId":%d,"orderListId":-1,"clientOrderId":"%s","transactTime":1700000000000,"price":"%s","origQty":"%s","executedQty":"%s",`+
		`"origQuoteOrderQty":"0.00000000","cummulativeQuoteQty":"%s","status":"%s","timeInForce":"GTC","type":"%s","side":"%s","workingTime":1,"fills":[%s],"selfTradePreventionMode":"NONE"}`,
		q("symbol"), id, q("newClientOrderId"), q("price"), q("quantity"), executed, quote, status, q("type"), q("side"), strings.Join(list, ","))
}

func canceled(symbol string, id int64, client, qty, executed string) string {
	return fmt.Sprintf(`{"symbol":"%s","origClientOrderId":"%s","orderId":%d,"orderListId":-1,"clientOrderId":"cancel-1","transactTime":1700000000001,"price":"100.00000000",`+
		`"origQty":"%s","executedQty":"%s","origQuoteOrderQty":"0.00000000","cummulativeQuoteQty":"0.00000000","status":"CANCELED","timeInForce":"GTC","type":"LIMIT","side":"BUY","selfTradePreventionMode":"NONE"}`,
		symbol, client, id, qty, executed)
}

type rig struct {
	t     testing.TB
	clock *testClock
	srv   *server
	cold  *coldVenue
	table *core.Instruments
	codec *binance.Codec
	g     *exec.Gateway
	gate  *risk.Gate
	sync  *book.Sync
	in    *ring.Ring[risk.Approved]
	out   *ring.Ring[core.Report]
	stamp *ring.Ring[exec.Stamp]
	bud   *exec.Budget
	seen  []core.Report
	next  int64 // venue order ids

	closed bool
	ticks  []func() // what the scripted venue does as time passes
}

type rigOption func(*exec.Config)

// newRig is a gateway with the real codec on a scripted server, its wires warm.
func newRig(t testing.TB, opts ...rigOption) *rig {
	t.Helper()
	r := &rig{t: t, clock: &testClock{}, next: 1000}
	r.clock.ns.Store(int64(time.Hour))
	r.cold = &coldVenue{orders: map[core.ClientID]core.Execution{}}
	r.srv = &server{t: t}
	r.srv.handle = func(q *request) {
		r.next++
		q.conn.push(answer(200, placed(q, r.next, "NEW", "0.00000000")))
	}
	r.table = core.NewInstruments()
	for _, s := range [][2]string{{"BTC", "USDT"}, {"ETH", "BTC"}} {
		if _, err := r.table.Add(core.Instrument{Symbol: s[0] + s[1], Base: r.table.Asset(s[0]), Quote: r.table.Asset(s[1]),
			Status: core.StatusTrading, OrderTypes: 0xff, Filters: core.Filters{Tick: 1_000_000}}); err != nil {
			t.Fatal(err)
		}
	}
	r.table.Asset("BNB")
	r.in, r.out, r.stamp = ring.New[risk.Approved](64), ring.New[core.Report](256), ring.New[exec.Stamp](64)
	ids, err := exec.NewIDs("rp", 1_700_000_000)
	must(t, err)
	key, err := binance.NewHMACKey("vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zv", "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP")
	must(t, err)
	r.codec, err = binance.NewCodec(binance.Config{Instruments: r.table, URL: "http://venue.test", Key: key, IDs: ids, Rungs: 3})
	must(t, err)
	r.bud, err = exec.NewBudget(20)
	must(t, err)
	must(t, r.bud.Set([]exec.Limit{{Kind: exec.LimitWeight, Span: time.Minute, Max: 6000}, {Kind: exec.LimitOrders, Span: 10 * time.Second, Max: 5000}}))
	cfg := exec.Config{
		Instruments: r.table, Clock: r.clock, Time: exec.NewVenueClock(r.clock), IDs: ids, Codec: r.codec, Budget: r.bud, Venue: r.cold,
		Pool:     exec.PoolConfig{URL: "http://venue.test", Dial: r.srv.dial, Wires: 2, CancelWires: 1, KeepHeaders: binance.HeaderPrefix, Seed: 1},
		Approved: r.in, Reports: r.out, Stamps: r.stamp, Orders: 256,
	}
	for _, o := range opts {
		o(&cfg)
	}
	must(t, cfg.Time.Sync(t.Context(), 1, func(context.Context) (core.WallNs, time.Duration, error) {
		return r.clock.Wall(), time.Millisecond, nil
	}))
	r.g, err = exec.NewGateway(cfg)
	must(t, err)
	t.Cleanup(r.close)
	r.openGate()
	r.warm(cfg.Pool.Wires, cfg.Pool.CancelWires)
	return r
}

func (r *rig) close() {
	if r.closed {
		return
	}
	r.closed = true
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := r.g.Close(ctx); err != nil {
		r.t.Error(err)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// openGate makes a gate that lets nearly everything through, on live books.
func (r *rig) openGate() {
	limits := risk.Limits{QtyMax: 1 << 50, NotionalMax: 1 << 62, PositionMax: 1 << 60, OpenMax: 10_000, CollarBps: 10_000, StaleAfter: time.Hour * 1000}
	var err error
	r.gate, err = risk.NewGate(r.table, map[core.InstrumentID]risk.Limits{0: limits, 1: limits},
		risk.AccountLimits{OpenMax: 10_000, RateMax: 1000, RateSpan: 1, RejectMax: 1 << 30})
	must(r.t, err)
	r.gate.Lift(risk.HaltNotReconciled)
	r.sync = book.NewSync(r.table.Get(0), 256, 0)
	wait := core.Event{Kind: core.DepthDelta, ID: 11, W: [4]int64{11}, Bids: 1, Recv: r.clock.Mono()}
	lv := []core.Level{{Price: 100_00000000, Qty: 1_00000000}}
	r.sync.Delta(&wait, lv)
	r.sync.Snapshot(&book.Image{LastID: 10, Bids: lv, Asks: []core.Level{{Price: 101_00000000, Qty: 1_00000000}}})
	r.sync.Delta(&wait, lv)
	if _, live := r.sync.Live(); !live {
		r.t.Fatal("the test's book is not live")
	}
}

// warm steps until the wires are ready.
func (r *rig) warm(orders, cancels int) {
	r.t.Helper()
	r.until("wires are warm", func() bool {
		o, c := r.g.Pool().Ready()
		return o == orders && c == cancels
	})
}

// until steps, with time passing, until cond; the limit is only a hang guard.
func (r *rig) until(what string, cond func() bool) {
	r.t.Helper()
	guard := time.Now().Add(30 * time.Second)
	for !cond() {
		r.step()
		runtime.Gosched()
		if time.Now().After(guard) {
			r.t.Fatalf("gave up waiting until %s; reports %+v", what, r.seen)
		}
	}
}

// step is one Step, then 0.1 ms pass.
func (r *rig) step() {
	r.g.Step()
	r.drain()
	r.clock.advance(100 * time.Microsecond)
	for _, f := range r.ticks {
		f()
	}
}

func (r *rig) steps(n int) {
	for range n {
		r.step()
	}
}

func (r *rig) drain() {
	for {
		p := r.out.Pending()
		if len(p) == 0 {
			return
		}
		for i := range p {
			r.gate.Report(&p[i])
		}
		r.seen = append(r.seen, p...)
		r.out.Release(len(p))
	}
}

func (r *rig) approve(in core.Intent) core.OrderID {
	r.t.Helper()
	now := r.clock.Mono()
	slot := r.in.Claim()
	if slot == nil {
		r.t.Fatal("the ring of approvals is full")
	}
	st := risk.Stamps{Recv: now, Decoded: now, Applied: now, Decided: now}
	if why := r.gate.Approve(&in, r.sync, &st, 42, now, slot); why != risk.None {
		r.t.Fatalf("the gate refused %+v: %v", in, why)
	}
	r.in.Publish()
	return in.ID
}

func (r *rig) buy(price int64) core.OrderID {
	r.t.Helper()
	return r.approve(core.Intent{Kind: core.Place, Type: core.Limit, Price: core.Price(price), Qty: 2_00000000})
}

func (r *rig) cancel(id core.OrderID) { r.approve(core.Intent{Kind: core.Cancel, ID: id}) }

// of are the reports of one order.
func (r *rig) of(id core.OrderID) (out []core.Report) {
	for _, p := range r.seen {
		if p.ID == id {
			out = append(out, p)
		}
	}
	return out
}

// story is the reports of an order as words.
func (r *rig) story(id core.OrderID) string {
	var w []string
	for _, p := range r.of(id) {
		name := [...]string{"ack", "fill", "done", "cancel-rejected", "doubt", "resolved", "amended", "adopted"}[p.Kind]
		switch p.Kind {
		case core.ReportFill:
			name += " " + p.Qty.String()
		case core.ReportDone, core.ReportResolved:
			name += " " + p.Status.String()
		}
		w = append(w, name)
	}
	return strings.Join(w, ", ")
}

func (r *rig) expect(id core.OrderID, want string) {
	r.t.Helper()
	if got := r.story(id); got != want {
		r.t.Errorf("order %d: reports are %q, want %q", id, got, want)
	}
}

func (r *rig) status(id core.OrderID) core.OrderStatus {
	o := r.g.Table().Find(id)
	if o == nil {
		return core.PendingNew // no Step yet
	}
	return o.Status()
}

func (r *rig) client(id core.OrderID) core.ClientID { return r.g.Table().Find(id).Client }

// told is the venue's state of an order, for the cold side and the user stream.
func (r *rig) told(id core.OrderID, venueID int64, st core.OrderStatus, cum core.Qty) core.Execution {
	o := r.g.Table().Find(id)
	return core.Execution{Kind: core.ExecStatus, Status: st, Instrument: o.Instrument, Client: o.Client, VenueID: venueID, Price: o.Price, Qty: o.Qty,
		Cum: cum, TradeID: -1, FeeAsset: core.NoAsset}
}

func (r *rig) fill(id core.OrderID, venueID, trade int64, qty, cum core.Qty) core.Execution {
	e := r.told(id, venueID, core.PartiallyFilled, cum)
	if cum == e.Qty {
		e.Status = core.Filled
	}
	e.Kind, e.TradeID, e.LastQty, e.LastPrice, e.FeeAsset, e.Fee = core.ExecTrade, trade, qty, 100_00000000, 2, 100_000
	e.LastQuote, _ = core.NotionalOf(e.LastPrice, qty).AmountFloor()
	return e
}
