package app

import (
	"os"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"riposte/core"
	"riposte/core/risk"
)

// killWatch looks, on the engine's thread and once a round, at what has left: its times
// are upper bounds, by one round.
type killWatch struct {
	d                *desk
	sent, cancels    uint64
	sends            atomic.Uint64
	sentAt, cancelAt atomic.Int64
}

// Step notes what has changed.
func (k *killWatch) Step() int {
	s := &k.d.gateway.Stats
	if s.Sent != k.sent {
		k.sent = s.Sent
		k.sends.Store(s.Sent)
		k.sentAt.Store(int64(k.d.clock.Mono()))
	}
	if s.Cancels != k.cancels {
		k.cancels = s.Cancels
		k.cancelAt.Store(int64(k.d.clock.Mono()))
	}
	return 0
}

// P13 on the whole engine: nothing that creates an order leaves after a kill, and own
// orders are cancelled. The times are reported, not judged; RIPOSTE_KILLS=10000 makes
// as many trials as the promise is stated for.
func TestNoOrderLeavesAfterAKill(t *testing.T) {
	trials := 8
	if n, err := strconv.Atoi(os.Getenv("RIPOSTE_KILLS")); err == nil && n > 0 {
		trials = n
	}
	t.Chdir(t.TempDir())
	cfg, err := loadConfig("", "sim.audit=false", "account.rate_max=100000", "account.strategy_rate_max=0", "account.message_max=0", "account.duplicate_span=0s",
		"account.ratio_max=0", "account.losses_max=0", "account.loss_max='1000000'", "account.drawdown_max='1000000'", "account.gross_max='1000000'",
		"account.reject_span_max=0", "account.reject_max=1000000", "strategy.params.cooldown='50ms'")
	if err != nil {
		t.Fatal(err)
	}
	for name, l := range cfg.Limits {
		off := 0
		l.RepeatMax, l.ExecutionMax = &off, &off
		cfg.Limits[name] = l
	}
	d, err := openDesk(cfg)
	if err != nil {
		t.Fatal(err)
	}
	k := &killWatch{d: d}
	d.witness = k
	if err := d.start(); err != nil {
		t.Fatal(err)
	}
	defer d.end(t)
	var last, cancels []time.Duration
	for i := range trials {
		before := k.sends.Load()
		waitFor(t, "orders at work", func() bool { v := d.dealer.view(); return v != nil && v.live > 0 && k.sends.Load() > before })
		at := d.clock.Mono()
		if err := d.control.halt(risk.HaltKilled, "all", "", act{Who: "test", Why: "trial"}); err != nil {
			t.Fatal(err)
		}
		beat := d.control.beats.Load()
		waitFor(t, "a round of the engine", func() bool { return d.control.beats.Load() > beat+1 })
		sent := k.sends.Load()
		last = append(last, max(time.Duration(core.MonoNs(k.sentAt.Load())-at), 0))
		waitFor(t, "no own order at work", func() bool { return d.dealer.view().live == 0 })
		cancels = append(cancels, max(time.Duration(core.MonoNs(k.cancelAt.Load())-at), 0)) // 0: all had traded before
		if n := k.sends.Load(); n != sent {
			t.Fatalf("trial %d: %d orders left after the kill", i, n-sent)
		}
		if err := d.control.resume(act{Who: "test", Why: "next trial"}); err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(last)
	slices.Sort(cancels)
	p999 := func(s []time.Duration) time.Duration { return s[min(len(s)*999/1000, len(s)-1)] }
	t.Logf("%d kills: last order at most %v after (p99.9), %v (max); last cancel %v (p99.9), %v (max)", trials,
		p999(last), last[len(last)-1], p999(cancels), cancels[len(cancels)-1])
}
