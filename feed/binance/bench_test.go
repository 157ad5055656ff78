package binance

import (
	"path/filepath"
	"testing"

	"riposte/core"
)

// corpus is one recorded frame of each kind, depth with as many levels as asked
// for; a committed or composed one where the recordings are not.
func corpus(b *testing.B, kind core.EventKind, levels int) []byte {
	syms := testSymbols(b)
	d := NewDecoder(syms, core.Milliseconds, noRaw)
	lv := make([]core.Level, 0, 5000)
	var ev core.Event
	pick := func(fs [][]byte) []byte {
		for _, f := range fs {
			if n, res := d.Decode(f, &ev, lv); res == Decoded && ev.Kind == kind && (levels == 0 || n == levels) {
				return f
			}
		}
		return nil
	}
	if dir := dataDir(b); dir != "" {
		if f := pick(frames(readRecords(b, filepath.Join(dir, "streams", "spot_btcusdt_20240808.tsv.gz")))); f != nil {
			return f
		}
	}
	if f := pick(goldenFrames(b)); f != nil {
		return f
	}
	f := []byte(`{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1723161255208,"s":"BTCUSDT","U":50093239189,"u":50093239202,"b":[`)
	for i := range levels {
		switch {
		case i == levels/2:
			f = append(f, `],"a":[`...)
		case i > 0:
			f = append(f, ',')
		}
		f = append(f, `["61837.`...)
		f = append(f, byte('0'+i/10%10), byte('0'+i%10))
		f = append(f, `000000","1.54698000"]`...)
	}
	return append(f, `]}}`...)
}

func BenchmarkDecode(b *testing.B) {
	for _, c := range []struct {
		name   string
		kind   core.EventKind
		levels int
	}{
		{"bookTicker", core.Touch, 0}, {"trade", core.Trade, 0}, {"depth20", core.DepthDelta, 20}, {"depth100", core.DepthDelta, 100},
	} {
		frame := corpus(b, c.kind, c.levels)
		want, res := agree(b, testSymbols(b), core.Milliseconds, noRaw, 5000, frame)
		if res != Decoded {
			b.Fatalf("%s: got %v", c.name, res)
		}
		for _, road := range []string{"fast", "scalar", "general"} {
			b.Run(c.name+"/"+road, func(b *testing.B) {
				d := NewDecoder(testSymbols(b), core.Milliseconds, noRaw)
				switch road {
				case "general":
					d.GeneralOnly()
				case "scalar":
					d.ScalarOnly()
				}
				lv := make([]core.Level, 0, 5000)
				var ev core.Event
				b.SetBytes(int64(len(frame)))
				b.ReportAllocs()
				n := 0
				for b.Loop() {
					n, res = d.Decode(frame, &ev, lv)
				}
				if res != Decoded || ev != want[0].Event || n != len(want[0].Levels) {
					b.Fatalf("got %v %+v", res, ev)
				}
			})
		}
	}
}

// All frames of one recording, as they come.
func BenchmarkDecodeRecording(b *testing.B) {
	dir := dataDir(b)
	var fs [][]byte
	if dir != "" {
		fs = frames(readRecords(b, filepath.Join(dir, "streams", "spot_btcusdt_20240808.tsv.gz")))
	} else {
		fs = [][]byte{corpus(b, core.Touch, 0), corpus(b, core.Trade, 0), corpus(b, core.DepthDelta, 46)}
	}
	bytes := 0
	for _, f := range fs {
		bytes += len(f)
	}
	d := NewDecoder(testSymbols(b), core.Milliseconds, noRaw)
	lv := make([]core.Level, 0, 5000)
	var ev core.Event
	b.SetBytes(int64(bytes))
	b.ReportAllocs()
	for b.Loop() {
		for _, f := range fs {
			if _, res := d.Decode(f, &ev, lv); res != Decoded {
				b.Fatal(res)
			}
		}
	}
	b.ReportMetric(float64(len(fs))*float64(b.N)/b.Elapsed().Seconds(), "frames/s")
}
