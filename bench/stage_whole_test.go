package bench

import (
	"fmt"
	"slices"
	"testing"

	"github.com/HdrHistogram/hdrhistogram-go"

	"riposte/core"
)

// wholeWork takes the corpus through the rig, journal included. took gets the stage
// times of the orders that frames caused, if it is not nil.
func wholeWork(t testing.TB, c *Corpus, o RigOptions, took *splits) (*work, *Rig) {
	bids, err := bidsOf(c)
	if err != nil {
		t.Fatal(err)
	}
	if len(bids) == 0 {
		t.Fatal("the corpus has no change of the best bid")
	}
	o.Journal = t.TempDir()
	r := rig(t, c, o)
	var text []byte
	passes, n, wrong := 0, 0, 0
	r.Sent = func(req []byte) {
		ord, ok := ParseOrder(req)
		if n >= len(bids) {
			wrong++
			return
		}
		if text = core.AppendDecimal(text[:0], int64(bids[n])); !ok || string(ord.Price) != string(text) {
			wrong++
		}
		n++
	}
	if took != nil {
		took.list = make([]Split, 0, len(bids))
		r.Took = took.add
	}
	w := &work{items: c.Frames, bytes: c.Bytes}
	w.pass = func() {
		passes++
		n = 0
		r.Pass()
		if took != nil {
			took.sum()
		}
	}
	w.check = func() error {
		if wrong != 0 || n != len(bids) {
			return fmt.Errorf("got %d orders, %d at a price that is not the best bid, want %d and 0", n, wrong, len(bids))
		}
		if err := r.journal.Err(); err != nil {
			return err
		}
		return r.Check(passes, len(bids))
	}
	return w, r
}

// splits keeps the stage times of one pass's orders, and what came of all passes. In
// a pass it only appends to memory that is there; histograms are filled between
// passes, so that they are not in the caches that the next order is measured in.
type splits struct {
	list  []Split
	total map[core.EventKind]*hdrhistogram.Histogram
	parts map[core.EventKind]*[7]*hdrhistogram.Histogram
	lost  int
}

var partNames = [7]string{"decode", "queue", "apply", "decide", "gate", "encode", "write"}

func newTook() *splits {
	return &splits{total: map[core.EventKind]*hdrhistogram.Histogram{}, parts: map[core.EventKind]*[7]*hdrhistogram.Histogram{}}
}

func (s *splits) add(one *Split) {
	if len(s.list) == cap(s.list) {
		s.lost++
		return
	}
	s.list = append(s.list, *one)
}

func (s *splits) sum() {
	for i := range s.list {
		one := &s.list[i]
		if s.total[one.Kind] == nil {
			s.total[one.Kind] = hdrhistogram.New(1, 10_000_000_000, 3)
			s.parts[one.Kind] = new([7]*hdrhistogram.Histogram)
			for k := range partNames {
				s.parts[one.Kind][k] = hdrhistogram.New(1, 10_000_000_000, 3)
			}
		}
		_ = s.total[one.Kind].RecordValue(int64(one.Total())) // above ten seconds the machine was asleep
		for k, ns := range one.parts() {
			_ = s.parts[one.Kind][k].RecordValue(int64(ns))
		}
	}
	s.list = s.list[:0]
}

func (s *splits) reset() { *s = splits{list: s.list, total: newTook().total, parts: newTook().parts} }

func (s *Split) parts() [7]uint32 {
	return [7]uint32{s.Decode, s.Queue, s.Apply, s.Decide, s.Gate, s.Encode, s.Write}
}

// kindName is how metrics call the kinds of frame that cause orders.
var kindName = map[core.EventKind]string{core.Touch: "bookTicker", core.DepthDelta: "depth"}

// report gives percentiles of the whole way by the kind of frame that caused the
// order, and the median of each part of it.
func (s *splits) report(b *testing.B, r *Rig) {
	for kind, h := range s.total {
		for _, p := range []float64{50, 99, 99.9} {
			b.ReportMetric(float64(h.ValueAtQuantile(p)), fmt.Sprintf("p%v-ns/%s", p, kindName[kind]))
		}
		for k, part := range s.parts[kind] {
			b.ReportMetric(float64(part.ValueAtQuantile(50)), fmt.Sprintf("%s-p50-ns/%s", partNames[k], kindName[kind]))
		}
		b.ReportMetric(float64(h.TotalCount()), "orders/"+kindName[kind])
	}
	b.ReportMetric(float64(s.lost), "orders-lost")
	b.ReportMetric(100*float64(r.codec.Stats.Hits)/float64(r.codec.Stats.Hits+r.codec.Stats.Misses), "%presigned")
}

