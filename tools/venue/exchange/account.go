package exchange

import (
	"cmp"
	"fmt"
	"slices"
)

// Account numbers that are not of Config.
const (
	houseAccount AccountID = -1
	feeAccount   AccountID = -2
)

type balance struct{ free, locked Fixed }

// account holds balances by asset number and, for accounts of Config, the
// history of its orders and fills.
type account struct {
	id           AccountID
	name         string
	maker, taker Fixed // commission rates
	group        int64 // 0 = none
	disabled     bool
	payBNB       bool // commissions, while there is enough of it
	bal          []balance
	updated      Micros
	ledger       []LedgerEntry

	inTx   bool
	assets []int // touched in the running transaction, in order of first touch

	open      []*order // open orders by creation
	orders    [][]*order
	ended     int
	byID      map[orderKey]*order
	byClient  map[clientKey]*order // newest order of a client id
	fills     []UserTrade
	prevented []PreventedMatch
	lists     []*orderList // by id, bounded like the orders
	openLists []*orderList // those of them with open legs
	nextID    uint64       // for client ids the exchange makes
}

type orderKey struct {
	inst int
	id   int64
}

type clientKey struct {
	inst int
	id   string
}

func (a *account) user() bool { return a.id >= 0 }

func (x *Exchange) newAccount(c AccountConfig, id AccountID) *account {
	a := &account{
		id: id, name: c.Name, maker: rate(c.MakerRate), taker: rate(c.TakerRate),
		group: max(c.TradeGroup, 0), disabled: c.Disabled, payBNB: c.PayBNB, bal: make([]balance, len(x.assets)), updated: x.now,
	}
	if a.user() {
		a.orders = make([][]*order, len(x.insts))
		a.byID, a.byClient = map[orderKey]*order{}, map[clientKey]*order{}
	}
	return a
}

func rate(r Fixed) Fixed {
	switch {
	case r == 0:
		return defaultRate
	case r < 0:
		return 0
	}
	return r
}

// supplyMax bounds what all accounts of Config hold of one asset, so that no
// single balance can overflow whoever trades with whom: together with a house's
// funds it still fits.
const supplyMax = 1<<62 - 1

// admit reports whether amount more of an asset may come into the accounts.
func (x *Exchange) admit(asset int, amount Fixed) bool {
	if amount < 0 || amount > supplyMax-x.issued[asset] {
		return false
	}
	x.issued[asset] += amount
	return true
}

func (x *Exchange) addAccount(id AccountID, c AccountConfig) error {
	if rate(c.MakerRate) >= One || rate(c.TakerRate) >= One {
		return fmt.Errorf("cannot add account %q: got a commission rate of 100%% or more", c.Name)
	}
	names := make([]string, 0, len(c.Balances))
	for n := range c.Balances {
		names = append(names, n)
	}
	slices.Sort(names) // map order must not reach the ledger
	for _, n := range names {
		if !x.admit(x.asset(n), c.Balances[n]) {
			return fmt.Errorf("cannot add account %q: got %s of %s, want 0 to %d in all accounts", c.Name, AppendPlain(nil, c.Balances[n]), n, supplyMax/One)
		}
	}
	a := x.newAccount(c, id)
	x.accounts = append(x.accounts, a)
	for _, n := range names {
		x.move(a, x.asset(n), c.Balances[n], 0, LedgerDeposit, nil, -1)
	}
	a.forgetTouch()
	x.touched = x.touched[:0]
	return nil
}

// move changes a balance. It is the only place that does, so that the ledger is
// complete. A balance below zero is a broken promise of the caller.
func (x *Exchange) move(a *account, asset int, free, locked Fixed, why LedgerReason, o *order, tradeID int64) {
	if free == 0 && locked == 0 && why != LedgerTrade {
		return
	}
	for asset >= len(a.bal) {
		a.bal = append(a.bal, balance{})
	}
	b := &a.bal[asset]
	b.free += free
	b.locked += locked
	if b.free < 0 || b.locked < 0 {
		panic(fmt.Sprintf("BUG: account %s %s: free %d locked %d after %s", a.name, x.assets[asset], b.free, b.locked, why))
	}
	if !a.user() {
		return
	}
	a.updated = x.now
	if !a.inTx {
		a.inTx = true
		x.touched = append(x.touched, a)
	}
	if !slices.Contains(a.assets, asset) {
		a.assets = append(a.assets, asset)
	}
	if x.keepLedger {
		e := LedgerEntry{
			Time: x.now, Account: a.id, Asset: x.assets[asset], Reason: why, FreeDelta: free, LockedDelta: locked,
			Free: b.free, Locked: b.locked, TradeID: tradeID,
		}
		if o != nil {
			e.Symbol, e.OrderID = o.in.sym.Name, o.id
		}
		a.ledger = append(a.ledger, e)
	}
}

func (a *account) free(asset int) Fixed {
	if asset < len(a.bal) {
		return a.bal[asset].free
	}
	return 0
}

// touch names both assets of an instrument in the account's next balance event:
// the venue sends the assets possibly changed, also for a taker that expired.
func (x *Exchange) touch(a *account, in *instrument) {
	if !a.user() {
		return
	}
	if !a.inTx {
		a.inTx = true
		x.touched = append(x.touched, a)
	}
	for _, n := range [2]int{in.base, in.quote} {
		if !slices.Contains(a.assets, n) {
			a.assets = append(a.assets, n)
		}
	}
}

func (a *account) forgetTouch() { a.inTx, a.assets = false, a.assets[:0] }

