package exec_test

import (
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"riposte/core"
	"riposte/exec"
)

// chaosVenue keeps the true ledger and lies about everything else.
type chaosVenue struct {
	t       *rapid.T
	r       *rig
	calm    bool
	orders  []*chaosOrder
	posts   map[string]int
	trade   int64
	stream  []core.Execution // user events not yet delivered
	pending []func()         // what happens later inside the venue
}

type chaosOrder struct {
	client core.ClientID
	id     int64
	side   core.Side
	cum    core.Qty
	status core.OrderStatus
	trades []int64
}

const chaosQty = core.Qty(2_00000000)

func (v *chaosVenue) draw(what string, n int) int {
	if v.calm {
		return 0
	}
	return rapid.IntRange(0, n).Draw(v.t, what)
}

func (v *chaosVenue) handle(q *request) {
	if q.method == "DELETE" {
		v.cancel(q)
		return
	}
	client := q.query.Get("newClientOrderId")
	v.posts[client]++
	fate := v.draw("fate", 9)
	accept := func() *chaosOrder {
		o := &chaosOrder{id: int64(len(v.orders) + 5000), status: core.New}
		o.client, _ = core.MakeClientID(client)
		if q.query.Get("side") == "SELL" {
			o.side = core.Sell
		}
		v.orders = append(v.orders, o)
		v.event(o, core.ExecNew, 0)
		if v.draw("takes", 2) == 2 {
			v.fillSome(o)
		}
		v.publish(o)
		return o
	}
	answered := func(o *chaosOrder) string {
		var fills []string
		for _, id := range o.trades {
			fills = append(fills, fmt.Sprintf("100.00000000 0.50000000 %d", id))
		}
		return answer(200, placed(q, o.id, o.status.String(), o.cum.String(), fills...))
	}
	switch fate {
	default: // 0, 1, 2
		q.conn.push(answered(accept()))
	case 3: // taken, answer lost
		accept()
		q.conn.closed = true
	case 4: // not taken, answer lost
		q.conn.closed = true
	case 5: // rejected
		q.conn.push(answer(400, `{"code":-2010,"msg":"Account has insufficient balance for requested action."}`))
	case 6: // taken, answer cut
		text := answered(accept())
		q.conn.push(text[:rapid.IntRange(0, len(text)-1).Draw(v.t, "cut")])
		q.conn.closed = true
	case 7: // open outcome, taken
		accept()
		q.conn.push(answer(504, `{"code":-1007,"msg":"Timeout waiting for response from backend server."}`))
	case 8: // open outcome, taken later
		v.pending = append(v.pending, func() { accept() })
		q.conn.push(html(503))
	case 9: // silence: taken or not
		if v.draw("silent take", 1) == 1 {
			accept()
		}
	}
}

func (v *chaosVenue) cancel(q *request) {
	id, _ := strconv.ParseInt(q.query.Get("orderId"), 10, 64)
	i := slices.IndexFunc(v.orders, func(o *chaosOrder) bool {
		return o.id == id || o.client.String() == q.query.Get("origClientOrderId")
	})
	if i < 0 || v.orders[i].status.Terminal() {
		q.conn.push(answer(400, `{"code":-2011,"msg":"Unknown order sent."}`))
		return
	}
	o := v.orders[i]
	fate := v.draw("cancel fate", 5)
	if fate == 5 { // refused for now
		q.conn.push(answer(400, `{"code":-1021,"msg":"Timestamp for this request is outside of the recvWindow."}`))
		return
	}
	if fate != 4 { // 4: lost before it was read
		o.status = core.Canceled
		v.event(o, core.ExecCanceled, 0)
		v.publish(o)
	}
	if fate >= 3 { // answer lost
		q.conn.closed = true
		return
	}
	q.conn.push(answer(200, canceled("BTCUSDT", o.id, o.client.String(), chaosQty.String(), o.cum.String())))
}

func (v *chaosVenue) fillSome(o *chaosOrder) {
	for range 1 + v.draw("fills", 3) {
		if o.status.Terminal() {
			break
		}
		v.trade++
		o.trades = append(o.trades, v.trade)
		o.cum += chaosQty / 4
		if o.status = core.PartiallyFilled; o.cum == chaosQty {
			o.status = core.Filled
		}
		v.event(o, core.ExecTrade, v.trade)
	}
	v.publish(o)
}

func (v *chaosVenue) event(o *chaosOrder, kind core.ExecKind, trade int64) {
	e := core.Execution{Kind: kind, Status: o.status, Client: o.client, VenueID: o.id, Side: o.side, Qty: chaosQty, Cum: o.cum, TradeID: -1, FeeAsset: core.NoAsset}
	if kind == core.ExecTrade {
		e.TradeID, e.LastQty, e.LastPrice, e.FeeAsset, e.Fee = trade, chaosQty/4, 100_00000000, 2, 100_000
		e.LastQuote, _ = core.NotionalOf(e.LastPrice, e.LastQty).AmountFloor()
		v.r.cold.trade(e)
	}
	if v.draw("stream loses it", 4) < 4 {
		v.stream = append(v.stream, e)
	}
}

// publish lets the read side know.
func (v *chaosVenue) publish(o *chaosOrder) {
	v.r.cold.set(core.Execution{Status: o.status, Client: o.client, VenueID: o.id, Side: o.side, Qty: chaosQty, Cum: o.cum})
}

