package exchange

// followUp is what one transaction has set going and has not done yet: a stop
// that was triggered, or a list whose working order is filled.
type followUp struct {
	order *order
	list  *orderList
}

// chain does what the running transaction set going, first come first served,
// and what that sets going in turn. It never recurses: every trade only appends,
// and every stop and list can be appended once, so the open orders bound it.
func (x *Exchange) chain() {
	for i := 0; i < len(x.follow); i++ {
		switch f := x.follow[i]; {
		case f.order != nil:
			x.trigger(f.order)
		default:
			x.activate(f.list)
		}
	}
	x.follow = x.follow[:0]
}
