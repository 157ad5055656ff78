package binance

import (
	"errors"
	"math"
	"math/bits"
	"slices"

	"riposte/core"
)

// Keys that mean something to us have a slot each: the letters first, as
// payloads are made of them, then the words.
const (
	slotPrev = 52 + iota // pu
	slotLast             // lastUpdateId
	slotBids
	slotAsks
	slotStream
	slotData
	slotResult
	slotID
	slotError
	slotCode
	slotMsg
	slots

	slotNone  = -1 // a key we have never heard of
	slotKnown = -2 // one we have, and need not read: ps, st
)

// letter is the slot of a one-letter key.
func letter(c byte) int {
	if c >= 'a' {
		return int(c-'a') + 26
	}
	return int(c - 'A')
}

func keySlot(k []byte) int {
	switch len(k) {
	case 1:
		if c := k[0] | 0x20; c >= 'a' && c <= 'z' {
			return letter(k[0])
		}
	case 2:
		switch string(k) {
		case "pu":
			return slotPrev
		case "id":
			return slotID
		case "ps", "st":
			return slotKnown
		}
	case 3:
		if string(k) == "msg" {
			return slotMsg
		}
	case 4:
		switch string(k) {
		case "bids":
			return slotBids
		case "asks":
			return slotAsks
		case "data":
			return slotData
		case "code":
			return slotCode
		}
	case 5:
		if string(k) == "error" {
			return slotError
		}
	case 6:
		switch string(k) {
		case "stream":
			return slotStream
		case "result":
			return slotResult
		}
	case 12:
		if string(k) == "lastUpdateId" {
			return slotLast
		}
	}
	return slotNone
}

// object is where the values of one JSON object lie in the frame.
type object struct {
	seen    uint64 // one bit per slot
	at      [slots]place
	dup     bool // a key with a slot came twice
	unknown int  // keys without

	// Arrays of levels are read where they are met, into the lent memory.
	tried     uint64 // slots that hold such an array
	isLevels  uint64 // of them, those with sound numbers
	scattered bool   // they do not lie together: read them again
	first     core.Side
	bids      int
	asks      int
	overflown bool // more of them than the memory takes
}

// place is a value's text, b[lo:hi].
type place struct{ lo, hi uint32 }

func (o *object) has(slot int) bool { return o.seen&(1<<slot) != 0 }

func (o *object) hasAll(mask uint64) bool { return o.seen&mask == mask }

// object reads the one that starts at b[i] into o; it is the depth-th of those
// that lie in each other. It returns the index behind it, -1 if it is not JSON.
func (d *Decoder) object(b []byte, i int, o *object, depth int) int {
	o.seen, o.dup, o.unknown = 0, false, 0
	o.tried, o.isLevels, o.scattered = 0, 0, false
	o.bids, o.asks, o.overflown = 0, 0, false
	if i = skipWS(b, i+1); i < len(b) && b[i] == '}' {
		return i + 1
	}
	for {
		end := -1
		var slot int
		if w := word(b, i); w&0xffff00ff == wordLetter && (byte(w>>8)|0x20)-'a' < 26 {
			slot, i = letter(byte(w>>8)), i+4 // a letter, as most are
		} else if slot, i = d.key(b, i); i < 0 {
			return -1
		}
		if i < len(b) && b[i] <= ' ' {
			i = skipWS(b, i)
		}
		if i >= len(b) {
			return -1
		}
		from := i
		again := slot >= 0 && o.has(slot)
		if slot >= 0 {
			o.dup = o.dup || again
			if c := b[i]; c == '[' {
				end = d.tryLevels(b, i, o, slot, depth)
			} else if c == '{' && slot == slotData && depth == 1 {
				if end = d.object(b, i, &d.data, 2); end < 0 {
					return -1
				}
			}
			o.seen |= 1 << slot
		} else if slot == slotNone {
			o.unknown++
		}
		if end < 0 {
			if b[i] == '"' {
				end, _ = skipString(b, i)
			} else {
				end = skipValue(b, i, depth)
			}
			if end < 0 {
				return -1
			}
		}
		if slot >= 0 && !again {
			o.at[slot] = place{uint32(from), uint32(end)}
		}
		if i = end; i < len(b) && b[i] <= ' ' {
			i = skipWS(b, i)
		}
		if i >= len(b) {
			return -1
		}
		if b[i] == '}' {
			return i + 1
		}
		if b[i] != ',' {
			return -1
		}
		if i++; i < len(b) && b[i] <= ' ' {
			i = skipWS(b, i)
		}
	}
}

// wordLetter is a key of one letter, which is left out, and its colon.
const wordLetter = '"' | '"'<<16 | ':'<<24

