package venue

import "riposte/tools/venue/exchange"

// list are the members that every list object begins with. Lists say transactionTime where orders say transactTime.
func (w *enc) list(s *exchange.ListState) {
	w.listHead(s)
	w.time("transactionTime", s.Time)
	w.str("symbol", s.Symbol)
	w.listOrders(s)
}

func (w *enc) listHead(s *exchange.ListState) {
	w.int("orderListId", s.ListID)
	w.str("contingencyType", s.Contingency.String())
	w.str("listStatusType", s.Type.String())
	w.str("listOrderStatus", s.Status.String())
	w.str("listClientOrderId", s.ClientID)
}

func (w *enc) listOrders(s *exchange.ListState) {
	w.key("orders")
	w.open('[')
	for i := range s.Orders {
		o := &s.Orders[i]
		w.open('{')
		w.str("symbol", o.Symbol)
		w.int("orderId", o.OrderID)
		w.str("clientOrderId", o.ClientOrderID)
		w.close('}')
	}
	w.close(']')
}

// listReport is the answer to a list that was placed or cancelled: the list, then its orders.
func (w *enc) listReport(r *exchange.ListReport, resp string) {
	w.open('{')
	w.list(&r.List)
	w.key("orderReports")
	w.open('[')
	for i := range r.Reports {
		w.placed(&r.Reports[i], resp)
	}
	for i := range r.Cancels {
		w.canceled(&r.Cancels[i])
	}
	w.close(']')
	w.close('}')
}

// appendListStatus prints a listStatus event.
func appendListStatus(b []byte, s *exchange.ListState, us bool) []byte {
	w := enc{b: b, us: us}
	w.open('{')
	w.str("e", "listStatus")
	w.time("E", s.Time)
	w.str("s", s.Symbol)
	w.int("g", s.ListID)
	w.str("c", s.Contingency.String())
	w.str("l", s.Type.String())
	w.str("L", s.Status.String())
	w.str("r", s.Reject.String())
	w.str("C", s.ClientID)
	w.time("T", s.Time)
	w.key("O")
	w.open('[')
	for i := range s.Orders {
		o := &s.Orders[i]
		w.open('{')
		w.str("s", o.Symbol)
		w.int("i", o.OrderID)
		w.str("c", o.ClientOrderID)
		w.close('}')
	}
	w.close(']')
	w.close('}')
	return w.b
}
