package sim

import (
	"fmt"
	"strings"
	"time"
)

// HandoverJudge sees to it that an end of market connections which the venue announces in
// time costs nothing (F13): while nothing else is wrong no book is lost over it.
type HandoverJudge struct {
	Blind
	w    *World
	calm time.Duration // from then on nothing else is wrong
	from time.Duration // of the handover that is watched, 0: none is
	till time.Duration
	// Watched is how many have been judged.
	Watched int
}

const (
	handoverLead   = 4 * time.Second  // that makes it a handover
	handoverSettle = 45 * time.Second // after which a fault no longer shows
	handoverAfter  = 5 * time.Second
)

// NewHandoverJudge makes one.
func NewHandoverJudge(w *World) *HandoverJudge {
	return &HandoverJudge{w: w, calm: handoverSettle / 3}
}

// Fault notes what begins.
func (j *HandoverJudge) Fault(e *Event) {
	now := j.w.Now()
	words := strings.Fields(e.Text)
	if e.Kind != "venue" || len(words) < 3 || words[0] != "shutdown" {
		j.from, j.calm = 0, max(j.calm, now+e.For+handoverSettle) // a long one outlasts those after it
		return
	}
	lead, _ := time.ParseDuration(words[2])
	if now >= j.calm && lead >= handoverLead && words[1] != "wsapi" {
		j.from, j.till = now, now+lead+handoverAfter
	} else {
		j.from = 0
	}
	j.calm = max(j.calm, now+lead+handoverSettle/3)
}

// Life ends what is watched: that one had other reasons.
func (j *HandoverJudge) Life(int, bool) { j.from, j.calm = 0, max(j.calm, j.w.Now()+handoverSettle) }

// Stepped looks at the books.
func (j *HandoverJudge) Stepped(e Engine) {
	now := j.w.Now()
	if j.from == 0 {
		return
	}
	for _, b := range e.Books() {
		switch {
		case b.Live:
		case b.Full: // a burst, as at any other time
			j.from = 0
			return
		case now-j.from < handoverLead/8:
			j.from = 0 // it was not live before
			return
		default:
			j.w.Violated("F13", fmt.Sprintf("%s is %s %v after the end of its connections had been announced, which was %v ahead", b.Symbol, b.State, now-j.from, j.till-handoverAfter-j.from))
			j.from = 0
			return
		}
	}
	if now > j.till {
		j.from = 0
		j.Watched++
	}
}
