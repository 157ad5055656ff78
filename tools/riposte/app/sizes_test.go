package app

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"pgregory.net/rapid"

	"riposte/core"
	"riposte/core/book"
	"riposte/core/engine"
	"riposte/core/ring"
	"riposte/core/risk"
)

func TestQueueSizesFitTheirBudgetAndFavourWhatIsTraded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		traded := rapid.SliceOfN(rapid.Bool(), 1, 460).Draw(t, "traded")
		sizes := new(MarketConfig).queueSizes(traded)
		sum := 0
		for i, s := range sizes {
			sum += s.bytes()
			if s.events < 256 || s.perEvent > s.levels || s.levels&(s.levels-1) != 0 || s.events&(s.events-1) != 0 {
				t.Fatalf("symbol %d of %d: %+v is no queue", i, len(traded), s)
			}
			for j := range i {
				if traded[j] == traded[i] && sizes[j].events < s.events || traded[j] && !traded[i] && sizes[j].events < s.events {
					t.Fatalf("%d of %d: %+v behind %d with %+v; traded %v", i, len(traded), s, j, sizes[j], traded)
				}
			}
		}
		if sum > queueBudget {
			t.Fatalf("%d queues take %d bytes, want at most %d", len(traded), sum, queueBudget)
		}
	})
}

func TestQueueSizesGivenAreTaken(t *testing.T) {
	for _, s := range (&MarketConfig{QueueEvents: 1000, QueueLevels: 5000}).queueSizes(make([]bool, 30)) {
		if s != (queueSize{1024, 8192, levelsPerEvent}) {
			t.Fatalf("got %+v, want 1024 events and 8192 levels", s)
		}
	}
	for n, want := range map[int]int{1: 1 << 16, 16: 1 << 16, 17: 1 << 15, 400: 1 << 11, 10_000: 1 << 10} {
		if got := new(MarketConfig).bookWindow(n); got != want {
			t.Errorf("%d books index %d ticks, want %d", n, got, want)
		}
	}
	if got := (&MarketConfig{BookWindow: 4096}).bookWindow(5); got != 4096 {
		t.Errorf("got %d, want what was given", got)
	}
}

func TestQueueBytesAreWhatAQueueAllocates(t *testing.T) {
	for class := range queueClasses {
		s := queueClass(class)
		const many = 32
		queues := make([]*ring.Queue, many)
		from := heapNow()
		for i := range queues {
			queues[i] = ring.NewQueue(s.events, s.levels, s.perEvent)
		}
		got := int(heapNow()-from) / many
		runtime.KeepAlive(queues)
		// Size classes of the allocator round up.
		if got < s.bytes()*9/10 || got > s.bytes()*5/4+4096 {
			t.Errorf("%+v allocates %d bytes, computed %d", s, got, s.bytes())
		}
	}
}

