package trail

import (
	"slices"
	"testing"
	"time"

	"riposte/core"
	"riposte/core/bar"
)

const sec = core.WallNs(time.Second)

// start is the first instant of the tests' markets, on a full hour.
const start = core.WallNs(1_772_236_800e9)

// rig is a trail with a venue behind it. Trades are one second apart.
type rig struct {
	*testing.T
	*Trail
	m    memory
	mono core.MonoNs
}

func newRig(t *testing.T, trades int, cfg Config) *rig {
	r := &rig{T: t, Trail: New(3, cfg), m: memory{page: PageMax, asks: map[AskKind]int{}}}
	for i := range trades {
		r.m.all = append(r.m.all, deal{id: int64(1000 + i), price: int64(1+i%7) * core.Scale, qty: core.Scale, at: start + core.WallNs(i)*sec, maker: i%3 == 0})
	}
	return r
}

// live has the trades of a range of the list come by the stream, and all up to them
// happen.
func (r *rig) live(from, to int) (found []Found) {
	for i := from; i < to; i++ {
		d := &r.m.all[i]
		r.m.upTo = max(r.m.upTo, i+1)
		ev := d.event()
		ev.Recv = core.MonoNs(d.at)
		r.mono = max(r.mono, ev.Recv)
		r.Heard(ev.Recv, d.at)
		found = append(found, r.Live(&ev, nil))
		if found[len(found)-1] == Late && !ev.Late() {
			r.Errorf("trade %d came late and is not flagged", ev.ID)
		}
	}
	return found
}

// asks serves questions until there are none.
func (r *rig) askAll() (told []core.Event) {
	for range 50 {
		r.mono += core.MonoNs(6 * time.Second)
		r.Heard(r.mono, 0)
		told = append(told, serve(r.T, r.Trail, &r.m, r.mono)...)
	}
	return told
}

func ids(events []core.Event) (out []uint64) {
	for i := range events {
		out = append(out, events[i].ID)
	}
	return out
}

func TestHoleIsRecordedByTheFirstEventThatShowsItAndFilledInOrder(t *testing.T) {
	r := newRig(t, 200, Config{Trades: true, Bars: intervals(t, "1m"), Asks: true})
	r.live(0, 70)
	r.live(75, 150)
	want := Hole{From: 1070, To: 1074, Seen: core.MonoNs(r.m.all[75].at), After: r.m.all[69].at, Before: r.m.all[75].at}
	if h := r.Holes(false); len(h) != 1 || h[0] != want {
		t.Fatalf("holes %+v, want %+v", h, want)
	}
	if n := r.Bars(intervals(t, "1m")[0]).Len(); n != 0 {
		t.Fatalf("%d bars are told as complete while trades of the first are missing", n)
	}
	if got := ids(r.askAll()); !slices.Equal(got, []uint64{1070, 1071, 1072, 1073, 1074}) {
		t.Fatalf("filled with %v", got)
	}
	if s := r.Status(); s.Open != 0 || s.Holes != 1 || s.Late != 5 || s.Unfilled != 0 || r.m.asks[AskTrades] != 1 {
		t.Fatalf("%+v after %d questions", s, r.m.asks[AskTrades])
	}
	if n := r.Bars(intervals(t, "1m")[0]).Len(); n == 0 {
		t.Fatal("no bar is told although nothing is missing")
	}
}

func TestCopiesAreDroppedAndLateOnesFillTheirHole(t *testing.T) {
	r := newRig(t, 20, Config{Trades: true})
	r.cfg.Asks = true
	r.trades.refused = 100
	r.live(0, 5)
	if got := r.live(3, 6); !slices.Equal(got, []Found{Double, Double, Fresh}) {
		t.Fatalf("got %v", got)
	}
	r.live(10, 11)
	if got := append(r.live(7, 8), r.live(7, 8)...); !slices.Equal(got, []Found{Late, Double}) {
		t.Fatalf("got %v", got)
	}
	h := r.Holes(false)
	if len(h) != 2 || h[0].From != 1006 || h[0].To != 1006 || h[1].From != 1008 || h[1].To != 1009 {
		t.Fatalf("holes %+v, want 1006 and 1008 to 1009", h)
	}
}

