package backtest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"riposte/core"
)

// all are the events of a file in words.
func all(e *Events) (out []string) {
	c := NewLaps(e, 1).cursor()
	for c.next() {
		out = append(out, fmt.Sprintf("%s %d", kindName(c.ev.Kind), c.ev.ID))
	}
	return out
}

// TestOfSeveralConnectionsTheFirstCopyCounts, as in a session: a recording of ours has the
// frames of all its lines.
func TestOfSeveralConnectionsTheFirstCopyCounts(t *testing.T) {
	s := market100()
	s.depth(10, "1@99.98", "")
	s.touch(11, "5@100.00", "5@100.01")
	var lines []string
	for i, l := range s.lines {
		a, b := strings.Replace(l, "\tws\t", "\tws:0\t", 1), strings.Replace(l, "\tws\t", "\tws:1\t", 1)
		switch {
		case a == l:
			lines = append(lines, l)
		case i%2 == 0:
			lines = append(lines, a, b)
		default:
			lines = append(lines, b, a)
		}
	}
	src := source(t, lines)
	src.Lines = []string{"0", "1"}
	once, twice := all(decoded(t, source(t, s.lines))), all(decoded(t, src))
	if strings.Join(once, ", ") != strings.Join(twice, ", ") {
		t.Errorf("from two connections come\n%v, want\n%v", twice, once)
	}
}

// TestWhatOneLineLostIsWaitedForAsInASession: an event that one line lost and another brings
// a moment later is in its place and not a gap; what no line brings is one.
func TestWhatOneLineLostIsWaitedForAsInASession(t *testing.T) {
	s := market100()
	for i := range 6 {
		s.depth(int64(100+100*i), "1@99.98", "")
	}
	whole := all(decoded(t, source(t, s.lines)))
	joined := func(lost func(line, n int) bool) []string {
		var lines []string
		n := 0
		for _, l := range s.lines {
			if !strings.Contains(l, "\tws\t") {
				lines = append(lines, l)
				continue
			}
			n++
			for line := range 2 {
				if !lost(line, n) {
					lines = append(lines, strings.Replace(l, "\tws\t", fmt.Sprintf("\tws:%d\t", line), 1))
				}
			}
		}
		// The second line lags by 20 ms.
		for i, l := range lines {
			if at, rest, _ := strings.Cut(l, "\t"); strings.HasPrefix(rest, "ws:1") {
				var ns int64
				_, _ = fmt.Sscan(at, &ns)
				lines[i] = fmt.Sprintf("%d\t%s", ns+20e6, rest)
			}
		}
		slices.SortStableFunc(lines, func(a, b string) int { return strings.Compare(a[:19], b[:19]) })
		src := source(t, lines)
		src.Lines = []string{"0", "1"}
		return all(decoded(t, src))
	}
	if got := joined(func(line, n int) bool { return line == 0 && n == 4 }); !slices.Equal(got, whole) {
		t.Errorf("one line lost an event: got\n%v, want\n%v", got, whole)
	}
	got := joined(func(_, n int) bool { return n == 4 })
	if len(got) != len(whole)-1 {
		t.Errorf("both lost an event: got\n%v, want one less than\n%v", got, whole)
	}
}

// TestAHoleInARecordingEndsItsBooks until the next snapshot.
func TestAHoleInARecordingEndsItsBooks(t *testing.T) {
	s := market100()
	s.line(50, "gap", `{"why":"disk","frames":7}`)
	s.bought(60, "1", "100.01")
	e := decoded(t, source(t, s.lines))
	v := newVenue(t, s, Options{})
	v.until(40)
	if _, live := v.x.markets[0].sync.Live(); !live {
		t.Error("the book is not live before the hole")
	}
	v.until(100)
	if _, live := v.x.markets[0].sync.Live(); live {
		t.Error("the book is live behind a hole")
	}
	if len(e.Notes) != 1 || !strings.Contains(e.Notes[0], "frames are missing") {
		t.Errorf("the notes are %q", e.Notes)
	}
}

