package sim

import (
	"time"

	"riposte/core"
	"riposte/tools/venue"
)

// Checker judges a run while it happens. All calls come from the world's goroutine, one
// at a time, at the instant of what they tell; what they are given is valid during the
// call. A checker shares no code with the engine: it has the messages, the venue's truth
// and a narrow look at what the engine holds and shows. It embeds Blind for what it does
// not look at, and reports through World.Violated.
type Checker interface {
	// Message is one message in the moment in which its last byte was handed to the
	// network, on whatever link, in either direction.
	Message(m *Message)
	// Book is a book of the engine's right after a depth event, while it was Live.
	Book(b *Book)
	// Stepped follows every round of steps in which the engine did something.
	Stepped(e Engine)
	// Fault is a fault in the moment in which it begins.
	Fault(f *Event)
	// Life is the beginning (on) or the end of a life of the engine.
	Life(n int, on bool)
	// Rest is called when all faults have been healed, the engine has ended in order
	// and nothing is under way.
	Rest(e Engine, v *venue.Server)
}

// Blind looks at nothing.
type Blind struct{}

// Message does nothing.
func (Blind) Message(*Message) {}

// Book does nothing.
func (Blind) Book(*Book) {}

// Stepped does nothing.
func (Blind) Stepped(Engine) {}

// Fault does nothing.
func (Blind) Fault(*Event) {}

// Life does nothing.
func (Blind) Life(int, bool) {}

// Rest does nothing.
func (Blind) Rest(Engine, *venue.Server) {}

// Engine is a narrow look at a living engine. Its answers are copies.
type Engine interface {
	Life() int
	// Mono and Wall are its clocks.
	Mono() core.MonoNs
	Wall() core.WallNs
	// Halted is why there are no new orders, "" if there is no reason.
	Halted() string
	// Books are the states of all books as a strategy has them.
	Books() []BookState
	// Orders are all that the engine holds to be alive.
	Orders() []OrderState
	// Positions are by symbol, in base units at 1e-8.
	Positions() map[string]int64
	// Balances are what it believes to own, by asset, at 1e-8; nil before it knows.
	Balances() map[string]int64
	// Booked are all fills that its journal tells of, of former lives too, in their order
	// there. At rest only.
	Booked() ([]Fill, error)
	// Unknown is how many orders have an unknown outcome, and how long the oldest has.
	Unknown() (n int, oldest time.Duration)
	// Shown is what the person at the screen sees.
	Shown() Face
}

// BookState is one book as the engine holds it. Prices and quantities are at 1e-8.
type BookState struct {
	Symbol         string
	State          string // syncing, live, stale, gapped
	Full           bool   // lost, because a burst did not fit its queue, which the plan has made narrow
	Live           bool
	ID             int64 // update id
	Bid, Ask       int64
	BidQty, AskQty int64
	Age            time.Duration // since the last proof that it is current
}

// Level is one price of a book, at 1e-8.
type Level struct{ Price, Qty int64 }

// Book is a whole book of the engine's. Beyond Trusted nothing is claimed to be complete.
type Book struct {
	Symbol     string
	ID         int64
	Bids, Asks []Level  // best first
	Trusted    [2]int64 // the last bid and the last ask price up to which all levels are known
}

// OrderState is one order as the engine holds it.
type OrderState struct {
	Client     string
	VenueID    int64
	Symbol     string
	Side       string
	Status     string // in FIX words, or "unknown"
	Price, Qty int64
	Cum        int64
	Cancelling bool
}

// Fill is one fill of an own order, as it was booked.
type Fill struct {
	Symbol     string
	Trade      int64
	Client     string
	Price, Qty int64
}

// Face is what a person is shown.
type Face struct {
	State    string // halt causes in words, or that it trades
	Live     int    // books shown as live
	Books    int
	Problems []string
}

// Check adds a checker.
func (w *World) Check(c Checker) { w.checkers = append(w.checkers, c) }

// Checkers are those that Check added.
func (w *World) Checkers() []Checker { return w.checkers }

// Violation sets what is called when a promise has been broken.
func (w *World) Violation(f func(promise, text string)) { w.faulty = f }

// Violated says that a promise was broken, by its name in research/reliability.md (P1 to
// P28), in one line.
func (w *World) Violated(promise, text string) {
	w.Note("VIOLATED %s: %s", promise, text)
	if w.faulty != nil {
		w.faulty(promise, text)
	}
}
