package feed

import (
	"fmt"

	"riposte/core"
)

// asking is what a session asks of the server on its socket: subscriptions in groups,
// then the server's own list of them, and later the renewal of single streams. One
// request leaves at a time, inside the venue's allowance.
type asking struct {
	groups  []group        // of subscriptions, one request each
	places  map[string]int // of the streams, by name
	request []byte
	nextID  int64
	waiting int // groups not confirmed

	listID int64
	listAt core.MonoNs // when the list was asked for, 0: not yet
	listed bool        // the server's list has all our streams
	short  int         // times that it did not
}

// group is one SUBSCRIBE request.
type group struct {
	names []string
	id    int64
	sent  core.MonoNs // 0: not yet
	done  bool
}

// renewal is where ending a stream and subscribing it again stands.
type renewal struct {
	step renewalStep
	id   int64
	sent core.MonoNs
}

type renewalStep uint8

const (
	noRenewal    renewalStep = iota
	toEnd                    // UNSUBSCRIBE is to be sent
	ending                   // and has been
	toSubscribe              // SUBSCRIBE is to be sent
	resubscribed             // and has been
)

// anew is called with a new connection.
func (q *asking) anew() {
	q.waiting, q.listAt, q.listed, q.short = len(q.groups), 0, false, 0
	for i := range q.groups {
		q.groups[i].id, q.groups[i].sent, q.groups[i].done = 0, 0, false
	}
}

// begin is called with a new connection, and a new subscription.
func (st *stream) begin() {
	st.confirmed, st.first, st.behind, st.alarmed, st.quiet = 0, 0, 0, false, false
	st.next, st.stepAt, st.inStep, st.frozen = 0, 0, false, false
	st.lagAt, st.shownAt, st.passedAt, st.again = 0, 0, 0, renewal{}
}

// send sends the request that was appended to s.request, and returns its id.
func (s *Session) send() (int64, error) {
	if err := s.conn.SendText(s.request); err != nil {
		return 0, err
	}
	s.sent()
	return s.nextID, nil
}

// ask sends the next request when one may be sent, and looks for replies that are
// overdue.
func (s *Session) ask() error {
	if s.waiting > 0 {
		return s.subscribe()
	}
	switch {
	case s.listed:
		return s.renewals()
	case s.listAt == 0 && s.maySend():
		s.nextID++
		s.request = s.codec.AppendList(s.request[:0], s.nextID)
		s.listAt = s.now
		var err error
		s.listID, err = s.send()
		return err
	case s.listAt != 0 && s.now-s.listAt > core.MonoNs(s.cfg.ReplyWithin):
		s.count.Unanswered++
		return fmt.Errorf("server did not tell its list of subscriptions within %v", s.cfg.ReplyWithin)
	}
	return nil
}

func (s *Session) subscribe() error {
	for i := range s.groups {
		g := &s.groups[i]
		switch {
		case g.done:
		case g.sent != 0:
			if s.now-g.sent > core.MonoNs(s.cfg.ReplyWithin) {
				s.count.Unanswered++
				return fmt.Errorf("subscription of %d streams (%s, ...) was not answered within %v", len(g.names), g.names[0], s.cfg.ReplyWithin)
			}
		case s.maySend():
			s.nextID++
			s.request = s.codec.AppendSubscribe(s.request[:0], s.nextID, g.names)
			g.sent = s.now
			var err error
			if g.id, err = s.send(); err != nil {
				return err
			}
		}
	}
	return nil
}

// renew ends a stream that has frozen and subscribes it again on the same connection.
func (s *Session) renew(st *stream) {
	st.again, st.tried = renewal{step: toEnd}, s.now
	s.count.Renewed++
}

// renewals sends what the renewal of single streams needs next.
func (s *Session) renewals() error {
	for i := range s.streams {
		st := &s.streams[i]
		switch st.again.step {
		case noRenewal:
			continue
		case toEnd, toSubscribe:
			if !s.maySend() {
				return nil
			}
			s.nextID++
			if st.again.step == toEnd {
				s.request = s.codec.AppendUnsubscribe(s.request[:0], s.nextID, []string{st.Stream})
			} else {
				s.request = s.codec.AppendSubscribe(s.request[:0], s.nextID, []string{st.Stream})
			}
			st.again.step++
			st.again.sent = s.now
			var err error
			if st.again.id, err = s.send(); err != nil {
				return err
			}
		default:
			if s.now-st.again.sent > core.MonoNs(s.cfg.ReplyWithin) {
				s.count.Unanswered++
				return fmt.Errorf("renewal of stream %s was not answered within %v", st.Stream, s.cfg.ReplyWithin)
			}
		}
	}
	return nil
}

// replied takes the answer to a request.
func (s *Session) replied(r *Reply) {
	if !r.OK {
		// Also one without our id: the venue could not even read the request.
		s.count.Refused++
		s.lost(fmt.Errorf("venue refused a subscription: code %d %q", r.Code, r.Msg), false)
		return
	}
	if r.HasID {
		for i := range s.groups {
			if g := &s.groups[i]; g.id == r.ID && g.sent != 0 && !g.done {
				s.confirmed(i)
				return
			}
		}
		if r.ID == s.listID && s.listAt != 0 && !s.listed {
			s.hold(r.Result)
			return
		}
		for i := range s.streams {
			st := &s.streams[i]
			if st.again.id != r.ID || st.again.step != ending && st.again.step != resubscribed {
				continue
			}
			if st.again.step == ending {
				st.again.step = toSubscribe
				return
			}
			st.begin()
			s.arrive(st)
			s.listed, s.listAt = false, 0 // a confirmation is believed once the list says so too
			return
		}
	}
	s.count.StrayReplies++
}

// confirmed takes the confirmation of a group.
func (s *Session) confirmed(group int) {
	s.groups[group].done = true
	s.waiting--
	for i := range s.streams {
		if st := &s.streams[i]; st.group == group && st.confirmed == 0 {
			s.arrive(st)
		}
	}
	if s.waiting == 0 {
		s.now = core.MonoNs(s.conn.Stamp())
		s.live()
	}
}

// arrive notes that a stream has been confirmed.
func (s *Session) arrive(st *stream) {
	st.confirmed = core.MonoNs(s.conn.Stamp())
	st.stepAt = s.join.marks[st.Instrument][st.Kind].next
}

// hold holds the server's list of subscriptions against ours. What is missing is
// subscribed once more; a server that leaves it out again is left.
func (s *Session) hold(list []byte) {
	found := make([]bool, len(s.streams))
	left := len(found)
	for i := 0; i < len(list); i++ {
		if list[i] != '"' {
			continue
		}
		end := i + 1
		for end < len(list) && list[end] != '"' {
			end++
		}
		if at, ok := s.places[string(list[i+1:min(end, len(list))])]; ok && !found[at] {
			found[at] = true
			left--
		}
		i = end
	}
	s.listAt = 0
	if left == 0 {
		s.listed = true
		return
	}
	s.count.Unlisted += uint64(left)
	if s.short++; s.short > 1 {
		s.lost(fmt.Errorf("server confirmed %d streams that its list of subscriptions does not have", left), false)
		return
	}
	for i := range found {
		if found[i] {
			continue
		}
		s.streams[i].confirmed = 0
		if g := &s.groups[s.streams[i].group]; g.done {
			g.done, g.sent, g.id = false, 0, 0
			s.waiting++
		}
	}
	// Those of a group that are on the list stay confirmed: subscribing again changes
	// nothing about them.
}
