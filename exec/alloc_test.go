package exec_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"riposte/core"
	"riposte/exec"
)

// leanConn answers orders and cancels at once without allocating: it patches ids
// into prepared bytes.
type leanConn struct {
	memConn
	order, cancel, ping    []byte
	ready                  []byte
	idAt, clientAt, fillAt int
	cidAt, cclientAt       int
	next                   int64
	clients                [1 << 12][30]byte
	clientLen              int
	hold                   bool // answers are not there yet

	both             []byte // the answer to a replace
	bothOld, bothNew int    // where its halves begin
}

const leanID = "0000000000"

func newLean(clientLen int) *leanConn {
	l := &leanConn{next: 1_000_000_000, clientLen: clientLen}
	client := bytes.Repeat([]byte("c"), clientLen)
	body := fmt.Sprintf(`{"symbol":"BTCUSDT","orderId":%s,"orderListId":-1,"clientOrderId":"%s","transactTime":1700000000000,"price":"100.00000000","origQty":"2.00000000",`+
		`"executedQty":"1.00000000","origQuoteOrderQty":"0.00000000","cummulativeQuoteQty":"100.00000000","status":"PARTIALLY_FILLED","timeInForce":"GTC","type":"LIMIT","side":"BUY","workingTime":1700000000000,`+
		`"fills":[{"price":"100.00000000","qty":"1.00000000","commission":"0.00100000","commissionAsset":"BNB","tradeId":%s}],"selfTradePreventionMode":"NONE"}`, "1"+leanID[1:], client, "2"+leanID[1:])
	l.order = []byte(answer(200, body, "x-mbx-used-weight-1m: 1", "x-mbx-order-count-10s: 1"))
	l.idAt = bytes.Index(l.order, []byte("1"+leanID[1:]))
	l.clientAt = bytes.Index(l.order, client)
	l.fillAt = bytes.Index(l.order, []byte("2"+leanID[1:]))
	l.cancel = []byte(answer(200, canceled("BTCUSDT", 1_000_000_000, string(client), "2.00000000", "1.00000000")))
	l.cidAt = bytes.Index(l.cancel, []byte("1"+leanID[1:]))
	l.cclientAt = bytes.Index(l.cancel, client)
	gone := canceled("BTCUSDT", 1_000_000_000, string(client), "2.00000000", "1.00000000")
	l.both = []byte(answer(200, halves("SUCCESS", "SUCCESS", gone, body), "x-mbx-order-count-10s: 1"))
	l.bothOld, l.bothNew = bytes.Index(l.both, []byte(gone)), bytes.Index(l.both, []byte(body))
	l.ping = []byte(answer(200, "{}"))
	return l
}

func (l *leanConn) Read(p []byte) (int, error) {
	if len(l.ready) == 0 {
		return 0, os.ErrDeadlineExceeded
	}
	n := copy(p, l.ready)
	l.ready = l.ready[n:]
	return n, nil
}

func (l *leanConn) Write(p []byte) (int, error) {
	switch p[0] {
	case 'P':
		at := bytes.Index(p, []byte("newClientOrderId=")) + len("newClientOrderId=")
		l.next++
		copy(l.order[l.clientAt:], p[at:at+l.clientLen])
		copy(l.clients[l.next%int64(len(l.clients))][:], p[at:at+l.clientLen])
		putDigits(l.order[l.idAt:l.idAt+10], l.next)
		putDigits(l.order[l.fillAt:l.fillAt+10], l.next+1_000_000_000)
		l.ready = l.order
		if bytes.HasPrefix(p, []byte("POST /api/v3/order/cancelReplace?")) {
			l.replaced(numberBehind(p, "cancelOrderId="))
		}
	case 'D':
		id := numberBehind(p, "orderId=")
		copy(l.cancel[l.cclientAt:], l.clients[id%int64(len(l.clients))][:l.clientLen])
		putDigits(l.cancel[l.cidAt:l.cidAt+10], id)
		l.ready = l.cancel
	case 'G':
		l.ready = l.ping
	default:
		return 0, io.ErrClosedPipe
	}
	return len(p), nil
}

