package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"riposte/core"
	"riposte/core/engine"
	"riposte/core/ring"
	"riposte/core/risk"
	"riposte/exec"
	feedbinance "riposte/feed/binance"
)

// control is the operator's hand on a running desk: halts and their record, resumption,
// new limits, new rules. Callers come from any goroutine; a goroutine of its own, the
// keeper, does what is slow. Nothing here is on an order's way: a halt of everything is
// one flag that the gateway reads before each order, the rest goes to the engine's
// thread as commands that the dealer carries.
type control struct {
	d       *desk
	dir     string // the journal's, "" keeps no record
	halts   *ring.Ring[engine.HaltNote]
	quit    chan struct{}
	kick    chan struct{}
	wg      sync.WaitGroup
	door    *door // nil without a folder
	started bool

	files sync.Mutex // held while the record of halts is written; taken before mu

	mu         sync.Mutex
	pending    []errand
	list       []haltEntry // as on file, or as it will be
	cause      map[scopeKey]act
	asked      map[scopeKey]risk.HaltCause // on file, and the shard has not said yet that it halts
	trouble    error                       // of writing the record
	unwritten  bool                        // the file is not as list is
	proposed   proposal
	limitsSet  map[core.InstrumentID]risk.Limits // in force, or on their way
	accountSet risk.AccountLimits
	tuned      map[tunedKey]map[string]string // parameters other than the configuration's

	waiting atomic.Bool   // pending is not empty
	beats   atomic.Uint64 // rounds of the dealer
	toKill  atomic.Bool   // the dealer is to cancel all own orders
	missed  atomic.Int64  // orders that the keeper itself had to cancel

	journaled atomic.Uint64 // up to where the journal is known to tell of halts
}

type scopeKey struct {
	scope engine.Scope
	n     uint16
}

const (
	keeperEvery = 20 * time.Millisecond
	rulesEvery  = 5 * time.Minute
	// stuckAfter is how long the engine's thread may take to hear of a kill before
	// somebody else cancels for it.
	stuckAfter  = 8 * time.Millisecond
	killAgain   = 500 * time.Millisecond
	haltsRing   = 1 << 10
	denialsRing = 1 << 9
)

func newControl(d *desk) *control {
	return &control{d: d, dir: d.cfg.Journal.Dir, halts: ring.New[engine.HaltNote](haltsRing), quit: make(chan struct{}), kick: make(chan struct{}, 1),
		cause: map[scopeKey]act{}, asked: map[scopeKey]risk.HaltCause{}, limitsSet: map[core.InstrumentID]risk.Limits{}, tuned: map[tunedKey]map[string]string{}}
}

// load puts in force what a former run left halted. Before anything runs.
func (c *control) load() error {
	var err error
	if c.list, err = readHalts(c.dir); err != nil {
		return usageError{err}
	}
	c.accountSet = *c.d.gate.Account()
	for i := range c.d.table.List {
		if l := c.d.gate.Limits(core.InstrumentID(i)); l.QtyMax > 0 {
			c.limitsSet[core.InstrumentID(i)] = *l
		}
	}
	if c.dir != "" {
		name := filepath.Join(c.dir, killName)
		if _, err := os.Lstat(name); err == nil {
			c.list = append(c.list, haltEntry{Scope: "all", Causes: risk.HaltKilled.Words(), Who: "file " + name, Why: "it was there at the start", When: time.Now()})
			if err := errors.Join(writeHalts(c.dir, c.list), os.Rename(name, name+".seen")); err != nil {
				return err
			}
		}
	}
	if err := c.remember(); err != nil {
		return usageError{err}
	}
	for i := range c.list {
		e := &c.list[i]
		key, err := c.scope(e.Scope, e.Name)
		switch {
		case err != nil && e.Scope != "all": // of another configuration: it stays on file
		case key.scope == engine.ScopeAll:
			c.d.gate.Halt(e.causes())
		case key.scope == engine.ScopeSymbol:
			c.d.gate.HaltSymbol(core.InstrumentID(key.n), e.causes())
		default:
			c.d.gate.HaltStrategy(key.n, e.causes())
		}
		if err == nil {
			c.cause[key] = act{Who: e.Who, Why: e.Why, When: e.When}
		}
	}
	return nil
}

