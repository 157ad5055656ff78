package exec_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"riposte/core"
	"riposte/core/risk"
	"riposte/exec"
)

func TestApprovedOrderBecomesBytesAndReports(t *testing.T) {
	r := newRig(t)
	r.srv.handle = func(q *request) {
		q.conn.push(answer(200, placed(q, 28, "PARTIALLY_FILLED", "1.50000000", "100.00000000 1.00000000 56", "99.99000000 0.50000000 57"),
			"x-mbx-used-weight-1m: 77", "x-mbx-order-count-10s: 9"))
	}
	id := r.buy(100_00000000)
	r.steps(3)
	q := r.srv.requests[0]
	if len(r.srv.requests) != 1 || q.method != "POST" || q.path != "/api/v3/order" || q.query.Get("price") != "100" || q.query.Get("quantity") != "2" ||
		q.query.Get("newClientOrderId") != r.client(id).String() || q.query.Get("newOrderRespType") != "FULL" {
		t.Fatalf("requests are %+v", r.srv.requests)
	}
	r.expect(id, "ack, fill 1, fill 0.5")
	fills := r.of(id)[1:]
	if fills[0].TradeID != 56 || fills[0].Quote != 100_00000000 || fills[0].Fee != 100_000 || r.table.AssetName(fills[0].FeeAsset) != "BNB" ||
		fills[1].Cum != 1_50000000 || fills[1].Status != core.PartiallyFilled || fills[1].VenueID != 28 {
		t.Errorf("fills are %+v", fills)
	}
	if e := r.gate.Exposure(0); e.Position != 1_50000000 || e.Buy != 50000000 || e.Open != 1 {
		t.Errorf("the gate counts %+v", e)
	}
	l := r.g.Ledger()
	if l.Position(0) != 1_50000000 || l.Owned(0) != 1_50000000 || l.Owned(1) != -149_99500000 || l.Fees(3-1) != 0 && l.Owned(2) != -200_000 {
		t.Errorf("ledger has position %v, BTC %v, USDT %v, BNB %v", l.Position(0), l.Owned(0), l.Owned(1), l.Owned(2))
	}
	use := r.bud.Use(r.clock.Wall(), r.clock.Mono())
	if use.Weight != 77 || use.Orders != 9 {
		t.Errorf("budget is %+v, want the venue's 77 and 9", use)
	}
	st := r.stamp.Pending()
	if len(st) != 1 || st[0].ID != id || st[0].Input != 42 || st[0].Recv == 0 || st[0].Encoded < st[0].Approved || st[0].Written < st[0].Encoded {
		t.Errorf("stamps are %+v", st)
	}
	// The user stream tells the same again, and then the rest.
	for _, e := range []core.Execution{r.fill(id, 28, 56, 1_00000000, 1_00000000), r.fill(id, 28, 57, 50000000, 1_50000000), r.fill(id, 28, 58, 50000000, 2_00000000)} {
		r.g.OnExecution(&e)
	}
	r.drain()
	r.expect(id, "ack, fill 1, fill 0.5, fill 0.5, done FILLED")
	if l.Position(0) != 2_00000000 {
		t.Errorf("position is %v, want 2", l.Position(0))
	}
	asked, _ := r.cold.count()
	if asked != 0 {
		t.Errorf("asked %d times about an order without doubt", asked)
	}
}

