package app

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"riposte/core"
	"riposte/core/engine"
	"riposte/core/journal"
	"riposte/core/risk"
)

// confirmWithin is how long a proposal to raise limits may be confirmed.
const confirmWithin = time.Minute

// proposal is a change that raises something: it waits for a second request.
type proposal struct {
	id    string
	until time.Time
	cmd   engine.Command
	set   []journal.Limit
	what  string
}

// limitOf finds a limit by its key in the configuration, and whether less of it is
// stricter, which it is for all of those that may be changed.
func limitOf(l *risk.Limits, a *risk.AccountLimits, key string) (v any, ok bool) {
	if l != nil {
		v, ok = map[string]any{"qty_max": &l.QtyMax, "notional_max": &l.NotionalMax, "position_max": &l.PositionMax, "open_max": &l.OpenMax,
			"collar_bps": &l.CollarBps, "drift_bps": &l.DriftBps, "slippage_bps": &l.SlippageBps, "repeat_max": &l.RepeatMax}[key]
		return v, ok
	}
	v, ok = map[string]any{"gross_max": &a.GrossMax, "loss_max": &a.LossMax, "drawdown_max": &a.DrawdownMax, "open_max": &a.OpenMax,
		"unknown_max": &a.UnknownMax, "unknown_value_max": &a.UnknownValueMax, "losses_max": &a.LossesMax, "ratio_max": &a.RatioMax}[key]
	return v, ok
}

// assign sets a limit from text and reports whether it is looser than before. 0 is no
// way to switch a limit off while trading goes on.
func assign(v any, key, text string) (raised bool, err error) {
	set := func(old int64, parse func(string) (int64, error), to func(int64)) (bool, error) {
		n, err := parse(text)
		if err != nil || n <= 0 {
			return false, want(key, fmt.Sprintf("%q", text), "a number above 0")
		}
		to(n)
		return old != 0 && n > old, nil
	}
	decimal := func(s string) (int64, error) { return core.ParseDecimal(s) }
	whole := func(s string) (n int64, err error) {
		_, err = fmt.Sscanf(s+"\n", "%d\n", &n)
		return n, err
	}
	switch p := v.(type) {
	case *core.Qty:
		return set(int64(*p), decimal, func(n int64) { *p = core.Qty(n) })
	case *core.Amount:
		return set(int64(*p), decimal, func(n int64) { *p = core.Amount(n) })
	case *int:
		return set(int64(*p), whole, func(n int64) { *p = int(n) })
	case *int64:
		return set(*p, whole, func(n int64) { *p = n })
	}
	return false, fmt.Errorf("BUG: limit %s has no text form", key)
}

// change lowers limits at once; what raises one is kept until it is confirmed, within a
// minute, by a second request that names the proposal. Any goroutine.
func (c *control) change(o *order) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if o.Confirm != "" {
		return c.confirm(o)
	}
	if len(o.Set) == 0 {
		return "", errors.New("limit change refused: nothing is set, want keys such as qty_max with their new values")
	}
	cmd, limits, account, err := c.limitsNow(o)
	if err != nil {
		return "", fmt.Errorf("limit change refused: %w", err)
	}
	raised := false
	var words []string
	var set []journal.Limit
	for _, key := range slices.Sorted(maps.Keys(o.Set)) {
		v, ok := limitOf(limits, account, key)
		if !ok {
			return "", fmt.Errorf("limit change refused: %s is no limit that can be changed while trading goes on", key)
		}
		up, err := assign(v, key, o.Set[key])
		if err != nil {
			return "", fmt.Errorf("limit change refused: %w", err)
		}
		raised = raised || up
		words = append(words, key+" "+o.Set[key])
		set = append(set, journal.Limit{Scope: o.Symbol, Name: key, Value: o.Set[key]})
	}
	what := strings.TrimSpace(o.Symbol + " " + strings.Join(words, ", "))
	if !raised {
		return "in force: " + what, c.enforce(cmd, set, what, o)
	}
	var id [8]byte
	if _, err := rand.Read(id[:]); err != nil {
		return "", fmt.Errorf("limit change refused: %w", err)
	}
	c.proposed = proposal{id: hex.EncodeToString(id[:]), until: time.Now().Add(confirmWithin), cmd: cmd, set: set, what: what}
	a := o.act()
	a.Op, a.When, a.What = "limits-proposed", time.Now(), what
	return fmt.Sprintf("proposal %s raises a limit: confirm it within %v (%s)", c.proposed.id, confirmWithin, what), writeAct(c.dir, a)
}

// confirm puts a proposal in force. Lock held.
func (c *control) confirm(o *order) (string, error) {
	p := c.proposed
	if p.id == "" || o.Confirm != p.id {
		return "", fmt.Errorf("limit change refused: %q is not the proposal that waits", o.Confirm)
	}
	c.proposed = proposal{}
	if time.Now().After(p.until) {
		return "", fmt.Errorf("limit change refused: proposal %s is older than %v", p.id, confirmWithin)
	}
	return "in force: " + p.what, c.enforce(p.cmd, p.set, p.what, o)
}

// enforce records a change and hands it on. What is not on record does not come into
// force. Lock held.
func (c *control) enforce(cmd engine.Command, set []journal.Limit, what string, o *order) error {
	a := o.act()
	a.Op, a.When, a.What = "limits", time.Now(), what
	if err := writeAct(c.dir, a); err != nil {
		return err
	}
	if cmd.Kind == engine.CmdLimits {
		c.limitsSet[cmd.Instrument] = *cmd.Limits
	} else {
		c.accountSet = *cmd.Account
	}
	c.queue(errand{Command: cmd, by: a, set: set})
	c.d.engineWait.Wake()
	return nil
}

// limitsNow is a copy of what is in force, for the command that will replace it. Lock
// held.
func (c *control) limitsNow(o *order) (cmd engine.Command, l *risk.Limits, a *risk.AccountLimits, err error) {
	if o.Symbol == "" {
		account := c.accountSet
		return engine.Command{Kind: engine.CmdAccount, Account: &account}, nil, &account, nil
	}
	key, err := c.scope("symbol", o.Symbol)
	if err != nil {
		return cmd, nil, nil, err
	}
	limits, ok := c.limitsSet[core.InstrumentID(key.n)]
	if !ok {
		return cmd, nil, nil, fmt.Errorf("symbol %s is not traded", o.Symbol)
	}
	return engine.Command{Kind: engine.CmdLimits, Instrument: core.InstrumentID(key.n), Limits: &limits}, &limits, nil, nil
}
