package engine

import (
	"math"

	"riposte/core"
	"riposte/core/book"
	"riposte/core/risk"
	"riposte/core/signal"
	"riposte/core/trail"
)

// Counts are totals since the start.
type Counts struct {
	Events       uint64 // market events taken
	Snapshots    uint64 // loaded into a book
	Renewals     uint64 // of them into a book that was Live
	Refetches    uint64 // snapshots that were too old for the events that waited
	Unusable     uint64 // snapshots for a Live book that no venue should send
	Audits       uint64 // books copied to be compared with a snapshot
	AuditsLost   uint64 // that could not be: what came after the snapshot was no longer held
	Demotions    uint64 // books that left Live
	Pauses       uint64 // times the process had stood still
	Lost         uint64 // times own orders were cancelled because their market was out of sight
	LateEvents   uint64 // trades and klines that the venue's memory told
	Shed         uint64 // events dropped from the old end of a waiting queue
	Orders       uint64 // approved and handed on
	Cancels      uint64
	Amends       uint64
	DenialsLost  uint64 // refusals that found their ring full
	Signals      uint64 // of the configuration\'s rules, fired
	SignalsLost  uint64 // of them, not told because the ring was full
	Acks         uint64
	Fills        uint64
	Rejects      uint64
	Unsent       uint64 // approved, but no byte left
	Doubts       uint64 // orders that became Unknown
	StrayReports uint64 // about an instrument this shard does not follow
	StrayAlerts  uint64 // of a source that it does not know
	VerdictsLost uint64 // on signals, not told because the ring was full
	OutFull      uint64
	BadCommands  uint64 // that could not be done
	StagesLost   uint64

	AuditDifferences uint64 // books that a comparison showed to be wrong
}

func (s *Shard) count(r *core.Report) {
	c := &s.counts
	switch r.Kind {
	case core.ReportAck:
		c.Acks++
	case core.ReportFill:
		c.Fills++
	case core.ReportDoubt:
		c.Doubts++
	case core.ReportDone, core.ReportResolved:
		switch r.Status {
		case core.Rejected:
			c.Rejects++
		case core.NotSent:
			c.Unsent++
		}
	}
}

// Stats is the shard as of one instant.
type Stats struct {
	Counts
	Input    uint64
	Now      core.MonoNs
	Halted   risk.HaltCause
	Live     int // own live orders
	Refused  [risk.RefusalCount]uint64
	Approved uint64
	Gross    core.Amount // in the account's currency, at worst
	DayPnL   core.Amount // in the account's currency
}

// MarketStats is one instrument as of one instant.
type MarketStats struct {
	Sync     book.Status
	Top      core.Top
	BidCount int
	AskCount int
	Exposure risk.Exposure
	Halted   risk.HaltCause // this instrument alone
	Fills    uint64
	Traded   core.Qty
	Cash     core.Amount // quote that fills brought in less what they took, fees in quote included
	PnL      core.Amount // Cash plus the position at mid; fees in third assets not counted
	Fees     [feeAssets]Fee
	Trail    trail.Status
	Rules    signal.RuleCounts
	Seats    []SeatStats // of the strategies that trade it
}

// Stats is the newest published state; one reading goroutine.
func (s *Shard) Stats() *Stats {
	v, _ := s.stats.Latest()
	return v
}

// MarketStats is the newest published state of an instrument, nil if it is not
// followed; one reading goroutine, the same as Stats.
func (s *Shard) MarketStats(id core.InstrumentID) *MarketStats {
	m := s.market(id)
	if m == nil {
		return nil
	}
	v, _ := m.stats.Latest()
	return v
}

func (s *Shard) publish() {
	d := s.stats.Draft()
	*d = Stats{Counts: s.counts, Input: s.input, Now: s.now, Halted: s.gate.Halted(), Live: s.gate.Live(), Approved: s.gate.ApprovedTotal(),
		Gross: s.gate.Gross(), DayPnL: s.gate.DayPnL()}
	for i := range d.Refused {
		d.Refused[i] = s.gate.Refused(risk.Refusal(i))
	}
	d.Refused[risk.RefusedOutboundFull] += s.counts.OutFull
	s.stats.Post()
	s.posted = 0
}

// postAtOnce is how many markets' statistics go out in one Step: hundreds at once
// would hold up an event for tens of microseconds.
const postAtOnce = 8

func (s *Shard) post() {
	for range min(postAtOnce, len(s.markets)-s.posted) {
		s.markets[s.posted].publish(s)
		s.posted++
	}
}

func (m *market) publish(s *Shard) {
	d := m.stats.Draft()
	seats := m.seatStats(s, d.Seats)
	*d = MarketStats{Seats: seats,
		Sync: m.sync.Status(), Top: m.top, Exposure: s.gate.Exposure(m.id), Halted: s.gate.HaltedSymbol(m.id),
		Fills: m.fills, Traded: m.traded, Cash: m.cash, Fees: m.fees.list,
	}
	if m.trail != nil {
		d.Trail = m.trail.Status()
	}
	if m.ruled.rules != nil {
		d.Rules = m.ruled.rules.Counts()
	}
	if b, live := m.sync.Live(); live {
		d.BidCount, d.AskCount = b.Len(core.Buy), b.Len(core.Sell)
	}
	mark := m.top.Mid()
	if mark == 0 {
		mark = m.lastFill
	}
	d.PnL = m.cash + value(mark, d.Exposure.Position)
	m.stats.Post()
}

// value is what a signed position is worth at a price, in quote.
func value(p core.Price, q core.Qty) core.Amount {
	a, ok := core.NotionalOf(p, q).AmountFloor()
	if !ok {
		a = math.MaxInt64
	}
	if q < 0 {
		return -a
	}
	return a
}

// feeAssets bounds how many different assets fees of one instrument can be taken
// from: base, quote, and the venue's own token, with one to spare.
const feeAssets = 4

// Fee is what fills of one instrument paid in one asset.
type Fee struct {
	Asset  core.AssetID
	Amount core.Amount
}

type feeTable struct {
	list [feeAssets]Fee
	n    int
}

func (t *feeTable) add(a core.AssetID, v core.Amount) {
	if a == core.NoAsset || v == 0 {
		return
	}
	for i := range t.n {
		if t.list[i].Asset == a {
			t.list[i].Amount += v
			return
		}
	}
	if t.n < len(t.list) {
		t.list[t.n] = Fee{a, v}
		t.n++
	}
}
