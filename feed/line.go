package feed

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"riposte/core"
	"riposte/feed/ws"
)

// State is where a connection stands.
type State uint32

// The states.
const (
	Waiting     State = iota // for the end of a backoff or for the connect budget
	Dialing                  // a goroutine dials and shakes hands
	Subscribing              // connected; not everything is confirmed yet
	Live                     // everything is confirmed
	Refused                  // the venue refuses our key: no retry can mend it
	Closed                   // by us
	Idle                     // not wanted at the moment
)

func (s State) String() string {
	return [...]string{"waiting", "dialing", "subscribing", "live", "refused", "closed", "idle"}[s]
}

// LineConfig is what both kinds of session need to keep a connection. Durations
// left 0 take the defaults named below.
type LineConfig struct {
	URL    string
	Dial   ws.DialFunc
	Clock  core.Clock
	Budget *ConnectBudget
	// Wake, if set, is called by the dialing goroutine when it has finished, so
	// that a parked loop takes the connection over.
	Wake func()
	// OnSilence, if set, is called when the venue demands silence, by a 429 or 418: it
	// means all that comes from this address. On the loop's goroutine.
	OnSilence func(d time.Duration)
	// Go starts a goroutine; nil: as Go does. A simulation starts them one after another.
	Go func(func())

	DialTimeout  time.Duration // 10 s: dial, TLS and upgrade together
	WriteTimeout time.Duration // 1 s
	// Silence is how long no byte may arrive before a PING of ours asks whether
	// anyone is there; PongWithin how long the answer may take.
	Silence    time.Duration // 10 s
	PongWithin time.Duration // 5 s
	// Rotate is the age at which a connection is replaced, before the venue cuts
	// it at 24 h. Up to a tenth is taken off at random, so that lines opened
	// together do not go together.
	Rotate time.Duration // 23 h
	// RotateWithin is the part of the day in which it is replaced.
	RotateWithin           DayWindow
	BackoffMin, BackoffMax time.Duration // 100 ms, 30 s
	// ReplyWithin is how long a request may stay unanswered.
	ReplyWithin time.Duration // 10 s

	Buffer, MaxMessage int    // bytes, see ws.Options
	Seed               uint64 // of the jitter; 0: random
}

func (c *LineConfig) prepare() error {
	switch {
	case c.URL == "":
		return errors.New("cannot open a session: no URL")
	case c.Dial == nil || c.Clock == nil || c.Budget == nil:
		return errors.New("cannot open a session: want Dial, Clock and Budget")
	}
	for _, d := range []struct {
		d   *time.Duration
		def time.Duration
	}{
		{&c.DialTimeout, 10 * time.Second}, {&c.WriteTimeout, time.Second}, {&c.Silence, 10 * time.Second}, {&c.PongWithin, 5 * time.Second},
		{&c.Rotate, 23 * time.Hour}, {&c.BackoffMin, 100 * time.Millisecond}, {&c.BackoffMax, 30 * time.Second}, {&c.ReplyWithin, 10 * time.Second},
	} {
		if *d.d < 0 {
			return fmt.Errorf("cannot open a session: got a negative duration %v", *d.d)
		}
		if *d.d == 0 {
			*d.d = d.def
		}
	}
	if c.Seed == 0 {
		c.Seed = rand.Uint64()
	}
	if c.Go == nil {
		c.Go = func(f func()) { go f() }
	}
	return nil
}

// LineStatus is a connection as seen from outside.
type LineStatus struct {
	State       State
	Connects    uint64 // attempts
	Connected   uint64 // of them, those that came to frames
	Lost        uint64 // connections that ended, for whatever reason
	Rotations   uint64 // of them, by age
	Shutdowns   uint64 // of them, announced by the venue
	Dead        uint64 // of them, because no PONG came
	PingsSent   uint64
	Pings       uint64 // received
	Bytes       uint64 // received, all connections
	Reads       uint64
	Messages    uint64
	ConnectedAt core.MonoNs // of the present connection, 0 if there is none
	HeardAt     core.MonoNs // when bytes were last known to have arrived
	LastError   string
	Trouble     Trouble // what LastError tells of
	Leaving     bool    // the connection in use is to be replaced by another
}

