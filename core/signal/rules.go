package signal

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"riposte/core"
)

// Bounds of a symbol's rules.
const (
	RulesMax  = 32
	ValuesMax = 12 // slots that one rule may name
)

// Trigger is when a rule is looked at.
type Trigger struct {
	Event  bool   // at every event of the market
	Series Series // at every bar of a series
}

// Rule is a signal as the configuration writes it, compiled.
type Rule struct {
	Name      string
	On        Trigger
	When      Program // truth
	Direction Program // above 0: buy, below: sell, 0: none
	Strength  Program // cut to 0 to 1
	Horizon   core.MonoNs
	Slots     []int // of the panel that it names, for its reason
	Text      string
}

// Fired is one signal: what a rule has said, from what. It points nowhere.
type Fired struct {
	Source     uint16 // 0: an own rule; else a source from outside, by the configuration's order from 1
	Rule       uint16 // place among the symbol's rules, of an own one
	Instrument core.InstrumentID
	Side       core.Side
	Strength   float64 // 0 to 1
	At, Until  core.MonoNs
	Input      uint64             // of the engine
	Values     [ValuesMax]float64 // of the rule's slots at that moment
}

// Rules are one instrument's: the panel that they read, when each is looked at, and
// which signals are in force. A signal fires when its rule holds and it is not in
// force; it stays in force for its horizon whatever comes, and may then fire again,
// so no rule fires more often than its horizon allows. Nothing fires on a book that is
// not live. Add fills it at the start; after that the shard's goroutine alone uses it,
// and nothing allocates.
type Rules struct {
	Panel
	rules  []Rule
	active []Fired
	fired  []Fired
	events uint32            // rules looked at on events
	bars   [SeriesMax]uint32 // and on bars, by series
	due    uint32            // rules to be looked at
	input  uint64            // that fired is of
	counts RuleCounts
}

// RuleCounts are totals since the start.
type RuleCounts struct {
	Looked uint64 // times a rule was looked at
	Fired  uint64
	Late   uint64 // bars that were refused, see Panel.OnBar
	Holes  uint64 // before bars, after which the indicators of a series began anew
}

// AddRule takes a rule whose programs read this panel.
func (r *Rules) AddRule(u Rule) error {
	if len(r.rules) == RulesMax {
		return fmt.Errorf("it is one signal more than the %d that a symbol may have", RulesMax)
	}
	if len(u.Slots) > ValuesMax {
		return fmt.Errorf("it names %d indicators, want at most %d", len(u.Slots), ValuesMax)
	}
	bit := uint32(1) << len(r.rules)
	if u.On.Event {
		r.events |= bit
	} else {
		at, err := r.Series(u.On.Series)
		if err != nil {
			return err
		}
		r.bars[at] |= bit
	}
	r.rules = append(r.rules, u)
	r.active = append(r.active, Fired{})
	r.fired = make([]Fired, 0, len(r.rules))
	return nil
}

// List is the rules by place.
func (r *Rules) List() []Rule { return r.rules }

// OnBar is Panel's, and lets the rules on that series be looked at.
func (r *Rules) OnBar(i int, b *Bar) {
	if r.Panel.OnBar(i, b) {
		r.due |= r.bars[i]
	}
}

// History is OnBar for a bar of the past: indicators take it, no rule looks at it.
func (r *Rules) History(i int, b *Bar) { r.Panel.OnBar(i, b) }

// OnTop is Panel's, and lets the rules on events be looked at; so do OnTrade and OnDepth.
func (r *Rules) OnTop(t *core.Top, now core.MonoNs) {
	r.Panel.OnTop(t, now)
	r.due |= r.events
}

// OnTrade is Panel's, see OnTop. Bars that the trade closes count too.
func (r *Rules) OnTrade(p core.Price, q core.Qty, aggressor core.Side, at core.WallNs, now core.MonoNs) {
	for closed := r.Panel.OnTrade(p, q, aggressor, at, now); closed != 0; closed &= closed - 1 {
		r.due |= r.bars[bits.TrailingZeros16(closed)]
	}
	r.due |= r.events
}

// OnDepth is Panel's; see OnTop.
func (r *Rules) OnDepth(bids, asks []core.Level, now core.MonoNs) {
	r.Panel.OnDepth(bids, asks, now)
	r.due |= r.events
}

// Look evaluates the rules that something has happened to and returns the signals that
// fired, valid until the next call. Without a live book what was due is let go.
func (r *Rules) Look(id core.InstrumentID, live bool, now core.MonoNs, input uint64) []Fired {
	r.fired, r.input = r.fired[:0], input
	due := r.due
	r.due = 0
	if !live {
		return nil
	}
	for ; due != 0; due &= due - 1 {
		r.look(bits.TrailingZeros32(due), id, now)
	}
	return r.fired
}

func (r *Rules) look(i int, id core.InstrumentID, now core.MonoNs) {
	u, in := &r.rules[i], &r.active[i]
	r.counts.Looked++
	// Also while the signal is in force: a crossing must be seen when it happens, not
	// when it is next asked about.
	if when, ok := u.When.Eval(&r.Panel, now); !ok || when == 0 || now < in.Until {
		return
	}
	direction, ok := u.Direction.Eval(&r.Panel, now)
	strength, known := u.Strength.Eval(&r.Panel, now)
	if !ok || !known || direction == 0 {
		return
	}
	*in = Fired{Rule: uint16(i), Instrument: id, Side: core.Buy, Strength: min(max(strength, 0), 1), At: now, Until: now + u.Horizon, Input: r.input}
	if direction < 0 {
		in.Side = core.Sell
	}
	for k, slot := range u.Slots {
		in.Values[k], _ = r.Value(slot, now)
	}
	r.counts.Fired++
	r.fired = append(r.fired, *in)
}

// Fired are the signals that fired on an input, nil on any other.
func (r *Rules) Fired(input uint64) []Fired {
	if r == nil || r.input != input {
		return nil
	}
	return r.fired
}

// Active is the signal in force of a rule by its place, nil if none is at now.
func (r *Rules) Active(i int, now core.MonoNs) *Fired {
	if f := &r.active[i]; now < f.Until {
		return f
	}
	return nil
}

// Find is the place of a rule by its name, -1 without it. Cold: it compares text.
func (r *Rules) Find(name string) int {
	if r != nil {
		for i := range r.rules {
			if r.rules[i].Name == name {
				return i
			}
		}
	}
	return -1
}

// Counts are the totals.
func (r *Rules) Counts() RuleCounts {
	c := r.counts
	c.Late, c.Holes = r.Late(), r.Holes()
	return c
}

// Reason is a signal in words and numbers. Cold: it makes text, from what the signal
// carries and what never changes after the start.
func (r *Rules) Reason(f *Fired) string {
	u := &r.rules[f.Rule]
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %.2f: %s", u.Name, strings.ToLower(f.Side.String()), f.Strength, u.Text)
	for k, slot := range u.Slots {
		sep := ", "
		if k == 0 {
			sep = "; "
		}
		b.WriteString(sep + r.Name(slot) + " = " + strconv.FormatFloat(f.Values[k], 'g', 8, 64))
		switch r.Unit(slot) {
		case Percent:
			b.WriteByte('%')
		case Bps:
			b.WriteString(" bps")
		}
	}
	return b.String()
}
