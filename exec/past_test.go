package exec

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"riposte/core"
	"riposte/core/journal"
)

// tape is a journal in memory.
type tape struct {
	t   testing.TB
	b   []byte
	seq uint64
}

func (p *tape) note(r journal.Payload) {
	p.seq++
	p.b = r.Append(p.b, p.seq)
}

// begin notes what a session begins with.
func (p *tape) begin(epoch uint64, past *Past) {
	p.note(&journal.SessionStart{Epoch: epoch, Account: "sim", Prefix: "rp"})
	p.note(&journal.Names{Instruments: []journal.InstrumentName{{Symbol: "BTCUSDT", Base: 0, Quote: 1}}, Assets: []string{"BTC", "USDT", "BNB"}})
	past.Checkpoint(epoch, 0, p.note)
}

func (p *tape) past() *Past {
	p.t.Helper()
	past := NewPast()
	r := journal.NewReader(bytes.NewReader(p.b))
	for {
		rec, err := r.Next()
		if errors.Is(err, io.EOF) {
			return past
		}
		if err == nil {
			err = past.Take(&rec)
		}
		if err != nil {
			p.t.Fatal(err)
		}
	}
}

func clientOf(epoch, seq uint64) core.ClientID {
	ids, err := NewIDs("rp", epoch)
	if err != nil {
		panic(err)
	}
	return ids.ID(seq)
}

func intent(id core.OrderID, epoch uint64) *journal.Intent {
	return &journal.Intent{Order: id, Client: clientOf(epoch, uint64(id)), Symbol: "BTCUSDT", Price: 100, Qty: 10, Wall: 5, Window: 6}
}

func told(kind core.ReportKind, id core.OrderID, st core.OrderStatus) *journal.Report {
	return &journal.Report{Report: core.Report{Kind: kind, ID: id, Status: st, VenueID: 77, FeeAsset: core.NoAsset}}
}

func traded(id core.OrderID, trade int64, side core.Side, qty core.Qty, quote, fee core.Amount, asset core.AssetID) *journal.Report {
	return &journal.Report{Report: core.Report{Kind: core.ReportFill, ID: id, Side: side, TradeID: trade, Qty: qty, Quote: quote, Fee: fee, FeeAsset: asset, VenueID: 77}}
}

