package backtest

import (
	"encoding/hex"
	"math"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"

	"riposte/core"
	"riposte/core/risk"
	"riposte/core/signal"
)

// FillRow is a fill with its marks.
type FillRow struct {
	Fill
	Marks Marks
}

// OrderRow is an order as the engine knows it. Times are since the tape's start, 0 where
// it has not happened.
type OrderRow struct {
	ID           core.OrderID
	Instrument   core.InstrumentID
	Strategy     uint16
	Side         core.Side
	Type         core.OrderType
	TIF          core.TIF
	Status       core.OrderStatus
	Code         int32
	Price        core.Price
	Qty, Cum     core.Qty
	At           core.MonoNs
	Acked, Ended core.MonoNs
}

// SignalRow is a signal with its marks.
type SignalRow struct {
	At         core.MonoNs
	Instrument core.InstrumentID
	Rule       uint16
	Side       core.Side
	Strength   float64
	Mid        core.Price
	Marks      Marks
}

// Result is what a run came to. Money is in the currency of the configuration.
type Result struct {
	Events   uint64  `json:"events"`  // that the shard was shown
	Seconds  float64 `json:"seconds"` // by the clock on the wall
	CPU      float64 `json:"cpu_seconds"`
	Rate     float64 `json:"events_per_core_second"`
	Span     float64 `json:"span_seconds"` // of the tape, traded
	Hash     string  `json:"decisions_sha256"`
	Decided  uint64  `json:"decisions"`
	PnL      float64 `json:"pnl"`
	Spread   float64 `json:"pnl_spread"`    // what fills were better than the mid
	Fees     float64 `json:"fees"`          // as a cost
	Holding  float64 `json:"pnl_inventory"` // the rest: what the mid did to what was held
	Drawdown float64 `json:"drawdown"`
	Longest  float64 `json:"longest_drawdown_seconds"`
	Sharpe   float64 `json:"sharpe_minute"` // mean over deviation of a minute's profit, times sqrt of a day's minutes
	Traded   float64 `json:"traded"`
	Bps      float64 `json:"pnl_bps"`  // of what was traded
	Invested float64 `json:"invested"` // part of the time with a position

	Orders  OrderCounts       `json:"orders"`
	Refused map[string]uint64 `json:"refused,omitempty"` // by the gate
	Halted  string            `json:"halted,omitempty"`
	Maker   MarkStats         `json:"maker_marks"`
	Taker   MarkStats         `json:"taker_marks"`
	Ack     Percentiles       `json:"ack"`
	Cancel  Percentiles       `json:"cancel"`
	Signals []SignalScore     `json:"signals,omitempty"`
	Symbols []SymbolResult    `json:"symbols"`
	Parts   []StrategyResult  `json:"strategies"`
	Lost    uint64            `json:"events_lost,omitempty"`
	Notes   []string          `json:"notes,omitempty"`

	FillRows   []FillRow   `json:"-"`
	OrderRows  []OrderRow  `json:"-"`
	SignalRows []SignalRow `json:"-"`
	Points     []Point     `json:"-"`
	AckTimes   *Histogram  `json:"-"`
}

// Percentiles of durations, in ms.
type Percentiles struct {
	N                  uint64
	P50, P90, P99, Max float64
}

// SignalScore is how the market went on after a rule's signals.
type SignalScore struct {
	Symbol string    `json:"symbol"`
	Rule   string    `json:"rule"`
	Marks  MarkStats `json:"marks"`
}

// SymbolResult is one symbol's part.
type SymbolResult struct {
	Symbol   string   `json:"symbol"`
	Volume   float64  `json:"volume"` // in quote
	Position core.Qty `json:"position"`
	Gaps     uint64   `json:"gaps"` // of its book
	Live     bool     `json:"live"`
}

// StrategyResult is one strategy's part, by its number.
type StrategyResult struct {
	Name   string  `json:"name"`
	Fills  uint64  `json:"fills"`
	Traded float64 `json:"traded"`
	Fees   float64 `json:"fees"`
	PnL    float64 `json:"pnl"`
}

func sum(b []byte) uint64 { return xxhash.Sum64(b) }

