package bench

import (
	"encoding/binary"
	"net"
	"time"
)

// quiet is the part of a net.Conn that connections in memory do nothing about.
type quiet struct{}

func (quiet) Close() error                     { return nil }
func (quiet) LocalAddr() net.Addr              { return (*net.TCPAddr)(nil) }
func (quiet) RemoteAddr() net.Addr             { return (*net.TCPAddr)(nil) }
func (quiet) SetDeadline(time.Time) error      { return nil }
func (quiet) SetReadDeadline(time.Time) error  { return nil }
func (quiet) SetWriteDeadline(time.Time) error { return nil }

// AppendServerFrame appends payload as one unmasked text frame, as a server sends
// it (RFC 6455).
func AppendServerFrame(dst, payload []byte) []byte {
	dst = append(dst, 0x81)
	switch n := len(payload); {
	case n < 126:
		dst = append(dst, byte(n))
	case n <= 0xffff:
		dst = binary.BigEndian.AppendUint16(append(dst, 126), uint16(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, 127), uint64(n))
	}
	return append(dst, payload...)
}
