package binance

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"riposte/core"
)

// WSParam is one parameter of a WebSocket API request. Numbers are sent as JSON
// numbers and signed as the same digits, texts as JSON strings.
type WSParam struct {
	Name   string
	Text   string
	Number bool
}

// WSSigner builds signed requests of the WebSocket API. One goroutine.
type WSSigner struct {
	key    *Key
	signer Signer
	window string
	buf    []byte
}

// NewWSSigner makes a builder; window is the recvWindow of its requests.
func NewWSSigner(key *Key, window time.Duration) (*WSSigner, error) {
	if key == nil {
		return nil, fmt.Errorf("cannot sign WebSocket API requests: no key is loaded")
	}
	text, err := windowText(window)
	if err != nil {
		return nil, err
	}
	return &WSSigner{key: key, signer: key.Signer(), window: text}, nil
}

// Wipe overwrites what signs.
func (w *WSSigner) Wipe() { w.signer.Wipe() }

// AppendSubscribe appends a userDataStream.subscribe.signature request, which any
// kind of key may make without a logon (Binance Spot API docs, 2026-07-21). id is
// echoed in the reply.
func (w *WSSigner) AppendSubscribe(dst []byte, id int64, now core.WallNs) []byte {
	return w.AppendRequest(dst, id, "userDataStream.subscribe.signature", nil, now)
}

// AppendRequest appends a signed request frame: params, apiKey, recvWindow and
// timestamp sorted by name, signed as name=value pairs of raw UTF-8 without any
// encoding, signature last.
func (w *WSSigner) AppendRequest(dst []byte, id int64, method string, params []WSParam, now core.WallNs) []byte {
	all := append(slices.Clone(params),
		WSParam{Name: "apiKey", Text: string(w.key.api.bytes())},
		WSParam{Name: "recvWindow", Text: w.window, Number: true},
		WSParam{Name: "timestamp", Text: strconv.FormatInt(int64(now)/1e6, 10), Number: true})
	slices.SortFunc(all, func(a, b WSParam) int {
		switch {
		case a.Name < b.Name:
			return -1
		case a.Name > b.Name:
			return 1
		}
		return 0
	})
	w.buf = wsPayload(w.buf[:0], all)
	dst = append(dst, `{"id":`...)
	dst = strconv.AppendInt(dst, id, 10)
	dst = append(dst, `,"method":"`...)
	dst = append(dst, method...)
	dst = append(dst, `","params":{`...)
	for _, p := range all {
		dst = append(dst, '"')
		dst = append(dst, p.Name...)
		dst = append(dst, `":`...)
		if p.Number {
			dst = append(dst, p.Text...)
		} else {
			dst = appendJSONText(dst, p.Text)
		}
		dst = append(dst, ',')
	}
	dst = append(dst, `"signature":"`...)
	dst = w.signer.AppendWS(dst, w.buf)
	clear(w.buf)
	return append(dst, `"}}`...)
}

// wsPayload appends the text that is signed; params are sorted.
func wsPayload(dst []byte, params []WSParam) []byte {
	for i, p := range params {
		if i > 0 {
			dst = append(dst, '&')
		}
		dst = append(dst, p.Name...)
		dst = append(dst, '=')
		dst = append(dst, p.Text...)
	}
	return dst
}

// appendJSONText appends a JSON string. UTF-8 stays as it is: the venue signs what it
// decodes, and escapes decode to the same.
func appendJSONText(dst []byte, s string) []byte {
	const digits = "0123456789abcdef"
	dst = append(dst, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < ' ':
			dst = append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}
