package risk

import (
	"testing"
	"time"

	"riposte/core"
)

// A strategy that orders on every tick, without end, against a venue that rejects
// or fills or keeps everything. Each control alone stops it at its limit.
func TestRunawayStrategyStopsAtEachLimitAlone(t *testing.T) {
	const ticks = 20_000
	reject := func(s *stage, id core.OrderID) { s.report(id, core.ReportDone, core.Rejected) }
	fill := func(s *stage, id core.OrderID) { s.fill(id, core.Buy, qt("1"), core.Filled) }
	work := func(s *stage, id core.OrderID) { s.report(id, core.ReportAck, core.New) }
	lose := func(s *stage, id core.OrderID) { s.report(id, core.ReportDoubt, core.Unknown) }
	cases := []struct {
		name   string
		limit  func(*stage)
		answer func(*stage, core.OrderID)
		sent   int
		want   Refusal
	}{
		{"rejects", func(s *stage) { s.account.RejectMax = 7 }, reject, 7, RefusedHalted},
		{"rate, all filled", func(s *stage) { s.account.RateMax, s.account.RateSpan = 9, time.Hour }, fill, 9, RefusedRate},
		{"rate, all rejected", func(s *stage) { s.account.RateMax, s.account.RateSpan = 9, time.Hour }, reject, 9, RefusedRate},
		{"position, all filled", func(s *stage) { s.limits.PositionMax = qt("11") }, fill, 11, RefusedPosition},
		{"position, all working", func(s *stage) { s.limits.PositionMax = qt("11") }, work, 11, RefusedPosition},
		{"position, all unknown", func(s *stage) { s.limits.PositionMax = qt("11") }, lose, 11, RefusedPosition},
		{"open orders", func(s *stage) { s.limits.OpenMax = 6 }, work, 6, RefusedOpenOrders},
		{"open orders of the account, all unknown", func(s *stage) { s.account.OpenMax = 5 }, lose, 5, RefusedAccountOrders},
		{"no answer at all", func(s *stage) { s.account.OpenMax = 5 }, func(*stage, core.OrderID) {}, 5, RefusedAccountOrders},
		{"notional", func(s *stage) { s.limits.NotionalMax = am("99") }, fill, 0, RefusedNotionalMax},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newStage()
			s.limits.PositionMax, s.limits.OpenMax = qt("1000000"), 100_000
			s.account = AccountLimits{OpenMax: 100_000, RateMax: 1_000_000, RateSpan: 1, RejectMax: 1_000_000}
			c.limit(s)
			s.open(t)
			sent := 0
			for range ticks {
				s.now++
				id, r := s.ask(limit(core.Buy, "100", "1"))
				if r == None {
					sent++
					c.answer(s, id)
				} else if r != c.want {
					t.Fatalf("after %d orders refused by %q, want %q", sent, r, c.want)
				}
			}
			if sent != c.sent {
				t.Errorf("%d orders left, want %d", sent, c.sent)
			}
			if got := s.gate.Refused(c.want); got != uint64(ticks-c.sent) {
				t.Errorf("%d refusals, want %d", got, ticks-c.sent)
			}
		})
	}
}
