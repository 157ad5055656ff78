package app

import (
	"fmt"
	"time"

	"riposte/core"
	"riposte/core/airlock"
	"riposte/core/book"
	"riposte/core/engine"
	"riposte/core/journal"
	"riposte/core/risk"
	"riposte/core/strategy"
	"riposte/exec"
)

// The words of riposte why. What a journal does not have is said, and nothing is made up.

func clockTime(at core.WallNs) string {
	return time.Unix(0, int64(at)).UTC().Format("2006-01-02 15:04:05.000000")
}

// since is a span in words, with its sign.
func since(ns int64) string {
	if ns < 0 {
		return "-" + short(-ns)
	}
	return "+" + short(ns)
}

// story is the chain of an order.
func (o *orderStory) story(id string) *story {
	s := &story{ID: id, Kind: "order", Run: o.run.start.Epoch}
	head := s.part(fmt.Sprintf("order %d of run %d", o.id, o.run.start.Epoch))
	if o.client != "" {
		head.add("client id %s", o.client)
	}
	if o.venue != 0 {
		head.add("the venue calls it %d", o.venue)
	}
	head.add("%s", o.run.start.Account)
	switch in := o.intent; {
	case in != nil:
		head.add("%s, %s", sayRecord(&in.rec), o.run.strategy(in.rec.Strategy))
		s.record(in.seq, &in.rec)
		o.sayCause(s)
		o.saySignals(s)
		o.sayGate(s)
		o.sayWay(s)
	case o.carried != nil:
		c := o.carried
		head.add("%s %v %s %v at %v, %v of it traded", c.Symbol, c.Side, c.Type, c.Qty, c.Price, c.Filled)
		head.add("a former run's: why it was sent stands in that run's records, under its client id")
		s.record(0, c)
	case len(o.withheld) > 0:
		w := &o.withheld[0].rec
		head.add("%s %v %v at %v, %s", w.Symbol, w.Side, w.Qty, w.Price, o.run.strategy(w.Strategy))
		head.add("the gate let it through; it was never written: why the gate did is not in the journal")
	default:
		head.add("the gate let it through, and no byte of it left: the journal has no more of it than its end")
	}
	o.sayEnd(s)
	return s
}

// sayCause is what led to the decision.
func (o *orderStory) sayCause(s *story) {
	p := s.part("what led to it")
	in := &o.intent.rec
	p.add("input %d of the engine", in.Input)
	x := o.sent
	if x == nil {
		p.add("which it was, and the book then, the journal does not have: an older riposte wrote it, or the process ended as it left")
		return
	}
	s.record(0, x)
	if x.Event != 0 {
		text := fmt.Sprintf("%s %d of %s", kindName(x.Event), x.EventID, in.Symbol)
		if x.Venue != 0 {
			text += ", " + clockTime(x.Venue) + " by the venue"
		} else {
			text += ", which carries no time of the venue's"
		}
		p.add("%s", text)
		p.add("read %s before the request was laid out, decoded %s after that, applied to the book %s later", short(int64(x.Encoded-x.Recv)), since(int64(x.Decoded-x.Recv)), since(int64(x.Applied-x.Decoded)))
	} else {
		p.add("no market event: %s", engine.CauseKind(x.Cause))
	}
	t := &x.Top
	p.add("the book at that moment: bid %v x %v, ask %v x %v, update %d, proved current %s before", t.Bid, t.BidQty, t.Ask, t.AskQty, t.ID, short(int64(x.Proof)))
}

// saySignals are those in force.
func (o *orderStory) saySignals(s *story) {
	p := s.part("signals")
	in := &o.intent.rec
	for _, f := range o.run.signals {
		r := &f.rec
		direct := r.Input == in.Input && r.Symbol == in.Symbol
		if !direct && (r.Symbol != in.Symbol || r.Wall > in.Wall || in.Wall-r.Wall > core.WallNs(r.Horizon) || airlock.Outcome(r.Outcome) == airlock.Refused) {
			continue
		}
		how := "in force"
		if direct {
			how = "of this very input"
		}
		p.add("s%d %s: %v, strength %s, for %v, %s", r.Number, r.Source, r.Side, core.Amount(r.Scaled), time.Duration(r.Horizon), how)
	}
	if len(p.Lines) == 0 {
		p.add("none on record for %s then", in.Symbol)
	}
}

