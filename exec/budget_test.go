package exec

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"riposte/core"
)

func testBudget(t rapid.TB, weight, short, day int) *Budget {
	t.Helper()
	b, err := NewBudget(20)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Set([]Limit{{LimitWeight, time.Minute, weight}, {LimitOrders, 10 * time.Second, short}, {LimitOrders, 24 * time.Hour, day}}); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestWeightKeepsAReserveForCancels(t *testing.T) {
	b := testBudget(t, 100, 5, 10)
	venue := core.WallNs(60 * 1e9 * 1000)
	if ok, _ := b.TakeWeight(80, ForMarket, venue, 0); !ok {
		t.Fatal("80 of 100 was refused")
	}
	ok, wait := b.TakeWeight(1, ForMarket, venue+core.WallNs(20*time.Second), 0)
	if ok || wait != 40*time.Second {
		t.Errorf("beyond the reserve: %v, wait %v, want to wait 40s", ok, wait)
	}
	if ok, _ := b.TakeWeight(20, ForCancels, venue, 0); !ok {
		t.Error("a cancel may use the reserve")
	}
	if ok, _ := b.TakeWeight(1, ForCancels, venue, 0); ok {
		t.Error("a cancel went beyond the limit")
	}
	if ok, _ := b.TakeWeight(80, ForMarket, venue+core.WallNs(time.Minute), 0); !ok {
		t.Error("the next minute did not begin anew")
	}
}

// TestQuestionsAboutOrdersComeBeforeMarketData and behind cancels.
func TestQuestionsAboutOrdersComeBeforeMarketData(t *testing.T) {
	b, err := NewBudget(30)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Set([]Limit{{LimitWeight, time.Minute, 6000}, {LimitOrders, 10 * time.Second, 50}}); err != nil {
		t.Fatal(err)
	}
	venue := core.WallNs(60 * 1e9 * 1000)
	b.SawWeight(4200, venue, venue) // 70 %, a run before this one
	for _, c := range []struct {
		claim  Claim
		weight int
		ok     bool
	}{{ForMarket, 1, false}, {ForOrders, 1200, true}, {ForOrders, 1, false}, {ForCancels, 600, true}, {ForCancels, 1, false}} {
		if ok, wait := b.TakeWeight(c.weight, c.claim, venue, 0); ok != c.ok || !ok && wait != time.Minute {
			t.Errorf("claim %d for %d: %v, wait %v, want %v", c.claim, c.weight, ok, wait, c.ok)
		}
	}
}

// TestWhatWasUsedBeforeDoesNotKeepTheLimitsUnread: a restart within the minute learns from
// its first answer that much has been used, and still asks for the limits at once.
func TestWhatWasUsedBeforeDoesNotKeepTheLimitsUnread(t *testing.T) {
	b, err := NewBudget(30)
	if err != nil {
		t.Fatal(err)
	}
	venue := core.WallNs(60 * 1e9 * 1000)
	b.SawWeight(5000, venue, venue)
	for i := range 5 {
		if ok, _ := b.TakeWeight(1, ForOrders, venue, 0); !ok {
			t.Fatalf("sample %d of the time was refused", i)
		}
	}
	if ok, _ := b.TakeWeight(20, ForOrders, venue, 0); !ok {
		t.Error("exchangeInfo was refused")
	}
	if ok, wait := b.TakeWeight(unreadWeight-25, ForCancels, venue, 0); !ok || wait != 0 {
		t.Error("what is left of the share was refused")
	}
	if ok, wait := b.TakeWeight(1, ForCancels, venue, 0); ok || wait != time.Minute {
		t.Errorf("beyond the share: %v, wait %v", ok, wait)
	}
	if u := b.Use(venue, 0); u.Weight != 5000+unreadWeight {
		t.Errorf("%d are counted as used, want %d", u.Weight, 5000+unreadWeight)
	}
	if ok, _ := b.TakeWeight(1, ForMarket, venue+core.WallNs(time.Minute), 0); !ok {
		t.Error("the next minute did not begin anew")
	}
}

func TestVenuesCountsCorrectOurs(t *testing.T) {
	b := testBudget(t, 100, 5, 10)
	venue := core.WallNs(60 * 1e9 * 1000)
	b.SawWeight(79, venue, venue)
	b.SawWeight(3, venue, venue) // an older answer
	if ok, _ := b.TakeWeight(2, ForMarket, venue, 0); ok {
		t.Error("79 used by the venue's count, and 2 more were let through to 81 of 80")
	}
	for i := range 5 {
		if !b.TakeOrder(venue, 0) {
			t.Fatalf("order %d of 5 was refused", i+1)
		}
	}
	if b.TakeOrder(venue, 0) {
		t.Error("order 6 of 5 was let through")
	}
	b.SawOrders(1, 3, 1, venue) // fills have lowered it; one more is on its way
	if u := b.Use(venue, 0); u.Orders != 2 || u.Day != 4 {
		t.Errorf("use is %+v, want 2 orders and 4 in the day", u)
	}
	b.GiveOrder(venue)
	if u := b.Use(venue, 0); u.Orders != 1 || u.Day != 3 {
		t.Errorf("use is %+v, want 1 order and 3 in the day", u)
	}
	if u := b.Use(venue+core.WallNs(10*time.Second), 0); u.Orders != 0 || u.Day != 3 {
		t.Errorf("use in the next window is %+v, want 0 orders and 3 in the day", u)
	}
}

func TestLockoutIsObeyedToTheSecond(t *testing.T) {
	b := testBudget(t, 100, 5, 10)
	venue, now := core.WallNs(60*1e9*1000), core.MonoNs(5e9)
	b.OrderLockout(3*time.Second, venue, now)
	if b.TakeOrder(venue, now+core.MonoNs(3*time.Second)-1) {
		t.Error("an order passed during an order lock-out")
	}
	if ok, _ := b.TakeWeight(1, ForCancels, venue, now); !ok {
		t.Error("a cancel was held up by an order lock-out")
	}
	b.Lockout(7*time.Second, venue, now)
	b.Lockout(time.Second, venue, now) // a shorter one takes nothing back
	last := now + core.MonoNs(7*time.Second) - 1
	if ok, wait := b.TakeWeight(1, ForCancels, venue, last); ok || wait != 1 {
		t.Errorf("in the last nanosecond: %v, wait %v", ok, wait)
	}
	if b.TakeOrder(venue, last) || !b.Silent(last) {
		t.Error("something passed during a lock-out")
	}
	if ok, _ := b.TakeWeight(1, ForMarket, venue, last+1); !ok || !b.TakeOrder(venue, last+1) || b.Silent(last+1) {
		t.Error("still silent after the lock-out")
	}
}

func TestNoWindowIsEverExceeded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := testBudget(t, 50, 4, 9)
		venue := core.WallNs(86400 * 1e9 * 20000)
		used := map[int64]int{}
		orders := map[int64]int{}
		days := 0
		for range 200 {
			venue += core.WallNs(rapid.Int64Range(0, 5e9).Draw(t, "pause"))
			if rapid.Bool().Draw(t, "order") {
				if b.TakeOrder(venue, 0) {
					orders[int64(venue)/1e10]++
					days++
				}
			} else {
				w := rapid.IntRange(1, 20).Draw(t, "weight")
				if ok, _ := b.TakeWeight(w, ForCancels, venue, 0); ok {
					used[int64(venue)/6e10] += w
				}
			}
			if used[int64(venue)/6e10] > 50 || orders[int64(venue)/1e10] > 4 || days > 9 {
				t.Fatal("a limit was exceeded")
			}
		}
	})
}