// scope finds what a name stands for.
func (c *control) scope(kind, name string) (scopeKey, error) {
	switch kind {
	case "", "all":
		return scopeKey{}, nil
	case "symbol":
		in, ok := c.d.table.Lookup(name)
		if !ok {
			return scopeKey{}, fmt.Errorf("symbol is %q, want one of market.symbols", name)
		}
		return scopeKey{engine.ScopeSymbol, uint16(in.ID)}, nil
	case "strategy":
		n := slices.Index(c.d.strategies, name)
		if n < 0 {
			return scopeKey{}, fmt.Errorf("strategy is %q, want one of %q", name, c.d.strategies)
		}
		return scopeKey{engine.ScopeStrategy, uint16(n)}, nil
	}
	return scopeKey{}, fmt.Errorf("scope is %q, want all, symbol or strategy", kind)
}

// entry names a scope.
func (c *control) entry(k scopeKey) haltEntry {
	switch k.scope {
	case engine.ScopeSymbol:
		return haltEntry{Scope: "symbol", Name: c.d.table.Get(core.InstrumentID(k.n)).Symbol}
	case engine.ScopeStrategy:
		return haltEntry{Scope: "strategy", Name: c.d.strategies[k.n]}
	}
	return haltEntry{Scope: "all"}
}

// halt stops new orders of a scope and cancels its own ones. It returns once no new
// order can leave (all), or once the engine has been told. Any goroutine.
func (c *control) halt(cause risk.HaltCause, kind, name string, a act) error {
	key, err := c.scope(kind, name)
	if err != nil {
		return err
	}
	if key.scope == engine.ScopeAll {
		c.d.gateway.Raise(cause)
		c.toKill.Store(true)
	}
	a.Op, a.When = "halt", time.Now()
	c.mu.Lock()
	c.cause[key] = a
	c.queue(errand{Command: engine.Command{Kind: engine.CmdHalt, Scope: key.scope, Instrument: core.InstrumentID(key.n), Strategy: key.n, Cause: cause}, by: a})
	c.mu.Unlock()
	c.wake()
	c.wg.Go(func() { c.watchKill(key, c.beats.Load()) })
	e := c.entry(key)
	a.What = cause.String() + " " + e.Scope + " " + e.Name
	return errors.Join(c.keepHalt(key, cause, a), writeAct(c.dir, a))
}

// keepHalt has a halt on file before whoever asked for it is told that it is so: the
// process may die before the shard has said what came of it. What the halt does has begun
// by now and waits for no disk.
func (c *control) keepHalt(key scopeKey, cause risk.HaltCause, a act) error {
	if cause &= risk.HaltLatched; cause == 0 {
		return nil
	}
	e := c.entry(key)
	e.Causes, e.Who, e.Why, e.When = cause.Words(), a.Who, a.Why, a.When
	c.mu.Lock()
	c.list = withHalt(c.list, e)
	c.asked[key] |= cause
	c.mu.Unlock()
	return c.save()
}

// save writes the record of halts.
func (c *control) save() error {
	c.files.Lock()
	defer c.files.Unlock()
	c.mu.Lock()
	list := slices.Clone(c.list)
	c.mu.Unlock()
	err := writeHalts(c.dir, list)
	c.mu.Lock()
	c.trouble, c.unwritten = err, err != nil
	c.mu.Unlock()
	return err
}

// queue is called with the lock held.
func (c *control) queue(list ...errand) {
	c.pending = append(c.pending, list...)
	c.waiting.Store(true)
}

func (c *control) send(cmds ...engine.Command) {
	c.mu.Lock()
	for i := range cmds {
		c.queue(errand{Command: cmds[i]})
	}
	c.mu.Unlock()
	c.wake()
}

// wake has the engine's thread and the keeper look.
func (c *control) wake() {
	c.d.engineWait.Wake()
	select {
	case c.kick <- struct{}{}:
	default:
	}
}

