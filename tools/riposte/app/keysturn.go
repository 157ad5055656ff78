package app

import "time"

// keeperTurn is what the keeper does next.
type keeperTurn int

const (
	turnNone keeperTurn = iota
	turnEnd
	turnChange // a person wants a new key
	turnCheck  // what the key may do is asked again
	turnLook   // has the key been refused?
)

// keeperTimes are when the keeper does what nobody asks it for. They share one timer: of
// two that end at one instant, either may wake first. The keeper's goroutine.
type keeperTimes struct {
	check, look time.Time
	timer       *time.Timer
}

func newKeeperTimes(check time.Duration) *keeperTimes {
	now := time.Now()
	return &keeperTimes{check: now.Add(check), look: now.Add(refusalLook), timer: time.NewTimer(min(check, refusalLook))}
}

// turn waits for what is next. Of what has come together while a call was out the end goes
// first, then a person's wish, then the check: the order is always the same, and so is what
// the venue sees. done gets the answer to a wish, nil: it came by a signal. The keeper's
// goroutine.
func (k *keeper) turn(t *keeperTimes) (turn keeperTurn, done chan<- error) {
	for {
		if turn, done = k.ready(t); turn != turnNone {
			return turn, done
		}
		t.timer.Reset(min(time.Until(t.check), time.Until(t.look)))
		select {
		case <-k.ctx.Done():
			return turnEnd, nil
		case done := <-k.ask:
			return turnChange, done
		case <-k.hup:
			return turnChange, nil
		case <-t.timer.C:
		}
	}
}

// ready is the first of what need not be waited for.
func (k *keeper) ready(t *keeperTimes) (turn keeperTurn, done chan<- error) {
	if k.ctx.Err() != nil {
		return turnEnd, nil
	}
	select {
	case done := <-k.ask:
		return turnChange, done
	default:
	}
	select {
	case <-k.hup:
		return turnChange, nil
	default:
	}
	switch now := time.Now(); {
	case !now.Before(t.check):
		return turnCheck, nil
	case !now.Before(t.look):
		t.look = t.look.Add(now.Sub(t.look).Truncate(refusalLook) + refusalLook) // missed ones are not made up for
		return turnLook, nil
	}
	return turnNone, nil
}
