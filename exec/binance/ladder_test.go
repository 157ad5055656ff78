package binance

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"riposte/core"
	"riposte/exec"
)

// desk is a codec and what a test does with it.
type desk struct {
	t   testing.TB
	key *Key
	c   *Codec
	now core.WallNs
	in  core.Intent
	req exec.Request
}

func newDesk(t testing.TB, rungs int) *desk {
	key := hmacKey(t)
	return &desk{t: t, key: key, c: codec(t, key, rungs), now: venueNow, in: limit(100_00000000, 1_00000000)}
}

const tick = 1_000_000

// place orders at a price so many ticks from 100 and reports whether it was signed ahead.
func (d *desk) place(ticks int64) bool {
	d.t.Helper()
	d.in.Price = core.Price(100_00000000 + ticks*tick)
	if e := d.c.Place(&d.in, d.now, d.now, &d.req); e != exec.EncodeOK {
		d.t.Fatal(e)
	}
	if q := checkRequest(d.t, d.req.Bytes, d.key); q.Get("price") != d.in.Price.String() {
		d.t.Fatalf("request says %v, want a price of %v", q, d.in.Price)
	}
	return d.req.Presigned
}

// idle does all there is to do and returns how many rungs were signed.
func (d *desk) idle() uint64 {
	before := d.c.Stats.Signed
	for n := 0; d.c.Idle(d.now) != 0; n++ {
		if n > 10_000 {
			d.t.Fatal("signing ahead finds no end")
		}
	}
	return d.c.Stats.Signed - before
}

func (d *desk) hint(bids, asks []int64) {
	side := func(ticks []int64) (out []core.Level) {
		for _, n := range ticks {
			out = append(out, core.Level{Price: core.Price(100_00000000 + n*tick)})
		}
		return out
	}
	d.c.Hint(0, side(bids), side(asks))
}

func (d *desk) expect(what string, ticks int64, hit bool) {
	d.t.Helper()
	if got := d.place(ticks); got != hit {
		d.t.Errorf("%s: an order %d ticks off was signed ahead: %v, want %v", what, ticks, got, hit)
	}
}

func TestTheFirstOrderOfAKindIsAMissAndTheNextOnesHit(t *testing.T) {
	d := newDesk(t, 16)
	d.hint([]int64{0}, []int64{10})
	if n := d.idle(); n != 0 {
		t.Errorf("signed %d orders although none was ever asked for", n)
	}
	d.expect("nothing was known of it", 0, false)
	if n := d.idle(); n != 14 {
		t.Errorf("signed %d rungs ahead, want 14 of 16", n)
	}
	if n := d.idle(); n != 0 {
		t.Errorf("signed %d rungs again with nothing changed", n)
	}
	d.in.TIF = core.IOC
	d.expect("another kind", 0, false)
}

func TestLadderHoldsWhereTheTouchMayGoNext(t *testing.T) {
	for _, tc := range []struct {
		what       string
		side       core.Side
		bids, asks []int64
		hits, miss []int64
	}{
		{"a wide spread", core.Buy, []int64{0, -7, -9, -30}, []int64{40, 45}, []int64{0, 1, 39, -7, -9, -30, -1, 2, 38}, []int64{20, -20, 45}},
		{"a spread of one tick", core.Buy, []int64{0, -1}, []int64{1, 2}, []int64{0, 1, -1, 2, -2, 3, -3}, []int64{20, -20}},
		{"sells mirror buys", core.Sell, []int64{-40, -45}, []int64{0, 7, 9, 30}, []int64{0, -1, -39, 7, 9, 30, 1, -2, -38}, []int64{20, -20, -45}},
		{"a touch alone", core.Buy, []int64{0}, nil, []int64{0, 1, -1, 2, -2, 3, -3}, []int64{20, -20}},
		{"nothing but the last order", core.Buy, nil, nil, []int64{50, 51, 49, 52, 48}, []int64{0, 70, 30}},
	} {
		d := newDesk(t, 16)
		d.in.Side = tc.side
		d.hint(tc.bids, tc.asks)
		d.place(50) // says what is to be signed; its own price is kept too
		d.idle()
		for _, n := range tc.hits {
			d.expect(tc.what, n, true)
		}
		for _, n := range tc.miss {
			d.expect(tc.what, n, false)
		}
	}
}

