package feed

import (
	"context"
	"errors"
	"fmt"
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
	// Want is read: what the shard asks for. Images is written: what came. Both are
	// rings of the loop's.
	Want   *ring.Ring[book.Want]
	Images *ring.Ring[*book.Image]
	// Fetch gets one body; it is exec's budgeted call and may wait for weight.
	Fetch func(ctx context.Context, symbol string, limit int) ([]byte, error)
	// Parse reads a body in the venue's dialect.
	Parse func(body []byte, id core.InstrumentID, limit int) (*book.Image, error)
	// Limit is how many levels per side to ask for. First, if not 0, is how many where a
	// book waits for it and the allowance does not suffice for all with Limit.
	Limit, First int
	// Weight is what a snapshot of so many levels costs, Room what of the venue's
	// allowance may be spent on a snapshot for that purpose now, and how long until that
	// is more. Both nil: nobody counts.
	Weight func(limit int) int
	Room   func(p book.Purpose) (weight int, more time.Duration)
	// AuditPace is the time between two snapshots for audits for each unit of weight of
	// the first; 0: none.
	AuditPace time.Duration
	// Urgent says by instrument who gets Limit levels at once if only there is weight for
	// the others' First; nil or short: nobody.
	Urgent []bool
	// Priority by instrument, higher first; nil or short: 0. Within a purpose and a
	// priority who has waited longest comes first.
	Priority []int
	// Parallel is the most fetches at a time, 0: 2; never two of one instrument.
	Parallel               int
	Timeout                time.Duration                 // of one fetch, 0: 15 s
	BackoffMin, BackoffMax time.Duration                 // 0: 250 ms, 30 s
	RetryAfter             func(err error) time.Duration // how long a failure says to stay away; may be nil
	// Refused says that a failure is the venue's word on this symbol alone, and will not
	// pass soon: the symbol is set aside for AsideFor (0: 10 min), the others go on. May
	// be nil.
	Refused  func(err error) bool
	AsideFor time.Duration
	Wake     func()       // called when a result has come, to wake a parked loop
	Go       func(func()) // starts a goroutine; nil: as Go does
	Seed     uint64       // of the jitter
}

// SnapshotStatus is a fetcher as seen from outside.
type SnapshotStatus struct {
	Fetched, Failed   uint64
	Waiting, InFlight int
	LastError         string
	Aside             []string              // symbols set aside, each with the reason
	Spent             [book.Purposes]uint64 // weight of what was fetched, by purpose
	Got               [book.Purposes]uint64 // and how many
}

// Snapshots fetches snapshots on cold goroutines for shards that ask by a ring,
// most urgent and then most important first, at most one of an instrument at a time,
// and hands the images back by a ring. A fetch that fails is repeated after a backoff
// until it succeeds; so is one whose image was of no use. One loop goroutine calls
// Step.
type Snapshots struct {
	cfg     SnapshotConfig
	asked   []ask // by instrument
	waiting int   // of them waiting
	flying  int   // weight of those under way
	down    int   // books that are not Live, as the shard said last
	order   uint64
	startAt core.MonoNs // nothing can start before
	auditAt core.MonoNs // no audit's before

	errands    *errands[job, *book.Image]
	fetched    atomic.Uint64
	aside      atomic.Pointer[[]string]
	spent, got [book.Purposes]atomic.Uint64
}

// ask is one instrument's request.
type ask struct {
	state     askState
	purpose   book.Purpose
	levels    int         // that suffice, 0: Limit
	order     uint64      // of arrival
	notBefore core.MonoNs // after a failure
	back      Backoff
	refused   string // why it is set aside, "" if it is not
}

type askState uint8

const (
	askIdle askState = iota
	askWaiting
	askInFlight
)

type job struct {
	id     core.InstrumentID
	symbol string
	limit  int
	weight int
}

