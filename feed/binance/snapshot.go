package binance

import (
	"fmt"
	"math"

	"github.com/valyala/fastjson"

	"riposte/core"
	"riposte/core/book"
)

// ParseSnapshot reads the body of GET /api/v3/depth or /fapi/v1/depth, with any
// white space and key order, into an image of the book of instrument id. limit
// is what was asked for, levels per side; unit that of the answer's times (the
// spot venue tells none). The image owns its memory. Cold path, any goroutine.
func ParseSnapshot(body []byte, id core.InstrumentID, limit int, unit core.TimeUnit) (*book.Image, error) {
	v, err := parse(body)
	if err != nil {
		return nil, fmt.Errorf("cannot read snapshot: %w", err)
	}
	last, err := wholeNumber(v, "lastUpdateId")
	if err != nil {
		return nil, fmt.Errorf("cannot read snapshot: %w", err)
	}
	im := &book.Image{Instrument: id, LastID: uint64(last), Limit: limit}
	if v.Exists("E") {
		e, err := wholeNumber(v, "E")
		if err != nil {
			return nil, fmt.Errorf("cannot read snapshot %d: %w", last, err)
		}
		ns, ok := nanoseconds(e, unit.Ns(), math.MaxInt64/unit.Ns())
		if !ok {
			return nil, fmt.Errorf("cannot read snapshot %d: time %d does not fit", last, e)
		}
		im.Time = core.WallNs(ns)
	}
	for _, side := range []struct {
		key string
		to  *[]core.Level
	}{{"bids", &im.Bids}, {"asks", &im.Asks}} {
		lv := v.Get(side.key)
		if lv == nil || lv.Type() != fastjson.TypeArray {
			return nil, fmt.Errorf("cannot read snapshot %d: want an array %q", last, side.key)
		}
		if *side.to, err = coldLevels(lv.GetArray()); err != nil {
			return nil, fmt.Errorf("cannot read snapshot %d, %s: %w", last, side.key, err)
		}
	}
	if err := im.Check(); err != nil {
		return nil, err
	}
	return im, nil
}

func coldLevels(vs []*fastjson.Value) ([]core.Level, error) {
	out := make([]core.Level, len(vs))
	for i, l := range vs {
		pair := l.GetArray()
		if len(pair) < 2 {
			return nil, fmt.Errorf("level %d: got %s, want [price, quantity]", i, clip(l))
		}
		p, err := coldDecimal(pair[0])
		if err != nil {
			return nil, fmt.Errorf("level %d, price: %w", i, err)
		}
		q, err := coldDecimal(pair[1])
		if err != nil {
			return nil, fmt.Errorf("level %d, quantity: %w", i, err)
		}
		out[i] = core.Level{Price: core.Price(p), Qty: core.Qty(q)}
	}
	return out, nil
}
