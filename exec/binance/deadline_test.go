package binance

import (
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"riposte/core"
	"riposte/exec"
)

// A measurement of the venue's clock that nobody answers takes the caller's time and no
// second sample: where two timers end a call in one instant, chance would say whether there
// is time left for one more.
func TestACallThatTakesAllTheTimeLeavesNoneForAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock, dials := core.NewSystemClock(), 0
		budget, err := exec.NewBudget(0)
		if err != nil {
			t.Fatal(err)
		}
		if err := budget.Set([]exec.Limit{{Kind: exec.LimitWeight, Span: time.Minute, Max: 1 << 20}, {Kind: exec.LimitOrders, Span: time.Second, Max: 10}}); err != nil {
			t.Fatal(err)
		}
		r, err := NewREST(RESTConfig{URL: "http://venue.test", Instruments: instruments(t), Clock: clock, Time: exec.NewVenueClock(clock), Budget: budget,
			Dial: func(context.Context, string) (net.Conn, error) {
				dials++
				here, there := net.Pipe()
				go func() { _, _ = io.Copy(io.Discard, there) }()
				return here, nil
			}})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		const calls = 50
		for range calls {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			if r.SyncClock(ctx) == nil {
				t.Error("the clock was measured without an answer")
			}
			cancel()
			synctest.Wait()
		}
		if dials != calls {
			t.Errorf("%d connections were made for %d measurements, want one each", dials, calls)
		}
	})
}
