package app

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"riposte/core"
	"riposte/core/risk"
	"riposte/exec"
	execbinance "riposte/exec/binance"
	"riposte/tools/venue/exchange"
)

func trialsOr(few int) int {
	if n, err := strconv.Atoi(os.Getenv("RIPOSTE_TRIALS")); err == nil && n > 0 {
		return n
	}
	return few
}

// Random intents around and beyond every bound of recorded rules, which change meanwhile:
// the venue finds nothing in what the gate lets through, and each refusal says which rule
// it was, what met it, and the nearest that is legal, which is. RIPOSTE_TRIALS=10000 asks
// as many as the acceptance wants.
func TestTheVenueFindsNothingInWhatTheGateLetsThrough(t *testing.T) {
	for name, c := range map[string]struct {
		file    string
		symbols []string
	}{
		"rules of 2025": {"exchangeInfo_spot_20250807_25symbols.json.gz", nil},
		"rules of 2021": {"exchangeInfo_spot_20211012.json.gz", []string{"BTCUSDT", "ETHBTC", "SHIBUSDT", "DOGEBTC", "BTCUPUSDT", "ETHDOWNUSDT", "BNBUPUSDT", "XRPDOWNUSDT", "BTTUSDT", "YFIUSDT", "BCCBTC", "TRXBTC"}},
	} {
		t.Run(name, func(t *testing.T) {
			rules := recordedRules(t, c.file)
			if rules == nil {
				return
			}
			f := newFilterRig(t, rules, 10, c.symbols...)
			for i := range trialsOr(400) {
				id := core.InstrumentID(f.rng.IntN(len(f.table.List)))
				if f.gate.Instrument(id).Status != core.StatusTrading && f.rng.IntN(8) > 0 {
					id = 0 // which trades in both
				}
				if i%50 == 49 {
					f.shake(id)
				}
				f.try(id)
			}
			t.Logf("%d intents, %d of them or their nearest sent, %d taken; refused: %s; business rejects: %v", f.asked, f.sent, f.taken, f.counts(), f.business)
			if len(f.filters) > 0 {
				t.Errorf("rejects that the gate should have foreseen: %v", f.filters)
			}
			if f.taken == 0 {
				t.Error("the venue took nothing")
			}
		})
	}
}

func (f *filterRig) counts() string {
	var list []string
	for _, r := range slices.Sorted(maps.Keys(f.refused)) {
		list = append(list, fmt.Sprintf("%v %d", r, f.refused[r]))
	}
	return strings.Join(list, ", ")
}

// shake changes a symbol's rules, or where its market is.
func (f *filterRig) shake(id core.InstrumentID) {
	in := f.gate.Instrument(id)
	held, _ := f.gate.Held(id)
	scale := func(x map[string]any, by float64, keys ...string) {
		for _, k := range keys {
			if s, ok := x[k].(string); ok {
				v, _ := strconv.ParseFloat(s, 64)
				x[k] = strconv.FormatFloat(v*by, 'f', 8, 64)
			}
		}
	}
	none := func(map[string]any) {}
	switch f.rng.IntN(10) {
	case 0:
		status := [...]exchange.SymbolStatus{exchange.Halt, exchange.Break}[f.rng.IntN(2)]
		if in.Status == core.StatusTrading {
			f.status(id, status)
			f.try(id)
			f.status(id, exchange.Trading)
		}
	case 1: // nearer to the market than the gate's own collar
		f.change(id, func(x map[string]any) {
			for k := range x {
				if strings.HasSuffix(strings.ToLower(k), "multiplierup") {
					x[k] = "1.3"
				} else if strings.HasSuffix(strings.ToLower(k), "multiplierdown") {
					x[k] = "0.75"
				}
			}
		})
	case 2:
		f.change(id, func(x map[string]any) {
			for k, n := range map[string]int{"maxNumOrders": 4, "maxNumAlgoOrders": 2} {
				if _, ok := x[k]; ok {
					x[k] = n
				}
			}
		}, map[string]any{"filterType": "MAX_NUM_ICEBERG_ORDERS", "maxNumIcebergOrders": 1})
	case 3:
		f.change(id, func(x map[string]any) {
			if x["filterType"] == "LOT_SIZE" {
				scale(x, 10, "stepSize", "minQty")
			}
		})
	case 4:
		f.change(id, func(x map[string]any) {
			if x["filterType"] == "ICEBERG_PARTS" {
				x["limit"] = 2 + f.rng.IntN(5)
			}
			if x["filterType"] == "TRAILING_DELTA" {
				x["minTrailingAboveDelta"], x["maxTrailingBelowDelta"] = 50, 400
			}
		})
	case 5:
		f.change(id, func(x map[string]any) {
			if _, ok := x["maxNotional"]; ok {
				scale(x, 5, "minNotional")
				x["maxNotional"] = strconv.FormatFloat(float64(in.Filters.NotionalMin)/1e8*50, 'f', 8, 64)
				x["applyMaxToMarket"], x["applyMinToMarket"] = f.rng.IntN(2) == 0, f.rng.IntN(2) == 0
			}
		})
	case 6:
		f.change(id, none, map[string]any{"filterType": "MAX_POSITION", "maxPosition": (held + f.worth(id, max(f.mids[id], 1), 3)).String()})
	case 7:
		f.change(id, none) // as recorded
	default:
		if in.Status == core.StatusTrading {
			f.mids[id] = max(f.mids[id]*core.Price(90+f.rng.IntN(21))/100, 3*in.Filters.Tick).TickFloor(in.Filters.Tick)
			f.clear(id, true)
		}
	}
}

