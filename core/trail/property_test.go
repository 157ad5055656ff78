package trail

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"riposte/core"
	"riposte/core/bar"
)

var someIntervals = []string{"1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M",
	"1m@+08:00", "1h@+08:00", "12h@+08:00", "1d@+08:00", "1w@+08:00", "1M@+08:00"}

// market draws trades whose times never fall, with pauses of up to days.
func market(t *rapid.T, n int) (all []deal) {
	at := core.WallNs(time.Date(2026, 2, 27, 23, 59, 0, 0, time.UTC).UnixNano()) + core.WallNs(rapid.Int64Range(0, 4*86400e9).Draw(t, "start"))
	id := rapid.Int64Range(0, 1<<40).Draw(t, "first id")
	steps := []int64{0, 1e6, 300e6, 2e9, 40e9, 4000e9, 100_000e9}
	span := rapid.IntRange(2, len(steps)).Draw(t, "spread")
	for range n {
		at += core.WallNs(rapid.SampledFrom(steps[:span]).Draw(t, "pause"))
		all = append(all, deal{id: id, price: rapid.Int64Range(1, 1<<40).Draw(t, "price"), qty: rapid.Int64Range(1, 1<<45).Draw(t, "qty"),
			at: at, maker: rapid.Bool().Draw(t, "maker")})
		id++
	}
	return all
}

// Whatever the stream loses, repeats and tells out of order: once the holes are filled
// the bars are those of all trades, and none was told that later changed.
func TestBarsAreThoseOfAllTradesWhateverTheStreamDid(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		all := market(r, rapid.IntRange(10, 120).Draw(r, "trades"))
		start := rapid.IntRange(1, len(all)/2).Draw(r, "live from")
		names := rapid.SliceOfNDistinct(rapid.SampledFrom(someIntervals), 1, 3, rapid.ID[string]).Draw(r, "intervals")
		history := rapid.SampledFrom([]int{0, 0, 1, 5}).Draw(r, "history")
		tr := New(0, Config{Trades: true, Bars: intervals(t, names...), Keep: 300, Asks: true, History: history})
		m := &memory{all: all, page: rapid.SampledFrom([]int{1000, 1000, 7}).Draw(r, "page"), asks: map[AskKind]int{}}
		if history > 0 {
			m.page = 1000
		}
		told, seen := map[string][]bar.Bar{}, map[string]uint64{}
		look := func() {
			for _, b := range tr.Builders() {
				s := b.Series()
				name := s.Interval().String()
				// What a long silence brought beyond what is kept was empty.
				for i := min(int(s.Total()-seen[name]), s.Len()) - 1; i >= 0; i-- {
					told[name] = append(told[name], *s.At(i))
				}
				seen[name] = s.Total()
			}
		}
		mono := core.MonoNs(0)
		live := func(d *deal) {
			ev := d.event()
			mono = core.MonoNs(d.at)
			ev.Recv = mono
			tr.Heard(mono, d.at)
			tr.Live(&ev, nil)
			look()
		}
		var held []deal // to come out of order
		for i := start; i < len(all); i++ {
			m.upTo = i + 1
			d := all[i]
			switch rapid.SampledFrom([]string{"pass", "pass", "pass", "drop", "twice", "hold", "cut", "answer"}).Draw(r, "fate") {
			case "drop":
				tr.Heard(core.MonoNs(d.at), d.at)
			case "twice":
				live(&d)
				live(&d)
			case "hold":
				held = append(held, d)
			case "cut":
				tr.Down()
				tr.Heard(core.MonoNs(d.at), d.at)
			case "answer":
				live(&d)
				serve(t, tr, m, mono)
				look()
			default:
				live(&d)
			}
			if len(held) > 2 {
				for j := range held {
					live(&held[j])
				}
				held = held[:0]
			}
		}
		m.upTo = len(all)
		if !tr.trades.started {
			return // nothing of it was ever seen
		}
		end := all[len(all)-1].at
		for range 40 {
			mono += 1e9
			end += 1e9
			tr.Heard(mono+core.MonoNs(5e9), end)
			tr.Down() // the last trades may be among the lost
			tr.Heard(mono+core.MonoNs(5e9), end)
			serve(t, tr, m, mono+8e9)
			look()
		}
		st := tr.Status()
		if st.Open != 0 || st.Unfilled != 0 || st.Stray != 0 || st.Broken != 0 || history > 0 && !st.Warm {
			r.Fatalf("in the end: %+v", st)
		}
		for _, b := range tr.Builders() {
			s := b.Series()
			want := map[core.WallNs]bar.Bar{}
			for _, w := range bars(s.Interval(), all) {
				want[w.Start] = w
			}
			for i, got := range told[s.Interval().String()] {
				w, ok := want[got.Start]
				if !ok {
					if got.Trades == 0 && got.Start > all[len(all)-1].at {
						continue // after the market has gone quiet
					}
					r.Fatalf("%s: bar %s has no like", s.Interval(), &got)
				}
				if got != w {
					r.Fatalf("%s: bar %d is %s, want %s", s.Interval(), i, &got, &w)
				}
				if got.VWAP() != w.VWAP() {
					r.Fatalf("%s: VWAP %v, want %v", s.Interval(), got.VWAP(), w.VWAP())
				}
			}
			if s.Total() > 1 {
				for i := range s.Len() - 1 {
					if s.At(i).Start != s.At(i+1).End {
						r.Fatalf("%s: hole in the series before %s", s.Interval(), s.At(i))
					}
				}
			}
			// Everything that is over is told.
			if last := b.Due(); last != 0 && last <= tr.horizon() {
				r.Fatalf("%s: the bar that ends at %d is over at %d and not told", s.Interval(), last, tr.horizon())
			}
		}
	})
}

func TestIntervalsOpenByTheCalendar(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		v := intervals(t, rapid.SampledFrom(someIntervals).Draw(r, "interval"))[0]
		at := core.WallNs(rapid.Int64Range(0, 4e18).Draw(r, "instant"))
		open := v.Open(at)
		if want := opens(v, at); open != want {
			r.Fatalf("%s at %d opens at %d, want %d", v, at, open, want)
		}
		next := v.Next(open)
		if at < open || at >= next || v.Open(next) != next || v.Open(next-1) != open || v.Back(next, 1) != open || !v.Matches(open, next-1e6) || !v.Matches(open, next-1e3) {
			r.Fatalf("%s at %d: bar from %d to %d does not hang together", v, at, open, next)
		}
		if back, err := bar.Parse(v.String()); err != nil || back != v {
			r.Fatal(fmt.Sprintf("%s reads back as %v (%v)", v, back, err))
		}
	})
}
