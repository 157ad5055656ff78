package book

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"riposte/core"
)

// step is one thing that happens to an instrument on a tape: an event, or a
// snapshot if im is set.
type step struct {
	ev core.Event
	lv []core.Level
	im *Image
}

// at is the instrument concerned.
func (s *step) at() core.InstrumentID {
	if s.im != nil {
		return s.im.Instrument
	}
	return s.ev.Instrument
}

// tape is a recording, or something like one, in this package's terms.
type tape struct {
	market core.Market
	names  []string
	steps  []step
}

func (tp *tape) instrument(name string) core.InstrumentID {
	for i, n := range tp.names {
		if n == name {
			return core.InstrumentID(i)
		}
	}
	tp.names = append(tp.names, name)
	return core.InstrumentID(len(tp.names) - 1)
}

// syncs makes the state machine of every instrument on the tape.
func (tp *tape) syncs() []*Sync {
	out := make([]*Sync, len(tp.names))
	for i, n := range tp.names {
		out[i] = NewSync(&core.Instrument{ID: core.InstrumentID(i), Symbol: n, Market: tp.market}, 0, 1024)
	}
	return out
}

func dataDir() string {
	if d := os.Getenv("RIPOSTE_DATA"); d != "" {
		return d
	}
	return filepath.Join("..", "..", "..", "shared", "data")
}

var (
	tapesMu sync.Mutex
	tapes   = map[string]*tape{}
)

// recorded reads recordings as one tape, once per test process; nil where there
// are none on this machine.
func recorded(t testing.TB, market core.Market, files ...string) *tape {
	t.Helper()
	tapesMu.Lock()
	defer tapesMu.Unlock()
	key := strings.Join(files, "+")
	if tp, ok := tapes[key]; ok {
		return tp
	}
	tp := &tape{market: market}
	for _, f := range files {
		err := tp.read(filepath.Join(dataDir(), "streams", f))
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			t.Fatalf("cannot read recording: %v", err)
		}
	}
	tapes[key] = tp
	return tp
}

func (tp *tape) read(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		col := bytes.SplitN(lines.Bytes(), []byte("\t"), 3)
		if len(col) != 3 {
			return fmt.Errorf("%s:%d: %d columns, want 3", path, n, len(col))
		}
		recv, _ := strconv.ParseInt(string(col[0]), 10, 64)
		kind := string(col[1])
		if strings.HasPrefix(kind, "rest:") {
			err = tp.snapshot(kind[len("rest:"):], col[2])
		} else {
			err = tp.frame(core.MonoNs(recv), col[2])
		}
		if err != nil {
			return fmt.Errorf("%s:%d: %w", path, n, err)
		}
	}
	return lines.Err()
}

type jsonLevels [][]string

func (in jsonLevels) levels(dst []core.Level) ([]core.Level, error) {
	for _, l := range in {
		p, err1 := core.ParsePrice(l[0])
		q, err2 := core.ParseQty(l[1])
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		dst = append(dst, core.Level{Price: p, Qty: q})
	}
	return dst, nil
}

func (tp *tape) snapshot(where string, body []byte) error {
	u, err := url.Parse(where)
	if err != nil {
		return err
	}
	var in struct {
		LastUpdateID uint64 `json:"lastUpdateId"`
		Bids, Asks   jsonLevels
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return err
	}
	im := &Image{Instrument: tp.instrument(u.Query().Get("symbol")), LastID: in.LastUpdateID}
	im.Limit, _ = strconv.Atoi(u.Query().Get("limit"))
	if im.Bids, err = in.Bids.levels(nil); err != nil {
		return err
	}
	if im.Asks, err = in.Asks.levels(nil); err != nil {
		return err
	}
	tp.steps = append(tp.steps, step{im: im})
	return nil
}

func (tp *tape) frame(recv core.MonoNs, text []byte) error {
	depth := bytes.Contains(text[:min(80, len(text))], []byte("@depth"))
	if !depth && !bytes.Contains(text[:min(80, len(text))], []byte("@bookTicker")) {
		return nil
	}
	// Names that differ only in case are matched exactly only if both are here.
	var in struct {
		Data struct {
			Event   string          `json:"e"`
			EventNs int64           `json:"E"`
			Symbol  string          `json:"s"`
			First   int64           `json:"U"`
			Last    uint64          `json:"u"`
			Prev    int64           `json:"pu"`
			B       json.RawMessage `json:"b"`
			BidQty  json.RawMessage `json:"B"`
			A       json.RawMessage `json:"a"`
			AskQty  json.RawMessage `json:"A"`
		}
	}
	if err := json.Unmarshal(text, &in); err != nil {
		return err
	}
	d := &in.Data
	s := step{ev: core.Event{Instrument: tp.instrument(d.Symbol), Recv: recv, ID: d.Last}}
	if !depth {
		s.ev.Kind = core.Touch
		for i, raw := range []json.RawMessage{d.B, d.BidQty, d.A, d.AskQty} {
			v, err := core.ParseDecimal(strings.Trim(string(raw), `"`))
			if err != nil {
				return err
			}
			s.ev.W[i] = v
		}
		tp.steps = append(tp.steps, s)
		return nil
	}
	s.ev.Kind = core.DepthDelta
	s.ev.W = [4]int64{d.First, d.Prev, d.EventNs * 1e6}
	var sides [2]jsonLevels
	if err := errors.Join(json.Unmarshal(d.B, &sides[0]), json.Unmarshal(d.A, &sides[1])); err != nil {
		return err
	}
	var err error
	for _, side := range sides {
		if s.lv, err = side.levels(s.lv); err != nil {
			return err
		}
	}
	s.ev.Bids, s.ev.Asks = uint16(len(sides[0])), uint16(len(sides[1]))
	tp.steps = append(tp.steps, s)
	return nil
}

