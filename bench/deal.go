package bench

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"riposte/core"
	"riposte/core/book"
	"riposte/feed/binance"
)

// Deal is a corpus of one symbol dealt over n, each of which lives another stretch of
// it: frames of its own name, and in front of them a snapshot of the book as it was
// there, at most depth levels a side. Interleaved, the symbols come in an order drawn from a seed, which
// is harder on caches than a market, where a symbol's frames come in runs; else one
// symbol after the other with the very same frames. stretch is frames per symbol;
// stretches overlap where the corpus is too short. Spot only: a futures book cannot be
// joined between two events.
func Deal(c *Corpus, n, stretch, depth int, interleaved bool) (*Corpus, error) {
	if len(c.Table.List) != 1 || c.Market != core.Spot || n < 1 || n > 1000 || stretch < 1 || depth < 1 {
		return nil, fmt.Errorf("cannot deal %s: got %d symbols to be dealt over %d at %d frames and %d levels each, want 1 of spot, at most 1000 and at least 1",
			c.Name, len(c.Table.List), n, stretch, depth)
	}
	cuts, err := c.cuts(n, stretch, depth)
	if err != nil {
		return nil, fmt.Errorf("cannot deal %s: %w", c.Name, err)
	}
	old := c.Table.Get(0)
	out := &Corpus{Name: fmt.Sprintf("%s over %d", c.Name, n), Recorded: c.Recorded, Market: c.Market,
		Table: core.NewInstruments(), Want: map[string]Want{}}
	b := &builder{c: out}
	for i := range cuts {
		in := *old
		// As long as the old name, so that frames keep their lengths.
		in.Symbol = fmt.Sprintf("%0*d%s", len(old.Symbol)-4, i, old.Symbol[len(old.Symbol)-4:])
		if _, err := out.Table.Add(in); err != nil {
			return nil, err
		}
		out.Want[in.Symbol] = cuts[i].want
	}
	for id := range out.Table.List {
		im := *cuts[id].image
		im.Instrument = core.InstrumentID(id)
		out.Lines = append(out.Lines, Line{Image: &im})
	}
	next := make([]int, n)
	r := rand.New(rand.NewPCG(1, uint64(n)))
	left := make([]int, n)
	for i := range left {
		left[i] = i
	}
	for len(left) > 0 {
		at := 0
		if interleaved {
			at = r.IntN(len(left))
		}
		id := left[at]
		b.rename(cuts[id].frames[next[id]], old.Symbol, out.Table.List[id].Symbol)
		if next[id]++; next[id] == len(cuts[id].frames) {
			left = append(left[:at], left[at+1:]...)
		}
	}
	return out, b.done()
}

// rename takes a frame over with another symbol in it.
func (b *builder) rename(frame []byte, old, name string) {
	from := len(b.arena)
	b.arena = append(b.arena, frame...)
	f := b.arena[from:]
	replace(f, `"stream":"`, strings.ToLower(old), strings.ToLower(name))
	replace(f, `"s":"`, old, name)
	b.ends = append(b.ends, len(b.arena))
	b.c.Lines = append(b.c.Lines, Line{})
	b.c.Frames++
	b.c.Bytes += len(frame)
}

// replace puts now where old stands behind lead, everywhere; both are as long.
func replace(f []byte, lead, old, now string) {
	for {
		i := bytes.Index(f, []byte(lead+old))
		if i < 0 {
			return
		}
		f = f[i+len(lead):]
		copy(f, now)
	}
}

// cut is one stretch of a corpus: the book before it, its frames, the book after it.
type cut struct {
	image  *book.Image
	frames [][]byte
	want   Want
}

