package risk

import (
	"testing"

	"pgregory.net/rapid"

	"riposte/core"
)

// naive recomputes exposure the slow way: from the list of every order ever
// approved and every fill ever told.
type naive struct {
	orders   []naiveOrder
	position core.Qty
}

type naiveOrder struct {
	id       core.OrderID
	side     core.Side
	qty, cum core.Qty
	ended    bool
	byWord   bool // ended as Rejected or NotSent: by word, not by the venue's book
}

func (n *naive) exposure() (e Exposure) {
	e.Position = n.position
	for _, o := range n.orders {
		if !o.ended {
			e.Open++
			*e.open(o.side) += o.qty - o.cum
		}
	}
	return e
}

// worst is the position if everything that may trade on one side does.
func worst(e Exposure, s core.Side) core.Qty {
	if s == core.Buy {
		return e.Position + e.Buy
	}
	return e.Sell - e.Position
}

// play is one random history. In a hostile one the venue contradicts itself: it
// fills more than was ordered, fills what has ended, revives what was refused.
type play struct {
	*stage
	model   naive
	limit   core.Qty
	openMax int
	hostile bool
}

func newPlay(t *rapid.T, hostile bool) *play {
	p := &play{stage: newStage(), hostile: hostile}
	p.limit = core.Qty(rapid.IntRange(1, 30).Draw(t, "limit")) * core.Scale
	p.openMax = rapid.IntRange(1, 8).Draw(t, "open max")
	p.limits.PositionMax, p.limits.OpenMax = p.limit, p.openMax
	p.account.RateMax, p.account.RateSpan = 1_000_000, 1
	g, err := NewGate(p.table, map[core.InstrumentID]Limits{symA: p.limits}, p.account)
	if err != nil {
		t.Fatal(err)
	}
	g.Lift(HaltNotReconciled)
	p.gate = g
	p.sync = p.bookOf(symA, []core.Level{{Price: px("100"), Qty: 1}}, []core.Level{{Price: px("100.02"), Qty: 1}})
	return p
}

func (p *play) pick(t *rapid.T) *naiveOrder {
	if len(p.model.orders) == 0 {
		t.SkipNow()
	}
	return &p.model.orders[rapid.IntRange(0, len(p.model.orders)-1).Draw(t, "order")]
}

func (p *play) place(t *rapid.T) {
	side := core.Side(rapid.IntRange(0, 1).Draw(t, "side"))
	q := core.Qty(rapid.IntRange(1, 12).Draw(t, "qty")) * core.Scale
	before := p.model.exposure()
	want := None
	switch {
	case before.Open >= p.openMax:
		want = RefusedOpenOrders
	case worst(before, side)+q > p.limit:
		want = RefusedPosition
	}
	in := core.Intent{Side: side, Type: core.Limit, Price: px([2]string{"100", "100.02"}[side]), Qty: q}
	p.now++
	id, r := p.ask(in)
	if r != want {
		t.Fatalf("%v of %v with %+v at stake and a limit of %v: got %v, want %v", side, q, before, p.limit, r, want)
	}
	if r == None {
		p.model.orders = append(p.model.orders, naiveOrder{id: id, side: side, qty: q})
		if w := worst(p.gate.Exposure(symA), side); w > p.limit {
			t.Fatalf("an approval brought the worst case to %v, beyond %v", w, p.limit)
		}
	}
}

// replace puts a new order in the place of an old one: both count.
func (p *play) replace(t *rapid.T) {
	o := p.pick(t)
	q := core.Qty(rapid.IntRange(1, 12).Draw(t, "qty")) * core.Scale
	before := p.model.exposure()
	p.now++
	in := core.Intent{Kind: core.Replace, Old: o.id, Side: o.side, Type: core.Limit, Price: px([2]string{"100", "100.02"}[o.side]), Qty: q}
	id, r := p.ask(in)
	want := r
	switch {
	case o.ended:
		want = RefusedUnknownOrder
	case r == RefusedCancelPending:
	case before.Open >= p.openMax:
		want = RefusedOpenOrders
	case worst(before, o.side)+q > p.limit:
		want = RefusedPosition
	default:
		want = None
	}
	if r != want {
		t.Fatalf("replace of order %d by %v with %+v at stake: got %v, want %v", o.id, q, before, r, want)
	}
	if r == None {
		p.model.orders = append(p.model.orders, naiveOrder{id: id, side: in.Side, qty: q})
	}
}

