package core

import (
	"fmt"
	"strings"
	"testing"
)

func TestInstrumentsGiveDenseIds(t *testing.T) {
	table := NewInstruments()
	for i, symbol := range []string{"BTCUSDT", "1000SATSUSDT", "BTCUSDT_210924", "币安人生USDT"} {
		id, err := table.Add(Instrument{ID: 99, Symbol: symbol, Base: table.Asset("BTC"), Quote: table.Asset("USDT")})
		if err != nil || int(id) != i {
			t.Fatalf("%s got id %d, %v, want %d", symbol, id, err, i)
		}
		in, ok := table.Lookup(symbol)
		if !ok || in.ID != id || in != table.Get(id) || in.Symbol != symbol {
			t.Fatalf("%s is found as %+v, %v", symbol, in, ok)
		}
		if in.Base != 0 || in.Quote != 1 {
			t.Fatalf("assets of %s are %d and %d, want 0 and 1", symbol, in.Base, in.Quote)
		}
	}
	if _, ok := table.Lookup("btcusdt"); ok {
		t.Error("a symbol was found in lower case")
	}
	if name := table.AssetName(1); name != "USDT" || table.AssetName(NoAsset) != "" {
		t.Errorf("asset 1 is %q, none is %q", name, table.AssetName(NoAsset))
	}
	if id, ok := table.AssetID("USDT"); !ok || id != 1 {
		t.Errorf("USDT is %d, %v", id, ok)
	}
	if _, ok := table.AssetID("ETH"); ok || len(table.Assets) != 2 {
		t.Error("looking for an asset added it")
	}
}

func TestInstrumentsRefuseDoublesAndBlanks(t *testing.T) {
	table := NewInstruments()
	if _, err := table.Add(Instrument{}); err == nil || !strings.Contains(err.Error(), "symbol is empty") {
		t.Errorf("empty symbol: %v", err)
	}
	if _, err := table.Add(Instrument{Symbol: "A"}); err != nil {
		t.Fatal(err)
	}
	if id, err := table.Add(Instrument{Symbol: "A"}); err == nil || id != NoInstrument || !strings.Contains(err.Error(), "A") {
		t.Errorf("double: %d, %v", id, err)
	}
	for i := 1; i < int(NoInstrument); i++ {
		if _, err := table.Add(Instrument{Symbol: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	if id, err := table.Add(Instrument{Symbol: "one more"}); err == nil || id != NoInstrument {
		t.Errorf("instrument 65536 got id %d", id)
	}
}

func TestAssetNamesAreCopied(t *testing.T) {
	table := NewInstruments()
	buf := []byte("USDT")
	id := table.Asset(string(buf))
	copy(buf, "XXXX")
	if got, ok := table.AssetID("USDT"); !ok || got != id || table.AssetName(id) != "USDT" {
		t.Errorf("asset is %q", table.AssetName(id))
	}
	if got := testing.AllocsPerRun(100, func() { table.AssetID(string(buf)) }); got != 0 {
		t.Errorf("%v allocations to look an asset up, want 0", got)
	}
}

func TestStatusesHaveTheVenuesNames(t *testing.T) {
	want := "UNKNOWN TRADING HALT BREAK CANCEL_ONLY END_OF_DAY"
	got := make([]string, 0, 6)
	for s := StatusUnknown; s <= StatusEndOfDay; s++ {
		got = append(got, s.String())
	}
	if strings.Join(got, " ") != want {
		t.Errorf("%v, want %v", got, want)
	}
}
