package exchange

import (
	"fmt"
	"strconv"
	"strings"
)

// MadeMost is how many symbols can be made up beside the built-in ones.
const MadeMost = 5000

// SymbolNames are the first n symbols that BuiltinSymbols can give: those of the table,
// then made-up ones, M0001USDT and on, for a venue with as many books as the real one.
func SymbolNames(n int) ([]string, error) {
	if n < 1 || n > len(builtin)+MadeMost {
		return nil, fmt.Errorf("cannot name %d symbols: want 1 to %d", n, len(builtin)+MadeMost)
	}
	names := make([]string, 0, n)
	for i := range min(n, len(builtin)) {
		names = append(names, builtin[i].name)
	}
	for i := 1; len(names) < n; i++ {
		names = append(names, fmt.Sprintf("M%04dUSDT", i))
	}
	return names, nil
}

// madeSymbol is a made-up symbol by its name: the filters of a small recorded one, a
// price between 0.02 and 90 and a tick that fits it.
func madeSymbol(name string) (Symbol, bool) {
	base, ok := strings.CutSuffix(name, "USDT")
	if !ok || len(base) != 5 || base[0] != 'M' {
		return Symbol{}, false
	}
	n, err := strconv.Atoi(base[1:])
	if err != nil || n < 1 || n > MadeMost {
		return Symbol{}, false
	}
	s, _ := builtinSymbol("NKNUSDT")
	s.Name, s.Base = name, base
	tick := Fixed(1_000) // 0.00001
	for range n % 4 {
		tick *= 10
	}
	s.StartPrice = tick * Fixed(2000+37*(n%191))
	price := s.filter(PriceFilter)
	price.MinPrice, price.TickSize = tick, tick
	return s, true
}
