package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"riposte/core/risk"
)

type haltCmd struct {
	Reason   string `required:"" help:"Why; it goes on record."`
	Symbol   string `help:"Only this symbol."`
	Strategy string `help:"Only this strategy."`
	Config   string `type:"path" help:"The engine's configuration file; without one, the built-in configuration."`
}

// Run halts the engine that runs by this configuration, or, if none does, the next one.
func (c haltCmd) Run(o *output) error {
	cfg, err := loadConfig(c.Config)
	if err != nil {
		return usageError{err}
	}
	req := order{Who: whoami(), Reason: c.Reason, Symbol: c.Symbol, Strategy: c.Strategy}
	text, err := tellEngine(cfg, "/halt", &req)
	if !errors.Is(err, errNoEngine) {
		if err == nil {
			fmt.Fprintln(o.stdout, text)
		}
		return err
	}
	kind, name := req.scope()
	if kind == "strategy" && !slices.Contains(cfg.strategyNames(), name) || kind == "symbol" && !slices.Contains(cfg.Market.Symbols, name) {
		return usageError{fmt.Errorf("cannot halt %s %q: the configuration has no such one", kind, name)}
	}
	list, err := readHalts(cfg.Journal.Dir)
	if err != nil {
		return err
	}
	e := haltEntry{Scope: kind, Name: name, Causes: risk.HaltKilled.Words(), Who: req.Who, Why: req.Reason, When: time.Now()}
	if err := writeHalts(cfg.Journal.Dir, append(list, e)); err != nil {
		return err
	}
	fmt.Fprintln(o.stdout, "no engine is running; the next one starts halted")
	a := req.act()
	a.Op, a.When, a.What = "halt", e.When, strings.TrimSpace(kind+" "+name)
	return writeAct(cfg.Journal.Dir, a)
}

type resumeCmd struct {
	Reason string `required:"" help:"Why trading may go on; it goes on record."`
	Config string `type:"path" help:"The engine's configuration file; without one, the built-in configuration."`
}

// Run lifts what only a person lifts, in the running engine or on file for the next one.
func (c resumeCmd) Run(o *output) error {
	cfg, err := loadConfig(c.Config)
	if err != nil {
		return usageError{err}
	}
	req := order{Who: whoami(), Reason: c.Reason}
	text, err := tellEngine(cfg, "/resume", &req)
	if !errors.Is(err, errNoEngine) {
		if err == nil {
			fmt.Fprintln(o.stdout, text)
		}
		return err
	}
	list, err := readHalts(cfg.Journal.Dir)
	if err != nil {
		return err
	}
	for i := range list {
		fmt.Fprintln(o.stdout, "lifted:", list[i].String())
	}
	if len(list) == 0 {
		fmt.Fprintln(o.stdout, "nothing was halted")
	}
	return resumeOffline(cfg.Journal.Dir, list, req.act())
}

// resumeOffline lifts the halts on file while no engine runs.
func resumeOffline(dir string, list []haltEntry, a act) (err error) {
	a.Op, a.When, a.What = "resume", time.Now(), fmt.Sprintf("%d halts", len(list))
	if a.pardon, err = offline(dir, list); err != nil {
		return err
	}
	if err := writeAct(dir, a); err != nil {
		return err
	}
	return writeHalts(dir, nil)
}

var errNoEngine = errors.New("no engine is running")

// whoami is the operator's name on this machine.
func whoami() string {
	u, err := user.Current()
	if err != nil {
		return "unknown user"
	}
	return u.Username
}

// tellEngine sends an operator's request to the running engine. errNoEngine means that
// none listens.
func tellEngine(cfg *Config, path string, req *order) (string, error) {
	dir := cfg.Journal.Dir
	if dir == "" {
		return "", usageError{errors.New("cannot find the engine: journal.dir is empty, want the folder that it keeps its record in")}
	}
	token, err := readToken(dir, false)
	if err != nil {
		return "", errors.Join(errNoEngine, err)
	}
	body, err := json.Marshal(req)
	if err != nil {
		return "", fmt.Errorf("cannot ask the engine: %w", err)
	}
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(dir, socketName))
		}}}
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "http://localhost"+path, bytes.NewReader(body))
	if err != nil {
		return "", fmt.Errorf("cannot ask the engine: %w", err)
	}
	r.Header.Set("Authorization", "Bearer "+string(token))
	resp, err := client.Do(r)
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return "", errNoEngine
	}
	if err != nil {
		return "", fmt.Errorf("cannot ask the engine: %w", err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, doorBody))
	if err != nil {
		return "", fmt.Errorf("cannot ask the engine: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("cannot do that: %s", strings.TrimSpace(string(text)))
	}
	return strings.TrimSpace(string(text)), nil
}
