package ws

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// script is a transport that hands out data in the given pieces, then end.
type script struct {
	net.Conn // nil: any method not below is a test's mistake
	data     []byte
	cut      func(left int) int // size of the next piece, at least 1
	end      error
	starve   bool // answer every other read with a timeout
	odd      bool
	reads    int
	wrote    bytes.Buffer
	writeErr error
	closed   bool
}

func (s *script) Read(p []byte) (int, error) {
	s.reads++
	if s.starve {
		if s.odd = !s.odd; s.odd {
			return 0, os.ErrDeadlineExceeded
		}
	}
	if len(s.data) == 0 {
		return 0, s.end
	}
	n := len(s.data)
	if s.cut != nil {
		n = s.cut(n)
	}
	n = copy(p, s.data[:n])
	s.data = s.data[n:]
	return n, nil
}

func (s *script) Write(p []byte) (int, error) {
	if s.writeErr != nil {
		return 0, s.writeErr
	}
	return s.wrote.Write(p)
}
func (s *script) Close() error                     { s.closed = true; return nil }
func (s *script) SetReadDeadline(time.Time) error  { return nil }
func (s *script) SetWriteDeadline(time.Time) error { return nil }

// frames the client wrote, unmasked; every one must be masked.
func (s *script) written(t testing.TB) []ws.Frame {
	t.Helper()
	var out []ws.Frame
	r := bytes.NewReader(s.wrote.Bytes())
	for r.Len() > 0 {
		f, err := readFrame(r)
		if err != nil {
			t.Fatalf("client wrote an unreadable frame: %v", err)
		}
		if !f.Header.Masked {
			t.Fatalf("client wrote an unmasked frame %+v", f.Header)
		}
		out = append(out, ws.UnmaskFrameInPlace(f))
	}
	return out
}

// readFrame reads one frame of a client, which a test keeps short.
func readFrame(r io.Reader) (ws.Frame, error) {
	h, err := ws.ReadHeader(r)
	if err != nil {
		return ws.Frame{}, err
	}
	f := ws.Frame{Header: h, Payload: make([]byte, min(h.Length, 1<<20))}
	_, err = io.ReadFull(r, f.Payload)
	return f, err
}

func frame(op ws.OpCode, fin bool, payload []byte) []byte {
	return ws.MustCompileFrame(ws.NewFrame(op, fin, payload))
}

func text(s string) []byte { return frame(ws.OpText, true, []byte(s)) }

func join(bs ...[]byte) []byte { return bytes.Join(bs, nil) }

// message is one handed-out message, copied.
type message struct {
	op      Op
	payload string
}

// drain reads messages until the connection ends.
func drain(c *Conn) (got []message, err error) {
	for {
		p, op, err := c.Next()
		if err == ErrNoData || (err != nil && timedOut(err)) {
			continue
		}
		if err != nil {
			return got, err
		}
		got = append(got, message{op, string(p)})
	}
}

// reference reads data as the RFC and gobwas say, whole and with allocation: the
// slow twin of Conn.
func reference(data []byte, maxMessage int) (got []message, pings []string, err error) {
	r := bytes.NewReader(data)
	var msg []byte
	var op Op
	st := ws.StateClientSide
	open := false
	for {
		if r.Len() == 0 {
			return got, pings, io.EOF
		}
		at := len(data) - r.Len()
		h, rerr := ws.ReadHeader(r)
		if rerr == io.EOF || rerr == io.ErrUnexpectedEOF {
			return got, pings, io.EOF
		}
		if rerr != nil {
			return got, pings, rerr
		}
		s := st
		if open {
			s = s.Set(ws.StateFragmented)
		}
		if h.OpCode.IsReserved() || h.Length < 0 {
			return got, pings, ErrReservedOpcode
		}
		if e := ws.CheckHeader(h, s); e != nil {
			return got, pings, e
		}
		if size := len(data) - r.Len() - at; size != ws.HeaderSize(h) {
			return got, pings, ErrLengthNotMinimal
		}
		held := 0
		if open && h.OpCode == ws.OpContinuation {
			held = len(msg)
		}
		if !h.OpCode.IsControl() && h.Length > int64(maxMessage-held) {
			return got, pings, ErrMessageTooLong
		}
		if int64(r.Len()) < h.Length {
			return got, pings, io.EOF
		}
		p := make([]byte, h.Length)
		_, _ = io.ReadFull(r, p)
		switch h.OpCode {
		case ws.OpPing:
			pings = append(pings, string(p))
		case ws.OpPong:
		case ws.OpClose:
			ce := &CloseError{Code: 1005}
			if len(p) == 1 {
				return got, pings, ErrClosePayload
			}
			if len(p) > 1 {
				ce = &CloseError{binary.BigEndian.Uint16(p), string(p[2:])}
				if ws.CheckCloseFrameData(ws.StatusCode(ce.Code), ce.Reason) != nil {
					return got, pings, ErrClosePayload
				}
			}
			return got, pings, ce
		default:
			if !open {
				open, op, msg = true, h.OpCode, nil
			}
			msg = append(msg, p...)
			if h.Fin {
				open = false
				got = append(got, message{op, string(msg)})
			}
		}
	}
}
