package exec

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"riposte/core"
)

// SessionConfig is what Sessions need to know. Zero durations and sizes get defaults.
type SessionConfig struct {
	Dial    DialFrames
	Codec   FrameCodec
	Orders  int // sessions for orders; default 1
	Cancels int // sessions reserved for cancels; default 1

	DialTimeout   time.Duration // default 10 s
	WriteTimeout  time.Duration // default 2 s
	AnswerTimeout time.Duration // default 15 s: the venue itself waits 10 s for its engine
	DoubtAfter    time.Duration // default 3 s: silence that makes an order unknown
	PingEvery     time.Duration // default 1 s: silence after which a sign of life is asked for
	PongWithin    time.Duration // default 2 s: how long it may take
	Rotate        time.Duration // default 23 h: a session is replaced at this age, less up to a tenth by chance
	IdleLook      time.Duration // default 2 ms: how often an idle session is read
	BackoffMin    time.Duration // default 100 ms
	BackoffMax    time.Duration // default 15 s
	Seed          uint64        // of the jitter
	Wake          func()        // called when a dial ended, from its goroutine; may be nil
	Go            func(func())  // starts a goroutine; nil: as Go does
}

func (c *SessionConfig) defaults() error {
	if c.Dial == nil || c.Codec == nil {
		return errors.New("cannot make sessions: Dial or Codec is missing")
	}
	if c.Orders == 0 {
		c.Orders = 1
	}
	if c.Cancels == 0 {
		c.Cancels = 1
	}
	if c.Orders < 1 || c.Cancels < 1 || c.Orders+c.Cancels > 16 {
		return fmt.Errorf("cannot make sessions: found %d for orders and %d for cancels, want at least 1 each and at most 16", c.Orders, c.Cancels)
	}
	for _, d := range []struct {
		d   *time.Duration
		def time.Duration
	}{
		{&c.DialTimeout, 10 * time.Second}, {&c.WriteTimeout, 2 * time.Second}, {&c.AnswerTimeout, 15 * time.Second}, {&c.DoubtAfter, 3 * time.Second},
		{&c.PingEvery, time.Second}, {&c.PongWithin, 2 * time.Second}, {&c.Rotate, 23 * time.Hour}, {&c.IdleLook, 2 * time.Millisecond},
		{&c.BackoffMin, 100 * time.Millisecond}, {&c.BackoffMax, 15 * time.Second},
	} {
		if *d.d <= 0 {
			*d.d = d.def
		}
	}
	if c.Wake == nil {
		c.Wake = func() {}
	}
	return nil
}

// Sessions are the warm connections of frames. Each place has one in use; before it is
// old, or as soon as the venue announces its end, another is dialed, logged on and proved,
// and only then takes its place. The old one is kept until the last of its requests is
// answered. A session that shows any irregularity is closed, and what was in flight on it
// has no answer; nothing here sends again. Owned by the loop goroutine; the methods that
// say so may be called on nil, which is a route that does not exist.
type Sessions struct {
	cfg       SessionConfig
	lanes     []lane
	owner     sessionOwner
	rng       *rand.Rand
	ctx       context.Context
	stop      context.CancelFunc
	dials     sync.WaitGroup
	closed    bool
	busy      int     // requests in flight, all sessions
	concluded uint64  // requests that placed orders and have come to their end, by the owner's count
	quiet     Request // a logon or probe under way; here because its address crosses an interface
	landed    flight  // the request whose end is being told; here for the same reason

	Stats SessionStats
}

// SessionStats count what became of the sessions.
type SessionStats struct {
	Dials, DialErrors uint64
	Lost              uint64 // sessions that were live, or about to be, and ended unplanned
	Replaced          uint64 // sessions that left after their successor had proved itself
	HalfOpen          uint64 // of Lost: no sign of life
	Shutdowns         uint64 // ends announced by the venue
	Probes            uint64
	Requests          uint64
	Answers           uint64
	Strays            uint64 // answers to requests no longer awaited, events nobody asked for
	LastError         string // the newest dial error or reason of a loss, for display
}

