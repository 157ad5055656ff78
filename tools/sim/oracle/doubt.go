package oracle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
)

// States of own orders, as dumps name them: the venue's words, and those for what only we
// can say.
const (
	statePending  = "PENDING"  // on its way
	stateUnknown  = "UNKNOWN"  // its answer was lost
	stateNotSent  = "NOT_SENT" // proved never to have arrived, or no byte left
	stateRejected = "REJECTED"
	stateFilled   = "FILLED"
	stateCanceled = "CANCELED"
	stateExpired  = "EXPIRED"
)

func ended(state string) bool {
	switch state {
	case stateNotSent, stateRejected, stateFilled, stateCanceled, stateExpired:
		return true
	}
	return false
}

// doubt is P6: an order whose bytes left is not given up before it cannot exist any more
// and has been looked for long enough, unless the venue said that it did not take it.
type doubt struct {
	rules  *Rules
	orders map[string]*asked
}

// asked is one order that has begun to leave.
type asked struct {
	stamp, window int64 // ns, by the venue's clock
	refused       bool  // the venue said so
	judged        bool
}

func newDoubt(r *Rules) *doubt { return &doubt{rules: r, orders: map[string]*asked{}} }

// Promise is P6.
func (*doubt) Promise() string { return "P6" }

// See takes a fact.
func (d *doubt) See(f *Fact, found func(string)) {
	switch w := f.What.(type) {
	case Begun:
		if id := newClient(w.B); id != "" && d.orders[id] == nil {
			o := &asked{window: d.rules.Window}
			if o.stamp = stampIn(w.B); o.stamp == 0 {
				// The rest may say when it was stamped, and not longer ago than it holds: the
				// venue refuses what is older than its window.
				o.stamp = d.rules.VenueNow(f.At) - o.window
			}
			d.orders[id] = o
		}
	case *Request:
		if !w.Creates() {
			return
		}
		o := &asked{}
		o.stamp, o.window = w.stamp()
		d.orders[w.Client()] = o
	case Reply:
		if w.For != nil && w.For.Creates() && refuses(&w) {
			if o := d.orders[w.For.Client()]; o != nil {
				o.refused = true
			}
		}
		if id := rejectedBy(&w); id != "" && d.orders[id] != nil {
			d.orders[id].refused = true
		}
	case Account:
		if o := d.orders[w.Client]; o != nil && w.Status == stateRejected {
			o.refused = true
		}
	case Accepted:
		if o := d.orders[w.Client]; o != nil && o.judged {
			found(w.Client + " was given up, and the venue has taken it after all")
		}
	case Dump:
		for i := range w.Orders {
			d.judge(f.At, &w.Orders[i], found)
		}
	}
}

// judge looks at an order that the engine has given up, once.
func (d *doubt) judge(at int64, dump *OrderDump, found func(string)) {
	o := d.orders[dump.Client]
	if o == nil || o.judged || dump.Status != stateNotSent && dump.Status != stateRejected {
		return
	}
	o.judged = true
	if o.refused {
		return
	}
	if dump.Status == stateRejected {
		found(dump.Client + " was taken for rejected, and the venue has not said so")
		return
	}
	if early := o.stamp + o.window + d.rules.Margin + d.rules.Span - d.rules.VenueNow(at); early > ms {
		found(fmt.Sprintf("%s was given up %d ms before it could be", dump.Client, early/ms))
	}
}

var stampMark = regexp.MustCompile(`[?&"]timestamp"?[=:](\d+)[^\d]`)

// stampIn is the timestamp in the beginning of a request, ns, 0 if it is not all there. An
// order that was signed ahead has an older one than its first byte.
func stampIn(b []byte) int64 {
	m := stampMark.FindSubmatch(b)
	if m == nil {
		return 0
	}
	at, _ := strconv.ParseInt(string(m[1]), 10, 64)
	return at * ms
}

// refuses reports whether an answer says for certain that the request was not done.
func refuses(r *Reply) bool {
	return r.Status >= 400 && r.Status < 500 && certain(r.Code) && (r.Code != -2021 || halfRefused(r.Body))
}

// certain reports whether a code says that something was not done.
func certain(code int) bool {
	switch code {
	case 0, -1000, -1001, -1006, -1007, -1008, -1016:
		return false
	}
	return true
}

// halfRefused reports whether it is the new order that a replace which was done in half has
// not brought (Binance Spot API docs, 2026-07-21).
func halfRefused(body []byte) bool {
	type halves struct {
		NewOrderResult   string
		NewOrderResponse struct{ Code int }
	}
	var m struct {
		Data  halves
		Error struct{ Data halves }
	}
	if json.Unmarshal(body, &m) != nil {
		return false
	}
	for _, h := range []halves{m.Data, m.Error.Data} {
		if h.NewOrderResult == "NOT_ATTEMPTED" || h.NewOrderResult == "FAILURE" && certain(h.NewOrderResponse.Code) {
			return true
		}
	}
	return false
}

// rejectedBy is the client id of an order that a query tells to be rejected.
func rejectedBy(r *Reply) string {
	var m struct {
		ClientOrderID, Status string
		Result                *struct{ ClientOrderID, Status string }
	}
	if r.Status != 200 || !bytes.Contains(r.Body, []byte(stateRejected)) || json.Unmarshal(r.Body, &m) != nil {
		return ""
	}
	if m.Result != nil {
		m.ClientOrderID, m.Status = m.Result.ClientOrderID, m.Result.Status
	}
	if m.Status != stateRejected {
		return ""
	}
	return m.ClientOrderID
}

// monotone is P10, seen from the engine alone: what is over stays over, and what has
// traded has traded.
type monotone struct {
	orders map[string]OrderDump
	shrunk map[venueOrder]bool // of which more may have traded than may by now
	lost   bool                // this life's journal is not whole
}

func newMonotone() *monotone {
	return &monotone{orders: map[string]OrderDump{}, shrunk: map[venueOrder]bool{}}
}

// Promise is P10.
func (*monotone) Promise() string { return "P10" }

// See takes a fact.
func (m *monotone) See(f *Fact, found func(string)) {
	var d Dump
	switch w := f.What.(type) {
	case DiskFails:
		m.lost = true
	case Died:
		if m.lost { // so is what it had noted last
			clear(m.orders)
		}
		m.lost = false
	case Shrunk:
		m.shrunk[venueOrder{w.Symbol, w.Order}] = true
	case Dump:
		d = w
	}
	for _, o := range d.Orders {
		was, known := m.orders[o.Client]
		m.orders[o.Client] = o
		if !known {
			continue
		}
		over := was.Status == stateFilled || was.Status == stateCanceled || was.Status == stateExpired
		switch {
		case over && o.Status != was.Status && o.Status != stateFilled:
			found(fmt.Sprintf("%s was %s and is %s", o.Client, was.Status, o.Status))
		case o.Cum < was.Cum:
			found(fmt.Sprintf("%s had traded %d and has traded %d", o.Client, was.Cum, o.Cum))
		case o.Cum > o.Qty && o.Qty > 0 && !m.shrunk[venueOrder{o.Symbol, o.Order}]:
			found(fmt.Sprintf("%s has traded %d of %d", o.Client, o.Cum, o.Qty))
		}
	}
}
