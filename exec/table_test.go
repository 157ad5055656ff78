package exec

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"riposte/core"
)

type tableRig struct {
	*Table
	ids     *IDs
	reports []core.Report
	nextID  core.OrderID
}

func newTableRig(t rapid.TB, orders int) *tableRig {
	ids, err := NewIDs("rp", 1_700_000_000)
	if err != nil {
		t.Fatal(err)
	}
	r := &tableRig{ids: ids}
	r.Table = NewTable(ids, orders, func(p *core.Report) { r.reports = append(r.reports, *p) })
	return r
}

func (r *tableRig) add(qty core.Qty) *Order {
	seq := r.ids.Next()
	r.nextID++
	return r.Add(&core.Intent{ID: r.nextID, Instrument: 1, Qty: qty, Price: 100, Type: core.Limit}, &Request{Seq: seq, Client: r.ids.ID(seq)})
}

// clue is one delivery of evidence.
type clue struct {
	name  string
	apply func(*tableRig, *Order)
}

func clueOf(name string, es ...core.Execution) clue {
	return clue{name, func(r *tableRig, _ *Order) {
		for i := range es {
			r.Apply(&es[i])
		}
	}}
}

// history draws what a venue did with an order and every way of learning it.
func history(t *rapid.T, o *Order) (clues []clue, end core.OrderStatus, fills map[int64]core.Qty) {
	base := core.Execution{Instrument: o.Instrument, Client: o.Client, VenueID: 4711, Qty: o.Qty, FeeAsset: core.NoAsset, TradeID: -1}
	k := rapid.IntRange(0, 4).Draw(t, "fills")
	status := core.New
	cum := core.Qty(0)
	fills = map[int64]core.Qty{}
	state := func(kind core.ExecKind) core.Execution {
		e := base
		e.Kind, e.Status, e.Cum = kind, status, cum
		return e
	}
	clues = append(clues, clueOf("NEW", state(core.ExecNew)), clueOf("query", state(core.ExecStatus)))
	var trades []core.Execution
	for i := range k {
		q := core.Qty(10)
		if i == k-1 && rapid.Bool().Draw(t, "full") {
			q = o.Qty - cum
		}
		if cum += q; cum == o.Qty {
			status = core.Filled
		} else {
			status = core.PartiallyFilled
		}
		e := state(core.ExecTrade)
		e.TradeID, e.LastQty, e.LastPrice = int64(100+i), q, 100
		fills[e.TradeID] = q
		trades = append(trades, e)
		clues = append(clues, clueOf(fmt.Sprint("TRADE", i), e))
		told := e // as myTrades tells it: no client id, no cumulative sum
		told.Client, told.Cum, told.Status = core.ClientID{}, 0, core.New
		whole := append([]core.Execution{state(core.ExecStatus)}, trades...)
		whole[len(whole)-1] = told
		clues = append(clues, clueOf(fmt.Sprint("query with trades ", i), whole...), clueOf(fmt.Sprint("answer ", i), append([]core.Execution{state(core.ExecStatus)}, trades...)...))
	}
	if status != core.Filled {
		switch rapid.IntRange(0, 2).Draw(t, "end") {
		case 0:
			status = core.Canceled
			clues = append(clues, clueOf("CANCELED", state(core.ExecCanceled)), clueOf("cancel answer", state(core.ExecStatus)))
		case 1:
			status = core.Expired
			clues = append(clues, clueOf("EXPIRED", state(core.ExecExpired)))
		}
		clues = append(clues, clueOf("last query", state(core.ExecStatus)))
	}
	clues = append(clues, clue{"doubt", func(r *tableRig, o *Order) { r.Doubt(o, 5) }})
	return clues, status, fills
}

func TestAnyOrderOfEvidenceGivesTheSameEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rig := newTableRig(t, 4)
		o := rig.add(100)
		clues, end, fills := history(t, o)
		// Every piece at least once, some again, in any order.
		for range rapid.IntRange(0, 5).Draw(t, "again") {
			clues = append(clues, rapid.SampledFrom(clues).Draw(t, "which"))
		}
		clues = rapid.Permutation(clues).Draw(t, "order")
		var names []string
		for _, c := range clues {
			names = append(names, c.name)
			before := o.Status()
			c.apply(rig, o)
			if before.Terminal() && o.Status() != before {
				t.Fatalf("after %v the order went from %v to %v", names, before, o.Status())
			}
		}
		var sum core.Qty
		for _, q := range fills {
			sum += q
		}
		if o.Status() != end || o.Filled != sum || o.Cum != sum || o.VenueID != 4711 {
			t.Fatalf("after %v the order is %v with %d of %d filled, want %v with %d", names, o.Status(), o.Filled, o.Cum, end, sum)
		}
		if rig.Stats.Contradictions != 0 || rig.Stats.Foreign != 0 || rig.Stats.Lost != 0 {
			t.Fatalf("after %v the table found contradictions: %+v", names, rig.Stats)
		}
		checkReports(t, rig.reports, end, fills)
		if live := rig.Live(); (live == 0) != end.Terminal() {
			t.Fatalf("%d orders are live, the end is %v", live, end)
		}
	})
}

