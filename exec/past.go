package exec

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"riposte/core"
	"riposte/core/journal"
)

// Past is what the journal tells of the former lives of an account: orders by their
// facts, positions, holdings, how far trades have been read. It is made by taking the
// journal's records in their order, from the start of any session that has a checkpoint.
// Everything in it is by name: numbers of instruments and assets, and of orders, are a
// session's own. It tells nothing of the venue; what happened since is found out by
// asking.
//
// A request on record may have left, so an order without any report is in doubt, with
// the time that was signed into it. One goroutine.
type Past struct {
	Epoch   uint64 // the newest life on record, 0: there was none
	Account string // of that life
	Prefix  string
	Clean   bool // it ended in order
	Opened  bool // Assets are known
	Symbols map[string]*PastPosition
	Assets  map[string]*PastHolding
	Runs    map[uint64]uint64 // by epoch, the highest sequence number in a client id
	Halted  []PastHalt        // raised and not lifted in the last run, oldest first; a run's own end with it

	orders  map[core.OrderID]*journal.Order // not done, or tombstones
	shares  map[shareKey]*pastShare         // of Symbols, by strategy
	owners  owners
	names   []journal.InstrumentName
	assets  []string
	draft   *Past             // the checkpoint being read
	opening []journal.Holding // balances that an audit has still to confirm

	in  journal.Intent
	rep journal.Report
}

// PastPosition is what fills have made of one symbol; see journal.Position.
type PastPosition struct {
	Net       core.Qty
	BaseFees  core.Qty
	Cash      core.Amount
	QuoteFees core.Amount
	Mark      int64
}

// PastHolding is what should be owned of an asset.
type PastHolding struct{ Owned, Fees core.Amount }

// NewPast is a past in which nothing happened.
func NewPast() *Past {
	return &Past{Symbols: map[string]*PastPosition{}, Assets: map[string]*PastHolding{}, Runs: map[uint64]uint64{},
		orders: map[core.OrderID]*journal.Order{}, shares: map[shareKey]*pastShare{}}
}

// Take adds one record.
func (p *Past) Take(rec *journal.Record) error {
	switch rec.Kind {
	case journal.KindIntent:
		if err := p.in.Decode(rec); err != nil {
			return err
		}
		return p.intent(&p.in)
	case journal.KindReport:
		if err := p.rep.Decode(rec); err != nil {
			return err
		}
		return p.report(&p.rep.Report)
	case journal.KindSessionStart, journal.KindSessionEnd, journal.KindNames, journal.KindHalt, journal.KindAudit,
		journal.KindAhead, journal.KindPosition, journal.KindHolding, journal.KindOrder, journal.KindCheckpoint, journal.KindStrategies, journal.KindShare:
		d := journal.New(rec.Kind)
		if err := d.Decode(rec); err != nil {
			return err
		}
		return p.session(d, rec.Seq)
	}
	// What else this program writes is not of positions, orders or halts.
	if journal.Newest(rec.Kind) > 0 {
		return nil
	}
	return fmt.Errorf("%v is not known: a newer riposte wrote it", rec.Kind)
}

func (p *Past) session(d journal.Payload, seq uint64) error {
	switch d := d.(type) {
	case *journal.SessionStart:
		p.Epoch, p.Account, p.Prefix, p.Clean = max(p.Epoch, d.Epoch), d.Account, d.Prefix, false
		p.names, p.assets, p.draft, p.opening, p.owners.local = nil, nil, NewPast(), nil, nil
		p.Halted = nil // a session says anew what stops it
		p.Runs[d.Epoch] = max(p.Runs[d.Epoch], 0)
	case *journal.SessionEnd:
		p.Clean = d.Clean
	case *journal.Names:
		p.names, p.assets = append(p.names, d.Instruments...), append(p.assets, d.Assets...)
	case *journal.Halt:
		p.halt(d, seq)
	case *journal.Audit:
		// The opening and the marks came at one moment, and count together.
		for _, h := range p.opening {
			p.asset(h.Asset).Owned += h.Owned // fills may have come before it
			p.Opened = true
		}
		p.opening = nil
		for _, m := range d.Marks {
			if s := p.symbol(m.Instrument); s != nil {
				s.Mark = max(s.Mark, m.Trade)
			}
		}
	case *journal.Strategies:
		p.owners.named(d)
	case *journal.Share:
		if p.draft == nil {
			return fmt.Errorf("a strategy's share outside a checkpoint")
		}
		p.draft.shares[shareKey{d.Strategy, d.Symbol}] = &pastShare{d.Net, d.BaseFees}
		p.owners.number(d.Strategy)
	case *journal.Order:
		d.Strategy = p.owners.of(d.Strategy)
		if p.draft != nil {
			p.draft.orders[d.ID] = d
		} else {
			p.orders[d.ID] = d // adopted while the session went on
		}
		return p.ran(d.Client)
	case *journal.Ahead:
		if o := p.orders[d.Order]; o != nil {
			o.Alive, o.Cum = true, max(o.Cum, d.Cum)
			if d.End != core.PendingNew {
				o.End = d.End
			}
		}
	case *journal.Position:
		if p.draft == nil {
			return fmt.Errorf("a position outside a checkpoint")
		}
		p.draft.Symbols[d.Symbol] = &PastPosition{d.Net, d.BaseFees, d.Cash, d.QuoteFees, d.Mark}
	case *journal.Holding:
		return p.holding(d)
	case *journal.Checkpoint:
		return p.checkpoint(d)
	}
	return nil
}

