package risk

import (
	"fmt"
	"time"

	"riposte/core"
)

// Limits bind one instrument. Money limits (QtyMax, NotionalMax, PositionMax)
// have no default: zero is refused by NewGate. What is marked with 0: off binds
// nothing when it is 0; WithDefaults puts the defaults there.
type Limits struct {
	QtyMax       core.Qty    // per order
	NotionalMax  core.Amount // per order, in quote, at the worst price it can get
	PositionMax  core.Qty    // |position|, with everything that could still trade on the worse side
	OpenMax      int         // working and in-flight orders on the instrument
	CollarBps    int64       // how far from the mid, and from the last trade, a price may lie, in 1/10000
	DriftBps     int64       // sum of what orders used of the collar within Span; 0: off
	SlippageBps  int64       // how far beyond the touch a MARKET order may reach; 0: off
	StaleAfter   time.Duration
	RepeatMax    int // orders of the same side, price and quantity within Span; 0: off
	ExecutionMax int // fills within Span; 0: off
}

// AccountLimits bind all instruments of a shard together. Values are counted in
// Currency, through the shard's own books; what has no price there is refused.
// 0 is off where a comment says so.
type AccountLimits struct {
	Currency        core.AssetID
	GrossMax        core.Amount // sum over instruments of the worst position at its mid; 0: off
	LossMax         core.Amount // of a UTC day, realised and marked; 0: off
	DrawdownMax     core.Amount // from the day's best; 0: off
	UnknownValueMax core.Amount // of orders whose outcome is unknown; 0: off
	UnknownMax      int         // how many of those; 0: off

	OpenMax  int           // working and in-flight orders
	RateMax  int           // orders, amends and replaces per RateSpan, at any instant looking back
	RateSpan time.Duration //

	StrategyRateMax int           // the same of one strategy; 0: off
	StrategySpan    time.Duration //

	MessageMax     int // per RateSpan, cancels included; 0: off
	ReservePercent int // share of MessageMax that only cancels may use

	RejectMax     int           // venue rejects in a row before trading halts
	RejectSpanMax int           // and within Span, in a row or not; 0: off
	LossesMax     int           // closing trades at a loss in a row; 0: off
	RatioMax      int           // orders of a day for each of its trades; 0: off
	DuplicateSpan time.Duration // for which the same order is refused; 0: off
	SelfMatch     bool          // refuse what would meet an own resting order
	Span          time.Duration // of Drift, Repeat, Execution and RejectSpanMax; 0: a minute

	ClockErrorMax time.Duration // uncertainty of the venue's time; 0: off
	AuditAgeMax   time.Duration // of the last audit that found the account in order; 0: off
	RulesAgeMax   time.Duration // of the venue's filters; 0: off
}

// Defaults of what is not money, by the table of controls.
const (
	defaultSpan        = time.Minute
	defaultStale       = 500 * time.Millisecond
	defaultDuplicate   = 500 * time.Millisecond
	defaultClockError  = 250 * time.Millisecond
	defaultAuditAge    = time.Minute
	defaultRulesAge    = 10 * time.Minute
	mostRateSpan       = 24 * time.Hour
	mostOrders         = 100_000
	mostRate           = 1_000_000
	mostCounted        = 1 << 16
	strategiesMost     = 16
	bps                = 10_000
	percent            = 100
	messagesOfTheVenue = 100 // per 10 s, by Binance's ORDERS limit of 2025-08
)

func orElse[T int | int64 | time.Duration](v *T, def T) {
	if *v == 0 {
		*v = def
	}
}

// WithDefaults is l with what is 0 and not money at its default.
func (l Limits) WithDefaults() Limits {
	orElse(&l.OpenMax, 10)
	orElse(&l.CollarBps, 100)
	orElse(&l.DriftBps, 300)
	orElse(&l.SlippageBps, 50)
	orElse(&l.StaleAfter, defaultStale)
	orElse(&l.RepeatMax, 20)
	orElse(&l.ExecutionMax, 200)
	return l
}

