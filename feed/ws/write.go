package ws

import (
	crand "crypto/rand"
	"encoding/binary"
	"fmt"
	"math/rand/v2"

	"github.com/gobwas/ws"
)

// newMask is the source of masking keys, which a script in the path must not be
// able to predict (RFC 6455 section 10.3).
func newMask() *rand.ChaCha8 {
	var seed [32]byte
	_, _ = crand.Read(seed[:]) // never fails; the program ends if the system has no entropy
	return rand.NewChaCha8(seed)
}

// SendText writes one text message. p is not changed and not kept. An error is
// final for the connection.
func (c *Conn) SendText(p []byte) error { return c.send(ws.OpText, p) }

// SendPing writes a PING with at most 125 bytes of payload.
func (c *Conn) SendPing(p []byte) error {
	if len(p) > maxControl {
		return fmt.Errorf("cannot send ping: payload is %d bytes, want at most %d", len(p), maxControl)
	}
	return c.send(ws.OpPing, p)
}

func (c *Conn) send(op Op, p []byte) error {
	if c.err != nil {
		return c.err
	}
	if err := c.write(op, p); err != nil {
		return c.fail(err)
	}
	return nil
}

// Close says goodbye with code and closes the transport. What the server still
// sends is not waited for.
func (c *Conn) Close(code uint16) error {
	if c.err == nil {
		var b [2]byte
		binary.BigEndian.PutUint16(b[:], code)
		_ = c.write(ws.OpClose, b[:])
		c.err = fmt.Errorf("connection was closed by us")
	}
	return c.nc.Close()
}

// write sends one masked frame with one write call.
func (c *Conn) write(op Op, p []byte) error {
	b := append(c.out[:0], bitFin|byte(op))
	switch n := len(p); {
	case n < len16:
		b = append(b, bitMask|byte(n))
	case n <= 0xffff:
		b = append(b, bitMask|len16)
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	default:
		b = append(b, bitMask|len64)
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	var key [4]byte
	binary.LittleEndian.PutUint32(key[:], uint32(c.mask.Uint64()))
	b = append(b, key[:]...)
	at := len(b)
	b = append(b, p...)
	ws.Cipher(b[at:], key, 0)
	c.out = b
	if c.opt.WriteDeadline != nil {
		if err := c.nc.SetWriteDeadline(c.opt.WriteDeadline()); err != nil {
			return fmt.Errorf("cannot set the write deadline: %w", err)
		}
	}
	if _, err := c.nc.Write(b); err != nil {
		return fmt.Errorf("cannot write to the connection: %w", err)
	}
	c.stats.Sent++
	return nil
}
