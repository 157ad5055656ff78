package venue

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"regexp"
	"strings"

	"github.com/gobwas/ws"
)

// Events that no venue should send: wrong texts in right frames, and wrong frames. Loop goroutine.

var spoilNames = []string{"cross", "json", "number", "utf8", "symbol", "event", "type", "missing", "nest", "big",
	"huge", "fragments", "rsv", "binary", "opcode", "masked", "truncated"}

// bigMessage is the size of a message that is longer than any that the venue sends.
const bigMessage = 16 << 20

// spoil sends an event's frame spoilt in the given way.
func (c *conn) spoil(how string, frame []byte) {
	payload := framePayload(frame)
	if c.spoilFrame(how, payload) {
		return
	}
	c.send(textFrame(c.spoilText(how, payload)))
}

// framePayload is the payload of a frame of ours.
func framePayload(frame []byte) []byte {
	switch frame[1] {
	case 126:
		return frame[4:]
	case 127:
		return frame[10:]
	}
	return frame[2:]
}

// spoilFrame sends what is wrong in the frame; false if the wrong is in the text.
func (c *conn) spoilFrame(how string, payload []byte) bool {
	part := func(head byte, p []byte) []byte {
		f := appendFrame(nil, ws.OpText, p)
		f[0] = head
		return f
	}
	text := byte(ws.OpText)
	switch how {
	case "huge": // says it has 2^62 bytes
		f := binary.BigEndian.AppendUint64([]byte{0x80 | text, 127}, 1<<62)
		c.send(append(f, payload...))
	case "fragments": // three parts, one of them empty, with a PING between them
		a, b := payload[:len(payload)/2], payload[len(payload)/2:]
		var f []byte
		for _, p := range [][]byte{part(text, a), appendFrame(nil, ws.OpPing, []byte("between")), part(0, nil), part(0x80, b)} {
			f = append(f, p...)
		}
		c.send(f)
	case "rsv":
		c.send(part(0xc0|text, payload))
	case "binary":
		c.send(part(0x80|byte(ws.OpBinary), payload))
	case "opcode":
		c.send(part(0x83, payload))
	case "masked":
		f := part(0x80|text, payload)
		head := len(f) - len(payload)
		out := append(append([]byte(nil), f[:head]...), 1, 2, 3, 4)
		out[1] |= 0x80
		masked := append([]byte(nil), payload...)
		ws.Cipher(masked, [4]byte{1, 2, 3, 4}, 0)
		c.send(append(out, masked...))
	case "truncated":
		f := part(0x80|text, payload)
		c.last(f[:len(f)/2], true)
	default:
		return false
	}
	return true
}

var (
	spoilNumber = regexp.MustCompile(`"[0-9]+\.[0-9]+"`)
	spoilID     = regexp.MustCompile(`"(u|t|a|lastUpdateId|i)":([0-9]+)`)
	spoilEvent  = regexp.MustCompile(`"e":"[a-zA-Z0-9]+"`)
)

// badNumbers are drawn from by seed: what a price may never be.
var badNumbers = []string{`"NaN"`, `"1e30"`, `"-1.00000000"`, `"0.` + strings.Repeat("1", 40) + `"`, `"99999999999999999999.0"`, `""`, `null`}

// spoilText is the text spoilt in the given way.
func (c *conn) spoilText(how string, p []byte) []byte {
	rng := c.srv.faults.rng
	switch how {
	case "cross": // a bid that no ask is above
		if i := bytes.Index(p, []byte(`"b":[`)); i >= 0 {
			return insertBid(p, i+len(`"b":[`))
		}
		if i := bytes.Index(p, []byte(`"bids":[`)); i >= 0 {
			return insertBid(p, i+len(`"bids":[`))
		}
		return []byte(strings.NewReplacer(`"b":"`, `"a":"`, `"a":"`, `"b":"`).Replace(string(p)))
	case "json":
		return append([]byte(nil), p[:len(p)-1-rng.IntN(len(p)/2)]...)
	case "number":
		return replaceFirst(spoilNumber, p, badNumbers[rng.IntN(len(badNumbers))])
	case "utf8":
		return bytes.Replace(p, []byte(`":"`), []byte("\":\"\xff\xfe"), 1)
	case "symbol":
		return c.srv.hub.relabel(p)
	case "event":
		return replaceFirst(spoilEvent, p, `"e":"somethingNew"`)
	case "type":
		return replaceFirst(spoilID, p, `"$1":"$2"`)
	case "missing":
		return replaceFirst(spoilID, p, `"zz":$2`)
	case "nest":
		return bytes.Repeat([]byte("["), 100_000)
	case "big":
		return append(append([]byte(`{"e":"`), bytes.Repeat([]byte("x"), bigMessage)...), `"}`...)
	}
	return p
}

func insertBid(p []byte, at int) []byte {
	bid := `["99999999.00000000","1.00000000"]`
	if p[at] != ']' {
		bid += ","
	}
	return fmt.Appendf(nil, "%s%s%s", p[:at], bid, p[at:])
}

func replaceFirst(re *regexp.Regexp, p []byte, with string) []byte {
	loc := re.FindSubmatchIndex(p)
	if loc == nil {
		return p
	}
	out := append([]byte(nil), p[:loc[0]]...)
	out = re.Expand(out, []byte(with), p, loc)
	return append(out, p[loc[1]:]...)
}

// relabel makes an event another symbol's: that of the next one the venue serves, or of one that it does not.
func (h *hub) relabel(p []byte) []byte {
	for i, m := range h.order {
		if !bytes.Contains(p, []byte(`"`+m.name+`"`)) {
			continue
		}
		other := "NOSUCHUSDT"
		if len(h.order) > 1 {
			other = h.order[(i+1)%len(h.order)].name
		}
		p = bytes.ReplaceAll(p, []byte(`"`+m.name+`"`), []byte(`"`+other+`"`))
		return bytes.Replace(p, []byte(`"`+strings.ToLower(m.name)+`@`), []byte(`"`+strings.ToLower(other)+`@`), 1)
	}
	return p
}
