package feed

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"riposte/core"
	"riposte/core/ring"
	"riposte/feed/ws"
)

// Subscription is one stream of a session. Streams are told apart by instrument
// and kind of event, which is how their messages are attributed.
type Subscription struct {
	Stream     string // as the venue names it: "btcusdt@depth@100ms"
	Instrument core.InstrumentID
	Kind       core.EventKind
	// MaxAge is how old its newest message may be before the stream is looked at
	// by the watchdog; 0 leaves it unwatched.
	MaxAge time.Duration
	// FirstWithin is how long after its confirmation the first message may take
	// before the alarm counter Mute rises: several update intervals. 0: no alarm.
	FirstWithin time.Duration
}

// SessionConfig is a market session's.
type SessionConfig struct {
	LineConfig
	Codec   Codec
	Line    uint8 // number of this line, stamped on its events
	Streams []Subscription
	// Queues are the instruments' inbound queues by id, nil for instruments that
	// this session does not serve. The session is their only writer.
	Queues []*ring.Queue
	// Batch is the most frames that one Step decodes: what has come is to be
	// acted on before more is read. 0: 32.
	Batch int
	// PerSubscribe is the most streams in one request. 0: 200.
	PerSubscribe int
	// Shown, if set, is what snapshots have shown: a depth stream that falls behind it
	// stands still.
	Shown *Shown
	// Tap, if set, is shown each text frame as it came, with its line and when its bytes
	// had been read, before anything is made of it: for a recording. The frame is lent.
	Tap func(line uint8, at core.MonoNs, frame []byte)
}

func (cfg *SessionConfig) check() error {
	if len(cfg.Streams) == 0 {
		return errors.New("cannot open a session: no streams")
	}
	for _, sub := range cfg.Streams {
		if int(sub.Instrument) >= len(cfg.Queues) || cfg.Queues[sub.Instrument] == nil {
			return fmt.Errorf("cannot open a session: stream %q is of instrument %d, which has no queue", sub.Stream, sub.Instrument)
		}
		if sub.Kind == 0 || sub.Kind >= core.LineDown {
			return fmt.Errorf("cannot open a session: stream %q has kind %d, want one that a stream can carry", sub.Stream, sub.Kind)
		}
	}
	return nil
}

// Session is one market connection. It dials, subscribes, confirms every stream,
// decodes frames straight into the instruments' queues, as far as the arbiter lets
// them, and tells it when the connection goes down. One loop goroutine calls Step;
// Status and Streams are for any. Several that bring the same are Lines.
type Session struct {
	line
	codec   Codec
	number  uint8 // stamped on events
	slot    uint8 // which of the arbiter's lines this connection is of
	batch   int
	queues  []*ring.Queue
	join    *arbiter
	carried []bool // by place in the arbiter's served; scratch of an end
	streams []stream
	index   [][kinds]int16 // by instrument and kind: 1 + position in streams
	asking

	tap   func(line uint8, at core.MonoNs, frame []byte)
	shown *Shown

	ev *core.Event // for frames whose instrument only decoding tells
	lv []core.Level

	dated     int64       // the newest venue time that this connection has told, ns; 0: none
	datedAt   core.MonoNs // when it had been read
	datedSlow int64       // how slow its connection had been by then, see ws.Conn.Slow

	count  counts
	shared sharedCounts
}

// stream is one subscription and what became of it.
type stream struct {
	Subscription
	group     int
	confirmed core.MonoNs // 0: not yet
	first     core.MonoNs // of this connection, 0: none yet
	last      core.MonoNs
	behind    core.MonoNs // since when a sibling says that something should have come
	sibling   *stream
	stirs     uint64 // its messages before that
	messages  uint64
	alarmed   bool // the mute alarm was raised for this connection
	quiet     bool

	// For the arbiter, of this connection, where the kind has ids.
	next   uint64 // one above the newest id, 0: none yet
	stepAt uint64 // from where on a copy shows it to be in step
	inStep bool   // its ids overlap with what is published
	frozen bool   // it says nothing while its market moves

	// For the watchdog.
	lagAt     core.MonoNs // since when others have brought what it has not, 0: they have not
	lagged    uint64      // its messages then
	passedAt  core.MonoNs // since when an event that was not believed has lain beyond it, 0: none has
	passed    uint64      // its messages then
	shownAt   core.MonoNs // since when a snapshot has shown more than any line has brought, 0: none has
	shownNext uint64      // what they had brought then
	again     renewal     // where its renewal on this connection stands
	tried     core.MonoNs // when it was last renewed, over all connections

	sharedLast atomic.Int64
	sharedBits atomic.Uint32
}

