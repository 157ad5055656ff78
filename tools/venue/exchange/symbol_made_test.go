package exchange

import "testing"

func TestMadeSymbolsAreManyAndSound(t *testing.T) {
	names, err := SymbolNames(400)
	if err != nil || len(names) != 400 {
		t.Fatalf("got %d names (%v), want 400", len(names), err)
	}
	list, err := BuiltinSymbols(names...)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for i := range list {
		s := &list[i]
		if seen[s.Name] || s.Name != names[i] || s.StartPrice <= 0 || s.Tick() <= 0 || i >= len(builtin) && s.StartPrice%s.Tick() != 0 || s.Base+s.Quote != s.Name {
			t.Errorf("symbol %d is %s of %s and %s at %d with tick %d, want a new one at a multiple of its tick", i, s.Name, s.Base, s.Quote, s.StartPrice, s.Tick())
		}
		seen[s.Name] = true
	}
	for _, bad := range []string{"M0000USDT", "M5001USDT", "M001USDT", "M0001BTC", "Mx001USDT"} {
		if _, err := BuiltinSymbols(bad); err == nil {
			t.Errorf("%s was made up, want an error", bad)
		}
	}
	for _, n := range []int{0, -1, 100_000} {
		if _, err := SymbolNames(n); err == nil {
			t.Errorf("%d names were given, want an error", n)
		}
	}
}
