package airlock

import (
	"fmt"
	"time"

	"riposte/core"
)

// Gate is one thing that a signal from outside must pass, or None.
type Gate uint8

// The gates, in the order in which they are judged. Those before Symbol are the
// intake's.
const (
	None          Gate = iota
	Authenticity       // signed by whom it says, or with the source's token
	Size               // not larger than the source's messages may be
	Message            // every field there, and what it should be
	Replay             // not heard before, and its timestamp within the window
	Rate               // not more often than the source may speak
	Symbol             // followed here, and one that the source may speak of
	Book               // Live, and proved current
	Age                // since it was issued, by the venue's clock
	Drift              // of the price since it was issued
	Agreement          // of last trade, touch and book
	Spread             //
	Depth              // on the side that the order would take
	Slippage           // of the intended size, by the book
	Cost               // half the spread, slippage and fee
	Edge               // what it promises, less what it costs
	Statistics         // of the venue are there, and not old
	Day                // the price lies within the day's range
	Volume             // of the day, against the intended size
	Trend              // of the last minutes is not against it
	Halt               // nothing is halted
	Position           // leaves room for the intended size
	Loss               // of the day
	Contradiction      // no own signal in force says the opposite
	Score              // of its source
	Approval           // a person let it pass, in time
	Gates              // one past the last
)

// unit is what a gate's number counts.
type unit uint8

const (
	plain unit = iota
	span       // ns
	ratio      // shown in bps
	qty
	amount
	share // shown as a plain number of 0 to 1
	bits
)

// gates says of each gate its name, its unit, and whether its bound is a least.
var gates = [Gates]struct {
	name  string
	unit  unit
	least bool
}{
	None: {"none", plain, false}, Authenticity: {"authenticity", plain, false}, Size: {"size", plain, false}, Message: {"message", plain, false},
	Replay: {"replay", plain, false}, Rate: {"rate", plain, false}, Symbol: {"symbol", plain, true}, Book: {"book", span, false},
	Age: {"age", span, false}, Drift: {"drift", ratio, false}, Agreement: {"agreement", ratio, false}, Spread: {"spread", ratio, false},
	Depth: {"depth", qty, true}, Slippage: {"slippage", ratio, false}, Cost: {"cost", ratio, false}, Edge: {"edge", ratio, true},
	Statistics: {"statistics", span, false}, Day: {"day range", ratio, false}, Volume: {"volume", amount, true}, Trend: {"trend", ratio, false},
	Halt: {"halt", bits, false}, Position: {"position", qty, false}, Loss: {"loss", amount, false}, Contradiction: {"contradiction", plain, false},
	Score: {"score", share, true}, Approval: {"approval", span, false},
}

func (g Gate) String() string {
	if g >= Gates {
		return fmt.Sprintf("gate %d", uint8(g))
	}
	return gates[g].name
}

// State is what is known of a gate's number.
type State uint8

// The states. Unmeasured is no pass: a gate that must judge and cannot fails.
const (
	Unmeasured State = iota
	Measured
	Off // the configuration does not ask for it
)

// Reading is a gate's number and its bound, in the gate's unit.
type Reading struct {
	Value, Bound int64
	State        State
}

// passes reports whether the number is within its bound.
func (g Gate) passes(r *Reading) bool {
	switch {
	case r.State == Off:
		return true
	case r.State == Unmeasured:
		return false
	case gates[g].least:
		return r.Value >= r.Bound
	}
	return r.Value <= r.Bound
}

// Describe is a reading in words: "drift 35.1 bps, want at most 20 bps". Cold.
func (g Gate) Describe(r Reading) string {
	switch {
	case g >= Gates:
		return g.String()
	case r.State == Off:
		return gates[g].name + " off"
	case g == Symbol && r.Value < r.Bound:
		return "symbol is not one that the source may speak of here"
	case g == Book && r.State == Unmeasured:
		return "book is not live"
	case g == Age && r.Bound < 0:
		return "age: it says that it was issued " + g.number(r.Value) + " from now"
	case r.State == Unmeasured:
		return gates[g].name + " could not be judged"
	case g == Halt:
		return fmt.Sprintf("halt in force (causes %#x)", r.Value)
	case g == Contradiction:
		return fmt.Sprintf("contradiction: %d own signals in force say the opposite", r.Value)
	}
	word := "most"
	if gates[g].least {
		word = "least"
	}
	return fmt.Sprintf("%s %s, want at %s %s", gates[g].name, g.number(r.Value), word, g.number(r.Bound))
}

func (g Gate) number(v int64) string {
	switch gates[g].unit {
	case span:
		return time.Duration(v).Round(time.Microsecond).String()
	case ratio:
		return fmt.Sprintf("%.2f bps", float64(v)/float64(Bp))
	case qty, amount:
		return core.Amount(v).String()
	case share:
		return fmt.Sprintf("%.3f", float64(v)/core.Scale)
	}
	return fmt.Sprint(v)
}
