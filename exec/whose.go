package exec

import (
	"cmp"
	"maps"
	"slices"

	"riposte/core"
	"riposte/core/journal"
)

// Whose an order or a part of a position is, over restarts. Numbers of strategies are a
// session's own, and a configuration may rename or reorder them, so a Past counts owners by
// its own numbers, one a name for ever; the orders it holds have those in Strategy. Enlist
// says which number each has in the session that begins.

// pastShare is what fills have made of one strategy's part of a symbol.
type pastShare struct{ net, baseFees core.Qty }

type shareKey struct{ strategy, symbol string }

// owners are the names that a Past has met.
type owners struct {
	names   []string // by the Past's number
	local   []uint16 // the Past's number by that of the session being read
	session []uint16 // that of the session that begins by the Past's, NoStrategy: it has none there
}

// number is the Past's number of a name.
func (w *owners) number(name string) uint16 {
	n := slices.Index(w.names, name)
	if n < 0 {
		n = len(w.names)
		w.names = append(w.names, name)
	}
	return uint16(n)
}

// named takes what the numbers of the session being read mean.
func (w *owners) named(s *journal.Strategies) {
	w.local = w.local[:0]
	for _, name := range s.Names {
		w.local = append(w.local, w.number(name))
	}
}

// of is the Past's number of a session's.
func (w *owners) of(n uint16) uint16 {
	if int(n) >= len(w.local) {
		return core.NoStrategy
	}
	return w.local[n]
}

// share is a strategy's part of a symbol, by the Past's number; nil for what nobody has.
func (p *Past) share(n uint16, symbol string) *pastShare {
	if int(n) >= len(p.owners.names) {
		return nil
	}
	k := shareKey{p.owners.names[n], symbol}
	s := p.shares[k]
	if s == nil {
		s = new(pastShare)
		p.shares[k] = s
	}
	return s
}

// booked adds a fill to its owner's part.
func (p *Past) booked(n uint16, r *core.Report, base core.Qty, in *journal.InstrumentName) {
	if s := p.share(n, in.Symbol); s != nil {
		s.net += base
		if r.FeeAsset == in.Base {
			s.baseFees += core.Qty(r.Fee)
		}
	}
}

// Enlist gives the strategies of the session that begins their numbers: those named in
// order, and behind them former ones that still have something, up to most in all. What
// belongs to others is from then on the account's own.
func (p *Past) Enlist(names []string, most int) []string {
	names = slices.Clone(names)
	has := map[string]bool{}
	for k, s := range p.shares {
		has[k.strategy] = has[k.strategy] || s.net != s.baseFees
	}
	for _, o := range p.orders {
		if int(o.Strategy) < len(p.owners.names) {
			has[p.owners.names[o.Strategy]] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(has)) {
		if has[name] && !slices.Contains(names, name) && len(names) < most {
			names = append(names, name)
		}
	}
	p.owners.session = p.owners.session[:0]
	for _, name := range p.owners.names {
		n := slices.Index(names, name)
		if n < 0 {
			n = int(core.NoStrategy)
		}
		p.owners.session = append(p.owners.session, uint16(n))
	}
	return names
}

// Whose is an order's owner by the numbers of the session that begins.
func (p *Past) Whose(o *journal.Order) uint16 {
	if int(o.Strategy) >= len(p.owners.session) {
		return core.NoStrategy
	}
	return p.owners.session[o.Strategy]
}

// Part is what a strategy has of a symbol, by its name.
func (p *Past) Part(strategy, symbol string) core.Qty {
	if s := p.shares[shareKey{strategy, symbol}]; s != nil {
		return s.net - s.baseFees
	}
	return 0
}

// noteShares gives note the parts of a checkpoint, in order, and says how many there are.
func (p *Past) noteShares(note func(journal.Payload)) (n uint32) {
	keys := slices.SortedFunc(maps.Keys(p.shares), func(a, b shareKey) int {
		if a.strategy != b.strategy {
			return cmp.Compare(a.strategy, b.strategy)
		}
		return cmp.Compare(a.symbol, b.symbol)
	})
	for _, k := range keys {
		if s := p.shares[k]; *s != (pastShare{}) {
			note(&journal.Share{Strategy: k.strategy, Symbol: k.symbol, Net: s.net, BaseFees: s.baseFees})
			n++
		}
	}
	return n
}