func TestAnswersBecomeTheRightOutcome(t *testing.T) {
	fail := func(status, code int, msg string, headers ...string) string {
		return answer(status, fmt.Sprintf(`{"code":%d,"msg":"%s"}`, code, msg), headers...)
	}
	const unknown = "doubt"
	const rejected = "done REJECTED"
	for _, tc := range []struct {
		name, answer, want string
		check              func(r *rig) string
	}{
		{"insufficient balance", fail(400, -2010, "Account has insufficient balance for requested action."), rejected, nil},
		{"post-only", fail(400, -2010, "Order would immediately match and take."), rejected, nil},
		{"filter", fail(400, -1013, "Filter failure: LOT_SIZE"), rejected, nil},
		{"timeout inside", fail(504, -1007, "Timeout waiting for response from backend server. Send status unknown; execution status unknown."), unknown, nil},
		{"timeout with a 4xx", fail(408, -1007, "Timeout"), unknown, nil},
		{"overloaded", fail(503, -1008, "Server is currently overloaded with other requests."), unknown, nil},
		{"refusal under 5xx", fail(500, -2010, "Account has insufficient balance"), unknown, nil},
		{"503 page", html(503), unknown, nil},
		{"firewall page", html(403), unknown, nil},
		{"redirect", "HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n", unknown, nil},
		{"200 page", html(200), unknown, nil},
		{"200 not JSON", answer(200, "{"), unknown, nil},
		{"200 array", answer(200, "[]"), unknown, nil},
		{"200 empty object", answer(200, "{}"), unknown, nil},
		{"no code", answer(400, `{"error":"x"}`), unknown, nil},
		{"positive code", answer(400, `{"code":1,"msg":"x"}`), unknown, nil},
		{"200 with a code", answer(200, `{"code":-2010,"msg":"x"}`), unknown, nil},
		{"junk behind", fail(400, -2010, "x") + "junk", unknown, nil},
		{"duplicate id", fail(400, -2010, "Duplicate order sent."), unknown, nil},
		{"too many requests", fail(429, -1003, "Too much request weight used", "Retry-After: 7"), rejected, func(r *rig) string {
			return fmt.Sprint(r.bud.SilentFor(r.clock.Mono()) > 6*time.Second, r.g.Stats.Limited)
		}},
		{"too many requests page", strings.Replace(html(429), "\r\n", "\r\nRetry-After: 7\r\n", 1), unknown, func(r *rig) string {
			return fmt.Sprint(r.bud.SilentFor(r.clock.Mono()) > 6*time.Second, r.g.Stats.Limited)
		}},
		{"banned", fail(418, -1003, "Way too much request weight used; IP banned until 1660090423228."), rejected, func(r *rig) string {
			return fmt.Sprint(r.bud.SilentFor(r.clock.Mono()) > 119*time.Second, r.g.Stats.Limited)
		}},
		{"too many orders", fail(429, -1015, "Too many new orders; current limit is 50 orders per 10 SECOND."), rejected, func(r *rig) string {
			return fmt.Sprint(!r.bud.Silent(r.clock.Mono()) && !r.bud.TakeOrder(r.clock.Wall(), r.clock.Mono()), r.g.Stats.Limited)
		}},
		{"key gone", fail(401, -2015, "Invalid API-key, IP, or permissions for action."), rejected, func(r *rig) string {
			return fmt.Sprint(r.g.Halted() == risk.HaltKey, 1)
		}},
		{"bad signature", fail(400, -1022, "Signature for this request is not valid."), rejected, func(r *rig) string {
			return fmt.Sprint(r.g.Halted() == risk.HaltKey, 1)
		}},
		{"clock", fail(400, -1021, "Timestamp for this request is outside of the recvWindow."), rejected, func(r *rig) string {
			r.until("the clock was measured anew", func() bool { _, n := r.cold.count(); return n == 1 })
			return fmt.Sprint(true, 1)
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := newRig(t)
			r.srv.handle = func(q *request) { q.conn.push(tc.answer) }
			id := r.buy(100_00000000)
			r.steps(3)
			r.expect(id, tc.want)
			if tc.check != nil {
				if got := tc.check(r); got != "true 1" {
					t.Errorf("the venue's demand was not heeded: %s", got)
				}
			}
			if tc.want == unknown {
				if e := r.gate.Exposure(0); e.Buy != 2_00000000 {
					t.Errorf("an unknown order counts %v in exposure, want all of it", e.Buy)
				}
				r.cold.set(r.told(id, 555, core.New, 0))
				r.until("doubt ended", func() bool { return r.status(id) == core.New })
				r.expect(id, "doubt, resolved NEW, ack")
			}
			if n := r.srv.count("POST"); n != 1 {
				t.Errorf("%d order requests were sent, want 1", n)
			}
		})
	}
}

func TestAnswerAboutAnotherOrderIsUnknownAndTheWireGoes(t *testing.T) {
	for name, change := range map[string]func(string) string{
		"symbol":    func(s string) string { return strings.Replace(s, "BTCUSDT", "ETHBTC", 1) },
		"client id": func(s string) string { return strings.Replace(s, `"clientOrderId":"rp-`, `"clientOrderId":"xp-`, 1) },
		"order id":  func(s string) string { return strings.Replace(s, `"orderId":28`, `"orderId":"28"`, 1) },
		"numbers":   func(s string) string { return strings.Replace(s, `"executedQty":"0.`, `"executedQty":"7.`, 1) },
	} {
		r := newRig(t)
		r.srv.handle = func(q *request) { q.conn.push(answer(200, change(placed(q, 28, "NEW", "0.00000000")))) }
		id := r.buy(100_00000000)
		r.steps(3)
		if r.status(id) != core.Unknown || !r.srv.requests[0].conn.ended {
			t.Errorf("%s: order is %v, wire closed %v", name, r.status(id), r.srv.requests[0].conn.ended)
		}
	}
}

