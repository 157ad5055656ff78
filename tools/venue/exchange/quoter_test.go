package exchange

import "testing"

// TestQuoterAtTheTouchIsFilledWithinSeconds keeps a small post-only order at the
// best bid and one at the best ask of every major for a minute.
func TestQuoterAtTheTouchIsFilledWithinSeconds(t *testing.T) {
	for _, symbol := range []string{"BTCUSDT", "ETHUSDT", "BNBUSDT"} {
		syms, err := BuiltinSymbols(symbol)
		if err != nil {
			t.Fatal(err)
		}
		rec := &recorder{}
		x, err := New(Config{
			Seed: 5, Start: testStart, Symbols: syms, Market: Agents(AgentOptions{}),
			Accounts: []AccountConfig{{Name: "q", Balances: map[string]Fixed{syms[0].Base: 1000 * One, "USDT": 100_000_000 * One}}},
		}, rec)
		if err != nil {
			t.Fatal(err)
		}
		in := x.byName[symbol]
		qty := in.lot
		for mul(qty, in.sym.StartPrice) < 20*One {
			qty += in.lot
		}
		live := [3]int64{}
		var first Micros
		for now := testStart; now < testStart+60*second; now += 200 * millisecond {
			x.Advance(now)
			top, _ := x.BookTicker(symbol)
			for _, side := range []Side{Buy, Sell} {
				price := top.Bid.Price
				if side == Sell {
					price = top.Ask.Price
				}
				if live[side] != 0 {
					o, rej := x.Order(0, symbol, Some(live[side]), "")
					if rej != nil {
						t.Fatal(rej)
					}
					if o.ExecutedQty > 0 && first == 0 {
						first = now
					}
					if !o.Status.Ended() && o.Price == price {
						continue
					}
					if !o.Status.Ended() {
						if _, rej := x.Cancel(now, 0, &CancelRequest{Symbol: symbol, OrderID: Some(o.OrderID)}); rej != nil {
							t.Fatal(rej)
						}
					}
				}
				live[side] = 0
				rep, rej := x.Place(now, 0, &NewOrder{Symbol: symbol, Side: side, Type: LimitMakerOrder, Price: Some(price), Quantity: Some(qty)})
				if rej == nil {
					live[side] = rep.OrderID
				} else if rej.Code != -2010 {
					t.Fatalf("%s: %v", symbol, rej)
				}
			}
			if err := checkInvariants(x); err != nil {
				t.Fatal(err)
			}
		}
		fills, _ := x.MyTrades(0, symbol, TradeQuery{Limit: 1000})
		t.Logf("%s: %d fills in 60 s, the first seen after %.1f s", symbol, len(fills), float64(first-testStart)/1e6)
		if first == 0 || first-testStart > 15*second || len(fills) < 8 {
			t.Errorf("%s: got %d fills in 60 s, the first after %.1f s; want at least 8 and one within 15 s", symbol, len(fills), float64(first-testStart)/1e6)
		}
		for i := range fills {
			if !fills[i].IsMaker {
				t.Errorf("%s: post-only order took: %+v", symbol, fills[i])
			}
		}
	}
}
