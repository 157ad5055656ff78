package feed_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"riposte/core"
	"riposte/core/ring"
	"riposte/feed"
	"riposte/feed/binance"
)

// pulse is a venue's stream of depth, touches and trades, all connections alike: event
// n has depth, touch and trade id n. Each tick sends the next to every connection that
// has subscribed.
type pulse struct {
	mu    sync.Mutex
	conns map[*vconn]bool
	n     int
	drop  func(number, n int) bool // whether the connection misses event n; under mu
}

// serve is a venue's script: it confirms, then keeps the connection until its end.
func (p *pulse) serve(c *vconn) {
	var q request
	if !c.next(&q) {
		return
	}
	p.mu.Lock()
	p.conns[c] = true
	c.list = q.Params
	c.send(fmt.Sprintf(`{"result":null,"id":%d}`, q.ID))
	p.mu.Unlock()
	c.stay()
	p.mu.Lock()
	delete(p.conns, c)
	p.mu.Unlock()
}

func (p *pulse) tick() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n++
	for c := range p.conns {
		if p.drop == nil || !p.drop(c.number, p.n) {
			c.send(depth(p.n, p.n))
			c.send(touch(p.n))
			c.send(trade(p.n))
		}
	}
}

// each does something to every connection.
func (p *pulse) each(f func(c *vconn)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		f(c)
	}
}

// linesRig is redundant lines on such a venue.
type linesRig struct {
	t      *testing.T
	clock  *testClock
	pulse  *pulse
	venue  *venue
	l      *feed.Lines
	queues []*ring.Queue
	next   [2]uint64 // of depth and trades
	downs  int
	bad    []string
}

