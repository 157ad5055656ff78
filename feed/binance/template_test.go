package binance

import (
	"bytes"
	"slices"
	"testing"

	"riposte/core"
)

// A decoder that has learnt a stream from a frame gives every frame with one byte
// changed, added or missing the verdict that it would have given without.
func TestWhatWasLearntDecidesNothing(t *testing.T) {
	syms := testSymbols(t)
	plain := NewDecoder(syms, core.Milliseconds, noRaw).GeneralOnly()
	var want, got core.Event
	wantLv, gotLv := make([]core.Level, 0, 64), make([]core.Level, 0, 64)
	for _, frame := range goldenFrames(t) {
		if len(frame) > 300 || !bytes.Contains(frame, []byte(`"e":"`)) && !bytes.Contains(frame, []byte(`"u":`)) {
			continue
		}
		for _, scalar := range []bool{false, true} {
			d := NewDecoder(syms, core.Milliseconds, noRaw)
			if scalar {
				d.ScalarOnly()
			}
			try := func(f []byte) {
				n, res := plain.Decode(f, &want, wantLv)
				m, r := d.Decode(f, &got, gotLv)
				if r != res || (res == Decoded && (n != m || want != got || !slices.Equal(wantLv[:n], gotLv[:m]))) {
					t.Fatalf("scalar %v: got %v %+v, want %v %+v, on %s after %s", scalar, r, got, res, want, f, frame)
				}
				if _, r = d.Decode(frame, &got, gotLv); r == Malformed {
					if _, r = plain.Decode(frame, &got, gotLv); r != Malformed {
						t.Fatalf("%s is malformed after %s", frame, f)
					}
				}
			}
			try(frame)
			for i := range frame {
				for _, c := range []byte("\"].09-x/") {
					changed := bytes.Clone(frame)
					changed[i] = c
					try(changed)
				}
				try(slices.Insert(bytes.Clone(frame), i, "10."[i%3]))
				try(slices.Delete(bytes.Clone(frame), i, i+1))
			}
		}
	}
}

// Streams of the same symbol, and of many, do not take each other's templates.
func TestStreamsKeepTheirTemplates(t *testing.T) {
	d := NewDecoder(testSymbols(t), core.Milliseconds, noRaw)
	var ev core.Event
	lv := make([]core.Level, 0, 64)
	var fs [][]byte
	for _, f := range goldenFrames(t) {
		if bytes.HasPrefix(f, []byte(`{"stream":"`)) && len(fs) < 12 { // spot's recorded ones
			fs = append(fs, f)
		}
	}
	for round := range 3 {
		before := *d.Stats()
		for _, f := range fs {
			if _, res := d.Decode(f, &ev, lv); res != Decoded {
				t.Fatalf("got %v: %s", res, f)
			}
		}
		if s := d.Stats(); s.General != before.General {
			t.Fatalf("round %d: %d of %d frames left the fast road", round, s.General-before.General, len(fs))
		}
	}
}