// sayGate is each number that the gate went by against its limit.
func (o *orderStory) sayGate(s *story) {
	p := s.part("the gate let it through")
	in, x, b := &o.intent.rec, o.sent, &o.bounds
	if !b.known {
		p.add("the limits that were in force are not in the journal")
		return
	}
	l, a := &b.limits, &b.account
	p.add("quantity %v, at most %v", in.Qty, l.QtyMax)
	if in.Price != 0 {
		worth, _ := core.NotionalOf(in.Price, in.Qty).AmountFloor()
		p.add("worth %v at its price, at most %v", worth, l.NotionalMax)
	}
	if x == nil {
		p.add("position, open orders and the account's state then are not in the journal")
		return
	}
	if mid := x.Top.Mid(); mid != 0 && in.Price != 0 {
		p.add("price %.1f bps from the mid, at most %d", abs(float64(in.Price-mid))/float64(mid)*1e4, l.CollarBps)
	}
	worst := x.Position + x.Buy
	if in.Side == core.Sell {
		worst = x.Sell - x.Position
	}
	p.add("position %v, at worst %v on its side once it trades, at most %v", x.Position, worst, l.PositionMax)
	p.add("open orders %d on the symbol with it, at most %d; %d on the account, at most %d", x.Open, l.OpenMax, x.Live, a.OpenMax)
	p.add("in doubt %d, %s", x.Unknown, orOff(a.UnknownMax > 0, "fewer than %d", a.UnknownMax))
	p.add("at stake %v, %s", x.Gross, orOff(a.GrossMax > 0, "at most %v", a.GrossMax))
	p.add("the day's result %v, %s", x.DayPnL, orOff(a.LossMax > 0, "halts at a loss of %v", a.LossMax))
	p.add("book proved %s before, within %v", short(int64(x.Proof)), l.StaleAfter)
	p.add("clock off by at most %v, %s", x.ClockError, orOff(a.ClockErrorMax > 0, "within %v", a.ClockErrorMax))
	p.add("judged in %s, asked %s after the input had been taken", short(int64(x.Approved-x.Decided)), short(int64(x.Decided-x.Applied)))
}

func orOff(on bool, format string, args ...any) string {
	if !on {
		return "no limit"
	}
	return fmt.Sprintf(format, args...)
}

func abs(v float64) float64 { return max(v, -v) }

// sayWay is how it left.
func (o *orderStory) sayWay(s *story) {
	p := s.part("the way out")
	in, x := &o.intent.rec, o.sent
	path := exec.Path(in.Route)
	if x != nil && x.Routes != [2]uint32{} {
		p.add("by %s", path.Explain(x.Routes))
	} else {
		p.add("by %s", path)
	}
	if c := o.choice; c != nil {
		p.add("posted or taken: %v", &strategy.Costs{Maker: c.MakerBps, Taker: c.TakerBps, Spread: c.Spread, Impact: c.Impact, Fill: c.Fill, Adverse: c.Adverse,
			Miss: c.Miss, Horizon: c.Horizon})
	}
	how := "signed at that moment"
	if in.Presigned {
		how = "signed ahead"
	}
	p.add("%s, %s by the venue's clock, good for %v", how, clockTime(in.Wall), in.Window)
	if x == nil {
		p.add("when its last byte left the journal does not have")
		return
	}
	p.add("%d bytes; laid out %s, written %s", x.Bytes, since(int64(x.Encoded-x.Approved)), since(int64(x.Written-x.Encoded)))
	p.add("from the event's last byte to the request's: %s (decode %s, apply %s, decide %s, gate %s, encode %s, write %s)", short(int64(x.Written-x.Recv)),
		short(int64(x.Decoded-x.Recv)), short(int64(x.Applied-x.Decoded)), short(int64(x.Decided-x.Applied)), short(int64(x.Approved-x.Decided)),
		short(int64(x.Encoded-x.Approved)), short(int64(x.Written-x.Encoded)))
}

