package exec

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"riposte/core"
)

// worldly is a venue's account and our possibly outdated view of it.
type worldly struct {
	rig    *tableRig
	ledger *Ledger
	venue  map[core.ClientID]*core.Execution
	trades []core.Execution
	opened core.Amount
}

func (w *worldly) view() *View {
	v := &View{Ledger: w.ledger, Knows: w.rig.knows, Standing: w.rig.StandingOf}
	w.rig.EachLive(func(o *Order) {
		v.Orders = append(v.Orders, OrderView{o.ID, o.Client, o.Instrument, o.Status(), o.Cum, o.Heard})
	})
	return v
}

func (w *worldly) snapshot() *Snapshot {
	s := &Snapshot{Begun: 100, Ended: 101, Quiet: true}
	usdt := w.opened
	var btc core.Amount
	for _, e := range w.venue {
		if !e.Status.Terminal() {
			s.Open = append(s.Open, *e)
		}
	}
	s.Trades = slices.Clone(w.trades)
	for i := range s.Trades {
		e := &s.Trades[i]
		btc += core.Amount(e.LastQty)
		usdt -= e.LastQuote
		if w.rig.byVenue(e.Instrument, e.VenueID) == nil { // attributed, as the audit does
			for _, o := range w.venue {
				if o.VenueID == e.VenueID {
					e.Client, e.Qty, e.Price = o.Client, o.Qty, o.Price
				}
			}
		}
	}
	s.Balances = []core.Balance{{Asset: 0, Free: btc}, {Asset: 1, Free: usdt}}
	return s
}

// TestReconcileConvergesInOnePass: whatever part of the truth we have missed,
// applying the corrections leaves nothing to correct, and a second reconciliation
// of the same changes nothing.
func TestReconcileConvergesInOnePass(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &worldly{ledger: NewLedger(ledgerTable(t)), venue: map[core.ClientID]*core.Execution{}, opened: 1e12}
		ids, err := NewIDs("rp", 1_700_000_000)
		if err != nil {
			t.Fatal(err)
		}
		w.rig = &tableRig{ids: ids}
		w.rig.Table = NewTable(ids, 32, func(r *core.Report) {
			if r.Kind == core.ReportFill {
				w.ledger.Fill(r)
			}
		})
		w.ledger.Open([]core.Balance{{Asset: 1, Free: 1e12}})
		trade := int64(0)
		for i := range rapid.IntRange(1, 8).Draw(t, "orders") {
			seq := ids.Next()
			o := w.rig.Add(&core.Intent{ID: core.OrderID(i + 1), Qty: 100, Price: 100}, &Request{Seq: seq, Client: ids.ID(seq)})
			e := core.Execution{Kind: core.ExecStatus, Status: core.New, Client: o.Client, VenueID: int64(i + 500), Qty: 100, TradeID: -1}
			if rapid.IntRange(0, 4).Draw(t, "arrives") == 0 {
				w.rig.Doubt(o, 1) // it never came to the venue, or so it seems
				continue
			}
			if rapid.IntRange(0, 4).Draw(t, "buried") == 0 {
				w.rig.Doubt(o, 1) // declared absent, and its slot given away, and yet it lives
				w.rig.Absent(o, 1)
				w.rig.forget(o)
			}
			held := w.rig.Find(o.ID) == o
			hear := func(e core.Execution) {
				e.Recv = 50
				if held {
					w.rig.Apply(&e)
				}
			}
			if rapid.Bool().Draw(t, "ack heard") {
				hear(e)
			} else if held {
				w.rig.Doubt(o, 1)
			}
			for range rapid.IntRange(0, 3).Draw(t, "fills") {
				trade++
				e.Cum += 25
				e.Status = core.PartiallyFilled
				f := e
				f.Kind, f.TradeID, f.LastQty, f.LastQuote, f.FeeAsset = core.ExecTrade, trade, 25, 2500, core.NoAsset
				told := f
				told.Client, told.Cum, told.Status = core.ClientID{}, 0, core.New
				w.trades = append(w.trades, told)
				if rapid.Bool().Draw(t, "fill heard") {
					hear(f)
				}
			}
			if rapid.IntRange(0, 2).Draw(t, "ends") == 0 {
				e.Status = core.Canceled
				if rapid.Bool().Draw(t, "end heard") {
					hear(e)
				}
			}
			w.venue[e.Client] = &e
		}
		for i := range rapid.IntRange(0, 3).Draw(t, "others") { // a manual client trades too
			trade++
			c, _ := core.MakeClientID(fmt.Sprint("web_", i))
			w.venue[c] = &core.Execution{Kind: core.ExecStatus, Status: core.Filled, Client: c, VenueID: int64(900 + i), Qty: 10, Cum: 10, TradeID: -1}
			w.trades = append(w.trades, core.Execution{Kind: core.ExecTrade, VenueID: int64(900 + i), TradeID: trade, LastQty: 10, LastQuote: 1000, FeeAsset: core.NoAsset})
		}
		// One pass. The resolver's part is played by asking the venue directly.
		booked := map[int64]bool{}
		apply := func(ds []Difference) {
			for _, d := range ds {
				switch d.Kind {
				case DiffBehind, DiffMissedFill, DiffLate:
					w.rig.Apply(&d.Evidence)
				case DiffForeignFill:
					w.ledger.Foreign(&d.Evidence)
					booked[d.Evidence.TradeID] = true
				case DiffNotOpen:
					if e := w.venue[w.rig.Find(d.Order).Client]; e != nil {
						w.rig.Apply(e)
					}
				}
			}
		}
		first := w.snapshot()
		apply(Reconcile(w.view(), first))
		w.rig.EachLive(func(o *Order) {
			if e := w.venue[o.Client]; e != nil {
				w.rig.Apply(e)
			}
		})
		// Fills of others are read once: the marks have moved on.
		second := w.snapshot()
		second.Trades = slices.DeleteFunc(second.Trades, func(e core.Execution) bool { return booked[e.TradeID] })
		if ds := Reconcile(w.view(), second); len(ds) != 0 {
			t.Fatalf("still different after correction: %+v", ds)
		}
		for c, e := range w.venue {
			if w.rig.StandingOf(c) == StandForeign {
				continue
			}
			o := w.rig.byVenue(e.Instrument, e.VenueID)
			if o == nil && e.Status.Terminal() && (e.Cum == 0 || w.rig.StandingOf(c) == StandEnded) {
				continue // it lived and ended unseen with nothing owed to it, or was told done and forgotten
			}
			if o.Status() != e.Status || o.Filled != e.Cum {
				t.Fatalf("order %s is %v with %v, the venue says %v with %v", c, o.Status(), o.Filled, e.Status, e.Cum)
			}
		}
	})
}

