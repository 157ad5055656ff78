package venue

import (
	"fmt"
	"net/http"
	"slices"

	"riposte/tools/venue/exchange"
)

// Faults of limits, clocks and trading rules. Loop goroutine.

func (f *Faults) limit(fault Fault, c cause) error {
	until := c.now + fault.For.Microseconds()
	if fault.Verb == "429" {
		f.srv.limits.force(http.StatusTooManyRequests, until)
		return nil
	}
	f.srv.limits.force(http.StatusTeapot, until)
	for _, k := range f.srv.sockets(apiConn) {
		k.drop()
	}
	return nil
}

func (f *Faults) lag(fault Fault, c cause) error {
	f.srv.lag.set(fault.Target, fault.For)
	return nil
}

func (f *Faults) race(fault Fault, _ cause) error {
	f.srv.order.Store(uint32(map[string]Race{"event": EventFirst, "answer": AnswerFirst, "random": RaceRandom}[fault.How]))
	return nil
}

func (f *Faults) step(fault Fault, _ cause) error {
	f.srv.skew.Store(fault.For.Microseconds())
	return nil
}

func (f *Faults) status(fault Fault, c cause) error {
	st, _ := exchange.ParseSymbolStatus(fault.How)
	if rej := f.srv.x.SetStatus(c.now, fault.Target, st); rej != nil {
		return rej
	}
	return nil
}

// filterFields are the numbers of a filter that the verb changes.
var filterFields = map[string]struct {
	types []exchange.FilterType
	field func(*exchange.Filter) *exchange.Fixed
}{
	"tick":        {[]exchange.FilterType{exchange.PriceFilter}, func(x *exchange.Filter) *exchange.Fixed { return &x.TickSize }},
	"minPrice":    {[]exchange.FilterType{exchange.PriceFilter}, func(x *exchange.Filter) *exchange.Fixed { return &x.MinPrice }},
	"maxPrice":    {[]exchange.FilterType{exchange.PriceFilter}, func(x *exchange.Filter) *exchange.Fixed { return &x.MaxPrice }},
	"step":        {[]exchange.FilterType{exchange.LotSize}, func(x *exchange.Filter) *exchange.Fixed { return &x.StepSize }},
	"minQty":      {[]exchange.FilterType{exchange.LotSize}, func(x *exchange.Filter) *exchange.Fixed { return &x.MinQty }},
	"maxQty":      {[]exchange.FilterType{exchange.LotSize}, func(x *exchange.Filter) *exchange.Fixed { return &x.MaxQty }},
	"minNotional": {[]exchange.FilterType{exchange.Notional, exchange.MinNotional}, func(x *exchange.Filter) *exchange.Fixed { return &x.MinNotional }},
}

// filter changes one number of one filter, in exchangeInfo and in what orders are judged by.
func (f *Faults) filter(fault Fault, c cause) error {
	v, err := exchange.ParseFixed(fault.Value)
	if err != nil || v <= 0 {
		return fmt.Errorf("got %q, want a positive decimal number", fault.Value)
	}
	sym, ok := f.srv.x.Symbol(fault.Target)
	if !ok {
		return fmt.Errorf("got symbol %q, want one of the venue's", fault.Target)
	}
	list := slices.Clone(sym.Filters)
	row := filterFields[fault.How]
	for i := range list {
		if slices.Contains(row.types, list[i].Type) {
			// The market trades by these too: coarser by far, and it would owe more than there is.
			if began := *row.field(&f.srv.static.find(fault.Target).Filters[i]); (fault.How == "tick" || fault.How == "step") && v > 1000*began {
				return fmt.Errorf("got %s, want at most 1000 times what it was at start", fault.Value)
			}
			*row.field(&list[i]) = v
			return f.srv.x.SetFilters(c.now, fault.Target, list)
		}
	}
	return fmt.Errorf("got filter %s, want one that %s has", fault.How, fault.Target)
}

func (f *Faults) reference(fault Fault, c cause) error {
	var ref exchange.Opt
	if fault.Value != "none" {
		v, err := exchange.ParseFixed(fault.Value)
		if err != nil || v <= 0 {
			return fmt.Errorf("got %q, want a positive decimal number or none", fault.Value)
		}
		ref = exchange.Some(v)
	}
	if rej := f.srv.x.SetReference(c.now, fault.Target, ref); rej != nil {
		return rej
	}
	return nil
}

func (f *Faults) priceRange(fault Fault, c cause) error {
	v, err := exchange.ParseFixed(fault.Value)
	if err != nil || v < 0 {
		return fmt.Errorf("got %q, want a multiplier such as 1.05, or 0", fault.Value)
	}
	sym, ok := f.srv.x.Symbol(fault.Target)
	if !ok {
		return fmt.Errorf("got symbol %q, want one of the venue's", fault.Target)
	}
	r := sym.Range
	switch fault.How {
	case "bidUp":
		r.BidUp = v
	case "bidDown":
		r.BidDown = v
	case "askUp":
		r.AskUp = v
	case "askDown":
		r.AskDown = v
	}
	if rej := f.srv.x.SetRange(c.now, fault.Target, r); rej != nil {
		return rej
	}
	return nil
}