func TestAnswerCutAnywhereIsUnknownAndNeverSentAgain(t *testing.T) {
	r := newRig(t, func(c *exec.Config) { c.Orders = 2048 })
	var whole string
	r.srv.handle = func(q *request) {
		whole = answer(200, placed(q, 28, "NEW", "0.00000000"))
	}
	cut := -1
	for n := 0; ; n++ {
		base := len(r.srv.requests)
		r.srv.handle = func(q *request) {
			r.next++
			whole = answer(200, placed(q, r.next, "NEW", "0.00000000"))
			q.conn.push(whole[:min(n, len(whole))])
			q.conn.closed = n < len(whole)
		}
		id := r.buy(100_00000000)
		r.steps(8)
		if n >= len(whole) {
			r.expect(id, "ack")
			cut = n
			break
		}
		r.expect(id, "doubt")
		r.cold.set(r.told(id, r.next, core.New, 0))
		r.until("doubt ended", func() bool { return r.status(id) == core.New })
		r.expect(id, "doubt, resolved NEW, ack")
		if sent := len(r.srv.requests) - base; sent != 1 {
			t.Fatalf("cut after %d bytes: %d requests, want 1", n, sent)
		}
		r.warm(2, 1)
	}
	t.Logf("cut after each of %d bytes", cut)
}

func TestAnswerInSingleBytes(t *testing.T) {
	r := newRig(t)
	r.srv.handle = func(q *request) {
		q.conn.pieces = 1
		q.conn.push(answer(200, placed(q, 28, "NEW", "0.00000000")))
	}
	id := r.buy(100_00000000)
	r.steps(500)
	r.expect(id, "ack")
}

func TestWriteThatFails(t *testing.T) {
	for _, tc := range []struct {
		name  string
		taken int
		want  string
	}{
		{"before the first byte: never sent", 0, "done NOT_SENT"},
		{"after some bytes: unknown", 10, "doubt"},
	} {
		r := newRig(t)
		r.srv.onWrite = func(c *memConn, p []byte) (int, error, bool) {
			return tc.taken, errors.New("broken pipe"), strings.HasPrefix(string(p), "POST")
		}
		id := r.buy(100_00000000)
		r.steps(2)
		if got := r.story(id); got != tc.want {
			t.Errorf("%s: reports are %q, want %q", tc.name, got, tc.want)
		}
		if use := r.bud.Use(r.clock.Wall(), r.clock.Mono()); use.Orders != min(tc.taken, 1) {
			t.Errorf("%s: %d orders are booked", tc.name, use.Orders)
		}
	}
}

func TestIdleWireClosedByTheVenueIsReplacedBeforeUse(t *testing.T) {
	r := newRig(t)
	first := append([]*memConn(nil), r.srv.conns...)
	for _, c := range first {
		c.closed = true
	}
	r.until("all wires were replaced", func() bool {
		for _, c := range first {
			if !c.ended {
				return false
			}
		}
		return true
	})
	r.warm(2, 1)
	id := r.buy(100_00000000)
	r.steps(3)
	r.expect(id, "ack")
}

func TestCloseRaceOnAKeptWireSendsOnce(t *testing.T) {
	r := newRig(t)
	// The server had closed, but the client's kernel still took the bytes.
	r.srv.handle = func(q *request) { q.conn.closed = true }
	id := r.buy(100_00000000)
	r.steps(3)
	r.expect(id, "doubt")
	r.until("it was asked about", func() bool { n, _ := r.cold.count(); return n >= 3 })
	if n := r.srv.count("POST"); n != 1 {
		t.Errorf("sent %d times, want once", n)
	}
}

func TestUnsolicitedBytesDiscardAWire(t *testing.T) {
	r := newRig(t)
	c := r.srv.conns[0]
	c.push(answer(408, "{}"))
	r.until("the wire was discarded", func() bool { return c.ended })
	r.warm(2, 1)
}