func (p *Past) holding(d *journal.Holding) error {
	switch d.Kind {
	case journal.HoldingCarried:
		if p.draft == nil {
			return fmt.Errorf("a carried holding outside a checkpoint")
		}
		p.draft.Assets[d.Asset] = &PastHolding{d.Owned, d.Fees}
	case journal.HoldingOpening:
		p.opening = append(p.opening, *d)
	case journal.HoldingExternal:
		p.asset(d.Asset).Owned += d.Delta
	}
	return nil
}

// checkpoint lets what was told since the session's start replace all before.
func (p *Past) checkpoint(d *journal.Checkpoint) error {
	n := p.draft
	if n == nil || len(n.Symbols) != int(d.Positions) || len(n.Assets) != int(d.Holdings) || len(n.orders) != int(d.Orders) || len(n.shares) != int(d.Shares) {
		return fmt.Errorf("a checkpoint of %d positions, %d holdings and %d orders, which are not what stands before it",
			d.Positions, d.Holdings, d.Orders)
	}
	p.Symbols, p.Assets, p.orders, p.shares = n.Symbols, n.Assets, n.orders, n.shares
	p.Opened, p.draft = d.Holdings > 0, nil
	for _, r := range d.Runs {
		p.Runs[r.Epoch] = max(p.Runs[r.Epoch], r.Last)
	}
	return nil
}

// ran notes that a run has used a client id.
func (p *Past) ran(c core.ClientID) error {
	epoch, seq, ok := readClient(c.Bytes())
	if !ok {
		return fmt.Errorf("an order under %q, which is no client id of ours", c.String())
	}
	p.Runs[epoch] = max(p.Runs[epoch], seq)
	return nil
}

func (p *Past) symbol(id core.InstrumentID) *PastPosition {
	if int(id) >= len(p.names) {
		return nil
	}
	name := p.names[id].Symbol
	s := p.Symbols[name]
	if s == nil {
		s = &PastPosition{Mark: unread}
		p.Symbols[name] = s
	}
	return s
}

func (p *Past) asset(name string) *PastHolding {
	a := p.Assets[name]
	if a == nil {
		a = new(PastHolding)
		p.Assets[name] = a
	}
	return a
}

func (p *Past) intent(in *journal.Intent) error {
	if in.Kind != core.Place && in.Kind != core.Replace {
		return nil
	}
	p.orders[in.Order] = &journal.Order{ID: in.Order, Client: in.Client, Symbol: in.Symbol, Strategy: p.owners.of(in.Strategy), Side: in.Side,
		Type: in.Type, TIF: in.TIF, Price: in.Price, Qty: in.Qty, Stamp: in.Wall, Window: in.Window}
	return p.ran(in.Client)
}

func (p *Past) report(r *core.Report) error {
	o := p.orders[r.ID]
	if r.Kind == core.ReportFill {
		if o != nil && slices.Contains(o.Trades, r.TradeID) {
			return nil
		}
		whose := p.owners.of(r.Strategy)
		if o != nil {
			whose = o.Strategy
		}
		if err := p.fill(r, whose); err != nil {
			return err
		}
	}
	if o == nil {
		return nil // it ended long ago, or no byte of it left
	}
	if r.VenueID != 0 {
		o.VenueID = r.VenueID
	}
	switch r.Kind {
	case core.ReportAck:
		o.Alive = true
	case core.ReportFill:
		o.Alive, o.Filled, o.Trades = true, o.Filled+r.Qty, append(o.Trades, r.TradeID)
	case core.ReportAmended:
		o.Qty = r.Qty
	case core.ReportDoubt:
		o.Doubt = true
	case core.ReportResolved, core.ReportDone:
		if !r.Status.Terminal() {
			o.Alive = r.Status != core.Unknown && r.Status != core.PendingNew
			break
		}
		// Only of an order that was in doubt does the absence have to be remembered: of
		// others it is known that no byte left, or the venue said so.
		if r.Status == core.NotSent && o.Doubt && !o.Alive {
			o.Gone = true
		} else if r.Kind == core.ReportDone {
			delete(p.orders, r.ID)
		}
	}
	return nil
}