// What is not filled is said with both ids, and the bars that it lies in say so too.
func TestHoleThatIsTooLargeIsToldAndBreaksItsBarsAlone(t *testing.T) {
	r := newRig(t, 600, Config{Trades: true, Bars: intervals(t, "1m"), Asks: true, FillMax: 10})
	r.live(0, 150)
	r.live(200, 400)
	s := r.Status()
	if s.Unfilled != 1 || s.UnfilledIDs != 50 || s.LastUnfilled != [2]uint64{1150, 1199} || s.Open != 0 {
		t.Fatalf("%+v, want 1 hole of 50, 1150 to 1199", s)
	}
	if told := r.askAll(); len(told) != 0 {
		t.Fatalf("asked for %v", ids(told))
	}
	series := r.Bars(intervals(t, "1m")[0])
	for i := series.Len() - 1; i >= 0; i-- {
		b := series.At(i)
		minute := int((b.Start - start) / (60 * sec))
		if broken := minute == 2 || minute == 3; b.Broken != broken {
			t.Errorf("minute %d: broken %v, want %v: trades of second 150 to 199 are missing", minute, b.Broken, broken)
		}
	}
	if series.Len() < 5 {
		t.Errorf("%d bars, want all", series.Len())
	}
}

func TestMoreHolesThanFitAreToldNotForgotten(t *testing.T) {
	r := newRig(t, 400, Config{Trades: true, Asks: true})
	for i := range 150 {
		r.live(2*i, 2*i+1)
	}
	s := r.Status()
	if s.Open != holesMax || s.Unfilled != 149-holesMax || s.UnfilledIDs != 149-holesMax {
		t.Fatalf("%+v, want %d open and the others given up", s, holesMax)
	}
}

// The venue has ids behind which there is no trade: what lies between those that it told
// does not exist. What it does not have any more is given up.
func TestIDsThatTheVenueDoesNotHave(t *testing.T) {
	r := newRig(t, 100, Config{Trades: true, Asks: true, Bars: intervals(t, "1s")})
	r.live(0, 10)
	r.live(30, 40)
	gone := r.m.all
	r.m.all, r.m.made = append(slices.Clone(gone[:15]), gone[20:]...), nil
	r.m.upTo = 35
	r.askAll()
	if s := r.Status(); s.Absent != 5 || s.Holes != 1 || s.Late != 15 || s.Unfilled != 0 || s.Open != 0 {
		t.Fatalf("%+v, want 5 absent and 15 late", s)
	}
	r.m.all, r.m.made = gone, nil
	r.live(60, 70)
	r.m.all, r.m.made = gone[50:], nil
	r.m.upTo = 20
	r.askAll()
	if s := r.Status(); s.Unfilled != 1 || s.UnfilledIDs != 10 || s.LastUnfilled != [2]uint64{1040, 1049} || s.Late != 25 || s.Open != 0 {
		t.Fatalf("%+v, want 1040 to 1049 given up and the rest late", s)
	}
}

// A venue that lags behind its own streams is asked again, more and more seldom, and not
// for ever.
func TestVenueThatDoesNotKnowYetIsAskedAgain(t *testing.T) {
	r := newRig(t, 100, Config{Trades: true, Asks: true})
	r.live(0, 10)
	r.live(20, 30)
	r.m.upTo = 12
	now := r.mono
	for range 400 {
		now += core.MonoNs(100 * time.Millisecond)
		serve(t, r.Trail, &r.m, now)
	}
	if n := r.m.asks[AskTrades]; n < 5 || n > triesMax+1 {
		t.Fatalf("asked %d times in 40 s, %+v", n, r.Status())
	}
	r.m.upTo = 100
	r.mono = now
	r.askAll()
	if s := r.Status(); s.Open != 0 || s.Late+s.UnfilledIDs != 10 {
		t.Fatalf("in the end %+v", s)
	}
}

