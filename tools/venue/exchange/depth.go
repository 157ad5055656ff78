package exchange

import "slices"

// change is one level change before its quantity is looked up.
type change struct {
	price Fixed
	side  Side
}

// DepthCursor collects the levels that changed since its last flush. One cursor
// feeds one stream speed of one symbol. It belongs to its Exchange's goroutine.
type DepthCursor struct {
	in      *instrument
	from    int64 // update id of the last flush
	pending []change
	bids    []Level
	asks    []Level
}

// pendingMax bounds a cursor nobody flushes; beyond it the list is compacted,
// and it can then only be as long as the prices that ever changed.
const pendingMax = 1 << 16

// past is one entry of the book history: what the level was before the change.
type past struct {
	price Fixed
	qty   Fixed
	side  Side
}

// touched numbers one level change: the update id rises by exactly one, and all
// who follow the book hear of the level (checklist item 21 of the venue page).
// It is called after the level was changed; before is its quantity until then.
func (in *instrument) touched(side Side, price, before, after Fixed) {
	in.updateID++
	for _, c := range in.cursors {
		if len(c.pending) >= pendingMax {
			c.compact()
		}
		c.pending = append(c.pending, change{price, side})
	}
	if n := int64(len(in.history)); n > 0 {
		in.history[in.updateID%n] = past{price, before, side}
	}
	if in.x.log.on() {
		in.x.log.level(in, side, price, after)
	}
}

// NewDepthCursor starts following a symbol's book: the first diff begins with
// the update id after the current one.
func (x *Exchange) NewDepthCursor(symbol string) (*DepthCursor, *Reject) {
	in := x.byName[symbol]
	if in == nil {
		return nil, rejectSymbol()
	}
	c := &DepthCursor{in: in, from: in.updateID}
	in.cursors = append(in.cursors, c)
	return c, nil
}

// CloseDepthCursor stops following; the cursor must not be flushed again.
func (x *Exchange) CloseDepthCursor(c *DepthCursor) {
	if i := slices.Index(c.in.cursors, c); i >= 0 {
		c.in.cursors = slices.Delete(c.in.cursors, i, i+1)
	}
}

// FlushDepth returns the levels changed since the cursor's last flush, false if
// there are none. First is one more than Last of the diff before.
func (x *Exchange) FlushDepth(c *DepthCursor) (DepthDiff, bool) {
	in := c.in
	if in.updateID == c.from {
		return DepthDiff{}, false
	}
	d := DepthDiff{Symbol: in.sym.Name, First: c.from + 1, Last: in.updateID}
	c.compact()
	c.bids, c.asks = c.bids[:0], c.asks[:0]
	for _, p := range c.pending {
		var qty Fixed
		if l := in.book(p.side).find(p.price); l != nil {
			qty = l.total()
		}
		if p.side == Buy {
			c.bids = append(c.bids, Level{p.price, qty})
		} else {
			c.asks = append(c.asks, Level{p.price, qty})
		}
	}
	c.pending, c.from = c.pending[:0], in.updateID
	d.Bids, d.Asks = c.bids, c.asks
	return d, true
}

// WidenDepth is a diff that was flushed just now, beginning up to n update ids earlier:
// the levels that changed there are in it too, with the quantities they have now. It
// begins where the book history does if that is shorter.
func (x *Exchange) WidenDepth(d *DepthDiff, n int64) DepthDiff {
	in := x.byName[d.Symbol]
	first := max(d.First-n, in.firstID+1, in.updateID-int64(len(in.history))+1)
	if first >= d.First {
		return *d
	}
	wide := DepthCursor{in: in, from: first - 1}
	for id := first; id <= in.updateID; id++ {
		p := in.history[id%int64(len(in.history))]
		wide.pending = append(wide.pending, change{p.price, p.side})
	}
	w, _ := x.FlushDepth(&wide)
	return w
}

