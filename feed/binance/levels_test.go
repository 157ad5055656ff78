package binance

import (
	"strings"
	"testing"

	"riposte/core"
)

func TestEmptyNumbersAreMalformedWhereverTheyStand(t *testing.T) {
	d := decoderOf(t, "BTCUSDT")
	good := `["1.5","2"],`
	for name, levels := range map[string]string{
		"first price":  `["","2"],` + strings.Repeat(good, 8),
		"later price":  good + `["","2"],` + strings.Repeat(good, 8),
		"first qty":    `["1.5",""],` + strings.Repeat(good, 8),
		"only point":   `[".","2"],` + strings.Repeat(good, 8),
		"point, price": `[".5","2"],` + strings.Repeat(good, 8),
		"last price":   strings.Repeat(good, 8) + `["","2"],`,
	} {
		frame := `{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":1,"u":2,"b":[` + strings.TrimSuffix(levels, ",") + `],"a":[]}`
		var ev core.Event
		if _, res := d.Decode([]byte(frame), &ev, make([]core.Level, 0, 64)); res != Malformed {
			t.Errorf("%s: got %v, want malformed", name, res)
		}
	}
}

func decoderOf(t *testing.T, symbols ...string) *Decoder {
	t.Helper()
	tab := core.NewInstruments()
	for _, s := range symbols {
		if _, err := tab.Add(core.Instrument{Symbol: s}); err != nil {
			t.Fatal(err)
		}
	}
	syms, err := NewSymbols(tab)
	if err != nil {
		t.Fatal(err)
	}
	return NewDecoder(syms, core.Milliseconds, Raw{Instrument: core.NoInstrument})
}
