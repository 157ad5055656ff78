package feed

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"riposte/core"
	"riposte/core/ring"
	"riposte/core/trail"
)

// BackfillConfig is a backfill's.
type BackfillConfig struct {
	Instruments *core.Instruments
	Clock       core.Clock
	// Asks is read: what trails want to know. Answers is written. Both are rings of the
	// loop's.
	Asks    *ring.Ring[trail.Ask]
	Answers *ring.Ring[*trail.Answer]
	// Fetch gets one body; it is exec's budgeted call and may wait for weight.
	Fetch func(ctx context.Context, symbol string, a *trail.Ask) ([]byte, error)
	// Parse reads a body in the venue's dialect.
	Parse func(body []byte, a *trail.Ask) (*trail.Answer, error)
	// Weight is what a question costs, Room what of the venue's allowance may be spent on
	// questions now. Both nil: nobody counts.
	Weight func(a *trail.Ask) int
	Room   func() int
	// Priority by instrument, higher first; nil or short: 0. Within a priority who has
	// waited longest comes first.
	Priority []int
	// Parallel is the most fetches at a time, 0: 2; never two of one instrument.
	Parallel               int
	Timeout                time.Duration                 // of one fetch, 0: 15 s
	BackoffMin, BackoffMax time.Duration                 // 0: 250 ms, 30 s
	RetryAfter             func(err error) time.Duration // how long a failure says to stay away; may be nil
	Wake                   func()                        // called when an answer has come, to wake a parked loop
	Go                     func(func())                  // starts a goroutine; nil: as Go does
	Seed                   uint64                        // of the jitter
}

// BackfillStatus is a backfill as seen from outside.
type BackfillStatus struct {
	Trades, Aggs, Klines uint64 // questions answered, by kind
	Failed               uint64
	Waiting, InFlight    int
	LastError            string
}

// Backfill asks the venue's memory what trails have missed, on cold goroutines, and
// hands the answers back by a ring. A question that fails is repeated after a backoff
// until it is answered or another one of its instrument takes its place. One loop
// goroutine calls Step.
type Backfill struct {
	cfg      BackfillConfig
	asked    []question // by instrument
	waiting  int        // of them waiting
	inFlight int
	order    uint64
	held     *trail.Answer // found the ring full
	flying   int           // weight of what is under way
	startAt  core.MonoNs   // no fetch begins before

	done   chan answered
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	fetched                [3]atomic.Uint64
	failed                 atomic.Uint64
	waitingNow, inFlightAt atomic.Int64
	lastError              atomic.Pointer[string]
}

// question is one instrument's newest.
type question struct {
	ask       trail.Ask
	waits     bool
	flying    bool
	weight    int    // of what is under way
	order     uint64 // of arrival
	notBefore core.MonoNs
	back      Backoff
}

type answered struct {
	ask    trail.Ask
	answer *trail.Answer
	err    error
}

// NewBackfill makes a backfill that waits for questions; Close ends what it fetches.
func NewBackfill(cfg BackfillConfig) (*Backfill, error) {
	if cfg.Instruments == nil || cfg.Clock == nil || cfg.Asks == nil || cfg.Answers == nil || cfg.Fetch == nil || cfg.Parse == nil {
		return nil, errors.New("cannot fill holes: want Instruments, Clock, Asks, Answers, Fetch and Parse")
	}
	if cfg.Parallel <= 0 {
		cfg.Parallel = 2
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = 15 * time.Second
	}
	if cfg.BackoffMin <= 0 {
		cfg.BackoffMin = 250 * time.Millisecond
	}
	if cfg.BackoffMax < cfg.BackoffMin {
		cfg.BackoffMax = max(30*time.Second, cfg.BackoffMin)
	}
	if cfg.Go == nil {
		cfg.Go = func(f func()) { go f() }
	}
	f := &Backfill{cfg: cfg, asked: make([]question, len(cfg.Instruments.List)), done: make(chan answered, cfg.Parallel)}
	for i := range f.asked {
		f.asked[i].back = NewBackoff(cfg.BackoffMin, cfg.BackoffMax, cfg.Seed+uint64(i))
	}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	return f, nil
}

// Step takes questions, starts fetches and hands answers over. The loop's.
func (f *Backfill) Step() int {
	n := 0
	for p := f.cfg.Asks.Pending(); len(p) > 0; p = f.cfg.Asks.Pending() {
		for i := range p {
			f.ask(&p[i])
		}
		f.cfg.Asks.Release(len(p))
		n += len(p)
	}
	if f.waiting == 0 && f.inFlight == 0 && f.held == nil {
		return n
	}
	n += f.collect()
	for f.inFlight < f.cfg.Parallel && f.start() {
		n++
	}
	f.waitingNow.Store(int64(f.waiting))
	f.inFlightAt.Store(int64(f.inFlight))
	return n
}