// synthetic makes a tape from a seed: three instruments, each with a walk of its
// touch, levels inside the spread within one event, deletes of absent levels, far
// levels, quiet events, and touches that run ahead of depth.
func synthetic(market core.Market, seed uint64, events int) *tape {
	rnd := rand.New(rand.NewPCG(seed, 1))
	tp := &tape{market: market}
	type maker struct {
		book   *twin
		tick   core.Price
		mid    int64 // in ticks
		prev   uint64
		cut    *Image // snapshot to be delivered
		events int
	}
	makers := make([]*maker, 3)
	nextID := uint64(1_000_000) // futures ids are shared by all symbols
	for i := range makers {
		m := &maker{book: newTwin(), tick: []core.Price{1_000_000, 1, 5_000}[i], mid: 500_000}
		tp.instrument(fmt.Sprintf("SYM%d", i))
		for k := range int64(400) {
			far := k * k / 50
			m.book.set(core.Buy, core.Price(m.mid-1-k-far)*m.tick, core.Qty(1+rnd.Int64N(1e12)))
			m.book.set(core.Sell, core.Price(m.mid+1+k+far)*m.tick, core.Qty(1+rnd.Int64N(1e12)))
		}
		m.book.id, m.prev = nextID, nextID
		makers[i] = m
	}
	for range events {
		i := rnd.IntN(len(makers))
		m := makers[i]
		in := core.InstrumentID(i)
		if m.events++; m.events == 3 {
			m.cut = m.book.image()
			m.cut.Instrument = in
		}
		if m.cut != nil && m.events == 5 { // it comes after later events
			tp.steps = append(tp.steps, step{im: m.cut})
		}
		id := &m.book.id
		if market != core.Spot {
			id = &nextID
			*id += uint64(rnd.IntN(50))
		}
		first := *id + 1
		changed := [2]map[core.Price]bool{{}, {}}
		for range 1 + rnd.IntN(4) { // moves within the event's window
			m.mid += rnd.Int64N(5) - 2
			*id++
			for s := range changed {
				side, away := core.Side(s), 1-2*int64(s)
				// Whatever the new middle overruns is traded away.
				for p := range m.book.sides[s] {
					if int64(p/m.tick-core.Price(m.mid))*away >= 0 {
						m.book.set(side, p, 0)
						changed[s][p] = true
					}
				}
				for range rnd.IntN(6) {
					dist := 1 + rnd.Int64N(30)
					if rnd.IntN(8) == 0 {
						dist = 1 + rnd.Int64N(300_000)
					}
					p := core.Price(m.mid-away*dist) * m.tick
					q := core.Qty(rnd.Int64N(1e11) + 1)
					if rnd.IntN(5) < 2 {
						q = 0
					}
					m.book.set(side, p, q)
					changed[s][p] = true
				}
				if len(m.book.sides[s]) < 5 {
					p := core.Price(m.mid-away) * m.tick
					m.book.set(side, p, 77)
					changed[s][p] = true
				}
			}
			m.book.id = *id
			top := m.book.top()
			tp.steps = append(tp.steps, step{ev: core.Event{Kind: core.Touch, Instrument: in, ID: *id,
				W: [4]int64{int64(top.Bid), int64(top.BidQty), int64(top.Ask), int64(top.AskQty)}}})
		}
		s := step{ev: core.Event{Kind: core.DepthDelta, Instrument: in, ID: *id, W: [4]int64{int64(first)}}}
		if market != core.Spot {
			s.ev.W[1] = int64(m.prev)
		}
		m.prev = *id
		for side := range changed {
			for _, p := range slices.Sorted(maps.Keys(changed[side])) {
				s.lv = append(s.lv, core.Level{Price: p, Qty: m.book.sides[side][p]})
			}
			if side == 0 {
				s.ev.Bids = uint16(len(s.lv))
			}
		}
		s.ev.Asks = uint16(len(s.lv)) - s.ev.Bids
		s.ev.Recv = core.MonoNs(len(tp.steps) + 1)
		tp.steps = append(tp.steps, s)
	}
	return tp
}
