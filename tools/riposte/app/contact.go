package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"riposte/core"
	death "riposte/core/fault"
	"riposte/exec"
	execbinance "riposte/exec/binance"
	feedbinance "riposte/feed/binance"
	"riposte/tools/sock"
)

// contact is the cold half of what a process has to do with a venue: where it is, our
// key, its time, its rules, and a way to ask. The engine stands on one, and so does
// each command that asks for itself.
type contact struct {
	sites sites
	clock core.Clock
	ports ports
	key   *execbinance.Key
	where string // the key was found
	// ownFile: the key is of the file that was named for this contact, whatever else
	// has one.
	ownFile  bool
	cautions []string   // about the key's memory
	allow    *allowance // where budget and connection attempts are counted
	budget   *exec.Budget
	vclock   *exec.VenueClock
	rest     *execbinance.REST
	table    *core.Instruments
	// reserve lets queries use the weight that is kept for cancels: they are a
	// guard's, which asks in order to cancel.
	reserve bool
	heard   func(pathQuery string, body []byte) // what public calls are answered with; nil: nobody asks
	// patience waits for a venue that is away; nil: the first failure is the end.
	patience *patience
}

const (
	cancelReservePercent = 30
	connectTime          = 30 * time.Second
)

// openContact is a contact of a command of its own. It needs a venue that other
// processes can reach.
func openContact(cfg *Config, keyFile string, reserve bool) (c *contact, err error) {
	if c, err = reach(cfg, keyFile, reserve); err != nil {
		return nil, err
	}
	if err = c.learn(cfg); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

// reach is openContact without the venue's rules: for one call by its name.
func reach(cfg *Config, keyFile string, reserve bool) (c *contact, err error) {
	c = &contact{clock: core.NewSystemClock(), reserve: reserve}
	var caFile string
	var ok bool
	if c.sites, caFile, ok = cfg.sites(); !ok {
		return nil, usageError{errors.New("the embedded venue lives inside `riposte run`: want venue.rest, venue.stream and venue.ws_api, or an environment of Binance")}
	}
	if keyFile != "" {
		c.sites.keyFile, c.ownFile = keyFile, true
	}
	if c.sites.tls, err = sock.NewTLS(caFile); err != nil {
		return nil, usageError{err}
	}
	if err = c.meet(cfg, false); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

// loadKeyAlone loads the key, and outside the embedded venue first makes the process a
// safe place for one.
func (c *contact) loadKeyAlone(cfg *Config, embedded bool) error {
	if cfg.Venue.Environment != "sim" {
		c.cautions = hardenProcess()
	}
	return c.loadKey(cfg, embedded)
}

// open loads the key and learns the venue's time and rules.
func (c *contact) open(cfg *Config, embedded bool) error {
	if err := c.meet(cfg, embedded); err != nil {
		return err
	}
	return c.learn(cfg)
}

// meet loads the key and sets the clock by the venue's.
func (c *contact) meet(cfg *Config, embedded bool) (err error) {
	if err = c.loadKeyAlone(cfg, embedded); err != nil {
		return err
	}
	return c.greet(cfg, embedded)
}

// greet makes what it takes to ask the venue anything, and sets the clock by it.
func (c *contact) greet(cfg *Config, embedded bool) (err error) {
	if c.allow, err = openAllowance(&cfg.Budget, &c.sites, embedded, c.key.Fingerprint(), c.clock); err != nil {
		return err
	}
	c.budget = c.allow.budget
	c.vclock = exec.NewVenueClock(c.clock)
	empty := core.NewInstruments() // until the venue has told its symbols
	if c.rest, err = c.newREST(empty); err != nil {
		return err
	}
	return c.insist(c.rest.SyncClock)
}

// learn asks for the venue's limits and the rules of the configured symbols.
func (c *contact) learn(cfg *Config) error {
	death.At(death.ClockKnown)
	var info []byte
	err := c.insist(func(ctx context.Context) (err error) {
		info, err = c.rest.ExchangeInfo(ctx, cfg.Market.Symbols...)
		return err
	})
	if err != nil {
		return err
	}
	limits, err := execbinance.ParseLimits(info)
	if err != nil {
		return err
	}
	if err = c.budget.Set(limits); err != nil {
		return err
	}
	if c.table, err = c.instruments(info, cfg.Market.Symbols); err != nil {
		return err
	}
	death.At(death.RulesKnown)
	c.rest.Close()
	c.rest, err = c.newREST(c.table)
	return err
}

func (c *contact) newREST(t *core.Instruments) (*execbinance.REST, error) {
	return execbinance.NewREST(execbinance.RESTConfig{URL: c.sites.rest, Dial: c.ports.dialer(nil, c.sites.tls, sock.Options{}), Key: c.key,
		Instruments: t, Clock: c.clock, Time: c.vclock, Budget: c.budget, Reserve: c.reserve, Heard: c.heard})
}

// instruments reads the rules of the configured symbols; one that the venue does
// not have is an error, since nobody would notice its absence later.
func (c *contact) instruments(body []byte, symbols []string) (*core.Instruments, error) {
	info, err := feedbinance.ParseExchangeInfo(body, core.Spot, symbols...)
	if err != nil {
		return nil, usageError{fmt.Errorf("market.symbols on %s: %w", c.sites.name, err)}
	}
	// Commissions may be taken in the venue's own token whatever is traded, and the
	// ledger must know it before the first fill.
	info.Instruments.Asset("BNB")
	return info.Instruments, nil
}

// close may be called on a contact that was never completed.
func (c *contact) close() error {
	var err error
	if c.rest != nil {
		c.rest.Close()
		c.rest.SetKey(nil)
	}
	if c.allow != nil {
		err = c.allow.close()
	}
	if c.key != nil {
		c.key.Wipe()
	}
	return err
}
