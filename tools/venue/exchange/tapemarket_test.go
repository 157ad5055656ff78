package exchange

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// script reads recorded events of BTCUSDT, one per line, a millisecond apart:
//
//	snap 10 | 5@99 3@98 | 10@100 8@101      snapshot at update id 10
//	diff 11 12 | 0@98 | 7@100               depth event
//	top 13 | 5@99 | 7@100                   bookTicker
//	trade 2@100 buy                         taker bought
func script(t testing.TB, text string) *Recording {
	t.Helper()
	rec := &Recording{Symbols: []string{"BTCUSDT"}}
	for i, line := range strings.Split(strings.TrimSpace(text), "\n") {
		parts := strings.Split(line, "|")
		w := strings.Fields(parts[0])
		e := TapeEvent{Time: 5_000_000 + Micros(i)*millisecond}
		switch w[0] {
		case "snap":
			e.Kind, e.Last = TapeSnapshot, fx(w[1])/One
		case "diff":
			e.Kind, e.First, e.Last = TapeDiff, fx(w[1])/One, fx(w[2])/One
		case "top":
			e.Kind, e.Last = TapeTop, fx(w[1])/One
		case "trade":
			q, p, _ := strings.Cut(w[1], "@")
			e.Kind, e.Qty, e.Price, e.BuyerIsMaker, e.Last = TapeTrade, fx(q), fx(p), w[2] == "sell", 70+int64(i)
		default:
			t.Fatalf("script line %q", line)
		}
		for side, part := range parts[1:] {
			for _, l := range strings.Fields(part) {
				q, p, _ := strings.Cut(l, "@")
				lv := Level{fx(p), fx(q)}
				if side == 0 {
					e.Bids = append(e.Bids, lv)
				} else {
					e.Asks = append(e.Asks, lv)
				}
			}
		}
		rec.Events = append(rec.Events, e)
	}
	return rec
}

// tapeDesk plays the script; step n plays it up to line n (from 0).
func tapeDesk(t testing.TB, text string, loop bool) (*desk, func(n int)) {
	d := newDesk(t, func(c *Config) {
		c.Symbols[0].Filters = nil
		c.Market = Tape(TapeOptions{Recording: script(t, text), Loop: loop})
	})
	return d, func(n int) {
		d.now = testStart + Micros(n)*millisecond
		d.x.Advance(d.now)
		d.check()
	}
}

func executed(d *desk, id int64) string {
	d.t.Helper()
	o, rej := d.x.Order(0, "BTCUSDT", Some(id), "")
	if rej != nil {
		d.t.Fatal(rej)
	}
	return string(AppendPlain(nil, o.ExecutedQty))
}

func TestTapeStartsAtTheSnapshotBroughtForward(t *testing.T) {
	d, to := tapeDesk(t, `
diff 8 9 | 1@97 |
diff 10 11 | 0@98 4@96 |
top 11 | 5@99 | 10@100
snap 10 | 5@99 3@98 | 10@100
diff 12 12 | | 2@99.5
top 13 | 6@99 | 2@99.5`, false)
	d.wantBook("5@99 4@96 | 10@100")
	if id, _, _, _ := d.x.Depth("BTCUSDT", 1); id != 11 {
		t.Errorf("got update id %d, want 11", id)
	}
	to(4)
	d.wantBook("5@99 4@96 | 2@99.5 10@100")
	to(5)
	d.wantBook("6@99 4@96 | 2@99.5 10@100")
	if _, more := d.x.NextEvent(); more {
		t.Error("the tape is over, but there is a next event")
	}
}

