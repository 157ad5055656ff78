package exec

import (
	"slices"

	"riposte/core"
)

// View is our side of a reconciliation, at one moment.
type View struct {
	Orders []OrderView // every order that is not done
	// Knows tells whether an order of the venue's id is held, and whether the fill
	// is booked.
	Knows    func(id core.InstrumentID, venueID, trade int64) (ours, booked bool)
	Standing func(client core.ClientID) Standing
	Ledger   *Ledger
	Before   []Sighting  // what the last reconciliation found
	Settle   core.MonoNs // how long the venue's reads may lag behind
	// Gap says that the account's stream has been down since the last reconciliation that
	// found the balances right, by reads that no lag lets be of before it: a deposit may
	// have gone untold.
	Gap bool
	// Accepted are the differences for which trading was halted, once a person has let it
	// go on.
	Accepted []Sighting
}

// Sighting is a difference of balances and since when it has been the same.
type Sighting struct {
	Mismatch
	Since core.MonoNs
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
	// Trades are the fills since the last snapshot. A fill carries no client id; where
	// the venue's id is none that is held, Client, Side, Qty and Price are those of its
	// order, which was asked for (see attribute), or Client is empty if that failed.
	Trades   []core.Execution
	Balances []core.Balance
	Updated  core.WallNs // the account's last update that Balances know of, 0: not told
	// Stale says that the account's stream has told more than this snapshot knows: its
	// balances are not of now.
	Stale bool
	// Quiet says that none of our orders was in flight or traded while it was taken,
	// nor for as long before as reads may lag, so that balances can be compared exactly.
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
	DiffNotOpen      DiffKind = iota // we think it works, the venue does not list it: ask about it
	DiffBehind                       // the venue executed more than we know: evidence
	DiffMissedFill                   // a fill of ours that nobody told us: evidence
	DiffLate                         // an order of ours that is not held, alive: evidence, which adopts it
	DiffUnheld                       // our own id, of an order that had ended: for a human
	DiffTwin                         // our prefix, from a run that is not known: shown, not touched, halts
	DiffForeign                      // somebody else's order: shown, not touched
	DiffForeignFill                  // somebody else's fill: booked as an external flow
	DiffUnattributed                 // a fill of an order nobody could name yet: looked at again
	DiffExternal                     // a balance moved while the stream was down, or a person accepted it, without a fill: booked as external
	DiffStale                        // an asset's amount differs in an answer that is older than what the stream has told: asked for again
	DiffBalance                      // an asset's amount differs: looked at again
	DiffMismatch                     // as before, the same amount for longer than reads can lag: for a human
)

var diffText = [...]string{"not open at the venue", "venue executed more", "missed fill", "own order, alive after all", "own id, ended order",
	"order of another run under our prefix", "foreign order", "foreign fill", "fill of an unknown order", "external flow",
	"balance differs in an answer older than the account's stream", "balance differs", "balance mismatch"}

func (k DiffKind) String() string { return diffText[k] }

// Open reports whether a difference of the kind means that the two views do not agree
// yet. What others do on the account is shown and does not count.
func (k DiffKind) Open() bool {
	switch k {
	case DiffForeign, DiffForeignFill, DiffExternal:
		return false
	}
	return true
}

// Difference is one finding. Evidence, where it corrects, is to be applied to the
// table; Order is to be asked about; Balance of an external flow is to be booked.
type Difference struct {
	Kind     DiffKind
	Order    core.OrderID
	Evidence core.Execution
	Balance  Sighting
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
		switch v.Standing(e.Client) {
		case StandHeld:
			open[e.Client] = e
		case StandLate:
			out = append(out, Difference{Kind: DiffLate, Evidence: *e})
		case StandEnded:
			out = append(out, Difference{Kind: DiffUnheld, Evidence: *e})
		case StandTwin:
			out = append(out, Difference{Kind: DiffTwin, Evidence: *e})
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
		if k, differs := tradeDiff(v, &s.Trades[i]); differs {
			out = append(out, Difference{Kind: k, Evidence: s.Trades[i]})
		}
	}
	return reconcileBalances(out, v, s)
}

func tradeDiff(v *View, e *core.Execution) (DiffKind, bool) {
	if held, booked := v.Knows(e.Instrument, e.VenueID, e.TradeID); held {
		return DiffMissedFill, !booked
	}
	if len(e.Client.Bytes()) == 0 {
		return DiffUnattributed, true
	}
	switch v.Standing(e.Client) {
	case StandHeld:
		return DiffMissedFill, true // its answer was lost, so the venue's id is not known
	case StandLate:
		return DiffLate, true
	case StandEnded:
		return 0, false // it was told done only when this fill was booked
	case StandTwin:
		return DiffTwin, true
	}
	return DiffForeignFill, true
}

// accepted reports whether a person let trading go on although a difference had been found.
func (v *View) accepted(m Mismatch) bool {
	return slices.ContainsFunc(v.Accepted, func(s Sighting) bool { return s.Asset == m.Asset && s.Venue-s.Ours == m.Venue-m.Ours })
}

func reconcileBalances(out []Difference, v *View, s *Snapshot) []Difference {
	missed := false
	flows := map[core.AssetID]core.Amount{}
	for i := range out {
		switch out[i].Kind {
		case DiffMissedFill, DiffBehind, DiffLate, DiffUnattributed, DiffTwin:
			missed = true
		case DiffForeignFill:
			v.Ledger.flow(&out[i].Evidence, func(a core.AssetID, d core.Amount) { flows[a] += d })
		}
	}
	for _, m := range v.Ledger.Compare(nil, s.Balances, flows) {
		seen := Sighting{m, s.Begun}
		for _, b := range v.Before {
			// The same difference for long is no race with a fill under way.
			if b.Asset == m.Asset && b.Venue-b.Ours == m.Venue-m.Ours && !missed {
				seen.Since = b.Since
			}
		}
		if v.Ledger.Lags(m.Asset, m.Venue-flows[m.Asset], s.Begun-lagMost*v.Settle) {
			seen.Since = s.Begun // read before a fill that we know: no difference
		}
		stays := s.Begun-seen.Since > v.Settle
		kind := DiffBalance
		switch {
		case s.Stale && s.Begun-seen.Since <= staleMost:
			kind = DiffStale
		case stays && (v.Gap || v.accepted(m)):
			kind = DiffExternal
		case stays, s.Quiet && !missed && !v.Gap:
			kind = DiffMismatch
		}
		out = append(out, Difference{Kind: kind, Balance: seen})
	}
	return out
}
