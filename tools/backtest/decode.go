package backtest

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"unsafe"

	"riposte/core"
	"riposte/feed"
	"riposte/feed/binance"
	"riposte/tools/tape"
)

// Source is what is decoded: lines in receive order, and what must be known of them
// before the first.
type Source struct {
	Each    func(func(*tape.Line) error) error // calls with every line
	Tapes   string                             // names what it is: SHA-256
	Market  core.Market
	Unit    core.TimeUnit // of the frames' times
	Symbols []string
	// Lines are the labels of the connections that brought the same, in order, if there are
	// several: they are joined as in a live session.
	Lines []string
	// SpreadTicks is how wide the touch is that is made up where there are trades alone.
	SpreadTicks int
}

// levelsMost is how many levels one event may have.
const levelsMost = 1 << 14

// decoding is the state of one pass over a tape. One goroutine.
type decoding struct {
	src     *Source
	decoder *binance.Decoder
	w       *eventWriter
	head    Head
	bySym   map[string]core.InstrumentID
	joined  *joined // nil: there is one line
	ev      core.Event
	lv      []core.Level
	now     core.MonoNs
	lags    lags
	synth   []synth
	bad     uint64
	ruled   []int // by symbol: its rules' place in the heading, from 1
	missed  uint64
	lackIDs uint64 // that no line brought
	untold  uint64
}

// Decode writes the events of a source to f, which is empty and open for reading too,
// and maps them. f may be closed afterwards, and have no name any more.
func Decode(src *Source, f *os.File) (*Events, error) {
	t := core.NewInstruments()
	for _, s := range src.Symbols {
		if _, err := t.Add(core.Instrument{Symbol: s, Market: src.Market}); err != nil {
			return nil, err
		}
	}
	syms, err := binance.NewSymbols(t)
	if err != nil {
		return nil, err
	}
	n := len(src.Symbols)
	d := &decoding{src: src, decoder: binance.NewDecoder(syms, src.Unit, binance.Raw{Instrument: core.NoInstrument}),
		bySym: map[string]core.InstrumentID{}, ruled: make([]int, n), lv: make([]core.Level, 0, levelsMost),
		head: Head{Tapes: src.Tapes, Market: src.Market, Symbols: make([]Symbol, n)}}
	for i, s := range src.Symbols {
		d.bySym[s] = core.InstrumentID(i)
		d.head.Symbols[i].Name = s
	}
	if d.head.Synth, err = d.tradesAlone(); err != nil {
		return nil, err
	}
	if len(src.Lines) > 1 {
		if d.joined, err = newJoined(src.Lines, n); err != nil {
			return nil, err
		}
	}
	if d.head.Synth {
		d.synth = make([]synth, n)
		if err := d.measure(); err != nil {
			return nil, err
		}
	}
	if d.w, err = newEventWriter(f); err != nil {
		return nil, err
	}
	if err := src.Each(d.line); err != nil {
		return nil, err
	}
	if d.joined != nil {
		if err := d.joined.end(d.take); err != nil {
			return nil, err
		}
	}
	if d.w.n == 0 {
		return nil, errors.New("cannot backtest: got no market event in these tapes, want some")
	}
	d.notes()
	d.head.Lag = d.lags.sample()
	return d.w.end(&d.head)
}

// tradesAlone reports whether there is no book to be had.
func (d *decoding) tradesAlone() (bool, error) {
	found := errors.New("there is a book")
	err := d.src.Each(func(l *tape.Line) error {
		if l.Rest != "" && strings.Contains(l.Rest, "/depth?") || l.Frame() && bytes.Contains(l.Payload[:min(len(l.Payload), 128)], []byte(`"depthUpdate"`)) {
			return found
		}
		return nil
	})
	if errors.Is(err, found) {
		return false, nil
	}
	return true, err
}

func (d *decoding) notes() {
	note := func(format string, args ...any) { d.head.Notes = append(d.head.Notes, fmt.Sprintf(format, args...)) }
	if d.head.Synth {
		note("the tapes have trades alone: the touch and its queues are made up, %d ticks wide around the last trade", max(d.src.SpreadTicks, 1))
	} else {
		for i := range d.head.Symbols {
			if s := &d.head.Symbols[i]; !s.Book {
				note("%s has no depth snapshot: its book never becomes live and nothing is traded on it", s.Name)
			}
		}
	}
	if d.bad > 0 {
		note("%d frames could not be read and are passed over", d.bad)
	}
	if holes := d.w.kinds[kindHole]; holes > 0 {
		note("the recording says of itself %d times that frames are missing: books begin anew there", holes)
	}
	if d.missed > 0 {
		note("no line of the recording brought %d stretches of updates or trades, %d ids in all: a book waits there for its next snapshot", d.missed, d.lackIDs)
	}
	if d.untold > 0 {
		note("the recording had no room to tell of %d gaps more", d.untold)
	}
}

