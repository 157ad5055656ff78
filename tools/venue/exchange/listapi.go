package exchange

// Contingency is how the legs of a list depend on each other.
type Contingency uint8

// The contingencies. An OTOCO is an OTO of three legs.
const (
	OCO Contingency = iota + 1
	OTO
)

// ListKind is what a list is placed as.
type ListKind uint8

// The kinds of lists: OCO has an above and a below leg, OTO a working and a
// pending one, OTOCO a working, a pending above and a pending below leg.
const (
	ListOCO ListKind = iota + 1
	ListOTO
	ListOTOCO
)

// ListStatusType says what a list status is about.
type ListStatusType uint8

// The list status types. ListResponse answers a list that was refused.
const (
	ListResponse ListStatusType = iota + 1
	ListExecStarted
	ListUpdated
	ListAllDone
)

// ListOrderStatus is the state of a list as a whole.
type ListOrderStatus uint8

// The states of a list.
const (
	ListExecuting ListOrderStatus = iota + 1
	ListDone
	ListReject
)

var (
	contingencyNames = [...]string{"", "OCO", "OTO"}
	listTypeNames    = [...]string{"", "RESPONSE", "EXEC_STARTED", "UPDATED", "ALL_DONE"}
	listStateNames   = [...]string{"", "EXECUTING", "ALL_DONE", "REJECT"}
)

// String is the name on the wire.
func (v Contingency) String() string { return name(contingencyNames[:], v) }

// String is the name on the wire.
func (v ListStatusType) String() string { return name(listTypeNames[:], v) }

// String is the name on the wire.
func (v ListOrderStatus) String() string { return name(listStateNames[:], v) }

// NewList are the parameters of POST /api/v3/orderList/oco, oto and otoco after
// parsing. Each leg carries the symbol, side, quantity and STP mode that the
// request gives it.
type NewList struct {
	Symbol   string
	Kind     ListKind
	ClientID string // listClientOrderId; empty: the exchange makes one
	Legs     []NewOrder
}

// CancelListRequest are the parameters of DELETE /api/v3/orderList.
type CancelListRequest struct {
	Symbol           string
	ListID           Opt // V as sent, not scaled
	ClientID         string
	NewClientOrderID string // id of the cancel of each leg; empty: the exchange makes one
}

// ListOrder is one leg of a list as every list object names it.
type ListOrder struct {
	Symbol        string
	OrderID       int64
	ClientOrderID string
}

// ListState is a copy of a list's state, and the event listStatus.
type ListState struct {
	ListID      int64
	Symbol      string
	Contingency Contingency
	Type        ListStatusType
	Status      ListOrderStatus
	Reject      RejectReason
	ClientID    string
	Time        Micros // transactionTime
	Created     Micros
	Orders      []ListOrder
}

// ListReport is the answer to a list: Reports on placement, Cancels of the legs
// that were still open on a cancel.
type ListReport struct {
	List    ListState
	Reports []OrderReport
	Cancels []CancelReport
}

// ListQuery selects entries of AllOrderLists.
type ListQuery struct {
	FromID    Opt // V as sent
	StartTime Opt // Micros
	EndTime   Opt // Micros
	Limit     int // default 500, at most 1000
}

// state is the list as answers, events and queries show it.
func (l *orderList) state(t ListStatusType) ListState {
	s := ListState{
		ListID: l.id, Symbol: l.in.sym.Name, Contingency: l.kind, Type: t, Status: ListExecuting,
		ClientID: l.clientID, Time: l.updated, Created: l.created,
	}
	switch t {
	case ListAllDone:
		s.Status = ListDone
	case ListResponse:
		s.Status = ListReject
	}
	for _, o := range l.legs {
		s.Orders = append(s.Orders, ListOrder{l.in.sym.Name, o.id, o.clientID})
	}
	return s
}

// now is the state as a query shows it.
func (l *orderList) now() ListState {
	if l.done {
		return l.state(ListAllDone)
	}
	return l.state(ListExecStarted)
}

func (x *Exchange) sendList(l *orderList, s ListState) {
	if x.log.on() {
		x.log.list(l.acct.id, &s, x.now)
	}
	x.sink.List(l.acct.id, &s)
}

// OrderList is the state of one list: by id, or by client id (the newest list
// that had it).
func (x *Exchange) OrderList(id AccountID, listID Opt, clientID string) (*ListState, *Reject) {
	a := x.account(id)
	if !listID.Set && clientID == "" {
		return nil, rejectEither("orderListId", "origClientOrderId")
	}
	var l *orderList
	if a != nil {
		l = a.lookupList(listID, clientID)
	}
	if l == nil {
		return nil, reject(codeNoSuchOrder, textNoOrder)
	}
	s := l.now()
	return &s, nil
}

// lookupList finds a list by id, or else by client id.
func (a *account) lookupList(id Opt, clientID string) *orderList {
	for i := len(a.lists) - 1; i >= 0; i-- {
		l := a.lists[i]
		if id.Set && l.id == id.V || !id.Set && l.clientID == clientID {
			return l
		}
	}
	return nil
}

// AllOrderLists are lists of an account by id, ended ones included.
func (x *Exchange) AllOrderLists(id AccountID, q ListQuery) ([]ListState, *Reject) {
	if q.FromID.Set && (q.StartTime.Set || q.EndTime.Set) {
		return nil, reject(codeBadCombo, "Combination of optional parameters invalid.")
	}
	out := []ListState{}
	a := x.account(id)
	if a == nil {
		return out, nil
	}
	first, last := window(len(a.lists), clampLimit(q.Limit), q.FromID, q.StartTime, q.EndTime,
		func(i int) (int64, Micros) { return a.lists[i].id, a.lists[i].created })
	for _, l := range a.lists[first:last] {
		out = append(out, l.now())
	}
	return out, nil
}

// OpenOrderLists are the lists of an account with open legs, by id.
func (x *Exchange) OpenOrderLists(id AccountID) []ListState {
	out := []ListState{}
	if a := x.account(id); a != nil {
		for _, l := range a.openLists {
			out = append(out, l.now())
		}
	}
	return out
}

// forgetLists drops the oldest ended lists once there are more than keep.
func (a *account) forgetLists(keep int) {
	if len(a.lists) <= keep+keep/4 {
		return
	}
	drop := len(a.lists) - keep
	kept := a.lists[:0]
	for _, l := range a.lists {
		if drop > 0 && l.done {
			drop--
			continue
		}
		kept = append(kept, l)
	}
	clear(a.lists[len(kept):])
	a.lists = kept
}
