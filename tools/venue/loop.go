package venue

import (
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
	ticks []*tick
	last  int64
}

var donePool = sync.Pool{New: func() any { return make(chan struct{}, 1) }}

type command struct {
	run  func(now int64)
	done chan struct{}
}

// tick is something that happens at multiples of every (venue time, µs), or once at next when every is 0.
type tick struct {
	next  int64
	every int64
	run   func(now int64)
}

func newLoop(c *clock) *loop {
	return &loop{clock: c, in: make(chan command), quit: make(chan struct{}), done: make(chan struct{})}
}

// do runs fn on the loop goroutine with the market advanced to now, and waits for it. It reports false if the venue
// is closed and fn did not run. It must not be called from the loop goroutine.
func (l *loop) do(fn func(now int64)) bool {
	c := command{run: fn, done: donePool.Get().(chan struct{})}
	select {
	case l.in <- c:
		<-c.done
		donePool.Put(c.done)
		return true
	case <-l.done:
		donePool.Put(c.done)
		return false
	}
}

// every adds a tick aligned to the venue's clock. Loop goroutine, or before it runs.
func (l *loop) every(d time.Duration, fn func(now int64)) {
	step := d.Microseconds()
	now := l.clock.now()
	l.ticks = append(l.ticks, &tick{next: now - now%step + step, every: step, run: fn})
}

// at adds a single event. Loop goroutine, or before it runs.
func (l *loop) at(t int64, fn func(now int64)) *tick {
	k := &tick{next: t, run: fn}
	l.ticks = append(l.ticks, k)
	return k
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
	for {
		t := l.due(now)
		if t == nil {
			break
		}
		at := max(t.next, l.last)
		l.advance(at)
		if t.every == 0 {
			l.remove(t)
		} else {
			// A loop that fell behind skips what it missed: a stream is late once, not many times at once.
			t.next = now - now%t.every + t.every
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

func (l *loop) due(now int64) *tick {
	var first *tick
	for _, t := range l.ticks {
		if t.next <= now && (first == nil || t.next < first.next) {
			first = t
		}
	}
	return first
}

func (l *loop) remove(t *tick) {
	for i := range l.ticks {
		if l.ticks[i] == t {
			l.ticks = append(l.ticks[:i], l.ticks[i+1:]...)
			return
		}
	}
}

// wait is the time in µs until the market or a tick has something to do.
func (l *loop) wait(now int64) int64 {
	next := now + time.Second.Microseconds()
	for _, t := range l.ticks {
		next = min(next, t.next)
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
