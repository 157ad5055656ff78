package app

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"riposte/core"
	"riposte/core/risk"
	"riposte/exec"
	execbinance "riposte/exec/binance"
)

// facts are what is known of a key when the venue refuses it. rights may be nil.
func (c *contact) facts(worked bool, rights *execbinance.Restrictions) execbinance.KeyFacts {
	f := execbinance.KeyFacts{Environment: c.sites.name, Host: c.sites.rest, Where: c.where, Worked: worked, Rights: rights,
		Clock: -c.vclock.Offset(), ClockError: c.vclock.Error()}
	if u, err := url.Parse(c.sites.rest); err == nil {
		f.Host = u.Host
	}
	return f
}

// rightsOf asks what a key may do.
func rightsOf(ctx context.Context, rest *execbinance.REST, products []string, now core.WallNs) (*execbinance.Restrictions, []execbinance.Finding, error) {
	r, err := rest.Restrictions(ctx)
	if err != nil {
		return nil, nil, err
	}
	return r, r.Judge(products, now), nil
}

// clockRefused: err says that our timestamp is outside of the venue's window.
func clockRefused(err error) bool { return refusalCode(err) == -1021 }

// refusalCode is the venue's code if err is its refusal of the key, else 0.
func refusalCode(err error) int {
	var ce *exec.CallError
	if errors.As(err, &ce) && execbinance.Refusal(ce.Code) {
		return ce.Code
	}
	return 0
}

// tell is the findings of one judgement or worse on one line.
func tell(all []execbinance.Finding, least execbinance.Judgement) string {
	var parts []string
	for _, f := range all {
		if f.Verdict >= least {
			parts = append(parts, fmt.Sprintf("%s is %s (%s)", f.Flag, f.Value, f.Why))
		}
	}
	return strings.Join(parts, "; ")
}

// keeper watches over the key while the desk runs: what it may do is asked at the start,
// then every check_every, and after each change; until it can be asked, and while it is
// more than it should be, there are no new orders. Its goroutine does all the asking; mu
// is held by a check or a change of key.
type keeper struct {
	d       *desk
	strict  bool
	every   time.Duration // between checks
	again   time.Duration // after one that failed
	worked  bool          // the venue has taken a call of the key; under mu
	holders []keyHolder   // in the order in which they change; under mu

	mu      sync.Mutex
	problem atomic.Pointer[string] // why there are no new orders
	warning atomic.Pointer[string]
	refused atomic.Pointer[string] // diagnosis of the venue's refusal of an order
	changed atomic.Pointer[string] // what came of the last change of key
	changes atomic.Uint64          // that succeeded

	ctx     context.Context
	stop    context.CancelFunc
	work    sync.WaitGroup
	ask     chan chan error // changes of key that were asked for
	hup     chan os.Signal  // likewise, by signal
	told    chan string     // what came of them, for whoever prints; full drops
	renewed atomic.Uint64   // account connections replaced before their end
	renewAt time.Time       // when that may be tried again
}

// Times of the keeper.
const (
	rightsAgain   = 30 * time.Second
	rightsTries   = 3
	rightsPause   = time.Second
	refusalLook   = 200 * time.Millisecond
	rightsTimeout = 15 * time.Second
)

func newKeeper(d *desk) *keeper {
	k := &keeper{d: d, strict: d.cfg.strict(), every: d.cfg.Keys.CheckEvery.Duration, again: rightsAgain, ask: make(chan chan error),
		hup: make(chan os.Signal, 1), told: make(chan string, 8)}
	k.again = min(k.again, k.every)
	k.ctx, k.stop = context.WithCancel(context.Background())
	return k
}

// first is the check before anything trades. The error is what no trading can begin
// with; that the venue cannot be asked only halts.
func (k *keeper) first() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.check()
}

