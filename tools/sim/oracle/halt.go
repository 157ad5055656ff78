package oracle

import (
	"bytes"
	"fmt"
	"slices"
)

// halt is P13 and P14: after an order to stop nothing that could create an order leaves,
// in this life or in any other, until a person has said that it may.
type halt struct {
	rules *Rules
	since int64 // -1: nothing is halted
	life  int
	was   int // the life in which it came
	stop  bool
	latch map[string]int64
	kept  []string // latched causes that the last life ended with
}

// latched are the causes that a restart does not end.
var latched = []string{"operator", "breaker rejects", "taken for dead by the guard", "killed", "loss limit", "drawdown limit",
	"breaker losses", "repeat throttle", "breaker executions", "another run is at work under our prefix"}

func newHalt(r *Rules) *halt { return &halt{rules: r, since: -1, latch: map[string]int64{}} }

// Promise is P13, or P14 where a restart lies between.
func (h *halt) Promise() string {
	if h.life != h.was || len(h.kept) > 0 {
		return "P14"
	}
	return "P13"
}

// See takes a fact.
func (h *halt) See(f *Fact, found func(string)) {
	switch w := f.What.(type) {
	case Started:
		h.life = w.Life
	case Died:
		if h.kept = nil; h.stop {
			h.since = -1
		}
		for _, cause := range latched { // written down within a second
			if since, ok := h.latch[cause]; ok && f.At-since > sec {
				h.kept = append(h.kept, cause)
			}
		}
		clear(h.latch)
	case Halted:
		if w.Scope == "" && h.since < 0 {
			h.since, h.was, h.stop = f.At, h.life, w.Stop
		}
	case Resumed:
		h.since, h.kept, h.was = -1, nil, h.life
		clear(h.latch)
	case Begun:
		id := newClient(w.B)
		switch {
		case id == "":
		case h.since >= 0 && f.At-h.since > ms:
			found(fmt.Sprintf("%s began to leave %d ms after the halt", id, (f.At-h.since)/ms))
		case len(h.kept) > 0:
			found(fmt.Sprintf("%s left although %q had stopped the former life", id, h.kept))
		}
	case Dump:
		for _, cause := range latched {
			if on := slices.Contains(w.Halted, cause); !on {
				delete(h.latch, cause)
			} else if _, ok := h.latch[cause]; !ok {
				h.latch[cause] = f.At
			}
		}
	}
}

// rejects is P13 for the breaker that no person works: after so many refusals in a row no
// order leaves.
type rejects struct {
	rules *Rules
	row   int
	since int64
}

func newRejects(r *Rules) *rejects { return &rejects{rules: r} }

// Promise is P13.
func (*rejects) Promise() string { return "P13" }

// See takes a fact.
func (r *rejects) See(f *Fact, found func(string)) {
	switch w := f.What.(type) {
	case Reply:
		switch {
		case w.For == nil:
		case w.For.Creates() && refuses(&w) && !bytes.Contains(w.Body, []byte(`"NOT_ATTEMPTED"`)): // an order that was not tried is not refused
			if r.row++; r.row == r.rules.RejectMax {
				r.since = f.At
			}
		case w.Status == 200 && r.row < r.rules.RejectMax && (w.For.Creates() || w.For.Args["symbol"] != ""):
			r.row = 0 // it may tell of an order that was taken
		}
	case Account:
		if w.Status != stateRejected && r.row < r.rules.RejectMax {
			r.row = 0
		}
	case Resumed, Died:
		r.row = 0
	case Begun:
		if id := newClient(w.B); id != "" && r.rules.RejectMax > 0 && r.row >= r.rules.RejectMax && f.At-r.since > ms {
			found(fmt.Sprintf("%s left after %d refusals in a row", id, r.row))
			r.row = 0
		}
	}
}

// key is P13 for a key that the venue refuses.
type key struct {
	since int64
	code  int
	left  string // an order that has left with the refused key, unless it was another already
	at    int64
}

func newKey() *key { return &key{since: -1} }

// Promise is P13.
func (*key) Promise() string { return "P13" }

// See takes a fact.
func (k *key) See(f *Fact, found func(string)) {
	if k.left != "" && f.At > k.at {
		found(fmt.Sprintf("%s left %d ms after the venue had refused the key (%d)", k.left, (k.at-k.since)/ms, k.code))
		k.left, k.since = "", -1
	}
	switch w := f.What.(type) {
	case Reply:
		if keyRefused(w.Code) && w.For != nil && (w.For.Creates() || w.For.Cancels()) && k.since < 0 {
			k.since, k.code = f.At, w.Code
		}
	case Rekeyed:
		k.left, k.since = "", -1 // who has changed it says so in the same moment
	case Died:
		k.since = -1
	case Begun:
		if id := newClient(w.B); id != "" && k.since >= 0 && k.left == "" && f.At-k.since > ms {
			k.left, k.at = id, f.At
		}
	}
}

// keyRefused reports whether a code of the venue's refuses the key (Binance Spot API docs,
// 2026-07-21).
func keyRefused(code int) bool {
	switch code {
	case -1002, -1022, -2008, -2014, -2015:
		return true
	}
	return false
}
