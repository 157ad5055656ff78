package trail

import (
	"math/big"
	"testing"
	"time"

	"riposte/core"
	"riposte/core/bar"
)

// The model: a market as a list of trades, its bars made the slow way, and a venue that
// answers from memory.

type deal struct {
	id    int64
	price int64
	qty   int64
	at    core.WallNs
	maker bool
}

func (d *deal) event() core.Event {
	ev := core.Event{Kind: core.Trade, ID: uint64(d.id), W: [4]int64{d.price, d.qty, int64(d.at)}}
	if d.maker {
		ev.Flags = core.FlagBuyerMaker
	}
	return ev
}

// opens is when the bar that holds an instant opens, by the calendar.
func opens(v bar.Interval, t core.WallNs) core.WallNs {
	z := time.FixedZone("", int(v.Offset()/time.Second))
	u := time.Unix(0, int64(t)).In(z)
	day := time.Date(u.Year(), u.Month(), u.Day(), 0, 0, 0, 0, z)
	var o time.Time
	switch v.Name() {
	case "1M":
		o = time.Date(u.Year(), u.Month(), 1, 0, 0, 0, 0, z)
	case "1w":
		o = day.AddDate(0, 0, -(int(u.Weekday())+6)%7)
	case "1d":
		o = day
	case "3d":
		local := int64(t) + int64(v.Offset())
		return core.WallNs(local - local%int64(72*time.Hour) - int64(v.Offset()))
	default:
		into := u.Sub(day) % v.Length()
		o = u.Add(-into)
	}
	return core.WallNs(o.UnixNano())
}

// bars makes every bar from the one that holds the first trade up to that of the last.
func bars(v bar.Interval, all []deal) (out []bar.Bar) {
	var volume, quote, takerBase, takerQuote *big.Int
	sum := func(b *big.Int) bar.Sum {
		hi := new(big.Int).Rsh(b, 64)
		lo := new(big.Int).And(b, new(big.Int).SetUint64(1<<64-1))
		return bar.Sum{Hi: hi.Uint64(), Lo: lo.Uint64()}
	}
	flush := func() {
		if n := len(out); n > 0 && volume != nil {
			b := &out[n-1]
			b.Volume, b.Quote, b.TakerBase, b.TakerQuote = sum(volume), sum(quote), sum(takerBase), sum(takerQuote)
		}
	}
	for i := range all {
		d := &all[i]
		open := opens(v, d.at)
		if n := len(out); n == 0 || out[n-1].Start != open {
			flush()
			for n > 0 && out[n-1].End < open {
				last := out[n-1]
				out = append(out, bar.Bar{Start: last.End, End: v.Next(last.End), Open: last.Close, High: last.Close, Low: last.Close, Close: last.Close, First: -1, Last: -1})
				n++
			}
			p := core.Price(d.price)
			out = append(out, bar.Bar{Start: open, End: v.Next(open), Open: p, High: p, Low: p, First: d.id})
			volume, quote, takerBase, takerQuote = new(big.Int), new(big.Int), new(big.Int), new(big.Int)
		}
		b := &out[len(out)-1]
		b.High, b.Low, b.Close, b.Last = max(b.High, core.Price(d.price)), min(b.Low, core.Price(d.price)), core.Price(d.price), d.id
		b.Trades++
		worth := new(big.Int).Mul(big.NewInt(d.price), big.NewInt(d.qty))
		worth.Quo(worth, big.NewInt(core.Scale))
		volume.Add(volume, big.NewInt(d.qty))
		quote.Add(quote, worth)
		if !d.maker {
			takerBase.Add(takerBase, big.NewInt(d.qty))
			takerQuote.Add(takerQuote, worth)
		}
	}
	flush()
	return out
}

// memory answers questions as the venue does: trades up to what has happened, klines of
// everything, at most a page.
type memory struct {
	all     []deal
	trimmed int // of all: what it knows as klines alone
	upTo    int // of all: what has happened
	page    int
	now     core.WallNs
	made    map[bar.Interval][]bar.Bar // of all[:madeOf]
	madeOf  int
	asks    map[AskKind]int
}

func (m *memory) bars(v bar.Interval) []bar.Bar {
	if m.made == nil || m.madeOf != m.upTo {
		m.made, m.madeOf = map[bar.Interval][]bar.Bar{}, m.upTo
	}
	if m.made[v] == nil {
		m.made[v] = bars(v, m.all[:m.upTo])
	}
	return m.made[v]
}

func (m *memory) answer(a Ask) *Answer {
	out := &Answer{Ask: a}
	m.asks[a.Kind]++
	limit := min(a.Limit, m.page)
	if a.Kind == AskKlines {
		list := m.bars(a.Interval)
		for n := len(list); n > 0 && list[n-1].End <= m.now && n < 100_000; n++ {
			p := list[n-1].Close // quiet since
			list = append(list, bar.Bar{Start: list[n-1].End, End: a.Interval.Next(list[n-1].End), Open: p, High: p, Low: p, Close: p})
		}
		for _, b := range list {
			if b.Start >= a.Start && b.Start < a.End && len(out.Bars) < limit {
				b.First, b.Last = -1, -1 // not told
				out.Bars = append(out.Bars, b)
			}
		}
		return out
	}
	known := m.all[min(m.trimmed, m.upTo):m.upTo]
	if a.From == Newest {
		known = known[max(0, len(known)-limit):]
	}
	for i := range known {
		if (a.From == Newest || uint64(known[i].id) >= a.From) && len(out.Events) < limit {
			out.Events = append(out.Events, known[i].event())
		}
	}
	return out
}

// serve answers what a trail asks at an instant, and returns the events that came of it.
func serve(t *testing.T, tr *Trail, m *memory, now core.MonoNs) (told []core.Event) {
	a, ok := tr.Ask(now)
	if !ok {
		return nil
	}
	m.now = tr.now()
	ans := m.answer(a)
	var ev core.Event
	var lv [4]core.Level
	n := tr.Begin(ans)
	for i := range n {
		if _, found := tr.Take(ans, i, &ev, lv[:]); found != Double {
			if !ev.Late() {
				t.Fatalf("%d of %+v was told without the flag", ev.ID, a)
			}
			told = append(told, ev)
		}
	}
	tr.End(ans, now)
	return told
}

func intervals(t testing.TB, names ...string) (out []bar.Interval) {
	t.Helper()
	for _, n := range names {
		v, err := bar.Parse(n)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}