func (h *Histogram) percentiles() Percentiles {
	ms := func(d time.Duration) float64 { return float64(d) / 1e6 }
	return Percentiles{h.N, ms(h.Quantile(0.5)), ms(h.Quantile(0.9)), ms(h.Quantile(0.99)), float64(h.Max) / 1e6}
}

// halts are those in force at the end, of everything, of symbols and of strategies.
func (r *Run) halts() string {
	var all []string
	add := func(of string, h risk.HaltCause) {
		if h != 0 {
			all = append(all, of+h.String())
		}
	}
	add("", r.gate.Halted())
	for i := range r.cfg.Engine.Instruments.List {
		in := &r.cfg.Engine.Instruments.List[i]
		add(in.Symbol+": ", r.gate.HaltedSymbol(in.ID))
	}
	for n, name := range r.cfg.Names {
		add("strategy "+name+": ", r.gate.HaltedStrategy(uint16(n)))
	}
	return strings.Join(all, "; ")
}

func (r *Run) result(took, cpu time.Duration) (*Result, error) {
	l, t := r.book, r.cfg.Engine.Instruments
	span := (r.now - r.cfg.From)
	res := &Result{Events: r.events, Seconds: took.Seconds(), CPU: cpu.Seconds(), Span: float64(span) / 1e9, Hash: hex.EncodeToString(r.hash.Sum(nil)),
		PnL: l.equity, Spread: l.spread, Fees: l.fees, Drawdown: l.drawdown, Longest: l.longest / 1e9, Traded: l.traded, Orders: l.counts,
		Ack: l.acks.percentiles(), Cancel: l.ends.percentiles(), Lost: l.lost, FillRows: l.rows, OrderRows: l.orders, SignalRows: l.sigRows,
		Points: l.points, AckTimes: &l.acks, Notes: r.cfg.Laps.Events.Notes}
	// The kernel counts a thread's time in steps, so a short run is told by the wall.
	res.Rate = float64(r.events) / res.Seconds
	if res.CPU > 0.05 {
		res.Rate = float64(r.events) / res.CPU
	}
	res.Decided = l.counts.Placed + l.counts.Cancels + l.counts.Amends
	res.Holding = res.PnL - res.Spread + res.Fees
	if l.traded > 0 {
		res.Bps = res.PnL / l.traded * 1e4
	}
	if span > 0 {
		res.Invested = l.invested / float64(span)
	}
	if n := float64(l.steps); n > 1 {
		mean := l.returns / n
		if dev := math.Sqrt(max(l.squares/n-mean*mean, 0)); dev > 0 {
			res.Sharpe = mean / dev * math.Sqrt(24*60)
		}
	}
	res.Refused = map[string]uint64{}
	for i := range risk.RefusalCount {
		if n := r.gate.Refused(risk.Refusal(i)); n > 0 {
			res.Refused[risk.Refusal(i).String()] = n
		}
	}
	res.Halted = r.halts()
	for g := range l.fills.groups {
		*[...]*MarkStats{&res.Maker, &res.Taker}[g] = l.fills.groups[g]
	}
	for g := range l.signals.groups {
		s := &l.signals.groups[g]
		if id := g / signal.RulesMax; s.N[0] > 0 {
			res.Signals = append(res.Signals, SignalScore{Symbol: t.List[id].Symbol, Rule: r.cfg.Engine.Rules[id].List()[g%signal.RulesMax].Name, Marks: *s})
		}
	}
	for n, name := range r.cfg.Names {
		s := StrategyResult{Name: name}
		if n < len(l.parts) {
			p := &l.parts[n]
			s.Fills, s.Traded, s.Fees = p.fills, p.traded, p.fees
			for a, v := range p.flow {
				s.PnL += l.worth(core.AssetID(a), v)
			}
		}
		res.Parts = append(res.Parts, s)
	}
	live := false
	for i := range t.List {
		s := r.shard.Sync(core.InstrumentID(i))
		st := s.Status()
		res.Symbols = append(res.Symbols, SymbolResult{Symbol: t.List[i].Symbol, Volume: l.volume[i], Position: l.position[i],
			Gaps: st.Counters.Gaps, Live: st.Counters.Applied > 0})
		live = live || st.Counters.Applied > 0
	}
	if !live {
		return res, errShort
	}
	return res, nil
}
