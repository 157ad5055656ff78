package feed

import (
	"context"
	"errors"
	"fmt"
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
	cfg     BackfillConfig
	asked   []question // by instrument
	waiting int        // of them waiting
	order   uint64
	flying  int         // weight of what is under way
	startAt core.MonoNs // no fetch begins before

	errands *errands[trail.Ask, *trail.Answer]
	fetched [3]atomic.Uint64
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

// NewBackfill makes a backfill that waits for questions; Close ends what it fetches.
func NewBackfill(cfg BackfillConfig) (*Backfill, error) {
	if cfg.Instruments == nil || cfg.Clock == nil || cfg.Asks == nil || cfg.Answers == nil || cfg.Fetch == nil || cfg.Parse == nil {
		return nil, errors.New("cannot fill holes: want Instruments, Clock, Asks, Answers, Fetch and Parse")
	}
	f := &Backfill{cfg: cfg, asked: make([]question, len(cfg.Instruments.List))}
	f.errands = newErrands(errandConfig{cfg.Parallel, cfg.Timeout, cfg.BackoffMin, cfg.BackoffMax, cfg.RetryAfter, cfg.Wake, cfg.Go}, cfg.Answers, f.fetch)
	for i := range f.asked {
		f.asked[i].back = f.errands.backoff(cfg.Seed + uint64(i))
	}
	return f, nil
}

// Step takes questions, starts fetches and hands answers over. The loop's.
func (f *Backfill) Step() int {
	n := drained(f.cfg.Asks, f.ask)
	if f.waiting == 0 && f.errands.idle() {
		return n
	}
	n += f.errands.collect(f.finish)
	for f.errands.free() && f.start() {
		n++
	}
	f.errands.show(f.waiting)
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
	f.errands.begin(q.ask)
	return true
}

func (f *Backfill) priority(i int) int { return rank(f.cfg.Priority, i) }

// finish takes what a fetch brought.
func (f *Backfill) finish(r *errand[trail.Ask, *trail.Answer]) bool {
	q := &f.asked[r.job.Instrument]
	q.flying = false
	f.flying -= q.weight
	if r.err == nil {
		f.fetched[r.job.Kind].Add(1)
		q.back.Reset()
		q.notBefore = 0
		return true
	}
	wait := max(q.back.Next(), f.errands.note(r.err))
	q.notBefore = f.cfg.Clock.Mono() + core.MonoNs(wait)
	if !q.waits { // else a newer question took its place
		q.waits = true
		f.waiting++
	}
	return false
}

// fetch runs on a cold goroutine.
func (f *Backfill) fetch(ctx context.Context, a trail.Ask) (*trail.Answer, error) {
	symbol := f.cfg.Instruments.Get(a.Instrument).Symbol
	body, err := f.cfg.Fetch(ctx, symbol, &a)
	if err != nil {
		return nil, fmt.Errorf("cannot fetch %s of %s: %w", a.Kind, symbol, err)
	}
	answer, err := f.cfg.Parse(body, &a)
	if err != nil {
		return nil, fmt.Errorf("cannot use %s of %s: %w", a.Kind, symbol, err)
	}
	return answer, nil
}

// Status is the backfill as seen from outside; any goroutine.
func (f *Backfill) Status() BackfillStatus {
	e := f.errands
	return BackfillStatus{Trades: f.fetched[trail.AskTrades].Load(), Aggs: f.fetched[trail.AskAggs].Load(), Klines: f.fetched[trail.AskKlines].Load(),
		Failed: e.failed.Load(), Waiting: int(e.waitingNow.Load()), InFlight: int(e.inFlightAt.Load()), LastError: e.trouble()}
}

// Close ends the fetches under way and the goroutines. The loop must have stopped
// calling Step.
func (f *Backfill) Close(ctx context.Context) error { return f.errands.close(ctx, "the backfill") }
