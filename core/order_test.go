package core

import (
	"strings"
	"testing"
	"time"
	"unsafe"

	"pgregory.net/rapid"
)

func TestOrderWordsComeBack(t *testing.T) {
	for ty := Limit; ty <= TakeProfitLimit; ty++ {
		if got, ok := ParseOrderType(ty.String()); !ok || got != ty {
			t.Errorf("%v is read as %v, %v", ty, got, ok)
		}
		set := OrderTypeSet(0).With(ty)
		for other := Limit; other <= TakeProfitLimit; other++ {
			if set.Has(other) != (other == ty) {
				t.Errorf("set of %v has %v: %v", ty, other, set.Has(other))
			}
		}
	}
	for tif := GTC; tif <= FOK; tif++ {
		if got, ok := ParseTIF(tif.String()); !ok || got != tif {
			t.Errorf("%v is read as %v, %v", tif, got, ok)
		}
	}
	for _, s := range []string{"", "limit", "LIMIT ", "GTX"} {
		if _, ok := ParseOrderType(s); ok {
			t.Errorf("%q is an order type", s)
		}
		if _, ok := ParseTIF(s); ok {
			t.Errorf("%q is a time in force", s)
		}
	}
}

func TestSidesAreOpposite(t *testing.T) {
	if Buy.Opposite() != Sell || Sell.Opposite() != Buy || Buy.Sign() != 1 || Sell.Sign() != -1 || Buy.String()+Sell.String() != "BUYSELL" {
		t.Error("sides are mixed up")
	}
}

func TestOnlyTheLastFiveStatesAreTerminal(t *testing.T) {
	terminal := 0
	for s := PendingNew; s <= NotSent; s++ {
		if s.Terminal() {
			terminal++
		}
		if s.Terminal() != (s == Filled || s == Canceled || s == Rejected || s == Expired || s == NotSent) || s.String() == "" {
			t.Errorf("%v terminal: %v", s, s.Terminal())
		}
	}
	if terminal != 5 {
		t.Errorf("%d terminal states, want 5", terminal)
	}
}

func TestClientIDHoldsUpTo36Bytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringN(0, -1, 60).Draw(t, "s")
		c, ok := MakeClientID(s)
		if ok != (len(s) <= 36) {
			t.Fatalf("%d bytes: %v", len(s), ok)
		}
		if !ok {
			s = ""
		}
		if c.String() != s || string(c.Bytes()) != s {
			t.Fatalf("%q, want %q", c.String(), s)
		}
		if same, _ := MakeClientID([]byte(s)); same != c {
			t.Fatalf("ids of equal text differ")
		}
	})
	if _, ok := MakeClientID(strings.Repeat("x", 36)); !ok {
		t.Error("36 bytes are too many")
	}
}

func TestEventIsOneCacheLine(t *testing.T) {
	if n := unsafe.Sizeof(Event{}); n != 64 {
		t.Errorf("an event has %d bytes, want 64", n)
	}
	if n := unsafe.Sizeof(Level{}); n != 16 {
		t.Errorf("a level has %d bytes, want 16", n)
	}
}

func TestEventFieldsHaveNames(t *testing.T) {
	d := Event{Kind: DepthDelta, ID: 9, W: [4]int64{7, 6, 5}}
	if d.FirstID() != 7 || d.PrevID() != 6 || d.VenueTime() != 5 {
		t.Errorf("depth: %d %d %d", d.FirstID(), d.PrevID(), d.VenueTime())
	}
	tr := Event{Kind: Trade, W: [4]int64{100, 3, 50}}
	if tr.TradePrice() != 100 || tr.TradeQty() != 3 || tr.TradeTime() != 50 || tr.Aggressor() != Buy {
		t.Errorf("trade: %d %d %d %v", tr.TradePrice(), tr.TradeQty(), tr.TradeTime(), tr.Aggressor())
	}
	if tr.Flags = FlagBuyerMaker; tr.Aggressor() != Sell {
		t.Error("a trade with the buyer as maker was bought")
	}
	touch := Event{Kind: Touch, ID: 4, W: [4]int64{99, 1, 102, 2}}
	top := touch.Top()
	if top != (Top{4, 99, 1, 102, 2}) || top.Mid() != 100 {
		t.Errorf("touch: %+v, mid %d", top, top.Mid())
	}
	if one := (Top{Bid: 5}); one.Mid() != 0 {
		t.Errorf("one-sided mid %d, want 0", one.Mid())
	}
	if big := (Top{Bid: 1<<63 - 3, Ask: 1<<63 - 1}); big.Mid() != 1<<63-2 {
		t.Errorf("mid of the largest prices wrapped: %d", big.Mid())
	}
}

func TestClocks(t *testing.T) {
	var c Clock = NewSystemClock()
	a, wall := c.Mono(), c.Wall()
	b := c.Mono()
	if a <= MonoNs(time.Hour)-1 || b < a {
		t.Errorf("monotonic clock went from %d to %d, want to start an hour in and never go back", a, b)
	}
	if d := time.Since(time.Unix(0, int64(wall))); d < -time.Hour || d > time.Hour {
		t.Errorf("wall clock is %v off", d)
	}
	m := &ManualClock{WallNow: 5, MonoNow: 7}
	c = m
	if m.Advance(time.Microsecond); c.Wall() != 1005 || c.Mono() != 1007 {
		t.Errorf("manual clock %d, %d", c.Wall(), c.Mono())
	}
	if Milliseconds.Ns() != 1e6 || Microseconds.Ns() != 1e3 {
		t.Error("units are mixed up")
	}
}
