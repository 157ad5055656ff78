package book

import (
	"math/bits"
	"sort"

	"riposte/core"
)

// twin is the book as one would write it first: a map per side, sorted when
// asked. It is the truth that the ladder is held against.
type twin struct {
	id    uint64
	sides [2]map[core.Price]core.Qty
}

func newTwin() *twin {
	return &twin{sides: [2]map[core.Price]core.Qty{{}, {}}}
}

func (w *twin) load(im *Image) {
	*w = *newTwin()
	w.id = im.LastID
	for s, lv := range [2][]core.Level{im.Bids, im.Asks} {
		for _, l := range lv {
			w.sides[s][l.Price] = l.Qty
		}
	}
}

func (w *twin) set(s core.Side, p core.Price, q core.Qty) (absent bool) {
	_, had := w.sides[s][p]
	if q > 0 {
		w.sides[s][p] = q
		return false
	}
	delete(w.sides[s], p)
	return !had
}

func (w *twin) apply(id uint64, bids, asks []core.Level) (absent int) {
	w.id = id
	for s, lv := range [2][]core.Level{bids, asks} {
		for _, l := range lv {
			if w.set(core.Side(s), l.Price, l.Qty) {
				absent++
			}
		}
	}
	return absent
}

func (w *twin) levels(s core.Side) []core.Level {
	out := make([]core.Level, 0, len(w.sides[s]))
	for p, q := range w.sides[s] {
		out = append(out, core.Level{Price: p, Qty: q})
	}
	sort.Slice(out, func(i, j int) bool {
		if s == core.Buy {
			return out[i].Price > out[j].Price
		}
		return out[i].Price < out[j].Price
	})
	return out
}

func (w *twin) top() core.Top {
	t := core.Top{ID: w.id}
	for p, q := range w.sides[core.Buy] {
		if p > t.Bid {
			t.Bid, t.BidQty = p, q
		}
	}
	for p, q := range w.sides[core.Sell] {
		if t.Ask == 0 || p < t.Ask {
			t.Ask, t.AskQty = p, q
		}
	}
	return t
}

func (w *twin) canonical() (out []byte) {
	for s, letter := range []string{"b ", "a "} {
		for _, l := range w.levels(core.Side(s)) {
			out = append(out, letter+l.Price.String()+" "+l.Qty.String()+"\n"...)
		}
	}
	return out
}

func (w *twin) image() *Image {
	return &Image{LastID: w.id, Bids: w.levels(core.Buy), Asks: w.levels(core.Sell)}
}

// cost adds up in the plainest way; quantities in tests are small enough for the
// sum of products to be held exactly in two words.
func (w *twin) cost(side core.Side, qty core.Qty, edge core.Price) (core.Notional, core.Price, core.Qty) {
	var hi, lo, c uint64
	var worst core.Price
	var filled core.Qty
	for _, l := range w.levels(side.Opposite()) {
		if filled == qty || side == core.Buy && l.Price > edge || side == core.Sell && l.Price < edge {
			break
		}
		take := min(l.Qty, qty-filled)
		h, m := bits.Mul64(uint64(l.Price), uint64(take))
		lo, c = bits.Add64(lo, m, 0)
		hi, _ = bits.Add64(hi, h, c)
		worst, filled = l.Price, filled+take
	}
	return core.Notional{Hi: hi, Lo: lo}, worst, filled
}