func TestSlowAnswerMakesDoubtAndStillCounts(t *testing.T) {
	r := newRig(t)
	var late *request
	r.srv.handle = func(q *request) { late = q }
	id := r.buy(100_00000000)
	r.until("the order is in doubt", func() bool { return r.status(id) == core.Unknown })
	if waited := r.clock.Mono() - core.MonoNs(time.Hour); waited < core.MonoNs(3*time.Second) {
		t.Errorf("doubt came after %v, want 3s", time.Duration(waited))
	}
	late.conn.push(answer(200, placed(late, 28, "FILLED", "2.00000000", "100.00000000 2.00000000 7")))
	r.steps(3)
	r.expect(id, "doubt, resolved NEW, ack, fill 2, done FILLED")
	r.warm(2, 1)
}

func TestSilentWireIsGivenUp(t *testing.T) {
	r := newRig(t, func(c *exec.Config) { c.Pool.AnswerTimeout = 5 * time.Second })
	var q0 *request
	r.srv.handle = func(q *request) { q0 = q }
	id := r.buy(100_00000000)
	r.until("the wire was given up", func() bool { return q0 != nil && q0.conn.ended })
	if r.status(id) != core.Unknown {
		t.Errorf("order is %v, want UNKNOWN", r.status(id))
	}
}

func TestAbsenceIsBelievedOnlyWhenNothingCanComeAnyMore(t *testing.T) {
	r := newRig(t, func(c *exec.Config) { c.ProofMargin = 4 * time.Second; c.AbsentPolls = 2 })
	r.srv.handle = func(q *request) { q.conn.closed = true }
	sent := r.clock.Mono()
	id := r.buy(100_00000000)
	r.until("absence was believed", func() bool { return r.g.Table().Live() == 0 && len(r.seen) > 0 })
	r.expect(id, "doubt, resolved NOT_SENT, done NOT_SENT")
	// recvWindow 5 s + margin 4 s
	if took := r.clock.Mono() - sent; took < core.MonoNs(9*time.Second) {
		t.Errorf("believed after %v, want at least 9s", time.Duration(took))
	}
	if e := r.gate.Exposure(0); e.Buy != 0 || e.Open != 0 {
		t.Errorf("exposure is %+v after the proof", e)
	}
	if n := r.srv.count("POST"); n != 1 {
		t.Errorf("sent %d times, want once", n)
	}
}

func TestLaggingReadsDoNotDeclareAnOrderGone(t *testing.T) {
	r := newRig(t)
	r.srv.handle = func(q *request) { q.conn.closed = true }
	id := r.buy(100_00000000)
	sent := r.clock.Mono()
	r.until("12 s of absence have passed", func() bool { return r.clock.Mono()-sent > core.MonoNs(12*time.Second) })
	r.expect(id, "doubt")
	r.cold.set(r.told(id, 28, core.Filled, 2_00000000))
	r.cold.trade(r.fill(id, 28, 5, 2_00000000, 2_00000000))
	r.until("the fill was learned", func() bool { return r.g.Table().Live() == 0 })
	r.expect(id, "doubt, resolved NEW, ack, fill 2, done FILLED")
}

func TestNoFreeWireMeansWaitingButNotLong(t *testing.T) {
	r := newRig(t)
	var held []*request
	r.srv.handle = func(q *request) { held = append(held, q) }
	a, b, c := r.buy(100_00000000), r.buy(100_00000000), r.buy(99_00000000)
	r.steps(3)
	if len(held) != 2 {
		t.Fatalf("%d requests on 2 wires", len(held))
	}
	held[0].conn.push(answer(200, placed(held[0], 1, "NEW", "0.00000000")))
	r.steps(3)
	if len(held) != 3 {
		t.Fatalf("the waiting order was not sent when a wire became free")
	}
	d := r.buy(98_00000000)
	r.until("the waiting order is too old", func() bool { return r.story(d) != "" })
	r.expect(d, "done NOT_SENT")
	r.expect(a, "ack")
	if r.g.Stats.Refused[exec.RefusedLate] != 1 || r.status(b) != core.PendingNew || r.status(c) != core.PendingNew {
		t.Errorf("refused %v, b %v, c %v", r.g.Stats.Refused, r.status(b), r.status(c))
	}
	e := r.buy(98_00000000)
	r.steps(2)
	r.cancel(e)
	r.steps(2)
	r.expect(e, "done NOT_SENT")
	if r.g.Stats.Refused[exec.RefusedWithdrawn] != 1 {
		t.Errorf("refused %v, want one withdrawn", r.g.Stats.Refused)
	}
}