// cuts finds n stretches of a single book's corpus, spread evenly over what follows
// the snapshot.
func (c *Corpus) cuts(n, stretch, depth int) ([]cut, error) {
	d, err := c.Decoder()
	if err != nil {
		return nil, err
	}
	s := book.NewSync(c.Table.Get(0), 0, 0)
	w := &walker{decoder: d, sync: s, lv: make([]core.Level, 0, LevelsMax)}
	var frames [][]byte // that the live book has taken, in order
	var held [][]byte
	for i := range c.Lines {
		l := &c.Lines[i]
		switch {
		case l.Image != nil:
			if s.Snapshot(l.Image) != book.Applied {
				return nil, fmt.Errorf("snapshot %d is of no use", l.Image.LastID)
			}
			for _, f := range held {
				if err := w.take(f); err != nil {
					return nil, err
				}
			}
			held = nil
		case s.Status().Loaded:
			frames = append(frames, l.Frame)
		default:
			held = append(held, l.Frame)
		}
	}
	last := len(frames) - stretch
	if last < 0 {
		return nil, fmt.Errorf("got %d frames after its snapshot, want at least %d", len(frames), stretch)
	}
	out := make([]cut, n)
	starts := map[int][]int{} // by position
	for k := range out {
		at := k * last / n
		out[k].frames = frames[at : at+stretch]
		starts[at] = append(starts[at], k)
	}
	for i := 0; i <= len(frames); i++ {
		b, live := s.Live()
		if !live && len(starts[i]) > 0 {
			return nil, fmt.Errorf("book is %v after %d frames, want live", s.State(), i)
		}
		for _, k := range starts[i] {
			out[k].image = top(b, depth)
		}
		if i < len(frames) {
			if err := w.take(frames[i]); err != nil {
				return nil, err
			}
		}
	}
	for k := range out {
		if out[k].want, err = w.after(&out[k]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// walker follows one book frame by frame.
type walker struct {
	decoder *binance.Decoder
	sync    *book.Sync
	event   core.Event
	lv      []core.Level
}

// decode gives a frame's levels; nil if it is not of depth.
func (w *walker) decode(f []byte) (*core.Event, []core.Level, error) {
	n, res := w.decoder.Decode(f, &w.event, w.lv)
	if res != binance.Decoded && res != binance.Ignored {
		return nil, nil, fmt.Errorf("frame %.80q is %v", f, res)
	}
	if res == binance.Ignored || w.event.Kind != core.DepthDelta {
		return nil, nil, nil
	}
	return &w.event, w.lv[:n], nil
}

func (w *walker) take(f []byte) error {
	ev, lv, err := w.decode(f)
	if ev == nil {
		return err
	}
	if v := w.sync.Delta(ev, lv); v != book.Applied && v != book.Dropped {
		return fmt.Errorf("event %d is %v, want applied", ev.ID, v)
	}
	return nil
}

// after is what a book must be at the end of a stretch, by maps.
func (w *walker) after(c *cut) (Want, error) {
	sides := [2]map[core.Price]core.Qty{{}, {}}
	for s, lv := range [2][]core.Level{c.image.Bids, c.image.Asks} {
		for _, l := range lv {
			sides[s][l.Price] = l.Qty
		}
	}
	id := c.image.LastID
	for _, f := range c.frames {
		ev, lv, err := w.decode(f)
		if err != nil {
			return Want{}, err
		}
		if ev == nil {
			continue
		}
		id = ev.ID
		for i, l := range lv {
			side := sides[0]
			if i >= int(ev.Bids) {
				side = sides[1]
			}
			if side[l.Price] = l.Qty; l.Qty == 0 {
				delete(side, l.Price)
			}
		}
	}
	h := sha256.New()
	for s, letter := range [2]string{"b", "a"} {
		prices := slices.Sorted(maps.Keys(sides[s]))
		if s == 0 {
			slices.Reverse(prices)
		}
		for _, p := range prices {
			fmt.Fprintf(h, "%s %v %v\n", letter, p, sides[s][p])
		}
	}
	return Want{LastU: id, Final: hex.EncodeToString(h.Sum(nil))}, nil
}

// top is a book as a snapshot with that many levels a side would tell it.
func top(b *book.Book, depth int) *book.Image {
	return &book.Image{LastID: b.ID(), Limit: depth, Bids: b.Levels(core.Buy, make([]core.Level, 0, min(depth, b.Len(core.Buy)))),
		Asks: b.Levels(core.Sell, make([]core.Level, 0, min(depth, b.Len(core.Sell))))}
}
