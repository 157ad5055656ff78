package app

import (
	"testing"

	"riposte/core"
	"riposte/feed"
)

// purse notes what money it was told of.
type purse struct {
	feed.UserHandler
	got []core.Amount
}

func (p *purse) OnExternal(_ core.AssetID, delta core.Amount, _ core.WallNs) {
	p.got = append(p.got, delta)
}

// TestMoneyThatIsToldTwiceCountsOnce: by two connections, or twice by one.
func TestMoneyThatIsToldTwiceCountsOnce(t *testing.T) {
	var p purse
	l := new(userLines)
	a, b := &userLine{UserHandler: &p, lines: l}, &userLine{UserHandler: &p, lines: l}
	a.OnExternal(1, 500, 10)
	a.OnExternal(1, 500, 10)
	b.OnExternal(1, 500, 10)
	b.OnExternal(1, 500, 11) // another deposit
	b.OnExternal(2, 500, 10) // of another asset
	b.OnExternal(1, -500, 10)
	a.OnExternal(1, -500, 10)
	if len(p.got) != 4 {
		t.Errorf("got %v, want 4 of them", p.got)
	}
	for i := range core.WallNs(10 * toldMost) {
		a.OnExternal(1, 1, 1000+i)
	}
	if len(l.told) != toldMost {
		t.Errorf("%d are remembered, want %d", len(l.told), toldMost)
	}
}
