package exec

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"riposte/core"
	"riposte/core/fault"
	"riposte/core/risk"
)

// auditState is the periodic comparison with the venue. The first one opens the
// ledger; one follows each reconnect of the user stream, then every AuditEvery,
// and one at the end if AuditNow is called.
type auditState struct {
	due      core.MonoNs
	running  bool
	barred   bool // refused for its key; see Gateway.barred
	again    bool // another was asked for while one ran
	done     uint64
	marks    []TradeMark // by instrument
	before   []Sighting
	last     []Difference
	active   uint64      // activity when last looked at
	activeAt core.MonoNs // when that last changed
	follow   int         // audits that follow soon, see followUp
	pause    core.MonoNs // before the next, while something stands open
	gap      bool        // the user stream was down since the balances were last found right, by reads that show it
	up       core.MonoNs // when it was last subscribed
	disputed []Sighting  // balances for which the last audit halted
}

// followUp is when an audit after a reconnect is repeated: what the venue's reads did not
// show yet in the first one is found in these.
var followUp = [...]core.MonoNs{core.MonoNs(time.Second), core.MonoNs(10 * time.Second)}

// lagMost is how many times the margin the venue's reads are given to lag where a balance
// that seems right may be one of before a deposit that nobody has told.
const lagMost = 2

// AuditNow asks for an audit as soon as possible; AuditsDone rises when it is.
func (g *Gateway) AuditNow() {
	g.audit.due = 1
	g.audit.again = g.audit.running
}

// AuditsDone is how many audits have ended with the venue's view taken.
func (g *Gateway) AuditsDone() uint64 { return g.audit.done }

// Differences are the findings of the last audit. Valid until the next.
func (g *Gateway) Differences() []Difference { return g.audit.last }

// activity changes whenever one of our orders is sent or trades.
func (g *Gateway) activity() uint64 { return g.Stats.Sent + g.table.Stats.Filled + g.table.Stats.Done }

// noteActivity keeps when one of our orders was last sent, traded or ended.
func (g *Gateway) noteActivity(now core.MonoNs) {
	if n := g.activity(); n != g.audit.active {
		g.audit.active, g.audit.activeAt = n, now
	}
}

func (g *Gateway) startAudit(now core.MonoNs) {
	j := g.freeJob(jobAudit)
	if j == nil {
		return
	}
	a := &g.audit
	if a.marks == nil {
		a.marks = g.noMarks()
	}
	a.running = true
	j.begun = now
	marks := slices.Clone(a.marks)
	fault.At(fault.AuditBegun)
	g.start(j, func(j *job) { j.snap, j.err = g.takeSnapshot(marks, j.begun) })
}

// takeSnapshot runs on a goroutine of its own. The order matters: an order that
// fills between the calls is then missing among the open ones and its fill is in
// the trades or will be in the next ones, never in neither.
func (g *Gateway) takeSnapshot(marks []TradeMark, begun core.MonoNs) (*Snapshot, error) {
	ctx, cancel := context.WithTimeout(g.ctx, 3*g.cfg.CallTimeout)
	defer cancel()
	s := &Snapshot{Begun: begun}
	var err error
	if s.Open, err = g.cfg.Venue.OpenOrders(ctx); err != nil {
		return nil, err
	}
	for _, m := range marks {
		if g.cfg.TradesOf != nil && !g.cfg.TradesOf[m.Instrument] {
			s.Marks = append(s.Marks, m)
			continue
		}
		err := g.readTrades(s, m, func(from int64) ([]core.Execution, error) {
			return g.cfg.Venue.TradesFrom(ctx, m.Instrument, from)
		})
		if err != nil {
			return nil, err
		}
	}
	if s.Balances, s.Updated, err = g.cfg.Venue.Balances(ctx); err != nil {
		return nil, err
	}
	s.Ended = g.clock.Mono()
	fault.At(fault.SnapshotTaken)
	return s, nil
}

// attributeMost is up to how many orders are asked for one by one; of more, whole pages
// of orders are cheaper.
const attributeMost = 20

// strangers are the venue's ids of the orders behind trades that we do not hold.
func (g *Gateway) strangers(s *Snapshot) map[TradeMark]bool {
	var out map[TradeMark]bool
	for i := range s.Trades {
		e := &s.Trades[i]
		if len(e.Client.Bytes()) == 0 && e.Instrument != core.NoInstrument && g.table.byVenue(e.Instrument, e.VenueID) == nil {
			if out == nil {
				out = map[TradeMark]bool{}
			}
			out[TradeMark{e.Instrument, e.VenueID}] = true
		}
	}
	return out
}

