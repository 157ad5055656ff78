package feed_test

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"riposte/core"
	"riposte/core/ring"
	"riposte/feed"
	"riposte/feed/binance"
)

func TestSessionSilenceWithoutPongIsDeath(t *testing.T) {
	r := newRig(t, func(c *vconn) {
		c.confirm(1)
		if c.number == 1 {
			c.mute()
			return
		}
		c.stay()
	}, nil)
	r.until("live", func(st feed.SessionStatus) bool { return st.State == feed.Live })
	r.clock.forward(11 * time.Second)
	r.until("a ping", func(st feed.SessionStatus) bool { return st.PingsSent == 1 })
	r.clock.forward(6 * time.Second)
	r.until("death and return", func(st feed.SessionStatus) bool { return st.Dead == 1 && st.State == feed.Live })
	if got := r.kinds(0, 1); got[0] != core.LineDown {
		t.Fatalf("got %v", got)
	}
}

func TestSessionQuietMarketIsNoAlarm(t *testing.T) {
	r := newRig(t, func(c *vconn) {
		c.confirm(1)
		c.stay()
	}, func(cfg *feed.SessionConfig) {
		for i := range cfg.Streams {
			cfg.Streams[i].MaxAge = 3 * time.Second
		}
	})
	r.until("live", func(st feed.SessionStatus) bool { return st.State == feed.Live })
	// The answer to the list of subscriptions is a sign of life too, and not the pong's.
	r.clock.forward(time.Second)
	r.until("the list", func(st feed.SessionStatus) bool { return st.Listed })
	for i := range 20 { // some minutes without a message, every ping answered
		r.clock.forward(11 * time.Second)
		now := r.clock.Mono()
		r.until("a ping", func(st feed.SessionStatus) bool { return st.PingsSent == uint64(i+1) })
		// The pong proves the book current, and its reader is told.
		spin(t, "a sign of life", r.s.Step, func() bool {
			ev, _ := r.queues[0].Peek()
			if ev == nil {
				return false
			}
			if ev.Kind != core.LineAlive || ev.Line != 3 || ev.Instrument != 0 {
				t.Fatalf("got %+v, want only LineAlive", ev)
			}
			fresh := ev.Recv > now
			r.queues[0].Pop()
			return fresh
		})
	}
	st := r.s.Status()
	if st.Lost != 0 || st.Frozen != 0 || st.Quiet != 3 || st.State != feed.Live {
		t.Fatalf("got %+v", st)
	}
	for _, s := range r.s.Streams() {
		if !s.Quiet {
			t.Errorf("%s is not shown as quiet", s.Stream)
		}
	}
}

func TestSessionFrozenDepthIsToldFromAQuietOne(t *testing.T) {
	more := make(chan int)
	r := newRig(t, func(c *vconn) {
		c.confirm(1)
		if c.number > 1 {
			c.stay()
			return
		}
		c.send(depth(1, 1))
		for i := range more {
			c.send(touch(i))
		}
		c.stay()
	}, func(cfg *feed.SessionConfig) { cfg.Streams[0].MaxAge = 2 * time.Second })
	r.kinds(0, 1)
	for i := range 4 {
		more <- i
		r.kinds(0, 1)
		r.clock.forward(600 * time.Millisecond)
		r.until("a look", func(st feed.SessionStatus) bool { return true })
	}
	close(more)
	r.clock.forward(time.Second)
	// The stream is renewed if the server's list has come by then, else the connection is replaced.
	r.until("the frozen stream", func(st feed.SessionStatus) bool {
		return st.Frozen == 1 && strings.Contains(st.LastError, "btcusdt@depth@100ms is frozen")
	})
}

