package path

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"riposte/bench"
	"riposte/core"
)

// Symbol is the instrument that is traded; Others are only watched.
const Symbol = "BTCUSDT"

// Others make up the rest of a mixed feed.
var Others = []string{"ETHUSDT", "BNBUSDT", "SOLUSDT"}

// The range that every best bid moves in.
const (
	tick      = core.Price(core.Scale / 100)
	lowBid    = core.Price(61_800 * core.Scale)
	bidRange  = 4096 // ticks; no price repeats within as many changes
	askPrice  = lowBid + (bidRange+100)*tick
	farLevels = 400 // per side, beyond the range
	farChange = 10  // of them in each depth event
	firstID   = 50_093_239_212
)

// Walk is how the best bid moves from one touch to the next.
type Walk string

// The walks. Far jumps over the whole range, so that no order can have been signed
// ahead; Near goes up by a tick each time, so that most can.
const (
	Far  Walk = "far"
	Near Walk = "near"
)

// touch is a state of the top.
type touch struct {
	id   uint64
	bid  core.Price
	size [2][]byte // of bid and ask
}

// ladder is what depth has told: the top as of a touch, and how many depth events have
// changed far levels.
type ladder struct {
	top   touch
	turns int
}

// Market makes one symbol's frames, and the snapshot that goes with them. A touch
// that moves the best bid has an even id, one that does not an odd one; a depth event
// ends at that of the newest touch before it. One goroutine.
type Market struct {
	Symbol string
	lower  string
	walk   Walk
	sizes  [][2][]byte // recorded quantities of bid and ask
	moves  int         // of the best bid
	n      int         // touches made
	made   touch       // the newest
	told   ladder      // after the newest depth event made
}

// NewMarket takes its quantities from a corpus' bookTicker frames.
func NewMarket(symbol string, c *bench.Corpus, w Walk) (*Market, error) {
	if w != Far && w != Near {
		return nil, fmt.Errorf("cannot make a market: walk is %q, want %q or %q", w, Far, Near)
	}
	m := &Market{Symbol: symbol, lower: strings.ToLower(symbol), walk: w, made: touch{id: firstID}}
	for i := range c.Lines {
		f := c.Lines[i].Frame
		if !bytes.Contains(f, []byte("@bookTicker")) {
			continue
		}
		b, a := field(f, `"B":"`), field(f, `"A":"`)
		if b == nil || a == nil {
			return nil, fmt.Errorf("cannot make a market: frame %.160q has no quantities", f)
		}
		m.sizes = append(m.sizes, [2][]byte{b, a})
	}
	if len(m.sizes) == 0 {
		return nil, fmt.Errorf("cannot make a market: corpus %s has no bookTicker", c.Name)
	}
	m.next(true)
	m.told.top = m.made
	return m, nil
}

// field is the text between name and the next quote.
func field(f []byte, name string) []byte {
	_, rest, ok := bytes.Cut(f, []byte(name))
	if !ok {
		return nil
	}
	v, _, ok := bytes.Cut(rest, []byte{'"'})
	if !ok {
		return nil
	}
	return v
}

// next makes the next touch: with another best bid, or only other quantities.
func (m *Market) next(moves bool) {
	id := m.made.id | 1
	if moves {
		id = m.made.id + 2 - m.made.id&1
		step := m.moves % bidRange
		if m.walk == Far {
			step = m.moves * 2_654_435 % bidRange // odd, so every price comes once in bidRange
		}
		m.made.bid = lowBid + core.Price(step)*tick
		m.moves++
	} else if m.made.id&1 == 1 {
		id = m.made.id + 2
	}
	m.made.id, m.made.size = id, m.sizes[m.n%len(m.sizes)]
	m.n++
}

// slotOf is the number of a best bid within the range, -1 if it is none.
func slotOf(p core.Price) int {
	i := (p - lowBid) / tick
	if p < lowBid || i >= bidRange || (p-lowBid)%tick != 0 {
		return -1
	}
	return int(i)
}

// Marked is how to tell the traded symbol's touches that move the best bid from all
// other frames without reading them: ids have eleven digits throughout.
func Marked() Mark {
	prefix := `{"stream":"` + strings.ToLower(Symbol) + `@bookTicker","data":{"u":`
	return Mark{Prefix: prefix, At: len(prefix) + 10}
}