func TestATouchThatFlipsBackFindsItsRungsSigned(t *testing.T) {
	d := newDesk(t, 16)
	d.hint([]int64{0}, []int64{1})
	d.place(0)
	d.idle()
	d.hint([]int64{1}, []int64{2})
	if n := d.idle(); n < 1 || n > 3 {
		t.Errorf("signed %d rungs after a move of one tick, want 1 to 3: the others stay", n)
	}
	d.hint([]int64{0}, []int64{1})
	if n := d.idle(); n > 1 {
		t.Errorf("signed %d rungs after the touch flipped back, want at most 1", n)
	}
	d.expect("flipped back", 0, true)
}

func TestLastUsedPricesAreKeptSigned(t *testing.T) {
	d := newDesk(t, 16)
	d.hint([]int64{0}, []int64{1})
	d.place(500)
	d.idle()
	d.expect("used last", 500, true)
	d.place(0)
	d.idle()
	d.expect("used before the last", 500, true)
}

func TestARungIsUsedOnceAndNotWhenOld(t *testing.T) {
	d := newDesk(t, 16)
	d.hint([]int64{0}, []int64{10})
	d.place(0)
	d.idle()
	d.expect("signed", 0, true)
	d.expect("used already", 0, false)
	d.idle()
	d.in.Qty++
	d.expect("another quantity", 0, false)
	d.idle()
	d.expect("that quantity", 0, true)
	d.idle()
	d.now += core.WallNs(2500 * time.Millisecond)
	d.expect("half of recvWindow old", 1, true)
	d.now++
	d.expect("older than half of recvWindow", 2, false)
	if n := d.idle(); n < 14 {
		t.Errorf("signed %d rungs after they aged, want all 14", n)
	}
	d.now -= core.WallNs(2 * time.Second)
	d.expect("signed two seconds ahead, the venue's clock was set back", 1, false)
	if n := d.idle(); n < 14 {
		t.Errorf("signed %d rungs after the clock was set back, want all 14", n)
	}
	d.expect("signed anew", 1, true)
}

// TestRungsAreSignedAnewLongBeforeTheyAge lets time pass in small steps: there is never
// a moment at which the touch is not ready.
func TestRungsAreSignedAnewLongBeforeTheyAge(t *testing.T) {
	d := newDesk(t, 16)
	d.hint([]int64{0}, []int64{10})
	d.place(0)
	d.idle()
	l := &d.c.books[0].orders[core.Buy][kindGTC]
	for range 300 {
		d.now += core.WallNs(100 * time.Millisecond)
		d.idle()
		for _, p := range l.want {
			i, ok := l.find(p, d.in.Qty, d.now, d.now, d.c.half)
			if !ok {
				t.Fatalf("the order at %v is not ready", p)
			}
			if age := d.now - l.rungs[i].stamp; age > core.WallNs(d.c.half*3/4) {
				t.Fatalf("the order at %v was signed %v ago", p, time.Duration(age))
			}
		}
	}
}

func TestMarketOrdersNeedOneRung(t *testing.T) {
	d := newDesk(t, 16)
	d.in = core.Intent{Kind: core.Place, Type: core.MarketOrder, Qty: 5}
	for i, want := range []bool{false, true, true} {
		if e := d.c.Place(&d.in, d.now, d.now, &d.req); e != exec.EncodeOK {
			t.Fatal(e)
		}
		if q := checkRequest(t, d.req.Bytes, d.key); q.Has("price") || d.req.Presigned != want {
			t.Errorf("order %d: request says %v, signed ahead %v, want no price and %v", i, q, d.req.Presigned, want)
		}
		d.idle()
	}
	if d.c.Stats.Signed != 3 {
		t.Errorf("signed %d orders ahead, want 3", d.c.Stats.Signed)
	}
}

// TestAMissBehindAPauseFindsItsDraft looks inside: the first of two misses in a row has
// been drafted, the second not, and both are right.
func TestAMissBehindAPauseFindsItsDraft(t *testing.T) {
	d := newDesk(t, 0)
	d.place(0)
	d.idle()
	l := &d.c.books[0].orders[core.Buy][kindGTC]
	if !l.spare.fits(d.in.Qty, d.now) || l.spare.mid.of() != 128 {
		t.Fatalf("after a pause the draft fits: %v, with %d bytes hashed, want 128", l.spare.fits(d.in.Qty, d.now), l.spare.mid.of())
	}
	seq := l.spare.seq
	d.place(7)
	if d.req.Seq != seq {
		t.Errorf("the order has sequence %d, want the draft's %d", d.req.Seq, seq)
	}
	if l.spare.fits(d.in.Qty, d.now) {
		t.Error("a draft that was sent fits again")
	}
	d.place(8)
	if d.req.Seq == seq {
		t.Error("two orders have one sequence number")
	}
}