// checkReports holds the engine's side of the contract.
func checkReports(t rapid.TB, reports []core.Report, end core.OrderStatus, fills map[int64]core.Qty) {
	t.Helper()
	got := map[int64]core.Qty{}
	acks, dones, doubts := 0, 0, 0
	var cum core.Qty
	for i, r := range reports {
		if dones > 0 {
			t.Fatalf("report %d %+v follows Done", i, r)
		}
		if r.Status.Terminal() && r.Kind != core.ReportDone && r.Cum < total(fills) {
			t.Fatalf("report %d %+v tells an end before all fills", i, r)
		}
		switch r.Kind {
		case core.ReportAck:
			acks++
		case core.ReportFill:
			if acks == 0 {
				t.Fatalf("report %d %+v comes before the ack", i, r)
			}
			if _, dup := got[r.TradeID]; dup {
				t.Fatalf("fill %d was reported twice", r.TradeID)
			}
			got[r.TradeID] = r.Qty
			if cum += r.Qty; cum != r.Cum {
				t.Fatalf("fill %d says %d executed so far, want %d", r.TradeID, r.Cum, cum)
			}
		case core.ReportDoubt:
			doubts++
		case core.ReportResolved:
			doubts--
		case core.ReportDone:
			dones++
			if r.Status != end || r.Cum != total(fills) {
				t.Fatalf("done says %v with %d, want %v with %d", r.Status, r.Cum, end, total(fills))
			}
		}
		if doubts < 0 || doubts > 1 {
			t.Fatalf("doubt and its end do not pair: %+v", reports)
		}
	}
	if acks != 1 || doubts != 0 || (dones == 1) != end.Terminal() || !maps.Equal(got, fills) {
		t.Fatalf("%d acks, %d dones, doubt %d, fills %v, want fills %v; reports %+v", acks, dones, doubts, got, fills, reports)
	}
}

func total(fills map[int64]core.Qty) (sum core.Qty) {
	for _, q := range fills {
		sum += q
	}
	return sum
}

func TestEndIsToldWhenItsFillsAreKnown(t *testing.T) {
	rig := newTableRig(t, 4)
	o := rig.add(100)
	e := core.Execution{Kind: core.ExecCanceled, Status: core.Canceled, Instrument: 1, Client: o.Client, VenueID: 9, Cum: 30, Qty: 100, TradeID: -1}
	rig.Apply(&e)
	if rig.Live() != 1 || o.Status() != core.Canceled || o.Complete() {
		t.Fatalf("order is %v, complete %v, %d live", o.Status(), o.Complete(), rig.Live())
	}
	f := core.Execution{Kind: core.ExecTrade, Status: core.PartiallyFilled, Instrument: 1, VenueID: 9, TradeID: 1, LastQty: 30}
	rig.Apply(&f)
	var kinds []core.ReportKind
	for _, r := range rig.reports {
		kinds = append(kinds, r.Kind)
	}
	if want := []core.ReportKind{core.ReportAck, core.ReportFill, core.ReportDone}; !slices.Equal(kinds, want) {
		t.Errorf("reports are %v, want %v", kinds, want)
	}
	if rig.reports[1].Status != core.PartiallyFilled || rig.reports[2].Status != core.Canceled {
		t.Errorf("reports are %+v", rig.reports)
	}
}

func TestRefusedAndNeverSentEndAtOnce(t *testing.T) {
	rig := newTableRig(t, 4)
	a, b, c := rig.add(1), rig.add(1), rig.add(1)
	rig.Refuse(a, -2010, 3)
	rig.NotSent(b, 4)
	rig.Doubt(c, 5)
	rig.NotSent(c, 6)
	var got []string
	for _, r := range rig.reports {
		got = append(got, fmt.Sprint(r.ID, " ", r.Kind, " ", r.Status, " ", r.Code))
	}
	want := []string{"1 2 REJECTED -2010", "2 2 NOT_SENT 0", "3 4 UNKNOWN 0", "3 5 NOT_SENT 0", "3 2 NOT_SENT 0"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("reports differ (-want +got):\n%s", d)
	}
	if rig.Live() != 0 || rig.Unknown() != 0 {
		t.Errorf("%d live, %d unknown", rig.Live(), rig.Unknown())
	}
}