// replaced makes the answer to a replace of the order with that id by the one just made.
func (l *leanConn) replaced(old int64) {
	head := bytes.Index(l.order, []byte("{"))
	copy(l.both[l.bothNew:], l.order[head:])
	putDigits(l.both[l.bothOld+l.cidAt-l.cancelHead():][:10], old)
	copy(l.both[l.bothOld+l.cclientAt-l.cancelHead():], l.clients[old%int64(len(l.clients))][:l.clientLen])
	l.ready = l.both
}

func (l *leanConn) cancelHead() int { return bytes.Index(l.cancel, []byte("{")) }

// numberBehind is the ten digits behind a name.
func numberBehind(p []byte, name string) (n int64) {
	at := bytes.Index(p, []byte(name)) + len(name)
	for _, c := range p[at : at+10] {
		n = n*10 + int64(c-'0')
	}
	return n
}

func putDigits(b []byte, v int64) {
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = byte('0' + v%10)
		v /= 10
	}
}

// leanRig is a gateway whose venue costs nothing.
func leanRig(t testing.TB) (*rig, *leanConn) {
	shared := newLean(len("rp-") + 7 + 1 + 8)
	return newRig(t, func(c *exec.Config) {
		c.Pool.Wires, c.Pool.CancelWires = 1, 1
		c.Orders = 128
		c.Pool.Dial = func(context.Context, string) (net.Conn, error) { return &leanShare{leanConn: shared}, nil }
	}), shared
}

// leanShare is one of several connections to the same lean venue.
type leanShare struct {
	*leanConn
	mine []byte
}

func (s *leanShare) Write(p []byte) (int, error) {
	n, err := s.leanConn.Write(p)
	s.mine, s.leanConn.ready = s.leanConn.ready, nil
	return n, err
}

func (s *leanShare) Read(p []byte) (int, error) {
	if len(s.mine) == 0 || s.hold {
		return 0, os.ErrDeadlineExceeded
	}
	n := copy(p, s.mine)
	s.mine = s.mine[n:]
	return n, nil
}

// round is an order, its answer with a fill, its cancel, that answer, all reports.
func (r *rig) round(price int64) core.OrderID {
	id := r.buy(price)
	r.g.Step()
	r.g.Step()
	r.swallow()
	r.cancel(id)
	r.g.Step()
	r.g.Step()
	r.swallow()
	for range 4 { // idle: drafts, looks what is wanted, signs ahead
		r.g.Step()
	}
	if s := r.stamp.Pending(); len(s) > 0 {
		r.stamp.Release(len(s))
	}
	r.clock.ns.Add(100_000)
	return id
}

func (r *rig) swallow() {
	p := r.out.Pending()
	for i := range p {
		r.gate.Report(&p[i])
	}
	r.out.Release(len(p))
}

func TestOrderPathDoesNotAllocate(t *testing.T) {
	r, _ := leanRig(t)
	for range 500 { // parsers, tables and fills reach their size
		r.round(100_00000000)
	}
	sent := r.g.Stats
	price := int64(100_00000000)
	if n := testing.AllocsPerRun(1000, func() {
		price += 1_000_000
		r.round(price - price%3_000_000) // some hit the ladder, some do not
	}); n != 0 {
		t.Errorf("order, answer, fill, cancel and its answer allocate %v times, want 0", n)
	}
	now := r.g.Stats
	if now.Sent-sent.Sent != 1001 || now.Cancels-sent.Cancels != 1001 || now.AnswersUnknown != 0 || r.g.Table().Live() != 0 {
		t.Errorf("sent %d, cancels %d, %+v", now.Sent-sent.Sent, now.Cancels-sent.Cancels, now)
	}
	if hits := now.Presigned - sent.Presigned; hits == 0 || hits == 1001 {
		t.Errorf("%d of 1001 orders were signed ahead, want some", hits)
	}
	if p := r.g.Ledger().Position(0); p != 1501_00000000 {
		t.Errorf("position is %v, want 1501", p)
	}
}

