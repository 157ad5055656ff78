package binance

import (
	"fmt"
	"io"
	"time"

	"github.com/valyala/fastjson"

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
	Rungs       int           // orders signed ahead per instrument and side, 0 to 7; odd is best
}

// Codec is Binance Spot's REST dialect for the hot path. It implements exec.Codec.
// One goroutine, the gateway's loop.
type Codec struct {
	instruments *core.Instruments
	ids         *exec.IDs
	frame       *frame
	window      time.Duration
	half        time.Duration
	books       []*instrumentForms // by instrument, nil where not traded
	active      []*ladder
	turn        int
	ping        []byte
	parser      fastjson.Parser

	Stats CodecStats
}

var _ exec.Codec = (*Codec)(nil)

// CodecStats count how orders were made.
type CodecStats struct {
	Hits, Misses  uint64 // orders that were, were not signed ahead
	Signed        uint64 // rungs signed
	UnknownAssets uint64 // commissions in assets that are not in the table
}

// instrumentForms are one instrument's templates and ladders.
type instrumentForms struct {
	orders  [2][kinds]template
	cancel  template
	ladders [2]ladder
}

// NewCodec lays out the templates.
func NewCodec(cfg Config) (*Codec, error) {
	if cfg.Instruments == nil || cfg.IDs == nil || cfg.Key == nil {
		return nil, fmt.Errorf("cannot make a codec: instruments, ids or key are missing")
	}
	if cfg.RecvWindow == 0 {
		cfg.RecvWindow = 5 * time.Second
	}
	if cfg.Rungs < 0 || cfg.Rungs > len(ladderOffsets) {
		return nil, fmt.Errorf("cannot make a codec: found %d rungs, want 0 to %d", cfg.Rungs, len(ladderOffsets))
	}
	f, err := newFrame(cfg.URL, cfg.Key, cfg.RecvWindow)
	if err != nil {
		return nil, err
	}
	c := &Codec{instruments: cfg.Instruments, ids: cfg.IDs, frame: f, window: cfg.RecvWindow, half: cfg.RecvWindow / 2}
	c.ping = append([]byte("GET /api/v3/ping"), f.plain...)
	c.books = make([]*instrumentForms, len(cfg.Instruments.List))
	if cfg.Traded == nil {
		for i := range cfg.Instruments.List {
			cfg.Traded = append(cfg.Traded, core.InstrumentID(i))
		}
	}
	for _, id := range cfg.Traded {
		if int(id) >= len(c.books) {
			return nil, fmt.Errorf("cannot make a codec: found instrument %d, want one of %d", id, len(c.books))
		}
		c.books[id] = c.newForms(cfg.Instruments.Get(id), cfg.Rungs)
	}
	return c, nil
}

func (c *Codec) newForms(in *core.Instrument, rungs int) *instrumentForms {
	b := &instrumentForms{cancel: c.frame.cancel(in.Symbol)}
	for side := range b.orders {
		longest := 0
		for k := range b.orders[side] {
			b.orders[side][k] = c.frame.order(in.Symbol, core.Side(side), k, c.ids.Head())
			longest = max(longest, cap(b.orders[side][k].buf))
		}
		l := &b.ladders[side]
		l.tick = in.Filters.Tick
		l.rungs = make([]rung, rungs)
		for i := range l.rungs {
			l.rungs[i].buf = make([]byte, 0, longest)
		}
	}
	return b
}

// Place hands out a request signed ahead, or lays out and signs one.
func (c *Codec) Place(in *core.Intent, now core.WallNs, r *exec.Request) exec.EncodeError {
	if int(in.Instrument) >= len(c.books) || c.books[in.Instrument] == nil {
		return exec.EncodeInstrument
	}
	kind, ok := kindOf(in)
	if !ok {
		return exec.EncodeType
	}
	if in.Qty <= 0 || (kind != kindMarket && in.Price <= 0) || in.Side > core.Sell {
		return exec.EncodeNumber
	}
	b := c.books[in.Instrument]
	t, l := &b.orders[in.Side][kind], &b.ladders[in.Side]
	price := in.Price
	if t.market {
		price = 0
	}
	if l.t == nil && len(l.rungs) > 0 {
		c.active = append(c.active, l)
	}
	if g := l.find(t, price, in.Qty, now, c.half); g != nil {
		c.Stats.Hits++
		r.Bytes, r.Seq, r.Stamp, r.Presigned = g.buf, g.seq, g.stamp, true
		// The bytes stay until the next Idle signs this rung anew, under a new id.
		g.ready, g.seq = false, 0
	} else {
		c.Stats.Misses++
		r.Seq, r.Stamp, r.Presigned = c.ids.Next(), now, false
		t.buf = c.frame.fillOrder(t, t.buf, r.Seq, now, price, in.Qty)
		r.Bytes = t.buf
	}
	l.used(t, price, in.Qty)
	r.Window = c.window
	r.Client = c.ids.ID(r.Seq)
	return exec.EncodeOK
}

// Cancel lays out a cancel, by the venue's id if it is known.
func (c *Codec) Cancel(o *exec.Order, now core.WallNs, r *exec.Request) exec.EncodeError {
	if int(o.Instrument) >= len(c.books) || c.books[o.Instrument] == nil {
		return exec.EncodeInstrument
	}
	t := &c.books[o.Instrument].cancel
	t.buf = c.frame.fillCancel(t, now, o)
	r.Bytes, r.Seq, r.Client, r.Stamp, r.Window, r.Presigned = t.buf, o.Seq, o.Client, now, c.window, false
	return exec.EncodeOK
}

// Probe is GET /api/v3/ping, weight 1.
func (c *Codec) Probe(r *exec.Request) { *r = exec.Request{Bytes: c.ping} }

// Hint moves the ladders of an instrument to its touch: buys around the bid, sells
// around the ask. A side that is 0 stays where it is.
func (c *Codec) Hint(id core.InstrumentID, bid, ask core.Price) {
	if int(id) >= len(c.books) || c.books[id] == nil {
		return
	}
	l := &c.books[id].ladders
	l[core.Buy].hint(bid)
	l[core.Sell].hint(ask)
}

// Idle signs one rung ahead, if one is due.
func (c *Codec) Idle(now core.WallNs) int {
	for range c.active {
		if c.turn++; c.turn >= len(c.active) {
			c.turn = 0
		}
		if c.refresh(c.active[c.turn], now) {
			return 1
		}
	}
	return 0
}

// Format writes a mark for every verb: the layouts hold the API key.
func (c *Codec) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "binance.Codec") }

// Format writes a mark for every verb.
func (w *WSSigner) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "binance.WSSigner") }
