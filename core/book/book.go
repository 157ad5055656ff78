package book

import (
	"math"

	"riposte/core"
)

// Book is one instrument's ladder. It is a plain value holder: what may go into
// it and when it may be read is Sync's business. One goroutine, the engine shard
// of the instrument; it allocates only while it grows.
type Book struct {
	id    uint64
	sides [2]ladder
	edge  [2]core.Price // outermost price known, per side
	far   [2]int64      // its key, noKey where the side is known whole
	told  core.Price    // tick the instrument has, 0 if it has none
	tick  core.Price    // tick the windows have
	slots int           // most slots a window may have
	bad   uint64
}

// DefaultWindow is how many ticks per side are indexed at most where New is
// given no other figure: 512 KB per side where a market is as scattered as spot
// BTCUSDT (19 of 20 updates find a slot), a few KB where it is dense, because a
// window grows only as far as the levels call for. Per level set and both bests
// read, BTCUSDT of 2024-08-08: 13.5 ns with 1<<14, 10.3 with 1<<15, 9.6 with 1<<16.
const DefaultWindow = 1 << 16

// wholeBid and wholeAsk are the trusted prices of a side that is known whole.
// Each is at the same time what nothing of the other side satisfies.
const (
	wholeBid core.Price = 0
	wholeAsk core.Price = math.MaxInt64
)

// New makes an empty book. tick is the instrument's; 0 means that it has none
// yet, and one is derived from the prices seen. window is how many ticks per
// side may be indexed, rounded up to a power of two, 0 for DefaultWindow; levels
// beyond it are kept too, at some more cost.
func New(tick core.Price, window int) *Book {
	if window <= 0 {
		window = DefaultWindow
	}
	b := &Book{told: max(tick, 0), tick: max(tick, 0), slots: slotsMin}
	for b.slots < min(window, slotsMax) {
		b.slots *= 2
	}
	for s := range b.sides {
		b.sides[s].side = core.Side(s)
		b.sides[s].shape(slotsMin, b.tick)
	}
	b.Reset()
	return b
}

// Reset empties the book. Nothing of it can be trusted until a Load.
func (b *Book) Reset() {
	b.id = 0
	b.sides[core.Buy].reset()
	b.sides[core.Sell].reset()
	b.edge = [2]core.Price{core.Buy: wholeAsk, core.Sell: wholeBid}
	b.far = [2]int64{noKey, noKey}
}

// Load replaces everything by the image. It does not check it; see Image.Check.
func (b *Book) Load(im *Image) {
	b.Reset()
	b.id = im.LastID
	b.tick = tickFor(b.told, im)
	for s, lv := range [2][]core.Level{im.Bids, im.Asks} {
		l := &b.sides[s]
		l.shape(max(len(l.qty), b.slotsFor(lv)), b.tick)
		if len(lv) > 0 {
			l.best = keyOf(core.Side(s), lv[0].Price)
			if l.placeable() {
				l.start(l.wanted())
			}
			l.setBest(noKey, 0)
		}
		b.apply(core.Side(s), lv)
		l.ops, l.outside, l.offGrid = 0, 0, 0
	}
	b.edge[core.Buy], b.edge[core.Sell] = im.edges()
	for s, lv := range [2][]core.Level{im.Bids, im.Asks} {
		if n := len(lv); n > 0 && b.edge[s] == lv[n-1].Price {
			b.far[s] = keyOf(core.Side(s), lv[n-1].Price)
		}
	}
}

// Apply sets every level of one event, bids and asks in any order, and moves the
// book to update id. A level's quantity is absolute; one of 0 removes the level.
// It returns how many removals found no level, which is normal. The top means
// something only after the whole event.
func (b *Book) Apply(id uint64, bids, asks []core.Level) (absent int) {
	absent = b.apply(core.Buy, bids) + b.apply(core.Sell, asks)
	b.id = id
	b.settle(core.Buy)
	b.settle(core.Sell)
	return absent
}

// Set is Apply for a single level, without an update id. It reports whether it
// removed a level that was not there.
func (b *Book) Set(side core.Side, price core.Price, qty core.Qty) (absent bool) {
	if !isPrice(price) {
		b.bad++
		return false
	}
	l := &b.sides[side&1]
	n := l.set(price, qty)
	if !l.calm() {
		b.adjust(l, side)
	}
	return n != 0
}

