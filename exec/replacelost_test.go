package exec_test

import (
	"testing"
	"time"

	"riposte/core"
	"riposte/exec"
)

// TestLostAnswersToReplaces: the answers to replaces are lost in every way, done by the
// venue or not, some of them seconds later, while the old orders trade at the same time.
// Each replace is sent once, both of its orders end as the venue has them, and no new one
// exists beside an old one that was filled.
func TestLostAnswersToReplaces(t *testing.T) {
	each := trials(28)
	kinds := losses()
	orders := each * len(kinds)
	var verdicts []time.Duration
	made, spared := 0, 0
	for first := 0; first < orders; first += lostBatch {
		v := newTrueVenue(uint64(first)+3, time.Second)
		r := replaceRig(t, v.join, func(c *exec.Config) { c.Pool.Wires, c.Pool.CancelWires = lostBatch, 8 })
		v.attach(r)
		batch := make([]loss, 0, lostBatch)
		for i := first; i < min(first+lostBatch, orders); i++ {
			batch = append(batch, kinds[i%len(kinds)])
		}
		m, s, d := loseReplaces(t, r, v, batch)
		made, spared, verdicts = made+m, spared+s, append(verdicts, d...)
		r.close()
		if t.Failed() {
			return
		}
	}
	t.Logf("%d replaces, %d of each kind: %d placed a new order, %d met an old one that had traded; never-existed verdicts %s after sending", orders, each, made, spared, spread(verdicts))
}

func loseReplaces(t *testing.T, r *rig, v *trueVenue, batch []loss) (made, spared int, verdicts []time.Duration) {
	t.Helper()
	type pair struct {
		old, next core.OrderID
		sent      core.MonoNs
		o, n      core.ClientID
	}
	var later []func()
	var due []core.MonoNs
	at := 0
	ended := map[core.ClientID]core.ClientID{} // old by new, as the venue did it
	r.srv.handle = func(q *request) {
		switch {
		case q.method == "DELETE":
			if o := v.cancelled(q); o != nil && v.end(o, core.ExecCanceled, core.Canceled) {
				q.conn.push(answer(200, canceled("BTCUSDT", o.id, o.client.String(), o.qty.String(), o.now().cum.String())))
			} else {
				q.conn.push(answer(400, `{"code":-2011,"msg":"Unknown order sent."}`))
			}
		case q.path == "/api/v3/order":
			q.conn.push(v.placedAnswer(q, v.accept(v.posted(q), core.Buy, 2_00000000)))
		default:
			client, kind := v.posted(q), &batch[at]
			at++
			q.query.Set("orderId", q.query.Get("cancelOrderId"))
			old := v.cancelled(q)
			if v.rng.IntN(3) == 0 {
				v.fill(old, core.Qty(1+v.rng.IntN(2))*1_00000000)
			}
			if kind.taken {
				do := func() {
					if v.end(old, core.ExecCanceled, core.Canceled) {
						ended[client] = old.client
						v.accept(client, core.Buy, 2_00000000)
						made++
					} else {
						spared++
					}
				}
				if v.rng.IntN(4) == 0 {
					later, due = append(later, do), append(due, r.clock.Mono()+core.MonoNs(v.rng.Int64N(int64(4*time.Second))))
				} else {
					do()
				}
			}
			kind.lose(q)
		}
	}
	pairs := make([]pair, len(batch))
	for i := range pairs {
		p := &pairs[i]
		p.old = r.working()
		p.o = r.client(p.old)
	}
	for i := range pairs {
		p := &pairs[i]
		p.next = r.replace(p.old)
		r.steps(1)
		r.settleCold()
		p.n, p.sent = r.client(p.next), r.clock.Mono()
	}
	begun, next, stopped := r.clock.Mono(), 0, false
	for step := 0; r.g.Table().Live() > 0; step++ {
		if step > 100_000 {
			t.Fatalf("%d orders did not end; the first pair is %q, %q", r.g.Table().Live(), r.story(pairs[0].old), r.story(pairs[0].next))
		}
		now := r.clock.Mono()
		for i := range later {
			if later[i] != nil && now >= due[i] {
				later[i]()
				later[i] = nil
			}
		}
		r.g.Step()
		r.drain()
		for ; next < len(r.seen); next++ {
			if p := &r.seen[next]; p.Kind == core.ReportDone && p.Status == core.NotSent {
				for i := range pairs {
					if pairs[i].next == p.ID {
						verdicts = append(verdicts, time.Duration(now-pairs[i].sent))
					}
				}
			}
		}
		r.settleCold()
		if now-begun < core.MonoNs(10*time.Second) {
			r.clock.advance(5 * time.Millisecond)
			continue
		}
		if !stopped {
			stopped = true
			r.g.CancelAllOwn() // what works then is to end too
		}
		r.clock.advance(50 * time.Millisecond)
	}
	for _, p := range pairs {
		v.judge(t, p.old, p.o)
		v.judge(t, p.next, p.n)
		if o := v.orders[p.o]; v.orders[p.n] != nil && (ended[p.n] != p.o || o.now().status == core.Filled) {
			t.Errorf("%s exists although %s is %v", p.n, p.o, o.now().status)
		}
	}
	for _, d := range verdicts {
		if d < 75*time.Second || d > 100*time.Second {
			t.Errorf("a never-existed verdict came %v after sending, want between the proof's 75s and 100s", d)
			break
		}
	}
	if n := r.g.Table().Stats.Contradictions; n != 0 {
		t.Errorf("%d contradictions", n)
	}
	return made, spared, verdicts
}
