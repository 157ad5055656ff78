package peers

import (
	"slices"
	"testing"

	"riposte/bench"
	"riposte/bench/peers/floor"
	"riposte/core"
	"riposte/feed/binance"
)

func init() {
	for _, p := range []struct {
		name  string
		have  func() error
		parse func(floor.Kind, *floor.Frames, []int64) uint64
	}{
		{"floor-avx512", floor.HaveParse, floor.Parse},
		{"floor-scalar", func() error { return nil }, floor.Plain},
	} {
		decodeFloors = append(decodeFloors, func(kind core.EventKind, fs [][]byte) contender {
			c := contender{name: p.name}
			f, err := floor.NewFrames(fs)
			if err == nil {
				err = p.have()
			}
			if err != nil {
				c.miss = err.Error()
				return c
			}
			out := make([]int64, f.Room())
			c.pass = func() uint64 { return p.parse(floorKind(kind), f, out) }
			return c
		})
	}
}

// floorKind is the floor's name of a kind of frame.
func floorKind(k core.EventKind) floor.Kind {
	switch k {
	case core.Touch:
		return floor.Touch
	case core.Trade:
		return floor.Trade
	}
	return floor.Depth
}

// floorInts are a decoded event's integers, in the floor's order.
func floorInts(out []int64, ev *core.Event, lv []core.Level) []int64 {
	switch ev.Kind {
	case core.Touch:
		return append(out[:0], int64(ev.ID), ev.W[0], ev.W[1], ev.W[2], ev.W[3])
	case core.Trade:
		return append(out[:0], int64(ev.ID), ev.W[0], ev.W[1], ev.W[2]/1e6, int64(ev.Flags&core.FlagBuyerMaker))
	}
	out = append(out[:0], int64(ev.FirstID()), int64(ev.ID), int64(ev.Bids), int64(ev.Asks))
	for _, l := range lv {
		out = append(out, int64(l.Price), int64(l.Qty))
	}
	return out
}

// Every integer of every frame of a bucket is ours.
func TestFloorGivesOurNumbers(t *testing.T) {
	c := load(t, bench.Spot)
	d, err := c.Decoder()
	if err != nil {
		t.Fatal(err)
	}
	lv := make([]core.Level, 0, bench.LevelsMax)
	var ev core.Event
	var want []int64
	for _, k := range bench.Buckets {
		fs, err := c.Pick(k)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range fs {
			n, res := d.Decode(b, &ev, lv)
			if res != binance.Decoded {
				t.Fatalf("got %v: %s", res, b)
			}
			want = floorInts(want, &ev, lv[:n])
			f, err := floor.NewFrames([][]byte{b})
			if err != nil {
				t.Fatal(err)
			}
			out := make([]int64, f.Room())
			if got := floor.Plain(floorKind(k.Kind), f, out); got != eventSum(&ev, lv[:n]) || !slices.Equal(out[:len(want)], want) {
				t.Fatalf("scalar: got %v, want %v, of %s", out[:len(want)], want, b)
			}
			if floor.HaveParse() != nil {
				continue
			}
			clear(out)
			if got := floor.Parse(floorKind(k.Kind), f, out); got != eventSum(&ev, lv[:n]) || !slices.Equal(out[:len(want)], want) {
				t.Fatalf("vectors: got %v, want %v, of %s", out[:len(want)], want, b)
			}
		}
	}
	if err := floor.HaveParse(); err != nil {
		t.Logf("left out the floor with vectors: %v", err)
	}
}