func TestADraftEndsWithTheDigitsItHasSettled(t *testing.T) {
	d := newDesk(t, 16)
	d.now = 1_499_827_399_998 * 1e6 // 2 ms before the settled digits change
	d.hint([]int64{0}, []int64{10})
	for range 6 {
		d.place(0)
		d.place(33)
		d.idle()
		d.now += 1e6
	}
}

func TestWipeLeavesNothingOfTheKey(t *testing.T) {
	d := newDesk(t, 4)
	d.place(0)
	d.idle()
	l := &d.c.books[0].orders[core.Buy][kindGTC]
	sent := d.req.Bytes
	d.c.Wipe()
	if e := d.c.Place(&d.in, d.now, d.now, &d.req); e != exec.EncodeNoKey {
		t.Errorf("placing after a wipe: got %v, want %v", e, exec.EncodeNoKey)
	}
	if e := d.c.Cancel(&exec.Order{VenueID: 1}, d.now, &d.req); e != exec.EncodeNoKey {
		t.Errorf("cancelling after a wipe: got %v, want %v", e, exec.EncodeNoKey)
	}
	if d.c.Idle(d.now+1e12) != 0 {
		t.Error("there was something to sign after a wipe")
	}
	for name, b := range map[string][]byte{"sent": sent, "template": l.buf, "draft": l.spare.buf, "rung": l.rungs[1].buf, "tail": l.tail, "cancel": d.c.books[0].cancel.buf} {
		for _, c := range b[:cap(b)] {
			if c != 0 {
				t.Errorf("%s still holds %.40q", name, b)
				break
			}
		}
	}
	if l.mid != (midstate{}) || l.spare.mid != (midstate{}) || l.rungs[1].mid != (midstate{}) {
		t.Error("a midstate was not wiped")
	}
}

// TestAnyMixOfOrdersHintsAndPausesIsSignedRight is the ladder against the plain road:
// whatever was signed ahead, every request says what was asked, once.
func TestAnyMixOfOrdersHintsAndPausesIsSignedRight(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := newDesk(t, rapid.IntRange(0, 20).Draw(rt, "rungs"))
		ids := map[string]bool{}
		for range rapid.IntRange(1, 60).Draw(rt, "steps") {
			switch rapid.IntRange(0, 4).Draw(rt, "do") {
			case 0:
				bid := rapid.Int64Range(-9, 9).Draw(rt, "bid")
				d.hint([]int64{bid, bid - 1, bid - rapid.Int64Range(1, 20).Draw(rt, "behind")}, []int64{bid + rapid.Int64Range(1, 5).Draw(rt, "spread")})
			case 1:
				d.now += core.WallNs(rapid.Int64Range(-3000, 3000).Draw(rt, "ms") * 1e6)
			case 2:
				for range rapid.IntRange(0, 40).Draw(rt, "idle") {
					d.c.Idle(d.now)
				}
			default:
				d.in.Side = core.Side(rapid.IntRange(0, 1).Draw(rt, "side"))
				d.in.Qty = core.Qty(rapid.Int64Range(1, 2).Draw(rt, "qty"))
				d.place(rapid.Int64Range(-12, 12).Draw(rt, "ticks"))
				q := checkRequest(rt, d.req.Bytes, d.key)
				if q.Get("side") != d.in.Side.String() || q.Get("quantity") != d.in.Qty.String() || q.Get("newClientOrderId") != d.req.Client.String() {
					rt.Fatalf("request says %v, want %+v as %s", q, d.in, d.req.Client)
				}
				if ids[d.req.Client.String()] {
					rt.Fatalf("client id %s was used twice", d.req.Client)
				}
				ids[d.req.Client.String()] = true
				if age := d.now - d.req.Stamp; age < 0 || age > core.WallNs(d.c.half) {
					rt.Fatalf("request was signed %v ago", time.Duration(age))
				}
			}
		}
	})
}
