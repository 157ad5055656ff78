package sim

import (
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// Plan is all the choices of a run. The seed draws it (Draw); once drawn, it is the run:
// a plan with fewer events is another run of the same world.
type Plan struct {
	Seed    uint64        `json:"seed"`
	Time    time.Duration `json:"time"` // of the phase with faults
	Work    Work          `json:"work"`
	Classes []string      `json:"classes,omitempty"` // of faults that the seed turned on
	Events  []Event       `json:"events,omitempty"`
	Fails   string        `json:"fails,omitempty"` // the promise that a kept trace once broke
	Note    string        `json:"note,omitempty"`  // what it was
}

// Work is what the engine is set to do, and in what world.
type Work struct {
	Symbols  []string          `json:"symbols"`
	Streams  []string          `json:"streams"`
	Strategy string            `json:"strategy"`
	Set      map[string]string `json:"set,omitempty"` // keys of the engine's configuration
	Limits   map[string]string `json:"limits,omitempty"`
	Pace     float64           `json:"pace"`             // of the market, 1: as on the venue
	Base     time.Duration     `json:"base"`             // network latency
	Tail     time.Duration     `json:"tail"`             //
	Park     time.Duration     `json:"park"`             // longest pause of an idle engine
	Race     int               `json:"race"`             // order of user events and answers
	Forward  time.Duration     `json:"forward"`          // venue latencies
	Engine   time.Duration     `json:"engine"`           //
	Answer   time.Duration     `json:"answer"`           //
	Lag      time.Duration     `json:"lag"`              // of the venue's queries
	Offset   time.Duration     `json:"offset"`           // of the venue's clock
	BNB      bool              `json:"bnb,omitempty"`    // commissions in BNB
	Lean     time.Duration     `json:"lean,omitempty"`   // what bytes to the venue take more than those from it
	Fee      int               `json:"fee,omitempty"`    // commission in basis points, 0: the venue's own
	Behind   bool              `json:"behind,omitempty"` // snapshots are seconds old
	Weight   int               `json:"weight,omitempty"` // request weight a minute, 0: the venue's own limit
	Orders   int               `json:"orders,omitempty"` // new orders in 10 s, likewise
	Maker    string            `json:"maker,omitempty"`
}

// Event is one fault: what, when, how much. What the numbers mean is told by its Kind.
type Event struct {
	At   time.Duration `json:"at"`
	Kind string        `json:"kind"`
	Link string        `json:"link,omitempty"` // kind of link
	Nth  int           `json:"nth,omitempty"`  // which of the open ones
	Up   bool          `json:"up,omitempty"`
	For  time.Duration `json:"for,omitempty"`
	N    int           `json:"n,omitempty"`
	Text string        `json:"text,omitempty"` // a line of the venue's fault script, an operation
	In   string        `json:"in,omitempty"`   // wait for this state of the engine, see States
}

// States are the states of an engine in which a fault can find it. A start on a journal
// that a former life has left is a replay.
var States = []string{"boot", "replay", "reconcile", "buffering", "live", "in flight", "unknown", "part-filled", "cancelling", "halted", "ending", "rotating"}

func (e *Event) String() string {
	s := fmt.Sprintf("%v %s", e.At, e.Kind)
	if e.Link != "" {
		s += fmt.Sprintf(" %s/%d up=%v", e.Link, e.Nth, e.Up)
	}
	if e.For != 0 {
		s += fmt.Sprintf(" for %v", e.For)
	}
	if e.N != 0 {
		s += fmt.Sprintf(" n=%d", e.N)
	}
	if e.In != "" {
		s += " when " + e.In
	}
	if e.Text != "" {
		s += fmt.Sprintf(" %q", e.Text)
	}
	return s
}

// ReadPlan reads a trace file.
func ReadPlan(name string) (*Plan, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("cannot read the plan: %w", err)
	}
	p := new(Plan)
	if err := json.Unmarshal(text, p); err != nil {
		return nil, fmt.Errorf("cannot read the plan %s: %w", name, err)
	}
	return p, nil
}

// Write writes a trace file.
func (p *Plan) Write(name string) error {
	text, err := json.MarshalIndent(p, "", "\t")
	if err != nil {
		return fmt.Errorf("cannot write the plan: %w", err)
	}
	if err := os.WriteFile(name, append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("cannot write the plan: %w", err)
	}
	return nil
}
