package strategy_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"riposte/core"
	"riposte/core/engine/enginetest"
	"riposte/core/risk"
)

var modelled = with(quick, params{"model": "glft", "gamma": 0.2, "kappa": 0.5, "half_spread_bps": 50.0, "inventory": "100"})

// busy lets others trade at both sides of the touch, 40 times in 2 s, and the mid move up
// and down, so that all figures are known.
func busy(f *fake) {
	for i := range 40 {
		p := [2]string{"99.98", "100.02"}[i%2]
		f.w.Trade(0, px(p), core.Scale/10)
		f.w.Clock.Now += core.MonoNs(40 * time.Millisecond)
		f.w.Run()
		f.at(px([2]string{"100.00", "100.01"}[i%2]), px([2]string{"100.01", "100.02"}[i%2]))
	}
}

// What the quotes are made of is what the closed form says of the figures measured, and
// the longer the lower.
func TestQuoterQuotesByTheModel(t *testing.T) {
	var at [2][]core.Price
	for _, n := range []int{3, 0, -3} {
		f := newFake(t, world(t, "quoter", with(modelled, params{"life_min": "0s"}), enginetest.Setup{}))
		w := f.w
		f.at(px("100"), px("100.01"))
		if n != 0 {
			hold(w, n-int(f.position()/core.Scale))
		}
		busy(f)
		f.at(px("100"), px("100.01"))
		says := ""
		for range 3 {
			f.pass(time.Second)
			says = string(w.Shard.MarketStats(0).Seats[0].Says)
		}
		if f.position() != core.Qty(n)*core.Scale {
			t.Fatalf("the position is %v, want %d: the market of this test must fill nothing", f.position(), n)
		}
		var base, skew, vol, rate, reach float64
		if _, err := figures(says, &base, &skew, &vol, &rate, &reach); err != nil {
			t.Fatalf("it says %q: %v", says, err)
		}
		const gamma, kappa = 0.2, 0.5
		if want := math.Log(1+gamma/kappa) / gamma; math.Abs(base-want) > 1e-3 {
			t.Errorf("half spread %v, want %v", base, want)
		}
		want := math.Sqrt(vol * vol * gamma / (2 * kappa * rate / 2) * math.Pow(1+gamma/kappa, 1+kappa/gamma))
		if math.Abs(skew-want) > 0.02*want+0.01 {
			t.Errorf("skew %v with volatility %v and %v trades a second, want %v", skew, vol, rate, want)
		}
		w.Gate.Each(0, func(o *risk.Order) bool {
			if !o.Canceling {
				at[o.Side] = append(at[o.Side], o.Price)
			}
			return true
		})
	}
	for side, list := range at {
		if len(list) != 3 || !(list[0] < list[1] && list[1] < list[2]) {
			t.Errorf("with 3, 0 and -3 held %v quotes at %v, want higher each time", core.Side(side), list)
		}
	}
}

func figures(says string, out ...*float64) (n int, err error) {
	clean := strings.NewReplacer("model: half spread ", "", " bps, skew ", " ", " bps a quote; volatility ", " ", " bps, ", " ", " trades/s, reach ", " ", " bps;", " ").Replace(says)
	args := make([]any, len(out))
	for i := range out {
		args[i] = out[i]
	}
	return fmt.Sscan(clean, args...)
}

// One side's takers alone: the side that they hit stays away for guard_for.
func TestTheGuardTakesAwayTheSideThatIsHit(t *testing.T) {
	w := world(t, "quoter", with(quick, params{"flow_max": 0.9, "guard_for": "1s"}), enginetest.Setup{})
	b, a := sides(t, quote(w, "100", "100.04"))
	w.Ack(b.ID)
	w.Ack(a.ID)
	w.Run()
	for range 30 { // buyers
		w.Trade(0, enginetest.P("100.04"), core.Scale)
		w.Clock.Now += core.MonoNs(10 * time.Millisecond)
		w.Run()
	}
	if ids := cancels(t, quote(w, "100", "100.04")); len(ids) != 1 || ids[0] != a.ID {
		t.Fatalf("cancelled %v, want the ask %d", ids, a.ID)
	}
	w.Done(a.ID, core.Canceled)
	w.Run()
	if w.Advance(500 * time.Millisecond); len(w.Out()) != 0 {
		t.Error("half a second later it quotes again")
	}
	w.Advance(600 * time.Millisecond)
	if b, a := sides(t, w.Out()); b != nil || a == nil {
		t.Errorf("a second later it quotes %+v and %+v, want the ask", b, a)
	}
}

func TestTheGuardTakesAwayTheSideThatWasJumpedOver(t *testing.T) {
	w := world(t, "quoter", with(quick, params{"sweep_bps": 10.0, "guard_for": "1s"}), enginetest.Setup{})
	b, a := sides(t, quote(w, "100", "100.04"))
	w.Ack(b.ID)
	w.Ack(a.ID)
	w.Run()
	w.Clock.Now += core.MonoNs(10 * time.Millisecond)
	if ids := cancels(t, quote(w, "99.8", "100.04")); len(ids) != 1 || ids[0] != b.ID {
		t.Errorf("after a fall by 20 bps cancelled %v, want the bid %d", ids, b.ID)
	}
}

// Fills that lose within a second move both quotes back.
func TestTheGuardWidensWhatLoses(t *testing.T) {
	w := world(t, "quoter", with(quick, params{"markout_bps": 1.0, "inventory": "100"}), enginetest.Setup{})
	b, _ := sides(t, quote(w, "100", "100.04"))
	w.Fill(b.ID, b.Qty)
	w.Run()
	w.Clock.Now += core.MonoNs(2 * time.Second)
	quote(w, "98", "98.04") // 200 bps lower: a twelfth of that on average
	w.Advance(time.Second)
	w.Out()
	says := string(w.Shard.MarketStats(0).Seats[0].Says)
	if !strings.Contains(says, "own fills lose 16.") {
		t.Errorf("it says %q, want a loss of some 16 bps", says)
	}
	out := quote(w, "98", "98.04")
	w.Gate.Each(0, func(o *risk.Order) bool {
		if o.Side == core.Buy && !o.Canceling && o.Price > enginetest.P("97.9") {
			t.Errorf("it bids %v after %+v, want some 16 bps lower", o.Price, out)
		}
		return true
	})
}

// At the front of its queue an order stays for what is no more than that place is worth;
// at the end it moves.
func TestAPlaceInTheQueueIsKeptForWhatItIsWorth(t *testing.T) {
	for _, front := range []bool{true, false} {
		w := world(t, "quoter", with(quick, params{"queue_bps": 5.0}), enginetest.Setup{})
		w.Quote(0, "100", "50", "100.10", "50")
		w.Run()
		b, a := sides(t, w.Out())
		w.Ack(b.ID)
		w.Ack(a.ID)
		w.Run()
		if front {
			w.Trade(0, enginetest.P("100.10"), 60*core.Scale) // buyers
			w.Run()
		}
		// The ask is off by 2 bps, and the level where it rests has 51.
		w.Delta(0, 1001, 1001, nil, enginetest.Levels("100.08", "5", "100.10", "51"))
		w.Run()
		moved := len(w.Out()) > 0
		if moved == front {
			t.Errorf("at the front %v: moved %v", front, moved)
		}
	}
}
