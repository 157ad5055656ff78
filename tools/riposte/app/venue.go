package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"riposte/tools/venue"
	"riposte/tools/venue/exchange"
)

type venueCmd struct {
	Listen    string   `default:"127.0.0.1:0" help:"Loopback address to serve on; port 0 picks a free one."`
	Seed      uint64   `default:"1" help:"Seed of the market; the same seed gives the same market."`
	Tape      string   `help:"A recording (.tsv, .tsv.gz) that is the market."`
	Symbols   []string `help:"Symbols to serve; default all of the venue's own."`
	Accounts  []string `help:"Names of the accounts, each with a key of every kind; default one, main, with an HMAC and an Ed25519 key."`
	Keys      string   `help:"Write all keys with their secrets to this file, as JSON."`
	Quiet     bool     `help:"No market: the books hold only what clients place."`
	TapeSpeed float64  `default:"1" help:"How many times faster than recorded the tape is played."`
	Many      int      `help:"Serve this many symbols: the venue's own, then made-up ones (M0001USDT and on)."`
	TLS       bool     `name:"tls" help:"Speak TLS 1.3 with a certificate of a self-made authority."`
	Faults    string   `help:"A fault script, one fault a line, in the grammar above."`
	Log       string   `help:"Write the exchange's canonical event log to this file."`
}

// endpoints is the line that riposte venue prints: all that a client needs.
type endpoints struct {
	REST    string `json:"rest"`
	Stream  string `json:"stream"`
	WSAPI   string `json:"ws_api"`
	Admin   string `json:"admin"`
	KeyFile string `json:"key_file"`
	CAFile  string `json:"ca_file,omitempty"`
}

// Run serves the venue until SIGINT or SIGTERM.
func (c venueCmd) Run(o *output) (err error) {
	if c.Many > 0 {
		if len(c.Symbols) > 0 || c.Tape != "" {
			return usageError{errors.New("--many names the symbols: want no --symbols and no --tape beside it")}
		}
		if c.Symbols, err = exchange.SymbolNames(c.Many); err != nil {
			return usageError{err}
		}
	}
	accounts := make([]venue.Account, len(c.Accounts))
	for i, name := range c.Accounts {
		if accounts[i], err = venue.NewAccount(c.Seed, name, venue.HMAC, venue.Ed25519, venue.RSA); err != nil {
			return err
		}
	}
	v, err := openVenueWith(SimConfig{Seed: c.Seed, Tape: c.Tape, TapeSpeed: c.TapeSpeed, TLS: c.TLS, Faults: c.Faults}, c.Symbols, c.Listen, c.Log,
		func(cfg *venue.Config) { cfg.Accounts, cfg.Quiet = accounts, c.Quiet })
	if err != nil {
		return usageError{err}
	}
	defer func() { err = errors.Join(err, v.close()) }()
	if c.Keys != "" {
		if err := v.WriteKeys(c.Keys); err != nil {
			return usageError{err}
		}
	}
	stop, release := interrupts()
	defer release()
	if err := json.NewEncoder(o.stdout).Encode(v.endpoints()); err != nil {
		return err
	}
	<-stop
	return nil
}

// simVenue is an embedded venue with the files its clients need.
type simVenue struct {
	*venue.Server
	dir     string // temporary: key file, CA file
	keyFile string
	log     *os.File
}

// historyMost is how many level changes of all symbols together the venue remembers
// (24 bytes each), for BookAt.
const historyMost = 1_600_000

// openVenue starts a venue. Its test key lies in a file as any other key does, so
// that the engine loads it the way it loads a real one.
func openVenue(sim SimConfig, symbols []string, listen, logFile string) (*simVenue, error) {
	return openVenueWith(sim, symbols, listen, logFile, func(*venue.Config) {})
}

func openVenueWith(sim SimConfig, symbols []string, listen, logFile string, more func(*venue.Config)) (v *simVenue, err error) {
	cfg := venue.Config{Listen: listen, Seed: sim.Seed, Symbols: symbols}
	more(&cfg)
	if sim.Faults != "" {
		if cfg.Faults, err = readFaults(sim.Faults); err != nil {
			return nil, err
		}
	}
	if sim.Tape != "" {
		cfg.Tape, cfg.TapeLoop, cfg.TapeSpeed = []string{sim.Tape}, true, sim.TapeSpeed
	}
	cfg.DepthFast = sim.DepthInterval.Duration
	if n := len(symbols); n > 8 {
		cfg.BookHistory = max(4000, historyMost/n)
	}
	v = new(simVenue)
	opened := v // an error return sets v to nil
	if v.dir, err = os.MkdirTemp("", "riposte-venue-"); err != nil {
		return nil, fmt.Errorf("cannot make a folder for the venue's key: %w", err)
	}
	defer func() {
		if err != nil {
			_ = opened.close()
		}
	}()
	if logFile != "" {
		if v.log, err = os.OpenFile(logFile, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644); err != nil {
			return nil, fmt.Errorf("cannot write the event log: %w", err)
		}
		cfg.Log = v.log
	}
	cfg.TLS = venue.TLS{On: sim.TLS, CAFile: filepath.Join(v.dir, "ca.pem")}
	if v.Server, err = venue.Start(context.Background(), cfg); err != nil {
		return nil, err
	}
	key, ok := v.Key("", venue.HMAC)
	if !ok {
		return nil, errors.New("BUG: the venue's first account has no HMAC key")
	}
	v.keyFile = filepath.Join(v.dir, "key")
	text := fmt.Sprintf("# test key of an embedded venue\napi_key = %q\nsecret = %q\n", key.APIKey, key.Secret)
	if err = os.WriteFile(v.keyFile, []byte(text), 0o600); err != nil {
		return nil, fmt.Errorf("cannot write the venue's key file: %w", err)
	}
	return v, nil
}

func readFaults(name string) ([]venue.Fault, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("cannot read the fault script: %w", err)
	}
	defer f.Close()
	return venue.ParseFaults(f, name)
}

// Help is the grammar of fault scripts, above the flags.
func (venueCmd) Help() string {
	return "Fault scripts, one fault a line, '#' for comments:\n\n    " + strings.ReplaceAll(venue.FaultUsage, "\n", "\n    ")
}

func (v *simVenue) endpoints() endpoints {
	e := endpoints{REST: v.REST(), Stream: v.Stream(), WSAPI: v.WSAPI(), Admin: v.Admin(), KeyFile: v.keyFile}
	if strings.HasPrefix(e.REST, "https") {
		e.CAFile = v.CAFile()
	}
	return e
}

func (v *simVenue) close() error {
	var errs []error
	if v.Server != nil {
		errs = append(errs, v.Server.Close())
	}
	if v.log != nil {
		errs = append(errs, v.log.Close())
	}
	return errors.Join(append(errs, os.RemoveAll(v.dir))...)
}
