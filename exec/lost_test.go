package exec_test

import (
	"testing"
	"time"

	"riposte/core"
	"riposte/exec"
)

// loss is one way of losing the answer to an order.
type loss struct {
	name  string
	taken bool
	lose  func(q *request)
}

func losses() (out []loss) {
	for _, taken := range []bool{true, false} {
		out = append(out,
			loss{"timeout", taken, func(*request) {}},
			loss{"reset", taken, func(q *request) { q.conn.closed = true }},
			loss{"503", taken, func(q *request) { q.conn.push(html(503)) }},
			loss{"-1007", taken, func(q *request) {
				q.conn.push(answer(408, `{"code":-1007,"msg":"Timeout waiting for response from backend server. Send status unknown; execution status unknown."}`))
			}})
	}
	return out
}

const lostBatch = 56

// TestLostAnswers: orders whose answers are lost in every way, taken by the venue or not,
// some taken only seconds later, with nothing but lagging reads to learn from. Each is sent
// once and ends as the venue has it, no order that the venue has is ever declared not
// sent, and no such verdict comes before the proof.
func TestLostAnswers(t *testing.T) {
	const lag = time.Second
	each := trials(70)
	kinds := losses()
	var resolved, verdicts []time.Duration
	orders := each * len(kinds)
	for first := 0; first < orders; first += lostBatch {
		v := newTrueVenue(uint64(first), lag)
		r := newRig(t, v.join, func(c *exec.Config) { c.Pool.Wires = lostBatch })
		v.attach(r)
		batch := make([]loss, 0, lostBatch)
		for i := first; i < min(first+lostBatch, orders); i++ {
			batch = append(batch, kinds[i%len(kinds)])
		}
		a, b := loseBatch(t, r, v, batch)
		resolved, verdicts = append(resolved, a...), append(verdicts, b...)
		r.close()
		if t.Failed() {
			return
		}
	}
	for _, d := range verdicts {
		if d < 75*time.Second || d > 90*time.Second {
			t.Errorf("a never-existed verdict came %v after sending, want between the proof's 75s and 90s", d)
			break
		}
	}
	t.Logf("%d orders, %d of each kind: those that exist are known %s after the doubt; never-existed verdicts %s after sending",
		orders, each, spread(resolved), spread(verdicts))
}

func loseBatch(t *testing.T, r *rig, v *trueVenue, batch []loss) (resolved, verdicts []time.Duration) {
	t.Helper()
	n, at := len(batch), 0
	clients := map[core.OrderID]core.ClientID{}
	sent := map[core.OrderID]core.MonoNs{}
	var later []struct {
		at core.MonoNs
		do func()
	}
	r.srv.handle = func(q *request) {
		if q.method == "DELETE" {
			if o := v.cancelled(q); o != nil && v.end(o, core.ExecCanceled, core.Canceled) {
				q.conn.push(answer(200, canceled("BTCUSDT", o.id, o.client.String(), o.qty.String(), o.now().cum.String())))
			} else {
				q.conn.push(answer(400, `{"code":-2011,"msg":"Unknown order sent."}`))
			}
			return
		}
		client := v.posted(q)
		kind := &batch[at]
		at++
		if kind.taken {
			take := func() {
				o := v.accept(client, core.Buy, 2_00000000)
				switch v.rng.IntN(3) {
				case 0:
					v.fill(o, 2_00000000)
				case 1:
					v.fill(o, 50000000)
					v.end(o, core.ExecExpired, core.Expired)
				}
			}
			// One in four is acted on late, as long as its recvWindow allows.
			if v.rng.IntN(4) == 0 {
				later = append(later, struct {
					at core.MonoNs
					do func()
				}{r.clock.Mono() + core.MonoNs(v.rng.Int64N(int64(5*time.Second))), take})
			} else {
				take()
			}
		}
		kind.lose(q)
	}
	for range n {
		id := r.buy(100_00000000)
		r.steps(1)
		clients[id], sent[id] = r.client(id), r.clock.Mono()
	}
	begun := r.clock.Mono()
	doubted := map[core.OrderID]core.MonoNs{}
	next, done := 0, 0
	for step := 0; done < n; step++ {
		if step > 100_000 {
			t.Fatalf("%d of %d orders ended", done, n)
		}
		now := r.clock.Mono()
		for i := range later {
			if l := &later[i]; l.do != nil && now >= l.at {
				l.do()
				l.do = nil
			}
		}
		r.g.Step()
		r.drain()
		for ; next < len(r.seen); next++ {
			switch p := &r.seen[next]; {
			case p.Kind == core.ReportDoubt:
				doubted[p.ID] = now
			case p.Kind == core.ReportResolved && p.Status != core.NotSent:
				// The clock runs from when there was something to find.
				from := doubted[p.ID]
				if o := v.orders[clients[p.ID]]; o != nil {
					from = max(from, o.history[0].at)
				}
				resolved = append(resolved, time.Duration(now-from))
			case p.Kind == core.ReportDone:
				done++
				if p.Status == core.NotSent {
					verdicts = append(verdicts, time.Duration(now-sent[p.ID]))
				}
			case p.Kind == core.ReportAck:
				r.g.CancelAllOwn() // those that rest are to end too
			}
		}
		r.settleCold()
		switch {
		case now-begun < core.MonoNs(10*time.Second):
			r.clock.advance(5 * time.Millisecond)
		default:
			r.clock.advance(50 * time.Millisecond)
		}
	}
	for id, c := range clients {
		v.judge(t, id, c)
	}
	if n := r.g.Table().Stats.Contradictions; n != 0 {
		t.Errorf("%d contradictions", n)
	}
	return resolved, verdicts
}
