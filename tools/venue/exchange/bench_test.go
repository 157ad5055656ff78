package exchange

import (
	"testing"
)

// benchExchange is a BTCUSDT market of agents with a bystander account.
func benchExchange(b testing.TB, names ...string) *Exchange {
	syms, err := BuiltinSymbols(names...)
	if err != nil {
		b.Fatal(err)
	}
	x, err := New(Config{
		Seed: 1, Start: testStart, Symbols: syms, Market: Agents(AgentOptions{}), OrdersKept: 1000,
		Accounts: []AccountConfig{{Name: "b", Balances: map[string]Fixed{"BTC": 1000 * One, "USDT": 100_000_000 * One}}},
	}, nil)
	if err != nil {
		b.Fatal(err)
	}
	return x
}

// BenchmarkPlaceCancel is a post-only order 50 bps from the touch and its
// cancel, in the book of agents, without any market event in between.
func BenchmarkPlaceCancel(b *testing.B) {
	x := benchExchange(b, "BTCUSDT")
	r := ticket("BUY LIMIT_MAKER 0.01@61500")
	b.ReportAllocs()
	for b.Loop() {
		rep, rej := x.Place(testStart, 0, r)
		if rej != nil {
			b.Fatal(rej)
		}
		if _, rej := x.Cancel(testStart, 0, &CancelRequest{Symbol: "BTCUSDT", OrderID: Some(rep.OrderID)}); rej != nil {
			b.Fatal(rej)
		}
	}
}

// BenchmarkTake is a MARKET order against the touch with its trades and reports;
// a post-only order puts the quantity back.
func BenchmarkTake(b *testing.B) {
	d := newDesk(b, nil)
	orders := [2][2]*NewOrder{ // turn by turn, so that nobody runs out of funds
		{ticket("SELL LIMIT_MAKER 0.01@61500"), ticket("BUY MARKET 0.01")},
		{ticket("BUY LIMIT_MAKER 0.01@61500"), ticket("SELL MARKET 0.01")},
	}
	turn := 0
	d.x.sink = Discard{}
	d.x.keepLedger = false
	b.ReportAllocs()
	for b.Loop() {
		turn = 1 - turn
		if _, rej := d.x.Place(testStart, 0, orders[turn][0]); rej != nil {
			b.Fatal(rej)
		}
		if rep, rej := d.x.Place(testStart, 1, orders[turn][1]); rej != nil || rep.Status != StatusFilled {
			b.Fatal(rep, rej)
		}
	}
}

// BenchmarkAdvanceSecond is one second of market, with a 100 ms depth cursor per
// symbol, as the sockets drive it. One op of a real-time venue per second: ns/op
// over 1e9 is the share of a core.
func BenchmarkAdvanceSecond(b *testing.B) {
	for _, c := range []struct {
		name    string
		symbols []string
	}{
		{"BTCUSDT", []string{"BTCUSDT"}},
		{"5majors", []string{"BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT", "XRPUSDT"}},
		{"all", nil},
	} {
		b.Run(c.name, func(b *testing.B) {
			x := benchExchange(b, c.symbols...)
			var cursors []*DepthCursor
			for _, s := range x.names {
				cur, _ := x.NewDepthCursor(s)
				cursors = append(cursors, cur)
			}
			now := testStart
			b.ReportAllocs()
			for b.Loop() {
				for range 10 {
					now += 100 * millisecond
					x.Advance(now)
					for _, cur := range cursors {
						x.FlushDepth(cur)
					}
				}
			}
		})
	}
}

// TestBenchmarksRun keeps the benchmarks' set-up working.
func TestBenchmarksRun(t *testing.T) {
	x := benchExchange(t, "BTCUSDT", "ETHUSDT")
	x.Advance(testStart + second)
	if _, rej := x.Place(x.Now(), 0, ticket("BUY LIMIT_MAKER 0.01@61500")); rej != nil {
		t.Fatal(rej)
	}
}