// line keeps one connection: dial on a goroutine, take over, watch, replace. All
// methods are the loop's, except status.
type line struct {
	cfg   LineConfig
	back  Backoff
	conn  *ws.Conn
	state State

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	dialed chan dialResult

	now         core.MonoNs // of this Step
	until       core.MonoNs // Waiting: not before
	connectedAt core.MonoNs
	rotateAt    core.MonoNs
	liveAt      core.MonoNs
	heardAt     core.MonoNs
	pingAt      core.MonoNs // of an unanswered PING of ours, 0: none
	nextLook    core.MonoNs
	lastSend    core.MonoNs
	seenReads   uint64
	pings       uint64
	owed        int      // PINGs of ours on this connection that no PONG has answered
	pongs       uint64   // that had come when last looked at
	past        ws.Stats // of connections that ended
	// sole: what the connection brings nothing else proves current. When the process has
	// stood still and finds nothing that came meanwhile, it does not go on by what it knew
	// while it asks whether anyone is there.
	sole      bool
	leaving   error // why it is to be replaced, nil if it is not
	successor bool  // its owner replaces it: see expected
	unwanted  bool  // what is being dialed will not be needed

	status struct {
		state, connects, connected, lost, rotations, shutdowns, dead atomic.Uint64
		leaving                                                      atomic.Bool
		trouble                                                      atomic.Uint32
		pingsSent, pings, bytes, reads, messages                     atomic.Uint64
		connectedAt, heardAt                                         atomic.Int64
		lastError                                                    atomic.Pointer[string]
	}
}

type dialResult struct {
	conn *ws.Conn
	err  error
}

// lookEvery is how often timers and liveness are looked at.
const lookEvery = core.MonoNs(20 * time.Millisecond)

// sendEvery is the least time between two messages of ours: the venue cuts a connection
// that sends more than 5 in a second, control frames too (Binance Spot WebSocket Streams,
// 2026-07-21). Three of ours leave room for a PONG and for the CLOSE.
const sendEvery = core.MonoNs(340 * time.Millisecond)

func (l *line) init(cfg LineConfig) error {
	if err := cfg.prepare(); err != nil {
		return err
	}
	l.cfg = cfg
	l.back = NewBackoff(cfg.BackoffMin, cfg.BackoffMax, cfg.Seed)
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.dialed = make(chan dialResult, 1)
	return nil
}

// connect moves the line towards a connection; it is true once when it has one.
func (l *line) connect() bool {
	switch l.state {
	case Waiting:
		if l.now < l.until {
			return false
		}
		if wait := l.cfg.Budget.Take(l.now); wait > 0 {
			l.until = l.now + core.MonoNs(wait)
			return false
		}
		l.state = Dialing
		l.status.connects.Add(1)
		l.wg.Add(1)
		l.cfg.Go(l.dial)
		l.publish()
	case Dialing:
		select {
		case r := <-l.dialed:
			if l.unwanted {
				if r.err == nil {
					_ = r.conn.Close(1000)
				}
				l.unwanted, l.state = false, Idle
				l.publish()
				return false
			}
			if r.err == nil {
				if r.err = r.conn.NonBlocking(); r.err != nil {
					_ = r.conn.NetConn().Close()
				}
			}
			if r.err != nil {
				l.wait(r.err)
				return false
			}
			l.conn, l.state = r.conn, Subscribing
			l.connectedAt, l.heardAt, l.pingAt, l.liveAt = l.now, l.now, 0, 0
			l.owed, l.pongs = 0, 0
			l.seenReads, l.lastSend, l.nextLook = 0, 0, 0
			l.rotateAt = l.now + core.MonoNs(rotateIn(l.cfg.Rotate, l.cfg.RotateWithin, l.cfg.Clock.Wall(), l.back.rng))
			l.status.connected.Add(1)
			l.publish()
			return true
		default:
		}
	}
	return false
}

// dial runs on its own goroutine and ends with the line's context at the latest.
func (l *line) dial() {
	defer l.wg.Done()
	ctx, cancel := context.WithTimeout(l.ctx, l.cfg.DialTimeout)
	defer cancel()
	conn, err := ws.Dial(ctx, l.cfg.Dial, l.cfg.URL, ws.Options{
		Buffer: l.cfg.Buffer, MaxMessage: l.cfg.MaxMessage,
		Now: func() int64 { return int64(l.cfg.Clock.Mono()) },
		WriteDeadline: func() time.Time {
			return time.Unix(0, int64(l.cfg.Clock.Wall())).Add(l.cfg.WriteTimeout)
		},
	})
	l.dialed <- dialResult{conn, err}
	if l.cfg.Wake != nil {
		l.cfg.Wake()
	}
}

