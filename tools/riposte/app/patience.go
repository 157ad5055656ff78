package app

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"riposte/exec"
	"riposte/feed"
)

// patience is a run's, whose venue may be away when it starts: it says what it waits
// for, tries again after a backoff with full jitter, and goes on until it is told to
// stop. A command that asks one thing has none and fails with the first failure.
type patience struct {
	stop <-chan struct{}
	tell func(text string)
	rng  *rand.Rand

	attempts int
	since    time.Time
	told     [feed.Troubles]bool
}

// The least and most that an attempt may wait for, before the draw.
const (
	patienceMin = 500 * time.Millisecond
	patienceMax = 30 * time.Second
)

// errStopped is a run that was told to stop before it had reached its venue.
var errStopped = errors.New("stopped while waiting for the venue: nothing was sent")

// insist tries f until it succeeds or fails for a reason that waiting does not mend.
// f gets connectTime for each attempt.
func (c *contact) insist(f func(ctx context.Context) error) error {
	for {
		err := c.attempt(f)
		p := c.patience
		if p == nil {
			return err
		}
		if err == nil {
			p.met(c.sites.name)
			return nil
		}
		select {
		case <-p.stop:
			return errStopped
		default:
		}
		wait, passing := p.wait(err)
		if !passing {
			return err
		}
		p.say(c.sites.name, err)
		t := time.NewTimer(wait)
		select {
		case <-p.stop:
			t.Stop()
			return errStopped
		case <-t.C:
		}
	}
}

// attempt is one call of f, which ends when the wait is to end.
func (c *contact) attempt(f func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), connectTime)
	defer cancel()
	if c.patience != nil {
		ended := make(chan struct{})
		defer func() { <-ended }()
		done, finish := context.WithCancel(ctx)
		defer finish()
		go func() {
			defer close(ended)
			select {
			case <-c.patience.stop:
				cancel()
			case <-done.Done():
			}
		}()
	}
	return f(ctx)
}

// wait is how long to stay away after a failure, and whether another attempt may find
// things otherwise: the venue does not answer, or not as a venue does. What it says
// about our request or our key it will say again.
func (p *patience) wait(err error) (time.Duration, bool) {
	var ce *exec.CallError
	switch {
	case errors.As(err, &ce):
		if ce.KeyRefused || ce.Code != 0 && feed.TroubleOfStatus(ce.Status) == feed.TroubleOther {
			return 0, false
		}
	case !errors.Is(err, context.DeadlineExceeded):
		return 0, false
	}
	most := patienceMax
	if p.attempts < 6 {
		most = patienceMin << p.attempts
	}
	p.attempts++
	d := time.Duration(p.rng.Int64N(int64(most) + 1))
	if ce != nil {
		d = max(d, ce.RetryAfter)
	}
	return d, true
}

// say tells of each kind of trouble once.
func (p *patience) say(venue string, err error) {
	if p.since.IsZero() {
		p.since = time.Now()
	}
	kind := callTrouble(err)
	if p.told[kind] {
		return
	}
	p.told[kind] = true
	p.tell(fmt.Sprintf("waiting for %s: %s; trying until it is there (%v)", venue, kind, err))
}

// met tells of the end of a wait.
func (p *patience) met(venue string) {
	if !p.since.IsZero() {
		p.tell(fmt.Sprintf("%s answers again after %v and %d attempts", venue, time.Since(p.since).Round(time.Millisecond), p.attempts))
	}
	p.since, p.attempts, p.told = time.Time{}, 0, [feed.Troubles]bool{}
}

// callTrouble is the trouble that a call over REST tells of.
func callTrouble(err error) feed.Trouble {
	var ce *exec.CallError
	if errors.As(err, &ce) && ce.Status != 0 {
		return feed.TroubleOfStatus(ce.Status)
	}
	return feed.TroubleOf(err)
}
