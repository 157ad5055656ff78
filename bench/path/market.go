package path

import (
	"bytes"
	"fmt"
	"strconv"

	"riposte/bench"
	"riposte/core"
)

// The one instrument, and the range its best bid moves in.
const (
	Symbol    = "BTCUSDT"
	lower     = "btcusdt"
	tick      = core.Price(core.Scale / 100)
	lowBid    = core.Price(61_800 * core.Scale)
	bidRange  = 4096 // ticks; no price repeats within as many touches
	askPrice  = lowBid + (bidRange+100)*tick
	farLevels = 400 // per side, beyond the range
	farChange = 10  // of them in each depth event
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

// Market makes the frames that are sent and the snapshot that goes with them. Ids are
// dense: each touch has one of its own, a depth event ends at that of the newest
// touch that was sent. One goroutine.
type Market struct {
	walk  Walk
	sizes [][2][]byte // recorded quantities of bid and ask
	n     int         // touches made
	made  touch       // the newest
	sent  touch       // the newest that has left
	told  touch       // what depth has told
	turn  int
	qty   [2][farLevels]int64 // of far levels
}

// NewMarket takes its quantities from a corpus of that symbol's bookTicker frames.
func NewMarket(c *bench.Corpus, w Walk) (*Market, error) {
	if w != Far && w != Near {
		return nil, fmt.Errorf("cannot make a market: walk is %q, want %q or %q", w, Far, Near)
	}
	m := &Market{walk: w, made: touch{id: 50_093_239_212}}
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
	for s := range m.qty {
		for i := range m.qty[s] {
			m.qty[s][i] = int64(i+1) * 10_000
		}
	}
	m.next()
	m.Sent()
	m.told = m.sent
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

// next moves the best bid.
func (m *Market) next() {
	step := m.n % bidRange
	if m.walk == Far {
		step = m.n * 2_654_435 % bidRange // odd, so every price comes once in bidRange
	}
	m.made = touch{m.made.id + 1, lowBid + core.Price(step)*tick, m.sizes[m.n%len(m.sizes)]}
	m.n++
}

// slot is the number of a best bid within the range, -1 if it is none.
func slot(p core.Price) int {
	i := (p - lowBid) / tick
	if p < lowBid || i >= bidRange || (p-lowBid)%tick != 0 {
		return -1
	}
	return int(i)
}

// Sent says that the touch made last has left: from now on depth may tell it.
func (m *Market) Sent() { m.sent = m.made }

// AppendTouch moves the best bid and appends the bookTicker that tells it.
func (m *Market) AppendTouch(dst []byte) []byte {
	m.next()
	dst = append(dst, `{"stream":"`+lower+`@bookTicker","data":{"u":`...)
	dst = strconv.AppendUint(dst, m.made.id, 10)
	dst = append(dst, `,"s":"`+Symbol+`","b":"`...)
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
// newest touch told it, and some far levels.
func (m *Market) AppendDepth(dst []byte, unixMs int64) []byte {
	dst = append(dst, `{"stream":"`+lower+`@depth@100ms","data":{"e":"depthUpdate","E":`...)
	dst = strconv.AppendInt(dst, unixMs, 10)
	dst = append(dst, `,"s":"`+Symbol+`","U":`...)
	dst = strconv.AppendUint(dst, m.told.id+1, 10)
	dst = append(dst, `,"u":`...)
	dst = strconv.AppendUint(dst, m.sent.id, 10)
	dst = append(dst, `,"b":[`...)
	if m.told.bid != m.sent.bid {
		dst = appendLevel(dst, m.told.bid, []byte("0.00000000"))
		dst = append(dst, ',')
	}
	dst = appendLevel(dst, m.sent.bid, m.sent.size[0])
	from := m.turn * farChange % farLevels
	for i := from; i < from+farChange; i++ {
		m.qty[0][i] ^= 1 << 20
		dst = append(dst, ',')
		dst = m.appendFar(dst, 0, i)
	}
	dst = append(dst, `],"a":[`...)
	dst = appendLevel(dst, askPrice, m.sent.size[1])
	for i := from; i < from+farChange; i++ {
		m.qty[1][i] ^= 1 << 20
		dst = append(dst, ',')
		dst = m.appendFar(dst, 1, i)
	}
	m.turn++
	m.told = m.sent
	return append(dst, `]}}`...)
}

// Owes reports whether touches have left that depth has not told yet.
func (m *Market) Owes() bool { return m.told.id < m.sent.id }

// AppendSnapshot appends the body of a depth snapshot: the book as the last depth
// event left it.
func (m *Market) AppendSnapshot(dst []byte) []byte {
	dst = append(dst, `{"lastUpdateId":`...)
	dst = strconv.AppendUint(dst, m.told.id, 10)
	for side, name := range [2]string{`,"bids":[`, `,"asks":[`} {
		dst = append(dst, name...)
		best := m.told.bid
		if side == 1 {
			best = askPrice
		}
		dst = appendLevel(dst, best, m.told.size[side])
		for i := range farLevels {
			dst = append(dst, ',')
			dst = m.appendFar(dst, side, i)
		}
		dst = append(dst, ']')
	}
	return append(dst, '}')
}

func (m *Market) appendFar(dst []byte, side, i int) []byte {
	p := lowBid - core.Price(100+3*i)*tick
	if side == 1 {
		p = askPrice + core.Price(100+3*i)*tick
	}
	var b [32]byte
	return appendLevel(dst, p, core.AppendDecimal8(b[:0], m.qty[side][i]))
}

func appendLevel(dst []byte, p core.Price, qty []byte) []byte {
	dst = append(dst, `["`...)
	dst = core.AppendDecimal8(dst, int64(p))
	dst = append(dst, `","`...)
	dst = append(dst, qty...)
	return append(dst, `"]`...)
}