func newLinesRig(t *testing.T, count int, change func(cfg *feed.LinesConfig)) *linesRig {
	t.Helper()
	tab := core.NewInstruments()
	for _, s := range []string{"BTCUSDT", "ETHUSDT"} {
		if _, err := tab.Add(core.Instrument{Symbol: s}); err != nil {
			t.Fatal(err)
		}
	}
	syms, err := binance.NewSymbols(tab)
	if err != nil {
		t.Fatal(err)
	}
	r := &linesRig{t: t, clock: newClock(), pulse: &pulse{conns: map[*vconn]bool{}}}
	r.venue = newVenue(t, r.pulse.serve)
	for range 2 {
		r.queues = append(r.queues, ring.NewQueue(1024, 4096, 100))
	}
	cfg := feed.LinesConfig{
		SessionConfig: feed.SessionConfig{
			LineConfig: feed.LineConfig{
				URL: "ws://" + r.venue.ln.Addr().String() + "/stream", Dial: r.venue.dial, Clock: r.clock, Budget: newBudget(t, 300, 5*time.Minute),
				BackoffMin: time.Millisecond, BackoffMax: 2 * time.Millisecond, Seed: 1,
			},
			Streams: []feed.Subscription{
				{Stream: "btcusdt@depth@100ms", Instrument: 0, Kind: core.DepthDelta},
				{Stream: "btcusdt@bookTicker", Instrument: 0, Kind: core.Touch},
				{Stream: "ethusdt@trade", Instrument: 1, Kind: core.Trade},
			},
			Queues: r.queues,
		},
		NewCodec: func() feed.Codec {
			return binance.NewDecoder(syms, core.Milliseconds, binance.Raw{Instrument: core.NoInstrument})
		},
		Count: count,
	}
	if change != nil {
		change(&cfg)
	}
	if r.l, err = feed.NewLines(cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := r.l.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return r
}

// step steps the lines and reads the queues, holding each event against the one before.
func (r *linesRig) step() int {
	n := r.l.Step()
	for i, q := range r.queues {
		for ev, _ := q.Peek(); ev != nil; ev, _ = q.Peek() {
			switch ev.Kind {
			case core.LineDown:
				r.downs++
				r.next[i] = 0
			case core.DepthDelta, core.Trade:
				if next := r.next[i]; next != 0 && ev.ID != next {
					r.bad = append(r.bad, fmt.Sprintf("%d: id %d after %d from line %d", i, ev.ID, next-1, ev.Line))
				}
				r.next[i] = ev.ID + 1
			}
			q.Pop()
		}
	}
	return n
}

// until steps, with a tick of the venue now and then, until cond holds.
func (r *linesRig) until(what string, cond func(st feed.LinesStatus) bool) {
	r.t.Helper()
	var st feed.LinesStatus
	defer func() {
		if r.t.Failed() {
			r.t.Logf("status %+v", st)
		}
	}()
	i := 0
	spin(r.t, what, r.step, func() bool {
		if i++; i%200 == 0 {
			r.pulse.tick()
			r.clock.forward(20 * time.Millisecond)
		}
		st = r.l.Status()
		return cond(st)
	})
}

// caughtUp has the venue send one more event and waits for all that it has sent.
func (r *linesRig) caughtUp() {
	r.t.Helper()
	r.pulse.tick()
	spin(r.t, "the newest event", r.step, func() bool { return r.next[0] == uint64(r.pulse.n)+1 && r.next[1] == r.next[0] })
}

// allLive: each line has a connection, confirmed and with events, and no successor.
func allLive(st feed.LinesStatus) bool {
	for _, l := range st.Lines {
		if l.State != feed.Live || !l.Listed || l.Succession || l.First+l.Copies < 10 {
			return false
		}
	}
	return true
}

func (r *linesRig) whole(what string, downs int) {
	r.t.Helper()
	if r.downs != downs || len(r.bad) > 0 {
		r.t.Errorf("%s: %d LineDown and %q, want %d and a stream without a hole or a copy", what, r.downs, r.bad, downs)
	}
}

func TestLinesPublishEachEventOnce(t *testing.T) {
	r := newLinesRig(t, 3, nil)
	r.until("three lines", allLive)
	for range 500 {
		r.pulse.tick()
		r.step()
	}
	r.caughtUp()
	r.until("copies counted", func(st feed.LinesStatus) bool {
		first, copies := uint64(0), uint64(0)
		for _, l := range st.Lines {
			first += l.First
			copies += l.Copies
		}
		return first >= 1500 && copies >= 2*1500
	})
	r.whole("three lines", 0)
}

func TestLinesLoseNothingThatOneOfThemHas(t *testing.T) {
	r := newLinesRig(t, 2, func(cfg *feed.LinesConfig) { cfg.Hold = time.Minute })
	r.until("two lines", allLive)
	r.pulse.drop = func(number, n int) bool { return n%7 == 3*(number%2) }
	for range 300 {
		r.caughtUp()
	}
	r.whole("lines that lose different events", 0)
	r.until("both marked", func(st feed.LinesStatus) bool { return st.Lines[0].Missed > 20 && st.Lines[1].Missed > 20 })
}

func TestLinesGoOnWithoutOneAndTakeItBack(t *testing.T) {
	r := newLinesRig(t, 2, nil)
	r.until("two lines", allLive)
	for i := range 5 {
		cut := false
		r.pulse.each(func(c *vconn) {
			if !cut {
				cut = true
				c.Close()
			}
		})
		r.until("a cut and a return", func(st feed.LinesStatus) bool { return st.Lost == uint64(i+1) && allLive(st) })
		r.until("events from both", func(st feed.LinesStatus) bool { return r.l.Gaps().Len() > i })
	}
	r.caughtUp()
	r.whole("five cuts of one line", 0)
	for _, g := range r.l.Gaps().Pending() {
		if !g.Covered || g.First <= g.Last || g.To <= g.From {
			t.Errorf("gap record %+v, want one that the other line covered", g)
		}
	}
}

func TestLinesTellOfTheLastOnesEnd(t *testing.T) {
	r := newLinesRig(t, 2, nil)
	r.until("two lines", allLive)
	r.caughtUp()
	last := r.pulse.n
	r.pulse.each(func(c *vconn) { c.Close() })
	r.until("both gone and back", func(st feed.LinesStatus) bool { return st.Lost == 2 && allLive(st) })
	depth := func() (of map[uint8]feed.GapRecord) {
		of = map[uint8]feed.GapRecord{}
		for _, g := range r.l.Gaps().Pending() {
			if g.Kind == core.DepthDelta {
				of[g.Line] = g
			}
		}
		return of
	}
	r.until("records of the hole", func(feed.LinesStatus) bool {
		of := depth()
		return of[0].To != 0 && of[1].To != 0
	})
	r.caughtUp()
	r.whole("a cut of both", 2) // one for each instrument
	of := depth()
	for line, g := range of {
		if g.Last != uint64(last) {
			t.Errorf("gap record %+v of line %d, want one from %d", g, line, last)
		}
	}
	if of[0].Covered && of[1].Covered {
		t.Errorf("gap records %+v, want one that says that the joined stream has a hole", of)
	}
	// The lines may have been back before anything was missed.
	first := min(of[0].First, of[1].First)
	if g, told := of[feed.NoLine]; told != (first > uint64(last)+1) || told && g.First != first {
		t.Errorf("no line brought %+v (told: %v), the first event behind update %d was %d", g, told, last, first)
	}
}

// With one line too the next connection is there before the old one goes, whatever
// ends it.
func TestLinesMakeBeforeTheyBreak(t *testing.T) {
	for name, c := range map[string]struct {
		lines int
		cause func(r *linesRig)
		done  func(st feed.LinesStatus) bool
	}{
		"age, one line": {1, func(r *linesRig) { r.clock.forward(24 * time.Hour) },
			func(st feed.LinesStatus) bool { return st.Rotations == 1 }},
		"age, two lines": {2, func(r *linesRig) { r.clock.forward(24 * time.Hour) },
			func(st feed.LinesStatus) bool { return st.Rotations == 2 }},
		"announced end, one line": {1, func(r *linesRig) {
			r.pulse.each(func(c *vconn) { c.send(`{"e":"serverShutdown","E":1770123456789}`) })
		}, func(st feed.LinesStatus) bool { return st.Shutdowns == 1 }},
		"announced end, two lines": {2, func(r *linesRig) {
			r.pulse.each(func(c *vconn) { c.send(`{"e":"serverShutdown","E":1770123456789}`) })
		}, func(st feed.LinesStatus) bool { return st.Shutdowns == 2 }},
	} {
		t.Run(name, func(t *testing.T) {
			r := newLinesRig(t, c.lines, nil)
			r.until("live", allLive)
			r.until("events", func(feed.LinesStatus) bool { return r.pulse.n > 20 })
			for i := range 5 {
				before := r.l.Status()
				// A PING that is out when the clock jumps would find its PONG late.
				r.until("bytes on every line", func(st feed.LinesStatus) bool {
					for i := range st.Lines {
						if st.Lines[i].Messages <= before.Lines[i].Messages {
							return false
						}
					}
					return true
				})
				c.cause(r)
				r.until("the next connection", func(st feed.LinesStatus) bool {
					return st.Lost == before.Lost+uint64(c.lines) && allLive(st)
				})
				if st := r.l.Status(); st.Rotations+st.Shutdowns != uint64(c.lines*(i+1)) {
					t.Errorf("round %d: %d rotations, %d shutdowns", i, st.Rotations, st.Shutdowns)
				}
			}
			r.caughtUp()
			r.whole(name, 0)
		})
	}
}

// A connection from which nothing comes any more, and no PONG, is dead; a line makes
// its successor while it still waits for the PONG.
func TestLinesReplaceAHalfOpenConnection(t *testing.T) {
	r := newLinesRig(t, 1, nil)
	var muted sync.WaitGroup
	stop := make(chan struct{})
	r.venue.script = func(c *vconn) {
		if c.number > 1 {
			r.pulse.serve(c)
			return
		}
		c.confirm(1)
		c.send(depth(1, 1))
		c.send(trade(1))
		muted.Add(1)
		defer muted.Done()
		go func() { <-stop; c.Close() }()
		c.mute()
	}
	r.pulse.n = 1
	t.Cleanup(func() { close(stop); muted.Wait() })
	spin(t, "the first events", r.step, func() bool { return r.next[0] == 2 && r.next[1] == 2 })
	r.clock.forward(11 * time.Second)
	spin(t, "a ping", r.step, func() bool { return r.l.Status().PingsSent == 1 })
	r.clock.forward(2 * time.Second) // a third of PongWithin
	spin(t, "a successor", r.step, func() bool {
		subscribed := 0
		r.pulse.each(func(*vconn) { subscribed++ })
		return subscribed == 1
	})
	r.until("its taking over", func(st feed.LinesStatus) bool { return st.Lost == 1 && allLive(st) })
	r.caughtUp()
	r.whole("a half-open connection", 0)
	if st := r.l.Status(); st.Dead != 0 {
		t.Errorf("%d connections declared dead, want the successor first", st.Dead)
	}
}

func TestLinesConfigErrorsNameTheThing(t *testing.T) {
	for want, change := range map[string]func(*feed.LinesConfig){
		"no codec":    func(c *feed.LinesConfig) { c.NewCodec = nil },
		"got 9, want": func(c *feed.LinesConfig) { c.Count = 9 },
		"no streams":  func(c *feed.LinesConfig) { c.Streams = nil },
		"no URL":      func(c *feed.LinesConfig) { c.URL = "" },
	} {
		cfg := feed.LinesConfig{SessionConfig: feed.SessionConfig{
			LineConfig: feed.LineConfig{URL: "ws://x", Clock: newClock(), Budget: newBudget(t, 1, time.Second), Dial: (&venue{}).dial},
			Streams:    []feed.Subscription{{Stream: "x@trade", Kind: core.Trade}}, Queues: []*ring.Queue{ring.NewQueue(16, 16, 4)}},
			NewCodec: func() feed.Codec { return nil }}
		change(&cfg)
		if _, err := feed.NewLines(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
