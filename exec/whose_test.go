package exec

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"riposte/core"
	"riposte/core/journal"
)

// beginOf is begin of a session that has these strategies.
func (p *tape) beginOf(epoch uint64, past *Past, names ...string) []string {
	all := past.Enlist(names, 4)
	p.note(&journal.SessionStart{Epoch: epoch, Account: "sim", Prefix: "rp"})
	p.note(&journal.Names{Instruments: []journal.InstrumentName{{Symbol: "BTCUSDT", Base: 0, Quote: 1}}, Assets: []string{"BTC", "USDT", "BNB"}})
	p.note(&journal.Strategies{Names: all})
	past.Checkpoint(epoch, 0, p.note)
	return all
}

func (p *tape) order(id core.OrderID, epoch uint64, strategy uint16) {
	in := intent(id, epoch)
	in.Strategy = strategy
	p.note(in)
}

// Orders and positions go to who began them by name, whatever the configuration does to
// names and their order; who is not in it any more keeps what it has.
func TestOwnersAreFoundByNameOverRestarts(t *testing.T) {
	p := &tape{t: t}
	p.beginOf(7, NewPast(), "maker", "taker")
	p.order(1, 7, 0)
	p.order(2, 7, 1)
	p.note(traded(1, 11, core.Buy, 4, 400, 1, 0))
	p.note(traded(2, 12, core.Sell, 3, 300, 0, 1))

	past := p.past()
	if d := cmp.Diff([]string{"alpha", "taker", "maker"}, p.beginOf(8, past, "alpha", "taker")); d != "" {
		t.Fatalf("numbers of the second session, maker renamed:\n%s", d)
	}
	var whose []uint16
	for _, o := range past.Orders() {
		whose = append(whose, past.Whose(o))
	}
	if d := cmp.Diff([]uint16{2, 1}, whose); d != "" {
		t.Errorf("the orders' owners in the second session:\n%s", d)
	}
	late := traded(1, 13, core.Buy, 2, 200, 0, 1) // the former strategy's order goes on trading
	late.Report.Strategy = 2
	p.note(late)
	p.order(3, 8, 0)
	p.note(traded(3, 14, core.Buy, 1, 100, 0, 1))

	past = p.past()
	if d := cmp.Diff([]string{"maker", "alpha", "taker"}, p.beginOf(9, past, "maker")); d != "" {
		t.Fatalf("numbers of the third session:\n%s", d)
	}
	for name, want := range map[string]core.Qty{"maker": 4 - 1 + 2, "taker": -3, "alpha": 1, "nobody": 0} {
		if got := past.Part(name, "BTCUSDT"); got != want {
			t.Errorf("%s has %d, want %d", name, got, want)
		}
	}
	if s := past.Symbols["BTCUSDT"]; s.Net-s.BaseFees != 3 {
		t.Errorf("the position is %d, want the sum of the parts, 3", s.Net-s.BaseFees)
	}
	if again := p.past(); again.Part("taker", "BTCUSDT") != -3 {
		t.Errorf("after the third checkpoint taker has %d, want -3", again.Part("taker", "BTCUSDT"))
	}
}

// A journal that names no strategies gives all it has to the account, and more owners
// than there are numbers for do not push a strategy out.
func TestWhatNobodyIsNamedForIsTheAccounts(t *testing.T) {
	p := &tape{t: t}
	p.begin(7, NewPast())
	p.note(intent(1, 7))
	p.note(traded(1, 11, core.Buy, 4, 400, 0, 1))
	past := p.past()
	if names := past.Enlist([]string{"a"}, 4); len(names) != 1 || past.Part("a", "BTCUSDT") != 0 || past.Whose(past.Orders()[0]) != core.NoStrategy {
		t.Errorf("of %q the first has %d, the order is %d's; want none of it theirs", names, past.Part("a", "BTCUSDT"), past.Whose(past.Orders()[0]))
	}
	p = &tape{t: t}
	p.beginOf(7, NewPast(), "a", "b", "c", "d")
	for n := range uint16(4) {
		p.order(core.OrderID(n+1), 7, n)
	}
	past = p.past()
	if d := cmp.Diff([]string{"x", "y", "a", "b"}, past.Enlist([]string{"x", "y"}, 4)); d != "" {
		t.Error(d)
	}
	if o := past.Orders(); past.Whose(o[0]) != 2 || past.Whose(o[3]) != core.NoStrategy {
		t.Errorf("owners are %d and %d, want 2 and nobody", past.Whose(o[0]), past.Whose(o[3]))
	}
}
