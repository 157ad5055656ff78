package binance

import (
	"strings"
	"testing"

	"riposte/core"
	"riposte/core/bar"
	"riposte/core/trail"
)

func memoryAsk(t testing.TB, kind trail.AskKind, interval string) trail.Ask {
	t.Helper()
	v, err := bar.Parse(interval)
	if err != nil {
		t.Fatal(err)
	}
	return trail.Ask{Instrument: 7, Kind: kind, Interval: v}
}

const (
	goodTrades = `[{"id":28457,"price":"4.00000100","qty":"12.00000000","quoteQty":"48.000012","time":1499865549590,"isBuyerMaker":true,"isBestMatch":true},
		{"isBuyerMaker":false,"new":{"x":[1]},"time":1499865549591,"qty":"1","price":"4.1","id":28459}]`
	goodAggs   = `[{"a":26129,"p":"0.01633102","q":"4.70443515","f":27781,"l":27783,"T":1498793709153,"m":true,"M":true},{"a":26130,"p":"0","q":"0","f":-1,"l":-1,"T":1498793709153,"m":false,"M":true,"z":null}]`
	goodKlines = `[[1499040000000,"0.01634790","0.80000000","0.01575800","0.01577100","148976.11427815",1499644799999,"2434.19055334",308,"1756.87402397","28.46694368","17928899.62484339"],
		[1499644800000,"1","1","1","1","123456789012.5",1500249599999,"0",0,"0","0","0","more"]]`
)

func TestMemoryReadsTradesAggregatesAndKlines(t *testing.T) {
	a := memoryAsk(t, trail.AskTrades, "1m")
	ans, err := ParseMemory([]byte(goodTrades), &a, core.Milliseconds)
	if err != nil {
		t.Fatal(err)
	}
	want := core.Event{Kind: core.Trade, Flags: core.FlagBuyerMaker, Instrument: 7, ID: 28457, W: [4]int64{400000100, 12 * core.Scale, 1499865549590e6}}
	if len(ans.Events) != 2 || ans.Events[0] != want || ans.Events[1].ID != 28459 || ans.Events[1].Flags != 0 {
		t.Errorf("trades: got %+v", ans.Events)
	}
	micros, err := ParseMemory([]byte(strings.NewReplacer("549590", "549590123", "549591", "549591000").Replace(goodTrades)), &a, core.Microseconds)
	if err != nil || micros.Events[0].TradeTime() != 1499865549590123e3 {
		t.Errorf("trades in microseconds: got %+v, %v", micros, err)
	}
	a = memoryAsk(t, trail.AskAggs, "1m")
	ans, err = ParseMemory([]byte(goodAggs), &a, core.Milliseconds)
	if err != nil || len(ans.Events) != 2 || ans.Events[0].W[3] != 27781 || ans.Levels[0].Price != 27783 || ans.Events[1].TradeQty() != 0 {
		t.Errorf("aggregates: got %+v, %v", ans, err)
	}
	a = memoryAsk(t, trail.AskKlines, "1w")
	ans, err = ParseMemory([]byte(goodKlines), &a, core.Milliseconds)
	if err != nil || len(ans.Bars) != 2 {
		t.Fatalf("klines: got %+v, %v", ans, err)
	}
	b := &ans.Bars[0]
	if b.Start != 1499040000e9 || b.End != 1499644800e9 || b.Open != 1634790 || b.High != 80000000 || b.Low != 1575800 || b.Close != 1577100 ||
		b.Volume.String() != "148976.11427815" || b.Quote.String() != "2434.19055334" || b.Trades != 308 || b.TakerBase.String() != "1756.87402397" ||
		b.TakerQuote.String() != "28.46694368" || b.First != -1 || ans.Bars[1].Volume.String() != "123456789012.5" {
		t.Errorf("kline: got %s", b)
	}
	us := strings.NewReplacer("1499040000000", "1499040000000000", "1499644799999", "1499644799999999", "1499644800000", "1499644800000000", "1500249599999", "1500249599999999")
	if m, err := ParseMemory([]byte(us.Replace(goodKlines)), &a, core.Microseconds); err != nil || m.Bars[0] != *b {
		t.Errorf("klines in microseconds: got %+v, %v", m, err)
	}
}