// amend makes an order smaller: at once in words, and in what is at stake once the
// venue has said so, in whatever the fills in between have left.
func (p *play) amend(t *rapid.T) {
	o := p.pick(t)
	q := core.Qty(rapid.IntRange(1, 12).Draw(t, "new qty")) * core.Scale
	if _, r := p.ask(core.Intent{Kind: core.Amend, ID: o.id, Qty: q}); r == None && (o.ended || q >= o.qty || q <= o.cum) {
		t.Fatalf("amend of %+v to %v was let through", *o, q)
	}
}

func (p *play) amended(t *rapid.T) {
	o := p.pick(t)
	q := core.Qty(rapid.IntRange(1, 12).Draw(t, "amended to")) * core.Scale
	if !p.hostile {
		if o.ended || q >= o.qty || q <= o.cum {
			t.SkipNow()
		}
	}
	got, ok := p.gate.Report(&core.Report{Kind: core.ReportAmended, Status: core.New, ID: o.id, Instrument: symA, Qty: q, FeeAsset: core.NoAsset})
	if ok == o.ended {
		t.Fatalf("order %d was known: %v, want %v", o.id, ok, !o.ended)
	}
	if ok {
		if o.qty = max(q, o.cum); got.Qty != o.qty {
			t.Fatalf("order %d amended to %v, want %v", o.id, got.Qty, o.qty)
		}
	}
}

func (p *play) trade(t *rapid.T) {
	o := p.pick(t)
	left := o.qty - o.cum
	q := core.Qty(rapid.Int64Range(1, 12*core.Scale).Draw(t, "fill"))
	if !p.hostile {
		if o.ended || left == 0 {
			t.SkipNow()
		}
		q = min(q, left)
	}
	r := core.Report{Kind: core.ReportFill, Status: core.PartiallyFilled, ID: o.id, Instrument: symA, Side: o.side, Qty: q, FeeAsset: core.NoAsset}
	p.model.position += core.Qty(o.side.Sign()) * q
	// What a buyer gets may be cut by a commission in the base asset.
	if o.side == core.Buy && rapid.Bool().Draw(t, "fee in base") {
		r.FeeAsset, r.Fee = p.table.Get(symA).Base, core.Amount(q/1000)
		p.model.position -= q / 1000
	}
	known := !o.ended
	if known {
		if o.cum = min(o.cum+q, o.qty); o.cum == o.qty {
			r.Status, o.ended = core.Filled, true
		}
	}
	if got, ok := p.gate.Report(&r); ok != known || ok && got.Cum != o.cum {
		t.Fatalf("fill of %v: known %v with %v executed, want %v with %v", q, ok, got.Cum, known, o.cum)
	}
}

func (p *play) end(t *rapid.T) {
	o := p.pick(t)
	st := rapid.SampledFrom([]core.OrderStatus{core.Canceled, core.Expired, core.Filled, core.Rejected, core.NotSent}).Draw(t, "end")
	kind := rapid.SampledFrom([]core.ReportKind{core.ReportDone, core.ReportResolved}).Draw(t, "kind")
	_, ok := p.report(o.id, kind, st) // of an ended order: a duplicate, tells nothing
	if ok != !o.ended {
		t.Fatalf("the end of order %d was news: %v, want %v", o.id, ok, !o.ended)
	}
	if !o.ended {
		o.ended, o.byWord = true, st == core.Rejected || st == core.NotSent
	}
}

// tell is what changes nothing that is at stake.
func (p *play) tell(t *rapid.T) {
	o := p.pick(t)
	type word struct {
		k  core.ReportKind
		st core.OrderStatus
	}
	w := rapid.SampledFrom([]word{{core.ReportAck, core.New}, {core.ReportDoubt, core.Unknown}, {core.ReportCancelRejected, core.New},
		{core.ReportResolved, core.New}, {core.ReportResolved, core.PartiallyFilled}}).Draw(t, "word")
	revives := w.k == core.ReportResolved && o.ended
	if revives && !p.hostile {
		t.SkipNow()
	}
	_, ok := p.report(o.id, w.k, w.st)
	if revives {
		// Counts again if it can be known; else nothing may be approved any more.
		if ok != o.byWord || !ok && p.gate.Halted()&HaltMismatch == 0 {
			t.Fatalf("order %d lives after all: counted %v, want %v, halted for %v", o.id, ok, o.byWord, p.gate.Halted())
		}
		p.gate.Lift(HaltMismatch)
		o.ended, o.byWord = !ok, false
		return
	}
	if ok == o.ended {
		t.Fatalf("order %d was known: %v, want %v", o.id, ok, !o.ended)
	}
}

