package binance

import (
	"fmt"
	"slices"
	"testing"

	"riposte/core"
)

// road is one of the three ways to decode, with the signature of the slow one.
type road struct {
	name   string
	decode func(frame []byte) ([]SlowEvent, Result, Reply)
}

// live is the road of d with lv of that many levels.
func live(d *Decoder, levels int) func([]byte) ([]SlowEvent, Result, Reply) {
	ev := core.Event{}
	lv := make([]core.Level, levels)
	return func(frame []byte) (out []SlowEvent, res Result, reply Reply) {
		add := func(n int, r Result) {
			e := SlowEvent{Result: r}
			if r == Decoded {
				e.Event, e.Levels = ev, slices.Clone(lv[:n])
			}
			out = append(out, e)
			// Leftovers must not show through.
			ev = core.Event{Kind: 99, Flags: 99, Bids: 99, Asks: 99, ID: 99, W: [4]int64{99, 99, 99, 99}}
		}
		n, res := d.Decode(frame, &ev, lv[:0])
		switch res {
		case Many:
			for {
				n, r, more := d.NextOf(frame, &ev, lv[:0])
				if !more {
					break
				}
				add(n, r)
			}
		case Control:
			reply = *d.Reply()
		default:
			add(n, res)
		}
		return out, res, reply
	}
}

// agree decodes frame by all three roads and fails where they differ.
func agree(t testing.TB, syms *Symbols, unit core.TimeUnit, raw Raw, levels int, frame []byte) ([]SlowEvent, Result) {
	t.Helper()
	return agreeAfter(t, syms, unit, raw, levels, frame, frame)
}

// agreeAfter is agree for decoders that have learnt from another frame before.
func agreeAfter(t testing.TB, syms *Symbols, unit core.TimeUnit, raw Raw, levels int, before, frame []byte) ([]SlowEvent, Result) {
	t.Helper()
	kept := slices.Clone(frame)
	slow := &Slow{Symbols: syms, Unit: unit, Raw: raw, Levels: levels}
	want, wantRes, wantReply := slow.Decode(kept)
	warm, scalar := NewDecoder(syms, unit, raw), NewDecoder(syms, unit, raw).ScalarOnly()
	for _, d := range []*Decoder{warm, scalar} {
		var ev core.Event
		_, _ = d.Decode(before, &ev, make([]core.Level, 0, levels))
	}
	for _, r := range []road{
		{"fast", live(NewDecoder(syms, unit, raw), levels)},
		{"fast, from a template", live(warm, levels)},
		{"fast, scalar", live(scalar, levels)},
		{"general", live(NewDecoder(syms, unit, raw).GeneralOnly(), levels)},
	} {
		got, res, reply := r.decode(frame)
		if res != wantRes {
			t.Fatalf("%s road: got %v, slow twin %v, on %.400q", r.name, res, wantRes, frame)
		}
		if diff := differ(got, want, res); diff != "" {
			t.Fatalf("%s road: %s, on %.400q", r.name, diff, frame)
		}
		if res == Control && (reply.ID != wantReply.ID || reply.HasID != wantReply.HasID || reply.OK != wantReply.OK ||
			reply.Code != wantReply.Code || string(reply.Msg) != string(wantReply.Msg)) {
			t.Fatalf("%s road: got reply %+v, slow twin %+v, on %.400q", r.name, reply, wantReply, frame)
		}
		if !slices.Equal(frame, kept) {
			t.Fatalf("%s road: changed the frame", r.name)
		}
	}
	return want, wantRes
}

func differ(got, want []SlowEvent, res Result) string {
	if res != Many && res != Decoded {
		return ""
	}
	if len(got) != len(want) {
		return fmt.Sprintf("got %d events, slow twin %d", len(got), len(want))
	}
	for i := range want {
		if got[i].Result != want[i].Result || got[i].Event != want[i].Event || !slices.Equal(got[i].Levels, want[i].Levels) {
			return fmt.Sprintf("event %d: got %+v, slow twin %+v", i, got[i], want[i])
		}
	}
	return ""
}
