package feed_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"riposte/core"
	"riposte/core/book"
	"riposte/core/ring"
	"riposte/feed"
	"riposte/feed/binance"
)

// library is the far side of a fetcher: each fetch waits to be answered.
type library struct {
	mu    sync.Mutex
	asked []string
	reply chan error
	most  int
	now   int
}

func (l *library) fetch(ctx context.Context, symbol string, limit int) ([]byte, error) {
	l.mu.Lock()
	l.asked = append(l.asked, symbol)
	l.now++
	l.most = max(l.most, l.now)
	l.mu.Unlock()
	defer func() { l.mu.Lock(); l.now--; l.mu.Unlock() }()
	select {
	case err := <-l.reply:
		return fmt.Appendf(nil, `{"lastUpdateId":%d,"bids":[["1","1"]],"asks":[["2","1"]]}`, limit), err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *library) list() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.asked)
}

// fiveSymbols are S0 to S4.
func fiveSymbols(t *testing.T) *core.Instruments {
	t.Helper()
	tab := core.NewInstruments()
	for i := range 5 {
		if _, err := tab.Add(core.Instrument{Symbol: fmt.Sprintf("S%d", i)}); err != nil {
			t.Fatal(err)
		}
	}
	return tab
}

// closedAtEnd closes what runs in the background when the test ends.
func closedAtEnd(t *testing.T, closeIt func(context.Context) error) {
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := closeIt(ctx); err != nil {
			t.Error(err)
		}
	})
}

type snapRig struct {
	t      *testing.T
	clock  *testClock
	f      *feed.Snapshots
	lib    *library
	want   *ring.Ring[book.Want]
	images *ring.Ring[*book.Image]
}

func newSnapRig(t *testing.T, change func(cfg *feed.SnapshotConfig)) *snapRig {
	t.Helper()
	r := &snapRig{t: t, clock: newClock(), lib: &library{reply: make(chan error, 100)}, want: ring.New[book.Want](16), images: ring.New[*book.Image](2)}
	cfg := feed.SnapshotConfig{
		Instruments: fiveSymbols(t), Clock: r.clock, Want: r.want, Images: r.images, Fetch: r.lib.fetch, Limit: 1000, Parallel: 1,
		Parse: func(body []byte, id core.InstrumentID, limit int) (*book.Image, error) {
			return binance.ParseSnapshot(body, id, limit, core.Milliseconds)
		},
		Priority: []int{0, 0, 7, 0, 9},
	}
	if change != nil {
		change(&cfg)
	}
	var err error
	if r.f, err = feed.NewSnapshots(cfg); err != nil {
		t.Fatal(err)
	}
	closedAtEnd(t, r.f.Close)
	return r
}

func (r *snapRig) ask(ids ...core.InstrumentID) {
	for _, id := range ids {
		*r.want.Claim() = book.Want{Instrument: id}
		r.want.Publish()
	}
}

func (r *snapRig) image() *book.Image {
	r.t.Helper()
	var p []*book.Image
	spin(r.t, "an image", r.f.Step, func() bool { p = r.images.Pending(); return len(p) > 0 })
	im := p[0]
	r.images.Release(1)
	return im
}

func TestSnapshotsMostImportantFirstAndNeverTwiceAtOnce(t *testing.T) {
	r := newSnapRig(t, nil)
	r.ask(1, 0, 2, 4, 3, 1, 4, 4, 99) // repeated and unknown ones too
	var got []core.InstrumentID
	for range 5 {
		r.lib.reply <- nil
		im := r.image()
		got = append(got, im.Instrument)
		if im.LastID != 1000 || im.Limit != 1000 {
			t.Fatalf("got %+v", im)
		}
	}
	if want := []core.InstrumentID{4, 2, 1, 0, 3}; !slices.Equal(got, want) {
		t.Fatalf("got order %v, want %v", got, want)
	}
	if r.lib.most != 1 || len(r.lib.list()) != 5 {
		t.Fatalf("%d fetches, %d at once; want 5 and 1", len(r.lib.list()), r.lib.most)
	}
	r.ask(1) // a new request after the answer is a new fetch
	r.lib.reply <- nil
	if im := r.image(); im.Instrument != 1 {
		t.Fatalf("got %+v", im)
	}
	spin(t, "idle", r.f.Step, func() bool { st := r.f.Status(); return st.Fetched == 6 && st.InFlight == 0 && st.Waiting == 0 })
}

