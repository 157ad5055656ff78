package backtest

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"riposte/core"
)

// market100 is a book around 100 that stands still.
func market100() *script {
	s := &script{}
	s.snapshot(0, "5@100.00 5@99.99 10@99.90", "5@100.01 5@100.02 10@100.10")
	s.bought(1, "0.1", "100.01")
	return s
}

func limit(side core.Side, text string) core.Intent {
	return asked(side, core.Limit, core.GTC, text)
}

// TestARestingOrderTradesWhenItsTurnComes: behind what was shown, then by the trades at
// its price, through it, and by the other side's touch.
func TestARestingOrderTradesWhenItsTurnComes(t *testing.T) {
	s := market100()
	s.sold(100, "4", "100.00")
	s.depth(110, "1@100.00", "")
	s.sold(120, "1.4", "100.00") // 1 ahead, 0.4 of ours
	s.sold(130, "0.5", "99.99")  // through ours, which is better
	v := newVenue(t, s, Options{})
	v.send(10, limit(core.Buy, "1@100.00"))
	v.until(115).want("1 ack")
	v.until(125).want("1 maker 0.4@100")
	v.until(200).want("1 maker 0.5@100")

	s = market100()
	s.touch(100, "5@99.98", "0.3@99.99")
	v = newVenue(t, s, Options{})
	v.send(10, limit(core.Buy, "1@99.99"))
	v.until(200).want("1 ack; 1 maker 0.3@99.99")
}

// TestOwnOrdersOfOnePriceStandBehindEachOther: one trade fills them in the order of their
// arrival, and no more than it had.
func TestOwnOrdersOfOnePriceStandBehindEachOther(t *testing.T) {
	s := market100()
	s.sold(100, "6.5", "100.00")
	s.sold(110, "1", "100.00")
	v := newVenue(t, s, Options{})
	v.send(10, limit(core.Buy, "1@100.00"))
	v.send(11, limit(core.Buy, "1@100.00"))
	v.send(12, limit(core.Buy, "1@99.90"))
	v.until(105).want("1 ack; 2 ack; 3 ack; 1 maker 1@100; 1 FILLED; 2 maker 0.5@100")
	v.until(200).want("2 maker 0.5@100; 2 FILLED")
}

// TestTakersWalkTheRecordedDepth, and with impact what they took is gone until the
// recording sets its level anew.
func TestTakersWalkTheRecordedDepth(t *testing.T) {
	run := func(consumed bool) *venue {
		s := market100()
		s.depth(100, "", "7@100.01")
		v := newVenue(t, s, Options{Consumed: consumed})
		v.send(10, asked(core.Buy, core.MarketOrder, core.GTC, "6"))
		v.until(20).want("1 ack; 1 taker 5@100.01; 1 taker 1@100.02; 1 FILLED")
		return v
	}
	v := run(false)
	v.send(30, asked(core.Buy, core.MarketOrder, core.GTC, "1"))
	v.until(40).want("2 ack; 2 taker 1@100.01; 2 FILLED")
	v = run(true)
	v.send(30, asked(core.Buy, core.MarketOrder, core.GTC, "1"))
	v.until(40).want("2 ack; 2 taker 1@100.02; 2 FILLED")
	v.send(110, asked(core.Buy, core.MarketOrder, core.GTC, "1"))
	v.until(120).want("3 ack; 3 taker 1@100.01; 3 FILLED")
}

// TestBeyondTheSnapshotWhatHasChangedIsThere: a market moves out of the depth that its one
// snapshot told, and orders still find what is known to be there.
func TestBeyondTheSnapshotWhatHasChangedIsThere(t *testing.T) {
	s := &script{id: 100}
	s.line(0, "rest:/api/v3/depth?symbol=BTCUSDT&limit=1", `{"lastUpdateId":100,"bids":[["100.00","1"]],"asks":[["100.01","1"]]}`)
	s.depth(0, "", "")
	s.depth(10, "0@100.00 2@99.00", "")
	v := newVenue(t, s, Options{})
	v.send(20, asked(core.Sell, core.Limit, core.IOC, "3@98.00"))
	v.until(30).want("1 ack; 1 taker 2@99; 1 EXPIRED")
}

// TestTimesInForceEndWhatDoesNotTradeAtOnce holds each kind of order against its end.
func TestTimesInForceEndWhatDoesNotTradeAtOnce(t *testing.T) {
	for _, tc := range []struct {
		in   core.Intent
		want string
	}{
		{asked(core.Buy, core.Limit, core.IOC, "6@100.01"), "1 ack; 1 taker 5@100.01; 1 EXPIRED"},
		{asked(core.Buy, core.Limit, core.FOK, "6@100.01"), "1 ack; 1 EXPIRED"},
		{asked(core.Buy, core.Limit, core.FOK, "6@100.02"), "1 ack; 1 taker 5@100.01; 1 taker 1@100.02; 1 FILLED"},
		{asked(core.Sell, core.MarketOrder, core.GTC, "50"), "1 ack; 1 taker 5@100; 1 taker 5@99.99; 1 taker 10@99.9; 1 EXPIRED"},
		{asked(core.Buy, core.Limit, core.GTC, "6@100.01"), "1 ack; 1 taker 5@100.01"},
		{asked(core.Buy, core.LimitMaker, core.GTC, "1@100.01"), "1 REJECTED -2010"},
		{asked(core.Buy, core.LimitMaker, core.GTC, "1@100.00"), "1 ack"},
		{asked(core.Buy, core.Limit, core.GTC, "1@100.005"), "1 REJECTED -1013"},
		{asked(core.Buy, core.Limit, core.GTC, "1.0001@100.00"), "1 REJECTED -1013"},
		{asked(core.Buy, core.Limit, core.GTC, "20000@100.00"), "1 REJECTED -2010"},
		{asked(core.Sell, core.Limit, core.GTC, "101@100.10"), "1 REJECTED -2010"},
	} {
		v := newVenue(t, market100(), Options{})
		v.send(10, tc.in)
		v.until(50).want(tc.want)
	}
}