// A market that is quiet after a cut does not show what was missed: the venue is asked,
// and bars of the time since are not complete before.
func TestTailAfterACutIsAskedForWhenNoTradeShowsIt(t *testing.T) {
	r := newRig(t, 200, Config{Trades: true, Asks: true, Bars: intervals(t, "1s")})
	r.live(0, 100)
	r.Down()
	r.m.upTo = 105 // five came while nobody listened
	last := r.m.all[104].at
	r.Heard(core.MonoNs(last), last)
	before := r.Bars(intervals(t, "1s")[0]).Total()
	r.Heard(core.MonoNs(last+30*sec), last+30*sec)
	r.Tick()
	if got := r.Bars(intervals(t, "1s")[0]).Total(); got != before {
		t.Fatal("bars of a time that nobody saw are told as complete")
	}
	r.mono = core.MonoNs(last + 30*sec)
	if got := ids(r.askAll()); !slices.Equal(got, []uint64{1100, 1101, 1102, 1103, 1104}) {
		t.Fatalf("told %v", got)
	}
	if got := r.Bars(intervals(t, "1s")[0]).Total(); got < before+25 {
		t.Fatalf("%d bars after the tail was told, want all up to now", got-before)
	}
}

func TestAggregatesFollowTheirOwnIDsAndMakeBarsWhereTradesAreNotSubscribed(t *testing.T) {
	cfg := Config{Aggs: true, Asks: true, Bars: intervals(t, "1s")}
	tr := New(0, cfg)
	event := func(id, first, last int64, at core.WallNs) *core.Event {
		return &core.Event{Kind: core.AggTrade, ID: uint64(id), Bids: 1, W: [4]int64{core.Scale, 2 * core.Scale, int64(at), first}, Recv: core.MonoNs(at)}
	}
	live := func(id, first, last int64, at core.WallNs) Found {
		tr.Heard(core.MonoNs(at), at)
		return tr.Live(event(id, first, last, at), []core.Level{{Price: core.Price(last)}})
	}
	live(1, 10, 12, start)
	live(2, 13, 13, start+sec)
	live(5, 20, 21, start+3*sec)
	live(6, 25, 26, start+4*sec) // trades 22 to 24 are in no aggregate
	if s := tr.Status(); s.Open != 1 || s.OpenIDs != 2 || s.AggTears != 1 {
		t.Fatalf("%+v, want aggregates 3 and 4 missing and one tear", s)
	}
	a, ok := tr.Ask(core.MonoNs(start))
	if !ok || a.Kind != AskAggs || a.From != 3 || a.Limit != 2 {
		t.Fatalf("asks %+v, want aggregates 3 and 4", a)
	}
	ans := &Answer{Ask: a, Events: []core.Event{*event(3, 14, 16, start+sec), *event(4, -1, -1, start+2*sec)}, Levels: []core.Level{{Price: 16}, {Price: -1}}}
	ans.Events[1].W[1] = 0 // an aggregate without trades
	var ev core.Event
	var lv [4]core.Level
	if n := tr.Begin(ans); n != 2 {
		t.Fatalf("%d rows", n)
	}
	if l, found := tr.Take(ans, 0, &ev, lv[:]); found != Late || len(l) != 1 || l[0].Price != 16 || !ev.Late() {
		t.Fatalf("%v with %v", found, l)
	}
	if _, found := tr.Take(ans, 1, &ev, lv[:]); found != Double {
		t.Fatal("an aggregate without trades was told")
	}
	tr.End(ans, core.MonoNs(start))
	s := tr.Bars(cfg.Bars[0])
	b := s.Find(start + sec)
	if tr.Status().Open != 0 || b == nil || b.Trades != 4 || b.First != 13 || b.Last != 16 || b.Volume != bar.Units(4*core.Scale) {
		t.Fatalf("%+v, second one is %v", tr.Status(), b)
	}
}

// The testnet starts over every month.
func TestIDsThatStartOverAreFollowedAnew(t *testing.T) {
	r := newRig(t, 400, Config{Trades: true, Bars: intervals(t, "1m"), Asks: true})
	r.live(0, 100)
	r.live(90, 95) // late copies are no sign of it
	r.live(100, 130)
	r.live(140, 200)
	for i := range r.m.all {
		r.m.all[i].id -= 900
	}
	r.live(200, 400)
	s := r.Status()
	if s.Restarts != 1 || s.Doubles != 5+restartAfter-1 || s.Open != 0 || s.UnfilledIDs != 10 {
		t.Fatalf("%+v, want one restart, and the hole of before given up", s)
	}
	series := r.Bars(intervals(t, "1m")[0])
	if n := series.Len(); n < 5 || !series.Find(start+180*sec).Broken || series.Find(start+240*sec).Broken {
		t.Fatalf("%d bars: the one with the restart is not broken, or the next is", n)
	}
}

