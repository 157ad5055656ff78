package app

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"riposte/core"
	"riposte/core/engine"
	"riposte/core/journal"
	"riposte/core/risk"
)

// proving holds a replay's decisions against a journal's run, and says in words where
// they differ.
type proving struct {
	replay *engine.Replay
	gate   *risk.Gate
	table  *core.Instruments
	run    *journalRun
	began  *beginning
	proof  proof // counts
	orders map[orderKey]*engine.Decision
	denied map[uint64][]*engine.Decision // by input
	sums   map[refusalKey]int
}

// orderKey finds a decision about an order: a new one by its id, an amend by its input too.
type orderKey struct {
	id    core.OrderID
	input uint64 // of amends
}

type refusalKey struct {
	reason   uint16
	strategy uint16
	symbol   string
}

func keyOfIntent(k core.IntentKind, id core.OrderID, input uint64) orderKey {
	if k != core.Amend {
		input = 0
	}
	return orderKey{id, input}
}

func newProving(b *beginning, run *journalRun, sets []string) (*proving, error) {
	w := &proving{run: run, began: b, orders: map[orderKey]*engine.Decision{}, denied: map[uint64][]*engine.Decision{}, sums: map[refusalKey]int{}}
	var err error
	w.replay, w.table, w.gate, err = b.rebuild(sets)
	return w, err
}

// take counts decisions on which run and replay agree, and keeps those that the journal
// should have.
func (w *proving) take(list []engine.Decision) {
	for i := range list {
		d := &list[i]
		w.proof.tell(d)
		switch {
		case d.Refusal != risk.None:
			w.denied[d.Input] = append(w.denied[d.Input], d)
			w.sums[refusalKey{uint16(d.Refusal), d.Intent.Strategy, w.symbol(d.Intent.Instrument)}]++
		case isOrder(&d.Intent):
			w.orders[keyOfIntent(d.Intent.Kind, d.Intent.ID, d.Input)] = d
		}
	}
}

func (w *proving) symbol(id core.InstrumentID) string {
	if int(id) >= len(w.table.List) {
		return ""
	}
	return w.table.Get(id).Symbol
}

// settle holds the journal's records against what was decided. The first that differs is
// told, unless replay and run do already.
func (w *proving) settle(p *proof) {
	p.Decisions, p.Orders, p.Cancels, p.Refusals = w.proof.Decisions, w.proof.Orders, w.proof.Cancels, w.proof.Refusals
	differs := p.Differ != ""
	say := func(input, seq uint64, format string, args ...any) {
		if p.Differ == "" {
			p.Differ, p.Input = fmt.Sprintf("DIFFERS: record %d of the journal, input %d: ", seq, input)+fmt.Sprintf(format, args...), input
		}
	}
	last := w.replay.Input()
	for i := range w.run.intents {
		x := &w.run.intents[i]
		d := w.orders[keyOfIntent(x.rec.Kind, x.rec.Order, x.rec.Input)]
		switch {
		case d != nil && sameIntent(&x.rec, &d.Intent, d.Input, w.symbol(d.Intent.Instrument)):
			p.Sent++
		case d == nil && (x.rec.Input > last || differs):
			p.Beyond++
		case d == nil:
			say(x.rec.Input, x.seq, "the journal has order %d, %s, and neither run nor replay decided that", x.rec.Order, sayRecord(&x.rec))
		default:
			say(x.rec.Input, x.seq, "the journal has %s, the replay decided %s", sayRecord(&x.rec), w.say(d))
		}
		delete(w.orders, keyOfIntent(x.rec.Kind, x.rec.Order, x.rec.Input))
	}
	for _, d := range w.orders {
		switch {
		case w.run.unsent[d.Intent.ID] || d.Intent.Kind == core.Amend && w.run.stayed[d.Intent.ID]:
			p.Unsent++
		case w.run.ended && !differs:
			say(d.Input, 0, "the replay decided %s, and the journal has neither that nor why it was not sent", w.say(d))
		default:
			p.Unsent++ // the process ended before it came to it
		}
	}
	w.settleRefusals(p, say, last, differs)
}