// sayEnd is what became of it.
func (o *orderStory) sayEnd(s *story) {
	p := s.part("what became of it")
	for i := range o.withheld {
		w := &o.withheld[i]
		p.add("not sent: %s", w.rec.Text)
		s.record(w.seq, &w.rec)
	}
	cancels := o.cancels
	last := core.PendingNew
	told := false
	for i := range o.reports {
		r := &o.reports[i]
		for len(cancels) > 0 && cancels[0].rec.Wall <= r.Wall {
			o.sayCancel(p, &cancels[0])
			cancels = cancels[1:]
		}
		p.add("%s  %s", o.after(r), o.sayReport(r))
		s.record(0, &r.Report)
		last, told = r.Report.Report.Status, true
	}
	for i := range cancels {
		o.sayCancel(p, &cancels[i])
	}
	for i := range o.amends {
		p.add("%s  asked to become %v in all", clockTime(o.amends[i].rec.Wall), o.amends[i].rec.Qty)
	}
	switch {
	case !told && len(o.withheld) == 0:
		p.add("nothing was heard of it before the journal ends")
	case told && last.Terminal():
		p.add("so it ended as %s, %v of it traded", last, o.reports[len(o.reports)-1].Report.Report.Cum)
	case told && o.ahead != nil && o.ahead.End.Terminal():
		p.add("%s  the venue has ended it as %s, %v of it traded; the journal ends before all of those trades are known", clockTime(o.ahead.Wall), o.ahead.End, o.ahead.Cum)
	case told:
		p.add("the journal ends while it is %s", last)
	}
}

// after is when a report came: after the write where both times are known.
func (o *orderStory) after(r *toldReport) string {
	if o.sent != nil && r.Report.Report.Recv > o.sent.Written {
		return since(int64(r.Report.Report.Recv - o.sent.Written))
	}
	return clockTime(r.Wall)
}

func (o *orderStory) sayCancel(p *section, c *noted[journal.Intent]) {
	path := exec.Path(c.rec.Route)
	why := "asked for behind the gate: by the end of the run, a kill, a lost connection, or as nobody knew the order"
	if c.rec.Input > 0 {
		why = fmt.Sprintf("the engine asked for it at input %d", c.rec.Input)
	}
	for i := range o.run.halts {
		h := &o.run.halts[i]
		if h.rec.On && h.rec.Wall <= c.rec.Wall && c.rec.Wall-h.rec.Wall < core.WallNs(time.Second) && h.seq < c.seq {
			why += "; trading had been stopped: " + h.rec.Text
		}
	}
	p.add("%s  a cancel leaves by %s (%s); %s", clockTime(c.rec.Wall), path.Route(), path.Why(), why)
}

func (o *orderStory) sayReport(r *toldReport) string {
	x := &r.Report.Report
	switch x.Kind {
	case core.ReportAck:
		return fmt.Sprintf("the venue took it as %d", x.VenueID)
	case core.ReportFill:
		fee := "no fee told"
		if x.FeeAsset != core.NoAsset {
			fee = fmt.Sprintf("fee %v %s", x.Fee, o.run.asset(x.FeeAsset))
		}
		side := "as taker"
		if x.Maker {
			side = "as maker"
		}
		return fmt.Sprintf("trade %d: %v at %v %s, %s; %v traded in all, position %v after it", x.TradeID, x.Qty, x.Price, side, fee, x.Cum, r.after)
	case core.ReportDone:
		text := fmt.Sprintf("it is over: %s", x.Status)
		if x.Code != 0 {
			text += fmt.Sprintf(", the venue's code %d", x.Code)
		}
		return text
	case core.ReportCancelRejected:
		return fmt.Sprintf("a cancel or amend came to nothing, it is %s", x.Status)
	case core.ReportDoubt:
		return "its outcome is unknown: an answer did not come, or could not be read"
	case core.ReportResolved:
		return fmt.Sprintf("the doubt is over: %s", x.Status)
	case core.ReportAmended:
		return fmt.Sprintf("it is of %v in all from here on", x.Qty)
	case core.ReportAdopted:
		return fmt.Sprintf("found at the venue: %v %v at %v, %v traded", x.Side, x.Qty, x.Price, x.Cum)
	}
	return x.Status.String()
}

