package feed_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	gws "github.com/gobwas/ws"

	"riposte/core"
	"riposte/core/ring"
	"riposte/feed"
	"riposte/feed/binance"
)

func TestSessionConfirmsEveryStreamAndDecodesIntoTheQueues(t *testing.T) {
	got := make(chan []string, 1)
	r := newRig(t, func(c *vconn) {
		got <- c.confirm(1)
		c.send(depth(5, 7))
		c.send(touch(8))
		c.send(trade(9))
		c.send(`{"e":"trade","E":1,"x":0,"s":"ETHUSDT","t":10,"p":"1","q":"2","T":1,"m":true}`) // raw, in an order of its own
		c.send(`{"stream":"!miniTicker@arr","data":[{"e":"24hrMiniTicker","E":1,"s":"ETHUSDT","c":"2","o":"1","h":"3","l":"1","v":"5","q":"6"},{"e":"24hrMiniTicker","E":1,"s":"XRPUSDT","c":"2","o":"1","h":"3","l":"1","v":"5","q":"6"}]}`)
		c.stay()
	}, nil)
	ev, lv := r.event(0)
	if ev.Kind != core.DepthDelta || ev.FirstID() != 5 || ev.ID != 7 || ev.Line != 3 || ev.Recv == 0 || ev.Bids != 1 || ev.Asks != 1 ||
		!slices.Equal(lv, []core.Level{{Price: 3 * core.Scale / 2, Qty: 2 * core.Scale}, {Price: 3 * core.Scale}}) {
		t.Fatalf("got %+v %v", ev, lv)
	}
	if ev, _ := r.event(0); ev.Kind != core.Touch || ev.ID != 8 {
		t.Fatalf("got %+v", ev)
	}
	if ev, _ := r.event(1); ev.Kind != core.Trade || ev.ID != 9 || ev.Instrument != 1 {
		t.Fatalf("got %+v", ev)
	}
	if ev, _ := r.event(1); ev.Kind != core.Trade || ev.ID != 10 || ev.Line != 3 || ev.Recv == 0 {
		t.Fatalf("raw: got %+v", ev)
	}
	if ev, lv := r.event(1); ev.Kind != core.MiniTicker || len(lv) != 2 {
		t.Fatalf("array: got %+v %v", ev, lv)
	}
	if want := []string{"btcusdt@depth@100ms", "btcusdt@bookTicker", "ethusdt@trade"}; !slices.Equal(<-got, want) {
		t.Fatalf("subscribed other streams than %v", want)
	}
	r.until("live with counters", func(st feed.SessionStatus) bool {
		return st.State == feed.Live && st.Results[feed.Decoded] == 5 && st.Results[feed.UnknownSymbol] == 1 && st.Results[feed.Control] == 1
	})
	for _, s := range r.s.Streams() {
		if !s.Confirmed || !s.Heard || s.LastAt == 0 {
			t.Errorf("got %+v", s)
		}
	}
}

func TestSessionSurvivesAnyCutOfItsBytes(t *testing.T) {
	const n = 300
	r := newRig(t, func(c *vconn) {
		c.cut = 1 + rand.IntN(40)
		c.confirm(1)
		for i := range n {
			if i%7 == 0 {
				c.raw(gws.MustCompileFrame(gws.NewPingFrame([]byte("p"))))
			}
			b := []byte(depth(i, i))
			if i%5 == 0 { // in fragments
				at := 1 + rand.IntN(len(b)-2)
				c.raw(gws.MustCompileFrame(gws.NewFrame(gws.OpText, false, b[:at])))
				c.raw(gws.MustCompileFrame(gws.NewFrame(gws.OpContinuation, true, b[at:])))
				continue
			}
			c.send(string(b))
		}
		c.stay()
	}, nil)
	for i := range n {
		if ev, _ := r.event(0); ev.Kind != core.DepthDelta || ev.ID != uint64(i) {
			t.Fatalf("event %d: got %+v", i, ev)
		}
	}
}