// compareMarks puts marks in one order, so that what is asked is asked in the same order
// in every run.
func compareMarks(a, b TradeMark) int {
	return cmp.Or(cmp.Compare(a.Instrument, b.Instrument), cmp.Compare(a.Trade, b.Trade))
}

// attribute finds out whose the trades of unknown orders are. It runs on a goroutine of
// its own. What it cannot find out stays unattributed.
func (g *Gateway) attribute(s *Snapshot, ids map[TradeMark]bool) {
	ctx, cancel := context.WithTimeout(g.ctx, 3*g.cfg.CallTimeout)
	defer cancel()
	found := map[TradeMark]core.Execution{}
	if len(ids) <= attributeMost {
		for _, id := range slices.SortedFunc(maps.Keys(ids), compareMarks) {
			if e, err := g.cfg.Venue.Order(ctx, id.Instrument, core.ClientID{}, id.Trade); err == nil {
				found[id] = e
			}
		}
	} else {
		lowest := map[core.InstrumentID]int64{}
		for id := range ids {
			if low, ok := lowest[id.Instrument]; !ok || id.Trade < low {
				lowest[id.Instrument] = id.Trade
			}
		}
		for _, in := range slices.Sorted(maps.Keys(lowest)) {
			low := lowest[in]
			list, _ := g.cfg.Venue.HistoryFrom(ctx, in, low) // what came before an error counts
			for i := range list {
				if id := (TradeMark{in, list[i].VenueID}); ids[id] {
					found[id] = list[i]
				}
			}
		}
	}
	for i := range s.Trades {
		t := &s.Trades[i]
		if o, ok := found[TradeMark{t.Instrument, t.VenueID}]; ok {
			t.Client, t.Side, t.Type, t.TIF, t.Price, t.Qty = o.Client, o.Side, o.Type, o.TIF, o.Price, o.Qty
		}
	}
}

// askedOn starts the second half of an audit, if there are fills of orders that nobody
// here knows.
func (g *Gateway) askedOn(j *job) bool {
	if j.err != nil || j.named {
		return false
	}
	ids := g.strangers(j.snap)
	if len(ids) == 0 {
		return false
	}
	j.named = true
	j.ready.Store(false)
	g.start(j, func(j *job) { g.attribute(j.snap, ids) })
	return true
}

