package exchange

import (
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// recording opens a file of the recordings; false if they are not here.
func recording(t *testing.T, name string) (string, bool) {
	t.Helper()
	dir := os.Getenv("RIPOSTE_DATA")
	if dir == "" {
		dir = "../../../../shared/data"
	}
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return "", false
	}
	return path, true
}

func gunzip(t *testing.T, path string) []byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestBuiltinTableEqualsTheRecordings compares every filter of the built-in
// symbols with the recorded exchangeInfo they were taken from.
func TestBuiltinTableEqualsTheRecordings(t *testing.T) {
	modern, ok := recording(t, "rest/exchangeInfo_spot_20250807_25symbols.json.gz")
	old, ok2 := recording(t, "rest/exchangeInfo_spot_20211012.json.gz")
	if !ok || !ok2 {
		t.Skip("recordings are not here to compare the built-in table with")
	}
	bodies := map[bool][]byte{true: gunzip(t, modern), false: gunzip(t, old)}
	for i := range builtin {
		b := &builtin[i]
		want, err := LoadSymbols(bodies[b.modern], []string{b.name})
		if err != nil {
			t.Fatal(err)
		}
		got, _ := builtinSymbol(b.name)
		// Later than the recordings.
		later := func(f Filter) bool {
			return f.Type == MaxNumOrderAmends || f.Type == MaxNumOrderLists || f.Type == IcebergParts
		}
		got.Filters = slices.DeleteFunc(got.Filters, later)
		want[0].Filters = slices.DeleteFunc(want[0].Filters, later)
		byType := func(fs []Filter) []Filter {
			fs = slices.Clone(fs)
			slices.SortFunc(fs, func(a, b Filter) int { return int(a.Type) - int(b.Type) })
			return fs
		}
		if d := cmp.Diff(byType(want[0].Filters), byType(got.Filters)); d != "" {
			t.Errorf("%s: filters differ (-recorded +built-in)\n%s", b.name, d)
		}
		if got.Base != want[0].Base || got.Quote != want[0].Quote || got.Status != want[0].Status || got.MarginTrading != want[0].MarginTrading {
			t.Errorf("%s: got %+v, want %+v", b.name, got, want[0])
		}
	}
}

func TestLoadSymbolsReadsWholeRecordings(t *testing.T) {
	path, ok := recording(t, "rest/exchangeInfo_spot_20211012.json.gz")
	if !ok {
		t.Skip("recordings are not here; TestLoadSymbolsReadsBothSchemas reads a short one")
	}
	all, err := LoadSymbols(gunzip(t, path), nil)
	if err != nil || len(all) != 1695 {
		t.Fatalf("got %d symbols, %v; want 1695", len(all), err)
	}
	for i := range all {
		if all[i].Status == Trading && (all[i].Tick() <= 0 || all[i].Lot() <= 0) {
			t.Errorf("%s: trading with tick %d and lot %d", all[i].Name, all[i].Tick(), all[i].Lot())
		}
	}
	if _, err := New(Config{Start: testStart, Symbols: all}, nil); err != nil {
		t.Errorf("an exchange of all recorded symbols: %v", err)
	}
}

const bothSchemas = `{"timezone":"UTC","symbols":[
{"symbol":"OLDUSDT","status":"TRADING","baseAsset":"OLD","baseAssetPrecision":8,"quoteAsset":"USDT","quotePrecision":8,"quoteAssetPrecision":8,
 "orderTypes":["LIMIT","MARKET","FUTURE_TYPE"],"icebergAllowed":true,"filters":[
 {"filterType":"PRICE_FILTER","minPrice":"0.00000100","maxPrice":"922327.00000000","tickSize":"0.00000100"},
 {"filterType":"PERCENT_PRICE","multiplierUp":"5","multiplierDown":"0.2","avgPriceMins":5},
 {"filterType":"MIN_NOTIONAL","minNotional":"0.00010000","applyToMarket":true,"avgPriceMins":5},
 {"filterType":"NOT_YET_INVENTED","x":1}],"permissions":["SPOT","MARGIN"]},
{"symbol":"NEWUSDT","status":"BREAK","baseAsset":"NEW","quoteAsset":"USDT","baseAssetPrecision":6,"quoteAssetPrecision":4,"orderTypes":["LIMIT_MAKER"],
 "amendAllowed":false,"cancelReplaceAllowed":false,"permissionSets":[["SPOT"],["A","B"]],"defaultSelfTradePreventionMode":"NONE",
 "allowedSelfTradePreventionModes":["NONE","TRANSFER"],"filters":[
 {"filterType":"NOTIONAL","minNotional":"5.00000000","applyMinToMarket":true,"maxNotional":"9000000.00000000","applyMaxToMarket":true,"avgPriceMins":1},
 {"filterType":"MAX_POSITION","maxPosition":"10.00000000"},{"filterType":"MAX_NUM_ORDERS","maxNumOrders":200},
 {"filterType":"TRAILING_DELTA","minTrailingAboveDelta":10,"maxTrailingAboveDelta":2000,"minTrailingBelowDelta":11,"maxTrailingBelowDelta":2001}]}]}`

