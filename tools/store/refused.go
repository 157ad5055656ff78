package store

import (
	"time"

	"riposte/core"
	"riposte/core/journal"
	"riposte/core/risk"
)

// refusals gathers refusals that are alike, so that a strategy that asks a million
// times does not fill the disk: of those with the same reason, strategy and instrument
// one is noted at once, and how many more there were after a second. Two that fall on
// the same place push each other out, which costs a record and loses none.
type refusals struct {
	list [256]alike
	due  core.WallNs // when some of them are to be noted, 0: none wait
}

type alike struct {
	first journal.Refusal
	more  uint32 // since first was noted
	used  bool
}

const alikeFor = core.WallNs(time.Second)

// Refused records an intent that was not let through, with what it was judged by.
func (j *Journal) Refused(d *risk.Denial, input uint64) {
	j.refuse(&d.Intent, uint16(d.Refusal), d.Refusal.String(), input, d)
}

// refuse records an intent that came to nothing; d is nil where not the gate refused it.
func (j *Journal) refuse(in *core.Intent, reason uint16, text string, input uint64, d *risk.Denial) {
	now := j.clock.Wall()
	if d := j.refused.due; d != 0 && now >= d {
		j.refused.flush(j, now)
	}
	a := &j.refused.list[(uint(reason)*31+uint(in.Instrument)*7+uint(in.Strategy))%uint(len(j.refused.list))]
	f := &a.first
	symbol := ""
	if int(in.Instrument) < len(j.table.List) {
		symbol = j.table.List[in.Instrument].Symbol
	}
	if a.used && f.Reason == reason && f.Strategy == in.Strategy && f.Symbol == symbol && now-f.Wall < alikeFor {
		a.more++
		return
	}
	a.flush(j)
	*f = journal.Refusal{Kind: in.Kind, Side: in.Side, Reason: reason, Strategy: in.Strategy, Order: in.ID, Input: input,
		Price: in.Price, Qty: in.Qty, Wall: now, Symbol: symbol, Count: 1, Text: text, Why: whyRefused(in, d)}
	a.used = true
	j.note(f)
	if j.refused.due == 0 {
		j.refused.due = now + alikeFor
	}
}

// Tick notes what has waited long enough. The engine's goroutine calls it now and then.
func (j *Journal) Tick() {
	if d := j.refused.due; d != 0 {
		if now := j.clock.Wall(); now >= d {
			j.refused.flush(j, now)
		}
	}
}

// flush notes the counts of all that are over.
func (r *refusals) flush(j *Journal, now core.WallNs) {
	r.due = 0
	for i := range r.list {
		a := &r.list[i]
		switch {
		case !a.used:
		case now-a.first.Wall >= alikeFor:
			a.flush(j)
		case r.due == 0 || a.first.Wall+alikeFor < r.due:
			r.due = a.first.Wall + alikeFor
		}
	}
}

func (a *alike) flush(j *Journal) {
	if a.used && a.more > 0 {
		a.first.Count = a.more
		j.note(&a.first)
	}
	a.used, a.more = false, 0
}
