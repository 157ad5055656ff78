package strategy_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"riposte/core"
	"riposte/core/engine"
	"riposte/core/engine/enginetest"
	"riposte/core/risk"
)

// quick makes the quoter act on every event.
var quick = params{"qty": "1", "inventory": "10", "life_min": "0s", "cooldown": "0s", "slack_ticks": int64(0), "slack_bps": 0.0, "skew_bps": 0.0}

func with(base params, more params) params {
	p := params{}
	for k, v := range base {
		p[k] = v
	}
	for k, v := range more {
		p[k] = v
	}
	return p
}

func TestQuoterPrices(t *testing.T) {
	cases := []struct {
		name     string
		values   params
		bidQty   string // the ask's is 1: the microprice leans to the thin side
		bid, ask string // of the market
		wantBid  string
		wantAsk  string
	}{
		{"half spread 0 joins the touch", nil, "1", "100", "101", "100", "101"},
		{"half spread 0 joins a touch one tick wide", nil, "1", "100", "100.01", "100", "100.01"},
		{"half spread 0 does not improve a leaning touch", nil, "9", "100", "101", "100", "101"},
		{"a narrow half spread improves by one tick at most", params{"half_spread_bps": 1.0}, "1", "100", "101", "100.01", "100.99"},
		{"a narrow half spread within one tick of spread joins", params{"half_spread_bps": 0.01}, "1", "100", "100.01", "100", "100.01"},
		{"a wide half spread rests behind the touch", params{"half_spread_bps": 100.0}, "1", "100", "101", "99.49", "101.51"}, // 100.5 -+ 1.005
		{"the fair price is the microprice", params{"half_spread_bps": 100.0}, "3", "100", "101", "99.74", "101.76"},          // 100.75 -+ 1.0075
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := world(t, "quoter", with(quick, c.values), enginetest.Setup{})
			w.Quote(0, c.bid, c.bidQty, c.ask, "1")
			w.Run()
			bid, ask := sides(t, w.Out())
			if bid == nil || ask == nil {
				t.Fatal("not both sides are quoted")
			}
			if bid.Price != enginetest.P(c.wantBid) || ask.Price != enginetest.P(c.wantAsk) {
				t.Errorf("quotes %v and %v, want %s and %s", bid.Price, ask.Price, c.wantBid, c.wantAsk)
			}
			if bid.Type != core.LimitMaker || ask.Type != core.LimitMaker || bid.Qty != core.Scale || ask.Qty != core.Scale {
				t.Errorf("quotes %+v and %+v, want post-only, 1 each", bid, ask)
			}
		})
	}
}

// Below a unit of 1e-8 too: an ask wanted at a fraction above a tick goes up.
func TestQuoterRoundingNeverNarrowsTheSpread(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		half := float64(rapid.IntRange(1, 500).Draw(rt, "half spread")) / 10
		tick := rapid.SampledFrom([]core.Price{1, tick}).Draw(rt, "tick")
		w := world(t, "quoter", with(quick, params{"half_spread_bps": half}), enginetest.Setup{Filters: core.Filters{Tick: tick, Lot: 1000}})
		bid := core.Price(rapid.IntRange(1000, 10_000_000).Draw(rt, "bid")) * tick
		top := core.Top{Bid: bid, BidQty: core.Qty(rapid.Int64Range(1, 1e10).Draw(rt, "bid qty")),
			Ask: bid + tick*core.Price(rapid.IntRange(1, 50).Draw(rt, "spread")), AskQty: core.Qty(rapid.Int64Range(1, 1e10).Draw(rt, "ask qty"))}
		w.Top(0, top)
		w.Run()
		b, a := sides(t, w.Out())
		if b == nil || a == nil {
			rt.Fatal("not both sides are quoted")
		}
		fair := (float64(top.Bid)*float64(top.AskQty) + float64(top.Ask)*float64(top.BidQty)) / (float64(top.BidQty) + float64(top.AskQty))
		if float64(b.Price) > fair*(1-half/1e4) || float64(a.Price) < fair*(1+half/1e4) {
			rt.Fatalf("quotes %v and %v around %v are nearer than %v bps", b.Price, a.Price, fair/core.Scale, half)
		}
		if b.Price%tick != 0 || a.Price%tick != 0 || b.Price >= top.Ask || a.Price <= top.Bid || b.Price >= a.Price {
			rt.Fatalf("quotes %v and %v at a market of %v and %v", b.Price, a.Price, top.Bid, top.Ask)
		}
	})
}