// check asks and takes the consequences, but for the gateway's: see apply. mu is held.
func (k *keeper) check() error {
	d := k.d
	ctx, cancel := context.WithTimeout(k.ctx, rightsTimeout)
	defer cancel()
	_, all, err := rightsOf(ctx, d.rest, d.cfg.Keys.Products, d.vclock.Now())
	if code := refusalCode(err); code != 0 && !clockRefused(err) {
		err = fmt.Errorf("venue refuses the key from %s (%d): %s", d.where, code, d.key.Diagnose(code, d.facts(k.worked, nil)))
		k.say(err.Error(), "")
		return err
	}
	if clockRefused(err) {
		// No verdict on the key, and it may be mended by waiting: as if it could not be asked.
		err = fmt.Errorf("the venue refuses our time, measured a moment ago as %v off from its clock within %v: %w",
			d.vclock.Offset().Round(time.Millisecond), d.vclock.Error().Round(time.Millisecond), err)
	}
	switch {
	case err != nil && !k.strict:
		k.say("", fmt.Sprintf("what the key may do cannot be asked here: %v", err))
	case err != nil:
		k.say(fmt.Sprintf("what the key may do cannot be asked, and orders wait until it can: %v", err), "")
	default:
		k.worked = true
		worst, line := execbinance.Worst(all), tell(all, execbinance.Warn)
		switch {
		case worst == execbinance.Refuse && k.strict:
			err := fmt.Errorf("cannot trade with the key from %s: %s", d.where, tell(all, execbinance.Refuse))
			k.say(err.Error(), "")
			return err
		case worst != execbinance.Fine:
			k.say("", "the key may do more or less than it should: "+line)
		default:
			k.say("", "")
		}
	}
	return nil
}

func (k *keeper) say(problem, warning string) {
	put := func(p *atomic.Pointer[string], text string) {
		if text == "" {
			p.Store(nil)
		} else {
			p.Store(&text)
		}
	}
	put(&k.problem, problem)
	put(&k.warning, warning)
}

// apply halts or lets trading go on by the last check.
func (k *keeper) apply() {
	if k.problem.Load() != nil {
		k.d.gateway.Raise(risk.HaltRights)
	} else {
		k.d.gateway.Lift(risk.HaltRights)
	}
	k.d.engineWait.Wake()
}

// start begins watching.
func (k *keeper) start() {
	k.apply()
	signal.Notify(k.hup, syscall.SIGHUP)
	k.work.Go(k.run)
}

// run does what is due and what is asked for.
func (k *keeper) run() {
	t := newKeeperTimes(k.pause())
	defer t.timer.Stop()
	for {
		turn, done := k.turn(t)
		switch turn {
		case turnEnd:
			return
		case turnChange:
			err := k.changeAndTell()
			t.check = time.Now().Add(k.pause())
			if done != nil {
				done <- err
			}
		case turnCheck:
			k.checkAgain()
			t.check = time.Now().Add(k.pause())
		case turnLook:
			k.look()
			k.renewUser()
		}
	}
}

func (k *keeper) pause() time.Duration {
	if k.problem.Load() != nil {
		return k.again
	}
	return k.every
}

// checkAgain is the check of a desk that trades: one answer lost is no reason to stop.
func (k *keeper) checkAgain() {
	k.mu.Lock()
	defer k.mu.Unlock()
	was := k.problem.Load()
	for try := range rightsTries {
		_ = k.check() // what is wrong has been said
		if k.problem.Load() == nil || was != nil {
			break
		}
		if try < rightsTries-1 {
			select {
			case <-k.ctx.Done():
				return
			case <-time.After(rightsPause):
			}
		}
	}
	k.apply()
}

// look finds out why the venue has refused the key, once for each time it did: one
// question that has no effect, and the refused call is not sent again.
func (k *keeper) look() {
	halted := k.d.gateway.Halted()&risk.HaltKey != 0
	switch {
	case !halted:
		k.refused.Store(nil)
		return
	case k.refused.Load() != nil:
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	d := k.d
	ctx, cancel := context.WithTimeout(k.ctx, rightsTimeout)
	defer cancel()
	rights, _, err := rightsOf(ctx, d.rest, d.cfg.Keys.Products, d.vclock.Now())
	code := d.gateway.KeyRefusal()
	if code == 0 {
		code = refusalCode(err)
	}
	text := fmt.Sprintf("venue refuses the key from %s (%d): %s", d.where, code, d.key.Diagnose(code, d.facts(k.worked, rights)))
	k.refused.Store(&text)
}

// report adds what there is to know about the key.
func (k *keeper) report(r *report) {
	for _, p := range []*atomic.Pointer[string]{&k.problem, &k.refused} {
		if text := p.Load(); text != nil {
			r.Problems = append(r.Problems, *text)
		}
	}
	if text := k.warning.Load(); text != nil {
		r.Warnings = append(r.Warnings[:len(r.Warnings):len(r.Warnings)], *text)
	}
	if text := k.changed.Load(); text != nil {
		r.KeyChange, r.KeyChanges = *text, k.changes.Load()
	}
}

// close ends the watch.
func (k *keeper) close() {
	signal.Stop(k.hup)
	k.stop()
	k.work.Wait()
}
