package feed

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"riposte/core"
	"riposte/feed/ws"
)

// UserHandler hears what an account's connection says. It is called on the loop
// goroutine, within Step; what it is given is valid during the call.
type UserHandler interface {
	// OnExecution is one event of one order, of whoever's.
	OnExecution(e *core.Execution)
	// OnBalances are absolute balances of some assets as of a venue time.
	OnBalances(bs []core.Balance, at core.WallNs)
	// OnExternal is money that came or went without a trade.
	OnExternal(asset core.AssetID, delta core.Amount, at core.WallNs)
	// OnUserUp: the subscription is confirmed. What happened before is not told.
	OnUserUp()
	// OnUserDown: the subscription is over. It follows each OnUserUp once.
	OnUserDown(reason string)
}

// UserConfig is an account session's.
type UserConfig struct {
	LineConfig
	Codec   UserCodec
	Handler UserHandler
	// Subscribe appends the signed request for the user data subscription, with
	// that id and a fresh timestamp, to dst: the session never sees a key.
	Subscribe func(dst []byte, id int64) []byte
	// OnClockRefused, if set, is called when the venue says that our time is off,
	// before the next attempt.
	OnClockRefused func()
	// Silent, if set, reports whether the venue has demanded that nothing is sent now; the
	// subscription waits for the end of that.
	Silent func() bool
	// Batch is the most frames that one Step decodes. 0: 32.
	Batch int
	// Successor: where a connection's end is known beforehand, Status says Leaving and
	// it goes on; its owner makes another session and closes this one. Without it the
	// session itself makes the next connection after the end.
	Successor bool
}

// UserStatus is an account session as seen from outside.
type UserStatus struct {
	LineStatus
	Kinds     [UserKinds]uint64
	Ups       uint64      // subscriptions confirmed
	LastEvent core.MonoNs // when the newest event had been read
}

// UserSession is the connection that brings an account's own events. Each
// connection subscribes anew by a signed request; there is no key to keep alive,
// and nothing of an old connection is taken for granted on a new one. One loop
// goroutine calls Step.
type UserSession struct {
	line
	codec     UserCodec
	handler   UserHandler
	subscribe func(dst []byte, id int64) []byte
	onClock   func()
	silent    func() bool
	batch     int
	request   []byte
	id        int64       // of the request in flight
	sentAt    core.MonoNs // 0: not sent on this connection
	up        bool
	kinds     [UserKinds]uint64
	ups       uint64
	lastEvent core.MonoNs

	shared struct {
		kinds     [UserKinds]atomic.Uint64
		ups       atomic.Uint64
		lastEvent atomic.Int64
	}
}

// NewUserSession makes a session that will dial at the first Step. An account's
// connection is silent by nature, and its death must be noticed within seconds:
// Silence and PongWithin default to 3 s and 2 s here.
func NewUserSession(cfg UserConfig) (*UserSession, error) {
	if cfg.Codec == nil || cfg.Handler == nil || cfg.Subscribe == nil {
		return nil, errors.New("cannot open a user session: want Codec, Handler and Subscribe")
	}
	if cfg.Silence == 0 {
		cfg.Silence = 3 * time.Second
	}
	if cfg.PongWithin == 0 {
		cfg.PongWithin = 2 * time.Second
	}
	u := &UserSession{codec: cfg.Codec, handler: cfg.Handler, subscribe: cfg.Subscribe, onClock: cfg.OnClockRefused, silent: cfg.Silent, batch: cfg.Batch}
	if u.batch <= 0 {
		u.batch = 32
	}
	if err := u.line.init(cfg.LineConfig); err != nil {
		return nil, err
	}
	u.successor = cfg.Successor
	u.sole = true
	u.publish()
	return u, nil
}

// Step does what there is to do without waiting and returns how much that was.
func (u *UserSession) Step() int {
	if u.conn == nil {
		if u.state >= Refused {
			return 0
		}
		u.now = u.cfg.Clock.Mono()
		if !u.connect() {
			return 0
		}
		u.sentAt = 0
		u.timers()
		return 1
	}
	n := 0
	for n < u.batch {
		b, _, err := u.conn.Next()
		if err != nil {
			if !errors.Is(err, ws.ErrNoData) {
				u.lost(err, false)
				return n + 1
			}
			break
		}
		n++
		u.frame(b)
		if u.conn == nil {
			return n
		}
	}
	if u.now = u.cfg.Clock.Mono(); u.due() {
		u.timers()
	}
	return n
}