// sessionOwner is told what sessions bring; all calls come from Step.
type sessionOwner interface {
	framed(f *flight) Class    // an answer has come and is open in the codec
	lost(f *flight, why error) // the request has no answer
	slow(f *flight)            // the request is older than DoubtAfter
	revoked()                  // the venue no longer knows the key
	mayAsk(weight int) bool    // books weight, false if there is none
	venueNow() core.WallNs
	parted(r Route) // a connection of the route ended unplanned
}

// sessionError is why a session ended, a one-byte error.
type sessionError uint8

const (
	sessionJunk sessionError = iota + 1
	sessionSilent
	sessionRevoked
	sessionRefused
	sessionUnproved
	sessionWrite
	sessionDiscarded
	sessionLate
)

var sessionText = [...]string{"", "unreadable message", "no sign of life", "key revoked", "logon refused", "first question not answered", "write failed",
	"discarded", "no answer in time"}

func (e sessionError) Error() string { return "session lost: " + sessionText[e] }

// NewSessions makes the places; dialing begins with the first Step.
func NewSessions(cfg SessionConfig, owner sessionOwner) (*Sessions, error) {
	if err := cfg.defaults(); err != nil {
		return nil, err
	}
	p := &Sessions{cfg: cfg, owner: owner, rng: rand.New(rand.NewPCG(cfg.Seed, 0x73657373)), lanes: make([]lane, cfg.Orders+cfg.Cancels)}
	for i := range p.lanes {
		p.lanes[i].cancels = i >= cfg.Orders
	}
	p.ctx, p.stop = context.WithCancel(context.Background())
	return p, nil
}

// take is the session for the next request: of those that orders use the one with the
// least under way, one whose end is announced only if there is no other. Cancels have
// their own first. May be called on nil.
func (p *Sessions) take(cancel bool) *session {
	if p == nil {
		return nil
	}
	if cancel {
		if s := p.reserved(); s != nil {
			return s
		}
	}
	return p.least(false)
}

// reserved is a session of those kept for cancels, nil if none is ready. May be called
// on nil.
func (p *Sessions) reserved() *session {
	if p == nil {
		return nil
	}
	return p.least(true)
}

func (p *Sessions) least(cancels bool) (best *session) {
	for i := range p.lanes {
		l := &p.lanes[i]
		if s := l.cur; l.cancels == cancels && s.ready() &&
			(best == nil || best.leaving && !s.leaving || best.leaving == s.leaving && s.inflight() < best.inflight()) {
			best = s
		}
	}
	return best
}

// Ready is how many sessions could take a request now, for orders and for cancels. May be
// called on nil.
func (p *Sessions) Ready() (orders, cancels int) {
	if p == nil {
		return 0, 0
	}
	for i := range p.lanes {
		if !p.lanes[i].cur.ready() {
			continue
		}
		if p.lanes[i].cancels {
			cancels++
		} else {
			orders++
		}
	}
	return orders, cancels
}

// up reports whether a session works. May be called on nil.
func (p *Sessions) up() bool {
	orders, cancels := p.Ready()
	return orders+cancels > 0
}

// health says whether an order could be sent, and when the request left that waits for
// its answer for the longest time, 0 if there is none.
func (p *Sessions) health() (up bool, oldest core.MonoNs) {
	for i := range p.lanes {
		l := &p.lanes[i]
		up = up || !l.cancels && l.cur != nil && !l.cur.leaving && !l.cur.broken
		if l.cur != nil {
			if at := l.cur.oldest(); at != 0 && (oldest == 0 || at < oldest) {
				oldest = at
			}
		}
	}
	return up, oldest
}

// request writes b, laid out for s.next(), in one message. After an error the request may
// or may not have left; the owner knows about it from the result alone, and the session
// ends with the next poll.
func (p *Sessions) request(s *session, b []byte, kind RequestKind, o *Order, now core.MonoNs) (taken int, err error) {
	p.Stats.Requests++
	f := s.claim()
	f.begin(kind, o, now, p.cfg.AnswerTimeout, p.cfg.DoubtAfter)
	f.before = p.concluded
	p.busy++
	if err := s.conn.Send(b); err != nil {
		s.release(f)
		p.busy--
		s.broken = true
		return len(b), sessionWrite
	}
	return len(b), nil
}

