package venue

import (
	"fmt"
	"slices"
	"strings"

	"riposte/tools/venue/exchange"
	"riposte/tools/venue/wire"
)

// Faults of events and snapshots. Loop goroutine.

// lane is the way of one subscription's events to its connection, with the faults that wait on it for them.
type lane struct {
	c     *conn
	armed []*dataFault
	held  []byte // goes behind the next event
	stuck bool   // nothing leaves any more
}

// dataFault hits the next events of a kind on one lane.
type dataFault struct {
	Fault
	left int
}

// deliver sends an event of a kind (see marketEvents and userEvents), through the first armed fault that is meant for it.
func (l *lane) deliver(frame []byte, event, symbol string) {
	if l.stuck {
		return
	}
	held := l.held
	l.held = nil
	a := l.take(event, symbol)
	if a == nil {
		l.c.send(frame)
	} else {
		l.faulty(a, frame)
	}
	if held != nil {
		l.c.send(held)
	}
}

// take uses up one event of the first armed fault that is meant for this one.
func (l *lane) take(event, symbol string) *dataFault {
	for i, a := range l.armed {
		if a.meant(event, symbol) {
			if a.left--; a.left == 0 {
				l.armed = slices.Delete(l.armed, i, i+1)
			}
			return a
		}
	}
	return nil
}

// meant says whether the fault hits such an event. A fill is a report too, and all are events of the user.
func (a *dataFault) meant(event, symbol string) bool {
	if a.Target != "*" && a.Target != symbol {
		return false
	}
	switch a.Event {
	case "user":
		return slices.Contains(userEvents, event)
	case "report":
		return event == "report" || event == "fill"
	}
	return a.Event == event
}

func (l *lane) faulty(a *dataFault, frame []byte) {
	switch a.Verb {
	case "drop", "overlap": // an overlapping event has left already
	case "double":
		l.c.send(frame)
		l.c.send(frame)
	case "swap":
		l.held = frame
	case "late":
		s := l.c.srv
		s.loop.at(s.loop.last+a.For.Microseconds(), func(int64) { l.c.send(frame) })
	case "spoil":
		l.c.spoil(a.How, frame)
	}
}

// armData puts the fault on every present subscription to such events, or on those of one connection.
func (f *Faults) armData(fault Fault, c cause) error {
	if slices.Contains(userEvents, fault.Event) {
		return f.armUser(fault, c)
	}
	return f.eachSymbol(&fault, func(m *market) {
		for _, t := range m.topics() {
			if t.spec.kind.event() != fault.Event {
				continue
			}
			for _, s := range t.subs {
				f.arm(&s.lane, fault, c)
			}
		}
	})
}

func (f *Faults) arm(l *lane, fault Fault, c cause) {
	if f.meant(fault, c, l.c.id) {
		l.armed = append(l.armed, &dataFault{fault, fault.Count})
	}
}

func (f *Faults) armUser(fault Fault, c cause) error {
	if fault.Target != "*" {
		fault.Target = strings.ToUpper(fault.Target)
		if f.srv.hub.markets[fault.Target] == nil {
			return fmt.Errorf("got symbol %q, want one of the venue's or *", fault.Target)
		}
	}
	for i := range f.srv.cfg.Accounts {
		for _, u := range f.srv.users.list(i) {
			f.arm(&u.lane, fault, c)
		}
	}
	return nil
}

func (f *Faults) eachSymbol(fault *Fault, fn func(*market)) error {
	if fault.Target == "*" {
		for _, m := range f.srv.hub.order {
			fn(m)
		}
		return nil
	}
	fault.Target = strings.ToUpper(fault.Target)
	m := f.srv.hub.markets[fault.Target]
	if m == nil {
		return fmt.Errorf("got symbol %q, want one of the venue's or *", fault.Target)
	}
	fn(m)
	return nil
}

