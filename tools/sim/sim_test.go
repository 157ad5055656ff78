package sim

import (
	"context"
	"fmt"
	"io"
	"reflect"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestSeedIsThePlan(t *testing.T) {
	for seed := range uint64(50) {
		a, b := Draw(seed, time.Minute), Draw(seed, time.Minute)
		if !reflect.DeepEqual(a, b) {
			t.Fatalf("seed %d gives %+v and %+v, want one plan", seed, a, b)
		}
		if !slices.IsSortedFunc(a.Events, func(x, y Event) int { return int(x.At - y.At) }) {
			t.Errorf("seed %d: events are not in the order of their times", seed)
		}
	}
}

// Whatever breaks a promise because of one event is cut down to that event.
func TestShrinkFindsTheOneEventThatMatters(t *testing.T) {
	for seed := range uint64(200) {
		p := Draw(seed, 10*time.Minute)
		for i := range p.Events {
			if i%7 != 0 {
				continue
			}
			guilty := p.Events[i]
			runs := 0
			small := Shrink(p, guilty.At, func(q *Plan) bool {
				runs++
				return q.Time >= guilty.At && slices.Contains(q.Events, guilty)
			})
			if len(small.Events) != 1 || small.Events[0] != guilty || runs > 500 {
				t.Fatalf("seed %d: %d events left after %d runs, want %s alone", seed, len(small.Events), runs, &guilty)
			}
		}
	}
}

// A connection's messages are the same however its bytes are cut.
func TestMessagesDoNotDependOnPieces(t *testing.T) {
	wire := "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n" +
		"\x81\x85\x01\x02\x03\x04" + string([]byte{'h' ^ 1, 'e' ^ 2, 'l' ^ 3, 'l' ^ 4, 'o' ^ 1}) + "\x89\x80\x01\x02\x03\x04"
	read := func(cut int) (out []string) {
		var d decoder
		for _, piece := range []string{wire[:cut], wire[cut:]} {
			d.feed([]byte(piece), func(m *Message) { out = append(out, fmt.Sprintf("%v %s %s", m.Kind, m.Path, m.Body)) })
		}
		return out
	}
	want := []string{"request /ws ", "text  hello", "ping  "}
	for cut := range len(wire) {
		if got := read(cut); !slices.Equal(got, want) {
			t.Fatalf("cut at %d: got %q, want %q", cut, got, want)
		}
	}
}

// talk has a host and a server talk over a link and returns what the host has read, and
// the digest.
func talk(t *testing.T, fault func(*World, *Link)) (heard string, digest uint64) {
	synctest.Test(t, func(t *testing.T) {
		w := NewWorld(1)
		h := w.Net.Host("host", nil)
		ln := w.Net.Listener()
		go func() {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			for i := range 20 {
				if _, err := fmt.Fprintf(c, "%d,", i); err != nil {
					return
				}
				time.Sleep(10 * time.Millisecond)
			}
		}()
		done := make(chan struct{})
		go func() {
			defer close(done)
			c, err := h.Dial(context.Background(), "http://x", false)
			if err != nil {
				return
			}
			defer c.Close()
			b, _ := io.ReadAll(c)
			heard = string(b)
		}()
		w.After(55*time.Millisecond, func() { fault(w, w.Net.Links[0]) })
		w.Run(10 * time.Second)
		<-done
		_ = ln.Close()
		digest = w.Hash()
	})
	return heard, digest
}

func TestLinkFaultsDoWhatTheySay(t *testing.T) {
	const all = "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,"
	cases := []struct {
		name  string
		fault func(*World, *Link)
		whole bool
	}{
		{"none", func(*World, *Link) {}, true},
		{"held pieces come later", func(_ *World, l *Link) { l.Hold(false, 3*time.Second) }, true},
		{"slow pieces come in order", func(_ *World, l *Link) { l.Slow(false, time.Second, time.Second) }, true},
		{"dripping bytes are the same bytes", func(_ *World, l *Link) { l.Drip(false, time.Second) }, true},
		{"a reset ends it", func(_ *World, l *Link) { l.Break(false) }, false},
		{"a cut ends it", func(_ *World, l *Link) { l.CutAfter(false, 3, false) }, false},
	}
	for _, c := range cases {
		heard, digest := talk(t, c.fault)
		again, same := talk(t, c.fault)
		if heard != again || digest != same {
			t.Errorf("%s: two runs differ: %q and %q, %x and %x", c.name, heard, again, digest, same)
		}
		if c.whole && heard != all || !c.whole && (len(heard) >= len(all) || heard != all[:len(heard)]) {
			t.Errorf("%s: heard %q of %q", c.name, heard, all)
		}
	}
}