// story is the chain of a refusal.
func (f *refusalStory) story(id string) *story {
	r := &f.rec
	s := &story{ID: id, Kind: "refusal", Run: f.run.start.Epoch}
	s.record(f.seq, r)
	in := core.Intent{Kind: r.Kind, Side: r.Side, Type: r.Type, TIF: r.TIF, Strategy: r.Strategy, ID: r.Order, Price: r.Price, Qty: r.Qty, Stop: r.Stop, Iceberg: r.Iceberg, Old: r.Old, Trail: r.Trail}
	head := s.part(fmt.Sprintf("refusal r%d of run %d", f.seq, f.run.start.Epoch))
	head.add("%s, %s", sayIntent(&in, r.Symbol), f.run.strategy(r.Strategy))
	head.add("%s, input %d of the engine", clockTime(r.Wall), r.Input)
	if f.more > 0 {
		head.add("and %d more like it within a second", f.more)
	}
	p := s.part("why: " + r.Text)
	if r.Why != (journal.Why{}) {
		t := &r.Top
		d := f.denial(in)
		if f.bounds.known && f.bounds.rules != nil {
			p.add("%s", risk.Explain(d, f.bounds.rules, &f.bounds.limits, &f.bounds.account))
		} else {
			p.add("the limits or rules that were in force are not in the journal")
		}
		n := s.part("the gate saw")
		n.add("book %s: bid %v x %v, ask %v x %v, update %d", book.State(r.Book), t.Bid, t.BidQty, t.Ask, t.AskQty, t.ID)
		n.add("position %v; on its way %v to buy, %v to sell; %d open orders, %d on the account, %d in doubt", r.Position, r.Buy, r.Sell, r.Open, r.Live, r.Unknown)
		n.add("at stake %v; %d orders and %d trades of the day; last trade at %v", r.Gross, r.Orders, r.Trades, r.Last)
		if r.Halt != 0 {
			n.add("halted: %s", risk.HaltCause(r.Halt))
		}
	} else {
		p.add("by which numbers the journal does not have: an older riposte wrote it")
	}
	return s
}

// denial is what the refusal was judged by, on a clock that begins with it.
func (f *refusalStory) denial(in core.Intent) *risk.Denial {
	r := &f.rec
	const at = core.MonoNs(1 << 62)
	return &risk.Denial{Refusal: risk.Refusal(r.Reason), Halt: risk.HaltCause(r.Halt), Intent: in, Top: r.Top, Last: r.Last, Average: r.Average,
		Order:    risk.Order{ID: max(r.Order, r.Old), Price: r.OfPrice, Qty: r.OfQty, Cum: r.OfCum, Amends: r.OfAmends},
		Exposure: risk.Exposure{Position: r.Position, Buy: r.Buy, Sell: r.Sell, Open: int(r.Open)}, Held: r.Held, Live: int(r.Live), Unknown: int(r.Unknown),
		Gross: r.Gross, Unpriced: r.Unpriced, Clock: r.ClockError, Book: book.State(r.Book), Proved: at - r.Proof, Audited: at - r.Audited, RulesRead: at - r.Rules, At: at,
		Orders: r.Orders, Trades: r.Trades}
}

// story is the chain of a signal.
func (f *signalStory) story(id string) *story {
	r := &f.rec
	s := &story{ID: id, Kind: "signal", Run: f.run.start.Epoch}
	s.record(f.seq, r)
	head := s.part(fmt.Sprintf("signal s%d of run %d", r.Number, f.run.start.Epoch))
	from := "from outside"
	if r.Own {
		from = "of the configuration's own rules"
	}
	head.add("%s %v, from %s, %s", r.Symbol, r.Side, r.Source, from)
	head.add("heard %s, input %d of the engine; good for %v; mid then %v", clockTime(r.Wall), r.Input, time.Duration(r.Horizon), r.Mid)
	if !r.Own {
		head.add("it told %q, id %q, price %v, strength %v, issued %s", r.Told, r.ID, r.Price, core.Amount(r.Strength), clockTime(r.Issued))
	}
	p := s.part("verdict: " + airlock.Outcome(r.Outcome).String())
	if airlock.Outcome(r.Outcome) == airlock.Refused {
		p.add("at the gate %q %s", airlock.Gate(r.Failed), r.Why)
	}
	p.add("strategies were told a strength of %v", core.Amount(r.Scaled))
	for _, x := range r.Readings {
		p.add("%s", airlock.Gate(x.Gate).Describe(airlock.Reading{Value: x.Value, Bound: x.Bound, State: airlock.State(x.State)}))
	}
	for i := range f.later {
		p.add("later, %s: %s", clockTime(f.later[i].Wall), airlock.Outcome(f.later[i].Outcome))
	}
	n := s.part("what came of it")
	for _, o := range f.run.inOrder {
		if o.intent != nil && o.intent.rec.Input == r.Input && o.symbol == r.Symbol {
			n.add("order %d (%s): %s", o.id, o.client, sayRecord(&o.intent.rec))
		}
	}
	for i := range f.marks {
		m := &f.marks[i]
		if m.Price == 0 {
			n.add("after %v: no price could be seen", time.Duration(m.Horizon))
			continue
		}
		n.add("after %v: mid %v, %.2f bps in its direction after half the spread and the fee", time.Duration(m.Horizon), m.Price, m.Edge)
	}
	if len(n.Lines) == 0 {
		n.add("no order of the same input, and no mark-out yet")
	}
	return s
}
