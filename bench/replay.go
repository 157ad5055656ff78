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
	event   core.Event // too large for its queue
	spare   []core.Level

	Sum     uint64 // over all tops, so that none goes unused
	Events  int    // taken by books
	Foreign int    // frames that were no event
	Past    int    // of them, those too large for their queue
	Lost    int    // events that showed a gap or could not be read
}

// replayBatch is how many frames are decoded before their events are served: what a
// session does in a step.
const replayBatch = 32

// Sizes are what each instrument's queue and book are built with.
type Sizes struct {
	Events, Levels, PerEvent int // of the queue, see ring.NewQueue
	Window                   int // of the book, see book.New
}

// What the default configuration gives each of a few symbols, and each of 400.
var (
	SizesOfFew  = Sizes{1 << 13, 1 << 14, 1 << 12, 0}
	SizesOfMany = Sizes{1 << 8, 1 << 9, 1 << 9, 1 << 11}
)

// NewReplay builds the books and queues of all instruments of the corpus.
func NewReplay(c *Corpus, size Sizes) (*Replay, error) {
	d, err := c.Decoder()
	if err != nil {
		return nil, err
	}
	r := &Replay{corpus: c, decoder: d}
	for i := range c.Table.List {
		r.queues = append(r.queues, ring.NewQueue(size.Events, size.Levels, size.PerEvent))
		r.syncs = append(r.syncs, book.NewSync(c.Table.Get(core.InstrumentID(i)), size.Window, 0))
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
	r.Sum, r.Events, r.Foreign, r.Past, r.Lost = 0, 0, 0, 0, 0
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
	res := r.into(f, route)
	if res == binance.Full {
		// A session would drop it and the book be fetched anew; here nobody else
		// empties the queue, and an event larger than all of it goes past it.
		r.serve(route.Instrument)
		if res = r.into(f, route); res == binance.Full {
			r.past(f, route)
			return
		}
	}
	switch res {
	case binance.Decoded:
		r.served = append(r.served, route.Instrument)
	case binance.Ignored:
		r.Foreign++
	default:
		r.Lost++
	}
}

// past gives an event to its book without the queue, which is empty.
func (r *Replay) past(f []byte, route binance.Route) {
	if r.spare == nil {
		r.spare = make([]core.Level, 0, LevelsMax)
	}
	n, res := r.decoder.DecodeRouted(f, route, &r.event, r.spare)
	if res != binance.Decoded || r.queues[route.Instrument].Len() != 0 || !r.take(route.Instrument, &r.event, r.spare[:n]) {
		r.Lost++
	}
	r.Past++
}

// into decodes a frame into its queue; Full if there is no room.
func (r *Replay) into(f []byte, route binance.Route) binance.Result {
	q := r.queues[route.Instrument]
	ev, lv := q.Claim()
	if ev == nil {
		return binance.Full
	}
	n, res := r.decoder.DecodeRouted(f, route, ev, lv)
	if res == binance.Decoded {
		q.Publish(n)
	}
	return res
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
	q := r.queues[id]
	for ev, lv := q.Peek(); ev != nil && r.take(id, ev, lv); ev, lv = q.Peek() {
		q.Pop()
	}
}

// take gives one event to its book; false if it has to wait.
func (r *Replay) take(id core.InstrumentID, ev *core.Event, lv []core.Level) bool {
	s := r.syncs[id]
	switch ev.Kind {
	case core.DepthDelta:
		switch s.Delta(ev, lv) {
		case book.Wait:
			return false
		case book.Gap:
			r.Lost++
			return false
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
	return true
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
