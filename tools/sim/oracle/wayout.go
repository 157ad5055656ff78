package oracle

import (
	"fmt"
	"maps"
	"slices"
)

// link is what is known of the way that orders take: whether a request that leaves now
// could be answered. It is not a promise; others ask it so that they do not blame the
// engine for a line.
type link struct {
	conns  map[int]bool // of orders: open
	opened int64        // since when there have been two of them
	broken int64        // when one of them last ended, or an answer was refused or overdue
	heard  int64        // when an answer on one was last read
	silent int64        // until when the venue has asked for silence
	waits  map[*Request]int64
	ready  map[int]bool // of conns: answered, and nothing has been asked since
	free   int64        // since when one of them is
	barred []*Request   // cancels that were refused for their key
	until  int64        // how long that key may be in force yet, 0: nobody has changed it
}

func newLink() link {
	return link{conns: map[int]bool{}, broken: -1 << 62, heard: -1 << 62, waits: map[*Request]int64{}, ready: map[int]bool{}}
}

func (l *link) see(f *Fact) {
	switch w := f.What.(type) {
	case Dialed:
		if w.Role == "orders" {
			if l.conns[w.Conn] = true; len(l.conns) == 2 {
				l.opened = f.At
			}
		}
	case Closed:
		if l.conns[w.Conn] {
			delete(l.conns, w.Conn)
			delete(l.ready, w.Conn)
			l.broken = f.At
			maps.DeleteFunc(l.waits, func(r *Request, _ int64) bool { return r.Conn == w.Conn })
		}
	case Died:
		clear(l.conns)
		clear(l.waits)
		clear(l.ready)
		l.broken, l.barred = f.At, nil
	case Rekeyed:
		l.until = f.At + rekeyTakes
	case Reply:
		if w.For != nil && w.For.Cancels() && keyRefused(w.Code) {
			if l.until != 0 { // those that the former key was refused for have another
				l.barred, l.until = nil, 0
			}
			l.barred = append(l.barred, w.For)
		}
		if w.Retry > 0 || w.Status == 429 || w.Status == 418 {
			l.silent = max(l.silent, f.At+max(w.Retry, 60*sec))
		}
		if !l.conns[w.Conn] {
			return
		}
		if at, ok := l.waits[w.For]; w.Status >= 400 || ok && f.At-at > sec {
			l.broken = f.At // until now
		}
		delete(l.waits, w.For)
		l.heard = f.At
		if len(l.ready) == 0 {
			l.free = f.At
		}
		l.ready[w.Conn] = true
	case *Request:
		if l.conns[w.Conn] {
			l.waits[w] = f.At
			delete(l.ready, w.Conn)
		}
	}
}

// rekeyTakes is how long cancels may take to go on once another key is in force.
const rekeyTakes = 4 * sec

// bars reports whether a cancel of that order was refused for the key: it is not asked for
// again before there is another (P13).
func (l *link) bars(o venueOrder, client string, now int64) bool {
	return (l.until == 0 || now < l.until) && slices.ContainsFunc(l.barred, func(r *Request) bool { return r.about(o, client) })
}

// about reports whether the request names that order as the one to end.
func (r *Request) about(o venueOrder, client string) bool {
	id := r.Args["orderId"]
	if id == "" {
		id = r.Args["cancelOrderId"]
	}
	return o.symbol == r.Args["symbol"] && (fmt.Sprint(o.id) == id || client == r.Client())
}

// since is when something could be done at the earliest that had to be done from a time
// on: a process that cannot reach the venue yet, or not again, ends nothing there.
func (l *link) since(at int64) int64 { return max(at, l.opened) }

// fine reports whether the way has been open and answering from a time on.
func (l *link) fine(since, now int64) bool {
	if len(l.conns) < 2 || l.opened > since || l.broken >= since || l.heard < now-2*sec || l.silent > since {
		return false
	}
	for _, at := range l.waits {
		if now-at > sec {
			return false
		}
	}
	return true
}

// wayOut is P15, and what P13 and P19 say of cancels: once something stops trading, the
// own orders are cancelled, if there is a way.
type wayOut struct {
	rules *Rules
	link  link
	why   string
	since int64 // -1: nothing has stopped trading
	moved int64 // when an order's first cancel left last: the others wait behind it
	open  map[venueOrder]*mine
	all   map[string]*mine
}

type mine struct {
	client   string
	at       int64 // when the venue took it
	canceled int64 // when its last cancel left, 0: none has
	known    bool  // the engine has read of it
	told     bool
}

func newWayOut(r *Rules) *wayOut {
	return &wayOut{rules: r, link: newLink(), since: -1, open: map[venueOrder]*mine{}, all: map[string]*mine{}}
}

// Promise is P15.
func (*wayOut) Promise() string { return "P15" }

// cancelWithin is how long the first cancel of an order may take on a link that answers,
// once no other order's is before it: two connections carry one request at a time, and while
// neither is free many orders wait for each other's answers.
const cancelWithin = 2 * sec

// See takes a fact.
func (w *wayOut) See(f *Fact, found func(string)) {
	w.link.see(f)
	switch e := f.What.(type) {
	case Halted:
		w.stop(f.At, "the halt")
	case DiskFails:
		w.stop(f.At, "the disk's failure")
	case Resumed, Died:
		w.since = -1
	case Accepted:
		if !e.Foreign {
			m := &mine{client: e.Client, at: f.At}
			w.open[venueOrder{e.Symbol, e.Order}], w.all[e.Client] = m, m
		}
	case Ended:
		if m := w.open[venueOrder{e.Symbol, e.Order}]; m != nil {
			delete(w.open, venueOrder{e.Symbol, e.Order})
			delete(w.all, m.client)
		}
	case *Request:
		if e.Cancels() {
			w.cancels(f.At, e)
		}
	case Dump:
		for i := range e.Orders {
			if m := w.all[e.Orders[i].Client]; m != nil && e.Orders[i].Order != 0 {
				m.known = true
			}
		}
		w.judge(f.At, found)
	}
}

func (w *wayOut) stop(at int64, why string) {
	if w.since < 0 {
		w.since, w.why = at, why
	}
}

func (w *wayOut) cancels(at int64, r *Request) {
	for o, m := range w.open {
		if r.about(o, m.client) {
			if m.canceled == 0 {
				w.moved = at
			}
			m.canceled = at
		}
	}
}

func (w *wayOut) judge(now int64, found func(string)) {
	moved := w.moved
	if len(w.link.ready) > 0 {
		moved = min(moved, w.link.free)
	}
	if from := w.link.since(w.since); w.since < 0 || now-max(from, moved) < cancelWithin || !w.link.fine(from, now) {
		return
	}
	for _, id := range slices.SortedFunc(maps.Keys(w.open), func(a, b venueOrder) int { return int(a.id - b.id) }) {
		m := w.open[id]
		if m.known && !m.told && m.at < w.since && m.canceled == 0 {
			m.told = true
			found(fmt.Sprintf("no cancel of %s has left %d ms after %s, on a link that answers", m.client, (now-w.since)/ms, w.why))
		}
	}
}