func TestSessionCutMidFrameTellsEveryQueueAndComesBack(t *testing.T) {
	r := newRig(t, func(c *vconn) {
		c.confirm(1)
		if c.number == 1 {
			c.send(depth(1, 1))
			b := gws.MustCompileFrame(gws.NewTextFrame([]byte(depth(2, 2))))
			c.raw(b[:len(b)/2])
			return
		}
		c.send(depth(50, 51))
		c.stay()
	}, nil)
	if got := r.kinds(0, 3); !slices.Equal(got, []core.EventKind{core.DepthDelta, core.LineDown, core.DepthDelta}) {
		t.Fatalf("BTCUSDT: got %v", got)
	}
	if ev, _ := r.event(1); ev.Kind != core.LineDown || ev.Instrument != 1 || ev.Line != 3 {
		t.Fatalf("ETHUSDT: got %+v", ev)
	}
	r.until("a second connection", func(st feed.SessionStatus) bool {
		return st.State == feed.Live && st.Lost == 1 && st.Connected == 2 && strings.Contains(st.LastError, "EOF")
	})
}

func TestSessionRefusedSubscriptionIsNotTakenForOne(t *testing.T) {
	for _, shape := range []string{`{"error":{"code":2,"msg":"Invalid request: invalid stream"},"id":%d}`, `{"code":2,"msg":"Invalid request: invalid stream","id":%d}`} {
		r := newRig(t, func(c *vconn) {
			if c.number == 1 {
				var q request
				c.next(&q)
				c.send(fmt.Sprintf(shape, q.ID))
				c.stay()
				return
			}
			c.confirm(1)
			c.stay()
		}, nil)
		r.until("refusal, then live", func(st feed.SessionStatus) bool {
			return st.State == feed.Live && st.Refused == 1 && st.Connected == 2 && strings.Contains(st.LastError, "invalid stream")
		})
	}
}

func TestSessionHalfConfirmedIsNotLive(t *testing.T) {
	asked := make(chan int, 10)
	r := newRig(t, func(c *vconn) {
		if c.number == 1 {
			c.confirm(2)
			var q request
			c.next(&q) // the third is never answered
			asked <- 3
			c.stay()
			return
		}
		c.confirm(3)
		c.stay()
	}, func(cfg *feed.SessionConfig) { cfg.PerSubscribe = 1 })
	spin(t, "three requests", r.s.Step, func() bool { return len(asked) > 0 })
	r.until("two confirmations", func(feed.SessionStatus) bool {
		n := 0
		for _, s := range r.s.Streams() {
			if s.Confirmed {
				n++
			}
		}
		return n == 2
	})
	if st := r.s.Status(); st.State != feed.Subscribing {
		t.Fatalf("got %v, want subscribing", st.State)
	}
	r.clock.forward(11 * time.Second)
	r.until("a connection that is confirmed whole", func(st feed.SessionStatus) bool {
		return st.State == feed.Live && st.Unanswered == 1 && st.Lost == 1
	})
}

