package engine_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"riposte/core"
	"riposte/core/engine"
	"riposte/core/engine/enginetest"
	"riposte/core/ring"
	"riposte/core/risk"
)

// messages takes what the log has written.
func messages(r *ring.Bytes) (list [][]byte) {
	for m := r.Peek(); m != nil; m = r.Peek() {
		list = append(list, bytes.Clone(m))
		r.Pop()
	}
	return list
}

// again replays messages in a world built as the first one was, and what it decided.
func again(t *testing.T, setup enginetest.Setup, msgs [][]byte) (list []engine.Decision, diff *engine.Difference, err error) {
	t.Helper()
	setup.Inputs = nil
	w, err := enginetest.New(setup)
	if err != nil {
		t.Fatal(err)
	}
	p, err := engine.NewReplay(w.Config, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range msgs {
		got, diff, err := p.Feed(m)
		list = append(list, got...)
		if diff != nil || err != nil {
			return list, diff, err
		}
	}
	return list, nil, nil
}

// logged runs a script with an input log.
func logged(t *testing.T, setup enginetest.Setup, seed uint64) [][]byte {
	t.Helper()
	room := ring.NewBytes(1 << 24)
	setup.Inputs = engine.NewLog(room)
	w, err := enginetest.New(setup)
	if err != nil {
		t.Fatal(err)
	}
	scripted(t, w, seed)
	if n := setup.Inputs.Hole(); n != 0 {
		t.Fatalf("a hole at step %d", n)
	}
	return messages(room)
}

func TestAReplayDecidesTheSame(t *testing.T) {
	for _, strategy := range []string{"reflex", "quoter"} {
		for seed := range uint64(12) {
			setup := scriptSetup(t, strategy)
			setup.PauseMax = time.Second
			msgs := logged(t, setup, seed)
			list, diff, err := again(t, setup, msgs)
			if err != nil || diff != nil {
				t.Fatalf("%s, seed %d: %+v, %v", strategy, seed, diff, err)
			}
			refused := 0
			for i := range list {
				if list[i].Refusal != risk.None {
					refused++
				}
			}
			if len(list)-refused < 50 || refused == 0 {
				t.Errorf("%s, seed %d: only %d decisions, %d of them refusals: too quiet to prove anything", strategy, seed, len(list), refused)
			}
		}
	}
}

func TestAnAlteredConstantIsPointedTo(t *testing.T) {
	setup := scriptSetup(t, "quoter")
	msgs := logged(t, setup, 3)
	setup.Limits.OpenMax = 1
	_, diff, err := again(t, setup, msgs)
	if err != nil || diff == nil || diff.Run == nil || diff.Again == nil {
		t.Fatalf("got %+v and %v, want the first decision that differs", diff, err)
	}
	if diff.Run.Input != diff.Again.Input || diff.Again.Refusal != risk.RefusedOpenOrders || diff.Denial == nil || diff.Cause.Kind == engine.CauseNone {
		t.Fatalf("got %+v, want the second order refused", diff)
	}
}

func TestAChangedInputIsNoticed(t *testing.T) {
	setup := scriptSetup(t, "reflex")
	msgs := logged(t, setup, 5)
	seen := 0
	for i := 40; i < len(msgs); i += 97 {
		for _, at := range []int{len(msgs[i]) - 1, len(msgs[i]) / 2} {
			m := bytes.Clone(msgs[i])
			m[at] ^= 0x41
			was := msgs[i]
			msgs[i] = m
			if _, diff, err := again(t, setup, msgs); diff != nil || err != nil {
				seen++
			}
			msgs[i] = was
		}
	}
	if seen == 0 {
		t.Error("no change of a byte was noticed")
	}
}

func TestAHoleEndsTheProof(t *testing.T) {
	setup := scriptSetup(t, "reflex")
	room := ring.NewBytes(1 << 14)
	setup.Inputs = engine.NewLog(room)
	w, err := enginetest.New(setup)
	if err != nil {
		t.Fatal(err)
	}
	scripted(t, w, 1) // nobody reads the ring
	hole := setup.Inputs.Hole()
	msgs := messages(room)
	if hole != uint64(len(msgs))+1 {
		t.Fatalf("hole at step %d behind %d steps", hole, len(msgs))
	}
	scripted(t, w, 2)
	if n := len(messages(room)); n != 0 {
		t.Errorf("%d steps behind the hole were written", n)
	}
	if _, diff, err := again(t, setup, msgs); diff != nil || err != nil {
		t.Fatalf("before the hole: %+v, %v", diff, err)
	}
	msgs = append(msgs[:5], msgs[6:]...)
	if _, _, err := again(t, setup, msgs); !errors.Is(err, engine.ErrHole) {
		t.Errorf("without a step: got %v, want a hole", err)
	}
}

func TestAnInputLogDoesNotAllocate(t *testing.T) {
	room := ring.NewBytes(1 << 16)
	p := newPathWith(t, "reflex", map[string]any{"keep": int64(2)}, engine.NewLog(room))
	if n := testing.AllocsPerRun(500, func() {
		p.touch()
		p.answer()
		p.answer()
		pour(room)
	}); n != 0 {
		t.Errorf("%v allocations an event, want 0", n)
	}
	if p.out < 200 {
		t.Errorf("only %d orders came out of 500 touches", p.out)
	}
}

// pour reads all messages and forgets them.
func pour(room *ring.Bytes) (n int) {
	for m := room.Peek(); m != nil; m = room.Peek() {
		n += len(m)
		room.Pop()
	}
	return n
}

// BenchmarkInputLog is what the log costs the shard, by event, off and on.
func BenchmarkInputLog(b *testing.B) {
	bids, asks := enginetest.Levels("99.98", "1", "99.97", "0"), enginetest.Levels("100.02", "3")
	for range 7 {
		bids, asks = append(bids, bids[0]), append(asks, asks[0])
	}
	for _, on := range []bool{false, true} {
		name := map[bool]string{false: "off", true: "on"}[on]
		open := func() (*path, *ring.Bytes) {
			room := ring.NewBytes(1 << 20)
			if !on {
				return newPath(b, "reflex", nil), room
			}
			return newPathWith(b, "reflex", nil, engine.NewLog(room)), room
		}
		run := func(kind core.EventKind) func(b *testing.B) {
			return func(b *testing.B) {
				p, room := open()
				w, bytes := p.w, 0
				b.ReportAllocs()
				for b.Loop() {
					p.id++
					ev, lv := w.Queues[0].Claim()
					if kind == core.Touch {
						*ev = core.Event{Kind: core.Touch, Recv: w.Clock.Now, ID: p.id, W: [4]int64{int64(p.mid - tick), int64(p.id), int64(p.mid + tick), core.Scale}}
					} else {
						*ev = core.Event{Kind: core.DepthDelta, ID: p.id, W: [4]int64{int64(p.id)}, Bids: uint16(len(bids)), Asks: uint16(len(asks)), Recv: w.Clock.Now}
						lv = append(append(lv, bids...), asks...)
					}
					w.Queues[0].Publish(len(lv))
					w.Shard.Step()
					if s := w.Stages.Pending(); len(s) > 32 {
						w.Stages.Release(len(s))
					}
					if room.Len() > 1<<18 {
						bytes += pour(room)
					}
				}
				b.ReportMetric(float64(bytes)/float64(b.N), "B/event")
			}
		}
		b.Run("touch "+name, run(core.Touch))
		b.Run("depth of 17 levels "+name, run(core.DepthDelta))
	}
}