// auditTold applies an audit's corrections.
func (g *Gateway) auditTold(j *job, now core.MonoNs) {
	a := &g.audit
	a.running = false
	g.Stats.Audits++
	if j.err != nil {
		g.Stats.AuditErrors++
		a.barred = g.refusedKey(j.err)
		a.due = now + core.MonoNs(g.cfg.AskMax)
		return
	}
	j.snap.Stale = g.word.newer(j.snap, g.cfg.TradesOf)
	if !g.ledger.Opened() {
		if !g.word.toOpen(j.snap) {
			a.due = now + core.MonoNs(g.cfg.AuditEvery)
			g.askSoon(now)
			return
		}
		g.ledger.Open(j.snap.Balances)
		g.cfg.Journal.Opened(j.snap.Balances)
		fault.At(fault.LedgerOpened)
	}
	g.noteActivity(now)
	j.snap.Quiet = j.snap.Begun-a.activeAt > core.MonoNs(g.cfg.ProofMargin) && g.table.Live() == 0
	a.last = Reconcile(g.view(), j.snap)
	a.before, a.disputed = a.before[:0], a.disputed[:0]
	a.marks = j.snap.Marks
	settled, mismatch, stale := true, false, false
	for i := range a.last {
		if d := &a.last[i]; d.Kind == DiffUnattributed {
			// Read again next time, with what has come since.
			m := &a.marks[d.Evidence.Instrument]
			m.Trade = min(m.Trade, d.Evidence.TradeID-1)
			settled = false
		}
	}
	for i := range a.last {
		d := &a.last[i]
		if d.Kind.Open() {
			g.Stats.Corrections++
		}
		switch d.Kind {
		case DiffBehind, DiffMissedFill, DiffLate:
			d.Evidence.Recv = now
			if o := g.table.Apply(&d.Evidence); o != nil {
				g.after(o)
			}
		case DiffNotOpen:
			if o := g.table.Find(d.Order); o != nil && o.ask.due == 0 { // else it is being asked about
				o.ask.soon(now)
			}
			settled = false
		case DiffTwin:
			g.Stats.Twins++
			g.raise(risk.HaltTwin)
		case DiffForeignFill:
			if d.Evidence.TradeID > a.marks[d.Evidence.Instrument].Trade {
				break // it will be read again
			}
			g.Stats.ForeignFills++
			g.ledger.Foreign(&d.Evidence)
		case DiffUnheld:
			mismatch = true
		case DiffExternal:
			g.Stats.Externals++
			why := "moved while the account's stream was down"
			if !a.gap {
				why = "accepted by whoever let trading go on after it had been found"
			}
			g.ledger.External(d.Balance.Asset, d.Balance.Venue-d.Balance.Ours, why)
		case DiffStale, DiffBalance, DiffMismatch:
			a.before = append(a.before, d.Balance)
			switch d.Kind {
			case DiffStale:
				settled, stale = false, true
			case DiffMismatch:
				mismatch = true
				a.disputed = append(a.disputed, d.Balance)
			}
		}
	}
	if !j.snap.Stale {
		g.ledger.Told(j.snap.Balances)
	}
	a.done++
	switch {
	case mismatch:
		g.raise(risk.HaltMismatch)
	case !stale: // an old answer proves neither
		g.Lift(risk.HaltMismatch)
	}
	a.due = now + core.MonoNs(g.cfg.AuditEvery)
	if a.follow > 0 && !a.again { // one that began before the reconnect follows nothing up
		a.due = min(a.due, now+followUp[len(followUp)-a.follow])
		a.follow--
	}
	switch {
	case a.again:
		a.due, a.again = now, false
	case !settled, a.gap && len(a.before) > 0:
		// What was missing is being asked about; look again when that is answered. A
		// balance that moved while nobody told is believed when it stays.
		g.askSoon(now)
	default:
		a.pause = 0
		if j.snap.Begun-a.up > lagMost*core.MonoNs(g.cfg.ProofMargin) {
			a.gap = false
		}
		g.Lift(risk.HaltNotReconciled)
	}
	fault.At(fault.AuditTold)
	g.cfg.Journal.Audited(a.last, settled && !mismatch, a.marks)
	fault.At(fault.AuditDone)
}

// againKeep is the percentage of the weight that audits leave alone which only repeat one:
// where the venue's reads lag all the time, nothing would be left for questions about
// orders, nor for the last look of a run that ends, nor for the snapshots that bring lost
// books back.
const againKeep = 50

// askSoon has the next audit come soon, and the one after it less so.
func (g *Gateway) askSoon(now core.MonoNs) {
	a := &g.audit
	a.pause = min(max(2*a.pause, core.MonoNs(g.cfg.AskMin)), core.MonoNs(g.cfg.AskMax))
	next := a.pause
	if room, more := g.budget.Spare(againKeep, g.time.At(now), now); room <= 0 {
		next = max(next, core.MonoNs(more))
	}
	a.due = min(a.due, now+next)
}

func (g *Gateway) view() *View {
	v := &View{
		Ledger:   g.ledger,
		Before:   slices.Clone(g.audit.before),
		Gap:      g.audit.gap,
		Settle:   core.MonoNs(g.cfg.ProofMargin),
		Knows:    g.table.knows,
		Standing: g.table.StandingOf,
	}
	if g.halt.Load()&uint32(risk.HaltMismatch) == 0 {
		v.Accepted = slices.Clone(g.audit.disputed) // a person has seen it and let trading go on
	}
	g.table.EachLive(func(o *Order) {
		v.Orders = append(v.Orders, OrderView{o.ID, o.Client, o.Instrument, o.Status(), o.Cum, o.Heard})
	})
	return v
}

// knows tells whether the venue's order is held here, and the fill booked.
func (t *Table) knows(id core.InstrumentID, venueID, trade int64) (ours, booked bool) {
	o := t.byVenue(id, venueID)
	if o == nil {
		return false, false
	}
	for n := o.first; n != none; n = t.fills[n].next {
		if t.fills[n].trade == trade {
			return true, true
		}
	}
	return true, false
}