func (p *play) cancel(t *rapid.T) {
	o := p.pick(t)
	_, r := p.ask(core.Intent{Kind: core.Cancel, ID: o.id})
	if (r == RefusedUnknownOrder) != o.ended || r != None && r != RefusedUnknownOrder && r != RefusedCancelPending {
		t.Fatalf("cancel of order %d (ended: %v): %v", o.id, o.ended, r)
	}
}

func (p *play) check(t *rapid.T) {
	got, want := p.gate.Exposure(symA), p.model.exposure()
	if got != want {
		t.Fatalf("exposure %+v, want %+v", got, want)
	}
	unknown := 0
	p.gate.Each(symA, func(o *Order) bool {
		if o.Status == core.Unknown {
			unknown++
		}
		return true
	})
	if p.gate.unknown != unknown {
		t.Fatalf("%d orders counted as unknown, want %d", p.gate.unknown, unknown)
	}
	if p.gate.Live() != want.Open {
		t.Fatalf("%d live orders, want %d", p.gate.Live(), want.Open)
	}
	if p.hostile {
		return
	}
	for _, s := range []core.Side{core.Buy, core.Sell} {
		if w := worst(got, s); w > p.limit {
			t.Fatalf("worst case of %v is %v, beyond %v: %+v", s, w, p.limit, got)
		}
	}
}

func (p *play) run(t *rapid.T) {
	t.Repeat(map[string]func(*rapid.T){
		"place": p.place, "place too": p.place, "trade": p.trade, "end": p.end, "tell": p.tell, "cancel": p.cancel, "replace": p.replace, "amend": p.amend, "amended": p.amended, "": p.check,
	})
}

// P11: whatever the order of approvals and reports, the position with everything
// that could still trade stays within the limit, on each side.
func TestWorstCaseNeverExceedsTheLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { newPlay(t, false).run(t) })
}

// A venue that contradicts itself can move the position where nobody allowed it;
// the gate still counts as the naive model does, and approves nothing on top.
func TestExposureIsCountedRightUnderAContradictoryVenue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { newPlay(t, true).run(t) })
}

func TestOrderToldAsNotSentCountsAgainWhenItLives(t *testing.T) {
	s := newStage()
	s.limits.PositionMax = qt("3")
	s.open(t)
	id := s.must(t, limit(core.Buy, "100", "3"))
	s.must(t, core.Intent{Kind: core.Cancel, ID: id})
	s.report(id, core.ReportResolved, core.NotSent)
	next := s.must(t, limit(core.Buy, "100", "2"))
	o, ok := s.gate.Report(&core.Report{Kind: core.ReportResolved, Status: core.PartiallyFilled, ID: id, Instrument: symA, Cum: qt("1"), VenueID: 9, FeeAsset: core.NoAsset})
	if !ok || o.Remaining() != qt("2") || o.Canceling || o.VenueID != 9 {
		t.Fatalf("got %+v, %v, want 2 left to trade and free to be cancelled", o, ok)
	}
	s.report(next, core.ReportDone, core.Canceled)
	s.want(t, limit(core.Buy, "100", "1.001"), RefusedPosition)
	s.must(t, limit(core.Buy, "100", "1"))
	s.report(id, core.ReportDone, core.Canceled)
	s.must(t, limit(core.Buy, "100", "2"))
	if s.gate.Halted() != 0 {
		t.Errorf("halted for %v", s.gate.Halted())
	}
}

