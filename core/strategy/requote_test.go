package strategy_test

import (
	"testing"
	"time"

	"riposte/core"
	"riposte/core/engine/enginetest"
)

var replacing = with(quick, params{"requote": "replace"})

// only is the one intent that left; anything else is a failure.
func only(t testing.TB, out []core.Intent, kind core.IntentKind) core.Intent {
	t.Helper()
	if len(out) != 1 || out[0].Kind != kind {
		t.Fatalf("out came %+v, want one intent of kind %d", out, kind)
	}
	return out[0]
}

// quoted is a world with both sides at work.
func quoted(t testing.TB, values params) (w *enginetest.World, bid, ask core.OrderID) {
	t.Helper()
	w = world(t, "quoter", values, enginetest.Setup{})
	b, a := sides(t, quote(w, "100", "102"))
	w.Ack(b.ID)
	w.Ack(a.ID)
	w.Run()
	return w, b.ID, a.ID
}

func TestQuoterReplacesInOneRequestWhereItIsToldTo(t *testing.T) {
	w, bid, _ := quoted(t, replacing)
	next := only(t, quote(w, "101", "102"), core.Replace)
	if next.Old != bid || next.Price != enginetest.P("101") || next.Type != core.LimitMaker || next.Qty != core.Scale || next.Side != core.Buy {
		t.Fatalf("out came %+v, want the bid replaced at the new touch", next)
	}
	if out := quote(w, "101", "102"); len(out) != 0 {
		t.Fatalf("before the venue has answered came %+v", out)
	}
	w.Done(bid, core.Canceled)
	w.Ack(next.ID)
	w.Run()
	if third := only(t, quote(w, "101.5", "102"), core.Replace); third.Old != next.ID {
		t.Errorf("then %d was replaced, want %d", third.Old, next.ID)
	}
}

// A replace that was refused is not tried again with that order: it is cancelled.
func TestQuoterCancelsWhatCouldNotBeReplaced(t *testing.T) {
	w, bid, _ := quoted(t, replacing)
	next := only(t, quote(w, "101", "102"), core.Replace)
	w.Done(next.ID, core.NotSent)
	w.Report(core.Report{Kind: core.ReportCancelRejected, Status: core.New, ID: bid})
	w.Run()
	if out := quote(w, "101", "102"); len(out) != 0 {
		t.Fatalf("right after the refusal came %+v", out)
	}
	w.Advance(500 * time.Millisecond)
	if ids := cancels(t, w.Out()); len(ids) != 1 || ids[0] != bid {
		t.Fatalf("cancelled %v, want %d", ids, bid)
	}
	w.Done(bid, core.Canceled)
	w.Run()
	w.Advance(500 * time.Millisecond)
	if b, a := sides(t, w.Out()); b == nil || a != nil {
		t.Errorf("then came %+v and %+v, want the bid", b, a)
	}
}

// While nobody knows that the new one did not come to be, the old one has to go.
func TestQuoterEndsAnOldOrderThatWorksOnBesideAnOpenNewOne(t *testing.T) {
	w, bid, _ := quoted(t, replacing)
	next := only(t, quote(w, "101", "102"), core.Replace)
	w.Report(core.Report{Kind: core.ReportDoubt, Status: core.Unknown, ID: next.ID})
	w.Report(core.Report{Kind: core.ReportCancelRejected, Status: core.New, ID: bid})
	w.Run()
	if ids := cancels(t, w.Out()); len(ids) != 1 || ids[0] != bid {
		t.Errorf("cancelled %v, want %d", ids, bid)
	}
}

// Both may trade until the venue has answered, so without room for both it cancels.
func TestQuoterDoesNotReplaceWhereBothCouldPassItsBound(t *testing.T) {
	w, _, _ := quoted(t, replacing)
	hold(w, 8)
	only(t, quote(w, "101", "102"), core.Replace)
	w, bid, _ := quoted(t, replacing)
	hold(w, 9)
	if ids := cancels(t, quote(w, "101", "102")); len(ids) != 1 || ids[0] != bid {
		t.Errorf("with room for one cancelled %v, want %d", ids, bid)
	}
}

func TestQuoterAmendsAnOrderThatIsTooLargeForItsBound(t *testing.T) {
	values := with(replacing, params{"qty": "3"})
	w, bid, _ := quoted(t, values)
	hold(w, 8)
	less := only(t, quote(w, "100", "102"), core.Amend)
	if less.ID != bid || less.Qty != 2*core.Scale {
		t.Fatalf("out came %+v, want the bid amended to the room of 2", less)
	}
	if out := quote(w, "100", "102"); len(out) != 0 {
		t.Fatalf("before the venue has answered came %+v", out)
	}
	w.Amended(bid, 2*core.Scale)
	w.Run()
	if out := quote(w, "100", "102"); len(out) != 0 {
		t.Fatalf("with an order that fits came %+v", out)
	}
	// No room at all, or a refusal: it is cancelled.
	hold(w, 2)
	if ids := cancels(t, quote(w, "100", "102")); len(ids) != 1 || ids[0] != bid {
		t.Errorf("without room cancelled %v, want %d", ids, bid)
	}
	w, bid, _ = quoted(t, values)
	hold(w, 8)
	only(t, quote(w, "100", "102"), core.Amend)
	w.Report(core.Report{Kind: core.ReportCancelRejected, Status: core.New, ID: bid})
	w.Run()
	w.Advance(500 * time.Millisecond)
	if ids := cancels(t, w.Out()); len(ids) != 1 || ids[0] != bid {
		t.Errorf("after a refused amend cancelled %v, want %d", ids, bid)
	}
}