func (u *UserSession) timers() {
	if u.sentAt == 0 && u.silent != nil && u.silent() {
		// The venue has demanded silence: the connection stays, the request waits.
		if err := u.watch(); err != nil {
			u.lost(err, errors.Is(err, errRotate))
			return
		}
		u.share()
		return
	}
	if u.sentAt == 0 {
		u.id++
		u.request = u.subscribe(u.request[:0], u.id)
		err := u.conn.SendText(u.request)
		clear(u.request) // it holds an API key and a signature
		if err != nil {
			u.lost(err, false)
			return
		}
		u.sentAt = u.now
		u.sent()
	}
	if !u.up && u.now-u.sentAt > core.MonoNs(u.cfg.ReplyWithin) {
		u.lost(fmt.Errorf("user data subscription was not answered within %v", u.cfg.ReplyWithin), false)
		return
	}
	if err := u.watch(); err != nil {
		u.lost(err, errors.Is(err, errRotate))
		return
	}
	u.share()
}

func (u *UserSession) frame(b []byte) {
	ev, kind := u.codec.Decode(b)
	u.kinds[kind]++
	at := core.MonoNs(u.conn.Stamp())
	switch kind {
	case UserExecution:
		u.lastEvent = at
		ev.Execution.Recv = at
		u.handler.OnExecution(&ev.Execution)
	case UserBalances:
		u.lastEvent = at
		u.handler.OnBalances(ev.Balances, ev.Time)
	case UserDelta:
		u.lastEvent = at
		u.handler.OnExternal(ev.Delta.Asset, ev.Delta.Free, ev.Time)
	case UserReplied:
		u.replied(&ev.Reply)
	case UserTerminated:
		u.lost(errors.New("venue terminated the user data subscription"), false)
	case UserShutdown:
		u.status.shutdowns.Add(1)
		if !u.expected(errShutdown) {
			u.lost(errShutdown, true)
		}
	case UserMalformed:
		// It may have been a fill. Only a subscription that starts over, and the
		// audit that follows it, makes sure that nothing is missing.
		u.lost(errors.New("venue sent an account event that cannot be read"), false)
	}
}

// replied takes the answer to the subscription.
func (u *UserSession) replied(r *UserReply) {
	switch {
	case r.HasID && r.ID != u.id:
	case r.Status == 200:
		if !u.up {
			u.up = true
			u.ups++
			u.live()
			u.share()
			u.handler.OnUserUp()
		}
	case u.codec.KeyRefused(r.Code):
		u.lost(fmt.Errorf("venue refuses the key: status %d, code %d %q", r.Status, r.Code, r.Msg), false)
		u.state = Refused
		u.publish()
	default:
		if u.codec.ClockRefused(r.Code) && u.onClock != nil {
			u.onClock()
		}
		wait := r.RetryAfter
		u.lost(fmt.Errorf("venue refused the user data subscription: status %d, code %d %q", r.Status, r.Code, r.Msg), false)
		if wait > 0 {
			u.until = max(u.until, u.now+core.MonoNs(wait))
			u.silenced(r.Status, wait)
		}
	}
}

// lost ends the connection and says so once.
func (u *UserSession) lost(err error, atOnce bool) {
	u.now = u.cfg.Clock.Mono()
	u.drop(err, atOnce)
	u.share()
	if u.up {
		u.up = false
		u.handler.OnUserDown(err.Error())
	}
}

func (u *UserSession) share() {
	for i := range u.kinds {
		u.shared.kinds[i].Store(u.kinds[i])
	}
	u.shared.ups.Store(u.ups)
	u.shared.lastEvent.Store(int64(u.lastEvent))
}

// Status is the session as seen from outside; any goroutine.
func (u *UserSession) Status() UserStatus {
	s := UserStatus{LineStatus: u.line.snapshot(), Ups: u.shared.ups.Load(), LastEvent: core.MonoNs(u.shared.lastEvent.Load())}
	for i := range s.Kinds {
		s.Kinds[i] = u.shared.kinds[i].Load()
	}
	return s
}

// Close ends the session for good. The loop must have stopped calling Step. The
// handler is told, if the subscription was up.
func (u *UserSession) Close(ctx context.Context) error {
	err := u.line.close(ctx)
	u.share()
	if u.up {
		u.up = false
		u.handler.OnUserDown("session closed")
	}
	return err
}
