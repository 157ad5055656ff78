package oracle

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// ears is how well the engine hears its account: whether a subscription is up, and what it
// has asked since.
type ears struct {
	conns   map[int]*ear
	down    int64 // since when none is up, -1: one is
	started int64 // when this life began
	upAt    int64 // when the subscription in force was confirmed
	asked   map[string]int64
}

type ear struct {
	up    bool
	heard int64
}

func newEars() ears { return ears{conns: map[int]*ear{}, asked: map[string]int64{}} }

func (e *ears) see(f *Fact) {
	switch w := f.What.(type) {
	case Read:
		if c := e.conns[w.Conn]; c != nil {
			c.heard = f.At
		}
	case Closed:
		if e.conns[w.Conn] != nil {
			delete(e.conns, w.Conn)
			e.look(f.At)
		}
	case Started:
		e.started, e.down = f.At, f.At
		clear(e.asked)
	case Died:
		clear(e.conns)
		e.down = f.At
	case Account:
		if c := e.conns[w.Conn]; c != nil && w.Termination {
			c.up = false
			e.look(f.At)
		}
	case Reply:
		if w.For == nil || w.Status != 200 {
			return
		}
		if strings.HasPrefix(w.For.Method, "userDataStream.subscribe") {
			c := e.conns[w.Conn]
			if c == nil {
				c = &ear{}
				e.conns[w.Conn] = c
			}
			if e.down >= 0 {
				e.upAt = f.At
				clear(e.asked) // what was asked before does not tell of the gap
			}
			c.up, c.heard = true, f.At
			e.look(f.At)
		}
		e.asked[w.For.Path] = max(e.asked[w.For.Path], w.For.at)
	}
}

func (e *ears) look(at int64) {
	for _, c := range e.conns {
		if c.up {
			e.down = -1
			return
		}
	}
	if e.down < 0 {
		e.down = at
	}
}

// silent is for how long no connection that is up has brought a byte, 0 if none is up.
func (e *ears) silent(now int64) (most int64) {
	for _, c := range e.conns {
		if c.up && (most == 0 || now-c.heard < most) {
			most = now - c.heard
		}
	}
	return most
}

// reconciled is P17: no order leaves before the engine has heard, in this life and since
// its account's stream is up, what the venue's open orders and balances are; and none
// while it cannot hear.
type reconciled struct {
	rules *Rules
	ears  ears
	link  link
	epoch uint64
	open  map[venueOrder]*Accepted
	quiet int64 // when the last fault ended, -1: they go on
	born  int64
	told  map[string]bool
}

func newReconciled(r *Rules) *reconciled {
	return &reconciled{rules: r, ears: newEars(), link: newLink(), open: map[venueOrder]*Accepted{}, quiet: -1, told: map[string]bool{}}
}

// Promise is P17.
func (*reconciled) Promise() string { return "P17" }

// adoptWithin is how long orders of a former life may work on once no fault comes any
// more, or has for as long kept the engine from asking and from cancelling.
const adoptWithin = 30 * sec

// able reports whether the engine has had all it takes to end them.
func (c *reconciled) able(now int64) bool {
	return c.quiet >= 0 && now-c.quiet >= adoptWithin ||
		c.link.fine(now-adoptWithin/2, now) && c.ears.down < 0 && now-c.ears.upAt > adoptWithin/2 && c.ears.asked["/api/v3/openOrders"] > c.born && now-c.ears.asked["/api/v3/openOrders"] > 10*sec
}

