package feed

import (
	"context"
	"fmt"
	"net"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"riposte/core"
	"riposte/core/ring"
	"riposte/feed/ws"
)

// joint is an arbiter with connections that exist in name only: a test hands events in.
type joint struct {
	a     *arbiter
	clock stoppedClock
	lines []*Session
	queue *ring.Queue
}

type stoppedClock struct{ at *core.MonoNs }

func (c stoppedClock) Mono() core.MonoNs { return *c.at }
func (c stoppedClock) Wall() core.WallNs { return core.WallNs(*c.at) }

type noCodec struct{}

func (noCodec) Route([]byte) Route { return Route{} }
func (noCodec) DecodeRouted([]byte, Route, *core.Event, []core.Level) (int, Result) {
	return 0, Ignored
}
func (noCodec) NextOf([]byte, *core.Event, []core.Level) (int, Result, bool) {
	return 0, Ignored, false
}
func (noCodec) Reply() *Reply                                            { return nil }
func (noCodec) AppendUnsubscribe(dst []byte, _ int64, _ []string) []byte { return dst }
func (noCodec) AppendList(dst []byte, _ int64) []byte                    { return dst }
func (noCodec) AppendSubscribe(dst []byte, _ int64, _ []string) []byte   { return dst }

var jointKinds = []core.EventKind{core.DepthDelta, core.Touch, core.Trade, core.AggTrade, core.Kline, core.MiniTicker}

func newJoint(t interface{ Fatal(...any) }, lines int) *joint {
	j := &joint{clock: stoppedClock{new(core.MonoNs)}, queue: ring.NewQueue(1<<14, 1<<14, 8)}
	*j.clock.at = core.MonoNs(time.Hour)
	cfg := SessionConfig{LineConfig: LineConfig{URL: "ws://x", Clock: j.clock}, Codec: noCodec{}, Queues: []*ring.Queue{j.queue}}
	for _, k := range jointKinds {
		cfg.Streams = append(cfg.Streams, Subscription{Stream: fmt.Sprint(k), Kind: k})
	}
	var err error
	if cfg.Budget, err = NewConnectBudget(100, time.Minute); err != nil {
		t.Fatal(err)
	}
	cfg.Dial = func(context.Context, string) (net.Conn, error) { return nil, net.ErrClosed }
	j.a = newArbiter(cfg.Queues, cfg.Streams, j.clock, lines, 100*time.Millisecond)
	j.a.prepareHold()
	for i := range lines {
		cfg.Line = uint8(i)
		s, err := newSession(cfg, j.a, uint8(i))
		if err != nil {
			t.Fatal(err)
		}
		j.lines = append(j.lines, s)
		j.up(i)
	}
	return j
}

// up gives a line a connection that has confirmed everything.
func (j *joint) up(i int) {
	s := j.lines[i]
	s.conn, s.state, s.now = ws.NewConn(deafConn{}, nil, ws.Options{Buffer: 16}), Live, j.clock.Mono()
	j.a.open++
	for k := range s.streams {
		st := &s.streams[k]
		st.confirmed, st.first, st.next, st.inStep = j.clock.Mono(), 0, 0, false
		st.stepAt = j.a.marks[0][st.Kind].next
	}
}

type deafConn struct{ net.Conn }

func (deafConn) Write(p []byte) (int, error)      { return len(p), nil }
func (deafConn) Close() error                     { return nil }
func (deafConn) SetWriteDeadline(time.Time) error { return nil }

// bring has a line decode an event, as Session.hand does.
func (j *joint) bring(i int, ev core.Event, lv ...core.Level) {
	s := j.lines[i]
	st := s.stamp(&ev)
	ev.Recv = j.clock.Mono()
	switch s.join.admit(s, st, &ev) {
	case fresh:
		s.join.put(s, &ev, lv)
		s.join.follow(ev.Instrument, ev.Kind)
	case wait:
		s.join.keep(s, &ev, lv)
	}
}

// pass lets time go by.
func (j *joint) pass(d time.Duration) {
	*j.clock.at += core.MonoNs(d)
	if j.a.holding > 0 {
		j.a.expire(j.clock.Mono())
	}
}

// take empties the queue.
func (j *joint) take() (out []core.Event) {
	for ev, _ := j.queue.Peek(); ev != nil; ev, _ = j.queue.Peek() {
		out = append(out, *ev)
		j.queue.Pop()
	}
	return out
}

func delta(first, last int) core.Event {
	return core.Event{Kind: core.DepthDelta, ID: uint64(last), W: [4]int64{int64(first)}}
}

// ids is a short text of what was published.
func ids(list []core.Event) string {
	s := ""
	for _, ev := range list {
		if ev.Kind == core.DepthDelta {
			s += fmt.Sprintf("%d-%d/%d ", ev.FirstID(), ev.ID, ev.Line)
		} else {
			s += fmt.Sprintf("%d:%d/%d ", ev.Kind, ev.ID, ev.Line)
		}
	}
	return s
}

