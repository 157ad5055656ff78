package bench

import (
	"fmt"
	"testing"

	"riposte/core"
	"riposte/core/signal"
)

// signalWork feeds every touch and trade of the corpus to one set of signals, at the
// pace at which they were received.
func signalWork(t testing.TB, c *Corpus) *work {
	d := events(t, c)
	var evs []core.Event
	touches, trades := uint64(0), uint64(0)
	var flow float64
	for i := range d.Events {
		ev := d.Events[i]
		switch ev.Kind {
		case core.Touch:
			touches++
		case core.Trade, core.AggTrade:
			trades++
			flow += float64(ev.TradeQty())
		default:
			continue
		}
		ev.Recv = core.MonoNs(i+1) * 1e6
		evs = append(evs, ev)
	}
	var set signal.Set
	var sum float64
	return &work{
		items: len(evs),
		pass: func() {
			set.Reset()
			sum = 0
			for i := range evs {
				ev := &evs[i]
				if ev.Kind == core.Touch {
					top := ev.Top()
					set.OnTop(&top, ev.Recv)
					sum += set.Microprice() * set.Imbalance()
				} else {
					set.OnTrade(ev.TradeQty(), ev.Aggressor(), ev.Recv)
				}
			}
		},
		check: func() error {
			var want float64
			for i := range evs {
				if ev := &evs[i]; ev.Kind == core.Touch {
					t := ev.Top()
					bq, aq := float64(t.BidQty), float64(t.AskQty)
					want += (float64(t.Bid)*aq + float64(t.Ask)*bq) / (bq + aq) * ((bq - aq) / (bq + aq))
				}
			}
			if set.Touches() != touches || set.Trades() != trades || sum != want || set.VolatilityBps() <= 0 {
				return fmt.Errorf("got %d touches, %d trades, sum %v, volatility %v, want %d, %d, %v and more than 0",
					set.Touches(), set.Trades(), sum, set.VolatilityBps(), touches, trades, want)
			}
			return nil
		},
	}
}

// BenchmarkSignal is one touch or trade taken into an instrument's signals.
func BenchmarkSignal(b *testing.B) {
	stage(b, "event", func(t testing.TB) *work { return signalWork(t, corpus(t, Spot)) })
}
