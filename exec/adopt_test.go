package exec

import (
	"slices"
	"testing"

	"riposte/core"
)

func (r *tableRig) kinds() (out []core.ReportKind) {
	for _, p := range r.reports {
		out = append(out, p.Kind)
	}
	return out
}

// TestATombstoneOutlivesItsSlot: an order proved absent whose slot has long been given
// away shows life: it is what it was, and every fill of it counts.
func TestATombstoneOutlivesItsSlot(t *testing.T) {
	rig := newTableRig(t, 4)
	o := rig.add(100)
	client := o.Client
	rig.Doubt(o, 1)
	if !rig.Absent(o, 2) || rig.Tombstones() != 1 {
		t.Fatalf("%d tombstones, want 1", rig.Tombstones())
	}
	for range 8 { // its slot goes to others
		rig.NotSent(rig.add(1), 3)
	}
	rig.reports = nil
	fill := core.Execution{Kind: core.ExecTrade, Status: core.PartiallyFilled, Instrument: 1, Client: client, VenueID: 77, Qty: 100, TradeID: 5, LastQty: 40, Cum: 40}
	late := rig.Apply(&fill)
	if late == nil || late.Status() != core.PartiallyFilled || late.Qty != 100 || late.Price != 100 || !late.adopted || rig.Live() != 1 {
		t.Fatalf("the late fill found %+v", late)
	}
	if rig.Stats.Adopted != 1 || rig.Stats.Contradictions != 1 || rig.Tombstones() != 0 {
		t.Errorf("counted %+v with %d tombstones", rig.Stats, rig.Tombstones())
	}
	if want := []core.ReportKind{core.ReportAdopted, core.ReportFill}; !slices.Equal(rig.kinds(), want) || rig.reports[0].Qty != 100 || rig.reports[0].Price != 100 {
		t.Errorf("reports are %+v, want %v", rig.reports, want)
	}
	if rig.Apply(&fill); rig.Stats.Duplicates != 1 {
		t.Error("the same fill counted twice")
	}
	rig.Apply(&core.Execution{Kind: core.ExecCanceled, Status: core.Canceled, Instrument: 1, Client: client, VenueID: 77, Qty: 100, TradeID: -1, Cum: 40})
	if rig.Live() != 0 || rig.reports[len(rig.reports)-1].Kind != core.ReportDone {
		t.Errorf("%d live, reports %+v", rig.Live(), rig.reports)
	}
}

// TestAFormerRunsOrdersAreTakenUp: live ones with what was booked, tombstones, and what
// was sent in the last instant before the power went.
func TestAFormerRunsOrdersAreTakenUp(t *testing.T) {
	rig := newTableRig(t, 8)
	former, err := NewIDs("rp", rig.ids.Epoch()-5)
	if err != nil {
		t.Fatal(err)
	}
	partly := rig.Restore(&Known{Client: former.ID(3), VenueID: 40, Instrument: 1, Price: 7, Qty: 100, Cum: 30, Alive: true, Fills: []KnownFill{{Trade: 1, Qty: 30}}})
	doubt := rig.Restore(&Known{Client: former.ID(4), Instrument: 1, Price: 7, Qty: 50})
	if rig.Restore(&Known{Client: former.ID(5), Instrument: 1, Price: 7, Qty: 20, End: core.NotSent}) != nil || rig.Tombstones() != 1 {
		t.Error("a tombstone was restored as an order")
	}
	if partly.Status() != core.PartiallyFilled || doubt.Status() != core.Unknown || rig.UnknownOf(1) != 1 || rig.Live() != 2 {
		t.Fatalf("restored %v and %v, %d live", partly.Status(), doubt.Status(), rig.Live())
	}
	if want := []core.ReportKind{core.ReportAdopted, core.ReportAdopted, core.ReportDoubt}; !slices.Equal(rig.kinds(), want) || rig.reports[0].Cum != 30 {
		t.Errorf("reports are %+v, want %v", rig.reports, want)
	}
	rig.reports = nil
	// The fill that is booked is not booked again, the next one is.
	for trade := range int64(2) {
		rig.Apply(&core.Execution{Kind: core.ExecTrade, Status: core.PartiallyFilled, Instrument: 1, VenueID: 40, TradeID: trade + 1, LastQty: 30})
	}
	if partly.Filled != 60 || rig.Stats.Duplicates != 1 || rig.Stats.Filled != 1 {
		t.Errorf("filled is %v, counted %+v", partly.Filled, rig.Stats)
	}
	for seq, want := range map[uint64]Standing{3: StandHeld, 2: StandEnded, 5: StandLate, 6: StandLate} {
		if got := rig.StandingOf(former.ID(seq)); got != want {
			t.Errorf("order %d of the former run stands as %v, want %v", seq, got, want)
		}
	}
	unrecorded := core.Execution{Kind: core.ExecStatus, Status: core.New, Instrument: 1, Client: former.ID(6), VenueID: 41, Qty: 5, Price: 9, TradeID: -1}
	if o := rig.Apply(&unrecorded); o == nil || o.Status() != core.New || !o.adopted || o.Epoch != former.Epoch() {
		t.Errorf("an order whose record was lost is %+v", o)
	}
	ended := core.Execution{Kind: core.ExecStatus, Status: core.New, Instrument: 1, Client: former.ID(2), VenueID: 39, Qty: 5, TradeID: -1}
	if o := rig.Apply(&ended); o != nil || rig.Stats.Lost != 1 {
		t.Errorf("an order that had ended is %+v", o)
	}
}

func TestATwinIsShownAndNotAdopted(t *testing.T) {
	rig := newTableRig(t, 4)
	rig.add(10)
	other, err := NewIDs("rp", rig.ids.Epoch()+3)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range []core.ClientID{other.ID(1), rig.ids.ID(1000)} { // another epoch, and our own where we never were
		e := core.Execution{Kind: core.ExecNew, Status: core.New, Instrument: 1, Client: c, VenueID: int64(i + 1), Qty: 5, TradeID: -1}
		if o := rig.Apply(&e); o != nil || rig.StandingOf(c) != StandTwin {
			t.Errorf("order %s was taken up as %+v", c, o)
		}
	}
	if rig.Stats.OtherRun != 2 || len(rig.ForeignSeen()) != 2 || len(rig.reports) != 0 {
		t.Errorf("counted %+v, %d shown, %d reports", rig.Stats, len(rig.ForeignSeen()), len(rig.reports))
	}
}

// TestWithoutRoomForATombstoneNothingIsProved: forgetting that an order was sent is worse
// than an order that stays in doubt.
func TestWithoutRoomForATombstoneNothingIsProved(t *testing.T) {
	rig := newTableRig(t, 4)
	for i := range uint64(tombMost) {
		rig.tombs[tombKey{1, i}] = Tombstone{}
	}
	o := rig.add(10)
	rig.Doubt(o, 1)
	if rig.Absent(o, 2) || o.Status() != core.Unknown || rig.Live() != 1 {
		t.Errorf("order is %v, %d live", o.Status(), rig.Live())
	}
}