// fill books what a fill brought and took, as the Ledger does.
func (p *Past) fill(r *core.Report, whose uint16) error {
	s := p.symbol(r.Instrument)
	if s == nil {
		return fmt.Errorf("a fill of instrument %d, which the session has not named", r.Instrument)
	}
	in := &p.names[r.Instrument]
	base, quote := r.Qty, r.Quote
	if r.Side == core.Sell {
		base, quote = -base, -quote
	}
	s.Net += base
	p.booked(whose, r, base, in)
	s.Cash -= quote
	if r.FeeAsset == in.Base {
		s.BaseFees += core.Qty(r.Fee)
	}
	if r.FeeAsset == in.Quote {
		s.QuoteFees += r.Fee
	}
	name := func(id core.AssetID) *PastHolding {
		if int(id) >= len(p.assets) {
			return new(PastHolding) // an asset that no table knew: the ledger counts those apart
		}
		return p.asset(p.assets[id])
	}
	name(in.Base).Owned += core.Amount(base)
	name(in.Quote).Owned -= quote
	fee := name(r.FeeAsset)
	fee.Owned -= r.Fee
	fee.Fees += r.Fee
	return nil
}

// Orders are the orders of former lives that may still matter, oldest first: those that
// are not known to have ended, and the tombstones of those proved never to have arrived.
func (p *Past) Orders() []*journal.Order {
	var list []*journal.Order
	for _, id := range slices.Sorted(maps.Keys(p.orders)) {
		list = append(list, p.orders[id])
	}
	return list
}

// Renumber gives the orders the numbers that they have in the session that begins; those
// not in ids are tombstones, which need none.
func (p *Past) Renumber(ids map[core.ClientID]core.OrderID) {
	orders := make(map[core.OrderID]*journal.Order, len(p.orders))
	for i, o := range p.Orders() {
		id, ok := ids[o.Client]
		if !ok {
			id = tombBit | core.OrderID(i)
		}
		o.ID = id
		orders[id] = o
	}
	p.orders = orders
}

// tombBit marks the numbers of tombstones in a checkpoint: no report names them.
const tombBit = core.OrderID(1) << 62

// drop leaves an order out that has ended after all.
func (p *Past) drop(o *journal.Order) { delete(p.orders, o.ID) }

// Forget is a past of which nothing but the runs is left: for a venue that is another
// one each time.
func (p *Past) Forget() {
	n := NewPast()
	n.Epoch, n.Runs, n.Halted = p.Epoch, p.Runs, p.Halted
	*p = *n
}

// Checkpoint gives note all records of a checkpoint, the last of them the one that
// makes them count.
func (p *Past) Checkpoint(epoch uint64, wall core.WallNs, note func(journal.Payload)) {
	end := journal.Checkpoint{Epoch: epoch, Wall: wall}
	for _, name := range slices.Sorted(maps.Keys(p.Symbols)) {
		s := p.Symbols[name]
		note(&journal.Position{Symbol: name, Net: s.Net, BaseFees: s.BaseFees, Cash: s.Cash, QuoteFees: s.QuoteFees, Mark: s.Mark})
		end.Positions++
	}
	if p.Opened {
		for _, name := range slices.Sorted(maps.Keys(p.Assets)) {
			a := p.Assets[name]
			note(&journal.Holding{Kind: journal.HoldingCarried, Asset: name, Owned: a.Owned, Fees: a.Fees, Wall: wall})
			end.Holdings++
		}
	}
	end.Shares = p.noteShares(note)
	for _, o := range p.Orders() {
		c := *o
		c.Strategy = p.Whose(o)
		c.Trades = c.Trades[max(0, len(c.Trades)-pastTrades):] // older ones lie behind the mark
		note(&c)
		end.Orders++
	}
	runs := slices.Sorted(maps.Keys(p.Runs))
	for _, e := range runs[max(0, len(runs)-pastRuns):] {
		end.Runs = append(end.Runs, journal.Run{Epoch: e, Last: p.Runs[e]})
	}
	note(&end)
}

const (
	pastTrades = 4096 // fills of one order that a checkpoint names
	pastRuns   = 1024 // former runs that it names
)

// actWithin is how long after its stamp the venue could act on a request; records of
// version 1 do not tell, and then it is the most that a venue allows.
func actWithin(o *journal.Order) time.Duration {
	if o.Window > 0 {
		return o.Window
	}
	return time.Minute
}

// readClient reads the epoch and the sequence out of a client id of ours.
func readClient(id []byte) (epoch, seq uint64, ok bool) {
	at := len(id) - epochDigits - SeqDigits - 2
	if at < 1 || id[at] != '-' || id[at+epochDigits+1] != '-' {
		return 0, 0, false
	}
	for i, c := range id[at+1:] {
		v := &epoch
		if i > epochDigits {
			v = &seq
		}
		switch {
		case c >= '0' && c <= '9':
			*v = *v*36 + uint64(c-'0')
		case c >= 'a' && c <= 'z':
			*v = *v*36 + uint64(c-'a') + 10
		case i != epochDigits:
			return 0, 0, false
		}
	}
	return epoch, seq, true
}