// TestStopsTriggerByTrades, and one that would at once is refused.
func TestStopsTriggerByTrades(t *testing.T) {
	s := market100()
	s.sold(100, "0.1", "99.99")
	s.sold(110, "0.1", "99.95")
	v := newVenue(t, s, Options{})
	stop := asked(core.Sell, core.StopLoss, core.GTC, "1")
	stop.Stop = core.Price(99.99 * core.Scale)
	v.send(10, stop)
	late := asked(core.Buy, core.StopLoss, core.GTC, "1")
	late.Stop = core.Price(100 * core.Scale)
	v.send(11, late)
	trail := asked(core.Sell, core.StopLoss, core.GTC, "1")
	trail.Trail = 5 // 0.05 % below 100.01 is 99.96
	v.send(12, trail)
	v.until(50).want("1 ack; 2 REJECTED -2010; 3 ack")
	v.until(105).want("1 taker 1@100; 1 FILLED")
	v.until(200).want("3 taker 1@100; 3 FILLED")
}

// TestACancelMeetsTheOrderAsItIsWhenItArrives: too late after a fill; on time it ends it,
// and what was locked is free again.
func TestACancelMeetsTheOrderAsItIsWhenItArrives(t *testing.T) {
	s := market100()
	s.sold(100, "6", "100.00")
	v := newVenue(t, s, Options{Latency: ConstantLatency(5 * time.Millisecond)})
	v.send(10, limit(core.Buy, "1@100.00"))
	v.send(20, limit(core.Buy, "1@99.90"))
	v.until(90)
	if b := v.x.Funds(1); b.Locked != 199_90000000 {
		t.Errorf("%v is locked, want 199.9", b.Locked)
	}
	v.send(97, core.Intent{Kind: core.Cancel, ID: 1})
	v.send(98, core.Intent{Kind: core.Cancel, ID: 2})
	v.until(200).want("1 ack; 2 ack; 1 maker 1@100; 1 FILLED; 1 cancel-rejected -2011; 2 CANCELED")
	if b := v.x.Funds(1); b.Locked != 0 || b.Free != (1_000_000-100)*core.Scale {
		t.Errorf("funds are %+v after the cancel, want all but 100 free", b)
	}
}

// TestAmendsKeepThePlaceAndReplacesLoseIt in the queue.
func TestAmendsKeepThePlaceAndReplacesLoseIt(t *testing.T) {
	s := market100()
	s.depth(50, "9@100.00", "")
	s.sold(100, "6", "100.00")
	v := newVenue(t, s, Options{})
	v.send(10, limit(core.Buy, "2@100.00"))
	v.send(12, limit(core.Buy, "2@100.00"))
	v.send(60, core.Intent{Kind: core.Amend, ID: 1, Qty: core.Scale / 2})
	v.send(61, core.Intent{Kind: core.Amend, ID: 1, Qty: core.Scale})
	re := limit(core.Buy, "2@100.00")
	re.Kind, re.Old = core.Replace, 2
	v.send(62, re)
	re.Old = 2 // has ended
	v.send(63, re)
	v.until(200).want("1 ack; 2 ack; 1 amended 0.5; 1 cancel-rejected -2038; 2 CANCELED; 3 ack; 2 cancel-rejected -2011; 4 NOT_SENT; 1 maker 0.5@100; 1 FILLED")
}

// TestOrderCountsGiveBackFills: the venue limits unfilled orders within its intervals.
func TestOrderCountsGiveBackFills(t *testing.T) {
	s := market100()
	s.depth(15_000, "", "")
	v := newVenue(t, s, Options{OrderLimits: []OrderLimit{{Span: core.WallNs(10 * time.Second), Most: 2}}})
	v.send(10, limit(core.Buy, "1@99.00"))
	v.send(11, asked(core.Buy, core.MarketOrder, core.GTC, "1")) // fills, and is given back
	v.send(12, limit(core.Buy, "1@99.00"))
	v.send(13, limit(core.Buy, "1@99.00"))
	v.until(100).want("1 ack; 2 ack; 2 taker 1@100.01; 2 FILLED; 3 ack; 4 REJECTED -1015")
	v.send(12_000, limit(core.Buy, "1@99.00"))
	v.until(12_100).want("5 ack")
}

