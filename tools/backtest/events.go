package backtest

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"unsafe"

	"github.com/cespare/xxhash/v2"
	"golang.org/x/sys/unix"

	"riposte/core"
	"riposte/tools/tape"
)

// Decoding text takes longer than deciding, so a tape is decoded once, into a file of
// events that is mapped into memory and only read: any number of runs share it, and the
// kernel keeps as much of it as there is room for.
//
//	offset  size
//	  0       8   magic
//	  8       8   where the heading begins, which ends the file
//	 16      48   zeros
//	 64       …   events: 64 bytes of core.Event each, then 16 bytes of each level
//	  …       …   heading: JSON of Head
//
// in the byte order of the machine: the file is a cache and does not travel. An event's
// Recv is its receive time in ns since Head.Start, its Instrument the place of its symbol
// in Head.Symbols.
const (
	eventsMagic = "rpbtev4\n"
	eventsBegin = 64
)

// Kinds of event that the engine does not have.
const (
	// kindImage is a snapshot of the book: ID is its update id, W[0] how many levels
	// were asked for, 0 if that is not known.
	kindImage core.EventKind = 0xf0 + iota
	// kindHole says that frames of all symbols are missing before the next event.
	kindHole
	// kindRules says that from here on a symbol's rules are those at W[0] of Head.Ruled.
	kindRules
)

const (
	eventSize = int(unsafe.Sizeof(core.Event{}))
	levelSize = int(unsafe.Sizeof(core.Level{}))
)

// Head is what a file of events says of itself.
type Head struct {
	Format  int               `json:"format"` // of this package's decoder
	Tapes   string            `json:"tapes"`  // SHA-256 over what was decoded
	Market  core.Market       `json:"market"`
	Start   core.WallNs       `json:"start"` // of the first event
	Span    core.MonoNs       `json:"span"`  // from there to the last
	Symbols []Symbol          `json:"symbols"`
	Rules   []byte            `json:"rules,omitempty"` // the venue's rules, if the tape has them
	Ruled   []tape.Rules      `json:"ruled,omitempty"` // of its symbols at first, and what they became
	Changes int               `json:"changes"`         // of them
	Synth   bool              `json:"synth"`           // trades alone: the touch is made up
	Events  uint64            `json:"events"`
	Bytes   int64             `json:"bytes"`
	Sum     uint64            `json:"sum"` // xxHash of the events
	Kinds   map[string]uint64 `json:"kinds"`
	Lag     []int64           `json:"lag,omitempty"` // receive time less venue time, a sample, ns
	Notes   []string          `json:"notes,omitempty"`
}

// Symbol is one symbol of a tape, with what its numbers tell of its rules.
type Symbol struct {
	Name string     `json:"name"`
	Tick core.Price `json:"tick"` // greatest common divisor of its prices
	Lot  core.Qty   `json:"lot"`  // and of its quantities
	Book bool       `json:"book"` // it has depth and a snapshot
}

const headFormat = 5

// Events is a tape decoded and mapped. It is only read, by any number of goroutines.
type Events struct {
	Head
	data   []byte // the whole file, mapped
	events []byte
}

// OpenEvents maps a file of events and holds it against its sum.
func OpenEvents(name string) (*Events, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("cannot read the decoded tape: %w", err)
	}
	defer f.Close()
	return mapEvents(f)
}

func mapEvents(f *os.File) (_ *Events, err error) {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("cannot read the decoded tape %s: %s", f.Name(), fmt.Sprintf(format, args...))
	}
	st, err := f.Stat()
	if err != nil {
		return nil, bad("%v", err)
	}
	size := st.Size()
	if size < eventsBegin {
		return nil, bad("it has %d bytes, want at least %d", size, eventsBegin)
	}
	data, err := unix.Mmap(int(f.Fd()), 0, int(size), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, bad("%v", err)
	}
	e := &Events{data: data}
	defer func() {
		if err != nil {
			_ = e.Close()
		}
	}()
	end := binary.NativeEndian.Uint64(data[8:])
	if string(data[:8]) != eventsMagic || end < eventsBegin || end > uint64(size) {
		return nil, bad("it does not begin as one")
	}
	if err := json.Unmarshal(data[end:], &e.Head); err != nil {
		return nil, bad("%v", err)
	}
	e.events = data[eventsBegin:end]
	switch {
	case e.Format != headFormat:
		return nil, bad("it is of format %d, want %d", e.Format, headFormat)
	case int64(len(e.events)) != e.Bytes:
		return nil, bad("it holds %d bytes of events, want %d", len(e.events), e.Bytes)
	case xxhash.Sum64(e.events) != e.Sum:
		return nil, bad("its events do not have the sum that it tells")
	}
	if err := e.check(); err != nil {
		return nil, bad("%v", err)
	}
	return e, nil
}

