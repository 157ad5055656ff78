package oracle

import (
	"fmt"
	"strings"
)

// heard is P10, seen from the account's stream: what that has told of an own order the
// engine holds from then on. An answer or a question would tell it too, but later, and
// perhaps never. Where a message on the stream's connection cannot be read, or says that
// there is no subscription, the engine throws the connection away, with what the same read
// has brought behind it, and asks for all anew.
type heard struct {
	rules  *Rules
	orders map[string]*hearsay
	gone   map[int]bool // connections of which the engine throws away what the same read has brought
}

type hearsay struct {
	at   int64
	cum  int64
	end  string // "" while it works
	told bool
}

func newHeard(r *Rules) *heard {
	return &heard{rules: r, orders: map[string]*hearsay{}, gone: map[int]bool{}}
}

// Promise is P10.
func (*heard) Promise() string { return "P10" }

// heardWithin is more than a loop takes to look at what it has read.
const heardWithin = 100 * ms

// See takes a fact.
func (h *heard) See(f *Fact, found func(string)) {
	switch w := f.What.(type) {
	case Read:
		delete(h.gone, w.Conn) // who goes on reading has not thrown it away
	case Reply:
		if w.For == nil || strings.HasPrefix(w.For.Method, "userDataStream.subscribe") {
			h.gone[w.Conn] = w.For == nil || w.Status != 200
		}
	case Garbled:
		h.gone[w.Conn] = true
	case Closed:
		delete(h.gone, w.Conn)
	case Account:
		if h.gone[w.Conn] {
			return
		}
		if prefix, _, _, ok := splitID(w.Client); w.Termination || !ok || prefix != h.rules.Prefix {
			return
		}
		o := h.orders[w.Client]
		if o == nil {
			o = &hearsay{}
			h.orders[w.Client] = o
		}
		o.at, o.cum = f.At, max(o.cum, w.Cum)
		if ended(w.Status) {
			o.end = w.Status
		}
	case Died:
		clear(h.gone)
		clear(h.orders) // it may have read what it never came to look at
	case Dump:
		for i := range w.Orders {
			d := &w.Orders[i]
			o := h.orders[d.Client]
			if o == nil || o.told || f.At-o.at < heardWithin {
				continue
			}
			if o.told = d.Cum < o.cum || o.end != "" && !ended(d.Status); o.told {
				found(fmt.Sprintf("%s is %s with %d traded by the engine, %d ms after the stream has told it %q with %d", d.Client, d.Status, d.Cum, (f.At-o.at)/ms, o.end, o.cum))
			}
		}
	}
}
