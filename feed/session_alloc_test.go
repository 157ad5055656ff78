package feed_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"net"
	"net/http"
	"testing"
	"time"

	gws "github.com/gobwas/ws"

	"riposte/feed"
)

// conveyor is a transport that upgrades itself and then brings the same frames
// for ever.
type conveyor struct {
	net.Conn // nil
	request  []byte
	answer   []byte
	reply    []byte // sent once, before the frames
	frames   []byte
	at       int
}

// confirmation is the server's answer to the first request.
var confirmation = gws.MustCompileFrame(gws.NewTextFrame([]byte(`{"result":null,"id":1}`)))

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
	if len(c.reply) > 0 {
		n := copy(p, c.reply)
		c.reply = c.reply[n:]
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
	var frames []byte
	for i := range 50 {
		for _, f := range []string{depth(i, i), touch(i), trade(i), `{"data":{"u":1,"s":"BTCUSDT","A":"4","b":"1","B":"2","a":"3"},"stream":"btcusdt@bookTicker"}`} {
			frames = append(frames, gws.MustCompileFrame(gws.NewTextFrame([]byte(f)))...)
		}
	}
	r := newRig(t, func(c *vconn) { c.stay() }, func(cfg *feed.SessionConfig) {
		cfg.Dial = func(context.Context, string) (net.Conn, error) {
			return &conveyor{reply: confirmation, frames: frames}, nil
		}
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
