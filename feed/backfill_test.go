package feed_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"riposte/core"
	"riposte/core/ring"
	"riposte/core/trail"
	"riposte/feed"
)

type fillRig struct {
	t       *testing.T
	clock   *testClock
	f       *feed.Backfill
	lib     *library
	asks    *ring.Ring[trail.Ask]
	answers *ring.Ring[*trail.Answer]
}

func newFillRig(t *testing.T, change func(cfg *feed.BackfillConfig)) *fillRig {
	t.Helper()
	r := &fillRig{t: t, clock: newClock(), lib: &library{reply: make(chan error, 100)}, asks: ring.New[trail.Ask](16), answers: ring.New[*trail.Answer](2)}
	cfg := feed.BackfillConfig{
		Instruments: fiveSymbols(t), Clock: r.clock, Asks: r.asks, Answers: r.answers, Parallel: 1, Priority: []int{0, 0, 7, 0, 9},
		Fetch: func(ctx context.Context, symbol string, a *trail.Ask) ([]byte, error) {
			return r.lib.fetch(ctx, symbol, a.Limit)
		},
		Parse: func(_ []byte, a *trail.Ask) (*trail.Answer, error) {
			if a.Limit == 13 {
				return nil, errors.New("unlucky")
			}
			return &trail.Answer{Ask: *a}, nil
		},
	}
	if change != nil {
		change(&cfg)
	}
	var err error
	if r.f, err = feed.NewBackfill(cfg); err != nil {
		t.Fatal(err)
	}
	closedAtEnd(t, r.f.Close)
	return r
}

func (r *fillRig) ask(number uint32, ids ...core.InstrumentID) {
	for _, id := range ids {
		*r.asks.Claim() = trail.Ask{Instrument: id, Number: number, Limit: 10, Kind: trail.AskKind(number % 3)}
		r.asks.Publish()
	}
}

func (r *fillRig) answer() *trail.Answer {
	r.t.Helper()
	var p []*trail.Answer
	spin(r.t, "an answer", r.f.Step, func() bool { p = r.answers.Pending(); return len(p) > 0 })
	a := p[0]
	r.answers.Release(1)
	return a
}

func TestBackfillAnswersTheMostImportantFirstAndOnlyWhatStillStands(t *testing.T) {
	r := newFillRig(t, nil)
	r.ask(1, 1, 0, 2, 4, 3, 99)
	r.ask(2, 1, 4) // another question of these two
	var got []string
	for range 5 {
		r.lib.reply <- nil
		a := r.answer()
		got = append(got, fmt.Sprint(a.Instrument, "/", a.Number))
	}
	if want := []string{"4/2", "2/1", "0/1", "3/1", "1/2"}; !slices.Equal(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	spin(t, "idle", r.f.Step, func() bool {
		st := r.f.Status()
		return st.Aggs == 3 && st.Klines == 2 && st.Trades == 0 && st.InFlight == 0 && st.Waiting == 0
	})
	if r.lib.most != 1 {
		t.Fatalf("%d fetches at once, want 1", r.lib.most)
	}
}

func TestBackfillAsksAgainAfterABackoffAndForANewerQuestionInstead(t *testing.T) {
	r := newFillRig(t, func(cfg *feed.BackfillConfig) {
		cfg.BackoffMin, cfg.BackoffMax = time.Second, time.Second
		cfg.RetryAfter = func(err error) time.Duration {
			if errors.Is(err, context.DeadlineExceeded) {
				return time.Minute
			}
			return 0
		}
	})
	r.ask(1, 3)
	r.lib.reply <- errors.New("status 500")
	spin(t, "a failure", r.f.Step, func() bool { st := r.f.Status(); return st.Failed == 1 && st.Waiting == 1 })
	r.clock.forward(time.Second)
	r.lib.reply <- context.DeadlineExceeded
	spin(t, "another", r.f.Step, func() bool { st := r.f.Status(); return st.Failed == 2 && st.Waiting == 1 })
	r.ask(2, 3)
	r.clock.forward(59 * time.Second)
	for range 1000 {
		r.f.Step()
	}
	if n := len(r.lib.list()); n != 2 {
		t.Fatalf("fetched %d times before its time, want 2", n)
	}
	r.clock.forward(2 * time.Second)
	r.lib.reply <- nil
	if a := r.answer(); a.Number != 2 || r.f.Status().LastError == "" {
		t.Fatalf("got %+v, want the newer question's answer", a)
	}
}

func TestBackfillBeginsNothingThatTheAllowanceHasNoRoomFor(t *testing.T) {
	room := 30
	r := newFillRig(t, func(cfg *feed.BackfillConfig) {
		cfg.Parallel = 4
		cfg.Weight, cfg.Room = func(*trail.Ask) int { return 25 }, func() int { return room }
	})
	r.ask(1, 0, 1)
	for range 100 {
		r.clock.forward(time.Second)
		r.f.Step()
	}
	spin(t, "the first", r.f.Step, func() bool { return len(r.lib.list()) == 1 })
	if st := r.f.Status(); st.InFlight != 1 || st.Waiting != 1 {
		t.Fatalf("%+v, want one under way, for which there is room, and one that waits", st)
	}
	r.lib.reply <- nil
	r.answer()
	room = 10
	for range 100 {
		r.clock.forward(time.Second)
		r.f.Step()
	}
	if n := len(r.lib.list()); n != 1 {
		t.Fatalf("%d fetches with room for none", n)
	}
	room = 25
	r.clock.forward(time.Second)
	r.lib.reply <- nil
	if a := r.answer(); a.Instrument != 1 {
		t.Fatalf("got %+v", a)
	}
}

func TestBackfillSaysWhatItCannotRead(t *testing.T) {
	r := newFillRig(t, nil)
	*r.asks.Claim() = trail.Ask{Instrument: 2, Limit: 13}
	r.asks.Publish()
	r.lib.reply <- nil
	spin(t, "a failure", r.f.Step, func() bool { return r.f.Status().Failed == 1 })
	if e := r.f.Status().LastError; !strings.Contains(e, "cannot use trades of S2: unlucky") {
		t.Errorf("got %q", e)
	}
}

func TestBackfillWaitsForRoomInTheRing(t *testing.T) {
	r := newFillRig(t, func(cfg *feed.BackfillConfig) { cfg.Parallel = 4 })
	r.ask(1, 0, 1, 2, 3)
	for range 4 {
		r.lib.reply <- nil
	}
	spin(t, "a full ring", r.f.Step, func() bool { return r.answers.Len() == 2 })
	seen := map[core.InstrumentID]bool{}
	for range 4 {
		seen[r.answer().Instrument] = true
	}
	if len(seen) != 4 {
		t.Fatalf("got answers of %v, want four instruments", seen)
	}
}

func TestBackfillCloseEndsAFetch(t *testing.T) {
	r := newFillRig(t, nil)
	r.ask(1, 0)
	spin(t, "a fetch", r.f.Step, func() bool { return len(r.lib.list()) == 1 })
	if err := r.f.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := feed.NewBackfill(feed.BackfillConfig{}); err == nil {
		t.Fatal("an empty config was accepted")
	}
}
