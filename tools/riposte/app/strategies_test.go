package app

import (
	"slices"
	"strings"
	"testing"

	"riposte/core"
	"riposte/core/risk"
)

// two is a configuration of two strategies over the built-in limits.
const two = `
[strategies.maker]
kind = "quoter"
symbols = ["ETHUSDT", "BTCUSDT"]
params = { half_spread_bps = 2.0 }
position_max = { BTCUSDT = "0.02" }
gross_max = "5000"
loss_max = "50"
rate_max = 10
rate_span = "1s"
[strategies.jumpy]
kind = "reflex"
symbols = ["BTCUSDT"]
[account]
currency = "USDT"
gross_max = "25000"
loss_max = "200"
drawdown_max = "200"
[limits.BTCUSDT]
qty_max = "0.01"
notional_max = "1500"
position_max = "0.05"
[limits.ETHUSDT]
qty_max = "0.2"
notional_max = "1500"
position_max = "1"
`

func TestSeveralStrategiesAreReadWithTheirBudgets(t *testing.T) {
	c, err := parseConfig("two.toml", []byte(two))
	if err != nil {
		t.Fatal(err)
	}
	if names := c.strategyNames(); !slices.Equal(names, []string{"jumpy", "maker"}) {
		t.Errorf("the strategies are %q, want them in the order of their names", names)
	}
	if syms := c.traded(); !slices.Equal(syms, []string{"BTCUSDT", "ETHUSDT"}) {
		t.Errorf("traded are %q, want each symbol once, in the market's order", syms)
	}
	table := core.NewInstruments()
	for _, sym := range c.Market.Symbols {
		base, quote := sym[:3], sym[3:]
		if _, err := table.Add(core.Instrument{Symbol: sym, Base: table.Asset(base), Quote: table.Asset(quote), Filters: core.Filters{Tick: 1, Lot: 1}}); err != nil {
			t.Fatal(err)
		}
	}
	tr, err := c.trading(table)
	if err != nil {
		t.Fatal(err)
	}
	var seats []uint16
	for id := range tr.seats {
		for _, s := range tr.seats[id] {
			seats = append(seats, uint16(id), s.Number)
		}
	}
	if !slices.Equal(seats, []uint16{0, 0, 0, 1, 1, 1}) || len(tr.traded) != 2 {
		t.Errorf("seats by instrument and number are %v, %d instruments are traded; want both on the first and maker on the second", seats, len(tr.traded))
	}
	b := c.Several["maker"]
	got := b.budget("maker", table)
	want := risk.Budget{Name: "maker", GrossMax: 5000 * core.Scale, LossMax: 50 * core.Scale, RateMax: 10, RateSpan: 1e9}
	if got.Name != want.Name || got.GrossMax != want.GrossMax || got.LossMax != want.LossMax || got.RateMax != want.RateMax || got.RateSpan != want.RateSpan ||
		len(got.PositionMax) != 1 || got.PositionMax[0] != core.Scale/50 {
		t.Errorf("the budget is %+v, want %+v and 0.02 of BTCUSDT", got, want)
	}
}

func TestOneFormOfStrategiesOrTheOther(t *testing.T) {
	if c, err := parseConfig("a.toml", defaultTOML, "strategy.name=", "strategies.a.kind=reflex", `strategies.a.symbols=["BTCUSDT"]`); err != nil || len(c.traded()) != 1 {
		t.Errorf("an empty name beside strategies: %v", err)
	}
	if c, err := parseConfig("a.toml", []byte("[venue]\nenvironment = \"sim\"\n[strategy]\nname = \"\"\n")); err != nil || c.Strategy.Name != "" || c.traded() != nil {
		t.Errorf("watching only: %v", err)
	}
	for name, c := range map[string]struct{ edit, want string }{
		"both":     {"[strategy]\nname = \"quoter\"\n" + two, `strategy.name is "quoter" beside strategies.jumpy`},
		"kind":     {strings.Replace(two, `"reflex"`, `"reflux"`, 1), `strategies.jumpy.kind: cannot find strategy "reflux"`},
		"symbol":   {strings.Replace(two, `symbols = ["BTCUSDT"]`, `symbols = ["LTCBTC", "XRPBTC"]`, 1), `strategies.jumpy.symbols is "XRPBTC"`},
		"twice":    {strings.Replace(two, `symbols = ["BTCUSDT"]`, `symbols = ["BTCUSDT", "BTCUSDT"]`, 1), `each once`},
		"position": {strings.Replace(two, `{ BTCUSDT = "0.02" }`, `{ LTCBTC = "0.02" }`, 1), `strategies.maker.position_max is "LTCBTC"`},
		"loss":     {strings.Replace(two, `loss_max = "50"`, `loss_max = "-50"`, 1), `number is negative`},
		"span":     {strings.Replace(two, `rate_span = "1s"`, `rate_span = "0s"`, 1), `strategies.maker.rate_span is 0s`},
		"limits":   {strings.Replace(two, `[limits.ETHUSDT]`, `[limits.LTCBTC]`, 1), `limits.ETHUSDT is missing`},
		"name":     {strings.Replace(two, `strategies.jumpy`, `strategies."a b"`, 1), `strategies.a b has no good name`},
		"unknown":  {strings.Replace(two, `gross_max = "5000"`, `grossmax = "5000"`, 1), `grossmax`},
	} {
		if _, err := parseConfig("x.toml", []byte(c.edit)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q in it", name, err, c.want)
		}
	}
}

func TestAStrategyFollowsOnlySignalsThatThereAre(t *testing.T) {
	follows := func(words string) error {
		c, err := parseConfig("x.toml", defaultTOML, "strategy.name=", "strategies.a.kind=follower", `strategies.a.symbols=["BTCUSDT"]`,
			"strategies.a.params.signals="+words, "signals.up.on=event", "signals.up.when=spread() < 2", "signals.up.direction=buy", "signals.up.horizon=1s")
		if err != nil {
			t.Fatal(err)
		}
		table := core.NewInstruments()
		if _, err := table.Add(core.Instrument{Symbol: "BTCUSDT", Base: table.Asset("BTC"), Quote: table.Asset("USDT"), Filters: core.Filters{Tick: 1, Lot: 1}}); err != nil {
			t.Fatal(err)
		}
		_, err = c.trading(table)
		return err
	}
	if err := follows(`["up"]`); err != nil {
		t.Errorf("a rule's name: %v", err)
	}
	if err := follows(`["up", "upp"]`); err == nil || !strings.Contains(err.Error(), `strategy a follows "upp", want a name that [signals.upp] or [sources.upp] has`) {
		t.Errorf("got %v, want upp named", err)
	}
}
