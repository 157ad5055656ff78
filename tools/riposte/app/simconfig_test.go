package app

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"riposte/tools/sim"
)

// worldConfig is the configuration of a plan's engine: the built-in one with what a
// simulated world needs.
func worldConfig(p *sim.Plan, dir, keyFile string) (*Config, error) {
	k := &p.Work
	var b strings.Builder
	quoted := func(list []string) string {
		var q []string
		for _, s := range list {
			q = append(q, fmt.Sprintf("%q", s))
		}
		return "[" + strings.Join(q, ", ") + "]"
	}
	fmt.Fprintf(&b, "[venue]\nrest = %q\nstream = %q\nws_api = %q\nkey_file = %q\n", "http://127.0.0.1:7000", "ws://127.0.0.1:7000", "ws://127.0.0.1:7000/ws-api/v3", keyFile)
	fmt.Fprintf(&b, "[market]\nsymbols = %s\nstreams = %s\nsnapshot_limit = 100\nqueue_events = 256\nqueue_levels = 8192\nbook_window = 1024\n", quoted(k.Symbols), quoted(k.Streams))
	fmt.Fprintf(&b, "[strategy]\nname = %q\n", "watched-"+k.Strategy)
	fmt.Fprintf(&b, "[budget]\ndir = \"none\"\n[store]\nenabled = false\n[journal]\ndir = %q\nfile_bytes = 65536\n", dir)
	for _, sym := range k.Symbols {
		fmt.Fprintf(&b, "[limits.%s]\n", sym)
		l := maps.Clone(symbolLimits[sym])
		if k.Strategy == "greedy" {
			maps.Copy(l, greedyLimits[sym])
		}
		maps.Copy(l, k.Limits)
		for _, name := range slices.Sorted(maps.Keys(l)) {
			fmt.Fprintf(&b, "%s = %s\n", name, l[name])
		}
	}
	fmt.Fprintf(&b, "[account]\ncurrency = \"USDT\"\ngross_max = \"250000\"\nloss_max = \"20000\"\ndrawdown_max = \"20000\"\n")
	var sets []string
	for _, key := range slices.Sorted(maps.Keys(k.Set)) {
		sets = append(sets, key+"="+k.Set[key])
	}
	return parseConfig("of the plan", []byte(b.String()), sets...)
}

// greedyLimits are such that one order more is soon one too many.
var greedyLimits = map[string]map[string]string{
	"BTCUSDT": {"position_max": `"0.012"`}, "ETHUSDT": {"position_max": `"0.24"`}, "BNBBTC": {"position_max": `"2.4"`},
	"LTCBTC": {"position_max": `"12"`}, "ETHBTC": {"position_max": `"0.6"`},
}

// symbolLimits let a strategy trade; plans make them narrower.
var symbolLimits = map[string]map[string]string{
	"BTCUSDT": {"qty_max": `"0.01"`, "notional_max": `"1500"`, "position_max": `"0.05"`, "open_max": "6", "collar_bps": "200", "stale_after": `"3s"`, "repeat_max": "1000"},
	"ETHUSDT": {"qty_max": `"0.2"`, "notional_max": `"1500"`, "position_max": `"1"`, "open_max": "6", "collar_bps": "200", "stale_after": `"3s"`, "repeat_max": "1000"},
	"BNBBTC":  {"qty_max": `"2"`, "notional_max": `"0.02"`, "position_max": `"10"`, "open_max": "6", "collar_bps": "200", "stale_after": `"3s"`, "repeat_max": "1000"},
	"LTCBTC":  {"qty_max": `"10"`, "notional_max": `"0.02"`, "position_max": `"50"`, "open_max": "6", "collar_bps": "200", "stale_after": `"3s"`, "repeat_max": "1000"},
	"ETHBTC":  {"qty_max": `"0.5"`, "notional_max": `"0.02"`, "position_max": `"2"`, "open_max": "6", "collar_bps": "200", "stale_after": `"3s"`, "repeat_max": "1000"},
}
