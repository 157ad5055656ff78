package exec

import (
	"testing"
	"time"

	"riposte/core"
)

// pair is two processes' budgets behind one address and on one account. Their own
// clocks began 1000 s apart.
func pair(t *testing.T, weight, short int) (a, b *Budget) {
	t.Helper()
	var host HostUse
	var account AccountUse
	limits := []Limit{{LimitWeight, time.Minute, weight}, {LimitOrders, 10 * time.Second, short}}
	for i, bud := range []**Budget{&a, &b} {
		var err error
		if *bud, err = NewBudget(20); err != nil {
			t.Fatal(err)
		}
		(*bud).Share(&host, &account, i, int64(1-i)*1000e9)
		if err := (*bud).Set(limits); err != nil {
			t.Fatal(err)
		}
	}
	return a, b
}

func TestProcessesBehindOneAddressSpendOneWeight(t *testing.T) {
	a, b := pair(t, 100, 5)
	venue := core.WallNs(60 * 1e9 * 1000)
	for range 40 {
		for _, bud := range []*Budget{a, b} {
			if ok, _ := bud.TakeWeight(1, ForMarket, venue, 0); !ok {
				t.Fatal("refused within the 80 that are not kept for cancels")
			}
		}
	}
	for i, bud := range []*Budget{a, b} {
		if ok, _ := bud.TakeWeight(1, ForMarket, venue, 0); ok {
			t.Errorf("process %d queried with the cancels' reserve", i)
		}
	}
	if ok, _ := b.TakeWeight(20, ForCancels, venue, 0); !ok {
		t.Error("a cancel could not use the reserve")
	}
	a.SawWeight(99, venue+core.WallNs(time.Minute), venue+core.WallNs(time.Minute)) // what a third party used, as told to one
	if ok, _ := b.TakeWeight(2, ForCancels, venue+core.WallNs(time.Minute), 0); ok {
		t.Error("what the venue told one process, the other did not know")
	}
}

func TestALockoutOfOneProcessSilencesAllToTheSameInstant(t *testing.T) {
	a, b := pair(t, 100, 5)
	venue, now := core.WallNs(60*1e9*1000), core.MonoNs(5e9)
	a.Lockout(7*time.Second, venue, now)
	// The other's clock reads 1000 s more at the same moment.
	other := now + core.MonoNs(1000*time.Second)
	if !b.Silent(other+core.MonoNs(7*time.Second)-1) || b.Silent(other+core.MonoNs(7*time.Second)) {
		t.Errorf("the other is silent for %v more, want 7 s", b.SilentFor(other))
	}
	b.OrderLockout(9*time.Second, venue, other)
	if a.TakeOrder(venue, now+core.MonoNs(9*time.Second)-1) || !a.TakeOrder(venue, now+core.MonoNs(9*time.Second)) {
		t.Error("an order lock-out did not end for the other when it ended for one")
	}
}

func TestOrdersUnderWayElsewhereCountAgainstTheAccount(t *testing.T) {
	a, b := pair(t, 100, 5)
	venue := core.WallNs(60 * 1e9 * 1000)
	a.TakeOrder(venue, 0)
	a.TakeOrder(venue, 0)
	a.SawOrders(0, -1, 2, venue) // nothing there yet, two under way
	b.TakeOrder(venue, 0)
	b.SawOrders(1, -1, 0, venue) // the venue counts b's one; a's two are still under way
	if u := b.Use(venue, 0); u.Orders != 3 {
		t.Errorf("%d orders are counted, want 3", u.Orders)
	}
	a.account.Forget(0) // a has died
	b.SawOrders(1, -1, 0, venue)
	if u := b.Use(venue, 0); u.Orders != 1 {
		t.Errorf("%d orders are counted after the other is gone, want 1", u.Orders)
	}
}

func TestASharedBudgetLetsAStartUpPassBeforeItsLimitsAreKnown(t *testing.T) {
	b, err := NewBudget(0)
	if err != nil {
		t.Fatal(err)
	}
	b.Share(new(HostUse), nil, 0, 0)
	if ok, _ := b.TakeWeight(20, ForMarket, 1, 0); !ok {
		t.Error("exchangeInfo cannot be asked for")
	}
	if ok, _ := b.TakeWeight(200, ForMarket, 1, 0); ok {
		t.Error("220 were let through with limits unread")
	}
}