func TestLifeAfterTheEndIsAdopted(t *testing.T) {
	for name, end := range map[string]func(*tableRig, *Order){
		"refused":  func(r *tableRig, o *Order) { r.Refuse(o, -1021, 1) },
		"not sent": func(r *tableRig, o *Order) { r.NotSent(o, 1) },
	} {
		rig := newTableRig(t, 4)
		o := rig.add(10)
		end(rig, o)
		rig.reports = nil
		rig.Apply(&core.Execution{Kind: core.ExecNew, Status: core.New, Instrument: 1, Client: o.Client, VenueID: 5, Qty: 10, TradeID: -1})
		if o.Status() != core.New || rig.Live() != 1 || rig.Stats.Contradictions == 0 {
			t.Errorf("%s: order is %v, %d live, %+v", name, o.Status(), rig.Live(), rig.Stats)
		}
		rig.Apply(&core.Execution{Kind: core.ExecTrade, Status: core.Filled, Instrument: 1, Client: o.Client, VenueID: 5, Qty: 10, TradeID: 1, LastQty: 10, Cum: 10})
		var kinds []core.ReportKind
		for _, r := range rig.reports {
			kinds = append(kinds, r.Kind)
		}
		if want := []core.ReportKind{core.ReportResolved, core.ReportAck, core.ReportFill, core.ReportDone}; !slices.Equal(kinds, want) {
			t.Errorf("%s: reports are %v, want %v", name, kinds, want)
		}
		if rig.Live() != 0 {
			t.Errorf("%s: %d live after the fill", name, rig.Live())
		}
	}
}

func TestContradictingEndsDoNotDependOnTheirOrder(t *testing.T) {
	ends := []core.OrderStatus{core.Filled, core.Canceled, core.Rejected, core.Expired}
	for i, a := range ends {
		for _, b := range ends[i+1:] {
			var got [2]core.OrderStatus
			for k, pair := range [][2]core.OrderStatus{{a, b}, {b, a}} {
				rig := newTableRig(t, 4)
				o := rig.add(10)
				for _, st := range pair {
					rig.Apply(&core.Execution{Kind: core.ExecStatus, Status: st, Instrument: 1, Client: o.Client, VenueID: 5, Qty: 10, TradeID: -1})
				}
				got[k] = o.Status()
				if rig.Stats.Contradictions == 0 {
					t.Errorf("%v then %v: no contradiction was counted", pair[0], pair[1])
				}
			}
			if got[0] != got[1] || got[0] != a {
				t.Errorf("%v and %v end as %v or %v, want %v", a, b, got[0], got[1], a)
			}
		}
	}
}

func TestForeignExecutionsAreShownAndNotTouched(t *testing.T) {
	rig := newTableRig(t, 4)
	rig.add(10)
	other, err := NewIDs("rp", 1_600_000_000)
	if err != nil {
		t.Fatal(err)
	}
	manual, _ := core.MakeClientID("web_0123456789")
	for i, c := range []core.ClientID{manual, other.ID(1), {}} {
		e := core.Execution{Kind: core.ExecNew, Status: core.New, Instrument: 1, Client: c, VenueID: int64(900 + i), TradeID: -1}
		if o := rig.Apply(&e); o != nil {
			t.Errorf("execution of %q was taken for order %d", c, o.ID)
		}
	}
	lost := core.Execution{Kind: core.ExecNew, Status: core.New, Instrument: 1, Client: rig.ids.ID(rig.ids.Next()), VenueID: 1000, TradeID: -1}
	rig.Apply(&lost)
	if s := rig.Stats; s.Foreign != 2 || s.OtherRun != 1 || s.Lost != 1 || len(rig.ForeignSeen()) != 3 || len(rig.reports) != 0 {
		t.Errorf("counted %+v, %d shown, %d reports", s, len(rig.ForeignSeen()), len(rig.reports))
	}
}