// ask takes a question; an older one of the same instrument no longer stands.
func (f *Backfill) ask(a *trail.Ask) {
	if int(a.Instrument) >= len(f.asked) {
		return
	}
	q := &f.asked[a.Instrument]
	if !q.waits {
		q.waits = true
		f.waiting++
	}
	f.order++
	q.ask, q.order = *a, f.order
}

// roomAgain is when to look again whether there is weight.
const roomAgain = core.MonoNs(20 * time.Millisecond)

// start begins the fetch of the most important question that may go.
func (f *Backfill) start() bool {
	if f.waiting == 0 {
		return false
	}
	now := f.cfg.Clock.Mono()
	if now < f.startAt {
		return false
	}
	best := -1
	for i := range f.asked {
		q := &f.asked[i]
		if !q.waits || q.flying || q.notBefore > now {
			continue
		}
		if best < 0 || f.priority(i) > f.priority(best) || (f.priority(i) == f.priority(best) && q.order < f.asked[best].order) {
			best = i
		}
	}
	if best < 0 {
		return false
	}
	q := &f.asked[best]
	weight := 0
	if f.cfg.Room != nil {
		if weight = f.cfg.Weight(&q.ask); f.cfg.Room()-f.flying < weight {
			f.startAt = now + roomAgain
			return false
		}
	}
	f.flying += weight
	q.waits, q.flying, q.weight = false, true, weight
	f.waiting--
	f.inFlight++
	a := q.ask
	f.wg.Add(1)
	f.cfg.Go(func() {
		defer f.wg.Done()
		answer, err := f.fetch(&a)
		f.done <- answered{a, answer, err} // has room: never more in flight than that
		if f.cfg.Wake != nil {
			f.cfg.Wake()
		}
	})
	return true
}

func (f *Backfill) priority(i int) int {
	if i < len(f.cfg.Priority) {
		return f.cfg.Priority[i]
	}
	return 0
}

// collect takes answers, as long as they find room.
func (f *Backfill) collect() (n int) {
	for {
		if f.held != nil {
			slot := f.cfg.Answers.Claim()
			if slot == nil {
				return n
			}
			*slot = f.held
			f.cfg.Answers.Publish()
			f.held = nil
		}
		select {
		case r := <-f.done:
			f.inFlight--
			n++
			f.finish(&r)
		default:
			return n
		}
	}
}

// finish takes what a fetch brought.
func (f *Backfill) finish(r *answered) {
	q := &f.asked[r.ask.Instrument]
	q.flying = false
	f.flying -= q.weight
	if r.err == nil {
		f.fetched[r.ask.Kind].Add(1)
		q.back.Reset()
		q.notBefore = 0
		f.held = r.answer
		return
	}
	f.failed.Add(1)
	s := r.err.Error()
	f.lastError.Store(&s)
	wait := q.back.Next()
	if f.cfg.RetryAfter != nil {
		wait = max(wait, f.cfg.RetryAfter(r.err))
	}
	q.notBefore = f.cfg.Clock.Mono() + core.MonoNs(wait)
	if !q.waits { // else a newer question took its place
		q.waits = true
		f.waiting++
	}
}

// fetch runs on a cold goroutine.
func (f *Backfill) fetch(a *trail.Ask) (*trail.Answer, error) {
	ctx, cancel := context.WithTimeout(f.ctx, f.cfg.Timeout)
	defer cancel()
	symbol := f.cfg.Instruments.Get(a.Instrument).Symbol
	body, err := f.cfg.Fetch(ctx, symbol, a)
	if err != nil {
		return nil, fmt.Errorf("cannot fetch %s of %s: %w", a.Kind, symbol, err)
	}
	answer, err := f.cfg.Parse(body, a)
	if err != nil {
		return nil, fmt.Errorf("cannot use %s of %s: %w", a.Kind, symbol, err)
	}
	return answer, nil
}

// Status is the backfill as seen from outside; any goroutine.
func (f *Backfill) Status() BackfillStatus {
	s := BackfillStatus{Trades: f.fetched[trail.AskTrades].Load(), Aggs: f.fetched[trail.AskAggs].Load(), Klines: f.fetched[trail.AskKlines].Load(),
		Failed: f.failed.Load(), Waiting: int(f.waitingNow.Load()), InFlight: int(f.inFlightAt.Load())}
	if e := f.lastError.Load(); e != nil {
		s.LastError = *e
	}
	return s
}

// Close ends the fetches under way and the goroutines. The loop must have stopped
// calling Step.
func (f *Backfill) Close(ctx context.Context) error {
	f.cancel()
	done := make(chan struct{})
	go func() {
		f.wg.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("cannot close the backfill: a fetch has not ended: %w", ctx.Err())
	}
}
