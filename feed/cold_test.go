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

type snapRig struct {
	t      *testing.T
	clock  *testClock
	f      *feed.Snapshots
	lib    *library
	want   *ring.Ring[core.InstrumentID]
	images *ring.Ring[*book.Image]
}

func newSnapRig(t *testing.T, change func(cfg *feed.SnapshotConfig)) *snapRig {
	t.Helper()
	tab := core.NewInstruments()
	for i := range 5 {
		if _, err := tab.Add(core.Instrument{Symbol: fmt.Sprintf("S%d", i)}); err != nil {
			t.Fatal(err)
		}
	}
	r := &snapRig{t: t, clock: newClock(), lib: &library{reply: make(chan error, 100)}, want: ring.New[core.InstrumentID](16), images: ring.New[*book.Image](2)}
	cfg := feed.SnapshotConfig{
		Instruments: tab, Clock: r.clock, Want: r.want, Images: r.images, Fetch: r.lib.fetch, Limit: 1000, Parallel: 1,
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
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := r.f.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return r
}

func (r *snapRig) ask(ids ...core.InstrumentID) {
	for _, id := range ids {
		*r.want.Claim() = id
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