func TestSessionStaysInsideTheVenuesMessageAllowance(t *testing.T) {
	seen := make(chan core.MonoNs, 10)
	var r *rig
	r = newRig(t, func(c *vconn) {
		for range 3 {
			if len(c.confirm(1)) == 0 {
				return
			}
			seen <- r.clock.Mono()
		}
		c.stay()
	}, func(cfg *feed.SessionConfig) { cfg.PerSubscribe = 1 })
	spin(t, "three requests", r.s.Step, func() bool { return len(seen) == 3 })
	a, _, c := <-seen, <-seen, <-seen
	// The stamps are the reader's: late by at most a step or two of the clock.
	if c-a < core.MonoNs(500*time.Millisecond) {
		t.Fatalf("three requests within %v", time.Duration(c-a))
	}
}

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
	r.until("the frozen stream", func(st feed.SessionStatus) bool { return st.Frozen == 1 && st.Connected == 2 && st.State == feed.Live })
	if st := r.s.Status(); !strings.Contains(st.LastError, "btcusdt@depth@100ms is frozen") {
		t.Fatalf("got %q", st.LastError)
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

func TestSessionFullQueueTellsItsReader(t *testing.T) {
	const n = 100
	r := newRig(t, func(c *vconn) {
		c.confirm(1)
		for i := range n {
			c.send(depth(i, i))
		}
		c.send(trade(1)) // the other instrument is not disturbed
		c.stay()
	}, func(cfg *feed.SessionConfig) { cfg.Queues[0] = ring.NewQueue(16, 1024, 100) })
	r.queues[0] = r.cfg.Queues[0]
	if ev, _ := r.event(1); ev.Kind != core.Trade {
		t.Fatalf("got %+v", ev)
	}
	r.until("lost events", func(st feed.SessionStatus) bool { return st.LostEvents == n-16 && st.Overflows == 1 })
	for i := range 16 {
		if ev, _ := r.event(0); ev.Kind != core.DepthDelta || ev.ID != uint64(i) {
			t.Fatalf("event %d: got %+v", i, ev)
		}
	}
	if ev, _ := r.event(0); ev.Kind != core.Overflow || ev.Instrument != 0 {
		t.Fatalf("got %+v, want Overflow", ev)
	}
}

func TestSessionEventTooLargeForItsQueueIsAnOverflow(t *testing.T) {
	r := newRig(t, func(c *vconn) {
		c.confirm(1)
		c.send(`{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":1,"u":1,"b":[["1","1"],["2","2"],["3","3"]],"a":[]}}`)
		c.send(depth(2, 2))
		c.stay()
	}, func(cfg *feed.SessionConfig) { cfg.Queues[0] = ring.NewQueue(16, 1024, 2) })
	r.queues[0] = r.cfg.Queues[0]
	if got := r.kinds(0, 2); !slices.Equal(got, []core.EventKind{core.Overflow, core.DepthDelta}) {
		t.Fatalf("got %v", got)
	}
}

func TestSessionLineDownWaitsForRoom(t *testing.T) {
	r := newRig(t, func(c *vconn) {
		c.confirm(1)
		if c.number == 1 {
			for i := range 16 {
				c.send(depth(i, i))
			}
			return
		}
		c.stay()
	}, func(cfg *feed.SessionConfig) { cfg.Queues[0] = ring.NewQueue(16, 1024, 100) })
	r.queues[0] = r.cfg.Queues[0]
	r.until("the second connection", func(st feed.SessionStatus) bool { return st.Connected == 2 })
	got := r.kinds(0, 17)
	if got[16] != core.LineDown {
		t.Fatalf("got %v", got)
	}
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

func TestSessionProtocolErrorEndsTheConnection(t *testing.T) {
	r := newRig(t, func(c *vconn) {
		c.confirm(1)
		if c.number == 1 {
			c.raw([]byte{0x81, 0x80, 0, 0, 0, 0}) // masked
			c.mute()
			return
		}
		c.stay()
	}, nil)
	r.until("another connection", func(st feed.SessionStatus) bool {
		return st.Connected == 2 && st.State == feed.Live && strings.Contains(st.LastError, "masked")
	})
}

func TestSessionCountsWhatItCannotUse(t *testing.T) {
	r := newRig(t, func(c *vconn) {
		c.confirm(1)
		c.send(`{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate"`)
		c.send(`{"e":"newThing"}`)
		c.send(`{"result":null,"id":77}`)
		c.raw(gws.MustCompileFrame(gws.NewBinaryFrame([]byte{1, 2})))
		c.stay()
	}, nil)
	r.until("counters", func(st feed.SessionStatus) bool {
		return st.Results[feed.Malformed] == 1 && st.Results[feed.Ignored] == 1 && st.StrayReplies == 1 && st.Binary == 1 && st.State == feed.Live
	})
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

func TestSessionConfigErrorsNameTheThing(t *testing.T) {
	r := newRig(t, func(c *vconn) { c.stay() }, nil)
	for want, change := range map[string]func(*feed.SessionConfig){
		"no codec":            func(c *feed.SessionConfig) { c.Codec = nil },
		"no streams":          func(c *feed.SessionConfig) { c.Streams = nil },
		"no URL":              func(c *feed.SessionConfig) { c.URL = "" },
		"Dial, Clock":         func(c *feed.SessionConfig) { c.Clock = nil },
		"which has no queue":  func(c *feed.SessionConfig) { c.Queues = c.Queues[:1] },
		"that a stream can":   func(c *feed.SessionConfig) { c.Streams = []feed.Subscription{{Stream: "x"}} },
		"a negative duration": func(c *feed.SessionConfig) { c.Silence = -1 },
	} {
		cfg := r.cfg
		change(&cfg)
		if _, err := feed.NewSession(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// conveyor is a transport that upgrades itself and then brings the same frames
// for ever.
type conveyor struct {
	net.Conn // nil
	request  []byte
	answer   []byte
	frames   []byte
	at       int
}

func (c *conveyor) Write(p []byte) (int, error) {
	if c.answer == nil {
		c.request = append(c.request, p...)
		if bytes.HasSuffix(c.request, []byte("\r\n\r\n")) {
			req, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(c.request)))
			if err != nil {
				return 0, err
			}
			sum := sha1.Sum([]byte(req.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
			c.answer = []byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
				base64.StdEncoding.EncodeToString(sum[:]) + "\r\n\r\n")
		}
	}
	return len(p), nil
}

func (c *conveyor) Read(p []byte) (int, error) {
	if len(c.answer) > 0 {
		n := copy(p, c.answer)
		c.answer = c.answer[n:]
		return n, nil
	}
	n := copy(p, c.frames[c.at:])
	if c.at += n; c.at == len(c.frames) {
		c.at = 0
	}
	return n, nil
}

func (c *conveyor) Close() error                     { return nil }
func (c *conveyor) SetDeadline(time.Time) error      { return nil }
func (c *conveyor) SetReadDeadline(time.Time) error  { return nil }
func (c *conveyor) SetWriteDeadline(time.Time) error { return nil }

func TestSessionStepDoesNotAllocate(t *testing.T) {
	frames := gws.MustCompileFrame(gws.NewTextFrame([]byte(`{"result":null,"id":1}`)))
	for i := range 50 {
		for _, f := range []string{depth(i, i), touch(i), trade(i), `{"data":{"u":1,"s":"BTCUSDT","A":"4","b":"1","B":"2","a":"3"},"stream":"btcusdt@bookTicker"}`} {
			frames = append(frames, gws.MustCompileFrame(gws.NewTextFrame([]byte(f)))...)
		}
	}
	r := newRig(t, func(c *vconn) { c.stay() }, func(cfg *feed.SessionConfig) {
		cfg.Dial = func(context.Context, string) (net.Conn, error) { return &conveyor{frames: frames}, nil }
	})
	drain := func() {
		r.s.Step()
		for _, q := range r.queues {
			for ev, _ := q.Peek(); ev != nil; ev, _ = q.Peek() {
				q.Pop()
			}
		}
	}
	spin(t, "live", func() int { drain(); return 1 }, func() bool { return r.s.Status().State == feed.Live })
	if n := testing.AllocsPerRun(2000, drain); n != 0 {
		t.Fatalf("got %v allocations per step of 32 frames, want 0", n)
	}
	spin(t, "counters", func() int { drain(); return 1 }, func() bool { return r.s.Status().Results[feed.Decoded] >= 10000 })
	if st := r.s.Status(); st.LostEvents != 0 || st.Results[feed.Malformed] != 0 {
		t.Fatalf("got %+v", st)
	}
}