// prove sends a probe on the session for orders that had none for the longest time.
func (p *Sessions) prove(now core.MonoNs) bool {
	var s *session
	for i := range p.lanes {
		if l := &p.lanes[i]; !l.cancels && l.cur.ready() && (s == nil || l.cur.proved < s.proved) {
			s = l.cur
		}
	}
	return s != nil && p.probe(s, now)
}

func (p *Sessions) probe(s *session, now core.MonoNs) bool {
	if !p.owner.mayAsk(1) {
		return false
	}
	s.proved = now
	p.Stats.Probes++
	p.cfg.Codec.Probe(s.next(), &p.quiet)
	// On an error the session ends by itself; a probe has no one to tell.
	_, _ = p.request(s, p.quiet.Bytes, RequestProbe, nil, now)
	return true
}

// poll reads the sessions that wait for answers.
func (p *Sessions) poll(now core.MonoNs) int {
	if p == nil || p.busy == 0 {
		return 0
	}
	work := 0
	for i := range p.lanes {
		l := &p.lanes[i]
		for _, s := range [...]*session{l.cur, l.next, l.old} {
			if s != nil && s.conn != nil && (s.broken || s.inflight() > 0) {
				work += p.read(l, s, now)
			}
		}
	}
	return work
}

// readMost is how many messages of one session are taken at a time, so that it does not
// starve others.
const readMost = 32

func (p *Sessions) read(l *lane, s *session, now core.MonoNs) int {
	if s.broken {
		p.fail(l, s, sessionWrite, now)
		return 1
	}
	for n := range readMost {
		msg, err := s.conn.Next()
		if err != nil {
			p.fail(l, s, err, now)
			return n + 1
		}
		if msg == nil {
			return n
		}
		if err := p.message(s, msg, now); err != nil {
			p.fail(l, s, err, now)
			return n + 1
		}
	}
	return readMost
}

// message takes one message; an error ends the session.
func (p *Sessions) message(s *session, msg []byte, now core.MonoNs) error {
	kind, id := p.cfg.Codec.Open(msg)
	switch kind {
	case FrameAnswer:
	case FrameShutdown:
		if !s.leaving {
			s.leaving = true
			p.Stats.Shutdowns++
		}
		return nil
	case FrameRevoked:
		p.owner.revoked()
		return sessionRevoked
	case FrameEvent:
		p.Stats.Strays++
		return nil
	default:
		return sessionJunk
	}
	f := s.find(id)
	if f == nil {
		p.Stats.Strays++
		return nil
	}
	was := p.land(s, f)
	p.Stats.Answers++
	class := p.owner.framed(was)
	switch was.kind {
	case RequestLogon:
		if class != ClassAccepted {
			return sessionRefused
		}
		s.loggedOn = true
		s.state = sessionProving
		p.probe(s, now)
	case RequestProbe:
		if s.state == sessionProving {
			if class != ClassAccepted {
				return sessionUnproved
			}
			p.enliven(s, now)
		}
	}
	return nil
}

// land ends a flight. What it returns is valid until the next one ends.
func (p *Sessions) land(s *session, f *framed) *flight {
	p.landed = s.release(f)
	p.busy--
	return &p.landed
}

func (p *Sessions) enliven(s *session, now core.MonoNs) {
	age := int64(p.cfg.Rotate)
	s.state, s.liveAt, s.rotateAt = sessionLive, now, now+core.MonoNs(age-p.rng.Int64N(age/10+1))
}

// Close ends all dialing and closes all sessions; requests in flight are reported lost.
// It waits for its goroutines, at most until ctx ends. May be called on nil.
func (p *Sessions) Close(ctx context.Context, now core.MonoNs) error {
	if p == nil {
		return nil
	}
	p.closed = true
	p.stop()
	var dialing []*session
	for i := range p.lanes {
		l := &p.lanes[i]
		for _, s := range [...]*session{l.cur, l.next, l.old} {
			if s != nil {
				dialing = append(dialing, s)
				p.fail(l, s, sessionDiscarded, now)
			}
		}
	}
	done := make(chan struct{})
	go func() { p.dials.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
		return fmt.Errorf("cannot close sessions: a dial did not end: %w", ctx.Err())
	}
	for _, s := range dialing {
		if d := s.dialed.Swap(nil); d != nil && d.conn != nil {
			_ = d.conn.Close()
		}
	}
	return nil
}
