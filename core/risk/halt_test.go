package risk

import (
	"strings"
	"testing"
	"time"

	"riposte/core"
)

var causes = []HaltCause{HaltNotReconciled, HaltOperator, HaltUserStream, HaltReportsFull, HaltJournal, HaltKey, HaltShutdown, HaltMismatch, HaltRejects,
	HaltLink, HaltGuard, HaltRights, HaltKilled, HaltLoss, HaltDrawdown, HaltLosses, HaltRepeat, HaltExecutions, HaltTwin, HaltUnguarded}

func TestGateStartsHalted(t *testing.T) {
	s := newStage()
	g, err := NewGate(s.table, map[core.InstrumentID]Limits{symA: s.limits}, s.account)
	if err != nil {
		t.Fatal(err)
	}
	if g.Halted() != HaltNotReconciled {
		t.Errorf("halted for %v, want %v", g.Halted(), HaltNotReconciled)
	}
}

// Every pair of causes (a pair with itself is a cause alone) stops orders, lets
// cancels pass, and is lifted only by lifting both.
func TestEachHaltCauseStopsOrdersAndLetsCancelsPass(t *testing.T) {
	for _, a := range causes {
		for _, b := range causes {
			s := newStage().open(t)
			one := s.must(t, limit(core.Buy, "100", "1"))
			s.must(t, limit(core.Buy, "100", "1"))
			s.gate.Halt(a)
			s.gate.Halt(b)
			s.want(t, limit(core.Buy, "100", "1"), RefusedHalted)
			s.want(t, market(core.Sell, "1"), RefusedHalted)
			s.must(t, core.Intent{Kind: core.Cancel, ID: one})
			s.must(t, core.Intent{Kind: core.CancelAll})
			s.gate.Lift(a)
			if a != b {
				s.want(t, limit(core.Buy, "100", "1"), RefusedHalted)
				if s.gate.Halted() != b {
					t.Fatalf("halted for %v, want %v", s.gate.Halted(), b)
				}
			}
			s.gate.Lift(b)
			s.must(t, limit(core.Buy, "100", "1"))
		}
	}
}

func TestCancelsPassEveryLimit(t *testing.T) {
	s := newStage()
	s.limits.OpenMax, s.account.OpenMax, s.account.RateMax = 2, 2, 2
	s.limits.PositionMax = qt("2")
	s.open(t)
	one := s.must(t, limit(core.Buy, "100", "1"))
	two := s.must(t, limit(core.Buy, "100", "1"))
	s.want(t, limit(core.Sell, "101", "1"), RefusedOpenOrders)
	s.table.List[symA].Status = core.StatusCancelOnly
	s.sync.LineDown()
	s.now += core.MonoNs(time.Hour)
	s.must(t, core.Intent{Kind: core.Cancel, ID: one})
	s.must(t, core.Intent{Kind: core.Cancel, ID: two})
	s.must(t, core.Intent{Kind: core.CancelAll})
}

func TestCancelIsAskedForOnceUntilItIsAnswered(t *testing.T) {
	s := newStage().open(t)
	in := limit(core.Sell, "101", "1")
	in.Strategy = 7
	id := s.must(t, in)
	a, r := approve(s.gate, core.Intent{Kind: core.Cancel, ID: id}, s.sync, s.now)
	want := core.Intent{Kind: core.Cancel, ID: id, Side: core.Sell, Price: px("101"), Qty: qt("1"), Strategy: 7}
	if r != None || a.Intent() != want {
		t.Fatalf("got %+v, %v, want %+v", a.Intent(), r, want)
	}
	s.want(t, core.Intent{Kind: core.Cancel, ID: id}, RefusedCancelPending)
	s.report(id, core.ReportCancelRejected, core.New)
	s.must(t, core.Intent{Kind: core.Cancel, ID: id})
	s.report(id, core.ReportDone, core.Canceled)
	s.want(t, core.Intent{Kind: core.Cancel, ID: id}, RefusedUnknownOrder)
	s.want(t, core.Intent{Kind: core.Cancel, ID: 0}, RefusedUnknownOrder)
}

func TestRejectsInARowHalt(t *testing.T) {
	s := newStage()
	s.account.RejectMax = 3
	s.open(t)
	reject := func(k core.ReportKind) {
		s.report(s.must(t, limit(core.Buy, "100", "1")), k, core.Rejected)
	}
	reject(core.ReportDone)
	reject(core.ReportResolved)
	s.report(s.must(t, limit(core.Buy, "100", "1")), core.ReportAck, core.New) // not in a row any more
	reject(core.ReportDone)
	reject(core.ReportDone)
	s.fill(s.must(t, limit(core.Buy, "100", "1")), core.Buy, qt("1"), core.Filled)
	reject(core.ReportDone)
	reject(core.ReportDone)
	if s.gate.Halted() != 0 {
		t.Fatalf("halted (%v) before three rejects in a row", s.gate.Halted())
	}
	reject(core.ReportDone)
	s.want(t, limit(core.Buy, "100", "1"), RefusedHalted)
	s.gate.Lift(HaltRejects)
	reject(core.ReportDone) // the count started over
	s.must(t, limit(core.Buy, "100", "1"))
}

func TestCausesAndRefusalsHaveTheirText(t *testing.T) {
	if HaltCause(0).String() != "active" {
		t.Errorf("no cause reads %q, want active", HaltCause(0))
	}
	all := HaltCause(0)
	for _, c := range causes {
		all |= c
	}
	all |= HaltReduceOnly
	if got := all.Words(); len(got) != len(causes)+1 || haltEnd != 1<<len(got) || strings.Join(got, ", ") != all.String() {
		t.Errorf("texts are %q, want %d", got, len(causes)+1)
	}
	if back, ok := ParseHaltCauses(all.Words()); !ok || back != all {
		t.Errorf("read back %v, %v", back, ok)
	}
	if _, ok := ParseHaltCauses([]string{"killed", "sulking"}); ok {
		t.Error("a word that is no cause was taken for one")
	}
	seen := map[string]bool{}
	for r := range Refusal(RefusalCount) {
		if text := r.String(); text == "" || seen[text] {
			t.Errorf("refusal %d reads %q, want a text of its own", r, text)
		}
		seen[r.String()] = true
	}
	if Refusal(200).String() != "unknown refusal" {
		t.Error("a refusal that is none has no text")
	}
}
