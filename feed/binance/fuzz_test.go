package binance

import (
	"path/filepath"
	"testing"

	"riposte/core"
)

// seeds are the golden frames and, where they are, every 500th recorded one.
func seeds(f *testing.F) (out [][]byte) {
	out = goldenFrames(f)
	if dir := dataDir(f); dir != "" {
		files, err := filepath.Glob(filepath.Join(dir, "streams", "*.tsv.gz"))
		if err != nil {
			f.Fatal(err)
		}
		for _, path := range files {
			for i, fr := range frames(readRecords(f, path)) {
				if i%500 == 0 && len(fr) < 4000 {
					out = append(out, fr)
				}
			}
		}
	}
	return out
}

// FuzzDecode: the fast road, the general road and the slow twin say the same of
// any bytes, and none panics.
func FuzzDecode(f *testing.F) {
	for i, s := range seeds(f) {
		f.Add(s, uint8(i), uint8(i))
	}
	syms := testSymbols(f)
	golden := goldenFrames(f)
	f.Fuzz(func(t *testing.T, frame []byte, mode, levels uint8) {
		raw := noRaw
		if mode&1 != 0 {
			raw = Raw{Instrument: 0, Partial: mode&2 != 0}
		}
		unit := core.Milliseconds
		if mode&4 != 0 {
			unit = core.Microseconds
		}
		agreeAfter(t, syms, unit, raw, int(levels), golden[int(mode>>3)%len(golden)], frame)
		agree(t, syms, unit, raw, int(levels), frame)
	})
}