// NewSession checks the config and makes a session that will dial at the first
// Step. It is a line of its own: its end is that of what it carries.
func NewSession(cfg SessionConfig) (*Session, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if err := cfg.prepare(); err != nil {
		return nil, err
	}
	return newSession(cfg, newArbiter(cfg.Queues, cfg.Streams, cfg.Clock, 1, 0), 0)
}

// newSession makes a connection of an arbiter's line.
func newSession(cfg SessionConfig, join *arbiter, slot uint8) (*Session, error) {
	s := &Session{codec: cfg.Codec, number: cfg.Line, slot: slot, batch: cfg.Batch, queues: cfg.Queues, join: join, tap: cfg.Tap, shown: cfg.Shown, ev: new(core.Event)}
	if s.codec == nil {
		return nil, errors.New("cannot open a session: no codec")
	}
	if err := s.line.init(cfg.LineConfig); err != nil {
		return nil, err
	}
	if s.batch <= 0 {
		s.batch = 32
	}
	per := cfg.PerSubscribe
	if per <= 0 {
		per = 200
	}
	s.carried = make([]bool, len(join.served))
	s.index = make([][kinds]int16, len(s.queues))
	s.lv = make([]core.Level, 0, join.levels)
	s.streams = make([]stream, len(cfg.Streams))
	s.places = make(map[string]int, len(cfg.Streams))
	for i, sub := range cfg.Streams {
		s.places[sub.Stream] = i
		s.streams[i].Subscription = sub
		s.streams[i].group = i / per
		s.index[sub.Instrument][sub.Kind] = int16(i + 1)
		if i%per == 0 {
			s.groups = append(s.groups, group{})
		}
		g := &s.groups[i/per]
		g.names = append(g.names, sub.Stream)
	}
	join.sessions = append(join.sessions, s)
	s.publish()
	return s, nil
}

// Step does what there is to do without waiting and returns how much that was: 0
// means nothing. The loop's.
func (s *Session) Step() int {
	if s.conn == nil {
		return s.stepDown()
	}
	n := 0
	for n < s.batch {
		b, op, err := s.conn.Next()
		if err != nil {
			if !errors.Is(err, ws.ErrNoData) {
				s.lost(err, false)
				return n + 1
			}
			break
		}
		n++
		if op == ws.Text {
			if s.tap != nil {
				s.tap(s.number, core.MonoNs(s.conn.Stamp()), b)
			}
			s.frame(b)
		} else {
			s.count.Binary++
		}
		if s.conn == nil {
			return n // the frame ended the connection
		}
		if s.conn.Buffered() == 0 {
			break // to be acted on before the socket is asked for more
		}
	}
	if s.now = s.cfg.Clock.Mono(); s.due() {
		s.timers()
	}
	return n
}

// stepDown is Step without a connection.
func (s *Session) stepDown() int {
	if s.state >= Refused {
		return 0
	}
	s.now = s.cfg.Clock.Mono()
	if s.join.debts > 0 {
		s.join.payAll()
	}
	if !s.connect() {
		return 0
	}
	s.join.open++
	s.anew()
	s.dated, s.datedAt, s.datedSlow = 0, 0, 0
	for i := range s.streams {
		s.streams[i].begin()
	}
	s.timers()
	return 1
}

// timers is everything that happens by time: requests to send, replies that are
// late, streams that are silent, the line itself.
func (s *Session) timers() {
	if s.join.debts > 0 {
		s.join.payAll()
	}
	if err := s.ask(); err != nil {
		s.lost(err, false)
		return
	}
	if err := s.watchStreams(); err != nil && !s.expected(err) {
		s.lost(err, false)
		return
	}
	if err := s.watch(); err != nil {
		s.lost(err, errors.Is(err, errRotate))
		return
	}
	s.join.alive(s.now)
	s.share()
}

// frame decodes one frame into the queue it belongs to.
func (s *Session) frame(b []byte) {
	r := s.codec.Route(b)
	if int(r.Instrument) >= len(s.queues) || s.queues[r.Instrument] == nil {
		s.elsewhere(b, r)
		return
	}
	a := s.join
	q := s.queues[r.Instrument]
	if a.owed[r.Instrument] != 0 && !a.pay(r.Instrument) {
		s.count.LostEvents++
		return
	}
	ev, lv := q.Claim()
	if ev == nil {
		a.overflow(s, r.Instrument)
		return
	}
	n, res := s.codec.DecodeRouted(b, r, ev, lv)
	s.count.Results[res]++
	switch res {
	case Decoded:
		switch a.admit(s, s.stamp(ev), ev) {
		case fresh:
			kind := ev.Kind // the slot is the reader's from here on
			q.Publish(n)
			if a.holding > 0 {
				a.follow(r.Instrument, kind)
			}
		case wait:
			a.keep(s, ev, lv[:n])
		}
	case Full:
		a.overflow(s, r.Instrument)
	default:
		s.other(b, res)
	}
}

