package feed_test

import (
	"context"
	"fmt"
	"net"
	"testing"

	gws "github.com/gobwas/ws"

	"riposte/core"
	"riposte/feed"
	"riposte/feed/binance"
)

// belt is a conveyor whose ids go on rising: each lap of its frames has a lap number
// of five digits before the four of the place in the lap.
type belt struct {
	conveyor
	lap   int
	holes []int // where the lap numbers are
}

const beltLap = 2000

func newBelt() *belt {
	b := &belt{}
	add := func(text string) {
		b.frames = append(b.frames, gws.MustCompileFrame(gws.NewTextFrame([]byte(text)))...)
	}
	for i := range beltLap {
		id := 10_000_0000 + i
		for _, f := range []string{depth(id, id), touch(id), trade(id)} {
			add(f)
		}
	}
	lap := []byte(fmt.Sprint(10_000))
	for i := 0; i+9 <= len(b.frames); i++ {
		if string(b.frames[i:i+5]) == string(lap) && b.frames[i-1] == ':' {
			b.holes = append(b.holes, i)
		}
	}
	b.lap = 10_000
	return b
}

func (b *belt) Read(p []byte) (int, error) {
	n, err := b.conveyor.Read(p)
	if b.at == 0 && len(b.answer) == 0 && n > 0 {
		b.lap++
		var text [5]byte
		for v, i := b.lap, 4; i >= 0; v, i = v/10, i-1 {
			text[i] = byte('0' + v%10)
		}
		for _, at := range b.holes {
			copy(b.frames[at:], text[:])
		}
	}
	return n, err
}

// BenchmarkSessionFrame is one frame from the connection's buffer into its queue.
func BenchmarkSessionFrame(b *testing.B) {
	r := newRig(b, func(c *vconn) { c.stay() }, func(cfg *feed.SessionConfig) {
		cfg.Dial = func(context.Context, string) (net.Conn, error) {
			c := newBelt()
			c.reply = confirmation
			return c, nil
		}
	})
	drain := func() int {
		n := r.s.Step()
		for _, q := range r.queues {
			for ev, _ := q.Peek(); ev != nil; ev, _ = q.Peek() {
				q.Pop()
			}
		}
		return n
	}
	spin(b, "live", func() int { drain(); return 1 }, func() bool { return r.s.Status().State == feed.Live })
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; {
		n += drain()
	}
}

// BenchmarkLinesFrame is one frame of two lines that bring the same: half of them are
// published, half are copies.
func BenchmarkLinesFrame(b *testing.B) {
	r := newRig(b, func(c *vconn) { c.stay() }, nil)
	l, err := feed.NewLines(feed.LinesConfig{
		SessionConfig: feed.SessionConfig{
			LineConfig: feed.LineConfig{URL: "ws://x/stream", Clock: r.clock, Budget: r.cfg.Budget, Dial: func(context.Context, string) (net.Conn, error) {
				c := newBelt()
				c.reply = confirmation
				return c, nil
			}},
			Streams: r.cfg.Streams, Queues: r.queues,
		},
		NewCodec: func() feed.Codec {
			return binance.NewDecoder(r.syms, core.Milliseconds, binance.Raw{Instrument: core.NoInstrument})
		},
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := l.Close(context.Background()); err != nil {
			b.Error(err)
		}
	})
	drain := func() int {
		n := l.Step()
		for _, q := range r.queues {
			for ev, _ := q.Peek(); ev != nil; ev, _ = q.Peek() {
				q.Pop()
			}
		}
		return n
	}
	spin(b, "live", func() int { drain(); return 1 }, func() bool { return l.Status().Lines[0].State == feed.Live && l.Status().Lines[1].State == feed.Live })
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; {
		n += drain()
	}
}
