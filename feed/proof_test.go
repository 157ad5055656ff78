package feed_test

import (
	"fmt"
	"testing"
	"time"

	gws "github.com/gobwas/ws"

	"riposte/core"
	"riposte/feed"
)

// TestAQuietBookIsProvedByTheLineThatIsLeastLate: bytes that carry no time are as late as
// the newest of their connection that do, and of two connections the one counts whose bytes
// left the venue last, not the one that was read last.
func TestAQuietBookIsProvedByTheLineThatIsLeastLate(t *testing.T) {
	r := newLinesRig(t, 2, nil)
	r.until("two lines", allLive)
	r.caughtUp()
	const prompt, late = 5_000_000, 4_000_000 // ms
	n, i := r.pulse.n, 0
	var told core.Event
	proofs := 0 // by the prompt line
	spin(t, "proofs by the prompt line", func() int {
		n := r.l.Step()
		for ev, _ := r.queues[0].Peek(); ev != nil; ev, _ = r.queues[0].Peek() {
			if ev.Kind == core.LineAlive {
				if told = *ev; told.VenueTime() > prompt*1e6 {
					proofs++
				} else if proofs > 0 {
					t.Fatalf("a proof by bytes of %d ms, after one of the prompt line", told.VenueTime()/1e6)
				}
			}
			r.queues[0].Pop()
		}
		for ev, _ := r.queues[1].Peek(); ev != nil; ev, _ = r.queues[1].Peek() {
			r.queues[1].Pop()
		}
		return n
	}, func() bool {
		if i++; i%200 != 0 {
			return proofs >= 5
		}
		n++
		r.clock.forward(20 * time.Millisecond)
		r.pulse.each(func(c *vconn) {
			at := prompt
			if c.number%2 == 0 {
				at = late
			}
			c.send(fmt.Sprintf(`{"stream":"ethusdt@trade","data":{"e":"trade","E":1,"s":"ETHUSDT","t":%d,"p":"1","q":"2","T":%d,"m":true,"M":true}}`, n, at+n))
		})
		return proofs >= 5
	})
	if got := told.W[1]; got <= 0 || core.MonoNs(got) > told.Recv {
		t.Errorf("the newest dated event had been read at %d, want before the proof at %d", got, told.Recv)
	}
	if st := r.l.Status(); st.Lines[told.Line].State != feed.Live {
		t.Errorf("the proof is of line %d, which is %v", told.Line, st.Lines[told.Line].State)
	}
}

// TestALineThatDripsProvesNothingNew: bytes of a message that is not whole yet are as late
// as the line has fallen behind since the newest event that the venue has dated.
func TestALineThatDripsProvesNothingNew(t *testing.T) {
	drop := make(chan bool)
	r := newRig(t, func(c *vconn) {
		c.confirm(1)
		c.send(depth(1, 1))
		frame := gws.MustCompileFrame(gws.NewTextFrame([]byte(touch(2))))
		for i := range frame {
			if !<-drop {
				break
			}
			c.raw(frame[i : i+1])
		}
		c.stay()
	}, nil)
	var dated core.Event
	spin(t, "a dated event", r.s.Step, func() bool {
		for ev, _ := r.queues[0].Peek(); ev != nil; ev, _ = r.queues[0].Peek() {
			if ev.Kind == core.DepthDelta {
				dated = *ev
			}
			r.queues[0].Pop()
		}
		return dated.ID != 0
	})
	var behind []core.MonoNs
	for range 6 {
		r.clock.forward(700 * time.Millisecond)
		now := r.clock.Mono()
		drop <- true
		came := false
		spin(t, "a sign of life", r.s.Step, func() bool {
			for ev, _ := r.queues[0].Peek(); ev != nil; ev, _ = r.queues[0].Peek() {
				if ev.Kind == core.LineAlive && ev.Recv >= now {
					behind, came = append(behind, ev.Recv-core.MonoNs(ev.W[1])), true
				}
				r.queues[0].Pop()
			}
			return came
		})
	}
	close(drop)
	for _, b := range behind {
		if b > behind[0] {
			t.Errorf("a book is shown to be current up to %v behind the newest dated event, want %v as with the first byte", b, behind[0])
		}
	}
}
