package peers

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"
	"golang.org/x/sys/unix"

	"riposte/bench"
	"riposte/bench/peers/floor"
)

// look adds a frame's payload to a checksum.
type look func(sum uint64, p []byte) uint64

// lookBriefly is cheap enough to stay in the timed loop.
func lookBriefly(sum uint64, p []byte) uint64 {
	return sum*31 + uint64(len(p)) ^ uint64(p[len(p)-1])<<8 ^ uint64(p[len(p)/2])<<16
}

// lookClosely is for tests: every byte counts.
func lookClosely(sum uint64, p []byte) uint64 { return sum*31 + xxhash.Sum64(p) }

// dialer opens a transport to the server of the frames.
type dialer func() net.Conn

// reader reads n frames and returns their checksum; readerMaker does the handshake.
type (
	reader      func(n int) uint64
	readerMaker func(tb testing.TB, dial dialer, see look) reader
)

var readers = []struct {
	name string
	make readerMaker
}{
	{ours, riposteFrames},
	{"gobwas-reused", gobwasReused},
	{"gobwas-wsutil", gobwasUtil},
	{"gws", gwsFrames},
	{"gorilla", gorillaFrames},
	{"gorilla-reused", gorillaReused},
	{"coder-reused", coderReused},
}

// one makes a reader of what reads one frame.
func one(see look, next func() ([]byte, error)) reader {
	return func(n int) (sum uint64) {
		for range n {
			p, err := next()
			must(err)
			sum = see(sum, p)
		}
		return sum
	}
}

// memory is a transport in memory that answers the opening handshake and then brings
// the stream, as much as is asked for, once for each word on turn.
type memory struct {
	stream   []byte
	at       int
	turn     chan struct{}
	greeting []byte
	greeted  chan struct{}
	done     bool // the handshake, for Write
}

func newMemory(stream []byte) *memory {
	return &memory{stream: stream, at: len(stream), turn: make(chan struct{}, 1), greeted: make(chan struct{})}
}

func (m *memory) Write(p []byte) (int, error) {
	if !m.done {
		m.greeting = append(m.greeting, p...)
		if bytes.HasSuffix(m.greeting, []byte("\r\n\r\n")) {
			m.greeting, m.done = greeting(m.greeting), true
			close(m.greeted)
		}
	}
	return len(p), nil
}

func (m *memory) Read(p []byte) (n int, err error) {
	if m.greeted != nil {
		<-m.greeted
		n = copy(p, m.greeting)
		if m.greeting = m.greeting[n:]; len(m.greeting) == 0 {
			m.greeted = nil
		}
		return n, nil
	}
	if m.at == len(m.stream) {
		if _, more := <-m.turn; !more {
			return 0, io.EOF
		}
		m.at = 0
	}
	n = copy(p, m.stream[m.at:])
	m.at += n
	return n, nil
}

func (m *memory) Close() error                     { return nil }
func (m *memory) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (m *memory) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (m *memory) SetDeadline(time.Time) error      { return nil }
func (m *memory) SetReadDeadline(time.Time) error  { return nil }
func (m *memory) SetWriteDeadline(time.Time) error { return nil }

func frameMatches(tb testing.TB, see look) []match {
	c := load(tb, bench.Spot)
	stream := bench.NewFeed(c, false).Bytes()
	inMemory := match{name: "memory", items: c.Frames, bytes: len(stream)}
	loopback := match{name: "loopback", items: c.Frames, bytes: len(stream), cpu: true}
	end := startOther(tb, "frames")
	for _, r := range readers {
		m := newMemory(stream)
		tb.Cleanup(func() { close(m.turn) })
		read := r.make(tb, func() net.Conn { return m }, see)
		inMemory.list = append(inMemory.list, contender{name: r.name, pass: func() uint64 {
			m.turn <- struct{}{}
			return read(c.Frames)
		}})
	}
	dialed := byte(0)
	dial := func() net.Conn {
		nc, err := net.Dial("tcp", end.addr)
		must(err)
		dialed++
		return nc
	}
	for _, r := range readers {
		which := dialed
		read := r.make(tb, dial, see)
		loopback.list = append(loopback.list, contender{name: r.name, pass: func() uint64 {
			end.again(which)
			return read(c.Frames)
		}})
	}
	which := dialed
	fd := rawSocket(tb, dial())
	loopback.list = append(loopback.list, contender{name: "limit-c-recv", blind: true, pass: func() uint64 {
		end.again(which)
		must(floor.Recv(fd, len(stream)))
		return 0
	}})
	return []match{inMemory, loopback}
}

// rawSocket does the handshake by hand and returns the blocking descriptor.
func rawSocket(tb testing.TB, nc net.Conn) int {
	_, err := nc.Write([]byte("GET /stream HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"))
	must(err)
	head := make([]byte, 0, 512)
	for !bytes.HasSuffix(head, []byte("\r\n\r\n")) {
		n, err := nc.Read(head[len(head):cap(head)])
		must(err)
		head = head[:len(head)+n]
	}
	f, err := nc.(*net.TCPConn).File()
	must(errors.Join(err, nc.Close()))
	tb.Cleanup(func() { f.Close() })
	fd := int(f.Fd())
	must(unix.SetNonblock(fd, false))
	return fd
}

// TestFrameReadersAgree compares every byte.
func TestFrameReadersAgree(t *testing.T) {
	list := frameMatches(t, lookClosely)
	allAgree(t, list)
	c := load(t, bench.Spot)
	want := uint64(0)
	for _, f := range c.AllFrames() {
		want = lookClosely(want, f)
	}
	for _, m := range list {
		if got, err := m.list[0].try(); err != nil || got != want {
			t.Errorf("%s: got checksum %x (%v), want the corpus' %x", m.name, got, err, want)
		}
	}
}

// BenchmarkFrame is one WebSocket frame read: from a connection in memory that brings
// as much as is asked for, and from a socket into which another process writes as
// fast as it can, where cpu-ns is this process' time, kernel included.
func BenchmarkFrame(b *testing.B) {
	for _, m := range frameMatches(b, lookBriefly) {
		contest(b, m)
	}
}
