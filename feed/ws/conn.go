package ws

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"time"

	"github.com/gobwas/ws"
)

// ErrNoData is what Next returns on a non-blocking connection that has no whole
// message at the moment. It is not a failure: call again.
var ErrNoData = errors.New("no whole message yet")

// CloseError is the end of a connection by the server's CLOSE frame, which has
// been answered. Code is 1005 where the frame carried none.
type CloseError struct {
	Code   uint16
	Reason string
}

func (e *CloseError) Error() string {
	return fmt.Sprintf("server closed the connection: code %d %q", e.Code, e.Reason)
}

// The defaults of Options.
const (
	DefaultBuffer     = 128 << 10
	DefaultMaxMessage = 1 << 20

	minBuffer = 16 // a header and a little; small buffers are for tests
)

// Options of a connection. The zero value is usable.
type Options struct {
	// Buffer is the size of the read buffer in bytes, the most that one read(2)
	// can bring. It grows once, up to MaxMessage, if a longer frame arrives.
	Buffer int
	// MaxMessage is the longest message taken, in bytes, whole or in fragments.
	MaxMessage int
	// Now is the monotonic clock in ns. It is read once per socket read that
	// brought bytes. nil leaves all stamps 0.
	Now func() int64
	// WriteDeadline, if set, is called before each write and bounds it.
	WriteDeadline func() time.Time
	// Header is added to the upgrade request.
	Header map[string][]string
}

// Stats counts what a connection has seen. Read it on the owner's goroutine.
type Stats struct {
	Reads, Bytes  uint64 // socket reads that brought bytes, and how many
	Messages      uint64 // handed out
	Fragmented    uint64 // of them assembled from fragments
	Pings, Pongs  uint64 // received
	LastPing      int64  // stamp of the newest PING
	LastPong      int64  // stamp of the newest PONG
	Sent          uint64 // frames written, control frames too
	PingCoalesced uint64 // PINGs answered by the PONG to a later one (RFC 6455 section 5.5.3)
}

// Conn is one client connection. Next hands out messages; PING is answered and
// CLOSE handled on the way. One goroutine owns it.
//
// Text is not checked to be UTF-8: the decoder behind compares bytes, and
// walking every frame twice would cost more than it could find.
type Conn struct {
	nc  net.Conn
	opt Options

	buf   []byte // buf[r:w] has been read and not consumed
	r, w  int
	stamp int64 // when the newest bytes had been read
	slow  int64 // see Slow

	msg  []byte // fragments so far; reused
	open bool   // a fragmented message is being assembled
	op   Op     // of that message

	pong    [maxControl]byte // payload of the PING to answer
	pongLen int              // -1: nothing to answer
	ponged  int64            // when the last answer was written, 0: never

	out  []byte // one frame to write; reused
	mask *rand.ChaCha8

	nonBlocking bool
	idle        int // reads in a row that brought neither bytes nor an error
	err         error
	stats       Stats
}

// NewConn starts reading frames from nc, on which the handshake is done; early
// holds what was read beyond it. Dial is the usual way.
func NewConn(nc net.Conn, early []byte, opt Options) *Conn {
	if opt.Buffer <= 0 {
		opt.Buffer = DefaultBuffer
	}
	if opt.MaxMessage <= 0 {
		opt.MaxMessage = DefaultMaxMessage
	}
	size := max(opt.Buffer, minBuffer)
	for size < len(early) {
		size *= 2
	}
	c := &Conn{nc: nc, opt: opt, buf: make([]byte, size), pongLen: -1, mask: newMask()}
	c.w = copy(c.buf, early)
	if c.w > 0 {
		c.received(c.w)
	}
	return c
}

// NonBlocking makes Next return ErrNoData instead of waiting, on a transport
// whose Read with a deadline in the past still takes what the kernel holds.
func (c *Conn) NonBlocking() error {
	if err := c.nc.SetReadDeadline(time.Unix(1, 0)); err != nil {
		return fmt.Errorf("cannot make the connection non-blocking: %w", err)
	}
	c.nonBlocking = true
	return nil
}