// resume lifts what only a person lifts, everywhere. Any goroutine.
func (c *control) resume(a act) error {
	if a.Why == "" {
		return errors.New("reason is missing: want why trading may go on")
	}
	a.Op, a.When, a.What, a.pardon = "resume", time.Now(), c.words(), c.online()
	if err := writeAct(c.dir, a); err != nil {
		return err
	}
	c.files.Lock()
	defer c.files.Unlock()
	c.mu.Lock()
	list := without(c.list, risk.HaltLatched)
	err := writeHalts(c.dir, list)
	if err == nil {
		c.list, c.unwritten = list, false
		c.cause = map[scopeKey]act{}
		clear(c.asked)
		c.queue(errand{Command: engine.Command{Kind: engine.CmdLift, Cause: risk.HaltLatched}, by: a})
	}
	c.mu.Unlock()
	if err != nil {
		return err
	}
	c.toKill.Store(false)
	c.d.gateway.Lift(risk.HaltLatched)
	c.wake()
	return nil
}

// words is what is halted and by whom, "" if nothing is.
func (c *control) words() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := ""
	for i := range c.list {
		if i > 0 {
			s += "; "
		}
		s += c.list[i].String()
	}
	return s
}

// problems are lines for the report.
func (c *control) problems() (all []string) {
	if w := c.words(); w != "" {
		all = append(all, "halted until `riposte resume --reason`: "+w)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.trouble != nil {
		all = append(all, fmt.Sprintf("the record of halts could not be written: %v", c.trouble))
	}
	if n := c.missed.Load(); n > 0 {
		all = append(all, fmt.Sprintf("the engine's thread did not hear a kill in time: %d orders were cancelled around it", n))
	}
	return all
}

// take hands the dealer what is to be carried. Engine's thread; it waits for nothing
// that is slow.
func (c *control) take(dst []errand) []errand {
	c.beats.Add(1)
	if !c.waiting.Load() {
		return dst
	}
	if !c.mu.TryLock() {
		return dst // held while something is written: it is taken in a round to come
	}
	defer c.mu.Unlock()
	dst = append(dst, c.pending...)
	c.pending = c.pending[:0]
	c.waiting.Store(false)
	return dst
}

// start begins the keeper and listens for SIGUSR1.
func (c *control) start() {
	usr := make(chan os.Signal, 1)
	signal.Notify(usr, syscall.SIGUSR1)
	c.started = true
	c.wg.Go(func() {
		defer signal.Stop(usr)
		c.keep(usr)
	})
}

// close ends the keeper once all that the shard has told is on file. The shard must
// have stopped.
func (c *control) close() {
	if !c.started {
		return
	}
	c.started = false
	close(c.quit)
	c.wg.Wait()
	c.record()
}

// keep is the keeper's life.
func (c *control) keep(usr <-chan os.Signal) {
	tick := time.NewTicker(keeperEvery)
	defer tick.Stop()
	rules := time.Now().Add(rulesEvery)
	for {
		select {
		case <-c.quit:
			return
		case s := <-usr:
			c.fail(c.halt(risk.HaltKilled, "all", "", act{Who: "signal", Why: s.String()}))
		case <-c.kick:
		case <-tick.C:
		}
		c.record()
		c.killFile()
		if now := time.Now(); now.After(rules) {
			rules = now.Add(rulesEvery)
			if err := c.readRules(); err != nil {
				rules = now.Add(time.Minute)
			}
		}
	}
}

func (c *control) fail(err error) {
	if err != nil {
		c.mu.Lock()
		c.trouble = err
		c.mu.Unlock()
	}
}

// killFile halts when the file appears. What is in it is the reason.
func (c *control) killFile() {
	if c.dir == "" || c.d.ports.sealed {
		return
	}
	name := filepath.Join(c.dir, killName)
	if _, err := os.Lstat(name); err != nil {
		return
	}
	why, _ := os.ReadFile(name)
	c.fail(c.halt(risk.HaltKilled, "all", "", act{Who: "file " + name, Why: string(why[:min(len(why), 200)])}))
	c.fail(os.Rename(name, name+".seen")) // it has done its work; the record is what stays
}

// record writes down what the shard has told of halts, if it is of the kind that stays.
func (c *control) record() {
	if c.noted() {
		_ = c.save() // problems tells of it, and the keeper tries again
	}
}

// noted takes what the shard has told; it reports whether the record is to be written.
func (c *control) noted() bool {
	notes := c.halts.Pending()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(notes) == 0 {
		return c.unwritten
	}
	list := slices.Clone(c.list)
	for _, n := range notes {
		key := scopeKey{n.Scope, n.Strategy}
		if n.Scope == engine.ScopeSymbol {
			key.n = uint16(n.Instrument)
		}
		e := c.entry(key)
		list = slices.DeleteFunc(list, func(o haltEntry) bool { return o.Scope == e.Scope && o.Name == e.Name })
		// A note that was under way when somebody asked for a halt does not know of it.
		c.asked[key] &^= n.Causes
		if causes := (n.Causes | c.asked[key]) & risk.HaltLatched; causes != 0 {
			a, told := c.cause[key]
			if !told {
				a = act{Who: "gate", Why: causes.String(), When: time.Now()}
				c.cause[key] = a
			}
			e.Causes, e.Who, e.Why, e.When = causes.Words(), a.Who, a.Why, a.When
			list = append(list, e)
		}
	}
	c.halts.Release(len(notes))
	same := slices.EqualFunc(list, c.list, func(a, b haltEntry) bool {
		return a.Scope == b.Scope && a.Name == b.Name && slices.Equal(a.Causes, b.Causes)
	})
	if same {
		return c.unwritten
	}
	c.list = list
	return true
}

// watchKill sees to it that own orders end although the engine's thread may be stuck:
// in a strategy that does not return, say. Then the venue is asked on a cold connection
// for our open orders, and each is cancelled, again and again until none is left or
// trading is resumed.
func (c *control) watchKill(key scopeKey, beat uint64) {
	t := time.NewTimer(stuckAfter)
	defer t.Stop()
	for {
		select {
		case <-c.quit:
			return
		case <-t.C:
		}
		if c.beats.Load() != beat {
			return // it has heard: cancels go their way, and are asked for until they are done
		}
		n, err := c.cancelCold(key)
		c.missed.Add(int64(n))
		c.fail(err)
		t.Reset(killAgain)
	}
}

// cancelCold ends our open orders of a scope and says how many it found.
func (c *control) cancelCold(key scopeKey) (n int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	open, err := c.d.rest.OpenOrders(ctx)
	if err != nil {
		return 0, err
	}
	var mine []*core.Execution
	for i := range open {
		e := &open[i]
		_, _, owner := c.d.ids.Parse(e.Client.Bytes())
		if owner == exec.Ours && (key.scope != engine.ScopeSymbol || uint16(e.Instrument) == key.n) {
			mine = append(mine, e)
		}
	}
	errs := make([]error, len(mine))
	c.d.ports.together(len(mine), func(i int) {
		_, errs[i] = c.d.rest.Cancel(ctx, mine[i].Instrument, mine[i].Client, mine[i].VenueID)
	})
	return len(mine), errors.Join(errs...)
}

// readRules asks the venue for its rules anew and hands on what has changed.
func (c *control) readRules() error {
	ctx, cancel := context.WithTimeout(context.Background(), connectTime)
	defer cancel()
	body, err := c.d.rest.ExchangeInfo(ctx, c.d.cfg.Market.Symbols...)
	if err != nil {
		return err
	}
	info, err := feedbinance.ParseExchangeInfo(body, core.Spot, c.d.cfg.Market.Symbols...)
	if err != nil {
		return err
	}
	var list []core.Instrument
	for _, in := range info.Instruments.List {
		if was, ok := c.d.table.Lookup(in.Symbol); ok {
			in.ID, in.Base, in.Quote = was.ID, was.Base, was.Quote
			list = append(list, in)
		}
	}
	cmds := make([]engine.Command, len(list))
	for i := range list {
		cmds[i] = engine.Command{Kind: engine.CmdRules, Rules: &list[i]}
	}
	c.d.dealer.rulesAt.Store(int64(c.d.clock.Mono()))
	c.d.recordRules(list)
	c.send(cmds...)
	return nil
}
