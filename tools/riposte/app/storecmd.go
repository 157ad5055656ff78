package app

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"riposte/core"
	storesql "riposte/tools/store/sql"
)

// storeFlags are what all commands that read the store take.
type storeFlags struct {
	Config string   `type:"path" help:"The engine's configuration file; without one, the built-in configuration."`
	Set    []string `placeholder:"KEY=VALUE" sep:"none" help:"Change one key of the configuration; may be given more than once."`
	Format string   `enum:"table,csv,json,parquet" default:"table" help:"table, csv, json (an object a line) or parquet, which needs --out."`
	Out    string   `type:"path" placeholder:"FILE" help:"Write to this file, which is replaced once all is written."`
}

// rowFlags say which rows are wanted.
type rowFlags struct {
	storeFlags
	Symbol string `help:"Of this symbol alone."`
	Since  string `placeholder:"TIME" help:"From this time on: 2026-11-27, 2026-11-27T21:00:00Z, or a duration such as 2h before now."`
	Limit  int    `help:"The newest N alone; 0 is all."`
}

func (f *rowFlags) query() (q storesql.Query, err error) {
	q = storesql.Query{Symbol: f.Symbol, Limit: f.Limit}
	if f.Limit < 0 {
		return q, usageError{want("--limit", f.Limit, "0 or more")}
	}
	q.Since, err = parseSince(f.Since, core.WallNs(time.Now().UnixNano()))
	return q, err
}

func parseSince(text string, now core.WallNs) (core.WallNs, error) {
	if text == "" {
		return 0, nil
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now - core.WallNs(d), nil
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return core.WallNs(t.UnixNano()), nil
		}
	}
	return 0, usageError{want("--since", fmt.Sprintf("%q", text), "a time such as 2026-11-27T21:00:00Z, a date, or a duration such as 2h")}
}

// open opens the store; the caller closes it.
func (f *storeFlags) open(o *output) (*Config, *storesql.Reader, error) {
	if err := f.check(); err != nil {
		return nil, nil, err
	}
	cfg, err := loadConfig(f.Config, f.Set...)
	if err != nil {
		return nil, nil, usageError{err}
	}
	r, behind, err := openStore(cfg)
	if err != nil {
		return nil, nil, err
	}
	if behind > 0 {
		fmt.Fprintf(o.stderr, "riposte: the engine that writes this store is %d records behind its journal\n", behind)
	}
	return cfg, r, nil
}

// show writes the rows that ask calls its function with.
func show[T any](o *output, f *rowFlags, ask func(*storesql.Reader, storesql.Query, func(*T) error) error) (err error) {
	q, err := f.query()
	if err != nil {
		return err
	}
	return showQuery(o, &f.storeFlags, q, ask)
}

func showQuery[T any](o *output, f *storeFlags, q storesql.Query, ask func(*storesql.Reader, storesql.Query, func(*T) error) error) (err error) {
	_, r, err := f.open(o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	return writeRows(o, f, func(each func(*T) error) error { return ask(r, q, each) })
}

type ordersCmd struct {
	rowFlags
	Open bool `help:"Those alone that have not ended."`
}

// Run shows orders.
func (c ordersCmd) Run(o *output) error {
	q, err := c.query()
	if err != nil {
		return err
	}
	q.Open = c.Open
	return showQuery(o, &c.storeFlags, q, (*storesql.Reader).Orders)
}

type fillsCmd struct{ rowFlags }

// Run shows fills.
func (c fillsCmd) Run(o *output) error { return show(o, &c.rowFlags, (*storesql.Reader).Fills) }

type positionsCmd struct {
	storeFlags
	Symbol string `help:"Of this symbol alone."`
	Fees   bool   `help:"Fees by symbol and asset instead; as a table both are shown."`
}

// Run shows what fills have made, and what they cost.
func (c positionsCmd) Run(o *output) (err error) {
	_, r, err := c.open(o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	q := storesql.Query{Symbol: c.Symbol}
	positions := func(each func(*storesql.Position) error) error { return r.Positions(q, each) }
	fees := func(each func(*storesql.Fee) error) error { return r.Fees(q, each) }
	if c.Fees {
		return writeRows(o, &c.storeFlags, fees)
	}
	if err := writeRows(o, &c.storeFlags, positions); err != nil || c.Format != "table" || c.Out != "" {
		return err
	}
	fmt.Fprintln(o.stdout)
	return writeRows(o, &c.storeFlags, fees)
}

type storeCmd struct {
	Show    storeShowCmd    `cmd:"" help:"Show a table: balances, refusals, halts, reconciliations, sessions, limits or fees."`
	Rebuild storeRebuildCmd `cmd:"" help:"Make the store anew from the journal; no engine may run."`
}

type storeShowCmd struct {
	rowFlags
	Table string `arg:"" enum:"balances,refusals,halts,reconciliations,sessions,limits,fees" help:"Which one."`
}

// Run shows a table.
func (c storeShowCmd) Run(o *output) error {
	switch c.Table {
	case "balances":
		return show(o, &c.rowFlags, (*storesql.Reader).Balances)
	case "refusals":
		return show(o, &c.rowFlags, (*storesql.Reader).Refusals)
	case "halts":
		return show(o, &c.rowFlags, (*storesql.Reader).Halts)
	case "reconciliations":
		return show(o, &c.rowFlags, (*storesql.Reader).Reconciliations)
	case "sessions":
		return show(o, &c.rowFlags, (*storesql.Reader).Sessions)
	case "limits":
		return show(o, &c.rowFlags, (*storesql.Reader).Limits)
	}
	return show(o, &c.rowFlags, (*storesql.Reader).Fees)
}

type storeRebuildCmd struct {
	Config string   `type:"path" help:"The engine's configuration file; without one, the built-in configuration."`
	Set    []string `placeholder:"KEY=VALUE" sep:"none" help:"Change one key of the configuration; may be given more than once."`
}

// Run makes the store anew.
func (c storeRebuildCmd) Run(o *output) error {
	cfg, err := loadConfig(c.Config, c.Set...)
	if err != nil {
		return usageError{err}
	}
	if cfg.Journal.Dir == "" {
		return usageError{want("journal.dir", `""`, "the folder of the journal that the store is made of")}
	}
	from := time.Now()
	n, err := storesql.Rebuild(context.Background(), cfg.Journal.Dir)
	if err != nil {
		return err
	}
	fmt.Fprintf(o.stdout, "%s made anew from %d records in %.1f s\n", filepath.Join(cfg.Journal.Dir, storesql.FileName), n, time.Since(from).Seconds())
	return nil
}
