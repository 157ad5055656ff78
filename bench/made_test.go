package bench

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"

	"riposte/core"
	"riposte/feed/binance"
)

// madeFrames are depth frames of a size that a corpus has too few of, laid out as
// the venue does it (Binance Spot API docs, WebSocket streams, 2026-07-21): changes
// of levels near 61,800 with a fifth of them far away and a quarter deletions, or
// with partial the best levels as a whole. The same arguments give the same frames.
func madeFrames(partial bool, levels int) [][]byte {
	r := rand.New(rand.NewPCG(1, uint64(levels)))
	out := make([][]byte, 128)
	for i := range out {
		id := 27_647_500_000 + i*40
		var f []byte
		names := [2]string{`"b":`, `,"a":`}
		if partial {
			f = fmt.Appendf(f, `{"stream":"btcusdt@depth20@100ms","data":{"lastUpdateId":%d,`, id)
			names = [2]string{`"bids":`, `,"asks":`}
		} else {
			f = fmt.Appendf(f, `{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":%d,"s":"BTCUSDT","U":%d,"u":%d,`, 1_723_161_255_000+i*100, id+1, id+40)
		}
		bids := levels / 2
		if !partial {
			bids = levels/4 + r.IntN(levels/2)
		}
		f = appendLevels(append(f, names[0]...), r, bids, -1, partial)
		f = appendLevels(append(f, names[1]...), r, levels-bids, 1, partial)
		out[i] = append(f, "}}"...)
	}
	return out
}

// appendLevels walks away from the touch in steps of one to thirty ticks.
func appendLevels(f []byte, r *rand.Rand, n, away int, partial bool) []byte {
	f = append(f, '[')
	cents := 6_180_000 + away
	for i := range n {
		if i > 0 {
			f = append(f, ',')
		}
		qty := int64(r.IntN(300_000_000))
		if !partial && r.IntN(4) == 0 {
			qty = 0
		}
		if !partial && r.IntN(5) == 0 {
			cents += away * r.IntN(20_000)
		}
		cents += away * (1 + r.IntN(30))
		f = append(f, `["`...)
		f = strconv.AppendInt(f, int64(cents/100), 10)
		f = fmt.Appendf(f, `.%02d000000","%d.%08d"]`, cents%100, qty/core.Scale, qty%core.Scale)
	}
	return append(f, ']')
}

// pickKind is all frames of a kind in the corpus.
func pickKind(t testing.TB, c *Corpus, kind core.EventKind) [][]byte {
	t.Helper()
	d, err := c.Decoder()
	if err != nil {
		t.Fatal(err)
	}
	lv := make([]core.Level, 0, LevelsMax)
	var ev core.Event
	var out [][]byte
	for _, f := range c.AllFrames() {
		if _, res := d.Decode(f, &ev, lv); res == binance.Decoded && ev.Kind == kind {
			out = append(out, f)
		}
	}
	return out
}
