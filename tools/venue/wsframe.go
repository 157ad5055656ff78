package venue

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

// appendFrame appends one unfragmented, unmasked server frame (RFC 6455, 5.2). Frames are built once and shared by
// every connection that gets them; nobody writes to them afterwards.
func appendFrame(b []byte, op ws.OpCode, payload []byte) []byte {
	b = append(b, 0x80|byte(op))
	switch n := len(payload); {
	case n < 126:
		b = append(b, byte(n))
	case n < 1<<16:
		b = append(b, 126, byte(n>>8), byte(n))
	default:
		b = append(b, 127, 0, 0, 0, 0, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	return append(b, payload...)
}

func textFrame(payload []byte) []byte {
	return appendFrame(make([]byte, 0, len(payload)+10), ws.OpText, payload)
}

func closeFrame(code ws.StatusCode, reason string) []byte {
	body := ws.NewCloseFrameBody(code, reason)
	return appendFrame(make([]byte, 0, len(body)+2), ws.OpClose, body)
}

// wsFault is a client's breach of the protocol and the close code that answers it.
type wsFault struct {
	code   ws.StatusCode
	reason string
}

func (f *wsFault) Error() string { return fmt.Sprintf("%d %s", f.code, f.reason) }

// frameReader reads a client's messages. One goroutine owns it.
type frameReader struct {
	r    *bufio.Reader
	head [ws.MaxHeaderSize]byte
	ctl  [ws.MaxControlFramePayloadSize]byte
	msg  []byte // the message being assembled
	kind ws.OpCode
	cap  int
	open bool // a fragmented message is under way
}

// next returns the next control frame or complete text message. The payload is valid until the next call. A *wsFault
// tells how to close; any other error ends the connection without a word.
func (f *frameReader) next() (ws.OpCode, []byte, error) {
	for {
		h, err := ws.ReadHeaderBuffer(f.r, f.head[:0])
		if err != nil {
			if errors.Is(err, ws.ErrHeaderLengthMSB) || errors.Is(err, ws.ErrHeaderLengthUnexpected) {
				return 0, nil, &wsFault{ws.StatusProtocolError, "bad frame length"}
			}
			return 0, nil, err
		}
		state := ws.StateServerSide
		if f.open {
			state = state.Set(ws.StateFragmented)
		}
		if err := ws.CheckHeader(h, state); err != nil {
			return 0, nil, &wsFault{ws.StatusProtocolError, err.Error()}
		}
		if h.OpCode.IsControl() {
			p := f.ctl[:h.Length]
			if _, err := io.ReadFull(f.r, p); err != nil {
				return 0, nil, err
			}
			ws.Cipher(p, h.Mask, 0)
			return h.OpCode, p, nil
		}
		if h.Length > int64(f.cap-len(f.msg)) && (f.open || h.Length > int64(f.cap)) {
			return 0, nil, &wsFault{ws.StatusMessageTooBig, fmt.Sprintf("message too big: want at most %d bytes", f.cap)}
		}
		if !f.open {
			f.msg, f.kind = f.msg[:0], h.OpCode
		}
		at := len(f.msg)
		f.msg = append(f.msg, make([]byte, int(h.Length))...)
		if _, err := io.ReadFull(f.r, f.msg[at:]); err != nil {
			return 0, nil, err
		}
		ws.Cipher(f.msg[at:], h.Mask, 0)
		if f.open = !h.Fin; f.open {
			continue
		}
		if f.kind != ws.OpText {
			return 0, nil, &wsFault{ws.StatusUnsupportedData, "text frames only"}
		}
		if !utf8.Valid(f.msg) {
			return 0, nil, &wsFault{ws.StatusInvalidFramePayloadData, "text is not UTF-8"}
		}
		return ws.OpText, f.msg, nil
	}
}