type failingJournal struct {
	exec.NoJournal
	fail   bool
	sent   []exec.SentRecord
	unsent int
}

func (j *failingJournal) Sent(r *exec.SentRecord) error {
	if j.fail {
		return errors.New("disk full")
	}
	j.sent = append(j.sent, *r)
	return nil
}
func (j *failingJournal) Unsent(*exec.SentRecord, exec.Refusal) { j.unsent++ }

func TestJournalErrorStopsOrdersButNotCancels(t *testing.T) {
	j := &failingJournal{}
	r := newRig(t, func(c *exec.Config) { c.Journal = j })
	r.srv.onWrite = func(_ *memConn, p []byte) (int, error, bool) {
		if strings.HasPrefix(string(p), "POST") && (len(j.sent) == 0 || !strings.Contains(string(p), j.sent[len(j.sent)-1].Client.String())) {
			t.Error("bytes left before the journal had the order")
		}
		return 0, nil, false
	}
	a := r.buy(100_00000000)
	r.steps(3)
	j.fail = true
	b := r.buy(100_00000000)
	r.steps(2)
	c := r.buy(100_00000000)
	r.srv.handle = func(q *request) { q.conn.push(answer(200, canceled("BTCUSDT", 1001, r.client(a).String(), "2", "0"))) }
	r.cancel(a)
	r.steps(3)
	r.expect(a, "ack, done CANCELED")
	r.expect(b, "done NOT_SENT")
	r.expect(c, "done NOT_SENT")
	if r.g.Halted() != risk.HaltJournal || r.srv.count("POST") != 1 || r.srv.count("DELETE") != 1 {
		t.Errorf("halted: %v, requests %v", r.g.Halted(), r.srv.requests)
	}
	if s := j.sent[0]; s.Intent.ID != a || s.Client != r.client(a) || s.Window != 5*time.Second || s.Input != 42 || s.Stamp == 0 {
		t.Errorf("journal has %+v", s)
	}
}

func TestFullReportRingStopsTradingAndLosesNothing(t *testing.T) {
	r := newRig(t, func(c *exec.Config) { c.Orders = 1024 })
	var ids []core.OrderID
	for range 6 {
		for range 50 {
			ids = append(ids, r.buy(100_00000000))
		}
		for range 400 {
			r.g.Step()
			r.clock.advance(100 * time.Microsecond)
		}
	}
	if r.g.Halted() != risk.HaltReportsFull {
		t.Fatalf("halted: %v, want the full report ring", r.g.Halted())
	}
	r.steps(10)
	for _, id := range ids {
		if s := r.story(id); s != "ack" && s != "done NOT_SENT" {
			t.Errorf("order %d: reports are %q", id, s)
		}
	}
	if r.g.Stats.ReportsDelayed == 0 {
		t.Error("no report was delayed")
	}
	r.g.Lift(risk.HaltReportsFull)
	id := r.buy(100_00000000)
	r.steps(3)
	r.expect(id, "ack")
}

func TestWhatTheGateDidNotMakeIsNotSent(t *testing.T) {
	r := newRig(t)
	*r.in.Claim() = risk.Approved{}
	r.in.Publish()
	panicked := func() (yes bool) {
		defer func() { yes = recover() != nil }()
		r.g.Step()
		return false
	}()
	if len(r.srv.requests) != 0 {
		t.Errorf("sent %v", r.srv.requests)
	}
	if refused := r.g.Stats.Refused[exec.RefusedInvalid] == 1; refused == panicked {
		t.Errorf("refused %v, panicked %v, want one of them", refused, panicked)
	}
}

func TestOrderCountIsAskedBeforeSending(t *testing.T) {
	r := newRig(t)
	must(t, r.bud.Set([]exec.Limit{{Kind: exec.LimitWeight, Span: time.Minute, Max: 6000}, {Kind: exec.LimitOrders, Span: 10 * time.Second, Max: 1}}))
	a := r.buy(100_00000000)
	r.steps(3)
	b := r.buy(100_00000000)
	r.steps(3)
	r.expect(a, "ack")
	r.expect(b, "done NOT_SENT")
	if r.g.Stats.Refused[exec.RefusedBudget] != 1 {
		t.Errorf("refused %v", r.g.Stats.Refused)
	}
}
