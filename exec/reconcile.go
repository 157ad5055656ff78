package exec

import (
	"riposte/core"
)

// View is our side of a reconciliation, at one moment.
type View struct {
	Orders []OrderView // every order that is not done
	// Knows tells whether an order of the venue's id is ours, and whether the fill
	// is booked.
	Knows  func(id core.InstrumentID, venueID, trade int64) (ours, booked bool)
	Owner  func(client core.ClientID) Owner
	Held   func(client core.ClientID) bool // whether the table holds an order of ours
	Ledger *Ledger
	Before []Mismatch // what the last reconciliation found
}

// OrderView is what reconciliation needs of one order.
type OrderView struct {
	ID         core.OrderID
	Client     core.ClientID
	Instrument core.InstrumentID
	Status     core.OrderStatus
	Cum        core.Qty
	Heard      core.MonoNs
}

// Snapshot is the venue's side: what its REST service told between Begun and Ended.
type Snapshot struct {
	Begun, Ended core.MonoNs
	Open         []core.Execution // working orders of the account
	Trades       []core.Execution // fills since the last snapshot
	Balances     []core.Balance
	// Quiet says that none of our orders was in flight or traded while it was
	// taken, so that balances can be compared exactly.
	Quiet bool
	Marks []TradeMark // newest trade per instrument
}

// TradeMark is how far the account's trades of an instrument have been read.
type TradeMark struct {
	Instrument core.InstrumentID
	Trade      int64
}

// DiffKind is how our view and the venue's differ.
type DiffKind uint8

// The differences, and what corrects them.
const (
	DiffNotOpen    DiffKind = iota // we think it works, the venue does not list it: ask about it
	DiffBehind                     // the venue executed more than we know: evidence
	DiffMissedFill                 // a fill of ours that nobody told us: evidence
	DiffUnheld                     // our own id, but we do not know the order: for a human
	DiffOtherRun                   // our prefix, another run: shown, not touched
	DiffForeign                    // somebody else's order: shown, not touched
	DiffBalance                    // an asset's amount differs, seen once
	DiffMismatch                   // as before, the same amount seen twice: for a human
)

var diffText = [...]string{"not open at the venue", "venue executed more", "missed fill", "own id, unknown order", "order of another run", "foreign order", "balance differs", "balance mismatch"}

func (k DiffKind) String() string { return diffText[k] }

// Difference is one finding. Evidence, where it corrects, is to be applied to the
// table; Order is to be asked about.
type Difference struct {
	Kind     DiffKind
	Order    core.OrderID
	Evidence core.Execution
	Balance  Mismatch
}

// Reconcile compares our view with the venue's. It is a pure function: same input,
// same list, nothing changed. Applying its corrections and reconciling again finds
// them gone. REST answers may lag behind what the stream and answers have told, so
// older evidence never takes anything back; the table sees to that.
func Reconcile(v *View, s *Snapshot) []Difference {
	var out []Difference
	open := make(map[core.ClientID]*core.Execution, len(s.Open))
	for i := range s.Open {
		e := &s.Open[i]
		switch v.Owner(e.Client) {
		case Ours:
			open[e.Client] = e
			if !v.Held(e.Client) {
				out = append(out, Difference{Kind: DiffUnheld, Evidence: *e})
			}
		case OtherRun:
			out = append(out, Difference{Kind: DiffOtherRun, Evidence: *e})
		default:
			out = append(out, Difference{Kind: DiffForeign, Evidence: *e})
		}
	}
	for i := range v.Orders {
		o := &v.Orders[i]
		e, listed := open[o.Client]
		switch {
		case listed && (e.Cum > o.Cum || o.Status == core.Unknown || o.Status == core.PendingNew):
			out = append(out, Difference{Kind: DiffBehind, Order: o.ID, Evidence: *e})
		case listed:
		case o.Status == core.PendingNew || o.Status == core.Unknown || o.Status.Terminal():
			// In flight, in doubt or ended: being listed is not expected of it.
		case o.Heard < s.Begun:
			// Known to work since before the list was made, and not on it.
			out = append(out, Difference{Kind: DiffNotOpen, Order: o.ID})
		}
	}
	for i := range s.Trades {
		e := &s.Trades[i]
		if ours, booked := v.Knows(e.Instrument, e.VenueID, e.TradeID); ours && !booked {
			out = append(out, Difference{Kind: DiffMissedFill, Evidence: *e})
		}
	}
	return reconcileBalances(out, v, s)
}

func reconcileBalances(out []Difference, v *View, s *Snapshot) []Difference {
	missed := false
	for i := range out {
		missed = missed || out[i].Kind == DiffMissedFill || out[i].Kind == DiffBehind
	}
	for _, m := range v.Ledger.Compare(nil, s.Balances) {
		kind := DiffBalance
		for _, b := range v.Before {
			// The same difference twice is no race with a fill under way: those differ.
			if b.Asset == m.Asset && b.Venue-b.Ours == m.Venue-m.Ours && !missed {
				kind = DiffMismatch
			}
		}
		if s.Quiet && !missed {
			kind = DiffMismatch
		}
		out = append(out, Difference{Kind: kind, Balance: m})
	}
	return out
}
