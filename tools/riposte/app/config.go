package app

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"riposte/core"
	"riposte/tools/venue/exchange"
)

//go:embed default.toml
var defaultTOML []byte

// acknowledgement must stand in the config before anything trades real money.
const acknowledgement = "real money is at risk"

// Config is the TOML file, checked as a whole before anything dials. Each table
// of the file is one field; default.toml documents every key.
type Config struct {
	Venue    VenueConfig              `toml:"venue"`
	Sim      SimConfig                `toml:"sim"`
	Market   MarketConfig             `toml:"market"`
	Strategy StrategyConfig           `toml:"strategy"`
	Several  map[string]SeveralConfig `toml:"strategies"`
	Limits   map[string]LimitsConfig  `toml:"limits"`
	Account  AccountConfig            `toml:"account"`
	Loop     LoopConfig               `toml:"loop"`
	Journal  JournalConfig            `toml:"journal"`
	Memory   MemoryConfig             `toml:"memory"`
	Admin    AdminConfig              `toml:"admin"`
	Latency  LatencyConfig            `toml:"latency"`
	Keys     KeysConfig               `toml:"keys"`
	Budget   BudgetConfig             `toml:"budget"`
	DeadMan  DeadManConfig            `toml:"dead_man"`
	Doubt    DoubtConfig              `toml:"doubt"`
	Exec     ExecConfig               `toml:"exec"`
	Store    StoreConfig              `toml:"store"`
	Bars     BarsConfig               `toml:"bars"`
	Recovery RecoveryConfig           `toml:"recovery"`
	Signals  map[string]SignalConfig  `toml:"signals"`
	Record   RecordConfig             `toml:"record"`
	Sources  map[string]SourceConfig  `toml:"sources"`
	Airlock  AirlockConfig            `toml:"airlock"`
	Score    ScoreConfig              `toml:"score"`

	hash  [sha256.Size]byte // of the file's bytes and what was set beside them
	text  []byte            // the file's
	sets  []string
	texts [][]byte // the same, for errors that show a place
}

// VenueConfig is [venue].
type VenueConfig struct {
	Environment string   `toml:"environment"`
	Acknowledge string   `toml:"acknowledge"`
	REST        string   `toml:"rest"`
	Stream      string   `toml:"stream"`
	WSAPI       string   `toml:"ws_api"`
	CAFile      string   `toml:"ca_file"`
	KeyFile     string   `toml:"key_file"`
	TimeUnit    string   `toml:"time_unit"`
	RecvWindow  duration `toml:"recv_window"`
}

// SimConfig is [sim].
type SimConfig struct {
	Seed uint64 `toml:"seed"`
	Tape string `toml:"tape"`
	// TapeSpeed is how many times faster than recorded the tape is played.
	TapeSpeed float64 `toml:"tape_speed"`
	TLS       bool    `toml:"tls"`
	Audit     bool    `toml:"audit"`
	Faults    string  `toml:"faults"`

	DepthInterval duration `toml:"depth_interval"`
	Symbols       int      `toml:"symbols"`
}

// MarketConfig is [market].
type MarketConfig struct {
	Symbols       []string `toml:"symbols"`
	Streams       []string `toml:"streams"`
	SnapshotLimit int      `toml:"snapshot_limit"`
	QueueEvents   int      `toml:"queue_events"`
	QueueLevels   int      `toml:"queue_levels"`
	BookWindow    int      `toml:"book_window"`
	MarketLines
}

// LoopConfig is [loop].
type LoopConfig struct {
	Threads     string   `toml:"threads"`
	Wait        string   `toml:"wait"`
	CPUs        []int    `toml:"cpus"`
	OrderWires  int      `toml:"order_wires"`
	CancelWires int      `toml:"cancel_wires"`
	Timer       duration `toml:"timer"`
	NoDelay     bool     `toml:"no_delay"`
	QuickAck    bool     `toml:"quick_ack"`
	BusyPoll    duration `toml:"busy_poll"`
}

// duration is a time.Duration written as text. It is a struct, because TOML would
// put a bare number straight into an integer, as nanoseconds that nobody meant.
type duration struct{ time.Duration }

func (d *duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil {
		return fmt.Errorf("got %q, want a duration such as \"250ms\"", b)
	}
	d.Duration = v
	return nil
}

// quantity is a decimal at 1e-8 written as text, so that no float touches it; a
// struct for the same reason as duration.
type quantity struct{ e8 int64 }

func (q *quantity) UnmarshalText(b []byte) error {
	v, err := core.ParseDecimal(b)
	if err != nil {
		return fmt.Errorf("got %q, want a decimal such as \"0.01\": %w", b, err)
	}
	q.e8 = v
	return nil
}