func TestArbiterPublishesWhatComesFirst(t *testing.T) {
	for name, c := range map[string]struct {
		play func(j *joint)
		want string
	}{
		"a copy is dropped": {func(j *joint) {
			j.bring(0, delta(1, 3))
			j.bring(1, delta(1, 3))
			j.bring(1, delta(4, 4))
			j.bring(0, delta(4, 4))
		}, "1-3/0 4-4/1 "},
		"an overlapping event is published whole": {func(j *joint) {
			j.bring(0, delta(1, 3))
			j.bring(1, delta(2, 5))
			j.bring(0, delta(4, 5))
		}, "1-3/0 2-5/1 "},
		"an event after a gap waits for the other line": {func(j *joint) {
			j.bring(0, delta(1, 1))
			j.bring(1, delta(1, 1))
			j.bring(0, delta(3, 3))
			j.bring(0, delta(4, 4))
			j.pass(50 * time.Millisecond)
			j.bring(1, delta(2, 2))
		}, "1-1/0 2-2/1 3-3/0 4-4/0 "},
		"but not for ever": {func(j *joint) {
			j.bring(0, delta(1, 1))
			j.bring(0, delta(3, 3))
			j.pass(101 * time.Millisecond)
			j.bring(1, delta(2, 2))
		}, "1-1/0 3-3/0 "},
		"nor for a line that has passed the place": {func(j *joint) {
			j.bring(0, delta(1, 1))
			j.bring(0, delta(3, 3))
			j.bring(1, delta(3, 3))
		}, "1-1/0 3-3/0 "},
		"nor for a line that is gone": {func(j *joint) {
			j.bring(0, delta(1, 1))
			j.bring(1, delta(1, 1))
			j.bring(0, delta(3, 3))
			j.lines[1].lost(net.ErrClosed, false)
		}, "1-1/0 3-3/0 "},
		"trades wait too": {func(j *joint) {
			j.bring(0, core.Event{Kind: core.Trade, ID: 7})
			j.bring(0, core.Event{Kind: core.Trade, ID: 9})
			j.bring(1, core.Event{Kind: core.Trade, ID: 8})
			j.bring(1, core.Event{Kind: core.Trade, ID: 9})
		}, "4:7/0 4:8/1 4:9/0 "},
		"touches never": {func(j *joint) {
			j.bring(0, core.Event{Kind: core.Touch, ID: 7})
			j.bring(0, core.Event{Kind: core.Touch, ID: 19})
			j.bring(1, core.Event{Kind: core.Touch, ID: 8})
			j.bring(1, core.Event{Kind: core.Touch, ID: 19})
		}, "3:7/0 3:19/0 "},
		"the last line's end is told": {func(j *joint) {
			j.bring(0, delta(1, 1))
			j.bring(1, delta(1, 1))
			j.lines[0].lost(net.ErrClosed, false)
			j.bring(1, delta(2, 2))
			j.lines[1].lost(net.ErrClosed, false)
			j.up(0)
			j.bring(0, delta(9, 9))
		}, "1-1/0 2-2/1 10:0/1 9-9/0 "},
		"a line that is not in step is not one": {func(j *joint) {
			j.bring(0, delta(100, 100))
			j.lines[1].lost(net.ErrClosed, false)
			j.up(1)
			j.bring(1, delta(5, 5)) // of another sequence
			j.lines[0].lost(net.ErrClosed, false)
			j.bring(1, delta(6, 6))
		}, "100-100/0 10:0/0 6-6/1 "},
		"candles come in the order of their time": {func(j *joint) {
			k := func(open, trades int64, flags uint8) core.Event {
				return core.Event{Kind: core.Kline, Flags: flags, ID: uint64(open + trades), W: [4]int64{open * 1e9, open*1e9 + 59_999e6, trades}}
			}
			j.bring(0, k(60, 1, 0))
			j.bring(1, k(60, 1, 0))
			j.bring(1, k(60, 2, 0))
			j.bring(0, k(120, 1, 0))
			j.bring(1, k(60, 3, core.FlagClosed)) // which line 0 has missed
			j.bring(0, k(60, 3, core.FlagClosed))
			j.bring(1, k(120, 1, 0))
		}, "6:61/0 6:62/1 6:121/0 6:63/1 "},
	} {
		t.Run(name, func(t *testing.T) {
			j := newJoint(t, 2)
			c.play(j)
			if got := ids(j.take()); got != c.want {
				t.Fatalf("published %s, want %s", got, c.want)
			}
		})
	}
}

// look has a line's watchdog look at its streams.
func (j *joint) look(t *testing.T, i int) {
	s := j.lines[i]
	s.now = j.clock.Mono()
	if err := s.watchStreams(); err != nil {
		t.Fatal(err)
	}
}