// Where a stream is the only one of its market, a snapshot that runs ahead of it tells that
// it stands still.
func TestSessionDepthThatASnapshotOutrunsIsFrozen(t *testing.T) {
	shown := feed.NewShown(1)
	r := newRig(t, func(c *vconn) {
		c.confirm(1)
		if c.number == 1 {
			c.send(depth(1, 5))
			var end request
			if c.next(&end); end.Method != "UNSUBSCRIBE" { // which is not answered
				t.Errorf("got %+v, want the end of the frozen stream", end)
			}
			c.send(depth(6, 7))
		}
		c.stay()
	}, func(cfg *feed.SessionConfig) {
		cfg.Shown = shown
		cfg.Streams[0].MaxAge = 2 * time.Second
	})
	r.kinds(0, 1)
	shown.See(0, 5)
	for range 5 {
		r.clock.forward(600 * time.Millisecond)
		r.until("a look", func(feed.SessionStatus) bool { return true })
	}
	if st := r.s.Status(); st.Frozen != 0 {
		t.Fatalf("a stream that has all that a snapshot showed is frozen: %q", st.LastError)
	}
	shown.See(0, 6)
	for range 5 {
		r.clock.forward(600 * time.Millisecond)
		r.until("a look", func(feed.SessionStatus) bool { return true })
	}
	r.until("the frozen stream", func(st feed.SessionStatus) bool { return st.Frozen == 1 && st.Renewed == 1 })
	if st := r.s.Status(); !strings.Contains(st.LastError, "a snapshot showed that its market had moved") {
		t.Fatalf("got %q", st.LastError)
	}
	// What it says before it is renewed makes no book: the renewal leaves a hole behind it.
	r.until("an event before the renewal", func(st feed.SessionStatus) bool { return st.Unproved == 1 })
	for ev, _ := r.queues[0].Peek(); ev != nil; ev, _ = r.queues[0].Peek() {
		if ev.Kind == core.DepthDelta {
			t.Errorf("a frozen stream's event %d was published before the renewal", ev.ID)
		}
		r.queues[0].Pop()
	}
}

func TestSessionAlarmsWhenNothingFollowsAConfirmation(t *testing.T) {
	r := newRig(t, func(c *vconn) {
		c.confirm(1)
		c.send(touch(1))
		c.stay()
	}, func(cfg *feed.SessionConfig) {
		cfg.Streams[0].FirstWithin = time.Second
		cfg.Streams[1].FirstWithin = time.Second
	})
	r.kinds(0, 1)
	r.clock.forward(2 * time.Second)
	r.until("the alarm", func(st feed.SessionStatus) bool { return st.Mute == 1 && st.State == feed.Live && st.Lost == 0 })
}

func TestSessionReconnectsAtOnceOnServerShutdown(t *testing.T) {
	for _, frame := range []string{`{"e":"serverShutdown","E":1770123456789}`, `{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1}}`} {
		closing := make(chan bool)
		r := newRig(t, func(c *vconn) {
			c.confirm(1)
			if c.number == 1 {
				<-closing
				c.send(frame)
			}
			c.stay()
		}, func(cfg *feed.SessionConfig) { cfg.BackoffMin, cfg.BackoffMax = time.Hour, time.Hour })
		r.until("live", func(st feed.SessionStatus) bool { return st.State == feed.Live })
		r.clock.forward(2 * time.Second)
		close(closing)
		r.until("the next connection without a backoff", func(st feed.SessionStatus) bool {
			return st.Shutdowns == 1 && st.Connected == 2 && st.State == feed.Live
		})
	}
}

func TestSessionRotatesBeforeTheVenueCutsIt(t *testing.T) {
	r := newRig(t, func(c *vconn) {
		c.confirm(1)
		c.stay()
	}, func(cfg *feed.SessionConfig) { cfg.BackoffMin, cfg.BackoffMax = time.Hour, time.Hour })
	r.until("live", func(st feed.SessionStatus) bool { return st.State == feed.Live })
	r.clock.forward(time.Second)
	r.until("the list", func(st feed.SessionStatus) bool { return st.Listed })
	for range 24 {
		r.clock.forward(time.Hour)
		before := r.s.Status()
		// Its pings are answered all day; then it goes.
		r.until("a pong or the rotation", func(st feed.SessionStatus) bool {
			return st.Reads > before.Reads || st.Rotations == 1
		})
		if r.s.Status().Rotations == 1 {
			break
		}
	}
	r.until("the next connection", func(st feed.SessionStatus) bool {
		return st.Rotations == 1 && st.Connected == 2 && st.State == feed.Live && st.Dead == 0
	})
}