func (f *filterRig) status(id core.InstrumentID, s exchange.SymbolStatus) {
	f.t.Helper()
	if err := f.srv.SetStatus(f.table.Get(id).Symbol, s); err != nil {
		f.t.Fatal(err)
	}
	f.read(id)
}

// bound are the refusals that come of a value, so that another value is legal.
var bound = map[risk.Refusal]string{
	risk.RefusedPriceBounds: "PRICE_FILTER", risk.RefusedTick: "PRICE_FILTER", risk.RefusedPercentPrice: "PERCENT_PRICE", risk.RefusedTrailing: "TRAILING_DELTA",
	risk.RefusedTrigger: "trigger", risk.RefusedQtyBounds: "LOT_SIZE", risk.RefusedLot: "LOT_SIZE", risk.RefusedParts: "ICEBERG_PARTS",
	risk.RefusedNotionalFilter: "NOTIONAL", risk.RefusedMaxPosition: "MAX_POSITION", risk.RefusedQtyMax: "qty above max",
	risk.RefusedNotionalMax: "notional above max", risk.RefusedCollar: "collar",
}

// try asks the gate for a random intent, follows the nearest legal values that it names,
// and sends the venue what passes.
func (f *filterRig) try(id core.InstrumentID) {
	f.t.Helper()
	f.asked++
	in := f.intent(id)
	first := in
	for range 8 {
		f.now++
		var a risk.Approved
		order := in
		r := f.gate.Approve(&order, f.books[id], &risk.Stamps{}, 1, f.now, &a)
		if r == risk.None {
			f.send(a.Intent())
			return
		}
		f.refused[r]++
		d := *f.gate.Denied()
		inst, l := f.gate.Instrument(id), f.gate.Limits(id)
		text := risk.Explain(&d, inst, l, f.gate.Account())
		near, ok := risk.Nearest(&d, inst, l)
		word, valued := bound[r]
		if !strings.Contains(text, r.String()) || !strings.Contains(text, inst.Symbol) || valued && !strings.Contains(text, word) {
			f.t.Fatalf("%q does not name the rule %v", text, r)
		}
		if r != risk.RefusedMalformed && !strings.Contains(text, r.String()+": ") {
			f.t.Fatalf("%q does not name what met the rule", text)
		}
		if !ok {
			if valued && !f.hopeless(&d, inst) {
				f.t.Fatalf("%+v: %q names no legal value", d.Intent, text)
			}
			return
		}
		if !strings.Contains(text, "nearest legal: ") || strings.Contains(text, "none until") {
			f.t.Fatalf("%q does not name the nearest legal value", text)
		}
		f.now++
		if again := f.gate.Approve(&near, f.books[id], &risk.Stamps{}, 1, f.now, new(risk.Approved)); again == r {
			f.t.Fatalf("%+v (first %+v): %s: but that is refused for the same: %s", d.Intent, first, text, risk.Explain(f.gate.Denied(), inst, l, f.gate.Account()))
		} else if again == risk.None {
			f.send(f.newest(id, near))
			return
		}
		in = near
	}
}