func TestBudgetIsExactAmongGoroutines(t *testing.T) {
	b := testBudget(t, 1000, 5, 10)
	venue := core.WallNs(60 * 1e9 * 1000)
	var wg sync.WaitGroup
	var mu sync.Mutex
	taken := 0
	for range 8 {
		wg.Go(func() {
			n := 0
			for range 500 {
				if ok, _ := b.TakeWeight(1, ForCancels, venue, 0); ok {
					n++
				}
			}
			mu.Lock()
			taken += n
			mu.Unlock()
		})
	}
	wg.Wait()
	if taken != 1000 {
		t.Errorf("took %d of 1000", taken)
	}
}

func TestLimitsMustBeUsable(t *testing.T) {
	b, _ := NewBudget(0)
	for _, l := range [][]Limit{nil, {{LimitWeight, time.Minute, 100}}, {{LimitOrders, time.Second, 100}},
		{{LimitWeight, 0, 100}, {LimitOrders, time.Second, 1}}, {{LimitWeight, time.Minute, 0}, {LimitOrders, time.Second, 1}}} {
		if err := b.Set(l); err == nil {
			t.Errorf("limits %v were accepted", l)
		}
	}
	if _, err := NewBudget(91); err == nil {
		t.Error("a reserve of 91 % was accepted")
	}
	if ok, _ := b.TakeWeight(20, ForMarket, 1, 0); !ok {
		t.Error("exchangeInfo cannot be asked for before its limits are known")
	}
}

