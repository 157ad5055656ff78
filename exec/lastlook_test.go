package exec_test

import (
	"testing"
	"time"

	"riposte/core"
	"riposte/core/risk"
	"riposte/exec"
)

// lateJournal has something happen while an order's record is written.
type lateJournal struct {
	exec.NoJournal
	meanwhile func()
	unsent    []exec.Refusal
}

func (j *lateJournal) Sent(*exec.SentRecord) error {
	if j.meanwhile != nil {
		j.meanwhile()
	}
	return nil
}

func (j *lateJournal) Unsent(_ *exec.SentRecord, why exec.Refusal) { j.unsent = append(j.unsent, why) }

// TestAProcessThatStoodStillBeforeTheWriteSendsNothing: whatever happened between the
// gate's approval and the write is seen by the last look, which is behind the journal's
// write.
func TestAProcessThatStoodStillBeforeTheWriteSendsNothing(t *testing.T) {
	for name, c := range map[string]struct {
		meanwhile func(r *rig, buried *bool)
		want      exec.Refusal
		sent      bool
	}{
		"nothing":                              {meanwhile: func(*rig, *bool) {}, sent: true},
		"it stood still for less than allowed": {meanwhile: func(r *rig, _ *bool) { r.clock.advance(250 * time.Millisecond) }, sent: true},
		"it stood still":                       {meanwhile: func(r *rig, _ *bool) { r.clock.advance(251 * time.Millisecond) }, want: exec.RefusedLate},
		"it was taken for dead":                {meanwhile: func(_ *rig, buried *bool) { *buried = true }, want: exec.RefusedHalted},
		"it was halted":                        {meanwhile: func(r *rig, _ *bool) { r.g.Raise(risk.HaltKilled) }, want: exec.RefusedHalted},
	} {
		for _, amends := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				j, buried := &lateJournal{}, false
				r := replaceRig(t, func(cfg *exec.Config) {
					cfg.Journal, cfg.Buried = j, func() bool { return buried }
				})
				id := r.buy(100_00000000)
				if amends {
					r.steps(3)
				}
				before := len(r.srv.requests)
				j.meanwhile = func() { c.meanwhile(r, &buried) }
				if amends {
					r.approve(core.Intent{Kind: core.Amend, ID: id, Qty: 1_00000000})
				}
				r.g.Step()
				if c.sent {
					if len(r.srv.requests) != before+1 || len(j.unsent) != 0 {
						t.Fatalf("%d requests arrived, %d were taken back, want 1 and none", len(r.srv.requests)-before, len(j.unsent))
					}
					return
				}
				if len(r.srv.requests) != before {
					t.Error("a request left")
				}
				if len(j.unsent) != 1 || j.unsent[0] != c.want || r.g.Stats.Refused[c.want] != 1 {
					t.Errorf("the journal was told %v, want once %v", j.unsent, c.want)
				}
				if buried && r.g.Halted()&risk.HaltGuard == 0 {
					t.Error("trading goes on although a guard has taken the engine for dead")
				}
				if !amends {
					r.steps(1)
					r.expect(id, "done NOT_SENT")
				}
			})
		}
	}
}