func TestTapeGapIsRefused(t *testing.T) {
	_, err := New(Config{Start: testStart, Symbols: []Symbol{testSymbol()}, Market: Tape(TapeOptions{Recording: script(t, "diff 15 16 | 1@97 |\nsnap 10 | 5@99 | 10@100")})}, nil)
	if err == nil || !strings.Contains(err.Error(), "gap") {
		t.Errorf("got %v, want an error about the gap", err)
	}
	_, err = New(Config{Start: testStart, Symbols: []Symbol{testSymbol()}, Market: Tape(TapeOptions{Recording: script(t, "diff 15 16 | 1@97 |")})}, nil)
	if err == nil || !strings.Contains(err.Error(), "no depth snapshot") {
		t.Errorf("got %v, want an error about the missing snapshot", err)
	}
}

func TestTapeTradesConsumeTheQueueAheadOfUs(t *testing.T) {
	d, to := tapeDesk(t, `
snap 10 | 5@99 | 10@100 8@101
trade 4@100 buy
trade 5@100 buy
trade 2@100 buy
trade 1@100 buy`, false)
	id := d.place(0, "SELL LIMIT GTC 2@100").OrderID
	d.wantBook("5@99 | 12@100 8@101")
	to(2)
	d.wantBook("5@99 | 3@100 8@101")
	if got := executed(d, id); got != "0" {
		t.Errorf("with 1 still ahead: executed %s, want 0", got)
	}
	d.rec.reset()
	to(3)
	if got := executed(d, id); got != "1" {
		t.Errorf("a trade of 2 with 1 ahead: executed %s, want 1", got)
	}
	if len(d.rec.trades) != 2 || d.rec.trades[0].Qty != One || d.rec.trades[0].SellOrderID != -1 || d.rec.trades[1].SellOrderID != id || d.rec.trades[1].BuyerIsMaker {
		t.Errorf("got trades %+v, want 1 of the tape and 1 of ours", d.rec.trades)
	}
	to(4)
	if got := executed(d, id); got != "2" {
		t.Errorf("executed %s, want 2", got)
	}
	d.wantBook("5@99 | 8@101")
}

func TestTapeReductionIsTakenFromBehindUs(t *testing.T) {
	d, to := tapeDesk(t, `
snap 10 | 5@99 | 10@100
diff 11 11 | | 14@100
diff 12 12 | | 12@100
diff 13 13 | | 3@100
trade 3@100 buy
trade 1@100 buy`, false)
	id := d.place(0, "SELL LIMIT GTC 2@100").OrderID
	to(2) // 4 joined behind us, 2 left: still 10 ahead
	o := d.x.accounts[0].open[0]
	if o.ahead != 10*One {
		t.Errorf("got %d ahead, want 10: what left was behind", o.ahead)
	}
	to(3)
	if o.ahead != 3*One {
		t.Errorf("got %d ahead, want 3: no more is displayed", o.ahead)
	}
	d.wantBook("5@99 | 5@100")
	to(5)
	if got := executed(d, id); got != "1" {
		t.Errorf("executed %s, want 1", got)
	}
}

func TestTapeTopAndItsTradeCountOnce(t *testing.T) {
	d, to := tapeDesk(t, `
snap 10 | 5@99 | 10@100
top 11 | 5@99 | 9@100
trade 1@100 buy
trade 2@100 buy
diff 11 12 | | 7@100`, false)
	id := d.place(0, "SELL LIMIT GTC 2@100").OrderID
	o := d.x.accounts[0].open[0]
	for n, ahead := range []Fixed{10, 9, 9, 7, 7} {
		to(n)
		if o.ahead != ahead*One || o.lvl.ext != ahead*One {
			t.Errorf("after line %d: got %d ahead of %d, want %d", n, o.ahead, o.lvl.ext, ahead*One)
		}
	}
	if got := executed(d, id); got != "0" {
		t.Errorf("executed %s, want 0", got)
	}
}