func TestLoadSymbolsReadsBothSchemas(t *testing.T) {
	got, err := LoadSymbols([]byte(bothSchemas), []string{"NEWUSDT", "OLDUSDT"})
	if err != nil {
		t.Fatal(err)
	}
	n, o := got[0], got[1]
	if n.Name != "NEWUSDT" || n.Status != Break || n.BasePrecision != 6 || n.QuotePrecision != 4 || n.Amend || n.CancelReplace ||
		n.DefaultSTP != STPNone || len(n.AllowedSTP) != 2 || len(n.PermissionSets) != 2 {
		t.Errorf("new schema: got %+v", n)
	}
	want := []Filter{
		{Type: Notional, MinNotional: fx("5"), MaxNotional: fx("9000000"), ApplyMinToMarket: true, ApplyMaxToMarket: true, AvgPriceMins: 1},
		{Type: MaxPosition, MaxPosition: fx("10")}, {Type: MaxNumOrders, Limit: 200},
		{Type: TrailingDelta, MinAboveDelta: 10, MaxAboveDelta: 2000, MinBelowDelta: 11, MaxBelowDelta: 2001},
	}
	if d := cmp.Diff(want, n.Filters); d != "" {
		t.Errorf("new schema (-want +got)\n%s", d)
	}
	if len(o.OrderTypes) != 2 || len(o.Filters) != 3 || !o.Amend || !o.CancelReplace || o.DefaultSTP != STPExpireMaker || o.PermissionSets[0][1] != "MARGIN" {
		t.Errorf("old schema: got %+v", o)
	}
}

func TestLoadSymbolsNamesWhatIsWrong(t *testing.T) {
	for _, c := range []struct{ body, symbol, want string }{
		{`{`, "", "cannot read exchangeInfo"},
		{`{"symbols":[]}`, "X", `cannot load symbol "X"`},
		{`{"symbols":[{"symbol":"X"}]}`, "X", "is empty"},
		{`{"symbols":[{"symbol":"X","baseAsset":"A","quoteAsset":"B","filters":[{"filterType":"PRICE_FILTER","tickSize":"1x"}]}]}`, "X", `PRICE_FILTER.tickSize: got "1x"`},
		{`{"symbols":[{"symbol":"X","baseAsset":"A","quoteAsset":"B","filters":[7]}]}`, "X", "cannot read filter"},
	} {
		if _, err := LoadSymbols([]byte(c.body), []string{c.symbol}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error with %q", c.body, err, c.want)
		}
	}
	if _, err := BuiltinSymbols("NOPE"); err == nil {
		t.Error("unknown built-in symbol: got no error")
	}
}

func TestNewRefusesABadConfig(t *testing.T) {
	good := func() Config { return Config{Start: testStart, Symbols: []Symbol{testSymbol()}} }
	for _, c := range []struct {
		name   string
		change func(*Config)
	}{
		{"no start", func(c *Config) { c.Start = 0 }},
		{"no symbols", func(c *Config) { c.Symbols = nil }},
		{"symbol twice", func(c *Config) { c.Symbols = append(c.Symbols, c.Symbols[0]) }},
		{"symbol without assets", func(c *Config) { c.Symbols[0].Base = "" }},
		{"exchange filter on a symbol", func(c *Config) { c.Symbols[0].Filters = []Filter{{Type: ExchangeMaxNumOrders}} }},
		{"symbol filter on the exchange", func(c *Config) { c.ExchangeFilters = []Filter{{Type: LotSize}} }},
		{"negative balance", func(c *Config) { c.Accounts = []AccountConfig{{Balances: map[string]Fixed{"BTC": -1}}} }},
		{"more than can exist", func(c *Config) {
			c.Accounts = []AccountConfig{{Balances: map[string]Fixed{"BTC": 1 << 61}}, {Balances: map[string]Fixed{"BTC": 1 << 61}}}
		}},
		{"commission of 100 %", func(c *Config) { c.Accounts = []AccountConfig{{MakerRate: One}} }},
		{"tape without events", func(c *Config) { c.Market = Tape(TapeOptions{}) }},
	} {
		cfg := good()
		c.change(&cfg)
		if _, err := New(cfg, nil); err == nil {
			t.Errorf("%s: got no error", c.name)
		}
	}
	if _, err := New(good(), nil); err != nil {
		t.Error(err)
	}
}

func FuzzLoadSymbolsNeverPanics(f *testing.F) {
	f.Add([]byte(bothSchemas))
	f.Add([]byte(`{"symbols":[{"symbol":"X","baseAsset":"A","quoteAsset":"B","filters":[{"filterType":"LOT_SIZE","minQty":1}]}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if syms, err := LoadSymbols(b, nil); err == nil {
			for i := range syms {
				if syms[i].Tick() < 0 || syms[i].Lot() < 0 {
					t.Fatalf("negative grid in %+v", syms[i])
				}
			}
		}
	})
}
