package peers

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/coder/websocket"
	gobwas "github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	gorilla "github.com/gorilla/websocket"
	"github.com/lxzan/gws"

	"riposte/feed/ws"
)

const (
	frameURL    = "ws://127.0.0.1/stream"
	frameBuffer = 64 << 10
)

func riposteFrames(tb testing.TB, dial dialer, see look) reader {
	c, err := ws.Dial(context.Background(), func(context.Context, string) (net.Conn, error) { return dial(), nil }, frameURL, ws.Options{})
	must(err)
	tb.Cleanup(func() { c.NetConn().Close() })
	return one(see, func() ([]byte, error) {
		p, _, err := c.Next()
		return p, err
	})
}

// gobwasConn is a connection upgraded by gobwas/ws.
func gobwasConn(tb testing.TB, dial dialer) net.Conn {
	d := gobwas.Dialer{NetDial: func(context.Context, string, string) (net.Conn, error) { return dial(), nil }}
	nc, early, _, err := d.Dial(context.Background(), frameURL)
	must(err)
	if early != nil {
		tb.Fatalf("got %d bytes beyond the handshake, want none", early.Buffered())
	}
	tb.Cleanup(func() { nc.Close() })
	return nc
}

// gobwasReused is gobwas/ws at its best: headers out of a kept buffer, payloads lent
// from it where they lie whole in it.
func gobwasReused(tb testing.TB, dial dialer, see look) reader {
	r := &lender{r: gobwasConn(tb, dial), buf: make([]byte, frameBuffer), spill: make([]byte, frameBuffer)}
	header := make([]byte, gobwas.MaxHeaderSize)
	return one(see, func() ([]byte, error) {
		h, err := gobwas.ReadHeaderBuffer(r, header)
		if err != nil {
			return nil, err
		}
		return r.lend(int(h.Length))
	})
}

// lender is a reader over a large buffer that can lend what it holds.
type lender struct {
	r          io.Reader
	buf, spill []byte
	from, to   int
}

func (b *lender) Read(p []byte) (int, error) {
	if b.from == b.to {
		n, err := b.r.Read(b.buf)
		if n == 0 {
			return 0, err
		}
		b.from, b.to = 0, n
	}
	n := copy(p, b.buf[b.from:b.to])
	b.from += n
	return n, nil
}

// lend is the next n bytes, valid until the next call.
func (b *lender) lend(n int) ([]byte, error) {
	if b.to-b.from >= n {
		b.from += n
		return b.buf[b.from-n : b.from], nil
	}
	p := b.spill[:n]
	_, err := io.ReadFull(b, p)
	return p, err
}

// gobwasUtil is the convenient way of gobwas/ws, over a buffered connection.
func gobwasUtil(tb testing.TB, dial dialer, see look) reader {
	nc := gobwasConn(tb, dial)
	rw := struct {
		io.Reader
		io.Writer
	}{bufio.NewReaderSize(nc, frameBuffer), nc}
	return one(see, func() ([]byte, error) { return wsutil.ReadServerText(rw) })
}

func gorillaConn(tb testing.TB, dial dialer) *gorilla.Conn {
	d := gorilla.Dialer{ReadBufferSize: frameBuffer, NetDialContext: func(context.Context, string, string) (net.Conn, error) { return dial(), nil }}
	c, resp, err := d.Dial(frameURL, nil)
	must(err)
	must(resp.Body.Close())
	tb.Cleanup(func() { c.Close() })
	return c
}

func gorillaFrames(tb testing.TB, dial dialer, see look) reader {
	c := gorillaConn(tb, dial)
	return one(see, func() ([]byte, error) {
		_, p, err := c.ReadMessage()
		return p, err
	})
}

// readAllInto is io.ReadAll into kept memory.
func readAllInto(p []byte, r io.Reader) (_ []byte, err error) {
	p = p[:0]
	for {
		var n int
		n, err = r.Read(p[len(p):cap(p)])
		p = p[:len(p)+n]
		if err == io.EOF {
			return p, nil
		}
		if err != nil {
			return p, err
		}
	}
}

func gorillaReused(tb testing.TB, dial dialer, see look) reader {
	c := gorillaConn(tb, dial)
	buf := make([]byte, frameBuffer)
	return one(see, func() ([]byte, error) {
		_, r, err := c.NextReader()
		if err != nil {
			return nil, err
		}
		return readAllInto(buf, r)
	})
}

func coderReused(tb testing.TB, dial dialer, see look) reader {
	tr := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return dial(), nil }}
	c, resp, err := websocket.Dial(context.Background(), frameURL, &websocket.DialOptions{HTTPClient: &http.Client{Transport: tr}})
	must(err)
	if resp.Body != nil {
		must(resp.Body.Close())
	}
	c.SetReadLimit(-1)
	tb.Cleanup(func() { must(c.CloseNow()) })
	buf := make([]byte, frameBuffer)
	return one(see, func() ([]byte, error) {
		_, r, err := c.Reader(context.Background())
		if err != nil {
			return nil, err
		}
		return readAllInto(buf, r)
	})
}

// gwsHandler counts what gws' own loop brings.
type gwsHandler struct {
	gws.BuiltinEventHandler
	see  look
	left int
	sum  uint64
	done chan uint64
	want chan int
}

func (h *gwsHandler) OnMessage(_ *gws.Conn, m *gws.Message) {
	if h.left == 0 {
		h.left, h.sum = <-h.want, 0
	}
	h.sum = h.see(h.sum, m.Bytes())
	must(m.Close())
	if h.left--; h.left == 0 {
		h.done <- h.sum
	}
}

// gwsFrames lets gws read on a goroutine of its own, as its interface wants it.
func gwsFrames(tb testing.TB, dial dialer, see look) reader {
	h := &gwsHandler{see: see, done: make(chan uint64), want: make(chan int, 1)}
	c, _, err := gws.NewClientFromConn(h, &gws.ClientOption{Addr: frameURL, ReadBufferSize: frameBuffer}, dial())
	must(err)
	go c.ReadLoop()
	tb.Cleanup(func() { c.NetConn().Close() })
	return func(n int) uint64 {
		h.want <- n
		return <-h.done
	}
}