func TestTapeTouchThatReachesUsFillsUs(t *testing.T) {
	d, to := tapeDesk(t, `
snap 10 | 5@99 | 10@100
diff 11 12 | 1.5@99.8 | 0@100 10@101
top 13 | 2@100.2 | 10@101`, false)
	id := d.place(0, "SELL LIMIT GTC 2@99.5").OrderID
	d.rec.reset()
	to(1)
	if got := executed(d, id); got != "1.5" {
		t.Errorf("executed %s, want 1.5", got)
	}
	if tr := d.rec.trades[0]; tr.Price != fx("99.5") || tr.BuyerIsMaker || tr.BuyOrderID != -1 {
		t.Errorf("got trade %+v, want ours as the maker at our price", tr)
	}
	d.wantBook("5@99 | 0.5@99.5 10@101")
	to(2)
	d.wantBook("1.5@100.2 5@99 | 10@101")
}

func TestTapeTradeAtAWorsePriceFillsUsFirst(t *testing.T) {
	d, to := tapeDesk(t, `
snap 10 | 5@99 | 10@100
trade 3@100 buy
trade 3@99 sell`, false)
	ask := d.place(0, "SELL LIMIT GTC 2@99.9").OrderID
	bid := d.place(0, "BUY LIMIT GTC 9@99.5").OrderID
	to(1)
	if got := executed(d, ask); got != "2" {
		t.Errorf("ask: executed %s, want 2", got)
	}
	d.wantBook("9@99.5 5@99 | 9@100") // what was left took from the tape
	to(2)
	if got := executed(d, bid); got != "3" {
		t.Errorf("bid: executed %s, want 3, all of the trade", got)
	}
}

func TestWhatWeTakeFromATapeIsGoneUntilItIsSetAnew(t *testing.T) {
	d, to := tapeDesk(t, `
snap 10 | 5@99 | 10@100 8@101
top 11 | 4@99 | 10@100
diff 11 11 | 4@99 |
diff 12 12 | | 7@100`, false)
	rep := d.place(0, "BUY LIMIT IOC 6@100")
	if rep.ExecutedQty != 6*One {
		t.Fatalf("got %+v, want 6 executed", rep.Order)
	}
	d.wantBook("5@99 | 4@100 8@101")
	to(1) // repeats the ask that did not change
	d.wantBook("4@99 | 4@100 8@101")
	to(2)
	d.wantBook("4@99 | 4@100 8@101")
	to(3)
	d.wantBook("4@99 | 7@100 8@101")
}

func TestTakerMeetsTapeAndOrdersInQueueOrder(t *testing.T) {
	d, _ := tapeDesk(t, "snap 10 | 5@99 | 10@100", false)
	d.place(0, "SELL LIMIT GTC 2@100")
	rep := d.place(1, "BUY LIMIT IOC 11@100")
	if len(rep.Fills) != 2 || rep.Fills[0].Qty != 10*One || rep.Fills[1].Qty != One {
		t.Errorf("got fills %+v, want 10 of the tape, then 1 of ours", rep.Fills)
	}
	d.wantBook("5@99 | 1@100")
}

func TestTapeLoopsFromItsSnapshot(t *testing.T) {
	d, to := tapeDesk(t, `
snap 10 | 5@99 | 10@100
diff 11 11 | 6@99.5 | 0@100 4@103
trade 1@99.5 sell`, true)
	to(2)
	d.wantBook("5@99.5 5@99 | 4@103")
	to(2 + 100)
	d.wantBook("5@99 | 10@100")
	to(2 + 100 + 1)
	d.wantBook("6@99.5 5@99 | 4@103")
	if next, ok := d.x.NextEvent(); !ok || next != testStart+104*millisecond {
		t.Errorf("next event: got %d %v, want the trade", next, ok)
	}
}

