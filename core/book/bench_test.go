package book

import (
	"testing"

	"riposte/core"
)

// run is one instrument's part of a recording, cut to what a book is given.
type run struct {
	im     *Image
	events []step
	levels int
	tick   core.Price
}

// benchRun is a recording's book traffic, or a synthetic one's.
func benchRun(b *testing.B, market core.Market, tick core.Price, files ...string) *run {
	tp := recorded(b, market, files...)
	if tp == nil {
		b.Log("no recordings here: a synthetic tape is measured instead")
		tp = synthetic(market, 1, 3000)
	}
	r := &run{tick: tick}
	for i := range tp.steps {
		if st := &tp.steps[i]; st.im != nil && st.at() == 0 {
			r.im = st.im
		}
	}
	for i := range tp.steps { // some of them stand before the snapshot
		if st := &tp.steps[i]; st.im == nil && st.at() == 0 && st.ev.Kind == core.DepthDelta && st.ev.ID >= r.im.LastID {
			r.events = append(r.events, *st)
			r.levels += len(st.lv)
		}
	}
	return r
}

var benchTapes = []struct {
	name   string
	market core.Market
	tick   core.Price
	files  []string
}{
	{"spot_btc24", core.Spot, 1_000_000, []string{"spot_btcusdt_20240808.tsv.gz"}},
	{"usdm_btc23", core.LinearFutures, 10_000_000, []string{"usdm_btcusdt_20230404.tsv.gz", "usdm_btcusdt_20230405.tsv.gz"}},
}

var sink core.Price

// BenchmarkBookLevel is the anchor's task: one level update, then both best
// prices, over a whole recording with its far levels. Time is per level.
func BenchmarkBookLevel(b *testing.B) {
	for _, c := range benchTapes {
		b.Run(c.name, func(b *testing.B) {
			r := benchRun(b, c.market, c.tick, c.files...)
			book := New(r.tick, 0)
			want := replayed(r)
			b.ReportAllocs()
			b.ResetTimer()
			for n := 0; n < b.N; {
				b.StopTimer()
				book.Load(r.im)
				b.StartTimer()
				for i := range r.events {
					ev := &r.events[i]
					for j := range ev.lv {
						side := core.Buy
						if j >= int(ev.ev.Bids) {
							side = core.Sell
						}
						book.Set(side, ev.lv[j].Price, ev.lv[j].Qty)
						sink += book.Best(core.Buy).Price + book.Best(core.Sell).Price
					}
				}
				n += r.levels
			}
			b.StopTimer()
			check(b, book, want)
		})
	}
}

// BenchmarkBookEvent is the same as the engine does it: whole events, the top
// after each. Time is per level.
func BenchmarkBookEvent(b *testing.B) {
	for _, c := range benchTapes {
		b.Run(c.name, func(b *testing.B) {
			r := benchRun(b, c.market, c.tick, c.files...)
			book := New(r.tick, 0)
			want := replayed(r)
			b.ReportAllocs()
			b.ResetTimer()
			for n := 0; n < b.N; {
				b.StopTimer()
				book.Load(r.im)
				b.StartTimer()
				for i := range r.events {
					ev := &r.events[i]
					book.Apply(ev.ev.ID, ev.lv[:ev.ev.Bids], ev.lv[ev.ev.Bids:])
					top := book.Top()
					sink += top.Bid + top.Ask
				}
				n += r.levels
			}
			b.StopTimer()
			check(b, book, want)
		})
	}
}

func replayed(r *run) []byte {
	w := newTwin()
	w.load(r.im)
	for i := range r.events {
		ev := &r.events[i]
		w.apply(ev.ev.ID, ev.lv[:ev.ev.Bids], ev.lv[ev.ev.Bids:])
	}
	return w.canonical()
}

func check(b *testing.B, book *Book, want []byte) {
	if string(book.AppendCanonical(nil)) != string(want) {
		b.Fatal("book differs from its twin")
	}
	l := [2]*ladder{&book.sides[0], &book.sides[1]}
	b.ReportMetric(float64(book.Bytes())/1024, "KiB")
	b.ReportMetric(float64(l[0].far.n+l[1].far.n), "far-levels")
	b.ReportMetric(float64(len(l[0].qty)), "bid-slots")
}
