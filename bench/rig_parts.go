package bench

import (
	"context"
	"errors"
	"sync/atomic"

	"riposte/core"
	"riposte/core/engine"
	"riposte/exec"
)

// Split is where the time went between the bytes of a frame having been read and the
// order that it caused having been written, in ns. The seven follow each other
// without a gap.
type Split struct {
	Kind core.EventKind // of the frame
	// Decode is the frame reader and the decoder, Queue what was in the way until the
	// shard took the event, Apply book and signals, Decide the strategy, Gate the
	// controls, Encode the request's bytes (hand-over, budget and signature with it),
	// Write the order table, the journal and the write call.
	Decode, Queue, Apply, Decide, Gate, Encode, Write uint32
}

// Total is their sum: from bytes read to order written.
func (s *Split) Total() uint32 {
	return s.Decode + s.Queue + s.Apply + s.Decide + s.Gate + s.Encode + s.Write
}

// took hands out the stage times of the orders of the turn that has just ended.
func (r *Rig) took() {
	if r.Took == nil {
		return
	}
	samples, stamps := r.stages.Pending(), r.stamps.Pending()
	if len(samples) != 1 || len(stamps) != 1 || stamps[0].Kind != core.Place {
		return // no order, or not a frame's
	}
	s := split(&samples[0], &stamps[0])
	r.Took(&s)
}

func split(e *engine.StageSample, o *exec.Stamp) Split {
	ns := func(from, to core.MonoNs) uint32 { return uint32(min(max(to-from, 0), 1<<31)) }
	s := Split{Kind: e.Kind, Decode: e.DecodeNs, Queue: e.QueueNs}
	s.Apply = ns(o.Decoded+core.MonoNs(e.QueueNs), o.Applied)
	s.Decide = ns(o.Applied, o.Decided)
	s.Gate = ns(o.Decided, o.Approved)
	s.Encode = ns(o.Approved, o.Encoded)
	s.Write = ns(o.Encoded, o.Written)
	return s
}

// StepClock goes on by the same step at each reading, so that what is timed by it
// is the same every time. Any goroutine.
type StepClock struct {
	Step core.MonoNs
	at   atomic.Int64
}

// stepOrigin is where a StepClock starts: an hour after zero, as the system's.
const stepOrigin = core.MonoNs(3600e9)

// Mono is the time, which goes on.
func (c *StepClock) Mono() core.MonoNs { return stepOrigin + core.MonoNs(c.at.Add(int64(c.Step))) }

// Wall is the same on 2024-08-08.
func (c *StepClock) Wall() core.WallNs {
	return core.WallNs(1_723_161_255_000_000_000 + c.at.Load())
}

// deaf is a venue that is never asked anything: the rig has no doubt to end.
type deaf struct{}

var errDeaf = errors.New("the rig has no venue to ask")

func (deaf) Order(context.Context, core.InstrumentID, core.ClientID, int64) (core.Execution, error) {
	return core.Execution{}, errDeaf
}

func (deaf) OrderTrades(context.Context, core.InstrumentID, int64) ([]core.Execution, error) {
	return nil, errDeaf
}

func (deaf) TradesFrom(context.Context, core.InstrumentID, int64) ([]core.Execution, error) {
	return nil, errDeaf
}

func (deaf) TradesSince(context.Context, core.InstrumentID, core.WallNs) ([]core.Execution, error) {
	return nil, errDeaf
}

func (deaf) HistoryFrom(context.Context, core.InstrumentID, int64) ([]core.Execution, error) {
	return nil, errDeaf
}

func (deaf) HistorySince(context.Context, core.InstrumentID, core.WallNs) ([]core.Execution, error) {
	return nil, errDeaf
}

func (deaf) OpenOrdersOf(context.Context, core.InstrumentID) ([]core.Execution, error) {
	return nil, errDeaf
}
func (deaf) OpenOrders(context.Context) ([]core.Execution, error)          { return nil, errDeaf }
func (deaf) Balances(context.Context) ([]core.Balance, core.WallNs, error) { return nil, 0, errDeaf }
func (deaf) SyncClock(context.Context) error                               { return errDeaf }
