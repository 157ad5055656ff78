package peers

import (
	"testing"

	"riposte/bench"
	"riposte/core"
	"riposte/core/book"
	"riposte/core/ring"
	"riposte/feed/binance"
)

// wholeSum is what everyone makes of a recording: the best prices after each depth
// event that was applied, in order, and everything of touches and trades, in any.
type wholeSum struct{ tops, flow uint64 }

func (s *wholeSum) top(bid, ask core.Level) { s.tops = bestSum(s.tops, bid, ask) }
func (s *wholeSum) value() uint64           { return s.tops*3 ^ s.flow }

// riposteWhole is decoder, queue, recovery state machine and book as the inline loop
// has them.
type riposteWhole struct {
	c     *bench.Corpus
	dec   *binance.Decoder
	queue []*ring.Queue
	sync  []*book.Sync
	sum   wholeSum
}

func newRiposteWhole(c *bench.Corpus) *riposteWhole {
	dec, err := c.Decoder()
	must(err)
	r := &riposteWhole{c: c, dec: dec}
	for i := range c.Table.List {
		r.queue = append(r.queue, ring.NewQueue(1<<12, 1<<16, bench.LevelsMax))
		r.sync = append(r.sync, book.NewSync(&c.Table.List[i], 0, 0))
	}
	return r
}

func (r *riposteWhole) pass() uint64 {
	r.sum = wholeSum{}
	for _, s := range r.sync {
		s.LineDown()
	}
	for i := range r.c.Lines {
		l := &r.c.Lines[i]
		if im := l.Image; im != nil {
			if r.sync[im.Instrument].Snapshot(im) != book.Applied {
				panic("riposte: the snapshot is not taken")
			}
			r.drain(im.Instrument)
			continue
		}
		route := r.dec.Route(l.Frame)
		if route.Instrument == core.NoInstrument {
			continue
		}
		ev, lv := r.queue[route.Instrument].Claim()
		n, res := r.dec.DecodeRouted(l.Frame, route, ev, lv)
		if res != binance.Decoded {
			continue
		}
		ev.Recv = core.MonoNs(i + 1)
		r.queue[route.Instrument].Publish(n)
		r.drain(route.Instrument)
	}
	return r.sum.value()
}

// drain takes what waits in an instrument's queue.
func (r *riposteWhole) drain(id core.InstrumentID) {
	q, s := r.queue[id], r.sync[id]
	for ev, lv := q.Peek(); ev != nil; ev, lv = q.Peek() {
		switch ev.Kind {
		case core.DepthDelta:
			switch s.Delta(ev, lv) {
			case book.Applied:
				b, live := s.Live()
				if !live {
					panic("riposte: the book is not live after an event that was applied")
				}
				r.sum.top(b.Best(core.Buy), b.Best(core.Sell))
			case book.Wait:
				return // until the snapshot is there
			case book.Dropped:
			default:
				panic("riposte: the recording has a gap")
			}
		case core.Touch:
			s.Touch(ev)
			r.sum.flow += eventSum(ev, nil)
		case core.Trade:
			r.sum.flow += eventSum(ev, nil)
		}
		q.Pop()
	}
}

func wholeMatches(tb testing.TB) (out []match) {
	for _, name := range []string{bench.Spot, bench.Linear} {
		c, err := bench.Load(name)
		if err != nil {
			tb.Logf("left out: %v", err)
			continue
		}
		m := match{name: name, items: c.Frames, bytes: c.Bytes, list: []contender{{name: ours, pass: newRiposteWhole(c).pass}}}
		for _, k := range stacks {
			m.list = append(m.list, contender{name: k.name, pass: newStack(c, k.read(), k.sides).pass})
		}
		out = append(out, m)
	}
	return out
}

func TestWholeRecordingsAgree(t *testing.T) { allAgree(t, wholeMatches(t)) }

// BenchmarkWhole is whole recordings at full speed, per frame: decode, hand over,
// prove that nothing is missing, keep the book, read the top.
func BenchmarkWhole(b *testing.B) {
	for _, m := range wholeMatches(b) {
		contest(b, m)
	}
}