// key reads any key that starts at b[i] and its colon; next is -1 if there is none.
func (d *Decoder) key(b []byte, i int) (slot, next int) {
	if i >= len(b) || b[i] != '"' {
		return 0, -1
	}
	end, escaped := skipString(b, i)
	if end < 0 {
		return 0, -1
	}
	key := b[i+1 : end-1]
	if escaped {
		key = d.unescaped(key)
	}
	slot = keySlot(key)
	if i = skipWS(b, end); i >= len(b) || b[i] != ':' {
		return 0, -1
	}
	return slot, i + 1
}

// decimalAt reads the string at b[i] as a decimal; next is -1 if there is no
// string, ok false if it is not a decimal.
func (d *Decoder) decimalAt(b []byte, i int) (v int64, next int, ok bool) {
	if i >= len(b) || b[i] != '"' {
		return 0, -1, false
	}
	if v, next = decimal(b, i+1); next > 0 {
		return v, next, true
	}
	next, escaped := skipString(b, i)
	if next < 0 {
		return 0, -1, false
	}
	s := b[i+1 : next-1]
	if escaped {
		s = d.unescaped(s)
	}
	v, err := core.ParseDecimal(s)
	return v, next, err == nil
}

// unescaped is s without its escapes, valid until the next frame.
func (d *Decoder) unescaped(s []byte) []byte {
	from := len(d.scratch)
	d.scratch = appendUnescaped(d.scratch, s)
	return d.scratch[from:]
}

// text is a slot's string without its escapes; ok is false if it is no string.
func (d *Decoder) text(b []byte, o *object, slot int) (s []byte, ok bool) {
	if !o.has(slot) {
		return nil, false
	}
	p := o.at[slot]
	if b[p.lo] != '"' {
		return nil, false
	}
	s = b[p.lo+1 : p.hi-1]
	if slices.Contains(s, '\\') {
		s = d.unescaped(s)
	}
	return s, true
}

// fields reads the values of one object; bad is set by the first that is
// missing or unreadable.
type fields struct {
	d   *Decoder
	b   []byte
	o   *object
	bad bool
}

// dec is a decimal of zero or above, in a string.
func (f *fields) dec(c byte) int64 {
	if f.o.has(letter(c)) {
		if v, next, ok := f.d.decimalAt(f.b, int(f.o.at[letter(c)].lo)); next > 0 && ok {
			return v
		}
	}
	f.bad = true
	return 0
}

// decOpt is dec, or 0 if the field is missing.
func (f *fields) decOpt(c byte) int64 {
	if !f.o.has(letter(c)) {
		return 0
	}
	return f.dec(c)
}

// volume is dec for a sum over many trades, which on the cheapest tokens passes
// what an int64 holds: it then reads as the most an int64 holds.
func (f *fields) volume(c byte) int64 {
	if s, ok := f.d.text(f.b, f.o, letter(c)); ok {
		v, err := core.ParseDecimal(s)
		if err == nil {
			return v
		}
		if errors.Is(err, core.ErrDecimalOverflow) {
			return math.MaxInt64
		}
	}
	f.bad = true
	return 0
}

// signed is an integer.
func (f *fields) signed(slot int) int64 {
	if f.o.has(slot) {
		p := f.o.at[slot]
		if v, ok := integer(f.b[p.lo:p.hi]); ok {
			return v
		}
	}
	f.bad = true
	return 0
}

// count is an integer of zero or above.
func (f *fields) count(slot int) int64 {
	v := f.signed(slot)
	if v < 0 {
		f.bad = true
	}
	return v
}

// time is a venue time in ns.
func (f *fields) time(c byte) int64 {
	ns, ok := nanoseconds(f.signed(letter(c)), f.d.unit, f.d.timeMax)
	if !ok {
		f.bad = true
	}
	return ns
}

// timeOpt is time, or 0 if the field is missing.
func (f *fields) timeOpt(c byte) int64 {
	if !f.o.has(letter(c)) {
		return 0
	}
	return f.time(c)
}

func (f *fields) boolean(c byte) bool {
	if f.o.has(letter(c)) {
		switch f.b[f.o.at[letter(c)].lo] {
		case 't':
			return true
		case 'f':
			return false
		}
	}
	f.bad = true
	return false
}

// integer reads JSON text as an int64; ok is false for a fraction, an exponent,
// anything else than a number, or too large a one. s is legal JSON.
func integer(s []byte) (v int64, ok bool) {
	neg := s[0] == '-'
	if neg {
		s = s[1:]
	}
	if len(s) > 19 {
		return 0, false
	}
	var u uint64
	for _, c := range s {
		if c -= '0'; c > 9 {
			return 0, false
		}
		u = u*10 + uint64(c)
	}
	if u > math.MaxInt64 {
		return 0, false
	}
	if neg {
		return -int64(u), true
	}
	return int64(u), true
}

func unknownFields(o *object, known uint64) uint64 {
	return uint64(o.unknown + bits.OnesCount64(o.seen&^known))
}