// TestCommissionsComeOutOfWhatIsReceived, or out of BNB at its discount.
func TestCommissionsComeOutOfWhatIsReceived(t *testing.T) {
	opt := Options{Maker: 100_000, Taker: 100_000} // 10 bps
	v := newVenue(t, market100(), opt)
	v.send(10, asked(core.Buy, core.MarketOrder, core.GTC, "1"))
	v.send(11, asked(core.Sell, core.MarketOrder, core.GTC, "1"))
	v.until(50)
	if b := v.x.Funds(0); b.Free != 100*core.Scale-100_000 {
		t.Errorf("%v BTC are left, want the buy's commission gone", b.Free)
	}
	if b, want := v.x.Funds(1), core.Amount(1_000_000*core.Scale-100_01000000+100_00000000-10_000_000); b.Free != want {
		t.Errorf("%v USDT are left, want %v", b.Free, want)
	}
	opt.Fee, opt.BNBPrice = FeeBNB, 500*core.Scale
	v = newVenue(t, market100(), opt)
	v.send(10, asked(core.Buy, core.MarketOrder, core.GTC, "1"))
	v.until(50)
	// 100.01 * 0.001 * 0.75 / 500
	if b := v.x.Funds(2); b.Free != 100*core.Scale-15_001 {
		t.Errorf("%v BNB are left, want 15001e-8 gone", b.Free)
	}
}

// TestNoMoneyIsMadeOrLost: whatever is sent, what the fills moved is what the funds show,
// and once nothing works any more nothing is locked.
func TestNoMoneyIsMadeOrLost(t *testing.T) {
	s := market100()
	for i := range int64(200) {
		ms := 20 + 10*i
		switch i % 4 {
		case 0:
			s.sold(ms, "3", "100.00")
		case 1:
			s.bought(ms, "3", "100.01")
		case 2:
			s.depth(ms, "5@100.00", "5@100.01")
		case 3:
			s.touch(ms, "2@100.00", "2@100.01")
		}
	}
	e := decoded(t, source(t, s.lines))
	rapid.Check(t, func(r *rapid.T) {
		tab := table("0.01", "0.001")
		x, err := NewExchange(tab, e, Options{Funds: funds(2000, 20, 1), Consumed: rapid.Bool().Draw(r, "impact"), Maker: 50_000, Taker: 100_000})
		if err != nil {
			r.Fatal(err)
		}
		x.trades = singleTrades(e)
		base, quote := core.Amount(20*core.Scale), core.Amount(2000*core.Scale)
		x.seen = func(f *Fill) {
			sign := core.Amount(f.Side.Sign())
			base += sign * core.Amount(f.Qty)
			quote -= sign * f.Quote
			if f.FeeAsset == 0 {
				base -= f.Fee
			} else {
				quote -= f.Fee
			}
		}
		c := NewLaps(e, 1).cursor()
		id := core.OrderID(0)
		for c.next() {
			for h := x.requests.head(); h != nil && h.at <= c.ev.Recv; h = x.requests.head() {
				x.Arrive()
			}
			x.Market(c.ev.Recv, c.ev.Instrument, c.ev, c.lv)
			if rapid.IntRange(0, 3).Draw(r, "act") > 0 {
				continue
			}
			in := core.Intent{Kind: rapid.SampledFrom([]core.IntentKind{core.Place, core.Place, core.Place, core.Cancel, core.Amend, core.Replace, core.CancelAll}).Draw(r, "kind"),
				Side: core.Side(rapid.IntRange(0, 1).Draw(r, "side")), Type: core.OrderType(rapid.IntRange(0, 6).Draw(r, "type")),
				TIF: core.TIF(rapid.IntRange(0, 2).Draw(r, "tif")), Qty: core.Qty(rapid.IntRange(1, 8000).Draw(r, "qty")) * 100_000,
				Price: core.Price(rapid.IntRange(9_995, 10_006).Draw(r, "price")) * 1_000_000}
			if in.Type > core.MarketOrder {
				in.Stop = in.Price + core.Price(rapid.IntRange(-3, 3).Draw(r, "stop"))*1_000_000
			}
			if in.Type == core.MarketOrder || in.Type == core.StopLoss || in.Type == core.TakeProfit {
				in.Price, in.TIF = 0, core.GTC
			}
			switch in.Kind {
			case core.Place, core.Replace:
				in.Old = core.OrderID(rapid.IntRange(1, 50).Draw(r, "old"))
				id++
				in.ID = id
			default:
				in.ID = core.OrderID(rapid.IntRange(1, 50).Draw(r, "of"))
			}
			x.Send(&in, c.ev.Recv)
		}
		for x.requests.head() != nil {
			x.Arrive()
		}
		x.Send(&core.Intent{Kind: core.CancelAll}, x.now)
		x.Arrive()
		for a, want := range []core.Amount{base, quote} {
			if b := x.Funds(core.AssetID(a)); b.Locked != 0 || b.Free != want || b.Free < 0 {
				r.Fatalf("asset %d is %+v at the end, want %v free and nothing locked", a, b, want)
			}
		}
	})
}