func TestSessionBacksOffInsideTheConnectBudget(t *testing.T) {
	r := newRig(t, func(c *vconn) {
		c.confirm(1)
		c.stay()
	}, func(cfg *feed.SessionConfig) { cfg.Budget = newBudget(t, 3, time.Minute) })
	r.venue.refuse.Store(5)
	r.until("three attempts", func(st feed.SessionStatus) bool { return st.Connects == 3 && st.State == feed.Waiting })
	// Nothing is dialed before the window has passed, however often Step is called.
	for range 1000 {
		r.clock.forward(10 * time.Millisecond)
		r.s.Step()
	}
	if n := r.venue.dials.Load(); n != 3 {
		t.Fatalf("dialed %d times in a window of 3", n)
	}
	r.clock.forward(time.Minute)
	r.until("three more", func(st feed.SessionStatus) bool {
		return st.State == feed.Live && st.Connects == 6 && st.Connected == 1
	})
}

func TestSessionStaysAwayAsLongAsTheVenueAsks(t *testing.T) {
	r := newRig(t, func(c *vconn) {
		c.confirm(1)
		c.stay()
	}, nil)
	r.venue.limited.Store(1)
	r.until("the refusal", func(st feed.SessionStatus) bool {
		return st.State == feed.Waiting && strings.Contains(st.LastError, "429")
	})
	r.clock.forward(59 * time.Second)
	for range 1000 {
		r.s.Step()
	}
	if n := r.venue.dials.Load(); n != 1 {
		t.Fatalf("dialed %d times, want 1", n)
	}
	r.clock.forward(2 * time.Second)
	r.until("live", func(st feed.SessionStatus) bool { return st.State == feed.Live })
}

func TestSessionClosesWhileItDials(t *testing.T) {
	r := newRig(t, func(c *vconn) { c.stay() }, func(cfg *feed.SessionConfig) {
		cfg.Dial = func(ctx context.Context, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
	})
	r.until("dialing", func(st feed.SessionStatus) bool { return st.State == feed.Dialing })
	if err := r.s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if st := r.s.Status(); st.State != feed.Closed || r.s.Step() != 0 {
		t.Fatalf("got %v", st.State)
	}
}

// A dial that hangs is given up after its time; timers under synctest.
func TestSessionGivesUpAHangingHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tab := core.NewInstruments()
		if _, err := tab.Add(core.Instrument{Symbol: "BTCUSDT"}); err != nil {
			t.Fatal(err)
		}
		syms, err := binance.NewSymbols(tab)
		if err != nil {
			t.Fatal(err)
		}
		var held []net.Conn
		s, err := feed.NewSession(feed.SessionConfig{
			LineConfig: feed.LineConfig{
				URL: "ws://venue.test/stream", Clock: core.NewSystemClock(), Budget: newBudget(t, 10, time.Minute), DialTimeout: 7 * time.Second,
				Dial: func(context.Context, string) (net.Conn, error) {
					a, b := net.Pipe()
					held = append(held, b)
					go func() { _, _ = io.Copy(io.Discard, b) }()
					return a, nil
				},
			},
			Codec:   binance.NewDecoder(syms, core.Milliseconds, binance.Raw{Instrument: core.NoInstrument}),
			Streams: []feed.Subscription{{Stream: "btcusdt@trade", Kind: core.Trade}},
			Queues:  []*ring.Queue{ring.NewQueue(16, 16, 4)},
		})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		s.Step()
		s.Step()
		for s.Status().State == feed.Dialing {
			<-time.After(100 * time.Millisecond)
			s.Step()
		}
		if took := time.Since(start); took < 7*time.Second || took > 8*time.Second || !strings.Contains(s.Status().LastError, "deadline") {
			t.Fatalf("gave up after %v with %q", took, s.Status().LastError)
		}
		if err := s.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, c := range held {
			c.Close()
		}
	})
}
