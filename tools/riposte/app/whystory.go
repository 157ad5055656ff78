package app

import (
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strconv"

	"riposte/core"
	"riposte/core/journal"
	"riposte/core/risk"
	"riposte/tools/store"
)

// chronicle is what a journal tells, gathered by what one can ask about. It is read once,
// from the oldest record to the newest, also while a run is going on.
type chronicle struct {
	runs []*whyRun
	pos  map[string]core.Qty // by symbol, as of the record being read
}

// whyRun is one run.
type whyRun struct {
	start      journal.SessionStart
	names      []journal.InstrumentName
	assets     []string
	strategies []string
	orders     map[core.OrderID]*orderStory
	inOrder    []*orderStory
	refusals   []*refusalStory
	signals    []*signalStory
	halts      []noted[journal.Halt]

	limits map[string]LimitsConfig // by symbol, in force at the record being read
	set    AccountConfig
	rules  map[string]core.Instrument
}

// orderStory is all that a journal has of one order.
type orderStory struct {
	run      *whyRun
	id       core.OrderID
	client   string
	symbol   string
	intent   *noted[journal.Intent] // nil: a former run's
	carried  *journal.Order
	sent     *journal.Sent   // nil: of an old journal, or the process died as it left
	choice   *journal.Choice // nil: nobody compared posting with taking
	cancels  []noted[journal.Intent]
	amends   []noted[journal.Intent]
	reports  []toldReport
	withheld []noted[journal.Refusal] // why the gateway did not send it
	ahead    *journal.Ahead           // the last, nil: the venue said nothing ahead of the fills
	venue    int64
	bounds   bounds
}

// toldReport is a report and where the position stood behind it.
type toldReport struct {
	journal.Report
	after core.Qty
}

type refusalStory struct {
	run *whyRun
	noted[journal.Refusal]
	more   uint32 // of the same within a second
	bounds bounds
}

type signalStory struct {
	run *whyRun
	noted[journal.Signal]
	later []journal.Signal // records of the same number
	marks []journal.MarkOut
}

// bounds are the limits and rules in force when something was decided.
type bounds struct {
	limits  risk.Limits
	account risk.AccountLimits
	rules   *core.Instrument // nil: the journal does not have them
	known   bool             // limits are
}

func readChronicle(dir string) (*chronicle, error) {
	c := &chronicle{pos: map[string]core.Qty{}}
	t := store.NewTail(dir, store.Place{})
	for {
		rec, err := t.Next()
		switch {
		case errors.Is(err, io.EOF):
			return c, nil
		case err != nil:
			return nil, err
		}
		if err := c.note(&rec); err != nil {
			return nil, err
		}
	}
}

func (c *chronicle) note(rec *journal.Record) error {
	p := journal.New(rec.Kind)
	if p == nil {
		return nil // of a newer riposte
	}
	if err := p.Decode(rec); err != nil {
		return err
	}
	if s, ok := p.(*journal.SessionStart); ok {
		c.runs = append(c.runs, &whyRun{start: *s, orders: map[core.OrderID]*orderStory{}, limits: map[string]LimitsConfig{}, set: accountDefaults(), rules: map[string]core.Instrument{}})
		clear(c.pos)
		return nil
	}
	if len(c.runs) == 0 {
		return nil
	}
	r := c.runs[len(c.runs)-1]
	switch x := p.(type) {
	case *journal.Names:
		r.names, r.assets = append(r.names, x.Instruments...), append(r.assets, x.Assets...)
	case *journal.Strategies:
		r.strategies = x.Names
	case *journal.Limit:
		r.limit(x)
	case *journal.Rules:
		var in core.Instrument
		if json.Unmarshal([]byte(x.Text), &in) == nil {
			r.rules[x.Symbol] = in
		}
	case *journal.Position:
		c.pos[x.Symbol] = x.Net
	case *journal.Order:
		o := r.order(x.ID)
		o.carried, o.client, o.symbol, o.venue = x, x.Client.String(), x.Symbol, x.VenueID
	case *journal.Choice:
		r.order(x.Order).choice = x
	case *journal.Intent:
		r.intent(rec.Seq, x)
	case *journal.Sent:
		if o := r.orders[x.Order]; o != nil && x.Kind != core.Amend {
			o.sent = x
		}
	case *journal.Report:
		c.report(r, x)
	case *journal.Ahead:
		r.order(x.Order).ahead = x
	case *journal.Refusal:
		r.refusal(rec.Seq, x)
	case *journal.Halt:
		r.halts = append(r.halts, noted[journal.Halt]{rec.Seq, *x})
	case *journal.Signal:
		r.signal(rec.Seq, x)
	case *journal.MarkOut:
		for _, s := range r.signals {
			if s.rec.Number == x.Number {
				s.marks = append(s.marks, *x)
			}
		}
	}
	return nil
}