func TestProbesAndTicksDoNotAllocate(t *testing.T) {
	r, _ := leanRig(t)
	before := r.g.Pool().Stats.Probes
	if n := testing.AllocsPerRun(200, func() {
		r.clock.ns.Add(int64(11 * time.Second))
		for range 6 {
			r.g.Step()
			r.clock.ns.Add(int64(2 * time.Millisecond))
		}
	}); n != 0 {
		t.Errorf("probing idle wires allocates %v times, want 0", n)
	}
	if got := r.g.Pool().Stats.Probes - before; got < 400 {
		t.Errorf("probed %d times, want both wires each time", got)
	}
}

// BenchmarkOrderRound is the work of the loop for a whole order: place, answer with
// a fill, cancel, its answer, all reports, in memory.
func BenchmarkOrderRound(b *testing.B) {
	r, _ := leanRig(b)
	for range 200 {
		r.round(100_00000000)
	}
	b.ReportAllocs()
	for b.Loop() {
		r.round(100_00000000)
	}
	if r.g.Stats.AnswersUnknown != 0 || r.g.Table().Live() != 0 {
		b.Fatalf("%+v", r.g.Stats)
	}
}

// BenchmarkIdleStep is a turn of a spinning loop that finds nothing to do, at a time
// that stands still: five wires up, an order's kind signed ahead. busy: one of the wires
// waits for an answer, so it is read each time.
func BenchmarkIdleStep(b *testing.B) {
	for _, busy := range []bool{false, true} {
		name := "idle"
		if busy {
			name = "busy"
		}
		b.Run(name, func(b *testing.B) {
			r, venue := leanRig(b)
			for range 20 {
				r.round(100_00000000)
			}
			venue.hold = busy
			if busy {
				r.buy(100_00000000)
			}
			for range 200 {
				r.g.Step()
			}
			b.ReportAllocs()
			for b.Loop() {
				if r.g.Step() != 0 {
					b.Fatal("there was something to do")
				}
			}
		})
	}
}

// BenchmarkApprovedToWire times the Step that finds one approval in its ring and
// ends with the write call returned (an in-memory wire, so without the kernel):
// intake, budget, bytes, table, journal hook, write. What ns/op adds is the rest of
// the round. The figure holds two clock readings of its own.
func BenchmarkApprovedToWire(b *testing.B) {
	for _, presigned := range []bool{true, false} {
		name := "miss"
		if presigned {
			name = "presigned"
		}
		b.Run(name, func(b *testing.B) {
			r, venue := leanRig(b)
			price, turn := int64(100_00000000), int64(0)
			next := func() time.Duration {
				if !presigned {
					turn++ // a price that no ladder holds, each time
					price = 50_00000000 + turn*1237%10007*1_000_000
				}
				id := r.buy(price)
				venue.hold = true // the answer is the next Step's work
				start := time.Now()
				r.g.Step()
				took := time.Since(start)
				venue.hold = false
				r.g.Step()
				r.swallow()
				r.cancel(id)
				for range 6 {
					r.g.Step()
				}
				r.swallow()
				if s := r.stamp.Pending(); len(s) > 0 {
					r.stamp.Release(len(s))
				}
				r.clock.ns.Add(100_000)
				return took
			}
			for range 200 {
				next()
			}
			before := r.g.Stats
			total, n := time.Duration(0), 0
			b.ReportAllocs()
			for b.Loop() {
				total += next()
				n++
			}
			b.ReportMetric(float64(total)/float64(n), "ns/send")
			sent, hits := r.g.Stats.Sent-before.Sent, r.g.Stats.Presigned-before.Presigned
			if sent != uint64(n) || (hits == sent) != presigned {
				b.Fatalf("%d of %d orders were sent, %d presigned", sent, n, hits)
			}
		})
	}
}
