package exec_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"riposte/core"
	"riposte/exec"
)

// TestReplaceEvidenceInAnyOrderEndsTheSame: the answer or its loss, the events of both
// orders, an amend before, and reads, in any order and told twice, end in one state: that
// of the venue, with each fill booked once.
func TestReplaceEvidenceInAnyOrderEndsTheSame(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := replaceRig(t, func(c *exec.Config) { c.FillGrace = time.Millisecond })
		defer r.close()
		old := r.working()
		var under *request
		r.srv.handle = func(q *request) { c := *q; under = &c }
		next := r.replace(old)
		r.until("the replace is under way", func() bool { return under != nil })

		// What happened at the venue.
		const all = core.Qty(2_00000000)
		qty, filled, nextFilled := all, core.Qty(0), core.Qty(0)
		outcome := rapid.SampledFrom([]string{"both", "cancelled", "neither"}).Draw(rt, "outcome")
		var events []func()
		say := func(e core.Execution) { events = append(events, func() { c := e; r.g.OnExecution(&c) }) }
		ofOld := func(kind core.ExecKind, st core.OrderStatus) core.Execution {
			e := r.told(old, 1001, st, filled)
			e.Kind, e.Qty = kind, qty
			return e
		}
		ofNew := func(kind core.ExecKind, st core.OrderStatus) core.Execution {
			e := r.told(next, 1002, st, nextFilled)
			e.Kind = kind
			return e
		}
		trade := func(id core.OrderID, venueID int64, q, cum, of core.Qty) {
			e := r.fill(id, venueID, venueID*10+int64(cum/10000000), q, cum)
			e.Qty, e.Status = of, core.PartiallyFilled
			if cum == of {
				e.Status = core.Filled
			}
			r.cold.trade(e)
			say(e)
		}
		say(ofOld(core.ExecNew, core.New))
		if rapid.Bool().Draw(rt, "amended before") {
			qty = 1_50000000
			say(ofOld(core.ExecReplaced, core.New))
		}
		if rapid.Bool().Draw(rt, "old traded") {
			filled = 50000000
			trade(old, 1001, filled, filled, qty)
		}
		var body string
		status := 200
		oldEnd, nextEnd := core.Canceled, core.New
		gone := canceled("BTCUSDT", 1001, r.client(old).String(), qty.String(), filled.String())
		if outcome == "neither" {
			trade(old, 1001, qty-filled, qty, qty)
			filled, oldEnd, nextEnd = qty, core.Filled, core.NotSent
			status, body = 400, partly(-2022, halves("FAILURE", "NOT_ATTEMPTED", replyGone, "null"))
		} else {
			say(ofOld(core.ExecCanceled, core.Canceled))
		}
		switch outcome {
		case "cancelled":
			nextEnd = core.Rejected
			status, body = 409, partly(-2021, halves("SUCCESS", "FAILURE", gone, replyPoor))
		case "both":
			say(ofNew(core.ExecNew, core.New))
			nextFilled = core.Qty(rapid.IntRange(0, 2).Draw(rt, "new traded")) * 1_00000000
			for cum := core.Qty(1_00000000); cum <= nextFilled; cum += 1_00000000 {
				trade(next, 1002, 1_00000000, cum, all)
			}
			nextEnd = []core.OrderStatus{core.New, core.PartiallyFilled, core.Filled}[nextFilled/1_00000000]
			body = halves("SUCCESS", "SUCCESS", gone, placed(under, 1002, "NEW", "0.00000000"))
		}
		read := ofOld(core.ExecStatus, oldEnd)
		r.cold.set(read)
		say(read)
		if outcome == "both" {
			read = ofNew(core.ExecStatus, nextEnd)
			r.cold.set(read)
			say(read)
		}
		// Only of an order that exists can the answer be lost here: that it does not takes a
		// proof of its own.
		lost := outcome == "both" && rapid.Bool().Draw(rt, "answer lost")
		events = append(events, func() {
			if lost {
				under.conn.closed = true
			} else {
				under.conn.push(answer(status, body))
			}
			r.step()
		})
		for _, i := range rapid.Permutation(indexes(len(events))).Draw(rt, "order") {
			events[i]()
			if i < len(events)-1 && rapid.Bool().Draw(rt, "again") {
				events[i]()
			}
			if rapid.Bool().Draw(rt, "step") {
				r.step()
			}
		}
		r.step()
		r.until("nothing is open", func() bool {
			r.settleCold()
			return r.status(old) == oldEnd && r.status(next) == nextEnd && r.gate.Find(old) == nil && (r.gate.Find(next) == nil) == nextEnd.Terminal()
		})
		o, n := r.g.Table().Find(old), r.g.Table().Find(next)
		if o.Filled != filled || n.Filled != nextFilled || r.g.Ledger().Position(0) != filled+nextFilled || r.g.Table().Stats.Contradictions != 0 {
			rt.Fatalf("old %v of %v, new %v of %v filled, position %v, %d contradictions: %s; %s", o.Filled, filled, n.Filled, nextFilled,
				r.g.Ledger().Position(0), r.g.Table().Stats.Contradictions, r.story(old), r.story(next))
		}
		e, open := r.gate.Exposure(0), core.Qty(0)
		if !nextEnd.Terminal() {
			open = all - nextFilled
		}
		if e.Position != filled+nextFilled || e.Buy != open {
			rt.Fatalf("the gate counts %+v, want position %v and %v open", e, filled+nextFilled, open)
		}
		for _, id := range []core.OrderID{old, next} {
			if s := r.story(id); strings.Count(s, "done") > 1 || strings.Count(s, "ack") > 1 || strings.Count(s, "amended") > 1 {
				rt.Fatalf("reports are %q", s)
			}
		}
		if r.srv.count("POST") != 2 || r.srv.count("DELETE") != 0 {
			rt.Fatalf("requests are %+v", r.srv.requests)
		}
	})
}

func indexes(n int) (out []int) {
	for i := range n {
		out = append(out, i)
	}
	return out
}