// stepClock advances by itself with every reading of Mono, by the next of steps.
type stepClock struct {
	mono  core.MonoNs
	steps []core.MonoNs
}

func (c *stepClock) Wall() core.WallNs { return core.WallNs(c.mono) + 1e18 }
func (c *stepClock) Mono() core.MonoNs {
	if len(c.steps) > 0 {
		c.mono += c.steps[0]
		c.steps = c.steps[1:]
	}
	return c.mono
}

func TestVenueClockBelievesTheFastestSample(t *testing.T) {
	ms := core.MonoNs(1e6)
	// Two readings per sample: round trips of 40, 6 and 90 ms.
	c := &stepClock{steps: []core.MonoNs{0, 0, 0, 0, 40 * ms, 0, 6 * ms, 0, 90 * ms}}
	v := NewVenueClock(c)
	if v.Error() != time.Hour || v.Synced() != 0 {
		t.Errorf("before the first Sync the error is %v", v.Error())
	}
	n := 0
	err := v.Sync(t.Context(), 4, func(context.Context) (core.WallNs, time.Duration, error) {
		if n++; n == 1 {
			return 0, 0, errors.New("lost")
		}
		return core.WallNs(c.mono) + 2e18, time.Millisecond, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	const want = 3545 * time.Microsecond
	if v.Error() != want {
		t.Errorf("error bound is %v, want half of 6 ms and half a millisecond, and the drift of the 90 ms since", v.Error())
	}
	// The answer came when the venue read now; half a trip of 6 ms later it was heard.
	if off := int64(v.Now()) - int64(c.mono) - 2e18; off > 0 || off < -int64(v.Error()) {
		t.Errorf("clock is off by %v, its bound is %v", time.Duration(off), v.Error())
	}
	err = v.Sync(t.Context(), 3, func(context.Context) (core.WallNs, time.Duration, error) { return 0, 0, errors.New("down") })
	if err == nil || v.Error() != want {
		t.Errorf("after a failed Sync: %v, error %v; want the old measure kept", err, v.Error())
	}
}

func TestVenueClockErrorBoundHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := &stepClock{}
		v := NewVenueClock(c)
		offset := rapid.Int64Range(-1e12, 1e12).Draw(t, "offset") + 1e18
		var steps []core.MonoNs
		n := rapid.IntRange(1, 6).Draw(t, "samples")
		for range n {
			steps = append(steps, core.MonoNs(rapid.Int64Range(0, 1e9).Draw(t, "pause")), core.MonoNs(rapid.Int64Range(0, 1e9).Draw(t, "trip")))
		}
		c.steps = steps
		err := v.Sync(context.Background(), n, func(context.Context) (core.WallNs, time.Duration, error) {
			trip := c.steps[0]
			there := core.MonoNs(rapid.Int64Range(0, int64(trip)).Draw(t, "there"))
			told := offset + int64(c.mono+there)
			return core.WallNs(told - told%1e6), time.Millisecond, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if off := time.Duration(int64(v.Now()) - int64(c.mono) - offset); off.Abs() > v.Error() {
			t.Fatalf("clock is off by %v, beyond its bound %v", off, v.Error())
		}
	})
}

// The venue counts by its minutes. What an answer says of the one in which its request
// left is no count of the next.
func TestAnswerAcrossTheEdgeOfAMinuteDoesNotFillTheNext(t *testing.T) {
	b, err := NewBudget(0)
	if err != nil {
		t.Fatal(err)
	}
	edge := core.WallNs(10 * time.Minute)
	b.SawWeight(150, edge-1, edge+5e6)
	if got := b.Use(edge+5e6, 0).Weight; got != 0 {
		t.Errorf("%d used after an answer from before the minute, want 0", got)
	}
	b.SawWeight(7, edge+1, edge+5e6)
	if got, more := b.Spare(40, edge+5e6, 0); got != unreadWeight*60/100-7 || more != time.Minute-5*time.Millisecond {
		t.Errorf("%d may be spent, more in %v; want %d in %v", got, more, unreadWeight*60/100-7, time.Minute-5*time.Millisecond)
	}
}