// parseConfig reads TOML strictly. name is how errors call it. Every key that is
// not known is reported at once, with its line and a caret. sets are KEY=VALUE
// pairs that win over the file.
func parseConfig(name string, text []byte, sets ...string) (*Config, error) {
	c := new(Config)
	// Keys that the file leaves out keep the documented defaults, but tables of
	// limits, symbols and parameters are the user's own: none is inherited.
	if err := toml.Unmarshal(defaultTOML, c); err != nil {
		return nil, fmt.Errorf("BUG: the built-in configuration does not parse: %w", err)
	}
	c.text, c.sets = text, sets
	c.Limits, c.Strategy.Params, c.Signals, c.Sources, c.Account = nil, nil, nil, nil, accountDefaults()
	usual := c.Strategy.Name
	c.Strategy.Name = unnamed
	if err := c.decode("config "+name, text); err != nil {
		return nil, err
	}
	hash := sha256.New()
	hash.Write(text)
	for _, set := range sets {
		if err := c.set(set); err != nil {
			return nil, err
		}
		fmt.Fprintf(hash, "\n%s", set)
	}
	hash.Sum(c.hash[:0])
	c.nameStrategy(usual)
	if err := c.widen(); err != nil {
		return nil, fmt.Errorf("cannot use config %s: %w", name, err)
	}
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("cannot use config %s: %w", name, err)
	}
	return c, nil
}

// decode takes over what text says and leaves the rest.
func (c *Config) decode(name string, text []byte) error {
	if err := refuseSecrets(name, text); err != nil {
		return err
	}
	c.texts = append(c.texts, text)
	d := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields()
	err := d.Decode(c)
	var strict *toml.StrictMissingError
	var decode *toml.DecodeError
	switch {
	case errors.As(err, &strict):
		return fmt.Errorf("cannot use %s: unknown keys\n%s", name, strict.String())
	case errors.As(err, &decode):
		return fmt.Errorf("cannot use %s: %w\n%s", name, err, decode.String())
	case err != nil:
		return fmt.Errorf("cannot use %s: %w", name, err)
	}
	return nil
}

// set changes one key. A value that is no TOML value is taken as text, so that
// loop.wait=spin needs no quotes that a shell would eat.
func (c *Config) set(pair string) error {
	key, value, ok := strings.Cut(pair, "=")
	if err := refuseSecrets("--set", []byte(pair)); err != nil {
		return err
	}
	if key = strings.TrimSpace(key); !ok || key == "" || strings.ContainsAny(pair, "\n\r") {
		return fmt.Errorf("cannot use --set %s: want KEY=VALUE, such as loop.wait=spin", pair)
	}
	if toml.Unmarshal([]byte("v = "+value), new(struct{ V any })) != nil {
		value = strconv.Quote(value)
	}
	return c.decode("--set "+key, fmt.Appendf(nil, "%s = %s\n", key, value))
}

// loadConfig reads the file, or the built-in configuration if name is empty.
func loadConfig(name string, sets ...string) (*Config, error) {
	if name == "" {
		return parseConfig("(built in)", defaultTOML, sets...)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("cannot read the config: %w", err)
	}
	return parseConfig(name, text, sets...)
}

func want(key string, got any, want string) error {
	return fmt.Errorf("%s is %v, want %s", key, got, want)
}

func oneOf(key, got string, words ...string) error {
	if slices.Contains(words, got) {
		return nil
	}
	return want(key, fmt.Sprintf("%q", got), "one of "+strings.Join(words, ", "))
}

func between[T int | int64](key string, got, lo, hi T) error {
	if got < lo || got > hi {
		return want(key, got, fmt.Sprintf("%d to %d", lo, hi))
	}
	return nil
}

func zeroOr(key string, got, lo, hi int) error {
	if got != 0 && (got < lo || got > hi) {
		return want(key, got, fmt.Sprintf("0 or %d to %d", lo, hi))
	}
	return nil
}

func span(key string, got duration, lo, hi time.Duration) error {
	if d := got.Duration; d < lo || d > hi {
		return want(key, d, fmt.Sprintf("%v to %v", lo, hi))
	}
	return nil
}