// TestTradesAloneMakeATouchOfTheirOwn: one level a side around the last price, no wider
// than asked for, known from the trades so far and from no later one; and it is said.
func TestTradesAloneMakeATouchOfTheirOwn(t *testing.T) {
	s := &script{}
	s.bought(0, "1", "100.01")
	s.sold(1000, "3", "99.97")
	s.bought(2000, "2", "99.99")
	src := source(t, s.lines)
	src.SpreadTicks = 2
	e := decoded(t, src)
	if !e.Synth || len(e.Notes) == 0 || !strings.Contains(e.Notes[0], "trades alone") {
		t.Fatalf("it is not said that the touch is made up: %q", e.Notes)
	}
	x, err := NewExchange(table("0.01", "0.001"), e, Options{Funds: funds(1, 1, 1)})
	if err != nil {
		t.Fatal(err)
	}
	x.trades = singleTrades(e)
	var tops []string
	c := NewLaps(e, 1).cursor()
	for c.next() {
		x.Market(c.ev.Recv, c.ev.Instrument, c.ev, c.lv)
		if top := x.markets[0].sync.Top(); c.ev.Kind == core.DepthDelta && top.Bid > 0 {
			text := fmt.Sprintf("%v@%v %v@%v", top.BidQty, top.Bid, top.AskQty, top.Ask)
			if len(tops) == 0 || tops[len(tops)-1] != text {
				tops = append(tops, text)
			}
		}
	}
	want := "1@99.99 1@100.01; 2@99.97 2@99.99"
	if got := strings.Join(tops, "; "); got != want {
		t.Errorf("the touches are %s, want %s", got, want)
	}
}

// TestKlinesAloneBecomeFourTradesEach, within what they say.
func TestKlinesAloneBecomeFourTradesEach(t *testing.T) {
	s := &script{}
	for i := range int64(3) {
		open := scriptStart + 60_000*i
		s.line(60_000*(i+1)-1, "ws", fmt.Sprintf(`{"stream":"btcusdt@kline_1m","data":{"e":"kline","E":%d,"s":"BTCUSDT","k":{"t":%d,"T":%d,"s":"BTCUSDT","i":"1m","f":-1,"L":-1,"o":"100.00","c":"100.02","h":"100.09","l":"99.98","v":"4.001","n":8,"x":true,"q":"400","V":"2","Q":"200","B":"0"}}}`,
			open+60_000, open, open+59_999))
	}
	e := decoded(t, source(t, s.lines))
	sum, n := core.Qty(0), 0
	c := NewLaps(e, 1).cursor()
	for c.next() {
		if c.ev.Kind != core.Trade {
			continue
		}
		n++
		sum += c.ev.TradeQty()
		if p := c.ev.TradePrice(); p < 9_998_000_000 || p > 10_009_000_000 {
			t.Errorf("a trade at %v, want within the kline", p)
		}
	}
	if n != 12 || sum != 3*400_100_000 {
		t.Errorf("%d trades of %v in all, want 12 of 12.003", n, sum)
	}
}

// FuzzOpenEvents: a file that is no file of events is an error, whatever is in it, also
// where its sum is right.
func FuzzOpenEvents(f *testing.F) {
	s := market100()
	file, err := os.Create(filepath.Join(f.TempDir(), "events"))
	if err != nil {
		f.Fatal(err)
	}
	e, err := Decode(source(f, s.lines), file)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(append([]byte(nil), e.events...))
	f.Add([]byte{1, 2, 3})
	_ = e.Close()
	_ = file.Close()
	f.Fuzz(func(t *testing.T, events []byte) {
		file, err := os.Create(filepath.Join(t.TempDir(), "events"))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		w, err := newEventWriter(file)
		if err != nil {
			t.Fatal(err)
		}
		w.buf = append(w.buf, events...)
		e, err := w.end(&Head{Symbols: []Symbol{{Name: "BTCUSDT", Tick: 1_000_000}}})
		if err != nil {
			return
		}
		x, err := NewExchange(table("0.01", "0.001"), e, Options{Funds: funds(1, 1, 1)})
		if err != nil {
			t.Fatal(err)
		}
		c := NewLaps(e, 1).cursor()
		for c.next() {
			x.Market(c.ev.Recv, c.ev.Instrument, c.ev, c.lv)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
}
