package exec_test

import (
	"testing"
	"time"

	"riposte/core"
	"riposte/exec"
)

// TestFillsMissedByTheUserStreamAreFound: orders trade while the account's stream is cut
// at random, and single frames are lost without a cut. Every fill is booked once: those
// of a cut within 2 s of the reconnect, those of a lost frame at the next audit, and the
// ledger equals the venue's balances.
func TestFillsMissedByTheUserStreamAreFound(t *testing.T) {
	const lag, auditEvery = 500 * time.Millisecond, 30 * time.Second
	wanted := trials(500)
	v := newTrueVenue(99, lag)
	r := newRig(t, v.join, func(c *exec.Config) { c.AuditEvery, c.RequireUser, c.Pool.Wires = auditEvery, true, 8 })
	v.attach(r)
	r.g.OnUserUp()
	r.wait("the first audit is done", 5*time.Millisecond, func() bool { return r.g.Halted() == 0 })
	var open []*trueOrder
	r.srv.handle = func(q *request) {
		o := v.accept(v.posted(q), core.Side(v.rng.IntN(2)), 2_00000000)
		if q.query.Get("side") == "SELL" {
			o.side = core.Sell
		} else {
			o.side = core.Buy
		}
		open = append(open, o)
		q.conn.push(v.placedAnswer(q, o))
	}
	traded := map[int64]core.MonoNs{} // when the venue filled
	missed := map[int64]core.MonoNs{} // of those, the ones in a cut or a lost frame: by when they must be booked
	booked := map[int64]core.MonoNs{} // when we did
	inCut := map[int64]bool{}         // those whose deadline is the reconnect
	up, cuts, lost, next := true, 0, 0, 0
	var changeAt core.MonoNs
	var findCut, findLost []time.Duration
	var reconnect core.MonoNs
	for step := 0; len(traded) < wanted || len(booked) < len(traded); step++ {
		if step > 2_000_000 {
			t.Fatalf("%d of %d fills were booked", len(booked), len(traded))
		}
		now := r.clock.Mono()
		if len(open) < 20 && r.g.Halted() == 0 && len(traded) < wanted {
			side, price := core.Buy, core.Price(100_00000000)
			if v.rng.IntN(2) == 0 {
				side, price = core.Sell, 101_00000000
			}
			r.approve(core.Intent{Kind: core.Place, Side: side, Type: core.Limit, Price: price, Qty: 2_00000000})
		}
		if len(open) > 0 && v.rng.IntN(20) == 0 && len(traded) < wanted {
			o := open[v.rng.IntN(len(open))]
			v.fill(o, core.Qty(1+v.rng.Int64N(50000000)))
			if o.now().status.Terminal() {
				for i := range open {
					if open[i] == o {
						open = append(open[:i], open[i+1:]...)
						break
					}
				}
			}
		}
		for _, e := range v.take() {
			fill := e.Kind == core.ExecTrade
			if fill {
				traded[e.TradeID] = now
			}
			switch {
			case !up:
				if fill {
					inCut[e.TradeID] = true
				}
			case v.rng.IntN(20) == 0: // one frame, and nobody notices
				lost++
				if fill {
					missed[e.TradeID] = now
				}
			default:
				r.g.OnExecution(&e)
			}
		}
		if now >= changeAt {
			changeAt = now + core.MonoNs(v.rng.Int64N(int64(15*time.Second)))
			if up = !up; up {
				reconnect = now
				r.g.OnUserUp()
			} else {
				cuts++
				changeAt = now + core.MonoNs(v.rng.Int64N(int64(3*time.Second)))
				r.g.OnUserDown()
			}
		}
		r.g.Step()
		r.drain()
		for ; next < len(r.seen); next++ {
			if p := &r.seen[next]; p.Kind == core.ReportFill {
				if _, twice := booked[p.TradeID]; twice {
					t.Fatalf("fill %d was booked twice", p.TradeID)
				}
				booked[p.TradeID] = now
				switch {
				case inCut[p.TradeID] && !up: // by an audit, before the stream was back
					findCut = append(findCut, 0)
				case inCut[p.TradeID]:
					findCut = append(findCut, time.Duration(now-reconnect))
				case missed[p.TradeID] > 0:
					findLost = append(findLost, time.Duration(now-missed[p.TradeID]))
				}
			}
		}
		for id := range inCut {
			if _, ok := booked[id]; !ok && up && now-reconnect > core.MonoNs(2*time.Second) {
				t.Fatalf("fill %d of a cut is not booked %v after the reconnect", id, time.Duration(now-reconnect))
			} else if ok {
				delete(inCut, id)
			}
		}
		for id, at := range missed {
			if _, ok := booked[id]; !ok && now-at > core.MonoNs(auditEvery+2*time.Second) {
				t.Fatalf("fill %d of a lost frame is not booked after %v", id, time.Duration(now-at))
			}
		}
		r.settleCold()
		r.clock.advance(10 * time.Millisecond)
	}
	r.g.OnUserUp()
	r.wait("the account is found in order", 5*time.Millisecond, func() bool {
		return r.g.Halted() == 0 && len(r.g.Differences()) == 0 && len(r.g.Ledger().Mismatches(nil)) == 0
	})
	v.lag = 0
	want, _, err := v.Balances(t.Context())
	must(t, err)
	if m := r.g.Ledger().Compare(nil, want, nil); len(m) != 0 || r.g.Stats.Externals != 0 {
		t.Errorf("ledger differs from the wallet: %+v; %d external flows", m, r.g.Stats.Externals)
	}
	position := core.Qty(0)
	for i := range v.trades {
		position += core.Qty(v.trades[i].e.Side.Sign()) * v.trades[i].e.LastQty
	}
	if got := r.g.Ledger().Position(0); got != position {
		t.Errorf("position is %v, the venue's %v", got, position)
	}
	t.Logf("%d fills, %d cuts, %d frames lost without one: fills of a cut booked %s after the reconnect, those of a lost frame %s after they had happened",
		len(traded), cuts, lost, spread(findCut), spread(findLost))
}
