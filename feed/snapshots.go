package feed

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"riposte/core"
	"riposte/core/book"
	"riposte/core/ring"
)

// SnapshotConfig is a snapshot fetcher's.
type SnapshotConfig struct {
	Instruments *core.Instruments
	Clock       core.Clock
	// Want is read: instruments whose shard asks for a snapshot. Images is
	// written: what came. Both are rings of the loop's.
	Want   *ring.Ring[core.InstrumentID]
	Images *ring.Ring[*book.Image]
	// Fetch gets one body; it is exec's budgeted call and may wait for weight.
	Fetch func(ctx context.Context, symbol string, limit int) ([]byte, error)
	// Parse reads a body in the venue's dialect.
	Parse func(body []byte, id core.InstrumentID, limit int) (*book.Image, error)
	// Limit is how many levels per side to ask for.
	Limit int
	// Priority by instrument, higher first; nil or short: 0. Within a priority who
	// has waited longest comes first.
	Priority []int
	// Parallel is the most fetches at a time, 0: 2; never two of one instrument.
	Parallel               int
	Timeout                time.Duration                 // of one fetch, 0: 15 s
	BackoffMin, BackoffMax time.Duration                 // 0: 250 ms, 30 s
	RetryAfter             func(err error) time.Duration // how long a failure says to stay away; may be nil
	Wake                   func()                        // called when a result has come, to wake a parked loop
	Go                     func(func())                  // starts a goroutine; nil: as Go does
	Seed                   uint64                        // of the jitter
}

// SnapshotStatus is a fetcher as seen from outside.
type SnapshotStatus struct {
	Fetched, Failed   uint64
	Waiting, InFlight int
	LastError         string
}

// Snapshots fetches snapshots on cold goroutines for shards that ask by a ring,
// most important first, and hands the images back by a ring. A fetch that fails
// is repeated after a backoff until it succeeds. One loop goroutine calls Step.
type Snapshots struct {
	cfg      SnapshotConfig
	asked    []ask // by instrument
	waiting  int   // of them waiting
	inFlight int
	order    uint64
	held     *book.Image // found the ring full

	done   chan outcome
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	fetched, failed        atomic.Uint64
	waitingNow, inFlightAt atomic.Int64
	lastError              atomic.Pointer[string]
}

// ask is one instrument's request.
type ask struct {
	state     askState
	order     uint64      // of arrival
	notBefore core.MonoNs // after a failure
	back      backoff
}

type askState uint8

const (
	askIdle askState = iota
	askWaiting
	askInFlight
)

type outcome struct {
	id    core.InstrumentID
	image *book.Image
	err   error
}

