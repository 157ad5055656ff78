package strategy_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"riposte/core"
	"riposte/core/engine"
	"riposte/core/engine/enginetest"
	"riposte/core/risk"
)

// Whatever market and venue do: never two orders on a side but while one replaces the
// other, no post-only price across the touch, no own orders across each other, no
// position beyond the bound.
func TestQuoterKeepsItsPromisesInAnyMarket(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		values := params{
			"qty": "1", "inventory": "5",
			"half_spread_bps": float64(rapid.IntRange(0, 30).Draw(rt, "half spread")),
			"skew_bps":        float64(rapid.IntRange(0, 200).Draw(rt, "skew")),
			"slack_ticks":     int64(rapid.IntRange(0, 4).Draw(rt, "slack")),
			"life_min":        fmt.Sprintf("%dms", rapid.IntRange(0, 300).Draw(rt, "life")),
			"cooldown":        fmt.Sprintf("%dms", rapid.IntRange(0, 300).Draw(rt, "cooldown")),
			"short":           rapid.SampledFrom([]string{"allow", "never"}).Draw(rt, "short"),
			"requote":         rapid.SampledFrom([]string{"cancel", "replace"}).Draw(rt, "requote"),
			"model":           rapid.SampledFrom([]string{"fixed", "glft"}).Draw(rt, "model"),
			"gamma":           rapid.SampledFrom([]float64{0.001, 0.05, 1}).Draw(rt, "gamma"),
			"flow_max":        rapid.SampledFrom([]float64{0, 0.7}).Draw(rt, "flow"),
			"sweep_bps":       rapid.SampledFrom([]float64{0, 2}).Draw(rt, "sweep"),
			"markout_bps":     rapid.SampledFrom([]float64{0, 0.5}).Draw(rt, "markout"),
			"queue_bps":       rapid.SampledFrom([]float64{0, 1}).Draw(rt, "queue"),
		}
		w := world(t, "quoter", values, enginetest.Setup{OutSize: rapid.SampledFrom([]int{2, 64}).Draw(rt, "out")})
		var live []core.OrderID
		replacing := map[core.OrderID]core.OrderID{} // the order that has to end, by the one that waits for it
		ended := func(id core.OrderID) bool { return w.Gate.Find(id) == nil }
		var amending core.OrderID
		var top core.Top
		mid := 100 * core.Price(core.Scale)
		move := func(t *rapid.T) {
			mid += core.Price(rapid.IntRange(-30, 30).Draw(t, "move")) * tick
			top = core.Top{Bid: mid, BidQty: core.Qty(rapid.Int64Range(1, 1e9).Draw(t, "bid qty")),
				Ask: mid + tick*core.Price(rapid.IntRange(1, 5).Draw(t, "spread")), AskQty: core.Qty(rapid.Int64Range(1, 1e9).Draw(t, "ask qty"))}
			w.Top(0, top)
			w.Clock.Now += core.MonoNs(rapid.IntRange(0, 200).Draw(t, "ms")) * 1e6
			w.Run()
		}
		check := func(t *rapid.T) {
			for _, in := range w.Out() {
				switch in.Kind {
				case core.Place:
				case core.Replace:
					replacing[in.ID] = in.Old
				case core.Amend:
					amending = in.ID
					continue
				default:
					continue
				}
				live = append(live, in.ID)
				if in.Type != core.LimitMaker || in.Side == core.Buy && in.Price >= top.Ask || in.Side == core.Sell && in.Price <= top.Bid {
					t.Fatalf("%+v at a market of %v and %v is not a post-only quote", in, top.Bid, top.Ask)
				}
			}
			var count [2]int
			price := [2]core.Price{0, 1 << 60} // the ones nearest to the other side
			w.Gate.Each(0, func(o *risk.Order) bool {
				if old, ok := replacing[o.ID]; !ok || ended(old) {
					count[o.Side]++
				}
				if o.Side == core.Buy {
					price[0] = max(price[0], o.Price)
				} else {
					price[1] = min(price[1], o.Price)
				}
				return true
			})
			if count[0] > 1 || count[1] > 1 || price[0] >= price[1] {
				t.Fatalf("orders %v at %v, want one on a side at most and none across the other", count, price)
			}
			low := -5 * core.Qty(core.Scale)
			if values["short"] == "never" {
				low = 0
			}
			if p := w.Gate.Exposure(0).Position; p > 5*core.Scale || p < low {
				t.Fatalf("position %v, beyond the bound", p)
			}
		}
		pick := func(t *rapid.T) (id core.OrderID) {
			if len(live) == 0 {
				t.SkipNow()
			}
			id = rapid.SampledFrom(live).Draw(t, "order")
			if _, waits := replacing[id]; waits {
				t.SkipNow()
			}
			return id
		}
		pending := func(t *rapid.T) (id, old core.OrderID) {
			for _, id := range live {
				if old, ok := replacing[id]; ok {
					return id, old
				}
			}
			t.SkipNow()
			return 0, 0
		}
		gone := func(id core.OrderID) {
			for i := range live {
				if live[i] == id {
					live = append(live[:i], live[i+1:]...)
					return
				}
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"move": move, "move too": move,
			"trade": func(t *rapid.T) {
				w.Trade(0, mid+tick*core.Price(rapid.IntRange(-3, 3).Draw(t, "at")), core.Qty(rapid.Int64Range(1, 1e9).Draw(t, "qty")))
				w.Run()
			},
			"ack": func(t *rapid.T) { w.Ack(pick(t)); w.Run() },
			"fill": func(t *rapid.T) {
				id := pick(t)
				o := w.Gate.Find(id)
				q := o.Remaining()
				if rapid.Bool().Draw(t, "partial") {
					q = (q + 1) / 2
				}
				if q == o.Remaining() {
					gone(id)
				}
				w.Fill(id, q)
				w.Run()
			},
			"end": func(t *rapid.T) {
				id := pick(t)
				gone(id)
				w.Done(id, rapid.SampledFrom([]core.OrderStatus{core.Canceled, core.Rejected, core.NotSent, core.Expired}).Draw(t, "end"))
				w.Run()
			},
			"replaced": func(t *rapid.T) {
				id, old := pending(t)
				delete(replacing, id)
				if ended(old) { // it traded, or somebody ended it: the new one does not come to be
					gone(id)
					w.Done(id, core.NotSent)
				} else {
					gone(old)
					w.Done(old, core.Canceled)
					w.Ack(id)
				}
				w.Run()
			},
			"refuse a replace": func(t *rapid.T) {
				id, old := pending(t)
				delete(replacing, id)
				gone(id)
				w.Done(id, rapid.SampledFrom([]core.OrderStatus{core.Rejected, core.NotSent}).Draw(t, "end"))
				if !ended(old) {
					w.Report(core.Report{Kind: core.ReportCancelRejected, Status: core.New, ID: old})
				}
				w.Run()
			},
			"answer an amend": func(t *rapid.T) {
				o := w.Gate.Find(amending)
				if o == nil || !o.Amending {
					t.SkipNow()
				}
				if less := o.Cum + (o.Remaining()+1)/2; rapid.Bool().Draw(t, "done") && less < o.Qty {
					w.Amended(o.ID, less)
				} else {
					w.Report(core.Report{Kind: core.ReportCancelRejected, Status: core.New, ID: o.ID})
				}
				w.Run()
			},
			"refuse a cancel": func(t *rapid.T) {
				w.Report(core.Report{Kind: core.ReportCancelRejected, Status: core.New, ID: pick(t)})
				w.Run()
			},
			"halt": func(*rapid.T) {
				w.Command(engine.Command{Kind: engine.CmdHalt, Cause: risk.HaltOperator})
				w.Run()
				w.Command(engine.Command{Kind: engine.CmdLift, Cause: risk.HaltOperator})
			},
			"lose the book": func(*rapid.T) { w.Break(0); w.Run(); w.Wanted() },
			"":              check,
		})
	})
}
