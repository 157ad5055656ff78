package binance

import (
	"fmt"
	"io"
	"time"

	"riposte/core"
	"riposte/exec"
)

// Config of a Codec.
type Config struct {
	Instruments *core.Instruments
	Traded      []core.InstrumentID // which get templates; nil is all
	URL         string              // base address of the REST service
	Key         *Key
	IDs         *exec.IDs
	RecvWindow  time.Duration // default 5 s, at most 60 s
	Rungs       int           // orders signed ahead per instrument, side and type, 0 to RungsMax
}

// Codec is Binance Spot's REST dialect for the hot path. It implements exec.Codec.
// One goroutine, the gateway's loop.
type Codec struct {
	answers
	ids     *exec.IDs
	frame   *frame
	window  time.Duration
	half    time.Duration
	books   []*forms // by instrument, nil where not traded
	active  []*ladder
	busy    []*ladder   // those with something to do, the last one first
	idle    core.WallNs // when Idle was last called
	fresh   core.WallNs // nothing signed ahead will have aged before
	first   sheet
	spelled []byte // memory of orders in longhand
	wiped   bool
	ping    []byte

	Stats CodecStats
}

var _ exec.Codec = (*Codec)(nil)

// CodecStats count how orders were made.
type CodecStats struct {
	Hits, Misses uint64 // orders that were, were not signed ahead
	Signed       uint64 // rungs signed
}

// forms are one instrument's templates and ladders.
type forms struct {
	orders [2][kinds]ladder
	other  [2]template // for orders in longhand
	after  [2]template // for those that take the place of another
	cancel template
	amend  template
	touch  touch
	active []*ladder
}

// NewCodec lays out the templates.
func NewCodec(cfg Config) (*Codec, error) {
	if cfg.Instruments == nil || cfg.IDs == nil || cfg.Key == nil {
		return nil, fmt.Errorf("cannot make a codec: instruments, ids or key are missing")
	}
	if cfg.RecvWindow == 0 {
		cfg.RecvWindow = 5 * time.Second
	}
	if cfg.Rungs < 0 || cfg.Rungs > RungsMax {
		return nil, fmt.Errorf("cannot make a codec: found %d rungs, want 0 to %d", cfg.Rungs, RungsMax)
	}
	f, err := newFrame(cfg.URL, cfg.Key, cfg.RecvWindow)
	if err != nil {
		return nil, err
	}
	c := &Codec{answers: answers{instruments: cfg.Instruments}, ids: cfg.IDs, frame: f, window: cfg.RecvWindow, half: cfg.RecvWindow / 2}
	c.ping = append([]byte("GET /api/v3/ping"), f.plain...)
	c.books = make([]*forms, len(cfg.Instruments.List))
	if cfg.Traded == nil {
		for i := range cfg.Instruments.List {
			cfg.Traded = append(cfg.Traded, core.InstrumentID(i))
		}
	}
	longest, spelled := 0, 0
	for _, id := range cfg.Traded {
		if int(id) >= len(c.books) {
			return nil, fmt.Errorf("cannot make a codec: found instrument %d, want one of %d", id, len(c.books))
		}
		c.books[id] = c.newForms(cfg.Instruments.Get(id), cfg.Rungs)
		for side := range c.books[id].orders {
			spelled = max(spelled, c.books[id].other[side].room, c.books[id].after[side].room, c.books[id].amend.room)
			for k := range c.books[id].orders[side] {
				longest = max(longest, c.books[id].orders[side][k].room)
			}
		}
	}
	c.first.buf = make([]byte, longest)
	c.spelled = make([]byte, 0, spelled)
	n := 2 * kinds * len(cfg.Traded)
	c.active, c.busy = make([]*ladder, 0, n), make([]*ladder, 0, n)
	return c, nil
}

func (c *Codec) newForms(in *core.Instrument, rungs int) *forms {
	b := &forms{cancel: c.frame.cancel(in.Symbol), amend: c.frame.amend(in.Symbol), active: make([]*ladder, 0, 2*kinds)}
	for side := range b.orders {
		b.other[side] = c.frame.longhand("POST /api/v3/order?", "", in.Symbol, core.Side(side), c.ids.Head())
		b.after[side] = c.frame.replace(in.Symbol, core.Side(side), c.ids.Head())
		for k := range b.orders[side] {
			l := &b.orders[side][k]
			l.template = c.frame.order(in.Symbol, core.Side(side), k, c.ids.Head())
			l.side, l.tick, l.book = core.Side(side), in.Filters.Tick, b
			l.size = rungs
			if l.market {
				l.size = min(rungs, 1) // a MARKET order has no price to guess
			}
		}
	}
	return b
}

