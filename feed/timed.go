package feed

import "riposte/core"

// Candles, tickers and averages have no ids of their own. Their order is that of the
// times they tell, and one that tells nothing later is a copy.

// candlesMost is how many kinds of candle of one instrument are told apart; the venue
// has sixteen lengths.
const candlesMost = 20

// candles is how far each kind of candle of an instrument has been published.
type candles struct {
	list [candlesMost]candleMark
	n    int
}

type candleMark struct {
	length, phase int64 // ns: which candles these are
	open          int64
	trades        int64
	last          uint64
	closed        bool
	before        int64 // the candle before, and whether its end has been published
	ended         bool
}

const (
	day   = int64(24 * 60 * 60 * 1e9)
	month = 27 * day // months have several lengths
)

// admitTimed is admit for kinds without ids.
func (a *arbiter) admitTimed(s *Session, st *stream, ev *core.Event) fate {
	m := &a.marks[ev.Instrument][ev.Kind]
	var isNew bool
	switch ev.Kind {
	case core.Kline:
		c := a.candles[ev.Instrument]
		isNew = c == nil || c.admit(ev)
	case core.AvgPrice:
		// W[2] is the venue's time, where it tells one.
		isNew = later(m, uint64(max(ev.W[1], ev.W[2])))
	default:
		isNew = later(m, uint64(ev.W[0]))
	}
	c := &a.lines[s.slot]
	if isNew {
		c.first++
		m.at, m.copies = ev.Recv, 0
		return fresh
	}
	c.copies++
	if m.copies++; m.copies >= copiesMax && ev.Recv-m.at > copiesFor {
		*m = mark{}
		a.candles[ev.Instrument].reset()
		a.restarts++
	}
	return late
}

func later(m *mark, at uint64) bool {
	if at < m.next {
		return false
	}
	m.next = at + 1
	return true
}

func (c *candles) admit(ev *core.Event) bool {
	open, closed := ev.W[0], ev.Flags&core.FlagClosed != 0
	length := ev.W[1] - open
	if length >= month {
		length = month
	}
	phase := open % min(max(length+1, 1), day) // candles of another time zone begin elsewhere
	for i := range c.list[:c.n] {
		m := &c.list[i]
		if m.length != length || m.phase != phase {
			continue
		}
		switch {
		case open > m.open:
			m.before, m.ended = m.open, m.closed
		case open == m.before && closed && !m.ended:
			m.ended = true // one line had missed it, the other brings it late
			return true
		case open < m.open || m.closed || !closed && ev.W[2] <= m.trades && ev.ID <= m.last:
			return false
		}
		m.open, m.trades, m.last, m.closed = open, ev.W[2], ev.ID, closed
		return true
	}
	if c.n == len(c.list) {
		c.n = 0 // more than there are: begin again
	}
	c.list[c.n] = candleMark{length: length, phase: phase, open: open, trades: ev.W[2], last: ev.ID, closed: closed, ended: true}
	c.n++
	return true
}

func (c *candles) reset() {
	if c != nil {
		c.n = 0
	}
}
