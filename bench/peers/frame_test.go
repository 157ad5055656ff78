package peers

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net/url"
	"testing"

	"github.com/cespare/xxhash/v2"
	gobwas "github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"github.com/gorilla/websocket"

	"riposte/bench"
	"riposte/feed/ws"
)

// frameSum is cheap enough to stay in the timed loop; that every byte is right is
// found out before, by hash.
func frameSum(sum uint64, p []byte) uint64 {
	return sum*31 + uint64(len(p)) ^ uint64(p[len(p)-1])<<8 ^ uint64(p[len(p)/2])<<16
}

// greeted is a feed that answers an opening handshake first.
type greeted struct {
	*bench.Feed
	answer []byte
	done   bool
}

func (g *greeted) Write(p []byte) (int, error) {
	if !g.done {
		_, rest, _ := bytes.Cut(p, []byte("Sec-WebSocket-Key: "))
		key, _, _ := bytes.Cut(rest, []byte("\r\n"))
		sum := sha1.Sum(append(key, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"...))
		g.answer = fmt.Appendf(nil, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
			base64.StdEncoding.EncodeToString(sum[:]))
		g.done = true
	}
	return len(p), nil
}

func (g *greeted) Read(p []byte) (int, error) {
	if len(g.answer) > 0 {
		n := copy(p, g.answer)
		g.answer = g.answer[n:]
		return n, nil
	}
	return g.Feed.Read(p)
}

// frameReader reads one frame.
type frameReader func() ([]byte, error)

func riposteFrames(f *bench.Feed) frameReader {
	c := ws.NewConn(f, nil, ws.Options{})
	must(c.NonBlocking())
	return func() ([]byte, error) {
		p, _, err := c.Next()
		return p, err
	}
}

func gorillaFrames(f *bench.Feed) frameReader {
	u, err := url.Parse("ws://127.0.0.1/stream")
	must(err)
	c, _, err := websocket.NewClient(&greeted{Feed: f}, u, nil, 64<<10, 4096) //nolint:staticcheck // the one way over a connection in memory
	must(err)
	return func() ([]byte, error) {
		_, p, err := c.ReadMessage()
		return p, err
	}
}

// gobwasReused is gobwas/ws at its best: headers and payloads out of one buffer.
func gobwasReused(f *bench.Feed) frameReader {
	r := &buffered{r: f, buf: make([]byte, 64<<10)}
	payload := make([]byte, 64<<10)
	return func() ([]byte, error) {
		h, err := gobwas.ReadHeader(r)
		if err != nil {
			return nil, err
		}
		p := payload[:h.Length]
		_, err = io.ReadFull(r, p)
		return p, err
	}
}

// buffered is a reader that copies from a large buffer, as bufio does.
type buffered struct {
	r    io.Reader
	buf  []byte
	from int
	to   int
}

func (b *buffered) Read(p []byte) (int, error) {
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

// BenchmarkFrame is one WebSocket frame read from a connection in memory that brings
// as much as is asked for.
func BenchmarkFrame(b *testing.B) {
	c := load(b, bench.Spot)
	want := xxhash.New()
	for _, f := range c.AllFrames() {
		_, _ = want.Write(f)
	}
	makers := []struct {
		name string
		make func(*bench.Feed) frameReader
	}{
		{ours, riposteFrames},
		{"gobwas-reused", gobwasReused},
		{"gobwas-wsutil", func(f *bench.Feed) frameReader { return func() ([]byte, error) { return wsutil.ReadServerText(f) } }},
		{"gorilla", gorillaFrames},
	}
	var list []contender
	for _, m := range makers {
		feed := bench.NewFeed(c, false)
		read := m.make(feed)
		h := xxhash.New()
		for range c.Frames {
			p, err := read()
			must(err)
			_, _ = h.Write(p)
		}
		if h.Sum64() != want.Sum64() {
			b.Fatalf("%s: the frames' bytes are not the corpus'", m.name)
		}
		list = append(list, contender{name: m.name, pass: func() (sum uint64) {
			feed.Rewind()
			for range c.Frames {
				p, err := read()
				must(err)
				sum = frameSum(sum, p)
			}
			return sum
		}})
	}
	contest(b, match{name: "burst", items: c.Frames, list: list})
}