// Place hands out a request signed ahead, or lays out and signs one.
//
// Its timestamp is the moment of the decision, so that the window runs out with the
// order's life however long it waited for a wire; what was signed ahead dies sooner.
func (c *Codec) Place(in *core.Intent, born, now core.WallNs, r *exec.Request) exec.EncodeError {
	if int(in.Instrument) >= len(c.books) || c.books[in.Instrument] == nil {
		return exec.EncodeInstrument
	}
	kind, ok := kindOf(in)
	if !ok {
		return c.longhand(&c.books[in.Instrument].other[in.Side&1], in, nil, born, now, r)
	}
	if in.Qty <= 0 || (kind != kindMarket && in.Price <= 0) || in.Side > core.Sell {
		return exec.EncodeNumber
	}
	if now-born >= core.WallNs(c.window) {
		return exec.EncodeLate
	}
	if c.wiped {
		return exec.EncodeNoKey
	}
	l := &c.books[in.Instrument].orders[in.Side][kind]
	price := in.Price
	if l.market {
		price = anyPrice
	}
	var s *sheet
	if i, ok := l.find(price, in.Qty, born, now, c.half); ok {
		c.Stats.Hits++
		g := &l.rungs[i]
		l.prices[i] = 0
		s, r.Stamp, r.Presigned = &g.sheet, g.stamp, true
	} else {
		c.Stats.Misses++
		if s = &l.spare; s.t == nil {
			s = c.borrow(l)
		}
		if !s.fits(in.Qty, born) {
			c.reserve(s)
			c.frame.draft(s, c.ids, in.Qty, born)
		}
		c.frame.finish(s, price, born)
		r.Stamp, r.Presigned = born, false
	}
	// The bytes stay until the sheet is drafted anew, under another id.
	r.Bytes, r.Seq, r.Client, r.Window = s.buf, s.seq, s.client, c.window
	s.seq = 0
	l.ordered(price, in.Qty)
	c.awake(l)
	return exec.EncodeOK
}

// borrow is a sheet for the first order of a kind, before Idle has given it one of its
// own: most templates are never used, and memory is not taken on the way to an order.
func (c *Codec) borrow(l *ladder) *sheet {
	c.first.t = &l.template
	c.first.qty = 0
	copy(c.first.buf[:len(l.buf)], l.buf)
	return &c.first
}

// awake has Idle look at l.
func (c *Codec) awake(l *ladder) {
	if l.busy {
		return
	}
	l.busy = true
	if !l.known {
		l.known = true
		c.active = append(c.active, l)
		l.book.active = append(l.book.active, l)
	}
	c.busy = append(c.busy, l)
}

// Cancel lays out a cancel, by the venue's id if it is known.
func (c *Codec) Cancel(o *exec.Order, now core.WallNs, r *exec.Request) exec.EncodeError {
	if int(o.Instrument) >= len(c.books) || c.books[o.Instrument] == nil {
		return exec.EncodeInstrument
	}
	if c.wiped {
		return exec.EncodeNoKey
	}
	r.Bytes = c.frame.fillCancel(&c.books[o.Instrument].cancel, now, o)
	r.Seq, r.Client, r.Stamp, r.Window, r.Presigned = o.Seq, o.Client, now, c.window, false
	return exec.EncodeOK
}

// Probe is GET /api/v3/ping, weight 1.
func (c *Codec) Probe(r *exec.Request) { *r = exec.Request{Bytes: c.ping} }

// Hint says where an instrument's market is, each side's touch and the levels behind
// it: its ladders follow. A side that is empty stays where it was.
func (c *Codec) Hint(id core.InstrumentID, bids, asks []core.Level) {
	if int(id) >= len(c.books) || c.books[id] == nil {
		return
	}
	b := c.books[id]
	moved := b.touch.move(core.Buy, bids)
	if !b.touch.move(core.Sell, asks) && !moved {
		return
	}
	for _, l := range b.active {
		l.stale = true
		c.awake(l)
	}
}

func (t *touch) move(side core.Side, lv []core.Level) (moved bool) {
	if len(lv) == 0 {
		return false
	}
	for i := range t[side] {
		p := core.Price(0)
		if i < len(lv) {
			p = lv[i].Price
		}
		if t[side][i] != p {
			t[side][i], moved = p, true
		}
	}
	return moved
}

// Idle does one piece of signing ahead, if any is due: it drafts an order, signs one,
// or decides what is to be signed.
func (c *Codec) Idle(now core.WallNs) int {
	if len(c.busy) == 0 && now < c.fresh && now >= c.idle {
		return 0
	}
	return c.work(now)
}

func (c *Codec) work(now core.WallNs) int {
	if c.wiped {
		return 0
	}
	if now >= c.fresh || now < c.idle-core.WallNs(500*time.Millisecond) {
		// Something has aged, or the venue's clock was set back behind what is signed.
		back := now < c.idle
		c.fresh = now + core.WallNs(c.half)
		for _, l := range c.active {
			if now >= l.fresh || back {
				l.stale = true
				c.awake(l)
			} else {
				c.fresh = min(c.fresh, l.fresh)
			}
		}
	}
	c.idle = now
	for len(c.busy) > 0 {
		l := c.busy[len(c.busy)-1]
		if c.step(l, now) {
			return 1
		}
		l.busy = false
		c.busy = c.busy[:len(c.busy)-1]
		c.fresh = min(c.fresh, l.fresh)
	}
	return 0
}

// Wipe overwrites what is derived from the key: hash states, the API key in all
// layouts, requests signed ahead. Afterwards nothing can be placed or cancelled.
func (c *Codec) Wipe() {
	c.wiped = true
	c.frame.wipe()
	c.first.wipe()
	clear(c.spelled[:cap(c.spelled)])
	for _, b := range c.books {
		if b == nil {
			continue
		}
		b.cancel.wipe()
		b.amend.wipe()
		for side := range b.orders {
			b.other[side].wipe()
			b.after[side].wipe()
			for k := range b.orders[side] {
				b.orders[side][k].wipe()
			}
		}
	}
}

// Format writes a mark for every verb: the layouts hold the API key.
func (c *Codec) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "binance.Codec") }

// Format writes a mark for every verb.
func (w *WSSigner) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "binance.WSSigner") }