func TestSnapshotsRetryAfterABackoffUntilItWorks(t *testing.T) {
	r := newSnapRig(t, func(cfg *feed.SnapshotConfig) {
		cfg.BackoffMin, cfg.BackoffMax = time.Second, time.Second
		cfg.RetryAfter = func(err error) time.Duration {
			if errors.Is(err, context.DeadlineExceeded) {
				return time.Minute
			}
			return 0
		}
	})
	r.ask(3)
	r.lib.reply <- errors.New("status 500")
	spin(t, "a failure", r.f.Step, func() bool { st := r.f.Status(); return st.Failed == 1 && st.Waiting == 1 })
	r.clock.forward(time.Second)
	r.lib.reply <- context.DeadlineExceeded
	spin(t, "another", r.f.Step, func() bool { st := r.f.Status(); return st.Failed == 2 && st.Waiting == 1 })
	r.clock.forward(59 * time.Second)
	for range 1000 {
		r.f.Step()
	}
	if n := len(r.lib.list()); n != 2 {
		t.Fatalf("fetched %d times before its time, want 2", n)
	}
	r.clock.forward(2 * time.Second)
	r.lib.reply <- nil
	if im := r.image(); im.Instrument != 3 || r.f.Status().LastError == "" {
		t.Fatalf("got %+v", im)
	}
}

func TestSnapshotsWaitForRoomInTheRing(t *testing.T) {
	r := newSnapRig(t, func(cfg *feed.SnapshotConfig) { cfg.Parallel = 4 })
	r.ask(0, 1, 2, 3)
	for range 4 {
		r.lib.reply <- nil
	}
	spin(t, "a full ring", r.f.Step, func() bool { return r.images.Len() == 2 })
	for range 100 {
		r.f.Step()
	}
	seen := map[core.InstrumentID]bool{}
	for range 4 {
		seen[r.image().Instrument] = true
	}
	if len(seen) != 4 {
		t.Fatalf("got images of %v, want four instruments", seen)
	}
}

func TestSnapshotsCloseEndsAFetch(t *testing.T) {
	r := newSnapRig(t, nil)
	r.ask(0)
	spin(t, "a fetch", r.f.Step, func() bool { return len(r.lib.list()) == 1 })
	if err := r.f.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, cfg := range []feed.SnapshotConfig{{}, {Limit: 5}} {
		if _, err := feed.NewSnapshots(cfg); err == nil {
			t.Fatal("an empty config was accepted")
		}
	}
}

// Against the plain definition: never more than limit attempts in any window.
func TestConnectBudgetHoldsInEveryWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 5).Draw(t, "limit")
		const window = 100
		b, err := feed.NewConnectBudget(limit, window)
		if err != nil {
			t.Fatal(err)
		}
		var taken []core.MonoNs
		now := core.MonoNs(0)
		for range 200 {
			now += core.MonoNs(rapid.IntRange(0, 60).Draw(t, "pause"))
			recent := 0
			oldest := now
			for _, at := range taken {
				if at > now-window {
					recent++
					oldest = min(oldest, at)
				}
			}
			wait := b.Take(now)
			if (wait == 0) != (recent < limit) {
				t.Fatalf("at %d with %d of %d taken: got wait %d", now, recent, limit, wait)
			}
			if wait == 0 {
				taken = append(taken, now)
			} else if now+core.MonoNs(wait) != oldest+window {
				t.Fatalf("at %d: got wait %d, want until %d", now, wait, oldest+window)
			}
		}
	})
	if _, err := feed.NewConnectBudget(0, time.Second); err == nil {
		t.Fatal("a budget of nothing was accepted")
	}
}