// A stream that stands still cannot hold a new connection's events off for ever, though
// nothing else of its market moves.
func TestArbiterBelievesANewConnectionInsteadOfOneThatStandsStill(t *testing.T) {
	for name, c := range map[string]struct {
		between func(j *joint)
		frozen  uint64
		want    string
	}{
		"it says nothing":           {func(*joint) {}, 1, "1-1/0 10:0/0 6-6/1 "},
		"it is behind, and says so": {func(j *joint) { j.bring(0, delta(2, 2)) }, 0, "1-1/0 2-2/0 "},
		"it has come as far":        {func(j *joint) { j.bring(0, delta(2, 5)) }, 0, "1-1/0 2-5/0 6-6/1 "},
	} {
		t.Run(name, func(t *testing.T) {
			j := newJoint(t, 2)
			j.lines[0].listed = true
			j.bring(0, delta(1, 1))
			j.lines[1].lost(net.ErrClosed, false)
			j.up(1)
			j.pass(8 * time.Second)
			j.bring(1, delta(5, 5)) // ids 2 to 4 may be under way
			j.pass(101 * time.Millisecond)
			j.look(t, 0)
			j.pass(2900 * time.Millisecond)
			j.look(t, 0)
			if n := j.lines[0].count.Frozen; n != 0 {
				t.Fatalf("frozen %d times within the time that events may be under way", n)
			}
			c.between(j)
			j.pass(101 * time.Millisecond)
			j.look(t, 0)
			j.bring(1, delta(6, 6))
			j.pass(101 * time.Millisecond)
			if got, n := ids(j.take()), j.lines[0].count.Frozen; got != c.want || n != c.frozen {
				t.Errorf("published %s, frozen %d times; want %s and %d", got, n, c.want, c.frozen)
			}
		})
	}
}

// A venue that starts its ids over on every line is noticed: what it sends then is not
// an endless row of late copies.
func TestArbiterNoticesIdsThatStartOver(t *testing.T) {
	j := newJoint(t, 2)
	j.bring(0, delta(1000, 1000))
	for i := range 2 * copiesMax {
		j.bring(i%2, delta(i/2, i/2))
		j.pass(40 * time.Millisecond)
	}
	out := j.take()
	if len(out) < 3 || out[1].Kind != core.LineDown || out[2].Kind != core.DepthDelta || j.a.restarts != 1 {
		t.Fatalf("published %s", ids(out))
	}
}

// Lines with drops, delays, copies and changes of order, as far as a connection can
// have them: what is published is the union, in order, without copies, and a gap is
// left only where no line had the event or it came after the time allowed.
func TestArbiterPublishesTheUnionInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 4).Draw(t, "lines")
		events := rapid.IntRange(1, 60).Draw(t, "events")
		kind := rapid.SampledFrom([]core.EventKind{core.DepthDelta, core.Trade}).Draw(t, "kind")
		j := newJoint(t, n)
		type arrival struct {
			at   time.Duration
			line int
			id   int
		}
		var list []arrival
		had := make([]bool, events+1)
		const spacing, delayMost = 20 * time.Millisecond, 90 * time.Millisecond
		for line := range n {
			last := time.Duration(0)
			for id := 1; id <= events; id++ {
				if rapid.IntRange(0, 9).Draw(t, "dropped") == 0 {
					continue
				}
				had[id] = true
				// A connection keeps its order; the delay of one holds up those behind.
				at := max(last, time.Duration(id)*spacing+time.Duration(rapid.IntRange(0, int(delayMost/time.Millisecond)).Draw(t, "ms"))*time.Millisecond)
				last = at
				list = append(list, arrival{at, line, id})
				if rapid.IntRange(0, 9).Draw(t, "doubled") == 0 {
					list = append(list, arrival{at, line, id})
				}
			}
		}
		slices.SortStableFunc(list, func(a, b arrival) int { return int(a.at - b.at) })
		now := time.Duration(0)
		for _, a := range list {
			for now < a.at { // the loop comes round meanwhile
				step := min(5*time.Millisecond, a.at-now)
				j.pass(step)
				now += step
			}
			ev := delta(a.id, a.id)
			ev.Kind = kind
			j.bring(a.line, ev)
		}
		j.pass(time.Second)
		var want, got []int
		for id := 1; id <= events; id++ {
			if had[id] {
				want = append(want, id)
			}
		}
		for _, ev := range j.take() {
			got = append(got, int(ev.ID))
		}
		// The first line to speak may do so after events that another brings later:
		// before its first event the joined stream has nothing to lose.
		if len(got) > 0 {
			want = want[slices.Index(want, got[0]):]
		}
		if !slices.Equal(got, want) {
			t.Fatalf("published %v, want %v, arrivals %v", got, want, list)
		}
		if j.a.holding != 0 {
			t.Fatalf("%d events still wait", j.a.holding)
		}
	})
}
