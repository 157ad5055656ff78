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

// Market makes the frames that are sent and the snapshot that goes with them. Ids are
// dense: each touch has one of its own, a depth event ends at that of the newest
// touch. One goroutine.
type Market struct {
	walk    Walk
	sizes   [][2][]byte // recorded quantities of bid and ask
	id      uint64      // of the newest touch
	told    uint64      // up to where depth has told
	n       int         // touches made
	bid     core.Price
	size    [2][]byte
	resting core.Price // the bid that depth told last, 0 before
	turn    int
	qty     [2][farLevels]int64 // of far levels
}

// NewMarket takes its quantities from a corpus of that symbol's bookTicker frames.
func NewMarket(c *bench.Corpus, w Walk) (*Market, error) {
	if w != Far && w != Near {
		return nil, fmt.Errorf("cannot make a market: walk is %q, want %q or %q", w, Far, Near)
	}
	m := &Market{walk: w, id: 50_093_239_212}
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
	m.settle()
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
	m.bid = lowBid + core.Price(step)*tick
	m.size = m.sizes[m.n%len(m.sizes)]
	m.n++
	m.id++
}

// slot is the number of a best bid within the range, -1 if it is none.
func slot(p core.Price) int {
	i := (p - lowBid) / tick
	if p < lowBid || i >= bidRange || (p-lowBid)%tick != 0 {
		return -1
	}
	return int(i)
}

// AppendTouch moves the best bid and appends the bookTicker that tells it.
func (m *Market) AppendTouch(dst []byte) []byte {
	m.next()
	dst = append(dst, `{"stream":"`+lower+`@bookTicker","data":{"u":`...)
	dst = strconv.AppendUint(dst, m.id, 10)
	dst = append(dst, `,"s":"`+Symbol+`","b":"`...)
	dst = core.AppendDecimal8(dst, int64(m.bid))
	dst = append(dst, `","B":"`...)
	dst = append(dst, m.size[0]...)
	dst = append(dst, `","a":"`...)
	dst = core.AppendDecimal8(dst, int64(askPrice))
	dst = append(dst, `","A":"`...)
	dst = append(dst, m.size[1]...)
	return append(dst, `"}}`...)
}

// AppendDepth appends the depth event of all since the one before: the top as the
// newest touch told it, and some far levels.
func (m *Market) AppendDepth(dst []byte, unixMs int64) []byte {
	dst = append(dst, `{"stream":"`+lower+`@depth@100ms","data":{"e":"depthUpdate","E":`...)
	dst = strconv.AppendInt(dst, unixMs, 10)
	dst = append(dst, `,"s":"`+Symbol+`","U":`...)
	dst = strconv.AppendUint(dst, m.told+1, 10)
	dst = append(dst, `,"u":`...)
	dst = strconv.AppendUint(dst, m.id, 10)
	dst = append(dst, `,"b":[`...)
	if m.resting != m.bid {
		dst = appendLevel(dst, m.resting, []byte("0.00000000"))
		dst = append(dst, ',')
	}
	dst = appendLevel(dst, m.bid, m.size[0])
	from := m.turn * farChange % farLevels
	for i := from; i < from+farChange; i++ {
		m.qty[0][i] ^= 1 << 20
		dst = append(dst, ',')
		dst = m.appendFar(dst, 0, i)
	}
	dst = append(dst, `],"a":[`...)
	dst = appendLevel(dst, askPrice, m.size[1])
	for i := from; i < from+farChange; i++ {
		m.qty[1][i] ^= 1 << 20
		dst = append(dst, ',')
		dst = m.appendFar(dst, 1, i)
	}
	m.turn++
	m.settle()
	return append(dst, `]}}`...)
}

// settle notes that depth has told everything.
func (m *Market) settle() { m.told, m.resting = m.id, m.bid }

// Owes reports whether touches have been made that depth has not told yet.
func (m *Market) Owes() bool { return m.told < m.id }

// AppendSnapshot appends the body of a depth snapshot: the book as the last depth
// event left it. The caller makes sure that nothing is owed.
func (m *Market) AppendSnapshot(dst []byte) []byte {
	dst = append(dst, `{"lastUpdateId":`...)
	dst = strconv.AppendUint(dst, m.told, 10)
	for side, name := range [2]string{`,"bids":[`, `,"asks":[`} {
		dst = append(dst, name...)
		best := m.resting
		if side == 1 {
			best = askPrice
		}
		dst = appendLevel(dst, best, m.size[side])
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
