package trail

import (
	"time"

	"riposte/core"
	"riposte/core/bar"
)

// Config is what is followed of an instrument.
type Config struct {
	Trades, Aggs bool           // which streams there are; trades make the bars if both are
	Klines       []bar.Interval // of which there are kline streams
	Bars         []bar.Interval // to be made of trades
	Keep         int            // complete bars of each interval; 0: 500
	Waiting      int            // bars that may wait for a hole; 0: 256
	FillMax      uint64         // most ids missing at once that are asked for; 0: 20000
	Asks         bool           // holes can be asked for
	History      int            // bars of each interval to begin with; needs Asks
}

const (
	// outOfOrder is how long after an instant on the venue's clock a trade of before it
	// may still be on its way on a line that is alive: streams of one connection are
	// not in step with each other.
	outOfOrder = core.WallNs(2 * time.Second)
	// tailAfter is how long a line that came back is waited for to show by a trade what
	// it missed, before the venue is asked.
	tailAfter = core.MonoNs(time.Second)
	// askAgain is how long an unanswered question stands before the next one.
	askAgain = core.MonoNs(60 * time.Second)
	// askPause is how long after an answered hole the next one waits: a page costs the
	// same for one trade as for a thousand.
	askPause   = core.MonoNs(time.Second)
	retryFirst = core.MonoNs(200 * time.Millisecond)
	retryMost  = core.MonoNs(5 * time.Second)
	triesMax   = 12
)

// Trail is one instrument's. One goroutine, the shard's.
type Trail struct {
	id       core.InstrumentID
	cfg      Config
	trades   chain
	aggs     chain
	builders []*bar.Builder
	klines   []klines
	past     past

	aggLast  int64 // last trade id of the newest aggregate, -1: none
	aggTears uint64

	venueAt   core.WallNs // a time that the venue told,
	venueRecv core.MonoNs // and when that was read
	heard     core.MonoNs // newest sign that the line is alive,
	// and the first one ever.
	firstHeard core.MonoNs
	dueEnd     core.WallNs // the soonest that a bar may become complete
	proven     core.WallNs // no trade of before this instant is missing, by the venue's word
	claimed    uint64      // one more than the newest trade id that the venue has spoken of
	claimedAt  core.MonoNs // since when one of them has not come
	proving    bool        // the question that stands is for such a word
	completed  uint64      // bars
	blind      bool        // the line was down and has given no sign of life since

	asking  bool
	ask     Ask
	askedAt core.MonoNs
	retryAt core.MonoNs
	number  uint32
	asked   uint64

	matched, differ uint64
	firstDiffer     string
}

// New makes an instrument's trail.
func New(id core.InstrumentID, cfg Config) *Trail {
	if cfg.Keep <= 0 {
		cfg.Keep = 500
	}
	if cfg.Waiting <= 0 {
		cfg.Waiting = 256
	}
	if cfg.FillMax == 0 {
		cfg.FillMax = 20_000
	}
	t := &Trail{id: id, cfg: cfg, aggLast: -1}
	t.past.wanted = cfg.History > 0 && cfg.Asks && len(cfg.Bars) > 0 && (cfg.Trades || cfg.Aggs)
	t.trades.init(cfg.FillMax, t.lost)
	t.aggs.init(cfg.FillMax, t.lost)
	if !cfg.Asks {
		// Nobody could fill a hole: each is told as unfilled at once.
		t.trades.refused, t.aggs.refused = 0, 0
	}
	for _, v := range cfg.Bars {
		t.builders = append(t.builders, bar.NewBuilder(v, max(cfg.Keep, cfg.History), cfg.Waiting, t.past.wanted))
	}
	for _, v := range cfg.Klines {
		t.klines = append(t.klines, newKlines(v, cfg.Keep))
	}
	return t
}

// source is the chain that the bars are made of.
func (t *Trail) source() *chain {
	if t.cfg.Trades {
		return &t.trades
	}
	return &t.aggs
}

func (t *Trail) chainOf(k core.EventKind) *chain {
	if k == core.AggTrade {
		return &t.aggs
	}
	return &t.trades
}

