package feed_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	gws "github.com/gobwas/ws"

	"riposte/core"
	"riposte/core/ring"
	"riposte/feed"
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
