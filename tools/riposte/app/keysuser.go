package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"riposte/core"
	"riposte/feed"

	execbinance "riposte/exec/binance"
)

// userLines are the account's connections: the one in force and, while the key changes,
// the next one beside it, which has to be up before the old one goes. Both tell the same
// events meanwhile. The order table takes evidence any number of times and balances are
// absolute; only money that came or went without a trade would count twice, so that is
// taken from whichever tells it first.
//
// current and next are the engine thread's; others ask for a change of them.
type userLines struct {
	open          func(key *execbinance.Key) (*userLine, error)
	wake          func()
	current, next *userLine
	wanted        atomic.Pointer[linesWanted]
	shown         atomic.Pointer[userLine] // current, for others to look at
	told          []external
}

// linesWanted is what current and next shall be.
type linesWanted struct {
	current, next *userLine
	done          chan struct{}
}

// userLine is one connection and the key that it subscribes with. It hands on what the
// connection says, as far as it is in force.
type userLine struct {
	feed.UserHandler // for executions and balances, from either connection
	lines            *userLines
	session          *feed.UserSession
	signer           *execbinance.WSSigner
	up               atomic.Bool
}

// external is money that came or went. The venue gives it no id, so it is told from
// another by its asset, amount and instant.
type external struct {
	asset core.AssetID
	delta core.Amount
	at    core.WallNs
}

// toldMost is how many of these are remembered: copies come within seconds.
const toldMost = 32

// Step steps the connections. Engine thread.
func (l *userLines) Step() int {
	n := 0
	if w := l.wanted.Load(); w != nil && l.wanted.CompareAndSwap(w, nil) {
		was := l.current.up.Load()
		l.current, l.next = w.current, w.next
		l.shown.Store(l.current)
		switch up := l.current.up.Load(); {
		case up && !was: // the old one ended before it was replaced
			l.current.UserHandler.OnUserUp()
		case was && !up:
			l.current.UserHandler.OnUserDown("the account's connection ended while it took over")
		}
		close(w.done)
		n++
	}
	n += l.current.session.Step()
	if l.next != nil {
		n += l.next.session.Step()
	}
	return n
}

// set has the engine thread take over what shall be current and next. After an error
// nothing has changed. Any goroutine, one at a time.
func (l *userLines) set(ctx context.Context, current, next *userLine) error {
	w := &linesWanted{current, next, make(chan struct{})}
	l.wanted.Store(w)
	l.wake()
	select {
	case <-w.done:
		return nil
	case <-ctx.Done():
	}
	if l.wanted.CompareAndSwap(w, nil) {
		return fmt.Errorf("the loop did not take the account connection over: %w", ctx.Err())
	}
	<-w.done
	return nil
}

// Status is that of the connection in force; any goroutine.
func (l *userLines) Status() feed.UserStatus { return l.shown.Load().session.Status() }

// Close ends what is open. Step must no longer be called.
func (l *userLines) Close(ctx context.Context) error {
	err := l.current.close(ctx)
	if l.next != nil {
		err = errors.Join(err, l.next.close(ctx))
	}
	return err
}

// close ends a connection that Step no longer steps.
func (u *userLine) close(ctx context.Context) error {
	err := u.session.Close(ctx)
	u.signer.Wipe()
	return err
}

// OnUserUp is handed on by the connection in force; the next one has no gap to tell of.
func (u *userLine) OnUserUp() {
	u.up.Store(true)
	if u == u.lines.current {
		u.UserHandler.OnUserUp()
	}
}

// OnUserDown likewise: a connection that has been replaced is missed by nobody.
func (u *userLine) OnUserDown(reason string) {
	u.up.Store(false)
	if u == u.lines.current {
		u.UserHandler.OnUserDown(reason)
	}
}

// OnExternal hands money on once, whichever connection tells of it first, and however
// often.
func (u *userLine) OnExternal(asset core.AssetID, delta core.Amount, at core.WallNs) {
	l, e := u.lines, external{asset, delta, at}
	if slices.Contains(l.told, e) {
		return
	}
	if len(l.told) == toldMost {
		l.told = slices.Delete(l.told, 0, 1)
	}
	l.told = append(l.told, e)
	u.UserHandler.OnExternal(asset, delta, at)
}

// userHolder changes the key of the account's connection: make, then break.
type userHolder struct {
	d    *desk
	next *userLine
}

func (h *userHolder) prepare(ctx context.Context, key *execbinance.Key) (err error) {
	l := h.d.user
	if h.next, err = l.open(key); err != nil {
		return err
	}
	if err := l.set(ctx, l.shown.Load(), h.next); err != nil {
		return errors.Join(err, h.next.close(ctx))
	}
	failed := func() bool { return h.next.session.Status().State == feed.Refused }
	until(ctx, func() bool { return h.next.up.Load() || failed() })
	if !h.next.up.Load() {
		h.abort()
		return fmt.Errorf("account connection is not up with it%s", because(h.next.session.Status().LastError))
	}
	return nil
}

func (h *userHolder) commit(ctx context.Context) error {
	old := h.d.user.shown.Load()
	if err := h.d.user.set(ctx, h.next, nil); err != nil {
		return err
	}
	_ = old.close(ctx) // it is no longer needed, however it ends
	return nil
}

func (h *userHolder) abort() {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	if h.d.user.set(ctx, h.d.user.shown.Load(), nil) == nil {
		_ = h.next.close(ctx)
	}
}