// deliver gives a user event, any one, perhaps not for the last time.
func (v *chaosVenue) deliver() {
	if len(v.stream) == 0 {
		return
	}
	i := v.draw("event", len(v.stream)-1)
	e := v.stream[i]
	v.r.g.OnExecution(&e)
	if v.draw("again", 3) < 3 {
		v.stream = slices.Delete(v.stream, i, i+1)
	}
}

// TestChaosEndsWithTheVenuesLedger lets orders run into every kind of trouble, then
// heals the venue and drains: what we hold must be what the venue holds, each order
// must have been sent at most once, and nothing may be left.
func TestChaosEndsWithTheVenuesLedger(t *testing.T) {
	settings := func(c *exec.Config) {
		c.ProofMargin = 2 * time.Second
		c.Pool.DoubtAfter, c.Pool.AnswerTimeout = 500*time.Millisecond, 2*time.Second
		c.Pool.BackoffMax = 50 * time.Millisecond
		c.FillGrace = 20 * time.Millisecond
	}
	var orders, doubts, proved int
	rapid.Check(t, func(rt *rapid.T) {
		r := newRig(t, settings)
		defer r.close()
		v := &chaosVenue{t: rt, r: r, posts: map[string]int{}}
		r.srv.handle = v.handle
		var ids []core.OrderID
		pass := func(n int) {
			for range n {
				r.g.Step()
				r.drain()
				r.clock.advance(2 * time.Millisecond)
				runtime.Gosched()
			}
		}
		for range rapid.IntRange(5, 25).Draw(rt, "acts") {
			switch rapid.IntRange(0, 7).Draw(rt, "act") {
			case 0, 1, 2:
				side := core.Side(rapid.IntRange(0, 1).Draw(rt, "side"))
				price := core.Price(100_00000000)
				if side == core.Sell {
					price = 101_00000000 // above the buys: the gate lets no order meet another of ours
				}
				ids = append(ids, r.approve(core.Intent{Kind: core.Place, Side: side, Type: core.Limit, Price: price, Qty: chaosQty}))
			case 3:
				if len(ids) > 0 {
					id := rapid.SampledFrom(ids).Draw(rt, "cancel")
					if o := r.gate.Find(id); o != nil && !o.Canceling {
						r.cancel(id)
					}
				}
			case 4:
				if len(v.orders) > 0 {
					if o := rapid.SampledFrom(v.orders).Draw(rt, "fill"); !o.status.Terminal() {
						v.fillSome(o)
					}
				}
			case 5:
				v.deliver()
			case 6:
				pass(300)
			case 7:
				if len(v.pending) > 0 {
					v.pending[0]()
					v.pending = v.pending[1:]
				}
			}
			pass(rapid.IntRange(0, 4).Draw(rt, "steps"))
		}
		v.calm = true
		for _, f := range v.pending {
			f()
		}
		r.g.CancelAllOwn()
		guard := time.Now().Add(10 * time.Second)
		for r.g.Table().Live() > 0 || r.gate.Live() > 0 {
			pass(1)
			if r.g.Table().Live() > 0 {
				r.g.CancelAllOwn()
			}
			if time.Now().After(guard) {
				rt.Fatalf("not all orders ended: %d live; reports %+v", r.g.Table().Live(), r.seen)
			}
		}
		for len(v.stream) > 0 {
			v.deliver()
		}
		pass(1)

		for c, n := range v.posts {
			if n != 1 {
				rt.Fatalf("order %s was sent %d times", c, n)
			}
		}
		position := core.Qty(0)
		byClient := map[core.ClientID]*chaosOrder{}
		for _, o := range v.orders {
			byClient[o.client] = o
			position += core.Qty(o.side.Sign()) * o.cum
		}
		if got := r.g.Ledger().Position(0); got != position {
			rt.Fatalf("position is %v, the venue's %v", got, position)
		}
		for _, id := range ids {
			orders++
			o := r.g.Table().Find(id)
			if o == nil {
				continue // withdrawn before it was sent
			}
			want := byClient[o.Client]
			switch st := o.Status(); {
			case want == nil && st != core.Rejected && st != core.NotSent:
				rt.Fatalf("order %d is %v, the venue never had it", id, st)
			case want != nil && (st != want.status || o.Filled != want.cum):
				rt.Fatalf("order %d is %v with %v filled, the venue says %v with %v; %s", id, st, o.Filled, want.status, want.cum, r.story(id))
			}
			dones, fills := 0, map[int64]bool{}
			for _, p := range r.of(id) {
				switch p.Kind {
				case core.ReportDone:
					dones++
				case core.ReportFill:
					if fills[p.TradeID] || dones > 0 {
						rt.Fatalf("order %d: fill %d twice or after the end: %s", id, p.TradeID, r.story(id))
					}
					fills[p.TradeID] = true
				}
			}
			if dones != 1 || (want != nil && len(fills) != len(want.trades)) {
				rt.Fatalf("order %d: %d ends, %d fills: %s", id, dones, len(fills), r.story(id))
			}
		}
		if n := r.g.Table().Stats.Contradictions; n != 0 {
			rt.Fatalf("%d contradictions", n)
		}
		doubts += int(r.g.Table().Stats.Doubts)
		proved += int(r.g.Stats.Proved)
	})
	t.Logf("%d orders, %d of them in doubt, %d proved absent", orders, doubts, proved)
}