// NewSnapshots makes a fetcher; Close ends its fetches.
func NewSnapshots(cfg SnapshotConfig) (*Snapshots, error) {
	switch {
	case cfg.Instruments == nil || cfg.Clock == nil || cfg.Want == nil || cfg.Images == nil || cfg.Fetch == nil || cfg.Parse == nil:
		return nil, errors.New("cannot fetch snapshots: want Instruments, Clock, Want, Images, Fetch and Parse")
	case cfg.Limit <= 0:
		return nil, fmt.Errorf("cannot fetch snapshots: got a limit of %d levels, want at least 1", cfg.Limit)
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
	f := &Snapshots{
		cfg:   cfg,
		asked: make([]ask, len(cfg.Instruments.List)),
		done:  make(chan outcome, cfg.Parallel),
	}
	for i := range f.asked {
		f.asked[i].back = newBackoff(cfg.BackoffMin, cfg.BackoffMax, cfg.Seed+uint64(i))
	}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	return f, nil
}

// Step takes requests, starts fetches and hands images over. The loop's.
func (f *Snapshots) Step() int {
	n := 0
	for p := f.cfg.Want.Pending(); len(p) > 0; p = f.cfg.Want.Pending() {
		for _, id := range p {
			f.ask(id)
		}
		f.cfg.Want.Release(len(p))
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

func (f *Snapshots) ask(id core.InstrumentID) {
	if int(id) >= len(f.asked) || f.asked[id].state != askIdle {
		return // unknown, or on its way already
	}
	a := &f.asked[id]
	f.order++
	a.state, a.order, a.notBefore = askWaiting, f.order, 0
	f.waiting++
}

// start begins the fetch of the most important request that may go.
func (f *Snapshots) start() bool {
	if f.waiting == 0 {
		return false
	}
	now := f.cfg.Clock.Mono()
	best := -1
	for i := range f.asked {
		a := &f.asked[i]
		if a.state != askWaiting || a.notBefore > now {
			continue
		}
		if best < 0 || f.priority(i) > f.priority(best) || (f.priority(i) == f.priority(best) && a.order < f.asked[best].order) {
			best = i
		}
	}
	if best < 0 {
		return false
	}
	f.asked[best].state = askInFlight
	f.waiting--
	f.inFlight++
	id := core.InstrumentID(best)
	f.wg.Add(1)
	f.cfg.Go(func() {
		defer f.wg.Done()
		image, err := f.fetch(id)
		f.done <- outcome{id, image, err} // has room: never more in flight than that
		if f.cfg.Wake != nil {
			f.cfg.Wake()
		}
	})
	return true
}

func (f *Snapshots) priority(i int) int {
	if i < len(f.cfg.Priority) {
		return f.cfg.Priority[i]
	}
	return 0
}

// collect takes results, as long as the images find room.
func (f *Snapshots) collect() (n int) {
	for {
		if f.held != nil {
			slot := f.cfg.Images.Claim()
			if slot == nil {
				return n
			}
			*slot = f.held
			f.cfg.Images.Publish()
			f.held = nil
			n++
		}
		select {
		case r := <-f.done:
			f.inFlight--
			a := &f.asked[r.id]
			if r.err != nil {
				f.repeat(a, r.err)
				n++
				continue
			}
			a.state = askIdle
			a.back.reset()
			f.fetched.Add(1)
			f.held = r.image
		default:
			return n
		}
	}
}

// repeat puts a failed request back.
func (f *Snapshots) repeat(a *ask, err error) {
	f.failed.Add(1)
	s := err.Error()
	f.lastError.Store(&s)
	wait := a.back.next()
	if f.cfg.RetryAfter != nil {
		wait = max(wait, f.cfg.RetryAfter(err))
	}
	a.state, a.notBefore = askWaiting, f.cfg.Clock.Mono()+core.MonoNs(wait)
	f.waiting++
}

// fetch runs on a cold goroutine.
func (f *Snapshots) fetch(id core.InstrumentID) (*book.Image, error) {
	symbol := f.cfg.Instruments.Get(id).Symbol
	ctx, cancel := context.WithTimeout(f.ctx, f.cfg.Timeout)
	defer cancel()
	body, err := f.cfg.Fetch(ctx, symbol, f.cfg.Limit)
	if err != nil {
		return nil, fmt.Errorf("cannot fetch snapshot of %s: %w", symbol, err)
	}
	image, err := f.cfg.Parse(body, id, f.cfg.Limit)
	if err != nil {
		return nil, fmt.Errorf("cannot use snapshot of %s: %w", symbol, err)
	}
	return image, nil
}

// Status is the fetcher as seen from outside; any goroutine.
func (f *Snapshots) Status() SnapshotStatus {
	s := SnapshotStatus{
		Fetched: f.fetched.Load(), Failed: f.failed.Load(),
		Waiting: int(f.waitingNow.Load()), InFlight: int(f.inFlightAt.Load()),
	}
	if e := f.lastError.Load(); e != nil {
		s.LastError = *e
	}
	return s
}

// Close ends the fetches under way and the goroutines. The loop must have stopped
// calling Step.
func (f *Snapshots) Close(ctx context.Context) error {
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
		return fmt.Errorf("cannot close the snapshot fetcher: a fetch has not ended: %w", ctx.Err())
	}
}
