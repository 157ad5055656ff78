// Package ws is the client side of RFC 6455 as a market data feed needs it:
// whole messages out of a lent, reusable buffer, control frames handled inside,
// nothing allocated per message. The handshake, the opcodes, the close codes
// and the masking are gobwas/ws; the frame reader is our own, because it must
// resume at any byte of a non-blocking transport and must not copy.
//
//	dial.go    upgrade of a dialed connection, refusals as HandshakeError
//	frame.go   one frame header: parse and the rules, pure
//	conn.go    Conn: read, assemble, answer control frames
//	write.go   masked frames out
//
// A Conn has one owner, the goroutine that calls Next; it is the only one that
// may call any other method too.
package ws

import (
	"encoding/binary"

	"github.com/gobwas/ws"
)

// Op is the kind of a message: Text or Binary.
type Op = ws.OpCode

// The kinds of message that Next hands out.
const (
	Text   = ws.OpText
	Binary = ws.OpBinary
)

// ProtocolError is a frame that breaks RFC 6455, or passes the cap on a
// message. The connection is of no further use. It is a one-byte value, so
// returning it does not allocate.
type ProtocolError uint8

// The ways a frame can be refused.
const (
	ErrMasked             ProtocolError = iota + 1 // section 5.1: a server must not mask
	ErrReservedBits                                // section 5.2: RSV without an extension
	ErrReservedOpcode                              // section 5.2: opcodes 3-7 and 11-15
	ErrControlTooLong                              // section 5.5: a control payload above 125 bytes
	ErrControlFragmented                           // section 5.5: a control frame without FIN
	ErrContinuationNoMsg                           // section 5.4: a continuation with nothing to continue
	ErrMessageInterleaved                          // section 5.4: a new data frame inside a fragmented message
	ErrLengthNotMinimal                            // section 5.2: a length in more bytes than it needs
	ErrLengthTopBit                                // section 5.2: a 64-bit length with its top bit set
	ErrClosePayload                                // section 5.5.1, 7.4: one byte, a reserved code or a bad reason
	ErrMessageTooLong                              // our own cap, Options.MaxMessage
)

func (e ProtocolError) Error() string {
	switch e {
	case ErrMasked:
		return "frame from the server is masked"
	case ErrReservedBits:
		return "frame has reserved bits set; no extension was negotiated"
	case ErrReservedOpcode:
		return "frame has a reserved opcode"
	case ErrControlTooLong:
		return "control frame is longer than 125 bytes"
	case ErrControlFragmented:
		return "control frame is fragmented"
	case ErrContinuationNoMsg:
		return "continuation frame without a message to continue"
	case ErrMessageInterleaved:
		return "new data frame inside a fragmented message"
	case ErrLengthNotMinimal:
		return "frame length is not in its shortest form"
	case ErrLengthTopBit:
		return "frame length has its top bit set"
	case ErrClosePayload:
		return "close frame has a malformed payload"
	case ErrMessageTooLong:
		return "message is longer than the cap"
	}
	return "protocol error"
}

// code is the status with which such a connection is closed (section 7.4.1).
func (e ProtocolError) code() ws.StatusCode {
	if e == ErrMessageTooLong {
		return ws.StatusMessageTooBig
	}
	return ws.StatusProtocolError
}

// header is one parsed frame header.
type header struct {
	op   Op
	fin  bool
	size int    // of the header itself
	len  uint64 // of the payload
}

const (
	bitFin  = 0x80
	bitsRsv = 0x70
	bitsOp  = 0x0f
	bitMask = 0x80
	bitsLen = 0x7f
	len16   = 126
	len64   = 127

	maxControl = 125
)

// parseHeader reads the header that starts b, in the state in which a
// fragmented message is open or not. done is false while b holds only a part of
// a legal one; a violation is reported at the first byte that shows it, so that
// nothing is waited for or allocated on behalf of a frame that will be refused.
func parseHeader(b []byte, open bool) (h header, done bool, err ProtocolError) {
	if len(b) < 2 {
		return h, false, 0
	}
	b0, b1 := b[0], b[1]
	h.op, h.fin = Op(b0&bitsOp), b0&bitFin != 0
	h.len = uint64(b1 & bitsLen)
	h.size = 2
	switch {
	case b0&bitsRsv != 0:
		return h, false, ErrReservedBits
	case b1&bitMask != 0:
		return h, false, ErrMasked
	case h.op >= ws.OpClose:
		switch {
		case h.op > ws.OpPong:
			return h, false, ErrReservedOpcode
		case h.len > maxControl:
			return h, false, ErrControlTooLong
		case !h.fin:
			return h, false, ErrControlFragmented
		}
		return h, true, 0
	case h.op > ws.OpBinary:
		return h, false, ErrReservedOpcode
	case h.op == ws.OpContinuation && !open:
		return h, false, ErrContinuationNoMsg
	case h.op != ws.OpContinuation && open:
		return h, false, ErrMessageInterleaved
	}
	switch h.len {
	case len16:
		if len(b) < 4 {
			return h, false, 0
		}
		h.size, h.len = 4, uint64(binary.BigEndian.Uint16(b[2:]))
		if h.len < len16 {
			return h, false, ErrLengthNotMinimal
		}
	case len64:
		if len(b) > 2 && b[2]&0x80 != 0 {
			return h, false, ErrLengthTopBit
		}
		if len(b) < 10 {
			return h, false, 0
		}
		h.size, h.len = 10, binary.BigEndian.Uint64(b[2:])
		if h.len <= 0xffff {
			return h, false, ErrLengthNotMinimal
		}
	}
	return h, true, 0
}
