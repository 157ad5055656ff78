package feed

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"riposte/core/ring"
)

// errands are the cold goroutines of a loop that asks the venue: what was asked is fetched
// beside the loop, at most so many at a time, and what came is handed back by a ring, in the
// order in which it came. Which errand goes next, and what becomes of one that failed, is its
// owner's to say. The loop's, but for what is atomic.
type errands[J, R any] struct {
	cfg      errandConfig
	fetch    func(ctx context.Context, j J) (R, error) // on a cold goroutine
	out      *ring.Ring[R]
	held     R // found the ring full
	holds    bool
	inFlight int

	done   chan errand[J, R]
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	failed                 atomic.Uint64
	waitingNow, inFlightAt atomic.Int64
	lastError              atomic.Pointer[string]
}

// errandConfig is what the owners' configurations have in common; see SnapshotConfig.
type errandConfig struct {
	parallel               int
	timeout                time.Duration
	backoffMin, backoffMax time.Duration
	retryAfter             func(err error) time.Duration
	wake                   func()
	spawn                  func(func())
}

// errand is one that has ended.
type errand[J, R any] struct {
	job    J
	result R
	err    error
}

func newErrands[J, R any](cfg errandConfig, out *ring.Ring[R], fetch func(context.Context, J) (R, error)) *errands[J, R] {
	if cfg.parallel <= 0 {
		cfg.parallel = 2
	}
	if cfg.timeout <= 0 {
		cfg.timeout = 15 * time.Second
	}
	if cfg.backoffMin <= 0 {
		cfg.backoffMin = 250 * time.Millisecond
	}
	if cfg.backoffMax < cfg.backoffMin {
		cfg.backoffMax = max(30*time.Second, cfg.backoffMin)
	}
	if cfg.spawn == nil {
		cfg.spawn = func(f func()) { go f() }
	}
	e := &errands[J, R]{cfg: cfg, fetch: fetch, out: out, done: make(chan errand[J, R], cfg.parallel)}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	return e
}

func (e *errands[J, R]) backoff(seed uint64) Backoff {
	return NewBackoff(e.cfg.backoffMin, e.cfg.backoffMax, seed)
}

// idle reports whether nothing is under way or waits for the ring.
func (e *errands[J, R]) idle() bool { return e.inFlight == 0 && !e.holds }

// free reports whether one more may begin.
func (e *errands[J, R]) free() bool { return e.inFlight < e.cfg.parallel }

// begin sends somebody.
func (e *errands[J, R]) begin(j J) {
	e.inFlight++
	e.wg.Add(1)
	e.cfg.spawn(func() {
		defer e.wg.Done()
		ctx, cancel := context.WithTimeout(e.ctx, e.cfg.timeout)
		defer cancel()
		r, err := e.fetch(ctx, j)
		e.done <- errand[J, R]{j, r, err} // has room: never more in flight than that
		if e.cfg.wake != nil {
			e.cfg.wake()
		}
	})
}

// collect takes what has come, as long as it finds room; ended says whether the result is
// to be handed on.
func (e *errands[J, R]) collect(ended func(*errand[J, R]) bool) (n int) {
	for {
		if e.holds {
			slot := e.out.Claim()
			if slot == nil {
				return n
			}
			var none R
			*slot = e.held
			e.out.Publish()
			e.held, e.holds = none, false
			n++
		}
		select {
		case r := <-e.done:
			e.inFlight--
			if n++; ended(&r) {
				e.held, e.holds = r.result, true
			}
		default:
			return n
		}
	}
}

// note keeps a failure for whoever looks, and returns how long to stay away at least.
func (e *errands[J, R]) note(err error) time.Duration {
	e.failed.Add(1)
	s := err.Error()
	e.lastError.Store(&s)
	if e.cfg.retryAfter == nil {
		return 0
	}
	return e.cfg.retryAfter(err)
}

// show makes the loop's counts visible.
func (e *errands[J, R]) show(waiting int) {
	e.waitingNow.Store(int64(waiting))
	e.inFlightAt.Store(int64(e.inFlight))
}

func (e *errands[J, R]) trouble() string {
	if s := e.lastError.Load(); s != nil {
		return *s
	}
	return ""
}

// close ends what is under way and the goroutines. The loop no longer calls anything.
func (e *errands[J, R]) close(ctx context.Context, what string) error {
	e.cancel()
	done := make(chan struct{})
	go func() {
		e.wg.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("cannot close %s: a fetch has not ended: %w", what, ctx.Err())
	}
}

// rank is an instrument's priority, 0 where none is told.
func rank(list []int, id int) int {
	if id < len(list) {
		return list[id]
	}
	return 0
}

// drained hands each of a ring's requests to take.
func drained[T any](r *ring.Ring[T], take func(*T)) (n int) {
	for p := r.Pending(); len(p) > 0; p = r.Pending() {
		for i := range p {
			take(&p[i])
		}
		r.Release(len(p))
		n += len(p)
	}
	return n
}
