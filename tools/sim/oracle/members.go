package oracle

import "encoding/json"

// members are those of a JSON object, each as it stands in the message: what nobody asks
// for, the levels of books above all, is not read.
type members []member

type member struct {
	name  string
	value json.RawMessage // of the message's own bytes; nil if it is null
}

// get is the value of that name, nil if there is none or it is null. Of two of one name
// the last counts.
func (m members) get(name string) json.RawMessage {
	for i := len(m) - 1; i >= 0; i-- {
		if m[i].name == name {
			return m[i].value
		}
	}
	return nil
}

// object takes apart the JSON object that b begins with, nil of anything else.
func object(b []byte) members {
	at := space(b, 0)
	end := skip(b, at)
	if at == len(b) || b[at] != '{' || end < 0 || !json.Valid(b[at:end]) {
		return nil
	}
	m := make(members, 0, 16)
	for at = space(b, at+1); b[at] != '}'; at = space(b, at) {
		if b[at] == ',' {
			at = space(b, at+1)
		}
		over := skip(b, at)
		name := text(b[at:over])
		at = space(b, over) + 1 // the colon
		at = space(b, at)
		over = skip(b, at)
		value := json.RawMessage(b[at:over:over])
		if string(value) == "null" {
			value = nil
		}
		m = append(m, member{name, value})
		at = over
	}
	return m
}

// space is the first place from at on that is no white space.
func space(b []byte, at int) int {
	for at < len(b) && (b[at] == ' ' || b[at] == '\t' || b[at] == '\n' || b[at] == '\r') {
		at++
	}
	return at
}

// skip is where the value ends that begins at a place, if it is a valid one; -1 if b ends
// before it.
func skip(b []byte, at int) int {
	deep := 0
	for at < len(b) {
		switch b[at] {
		case '"':
			for at++; at < len(b) && b[at] != '"'; at++ {
				if b[at] == '\\' {
					at++
				}
			}
			if at >= len(b) {
				return -1
			}
			at++
		case '{', '[':
			deep++
			at++
			continue
		case '}', ']':
			deep--
			at++
		case ',', ':', ' ', '\t', '\n', '\r':
			at++
			continue
		default: // a number or a word
			for at < len(b) && !ends[b[at]] {
				at++
			}
		}
		if deep <= 0 {
			return at
		}
	}
	return -1
}

// ends are the bytes that a number or a word ends before.
var ends = func() (e [256]bool) {
	for _, c := range []byte(",:]}[{\" \t\r\n") {
		e[c] = true
	}
	return e
}()

// text is a JSON text or number as it stands there, "" for anything else.
func text(v json.RawMessage) string {
	switch {
	case len(v) == 0:
	case v[0] == '"':
		if plain(v) {
			return string(v[1 : len(v)-1])
		}
		var s string
		if json.Unmarshal(v, &s) == nil {
			return s
		}
	case v[0] == '-' || v[0] >= '0' && v[0] <= '9':
		return string(v)
	}
	return ""
}

// plain reports whether a JSON text says what it spells.
func plain(v []byte) bool {
	for _, c := range v {
		if c == '\\' || c < ' ' || c >= 0x7f {
			return false
		}
	}
	return len(v) >= 2
}