func (x *Exchange) publishBalances(a *account) {
	x.balBuf = x.balBuf[:0]
	for _, n := range a.assets {
		var b balance
		if n < len(a.bal) {
			b = a.bal[n]
		}
		x.balBuf = append(x.balBuf, Balance{x.assets[n], b.free, b.locked})
	}
	a.forgetTouch()
	if x.log.on() {
		x.log.balances(a.id, x.balBuf, x.now)
	}
	x.sink.Balances(a.id, x.balBuf, x.now)
}

// lockFor is what an open order of rem holds back: base for a sell, for a buy
// price × rem of quote, rounded down like every quote amount. A buy that waits
// without a limit yet (a market stop, a pegged stop) holds its stopPrice back, or
// the last price if it has none: what the venue does there is not documented. Because the sum of
// rounded-down parts never exceeds the rounded-down whole, the lock always pays
// for the fills and what is left is released.
func (o *order) lockFor(rem Fixed) Fixed {
	if o.side == Sell || rem <= 0 {
		return max(rem, 0)
	}
	return mul(max(o.price, o.reserve), rem)
}

func (o *order) lockAsset() int {
	if o.side == Sell {
		return o.in.base
	}
	return o.in.quote
}

// lock moves the order's need from free to locked.
func (x *Exchange) lock(o *order) {
	o.locked = o.lockFor(o.rem())
	x.move(o.acct, o.lockAsset(), -o.locked, o.locked, LedgerLock, o, -1)
}

// relock gives back what the order's remainder no longer needs, or takes what a
// pegged order needs more now that it has a price. Two legs of a list that
// exclude each other hold the larger need once.
func (x *Exchange) relock(o *order, rem Fixed) {
	need := o.lockFor(rem)
	if other := o.list.rival(o); other != nil {
		o.list.claim(o)
		need = max(need, other.lockFor(other.rem()))
	}
	d := o.locked - need
	o.locked = need
	switch {
	case d > 0:
		x.move(o.acct, o.lockAsset(), d, -d, LedgerRelease, o, -1)
	case d < 0:
		x.move(o.acct, o.lockAsset(), d, -d, LedgerLock, o, -1)
	}
}

// Deposit adds to a free balance, as a transfer into the account does.
func (x *Exchange) Deposit(now Micros, id AccountID, asset string, amount Fixed) error {
	a := x.account(id)
	if a == nil || amount <= 0 {
		return fmt.Errorf("cannot deposit %d of %s to account %d: want a known account and a positive amount", amount, asset, id)
	}
	x.command(now, "deposit", id, asset)
	n := x.asset(asset)
	if !x.admit(n, amount) {
		return fmt.Errorf("cannot deposit %d of %s: all accounts together would hold more than %d", amount, asset, supplyMax/One)
	}
	x.move(a, n, amount, 0, LedgerDeposit, nil, -1)
	x.commit(nil)
	return nil
}

func (x *Exchange) account(id AccountID) *account {
	if id < 0 || int(id) >= len(x.accounts) {
		return nil
	}
	return x.accounts[id]
}

// Account returns a copy of an account's state; the zero state for an unknown id.
func (x *Exchange) Account(id AccountID) AccountState {
	a := x.account(id)
	if a == nil {
		return AccountState{ID: id, TradeGroup: -1}
	}
	s := AccountState{
		ID: id, Name: a.name, MakerRate: a.maker, TakerRate: a.taker, CanTrade: !a.disabled,
		PayBNB: a.payBNB, TradeGroup: a.tradeGroup(), UpdateTime: a.updated,
	}
	for n, name := range x.assets {
		var b balance
		if n < len(a.bal) {
			b = a.bal[n]
		}
		s.Balances = append(s.Balances, Balance{name, b.free, b.locked})
	}
	slices.SortFunc(s.Balances, func(p, q Balance) int { return cmp.Compare(p.Asset, q.Asset) })
	return s
}

// tradeGroup is the group as the venue prints it: -1 for none.
func (a *account) tradeGroup() int64 {
	if a.group == 0 {
		return -1
	}
	return a.group
}

// Ledger returns every balance change of an account since the start, oldest
// first; nil unless Config.Ledger. The slice is borrowed and must not be changed.
func (x *Exchange) Ledger(id AccountID) []LedgerEntry {
	if a := x.account(id); a != nil {
		return a.ledger
	}
	return nil
}

// Supply is the sum of an asset over all accounts, the market's and the fee
// account included: trading never changes it. hi and lo are a 128-bit sum
// scaled 1e-8.
func (x *Exchange) Supply(asset string) (hi, lo uint64) {
	n, ok := x.assetNo[asset]
	if !ok {
		return 0, 0
	}
	var w wide
	add := func(a *account) {
		if n < len(a.bal) {
			w.add(a.bal[n].free)
			w.add(a.bal[n].locked)
		}
	}
	for _, a := range x.accounts {
		add(a)
	}
	for _, a := range x.house {
		add(a)
	}
	add(x.fees)
	return w.hi, w.lo
}

// Fees is what the venue has collected of an asset in commissions.
func (x *Exchange) Fees(asset string) Fixed {
	if n, ok := x.assetNo[asset]; ok {
		return x.fees.free(n)
	}
	return 0
}

// addHouse makes the account a market trades a symbol from. It pays no
// commission, so that hours of trading do not drain it.
func (x *Exchange) addHouse(in *instrument) *account {
	a := x.newAccount(AccountConfig{Name: "house " + in.sym.Name, MakerRate: -1, TakerRate: -1}, houseAccount)
	for len(a.bal) < len(x.assets) {
		a.bal = append(a.bal, balance{})
	}
	// Deep enough that no market drains it, and half of the int64 range so
	// that no market overflows it.
	a.bal[in.base].free = 1 << 62
	a.bal[in.quote].free = 1 << 62
	in.house = a
	x.house = append(x.house, a)
	return a
}