func heapNow() int64 {
	runtime.GC()
	runtime.GC() // what the first has finalised
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// Four hundred symbols with a thousand levels a side: queues and books, as the desk
// would size them, within 40 MB. A dense book has a level on every other tick, as most
// have; a scattered one reaches as far as spot BTCUSDT, as one in ten does here. All
// scattered is more than any venue lists and is held to 60 MB.
func TestFourHundredSymbolsFitIn40MB(t *testing.T) {
	const symbols, levels = 400, 1000
	for _, c := range []struct {
		name      string
		scattered int // one in so many
		most      int // bytes
	}{{"one in ten scattered", 10, 40e6}, {"all scattered", 1, 60e6}} {
		t.Run(c.name, func(t *testing.T) {
			const tick = 10_000
			rnd := rand.New(rand.NewPCG(1, 2))
			from := heapNow()
			w := many(t, symbols, tick)
			for id := range symbols {
				im := &book.Image{Instrument: core.InstrumentID(id), LastID: 100, Limit: levels}
				step := int64(2)
				if id%c.scattered == 0 {
					step = 20
				}
				bid, ask := int64(50_000_000), int64(50_000_001)
				for range levels {
					im.Bids = append(im.Bids, core.Level{Price: core.Price(bid * tick), Qty: 1e8})
					im.Asks = append(im.Asks, core.Level{Price: core.Price(ask * tick), Qty: 1e8})
					bid -= 1 + rnd.Int64N(2*step-1)
					ask += 1 + rnd.Int64N(2*step-1)
				}
				w.depth(id, 101, im.Bids[:3]) // a first event, without which no book is live
				*w.images.Claim() = im
				w.images.Publish()
				w.step()
				for u := range uint64(20) { // and traffic that walks through the queue
					w.depth(id, 102+u, im.Bids[:50])
					w.step()
				}
			}
			books, live := 0, 0
			for id := range symbols {
				s := w.shard.Sync(core.InstrumentID(id))
				if b, ok := s.Live(); ok {
					live++
					books += b.Bytes()
				}
			}
			if live != symbols {
				t.Fatalf("%d of %d books are live", live, symbols)
			}
			heap := heapNow() - from
			t.Logf("%d symbols, %d levels a side: queues %.1f kB, books %.1f kB, all of the heap %.1f kB a symbol; queues and books %.1f MB",
				symbols, levels, float64(w.queueBytes)/symbols/1e3, float64(books)/symbols/1e3, float64(heap)/symbols/1e3, float64(w.queueBytes+books)/1e6)
			if w.queueBytes+books > c.most {
				t.Errorf("queues and books take %d bytes, want at most %d", w.queueBytes+books, c.most)
			}
			runtime.KeepAlive(w)
		})
	}
}

// manyMarkets is a shard with its queues, sized as the desk does it.
type manyMarkets struct {
	queues     []*ring.Queue
	queueBytes int
	images     *ring.Ring[*book.Image]
	want       *ring.Ring[book.Want]
	shard      *engine.Shard
	clock      *core.ManualClock
}

func many(t *testing.T, n int, tick core.Price) *manyMarkets {
	t.Helper()
	w := &manyMarkets{images: ring.New[*book.Image](2), want: ring.New[book.Want](1 << 10), clock: &core.ManualClock{MonoNow: 1e9}}
	table := core.NewInstruments()
	for i := range n {
		if _, err := table.Add(core.Instrument{Symbol: fmt.Sprintf("S%dUSDT", i), Base: table.Asset(fmt.Sprintf("S%d", i)), Quote: table.Asset("USDT"),
			Status: core.StatusTrading, Filters: core.Filters{Tick: tick}}); err != nil {
			t.Fatal(err)
		}
	}
	m := new(MarketConfig)
	for _, s := range m.queueSizes(make([]bool, n)) {
		w.queues = append(w.queues, ring.NewQueue(s.events, s.levels, s.perEvent))
		w.queueBytes += s.bytes()
	}
	gate, err := risk.NewGate(table, nil, risk.AccountLimits{OpenMax: 1, RateMax: 1, RateSpan: time.Second, RejectMax: 1})
	if err != nil {
		t.Fatal(err)
	}
	w.shard, err = engine.NewShard(engine.Config{Instruments: table, Clock: w.clock, Gate: gate, Queues: w.queues, Strategies: make([][]engine.Seat, n),
		Reports: ring.New[core.Report](2), Images: w.images, Commands: ring.New[engine.Command](2), Out: ring.New[risk.Approved](2), Want: w.want,
		Window: m.bookWindow(n), TimerEvery: time.Hour, StatsEvery: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// depth puts one event with these bids into a queue.
func (w *manyMarkets) depth(id int, u uint64, bids []core.Level) {
	ev, lv := w.queues[id].Claim()
	*ev = core.Event{Kind: core.DepthDelta, Instrument: core.InstrumentID(id), Bids: uint16(len(bids)), Recv: w.clock.MonoNow, ID: u, W: [4]int64{int64(u)}}
	w.queues[id].Publish(len(append(lv, bids...)))
}

func (w *manyMarkets) step() {
	for w.shard.Step() > 0 {
		w.clock.MonoNow++
	}
	w.want.Release(len(w.want.Pending()))
}