func TestTapeWaitsWhileTheSymbolDoesNotTrade(t *testing.T) {
	d, to := tapeDesk(t, `
snap 10 | 5@99 | 10@100
diff 11 11 | 6@99.5 | 0@100 4@103
trade 1@99.5 sell
diff 12 12 | 3@99.2 |
diff 13 13 | 2@99.1 |`, false)
	d.place(0, "SELL LIMIT GTC 1@99.4")
	if rej := d.x.SetStatus(d.now, "BTCUSDT", Halt); rej != nil {
		t.Fatal(rej)
	}
	d.rec.reset()
	to(3)
	d.wantBook("5@99 | 1@99.4 10@100")
	if len(d.rec.trades) != 0 || len(d.rec.tops) != 0 {
		t.Errorf("got %d trades and %d tops in HALT, want none", len(d.rec.trades), len(d.rec.tops))
	}
	if rej := d.x.SetStatus(d.now, "BTCUSDT", Trading); rej != nil {
		t.Fatal(rej)
	}
	to(4) // all that happened in between, and the touch that reaches us
	d.wantBook("5@99.5 3@99.2 2@99.1 5@99 | 4@103")
}

// agentTape records what a client of a market of agents sees.
func agentTape(t testing.TB, seconds int) *Recording {
	syms, err := BuiltinSymbols("BTCUSDT")
	if err != nil {
		t.Fatal(err)
	}
	rec := &Recording{Symbols: []string{"BTCUSDT"}}
	s := &tapeSink{rec: rec}
	x, err := New(Config{Seed: 8, Start: testStart, Symbols: syms, Market: Agents(AgentOptions{})}, s)
	if err != nil {
		t.Fatal(err)
	}
	id, bids, asks, _ := x.Depth("BTCUSDT", 0)
	rec.Events = append(rec.Events, TapeEvent{Kind: TapeSnapshot, Time: testStart, Last: id, Bids: bids, Asks: asks})
	c, _ := x.NewDepthCursor("BTCUSDT")
	for now := testStart; now < testStart+Micros(seconds)*second; now += 100 * millisecond {
		x.Advance(now)
		if d, ok := x.FlushDepth(c); ok {
			rec.Events = append(rec.Events, TapeEvent{Kind: TapeDiff, Time: now, First: d.First, Last: d.Last, Bids: slices.Clone(d.Bids), Asks: slices.Clone(d.Asks)})
		}
	}
	_, bids, asks, _ = x.Depth("BTCUSDT", 0)
	s.bids, s.asks = bids, asks
	return rec
}

type tapeSink struct {
	Discard
	rec        *Recording
	bids, asks []Level
}

func (s *tapeSink) Trade(t *Trade) {
	s.rec.Events = append(s.rec.Events, TapeEvent{Kind: TapeTrade, Time: t.Time, Last: t.ID, Price: t.Price, Qty: t.Qty, BuyerIsMaker: t.BuyerIsMaker})
}

func (s *tapeSink) Top(t *Top) {
	s.rec.Events = append(s.rec.Events, TapeEvent{Kind: TapeTop, Time: t.Time, Last: t.UpdateID, Bids: []Level{t.Bid}, Asks: []Level{t.Ask}})
}

// TestTapeAloneIsTheRecording plays a recording that nobody disturbs: the book
// follows the recorded one exactly and the trades are the recorded ones.
func TestTapeAloneIsTheRecording(t *testing.T) {
	rec := agentTape(t, 60)
	syms, _ := BuiltinSymbols("BTCUSDT")
	got := &recorder{}
	x, err := New(Config{Start: testStart, Symbols: syms, Market: Tape(TapeOptions{Recording: rec})}, got)
	if err != nil {
		t.Fatal(err)
	}
	book := [3]map[Fixed]Fixed{Buy: {}, Sell: {}}
	trades, checked := 0, 0
	for i := range rec.Events {
		e := &rec.Events[i]
		switch e.Kind {
		case TapeSnapshot, TapeDiff:
			apply(book[Buy], e.Bids)
			apply(book[Sell], e.Asks)
		case TapeTrade:
			trades++
		}
		if e.Kind != TapeDiff || i+1 < len(rec.Events) && rec.Events[i+1].Time == e.Time {
			continue
		}
		x.Advance(e.Time)
		_, bids, asks, _ := x.Depth("BTCUSDT", 0)
		for side, ls := range map[Side][]Level{Buy: bids, Sell: asks} {
			if len(ls) != len(book[side]) {
				t.Fatalf("after event %d: got %d levels of %s, want %d", i, len(ls), side, len(book[side]))
			}
			for _, l := range ls {
				if book[side][l.Price] != l.Qty {
					t.Fatalf("after event %d: got %d at %d, want %d", i, l.Qty, l.Price, book[side][l.Price])
				}
			}
		}
		checked++
	}
	if len(got.trades) != trades || checked < 500 {
		t.Errorf("got %d trades of %d, %d books compared", len(got.trades), trades, checked)
	}
}

