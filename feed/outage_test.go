package feed_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	gws "github.com/gobwas/ws"

	"riposte/core"
	"riposte/core/ring"
	"riposte/feed"
	"riposte/feed/binance"
)

// bubbleClock is the time of a synctest bubble.
type bubbleClock struct{ start time.Time }

func (c bubbleClock) Mono() core.MonoNs { return core.MonoNs(time.Since(c.start) + time.Hour) }
func (c bubbleClock) Wall() core.WallNs { return core.WallNs(time.Now().UnixNano()) }

// island is lines and a venue that speak through pipes, in virtual time.
type island struct {
	t       *testing.T
	venue   *venue
	pulse   *pulse
	l       *feed.Lines
	queue   *ring.Queue
	away    atomic.Bool
	mu      sync.Mutex
	dials   []time.Time
	control []time.Time // when a client's message came, of all connections
}

func newIsland(t *testing.T, lines int) *island {
	tab := core.NewInstruments()
	if _, err := tab.Add(core.Instrument{Symbol: "BTCUSDT"}); err != nil {
		t.Fatal(err)
	}
	syms, err := binance.NewSymbols(tab)
	if err != nil {
		t.Fatal(err)
	}
	w := &island{t: t, venue: &venue{t: t}, pulse: &pulse{conns: map[*vconn]bool{}}, queue: ring.NewQueue(1024, 1024, 10)}
	var streams []feed.Subscription
	for i := range 5 {
		streams = append(streams, feed.Subscription{Stream: fmt.Sprintf("btcusdt@depth%d", i), Kind: core.EventKind(1 + i), MaxAge: 5 * time.Second})
	}
	w.l, err = feed.NewLines(feed.LinesConfig{
		SessionConfig: feed.SessionConfig{
			LineConfig: feed.LineConfig{URL: "ws://venue.test/stream", Clock: bubbleClock{time.Now()}, Budget: newBudget(t, 300, 5*time.Minute), Dial: w.dial, Seed: 7},
			Streams:    streams, Queues: []*ring.Queue{w.queue}, PerSubscribe: 1,
		},
		NewCodec: func() feed.Codec {
			return binance.NewDecoder(syms, core.Milliseconds, binance.Raw{Instrument: core.NoInstrument})
		},
		Count: lines,
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *island) note(list *[]time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	*list = append(*list, time.Now())
}

func (w *island) dial(context.Context, string) (net.Conn, error) {
	w.note(&w.dials)
	if w.away.Load() {
		return nil, &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	}
	client, server := net.Pipe()
	go func() {
		defer server.Close()
		if _, err := gws.Upgrade(server); err != nil {
			return
		}
		c := &vconn{Conn: server, v: w.venue}
		for range 5 {
			if c.confirm(1) == nil {
				return
			}
			w.note(&w.control)
		}
		w.pulse.mu.Lock()
		w.pulse.conns[c] = true
		w.pulse.mu.Unlock()
		c.stay()
		w.pulse.mu.Lock()
		delete(w.pulse.conns, c)
		w.pulse.mu.Unlock()
	}()
	return &polled{Conn: client}, nil
}

// run steps the lines for a time, every so often.
func (w *island) run(d, every time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		w.l.Step()
		for ev, _ := w.queue.Peek(); ev != nil; ev, _ = w.queue.Peek() {
			w.queue.Pop()
		}
		<-time.After(every)
		synctest.Wait()
	}
}

func (w *island) close() {
	if err := w.l.Close(context.Background()); err != nil {
		w.t.Error(err)
	}
	synctest.Wait()
}

// most is the largest number of instants within any window.
func most(list []time.Time, window time.Duration) (n int) {
	from := 0
	for i := range list {
		for list[i].Sub(list[from]) >= window {
			from++
		}
		n = max(n, i-from+1)
	}
	return n
}

// Ten minutes without a venue: attempts stay far inside the allowance, and afterwards
// everything is confirmed, at most five messages a second on a connection.
func TestLinesWaitForTheirVenueInsideItsAllowance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newIsland(t, 2)
		defer w.close()
		w.away.Store(true)
		w.run(10*time.Minute, 20*time.Millisecond)
		tried := len(w.dials)
		if st := w.l.Status(); st.Connected != 0 || st.Lines[0].Trouble != feed.TroubleRefused || st.Lines[1].Trouble != feed.TroubleRefused {
			t.Fatalf("got %+v", st)
		}
		w.away.Store(false)
		w.run(time.Minute, 20*time.Millisecond)
		st := w.l.Status()
		for _, l := range st.Lines {
			if l.State != feed.Live || !l.Listed || l.Unlisted != 0 || l.Unanswered != 0 {
				t.Errorf("line %d: %+v", l.Number, l)
			}
		}
		window, second := most(w.dials, 5*time.Minute), most(w.control, time.Second)
		if window >= 300 || second > 2*5 {
			t.Errorf("%d attempts within 5 minutes, %d messages within a second on two connections; want less than 300 and at most 10", window, second)
		}
		t.Logf("%d attempts in 10 minutes, most within 5 minutes %d, most messages within a second on two connections %d", tried, window, second)
	})
}

// A quiet market is no alarm, however the venue's own PINGs come. RIPOSTE_QUIET=24h is
// the full day.
func TestLinesTakeAQuietDayForOne(t *testing.T) {
	length := 20 * time.Minute
	if text := os.Getenv("RIPOSTE_QUIET"); text != "" {
		var err error
		if length, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		w := newIsland(t, 2)
		defer w.close()
		w.run(10*time.Second, 20*time.Millisecond)
		before := w.l.Status()
		start := time.Now()
		for _, every := range []time.Duration{20 * time.Second, 3 * time.Minute} {
			for end := time.Now().Add(length / 2); time.Now().Before(end); {
				w.pulse.each(func(c *vconn) { c.raw(gws.MustCompileFrame(gws.NewPingFrame([]byte("1")))) })
				w.run(every, 100*time.Millisecond)
			}
		}
		st := w.l.Status()
		if st.Frozen != 0 || st.Dead != 0 || st.Renewed != 0 || st.Mute != 0 || st.Lost-before.Lost != st.Rotations || st.Quiet == 0 {
			t.Errorf("frozen %d, dead %d, renewed %d, mute %d, lost %d with %d rotations; want a quiet day", st.Frozen, st.Dead, st.Renewed, st.Mute, st.Lost, st.Rotations)
		}
		t.Logf("%v of silence: 0 alarms, %d PINGs of ours, %d of the venue's, %d rotations", time.Since(start), st.PingsSent, st.Pings, st.Rotations)
	})
}