// check reports everything that is wrong, not only the first thing.
func (c *Config) check() error {
	errs := []error{
		oneOf("venue.environment", c.Venue.Environment, "sim", "testnet", "demo", "live"),
		oneOf("venue.time_unit", c.Venue.TimeUnit, "ms", "us"),
		span("venue.recv_window", c.Venue.RecvWindow, 10*time.Millisecond, time.Minute),
		span("sim.depth_interval", c.Sim.DepthInterval, time.Millisecond, time.Minute),
		between("sim.symbols", c.Sim.Symbols, 0, exchange.MadeMost),
		between("market.snapshot_limit", c.Market.SnapshotLimit, 5, 5000),
		zeroOr("market.queue_events", c.Market.QueueEvents, 16, 1<<20),
		zeroOr("market.queue_levels", c.Market.QueueLevels, 1024, 1<<24),
		zeroOr("market.book_window", c.Market.BookWindow, 1024, 1<<16),
		c.Market.MarketLines.check(),
		c.Account.check(len(c.traded()) > 0),
		oneOf("loop.threads", c.Loop.Threads, "inline", "pinned"),
		oneOf("loop.wait", c.Loop.Wait, "park", "spin"),
		between("loop.order_wires", c.Loop.OrderWires, 1, 64),
		between("loop.cancel_wires", c.Loop.CancelWires, 1, 64),
		span("loop.timer", c.Loop.Timer, time.Millisecond, time.Minute),
		span("loop.busy_poll", c.Loop.BusyPoll, 0, 10*time.Millisecond),
		c.Journal.check(),
		c.Admin.check(),
		c.Latency.check(),
		c.Keys.check(),
		c.Budget.check(),
		c.DeadMan.check(),
		c.Doubt.check(),
		c.Exec.check(),
		c.checkBars(),
		c.Recovery.check(),
		c.checkSignals(),
		c.checkRecord(),
		c.checkSources(),
		c.checkURLs(),
		c.checkSymbols(),
		c.checkStreams(),
		c.checkStrategies(),
	}
	if c.Venue.Environment == "live" && c.Venue.Acknowledge != acknowledgement {
		errs = append(errs, want("venue.acknowledge", fmt.Sprintf("%q", c.Venue.Acknowledge), fmt.Sprintf("%q before real money is traded", acknowledgement)))
	}
	if c.Venue.KeyFile == "" && !c.embedded() && !c.Keys.brought() {
		errs = append(errs, want("venue.key_file", `""`, "the file with the key of this environment, a credential of the service manager, or keys.from_environment"))
	}
	for _, cpu := range c.Loop.CPUs {
		errs = append(errs, between("loop.cpus", cpu, 0, 1023))
	}
	return errors.Join(errs...)
}

// embedded reports whether riposte trades on the venue inside itself.
func (c *Config) embedded() bool { return c.Venue.Environment == "sim" && c.Venue.REST == "" }

func (c *Config) checkURLs() error {
	given := 0
	var errs []error
	for key, u := range map[string]string{"venue.rest": c.Venue.REST, "venue.stream": c.Venue.Stream, "venue.ws_api": c.Venue.WSAPI} {
		if u == "" {
			continue
		}
		given++
		errs = append(errs, checkURL(key, u))
	}
	if given != 0 && given != 3 {
		errs = append(errs, errors.New("venue.rest, venue.stream and venue.ws_api are given together or not at all"))
	}
	if given != 0 && c.Venue.Environment != "sim" {
		errs = append(errs, want("venue.environment", fmt.Sprintf("%q", c.Venue.Environment), `"sim" beside explicit URLs: a named environment brings its own`))
	}
	return errors.Join(errs...)
}

func checkURL(key, text string) error {
	u, err := url.Parse(text)
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	schemes := []string{"ws", "wss"}
	if strings.HasSuffix(key, "rest") {
		schemes = []string{"http", "https"}
	}
	if !slices.Contains(schemes, u.Scheme) || u.Host == "" {
		return want(key, fmt.Sprintf("%q", text), strings.Join(schemes, " or ")+"://host")
	}
	if ip := net.ParseIP(u.Hostname()); u.Scheme == schemes[0] && u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return want(key, fmt.Sprintf("%q", text), schemes[1]+" for a host that is not loopback: keys and orders do not travel in the clear")
	}
	return nil
}

func (c *Config) checkSymbols() error {
	var errs []error
	if len(c.Market.Symbols) == 0 {
		errs = append(errs, want("market.symbols", "empty", "at least one symbol"))
	}
	seen := map[string]bool{}
	for _, s := range c.Market.Symbols {
		if s == "" || seen[s] {
			errs = append(errs, want("market.symbols", fmt.Sprintf("%q twice or empty", s), "each symbol once"))
		}
		seen[s] = true
	}
	depth := false
	for _, s := range c.Market.Streams {
		depth = depth || s == "depth" || strings.HasPrefix(s, "depth@")
	}
	if !depth {
		errs = append(errs, want("market.streams", c.Market.Streams, `"depth" or "depth@100ms" among them: without it there is no book`))
	}
	return errors.Join(errs...)
}