// TestRandomCommandsOnATapeKeepEveryInvariant is the property test of the other
// markets on a tape, which loops.
func TestRandomCommandsOnATapeKeepEveryInvariant(t *testing.T) {
	rec := agentTape(t, 20)
	r := rand.New(rand.NewPCG(6, 6))
	syms, _ := BuiltinSymbols("BTCUSDT")
	f := &counter{follower: newFollower("BTCUSDT"), seen: map[string]int{}}
	cfg := propertyConfig(Tape(TapeOptions{Recording: rec, Loop: true}), syms)
	for i := range cfg.Accounts {
		cfg.Accounts[i].Balances["USDT"] *= 1000
		cfg.Accounts[i].Balances["BTC"] *= 1000
	}
	x, err := New(cfg, f)
	if err != nil {
		t.Fatal(err)
	}
	f.start(x)
	cs := make([]command, 3000)
	for i := range cs {
		cs[i] = command{r.IntN(20), r.IntN(4), r.IntN(2), r.IntN(10), r.IntN(6), r.IntN(6), 1 + r.IntN(60), r.IntN(25) - 12, r.IntN(1001), r.IntN(40)}
	}
	run(t, x, f.follower, cs)
	t.Log(f.seen)
	for _, k := range []string{"maker", "taker", "CANCELED CANCELED NONE", "TRADE FILLED NONE"} {
		if f.seen[k] < 20 {
			t.Errorf("%s: seen %d times, want at least 20", k, f.seen[k])
		}
	}
}

func TestTapeSpeedMovesTimesAndNothingElse(t *testing.T) {
	d := newDesk(t, func(c *Config) {
		c.Symbols[0].Filters = nil
		c.Market = Tape(TapeOptions{Recording: script(t, `
snap 10 | 5@99 | 10@100
diff 11 11 | 6@99.5 | 0@100 4@103
trade 1@99.5 sell`), Loop: true, Speed: 2})
	})
	to := func(at Micros) {
		d.now = testStart + at
		d.x.Advance(d.now)
		d.check()
	}
	to(millisecond/2 - 1)
	d.wantBook("5@99 | 10@100")
	to(millisecond / 2)
	d.wantBook("6@99.5 5@99 | 4@103")
	to(millisecond)
	d.wantBook("5@99.5 5@99 | 4@103")
	to(millisecond + 100*millisecond)
	d.wantBook("5@99 | 10@100")
	to(millisecond + 100*millisecond + millisecond/2)
	d.wantBook("6@99.5 5@99 | 4@103")
}

func TestTapeSpeedThatIsNoneIsRefused(t *testing.T) {
	rec := script(t, `snap 10 | 5@99 | 10@100`)
	for _, speed := range []float64{-1, math.Inf(1), math.NaN()} {
		_, err := New(Config{Start: testStart, Symbols: []Symbol{testSymbol()}, Market: Tape(TapeOptions{Recording: rec, Speed: speed})}, nil)
		if err == nil || !strings.Contains(err.Error(), "tape speed") {
			t.Errorf("speed %v: got error %v, want one about the tape speed", speed, err)
		}
	}
}
