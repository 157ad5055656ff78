package tape

import (
	"bufio"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"

	"riposte/tools/venue/exchange"
	"riposte/tools/venue/wire"
)

// Options say what recording Write makes.
type Options struct {
	Seed     uint64
	Start    exchange.Micros   // default 2024-08-08 23:54:15 UTC
	Duration exchange.Micros   // default 60 s
	Symbols  []exchange.Symbol // default BTCUSDT of the built-in table
	Params   map[string]exchange.AgentParams
	Interval exchange.Interval // of the kline stream, default 1m
}

const (
	defaultStart    exchange.Micros = 1_723_161_255_000_000
	millisecond     exchange.Micros = 1000
	second          exchange.Micros = 1_000_000
	depthStep                       = 100 * millisecond
	klineStep                       = 2 * second
	snapshotLimit                   = 5000
	snapshotAt                      = 250 * millisecond // taken by the venue
	snapshotLatency                 = 180 * millisecond // until the client has it
	wireLatency                     = 2500              // of every frame, µs
)

// Write writes a recording of a market of agents: one connection with trade,
// aggTrade, bookTicker, depth@100ms and kline streams of every symbol, and a
// snapshot each that arrives after newer depth events, as on the venue. The same
// options give the same bytes. The snapshot holds the whole book, so Expected
// comes from the exchange's true book.
func Write(w io.Writer, o Options) (*Expected, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	z := gzip.NewWriter(w)
	t := &writer{out: bufio.NewWriterSize(z, 1<<16), sum: sha256.New(), opt: o, lanes: map[string]*channel{}, r: rand.New(rand.NewPCG(o.Seed, 0x7a9e))}
	t.exp = &Expected{Market: "spot", Messages: map[string]map[string]int{}, Books: map[string]*ExpectedBook{}}
	x, err := exchange.New(exchange.Config{
		Seed: o.Seed, Start: o.Start, Symbols: o.Symbols,
		Market: exchange.Agents(exchange.AgentOptions{Params: o.Params}), BookHistory: 1 << 15,
	}, t)
	if err != nil {
		return nil, fmt.Errorf("cannot write recording: %w", err)
	}
	t.x = x
	if err := t.run(); err != nil {
		return nil, fmt.Errorf("cannot write recording: %w", err)
	}
	if err := t.out.Flush(); err != nil {
		return nil, fmt.Errorf("cannot write recording: %w", err)
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("cannot write recording: %w", err)
	}
	return t.exp, nil
}

func (o *Options) complete() (err error) {
	if o.Start == 0 {
		o.Start = defaultStart
	}
	if o.Duration == 0 {
		o.Duration = 60 * second
	}
	if o.Duration < second {
		return fmt.Errorf("cannot write recording: got a duration of %d µs, want at least a second", o.Duration)
	}
	if len(o.Symbols) == 0 {
		o.Symbols, err = exchange.BuiltinSymbols("BTCUSDT")
	}
	if o.Interval == 0 {
		o.Interval = exchange.Interval1m
	}
	return err
}

// writer is the sink of the exchange and prints what one client would receive.
type writer struct {
	exchange.Discard
	x     *exchange.Exchange
	out   *bufio.Writer
	sum   hash.Hash
	opt   Options
	exp   *Expected
	r     *rand.Rand
	lanes map[string]*channel
	order []*channel
	buf   []byte
	stamp int64 // last receive time
	err   error
}

// channel is what the connection has of one symbol.
type channel struct {
	symbol, lower string
	cursor        *exchange.DepthCursor
	nextDepth     exchange.Micros
	nextKline     exchange.Micros
	snapTaken     exchange.Micros
	snapArrives   exchange.Micros
	snapBody      []byte
	snapID        int64
	lastTrade     int64
	klineTrade    int64
	lastTop       exchange.Top
	exp           *ExpectedBook
}

func (t *writer) run() error {
	for i, s := range t.opt.Symbols {
		c := &channel{symbol: s.Name, lower: strings.ToLower(s.Name), exp: &ExpectedBook{bbo: sha256.New()}}
		var rej *exchange.Reject
		if c.cursor, rej = t.x.NewDepthCursor(s.Name); rej != nil {
			return rej
		}
		c.lastTop, _ = t.x.BookTicker(s.Name)
		c.nextDepth = t.opt.Start + t.r.Int64N(depthStep)
		c.nextKline = t.opt.Start + t.r.Int64N(klineStep)
		c.snapTaken = t.opt.Start + snapshotAt + exchange.Micros(i)*40*millisecond
		c.snapArrives = c.snapTaken + snapshotLatency
		t.lanes[s.Name] = c
		t.order = append(t.order, c)
		t.exp.Messages[s.Name] = map[string]int{}
		t.exp.Books[s.Name] = c.exp
	}
	end := t.opt.Start + t.opt.Duration
	for now := t.opt.Start; now < end && t.err == nil; now += millisecond {
		t.x.Advance(now)
		for _, c := range t.order {
			t.tick(c, now)
		}
	}
	for _, c := range t.order {
		if err := t.finish(c); err != nil && t.err == nil {
			t.err = err
		}
	}
	t.exp.Payloads = hex.EncodeToString(t.sum.Sum(nil))
	return t.err
}