func TestReconcileNamesWhatItFinds(t *testing.T) {
	rig := newTableRig(t, 8)
	working, behind, pending := rig.add(100), rig.add(100), rig.add(100)
	for i, o := range []*Order{working, behind} {
		rig.Apply(&core.Execution{Kind: core.ExecNew, Status: core.New, Instrument: 1, Client: o.Client, VenueID: int64(i + 1), Qty: 100, TradeID: -1, Recv: 5})
	}
	w := &worldly{rig: rig, ledger: NewLedger(ledgerTable(t)), opened: 0}
	w.ledger.Open([]core.Balance{{Asset: 1, Free: 7}})
	other, _ := NewIDs("rp", 1_600_000_000)
	manual, _ := core.MakeClientID("web_1")
	s := &Snapshot{Begun: 100, Open: []core.Execution{
		{Client: behind.Client, Instrument: 1, VenueID: 2, Cum: 10, Status: core.PartiallyFilled},
		{Client: rig.ids.ID(rig.ids.Next()), Instrument: 1, VenueID: 3}, {Client: other.ID(1), Instrument: 1, VenueID: 4}, {Client: manual, Instrument: 1, VenueID: 5},
	}, Trades: []core.Execution{{Kind: core.ExecTrade, Instrument: 1, VenueID: 2, TradeID: 9, LastQty: 10}, {Kind: core.ExecTrade, Instrument: 1, VenueID: 5, TradeID: 10, Client: manual},
		{Kind: core.ExecTrade, Instrument: 1, VenueID: 6, TradeID: 11}},
		Balances: []core.Balance{{Asset: 1, Free: 9}}}
	got := Reconcile(w.view(), s)
	slices.SortFunc(got, func(a, b Difference) int { return int(a.Kind) - int(b.Kind) })
	var kinds []DiffKind
	for _, d := range got {
		kinds = append(kinds, d.Kind)
	}
	want := []DiffKind{DiffNotOpen, DiffBehind, DiffMissedFill, DiffUnheld, DiffTwin, DiffForeign, DiffForeignFill, DiffUnattributed, DiffBalance}
	if !slices.Equal(kinds, want) || got[0].Order != working.ID || got[1].Order != behind.ID || got[2].Evidence.TradeID != 9 || got[8].Balance.Mismatch != (Mismatch{1, 7, 9}) {
		t.Errorf("found %+v, want %v", got, want)
	}
	if pending.Status() != core.PendingNew {
		t.Error("the order in flight was touched")
	}
	v := w.view()
	v.Before, v.Settle = []Sighting{{Mismatch{1, 5, 7}, 50}}, 40 // the same two too many
	s.Trades, s.Open = nil, nil
	got = Reconcile(v, s)
	if k := got[len(got)-1].Kind; k != DiffMismatch {
		t.Errorf("a difference that stays is %v, want a mismatch", k)
	}
	// An ack that came while the list was made proves nothing wrong.
	rig.Apply(&core.Execution{Kind: core.ExecNew, Status: core.New, Instrument: 1, Client: working.Client, VenueID: 1, Qty: 100, TradeID: -1, Recv: 150})
	for _, d := range Reconcile(w.view(), s) {
		if d.Kind == DiffNotOpen && d.Order == working.ID {
			t.Error("an order heard of after the list was begun is missed on it")
		}
	}
}

// forget gives the slot of an ended order away.
func (r *tableRig) forget(o *Order) {
	for range r.slots {
		s, ok := r.slot()
		if !ok {
			panic("BUG: a test's table is full")
		}
		r.free = append([]int32{s}, r.free...)
		if r.Find(o.ID) == nil {
			return
		}
		r.free = slices.DeleteFunc(r.free, func(f int32) bool { return f == s })
		defer func() { r.free = append(r.free, s) }()
	}
}
