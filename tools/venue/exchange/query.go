package exchange

import "sort"

const textNoOrder = "Order does not exist."

const (
	defaultLimit = 500
	maxLimit     = 1000
)

func clampLimit(n int) int {
	switch {
	case n <= 0:
		return defaultLimit
	case n > maxLimit:
		return maxLimit
	}
	return n
}

// Order is the state of one order: by id, by client id (the newest order that
// had it), or by both, which must then belong together (-2039).
func (x *Exchange) Order(id AccountID, symbol string, orderID Opt, clientID string) (*Order, *Reject) {
	in := x.byName[symbol]
	if in == nil {
		return nil, rejectSymbol()
	}
	if !orderID.Set && clientID == "" {
		return nil, rejectEither("orderId", "origClientOrderId")
	}
	a := x.account(id)
	if a == nil {
		return nil, reject(codeNoSuchOrder, textNoOrder)
	}
	o := a.lookup(in, orderID, clientID)
	if o == nil {
		return nil, reject(codeNoSuchOrder, textNoOrder)
	}
	if clientID != "" && o.clientID != clientID {
		return nil, reject(codeClientID, "Client order ID is not correct for this order ID.")
	}
	s := o.snapshot()
	return &s, nil
}

// OpenOrders are the open orders of an account on a symbol, or on all symbols
// for "", by creation.
func (x *Exchange) OpenOrders(id AccountID, symbol string) ([]Order, *Reject) {
	in := x.byName[symbol]
	if in == nil && symbol != "" {
		return nil, rejectSymbol()
	}
	out := []Order{}
	if a := x.account(id); a != nil {
		for _, o := range a.open {
			if in == nil || o.in == in {
				out = append(out, o.snapshot())
			}
		}
	}
	return out, nil
}

// AllOrders are orders of an account on a symbol by id, ended ones included.
// With OrderID: from that id. With times: those created in between. With
// neither: the newest.
func (x *Exchange) AllOrders(id AccountID, symbol string, q OrderQuery) ([]Order, *Reject) {
	in := x.byName[symbol]
	if in == nil {
		return nil, rejectSymbol()
	}
	out := []Order{}
	a := x.account(id)
	if a == nil {
		return out, nil
	}
	all := a.orders[in.no]
	first, last := window(len(all), clampLimit(q.Limit), q.OrderID, q.StartTime, q.EndTime,
		func(i int) (int64, Micros) { return all[i].id, all[i].created })
	for _, o := range all[first:last] {
		out = append(out, o.snapshot())
	}
	return out, nil
}

// window is the index range of a query over n entries that rise in id and time
// (section 1 of the venue page: no bound gives the newest, a start gives the
// oldest from there, an end alone the newest up to there).
func window(n, limit int, fromID, start, end Opt, at func(int) (int64, Micros)) (first, last int) {
	last = n
	if end.Set {
		last = sort.Search(n, func(i int) bool { _, t := at(i); return t > end.V })
	}
	if start.Set {
		first = sort.Search(n, func(i int) bool { _, t := at(i); return t >= start.V })
	}
	if fromID.Set {
		first = max(first, sort.Search(n, func(i int) bool { id, _ := at(i); return id >= fromID.V }))
	}
	if first >= last {
		return 0, 0
	}
	if start.Set || fromID.Set {
		return first, min(last, first+limit)
	}
	return max(first, last-limit), last
}

// MyTrades are fills of an account on a symbol by trade id.
func (x *Exchange) MyTrades(id AccountID, symbol string, q TradeQuery) ([]UserTrade, *Reject) {
	in := x.byName[symbol]
	if in == nil {
		return nil, rejectSymbol()
	}
	if q.OrderID.Set && (q.StartTime.Set || q.EndTime.Set) || q.FromID.Set && (q.StartTime.Set || q.EndTime.Set) {
		return nil, reject(codeBadCombo, "Combination of optional parameters invalid.")
	}
	out := []UserTrade{}
	a := x.account(id)
	if a == nil {
		return out, nil
	}
	var all []UserTrade
	for i := range a.fills {
		f := &a.fills[i]
		if f.Symbol == symbol && (!q.OrderID.Set || f.OrderID == q.OrderID.V) {
			all = append(all, *f)
		}
	}
	first, last := window(len(all), clampLimit(q.Limit), q.FromID, q.StartTime, q.EndTime,
		func(i int) (int64, Micros) { return all[i].ID, all[i].Time })
	return append(out, all[first:last]...), nil
}

// PreventedMatches are self-trades that were prevented, by their id or by order.
func (x *Exchange) PreventedMatches(id AccountID, symbol string, matchID, orderID Opt, limit int) ([]PreventedMatch, *Reject) {
	if x.byName[symbol] == nil {
		return nil, rejectSymbol()
	}
	if matchID.Set == orderID.Set {
		return nil, reject(codeBadCombo, "Combination of optional parameters invalid.")
	}
	out := []PreventedMatch{}
	a := x.account(id)
	if a == nil {
		return out, nil
	}
	limit = clampLimit(limit)
	for _, p := range a.prevented {
		hit := matchID.Set && p.ID == matchID.V || orderID.Set && (p.TakerOrderID == orderID.V || p.MakerOrderID == orderID.V)
		if hit && p.Symbol == symbol && len(out) < limit {
			out = append(out, p)
		}
	}
	return out, nil
}

func (a *account) addFill(x *Exchange, f UserTrade) {
	a.fills = append(a.fills, f)
	if n := len(a.fills); n > 2*x.tradesKept {
		a.fills = append(a.fills[:0], a.fills[n-x.tradesKept:]...)
	}
}

// forget drops the oldest n ended orders, as the venue archives old ones.
func (a *account) forget(n int) {
	// Instruments rise in id but not in time against each other; each gives up
	// its share, oldest first.
	for inst := range a.orders {
		list := a.orders[inst]
		share := n * len(list) / max(a.ended+len(a.open), 1)
		keep := list[:0]
		for _, o := range list {
			if share > 0 && o.status.Ended() {
				share--
				a.ended--
				delete(a.byID, orderKey{inst, o.id})
				if a.byClient[clientKey{inst, o.clientID}] == o {
					delete(a.byClient, clientKey{inst, o.clientID})
				}
				continue
			}
			keep = append(keep, o)
		}
		clear(list[len(keep):])
		a.orders[inst] = keep
	}
}