// newest is an intent with the id that the gate has just given it.
func (f *filterRig) newest(id core.InstrumentID, in core.Intent) core.Intent {
	f.gate.Each(id, func(o *risk.Order) bool {
		in.ID = max(in.ID, o.ID)
		return true
	})
	return in
}

// hopeless reports whether no quantity or price at all is legal: where what is held
// leaves no room, or steps are wider than what bounds leave.
func (f *filterRig) hopeless(d *risk.Denial, inst *core.Instrument) bool {
	fl := &inst.Filters
	switch d.Refusal {
	case risk.RefusedNotionalFilter:
		// Between the least at the lowest price that could be meant and the most at the highest.
		low, high := d.Intent.Price, d.Intent.Price
		if low == 0 {
			all := []core.Price{d.Top.Bid, d.Top.Ask, d.Last, d.Average}
			if d.Intent.Stop > 0 {
				all = append(all, d.Intent.Stop)
			}
			low, high = slices.Min(all), slices.Max(all)
		}
		least := core.Qty(core.NotionalOfAmount(fl.NotionalMin).Div(uint64(max(low, 1))))
		most := core.Qty(core.NotionalOfAmount(fl.NotionalMax).Div(uint64(high))).LotFloor(fl.Lot)
		return fl.NotionalMax > 0 && (most < least || most == 0)
	case risk.RefusedPercentPrice:
		all := []core.Price{d.Last, d.Average}
		if mid := d.Top.Mid(); mid > 0 {
			all = append(all, mid)
		}
		up, down := fl.BidMulUp, fl.BidMulDown
		if d.Intent.Side == core.Sell {
			up, down = fl.AskMulUp, fl.AskMulDown
		}
		most := core.Price(core.NotionalOf(slices.Min(all), core.Qty(up)).Div(core.Scale)).TickFloor(fl.Tick)
		return most == 0 || core.NotionalOf(most, core.Scale).Cmp(core.NotionalOf(slices.Max(all), core.Qty(down))) < 0
	case risk.RefusedMaxPosition:
		return d.Held+d.Exposure.Buy+max(fl.Lot, 1) > fl.PositionMax
	case risk.RefusedCollar:
		return d.Intent.Price == 0 || d.Top.Mid() == 0 // it is about the book
	case risk.RefusedPriceBounds, risk.RefusedTick:
		return fl.Tick == 0
	}
	return false
}

// send places an order at the venue and tells the gate what became of it.
func (f *filterRig) send(in core.Intent) {
	f.t.Helper()
	f.sent++
	o := execbinance.OrderRequest{Symbol: f.table.Get(in.Instrument).Symbol, Side: in.Side, Qty: in.Qty, STP: in.STP, Detail: execbinance.DetailRESULT}
	o.Client, o.Type, o.TIF, o.Price, o.Stop, o.Trail, o.Iceberg = f.client(), in.Type, in.TIF, in.Price, in.Stop, int(in.Trail), in.Iceberg
	got, err := f.me.Place(f.t.Context(), &o)
	r := core.Report{Kind: core.ReportAck, Status: core.New, ID: in.ID, Instrument: in.Instrument, FeeAsset: core.NoAsset, Recv: f.now}
	var ce *exec.CallError
	switch {
	case err == nil:
		f.taken++
	case errors.As(err, &ce) && ce.Class == exec.ClassRefused && ce.Code != 0:
		r.Kind, r.Status = core.ReportDone, core.Rejected
		what := fmt.Sprintf("%d %s", ce.Code, ce.Msg)
		if ce.Code == -2010 {
			f.business[what]++
			break
		}
		f.filters[what]++
		f.t.Errorf("%s: gate let through %+v at mid, last, average %v: %v; rules %+v", o.Symbol, in, f.refs[in.Instrument], err, f.gate.Instrument(in.Instrument).Filters)
	default:
		f.t.Fatalf("%+v: %v", in, err)
	}
	f.gate.Report(&r)
	f.lives[in.Instrument]++
	traded := err == nil && got.Cum > 0
	if traded || err == nil && got.Status.Terminal() || f.lives[in.Instrument] > 12 {
		f.clear(in.Instrument, traded)
	}
}

