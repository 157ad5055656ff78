package app

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"riposte/core/book"
	"riposte/core/risk"
)

// What an engine does while nothing is wrong, and has not been for a while. Much that a
// fault hides shows only then: connections thrown away for no reason, orders refused for
// want of what nobody asks for any more, answers that are not understood.

const (
	calmAfter = 45 * time.Second // what the last fault has broken has been found out by then
	calmFor   = 40 * time.Second
)

// calm watches for a while in which nothing happens but trading (P24).
func (r *simRun) calm() {
	l := r.life
	if l == nil || l.stage.Load() != lifeRunning || len(r.result.Violations) > 0 {
		return
	}
	r.w.Run(r.w.Now() + calmAfter)
	c := &simCalm{}
	r.eye.calm.Store(c)
	before := calmCounts(l)
	end, full := r.w.Now()+calmFor, 0
	for r.w.Now() < end {
		r.w.Run(r.w.Now() + time.Second)
		why := r.ill()
		if why == "" || strings.Contains(why, "in doubt") || r.tripped(why) {
			full = 0
			continue
		}
		if full++; !strings.HasPrefix(why, "book of") || full > r.narrow(l) {
			c.noted(why)
			break
		}
	}
	after := calmCounts(l)
	for _, what := range slices.Sorted(maps.Keys(after)) {
		if grown := after[what] - before[what]; grown > 0 {
			c.noted(fmt.Sprintf("%d %s", grown, what))
		}
	}
	r.eye.calm.Store(nil)
	if text := c.text.Load(); text != nil {
		r.w.Violated("P24", "while nothing was wrong: "+*text)
	}
}

// narrow is for how many seconds books may be away for no other reason than that something
// which the plan has made narrow was: a jump of the market fills a queue, or leaves the range
// of a shallow snapshot until the next one, which may lag; and nothing is wrong. 0 if one is
// away for another reason.
func (r *simRun) narrow(l *simLife) (seconds int) {
	most := map[book.Reason]int{}
	if r.plan.Work.Set["market.queue_events"] != "" {
		most[book.QueueFull] = 10
	}
	if r.plan.Work.Set["market.snapshot_limit"] != "" {
		most[book.RangeLeft] = 30
	}
	for i := range l.d.table.List {
		s := l.d.shard.Sync(l.d.table.List[i].ID)
		if s == nil {
			continue
		}
		if _, live := s.Live(); live {
			continue
		}
		may := most[s.Status().Reason]
		if may == 0 {
			return 0
		}
		seconds = max(seconds, may)
	}
	return seconds
}

// tripped reports whether the only thing wrong is a breaker that the plan has made narrow:
// the venue refuses an order that must not take once the market has overtaken it, and two of
// those may be all that it bears.
func (r *simRun) tripped(why string) bool {
	return r.plan.Work.Set["account.reject_max"] != "" && why == "no new orders: breaker rejects"
}

// calmCounts are what must not grow while nothing is wrong.
func calmCounts(l *simLife) map[string]uint64 {
	g, t := l.d.gateway.Stats, l.d.gateway.Table().Stats
	return map[string]uint64{
		"answers that were not understood":                    g.AnswersUnknown,
		"orders in doubt":                                     t.Doubts,
		"refusals for want of an audit, a clock or the rules": l.d.gate.Refused(risk.RefusedAudit) + l.d.gate.Refused(risk.RefusedClock) + l.d.gate.Refused(risk.RefusedRulesAge),
		"contradictions":                                      t.Contradictions,
	}
}

// simCalm is what was lost meanwhile.
type simCalm struct{ text atomic.Pointer[string] }

func (c *simCalm) noted(text string) {
	c.text.CompareAndSwap(nil, &text)
}

// closed notes a connection that ended. Those for queries come and go.
func (c *simCalm) closed(role string) {
	if role != "cold" {
		c.noted("a connection of role " + role + " ended")
	}
}
