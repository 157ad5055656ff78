package exec_test

import (
	"testing"
	"time"

	"riposte/core"
	"riposte/exec"
)

// TestCancelsRacingFills: orders are cancelled while they trade, at a venue whose reads
// lag by up to 20 s and go back in time; half of the answers are lost, half of the orders
// are never heard of on the user stream. All end in the right state, none is declared
// gone, and no order sees more than three cancels without a read of its state between.
func TestCancelsRacingFills(t *testing.T) {
	n := trials(200)
	const batch = 50
	right, most, cancels := 0, 0, 0
	var ended []time.Duration
	for first := 0; first < n; first += batch {
		v := newTrueVenue(uint64(first)+17, 20*time.Second)
		r := newRig(t, v.join, func(c *exec.Config) { c.Pool.CancelWires, c.Pool.Wires = 20, 20 })
		v.attach(r)
		ok, took := race(t, r, v, min(batch, n-first))
		right, ended = right+ok, append(ended, took...)
		for _, calls := range v.calls {
			run := 0
			for _, c := range calls {
				if c == "read" {
					run = 0
					continue
				}
				cancels++
				run++
				most = max(most, run)
			}
		}
		r.close()
		if t.Failed() {
			return
		}
	}
	if right != n || most > 3 {
		t.Errorf("%d of %d orders ended in the right state, at most %d cancels without a read", right, n, most)
	}
	t.Logf("%d of %d right with reads up to 20s old; %d cancels reached the venue, at most %d without a read between; known to have ended %s after they had", right, n, cancels, most, spread(ended))
}

func race(t *testing.T, r *rig, v *trueVenue, n int) (right int, took []time.Duration) {
	t.Helper()
	var list []*trueOrder
	silent := map[core.ClientID]bool{}
	r.srv.handle = func(q *request) {
		if q.method == "POST" {
			o := v.accept(v.posted(q), core.Buy, 2_00000000)
			silent[o.client] = v.rng.IntN(2) == 0
			list = append(list, o)
			q.conn.push(v.placedAnswer(q, o))
			return
		}
		o := v.cancelled(q)
		switch v.rng.IntN(4) { // the other side is quicker, sometimes only in part
		case 0:
			v.fill(o, 2_00000000)
		case 1:
			v.fill(o, 50000000)
		}
		done := v.end(o, core.ExecCanceled, core.Canceled)
		switch {
		case v.rng.IntN(2) == 0:
			q.conn.closed = true
		case done:
			q.conn.push(answer(200, canceled("BTCUSDT", o.id, o.client.String(), o.qty.String(), o.now().cum.String())))
		default:
			q.conn.push(answer(400, `{"code":-2011,"msg":"Unknown order sent."}`))
		}
	}
	var ids []core.OrderID
	clients := map[core.OrderID]core.ClientID{}
	for range n {
		id := r.buy(100_00000000)
		r.until("it is acked", func() bool { return r.status(id) == core.New })
		ids, clients[id] = append(ids, id), r.client(id)
	}
	type late struct {
		at core.MonoNs
		e  core.Execution
	}
	var stream []late
	next, sent := 0, 0
	for step := 0; r.g.Table().Live() > 0 || sent < n; step++ {
		if step > 40_000 {
			t.Fatalf("%d orders did not end: %+v", r.g.Table().Live(), r.story(ids[0]))
		}
		now := r.clock.Mono()
		if step%3 == 0 && sent < n {
			r.cancel(ids[sent])
			sent++
		}
		for _, e := range v.take() {
			if !silent[e.Client] {
				stream = append(stream, late{now + core.MonoNs(v.rng.Int64N(int64(20*time.Second))), e})
			}
		}
		keep := stream[:0]
		for _, l := range stream {
			if l.at <= now {
				r.g.OnExecution(&l.e)
			} else {
				keep = append(keep, l)
			}
		}
		stream = keep
		r.g.Step()
		r.drain()
		for ; next < len(r.seen); next++ {
			switch p := &r.seen[next]; p.Kind {
			case core.ReportDone:
				took = append(took, time.Duration(now-v.orders[clients[p.ID]].now().at))
				if p.Status == core.NotSent {
					t.Errorf("order %d was declared not sent", p.ID)
				}
			case core.ReportCancelRejected: // as a strategy would
				if o := r.gate.Find(p.ID); o != nil && !o.Canceling {
					r.cancel(p.ID)
				}
			}
		}
		r.settleCold()
		r.clock.advance(10 * time.Millisecond)
	}
	for _, id := range ids {
		failed := t.Failed()
		if v.judge(t, id, clients[id]); failed == t.Failed() {
			right++
		}
	}
	return right, took
}
