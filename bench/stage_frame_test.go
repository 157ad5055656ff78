package bench

import (
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"

	"riposte/feed/ws"
	"riposte/tools/sock"
)

// frames sums up what a reader handed out. The digest is kept only in the pass that
// is not timed: hashing costs more than reading.
type frames struct {
	n, bytes int
	sum      *xxhash.Digest
}

func (f *frames) add(p []byte) {
	f.n++
	f.bytes += len(p)
	if f.sum != nil {
		_, _ = f.sum.Write(p)
	}
}

func framesOf(c *Corpus) frames {
	f := frames{sum: xxhash.New()}
	for i := range c.Lines {
		if p := c.Lines[i].Frame; p != nil {
			f.add(p)
		}
	}
	return f
}

// frameWork reads the corpus through the frame reader from a connection in memory:
// a burst, where one read brings what fits, or single, where it brings one frame.
func frameWork(t testing.TB, c *Corpus, single bool) *work {
	feed := NewFeed(c, single)
	conn := ws.NewConn(feed, nil, ws.Options{})
	if err := conn.NonBlocking(); err != nil {
		t.Fatal(err)
	}
	want := framesOf(c)
	got := frames{sum: xxhash.New()}
	var failed error
	return &work{
		items: c.Frames, bytes: len(feed.Bytes()),
		pass: func() {
			got.n, got.bytes = 0, 0
			feed.Rewind()
			for {
				p, _, err := conn.Next()
				if err != nil {
					if !errors.Is(err, ws.ErrNoData) {
						failed = err
					}
					return
				}
				got.add(p)
			}
		},
		check: func() error {
			if failed != nil || got.n != want.n || got.bytes != want.bytes {
				return errors.Join(failed, fmt.Errorf("got %d frames of %d bytes, want %d of %d", got.n, got.bytes, want.n, want.bytes))
			}
			if got.sum != nil && got.sum.Sum64() != want.sum.Sum64() {
				return errors.New("the frames' bytes are not the corpus'")
			}
			got.sum = nil
			return nil
		},
	}
}

// BenchmarkFrame is one WebSocket frame read and handed out. The loopback rows have
// the kernel in them, and a writer on another thread that never lets it run dry.
func BenchmarkFrame(b *testing.B) {
	c := corpus(b, Spot)
	stage(b, "memory/burst", func(t testing.TB) *work { return frameWork(t, c, false) })
	stage(b, "memory/single", func(t testing.TB) *work { return frameWork(t, c, true) })
	stage(b, "loopback/netpoll", func(t testing.TB) *work { return loopbackWork(t, c, false) })
	stage(b, "loopback/spin", func(t testing.TB) *work { return loopbackWork(t, c, true) })
}

// loopbackWork is frameWork over TCP on loopback: through Go's network poller, or by
// reads that never wait.
func loopbackWork(t testing.TB, c *Corpus, spin bool) *work {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	stream := NewFeed(c, false).Bytes()
	again := make(chan struct{}, 1)
	ended := make(chan error, 1)
	go func() { ended <- serve(ln, stream, again) }()
	nc, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if spin {
		if nc, err = sock.FromTCP(nc.(*net.TCPConn)); err != nil {
			t.Fatal(err)
		}
	}
	conn := ws.NewConn(nc, nil, ws.Options{})
	if spin {
		if err := conn.NonBlocking(); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		close(again)
		nc.Close()
		if err := errors.Join(<-ended, ln.Close()); err != nil {
			t.Error(err)
		}
	})
	want := framesOf(c)
	var got frames
	var failed error
	return &work{
		items: c.Frames, bytes: len(stream),
		pass: func() {
			got = frames{}
			again <- struct{}{}
			for got.n < c.Frames && failed == nil {
				p, _, err := conn.Next()
				switch {
				case err == nil:
					got.add(p)
				case !errors.Is(err, ws.ErrNoData):
					failed = err
				}
			}
		},
		check: func() error {
			if failed != nil || got.n != want.n || got.bytes != want.bytes {
				return errors.Join(failed, fmt.Errorf("got %d frames of %d bytes, want %d of %d", got.n, got.bytes, want.n, want.bytes))
			}
			return nil
		},
	}
}

// serve writes the stream once for each word on again.
func serve(ln net.Listener, stream []byte, again <-chan struct{}) error {
	c, err := ln.Accept()
	if err != nil {
		return err
	}
	defer c.Close()
	for range again {
		if err := c.SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
			return err
		}
		if _, err := c.Write(stream); err != nil {
			return err
		}
	}
	if _, err := io.Copy(io.Discard, c); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}
