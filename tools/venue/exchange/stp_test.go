package exchange

import "testing"

// The symbol's makers of account 0: 1 at 61900, then account 1's 1 at 61900;
// account 0 takes with 2.5 at 62000.
func TestSelfTradePreventionModes(t *testing.T) {
	for _, c := range []struct {
		mode                       string
		status                     string
		executed, prevented        string
		maker                      string
		makerPrevented             string
		book                       string
		matches                    int
		takerReports, makerReports int // of kind TRADE_PREVENTION
	}{
		{"NONE", "PARTIALLY_FILLED", "2", "0", "FILLED", "0", "0.5@62000 |", 0, 0, 0},
		{"EXPIRE_TAKER", "EXPIRED_IN_MATCH", "0", "2.5", "NEW", "0", "| 2@61900", 1, 1, 0},
		{"EXPIRE_MAKER", "PARTIALLY_FILLED", "1", "0", "EXPIRED_IN_MATCH", "1", "1.5@62000 |", 1, 0, 1},
		{"EXPIRE_BOTH", "EXPIRED_IN_MATCH", "0", "2.5", "EXPIRED_IN_MATCH", "1", "| 1@61900", 1, 1, 1},
		{"DECREMENT", "PARTIALLY_FILLED", "1", "1", "EXPIRED_IN_MATCH", "1", "0.5@62000 |", 1, 1, 1},
	} {
		d := newDesk(t, nil)
		mine := d.place(0, "SELL LIMIT GTC 1@61900")
		d.place(1, "SELL LIMIT GTC 1@61900")
		d.rec.reset()
		rep := d.place(0, "BUY LIMIT GTC 2.5@62000 stp="+c.mode)
		if rep.Status.String() != c.status || rep.ExecutedQty != fx(c.executed) || rep.PreventedQty != fx(c.prevented) || len(rep.Prevented) != c.matches {
			t.Errorf("%s: got taker %+v, want %s executed %s prevented %s", c.mode, rep.Order, c.status, c.executed, c.prevented)
		}
		m, rej := d.x.Order(0, "BTCUSDT", Some(mine.OrderID), "")
		if rej != nil || m.Status.String() != c.maker || m.PreventedQty != fx(c.makerPrevented) {
			t.Errorf("%s: got maker %+v %v, want %s prevented %s", c.mode, m, rej, c.maker, c.makerPrevented)
		}
		d.wantBook(c.book)
		taker, maker := 0, 0
		for _, r := range d.rec.reports {
			if r.Exec != ExecTradePrevention {
				continue
			}
			if r.LastQty != 0 || r.LastPrice != 0 || r.PreventedExecQty != One || r.PreventedExecPx != fx("61900") || r.PreventedExecQuo != fx("61900") || r.PreventedMatchID < 0 {
				t.Errorf("%s: got report %+v, want l, L, Y zero and pl 1, pL and pY 61900", c.mode, r)
			}
			if r.OrderID == rep.OrderID {
				taker++
			} else {
				maker++
			}
		}
		if taker != c.takerReports || maker != c.makerReports {
			t.Errorf("%s: got %d and %d TRADE_PREVENTION reports of taker and maker, want %d and %d", c.mode, taker, maker, c.takerReports, c.makerReports)
		}
		if c.matches > 0 {
			got, rej := d.x.PreventedMatches(0, "BTCUSDT", Opt{}, Some(rep.OrderID), 0)
			if rej != nil || len(got) != 1 || got[0] != rep.Prevented[0] {
				t.Errorf("%s: prevented matches of the order: got %+v %v", c.mode, got, rej)
			}
		}
	}
}

func TestDefaultModeOfTheSymbolHolds(t *testing.T) {
	d := newDesk(t, nil)
	d.place(0, "SELL LIMIT GTC 1@61900")
	rep := d.place(0, "BUY LIMIT GTC 1@61900")
	if rep.STP != STPExpireMaker || rep.ExecutedQty != 0 {
		t.Errorf("got %+v, want EXPIRE_MAKER and nothing traded", rep.Order)
	}
	d.wantBook("1@61900 |")
}

func TestTradeGroupsPreventTradesBetweenAccounts(t *testing.T) {
	d := newDesk(t, func(c *Config) {
		c.Accounts[0].TradeGroup, c.Accounts[1].TradeGroup, c.Accounts[2].TradeGroup = 7, 7, 8
	})
	d.place(0, "SELL LIMIT GTC 1@61900")
	if rep := d.place(1, "BUY LIMIT IOC 1@61900 stp=EXPIRE_TAKER"); rep.Status != StatusExpiredInMatch || rep.TradeGroupID != 7 {
		t.Errorf("same group: got %s in group %d, want EXPIRED_IN_MATCH in 7", rep.Status, rep.TradeGroupID)
	}
	if rep := d.place(2, "BUY LIMIT IOC 1@61900 stp=EXPIRE_TAKER"); rep.Status != StatusFilled {
		t.Errorf("other group: got %s, want FILLED", rep.Status)
	}
}

func TestMarketTakerWithoutOtherMakersExpires(t *testing.T) {
	d := newDesk(t, nil)
	d.place(0, "SELL LIMIT GTC 1@61900")
	rep := d.place(0, "BUY MARKET 1 stp=EXPIRE_MAKER")
	if rep.Status != StatusExpired || rep.ExpiryReason != ExpiryLiquidity {
		t.Errorf("got %s %s, want EXPIRED for INSUFFICIENT_LIQUIDITY", rep.Status, rep.ExpiryReason)
	}
	d.wantBook("|")
}

func TestModeNotAllowedIsRejected(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.Symbols[0].AllowedSTP = []STPMode{STPExpireTaker} })
	d.refused(0, ticket("BUY LIMIT GTC 1@60000 stp=DECREMENT"), -1013, "This symbol does not allow the specified self-trade prevention mode.")
	d.place(0, "BUY LIMIT GTC 1@60000 stp=EXPIRE_TAKER")
}
