package bench

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"

	"riposte/core"
	"riposte/core/book"
	"riposte/core/ring"
	"riposte/feed/binance"
)

// Replay takes a corpus at full speed through decoder, queues, recovery and books to
// the tops, without a strategy: what a recording can be read at. One goroutine.
type Replay struct {
	corpus  *Corpus
	decoder *binance.Decoder
	queues  []*ring.Queue
	syncs   []*book.Sync
	served  []core.InstrumentID // with events in their queue
	tops    []hash.Hash         // by instrument; nil leaves the hashing out
	text    []byte

	Sum     uint64 // over all tops, so that none goes unused
	Events  int    // taken by books
	Foreign int    // frames that were no event
	Lost    int    // events that found their queue full, or a gap
}

// replayBatch is how many frames are decoded before their events are served: what a
// session does in a step.
const replayBatch = 32

// QueueSize is a queue as the engine builds it by default.
type QueueSize struct{ Events, Levels, PerEvent int }

// DefaultQueue are the figures of the default configuration.
var DefaultQueue = QueueSize{1 << 13, 1 << 16, 1 << 14}

// NewReplay builds the books and queues of all instruments of the corpus.
func NewReplay(c *Corpus, size QueueSize) (*Replay, error) {
	d, err := c.Decoder()
	if err != nil {
		return nil, err
	}
	r := &Replay{corpus: c, decoder: d}
	for i := range c.Table.List {
		r.queues = append(r.queues, ring.NewQueue(size.Events, size.Levels, size.PerEvent))
		r.syncs = append(r.syncs, book.NewSync(c.Table.Get(core.InstrumentID(i)), 0, 0))
	}
	return r, nil
}

// HashTops makes Pass hash the top after every applied event, as reference results
// do; it costs more than all else.
func (r *Replay) HashTops() {
	r.tops = make([]hash.Hash, len(r.syncs))
	for i := range r.tops {
		r.tops[i] = sha256.New()
	}
}

// Pass takes the whole corpus through, from lost lines to the last frame.
func (r *Replay) Pass() {
	r.Run(r.Start())
}

// Start cuts all lines and takes the snapshots that the corpus begins with; it returns
// how many lines those were.
func (r *Replay) Start() (lines int) {
	r.Sum, r.Events, r.Foreign, r.Lost = 0, 0, 0, 0
	for i := range r.syncs {
		r.syncs[i].LineDown()
		if r.tops != nil {
			r.tops[i].Reset()
		}
	}
	for im := r.corpus.Lines[lines].Image; im != nil; im = r.corpus.Lines[lines].Image {
		r.syncs[im.Instrument].Snapshot(im)
		lines++
	}
	return lines
}

// Run takes through what follows the first lines.
func (r *Replay) Run(from int) {
	n := 0
	for i := from; i < len(r.corpus.Lines); i++ {
		l := &r.corpus.Lines[i]
		if l.Image != nil {
			r.serveAll()
			r.syncs[l.Image.Instrument].Snapshot(l.Image)
			r.serve(l.Image.Instrument)
			continue
		}
		r.frame(l.Frame)
		if n++; n%replayBatch == 0 {
			r.serveAll()
		}
	}
	r.serveAll()
}

// frame decodes one frame into its queue.
func (r *Replay) frame(f []byte) {
	route := r.decoder.Route(f)
	if route.Instrument == core.NoInstrument {
		r.Foreign++
		return
	}
	q := r.queues[route.Instrument]
	ev, lv := q.Claim()
	if ev == nil {
		r.Lost++
		return
	}
	n, res := r.decoder.DecodeRouted(f, route, ev, lv)
	switch res {
	case binance.Decoded:
		q.Publish(n)
		r.served = append(r.served, route.Instrument)
	case binance.Ignored:
		r.Foreign++
	default:
		r.Lost++
	}
}

func (r *Replay) serveAll() {
	for _, id := range r.served {
		r.serve(id)
	}
	r.served = r.served[:0]
}

// serve gives an instrument's events to its book, up to one that waits for a
// snapshot.
func (r *Replay) serve(id core.InstrumentID) {
	q, s := r.queues[id], r.syncs[id]
	for ev, lv := q.Peek(); ev != nil; ev, lv = q.Peek() {
		switch ev.Kind {
		case core.DepthDelta:
			switch s.Delta(ev, lv) {
			case book.Wait:
				return
			case book.Gap:
				r.Lost++
				return
			case book.Applied:
				if r.tops != nil {
					r.hash(id, s)
				}
			}
		case core.Touch:
			s.Touch(ev)
		}
		top := s.Top()
		r.Sum = r.Sum*31 + uint64(top.Bid) ^ uint64(top.Ask)
		r.Events++
		q.Pop()
	}
}

func (r *Replay) hash(id core.InstrumentID, s *book.Sync) {
	if b, live := s.Live(); live {
		r.text = book.AppendCanonicalTop(r.text[:0], b.Top())
		r.tops[id].Write(r.text)
	}
}

// Check compares every book with what it must be, and its tops if they were hashed.
func (r *Replay) Check() error {
	if r.Lost != 0 || r.Foreign != r.corpus.Foreign || r.Events != r.corpus.Frames-r.corpus.Foreign {
		return fmt.Errorf("got %d events, %d foreign frames, %d lost, want %d, %d and 0",
			r.Events, r.Foreign, r.Lost, r.corpus.Frames-r.corpus.Foreign, r.corpus.Foreign)
	}
	for i := range r.corpus.Table.List {
		name := r.corpus.Table.List[i].Symbol
		w, ok := r.corpus.Want[name]
		if !ok {
			return fmt.Errorf("book of %s: there is no reference for it", name)
		}
		if err := CheckBook(r.syncs[i], w); err != nil {
			return fmt.Errorf("book of %s: %w", name, err)
		}
		if r.tops == nil {
			continue
		}
		if got := hex.EncodeToString(r.tops[i].Sum(nil)); w.Tops != "" && got != w.Tops {
			return fmt.Errorf("tops of %s hash to %s, want %s", name, got, w.Tops)
		}
	}
	return nil
}
