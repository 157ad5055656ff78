package venue

import (
	"cmp"
	"slices"
	"time"

	"riposte/tools/venue/exchange"
)

// lagView answers queries from the past, as the venue's replicas do: an order just placed is not found yet (-2013), one
// just cancelled still looks open. Each kind of query has an age of its own; while all are 0 nothing is kept. Loop
// goroutine only.
type lagView struct {
	srv      *Server
	lags     map[string]int64 // µs by query, see the tokens of the verb lag
	longest  int64
	accounts []lagAccount // by AccountID, empty while nothing lags
}

// lagAccount is one account as it was longest ago, and what changed since.
type lagAccount struct {
	orders  map[lagKey]exchange.Order // those that were open then
	state   exchange.AccountState
	pending []lagChange
}

type lagKey struct {
	symbol string
	id     int64
}

// lagChange is an order's or the balances' new state; a query sees it once it is as old as the query's lag.
type lagChange struct {
	at    int64
	order *exchange.Order
	state *exchange.AccountState
}

func newLagView(s *Server) *lagView {
	v := &lagView{srv: s, lags: make(map[string]int64)}
	v.set("all", s.cfg.QueryLag)
	return v
}

// set changes the age that a kind of query sees. What changed before the first lag is seen at once.
func (v *lagView) set(query string, d time.Duration) {
	for _, q := range tokens["QUERY"].of {
		if query == "all" || q == query {
			v.lags[q] = d.Microseconds()
		}
	}
	v.longest = 0
	for _, q := range tokens["QUERY"].of {
		v.longest = max(v.longest, v.lags[q])
	}
	switch {
	case v.longest == 0:
		v.accounts = nil
	case v.accounts == nil:
		v.accounts = make([]lagAccount, len(v.srv.cfg.Accounts))
		for i := range v.accounts {
			l := &v.accounts[i]
			l.orders, l.state = make(map[lagKey]exchange.Order), v.srv.x.Account(exchange.AccountID(i))
			open, _ := v.srv.x.OpenOrders(exchange.AccountID(i), "")
			for _, o := range open {
				l.orders[lagKey{o.Symbol, o.OrderID}] = o
			}
		}
	}
}

func (v *lagView) on() bool { return v.accounts != nil }

// changed records the order's new state. It is called for every execution report.
func (v *lagView) changed(a exchange.AccountID, r *exchange.ExecutionReport) {
	if !v.on() {
		return
	}
	if o, rej := v.srv.x.Order(a, r.Symbol, exchange.Some(r.OrderID), ""); rej == nil {
		v.add(a, lagChange{at: r.TransactTime, order: o})
	}
}

// settled records the account's balances after a transaction.
func (v *lagView) settled(a exchange.AccountID, t int64) {
	if v.on() {
		st := v.srv.x.Account(a)
		v.add(a, lagChange{at: t, state: &st})
	}
}

// add keeps a change and moves those that every query sees into the past.
func (v *lagView) add(a exchange.AccountID, ch lagChange) {
	l := &v.accounts[a]
	l.pending = append(l.pending, ch)
	n := 0
	for ; n < len(l.pending) && l.pending[n].at+v.longest <= ch.at; n++ {
		switch old := &l.pending[n]; {
		case old.state != nil:
			l.state = *old.state
		case old.order.Status.Ended():
			delete(l.orders, lagKey{old.order.Symbol, old.order.OrderID}) // it will not change any more
		default:
			l.orders[lagKey{old.order.Symbol, old.order.OrderID}] = *old.order
		}
	}
	l.pending = slices.Delete(l.pending, 0, n)
}

// seen is an order as a query of the given age sees it, nil if it does not exist yet.
func (l *lagAccount) seen(current *exchange.Order, until int64) *exchange.Order {
	key := lagKey{current.Symbol, current.OrderID}
	young := false
	for i := len(l.pending) - 1; i >= 0; i-- {
		o := l.pending[i].order
		if o == nil || o.OrderID != key.id || o.Symbol != key.symbol {
			continue
		}
		if l.pending[i].at <= until {
			return o
		}
		young = true
	}
	if o, ok := l.orders[key]; ok {
		return &o
	}
	if young {
		return nil
	}
	return current // older than all that is kept
}

func (v *lagView) order(a exchange.AccountID, symbol string, id exchange.Opt, client string, now int64) (*exchange.Order, *exchange.Reject) {
	o, rej := v.srv.x.Order(a, symbol, id, client)
	if rej != nil || !v.on() {
		return o, rej
	}
	if o = v.accounts[a].seen(o, now-v.lags["order"]); o == nil {
		return nil, &exchange.Reject{Code: -2013, Msg: "Order does not exist."}
	}
	return o, nil
}

func (v *lagView) open(a exchange.AccountID, symbol string, now int64) ([]exchange.Order, *exchange.Reject) {
	list, rej := v.srv.x.OpenOrders(a, symbol)
	if rej != nil || !v.on() {
		return list, rej
	}
	// Those that ended since, beside those that are open.
	l := &v.accounts[a]
	known := make(map[lagKey]bool)
	for i := range list {
		known[lagKey{list[i].Symbol, list[i].OrderID}] = true
	}
	for i := range l.pending {
		if o := l.pending[i].order; o != nil && !known[lagKey{o.Symbol, o.OrderID}] {
			known[lagKey{o.Symbol, o.OrderID}] = true
			list = append(list, *o)
		}
	}
	var out []exchange.Order
	for i := range list {
		o := l.seen(&list[i], now-v.lags["openOrders"])
		if o != nil && !o.Status.Ended() && (symbol == "" || o.Symbol == symbol) {
			out = append(out, *o)
		}
	}
	slices.SortFunc(out, func(x, y exchange.Order) int {
		return cmp.Or(cmp.Compare(x.OrderID, y.OrderID), cmp.Compare(x.Symbol, y.Symbol))
	})
	return out, nil
}

// aged replaces every order by its visible state and drops those not visible yet.
func (v *lagView) aged(a exchange.AccountID, list []exchange.Order, now int64) []exchange.Order {
	if !v.on() {
		return list
	}
	var out []exchange.Order
	for i := range list {
		if o := v.accounts[a].seen(&list[i], now-v.lags["allOrders"]); o != nil {
			out = append(out, *o)
		}
	}
	return out
}

// account is the visible state of the balances.
func (v *lagView) account(a exchange.AccountID, current exchange.AccountState, now int64) exchange.AccountState {
	if !v.on() {
		return current
	}
	l := &v.accounts[a]
	until := now - v.lags["account"]
	for i := len(l.pending) - 1; i >= 0; i-- {
		if st := l.pending[i].state; st != nil && l.pending[i].at <= until {
			return *st
		}
	}
	return l.state
}

// tooFresh says that a kind of query does not see yet what was made at t.
func (v *lagView) tooFresh(query string, t, now int64) bool { return t > now-v.lags[query] }