func TestPastKeepsWhatMayStillMatter(t *testing.T) {
	p := &tape{t: t}
	p.begin(7, NewPast())
	for id := core.OrderID(1); id <= 6; id++ {
		p.note(intent(id, 7))
	}
	p.note(told(core.ReportAck, 2, core.New))
	p.note(told(core.ReportAck, 3, core.New))
	p.note(traded(3, 11, core.Buy, 4, 400, 1, 0))
	p.note(traded(3, 11, core.Buy, 4, 400, 1, 0)) // told again: once
	p.note(told(core.ReportDone, 4, core.Canceled))
	p.note(told(core.ReportDone, 5, core.NotSent)) // no byte left
	p.note(told(core.ReportDoubt, 6, core.Unknown))
	p.note(told(core.ReportDone, 6, core.NotSent)) // proved: a tombstone
	past := p.past()
	var got []string
	for _, o := range past.Orders() {
		state := "in doubt"
		switch {
		case o.Gone:
			state = "tombstone"
		case o.Alive:
			state = "alive " + o.Filled.String()
		}
		got = append(got, o.Client.String()[11:]+" "+state)
	}
	want := []string{"00000001 in doubt", "00000002 alive 0", "00000003 alive 0.00000004", "00000006 tombstone"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if s := past.Symbols["BTCUSDT"]; s == nil || s.Net != 4 || s.BaseFees != 1 || s.Cash != -400 {
		t.Errorf("position %+v, want 4 bought for 400 with a fee of 1", s)
	}
	if past.Runs[7] != 6 {
		t.Errorf("the run's highest sequence is %d, want 6", past.Runs[7])
	}
}

// TestPastHoldsBothOrdersOfAReplaceAndNoneOfAnAmend: a death after a replace's record
// leaves two orders to be asked about; an amend's record is no order, and its report
// says what the order is since.
func TestPastHoldsBothOrdersOfAReplaceAndNoneOfAnAmend(t *testing.T) {
	p := &tape{t: t}
	p.begin(7, NewPast())
	p.note(intent(1, 7))
	p.note(told(core.ReportAck, 1, core.New))
	amend := intent(1, 7)
	amend.Kind, amend.Qty = core.Amend, 6
	p.note(amend)
	if past := p.past(); len(past.Orders()) != 1 || past.Orders()[0].Qty != 10 || !past.Orders()[0].Alive {
		t.Fatalf("after an amend's record alone: %+v, want the order as it was", past.Orders())
	}
	amended := told(core.ReportAmended, 1, core.New)
	amended.Report.Qty = 6
	p.note(amended)
	next := intent(2, 7)
	next.Kind, next.Old = core.Replace, 1
	p.note(next)
	list := p.past().Orders()
	if len(list) != 2 || list[0].Qty != 6 || !list[0].Alive || list[1].Alive || list[1].Qty != 10 || list[1].Client != clientOf(7, 2) || list[1].Window != 6 {
		t.Errorf("after a replace's record: %+v, want the old order of 6 and the new one in doubt", list)
	}
}

// TestTheOpeningCountsOnlyWithTheMarksThatCameWithIt: a death between the two leaves a
// ledger that was never opened, and not one that would book old trades again.
func TestTheOpeningCountsOnlyWithTheMarksThatCameWithIt(t *testing.T) {
	p := &tape{t: t}
	p.begin(7, NewPast())
	p.note(&journal.Holding{Kind: journal.HoldingOpening, Asset: "BTC", Owned: 50})
	if past := p.past(); past.Opened || len(past.Assets) > 0 {
		t.Errorf("opened %v with %v before the audit was on record", past.Opened, past.Assets)
	}
	p.note(&journal.Audit{Settled: true, Marks: []journal.Mark{{Instrument: 0, Trade: 9}}})
	if past := p.past(); !past.Opened || past.Assets["BTC"].Owned != 50 || past.Symbols["BTCUSDT"].Mark != 9 {
		t.Errorf("opened %v, %+v, want 50 BTC and trades read up to 9", past.Opened, past.Symbols["BTCUSDT"])
	}
}

func TestAHalfCheckpointCountsNothing(t *testing.T) {
	p := &tape{t: t}
	p.begin(7, NewPast())
	p.note(intent(1, 7))
	before := p.past()
	p.note(&journal.SessionStart{Epoch: 8})
	p.note(&journal.Position{Symbol: "BTCUSDT", Net: 99})
	after := p.past()
	if len(after.Orders()) != 1 || after.Symbols["BTCUSDT"] != before.Symbols["BTCUSDT"] || after.Epoch != 8 {
		t.Errorf("got %d orders and %+v, want the state before the half checkpoint", len(after.Orders()), after.Symbols)
	}
	rec, err := journal.NewReader(bytes.NewReader((&journal.Checkpoint{Positions: 2}).Append(nil, 1))).Next()
	if err != nil {
		t.Fatal(err)
	}
	if err := after.Take(&rec); err == nil || !strings.Contains(err.Error(), "2 positions") {
		t.Errorf("a checkpoint of other numbers: %v, want an error that names them", err)
	}
}

// TestEveryKindOfRecordIsKnown: one that is written and that the next start does not know
// leaves a journal on which nothing starts again.
func TestEveryKindOfRecordIsKnown(t *testing.T) {
	for k := journal.Kind(1); !strings.HasPrefix(k.String(), "kind "); k++ {
		func() {
			defer func() { _ = recover() }() // empty as it is: what it holds is not the question
			if err := NewPast().Take(&journal.Record{Kind: k, Version: 1}); err != nil && strings.Contains(err.Error(), "not known") {
				t.Errorf("%s: %v", k, err)
			}
		}()
	}
}

func TestARecordOfALaterProgramIsRefused(t *testing.T) {
	for _, rec := range []journal.Record{{Seq: 1, Kind: 200, Version: 1}, {Seq: 1, Kind: journal.KindIntent, Version: 9}} {
		if err := NewPast().Take(&rec); err == nil || !strings.Contains(err.Error(), "a newer riposte wrote it") {
			t.Errorf("%v version %d: %v, want it refused", rec.Kind, rec.Version, err)
		}
	}
}

// TestAPastKnowsEveryKindOfRecord: one that it does not know would keep every later run
// from starting.
func TestAPastKnowsEveryKindOfRecord(t *testing.T) {
	for k := journal.Kind(1); journal.New(k) != nil; k++ {
		text := journal.New(k).Append(nil, 1)
		rec, err := journal.NewReader(bytes.NewReader(text)).Next()
		if err != nil {
			t.Fatal(err)
		}
		if err := NewPast().Take(&rec); err != nil && strings.Contains(err.Error(), "newer riposte") {
			t.Errorf("%v: %v", k, err)
		}
	}
}

// TestAPastComesBackThroughItsCheckpoint has random histories cut into sessions at
// random places: wherever a session begins, the state is the same as of one journal
// read from its start.
func TestAPastComesBackThroughItsCheckpoint(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		one, many := &tape{t: t}, &tape{t: t}
		one.begin(7, NewPast())
		many.begin(7, NewPast())
		epoch := uint64(7)
		trade := int64(0)
		ids := map[core.OrderID]core.OrderID{} // in many, by the number in one
		for id := core.OrderID(1); id <= core.OrderID(rapid.IntRange(1, 12).Draw(r, "orders")); id++ {
			ids[id] = id
			in := intent(id, 7)
			one.note(in)
			many.note(in)
			for range rapid.IntRange(0, 4).Draw(r, "reports") {
				of := core.OrderID(rapid.IntRange(1, int(id)).Draw(r, "of"))
				var rep *journal.Report
				switch rapid.IntRange(0, 3).Draw(r, "kind") {
				case 0:
					rep = told(core.ReportAck, of, core.New)
				case 1:
					trade++
					rep = traded(of, trade, core.Side(rapid.IntRange(0, 1).Draw(r, "side")), 3, 300, 2, core.AssetID(rapid.IntRange(0, 2).Draw(r, "fee")))
				case 2:
					rep = told(core.ReportDoubt, of, core.Unknown)
				default:
					rep = told(core.ReportDone, of, rapid.SampledFrom([]core.OrderStatus{core.NotSent, core.Canceled, core.Filled}).Draw(r, "end"))
				}
				one.note(rep)
				moved := *rep
				moved.Report.ID = ids[of]
				many.note(&moved)
			}
			if rapid.IntRange(0, 3).Draw(r, "die") == 0 {
				epoch++
				past := many.past()
				again := map[core.ClientID]core.OrderID{}
				for i, o := range past.Orders() {
					again[o.Client] = 1<<40 + core.OrderID(epoch)<<20 + core.OrderID(i)
				}
				past.Renumber(again)
				for n := range ids {
					if was, ok := again[clientOf(7, uint64(n))]; ok {
						ids[n] = was
					} else {
						ids[n] = 1 << 50 // ended: what is told of it later finds nothing
					}
				}
				many.begin(epoch, past)
			}
		}
		a, b := one.past(), many.past()
		if d := cmp.Diff(a.Symbols, b.Symbols); d != "" {
			r.Fatalf("positions differ:\n%s", d)
		}
		if d := cmp.Diff(states(a), states(b), cmp.AllowUnexported(core.ClientID{})); d != "" {
			r.Fatalf("orders differ:\n%s", d)
		}
	})
}

// states are the orders of a past by client id, without their numbers.
func states(p *Past) map[string]journal.Order {
	m := map[string]journal.Order{}
	for _, o := range p.Orders() {
		c := *o
		c.ID, c.Client = 0, core.ClientID{}
		m[o.Client.String()] = c
	}
	return m
}

// TestPastReadsOverEveryKindThatThisProgramWrites: a kind that is added to the journal must
// not stop the next start.
func TestPastReadsOverEveryKindThatThisProgramWrites(t *testing.T) {
	for k := journal.Kind(1); journal.Newest(k) > 0; k++ {
		b := journal.New(k).Append(nil, 1)
		rec, err := journal.NewReader(bytes.NewReader(b)).Next()
		if err != nil {
			t.Fatalf("%v: %v", k, err)
		}
		if err := NewPast().Take(&rec); err != nil && strings.Contains(err.Error(), "newer riposte") {
			t.Errorf("%v: %v", k, err)
		}
	}
	if err := NewPast().Take(&journal.Record{Kind: 250, Version: 1}); err == nil {
		t.Error("a kind that nobody knows was read over")
	}
}