func (d *decoding) line(l *tape.Line) error {
	if l.RecvNs > 0 {
		if d.w.first == 0 {
			d.w.first = core.WallNs(l.RecvNs)
		}
		d.now = max(d.now, core.MonoNs(l.RecvNs-int64(d.w.first))) // a clock that was set back
	}
	switch {
	case l.Note != "":
		return d.told(l)
	case l.Rest != "":
		return d.rest(l)
	}
	n, res := d.decoder.Decode(l.Payload, &d.ev, d.lv)
	if res == feed.Many {
		for {
			n, res, more := d.decoder.NextOf(l.Payload, &d.ev, d.lv)
			if !more {
				return nil
			}
			if err := d.event(l, n, res); err != nil {
				return err
			}
		}
	}
	return d.event(l, n, res)
}

func (d *decoding) event(l *tape.Line, n int, res feed.Result) error {
	switch res {
	case feed.Decoded:
	case feed.Malformed, feed.Full:
		d.bad++
		return nil
	default:
		return nil
	}
	ev, lv := &d.ev, d.lv[:n]
	if d.joined != nil {
		d.joined.recv = l.RecvNs
		return d.joined.put(l.Label, d.now, ev, lv, d.take)
	}
	return d.take(ev, lv, l.RecvNs)
}

// take writes an event that is news, as read at recv of the recording's clock.
func (d *decoding) take(ev *core.Event, lv []core.Level, recv int64) error {
	ev.Recv, ev.DecodeNs, ev.Line = d.now, 0, 0
	if ev.Kind != core.DepthDelta {
		ev.Bids, ev.Asks = uint16(len(lv)), 0
	}
	d.lags.add(recv, venueTime(ev))
	s := &d.head.Symbols[ev.Instrument]
	switch ev.Kind {
	case core.Trade, core.AggTrade:
		s.Tick, s.Lot = divide(s.Tick, ev.TradePrice()), divide(s.Lot, ev.TradeQty())
	case core.DepthDelta, core.DepthTop:
		for _, x := range lv {
			s.Tick = divide(s.Tick, x.Price)
			if x.Qty > 0 {
				s.Lot = divide(s.Lot, x.Qty)
			}
		}
	}
	if d.synth != nil {
		return d.synthesize(ev, lv)
	}
	return d.w.put(ev, lv)
}

// venueTime is when an event says that it was, 0 if it does not.
func venueTime(ev *core.Event) core.WallNs {
	switch ev.Kind {
	case core.Trade, core.AggTrade:
		return ev.TradeTime()
	case core.DepthDelta:
		return ev.VenueTime()
	}
	return 0
}

// rest takes a snapshot or the venue's rules.
func (d *decoding) rest(l *tape.Line) error {
	path, query, _ := strings.Cut(l.Rest, "?")
	switch {
	case strings.HasSuffix(path, "/exchangeInfo"):
		if d.head.Rules == nil && strings.HasPrefix(path, "/api/") {
			var b bytes.Buffer
			z := gzip.NewWriter(&b)
			_, err := z.Write(l.Payload)
			if err = errors.Join(err, z.Close()); err != nil {
				return err
			}
			d.head.Rules = b.Bytes()
		}
		return nil
	case !strings.HasSuffix(path, "/depth"):
		return nil
	}
	id, ok := d.bySym[l.Symbol()]
	if !ok || d.synth != nil {
		return nil
	}
	im, err := binance.ParseSnapshot(l.Payload, id, 0, core.Milliseconds)
	if err != nil {
		return fmt.Errorf("cannot use the answer of %s: %w", l.Rest, err)
	}
	s := &d.head.Symbols[id]
	s.Book = true
	for _, x := range slices.Concat(im.Bids, im.Asks) {
		s.Tick, s.Lot = divide(s.Tick, x.Price), divide(s.Lot, x.Qty)
	}
	limit := 0
	if _, text, ok := strings.Cut("&"+query, "&limit="); ok {
		_, _ = fmt.Sscan(text, &limit) // not told: 0
	}
	ev := &core.Event{Kind: kindImage, Instrument: id, Recv: d.now, ID: im.LastID, W: [4]int64{int64(limit)},
		Bids: uint16(len(im.Bids)), Asks: uint16(len(im.Asks))}
	return d.w.put(ev, slices.Concat(im.Bids, im.Asks))
}

// divide is the greatest common divisor, which nearly always is what it was.
func divide[T ~int64](of, v T) T {
	if of > 0 && v%of == 0 {
		return of
	}
	for v != 0 {
		of, v = v, of%v
	}
	return of
}

// lags keeps an even sample of how long frames were under way, by the difference of two
// clocks that agree up to a constant.
type lags struct {
	every, seen int
	list        []int64
}

const lagsMost = 4096

func (s *lags) add(recv int64, venue core.WallNs) {
	if recv == 0 || venue == 0 {
		return
	}
	if s.every == 0 {
		s.every = 1
	}
	if s.seen++; s.seen%s.every != 0 {
		return
	}
	if len(s.list) == lagsMost {
		for i := range lagsMost / 2 {
			s.list[i] = s.list[2*i]
		}
		s.list, s.every = s.list[:lagsMost/2], 2*s.every
	}
	s.list = append(s.list, recv-int64(venue))
}

func (s *lags) sample() []int64 {
	slices.Sort(s.list)
	return s.list
}

// The layout of events is this package's file format.
var _ = [1]struct{}{}[unsafe.Sizeof(core.Event{})-64]