// NewSnapshots makes a fetcher; Close ends its fetches.
func NewSnapshots(cfg SnapshotConfig) (*Snapshots, error) {
	switch {
	case cfg.Instruments == nil || cfg.Clock == nil || cfg.Want == nil || cfg.Images == nil || cfg.Fetch == nil || cfg.Parse == nil:
		return nil, errors.New("cannot fetch snapshots: want Instruments, Clock, Want, Images, Fetch and Parse")
	case (cfg.Weight == nil) != (cfg.Room == nil):
		return nil, errors.New("cannot fetch snapshots: want Weight and Room together or neither")
	case cfg.Limit <= 0:
		return nil, fmt.Errorf("cannot fetch snapshots: got a limit of %d levels, want at least 1", cfg.Limit)
	}
	if cfg.First <= 0 || cfg.First > cfg.Limit {
		cfg.First = cfg.Limit
	}
	if cfg.AsideFor <= 0 {
		cfg.AsideFor = 10 * time.Minute
	}
	f := &Snapshots{cfg: cfg, asked: make([]ask, len(cfg.Instruments.List))}
	f.errands = newErrands(errandConfig{cfg.Parallel, cfg.Timeout, cfg.BackoffMin, cfg.BackoffMax, cfg.RetryAfter, cfg.Wake, cfg.Go}, cfg.Images, f.fetch)
	for i := range f.asked {
		f.asked[i].back = f.errands.backoff(cfg.Seed + uint64(i))
	}
	return f, nil
}