func (w *proving) settleRefusals(p *proof, say func(input, seq uint64, format string, args ...any), last uint64, differs bool) {
	counted := map[refusalKey]int{}
	for i := range w.run.refusals {
		x := &w.run.refusals[i]
		r := &x.rec
		if r.Input > last || differs && w.denied[r.Input] == nil {
			p.Beyond++
			continue
		}
		found := false
		for _, d := range w.denied[r.Input] {
			in := &d.Intent
			found = found || uint16(d.Refusal) == r.Reason && in.Kind == r.Kind && in.Side == r.Side && in.Strategy == r.Strategy &&
				in.ID == r.Order && in.Price == r.Price && in.Qty == r.Qty && w.symbol(in.Instrument) == r.Symbol
		}
		if !found {
			say(r.Input, x.seq, "the journal has a refusal of %s %v %v at %v for %q, and the replay decided no such thing", r.Symbol, r.Side, r.Qty, r.Price, r.Text)
			continue
		}
		counted[refusalKey{r.Reason, r.Strategy, r.Symbol}] += int(r.Count)
	}
	for k, n := range counted {
		p.Refused += n
		if want := w.sums[k]; n > want && !differs {
			say(0, 0, "the journal counts %d refusals of strategy %d on %s for %q, the replay %d", n, k.strategy, k.symbol, risk.Refusal(k.reason), want)
		}
	}
	for k, n := range w.sums {
		if w.run.ended && !differs && p.Beyond == 0 && counted[k] != n {
			say(0, 0, "the replay counts %d refusals of strategy %d on %s for %q, the journal %d", n, k.strategy, k.symbol, risk.Refusal(k.reason), counted[k])
		}
	}
}