// stamp adds what the codec does not know, and notes on the event's stream what this
// connection has brought. It returns the stream, nil if nobody asked for it.
func (s *Session) stamp(ev *core.Event) *stream {
	return s.brought(ev, core.MonoNs(s.conn.Stamp()))
}

// brought is stamp for an event whose bytes had been read at that time.
func (s *Session) brought(ev *core.Event, at core.MonoNs) *stream {
	ev.Line = s.number
	ev.Recv = at
	ev.DecodeNs = uint32(min(max(s.cfg.Clock.Mono()-at, 0), core.MonoNs(^uint32(0))))
	if ev.Kind <= core.AggTrade && ev.Kind != core.Touch && ev.W[2] > s.dated {
		s.dated, s.datedAt, s.datedSlow = ev.W[2], at, s.conn.Slow() // W[2] is the venue's time in each of these
	}
	i := s.index[ev.Instrument][ev.Kind]
	if i == 0 {
		return nil
	}
	st := &s.streams[i-1]
	st.last = at
	st.messages++
	st.behind, st.quiet = 0, false
	if st.first == 0 {
		st.first = at
	}
	if ev.Kind <= core.AggTrade {
		if ev.ID >= st.next {
			if need := needs(ev); need > st.next && st.next != 0 {
				c := &s.join.lines[s.slot]
				c.missed++
				c.gone += need - st.next
			}
			st.next = ev.ID + 1
		} else if ev.ID+1 < st.next {
			s.join.lines[s.slot].back++
		}
	}
	return st
}

// elsewhere decodes a frame whose queue is not known beforehand.
func (s *Session) elsewhere(b []byte, r Route) {
	n, res := s.codec.DecodeRouted(b, r, s.ev, s.lv)
	s.count.Results[res]++
	switch res {
	case Decoded:
		s.hand(n)
	case Full:
		// Larger than any queue's events may be: whoever it is for will see the
		// gap in its ids.
		s.count.LostEvents++
	case Many:
		for {
			n, res, more := s.codec.NextOf(b, s.ev, s.lv)
			if !more {
				return
			}
			s.count.Results[res]++
			if res == Decoded {
				s.hand(n)
			}
		}
	default:
		s.other(b, res)
	}
}

// hand copies the decoded event into its queue.
func (s *Session) hand(n int) {
	id, a := s.ev.Instrument, s.join
	if int(id) >= len(s.queues) || s.queues[id] == nil {
		s.count.NoQueue++
		return
	}
	switch a.admit(s, s.stamp(s.ev), s.ev) {
	case fresh:
		a.put(s, s.ev, s.lv[:n])
		if a.holding > 0 {
			a.follow(id, s.ev.Kind)
		}
	case wait:
		a.keep(s, s.ev, s.lv[:n])
	}
}

// other takes what is no event.
func (s *Session) other(_ []byte, res Result) {
	switch res {
	case Control:
		s.replied(s.codec.Reply())
	case Shutdown:
		s.status.shutdowns.Add(1)
		if !s.expected(errShutdown) {
			s.lost(errShutdown, true)
		}
	}
}

var errShutdown = errors.New("venue announced that it closes the connection")

// lost ends the connection and has those told whom no other carries.
func (s *Session) lost(err error, atOnce bool) {
	s.now = s.cfg.Clock.Mono()
	s.weigh()
	s.drop(err, atOnce)
	s.join.open--
	s.join.left(s, s.carried, false)
	s.join.payAll()
	s.share()
}

// leave ends the connection because another has taken over.
func (s *Session) leave() {
	if s.now = s.cfg.Clock.Mono(); s.conn != nil {
		s.weigh()
		s.retire()
		s.join.open--
		s.join.left(s, s.carried, true)
		s.join.payAll()
	}
	s.retire()
	s.share()
}

// weigh notes what the connection carries.
func (s *Session) weigh() {
	for i, id := range s.join.served {
		s.carried[i] = s.carries(id, s.now)
	}
}

// Status is the session as seen from outside; any goroutine.
func (s *Session) Status() SessionStatus {
	return SessionStatus{LineStatus: s.line.snapshot(), Counts: s.shared.load(), Subscriptions: len(s.streams), Listed: s.shared.listed.Load()}
}

// Close ends the session for good. The loop must have stopped calling Step.
func (s *Session) Close(ctx context.Context) error {
	err := s.line.close(ctx)
	s.share()
	return err
}
