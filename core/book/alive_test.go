package book

import (
	"testing"

	"riposte/core"
)

func TestAliveProvesOnlyALiveBookWithoutDebt(t *testing.T) {
	in := &core.Instrument{Filters: core.Filters{Tick: 1}}
	s := NewSync(in, 0, 0)
	s.Alive(5)
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
	s.Alive(20)
	if s.LastProof() != 20 {
		t.Errorf("quiet book: proof is %d, want 20", s.LastProof())
	}
	s.Touch(&core.Event{Kind: core.Touch, ID: 11, Recv: 21, W: [4]int64{5, 2, 6, 1}})
	s.Alive(30)
	if s.LastProof() != 20 {
		t.Errorf("a touch that depth has not confirmed: proof is %d, want 20", s.LastProof())
	}
	s.Alive(15)
	if s.LastProof() != 20 {
		t.Errorf("proof went back to %d", s.LastProof())
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