// sayDifference tells where the replay left the run, and at which input.
func (w *proving) sayDifference(d *engine.Difference) (string, uint64) {
	input := w.replay.Input()
	for _, x := range []*engine.Decision{d.Run, d.Again} {
		if x != nil {
			input = min(input, x.Input)
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "DIFFERS at input %d, %s\n", input, w.sayCause(&d.Cause))
	fmt.Fprintf(&b, "  the run:     %s\n", w.say(d.Run))
	fmt.Fprintf(&b, "  the journal: %s\n", w.sayJournal(d.Run, input))
	fmt.Fprintf(&b, "  the replay:  %s", w.say(d.Again))
	if d.Denial != nil && int(d.Denial.Intent.Instrument) < len(w.table.List) {
		id := d.Denial.Intent.Instrument
		fmt.Fprintf(&b, "\n               %s", risk.Explain(d.Denial, w.gate.Instrument(id), w.gate.Limits(id), w.gate.Account()))
	}
	if d.Run != nil && d.Again != nil {
		fmt.Fprintf(&b, "\n  they differ in %s", strings.Join(fieldsThatDiffer(d.Run, d.Again), ", "))
	}
	if d.Broke != "" {
		fmt.Fprintf(&b, "\n  the replay no longer does what the run did: %s", d.Broke)
	}
	return b.String(), input
}

// sayJournal is what the journal has of a decision.
func (w *proving) sayJournal(d *engine.Decision, input uint64) string {
	for i := range w.run.intents {
		if x := &w.run.intents[i]; x.rec.Input == input && (d == nil || x.rec.Order == d.Intent.ID) {
			return fmt.Sprintf("record %d, %s, sent as %s", x.seq, sayRecord(&x.rec), x.rec.Client)
		}
	}
	for i := range w.run.refusals {
		if x := &w.run.refusals[i]; x.rec.Input == input {
			return fmt.Sprintf("record %d, refused: %s", x.seq, x.rec.Text)
		}
	}
	if d != nil && w.run.unsent[d.Intent.ID] {
		return fmt.Sprintf("order %d was not sent", d.Intent.ID)
	}
	return "nothing of that input"
}

func sayRecord(r *journal.Intent) string {
	in := core.Intent{Kind: r.Kind, Side: r.Side, Type: r.Type, ID: r.Order, Price: r.Price, Qty: r.Qty, Old: r.Old, Stop: r.Stop}
	return sayIntent(&in, r.Symbol)
}

// say is a decision in words.
func (w *proving) say(d *engine.Decision) string {
	switch {
	case d == nil:
		return "nothing more"
	case d.Refusal != risk.None:
		return fmt.Sprintf("%s, refused: %s", sayIntent(&d.Intent, w.symbol(d.Intent.Instrument)), d.Refusal)
	}
	return sayIntent(&d.Intent, w.symbol(d.Intent.Instrument))
}

// sayIntent is an intent in words.
func sayIntent(in *core.Intent, symbol string) string {
	switch in.Kind {
	case core.Cancel:
		return fmt.Sprintf("cancel of order %d on %s", in.ID, symbol)
	case core.CancelAll:
		return fmt.Sprintf("cancel of all orders on %s", symbol)
	case core.Amend:
		return fmt.Sprintf("amend of order %d on %s to %v", in.ID, symbol, in.Qty)
	}
	s := fmt.Sprintf("%s %v %s %v", symbol, in.Side, in.Type, in.Qty)
	if in.Price != 0 {
		s += fmt.Sprintf(" at %v", in.Price)
	}
	if in.Stop != 0 {
		s += fmt.Sprintf(", stop %v", in.Stop)
	}
	if in.Kind == core.Replace {
		s += fmt.Sprintf(" in the place of order %d", in.Old)
	}
	if in.ID != 0 {
		s += fmt.Sprintf(" (order %d)", in.ID)
	}
	return s
}

// wall is the civil time of a reading of the run's monotonic clock.
func (w *proving) wall(at core.MonoNs) string {
	return time.Unix(0, int64(w.began.Wall)+int64(at-w.began.Now)).UTC().Format("15:04:05.000000")
}

// sayCause is an input in words.
func (w *proving) sayCause(c *engine.Cause) string {
	symbol := w.symbol(c.Instrument)
	switch c.Kind {
	case engine.CauseEvent:
		e := &c.Event
		s := fmt.Sprintf("%s %s %d, read at %s", symbol, kindName(e.Kind), e.ID, w.wall(e.Recv))
		switch e.Kind {
		case core.Touch:
			s += fmt.Sprintf(": bid %v x %v, ask %v x %v", core.Price(e.W[0]), core.Qty(e.W[1]), core.Price(e.W[2]), core.Qty(e.W[3]))
		case core.Trade, core.AggTrade:
			s += fmt.Sprintf(": %v at %v, taken by a %v", e.TradeQty(), e.TradePrice(), e.Aggressor())
		case core.DepthDelta:
			s += fmt.Sprintf(": %d bids, %d asks", e.Bids, e.Asks)
		}
		return s
	case engine.CauseReport:
		return fmt.Sprintf("a report on order %d of %s: %s", c.Report.ID, symbol, c.Report.Status)
	case engine.CauseSnapshot:
		return fmt.Sprintf("a snapshot of %s at update %d", symbol, c.Update)
	case engine.CauseHistory:
		return "the venue's answer about " + symbol + "'s past"
	case engine.CauseCommand:
		return "a command: " + commandName(&c.Command)
	case engine.CauseAudit:
		return "a comparison of a book"
	case engine.CauseTimer:
		return "the timer"
	case engine.CauseHalt:
		return "a halt"
	case engine.CauseAlert:
		return fmt.Sprintf("signal %q of source %d from outside, %v %s at %v", c.Alert.ID.String(), c.Alert.Source, c.Alert.Side, symbol, c.Alert.Price)
	case engine.CausePause:
		return "a pause of the process"
	}
	return "before any input"
}

func kindName(k core.EventKind) string {
	names := [...]string{core.DepthDelta: "depth update", core.DepthTop: "depth", core.Touch: "bookTicker", core.Trade: "trade", core.AggTrade: "aggTrade", core.Kline: "kline",
		core.Ticker24h: "ticker", core.MiniTicker: "miniTicker", core.AvgPrice: "avgPrice", core.LineDown: "loss of the line", core.Overflow: "overflow", core.LineAlive: "sign of life"}
	if int(k) < len(names) && names[k] != "" {
		return names[k]
	}
	return fmt.Sprintf("event of kind %d", k)
}

func commandName(c *engine.Command) string {
	switch c.Kind {
	case engine.CmdHalt:
		return "halt, " + c.Cause.String()
	case engine.CmdLift:
		return "lift, " + c.Cause.String()
	case engine.CmdCancelAll:
		return "cancel all"
	case engine.CmdFacts:
		return "facts"
	case engine.CmdRules:
		return "new rules"
	case engine.CmdHolds:
		return "a holding"
	case engine.CmdLimits, engine.CmdAccount:
		return "new limits"
	case engine.CmdDay:
		return "the venue's statistics of a day"
	case engine.CmdApprove:
		return fmt.Sprintf("signal %d approved by a person", c.Number)
	}
	return fmt.Sprintf("kind %d", c.Kind)
}

// fieldsThatDiffer names the fields of two decisions that are not the same.
func fieldsThatDiffer(run, again *engine.Decision) (list []string) {
	var walk func(name string, a, b reflect.Value)
	walk = func(name string, a, b reflect.Value) {
		if a.Kind() == reflect.Struct {
			for i := range a.NumField() {
				walk(strings.TrimPrefix(name+"."+a.Type().Field(i).Name, "."), a.Field(i), b.Field(i))
			}
			return
		}
		if !a.Equal(b) {
			list = append(list, fmt.Sprintf("%s: the run %v, the replay %v", name, a.Interface(), b.Interface()))
		}
	}
	walk("", reflect.ValueOf(*run), reflect.ValueOf(*again))
	return list
}
