package oracle

import (
	"fmt"
	"strings"
)

// heard is P10, seen from the account's stream: what that has told of an own order the
// engine holds from then on. An answer or a question would tell it too, but later, and
// perhaps never.
type heard struct {
	rules  *Rules
	orders map[string]*hearsay
	up     map[int]bool // connections whose subscription the venue has confirmed
}

type hearsay struct {
	at   int64
	cum  int64
	end  string // "" while it works
	told bool
}

func newHeard(r *Rules) *heard {
	return &heard{rules: r, orders: map[string]*hearsay{}, up: map[int]bool{}}
}

// Promise is P10.
func (*heard) Promise() string { return "P10" }

// heardWithin is more than a loop takes to look at what it has read.
const heardWithin = 100 * ms

// See takes a fact.
func (h *heard) See(f *Fact, found func(string)) {
	switch w := f.What.(type) {
	case Reply:
		if w.For != nil && strings.HasPrefix(w.For.Method, "userDataStream.subscribe") {
			h.up[w.Conn] = w.Status == 200
		}
	case Closed:
		delete(h.up, w.Conn)
	case Account:
		if !h.up[w.Conn] {
			return // where the answer says no, or nothing that can be read, the connection is thrown away with what came behind, and all asked for anew
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
		clear(h.up)
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
