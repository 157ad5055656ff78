package venue

import (
	"slices"

	"riposte/tools/venue/exchange"
)

// lagView answers queries from a past that is QueryLag old, as the venue's replicas do: an order just placed is not
// found yet (-2013), one just cancelled still looks open. Loop goroutine only.
type lagView struct {
	srv      *Server
	lag      int64
	accounts map[exchange.AccountID]*lagAccount
}

// lagAccount is one account as the queries see it, and what they will see later.
type lagAccount struct {
	orders  map[int64]exchange.Order
	state   exchange.AccountState
	has     bool
	pending []lagChange
}

// lagChange becomes visible at its time plus the lag.
type lagChange struct {
	at    int64
	order *exchange.Order
	state *exchange.AccountState
}

func newLagView(s *Server) *lagView {
	return &lagView{srv: s, lag: s.cfg.QueryLag.Microseconds(), accounts: make(map[exchange.AccountID]*lagAccount)}
}

func (v *lagView) of(a exchange.AccountID) *lagAccount {
	l := v.accounts[a]
	if l == nil {
		l = &lagAccount{orders: make(map[int64]exchange.Order)}
		v.accounts[a] = l
	}
	return l
}

// changed records the order's new state. It is called for every execution report.
func (v *lagView) changed(a exchange.AccountID, r *exchange.ExecutionReport) {
	l := v.of(a)
	o, rej := v.srv.x.Order(a, r.Symbol, exchange.Some(r.OrderID), "")
	if rej != nil {
		return
	}
	l.pending = append(l.pending, lagChange{at: r.TransactTime, order: o})
}

// settled records the account's balances after a transaction.
func (v *lagView) settled(a exchange.AccountID, t int64) {
	st := v.srv.x.Account(a)
	v.of(a).pending = append(v.of(a).pending, lagChange{at: t, state: &st})
}

func (v *lagView) look(a exchange.AccountID, now int64) *lagAccount {
	l := v.of(a)
	n := 0
	for ; n < len(l.pending) && l.pending[n].at+v.lag <= now; n++ {
		ch := &l.pending[n]
		if ch.order != nil {
			l.orders[ch.order.OrderID] = *ch.order
		} else {
			l.state, l.has = *ch.state, true
		}
	}
	l.pending = slices.Delete(l.pending, 0, n)
	return l
}

func (v *lagView) order(a exchange.AccountID, symbol string, id exchange.Opt, client string, now int64) (*exchange.Order, *exchange.Reject) {
	o, rej := v.srv.x.Order(a, symbol, id, client)
	if rej != nil {
		return nil, rej
	}
	old, ok := v.look(a, now).orders[o.OrderID]
	if !ok {
		return nil, &exchange.Reject{Code: -2013, Msg: "Order does not exist."}
	}
	return &old, nil
}

func (v *lagView) open(a exchange.AccountID, symbol string, now int64) []exchange.Order {
	var list []exchange.Order
	for _, o := range v.look(a, now).orders {
		if !o.Status.Ended() && (symbol == "" || o.Symbol == symbol) {
			list = append(list, o)
		}
	}
	slices.SortFunc(list, func(x, y exchange.Order) int { return int(x.OrderID - y.OrderID) })
	return list
}

// aged replaces every order by its visible state and drops those not visible yet.
func (v *lagView) aged(a exchange.AccountID, list []exchange.Order, now int64) []exchange.Order {
	l := v.look(a, now)
	var out []exchange.Order
	for i := range list {
		if o, ok := l.orders[list[i].OrderID]; ok {
			out = append(out, o)
		}
	}
	return out
}

// account is the visible state: before the first visible change, the balances at start.
func (v *lagView) account(a exchange.AccountID, current exchange.AccountState, now int64) exchange.AccountState {
	l := v.look(a, now)
	if l.has {
		return l.state
	}
	if len(l.pending) == 0 {
		return current
	}
	return v.srv.opening[a]
}