// See takes a fact.
func (c *reconciled) See(f *Fact, found func(string)) {
	c.ears.see(f)
	c.link.see(f)
	switch w := f.What.(type) {
	case Started:
		c.epoch, c.born = w.Epoch, f.At
	case Healed:
		c.quiet = f.At
	case Accepted:
		if !w.Foreign {
			c.open[venueOrder{w.Symbol, w.Order}] = &w
		}
	case Ended:
		delete(c.open, venueOrder{w.Symbol, w.Order})
	case Begun:
		if id := newClient(w.B); id != "" {
			c.leaves(f.At, id, found)
		}
	case Dump:
		if c.rules.KeepsOrders || f.At-c.born < adoptWithin || !c.able(f.At) {
			return
		}
		for _, id := range slices.SortedFunc(maps.Keys(c.open), func(a, b venueOrder) int { return int(a.id - b.id) }) {
			a := c.open[id]
			if _, epoch, _, ok := splitID(a.Client); ok && epoch < c.epoch && !c.told[a.Client] && !c.link.bars(id, a.Client, f.At) {
				c.told[a.Client] = true
				found(fmt.Sprintf("%s of a former life still works %d s after the start", a.Client, (f.At-c.born)/sec))
			}
		}
	}
}

func (c *reconciled) leaves(at int64, id string, found func(string)) {
	const moment = 50 * ms
	e := &c.ears
	for _, path := range []string{"/api/v3/openOrders", "/api/v3/account"} {
		if since := max(e.started, e.upAt); e.asked[path] < since {
			found(fmt.Sprintf("%s left before %s had been asked for, %d ms after the account's stream came up", id, path, (at-since)/ms))
			return
		}
	}
	switch {
	case e.down >= 0 && at-e.down > moment:
		found(fmt.Sprintf("%s left %d ms after the account's stream had ended", id, (at-e.down)/ms))
	case e.silent(at) > c.rules.Silence:
		found(fmt.Sprintf("%s left after %d ms without a byte on the account's stream", id, e.silent(at)/ms))
	}
}

// deadMan is P16: cut off from its account, or from a market, for longer than it may be,
// the engine has no orders there, if there is a way to cancel them.
type deadMan struct {
	rules *Rules
	ears  ears
	link  link
	open  map[venueOrder]*mine
	dark  map[string]int64
	lines map[int]map[string]bool
	heard map[int]int64 // when each connection for market data last brought a byte, -1: never
	last  int64         // when the engine last did something
	awake int64         // since when it has been running without a pause
}

func newDeadMan(r *Rules) *deadMan {
	return &deadMan{rules: r, ears: newEars(), link: newLink(), open: map[venueOrder]*mine{}, dark: map[string]int64{}, lines: map[int]map[string]bool{}, heard: map[int]int64{}}
}

// Promise is P16.
func (*deadMan) Promise() string { return "P16" }

// quietMost is how long a line may bring nothing at all and be a line: the venue pings every
// 20 s (Binance Spot API docs, 2026-07-21).
const quietMost = 25 * sec

// cutOffSlack is what lies between the moment and the last cancel.
const cutOffSlack = 3 * sec

// See takes a fact.
func (d *deadMan) See(f *Fact, found func(string)) {
	d.ears.see(f)
	d.link.see(f)
	switch f.What.(type) {
	case Read, Wrote, Reply, Dump:
		if f.At-d.last > cutOffSlack {
			d.awake = f.At // the process did not run
		}
		d.last = f.At
	}
	switch w := f.What.(type) {
	case Depth:
		if !w.Snapshot() {
			if d.lines[w.Conn] == nil {
				d.lines[w.Conn] = map[string]bool{}
			}
			d.lines[w.Conn][w.Symbol] = true
			delete(d.dark, w.Symbol)
		}
	case Dialed:
		if w.Role == "market" {
			d.heard[w.Conn] = -1
		}
	case Read:
		if _, ok := d.heard[w.Conn]; ok {
			d.heard[w.Conn] = f.At
		}
	case Closed:
		delete(d.heard, w.Conn)
		gone := d.lines[w.Conn]
		delete(d.lines, w.Conn)
		for symbol := range gone {
			if !d.lit(symbol) {
				d.dark[symbol] = f.At
			}
		}
	case Died:
		clear(d.lines)
		clear(d.heard)
		clear(d.dark)
	case Accepted:
		if !w.Foreign {
			d.open[venueOrder{w.Symbol, w.Order}] = &mine{client: w.Client, at: f.At}
		}
	case Ended:
		delete(d.open, venueOrder{w.Symbol, w.Order})
	case Dump:
		d.judge(f.At, found)
	}
}