func (r *whyRun) order(id core.OrderID) *orderStory {
	o := r.orders[id]
	if o == nil {
		o = &orderStory{run: r, id: id}
		r.orders[id] = o
		r.inOrder = append(r.inOrder, o)
	}
	return o
}

func (r *whyRun) intent(seq uint64, x *journal.Intent) {
	o, n := r.order(x.Order), noted[journal.Intent]{seq, *x}
	switch x.Kind {
	case core.Cancel, core.CancelAll:
		o.cancels = append(o.cancels, n)
	case core.Amend:
		o.amends = append(o.amends, n)
	default:
		o.intent, o.client, o.symbol, o.bounds = &n, x.Client.String(), x.Symbol, r.bounds(x.Symbol)
	}
}

func (c *chronicle) report(r *whyRun, x *journal.Report) {
	o := r.order(x.Report.ID)
	if x.Report.VenueID != 0 {
		o.venue = x.Report.VenueID
	}
	if o.symbol == "" {
		o.symbol = r.symbol(x.Report.Instrument)
	}
	if x.Report.Kind == core.ReportFill {
		c.pos[o.symbol] += core.Qty(x.Report.Side.Sign()) * x.Report.Qty
	}
	o.reports = append(o.reports, toldReport{*x, c.pos[o.symbol]})
}

func (r *whyRun) refusal(seq uint64, x *journal.Refusal) {
	if x.Reason >= store.UnsentReasons {
		o := r.order(x.Order)
		o.symbol = x.Symbol
		o.withheld = append(o.withheld, noted[journal.Refusal]{seq, *x})
		return
	}
	// A record of the same input is the count of those that were like the first.
	for i := len(r.refusals) - 1; i >= 0 && i >= len(r.refusals)-256; i-- {
		f := r.refusals[i]
		if f.rec.Input == x.Input && f.rec.Reason == x.Reason && f.rec.Symbol == x.Symbol && f.rec.Strategy == x.Strategy && f.rec.Wall == x.Wall {
			f.more += x.Count
			return
		}
	}
	r.refusals = append(r.refusals, &refusalStory{run: r, noted: noted[journal.Refusal]{seq, *x}, bounds: r.bounds(x.Symbol)})
}

func (r *whyRun) signal(seq uint64, x *journal.Signal) {
	for i := len(r.signals) - 1; i >= 0; i-- {
		if s := r.signals[i]; s.rec.Number == x.Number {
			s.later = append(s.later, *x)
			return
		}
	}
	r.signals = append(r.signals, &signalStory{run: r, noted: noted[journal.Signal]{seq, *x}})
}

func (r *whyRun) symbol(id core.InstrumentID) string {
	if int(id) >= len(r.names) {
		return ""
	}
	return r.names[id].Symbol
}

func (r *whyRun) strategy(n uint16) string {
	if n == core.NoStrategy {
		return "of no strategy"
	}
	if int(n) < len(r.strategies) {
		return "of strategy " + r.strategies[n]
	}
	return "of strategy number " + strconv.Itoa(int(n))
}

func (r *whyRun) asset(id core.AssetID) string {
	if int(id) >= len(r.assets) {
		return ""
	}
	return r.assets[id]
}

// limit takes a limit over as the configuration has it.
func (r *whyRun) limit(x *journal.Limit) {
	if x.Scope == "" {
		setKey(&r.set, x.Name, x.Value)
		return
	}
	l := r.limits[x.Scope]
	setKey(&l, x.Name, x.Value)
	r.limits[x.Scope] = l
}

// setKey sets a key of a table of the configuration from its text on record; one that is
// not known is of another version and left out.
func setKey(table any, key, text string) {
	v := reflect.ValueOf(table).Elem()
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("toml") != key {
			continue
		}
		f := v.Field(i)
		if f.Kind() == reflect.Pointer {
			f.Set(reflect.New(f.Type().Elem()))
			f = f.Elem()
		}
		switch x := f.Addr().Interface().(type) {
		case interface{ UnmarshalText([]byte) error }:
			_ = x.UnmarshalText([]byte(text))
		case *string:
			*x = text
		case *int:
			*x, _ = strconv.Atoi(text)
		case *int64:
			*x, _ = strconv.ParseInt(text, 10, 64)
		case *bool:
			*x = text == "true"
		}
	}
}

// bounds are those in force now.
func (r *whyRun) bounds(symbol string) (b bounds) {
	if in, ok := r.rules[symbol]; ok {
		b.rules = &in
	}
	l, ok := r.limits[symbol]
	if !ok {
		return b
	}
	t := core.NewInstruments()
	for _, a := range r.assets {
		t.Asset(a)
	}
	var err error
	if b.account, err = r.set.limits(t); err != nil {
		return b
	}
	b.limits, b.known = l.limits(), true
	return b
}