// check makes sure that every event lies within the file and is of one of its symbols.
func (e *Events) check() error {
	for off := 0; off < len(e.events); {
		if len(e.events)-off < eventSize {
			return fmt.Errorf("%d bytes follow its last event", len(e.events)-off)
		}
		ev := (*core.Event)(unsafe.Pointer(&e.events[off]))
		n := eventSize + (int(ev.Bids)+int(ev.Asks))*levelSize
		all := ev.Instrument == core.NoInstrument && ev.Kind == kindHole
		if n > len(e.events)-off || !all && int(ev.Instrument) >= len(e.Symbols) || ev.Kind == kindHole && !all || ev.Recv < 0 {
			return fmt.Errorf("the event at %d is none of its %d symbols', or longer than what is left", off, len(e.Symbols))
		}
		if i := ev.W[0]; ev.Kind == kindRules && (i < 0 || i >= int64(len(e.Ruled)) || e.Ruled[i].Symbol != e.Symbols[ev.Instrument].Name) {
			return fmt.Errorf("the rules at %d are number %d, want one of %d of its symbol", off, i, len(e.Ruled))
		}
		off += n
	}
	return nil
}

// Close unmaps the file; nothing of it may be read any more.
func (e *Events) Close() error {
	if e.data == nil {
		return nil
	}
	data := e.data
	e.data, e.events = nil, nil
	return unix.Munmap(data)
}

// at is the event at an offset and its levels, and where the next one begins. The
// memory is the file's: it is only read.
func (e *Events) at(off int) (ev *core.Event, lv []core.Level, next int) {
	p := e.events[off:]
	ev = (*core.Event)(unsafe.Pointer(&p[:eventSize][0]))
	n := int(ev.Bids) + int(ev.Asks)
	next = off + eventSize
	if n > 0 {
		lv = unsafe.Slice((*core.Level)(unsafe.Pointer(&p[eventSize : eventSize+n*levelSize][0])), n)
		next += n * levelSize
	}
	return ev, lv, next
}

// eventWriter writes a file of events: the heading last, when all is known, and then
// where it is.
type eventWriter struct {
	f     *os.File
	buf   []byte
	sum   *xxhash.Digest
	bytes int64
	n     uint64
	kinds [256]uint64
	last  core.MonoNs
	first core.WallNs
}

func newEventWriter(f *os.File) (*eventWriter, error) {
	w := &eventWriter{f: f, sum: xxhash.New(), buf: make([]byte, 0, 1<<20)}
	if _, err := f.Seek(eventsBegin, io.SeekStart); err != nil {
		return nil, err
	}
	return w, nil
}

// put adds an event whose Bids and Asks say how many levels there are.
func (w *eventWriter) put(ev *core.Event, lv []core.Level) error {
	if int(ev.Bids)+int(ev.Asks) != len(lv) {
		panic(fmt.Sprintf("BUG: event of kind %d says %d and %d levels and has %d", ev.Kind, ev.Bids, ev.Asks, len(lv)))
	}
	w.buf = append(w.buf, unsafe.Slice((*byte)(unsafe.Pointer(ev)), eventSize)...)
	if len(lv) > 0 {
		w.buf = append(w.buf, unsafe.Slice((*byte)(unsafe.Pointer(&lv[0])), len(lv)*levelSize)...)
	}
	w.n++
	w.kinds[ev.Kind]++
	w.last = ev.Recv
	if len(w.buf) < 1<<20-1<<17 {
		return nil
	}
	return w.flush()
}

func (w *eventWriter) flush() error {
	_, _ = w.sum.Write(w.buf) // never fails
	n, err := w.f.Write(w.buf)
	w.bytes += int64(n)
	w.buf = w.buf[:0]
	if err != nil {
		return fmt.Errorf("cannot write the decoded tape: %w", err)
	}
	return nil
}

// end writes the heading and maps the file.
func (w *eventWriter) end(h *Head) (*Events, error) {
	if err := w.flush(); err != nil {
		return nil, err
	}
	h.Format, h.Events, h.Bytes, h.Sum, h.Span = headFormat, w.n, w.bytes, w.sum.Sum64(), w.last
	h.Start = w.first
	h.Kinds = map[string]uint64{}
	for k, n := range w.kinds {
		if n > 0 {
			h.Kinds[kindName(core.EventKind(k))] = n
		}
	}
	text, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	head := append([]byte(eventsMagic), binary.NativeEndian.AppendUint64(nil, uint64(eventsBegin+w.bytes))...)
	_, err = w.f.Write(text)
	if err == nil {
		_, err = w.f.WriteAt(head, 0)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot write the decoded tape: %w", err)
	}
	return mapEvents(w.f)
}

var kindNames = [...]string{"", "depth", "depth top", "touch", "trade", "aggTrade", "kline", "ticker", "miniTicker", "avgPrice", "line down", "overflow", "line alive"}

func kindName(k core.EventKind) string {
	switch {
	case k == kindImage:
		return "snapshot"
	case k == kindHole:
		return "hole"
	case k == kindRules:
		return "rules"
	case int(k) < len(kindNames):
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", k)
}
