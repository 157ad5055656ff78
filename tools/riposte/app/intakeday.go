package app

import (
	"context"
	"fmt"
	"time"

	"riposte/core"
	"riposte/core/airlock"
	"riposte/core/engine"
)

// Weights of what statistics are made of (Binance Spot API docs, 2026-07-21): of GET
// /api/v3/ticker/24hr for up to 20 symbols, klines, account/commission.
const (
	weightDay      = 2
	weightMinutes  = 2
	weightFee      = 20
	trendMinutes   = 15
	feeEvery       = time.Hour
	dayTime        = 10 * time.Second
	dayNames       = 20
	statisticsKeep = questionsKeep // percent of the weight that is left alone: books come first
)

// watchDay asks the venue for its statistics of the symbols that sources may speak of,
// inside the weight budget, and hands them to the shard. A goroutine of its own.
func (o *intake) watchDay(ctx context.Context) {
	var ids []core.InstrumentID
	for i := range o.d.table.List {
		for _, s := range o.d.cfg.Sources {
			if q, ok := s.Sizes[o.d.table.List[i].Symbol]; ok && q.e8 > 0 {
				ids = append(ids, o.d.table.List[i].ID)
				break
			}
		}
	}
	fees := make(map[core.InstrumentID]feeKnown, len(ids))
	every := o.d.cfg.Airlock.StatisticsEvery.Duration
	for {
		err := o.askDay(ctx, ids, fees)
		wait := every
		if err != nil {
			wait = min(every, 5*time.Second)
		}
		o.mu.Lock()
		if o.trouble = ""; err != nil && ctx.Err() == nil {
			o.trouble = "the venue's statistics, without which signals from outside are refused, cannot be asked for: " + err.Error()
		}
		o.mu.Unlock()
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
	}
}

// feeKnown is a taker's fee and when it was asked.
type feeKnown struct {
	fee airlock.Ratio
	at  core.MonoNs
}

func (o *intake) askDay(ctx context.Context, ids []core.InstrumentID, fees map[core.InstrumentID]feeKnown) error {
	ctx, cancel := context.WithTimeout(ctx, dayTime)
	defer cancel()
	for len(ids) > 0 {
		part := ids[:min(len(ids), dayNames)]
		ids = ids[len(part):]
		if err := o.askPart(ctx, part, fees); err != nil {
			return err
		}
	}
	return nil
}

func (o *intake) room(weight int) error {
	if room, more := o.d.budget.Spare(statisticsKeep, o.d.vclock.Now(), o.d.clock.Mono()); room < weight {
		return fmt.Errorf("no weight is left for %v", more.Round(time.Millisecond))
	}
	return nil
}

func (o *intake) askPart(ctx context.Context, ids []core.InstrumentID, fees map[core.InstrumentID]feeKnown) error {
	d := o.d
	days := map[string]airlock.DayFacts{}
	at := d.clock.Mono() // not younger than they are
	if d.cfg.Airlock.Statistics {
		if err := o.room(weightDay + len(ids)*weightMinutes); err != nil {
			return err
		}
		var names []string
		for _, id := range ids {
			names = append(names, d.table.Get(id).Symbol)
		}
		list, err := d.rest.Tickers(ctx, names...)
		if err != nil {
			return err
		}
		for i := range list {
			t := &list[i]
			days[t.Symbol] = airlock.DayFacts{High: t.High, Low: t.Low, Volume: t.QuoteVolume}
		}
	}
	for _, id := range ids {
		symbol := d.table.Get(id).Symbol
		day, known := days[symbol]
		if d.cfg.Airlock.Statistics {
			if !known {
				return fmt.Errorf("the venue's answer has no %s", symbol)
			}
			trend, err := o.trend(ctx, symbol)
			if err != nil {
				return err
			}
			day.Trend = trend
		}
		fee, err := o.fee(ctx, id, fees)
		if err != nil {
			return err
		}
		day.Fee, day.At = fee, at
		d.control.send(engine.Command{Kind: engine.CmdDay, Instrument: id, Day: &day})
	}
	return nil
}

// trend is the move over the last minutes by the venue's klines.
func (o *intake) trend(ctx context.Context, symbol string) (airlock.Ratio, error) {
	list, err := o.d.rest.Klines(ctx, symbol, "1m", 0, trendMinutes)
	if err != nil || len(list) == 0 {
		return 0, err
	}
	return airlock.Of(list[len(list)-1].Close, list[0].Open), nil
}

// fee is what a taker of the account pays on a symbol, the dearer of the two sides.
func (o *intake) fee(ctx context.Context, id core.InstrumentID, fees map[core.InstrumentID]feeKnown) (airlock.Ratio, error) {
	now := o.d.clock.Mono()
	if f, ok := fees[id]; ok && now-f.at < core.MonoNs(feeEvery) {
		return f.fee, nil
	}
	if err := o.room(weightFee); err != nil {
		return 0, err
	}
	c, err := o.d.rest.Commission(ctx, o.d.table.Get(id).Symbol)
	if err != nil {
		return 0, err
	}
	sum := int64(0)
	for _, r := range [...]struct{ Maker, Taker, Buyer, Seller int64 }{c.Standard, c.Special, c.Tax} {
		sum += r.Taker + max(r.Buyer, r.Seller)
	}
	fees[id] = feeKnown{airlock.Ratio(sum), now}
	return airlock.Ratio(sum), nil
}
