package bar

import (
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"riposte/core"
)

func TestQuoteOfATradeIsCutAfterTheEighthDecimal(t *testing.T) {
	// As recorded: ETHBTC, 2023-03-20.
	if got := quoteOf(6436200, 1580000); got != Units(101691) {
		t.Errorf("got %v, want 0.00101691", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		p, q := rapid.Int64Range(0, 1<<63-1).Draw(t, "price"), rapid.Int64Range(0, 1<<63-1).Draw(t, "qty")
		want := new(big.Int).Mul(big.NewInt(p), big.NewInt(q))
		want.Quo(want, big.NewInt(core.Scale))
		if got := quoteOf(core.Price(p), core.Qty(q)); wide(got).Cmp(want) != 0 {
			t.Fatalf("%d times %d: got %v, want %v", p, q, wide(got), want)
		}
	})
}

func wide(s Sum) *big.Int {
	b := new(big.Int).SetUint64(s.Hi)
	return b.Or(b.Lsh(b, 64), new(big.Int).SetUint64(s.Lo))
}

func TestSumsReadBackAndMeanPriceIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := Sum{Hi: rapid.Uint64Range(0, 20).Draw(t, "hi"), Lo: rapid.Uint64().Draw(t, "lo")}
		back, err := ParseSum(s.String())
		if err != nil || back != s {
			t.Fatalf("%s reads back as %v (%v)", s, back, err)
		}
		b := Bar{Quote: Sum{Lo: rapid.Uint64().Draw(t, "quote")}, Volume: Sum{Lo: rapid.Uint64Range(1, 1<<63).Draw(t, "volume")}}
		want := new(big.Int).Mul(wide(b.Quote), big.NewInt(core.Scale))
		want.Quo(want, wide(b.Volume))
		if got := b.VWAP(); want.IsInt64() && int64(got) != want.Int64() {
			t.Fatalf("%v over %v: got %d, want %v", b.Quote, b.Volume, got, want)
		}
	})
	for text, want := range map[string]error{"": core.ErrDecimalEmpty, "1234567890123.": core.ErrDecimalEmpty, "12345678901x": core.ErrDecimalChar,
		"99999999999999999999999": core.ErrDecimalOverflow, "12345678901.123456789": core.ErrDecimalPrecision, "-1": core.ErrDecimalSign} {
		if _, err := ParseSum(text); err != want {
			t.Errorf("%q: got %v, want %v", text, err, want)
		}
	}
	if s, err := ParseSum([]byte("123456789012345.5")); err != nil || s.String() != "123456789012345.5" {
		t.Errorf("got %v, %v", s, err)
	}
}

func TestUnknownIntervalIsRefused(t *testing.T) {
	for _, s := range []string{"", "2m", "1H", "1m@+09:00", "@+08:00"} {
		if _, err := Parse(s); err == nil || !strings.Contains(err.Error(), "1M") {
			t.Errorf("%q: got %v, want an error that lists the intervals", s, err)
		}
	}
}

// Too many bars that wait are told as broken, not forgotten, and none is told twice.
func TestBarsThatFindNoRoomAreToldAsBroken(t *testing.T) {
	v, _ := Parse("1s")
	b := NewBuilder(v, 1000, 4, false)
	const sec = core.WallNs(1e9)
	for i := range 100 {
		b.Add(&Trade{First: int64(i), Last: int64(i), Price: 1, Qty: 1, Time: sec * core.WallNs(i+10)})
	}
	b.Complete(10*sec + 100*sec)
	n := b.Counts()
	if n.Bars != 99 || n.Forced != 95 || n.Broken != 95 || n.Stray != 0 {
		t.Errorf("%+v, want 99 bars, of them 95 for want of room", n)
	}
	for i := range b.Series().Len() - 1 {
		if b.Series().At(i).Start != b.Series().At(i+1).End {
			t.Fatalf("hole before bar %d", i)
		}
	}
}

func TestLateTradeOfABarAlreadyToldIsCounted(t *testing.T) {
	v, _ := Parse("1s")
	b := NewBuilder(v, 10, 10, false)
	for i := range 5 {
		b.Add(&Trade{First: int64(2 * i), Last: int64(2 * i), Price: 1, Qty: 1, Time: core.WallNs(i+1) * 1e9})
	}
	b.Complete(4e9)
	b.Add(&Trade{First: 5, Last: 5, Price: 1, Qty: 1, Time: 3e9})
	b.Add(&Trade{First: 1, Last: 1, Price: 1, Qty: 1, Time: 1e9}) // of before the first whole bar
	if n := b.Counts(); n.Stray != 1 || n.Bars != 2 {
		t.Errorf("%+v, want 1 stray and 2 bars", n)
	}
}

func TestLongSilenceIsToldAsFarAsItIsKept(t *testing.T) {
	v, _ := Parse("1s")
	b := NewBuilder(v, 8, 4, false)
	b.Add(&Trade{Price: 7, Qty: 1, Time: 1e9})
	b.Add(&Trade{First: 1, Last: 1, Price: 9, Qty: 1, Time: 2e9})
	b.Complete(1e18)
	s := b.Series()
	if s.Len() != 8 || s.At(0).End != 1e18 || s.At(7).Close != 9 || s.At(0).Trades != 0 {
		t.Errorf("%d bars, the newest ends at %d", s.Len(), s.At(0).End)
	}
	if s.Find(s.At(3).Start) != s.At(3) || s.Find(1) != nil {
		t.Error("bars are not found by their start")
	}
}
