package app

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"riposte/core"
	"riposte/exec"
	execbinance "riposte/exec/binance"
	"riposte/tools/sock"
	"riposte/tools/venue"
)

// sharer is one process's way to ask the venue.
func sharer(t *testing.T, cfg *BudgetConfig, s *sites, weight int) (*execbinance.REST, *allowance) {
	t.Helper()
	clock := core.NewSystemClock()
	a, err := openAllowance(cfg, s, false, "0123", clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.close(); err != nil {
			t.Error(err)
		}
	})
	limits := []exec.Limit{{Kind: exec.LimitWeight, Span: time.Minute, Max: weight}, {Kind: exec.LimitOrders, Span: 10 * time.Second, Max: 50}}
	if err := a.budget.Set(limits); err != nil {
		t.Fatal(err)
	}
	time := exec.NewVenueClock(clock)
	r, err := execbinance.NewREST(execbinance.RESTConfig{URL: s.rest, Dial: (&sock.Dialer{}).Dial, Instruments: core.NewInstruments(),
		Clock: clock, Time: time, Budget: a.budget})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	if err := r.SyncClock(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r, a
}

// Two processes, each of which would use up the venue's whole weight by itself, ask as
// fast as they can, and the venue never has to refuse.
func TestTwoProcessesTogetherStayWithinTheVenuesWeight(t *testing.T) {
	const weight = 120
	srv, err := venue.Start(t.Context(), venue.Config{Symbols: []string{"BTCUSDT"}, Quiet: true, Weight: venue.RateLimit{Interval: "MINUTE", Num: 1, Limit: weight}})
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	s := &sites{name: "sim", rest: srv.REST()}
	cfg := &BudgetConfig{Dir: filepath.Join(t.TempDir(), "use")}
	var asked, refused atomic.Int64
	var wg sync.WaitGroup
	for range 2 {
		r, _ := sharer(t, cfg, s, weight)
		for range 2 {
			wg.Go(func() {
				for range 200 {
					ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
					_, err := r.ServerTime(ctx)
					cancel()
					var ce *exec.CallError
					switch {
					case err == nil:
						asked.Add(1)
					case errors.As(err, &ce) && ce.Status != 0:
						refused.Add(1)
					}
				}
			})
		}
	}
	wg.Wait()
	if refused.Load() != 0 || asked.Load() == 0 {
		t.Errorf("the venue answered %d calls and refused %d, want none refused", asked.Load(), refused.Load())
	}
	// The reserve is untouched, unless the minute changed meanwhile.
	if n := asked.Load(); n > 2*weight*(100-cancelReservePercent)/100 {
		t.Errorf("%d calls were made, want at most two minutes' share of %d", n, weight)
	}
	t.Logf("%d calls answered of a weight of %d a minute, %d refused by the venue", asked.Load(), weight, refused.Load())
}

func TestABanOfOneProcessIsObeyedByTheOther(t *testing.T) {
	srv, err := venue.Start(t.Context(), venue.Config{Symbols: []string{"BTCUSDT"}, Quiet: true})
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	s := &sites{name: "sim", rest: srv.REST()}
	cfg := &BudgetConfig{Dir: filepath.Join(t.TempDir(), "use")}
	one, _ := sharer(t, cfg, s, 6000)
	other, a := sharer(t, cfg, s, 6000)
	if err := srv.Faults().Do("418 30s"); err != nil {
		t.Fatal(err)
	}
	if _, err := one.ServerTime(t.Context()); err == nil {
		t.Fatal("a banned address was answered")
	}
	before := srv.Stats()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	var ce *exec.CallError
	if _, err := other.ServerTime(ctx); !errors.As(err, &ce) || ce.Class != exec.ClassLimited || ce.Status != 0 {
		t.Errorf("the other process got %v, want our own refusal before any byte leaves", err)
	}
	if after := srv.Stats(); after.Requests != before.Requests {
		t.Errorf("the venue saw %d calls during its ban", after.Requests-before.Requests)
	}
	if left := a.budget.SilentFor(core.NewSystemClock().Mono()); left > 31*time.Second {
		t.Errorf("silent for %v, want the 30 s that the venue named", left)
	}
}
