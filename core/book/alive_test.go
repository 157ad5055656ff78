package book

import (
	"testing"

	"riposte/core"
)

func TestAliveProvesOnlyALiveBookWithoutDebt(t *testing.T) {
	in := &core.Instrument{Filters: core.Filters{Tick: 1}}
	s := NewSync(in, 0, 0)
	s.Alive(&core.Event{Kind: core.LineAlive, Recv: 5})
	if s.LastProof() != 0 {
		t.Fatalf("a syncing book was proved: got %d, want 0", s.LastProof())
	}
	ev := core.Event{Kind: core.DepthDelta, ID: 10, Recv: 10}
	ev.W[0] = 10
	s.Delta(&ev, nil)
	s.Snapshot(&Image{LastID: 9, Bids: []core.Level{{Price: 5, Qty: 1}}, Asks: []core.Level{{Price: 6, Qty: 1}}})
	if v := s.Delta(&ev, nil); v != Applied {
		t.Fatalf("got %v, want applied", v)
	}
	s.Alive(&core.Event{Kind: core.LineAlive, Recv: 20})
	if s.LastProof() != 20 {
		t.Errorf("quiet book: proof is %d, want 20", s.LastProof())
	}
	s.Touch(&core.Event{Kind: core.Touch, ID: 11, Recv: 21, W: [4]int64{5, 2, 6, 1}})
	s.Alive(&core.Event{Kind: core.LineAlive, Recv: 30})
	if s.LastProof() != 20 {
		t.Errorf("a touch that depth has not confirmed: proof is %d, want 20", s.LastProof())
	}
	s.Alive(&core.Event{Kind: core.LineAlive, Recv: 15})
	if s.LastProof() != 20 {
		t.Errorf("proof went back to %d", s.LastProof())
	}
}

// TestProofIsNoNewerThanItsBytesAreByTheVenuesTime: reading data late does not make it
// fresh, and what may be the clock's error is not held against it.
func TestProofIsNoNewerThanItsBytesAreByTheVenuesTime(t *testing.T) {
	const ms, origin = core.MonoNs(1e6), core.WallNs(1_722_000_000e9)
	venue := func(at core.MonoNs) core.WallNs { return origin + core.WallNs(at) }
	for name, c := range map[string]struct {
		known      bool // the venue's clock
		bound      core.MonoNs
		sent, read core.MonoNs // of a depth event
		undated    bool
		dated, got core.MonoNs // of the line's newest dated event, when it left and was read
		alive      core.MonoNs // then bytes without a time are read
		want, last core.MonoNs
	}{
		"prompt":                                 {known: true, sent: 1000 * ms, read: 1001 * ms, want: 1000 * ms, last: 1001 * ms},
		"late":                                   {known: true, sent: 1000 * ms, read: 6000 * ms, want: 1000 * ms, last: 6000 * ms},
		"late, within the error":                 {known: true, bound: 40 * ms, sent: 1000 * ms, read: 1030 * ms, want: 1030 * ms, last: 1030 * ms},
		"late, beyond the error":                 {known: true, bound: 40 * ms, sent: 1000 * ms, read: 6000 * ms, want: 1040 * ms, last: 6000 * ms},
		"from the future by a clock that is off": {known: true, sent: 1000 * ms, read: 980 * ms, want: 980 * ms, last: 980 * ms},
		"nobody knows the venue's time":          {sent: 1000 * ms, read: 6000 * ms, want: 6000 * ms, last: 6000 * ms},
		"the event has none":                     {known: true, undated: true, read: 6000 * ms, want: 6000 * ms, last: 6000 * ms},
		"alive on a prompt line":                 {known: true, sent: 1000 * ms, read: 1000 * ms, dated: 2000 * ms, got: 2000 * ms, alive: 2500 * ms, want: 2500 * ms, last: 2500 * ms},
		"alive on a late line":                   {known: true, sent: 1000 * ms, read: 1000 * ms, dated: 2000 * ms, got: 7000 * ms, alive: 7500 * ms, want: 2500 * ms, last: 7500 * ms},
		"alive on a line that is late within it": {known: true, bound: 40 * ms, sent: 1000 * ms, read: 1000 * ms, dated: 2000 * ms, got: 2040 * ms, alive: 7500 * ms, want: 7500 * ms, last: 7500 * ms},
		"alive on a line that has told no time":  {known: true, sent: 1000 * ms, read: 1000 * ms, alive: 7500 * ms, want: 7500 * ms, last: 7500 * ms},
		"a proof that is older than one had":     {known: true, sent: 1000 * ms, read: 1000 * ms, dated: 2000 * ms, got: 9000 * ms, alive: 7500 * ms, want: 1000 * ms, last: 7500 * ms},
	} {
		t.Run(name, func(t *testing.T) {
			s := NewSync(&core.Instrument{Filters: core.Filters{Tick: 1}}, 0, 0)
			if c.known {
				s.VenueClock(origin, c.bound)
			}
			ev := core.Event{Kind: core.DepthDelta, ID: 10, Recv: c.read, W: [4]int64{10, 0, int64(venue(c.sent)), 0}}
			if c.undated {
				ev.W[2] = 0
			}
			s.Snapshot(&Image{LastID: 9, Bids: []core.Level{{Price: 5, Qty: 1}}, Asks: []core.Level{{Price: 6, Qty: 1}}})
			if v := s.Delta(&ev, nil); v != Applied {
				t.Fatalf("got %v, want applied", v)
			}
			if c.alive != 0 {
				ev = core.Event{Kind: core.LineAlive, Recv: c.alive}
				if c.dated != 0 {
					ev.W[1], ev.W[2] = int64(c.got), int64(venue(c.dated))
				}
				s.Alive(&ev)
			}
			if got, read := s.LastProof(), s.LastRead(); got != c.want || read != c.last {
				t.Errorf("proved at %v, read at %v ms, want %v and %v", got/ms, read/ms, c.want/ms, c.last/ms)
			}
		})
	}
}

func TestOverflowBeforeTheFirstSnapshotKeepsWaitingForIt(t *testing.T) {
	in := &core.Instrument{Filters: core.Filters{Tick: 1}}
	s := NewSync(in, 0, 0)
	ev := core.Event{Kind: core.DepthDelta, ID: 10, Recv: 10}
	ev.W[0] = 10
	s.Delta(&ev, nil)
	s.Overflow()
	if s.State() != Syncing {
		t.Fatalf("got %v, want syncing", s.State())
	}
	// The events that were waiting are gone: an image that joined them joins no more.
	ev.ID, ev.W[0] = 20, 20
	if v := s.Delta(&ev, nil); v != Wait {
		t.Fatalf("got %v, want wait", v)
	}
	old := &Image{LastID: 9, Bids: []core.Level{{Price: 5, Qty: 1}}, Asks: []core.Level{{Price: 6, Qty: 1}}}
	if v := s.Snapshot(old); v != Refetch {
		t.Errorf("an image older than the first waiting event: got %v, want refetch", v)
	}
}
