package path

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"riposte/bench"
)

// RiposteOptions vary how the engine runs.
type RiposteOptions struct {
	Name    string
	Binary  string
	Dir     string // for config, key, CA file and journal
	Threads string // inline or pinned
	Wait    string // spin or park
	CPUs    []int  // by thread; none leaves them where the process is
	Wires   int
	Journal bool
	Profile string   // passed on
	Args    []string // passed on
}

// Riposte is the engine: reflex on the one symbol, limits wide open.
func Riposte(o RiposteOptions, a *bench.Authority) Subject {
	return Command(o.Name, false, func(s *Server) ([]string, error) {
		config, err := o.write(s, a)
		if err != nil {
			return nil, fmt.Errorf("cannot set riposte up: %w", err)
		}
		list := []string{o.Binary, "run", "--json", "--config", config}
		if o.Profile != "" {
			list = append(list, "--profile", o.Profile)
		}
		return append(list, o.Args...), nil
	})
}

func (o *RiposteOptions) write(s *Server, a *bench.Authority) (config string, err error) {
	key := filepath.Join(o.Dir, "key")
	if err := os.WriteFile(key, []byte(bench.TestKeyFile), 0o600); err != nil {
		return "", err
	}
	ca := ""
	if a != nil {
		ca = filepath.Join(o.Dir, "ca.pem")
		if err := os.WriteFile(ca, a.PEM(), 0o600); err != nil {
			return "", err
		}
	}
	journal := ""
	if o.Journal {
		journal = filepath.Join(o.Dir, "journal")
	}
	cpus := make([]string, len(o.CPUs))
	for i, c := range o.CPUs {
		cpus[i] = strconv.Itoa(c)
	}
	symbols := make([]string, len(s.markets))
	for i, m := range s.markets {
		symbols[i] = strconv.Quote(m.Symbol)
	}
	streams := `"depth@100ms", "bookTicker"`
	if len(symbols) > 1 {
		streams += `, "trade"`
	}
	rest, stream, api := s.URLs()
	config = filepath.Join(o.Dir, "riposte.toml")
	return config, os.WriteFile(config, fmt.Appendf(nil, riposteConfig, rest, stream, api, ca, key, strings.Join(symbols, ", "), streams, o.Threads, o.Wait,
		strings.Join(cpus, ", "), o.Wires, journal), 0o600)
}

const riposteConfig = `[venue]
environment = "sim"
rest = %q
stream = %q
ws_api = %q
ca_file = %q
key_file = %q
recv_window = "5s"

[market]
symbols = [%s]
streams = [%s]

[strategy]
name = "reflex"
symbols = ["` + Symbol + `"]
[strategy.params]
tif = "IOC"
keep = 1000

[limits.` + Symbol + `]
qty_max = "1000"
notional_max = "100000000"
position_max = "1000"
open_max = 1000
collar_bps = 10000
stale_after = "1h"
drift_bps = 0
repeat_max = 0
execution_max = 0

[exec]
route = "rest"

[store]
enabled = false

[budget]
dir = "none"

[account]
currency = "USDT"
gross_max = "1000000000"
loss_max = "1000000000"
drawdown_max = "1000000000"
unknown_max = 1000
strategy_rate_max = 0
message_max = 0
losses_max = 0
ratio_max = 0
duplicate_span = "0s"
clock_error_max = "1m"
audit_age_max = "0s"
rules_age_max = "0s"
reject_span_max = 0
open_max = 1000
rate_max = 100000
rate_span = "100ms"
reject_max = 1000000

[loop]
threads = %q
wait = %q
cpus = [%s]
order_wires = %d
cancel_wires = 1

[journal]
dir = %q
`
