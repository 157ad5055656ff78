package exec

import (
	"fmt"
	"maps"
	"testing"

	"riposte/core"
)

// A piece of evidence, by what it does to an order of 100: filled in tens by trades 1, 2,
// 3, amended to 60, 20 of it prevented, ended one way or the other.
type scene struct {
	name  string
	end   core.OrderStatus
	qty   core.Qty
	fills int
	clues []clue
}

// scenes are all histories of one order with at most that many pieces of evidence of
// different kinds: every kind of event, the answer and the query.
func scenes(o *Order, most int) (out []scene) {
	base := core.Execution{Instrument: o.Instrument, Client: o.Client, VenueID: 4711, Qty: o.Qty, FeeAsset: 2, TradeID: -1}
	at := func(kind core.ExecKind, st core.OrderStatus, cum, qty core.Qty) core.Execution {
		e := base
		e.Kind, e.Status, e.Cum, e.Qty = kind, st, cum, qty
		return e
	}
	trade := func(n int, st core.OrderStatus, qty core.Qty) core.Execution {
		e := at(core.ExecTrade, st, core.Qty(10*n), qty)
		e.TradeID, e.LastQty, e.LastPrice, e.LastQuote, e.Fee = int64(n), 10, 100, 1000, core.Amount(n)
		return e
	}
	for k := range 4 {
		for _, amended := range []bool{false, true} {
			for _, end := range []core.OrderStatus{core.New, core.Canceled, core.Expired, core.Filled} {
				for _, prevented := range []bool{false, true} {
					qty := core.Qty(100)
					st := core.New
					s := scene{end: end, fills: k}
					add := func(name string, es ...core.Execution) { s.clues = append(s.clues, clueOf(name, es...)) }
					add("NEW", at(core.ExecNew, core.New, 0, qty))
					if amended {
						qty = 60
						if end == core.Filled {
							qty = core.Qty(max(10*k, 1))
						}
						add("REPLACED", at(core.ExecReplaced, core.New, 0, qty))
					} else if end == core.Filled && k > 0 {
						continue // 100 is not filled by tens
					}
					if end == core.Filled && (k == 0 || prevented) {
						continue
					}
					trades := []core.Execution{}
					for n := range k {
						if st = core.PartiallyFilled; end == core.Filled && n == k-1 {
							st = core.Filled
						}
						trades = append(trades, trade(n+1, st, qty))
						add(fmt.Sprint("TRADE ", n+1), trades[n])
					}
					cum := core.Qty(10 * k)
					if prevented {
						open := st
						if end == core.Expired {
							open = core.Expired // EXPIRED_IN_MATCH: the match that was prevented ended it
						}
						add("TRADE_PREVENTION", at(core.ExecTradePrevention, open, cum, qty))
					}
					switch end {
					case core.Canceled:
						add("CANCELED", at(core.ExecCanceled, core.Canceled, cum, qty))
					case core.Expired:
						add("EXPIRED", at(core.ExecExpired, core.Expired, cum, qty))
					}
					last := end
					if end == core.New {
						last = st
					}
					add("answer", append([]core.Execution{at(core.ExecStatus, core.New, 0, 100)}, trades[:min(k, 1)]...)...)
					add("query", append([]core.Execution{at(core.ExecStatus, last, cum, qty)}, trades...)...)
					s.qty, s.end = qty, last
					s.name = fmt.Sprintf("%d fills, amended %v, prevented %v, ends %v", k, amended, prevented, last)
					if len(s.clues) <= most {
						out = append(out, s)
					}
				}
			}
		}
	}
	// Amended to no more than had traded meanwhile, which ends the order.
	for k := 1; k < 4; k++ {
		for _, left := range []core.Qty{0, 5} {
			cum := core.Qty(10 * k)
			s := scene{name: fmt.Sprintf("%d fills, then amended to %v", k, cum-left), qty: cum, fills: k, end: core.Expired}
			var trades []core.Execution
			s.clues = append(s.clues, clueOf("NEW", at(core.ExecNew, core.New, 0, 100)))
			for n := range k {
				trades = append(trades, trade(n+1, core.PartiallyFilled, 100))
				s.clues = append(s.clues, clueOf(fmt.Sprint("TRADE ", n+1), trades[n]))
			}
			s.clues = append(s.clues, clueOf("REPLACED", at(core.ExecReplaced, core.PartiallyFilled, cum, cum-left)), clueOf("EXPIRED", at(core.ExecExpired, core.Expired, cum, cum-left)),
				clueOf("query", append([]core.Execution{at(core.ExecStatus, core.Expired, cum, cum-left)}, trades...)...))
			if len(s.clues) <= most {
				out = append(out, s)
			}
		}
	}
	return out
}