// allowance is a venue's weight as a fetcher sees it.
type allowance struct {
	mu   sync.Mutex
	left int
}

func (a *allowance) room(book.Purpose) (int, time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.left, time.Second
}

func (a *allowance) set(n int) { a.mu.Lock(); a.left = n; a.mu.Unlock() }

func weightOf(limit int) int {
	if limit <= 100 {
		return 5
	}
	return 50
}

// limits has the fetcher answered by want's levels: the image's id is the limit.
func (r *snapRig) limits(n int) (got []int) {
	for range n {
		r.lib.reply <- nil
		im := r.image()
		got = append(got, im.Limit)
	}
	return got
}

func TestSnapshotsAreSmallWhereTheWeightDoesNotSufficeForAll(t *testing.T) {
	bridge := func(down uint16, ids ...core.InstrumentID) (list []book.Want) {
		for _, id := range ids {
			list = append(list, book.Want{Instrument: id, Down: down})
		}
		return list
	}
	for name, c := range map[string]struct {
		room   int
		urgent []bool
		wants  []book.Want
		want   []int // limits
	}{
		"one book, plenty":               {1000, nil, bridge(1, 0), []int{1000}},
		"all, plenty":                    {1000, nil, bridge(5, 0, 1), []int{1000, 1000}},
		"all, scarce":                    {90, nil, bridge(5, 0, 1), []int{100, 100}},
		"all, scarce, one traded":        {90, []bool{false, true}, bridge(5, 0, 1), []int{100, 1000}},
		"one book, what brings all back": {70, nil, bridge(1, 0), []int{100}},
		"for the edge":                   {50, nil, []book.Want{{Instrument: 1, Purpose: book.ForEdge}}, []int{1000}},
		"audit of a small book":          {1000, nil, []book.Want{{Instrument: 1, Purpose: book.ForAudit, Levels: 40}}, []int{100}},
		"audit of a larger one":          {1000, nil, []book.Want{{Instrument: 1, Purpose: book.ForAudit, Levels: 400}}, []int{466}},
	} {
		a := &allowance{left: c.room}
		r := newSnapRig(t, func(cfg *feed.SnapshotConfig) {
			cfg.First, cfg.Weight, cfg.Room, cfg.Urgent, cfg.Priority = 100, weightOf, a.room, c.urgent, nil
		})
		for _, w := range c.wants {
			*r.want.Claim() = w
			r.want.Publish()
		}
		if got := r.limits(len(c.want)); !slices.Equal(got, c.want) {
			t.Errorf("%s: got limits %v, want %v", name, got, c.want)
		}
	}
}

func TestSnapshotsWaitForWeightAndTheLessUrgentWaitLonger(t *testing.T) {
	a := &allowance{left: 4}
	r := newSnapRig(t, func(cfg *feed.SnapshotConfig) {
		cfg.First, cfg.Weight, cfg.Room = 100, weightOf, a.room
	})
	ask := func(w book.Want) {
		*r.want.Claim() = w
		r.want.Publish()
	}
	idle := func(what string, asked int) {
		t.Helper()
		for range 1000 {
			r.clock.forward(time.Millisecond)
			r.f.Step()
		}
		if n := len(r.lib.list()); n != asked {
			t.Fatalf("%s: %d fetches, want %d", what, n, asked)
		}
	}
	ask(book.Want{Instrument: 4, Purpose: book.ForAudit})
	ask(book.Want{Instrument: 2, Purpose: book.ForRange})
	ask(book.Want{Instrument: 0, Purpose: book.ForBridge, Down: 1})
	idle("no weight", 0)
	a.set(5)
	r.lib.reply <- nil
	spin(t, "the one that waits", func() int { r.clock.forward(time.Millisecond); return r.f.Step() }, func() bool { return r.images.Len() == 1 })
	if im := r.image(); im.Instrument != 0 || im.Purpose != book.ForBridge {
		t.Fatalf("got %+v, want the book that waits first", im)
	}
	a.set(74) // one of 50 would leave less than it takes to bring back all five
	idle("weight for a return of all", 1)
	a.set(75)
	r.lib.reply <- nil
	r.lib.reply <- nil
	for _, want := range []core.InstrumentID{2, 4} {
		spin(t, "what is less urgent", func() int { r.clock.forward(time.Millisecond); return r.f.Step() }, func() bool { return r.images.Len() == 1 })
		if im := r.image(); im.Instrument != want {
			t.Fatalf("got %+v, want instrument %d", im, want)
		}
	}
	st := r.f.Status()
	if st.Got != [book.Purposes]uint64{book.ForBridge: 1, book.ForRange: 1, book.ForAudit: 1} || st.Spent != [book.Purposes]uint64{book.ForBridge: 5, book.ForRange: 50, book.ForAudit: 50} {
		t.Errorf("got %v for a weight of %v, want one each for 5, 50 and 50", st.Got, st.Spent)
	}
}