// Stamp is when the bytes had been read that completed the message last handed
// out, on Options.Now.
func (c *Conn) Stamp() int64 { return c.stamp }

// Slow is for how long, by Options.Now and since the connection began, messages were under
// way that had begun and were not whole: a line that brings its bytes slower than the
// server writes them falls behind by about as much.
func (c *Conn) Slow() int64 { return c.slow }

// Stats is a copy of the counters.
func (c *Conn) Stats() Stats { return c.stats }

// Buffered is how many bytes have been read and not yet handed out.
func (c *Conn) Buffered() int { return c.w - c.r }

// NetConn is the transport, for socket options and deadlines.
func (c *Conn) NetConn() net.Conn { return c.nc }

// Next returns the next whole message. It lies in the connection's own memory
// and is valid until the following call. Without one, a non-blocking connection
// answers ErrNoData; a blocking one waits, or returns the transport's timeout,
// after which it can be called again. Any other error is final and repeated:
// io.EOF, *CloseError, a ProtocolError, or the transport's.
func (c *Conn) Next() ([]byte, Op, error) {
	for {
		h, done, perr := parseHeader(c.buf[c.r:c.w], c.open)
		if perr != 0 {
			return nil, 0, c.violated(perr)
		}
		if !done {
			if err := c.fill(10); err != nil {
				return nil, 0, err
			}
			continue
		}
		// The cap stands before any memory is made for the frame. msg is empty
		// unless a fragmented message is open, and never longer than the cap.
		held := 0
		if c.open && h.op == ws.OpContinuation {
			held = len(c.msg)
		}
		if h.len > uint64(c.opt.MaxMessage-held) {
			return nil, 0, c.violated(ErrMessageTooLong)
		}
		end := h.size + int(h.len)
		if c.w-c.r < end {
			if err := c.fill(end); err != nil {
				return nil, 0, err
			}
			continue
		}
		payload := c.buf[c.r+h.size : c.r+end : c.r+end]
		c.r += end
		switch {
		case h.op >= ws.OpClose:
			if err := c.control(h.op, payload); err != nil {
				return nil, 0, err
			}
		case h.fin && !c.open:
			c.stats.Messages++
			return payload, h.op, nil
		default:
			if !c.open {
				c.open, c.op, c.msg = true, h.op, c.msg[:0]
			}
			c.msg = append(c.msg, payload...)
			if h.fin {
				c.open = false
				c.stats.Messages++
				c.stats.Fragmented++
				return c.msg, c.op, nil
			}
		}
	}
}

// maxIdleReads is how many reads may bring nothing and no error before the
// transport is taken for broken.
const maxIdleReads = 100

// fill reads once from the socket; need is how many bytes buf[r:] must be able
// to hold. It returns nil if there is something new to look at.
func (c *Conn) fill(need int) error {
	if c.err != nil {
		return c.err
	}
	// Everything that had arrived has been handed out: now an answer delays no
	// message.
	if c.pongLen >= 0 && c.mayPong() {
		n := c.pongLen
		c.pongLen = -1
		if err := c.write(ws.OpPong, c.pong[:n]); err != nil {
			return c.fail(err)
		}
	}
	switch {
	case c.r == c.w:
		c.r, c.w = 0, 0
	case c.r > 0 && (c.r+need > len(c.buf) || len(c.buf)-c.w < len(c.buf)/4):
		// Room for at least a quarter of a buffer per read, or a burst would be
		// taken in crumbs; what moves is one partial frame.
		c.w = copy(c.buf, c.buf[c.r:c.w])
		c.r = 0
	}
	if need > len(c.buf) {
		size := len(c.buf)
		for size < need {
			size *= 2
		}
		grown := make([]byte, size)
		c.w = copy(grown, c.buf[c.r:c.w])
		c.r, c.buf = 0, grown
	}
	n, err := c.nc.Read(c.buf[c.w:])
	if n > 0 {
		c.w += n
		c.received(n)
		if err != nil && !timedOut(err) {
			c.err = readError(err)
		}
		return nil
	}
	if err == nil {
		if c.idle++; c.idle >= maxIdleReads {
			return c.fail(io.ErrNoProgress)
		}
		if c.nonBlocking {
			return ErrNoData
		}
		return nil
	}
	if timedOut(err) {
		if c.nonBlocking {
			return ErrNoData
		}
		return err
	}
	return c.fail(readError(err))
}

