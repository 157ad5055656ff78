package binance

import (
	"path/filepath"
	"slices"
	"testing"

	"riposte/core"
	"riposte/core/bar"
	"riposte/core/trail"
)

// The venue's own klines of the recordings, continued by its own aggregate trades from
// the first kline of each bar on, arrive at every later kline of that bar. A kline may
// end in the middle of an aggregate; those say nothing here.
func TestBarsEqualTheRecordedKlines(t *testing.T) {
	dir := dataDir(t)
	if dir == "" {
		return
	}
	minute, err := bar.Parse("1m")
	if err != nil {
		t.Fatal(err)
	}
	for name, least := range map[string]int{"spot_multi4_20211012.tsv.gz": 1, "usdm_multi4_20210722.tsv.gz": 40} {
		dec := NewDecoder(testSymbols(t), core.Milliseconds, noRaw)
		klines, trades := map[core.InstrumentID][]bar.Bar{}, map[core.InstrumentID][]bar.Trade{}
		ends := map[int64]bool{} // ids between which no aggregate is split
		var ev core.Event
		lv := make([]core.Level, 4096)
		for _, fr := range frames(readRecords(t, filepath.Join(dir, "streams", name))) {
			n, res := dec.DecodeRouted(fr, dec.Route(fr), &ev, lv[:0:cap(lv)])
			if id := ev.Instrument; res == Decoded && ev.Kind == core.Kline {
				klines[id] = append(klines[id], bar.FromKline(&ev, lv[:n], minute.Next(core.WallNs(ev.W[0]))))
			} else if res == Decoded && ev.Kind == core.AggTrade {
				trades[id] = append(trades[id], bar.FromEvent(&ev, lv[:n]))
				tr := &trades[id][len(trades[id])-1]
				ends[tr.Last], ends[tr.First-1] = true, true
			}
		}
		compared, symbols := 0, 0
		for id, ks := range klines {
			before := compared
			seed := -1
			for i := range ks {
				if !ends[ks[i].Last] {
					continue
				}
				base := bar.Bar{First: -1, Last: ks[i].First - 1} // all its trades are recorded, or
				if seed >= 0 && ks[seed].Start == ks[i].Start {
					base = ks[seed] // those after an earlier one
				} else if seed = i; !slices.ContainsFunc(trades[id], func(tr bar.Trade) bool { return tr.First == ks[i].First }) {
					continue
				}
				b := bar.NewBuilder(minute, 1, 2, true)
				b.Seed(ks[i].Start, base)
				for j := range trades[id] {
					if tr := &trades[id][j]; tr.First > base.Last && tr.Last <= ks[i].Last {
						b.Add(tr)
					}
				}
				if cur := b.Current(); cur == nil || !cur.Same(&ks[i]) {
					t.Errorf("%s: ours %v, venue %s", name, cur, &ks[i])
				}
				compared++
			}
			if compared > before {
				symbols++
			}
		}
		if compared < least {
			t.Errorf("%s: compared %d klines, want at least %d", name, compared, least)
		}
		t.Logf("%s: %d klines of %d symbols equal", name, compared, symbols)
	}
}

// The recorded trades of the venue are without holes, and any that are taken out are
// found at the first event that shows it.
func TestTakenOutTradesOfARecordingAreFoundAtOnce(t *testing.T) {
	dir := dataDir(t)
	if dir == "" {
		return
	}
	syms := testSymbols(t)
	dec := NewDecoder(syms, core.Milliseconds, noRaw)
	whole, holed := trail.New(0, trail.Config{Trades: true}), trail.New(0, trail.Config{Trades: true, Asks: true, FillMax: 10})
	var ev core.Event
	lv := make([]core.Level, 4096)
	n, missing, wrong := 0, false, 0
	for _, fr := range frames(readRecords(t, filepath.Join(dir, "streams", "spot_btcusdt_20240808.tsv.gz"))) {
		if _, res := dec.DecodeRouted(fr, dec.Route(fr), &ev, lv[:0:cap(lv)]); res != Decoded || ev.Kind != core.Trade {
			continue
		}
		whole.Live(&ev, nil)
		if n++; n%97 == 0 || n%97 == 1 && n > 97 {
			missing = true
			continue
		}
		before := holed.Status().Holes
		holed.Live(&ev, nil)
		if found := holed.Status().Holes > before; found != missing {
			wrong++
		}
		missing = false
	}
	if s := whole.Status(); n < 9000 || s.Holes != 0 || s.Doubles != 0 || s.Late != 0 {
		t.Errorf("%d trades, %+v, want no hole", n, s)
	}
	if s := holed.Status(); wrong != 0 || s.Holes != uint64(n/97) {
		t.Errorf("%d holes of %d, %d times not at the first event", s.Holes, n/97, wrong)
	}
}