// tick sends what is due for a symbol. The streams tick to the millisecond.
func (t *writer) tick(c *channel, now exchange.Micros) {
	if now >= c.nextDepth {
		c.nextDepth += depthStep + millisecond*(t.r.Int64N(3)-1)
		if t.r.IntN(100) == 0 {
			c.nextDepth += depthStep // the venue skips a beat now and then
		}
		t.depth(c, now)
	}
	if now >= c.nextKline {
		c.nextKline += klineStep
		t.kline(c, now)
	}
	if c.snapBody == nil && now >= c.snapTaken {
		id, bids, asks, _ := t.x.Depth(c.symbol, 0)
		if len(bids) > snapshotLimit || len(asks) > snapshotLimit {
			t.err = fmt.Errorf("the book of %s has %d bids and %d asks, want at most %d to fit a snapshot", c.symbol, len(bids), len(asks), snapshotLimit)
			return
		}
		c.snapID, c.snapBody = id, wire.AppendDepth([]byte{}, id, bids, asks)
		c.exp.Snapshot = id
	}
	if c.snapArrives != 0 && now >= c.snapArrives {
		c.snapArrives = 0
		t.exp.Rest++
		t.line(now, "rest:/api/v3/depth?symbol="+c.symbol+"&limit="+strconv.Itoa(snapshotLimit), c.snapBody)
	}
}

func (t *writer) depth(c *channel, now exchange.Micros) {
	d, ok := t.x.FlushDepth(c.cursor)
	if !ok {
		return
	}
	t.open(c, "@depth@100ms")
	t.buf = wire.AppendDepthUpdate(t.buf, &d, now, wire.Milli)
	t.frame(c, "depthUpdate", now)
	e := c.exp
	e.Frames++
	if c.snapBody == nil || d.Last <= c.snapID {
		e.Dropped++
		return
	}
	if e.Applied == 0 {
		e.FirstUu = [2]int64{d.First, d.Last}
	}
	e.Applied++
	e.LastU = d.Last
	top, _ := t.x.BookTicker(c.symbol)
	e.addTop(d.Last, top.Bid, top.Ask)
	if top.Bid == c.lastTop.Bid && top.Ask == c.lastTop.Ask {
		e.Ticker.Match++
	} else {
		e.Ticker.Differ++
	}
	e.BestBid, e.BestAsk = plain(top.Bid), plain(top.Ask)
}

// finish asks the exchange for the book as it was at the last event sent.
func (t *writer) finish(c *channel) error {
	e := c.exp
	e.BBOSHA256 = hex.EncodeToString(e.bbo.Sum(nil))
	if e.Applied == 0 {
		return nil
	}
	bids, asks, ok := t.x.BookAt(c.symbol, e.LastU)
	if !ok {
		return fmt.Errorf("the book of %s at update id %d is no longer known", c.symbol, e.LastU)
	}
	e.BidLevels, e.AskLevels, e.FinalSHA256 = len(bids), len(asks), BookHash(bids, asks)
	return nil
}

func (t *writer) kline(c *channel, now exchange.Micros) {
	if c.klineTrade == c.lastTrade {
		return
	}
	c.klineTrade = c.lastTrade
	k, ok := t.x.CurrentKline(c.symbol, t.opt.Interval, 0)
	if !ok {
		return
	}
	t.open(c, "@kline_"+t.opt.Interval.String())
	t.buf = wire.AppendKline(t.buf, &k, now, wire.Milli)
	t.frame(c, "kline", now)
}

// Trade prints a trade frame.
func (t *writer) Trade(e *exchange.Trade) {
	c := t.lanes[e.Symbol]
	c.lastTrade = e.ID
	t.open(c, "@trade")
	t.buf = wire.AppendTrade(t.buf, e, e.Time, wire.Milli)
	t.frame(c, "trade", e.Time)
}

// AggTrade prints an aggTrade frame.
func (t *writer) AggTrade(e *exchange.AggTrade) {
	c := t.lanes[e.Symbol]
	t.open(c, "@aggTrade")
	t.buf = wire.AppendAggTrade(t.buf, e, e.Time, wire.Milli)
	t.frame(c, "aggTrade", e.Time)
}

// Top prints a bookTicker frame.
func (t *writer) Top(e *exchange.Top) {
	c := t.lanes[e.Symbol]
	c.lastTop = *e
	t.open(c, "@bookTicker")
	t.buf = wire.AppendBookTicker(t.buf, e)
	t.frame(c, "bookTicker", e.Time)
}

func (t *writer) open(c *channel, stream string) {
	t.buf = wire.OpenCombined(t.buf[:0], c.lower+stream)
}

// frame ends a combined frame and writes its line.
func (t *writer) frame(c *channel, kind string, now exchange.Micros) {
	t.buf = wire.CloseCombined(t.buf)
	t.exp.Frames++
	t.exp.Bytes += len(t.buf)
	t.exp.Messages[c.symbol][kind]++
	t.sum.Write(t.buf)
	t.sum.Write([]byte{'\n'})
	t.line(now, "ws", t.buf)
}

// line writes one line, later than the one before by at least 400 ns.
func (t *writer) line(now exchange.Micros, kind string, payload []byte) {
	t.stamp = max(t.stamp+400, (now+wireLatency)*1000)
	var head [32]byte
	for _, b := range [...][]byte{strconv.AppendInt(head[:0], t.stamp, 10), []byte("\t"), []byte(kind), []byte("\t"), payload, []byte("\n")} {
		if _, err := t.out.Write(b); err != nil && t.err == nil {
			t.err = err
		}
	}
}
