package feed_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"riposte/core"
	"riposte/feed"
	"riposte/feed/binance"
)

// diary is a handler that writes down what it is told.
type diary struct {
	lines []string
	recv  core.MonoNs
}

func (d *diary) OnExecution(e *core.Execution) {
	d.recv = e.Recv
	d.lines = append(d.lines, fmt.Sprintf("execution %s %d %s", e.Client, e.Kind, e.Status))
}
func (d *diary) OnBalances(bs []core.Balance, at core.WallNs) {
	d.lines = append(d.lines, fmt.Sprintf("balances %v at %d", bs, at))
}
func (d *diary) OnExternal(a core.AssetID, delta core.Amount, _ core.WallNs) {
	d.lines = append(d.lines, fmt.Sprintf("external %d %v", a, delta))
}
func (d *diary) OnUserUp()                { d.lines = append(d.lines, "up") }
func (d *diary) OnUserDown(reason string) { d.lines = append(d.lines, "down: "+reason) }

type userRig struct {
	t     *testing.T
	clock *testClock
	venue *venue
	u     *feed.UserSession
	diary *diary
}

func newUserRig(t *testing.T, script func(c *vconn), change func(cfg *feed.UserConfig)) *userRig {
	t.Helper()
	tab := core.NewInstruments()
	if _, err := tab.Add(core.Instrument{Symbol: "BTCUSDT", Base: tab.Asset("BTC"), Quote: tab.Asset("USDT")}); err != nil {
		t.Fatal(err)
	}
	syms, err := binance.NewSymbols(tab)
	if err != nil {
		t.Fatal(err)
	}
	r := &userRig{t: t, clock: newClock(), venue: newVenue(t, script), diary: &diary{}}
	cfg := feed.UserConfig{
		LineConfig: feed.LineConfig{
			URL: "ws://" + r.venue.ln.Addr().String() + "/ws-api/v3", Dial: r.venue.dial, Clock: r.clock, Budget: newBudget(t, 300, 5*time.Minute),
			BackoffMin: time.Millisecond, BackoffMax: 2 * time.Millisecond, Seed: 1,
		},
		Codec: binance.NewUserDecoder(tab, syms, core.Milliseconds), Handler: r.diary,
		Subscribe: func(dst []byte, id int64) []byte {
			return fmt.Appendf(dst, `{"id":%d,"method":"userDataStream.subscribe.signature","params":{"signature":"s"}}`, id)
		},
	}
	if change != nil {
		change(&cfg)
	}
	if r.u, err = feed.NewUserSession(cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := r.u.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return r
}

func (r *userRig) until(what string, cond func(st feed.UserStatus) bool) {
	r.t.Helper()
	spin(r.t, what, r.u.Step, func() bool { return cond(r.u.Status()) })
}

func (r *userRig) wrote(n int) []string {
	r.t.Helper()
	spin(r.t, fmt.Sprintf("%d lines", n), r.u.Step, func() bool { return len(r.diary.lines) >= n })
	return r.diary.lines
}

// grant reads the subscription and confirms it.
func (c *vconn) grant() bool {
	var q struct {
		ID     int64
		Method string
		Params struct{ Signature string }
	}
	if !c.next(&q) {
		return false
	}
	if q.Method != "userDataStream.subscribe.signature" || q.Params.Signature != "s" {
		c.v.t.Errorf("client asked %+v", q)
	}
	c.send(fmt.Sprintf(`{"id":%d,"status":200,"result":{"subscriptionId":%d},"rateLimits":[]}`, q.ID, c.number))
	return true
}

func execution(client, kind, status string) string {
	return fmt.Sprintf(`{"subscriptionId":0,"event":{"e":"executionReport","E":1,"s":"BTCUSDT","c":%q,"S":"BUY","o":"LIMIT","f":"GTC","q":"1","p":"2","C":"","x":%q,"X":%q,"i":7,"l":"0","z":"0","L":"0","n":"0","N":null,"T":5,"t":-1,"I":9,"m":false,"Z":"0","Y":"0"}}`, client, kind, status)
}

func TestUserSessionSubscribesAndHandsEventsOver(t *testing.T) {
	r := newUserRig(t, func(c *vconn) {
		c.cut = 7
		if !c.grant() {
			return
		}
		c.send(execution("a", "NEW", "NEW"))
		c.send(execution("a", "CANCELED", "CANCELED"))
		c.send(`{"subscriptionId":0,"event":{"e":"outboundAccountPosition","E":3,"u":3,"B":[{"a":"BTC","f":"1","l":"2"},{"a":"DOGE","f":"1","l":"2"}]}}`)
		c.send(`{"subscriptionId":0,"event":{"e":"balanceUpdate","E":3,"a":"USDT","d":"-5","T":3}}`)
		c.send(`{"subscriptionId":0,"event":{"e":"listStatus","E":3}}`)
		c.stay()
	}, nil)
	want := []string{"up", "execution a 1 NEW", "execution a 3 CANCELED", "balances [{0 1 2}] at 3000000", "external 1 -5"}
	if got := r.wrote(5); !slices.Equal(got, want) {
		t.Fatalf("got %q", got)
	}
	r.until("counters", func(st feed.UserStatus) bool {
		return st.State == feed.Live && st.Ups == 1 && st.Kinds[feed.UserExecution] == 2 && st.Kinds[feed.UserIgnored] == 1 && st.LastEvent != 0
	})
	if r.diary.recv == 0 {
		t.Fatal("an execution carries no stamp")
	}
}

func TestUserSessionEndsAreToldOnceAndMended(t *testing.T) {
	for name, tc := range map[string]struct {
		end  func(c *vconn)
		want string
	}{
		"cut":        {func(c *vconn) {}, "EOF"},
		"terminated": {func(c *vconn) { c.send(`{"subscriptionId":0,"event":{"e":"eventStreamTerminated","E":1}}`); c.stay() }, "terminated"},
		"shutdown":   {func(c *vconn) { c.send(`{"event":{"e":"serverShutdown","E":1}}`); c.stay() }, "announced"},
		"unreadable": {func(c *vconn) {
			c.send(strings.Replace(execution("a", "TRADE", "FILLED"), `"q":"1"`, `"q":"?"`, 1))
			c.stay()
		}, "cannot be read"},
		"revoked": {func(c *vconn) { c.send(`{"id":null,"status":503,"error":{"code":-1000,"msg":"x"}}`); c.stay() }, "status 503"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newUserRig(t, func(c *vconn) {
				if !c.grant() {
					return
				}
				if c.number == 1 {
					tc.end(c)
					return
				}
				c.stay()
			}, nil)
			got := r.wrote(3)
			if len(got) != 3 || got[0] != "up" || !strings.HasPrefix(got[1], "down: ") || !strings.Contains(got[1], tc.want) || got[2] != "up" {
				t.Fatalf("got %q", got)
			}
		})
	}
}

