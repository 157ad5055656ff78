package guard

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"riposte/core"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeVenue holds orders by client id.
type fakeVenue struct {
	mu     sync.Mutex
	open   map[string]core.Execution
	down   bool
	refuse map[string]bool // cancels of these fail
	asked  int
	ended  []string
}

func (v *fakeVenue) OpenOrders(context.Context) ([]core.Execution, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.asked++
	if v.down {
		return nil, errors.New("no route")
	}
	return slices.Collect(maps.Values(v.open)), nil
}

func (v *fakeVenue) Cancel(_ context.Context, _ core.InstrumentID, c core.ClientID, _ int64) (core.Execution, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	id := c.String()
	if v.down || v.refuse[id] {
		return core.Execution{}, errors.New("cannot cancel")
	}
	e := v.open[id]
	delete(v.open, id)
	v.ended = append(v.ended, id)
	return e, nil
}

func (v *fakeVenue) place(ids ...string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, id := range ids {
		c, _ := core.MakeClientID(id)
		v.open[id] = core.Execution{Client: c}
	}
}

// stage is a guard whose time is the test's.
type stage struct {
	*Guard
	t     *testing.T
	heart Heartbeat
	venue *fakeVenue
	now   int64
	said  []string
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{t: t, now: int64(time.Hour), venue: &fakeVenue{open: map[string]core.Execution{}, refuse: map[string]bool{}}}
	var err error
	s.Guard, err = New(Config{
		Heartbeat: &s.heart, Venue: s.venue, Now: func() int64 { return s.now },
		Own: func(c core.ClientID) bool { return strings.HasPrefix(c.String(), "rp-") },
		Say: func(f string, a ...any) { s.said = append(s.said, fmt.Sprintf(f, a...)) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// pass lets time go by in the guard's own steps; the heart beats if alive.
func (s *stage) pass(d time.Duration, alive bool, live int) {
	for end := s.now + int64(d); s.now < end; {
		if alive {
			s.heart.Beat(s.now, live, 0)
		}
		s.now += max(int64(s.Step(s.t.Context())), int64(time.Millisecond))
	}
}

func (s *stage) want(state State) {
	s.t.Helper()
	if s.State() != state {
		s.t.Fatalf("the guard is %q, want %q; it said %q", s.State(), state, s.said)
	}
}

func TestADeadEnginesOrdersAreCancelledAndNobodyElses(t *testing.T) {
	s := newStage(t)
	s.venue.place("rp-t8kq2c1-00000001", "rp-t8kq2c1-00000002", "manual-1")
	s.pass(time.Minute, false, 0)
	s.want(Waiting)
	s.heart.Begin(7, s.now)
	s.pass(time.Minute, true, 2)
	s.want(Watching)
	died := s.now
	s.pass(2900*time.Millisecond, false, 0)
	s.want(Watching)
	s.pass(2*time.Second, false, 0)
	s.want(Done)
	slices.Sort(s.venue.ended)
	if want := []string{"rp-t8kq2c1-00000001", "rp-t8kq2c1-00000002"}; !slices.Equal(s.venue.ended, want) {
		t.Errorf("cancelled %q, want %q", s.venue.ended, want)
	}
	if f := s.heart.Fired(); f < died || f > died+int64(4*time.Second) {
		t.Errorf("fired %v after the last beat, want within 4 s", time.Duration(f-died))
	}
}

func TestAnOrderThatArrivesAfterItsEnginesDeathIsCancelledToo(t *testing.T) {
	s := newStage(t)
	s.heart.Begin(7, s.now)
	s.pass(time.Second, true, 1)
	s.pass(10*time.Second, false, 0)
	s.want(Done)
	s.venue.place("rp-t8kq2c1-00000009") // it was under way
	s.pass(2*time.Second, false, 0)
	if len(s.venue.open) != 0 {
		t.Error("the late order is still open")
	}
	// And long after, when requests can no longer arrive, it looks more rarely.
	s.pass(2*time.Minute, false, 0)
	asked := s.venue.asked
	s.pass(time.Minute, false, 0)
	if n := s.venue.asked - asked; n < 1 || n > 3 {
		t.Errorf("asked %d times in a minute, want about every half", n)
	}
}

func TestAnUnreachableVenueAndARefusedCancelAreTriedAgain(t *testing.T) {
	s := newStage(t)
	s.venue.place("rp-t8kq2c1-00000001", "rp-t8kq2c1-00000002")
	s.heart.Begin(7, s.now)
	s.pass(time.Second, true, 2)
	s.venue.down = true
	s.pass(20*time.Second, false, 0)
	s.want(Canceling)
	s.venue.down, s.venue.refuse["rp-t8kq2c1-00000002"] = false, true
	s.pass(5*time.Second, false, 0)
	s.want(Canceling)
	s.venue.refuse = nil
	s.pass(5*time.Second, false, 0)
	s.want(Done)
	if len(s.venue.open) != 0 || s.Stats.Canceled != 2 || s.Stats.Failed == 0 {
		t.Errorf("open %v, stats %+v", s.venue.open, s.Stats)
	}
}

func TestAnEngineThatIsCutOffWithOrdersCountsAsDead(t *testing.T) {
	for _, live := range []int{0, 3} {
		s := newStage(t)
		s.venue.place("rp-t8kq2c1-00000001")
		s.heart.Begin(7, s.now)
		since := s.now
		for range 200 {
			s.heart.Beat(s.now, live, since)
			s.now += max(int64(s.Step(t.Context())), int64(time.Millisecond))
		}
		if fired := s.Stats.Fired > 0; fired != (live > 0) {
			t.Errorf("with %d orders cut off for 20 s: fired %v", live, fired)
		}
	}
}

func TestAnEngineThatEndsInOrderIsLeftInPeace(t *testing.T) {
	s := newStage(t)
	s.heart.Begin(7, s.now)
	s.pass(time.Second, true, 1)
	s.heart.End()
	s.venue.place("rp-t8kq2c1-00000001") // on_restart = "keep": it is meant to stay
	s.pass(time.Minute, false, 0)
	s.want(Waiting)
	if len(s.venue.ended) != 0 || s.heart.Fired() != 0 {
		t.Errorf("cancelled %q", s.venue.ended)
	}
}

func TestANewRunAndAnAwakenedOneAreWatchedAgain(t *testing.T) {
	s := newStage(t)
	s.heart.Begin(7, s.now)
	s.pass(time.Second, true, 1)
	s.pass(10*time.Second, false, 0)
	s.want(Done)
	s.pass(time.Second, true, 1) // it was only frozen
	s.want(Watching)
	s.pass(10*time.Second, false, 0)
	s.want(Done)
	if s.Stats.Fired != 2 {
		t.Errorf("fired %d times, want 2", s.Stats.Fired)
	}
	s.heart.Begin(8, s.now)
	s.pass(time.Second, true, 1)
	s.want(Watching)
}

func TestTheVenuesCountdownRunsWhileTheEngineIsWellAndOnlyThen(t *testing.T) {
	s := newStage(t)
	var set []time.Duration
	fails := true
	s.cfg.Arm = func(_ context.Context, d time.Duration) error {
		if fails {
			fails = false
			return errors.New("no route")
		}
		set = append(set, d)
		return nil
	}
	s.pass(time.Minute, false, 0)
	if len(set) != 0 {
		t.Fatalf("started %v without an engine", set)
	}
	s.heart.Begin(7, s.now)
	s.pass(time.Minute, true, 1)
	if n := len(set); n < 4 || n > 5 || set[0] != time.Minute {
		t.Fatalf("started %v in a minute, want a minute's countdown every 15 s", set)
	}
	s.heart.End()
	s.pass(time.Minute, false, 0)
	if last := set[len(set)-1]; last != 0 {
		t.Errorf("after an orderly end the last was %v, want 0", last)
	}
	s.heart.Begin(8, s.now)
	s.pass(time.Second, true, 1)
	n := len(set)
	s.pass(5*time.Minute, false, 0) // dead: it runs out
	if len(set) != n {
		t.Errorf("a dead engine's countdown was set to %v", set[n:])
	}
}

func TestCancelNowEndsAllWhateverTheHeartDoes(t *testing.T) {
	s := newStage(t)
	for i := range 50 {
		s.venue.place(fmt.Sprintf("rp-t8kq2c1-%08d", i))
	}
	s.venue.place("manual-1")
	if err := s.CancelNow(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(s.venue.open) != 1 {
		t.Errorf("%d orders are open, want the manual one", len(s.venue.open))
	}
	s.venue.down = true
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.CancelNow(ctx); err == nil || !strings.Contains(err.Error(), "no route") {
		t.Errorf("got %v, want why it did not work", err)
	}
}
