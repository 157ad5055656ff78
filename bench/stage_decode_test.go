package bench

import (
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/cespare/xxhash/v2"

	"riposte/core"
	"riposte/feed/binance"
)

// fold mixes a decoded event into a checksum, cheaply enough to leave in the timed
// loop: nothing that was decoded may go unused.
func fold(sum uint64, ev *core.Event, lv []core.Level) uint64 {
	sum = sum*31 + uint64(ev.Kind) + ev.ID ^ uint64(ev.W[0]) + uint64(ev.W[1])<<1 ^ uint64(ev.W[2]) + uint64(ev.W[3])<<1
	if n := len(lv); n > 0 {
		sum += uint64(lv[0].Price) ^ uint64(lv[n-1].Qty) + uint64(n)
	}
	return sum
}

// deep is the same over every level, for the pass that is not timed.
func deep(h *xxhash.Digest, ev *core.Event, lv []core.Level) {
	var b [8]byte
	put := func(v int64) {
		binary.LittleEndian.PutUint64(b[:], uint64(v))
		_, _ = h.Write(b[:])
	}
	for _, v := range []int64{int64(ev.Kind), int64(ev.Flags), int64(ev.Instrument), int64(ev.Bids), int64(ev.Asks), int64(ev.ID), ev.W[0], ev.W[1], ev.W[2], ev.W[3]} {
		put(v)
	}
	for _, l := range lv {
		put(int64(l.Price))
		put(int64(l.Qty))
	}
}

// decodeWork decodes frames one after the other. What it must give comes from the
// slow twin, which is fastjson and plain parsing.
func decodeWork(t testing.TB, c *Corpus, fs [][]byte, general bool) *work {
	d, err := c.Decoder()
	if err != nil {
		t.Fatal(err)
	}
	if general {
		d.GeneralOnly()
	}
	want := twinOf(t, c, fs)
	w := &work{items: len(fs), bytes: want.bytes, levels: want.levels}
	lv := make([]core.Level, 0, LevelsMax)
	var ev core.Event
	var got uint64
	bad := 0
	w.pass = func() {
		got, bad = 0, 0
		for _, f := range fs {
			n, res := d.Decode(f, &ev, lv)
			if res != binance.Decoded {
				bad++
				continue
			}
			got = fold(got, &ev, lv[:n])
		}
	}
	checked := false
	w.check = func() error {
		if bad != want.ignored || got != want.fold {
			return fmt.Errorf("got checksum %x and %d frames without event, want %x and %d", got, bad, want.fold, want.ignored)
		}
		if checked {
			return nil
		}
		checked = true
		h := xxhash.New()
		for _, f := range fs {
			if n, res := d.Decode(f, &ev, lv); res == binance.Decoded {
				deep(h, &ev, lv[:n])
			}
		}
		if h.Sum64() != want.deep {
			return fmt.Errorf("decoded numbers differ from the slow twin's")
		}
		return nil
	}
	return w
}

// twinResult is what the slow twin makes of some frames.
type twinResult struct {
	fold, deep             uint64
	ignored, bytes, levels int
}

// twins keeps the results, because the slow twin is slow. A set of frames of a corpus
// is known by its ends and number.
var twins = map[twinKey]*twinResult{}

type twinKey struct {
	first, last *byte
	n           int
}

func twinOf(t testing.TB, c *Corpus, fs [][]byte) *twinResult {
	if len(fs) == 0 {
		return new(twinResult)
	}
	key := twinKey{&fs[0][0], &fs[len(fs)-1][0], len(fs)}
	if r := twins[key]; r != nil {
		return r
	}
	syms, err := binance.NewSymbols(c.Table)
	if err != nil {
		t.Fatal(err)
	}
	twin := binance.Slow{Symbols: syms, Unit: core.Milliseconds, Raw: binance.Raw{Instrument: core.NoInstrument}, Levels: LevelsMax}
	r := new(twinResult)
	h := xxhash.New()
	for _, f := range fs {
		r.bytes += len(f)
		events, res, _ := twin.Decode(f)
		if res == binance.Ignored {
			r.ignored++
			continue
		}
		if res != binance.Decoded || len(events) != 1 {
			t.Fatalf("slow twin: got %v and %d events for %.80q, want one", res, len(events), f)
		}
		e := &events[0]
		r.fold = fold(r.fold, &e.Event, e.Levels)
		deep(h, &e.Event, e.Levels)
		if e.Event.Kind == core.DepthDelta {
			r.levels += len(e.Levels)
		}
	}
	r.deep = h.Sum64()
	twins[key] = r
	return r
}

// BenchmarkDecode is one frame's bytes to an event in integers, by the road that
// the venue's own shape takes (fast) and by the one for any JSON (general).
func BenchmarkDecode(b *testing.B) {
	spot := corpus(b, Spot)
	for _, k := range Buckets {
		fs, err := spot.Pick(k)
		if err != nil {
			b.Fatal(err)
		}
		stage(b, k.Name+"/fast", func(t testing.TB) *work { return decodeWork(t, spot, fs, false) })
		stage(b, k.Name+"/general", func(t testing.TB) *work { return decodeWork(t, spot, fs, true) })
	}
	for _, name := range []string{Spot, Linear} {
		stage(b, "recording/"+name+"/fast", func(t testing.TB) *work {
			c := corpus(t, name)
			return decodeWork(t, c, c.AllFrames(), false)
		})
		stage(b, "recording/"+name+"/general", func(t testing.TB) *work {
			c := corpus(t, name)
			return decodeWork(t, c, c.AllFrames(), true)
		})
	}
}