func TestSlotsAreReusedOldestFirstAndNeverWhileLive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rig := newTableRig(t, 8)
		live := map[core.OrderID]core.ClientID{}
		trade := int64(0)
		for range 200 {
			if rapid.IntRange(0, 2).Draw(t, "do") > 0 {
				o := rig.add(10)
				if (o == nil) != (len(live) == 8) {
					t.Fatalf("with %d live orders Add gave %v", len(live), o)
				}
				if o != nil {
					live[o.ID] = o.Client
				}
			} else if len(live) > 0 {
				id := rapid.SampledFrom(slices.Sorted(maps.Keys(live))).Draw(t, "id")
				trade++
				e := core.Execution{Kind: core.ExecTrade, Status: core.Filled, Instrument: 1, Client: live[id], VenueID: int64(id) + 1000, Qty: 10,
					TradeID: trade, LastQty: 10, Cum: 10}
				if o := rig.Apply(&e); o == nil || o.ID != id {
					t.Fatalf("evidence for order %d went to %+v", id, o)
				}
				delete(live, id)
			}
			if rig.Live() != len(live) {
				t.Fatalf("table has %d live orders, want %d", rig.Live(), len(live))
			}
			for id, c := range live {
				if o := rig.Find(id); o == nil || o.Client != c {
					t.Fatalf("live order %d is lost", id)
				}
			}
		}
	})
}

func TestIndexEqualsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := newIndex(32)
		ref := map[key]int32{}
		for range 300 {
			// Ids 64 apart have one place between them.
			k := key{rapid.Uint32Range(0, 3).Draw(t, "kind"), rapid.Uint64Range(0, 20).Draw(t, "id") + 64*rapid.Uint64Range(0, 2).Draw(t, "lap")}
			if _, ok := ref[k]; ok {
				x.remove(k)
				delete(ref, k)
			} else if len(ref) < 32 {
				s := rapid.Int32Range(0, 100).Draw(t, "slot")
				x.put(k, s)
				ref[k] = s
			}
			for k, want := range ref {
				if got, ok := x.get(k); !ok || got != want {
					t.Fatalf("key %v gives %d %v, want %d", k, got, ok, want)
				}
			}
			if _, ok := x.get(key{9, 9}); ok || x.used != len(ref) {
				t.Fatalf("index holds %d keys, want %d", x.used, len(ref))
			}
		}
	})
}

func TestApplyingEvidenceDoesNotAllocate(t *testing.T) {
	ids := testIDs(t)
	tb := NewTable(ids, 64, func(*core.Report) {})
	trade := int64(0)
	id := core.OrderID(0)
	if n := testing.AllocsPerRun(500, func() {
		seq := ids.Next()
		id++
		o := tb.Add(&core.Intent{ID: id, Qty: 20}, &Request{Seq: seq, Client: ids.ID(seq)})
		e := core.Execution{Kind: core.ExecStatus, Status: core.New, Client: o.Client, VenueID: int64(seq), Qty: 20, TradeID: -1}
		tb.Apply(&e)
		e.Kind = core.ExecTrade
		for range 2 {
			trade++
			e.TradeID, e.LastQty = trade, 10
			e.Cum += 10
			tb.Apply(&e)
		}
	}); n != 0 {
		t.Errorf("an order's life allocates %v times, want 0", n)
	}
	if tb.Live() != 0 || tb.Stats.Done == 0 {
		t.Errorf("%d orders live, %+v", tb.Live(), tb.Stats)
	}
}

// An order that is amended to no more than has traded by then ends as expired: however the
// words come, it is what the venue says.
func TestAnOrderAmendedBelowItsFillsEndsAsTheVenueSays(t *testing.T) {
	for _, newQty := range []core.Qty{40, 60} {
		for _, late := range []bool{false, true} {
			r := newTableRig(t, 8)
			o := r.add(100)
			fill := core.Execution{Kind: core.ExecTrade, Status: core.PartiallyFilled, Instrument: 1, Client: o.Client, VenueID: 7, Qty: 100, TradeID: 1, LastQty: 60, Cum: 60}
			amended := core.Execution{Kind: core.ExecReplaced, Status: core.PartiallyFilled, Instrument: 1, Client: o.Client, VenueID: 7, Qty: newQty, TradeID: -1, Cum: 60}
			over := core.Execution{Kind: core.ExecExpired, Status: core.Expired, Instrument: 1, Client: o.Client, VenueID: 7, Qty: newQty, TradeID: -1, Cum: 60}
			words := []*core.Execution{&fill, &amended, &over}
			if late {
				words = []*core.Execution{&amended, &over, &fill}
			}
			r.Apply(words[0])
			r.Apply(words[1])
			if !late && o.Status() != core.PartiallyFilled {
				t.Errorf("to %d: it is %v before its end was told", newQty, o.Status())
			}
			r.Apply(words[2])
			if o.Status() != core.Expired || !o.Complete() || o.Filled != 60 || r.Stats.Contradictions != 0 {
				t.Errorf("to %d, late %v: it is %v, complete %v, with %d traded and %d contradictions, want EXPIRED with 60", newQty, late, o.Status(), o.Complete(), o.Filled, r.Stats.Contradictions)
			}
		}
	}
}
