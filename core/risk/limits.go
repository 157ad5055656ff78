package risk

import (
	"fmt"
	"time"

	"riposte/core"
)

// Limits bind one instrument. Money limits (QtyMax, NotionalMax, PositionMax)
// have no default: zero is refused by NewGate.
type Limits struct {
	QtyMax      core.Qty    // per order
	NotionalMax core.Amount // per order, in quote; MARKET orders count at the worse touch
	PositionMax core.Qty    // |position|, with everything that could still trade on the worse side
	OpenMax     int         // working and in-flight orders on the instrument
	CollarBps   int64       // how far from the mid a limit price may lie, in 1/10000
	StaleAfter  time.Duration
}

// AccountLimits bind all instruments of a shard together.
type AccountLimits struct {
	OpenMax   int           // working and in-flight orders
	RateMax   int           // orders per RateSpan, at any instant looking back
	RateSpan  time.Duration //
	RejectMax int           // venue rejects in a row before trading halts
}

func (l *Limits) check(symbol string) error {
	bad := func(name string, got any, want string) error {
		return fmt.Errorf("cannot use limits of %s: %s is %v, want %s", symbol, name, got, want)
	}
	switch {
	case l.QtyMax <= 0:
		return bad("qty_max", l.QtyMax, "more than 0 (money limits have no default)")
	case l.NotionalMax <= 0:
		return bad("notional_max", l.NotionalMax, "more than 0 (money limits have no default)")
	case l.PositionMax <= 0:
		return bad("position_max", l.PositionMax, "more than 0 (money limits have no default)")
	case l.OpenMax <= 0:
		return bad("open_max", l.OpenMax, "at least 1")
	case l.CollarBps <= 0 || l.CollarBps > 10_000:
		return bad("collar_bps", l.CollarBps, "1 to 10000")
	case l.StaleAfter <= 0:
		return bad("stale_after", l.StaleAfter, "more than 0")
	}
	return nil
}

func (l *AccountLimits) check() error {
	switch {
	case l.OpenMax <= 0 || l.OpenMax > 100_000:
		return fmt.Errorf("cannot use account limits: open_max is %d, want 1 to 100000", l.OpenMax)
	case l.RateMax <= 0 || l.RateMax > 1_000_000:
		return fmt.Errorf("cannot use account limits: rate_max is %d, want 1 to 1000000", l.RateMax)
	case l.RateSpan <= 0:
		return fmt.Errorf("cannot use account limits: rate_span is %v, want more than 0", l.RateSpan)
	case l.RejectMax <= 0:
		return fmt.Errorf("cannot use account limits: reject_max is %d, want at least 1", l.RejectMax)
	}
	return nil
}
