package bench

import (
	"fmt"
	"testing"

	"github.com/HdrHistogram/hdrhistogram-go"

	"riposte/core"
)

// wholeWork takes the corpus through the rig. took gets the time of each order that
// a frame caused, from its bytes to the write call.
func wholeWork(t testing.TB, c *Corpus, o RigOptions, took *hdrhistogram.Histogram) (*work, *Rig) {
	bids, err := bidsOf(c)
	if err != nil {
		t.Fatal(err)
	}
	if len(bids) == 0 {
		t.Fatal("the corpus has no change of the best bid")
	}
	r := rig(t, c, o)
	var text []byte
	passes, n, wrong := 0, 0, 0
	r.Sent = func(req []byte, since core.MonoNs) {
		if since > 0 {
			_ = took.RecordValue(int64(since)) // above ten seconds the machine was asleep
		}
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
	w := &work{items: c.Frames, bytes: c.Bytes}
	w.pass = func() {
		passes++
		n = 0
		r.Pass()
	}
	w.check = func() error {
		if wrong != 0 || n != len(bids) {
			return fmt.Errorf("got %d orders, %d at a price that is not the best bid, want %d and 0", n, wrong, len(bids))
		}
		return r.Check(passes, len(bids))
	}
	return w, r
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

func newTook() *hdrhistogram.Histogram { return hdrhistogram.New(1, 10_000_000_000, 3) }

// BenchmarkWhole is everything between the bytes of a frame and the bytes of an
// order: decoder, queue, shard, book, signals, reflex, gate, gateway, codec, table,
// write call. ns/op is per frame of the recording, answers and signing ahead
// included; ns-order percentiles are from a frame's bytes to the write of the order
// it caused, clock reads included. Sockets and journal are left out.
func BenchmarkWhole(b *testing.B) {
	for _, name := range []string{Spot, Linear} {
		for _, v := range []struct {
			name  string
			rungs int
		}{{"signed", 0}, {"presigned", 7}} {
			stage(b, name+"/"+v.name, func(t testing.TB) *work {
				took := newTook()
				w, r := wholeWork(t, corpus(t, name), RigOptions{Rungs: v.rungs}, took)
				w.reset = took.Reset
				w.after = func(b *testing.B) { percentiles(b, took, r) }
				return w
			})
		}
	}
}

func percentiles(b *testing.B, took *hdrhistogram.Histogram, r *Rig) {
	for _, p := range []float64{50, 99, 99.9} {
		b.ReportMetric(float64(took.ValueAtQuantile(p)), fmt.Sprintf("p%v-ns/order", p))
	}
	b.ReportMetric(100*float64(r.codec.Stats.Hits)/float64(r.codec.Stats.Hits+r.codec.Stats.Misses), "%presigned")
}
