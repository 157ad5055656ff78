package venue

import (
	"slices"
	"strconv"

	"riposte/tools/venue/exchange"
)

// users routes account events to user data subscriptions. Every field belongs to the loop goroutine.
type users struct {
	byAccount map[exchange.AccountID]*accountEvents
	active    *hold // events of the command under way wait for its answer
}

// accountEvents are the subscriptions of one account and the events that wait for an answer to leave first.
type accountEvents struct {
	subs    []*userSub
	waiting []waitingEvent
}

// userSub is one user data subscription of a WS API connection.
type userSub struct {
	lane
	id      int
	account exchange.AccountID
	logon   bool // made through session.logon: ends with the session

	// Until the answer with the subscription's id has left, events wait in early.
	begun bool
	early []func()
}

func (s *userSub) send(frame []byte, event, symbol string) {
	if !s.begun {
		s.early = append(s.early, func() { s.deliver(frame, event, symbol) })
		return
	}
	s.deliver(frame, event, symbol)
}

func (s *userSub) begin() {
	s.begun = true
	for _, deliver := range s.early {
		deliver()
	}
	s.early = nil
}

// hold keeps the events of one command back until its answer is on the wire.
type hold struct {
	account  exchange.AccountID
	released bool
}

// waitingEvent is an encoded event: ms and µs form, and what it waits for (nil: only for those before it).
type waitingEvent struct {
	payload       [2][]byte
	event, symbol string // for faults, see userEvents
	hold          *hold
}

func newUsers() *users { return &users{byAccount: make(map[exchange.AccountID]*accountEvents)} }

func (u *users) of(a exchange.AccountID) *accountEvents {
	e := u.byAccount[a]
	if e == nil {
		e = &accountEvents{}
		u.byAccount[a] = e
	}
	return e
}

// list are the subscriptions of the i-th account.
func (u *users) list(i int) []*userSub {
	if e := u.byAccount[exchange.AccountID(i)]; e != nil {
		return e.subs
	}
	return nil
}

func (u *users) add(s *userSub) {
	e := u.of(s.account)
	e.subs = append(e.subs, s)
	s.c.users = append(s.c.users, s)
}

// remove ends a subscription without an event.
func (u *users) remove(s *userSub) {
	e := u.of(s.account)
	e.subs = slices.DeleteFunc(e.subs, func(o *userSub) bool { return o == s })
}

// terminate ends a subscription and tells the client so.
func (u *users) terminate(s *userSub, now int64) {
	u.remove(s)
	s.c.users = slices.DeleteFunc(s.c.users, func(o *userSub) bool { return o == s })
	w := enc{us: s.c.us}
	w.open('{')
	w.str("e", "eventStreamTerminated")
	w.time("E", now)
	w.close('}')
	s.c.send(s.frame(w.b))
}

// emit sends one event of an account to its subscriptions, or queues it behind an answer that has to leave first.
func (u *users) emit(a exchange.AccountID, event, symbol string, encode func(b []byte, us bool) []byte) {
	e := u.byAccount[a]
	if e == nil || len(e.subs) == 0 {
		return
	}
	ev := waitingEvent{event: event, symbol: symbol}
	for _, s := range e.subs {
		form := 0
		if s.c.us {
			form = 1
		}
		if ev.payload[form] == nil {
			ev.payload[form] = encode(nil, s.c.us)
		}
	}
	if u.active != nil && u.active.account == a {
		ev.hold = u.active
	}
	if ev.hold != nil || len(e.waiting) > 0 {
		e.waiting = append(e.waiting, ev)
		return
	}
	e.deliver(ev)
}

func (e *accountEvents) deliver(ev waitingEvent) {
	for _, s := range e.subs {
		form := 0
		if s.c.us {
			form = 1
		}
		if p := ev.payload[form]; p != nil {
			s.send(s.frame(p), ev.event, ev.symbol)
		}
	}
}

// release lets the events of h go, as far as nothing before them still waits.
func (u *users) release(h *hold) {
	h.released = true
	e := u.of(h.account)
	n := 0
	for n < len(e.waiting) && (e.waiting[n].hold == nil || e.waiting[n].hold.released) {
		e.deliver(e.waiting[n])
		n++
	}
	e.waiting = slices.Delete(e.waiting, 0, n)
}

func (s *userSub) frame(event []byte) []byte {
	b := make([]byte, 0, len(event)+40)
	b = append(b, `{"subscriptionId":`...)
	b = strconv.AppendInt(b, int64(s.id), 10)
	b = append(b, `,"event":`...)
	b = append(b, event...)
	return textFrame(append(b, '}'))
}
