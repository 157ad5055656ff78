package app

import (
	"errors"
	"fmt"
	"time"

	"riposte/core"
	"riposte/core/risk"
)

// LimitsConfig is one [limits.SYMBOL]. What is left out has the default that
// risk.Limits documents, but for money, which has none.
type LimitsConfig struct {
	QtyMax       quantity `toml:"qty_max"`
	NotionalMax  quantity `toml:"notional_max"`
	PositionMax  quantity `toml:"position_max"`
	OpenMax      int      `toml:"open_max"`
	CollarBps    int64    `toml:"collar_bps"`
	DriftBps     *int64   `toml:"drift_bps"`
	SlippageBps  *int64   `toml:"slippage_bps"`
	StaleAfter   duration `toml:"stale_after"`
	RepeatMax    *int     `toml:"repeat_max"`
	ExecutionMax *int     `toml:"execution_max"`
}

func (l LimitsConfig) limits() risk.Limits {
	r := risk.Limits{QtyMax: core.Qty(l.QtyMax.e8), NotionalMax: core.Amount(l.NotionalMax.e8), PositionMax: core.Qty(l.PositionMax.e8),
		OpenMax: l.OpenMax, CollarBps: l.CollarBps, StaleAfter: l.StaleAfter.Duration}.WithDefaults()
	given(&r.DriftBps, l.DriftBps)
	given(&r.SlippageBps, l.SlippageBps)
	given(&r.RepeatMax, l.RepeatMax)
	given(&r.ExecutionMax, l.ExecutionMax)
	return r
}

// given takes over what stands in the file, a 0 too, which switches off.
func given[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

// AccountConfig is [account].
type AccountConfig struct {
	Currency         string   `toml:"currency"`
	GrossMax         quantity `toml:"gross_max"`
	LossMax          quantity `toml:"loss_max"`
	DrawdownMax      quantity `toml:"drawdown_max"`
	UnknownValueMax  quantity `toml:"unknown_value_max"`
	UnknownMax       int      `toml:"unknown_max"`
	OpenMax          int      `toml:"open_max"`
	RateMax          int      `toml:"rate_max"`
	RateSpan         duration `toml:"rate_span"`
	StrategyRateMax  int      `toml:"strategy_rate_max"`
	StrategyRateSpan duration `toml:"strategy_rate_span"`
	MessageMax       int      `toml:"message_max"`
	CancelReserve    int      `toml:"cancel_reserve"`
	RejectMax        int      `toml:"reject_max"`
	RejectSpanMax    int      `toml:"reject_span_max"`
	LossesMax        int      `toml:"losses_max"`
	RatioMax         int      `toml:"ratio_max"`
	DuplicateSpan    duration `toml:"duplicate_span"`
	SelfMatch        bool     `toml:"self_match"`
	Span             duration `toml:"span"`
	ClockErrorMax    duration `toml:"clock_error_max"`
	AuditAgeMax      duration `toml:"audit_age_max"`
	RulesAgeMax      duration `toml:"rules_age_max"`
}

// accountDefaults is what a file that leaves a key out gets: the defaults of the table
// of controls, and no money.
func accountDefaults() AccountConfig {
	d := risk.AccountLimits{}.WithDefaults()
	return AccountConfig{UnknownMax: d.UnknownMax, OpenMax: d.OpenMax, RateMax: d.RateMax, RateSpan: duration{d.RateSpan},
		StrategyRateMax: d.StrategyRateMax, StrategyRateSpan: duration{d.StrategySpan}, MessageMax: d.MessageMax, CancelReserve: d.ReservePercent,
		RejectMax: d.RejectMax, RejectSpanMax: d.RejectSpanMax, LossesMax: d.LossesMax, RatioMax: d.RatioMax,
		DuplicateSpan: duration{d.DuplicateSpan}, SelfMatch: d.SelfMatch, Span: duration{d.Span}, ClockErrorMax: duration{d.ClockErrorMax},
		AuditAgeMax: duration{d.AuditAgeMax}, RulesAgeMax: duration{d.RulesAgeMax}}
}

// check wants the account's money limits where something is traded: they have no
// default.
func (a *AccountConfig) check(trades bool) error {
	errs := []error{
		between("account.open_max", a.OpenMax, 1, 100_000),
		between("account.rate_max", a.RateMax, 1, 1_000_000),
		span("account.rate_span", a.RateSpan, time.Millisecond, 24*time.Hour),
		between("account.strategy_rate_max", a.StrategyRateMax, 0, 1_000_000),
		span("account.strategy_rate_span", a.StrategyRateSpan, time.Millisecond, 24*time.Hour),
		between("account.message_max", a.MessageMax, 0, 1_000_000),
		between("account.cancel_reserve", a.CancelReserve, 0, 99),
		between("account.reject_max", a.RejectMax, 1, 1_000_000),
		between("account.reject_span_max", a.RejectSpanMax, 0, 65_536),
		between("account.losses_max", a.LossesMax, 0, 1_000_000_000),
		between("account.ratio_max", a.RatioMax, 0, 1_000_000_000),
		between("account.unknown_max", a.UnknownMax, 0, 100_000),
		span("account.span", a.Span, time.Second, time.Hour),
		span("account.duplicate_span", a.DuplicateSpan, 0, a.Span.Duration),
		span("account.clock_error_max", a.ClockErrorMax, 0, time.Minute),
		span("account.audit_age_max", a.AuditAgeMax, 0, time.Hour),
		span("account.rules_age_max", a.RulesAgeMax, 0, 24*time.Hour),
	}
	if !trades {
		return errors.Join(errs...)
	}
	if a.Currency == "" {
		errs = append(errs, want("account.currency", `""`, "the asset in which the account's limits are counted, such as USDT"))
	}
	for key, v := range map[string]quantity{"gross_max": a.GrossMax, "loss_max": a.LossMax, "drawdown_max": a.DrawdownMax} {
		if v.e8 == 0 {
			errs = append(errs, want("account."+key, "missing", "an amount above 0 of account.currency: money limits have no default"))
		}
	}
	return errors.Join(errs...)
}

// limits are the account's, counted in an asset of the table.
func (a *AccountConfig) limits(t *core.Instruments) (risk.AccountLimits, error) {
	l := risk.AccountLimits{GrossMax: core.Amount(a.GrossMax.e8), LossMax: core.Amount(a.LossMax.e8), DrawdownMax: core.Amount(a.DrawdownMax.e8),
		UnknownValueMax: core.Amount(a.UnknownValueMax.e8), UnknownMax: a.UnknownMax, OpenMax: a.OpenMax, RateMax: a.RateMax, RateSpan: a.RateSpan.Duration,
		StrategyRateMax: a.StrategyRateMax, StrategySpan: a.StrategyRateSpan.Duration, MessageMax: a.MessageMax, ReservePercent: a.CancelReserve,
		RejectMax: a.RejectMax, RejectSpanMax: a.RejectSpanMax, LossesMax: a.LossesMax, RatioMax: a.RatioMax, DuplicateSpan: a.DuplicateSpan.Duration,
		SelfMatch: a.SelfMatch, Span: a.Span.Duration, ClockErrorMax: a.ClockErrorMax.Duration, AuditAgeMax: a.AuditAgeMax.Duration,
		RulesAgeMax: a.RulesAgeMax.Duration, Currency: core.NoAsset}
	if a.Currency == "" {
		return l, nil
	}
	id, ok := t.AssetID(a.Currency)
	if !ok {
		return l, fmt.Errorf("account.currency is %q, want an asset of the symbols in market.symbols: nothing could be valued in it", a.Currency)
	}
	l.Currency = id
	return l, nil
}
