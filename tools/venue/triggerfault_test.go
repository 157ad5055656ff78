package venue

import (
	"encoding/json"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestFaultsFireAtTheNthEventOfTheirKind(t *testing.T) {
	for _, k := range []struct {
		line string
		at   int // the act of which it fires, 0 for never
	}{
		{"on accept 1 race event", 1}, {"on connect streams 1 race event", 1}, {"on open streams 1 race event", 1}, {"on open wsapi 1 race event", 2},
		{"on connect wsapi 2 race event", 0}, {"on connect rest 1 race event", 4}, {"on subscribe 1 race event", 3},
		{"on order 1 race event", 4}, {"on order 2 race event", 5}, {"on fill 1 race event", 5}, {"on amend 1 race event", 6},
		{"on cancel 1 race event", 7}, {"on query 1 race event", 8}, {"on request 5 race event", 8},
		{"on depth BTCUSDT 1 race event", 9}, {"on depth ETHUSDT 1 race event", 0}, {"on trade * 1 race event", 5},
		{"on every order 2 race event", 5},
	} {
		inMemory(t, Config{Seed: 3, Quiet: true, DepthFast: 30 * time.Second, DepthSlow: time.Hour}, func(w *world) {
			w.do(k.line)
			var stream *socket
			acts := []func(){
				func() { stream = w.dial(w.s.Stream() + "/ws/btcusdt@depth@100ms") },
				func() { w.api() },
				func() {
					stream.text(`{"method":"SUBSCRIBE","params":["btcusdt@trade"],"id":1}`)
					stream.next()
					go func() { _, _ = io.Copy(io.Discard, stream.br) }()
				},
				func() { w.order(restLow) },
				func() {
					w.c.signed("POST", "/api/v3/order", "symbol=BTCUSDT&side=SELL&type=LIMIT&timeInForce=GTC&quantity=0.001&price=50000&selfTradePreventionMode=NONE")
				},
				func() {
					w.c.signed("POST", "/api/v3/order/cancelReplace", "symbol=BTCUSDT&side=BUY&"+restLow+"&cancelReplaceMode=ALLOW_FAILURE&cancelOrderId=1")
				},
				func() { w.c.signed("DELETE", "/api/v3/openOrders", "symbol=BTCUSDT") },
				func() { w.c.signed("GET", "/api/v3/openOrders", "") },
				func() { w.order(restLow); pass(31 * time.Second) },
			}
			got := 0
			for i, act := range acts {
				act()
				synctest.Wait()
				if w.s.Faults().Counts()["race"] > 0 && got == 0 {
					got = i + 1
				}
			}
			if got != k.at {
				t.Errorf("%s: fired at act %d, want %d", k.line, got, k.at)
			}
		})
	}
}

func TestEventFaultsHitTheVeryConnectionOrEvent(t *testing.T) {
	inMemory(t, Config{Seed: 3}, func(w *world) {
		w.do("on connect streams 2 cut streams after=100 conn=it") // in the midst of the handshake's answer
		one := w.dial(w.s.Stream() + "/ws/btcusdt@trade")
		if k, err := memTryDial(w.l, w.s.Stream()+"/ws/btcusdt@trade"); err == nil {
			_ = k.c.Close()
			t.Error("got a second stream, want it cut")
		}
		one.next()
		w.do("on open wsapi 1 bye wsapi 1008 conn=it")
		a := w.api()
		if err := a.ended(); err == nil || !strings.Contains(err.Error(), "closed 1008") {
			t.Errorf("got %v, want close code 1008", err)
		}
		w.do("on order 2 lose orders taken timeout")
		for i, want := range []int{200, 504, 200} {
			if r := w.order(restLow); r.status != want {
				t.Errorf("order %d: got %d, want %d", i+1, r.status, want)
			}
		}
		w.do("on order 1 status BTCUSDT HALT") // deep, and in force for this very order
		if code, msg := w.order(take).code(t); code == 0 {
			t.Errorf("got %d %s, want a refusal", code, msg)
		}
		w.do("status BTCUSDT TRADING")
		w.do("on fill 1 status BTCUSDT BREAK")
		if r := w.order(take); r.status != 200 {
			t.Errorf("got %d %s", r.status, r.body)
		}
		if r := w.order(take); r.status == 200 {
			t.Error("got an order taken in a break")
		}
	})
}

func TestChanceIsDrawnFromTheSeed(t *testing.T) {
	count := func(seed uint64) (n uint64) {
		inMemory(t, Config{Seed: seed, Quiet: true}, func(w *world) {
			w.do("every 1s chance 0.3 race event")
			pass(1000*time.Second + time.Millisecond)
			n = w.s.Faults().Counts()["race"]
		})
		return n
	}
	one := count(1)
	if again := count(1); one != again || one < 240 || one > 360 {
		t.Errorf("got %d and %d of 1000, want about 300 and the same twice", one, again)
	}
	if count(2) == one && count(3) == one {
		t.Error("got the same of three seeds")
	}
}

func TestTradingRulesFlipInFlight(t *testing.T) {
	inMemory(t, Config{Seed: 3}, func(w *world) {
		info := func(text string) bool {
			return strings.Contains(string(w.c.get("/api/v3/exchangeInfo?symbol=BTCUSDT").body), text)
		}
		price := "type=LIMIT&timeInForce=GTC&quantity=0.01&price=50000.01"
		if r := w.order(price); r.status != 200 {
			t.Fatalf("got %s", r.body)
		}
		for _, k := range []struct{ line, order, filter, told string }{
			{"filter BTCUSDT tick 0.1", price, "PRICE_FILTER", `"tickSize":"0.10000000"`},
			{"filter BTCUSDT step 0.005", "type=LIMIT&timeInForce=GTC&quantity=0.012&price=50000", "LOT_SIZE", `"stepSize":"0.00500000"`},
			{"filter BTCUSDT minQty 0.02", restLow, "LOT_SIZE", `"minQty":"0.02000000"`},
			{"filter BTCUSDT maxQty 0.5", "type=LIMIT&timeInForce=GTC&quantity=0.6&price=50000", "LOT_SIZE", `"maxQty":"0.50000000"`},
			{"filter BTCUSDT minNotional 20000", "type=LIMIT&timeInForce=GTC&quantity=0.02&price=50000", "NOTIONAL", `"minNotional":"20000.00000000"`},
		} {
			w.do(k.line)
			if _, msg := w.order(k.order).code(t); msg != "Filter failure: "+k.filter || !info(k.told) {
				t.Errorf("%s: got %s, told %v", k.line, msg, info(k.told))
			}
		}
		for _, line := range []string{"filter BTCUSDT tick x", "filter BTCUSDT tick 0", "filter BTCUSDT tick 5000", "filter NOPE tick 1",
			"reference BTCUSDT x", "reference NOPE 1", "range BTCUSDT bidUp x", "range NOPE bidUp 1", "terminate nobody", "cert expired"} {
			if err := w.s.Faults().Do(line); err == nil {
				t.Errorf("%s: got no error", line)
			}
		}
	})
}

func TestReferencePriceAndRangeByScript(t *testing.T) {
	inMemory(t, Config{Seed: 3}, func(w *world) {
		pass(time.Second)
		var top struct{ BidPrice, AskPrice string }
		w.c.get("/api/v3/ticker/bookTicker?symbol=BTCUSDT").into(t, &top)
		w.do("range BTCUSDT bidUp 1.01")
		w.do("reference BTCUSDT 1000")
		if r := w.c.get("/api/v3/executionRules?symbol=BTCUSDT"); !strings.Contains(string(r.body), `"bidLimitMultUp":"1.01"`) {
			t.Errorf("got %s", r.body)
		}
		if r := w.order(take); !strings.Contains(string(r.body), "EXECUTION_RULE_PRICE_RANGE_EXCEEDED") {
			t.Errorf("got %s, want the taker expired", r.body)
		}
		w.do("range BTCUSDT bidUp 0")
		w.do("reference BTCUSDT none")
		if r := w.order(take); !strings.Contains(string(r.body), `"FILLED"`) {
			t.Errorf("got %s, want a fill", r.body)
		}
	})
}

func TestStatusesKeepAndStopWhatTheyShould(t *testing.T) {
	for status, want := range map[string]struct{ depth, kline, cancel, order bool }{
		"TRADING": {true, true, true, true}, "HALT": {true, true, true, false}, "BREAK": {false, false, true, false}, "CANCEL_ONLY": {true, false, true, false},
	} {
		inMemory(t, Config{Seed: 3}, func(w *world) {
			w.order(restLow)
			w.do("status BTCUSDT " + status)
			sees := func(stream string) bool {
				k := w.dial(w.s.Stream() + "/ws/" + stream).settle()
				_, err := k.nextBy(time.Now().Add(5 * time.Second))
				return err == nil
			}
			if got := sees("btcusdt@kline_1s"); got && !want.kline {
				t.Errorf("%s: got klines", status)
			}
			if got := sees("btcusdt@depth@100ms"); got && !want.depth {
				t.Errorf("%s: got depth", status)
			}
			if r := w.order(restLow); (r.status == 200) != want.order {
				t.Errorf("%s: got %s for an order", status, r.body)
			}
			r := w.c.signed("DELETE", "/api/v3/openOrders", "symbol=BTCUSDT")
			var list []json.RawMessage
			if ok := r.status == 200 && json.Unmarshal(r.body, &list) == nil; ok != want.cancel && status != "HALT" && status != "BREAK" {
				t.Errorf("%s: got %s for a cancel", status, r.body)
			}
		})
	}
}
