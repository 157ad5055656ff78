package exec_test

import (
	"context"
	"sync"

	"riposte/core"
	"riposte/exec"
)

// coldVenue is the REST side: what it knows it tells.
type coldVenue struct {
	mu       sync.Mutex
	orders   map[core.ClientID]core.Execution
	trades   []core.Execution
	foreign  []core.Execution
	balances []core.Balance
	updated  core.WallNs // of the balances, 0: it does not say
	asked    int
	synced   int
	fail     error

	hideFromOrder, hideFromHistory, hideFromOpen bool // what the read side does not know yet
}

func (v *coldVenue) hide(yes bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.hideFromOrder, v.hideFromHistory, v.hideFromOpen = yes, yes, yes
}

var errNoOrder = &exec.CallError{Op: "GET /api/v3/order", Class: exec.ClassRefused, Status: 400, Code: -2013, Msg: "Order does not exist.", NoSuchOrder: true}

func (v *coldVenue) set(e core.Execution) {
	v.mu.Lock()
	defer v.mu.Unlock()
	e.Kind, e.TradeID, e.FeeAsset = core.ExecStatus, -1, core.NoAsset
	v.orders[e.Client] = e
}

func (v *coldVenue) trade(e core.Execution) {
	v.mu.Lock()
	defer v.mu.Unlock()
	e.Client = core.ClientID{}
	e.Kind, e.Status, e.Cum = core.ExecTrade, core.New, 0
	v.trades = append(v.trades, e)
}

func (v *coldVenue) count() (asked, synced int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.asked, v.synced
}

func (v *coldVenue) Order(_ context.Context, _ core.InstrumentID, c core.ClientID, venueID int64) (core.Execution, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.asked++
	if v.fail != nil {
		return core.Execution{}, v.fail
	}
	if venueID != 0 {
		for _, e := range v.orders {
			if e.VenueID == venueID {
				return e, nil
			}
		}
		for _, e := range v.foreign {
			if e.VenueID == venueID {
				return e, nil
			}
		}
	}
	if e, ok := v.orders[c]; ok && !v.hideFromOrder {
		return e, nil
	}
	return core.Execution{}, errNoOrder
}

func (v *coldVenue) OrderTrades(_ context.Context, id core.InstrumentID, venueID int64) (out []core.Execution, _ error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, e := range v.trades {
		if e.Instrument == id && e.VenueID == venueID {
			out = append(out, e)
		}
	}
	return out, nil
}

func (v *coldVenue) TradesFrom(_ context.Context, id core.InstrumentID, from int64) (out []core.Execution, _ error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, e := range v.trades {
		if e.Instrument == id && e.TradeID >= from {
			out = append(out, e)
		}
	}
	if from < 0 && len(out) > 1 {
		out = out[len(out)-1:]
	}
	return out, nil
}

// TradesSince tells all, whatever since: the fake's fills have no time.
func (v *coldVenue) TradesSince(ctx context.Context, id core.InstrumentID, _ core.WallNs) ([]core.Execution, error) {
	return v.TradesFrom(ctx, id, 0)
}

func (v *coldVenue) OpenOrdersOf(ctx context.Context, id core.InstrumentID) (out []core.Execution, _ error) {
	list, err := v.OpenOrders(ctx)
	for _, e := range list {
		if e.Instrument == id {
			out = append(out, e)
		}
	}
	return out, err
}

func (v *coldVenue) HistoryFrom(_ context.Context, id core.InstrumentID, from int64) (out []core.Execution, _ error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, e := range v.orders {
		if e.Instrument == id && e.VenueID >= from && !v.hideFromHistory {
			out = append(out, e)
		}
	}
	return out, nil
}

func (v *coldVenue) HistorySince(ctx context.Context, id core.InstrumentID, _ core.WallNs) ([]core.Execution, error) {
	return v.HistoryFrom(ctx, id, 0)
}

func (v *coldVenue) OpenOrders(context.Context) (out []core.Execution, _ error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, e := range v.orders {
		if !e.Status.Terminal() && !v.hideFromOpen {
			out = append(out, e)
		}
	}
	return append(out, v.foreign...), nil
}

func (v *coldVenue) Balances(context.Context) ([]core.Balance, core.WallNs, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]core.Balance(nil), v.balances...), v.updated, nil
}

func (v *coldVenue) SyncClock(context.Context) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.synced++
	return v.fail
}