// muteFirst is a venue whose first connection says nothing once it has been granted.
func muteFirst(c *vconn) {
	switch {
	case !c.grant():
	case c.number == 1:
		c.mute()
	default:
		c.stay()
	}
}

func TestUserSessionNoticesAMuteVenueWithinSeconds(t *testing.T) {
	r := newUserRig(t, muteFirst, nil)
	r.wrote(1)
	r.clock.forward(3100 * time.Millisecond)
	r.until("a ping", func(st feed.UserStatus) bool { return st.PingsSent == 1 })
	r.clock.forward(2100 * time.Millisecond)
	if got := r.wrote(3); !strings.Contains(got[1], "no PONG") {
		t.Fatalf("got %q", got)
	}
}

// A process that stood still for as long as a death takes to notice, and finds nothing
// that came meanwhile, starts over at once.
func TestUserSessionThatSleptWithItsConnectionStartsOver(t *testing.T) {
	r := newUserRig(t, muteFirst, nil)
	r.wrote(1)
	r.clock.forward(5100 * time.Millisecond)
	if got := r.wrote(3); !strings.HasPrefix(got[1], "down: ") || r.u.Status().PingsSent != 0 {
		t.Fatalf("got %q after %d pings, want an end without any", got, r.u.Status().PingsSent)
	}
}

