package signal

import (
	"testing"

	"riposte/core"
)

// code assembles a program: a number is a constant, "mid()" and the like a slot.
func code(t *testing.T, p *Panel, steps ...any) Program {
	t.Helper()
	var c []Code
	for _, s := range steps {
		switch s := s.(type) {
		case float64:
			c = append(c, Code{Op: OpConst, V: s})
		case string:
			spec, err := Lookup(s)
			if err != nil {
				t.Fatal(err)
			}
			slot, err := p.Add(spec, Series{})
			if err != nil {
				t.Fatal(err)
			}
			c = append(c, Code{Op: OpLoad, At: uint16(slot)})
		case Op:
			c = append(c, Code{Op: s})
		}
	}
	prog, err := NewProgram(c, p.Slots())
	if err != nil {
		t.Fatal(err)
	}
	return prog
}

func TestASignalStaysInForceForItsHorizonAndThenFiresAgain(t *testing.T) {
	r := new(Rules)
	rule := Rule{Name: "press", On: Trigger{Event: true}, Horizon: 10, Text: "imbalance() > 0.5",
		When: code(t, &r.Panel, "imbalance", 0.5, OpGreater), Direction: code(t, &r.Panel, "imbalance"), Strength: code(t, &r.Panel, 7.), Slots: []int{0}}
	if err := r.AddRule(rule); err != nil {
		t.Fatal(err)
	}
	got := ""
	at := func(now core.MonoNs, bidQty float64, live bool) {
		r.OnTop(top(99, bidQty, 101, 1), now)
		fired := r.Look(3, live, now, uint64(now))
		for _, f := range fired {
			got += string('0' + rune(now/10))
			if f.Side != core.Buy || f.Strength != 1 || f.Until != now+10 || f.Instrument != 3 || f.Input != uint64(now) {
				t.Errorf("at %d: %+v", now, f)
			}
			if want := "press buy 1.00: imbalance() > 0.5; imbalance() = 0.8"; r.Reason(&f) != want {
				t.Errorf("got %q, want %q", r.Reason(&f), want)
			}
		}
		if len(r.Fired(uint64(now))) != len(fired) || r.Fired(uint64(now)+1) != nil {
			t.Errorf("at %d: fired %v", now, r.Fired(uint64(now)))
		}
	}
	at(10, 1, true)
	at(20, 9, true) // fires
	at(25, 9, true) // in force
	if r.Active(0, 25) == nil || r.Active(0, 30) != nil {
		t.Error("in force until its horizon, and no longer")
	}
	at(30, 9, true) // and again
	at(50, 1, true)
	at(60, 9, false) // not on this book
	r.Look(3, true, 60, 60)
	at(70, 9, true)
	if got != "237" {
		t.Errorf("fired at %s, want 237", got)
	}
	if r.Find("press") != 0 || r.Find("other") != -1 || (*Rules)(nil).Find("press") != -1 || (*Rules)(nil).Fired(1) != nil {
		t.Error("rules are found by name, and none without rules")
	}
	if c := r.Counts(); c.Fired != 3 || c.Looked != 6 {
		t.Errorf("got %+v", c)
	}
}

// A crossing that happens while the signal is in force is over when it ends.
func TestACrossingIsNotSeenLater(t *testing.T) {
	r := new(Rules)
	rule := Rule{Name: "cross", On: Trigger{Event: true}, Horizon: 10,
		When: code(t, &r.Panel, "mid", 100., OpCrossed), Direction: code(t, &r.Panel, -1.), Strength: code(t, &r.Panel, 1.)}
	if err := r.AddRule(rule); err != nil {
		t.Fatal(err)
	}
	var fired []core.MonoNs
	for i, mid := range []float64{99, 101, 99, 101, 101, 101, 99, 101} {
		now := core.MonoNs(4 * i)
		r.OnTop(top(mid-1, 1, mid+1, 1), now)
		for _, f := range r.Look(0, true, now, uint64(i)) {
			fired = append(fired, f.At)
		}
	}
	if len(fired) != 2 || fired[0] != 4 || fired[1] != 28 {
		t.Errorf("fired at %v, want 4 and 28: the crossing at 12 was while the first was in force", fired)
	}
}

func TestProgramsThatCannotRunAreRefused(t *testing.T) {
	for name, c := range map[string][]Code{
		"nothing":       {},
		"two values":    {{Op: OpConst}, {Op: OpConst}},
		"no operand":    {{Op: OpConst}, {Op: OpAdd}},
		"no such slot":  {{Op: OpLoad, At: 1}},
		"no such step":  {{Op: 99}},
		"the zero step": {{}},
		"too long":      make([]Code, CodeMax+1),
	} {
		if _, err := NewProgram(c, 1); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	r := new(Rules)
	always := code(t, &r.Panel, 1.)
	for i := range RulesMax + 1 {
		err := r.AddRule(Rule{Name: "x", On: Trigger{Event: true}, When: always, Direction: always, Strength: always})
		if (err != nil) != (i == RulesMax) {
			t.Errorf("rule %d: %v", i, err)
		}
	}
	if err := new(Rules).AddRule(Rule{Slots: make([]int, ValuesMax+1)}); err == nil {
		t.Error("a rule that names too much was taken")
	}
}