// The record of an ended order still names its neighbours of then, whose places
// others have taken: brought back with them, its second end broke the list of
// places, and an order approved later was not found.
func TestRevivedOrderHasNoNeighboursOfItsFirstLife(t *testing.T) {
	s := newStage().open(t)
	first := s.must(t, limit(core.Buy, "100", "1"))
	second := s.must(t, limit(core.Buy, "100", "1"))
	s.report(first, core.ReportDone, core.Rejected)  // its place is free, with second before it
	s.report(second, core.ReportDone, core.Rejected) // and now second's too
	s.report(first, core.ReportResolved, core.New)
	s.report(first, core.ReportDone, core.Canceled)
	for n := range core.OrderID(8) {
		id := s.must(t, limit(core.Buy, "100", "1"))
		if s.gate.Find(id) == nil || s.gate.Live() != int(n)+1 {
			t.Fatalf("order %d is approved and not found, %d live", id, s.gate.Live())
		}
	}
	seen := 0
	s.gate.Each(symA, func(*Order) bool { seen++; return seen < 100 })
	if seen != 8 {
		t.Errorf("walked %d orders, want 8", seen)
	}
}

// Of an order long forgotten nobody can say what may still trade.
func TestForgottenOrderThatLivesHalts(t *testing.T) {
	s := newStage().open(t)
	first := s.must(t, limit(core.Buy, "100", "1"))
	s.report(first, core.ReportDone, core.NotSent)
	for range endedMax {
		s.now += 1e9
		s.sync.Alive(&core.Event{Recv: s.now})
		s.report(s.must(t, limit(core.Buy, "100", "1")), core.ReportDone, core.NotSent)
	}
	if _, ok := s.report(first, core.ReportResolved, core.New); ok || s.gate.Halted() != HaltMismatch {
		t.Errorf("known %v, halted for %v, want unknown and %v", ok, s.gate.Halted(), HaltMismatch)
	}
}

func TestRevivedOrdersBeyondTheTableHalt(t *testing.T) {
	s := newStage()
	s.account.OpenMax = 1
	s.open(t)
	for range spareOrders + 1 {
		s.report(s.must(t, limit(core.Buy, "100", "1")), core.ReportDone, core.NotSent)
	}
	for id := range core.OrderID(spareOrders) {
		if _, ok := s.report(id+1, core.ReportResolved, core.New); !ok {
			t.Fatalf("order %d was not counted again", id+1)
		}
	}
	if s.gate.Halted() != 0 || s.gate.Live() != spareOrders {
		t.Fatalf("%d live, halted for %v, want %d and active", s.gate.Live(), s.gate.Halted(), spareOrders)
	}
	s.want(t, limit(core.Buy, "100", "1"), RefusedAccountOrders)
	s.report(spareOrders+1, core.ReportResolved, core.New) // the slot of the one order allowed
	if s.gate.Live() != spareOrders+1 {
		t.Fatalf("%d live, want %d", s.gate.Live(), spareOrders+1)
	}
}

func TestLateFillMovesThePositionOfAnEndedOrder(t *testing.T) {
	s := newStage().open(t)
	id := s.must(t, limit(core.Sell, "101", "2"))
	s.report(id, core.ReportDone, core.Canceled)
	if _, ok := s.fill(id, core.Sell, qt("2"), core.Filled); ok {
		t.Error("an ended order is told as live")
	}
	if e := s.gate.Exposure(symA); e != (Exposure{Position: -qt("2")}) {
		t.Errorf("exposure %+v, want a position of -2 alone", e)
	}
}

func TestUnplacedLeavesNothingAtStake(t *testing.T) {
	s := newStage().open(t)
	keep := s.must(t, limit(core.Buy, "100", "1"))
	before := s.gate.Exposure(symA)
	id := s.must(t, limit(core.Buy, "100", "2"))
	s.gate.Unplaced(id)
	s.gate.Unplaced(id) // a second time is nothing
	if e := s.gate.Exposure(symA); e != before || s.gate.Find(id) != nil || s.gate.Find(keep) == nil || s.gate.Live() != 1 {
		t.Errorf("exposure %+v, want %+v", e, before)
	}
	if s.gate.ApprovedTotal() != 1 || s.gate.Refused(RefusedOutboundFull) != 1 {
		t.Errorf("%d approved and %d without room, want 1 and 1", s.gate.ApprovedTotal(), s.gate.Refused(RefusedOutboundFull))
	}
	if _, ok := s.report(id, core.ReportResolved, core.New); ok {
		t.Error("an order that never was handed on came to life")
	}
}