func TestMissedKlinesAreFetchedInOrderAndToldLate(t *testing.T) {
	v := intervals(t, "1m")
	r := newRig(t, 1200, Config{Klines: v, Asks: true})
	all := bars(v[0], r.m.all)
	r.m.upTo = len(r.m.all)
	closed := func(i int) Found {
		var ev core.Event
		var lv [4]core.Level
		all[i].ToKline(&ev, lv[:])
		return r.Live(&ev, lv[:])
	}
	for i := range 3 {
		closed(i)
	}
	if closed(1) != Double {
		t.Error("a kline was taken twice")
	}
	// Four are missed by a cut; the fifth shows it. Another two follow.
	for i := 7; i < 9; i++ {
		closed(i)
	}
	if n := r.Series(v[0]).Total(); n != 3 {
		t.Fatalf("%d klines in the series, want 3 until the missing ones are there", n)
	}
	told := r.askAll()
	if len(told) != 4 || told[0].W[0] != int64(all[3].Start) || told[3].W[0] != int64(all[6].Start) || !told[0].Late() || told[0].Kind != core.Kline {
		t.Fatalf("told %+v, want four klines", told)
	}
	s := r.Series(v[0])
	for i := range 9 {
		if got := s.At(8 - i); got == nil || !got.Same(&all[i]) {
			t.Fatalf("kline %d is %v, want %v", i, got, &all[i])
		}
	}
	// A running kline shows that the one before is over.
	var ev core.Event
	var lv [4]core.Level
	all[11].ToKline(&ev, lv[:])
	ev.Flags = 0
	r.Live(&ev, lv[:])
	if told := r.askAll(); len(told) != 2 || r.Series(v[0]).Total() != 11 {
		t.Fatalf("told %d and %d in the series, want the two that are over", len(told), r.Series(v[0]).Total())
	}
	// What the venue does not have is given up, not waited for.
	r.m.all, r.m.made = nil, nil
	r.m.upTo = 0
	closed(15)
	r.mono += core.MonoNs(time.Minute)
	r.askAll()
	if st := r.Status(); st.KlinesUnfilled != 4 || r.Series(v[0]).Total() != 12 {
		t.Fatalf("%+v with %d klines", st, r.Series(v[0]).Total())
	}
}

func TestBarsAreComparedWithTheVenuesKlines(t *testing.T) {
	v := intervals(t, "1m")
	r := newRig(t, 600, Config{Trades: true, Bars: v, Klines: v})
	all := bars(v[0], r.m.all)
	for i := range 9 {
		r.live(60*i, 60*i+60)
		b := all[i]
		if i == 5 {
			b.High++
		}
		var ev core.Event
		var lv [4]core.Level
		b.ToKline(&ev, lv[:])
		r.Live(&ev, lv[:])
	}
	if s := r.Status(); s.Matched != 6 || s.Differ != 1 || s.First == "" {
		t.Fatalf("%+v, want 6 equal, 1 different: the first bar was not seen whole, and the last is not over", s)
	}
}

// A symbol that nobody trades still gets its history, and what comes later joins it.
func TestHistoryOfASymbolThatRarelyTrades(t *testing.T) {
	v := intervals(t, "1m", "1h")
	r := newRig(t, 300, Config{Trades: true, Bars: v, Asks: true, History: 3})
	r.m.upTo = 250
	now := r.m.all[249].at + 5*sec
	r.mono = core.MonoNs(now)
	r.Heard(r.mono, now)
	r.askAll()
	if !r.Warm() || r.Bars(v[0]).Len() < 3 {
		t.Fatalf("warm %v with %d bars, %+v", r.Warm(), r.Bars(v[0]).Len(), r.Status())
	}
	want := bars(v[0], r.m.all[:250])
	for i := range 3 {
		if got := r.Bars(v[0]).Find(want[i+1].Start); got == nil || *got != want[i+1] {
			t.Errorf("bar %d is %v, want %v", i+1, got, &want[i+1])
		}
	}
}