// pick is one of the values, or one next to it.
func pick[T ~int64](r *rand.Rand, step T, values ...T) T {
	v := values[r.IntN(len(values))]
	switch r.IntN(8) {
	case 0:
		v++
	case 1:
		v--
	case 2:
		v += step
	case 3:
		v -= step
	case 4:
		v += step / 2
	}
	return v
}

// intent is a random order of any type, each of its values near a bound of some rule.
func (f *filterRig) intent(id core.InstrumentID) core.Intent {
	in, r := f.gate.Instrument(id), f.rng
	fl, refs := &in.Filters, f.refs[id]
	x := core.Intent{Instrument: id, Side: core.Side(r.IntN(2)), Type: core.OrderType(r.IntN(7))}
	ref := max(refs[r.IntN(3)], 1)
	tick := max(fl.Tick, 1)
	up, down := fl.BidMulUp, fl.BidMulDown
	if x.Side == core.Sell {
		up, down = fl.AskMulUp, fl.AskMulDown
	}
	times := func(m int64) core.Price { return core.Price(core.NotionalOf(ref, core.Qty(m)).Div(core.Scale)) }
	price := func() core.Price {
		p := pick(r, tick, ref, ref, ref, times(up), times(down), fl.PriceMin, fl.PriceMax, times(r.Int64N(3*core.Scale)))
		if r.IntN(4) > 0 {
			p = p.TickFloor(tick)
		}
		return max(p, 0)
	}
	if x.Type != core.MarketOrder && x.Type != core.StopLoss && x.Type != core.TakeProfit {
		x.Price = max(price(), 1)
	}
	if x.Type > core.MarketOrder {
		if in.Features.Has(core.FeatureTrailing) && r.IntN(3) == 0 || r.IntN(20) == 0 {
			x.Trail = uint16(max(pick(r, int64(10), int64(fl.TrailAboveMin), int64(fl.TrailBelowMin), int64(fl.TrailAboveMax), int64(fl.TrailBelowMax), r.Int64N(3000)), 1))
		}
		if x.Trail == 0 || r.IntN(2) == 0 {
			x.Stop = max(price(), 1)
		}
	}
	at := max(x.Price, x.Stop, 1)
	if x.Price == 0 && x.Stop == 0 {
		at = ref
	}
	value := func(a core.Amount) core.Qty { return core.Qty(core.NotionalOfAmount(a).Div(uint64(at))) }
	step := max(fl.Lot, 1)
	q := pick(r, step, fl.QtyMin, value(fl.NotionalMin), value(fl.NotionalMin)+step, value(fl.NotionalMin)*core.Qty(1+r.Int64N(20)), value(fl.NotionalMax), fl.MarketQtyMax, fl.MarketQtyMin, fl.QtyMax)
	if r.IntN(4) > 0 {
		q = q.LotFloor(step)
	}
	x.Qty = max(q, 1)
	if x.Price > 0 && x.Type != core.LimitMaker && r.IntN(3) == 0 {
		x.TIF = core.TIF(r.IntN(3))
	}
	if x.Price > 0 && x.TIF == core.GTC && r.IntN(4) == 0 && x.Qty > 1 {
		shown := pick(r, step, x.Qty/core.Qty(max(fl.PartsMax, 1)), x.Qty/2, fl.QtyMin)
		if r.IntN(3) > 0 {
			shown = shown.LotFloor(step)
		}
		x.Iceberg = min(max(shown, 1), x.Qty-1)
	}
	if r.IntN(5) == 0 {
		x.STP = core.STP(r.IntN(7))
	}
	return x
}