// topics are the streams of one symbol that somebody listens to.
func (m *market) topics() []*topic {
	list := slices.Clone(m.other)
	for _, t := range []*topic{m.trade, m.agg, m.ticker} {
		if t != nil {
			list = append(list, t)
		}
	}
	return list
}

// event is the kind's name among marketEvents, empty for the others.
func (k streamKind) event() string {
	switch k {
	case streamDepth:
		return "depth"
	case streamPartial:
		return "partial"
	case streamTrade:
		return "trade"
	case streamAggTrade:
		return "aggTrade"
	case streamBookTicker:
		return "bookTicker"
	case streamKline:
		return "kline"
	case streamTicker, streamMiniTicker, streamRollTicker, streamAvgPrice:
		return "ticker"
	}
	return ""
}

// snapshotFaults are what happens to the next snapshots of a symbol.
type snapshotFaults struct {
	stale, boundary, shallow int // how many
	levels                   int // of the shallow ones
	cached                   int64
	copy                     *snapshot // the cached answer
}

type snapshot struct {
	id         int64
	bids, asks []exchange.Level
}

func (f *Faults) armSnapshot(fault Fault, c cause) error {
	return f.eachSymbol(&fault, func(m *market) {
		s := f.snapshots[m.name]
		if s == nil {
			s = &snapshotFaults{}
			f.snapshots[m.name] = s
		}
		switch fault.Verb {
		case "stale":
			s.stale += fault.Count
		case "boundary":
			s.boundary += fault.Count
		case "shallow":
			s.shallow, s.levels = s.shallow+fault.Count, fault.Number
		case "cached":
			s.cached, s.copy = c.now+fault.For.Microseconds(), nil
		}
	})
}

// snapshot answers a depth request, through the snapshot faults.
func (f *Faults) snapshot(x *exchange.Exchange, symbol string, limit int, now int64) (int64, []exchange.Level, []exchange.Level, *exchange.Reject) {
	m, s := f.srv.hub.markets[symbol], f.snapshots[symbol]
	if m == nil || s == nil {
		return x.Depth(symbol, limit)
	}
	if now < s.cached {
		if s.copy == nil {
			id, bids, asks, rej := x.Depth(symbol, 5000)
			if rej != nil {
				return id, bids, asks, rej
			}
			s.copy = &snapshot{id, slices.Clone(bids), slices.Clone(asks)}
		}
		return s.copy.id, top(s.copy.bids, limit), top(s.copy.asks, limit), nil
	}
	if s.stale > 0 && len(m.stale) > 0 {
		id := m.stale[0]
		if bids, asks, ok := x.BookAt(symbol, id); ok {
			s.stale--
			return id, top(bids, limit), top(asks, limit), nil
		}
	}
	if s.shallow > 0 {
		s.shallow--
		id, bids, asks, rej := x.Depth(symbol, limit)
		return id, top(bids, s.levels), top(asks, s.levels), rej
	}
	if s.boundary > 0 {
		s.boundary--
		// An event that ends exactly at the snapshot leaves first: the next one begins at lastUpdateId + 1.
		f.srv.hub.flushMarket(m, now, true)
		f.srv.hub.flushMarket(m, now, false)
	}
	return x.Depth(symbol, limit)
}

func top(list []exchange.Level, n int) []exchange.Level { return list[:min(n, len(list))] }

// overlap sends the event of a topic begun earlier, over the events before, to the subscriptions that are due one; their
// regular event is left out. It has the levels of all the ids that it names: quantities are absolute, so both carry the
// same truth.
func (h *hub) overlap(t *topic, diff *exchange.DepthDiff, now int64) {
	for _, s := range t.subs {
		if s.stuck || len(s.armed) == 0 || s.armed[0].Verb != "overlap" {
			continue
		}
		early := h.srv.x.WidenDepth(diff, 3)
		s.c.send(h.frame(t, s.c.form(), func(b []byte, us bool) []byte { return wire.AppendDepthUpdate(b, &early, now, unit(us)) }))
	}
}
