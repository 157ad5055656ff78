package sql

import (
	"context"
	"math/big"
	"os"
	"testing"

	"pgregory.net/rapid"

	"riposte/core"
)

// naive is a model that keeps everything and computes at the end, in numbers without end.
type naive struct {
	orders []modelOrder
	fills  map[string]map[int64]core.Report
	order  []core.Report // fills booked, in their order
}

type modelOrder struct {
	symbol int
	status core.OrderStatus
	cum    core.Qty
	side   core.Side
	qty    core.Qty
}

// TestRowsEqualANaiveModel draws journals: orders, what becomes of them, the same told
// again, restarts in the middle, batches of any size.
func TestRowsEqualANaiveModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "riposte-sql-")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		b := newTape(t, dir)
		b.begin(7)
		m := naive{fills: map[string]map[int64]core.Report{}}
		var w *Writer
		tell := func(i int, r core.Report) {
			o := &m.orders[i]
			r.ID, r.Instrument, r.Side, r.Cum = core.OrderID(i+1), core.InstrumentID(o.symbol), o.side, o.cum
			if r.Kind != core.ReportFill {
				r.TradeID, r.FeeAsset = -1, core.NoAsset
			}
			for range rapid.IntRange(1, 2).Draw(t, "times told") {
				b.tell(r)
			}
			if r.Kind == core.ReportFill {
				m.order = append(m.order, r)
			}
			o.status = r.Status
		}
		trade := int64(0)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			i := -1
			if n := len(m.orders); n > 0 {
				i = rapid.IntRange(0, n-1).Draw(t, "order")
			}
			switch step := rapid.IntRange(0, 9).Draw(t, "step"); {
			case step == 0 && w != nil && rapid.Bool().Draw(t, "ends"):
				b.flush()
				if err := w.Close(); err != nil {
					t.Fatal(err)
				}
				w = nil
			case step == 0:
				b.flush()
				if w == nil {
					w = caughtUp(t, dir)
				} else if _, err := w.CatchUp(context.Background()); err != nil {
					t.Fatal(err)
				}
			case step == 1:
				b.file()
			case step <= 4 || i < 0:
				o := modelOrder{symbol: rapid.IntRange(0, 1).Draw(t, "symbol"), side: core.Side(rapid.IntRange(0, 1).Draw(t, "side")),
					qty: core.Qty(rapid.Int64Range(1, 1e12).Draw(t, "qty"))}
				m.orders = append(m.orders, o)
				b.place(7, len(m.orders), tapeSymbols[o.symbol].Symbol, o.side, core.Price(rapid.Int64Range(1, 1e12).Draw(t, "price")), o.qty)
			case m.orders[i].status.Terminal():
			case step <= 7 && m.orders[i].cum < m.orders[i].qty:
				o := &m.orders[i]
				part := core.Qty(rapid.Int64Range(1, int64(o.qty-o.cum)).Draw(t, "part"))
				o.cum += part
				trade++
				tell(i, core.Report{Kind: core.ReportFill, Status: core.PartiallyFilled, TradeID: trade, Qty: part, Price: 1,
					Quote: core.Amount(rapid.Int64Range(0, 1e14).Draw(t, "quote")), Fee: core.Amount(rapid.Int64Range(0, int64(part)).Draw(t, "fee")),
					FeeAsset: core.AssetID(rapid.IntRange(0, 3).Draw(t, "fee asset"))})
			case step == 8:
				tell(i, core.Report{Kind: core.ReportDone, Status: rapid.SampledFrom([]core.OrderStatus{core.Canceled, core.Expired, core.Filled}).Draw(t, "end")})
			default:
				tell(i, core.Report{Kind: core.ReportAck, Status: core.New})
			}
		}
		b.flush()
		if w != nil {
			if _, err := w.CatchUp(context.Background()); err != nil {
				t.Fatal(err)
			}
		} else {
			w = caughtUp(t, dir)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		m.compare(t, dir)
	})
}