func (b *Book) apply(side core.Side, lv []core.Level) (absent int) {
	absent, bad := b.sides[side&1].apply(lv)
	b.bad += uint64(bad)
	return absent
}

// isPrice is false for 0, which is no level, for what is negative, and for the
// highest int64, whose key marks an empty side.
func isPrice(p core.Price) bool { return uint64(p)-1 < math.MaxInt64-1 }

// settle lets the window follow the best, and now and then asks whether it has
// the right size and tick. Nearly always there is nothing to do.
func (b *Book) settle(side core.Side) {
	if l := &b.sides[side&1]; !l.calm() {
		b.adjust(l, side)
	}
}

func (b *Book) adjust(l *ladder, side core.Side) {
	l.follow()
	if l.ops >= tuneEvery {
		b.tune(side)
	}
}

// SetTick tells the book that the instrument's tick changed.
func (b *Book) SetTick(tick core.Price) {
	b.told = max(tick, 0)
	b.retick(b.told)
}

// ID is the update id the book stands at, 0 before the first Load.
func (b *Book) ID() uint64 { return b.id }

// Top is the best bid and ask with the update id they stand at; a side without
// levels has price and quantity 0.
func (b *Book) Top() core.Top {
	t := core.Top{ID: b.id}
	if l := &b.sides[core.Buy]; l.best != noKey {
		t.Bid, t.BidQty = core.Price(-l.best), l.bestQty
	}
	if l := &b.sides[core.Sell]; l.best != noKey {
		t.Ask, t.AskQty = core.Price(l.best), l.bestQty
	}
	return t
}

// best is the prices of Top.
func (b *Book) best() (bid, ask core.Price) {
	if k := b.sides[core.Buy].best; k != noKey {
		bid = core.Price(-k)
	}
	if k := b.sides[core.Sell].best; k != noKey {
		ask = core.Price(k)
	}
	return bid, ask
}

// Best is the best level of a side, zero if it has none.
func (b *Book) Best(side core.Side) core.Level {
	l := &b.sides[side]
	if l.best == noKey {
		return core.Level{}
	}
	return core.Level{Price: core.Price(keyOf(side, l.best)), Qty: l.bestQty}
}

// Crossed reports whether the best bid is at or above the best ask, which no
// true book is between events.
func (b *Book) Crossed() bool {
	bid, ask := b.sides[core.Buy].best, b.sides[core.Sell].best
	return bid != noKey && ask != noKey && -bid >= ask
}

// Blind reports whether the best level of a side, or the place where one should be,
// lies beyond the depth that the last snapshot told: levels before it may be missing.
// Of recorded books this is true of one, USD-M BTCUSDT minutes after a snapshot of
// 1000 levels.
func (b *Book) Blind() bool {
	return b.sides[core.Buy].best > b.far[core.Buy] || b.sides[core.Sell].best > b.far[core.Sell]
}

// Len is how many levels a side has.
func (b *Book) Len(side core.Side) int { return b.sides[side].len() }

// Refused is how many levels were ignored because their price was not one.
func (b *Book) Refused() uint64 { return b.bad }

// Trusted is the outermost price of a side up to which the book is complete:
// where the last snapshot ended. Beyond it the book holds only what has changed
// since, so absence there means nothing. It is 0 (bids) or the largest price
// (asks) if the whole side is known, and the reverse if nothing is.
func (b *Book) Trusted(side core.Side) core.Price { return b.edge[side] }

// Whole reports whether a side is known to its end.
func (b *Book) Whole(side core.Side) bool {
	return b.edge[side&1] == [2]core.Price{core.Buy: wholeBid, core.Sell: wholeAsk}[side&1]
}

// Bytes is about how much memory the book takes.
func (b *Book) Bytes() int {
	n := 0
	for s := range b.sides {
		l := &b.sides[s]
		n += 8*len(l.qty) + 8*len(l.occ) + 16*len(l.far.tab) + 8*(cap(l.far.order)+cap(l.far.added)+cap(l.far.scratch))
	}
	return n
}
