package venue

import (
	"strconv"
	"unicode/utf8"

	"riposte/tools/venue/exchange"
)

// enc appends JSON to b. It puts the commas itself: a member or element that does not follow '{' or '[' gets one.
// us selects microseconds for times; the default is milliseconds. Prices, quantities and money are strings with 8
// decimals, ids and times are numbers.
type enc struct {
	b  []byte
	us bool
}

func (w *enc) comma() {
	if n := len(w.b); n > 0 {
		switch w.b[n-1] {
		case '{', '[', ':', ',':
		default:
			w.b = append(w.b, ',')
		}
	}
}

func (w *enc) open(c byte) {
	w.comma()
	w.b = append(w.b, c)
}

func (w *enc) close(c byte) { w.b = append(w.b, c) }

func (w *enc) key(k string) {
	w.comma()
	w.b = append(w.b, '"')
	w.b = append(w.b, k...)
	w.b = append(w.b, '"', ':')
}

func (w *enc) int(k string, v int64) {
	w.key(k)
	w.b = strconv.AppendInt(w.b, v, 10)
}

func (w *enc) bool(k string, v bool) {
	w.key(k)
	w.b = strconv.AppendBool(w.b, v)
}

func (w *enc) str(k, v string) {
	w.key(k)
	w.b = appendQuoted(w.b, v)
}

func (w *enc) raw(k string, v []byte) {
	w.key(k)
	w.b = append(w.b, v...)
}

// fixed appends a 1e-8 scaled value as "123.45600000".
func (w *enc) fixed(k string, v int64) {
	w.key(k)
	w.b = appendFixed(w.b, v)
}

// time appends a unix µs instant in the connection's unit; negative values (-1: never) stay as they are.
func (w *enc) time(k string, t int64) {
	w.key(k)
	w.b = appendTime(w.b, t, w.us)
}

func (w *enc) strs(k string, list []string) {
	w.key(k)
	w.open('[')
	for _, s := range list {
		w.comma()
		w.b = appendQuoted(w.b, s)
	}
	w.close(']')
}

func appendTime(b []byte, t int64, us bool) []byte {
	if !us && t > 0 {
		t /= 1000
	}
	return strconv.AppendInt(b, t, 10)
}

// appendFixed appends a quoted decimal with exactly 8 decimals.
func appendFixed(b []byte, v int64) []byte {
	return append(exchange.AppendFixed(append(b, '"'), v), '"')
}

const hexDigits = "0123456789abcdef"

// appendQuoted appends s as a JSON string; invalid UTF-8 becomes U+FFFD.
func appendQuoted(b []byte, s string) []byte {
	b = append(b, '"')
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
			i++
		case c < 0x20:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			i++
		case c < utf8.RuneSelf:
			b = append(b, c)
			i++
		default:
			r, n := utf8.DecodeRuneInString(s[i:])
			b = utf8.AppendRune(b, r)
			i += n
		}
	}
	return append(b, '"')
}