func TestQuoterLeansAgainstItsInventory(t *testing.T) {
	at := func(position int) (bid, ask core.Price) {
		w := world(t, "quoter", with(quick, params{"skew_bps": 100.0, "half_spread_bps": 50.0}), enginetest.Setup{})
		hold(w, position)
		b, a := sides(t, quote(w, "99", "101"))
		if b != nil {
			bid = b.Price
		}
		if a != nil {
			ask = a.Price
		}
		return bid, ask
	}
	// Half spread 0.5 around 100; a full inventory moves by 1.
	for _, c := range []struct {
		position int
		bid, ask string
	}{
		{0, "99.01", "100.99"}, // held to one tick better than the touch
		{5, "99", "100.99"},    // 99.5 - 0.4975 = 99.0025, 99.5 + 0.4975
		{9, "98.6", "100.99"},  // 99.1 - 0.4955
		{-5, "99.01", "101.01"},
		{-9, "99.01", "101.41"},
		{10, "0", "100.99"}, // at the bound one side alone
		{-10, "99.01", "0"},
		{12, "0", "100.99"},
	} {
		bid, ask := at(c.position)
		if bid != enginetest.P(c.bid) || ask != enginetest.P(c.ask) {
			t.Errorf("holding %d it quotes %v and %v, want %s and %s", c.position, bid, ask, c.bid, c.ask)
		}
	}
}

// hold gives the world a position by fills of an order that nobody remembers.
func hold(w *enginetest.World, position int) {
	side := core.Buy
	if position < 0 {
		side, position = core.Sell, -position
	}
	*w.Reports.Claim() = core.Report{Kind: core.ReportFill, Status: core.Filled, ID: 1 << 40, Side: side, Qty: core.Qty(position) * core.Scale, FeeAsset: core.NoAsset}
	w.Reports.Publish()
	w.Run()
}

func TestQuoterQuotesOnlyWhatItsBoundHasRoomFor(t *testing.T) {
	w := world(t, "quoter", with(quick, params{"qty": "3"}), enginetest.Setup{})
	hold(w, 8)
	if bid, ask := sides(t, quote(w, "100", "101")); bid != nil || ask == nil {
		t.Errorf("holding 8 of 10 with a size of 3 it quotes %+v and %+v, want the ask alone", bid, ask)
	}
	w = world(t, "quoter", with(quick, params{"qty": "3", "short": "never"}), enginetest.Setup{})
	hold(w, 2)
	if bid, ask := sides(t, quote(w, "100", "101")); bid == nil || ask != nil {
		t.Errorf("with 2 bought and never short it quotes %+v and %+v, want the bid alone", bid, ask)
	}
	hold(w, 1)
	if _, ask := sides(t, quote(w, "100", "101")); ask == nil {
		t.Error("with 3 bought it does not sell 3")
	}
}

func TestQuoterEndsAnOrderThatCouldPassItsBound(t *testing.T) {
	w := world(t, "quoter", with(quick, params{"qty": "3"}), enginetest.Setup{})
	bid, ask := sides(t, quote(w, "100", "101"))
	w.Ack(bid.ID)
	w.Ack(ask.ID)
	hold(w, 7)
	if out := quote(w, "100", "101"); len(out) != 0 {
		t.Fatalf("with room for exactly 3 came %+v", out)
	}
	w.Fill(bid.ID, core.Scale)
	if out := quote(w, "100", "101"); len(out) != 0 {
		t.Fatalf("with room for exactly what is left of the bid came %+v", out)
	}
	hold(w, 1)
	if ids := cancels(t, quote(w, "100", "101")); len(ids) != 1 || ids[0] != bid.ID {
		t.Errorf("cancelled %v, want %d", ids, bid.ID)
	}
}

func TestQuoterDoesNotQuoteAcrossItsOwnOrder(t *testing.T) {
	w := world(t, "quoter", with(quick, params{"life_min": "1h"}), enginetest.Setup{})
	bid, ask := sides(t, quote(w, "100", "101"))
	w.Done(bid.ID, core.Canceled)
	if next, _ := sides(t, quote(w, "103", "104")); next == nil || next.Price != ask.Price-tick {
		t.Errorf("with an ask at %v out came %+v, want a bid a tick below it", ask.Price, next)
	}
	w = world(t, "quoter", with(quick, params{"life_min": "1h"}), enginetest.Setup{})
	bid, ask = sides(t, quote(w, "100", "101"))
	w.Done(ask.ID, core.Canceled)
	if _, next := sides(t, quote(w, "97", "98")); next == nil || next.Price != bid.Price+tick {
		t.Errorf("with a bid at %v out came %+v, want an ask a tick above it", bid.Price, next)
	}
}

