package ws

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

// serve answers one dialed connection with fn and ends with the test.
func serve(t *testing.T, fn func(net.Conn)) DialFunc {
	t.Helper()
	return func(context.Context, string) (net.Conn, error) {
		client, server := net.Pipe()
		done := make(chan struct{})
		go func() {
			defer close(done)
			defer server.Close()
			fn(server)
		}()
		t.Cleanup(func() {
			client.Close()
			<-done
		})
		return client, nil
	}
}

// answer reads the request and writes raw.
func answer(t *testing.T, raw func(*http.Request) string) DialFunc {
	return serve(t, func(nc net.Conn) {
		req, err := http.ReadRequest(bufio.NewReader(nc))
		if err != nil {
			t.Errorf("server got an unreadable request: %v", err)
			return
		}
		_, _ = nc.Write([]byte(raw(req)))
	})
}

func TestDialUpgradesAndKeepsEarlyFrames(t *testing.T) {
	var path, extensions, key string
	dial := serve(t, func(nc net.Conn) {
		u := ws.Upgrader{
			OnRequest: func(uri []byte) error { path = string(uri); return nil },
			OnHeader: func(k, v []byte) error {
				switch http.CanonicalHeaderKey(string(k)) {
				case "Sec-Websocket-Extensions":
					extensions = string(v)
				case "X-Mbx-Apikey":
					key = string(v)
				}
				return nil
			},
		}
		// The answer and a frame leave in one write, as a busy server's do.
		rw := &oneWrite{Conn: nc}
		if _, err := u.Upgrade(rw); err != nil {
			t.Errorf("server: %v", err)
			return
		}
		rw.flush(text("early"))
		if f, err := readFrame(nc); err != nil || string(ws.UnmaskFrameInPlace(f).Payload) != "hello" {
			t.Errorf("server got %v, %v", f, err)
		}
		_, _ = nc.Write(text("late"))
	})
	c, err := Dial(t.Context(), dial, "ws://venue.test/stream?timeUnit=MICROSECOND", Options{
		Now: func() int64 { return 7 }, Header: map[string][]string{"X-MBX-APIKEY": {"k"}},
		WriteDeadline: func() time.Time { return time.Time{} },
	})
	if err != nil {
		t.Fatal(err)
	}
	if p, _, err := c.Next(); err != nil || string(p) != "early" || c.Stamp() != 7 {
		t.Fatalf("got %q, %v, stamp %d", p, err, c.Stamp())
	}
	if err := c.SendText([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	if p, _, err := c.Next(); err != nil || string(p) != "late" {
		t.Fatalf("got %q, %v", p, err)
	}
	if path != "/stream?timeUnit=MICROSECOND" || extensions != "" || key != "k" {
		t.Fatalf("request had path %q, extensions %q, key %q", path, extensions, key)
	}
}

type oneWrite struct {
	net.Conn
	held []byte
}

func (o *oneWrite) Write(p []byte) (int, error) { o.held = append(o.held, p...); return len(p), nil }
func (o *oneWrite) flush(more []byte)           { _, _ = o.Conn.Write(append(o.held, more...)) }

func TestDialReportsTheRefusal(t *testing.T) {
	dial := answer(t, func(*http.Request) string {
		body := `{"code":-1003,"msg":"Way too much request weight used; IP banned until 1723161255000."}`
		return fmt.Sprintf("HTTP/1.1 418 I'm a teapot\r\nRetry-After: 120\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	})
	_, err := Dial(t.Context(), dial, "ws://venue.test/ws", Options{})
	var he *HandshakeError
	if !errors.As(err, &he) || he.Status != 418 || he.RetryAfter != 2*time.Minute || !strings.Contains(he.Body, "-1003") {
		t.Fatalf("got %v", err)
	}
}

func TestDialRefusesABadUpgrade(t *testing.T) {
	accept := "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n"
	cases := map[string]string{
		"wrong accept":  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" + accept + "\r\n",
		"no upgrade":    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n",
		"an extension":  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
		"a subprotocol": "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: chat\r\n\r\n",
		"not HTTP":      "hello\r\n\r\n",
		"cut short":     "HTTP/1.1 101 Switch",
	}
	for name, raw := range cases {
		t.Run(name, func(t *testing.T) {
			if _, err := Dial(t.Context(), answer(t, func(*http.Request) string { return raw }), "ws://venue.test/ws", Options{}); err == nil {
				t.Fatal("the upgrade was taken")
			}
		})
	}
}

func TestDialEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	dial := serve(t, func(nc net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(nc)); err != nil {
			t.Errorf("server got an unreadable request: %v", err)
		}
		cancel() // and never answers
		_, _ = nc.Read(make([]byte, 1))
	})
	if _, err := Dial(ctx, dial, "wss://venue.test/ws", Options{}); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want context.Canceled", err)
	}
}

func TestDialRefusesABadURL(t *testing.T) {
	never := func(context.Context, string) (net.Conn, error) { return nil, errors.New("must not be dialed") }
	for _, u := range []string{"", "http://venue.test/ws", "::"} {
		if _, err := Dial(t.Context(), never, u, Options{}); err == nil || strings.Contains(err.Error(), "must not") {
			t.Fatalf("%q: got %v", u, err)
		}
	}
	if _, err := Dial(t.Context(), never, "ws://venue.test/ws", Options{}); err == nil || !strings.Contains(err.Error(), "must not") {
		t.Fatalf("got %v", err)
	}
}
