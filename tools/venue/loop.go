package venue

import (
	"container/heap"
	"sync"
	"time"

	"riposte/tools/venue/exchange"
)

// clock gives venue time: unix µs of the machine at start plus the monotonic time since, shifted by the configured
// offset, so that it never goes back.
type clock struct {
	base   time.Time
	micros int64
}

func newClock(offset time.Duration) clock {
	now := time.Now()
	return clock{base: now, micros: now.Add(offset).UnixMicro()}
}

func (c *clock) now() int64 { return c.micros + time.Since(c.base).Microseconds() }

// loop is the one goroutine that touches the exchange: it runs the market in real time, the streams' clocks, and the
// commands that connections hand in. Everything marked "loop goroutine" is owned by it.
type loop struct {
	clock *clock
	x     *exchange.Exchange
	in    chan command
	quit  chan struct{}
	done  chan struct{}
	ticks calendar
	made  uint64 // ticks so far
	last  int64
	// dones are channels for do, kept between calls. They belong to this loop: a channel may not leave the bubble of
	// virtual time that it was made in.
	dones sync.Pool
}

type command struct {
	run  func(now int64)
	done chan struct{}
}

// tick is something that happens at multiples of every (venue time, µs), or once at next when every is 0. Of two at one
// time the one made first goes first, so that a run can be repeated.
type tick struct {
	next  int64
	every int64
	run   func(now int64)
	made  uint64
	place int // in the calendar, -1 outside
}

// calendar is a heap of ticks, the next one first.
type calendar []*tick

func (c calendar) Len() int { return len(c) }

func (c calendar) Less(i, j int) bool {
	if c[i].next != c[j].next {
		return c[i].next < c[j].next
	}
	return c[i].made < c[j].made
}

func (c calendar) Swap(i, j int) {
	c[i], c[j] = c[j], c[i]
	c[i].place, c[j].place = i, j
}

func (c *calendar) Push(x any) {
	t := x.(*tick)
	t.place = len(*c)
	*c = append(*c, t)
}

func (c *calendar) Pop() any {
	old := *c
	t := old[len(old)-1]
	old[len(old)-1], t.place = nil, -1
	*c = old[:len(old)-1]
	return t
}

func newLoop(c *clock) *loop {
	return &loop{clock: c, in: make(chan command), quit: make(chan struct{}), done: make(chan struct{}),
		dones: sync.Pool{New: func() any { return make(chan struct{}, 1) }}}
}

// do runs fn on the loop goroutine with the market advanced to now, and waits for it. It reports false if the venue
// is closed and fn did not run. It must not be called from the loop goroutine.
func (l *loop) do(fn func(now int64)) bool {
	c := command{run: fn, done: l.dones.Get().(chan struct{})}
	select {
	case l.in <- c:
		<-c.done
		l.dones.Put(c.done)
		return true
	case <-l.done:
		l.dones.Put(c.done)
		return false
	}
}

// every adds a tick aligned to the venue's clock. Loop goroutine, or before it runs.
func (l *loop) every(d time.Duration, fn func(now int64)) {
	step := d.Microseconds()
	now := l.clock.now()
	l.add(&tick{next: now - now%step + step, every: step, run: fn})
}

// at adds a single event. Loop goroutine, or before it runs.
func (l *loop) at(t int64, fn func(now int64)) *tick {
	return l.add(&tick{next: t, run: fn})
}

func (l *loop) add(t *tick) *tick {
	l.made++
	t.made = l.made
	heap.Push(&l.ticks, t)
	return t
}

// run is the loop goroutine.
func (l *loop) run() {
	defer close(l.done)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		now := l.catchUp()
		timer.Reset(time.Duration(l.wait(now)) * time.Microsecond)
		select {
		case c := <-l.in:
			l.serve(c)
		case <-timer.C:
		case <-l.quit:
			return
		}
	}
}

func (l *loop) serve(c command) {
	c.run(l.catchUp())
	c.done <- struct{}{}
}

// catchUp runs market and ticks up to the present in time order and returns it.
func (l *loop) catchUp() int64 {
	now := max(l.clock.now(), l.last)
	for len(l.ticks) > 0 && l.ticks[0].next <= now {
		t := l.ticks[0]
		at := max(t.next, l.last)
		l.advance(at)
		if t.every == 0 {
			l.remove(t)
		} else {
			// A loop that fell behind skips what it missed: a stream is late once, not many times at once.
			t.next = now - now%t.every + t.every
			heap.Fix(&l.ticks, t.place)
		}
		t.run(at)
	}
	l.advance(now)
	return now
}

func (l *loop) advance(t int64) {
	l.last = max(l.last, t)
	l.x.Advance(l.last)
}

// remove takes a tick out of the calendar, if it is still there.
func (l *loop) remove(t *tick) {
	if t != nil && t.place >= 0 {
		heap.Remove(&l.ticks, t.place)
	}
}

// wait is the time in µs until the market or a tick has something to do.
func (l *loop) wait(now int64) int64 {
	next := now + time.Second.Microseconds()
	if len(l.ticks) > 0 {
		next = min(next, l.ticks[0].next)
	}
	if t, ok := l.x.NextEvent(); ok {
		next = min(next, t)
	}
	return max(0, next-now)
}

func (l *loop) stop() {
	close(l.quit)
	<-l.done
}