// TestEveryOrderOfUpToSevenEventsEndsTheSame goes through all of them: one end state, the
// same fills and fees, and reports that add up to the same.
func TestEveryOrderOfUpToSevenEventsEndsTheSame(t *testing.T) {
	const most = 7
	orders, histories := 0, 0
	probe := newTableRig(t, 4)
	list := scenes(probe.add(100), most)
	for i := range list {
		s := &list[i]
		histories++
		permute(len(s.clues), func(order []int) {
			orders++
			checkScene(t, s, order)
		})
		if t.Failed() {
			return
		}
	}
	if histories < 20 {
		t.Errorf("only %d histories have up to %d events", histories, most)
	}
	t.Logf("%d histories of up to %d events, %d orders of them", histories, most, orders)
}

func checkScene(t *testing.T, s *scene, order []int) {
	t.Helper()
	rig := newTableRig(t, 4)
	ledger := NewLedger(ledgerTable(t))
	rig.Table.report = func(p *core.Report) {
		rig.reports = append(rig.reports, *p)
		if p.Kind == core.ReportFill {
			ledger.Fill(p)
		}
	}
	o := rig.add(100)
	told := func() (names []string) {
		for _, i := range order {
			names = append(names, s.clues[i].name)
		}
		return names
	}
	for n, i := range order {
		before, cum := o.Status(), o.Cum
		s.clues[i].apply(rig, o)
		if n%2 == 0 {
			s.clues[i].apply(rig, o) // and again
		}
		if before.Terminal() && o.Status() != before || o.Cum < cum {
			t.Errorf("%s, told as %v: went from %v with %v to %v with %v", s.name, told(), before, cum, o.Status(), o.Cum)
			return
		}
	}
	fills, fees := core.Qty(10*s.fills), core.Amount(s.fills*(s.fills+1)/2)
	if o.Status() != s.end || o.Filled != fills || o.Cum != fills || o.Qty != s.qty || ledger.Position(1) != fills || ledger.Fees(2) != fees {
		t.Errorf("%s, told as %v: order is %v, %v of %v, fees %v; want %v of %v, fees %v", s.name, told(), o.Status(), o.Filled, o.Qty, ledger.Fees(2), fills, s.qty, fees)
		return
	}
	if rig.Stats.Contradictions != 0 || (rig.Live() == 0) != s.end.Terminal() {
		t.Errorf("%s, told as %v: %d contradictions, %d live", s.name, told(), rig.Stats.Contradictions, rig.Live())
		return
	}
	want, got := map[int64]core.Qty{}, map[int64]core.Qty{}
	for n := range s.fills {
		want[int64(n+1)] = 10
	}
	counts := map[core.ReportKind]int{}
	for _, r := range rig.reports {
		counts[r.Kind]++
		if r.Kind == core.ReportFill {
			got[r.TradeID] += r.Qty
		}
	}
	amends := 0
	if s.qty < 100 {
		amends = 1
	}
	ends := 0
	if s.end.Terminal() {
		ends = 1
	}
	if !maps.Equal(got, want) || counts[core.ReportAck] != 1 || counts[core.ReportAmended] != amends || counts[core.ReportDone] != ends || len(rig.reports) != 1+amends+ends+s.fills {
		t.Errorf("%s, told as %v: reports are %+v", s.name, told(), rig.reports)
	}
}

// permute calls f with every order of n things.
func permute(n int, f func([]int)) {
	p := make([]int, n)
	for i := range p {
		p[i] = i
	}
	var rec func(int)
	rec = func(k int) {
		if k == n {
			f(p)
			return
		}
		for i := k; i < n; i++ {
			p[k], p[i] = p[i], p[k]
			rec(k + 1)
			p[k], p[i] = p[i], p[k]
		}
	}
	rec(0)
}