// AppendTouch makes the next touch and appends the bookTicker that tells it.
func (m *Market) AppendTouch(dst []byte, moves bool) []byte {
	m.next(moves)
	dst = append(append(dst, `{"stream":"`...), m.lower...)
	dst = append(dst, `@bookTicker","data":{"u":`...)
	dst = strconv.AppendUint(dst, m.made.id, 10)
	dst = append(append(dst, `,"s":"`...), m.Symbol...)
	dst = append(dst, `","b":"`...)
	dst = core.AppendDecimal8(dst, int64(m.made.bid))
	dst = append(dst, `","B":"`...)
	dst = append(dst, m.made.size[0]...)
	dst = append(dst, `","a":"`...)
	dst = core.AppendDecimal8(dst, int64(askPrice))
	dst = append(dst, `","A":"`...)
	dst = append(dst, m.made.size[1]...)
	return append(dst, `"}}`...)
}

// AppendDepth appends the depth event of all since the one before: the top as the
// newest touch told it, and some far levels. Without a touch in between there is
// nothing to tell, and nothing is appended.
func (m *Market) AppendDepth(dst []byte, unixMs int64) []byte {
	if m.told.top.id == m.made.id {
		return dst
	}
	dst = append(append(dst, `{"stream":"`...), m.lower...)
	dst = append(dst, `@depth@100ms","data":{"e":"depthUpdate","E":`...)
	dst = strconv.AppendInt(dst, unixMs, 10)
	dst = append(append(dst, `,"s":"`...), m.Symbol...)
	dst = append(dst, `","U":`...)
	dst = strconv.AppendUint(dst, m.told.top.id+1, 10)
	dst = append(dst, `,"u":`...)
	dst = strconv.AppendUint(dst, m.made.id, 10)
	dst = append(dst, `,"b":[`...)
	if m.told.top.bid != m.made.bid {
		dst = appendLevel(dst, m.told.top.bid, []byte("0.00000000"))
		dst = append(dst, ',')
	}
	from := m.told.turns * farChange % farLevels
	m.told = ladder{m.made, m.told.turns + 1}
	dst = appendLevel(dst, m.made.bid, m.made.size[0])
	for i := from; i < from+farChange; i++ {
		dst = m.told.appendFar(append(dst, ','), 0, i)
	}
	dst = append(dst, `],"a":[`...)
	dst = appendLevel(dst, askPrice, m.made.size[1])
	for i := from; i < from+farChange; i++ {
		dst = m.told.appendFar(append(dst, ','), 1, i)
	}
	return append(dst, `]}}`...)
}

// appendSnapshot appends the body of a depth snapshot: the book as a depth event left
// it.
func (b *ladder) appendSnapshot(dst []byte) []byte {
	dst = append(dst, `{"lastUpdateId":`...)
	dst = strconv.AppendUint(dst, b.top.id, 10)
	for side, name := range [2]string{`,"bids":[`, `,"asks":[`} {
		dst = append(dst, name...)
		best := b.top.bid
		if side == 1 {
			best = askPrice
		}
		dst = appendLevel(dst, best, b.top.size[side])
		for i := range farLevels {
			dst = b.appendFar(append(dst, ','), side, i)
		}
		dst = append(dst, ']')
	}
	return append(dst, '}')
}

// appendFar appends a far level. Depth events change them in turn, farChange at a
// time, between two quantities.
func (b *ladder) appendFar(dst []byte, side, i int) []byte {
	p := lowBid - core.Price(100+3*i)*tick
	if side == 1 {
		p = askPrice + core.Price(100+3*i)*tick
	}
	const round = farLevels / farChange
	changes := (b.turns + round - 1 - i/farChange) / round
	qty := int64(i+1)*10_000 ^ int64(changes&1)<<20
	var buf [32]byte
	return appendLevel(dst, p, core.AppendDecimal8(buf[:0], qty))
}

func appendLevel(dst []byte, p core.Price, qty []byte) []byte {
	dst = append(dst, `["`...)
	dst = core.AppendDecimal8(dst, int64(p))
	dst = append(dst, `","`...)
	dst = append(dst, qty...)
	return append(dst, `"]`...)
}
