package sim

import (
	"math/rand/v2"
	"sync/atomic"
	"testing/synctest"
	"time"
)

// World is one simulation: its time, its calendar, its network. It lives in one bubble
// of testing/synctest, and the goroutine that calls Run owns it: it does one thing,
// waits until every other goroutine of the bubble sleeps, and does the next. Between
// two things at most one chain of causes runs, so what happens does not depend on how
// Go schedules. Other goroutines reach it by Poke alone.
type World struct {
	Net *Net

	seed  uint64
	start time.Time
	rng   *rand.Rand // of the calendar
	queue calendar
	made  uint64
	last  time.Duration // when the newest thing was done
	poke  chan struct{}
	timer *time.Timer
	hash  hash

	step    func()      // what wakes up when bytes have come or somebody called; see Stepper
	wanted  atomic.Bool // step is due at once
	stopped bool
	Steps   uint64 // things done

	checkers []Checker
	Trace    *Trace
	faulty   func(promise, text string)
}

// Epoch is when a simulated world begins: a whole second, as the calendar's own instants
// never lie on whole microseconds but those of a venue's clock do. So no two goroutines
// are ever woken at one instant by chance.
const Epoch = 1_790_000_000

// NewWorld begins a world within a bubble. It moves the bubble's time to Epoch.
func NewWorld(seed uint64) *World {
	if d := time.Until(time.Unix(Epoch, 0)); d > 0 {
		time.Sleep(d)
	}
	w := &World{seed: seed, start: time.Now(), poke: make(chan struct{}, 1), timer: time.NewTimer(time.Hour), Trace: newTrace()}
	w.rng = w.Rand("calendar")
	w.Net = newNet(w)
	return w
}

// Rand is a source of chance of its own for one part: what one part draws does not
// shift what others draw.
func (w *World) Rand(part string) *rand.Rand { return rand.New(rand.NewPCG(w.seed, textHash(part))) }

// Now is the time since the world began.
func (w *World) Now() time.Duration { return time.Since(w.start) }

// Start is when the world began, on the bubble's clock.
func (w *World) Start() time.Time { return w.start }

// At does something at an instant, or as soon as that can be if it has gone by. The
// world's goroutine.
func (w *World) At(at time.Duration, do func()) { w.add(at, entry{do: do}) }

// After does something later.
func (w *World) After(d time.Duration, do func()) { w.At(w.Now()+d, do) }

func (w *World) add(at time.Duration, e entry) uint64 {
	at = max(at, 0)
	e.at = at - at%time.Microsecond + time.Microsecond + 1 + time.Duration(w.rng.Int64N(998))
	w.made++
	e.made = w.made
	w.queue.push(e)
	return e.made
}

// Stepper sets what is called when someone calls Want, and after each thing that
// brought bytes to whoever does not wait for them.
func (w *World) Stepper(step func()) { w.step = step }

// Want has the stepper called at once. Any goroutine.
func (w *World) Want() {
	w.wanted.Store(true)
	w.Poke()
}

// Poke has a sleeping world look at what other goroutines have left for it.
func (w *World) Poke() {
	select {
	case w.poke <- struct{}{}:
	default:
	}
}

// Stop ends Run after the thing under way.
func (w *World) Stop() { w.stopped = true }

// Run lets the world go on until an instant or until Stop.
func (w *World) Run(until time.Duration) {
	w.stopped = false
	for !w.stopped {
		synctest.Wait()
		w.Net.drain()
		if w.wanted.Load() && w.wanted.Swap(false) && w.step != nil {
			w.step()
			continue
		}
		now, next := w.Now(), until
		if len(w.queue) > 0 && w.queue[0].at < until {
			// Never two at one instant: what each of them has wake up later would wake
			// up together.
			if next = max(w.queue[0].at, w.last+1); next%time.Microsecond == 0 {
				next++
			}
		}
		if next > now {
			w.timer.Reset(next - now)
			select {
			case <-w.timer.C:
			case <-w.poke:
			}
			continue
		}
		if next >= until {
			return
		}
		w.Steps++
		w.last = now
		switch e := w.queue.pop(); {
		case e.pipe == nil:
			e.do()
		case e.pipe.armed == e.made:
			e.pipe.deliver()
		}
	}
}

// Spawn starts a goroutine and lets it come as far as it can before anything else
// happens. The world's goroutine.
func (w *World) Spawn(f func()) {
	go f()
	synctest.Wait()
}

// entry is one thing to be done.
type entry struct {
	at   time.Duration
	made uint64
	do   func()
	pipe *pipe // instead of do
}

// calendar is a heap of entries, the next one first; of two at one instant the one made
// first.
type calendar []entry

func (e *entry) before(o *entry) bool { return e.at < o.at || e.at == o.at && e.made < o.made }

func (c *calendar) push(e entry) {
	q := append(*c, e)
	i := len(q) - 1
	for i > 0 {
		up := (i - 1) / 2
		if !q[i].before(&q[up]) {
			break
		}
		q[i], q[up] = q[up], q[i]
		i = up
	}
	*c = q
}

func (c *calendar) pop() entry {
	q := *c
	top := q[0]
	last := len(q) - 1
	q[0] = q[last]
	q[last] = entry{}
	q = q[:last]
	for i := 0; ; {
		down := 2*i + 1
		if down >= last {
			break
		}
		if down+1 < last && q[down+1].before(&q[down]) {
			down++
		}
		if !q[down].before(&q[i]) {
			break
		}
		q[i], q[down] = q[down], q[i]
		i = down
	}
	*c = q
	return top
}