func (m *naive) compare(t *rapid.T, dir string) {
	orders := rows(t, dir, (*Reader).Orders, Query{})
	if len(orders) != len(m.orders) {
		t.Fatalf("%d orders, want %d", len(orders), len(m.orders))
	}
	for i, o := range orders {
		want := m.orders[i]
		if string(o.Status) != want.status.String() || o.Cum != want.cum || o.Qty != want.qty || o.Symbol != tapeSymbols[want.symbol].Symbol {
			t.Fatalf("order %d is %+v, want %+v", i+1, o, want)
		}
	}
	fills := rows(t, dir, (*Reader).Fills, Query{})
	if len(fills) != len(m.order) {
		t.Fatalf("%d fills, want %d", len(fills), len(m.order))
	}
	for i, f := range fills {
		if r := m.order[i]; f.Trade != r.TradeID || f.Qty != r.Qty || f.Quote != r.Quote || f.Fee != r.Fee || f.FeeAsset != tapeAssets[r.FeeAsset] || f.Client != orders[r.ID-1].Client {
			t.Fatalf("fill %d is %+v, want %+v", i, f, r)
		}
	}
	for s := range tapeSymbols {
		m.comparePosition(t, dir, s)
	}
	owned := map[string]*big.Int{}
	for _, a := range tapeAssets {
		owned[a] = new(big.Int)
	}
	for _, r := range m.order {
		in := tapeSymbols[r.Instrument]
		sign := big.NewInt(r.Side.Sign())
		owned[tapeAssets[in.Base]].Add(owned[tapeAssets[in.Base]], new(big.Int).Mul(sign, big.NewInt(int64(r.Qty))))
		owned[tapeAssets[in.Quote]].Sub(owned[tapeAssets[in.Quote]], new(big.Int).Mul(sign, big.NewInt(int64(r.Quote))))
		owned[tapeAssets[r.FeeAsset]].Sub(owned[tapeAssets[r.FeeAsset]], big.NewInt(int64(r.Fee)))
	}
	for _, bal := range rows(t, dir, (*Reader).Balances, Query{}) {
		if owned[bal.Asset].Cmp(big.NewInt(int64(bal.Owned))) != 0 {
			t.Fatalf("%s: owned %v, want %v", bal.Asset, bal.Owned, owned[bal.Asset])
		}
		delete(owned, bal.Asset)
	}
	for a, v := range owned {
		if v.Sign() != 0 {
			t.Fatalf("%s has no row, want one of %v", a, v)
		}
	}
}

// comparePosition holds a position against the average cost computed in rationals, which
// the store's may miss by less than one unit a fill.
func (m *naive) comparePosition(t *rapid.T, dir string, symbol int) {
	var net, cash, fees, n int64
	cost, realised := new(big.Rat), new(big.Rat)
	for _, r := range m.order {
		if int(r.Instrument) != symbol {
			continue
		}
		n++
		qty, quote := int64(r.Qty), new(big.Rat).SetInt64(int64(r.Quote))
		sign := r.Side.Sign()
		closed := int64(0)
		if net*sign < 0 {
			closed = min(qty, net*sign*-1)
			paid := new(big.Rat).Mul(cost, big.NewRat(closed, net*sign*-1))
			got := new(big.Rat).Mul(quote, big.NewRat(closed, qty))
			cost.Sub(cost, paid)
			quote.Sub(quote, got)
			gain := new(big.Rat).Sub(got, paid)
			if sign > 0 {
				gain.Neg(gain)
			}
			realised.Add(realised, gain)
		}
		if qty > closed {
			cost.Add(cost, quote)
		}
		net, cash = net+sign*qty, cash-sign*int64(r.Quote)
		if tapeAssets[r.FeeAsset] == tapeAssets[tapeSymbols[symbol].Base] {
			fees += int64(r.Fee)
		}
	}
	pos := rows(t, dir, (*Reader).Positions, Query{Symbol: tapeSymbols[symbol].Symbol})
	if n == 0 {
		if len(pos) != 0 {
			t.Fatalf("a position without fills: %+v", pos)
		}
		return
	}
	p := pos[0]
	if int64(p.Net) != net || int64(p.Cash) != cash || int64(p.BaseFees) != fees || p.Fills != n || int64(p.Holding) != net-fees {
		t.Fatalf("position is %+v, want net %d, cash %d, fees %d, %d fills", p, net, cash, fees, n)
	}
	near := func(got core.Amount, want *big.Rat) bool {
		d := new(big.Rat).Sub(want, new(big.Rat).SetInt64(int64(got)))
		return d.Abs(d).Cmp(big.NewRat(2*n+1, 1)) <= 0
	}
	if !near(p.Cost, cost) || !near(p.Realised, realised) {
		t.Fatalf("position is %+v, want cost %v and realised %v", p, cost.FloatString(1), realised.FloatString(1))
	}
	held := p.Cost
	if net < 0 {
		held = -held
	}
	if p.Realised != p.Cash+held {
		t.Fatalf("position is %+v: cash and cost do not add up to what is realised", p)
	}
	if net == 0 && p.Cost != 0 {
		t.Fatalf("nothing is held, and cost %v", p.Cost)
	}
}