// However far it leans, a quote does not cross the touch.
func TestQuoterLeaningFarDoesNotCrossTheTouch(t *testing.T) {
	for _, position := range []int{-9, 9} {
		w := world(t, "quoter", with(quick, params{"skew_bps": 1000.0, "half_spread_bps": 1.0}), enginetest.Setup{})
		hold(w, position)
		bid, ask := sides(t, quote(w, "100", "100.01"))
		if position < 0 && bid.Price != enginetest.P("100") || position > 0 && ask.Price != enginetest.P("100.01") {
			t.Errorf("holding %d it quotes %v and %v, want the touch on the side that reduces it", position, bid.Price, ask.Price)
		}
	}
}

func TestQuoterReplacesOnlyWhatIsOffByMoreThanItsSlack(t *testing.T) {
	for name, c := range map[string]struct {
		values    params
		keep, off string // best bids
	}{
		"ticks":             {params{"slack_ticks": int64(3)}, "100.03", "100.04"},
		"bps":               {params{"slack_bps": 5.0}, "100.05", "100.06"},
		"the wider of both": {params{"slack_ticks": int64(3), "slack_bps": 5.0}, "100.05", "100.06"},
	} {
		t.Run(name, func(t *testing.T) {
			w := world(t, "quoter", with(quick, c.values), enginetest.Setup{})
			bid, ask := sides(t, quote(w, "100", "102"))
			w.Ack(bid.ID)
			w.Ack(ask.ID)
			if out := quote(w, c.keep, "102"); len(out) != 0 {
				t.Fatalf("within the slack came %+v", out)
			}
			w.Fill(bid.ID, core.Scale/2)
			if out := quote(w, c.keep, "102"); len(out) != 0 {
				t.Fatalf("after a partial fill came %+v", out)
			}
			if ids := cancels(t, quote(w, c.off, "102")); len(ids) != 1 || ids[0] != bid.ID {
				t.Fatalf("beyond the slack cancelled %v, want %d", ids, bid.ID)
			}
			if out := quote(w, c.off, "102"); len(out) != 0 {
				t.Fatalf("before the cancel is confirmed came %+v", out)
			}
			w.Done(bid.ID, core.Canceled)
			w.Run()
			if bid, ask := sides(t, quote(w, c.off, "102")); ask != nil || bid == nil || bid.Price != enginetest.P(c.off) {
				t.Errorf("after it came %+v and %+v, want the bid at %s", bid, ask, c.off)
			}
		})
	}
}

func TestQuoterLetsAnOrderLiveItsLeastTime(t *testing.T) {
	w := world(t, "quoter", with(quick, params{"life_min": "250ms"}), enginetest.Setup{})
	bid, ask := sides(t, quote(w, "100", "101"))
	w.Ack(bid.ID)
	w.Ack(ask.ID)
	w.Clock.Now += core.MonoNs(250*time.Millisecond) - 1
	if out := quote(w, "90", "91"); len(out) != 0 {
		t.Fatalf("a nanosecond too early came %+v", out)
	}
	w.Clock.Now++
	if ids := cancels(t, quote(w, "90", "91")); len(ids) != 2 {
		t.Errorf("then cancelled %v, want both", ids)
	}
}

func TestQuoterPausesASideAfterAFillAndAfterARefusal(t *testing.T) {
	w := world(t, "quoter", with(quick, params{"cooldown": "1s"}), enginetest.Setup{})
	bid, ask := sides(t, quote(w, "100", "101"))
	w.Ack(bid.ID)
	w.Ack(ask.ID)
	w.Fill(bid.ID, core.Scale)
	w.Run()
	if out := quote(w, "100", "101"); len(out) != 0 {
		t.Fatalf("right after the fill came %+v", out)
	}
	w.Advance(999 * time.Millisecond)
	if out := w.Out(); len(out) != 0 {
		t.Fatalf("before the cooldown was over came %+v", out)
	}
	w.Advance(100 * time.Millisecond) // the timer, without any market event
	next, other := sides(t, w.Out())
	if next == nil || other != nil {
		t.Fatalf("after the cooldown came %+v and %+v, want the bid", next, other)
	}
	for _, st := range []core.OrderStatus{core.Rejected, core.NotSent} {
		w.Done(next.ID, st)
		w.Run()
		if out := quote(w, "100", "101"); len(out) != 0 {
			t.Fatalf("right after %v came %+v", st, out)
		}
		w.Advance(500 * time.Millisecond)
		if next, other = sides(t, w.Out()); next == nil || other != nil {
			t.Fatalf("half a second after %v came %+v and %+v, want the bid", st, next, other)
		}
	}
}