// compact sorts the pending changes, bids best first before asks best first,
// and keeps each level once.
func (c *DepthCursor) compact() {
	slices.SortFunc(c.pending, func(a, b change) int {
		switch {
		case a.side != b.side:
			return int(a.side) - int(b.side)
		case a.price == b.price:
			return 0
		case (a.price > b.price) == (a.side == Buy):
			return -1
		}
		return 1
	})
	c.pending = slices.Compact(c.pending)
}

// Depth is the book best first, at most limit levels a side (all if limit is
// 0), and the update id of exactly this state.
func (x *Exchange) Depth(symbol string, limit int) (lastUpdateID int64, bids, asks []Level, rej *Reject) {
	in := x.byName[symbol]
	if in == nil {
		return 0, nil, nil, rejectSymbol()
	}
	return in.updateID, in.bids.append(nil, limit), in.asks.append(nil, limit), nil
}

// AppendDepth is Depth into slices of the caller. An unknown symbol has no levels.
func (x *Exchange) AppendDepth(symbol string, limit int, bids, asks []Level) (lastUpdateID int64, b, a []Level) {
	in := x.byName[symbol]
	if in == nil {
		return 0, bids, asks
	}
	return in.updateID, in.bids.append(bids, limit), in.asks.append(asks, limit)
}

func (b *book) append(dst []Level, limit int) []Level {
	n := 0
	b.walk(func(l *level) bool {
		if limit > 0 && n == limit {
			return false
		}
		n++
		dst = append(dst, Level{l.price, l.total()})
		return true
	})
	return dst
}

// BookTicker is the current best bid and ask.
func (x *Exchange) BookTicker(symbol string) (Top, bool) {
	in := x.byName[symbol]
	if in == nil {
		return Top{}, false
	}
	return in.currentTop(x.now), true
}

func (in *instrument) currentTop(now Micros) Top {
	t := Top{Symbol: in.sym.Name, UpdateID: in.updateID, Time: now}
	if l := in.bids.best; l != nil {
		t.Bid = Level{l.price, l.total()}
	}
	if l := in.asks.best; l != nil {
		t.Ask = Level{l.price, l.total()}
	}
	return t
}

// BookAt is the whole book as it was at an update id, best first. It is false
// for an id of the future or older than Config.BookHistory level changes. An id
// inside a transaction gives the state inside it, which no stream ever showed.
func (x *Exchange) BookAt(symbol string, updateID int64) (bids, asks []Level, ok bool) {
	in := x.byName[symbol]
	if in == nil || updateID > in.updateID || in.updateID-updateID > int64(len(in.history)) || updateID < in.firstID {
		return nil, nil, false
	}
	// Undoing newest to oldest leaves for each level the quantity before the
	// oldest change after updateID.
	undo := make(map[change]Fixed)
	for id := in.updateID; id > updateID; id-- {
		p := in.history[id%int64(len(in.history))]
		undo[change{p.price, p.side}] = p.qty
	}
	return in.bids.undone(undo), in.asks.undone(undo), true
}

// undone is the side with the quantities of undo in place of the current ones.
func (b *book) undone(undo map[change]Fixed) []Level {
	out := make([]Level, 0, b.levels()+8)
	b.walk(func(l *level) bool {
		key := change{l.price, b.side}
		qty, changed := undo[key]
		if !changed {
			qty = l.total()
		}
		delete(undo, key)
		if qty != 0 {
			out = append(out, Level{l.price, qty})
		}
		return true
	})
	n := len(out)
	for key, qty := range undo { // levels that are gone now
		if key.side == b.side && qty != 0 {
			out = append(out, Level{key.price, qty})
		}
	}
	if len(out) > n {
		slices.SortFunc(out, func(p, q Level) int {
			if p.Price == q.Price {
				return 0
			}
			if b.better(p.Price, q.Price) {
				return -1
			}
			return 1
		})
	}
	return out
}