// A symbol of which the venue remembers no trade has its history once it is traded, and
// what its first trade follows on is not taken for a hole.
func TestHistoryOfASymbolWithoutTrades(t *testing.T) {
	v := intervals(t, "1m")
	r := newRig(t, 300, Config{Trades: true, Bars: v, Asks: true, History: 3})
	r.m.all[0].at -= 600 * sec // long ago, and gone from the memory of trades
	r.m.trimmed = 1
	r.m.upTo = 1
	now := start
	for range 20 {
		now += sec / 2
		r.Heard(core.MonoNs(now), now)
		serve(t, r.Trail, &r.m, core.MonoNs(now))
	}
	if r.Warm() || r.m.asks[AskTrades] != 1 {
		t.Fatalf("warm %v after %d questions, want to wait after one", r.Warm(), r.m.asks[AskTrades])
	}
	r.m.all = r.m.all[:1]
	for i := range 200 {
		r.m.all = append(r.m.all, deal{id: int64(1001 + i), price: core.Scale, qty: core.Scale, at: now + core.WallNs(i+1)*sec})
	}
	r.m.made = nil
	r.live(1, 100)
	for range 20 {
		r.mono += core.MonoNs(100 * time.Millisecond)
		r.Heard(r.mono, 0)
		serve(t, r.Trail, &r.m, r.mono)
	}
	if s := r.Status(); !s.Warm || s.Holes != 0 || s.Unfilled != 0 {
		t.Fatalf("%+v", s)
	}
	r.live(100, 201)
	want := bars(v[0], r.m.all)
	s := r.Bars(v[0])
	if s.Len() < 5 {
		t.Fatalf("%d bars", s.Len())
	}
	for i := range s.Len() {
		b := s.At(i)
		for j := range want {
			if want[j].Start == b.Start && !b.Same(&want[j]) {
				t.Errorf("bar is %v, want %v", b, &want[j])
			}
		}
	}
}

func TestHistoryThatCannotBeHadIsSaidAndBarsBegin(t *testing.T) {
	v := intervals(t, "1m")
	r := newRig(t, 22_000, Config{Trades: true, Bars: v, Asks: true, History: 3})
	for i := range r.m.all {
		if i < 21_500 {
			r.m.all[i].at = start // more in one second than anyone would ask for
		}
	}
	r.live(21_200, 21_300)
	r.askAll()
	if s := r.Status(); s.Warm || s.Failed == "" || r.m.asks[AskTrades] != pagesMax {
		t.Fatalf("%+v after %d pages", s, r.m.asks[AskTrades])
	}
	r.live(21_300, 22_000)
	if s := r.Status(); s.Bars == 0 || s.Broken != 0 || s.Warm {
		t.Fatalf("%+v, want bars, but no history", s)
	}
}

func TestLiveEventsDoNotAllocate(t *testing.T) {
	tr := New(0, Config{Trades: true, Bars: intervals(t, "1s", "1m", "1h", "1M"), Klines: intervals(t, "1m"), Asks: true})
	ev := core.Event{Kind: core.Trade, W: [4]int64{core.Scale, core.Scale, int64(start)}}
	if n := testing.AllocsPerRun(20_000, func() {
		ev.ID++
		if ev.ID%100 == 0 {
			ev.ID++ // a hole
		}
		ev.W[2] += 50e6
		ev.Recv = core.MonoNs(ev.W[2])
		tr.Heard(ev.Recv, core.WallNs(ev.W[2]))
		tr.Live(&ev, nil)
	}); n != 0 {
		t.Errorf("%v allocations a trade, want none", n)
	}
}

func BenchmarkTrade(b *testing.B) {
	for _, names := range [][]string{nil, {"1m"}, {"1s", "1m", "1h", "1d"}} {
		name := "ids"
		for _, n := range names {
			name += "+" + n
		}
		b.Run(name, func(b *testing.B) {
			tr := New(0, Config{Trades: true, Bars: intervals(b, names...)})
			ev := core.Event{Kind: core.Trade, W: [4]int64{6e12, 12345678, int64(start)}}
			b.ReportAllocs()
			for b.Loop() {
				ev.ID++
				ev.W[0] = 6e12 + int64(ev.ID&63)*1e6
				ev.W[2] += 10e6
				ev.Recv = core.MonoNs(ev.W[2])
				tr.Heard(ev.Recv, core.WallNs(ev.W[2]))
				tr.Live(&ev, nil)
			}
		})
	}
}
