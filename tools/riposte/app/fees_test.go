package app

import "testing"

// TestBooksBalanceWhileTheFeeAssetChanges: commissions in BNB are switched on and off while
// the engine trades; answers, user stream and queries must lead to the venue's balances to
// the last unit all the same.
func TestBooksBalanceWhileTheFeeAssetChanges(t *testing.T) {
	d := started(t, simConfig(t))
	wait(t, "settled", d, settled)
	const want = 3 // fills of either kind
	on := false
	wait(t, "fills with both kinds of commission", d, func(*report) bool {
		on = !on
		if err := d.sim.SetPayBNB("", on); err != nil {
			t.Fatal(err)
		}
		trades, err := d.sim.Trades("")
		if err != nil {
			t.Fatal(err)
		}
		bnb, other := 0, 0
		for i := range trades {
			if trades[i].CommissionAsset == "BNB" && trades[i].Symbol != "BNBBTC" {
				bnb++
			} else if trades[i].CommissionAsset != "BNB" {
				other++
			}
		}
		return bnb >= want && other >= want
	})
	finish(t, d)
}
