package app

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"time"

	gobwas "github.com/gobwas/ws"

	"riposte/feed/ws"
)

// cutWire sends each frame through the WebSocket reader as an unkind network
// would: some in fragments, PINGs between them, and the bytes arriving in pieces
// cut anywhere. The same seed cuts the same way.
type cutWire struct {
	rng  *rand.Rand
	far  *cutConn
	conn *ws.Conn
}

// cutConn is the receiving end of a connection whose bytes come in random pieces.
type cutConn struct {
	rng  *rand.Rand
	data []byte
}

func newCutWire(seed uint64) (*cutWire, error) {
	rng := rand.New(rand.NewPCG(seed, 0))
	far := &cutConn{rng: rng}
	w := &cutWire{rng: rng, far: far, conn: ws.NewConn(far, nil, ws.Options{})}
	return w, w.conn.NonBlocking()
}

// send puts one message on the wire and hands every message that the reader makes
// of it to f.
func (w *cutWire) send(payload []byte, f func([]byte) error) error {
	op := gobwas.OpText
	for w.rng.IntN(3) == 0 && len(payload) > 0 {
		n := w.rng.IntN(len(payload) + 1)
		w.put(gobwas.NewFrame(op, false, payload[:n]))
		payload, op = payload[n:], gobwas.OpContinuation
		if w.rng.IntN(4) == 0 {
			w.put(gobwas.NewPingFrame([]byte("1723161255208")))
		}
	}
	w.put(gobwas.NewFrame(op, true, payload))
	for {
		msg, _, err := w.conn.Next()
		switch {
		case errors.Is(err, ws.ErrNoData):
			if len(w.far.data) == 0 {
				return nil
			}
		case err != nil:
			return fmt.Errorf("cannot read back a frame cut at random: %w", err)
		default:
			if err := f(msg); err != nil {
				return err
			}
		}
	}
}

func (w *cutWire) put(f gobwas.Frame) {
	var b bytes.Buffer
	if err := gobwas.WriteFrame(&b, f); err != nil {
		panic("BUG: a frame of our own making cannot be written: " + err.Error())
	}
	w.far.data = append(w.far.data, b.Bytes()...)
}

func (w *cutWire) close() { _ = w.conn.Close(1000) }

func (c *cutConn) Read(p []byte) (int, error) {
	// Now and then nothing has arrived yet, also in the middle of a frame.
	if len(c.data) == 0 || c.rng.IntN(4) == 0 {
		return 0, os.ErrDeadlineExceeded
	}
	n := 1 + c.rng.IntN(min(len(c.data), 700))
	n = copy(p, c.data[:n])
	c.data = append(c.data[:0], c.data[n:]...)
	return n, nil
}

func (c *cutConn) Write(p []byte) (int, error)      { return len(p), nil }
func (c *cutConn) Close() error                     { return nil }
func (c *cutConn) LocalAddr() net.Addr              { return nil }
func (c *cutConn) RemoteAddr() net.Addr             { return nil }
func (c *cutConn) SetDeadline(time.Time) error      { return nil }
func (c *cutConn) SetReadDeadline(time.Time) error  { return nil }
func (c *cutConn) SetWriteDeadline(time.Time) error { return nil }