// Step takes requests, starts fetches and hands images over. The loop's.
func (f *Snapshots) Step() int {
	n := drained(f.cfg.Want, f.ask)
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

// ask takes a request. What is on its way already is only made more urgent.
func (f *Snapshots) ask(w *book.Want) {
	if int(w.Instrument) >= len(f.asked) || w.Purpose >= book.Purposes {
		return
	}
	a := &f.asked[w.Instrument]
	if w.Purpose == book.ForBridge {
		f.down = int(w.Down)
	}
	f.startAt = 0
	if a.state != askIdle {
		if w.Purpose < a.purpose {
			a.purpose, a.levels = w.Purpose, int(w.Levels)
		}
		return
	}
	f.order++
	a.state, a.purpose, a.levels, a.order = askWaiting, w.Purpose, int(w.Levels), f.order
	f.waiting++
	switch {
	case w.Again:
		a.notBefore = f.cfg.Clock.Mono() + core.MonoNs(a.back.Next())
	case a.refused == "":
		a.notBefore = 0
		a.back.Reset()
	}
}

// startAgain is how soon a request that cannot start now is looked at again.
const startAgain = core.MonoNs(5 * time.Millisecond)

// start begins the fetch of the most urgent request that may go, if there is weight for
// it: what is less urgent does not pass it by.
func (f *Snapshots) start() bool {
	if f.waiting == 0 {
		return false
	}
	now := f.cfg.Clock.Mono()
	if now < f.startAt {
		return false
	}
	f.startAt = now + startAgain
	best := -1
	for i := range f.asked {
		a := &f.asked[i]
		if a.state != askWaiting || a.notBefore > now || a.purpose == book.ForAudit && f.auditAt > now {
			continue
		}
		if best < 0 || f.before(i, best) {
			best = i
		}
	}
	if best < 0 {
		return false
	}
	a := &f.asked[best]
	limit, weight, wait := f.choose(best)
	if limit == 0 {
		f.startAt = now + core.MonoNs(min(max(wait, time.Millisecond), 100*time.Millisecond))
		return false
	}
	f.startAt = 0
	if a.purpose == book.ForAudit {
		f.auditAt = now + core.MonoNs(weight)*core.MonoNs(f.cfg.AuditPace)
	}
	a.state = askInFlight
	f.waiting--
	f.flying += weight
	id := core.InstrumentID(best)
	f.errands.begin(job{id, f.cfg.Instruments.Get(id).Symbol, limit, weight})
	return true
}

// before reports whether request i goes before request j.
func (f *Snapshots) before(i, j int) bool {
	a, b := &f.asked[i], &f.asked[j]
	switch {
	case a.purpose != b.purpose:
		return a.purpose < b.purpose
	case f.priority(i) != f.priority(j):
		return f.priority(i) > f.priority(j)
	}
	return a.order < b.order
}

// choose is how many levels to ask for, 0 if the allowance has no room now. Of books
// that wait all are to be Live first: an urgent one gets all its levels at once if there
// is then weight left for First of every other that is not Live. The rest, and books that
// are Live anyway, leave beside that as much as it takes to bring back every book once
// more, but for one whose touch is about to leave what it knows.
func (f *Snapshots) choose(i int) (limit, weight int, wait time.Duration) {
	p := f.asked[i].purpose
	limit = f.cfg.Limit
	if n := f.asked[i].levels; n > 0 {
		limit = min(limit, max(f.cfg.First, n+n/8+16)) // it has changed by the time of the snapshot
	}
	if f.cfg.Room == nil {
		return limit, 0, 0
	}
	room, more := f.cfg.Room(p)
	room -= f.flying
	full, first := f.cfg.Weight(limit), f.cfg.Weight(f.cfg.First)
	if p == book.ForBridge {
		others := first * (max(f.down, f.waiting) - 1)
		if i >= len(f.cfg.Urgent) || !f.cfg.Urgent[i] {
			others += first * len(f.asked)
		}
		if room-full < others {
			if room < first {
				return 0, 0, more
			}
			return f.cfg.First, first, 0
		}
	}
	if p > book.ForEdge {
		room -= len(f.asked) * first
	}
	if room < full {
		return 0, 0, more
	}
	return limit, full, 0
}

func (f *Snapshots) priority(i int) int { return rank(f.cfg.Priority, i) }

// finish takes what a fetch brought.
func (f *Snapshots) finish(r *errand[job, *book.Image]) bool {
	f.flying -= r.job.weight
	f.startAt = 0
	a := &f.asked[r.job.id]
	if r.err != nil {
		f.repeat(a, r.err)
		return false
	}
	f.restore(a)
	a.state = askIdle
	f.fetched.Add(1)
	f.got[a.purpose].Add(1)
	f.spent[a.purpose].Add(uint64(r.job.weight))
	r.result.Purpose = a.purpose
	return true
}

// repeat puts a failed request back.
func (f *Snapshots) repeat(a *ask, err error) {
	wait := max(a.back.Next(), f.errands.note(err))
	if f.cfg.Refused != nil && f.cfg.Refused(err) {
		wait = max(wait, f.cfg.AsideFor)
		a.refused = err.Error()
		f.tellAside()
	} else {
		f.restore(a)
	}
	a.state, a.notBefore = askWaiting, f.cfg.Clock.Mono()+core.MonoNs(wait)
	f.waiting++
}

// restore takes back that a symbol is set aside.
func (f *Snapshots) restore(a *ask) {
	if a.refused != "" {
		a.refused = ""
		f.tellAside()
	}
}

func (f *Snapshots) tellAside() {
	var list []string
	for i := range f.asked {
		if f.asked[i].refused != "" {
			list = append(list, f.asked[i].refused)
		}
	}
	f.aside.Store(&list)
}

// fetch runs on a cold goroutine.
func (f *Snapshots) fetch(ctx context.Context, j job) (*book.Image, error) {
	body, err := f.cfg.Fetch(ctx, j.symbol, j.limit)
	if err != nil {
		return nil, fmt.Errorf("cannot fetch snapshot of %s: %w", j.symbol, err)
	}
	image, err := f.cfg.Parse(body, j.id, j.limit)
	if err != nil {
		return nil, fmt.Errorf("cannot use snapshot of %s: %w", j.symbol, err)
	}
	return image, nil
}

// Status is the fetcher as seen from outside; any goroutine.
func (f *Snapshots) Status() SnapshotStatus {
	e := f.errands
	s := SnapshotStatus{Fetched: f.fetched.Load(), Failed: e.failed.Load(), Waiting: int(e.waitingNow.Load()), InFlight: int(e.inFlightAt.Load()), LastError: e.trouble()}
	if list := f.aside.Load(); list != nil {
		s.Aside = *list
	}
	for p := range s.Spent {
		s.Spent[p], s.Got[p] = f.spent[p].Load(), f.got[p].Load()
	}
	return s
}

// Close ends the fetches under way and the goroutines. The loop must have stopped
// calling Step.
func (f *Snapshots) Close(ctx context.Context) error {
	return f.errands.close(ctx, "the snapshot fetcher")
}
