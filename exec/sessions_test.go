package exec_test

import (
	"context"
	"crypto/ed25519"
	"strings"
	"testing"
	"time"

	"riposte/core"
	"riposte/core/risk"
	"riposte/exec"
	"riposte/exec/binance"
)

func wsOnly(c *exec.Config) { c.Route = exec.RouteWSOnly }

func TestAnswersOfASessionAreMatchedByIDInAnyOrder(t *testing.T) {
	x := newTwoRoutes(t, wsOnly)
	var held []*frameCall
	x.ws.handle = func(q *frameCall) { held = append(held, q) }
	var ids []core.OrderID
	for range 20 {
		ids = append(ids, x.buy(100_00000000))
	}
	x.steps(3)
	if len(held) != 20 || x.srv.count("POST") != 0 {
		t.Fatalf("%d orders came by the session and %d by wires, want all 20 at once by the session", len(held), x.srv.count("POST"))
	}
	for i := len(held) - 1; i >= 0; i-- {
		held[i].place(int64(5000 + i))
	}
	x.steps(3)
	for i, id := range ids {
		x.expect(id, "ack")
		if o := x.g.Table().Find(id); o.VenueID != int64(5000+i) {
			t.Errorf("order %d is the venue's %d, want %d", id, o.VenueID, 5000+i)
		}
	}
	if x.ws.logons != 2 {
		t.Errorf("logged on %d times, want once a session", x.ws.logons)
	}
	for _, q := range held {
		if q.query.Has("signature") || q.query.Has("apiKey") {
			t.Errorf("a request of a session that is logged on is signed: %v", q.query)
		}
	}
}

func TestAKeyThatCannotLogOnSignsEachRequest(t *testing.T) {
	key, err := binance.NewHMACKey("vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zv", "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP")
	must(t, err)
	x := newTwoRoutes(t, wsOnly, func(c *exec.Config) {
		c.Sessions.Codec, err = binance.NewFrames(binance.Config{Instruments: c.Instruments, Key: key, IDs: c.IDs})
		must(t, err)
	})
	id := x.buy(100_00000000)
	x.steps(3)
	x.expect(id, "ack")
	if x.ws.logons != 0 || !x.ws.requests[0].query.Has("signature") {
		t.Errorf("logged on %d times, request %v", x.ws.logons, x.ws.requests[0].query)
	}
}

// A lost session leaves its orders exactly where a lost wire leaves them: unknown, asked
// about, and never sent again.
func TestALostSessionLeavesItsOrdersUnknown(t *testing.T) {
	for name, lose := range map[string]func(c *frameConn){
		"closed":                  func(c *frameConn) { c.closed = true },
		"junk":                    func(c *frameConn) { c.push(`{"id":null,"status":400,"error":{"code":-1135,"msg":"x"}}`) },
		"half open":               func(c *frameConn) { c.mute = true },
		"answers nothing we sent": func(c *frameConn) { c.push("[]") },
	} {
		t.Run(name, func(t *testing.T) {
			x := newTwoRoutes(t, wsOnly)
			took := map[int64]bool{}
			x.ws.handle = func(q *frameCall) {
				if q.method == "order.place" {
					x.next++
					took[x.next] = true
					x.book[x.next] = q.query.Get("newClientOrderId")
					return // taken, and not answered
				}
				x.frame(q)
			}
			a, b := x.buy(100_00000000), x.buy(100_00000000)
			x.steps(2)
			lose(x.ws.requests[0].conn)
			x.until("both are in doubt", func() bool { return strings.HasPrefix(x.story(a), "doubt") && strings.HasPrefix(x.story(b), "doubt") })
			x.warmSessions()
			x.until("both are resolved", func() bool { return x.status(a) == core.New && x.status(b) == core.New })
			if n := x.ws.count("order.place"); n != 2 {
				t.Errorf("%d orders were sent, want 2", n)
			}
		})
	}
}

func TestAHalfOpenSessionIsFoundWithinSeconds(t *testing.T) {
	x := newTwoRoutes(t)
	from := x.clock.Mono()
	for _, c := range x.ws.alive() {
		c.mute = true
	}
	x.until("both sessions are given up", func() bool { return x.g.Sessions().Stats.HalfOpen == 2 })
	if took := time.Duration(x.clock.Mono() - from); took > 4*time.Second {
		t.Errorf("it took %v, want about 3 s", took)
	}
	x.warmSessions()
}