// A snapshot that was of no use, 30 s old say, is fetched again and again, ever more
// slowly; what others ask for meanwhile comes at once.
func TestUselessSnapshotsAreFetchedEverMoreSlowly(t *testing.T) {
	r := newSnapRig(t, func(cfg *feed.SnapshotConfig) { cfg.BackoffMin, cfg.BackoffMax = 100*time.Millisecond, 8*time.Second })
	for range 100 {
		r.lib.reply <- nil
	}
	stale, others := 0, 0
	again := book.Want{Instrument: 1}
	put := func(w book.Want) {
		*r.want.Claim() = w
		r.want.Publish()
	}
	put(again)
	again.Again = true
	for i := range 60 { // seconds
		if i%10 == 0 {
			put(book.Want{Instrument: 3})
		}
		for range 100 {
			r.clock.forward(10 * time.Millisecond)
			r.f.Step()
			spin(t, "what is in flight", r.f.Step, func() bool { return r.f.Status().InFlight == 0 })
			for _, im := range r.images.Pending() {
				if im.Instrument == 1 {
					stale++
					put(again)
				} else {
					others++
				}
				r.images.Release(1)
			}
		}
	}
	if stale < 8 || stale > 40 || others != 6 || r.lib.most != 1 {
		t.Errorf("fetched %d times in a minute, and %d for another; want more than 8, at most 40, and 6", stale, others)
	}
	put(book.Want{Instrument: 1}) // a new gap is not made to wait for old ones
	n := len(r.lib.list())
	spin(t, "a fetch at once", r.f.Step, func() bool { return len(r.lib.list()) > n })
}

// What the venue says of one symbol alone sets that one aside.
func TestRefusedSymbolIsSetAsideAlone(t *testing.T) {
	gone := errors.New("venue says -1121 Invalid symbol.")
	r := newSnapRig(t, func(cfg *feed.SnapshotConfig) {
		cfg.Refused = func(err error) bool { return errors.Is(err, gone) }
		cfg.AsideFor, cfg.Parallel = time.Minute, 1
	})
	r.ask(4)
	r.lib.reply <- gone
	spin(t, "a refusal", r.f.Step, func() bool { return r.f.Status().Failed == 1 })
	if st := r.f.Status(); len(st.Aside) != 1 || st.Aside[0] != "cannot fetch snapshot of S4: venue says -1121 Invalid symbol." {
		t.Fatalf("set aside: %q, want S4 with the reason", st.Aside)
	}
	r.ask(4, 0, 2) // being asked again does not hurry it
	for range 2 {
		r.lib.reply <- nil
		if im := r.image(); im.Instrument == 4 {
			t.Fatal("the symbol set aside was fetched before its time")
		}
	}
	r.clock.forward(59 * time.Second)
	for range 1000 {
		r.f.Step()
	}
	if n := len(r.lib.list()); n != 3 {
		t.Fatalf("%d fetches, want 3", n)
	}
	r.clock.forward(2 * time.Second)
	r.lib.reply <- nil
	if im := r.image(); im.Instrument != 4 || len(r.f.Status().Aside) != 0 {
		t.Fatalf("got %+v with %q aside, want the symbol back", im, r.f.Status().Aside)
	}
}