func (d *deadMan) lit(symbol string) bool {
	for _, list := range d.lines {
		if list[symbol] {
			return true
		}
	}
	return false
}

// hears reports whether a line is there, though it may have had nothing to tell: a market in
// which nothing may be ordered is quiet.
func (d *deadMan) hears(now int64) bool {
	for _, at := range d.heard {
		if at >= 0 && now-at <= quietMost {
			return true
		}
	}
	return false
}

func (d *deadMan) judge(now int64, found func(string)) {
	if now-d.awake < cutOffSlack {
		return // what it found on waking it is to act on now
	}
	for _, id := range slices.SortedFunc(maps.Keys(d.open), func(a, b venueOrder) int { return int(a.id - b.id) }) {
		m := d.open[id]
		if m.told || d.link.bars(id, m.client, now) {
			continue
		}
		dark, blind := d.dark[id.symbol]
		blind = blind && !d.hears(now)
		for _, c := range []struct {
			off  bool
			at   int64
			from string
		}{{d.ears.down >= 0, d.ears.down, "its account"}, {blind, dark, "its market"}} {
			from := d.link.since(c.at)
			if c.off && now-max(c.at+d.rules.LostAfter, from) > cutOffSlack && m.at < c.at && d.link.fine(from, now) {
				m.told = true
				found(fmt.Sprintf("%s rests %d ms after the engine was cut off from %s, on a link that answers", m.client, (now-c.at)/ms, c.from))
				break
			}
		}
	}
}

// foreign is P21: what others have on the account is never touched, and another run under
// our prefix stops us.
type foreign struct {
	rules  *Rules
	orders map[venueOrder]string
	ids    map[string]bool
	twin   int64 // when the engine read of one, -1: it has not
	epochs map[uint64]bool
}

func newForeign(r *Rules) *foreign {
	return &foreign{rules: r, orders: map[venueOrder]string{}, ids: map[string]bool{}, twin: -1, epochs: map[uint64]bool{}}
}

// Promise is P21.
func (*foreign) Promise() string { return "P21" }

// See takes a fact.
func (o *foreign) See(f *Fact, found func(string)) {
	switch w := f.What.(type) {
	case Started:
		o.epochs[w.Epoch] = true
		o.twin = -1
	case Resumed:
		o.twin = -1
	case Accepted:
		if w.Foreign {
			o.orders[venueOrder{w.Symbol, w.Order}], o.ids[w.Client] = w.Client, true
		}
	case Account:
		prefix, epoch, _, ok := splitID(w.Client)
		if ok && prefix == o.rules.Prefix && !o.epochs[epoch] && o.twin < 0 {
			o.twin = f.At
		}
	case Begun:
		if id := newClient(w.B); id != "" && o.twin >= 0 && f.At-o.twin > 100*ms {
			found(fmt.Sprintf("%s left %d ms after a report of another run under its prefix", id, (f.At-o.twin)/ms))
			o.twin = -1
		}
	case *Request:
		if !w.Cancels() {
			return
		}
		if strings.HasSuffix(w.Path, "/openOrders") || w.Method == "openOrders.cancelAll" {
			found("all orders of the account are to be cancelled: " + w.String())
		}
		for _, id := range slices.SortedFunc(maps.Keys(o.orders), func(a, b venueOrder) int { return int(a.id - b.id) }) {
			client := o.orders[id]
			if id.symbol == w.Args["symbol"] && (fmt.Sprint(id.id) == w.Args["orderId"] || client == w.Client() && client != "") {
				found(fmt.Sprintf("%s, which is not ours, is to be cancelled", client))
			}
		}
	}
}