func TestASendThatFailsIsADoubtAndTheOthersOnItToo(t *testing.T) {
	x := newTwoRoutes(t, wsOnly)
	x.ws.handle = func(*frameCall) {}
	a := x.buy(100_00000000)
	x.steps(2)
	x.ws.requests[0].conn.broken = true
	b := x.buy(100_00000000)
	x.steps(3)
	x.expect(a, "doubt")
	x.expect(b, "doubt")
}

// TestASessionLeavesAfterItsSuccessorHasProvedItself, announced and by age: requests under
// way stay with the old one until they are answered, and no moment is without a session.
func TestASessionLeavesAfterItsSuccessorHasProvedItself(t *testing.T) {
	for _, why := range []string{"announced", "age"} {
		t.Run(why, func(t *testing.T) {
			x := newTwoRoutes(t, wsOnly, func(c *exec.Config) {
				if why == "age" {
					c.Sessions.Rotate = time.Second
				}
				c.Orders = 4096
			})
			var held []*frameCall
			x.ws.handle = func(q *frameCall) { held = append(held, q) }
			a := x.buy(100_00000000)
			x.steps(2)
			old := held[0].conn
			if why == "announced" {
				old.push(`{"event":{"e":"serverShutdown","E":1770123456789}}`)
			}
			x.until("a successor takes over", func() bool {
				if o, _ := x.g.Sessions().Ready(); o != 1 {
					t.Fatal("there is a moment without a session")
				}
				id := x.buy(100_00000000)
				x.steps(20)
				q := held[len(held)-1]
				if q.conn == old {
					q.place(x.next + 1)
					x.next++
					x.steps(2)
					if x.status(id) != core.New {
						t.Fatalf("order %d is %v", id, x.status(id))
					}
					return false
				}
				q.place(x.next + 1)
				x.next++
				x.steps(2)
				return true
			})
			if old.ended {
				t.Fatal("the old session is closed although an answer is awaited on it")
			}
			held[0].place(9999)
			x.until("the old session is closed", func() bool { return old.ended })
			x.expect(a, "ack")
			if s := x.g.Sessions().Stats; s.Lost != 0 || s.Replaced == 0 || x.g.Table().Stats.Doubts != 0 {
				t.Errorf("%+v, %d doubts; want replaced sessions, none lost and no doubt", s, x.g.Table().Stats.Doubts)
			}
		})
	}
}

func TestRotatingEverySecondForAMinuteLosesNothing(t *testing.T) {
	x := newTwoRoutes(t, wsOnly, func(c *exec.Config) { c.Sessions.Rotate = time.Second; c.Orders = 4096 })
	from, sent := x.clock.Mono(), 0
	x.until("a minute has passed", func() bool {
		id := x.buy(100_00000000)
		sent++
		x.cancel(id)
		x.steps(100)
		return x.clock.Mono()-from > core.MonoNs(time.Minute)
	})
	x.until("all have ended", func() bool { return x.g.Table().Live() == 0 })
	s := x.g.Sessions().Stats
	if s.Lost != 0 || s.Replaced < 100 || x.g.Table().Stats.Doubts != 0 || x.ws.count("order.place") != sent {
		t.Errorf("%+v, %d doubts, %d of %d orders arrived; want more than 100 replacements and nothing lost", s, x.g.Table().Stats.Doubts, x.ws.count("order.place"), sent)
	}
}

func TestARevokedKeyStopsTrading(t *testing.T) {
	x := newTwoRoutes(t, wsOnly)
	x.ws.handle = func(q *frameCall) {
		q.conn.push(`{"id":null,"status":401,"error":{"code":-2015,"msg":"Invalid API-key, IP, or permissions for action."}}`)
	}
	x.buy(100_00000000)
	x.steps(3)
	if x.g.Halted()&risk.HaltKey == 0 {
		t.Errorf("halted by %v, want the key", x.g.Halted())
	}
}