func TestMemoryThatIsDamagedIsNamed(t *testing.T) {
	for _, c := range []struct {
		kind trail.AskKind
		body string
		want string
	}{
		{trail.AskTrades, `{}`, "want an array"},
		{trail.AskTrades, `[`, "not JSON"},
		{trail.AskTrades, `[{"id":-1}]`, "id"},
		{trail.AskTrades, `[{"id":1,"price":1}]`, "price"},
		{trail.AskTrades, `[{"id":1,"price":"1","qty":"-1"}]`, "qty"},
		{trail.AskTrades, `[{"id":1,"price":"1","qty":"1","time":9223372036854775807,"isBuyerMaker":true}]`, "does not fit"},
		{trail.AskTrades, `[{"id":1,"price":"1","qty":"1","time":1,"isBuyerMaker":"true"}]`, "isBuyerMaker"},
		{trail.AskTrades, `[{"id":2,"price":"1","qty":"1","time":1,"isBuyerMaker":true},{"id":2,"price":"1","qty":"1","time":1,"isBuyerMaker":true}]`, "id 2 comes after 2"},
		{trail.AskAggs, `[{"a":2,"p":"1","q":"1","f":5,"l":4,"T":1,"m":true}]`, "first not above"},
		{trail.AskAggs, `[{"a":2,"p":"1","q":"1","T":1,"m":true}]`, "first not above"},
		{trail.AskKlines, `[[1]]`, "at least 11"},
		{trail.AskKlines, `[[60000,"1","1","1","1","1",119000,"1",1,"1","1"]]`, "none of interval 1m"},
		{trail.AskKlines, `[[60000,"1","1","1","x","1",119999,"1",1,"1","1"]]`, "element 4"},
		{trail.AskKlines, `[[60000,"1","1","1","1",1,119999,"1",1,"1","1"]]`, "element 5"},
		{trail.AskKlines, `[[60000,"1","1","1","1","1",119999,"1",1,"1","1"],[60000,"1","1","1","1","1",119999,"1",1,"1","1"]]`, "comes after"},
		{trail.AskTrades, `[` + strings.Repeat(`{},`, 1000) + `{}]`, "1001 rows"},
	} {
		a := memoryAsk(t, c.kind, "1m")
		if _, err := ParseMemory([]byte(c.body), &a, core.Milliseconds); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %.60s: got %v, want an error with %q", c.kind, c.body, err, c.want)
		}
	}
}

// FuzzMemory: nothing panics, and what is read is what a trail may count on: ids rise,
// bars are of their interval and follow each other, and every number is one.
func FuzzMemory(f *testing.F) {
	for i, s := range []string{goodTrades, goodAggs, goodKlines, "[]", "[[]]", "[{}]"} {
		f.Add([]byte(s), uint8(i), uint8(i))
	}
	names := []string{"1s", "1m", "1h", "1d", "1w", "1M", "1d@+08:00", "3d"}
	f.Fuzz(func(t *testing.T, body []byte, kind, how uint8) {
		a := memoryAsk(t, trail.AskKind(kind%3), names[int(how>>1)%len(names)])
		unit := core.Milliseconds
		if how&1 != 0 {
			unit = core.Microseconds
		}
		ans, err := ParseMemory(body, &a, unit)
		if err != nil {
			return
		}
		if a.Kind == trail.AskAggs && len(ans.Levels) != len(ans.Events) {
			t.Fatalf("%d levels of %d aggregates", len(ans.Levels), len(ans.Events))
		}
		for i := range ans.Events {
			ev := &ans.Events[i]
			if i > 0 && ev.ID <= ans.Events[i-1].ID || ev.W[0] < 0 || ev.W[1] < 0 || ev.W[2] < 0 || ev.Instrument != 7 {
				t.Fatalf("event %d: %+v", i, ev)
			}
		}
		for i := range ans.Bars {
			b := &ans.Bars[i]
			if i > 0 && b.Start < ans.Bars[i-1].End || b.End != a.Interval.Next(b.Start) || a.Interval.Open(b.Start) != b.Start || b.Trades < 0 {
				t.Fatalf("bar %d: %s", i, b)
			}
		}
		// Two tellings of one thing agree.
		again, err := ParseMemory(append([]byte(" "), body...), &a, unit)
		if err != nil || len(again.Events) != len(ans.Events) || len(again.Bars) != len(ans.Bars) {
			t.Fatalf("the same with a blank before it: %v", err)
		}
	})
}