// wait schedules the next attempt by the backoff, and later if the venue asked
// for it.
func (l *line) wait(err error) {
	d := l.back.Next()
	var he *ws.HandshakeError
	if errors.As(err, &he) {
		d = max(d, he.RetryAfter)
		l.silenced(he.Status, he.RetryAfter)
	}
	l.state, l.until = Waiting, l.now+core.MonoNs(d)
	l.fault(err)
	l.publish()
}

// silenced passes a demand for silence on to all others.
func (l *line) silenced(status int, d time.Duration) {
	if l.cfg.OnSilence != nil && (status == 429 || status == 418) {
		l.cfg.OnSilence(d) // 0: the venue did not say for how long
	}
}

func (l *line) fault(err error) {
	s := err.Error()
	l.status.lastError.Store(&s)
	l.status.trouble.Store(uint32(TroubleOf(err)))
}

// heldLongEnough is how long a connection must have been Live for its expected end
// to be followed by another at once: a venue that announces its end over and over
// must not be dialed in a tight loop.
const heldLongEnough = time.Second

// drop ends the connection. atOnce: the next attempt does not wait, for an end
// that was expected.
func (l *line) drop(err error, atOnce bool) {
	if l.conn != nil {
		l.fold()
	}
	held := core.MonoNs(0)
	if l.liveAt != 0 {
		held = l.now - l.liveAt
	}
	atOnce = atOnce && held > core.MonoNs(heldLongEnough)
	if atOnce || held > max(core.MonoNs(heldLongEnough), core.MonoNs(l.back.ceiling())) {
		// It held for longer than we would wait by now: what ended it is news, not
		// the old trouble.
		l.back.Reset()
	}
	l.wait(err)
	if atOnce {
		l.until = l.now
	}
	l.connectedAt, l.leaving = 0, nil
}

// retire ends a connection that another has replaced, and waits for begin.
func (l *line) retire() {
	if l.conn != nil {
		l.fold()
		l.back.Reset()
	}
	if l.connectedAt, l.leaving = 0, nil; l.state == Dialing {
		l.unwanted = true
	} else {
		l.state = Idle
	}
	l.publish()
}

// begin has an idle line dial at the next Step.
func (l *line) begin(now core.MonoNs) {
	if l.unwanted = false; l.state == Idle {
		l.state, l.until = Waiting, now
	}
	l.publish()
}

// idle reports whether nothing of the line is wanted.
func (l *line) idle() bool { return l.state == Idle || l.unwanted }

// expected takes an end of the connection that is known beforehand: true if its owner
// makes another first, and this one goes on meanwhile.
func (l *line) expected(err error) bool {
	if l.successor && l.leaving == nil {
		l.leaving = err
	}
	return l.successor
}

// fold closes the connection and adds its counters to the past.
func (l *line) fold() {
	st := l.conn.Stats()
	l.past.Reads += st.Reads
	l.past.Bytes += st.Bytes
	l.past.Messages += st.Messages
	l.past.Pings += st.Pings
	_ = l.conn.Close(1000)
	l.conn = nil
	l.status.lost.Add(1)
}

// live is called when everything is confirmed.
func (l *line) live() {
	if l.state != Live {
		l.state, l.liveAt = Live, l.now
		l.publish()
	}
}

// The ends of a connection that the line itself decides.
var (
	errRotate = errors.New("connection reached its age and is replaced")
	errNoPong = errors.New("connection is dead: no PONG within the time allowed")
)

// due reports whether it is time to look at timers.
func (l *line) due() bool {
	if l.now < l.nextLook {
		return false
	}
	l.nextLook = l.now + lookEvery
	return true
}

// owedMost is how many PINGs may be out without a PONG. Where the venue cannot hear us
// and we can hear it, they wait in the network and arrive together, and more than 5
// messages in a second end the connection.
const owedMost = 2

