package binance

import (
	"unsafe"

	"riposte/core"
)

// A layout is a whole small frame as one of its stream was: where its numbers
// stand and every byte between them. Frames of one stream differ in little but
// their digits, so the next one of the same length is compared with it as a whole,
// and all its numbers are computed at once, by vectors. A frame that is not so
// laid out only takes longer. The assembly knows the offsets, and is fastest where
// a layout begins with a line of the cache.
type layout struct {
	// How the frame begins, and the bits of that which are in front of its tail.
	head, care [64]byte
	// Its last 128 bytes, with 0 for each digit, and 1 where no 0 may be; and how
	// far each byte may be above that.
	want, above [layoutTail]byte
	// Of four decimals and of four integers the 16 digits each, eight and eight:
	// which of those bytes they are.
	places [2][64]byte
	add    [8]int64 // what the digits that begin at 1 lack, as in the result
	n      int      // length of the frame; 0: none yet
	maker  bool     // says "m":true
	_      [48]byte
}

const (
	layoutTail = 128
	layoutMax  = layoutTail + 64 // longest frame
	layoutWays = 4               // per stream
)

// layouts are those of one stream.
type layouts struct {
	ways [layoutWays]layout
	miss uint8
	_    [63]byte
}

// layoutMisses is how many frames must have had no layout until one replaces
// another.
const layoutMisses = 16

// learn makes a layout of a frame that a reader has found to be as it should.
func (s *layouts) learn(b []byte, t *template) {
	way := -1
	for k := range s.ways {
		if s.ways[k].n == 0 {
			way = k
			break
		}
	}
	if way < 0 {
		if s.miss++; s.miss%layoutMisses != 0 {
			return
		}
		way = int(s.miss/layoutMisses) % layoutWays
	}
	l := &s.ways[way]
	if l.fill(b, t) {
		l.n = len(b)
	} else {
		l.n = -1 // no frame's length, and no free place
	}
}

// fill describes b; it is false for a frame with more or longer numbers than fit.
func (l *layout) fill(b []byte, t *template) bool {
	if len(b) < layoutTail || len(b) > layoutMax {
		return false
	}
	*l = layout{}
	copy(l.head[:], b)
	tail := len(b) - layoutTail
	for k := range tail {
		l.care[k] = 0xff
	}
	copy(l.want[:], b[tail:])
	// Places that no digit is brought to take a byte that is as expected: nothing.
	for kind := range l.places {
		for k := range l.places[kind] {
			l.places[kind][k] = layoutTail - 1
		}
	}
	decimals, integers := 0, 0
	var ints [8]place
	mid := string(t.midText[:t.mid])
	for i := int(t.route.At); i < len(b); {
		if b[i]-'0' > 9 {
			if lit(b, i, mid) {
				i += len(mid)
			} else {
				i++
			}
			continue
		}
		if i < tail {
			return false
		}
		end, dot := i, -1
		for ; end < len(b) && (b[end]-'0' <= 9 || b[end] == '.'); end++ {
			l.want[end-tail], l.above[end-tail] = '0', 9
			if b[end] == '.' {
				l.want[end-tail], l.above[end-tail] = '.', 0
				dot = end
			}
		}
		switch {
		case b[i-1] == '"':
			if dot < 0 {
				dot = end
			}
			if decimals == 4 || dot-i > 8 || end-dot-1 > 8 {
				return false
			}
			for k := i; k < dot; k++ {
				l.places[0][16*decimals+8-(dot-k)] = byte(k - tail)
			}
			for k := dot + 1; k < end; k++ {
				l.places[0][16*decimals+8+k-dot-1] = byte(k - tail)
			}
			decimals++
		case dot >= 0 || integers == len(ints) || end-i > 16:
			return false
		default:
			if end-i > 1 {
				l.want[i-tail], l.above[i-tail] = '1', 8
			}
			ints[integers] = place{uint32(i), uint32(end)}
			integers++
		}
		i = end
	}
	var wanted [2]int
	switch t.shape {
	case touchShape, touchFutures:
		wanted[1] = -1 // the update id only
	case tradeShape:
		wanted = [2]int{1, integers - 1}
	case tradeFutures:
		wanted = [2]int{2, 1}
	}
	for slot, k := range wanted {
		if k < 0 {
			continue
		}
		from, end := int(ints[k].lo), int(ints[k].hi)
		unit := int64(1)
		for i := end - 1; i >= from; i-- {
			l.places[1][16*slot+15-(end-1-i)] = byte(i - tail)
			if i == from && end-from > 1 {
				l.add[2*slot+1] = unit
			}
			unit *= 10
		}
	}
	for i := int(t.route.At); i+9 <= len(b); i++ {
		l.maker = l.maker || lit(b, i, `"m":true,`) || lit(b, i, `"m":true}`)
	}
	return true
}

// small reads a touch or trade by a layout of its stream: a layout's result is the
// decimals, each followed by an integer.
func (d *Decoder) small(b []byte, t *template, ev *core.Event) bool {
	s := &d.layouts[t.layouts-1]
	v := &d.numbers
	for k := range s.ways {
		l := &s.ways[k]
		if l.n != len(b) || !layoutAVX512(unsafe.SliceData(b), len(b), l, v) {
			continue
		}
		if t.shape <= touchFutures {
			ev.Kind, ev.Flags, ev.Bids, ev.Asks = core.Touch, 0, 0, 0
			ev.W[0], ev.W[1], ev.W[2], ev.W[3] = v[0], v[2], v[4], v[6]
		} else {
			at, ok := nanoseconds(v[3], d.unit, d.timeMax)
			if !ok {
				return false
			}
			ev.Kind, ev.Flags, ev.Bids, ev.Asks = core.Trade, flagIf(l.maker, core.FlagBuyerMaker), 0, 0
			ev.W[0], ev.W[1], ev.W[2], ev.W[3] = v[0], v[2], at, 0
		}
		ev.ID = uint64(v[1])
		ev.Instrument = t.route.Instrument
		return true
	}
	return false
}