// An order loop against a gate that refuses, or a venue that refuses cancels, is
// held to two attempts a second on each side.
func TestQuoterDoesNotAskInALoop(t *testing.T) {
	w := world(t, "quoter", quick, enginetest.Setup{Limits: risk.Limits{QtyMax: 1, NotionalMax: 1, PositionMax: 1, OpenMax: 1, CollarBps: 1, StaleAfter: time.Hour}})
	for range 1000 {
		w.Clock.Now += core.MonoNs(10 * time.Millisecond)
		quote(w, "100", "101")
	}
	if n := w.Gate.RefusedTotal(); n < 30 || n > 42 {
		t.Errorf("%d refused orders in 10 s, want about 40", n)
	}
	w = world(t, "quoter", quick, enginetest.Setup{})
	bid, ask := sides(t, quote(w, "100", "101"))
	w.Ack(bid.ID)
	w.Ack(ask.ID)
	n := 0
	for i := range 1000 {
		w.Clock.Now += core.MonoNs(10 * time.Millisecond)
		for _, id := range cancels(t, quote(w, []string{"99", "98"}[i%2], "101")) {
			n++
			w.Report(core.Report{Kind: core.ReportCancelRejected, Status: core.New, ID: id})
		}
	}
	if n < 15 || n > 21 {
		t.Errorf("%d cancels in 10 s of refused ones, want about 20", n)
	}
}

func TestQuoterPullsItsQuotesOnAHalt(t *testing.T) {
	w := world(t, "quoter", with(quick, params{"life_min": "1h"}), enginetest.Setup{})
	bid, ask := sides(t, quote(w, "100", "101"))
	w.Ack(bid.ID)
	w.Ack(ask.ID)
	w.Command(engine.Command{Kind: engine.CmdHalt, Cause: risk.HaltOperator})
	w.Run()
	for _, id := range []core.OrderID{bid.ID, ask.ID} {
		if o := w.Gate.Find(id); o == nil || !o.Canceling {
			t.Errorf("order %d stands as %+v, want cancelling", id, o)
		}
	}
	w.Out()
	// One whose cancel was refused is pulled again, and nothing new is quoted.
	w.Report(core.Report{Kind: core.ReportCancelRejected, Status: core.New, ID: bid.ID})
	w.Done(ask.ID, core.Canceled)
	w.Run()
	w.Advance(time.Second)
	if ids := cancels(t, w.Out()); len(ids) != 1 || ids[0] != bid.ID {
		t.Errorf("cancelled %v, want %d", ids, bid.ID)
	}
}

func TestQuoterPullsItsQuotesWhereASideOfTheMarketIsGone(t *testing.T) {
	w := world(t, "quoter", with(quick, params{"life_min": "1h"}), enginetest.Setup{})
	bid, ask := sides(t, quote(w, "100", "101"))
	w.Top(0, core.Top{Bid: enginetest.P("100"), BidQty: 1})
	w.Run()
	if ids := cancels(t, w.Out()); len(ids) != 2 || ids[0] != bid.ID || ids[1] != ask.ID {
		t.Errorf("cancelled %v, want %d and %d", ids, bid.ID, ask.ID)
	}
}

// An order that was told as never sent and lives after all is a second one on its
// side: it goes.
func TestQuoterEndsAnOrderThatLivesAfterAll(t *testing.T) {
	w := world(t, "quoter", quick, enginetest.Setup{})
	lost, _ := sides(t, quote(w, "100", "101"))
	w.Done(lost.ID, core.NotSent)
	w.Run()
	w.Advance(time.Second)
	if next, _ := sides(t, w.Out()); next == nil {
		t.Fatal("the side was not quoted again")
	}
	w.Report(core.Report{Kind: core.ReportResolved, Status: core.New, ID: lost.ID})
	w.Run()
	if ids := cancels(t, w.Out()); len(ids) != 1 || ids[0] != lost.ID {
		t.Errorf("cancelled %v, want %d", ids, lost.ID)
	}
}

// A churn figure: over a random walk of a tick at a time the defaults replace quotes
// seldom.
func TestQuoterDoesNotChurnOnNoise(t *testing.T) {
	w := world(t, "quoter", params{"qty": "0.001"}, enginetest.Setup{})
	orders := 0
	mid := enginetest.P("60000")
	for i := range 1000 { // 100 s of a touch that moves by up to 2.99 around 60000
		p := mid + core.Price((i*7919)%300)*tick
		w.Top(0, core.Top{Bid: p, BidQty: 1, Ask: p + tick, AskQty: 1})
		w.Advance(100 * time.Millisecond)
		for _, in := range w.Out() {
			if in.Kind == core.Place {
				orders++
				w.Ack(in.ID)
			} else {
				w.Done(in.ID, core.Canceled)
			}
		}
	}
	if orders != 2 {
		t.Errorf("%d orders over noise of half a basis point, want the two quotes", orders)
	}
}
