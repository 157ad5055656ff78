package ws

import (
	"io"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

func TestPingsThatArriveTogetherGetOnePong(t *testing.T) {
	data := join(frame(ws.OpPing, true, []byte("1")), text("a"), frame(ws.OpPing, true, []byte("2")), text("b"))
	s := &script{data: data, end: io.EOF}
	c := NewConn(s, nil, Options{})
	if _, err := drain(c); err != io.EOF {
		t.Fatal(err)
	}
	fs := s.written(t)
	if len(fs) != 1 || string(fs[0].Payload) != "2" || c.Stats().PingCoalesced != 1 {
		t.Fatalf("client wrote %v, want one PONG to the later PING", fs)
	}
}

// After a pause PINGs come one read apart; one PONG a second answers them, the newest too.
func TestPingsThatCrowdGetOnePongASecond(t *testing.T) {
	now := int64(0)
	ping := func(p string) []byte { return frame(ws.OpPing, true, []byte(p)) }
	one := ping("1")
	s := &script{data: join(one, ping("2"), ping("3"), ping("4")), end: os.ErrDeadlineExceeded, cut: func(int) int { return len(one) }}
	c := NewConn(s, nil, Options{Now: func() int64 { now += 1000; return now }})
	if err := c.NonBlocking(); err != nil {
		t.Fatal(err)
	}
	pongs := func() (list []string) {
		if _, _, err := c.Next(); err != ErrNoData {
			t.Fatalf("got %v, want no message", err)
		}
		for _, f := range s.written(t) {
			list = append(list, string(f.Payload))
		}
		return list
	}
	if got := pongs(); !slices.Equal(got, []string{"1"}) {
		t.Errorf("four PINGs were answered by %q, want the first at once", got)
	}
	now += int64(time.Second)
	if got := pongs(); !slices.Equal(got, []string{"1", "4"}) {
		t.Errorf("a second later the answers are %q, want the newest too", got)
	}
	if st := c.Stats(); st.Pings != 4 || st.PingCoalesced != 2 {
		t.Errorf("got %+v, want 4 PINGs, 2 of them answered by another's PONG", st)
	}
}