// watch looks after the connection; an error is the reason to drop it.
func (l *line) watch() error {
	st := l.conn.Stats()
	if st.Reads != l.seenReads {
		l.seenReads, l.heardAt, l.pingAt = st.Reads, core.MonoNs(l.conn.Stamp()), 0
		if errors.Is(l.leaving, errNoPong) {
			l.leaving = nil
		}
	}
	if st.Pongs != l.pongs {
		l.pongs, l.owed = st.Pongs, 0
	}
	l.publish()
	switch {
	case l.pingAt != 0 && l.now-l.pingAt > core.MonoNs(l.cfg.PongWithin),
		l.sole && l.pingAt == 0 && l.now-l.heardAt > core.MonoNs(l.cfg.Silence+l.cfg.PongWithin):
		l.status.dead.Add(1)
		return errNoPong
	case l.pingAt == 0 && l.now-l.heardAt > core.MonoNs(l.cfg.Silence) && l.owed >= owedMost:
		l.pingAt = l.now // those that are out will do: any byte answers
	case l.pingAt == 0 && l.now-l.heardAt > core.MonoNs(l.cfg.Silence) && l.maySend():
		l.owed++
		l.pings++
		var b [20]byte
		if err := l.conn.SendPing(strconv.AppendUint(b[:0], l.pings, 10)); err != nil {
			return err
		}
		l.sent()
		l.pingAt = l.now
		l.status.pingsSent.Add(1)
	case l.now > l.rotateAt && l.leaving == nil:
		l.status.rotations.Add(1)
		if !l.expected(errRotate) {
			return errRotate
		}
	case l.pingAt != 0 && l.now-l.pingAt > core.MonoNs(l.cfg.PongWithin)/3:
		l.expected(errNoPong) // it may yet answer; its successor is made all the same
	}
	return nil
}

// maySend keeps our messages inside the venue's allowance.
func (l *line) maySend() bool { return l.lastSend == 0 || l.now-l.lastSend >= sendEvery }

func (l *line) sent() { l.lastSend = l.now }

// publish makes the state visible to other goroutines.
func (l *line) publish() {
	s := &l.status
	total := l.past
	if l.conn != nil {
		st := l.conn.Stats()
		total.Reads += st.Reads
		total.Bytes += st.Bytes
		total.Messages += st.Messages
		total.Pings += st.Pings
	}
	s.state.Store(uint64(l.state))
	s.leaving.Store(l.leaving != nil)
	s.reads.Store(total.Reads)
	s.bytes.Store(total.Bytes)
	s.messages.Store(total.Messages)
	s.pings.Store(total.Pings)
	s.connectedAt.Store(int64(l.connectedAt))
	s.heardAt.Store(int64(l.heardAt))
}

// snapshot is the status; any goroutine.
func (l *line) snapshot() LineStatus {
	s := &l.status
	out := LineStatus{
		State: State(s.state.Load()), Connects: s.connects.Load(), Connected: s.connected.Load(), Lost: s.lost.Load(),
		Rotations: s.rotations.Load(), Shutdowns: s.shutdowns.Load(), Dead: s.dead.Load(), PingsSent: s.pingsSent.Load(), Pings: s.pings.Load(),
		Bytes: s.bytes.Load(), Reads: s.reads.Load(), Messages: s.messages.Load(),
		ConnectedAt: core.MonoNs(s.connectedAt.Load()), HeardAt: core.MonoNs(s.heardAt.Load()),
	}
	out.Leaving, out.Trouble = s.leaving.Load(), Trouble(s.trouble.Load())
	if e := s.lastError.Load(); e != nil {
		out.LastError = *e
	}
	return out
}

// close ends the line for good: connection, dialing goroutine and all. The loop
// must not be in a Step of it, nor call one later.
func (l *line) close(ctx context.Context) error {
	l.cancel()
	if l.conn != nil {
		_ = l.conn.Close(1000)
		l.conn = nil
	}
	l.state = Closed
	l.connectedAt = 0
	l.publish()
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.wg.Wait()
		select {
		case r := <-l.dialed:
			if r.conn != nil {
				_ = r.conn.NetConn().Close()
			}
		default:
		}
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("cannot close the session: its dial has not ended: %w", ctx.Err())
	}
}