func TestUserSessionWithoutAnAnswerIsNotUp(t *testing.T) {
	r := newUserRig(t, func(c *vconn) {
		if c.number == 1 {
			c.stay()
			return
		}
		c.grant()
		c.stay()
	}, nil)
	r.until("subscribing", func(st feed.UserStatus) bool { return st.State == feed.Subscribing })
	r.clock.forward(11 * time.Second)
	if got := r.wrote(1); got[0] != "up" || r.u.Status().Connected != 2 || !strings.Contains(r.u.Status().LastError, "not answered") {
		t.Fatalf("got %q, %+v", got, r.u.Status())
	}
}

func TestUserSessionStopsWhenTheKeyIsRefused(t *testing.T) {
	r := newUserRig(t, func(c *vconn) {
		var q struct{ ID int64 }
		c.next(&q)
		c.send(fmt.Sprintf(`{"id":%d,"status":401,"error":{"code":-2015,"msg":"Invalid API-key"}}`, q.ID))
		c.stay()
	}, nil)
	r.until("refused", func(st feed.UserStatus) bool { return st.State == feed.Refused })
	r.clock.forward(time.Hour)
	for range 1000 {
		r.u.Step()
	}
	if n := r.venue.dials.Load(); n != 1 || len(r.diary.lines) != 0 || !strings.Contains(r.u.Status().LastError, "-2015") {
		t.Fatalf("dialed %d times, diary %q, %+v", n, r.diary.lines, r.u.Status())
	}
}

func TestUserSessionHeedsClockAndLimits(t *testing.T) {
	clocks, silence := 0, time.Duration(0)
	var r *userRig
	r = newUserRig(t, func(c *vconn) {
		var q struct{ ID int64 }
		switch c.number {
		case 1:
			c.next(&q)
			c.send(fmt.Sprintf(`{"id":%d,"status":400,"error":{"code":-1021,"msg":"Timestamp for this request is outside of the recvWindow."}}`, q.ID))
		case 2:
			c.next(&q)
			there := int64(r.clock.Wall())/1e6 + 3_600_000 // their clock is an hour ahead of ours
			c.send(fmt.Sprintf(`{"id":%d,"status":429,"error":{"code":-1003,"msg":"Too much","data":{"serverTime":%d,"retryAfter":%d}}}`, q.ID, there, there+60_000))
		default:
			c.grant()
		}
		c.stay()
	}, func(cfg *feed.UserConfig) {
		cfg.OnClockRefused = func() { clocks++ }
		cfg.OnSilence = func(d time.Duration) { silence = d }
	})
	r.until("the limit", func(st feed.UserStatus) bool {
		return st.State == feed.Waiting && strings.Contains(st.LastError, "429")
	})
	if clocks != 1 || silence != time.Minute {
		t.Fatalf("clock refused %d times, silence of %v, want 1 and 1m", clocks, silence)
	}
	r.clock.forward(55 * time.Second)
	for range 1000 {
		r.u.Step()
	}
	if n := r.venue.dials.Load(); n != 2 {
		t.Fatalf("dialed %d times, want 2", n)
	}
	r.clock.forward(6 * time.Second)
	r.wrote(1)
}

func TestUserSessionKeepsTheSilenceDemandedOfIt(t *testing.T) {
	var silent atomic.Bool
	silent.Store(true)
	r := newUserRig(t, func(c *vconn) {
		c.grant()
		c.stay()
	}, func(cfg *feed.UserConfig) { cfg.Silent = silent.Load })
	r.until("subscribing", func(st feed.UserStatus) bool { return st.State == feed.Subscribing })
	for range 20 {
		r.clock.forward(time.Second)
		for range 100 {
			r.u.Step()
		}
	}
	if st := r.u.Status(); st.Ups != 0 || r.venue.dials.Load() == 0 {
		t.Fatalf("%+v, want a connection and nothing asked", st)
	}
	silent.Store(false)
	if got := r.wrote(1); got[0] != "up" {
		t.Fatalf("got %q after the silence, want up", got)
	}
}

func TestUserSessionTellsItsHandlerWhenClosed(t *testing.T) {
	r := newUserRig(t, func(c *vconn) {
		c.grant()
		c.stay()
	}, nil)
	r.wrote(1)
	if err := r.u.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := r.diary.lines; len(got) != 2 || got[1] != "down: session closed" {
		t.Fatalf("got %q", got)
	}
	if _, err := feed.NewUserSession(feed.UserConfig{}); err == nil {
		t.Fatal("an empty config was accepted")
	}
}