// WithDefaults is l with what is 0 and not money at its default.
func (l AccountLimits) WithDefaults() AccountLimits {
	orElse(&l.UnknownMax, 3)
	orElse(&l.OpenMax, 50)
	orElse(&l.RateMax, messagesOfTheVenue/2)
	orElse(&l.RateSpan, 10*time.Second)
	orElse(&l.StrategyRateMax, 20)
	orElse(&l.StrategySpan, time.Second)
	orElse(&l.MessageMax, messagesOfTheVenue)
	orElse(&l.ReservePercent, 30)
	orElse(&l.RejectMax, 10)
	orElse(&l.RejectSpanMax, 10)
	orElse(&l.LossesMax, 5)
	orElse(&l.RatioMax, 500)
	orElse(&l.DuplicateSpan, defaultDuplicate)
	orElse(&l.Span, defaultSpan)
	l.SelfMatch = true
	orElse(&l.ClockErrorMax, defaultClockError)
	orElse(&l.AuditAgeMax, defaultAuditAge)
	orElse(&l.RulesAgeMax, defaultRulesAge)
	return l
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
	case l.CollarBps <= 0 || l.CollarBps > bps:
		return bad("collar_bps", l.CollarBps, "1 to 10000")
	case l.DriftBps < 0 || l.DriftBps > 1000*bps:
		return bad("drift_bps", l.DriftBps, "0 to 10000000")
	case l.SlippageBps < 0 || l.SlippageBps > bps:
		return bad("slippage_bps", l.SlippageBps, "0 to 10000")
	case l.StaleAfter <= 0:
		return bad("stale_after", l.StaleAfter, "more than 0")
	case l.RepeatMax < 0 || l.RepeatMax > repeatsKept:
		return bad("repeat_max", l.RepeatMax, fmt.Sprintf("0 to %d", repeatsKept))
	case l.ExecutionMax < 0 || l.ExecutionMax > mostCounted:
		return bad("execution_max", l.ExecutionMax, fmt.Sprintf("0 to %d", mostCounted))
	}
	return nil
}

func (l *AccountLimits) check() error {
	bad := func(name string, got any, want string) error {
		return fmt.Errorf("cannot use account limits: %s is %v, want %s", name, got, want)
	}
	switch {
	case l.OpenMax <= 0 || l.OpenMax > mostOrders:
		return bad("open_max", l.OpenMax, "1 to 100000")
	case l.RateMax <= 0 || l.RateMax > mostRate:
		return bad("rate_max", l.RateMax, "1 to 1000000")
	case l.RateSpan <= 0 || l.RateSpan > mostRateSpan:
		return bad("rate_span", l.RateSpan, "more than 0 and at most 24h")
	case l.RejectMax <= 0:
		return bad("reject_max", l.RejectMax, "at least 1")
	case l.GrossMax < 0:
		return bad("gross_max", l.GrossMax, "0 or more")
	case l.LossMax < 0:
		return bad("loss_max", l.LossMax, "0 or more")
	case l.DrawdownMax < 0:
		return bad("drawdown_max", l.DrawdownMax, "0 or more")
	case l.UnknownMax < 0 || l.UnknownValueMax < 0:
		return bad("unknown_max", l.UnknownMax, "0 or more")
	case l.StrategyRateMax < 0 || l.StrategyRateMax > mostRate || l.StrategyRateMax > 0 && l.StrategySpan <= 0:
		return bad("strategy_rate_max", l.StrategyRateMax, "0 to 1000000, and a span")
	case l.MessageMax < 0 || l.MessageMax > mostRate:
		return bad("message_max", l.MessageMax, "0 to 1000000")
	case l.ReservePercent < 0 || l.ReservePercent >= percent:
		return bad("reserve_percent", l.ReservePercent, "0 to 99")
	case l.RejectSpanMax < 0 || l.RejectSpanMax > mostCounted:
		return bad("reject_span_max", l.RejectSpanMax, fmt.Sprintf("0 to %d", mostCounted))
	case l.LossesMax < 0 || l.RatioMax < 0:
		return bad("losses_max or ratio_max", min(l.LossesMax, l.RatioMax), "0 or more")
	case l.DuplicateSpan < 0 || l.Span < 0 || l.ClockErrorMax < 0 || l.AuditAgeMax < 0 || l.RulesAgeMax < 0:
		return bad("a span or an age", "negative", "0 or more")
	case l.Span > 0 && l.DuplicateSpan > l.Span:
		return bad("duplicate_span", l.DuplicateSpan, fmt.Sprintf("at most span, %v", l.Span))
	}
	return nil
}
