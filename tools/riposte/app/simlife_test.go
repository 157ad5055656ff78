package app

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"riposte/core"
	"riposte/core/book"
	death "riposte/core/fault"
	"riposte/tools/sim"
)

// simClock is an engine's clock in a simulated world: the world's time, with steps of
// the civil clock and a drift of both.
type simClock struct {
	start time.Time
	step  atomic.Int64 // of the civil clock
	pace  atomic.Pointer[simPace]
}

type simPace struct {
	from time.Duration // of the world
	at   time.Duration // of this clock
	ppm  int64
}

func newSimClock(start time.Time) *simClock {
	c := &simClock{start: start}
	c.pace.Store(&simPace{})
	return c
}

func (c *simClock) elapsed() time.Duration {
	p, now := c.pace.Load(), time.Since(c.start)
	d := now - p.from
	return p.at + d + time.Duration(int64(d)/1000*p.ppm/1000)
}

func (c *simClock) drift(ppm int64) {
	c.pace.Store(&simPace{from: time.Since(c.start), at: c.elapsed(), ppm: ppm})
}

// Mono begins an hour after its origin, as the machine's does.
func (c *simClock) Mono() core.MonoNs { return core.MonoNs(time.Hour + c.elapsed()) }

// Wall is the civil time.
func (c *simClock) Wall() core.WallNs {
	return core.WallNs(c.start.UnixNano() + int64(c.elapsed()) + c.step.Load())
}

// simLife is one life of the engine: from its start to its end, of whatever kind. Its
// loop is stepped by the world.
type simLife struct {
	r     *simRun
	n     int
	host  *sim.Host
	dir   string // the journal's
	d     *desk
	stage atomic.Int32
	err   error   // of the start
	final *report // of an orderly end
	begun time.Duration

	asked  bool                  // to take its key anew, and what came of it has not been looked at
	answer atomic.Pointer[error] // what came of it
}

// Stages of a life.
const (
	lifeStarting int32 = iota
	lifeRunning
	lifeEnding
	lifeEnded
	lifeFailed // to start
	lifeKilled
)

// simWaiter wakes the world's stepper.
type simWaiter struct{ w *sim.World }

func (s simWaiter) Wait(time.Duration) { panic("BUG: a simulated loop is stepped, it does not wait") }
func (s simWaiter) Wake()              { s.w.Want() }
func (s simWaiter) Close()             {}

// dial is the port of sockets.
func (l *simLife) dial(w waiter) dialFunc {
	return l.r.eye.dial(l, func(ctx context.Context, rawURL string) (net.Conn, error) {
		return l.host.Dial(ctx, rawURL, w != nil)
	}, w != nil)
}

// spawn lets a goroutine of the loop's come as far as it can, before the loop goes on.
func (l *simLife) spawn(f func()) {
	if l.stage.Load() == lifeRunning || l.stage.Load() == lifeEnding {
		l.r.w.Spawn(f)
		return
	}
	go f()
}

// prepare puts the world in place of the machine.
func (l *simLife) prepare(d *desk) {
	d.clock = l.r.clock
	d.witness = simWitness{l.r.eye}
	d.ports = ports{dial: l.dial, wait: func() waiter { return simWaiter{l.r.w} }, spawn: l.spawn, sealed: true, observer: l, disk: l.disk,
		seed: l.r.plan.Seed<<8 + uint64(l.n) + 1}
	if l.r.port != nil {
		l.r.port(&d.ports)
	}
}

// start begins the life on a goroutine of its own: it waits for answers of the venue.
func (l *simLife) start() {
	l.begun = l.r.w.Now()
	l.r.work.Go(func() {
		d, err := openDeskWith(l.r.config(l.dir), l.prepare)
		if err == nil {
			if err = d.begin(); err != nil {
				_ = d.close()
			}
		}
		if err != nil {
			l.err = err
			l.stage.CompareAndSwap(lifeStarting, lifeFailed)
			l.r.w.Poke()
			return
		}
		l.d = d
		death.At(death.ThreadsStarted) // the world steps what are threads elsewhere
		if !l.stage.CompareAndSwap(lifeStarting, lifeRunning) {
			_ = d.close() // killed meanwhile
		}
		l.r.w.Want()
	})
}

// end is what a person does who stops the engine.
func (l *simLife) end() {
	if !l.stage.CompareAndSwap(lifeRunning, lifeEnding) {
		return
	}
	l.r.work.Go(func() {
		final := l.d.shutdown()
		err := l.d.close()
		if err != nil {
			final.Problems = append(final.Problems, err.Error())
		}
		l.final = final
		l.stage.CompareAndSwap(lifeEnding, lifeEnded)
		l.r.w.Poke()
	})
}

// kill is the death of the process: what it had on disk is copied as it is, and what
// still runs of it reaches nobody.
func (l *simLife) kill(silent bool) (dir string) {
	was := l.stage.Swap(lifeKilled)
	dir = l.r.copyJournal(l.dir)
	l.host.Kill(silent)
	if was == lifeRunning {
		// Its loop may be in the midst of a step.
		l.r.w.After(0, func() { l.r.work.Go(func() { _ = l.d.close() }) })
	}
	return dir
}

// steps the loop until it has nothing to do, as its thread would.
func (l *simLife) step() (did bool) {
	const most = 256 // rounds at one instant
	for range most {
		s := l.stage.Load()
		if s != lifeRunning && s != lifeEnding || l.host.Paused() || l.d.threads.list[0].stop.Load() {
			return did
		}
		if l.d.threads.list[0].round(true) == 0 {
			return did
		}
		did = true
	}
	return did
}

// DepthApplied hands live books to the judges.
func (l *simLife) DepthApplied(id core.InstrumentID, s *book.Sync, ev *core.Event) {
	b, live := s.Live()
	if !live {
		return
	}
	out := &l.r.book
	out.Symbol, out.ID = l.d.table.Get(id).Symbol, int64(ev.ID)
	out.Bids, out.Asks = l.levels(b, core.Buy, out.Bids[:0]), l.levels(b, core.Sell, out.Asks[:0])
	out.Trusted = [2]int64{int64(b.Trusted(core.Buy)), int64(b.Trusted(core.Sell))}
	for _, c := range l.r.w.Checkers() {
		c.Book(out)
	}
}

func (l *simLife) levels(b *book.Book, side core.Side, dst []sim.Level) []sim.Level {
	l.r.side = b.Levels(side, slices.Grow(l.r.side[:0], b.Len(side)))
	for _, lv := range l.r.side {
		dst = append(dst, sim.Level{Price: int64(lv.Price), Qty: int64(lv.Qty)})
	}
	return dst
}

// copyJournal copies a journal's folder as it is to a new one.
func (r *simRun) copyJournal(from string) string {
	r.folders++
	to := filepath.Join(r.root, fmt.Sprintf("life%d", r.folders))
	if err := os.Mkdir(to, 0o700); err != nil {
		r.broken(err)
	}
	list, err := os.ReadDir(from)
	if err != nil && !os.IsNotExist(err) {
		r.broken(err)
	}
	for _, e := range list {
		name := filepath.Join(from, e.Name())
		b, err := os.ReadFile(name)
		if err == nil {
			err = os.WriteFile(filepath.Join(to, e.Name()), b, 0o600)
		}
		if err != nil && !os.IsNotExist(err) {
			r.broken(err)
		}
	}
	return to
}