// Live takes a Trade, AggTrade or Kline as the stream brought it, says what it is, and
// flags it where it is late. Once it is taken bars may have become complete.
func (t *Trail) Live(ev *core.Event, lv []core.Level) Found {
	if ev.Kind == core.Kline {
		t.word(ev)
		return t.kline(ev, lv)
	}
	c := t.chainOf(ev.Kind)
	next := c.next
	found := c.take(ev.ID, ev.TradeTime(), ev.Recv)
	switch found {
	case Double:
		return Double
	case Late:
		ev.Flags |= core.FlagLate
	case Fresh:
		c.blind = false // what was missed is a hole now
		if ev.Kind == core.AggTrade && ev.ID == next && t.aggLast >= 0 && ev.W[3] > t.aggLast+1 {
			t.aggTears++ // it must begin with the trade after the aggregate before it
		}
	}
	if c == t.source() {
		t.add(ev, lv)
		if c.last >= t.dueEnd {
			t.complete()
		}
	}
	return found
}

func (t *Trail) add(ev *core.Event, lv []core.Level) {
	tr := bar.FromEvent(ev, lv)
	if ev.Kind == core.AggTrade && tr.Last > t.aggLast {
		t.aggLast = tr.Last
	}
	if tr.Qty == 0 || tr.Time < t.past.from {
		return // the venue has ids without trades; and what the past has already
	}
	for _, b := range t.builders {
		b.Add(&tr)
	}
}

// Heard tells that the line was alive when something was read, and what time the venue
// had then, if it told one.
func (t *Trail) Heard(at core.MonoNs, venue core.WallNs) {
	if t.heard == 0 {
		t.firstHeard = at
	}
	t.heard = max(t.heard, at)
	if venue > t.venueAt {
		t.venueAt, t.venueRecv = venue, at
	}
	if t.blind {
		t.blind, t.trades.upAt, t.aggs.upAt = false, at, at
	}
}

// Down tells that events may have been lost behind the newest one: the line went down,
// or a queue overflowed.
func (t *Trail) Down() {
	for _, c := range [...]*chain{&t.trades, &t.aggs} {
		c.blind, c.upAt = c.started, 0
	}
	t.blind = true
}

// now is the venue's time as of the last sign of life, 0 if it has told none.
func (t *Trail) now() core.WallNs {
	if t.venueAt == 0 {
		return 0
	}
	return t.venueAt + core.WallNs(max(t.heard-t.venueRecv, 0))
}

// horizon is the time before which no trade is missing: every bar that ends by it is
// complete.
func (t *Trail) horizon() core.WallNs {
	c := t.source()
	h := c.horizon()
	switch {
	case len(c.holes) > 0 || c.blind || !c.started:
	case t.cfg.Asks:
		h = max(h, t.proven)
	default:
		h = max(h, t.now()-outOfOrder) // nobody can be asked: the best that can be said
	}
	return h
}

// Tick has bars completed whose time has passed without a trade. Call it now and then.
func (t *Trail) Tick() {
	t.overdue()
	if len(t.builders) > 0 && t.now()-outOfOrder >= t.dueEnd {
		t.complete()
	}
}

func (t *Trail) complete() {
	h := t.horizon()
	t.dueEnd = core.WallNs(1<<63 - 1)
	for _, b := range t.builders {
		before := b.Series().Total()
		b.Complete(h)
		if n := b.Series().Total() - before; n > 0 {
			t.completed += n
			t.compareNew(b, int(min(n, uint64(b.Series().Len()))))
		}
		if due := b.Due(); due != 0 {
			t.dueEnd = min(t.dueEnd, due)
		} else {
			t.dueEnd = 0
		}
	}
}

// lost has the bars marked that a hole given up lies in.
func (t *Trail) lost(c *chain, h Hole) {
	if c != t.source() {
		return
	}
	for _, b := range t.builders {
		b.Lose(h.After, h.Before)
	}
}

// Bars is the complete bars of an interval, nil if they are not made. Those of an
// interval that only a kline stream tells are the venue's own.
func (t *Trail) Bars(v bar.Interval) *bar.Series {
	for _, b := range t.builders {
		if b.Series().Interval() == v {
			return b.Series()
		}
	}
	for i := range t.klines {
		if t.klines[i].series.Interval() == v {
			return t.klines[i].series
		}
	}
	return nil
}

// Completed counts the bars that have become complete, of all intervals.
func (t *Trail) Completed() uint64 { return t.completed }

// Builders are the makers of the bars, for whoever tells them on.
func (t *Trail) Builders() []*bar.Builder { return t.builders }