func TestARefusedLogonIsRepeatedWithPausesAndSaysWhy(t *testing.T) {
	x := newTwoRoutes(t)
	x.ws.refuse = `{"code":-1021,"msg":"Timestamp for this request is outside of the recvWindow."}`
	for _, c := range x.ws.alive() {
		c.closed = true
	}
	from, dials := x.clock.Mono(), x.g.Sessions().Stats.Dials
	x.until("20 s have passed", func() bool { return x.clock.Mono()-from > core.MonoNs(20*time.Second) })
	s := x.g.Sessions().Stats
	if n := s.Dials - dials; n < 4 || n > 30 || !strings.Contains(s.LastError, "logon refused") {
		t.Errorf("%d dials in 20 s, last error %q; want some and the reason", n, s.LastError)
	}
	x.ws.refuse = ""
	x.warmSessions()
}

func TestLimitsToldInFramesFeedTheBudget(t *testing.T) {
	x := newTwoRoutes(t, wsOnly)
	x.ws.handle = func(q *frameCall) {
		q.conn.push(`{"id":` + itoa(q.id) + `,"status":429,"error":{"code":-1003,"msg":"Too much request weight used","data":{"serverTime":1000,"retryAfter":8000}},` +
			`"rateLimits":[{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":6000,"count":5999}]}`)
	}
	id := x.buy(100_00000000)
	x.steps(3)
	x.expect(id, "done REJECTED")
	now := x.clock.Mono()
	if d := x.bud.SilentFor(now); d < 6*time.Second || d > 7*time.Second {
		t.Errorf("silent for %v, want 7 s", d)
	}
	if u := x.bud.Use(x.clock.Wall(), now); u.Weight < 5999 {
		t.Errorf("weight is %d, want what the venue told", u.Weight)
	}
}

func TestAWireIsReplacedByASpareThatProvedItself(t *testing.T) {
	r := newRig(t, func(c *exec.Config) { c.Pool.Replace, c.Orders = 10*time.Second, 8192 })
	first := r.srv.all()
	from := r.clock.Mono()
	r.until("every wire has been replaced twice", func() bool {
		id := r.buy(100_00000000)
		r.steps(200)
		if r.status(id) != core.New {
			t.Fatalf("an order is %v", r.status(id))
		}
		return r.g.Pool().Stats.Replaced >= 6
	})
	for i, c := range first {
		if !c.ended {
			t.Errorf("wire %d is still there", i)
		}
	}
	if s := r.g.Pool().Stats; s.Lost != 0 || s.Dials != 3+s.Replaced {
		t.Errorf("%+v after %v, want none lost and a dial for each", s, time.Duration(r.clock.Mono()-from))
	}
	id := r.buy(100_00000000)
	r.steps(3)
	r.expect(id, "ack")
}

// TestAfterAChangeOfKeyNoOrderLeavesOnAnOldLogon: requests under way on the old session
// are answered there.
func TestAfterAChangeOfKeyNoOrderLeavesOnAnOldLogon(t *testing.T) {
	var frames exec.FrameCodec
	x := newTwoRoutes(t, wsOnly, func(c *exec.Config) {
		key, err := binance.NewEd25519Key("anotherKey", ed25519.NewKeyFromSeed(make([]byte, 32)))
		must(t, err)
		frames, err = binance.NewFrames(binance.Config{Instruments: c.Instruments, Key: key, IDs: c.IDs})
		must(t, err)
	})
	var held []*frameCall
	x.ws.handle = func(q *frameCall) { held = append(held, q) }
	a := x.buy(100_00000000)
	x.steps(2)
	switched := make(chan error, 1)
	go func() {
		_, err := x.g.Switch(context.Background(), x.codec, frames)
		switched <- err
	}()
	x.until("the codecs are switched", func() bool { return len(switched) == 1 })
	must(t, <-switched)
	x.until("the successors are there", func() bool {
		o, c := x.g.Sessions().Ready()
		return o == 1 && c == 1 && x.ws.logons == 4
	})
	b := x.buy(100_00000000)
	x.until("it has left", func() bool { return len(held) == 2 })
	if held[1].conn == held[0].conn {
		t.Error("an order left on a session that the old key had logged on")
	}
	held[0].place(11)
	held[1].place(12)
	x.steps(3)
	x.expect(a, "ack")
	x.expect(b, "ack")
}
