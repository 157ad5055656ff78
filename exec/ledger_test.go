package exec

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"riposte/core"
)

func ledgerTable(t rapid.TB) *core.Instruments {
	t.Helper()
	table := core.NewInstruments()
	for _, s := range [][2]string{{"BTC", "USDT"}, {"ETH", "BTC"}, {"ETH", "USDT"}} {
		if _, err := table.Add(core.Instrument{Symbol: s[0] + s[1], Base: table.Asset(s[0]), Quote: table.Asset(s[1])}); err != nil {
			t.Fatal(err)
		}
	}
	table.Asset("BNB")
	return table
}

// TestLedgerEqualsAWalletInBigNumbers books random fills with fees in changing
// assets and compares with an account kept in rational numbers.
func TestLedgerEqualsAWalletInBigNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := ledgerTable(t)
		l := NewLedger(table)
		assets := len(table.Assets)
		wallet := make([]*big.Rat, assets)
		var opening []core.Balance
		for a := range assets {
			free, locked := rapid.Int64Range(0, 1e15).Draw(t, "free"), rapid.Int64Range(0, 1e12).Draw(t, "locked")
			opening = append(opening, core.Balance{Asset: core.AssetID(a), Free: core.Amount(free), Locked: core.Amount(locked)})
			wallet[a] = big.NewRat(free+locked, core.Scale)
		}
		l.Open(opening)
		add := func(a core.AssetID, v int64, sign int64) {
			wallet[a].Add(wallet[a], big.NewRat(sign*v, core.Scale))
		}
		for range rapid.IntRange(0, 60).Draw(t, "fills") {
			in := table.Get(core.InstrumentID(rapid.IntRange(0, 2).Draw(t, "instrument")))
			r := core.Report{Kind: core.ReportFill, Instrument: in.ID, Side: core.Side(rapid.IntRange(0, 1).Draw(t, "side")),
				Qty: core.Qty(rapid.Int64Range(1, 1e12).Draw(t, "qty")), Quote: core.Amount(rapid.Int64Range(0, 1e12).Draw(t, "quote")),
				Fee: core.Amount(rapid.Int64Range(0, 1e9).Draw(t, "fee")), FeeAsset: core.AssetID(rapid.IntRange(0, assets-1).Draw(t, "fee asset"))}
			l.Fill(&r)
			add(in.Base, int64(r.Qty), r.Side.Sign())
			add(in.Quote, int64(r.Quote), -r.Side.Sign())
			add(r.FeeAsset, int64(r.Fee), -1)
			if rapid.IntRange(0, 9).Draw(t, "move") == 0 {
				d := rapid.Int64Range(-1e9, 1e9).Draw(t, "delta")
				l.External(r.FeeAsset, core.Amount(d), "deposit")
				add(r.FeeAsset, d, 1)
			}
		}
		var told []core.Balance
		for a := range assets {
			v := new(big.Rat).Mul(wallet[a], big.NewRat(core.Scale, 1))
			if !v.IsInt() {
				t.Fatalf("wallet of %s is not whole: %v", table.Assets[a], v)
			}
			told = append(told, core.Balance{Asset: core.AssetID(a), Free: core.Amount(v.Num().Int64())})
		}
		if m := l.Compare(nil, told, nil); len(m) != 0 {
			t.Fatalf("ledger and wallet differ: %+v", m)
		}
		l.Told(told)
		if m := l.Mismatches(nil); len(m) != 0 {
			t.Fatalf("ledger and what was told differ: %+v", m)
		}
		a := rapid.IntRange(0, assets-1).Draw(t, "wrong")
		told[a].Locked++
		l.Told(told[a : a+1])
		if m := l.Mismatches(nil); len(m) != 1 || m[0].Asset != core.AssetID(a) || m[0].Venue-m[0].Ours != 1 {
			t.Fatalf("one unit too many of asset %d is found as %+v", a, m)
		}
	})
}

func TestLedgerBeforeItsOpeningComparesNothing(t *testing.T) {
	l := NewLedger(ledgerTable(t))
	bs := []core.Balance{{Asset: 0, Free: 5}}
	l.Told(bs)
	if m := append(l.Mismatches(nil), l.Compare(nil, bs, nil)...); len(m) != 0 || l.Opened() {
		t.Errorf("found %+v", m)
	}
}

func TestCommissionInAnAssetNobodyKnowsIsCounted(t *testing.T) {
	l := NewLedger(ledgerTable(t))
	l.Fill(&core.Report{Qty: 1, Fee: 1, FeeAsset: core.NoAsset})
	l.Fill(&core.Report{Qty: 1, Fee: 0, FeeAsset: core.NoAsset})
	if l.Unpriced() != 1 || l.Position(0) != 2 {
		t.Errorf("%d commissions counted, position %v", l.Unpriced(), l.Position(0))
	}
}

// TestWhatAFeeLeavesCanBeSold: bought 21, charged 0.021 of it: 20.979 is held, of which
// whole lots can be sold, whatever part of the order was filled.
func TestWhatAFeeLeavesCanBeSold(t *testing.T) {
	table := ledgerTable(t)
	in := &table.List[0]
	in.Filters.Lot, in.Filters.QtyMin = 1_000_000, 2_000_000 // 0.01, 0.02
	for qty := core.Qty(10_000); qty < 300_000_000; qty += 10_007 {
		l := NewLedger(table)
		fee := core.Amount(qty / 1000)
		l.Fill(&core.Report{Kind: core.ReportFill, Instrument: in.ID, Side: core.Buy, Qty: qty, Quote: 1, Fee: fee, FeeAsset: in.Base})
		l.Fill(&core.Report{Kind: core.ReportFill, Instrument: in.ID, Side: core.Buy, Qty: 1, Fee: 5, FeeAsset: 3}) // not in the base asset
		held := qty + 1 - core.Qty(fee)
		lots, dust := l.Sellable(in.ID)
		if l.Holding(in.ID) != held || core.Amount(held) != l.Owned(in.Base) || lots+dust != held || lots%in.Filters.Lot != 0 || lots != 0 && lots < in.Filters.QtyMin {
			t.Fatalf("of %v bought %v is held, %v can be sold, %v is dust; the wallet has %v", qty, l.Holding(in.ID), lots, dust, l.Owned(in.Base))
		}
		if dust >= in.Filters.QtyMin {
			t.Fatalf("%v of %v is called dust, want less than %v", dust, held, in.Filters.QtyMin)
		}
		l.Fill(&core.Report{Kind: core.ReportFill, Instrument: in.ID, Side: core.Sell, Qty: lots, Quote: 1, FeeAsset: core.NoAsset})
		if again, _ := l.Sellable(in.ID); again != 0 {
			t.Fatalf("after the exit %v more can be sold", again)
		}
	}
}
