package path

import (
	"bytes"
	"fmt"
	"iter"
	"strings"
	"time"

	"riposte/bench"
)

// Slot is one frame to be sent: when, counted from the start, and what.
type Slot struct {
	At     Ns
	Market int // 0 is the traded one
	Kind   Kind
	Moves  bool   // a touch: with another best bid. In the traded market it causes an order
	Frame  []byte // a trade: the payload
}

// Kind is a stream of a market.
type Kind uint8

// The streams.
const (
	Touches Kind = iota
	Depth
	Trades
	kinds
)

var topicOf = [kinds]string{"@bookTicker", "@depth@100ms", "@trade"}

// Traffic is an endless schedule. Its times never fall.
type Traffic iter.Seq[Slot]

const depthEvery = Ns(100 * time.Millisecond)

// Steady moves the best bid at a fixed rate per second, with a depth event between two
// touches every 100 ms.
func Steady(rate int) Traffic {
	at := func(i int64) Ns { return Ns(i * int64(time.Second) / int64(rate)) }
	return func(yield func(Slot) bool) {
		next := depthEvery
		for i := int64(0); ; i++ {
			if !yield(Slot{At: at(i), Moves: true}) {
				return
			}
			if at(i) >= next {
				next += depthEvery
				if !yield(Slot{At: (at(i) + at(i+1)) / 2, Kind: Depth}) {
					return
				}
			}
		}
	}
}

// RecordedOptions shape a recorded schedule.
type RecordedOptions struct {
	Pause  time.Duration // longer pauses are cut down to it
	Every  int           // one touch in so many moves the best bid
	Others int           // markets beside the traded one
}

// event is one frame of a recording.
type event struct {
	gap   Ns
	kind  Kind
	frame []byte
}

// Recorded sends at the pace at which the corpus' frames were received, bursts of all
// streams and all, again from the beginning after the last. The other markets go
// through the same recording from other places in it.
func Recorded(c *bench.Corpus, o RecordedOptions) (Traffic, error) {
	if o.Pause <= 0 || o.Every < 1 || o.Others < 0 || o.Others > len(Others) {
		return nil, fmt.Errorf("cannot make a schedule: got %+v, want a pause, every 1 or more and 0 to %d others", o, len(Others))
	}
	lines := make([][]event, 1+o.Others)
	for k := range lines {
		lines[k] = events(c, o.Pause, symbolOf(k))
	}
	if len(lines[0]) < 2 {
		return nil, fmt.Errorf("cannot make a schedule: corpus %s has %d frames of %s, want 2 or more", c.Name, len(lines[0]), Symbol)
	}
	return func(yield func(Slot) bool) {
		at, next := make([]int, len(lines)), make([]Ns, len(lines))
		for k := range lines {
			at[k] = k * len(lines[k]) / len(lines)
		}
		for touches := 0; ; {
			k := 0
			for i := range next {
				if next[i] < next[k] {
					k = i
				}
			}
			e := &lines[k][at[k]]
			s := Slot{At: next[k], Market: k, Kind: e.kind, Frame: e.frame}
			if k == 0 && e.kind == Touches {
				s.Moves = touches%o.Every == 0
				touches++
			}
			if !yield(s) {
				return
			}
			at[k] = (at[k] + 1) % len(lines[k])
			next[k] += lines[k][at[k]].gap
		}
	}, nil
}

// symbolOf names market k.
func symbolOf(k int) string {
	if k == 0 {
		return Symbol
	}
	return Others[k-1]
}

// events reads a one-symbol recording as if it were of another symbol.
func events(c *bench.Corpus, pause time.Duration, symbol string) []event {
	var out []event
	last := int64(0)
	for i := range c.Lines {
		l := &c.Lines[i]
		if !bytes.HasPrefix(l.Frame, []byte(`{"stream":"`+strings.ToLower(Symbol)+"@")) {
			continue
		}
		e := event{gap: Ns(min(max(l.RecvNs-last, 0), int64(pause)))}
		last = l.RecvNs
		switch name := l.Frame[len(`{"stream":"`)+len(Symbol):]; {
		case bytes.HasPrefix(name, []byte("@bookTicker")):
			e.kind = Touches
		case bytes.HasPrefix(name, []byte("@depth")):
			e.kind = Depth
		case bytes.HasPrefix(name, []byte("@trade")):
			e.kind, e.frame = Trades, l.Frame
			if symbol != Symbol {
				e.frame = bytes.ReplaceAll(l.Frame, []byte(Symbol), []byte(symbol))
				e.frame = bytes.ReplaceAll(e.frame, []byte(strings.ToLower(Symbol)), []byte(strings.ToLower(symbol)))
			}
		default:
			continue
		}
		out = append(out, e)
	}
	return out
}

// frame is one WebSocket frame, made and waiting for its time.
type frame struct {
	due   Ns // from the start
	bytes []byte
	topic int
	mark  int32  // number of the sample it is, -1: it causes no order
	slot  int16  // of the sample's bid
	told  ladder // what depth has told once it has left; Depth only
}

// load makes the next frames of a schedule up to sample number n, all before the first
// one leaves. unixMs is when that will be.
func (s *Server) load(next func() (Slot, bool), n int, unixMs int64) []frame {
	var list []frame
	var ends []int
	var arena, payload []byte
	marks := int32(0)
	first := Ns(-1)
	for int(marks) < n {
		slot, ok := next()
		if !ok {
			break
		}
		if first < 0 {
			first = slot.At
		}
		slot.At -= first
		if slot.Market >= len(s.markets) {
			continue
		}
		m := s.markets[slot.Market]
		f := frame{due: slot.At, topic: slot.Market*int(kinds) + int(slot.Kind), mark: -1}
		payload = payload[:0]
		switch slot.Kind {
		case Touches:
			payload = m.AppendTouch(payload, slot.Moves)
			if slot.Moves && slot.Market == 0 {
				f.mark, f.slot = marks, int16(slotOf(m.made.bid))
				marks++
			}
		case Depth:
			payload = m.AppendDepth(payload, unixMs+int64(slot.At)/1e6)
			f.told = m.told
		case Trades:
			payload = append(payload, slot.Frame...)
		}
		if len(payload) == 0 {
			continue
		}
		arena = bench.AppendServerFrame(arena, payload)
		ends = append(ends, len(arena))
		list = append(list, f)
	}
	from := 0
	for i, end := range ends {
		list[i].bytes = arena[from:end:end]
		from = end
	}
	return list
}