// modelled keeps the model's answers: it is slow.
var modelled = map[*Corpus][]core.Price{}

func bidsOf(c *Corpus) (bids []core.Price, err error) {
	bids, ok := modelled[c]
	if !ok {
		bids, err = Bids(c)
		modelled[c] = bids
	}
	return bids, err
}

// BenchmarkWhole is everything between the bytes of a frame and the bytes of an
// order: frame reader, session, decoder, queue, shard, book, signals, reflex, gate,
// gateway, codec, table, journal, write call. ns/op is per frame of the recording,
// answers and signing ahead included; percentiles are per order, from the read of the
// frame that caused it to the return of its write, clock reads included. The kernel's
// sockets are left out; the journal is in a real file.
func BenchmarkWhole(b *testing.B) {
	for _, name := range []string{Spot, Linear} {
		for _, v := range []struct {
			name  string
			rungs int
		}{{"signed", 0}, {"presigned", 32}} {
			stage(b, name+"/"+v.name, func(t testing.TB) *work {
				took := newTook()
				w, r := wholeWork(t, corpus(t, name), RigOptions{Rungs: v.rungs}, took)
				w.reset = took.reset
				w.after = func(b *testing.B) { took.report(b, r) }
				return w
			})
		}
	}
}

// TestStagesOfAnOrderAddUpToTheWhole: the parts of each order's way follow each other
// without a gap, so that what is missing in none of them can hide.
func TestStagesOfAnOrderAddUpToTheWhole(t *testing.T) {
	c := corpus(t, Fixed)
	clock := &StepClock{Step: 100}
	r, err := NewRig(c, RigOptions{Rungs: 5, Journal: t.TempDir(), Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}()
	n, off := 0, 0
	r.Took = func(s *Split) {
		n++
		stamp := &r.stamps.Pending()[0]
		parts := s.parts()
		if got := core.MonoNs(s.Total()); got != stamp.Written-stamp.Recv || slices.Contains(parts[:], 0) {
			off++
		}
	}
	r.Pass()
	bids, err := bidsOf(c)
	if err != nil {
		t.Fatal(err)
	}
	// The first order comes with the snapshot, not with a frame.
	if off != 0 || n != len(bids)-1 {
		t.Fatalf("got %d orders of which %d have stages that do not add up or took no time, want %d and 0", n, off, len(bids)-1)
	}
}

// wholeCount is the same for counting instructions, at a time that goes on by 50 ns
// a reading; the clock's own instructions are not in it, nor are those of the wires
// and the journal's kernel. all counts what the engine does about each frame, answers
// and signing ahead included; else only from the bytes to the order, of those frames
// that cause one.
func wholeCount(all bool, rungs int) func(testing.TB, *Corpus) *work {
	return func(t testing.TB, c *Corpus) *work {
		w, r := wholeWork(t, c, RigOptions{Rungs: rungs, Clock: &StepClock{Step: 50}}, nil)
		w.clock = new(batch)
		on := false
		set := func(to bool) {
			if on == to {
				return
			}
			if on = to; on {
				w.clock.start()
			} else {
				w.clock.stop()
			}
		}
		if all {
			r.probe.frame = func(int) { set(true) }
			r.probe.resume, r.probe.pause = func() { set(true) }, func() { set(false) }
			return w
		}
		causes, orders, at := make([]bool, len(c.Lines)), 0, -1
		r.probe.frame = func(line int) { at = line }
		r.probe.pause = func() { at = -1; set(false) }
		r.probe.wrote = func() {
			if at >= 0 {
				causes[at] = true
			}
		}
		w.pass()
		for _, yes := range causes {
			if yes {
				orders++
			}
		}
		r.probe.frame = func(line int) { set(causes[line]) }
		r.probe.wrote = func() { set(false) }
		w.items, w.bytes = orders, 0
		return w
	}
}
