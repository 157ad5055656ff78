package bench

import (
	"fmt"

	"riposte/core"
	"riposte/core/book"
	"riposte/feed/binance"
)

// LevelsMax is more levels than any recorded frame has.
const LevelsMax = 1 << 13

// Bucket is a kind of frame to be timed by itself: events of Kind with that many
// levels.
type Bucket struct {
	Name     string
	Kind     core.EventKind
	Min, Max int
}

// Buckets are those of the benchmarks.
var Buckets = []Bucket{
	{"bookTicker", core.Touch, 0, 0},
	{"trade", core.Trade, 0, 0},
	{"depth5", core.DepthDelta, 4, 6},
	{"depth20", core.DepthDelta, 18, 22},
	{"depth100", core.DepthDelta, 90, 110},
}

// bucketMost bounds a bucket, so that its frames stay in the second-level cache as
// those of a live socket do.
const bucketMost = 256

// AllFrames is every frame, in order.
func (c *Corpus) AllFrames() [][]byte {
	out := make([][]byte, 0, c.Frames)
	for i := range c.Lines {
		if f := c.Lines[i].Frame; f != nil {
			out = append(out, f)
		}
	}
	return out
}

// Pick is the frames of a bucket, spread over the corpus.
func (c *Corpus) Pick(k Bucket) ([][]byte, error) {
	d, err := c.Decoder()
	if err != nil {
		return nil, err
	}
	lv := make([]core.Level, 0, LevelsMax)
	var ev core.Event
	var out [][]byte
	for _, f := range c.AllFrames() {
		if n, res := d.Decode(f, &ev, lv); res == binance.Decoded && ev.Kind == k.Kind && n >= k.Min && n <= k.Max {
			out = append(out, f)
		}
	}
	if step := len(out) / bucketMost; step > 1 {
		for i := range bucketMost {
			out[i] = out[i*step]
		}
		out = out[:bucketMost]
	}
	return out, nil
}

// Decoder is a fresh decoder of the corpus' symbols.
func (c *Corpus) Decoder() (*binance.Decoder, error) {
	syms, err := binance.NewSymbols(c.Table)
	if err != nil {
		return nil, err
	}
	return binance.NewDecoder(syms, core.Milliseconds, binance.Raw{Instrument: core.NoInstrument}), nil
}

// Events is a corpus decoded, the input of every stage behind the decoder: by event
// its levels, and the snapshot that came just before it, nil mostly.
type Events struct {
	Events []core.Event
	Levels [][]core.Level
	Images []*book.Image
	Total  int // levels of depth events
}

// Events decodes the whole corpus. Frames of streams that riposte does not follow are
// left out.
func (c *Corpus) Events() (*Events, error) {
	dec, err := c.Decoder()
	if err != nil {
		return nil, err
	}
	d := new(Events)
	lv := make([]core.Level, 0, LevelsMax)
	var image *book.Image
	for i := range c.Lines {
		l := &c.Lines[i]
		if l.Image != nil {
			image = l.Image
			continue
		}
		var ev core.Event
		n, res := dec.Decode(l.Frame, &ev, lv)
		if res == binance.Ignored {
			continue
		}
		if res != binance.Decoded {
			return nil, fmt.Errorf("cannot decode the corpus: frame %.80q is %v", l.Frame, res)
		}
		ev.Recv = core.MonoNs(i + 1)
		d.Events = append(d.Events, ev)
		d.Levels = append(d.Levels, append([]core.Level(nil), lv[:n]...))
		d.Images = append(d.Images, image)
		image = nil
		if ev.Kind == core.DepthDelta {
			d.Total += n
		}
	}
	return d, nil
}

// InOrder lists the depth events and touches by index, and each snapshot, as -1-i of
// the event it came before, moved ahead of those that waited for it: the order in
// which a book takes them.
func (d *Events) InOrder() (out []int) {
	held := map[core.InstrumentID][]int{}
	loaded := map[core.InstrumentID]bool{}
	for i := range d.Events {
		if im := d.Images[i]; im != nil {
			out = append(append(out, -1-i), held[im.Instrument]...)
			loaded[im.Instrument] = true
		}
		ev := &d.Events[i]
		switch {
		case ev.Kind != core.DepthDelta && ev.Kind != core.Touch:
		case !loaded[ev.Instrument]:
			held[ev.Instrument] = append(held[ev.Instrument], i)
		default:
			out = append(out, i)
		}
	}
	return out
}