// pongEvery is the least time between two PONGs of a connection that is polled. A venue
// counts them among the messages that it takes (Binance: 5 in a second, Spot WebSocket
// Streams, 2026-07-21), and after a pause many PINGs may come one read apart; the answer to
// the newest is one to all (RFC 6455 section 5.5.3).
const pongEvery = int64(time.Second)

// mayPong reports whether a PING may be answered now; if not, it is at a later read.
func (c *Conn) mayPong() bool {
	if !c.nonBlocking || c.opt.Now == nil {
		return true // nobody may come again before the next bytes do
	}
	now := c.opt.Now()
	if c.ponged != 0 && now-c.ponged < pongEvery {
		return false
	}
	c.ponged = now
	return true
}

func (c *Conn) received(n int) {
	if c.opt.Now != nil {
		last := c.stamp
		c.stamp = c.opt.Now()
		if c.r > 0 || c.w > n || c.open { // something that had begun was not whole
			c.slow += c.stamp - last
		}
	}
	c.idle = 0
	c.stats.Reads++
	c.stats.Bytes += uint64(n)
}

// control handles one PING, PONG or CLOSE.
func (c *Conn) control(op Op, payload []byte) error {
	switch op {
	case ws.OpPing:
		c.stats.Pings++
		c.stats.LastPing = c.stamp
		if c.pongLen >= 0 {
			c.stats.PingCoalesced++
		}
		c.pongLen = copy(c.pong[:], payload)
		return nil
	case ws.OpPong:
		c.stats.Pongs++
		c.stats.LastPong = c.stamp
		return nil
	}
	ce := &CloseError{Code: uint16(ws.StatusNoStatusRcvd)}
	if len(payload) > 0 {
		if len(payload) == 1 {
			return c.violated(ErrClosePayload)
		}
		ce.Code = binary.BigEndian.Uint16(payload)
		ce.Reason = string(payload[2:])
		if err := ws.CheckCloseFrameData(ws.StatusCode(ce.Code), ce.Reason); err != nil {
			return c.violated(ErrClosePayload)
		}
		payload = payload[:2]
	}
	// The peer is leaving: an answer that fails changes nothing about it.
	_ = c.write(ws.OpClose, payload)
	return c.fail(ce)
}

// violated ends the connection as the RFC asks (section 7.1.7): a CLOSE with the
// reason's code, then nothing more.
func (c *Conn) violated(e ProtocolError) error {
	if c.err == nil {
		var code [2]byte
		binary.BigEndian.PutUint16(code[:], uint16(e.code()))
		_ = c.write(ws.OpClose, code[:])
	}
	c.err = nil
	return c.fail(fmt.Errorf("cannot read frame: %w", e))
}

// fail makes err final.
func (c *Conn) fail(err error) error {
	if c.err == nil {
		c.err = err
	}
	c.r, c.w = 0, 0
	return c.err
}

func readError(err error) error {
	if errors.Is(err, io.EOF) {
		return io.EOF
	}
	return fmt.Errorf("cannot read from the connection: %w", err)
}

// timedOut avoids errors.As on the polling path, which would allocate.
func timedOut(err error) bool {
	t, ok := err.(interface{ Timeout() bool })
	return ok && t.Timeout()
}
