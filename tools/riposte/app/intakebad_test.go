package app

import (
	"fmt"
	"strings"
	"time"

	"riposte/core"
	"riposte/core/airlock"
	"riposte/core/engine"
	"riposte/core/risk"
)

// bad is one bad signal: what makes it, and the gate that must name itself.
type bad struct {
	name string
	want airlock.Gate
	send func(r *rig) posted
	undo func(r *rig)
}

func (r *rig) with(key, value string) func(*rig) posted {
	return func(r *rig) posted { return r.post("main", r.body("BTCUSDT", map[string]string{key: value})) }
}

func (r *rig) day(symbol string, f airlock.DayFacts) {
	in, _ := r.d.table.Lookup(symbol)
	r.d.control.send(engine.Command{Kind: engine.CmdDay, Instrument: in.ID, Day: &f})
	for from := r.d.control.beats.Load(); r.d.control.beats.Load() < from+3; {
		r.d.engineWait.Wake() // until the shard has it
	}
}

// usual are statistics that nothing contradicts.
func (r *rig) usual() airlock.DayFacts {
	p := r.mid("BTCUSDT")
	return airlock.DayFacts{High: p * 2, Low: p / 2, Volume: 1 << 50, Fee: 10 * airlock.Bp, At: r.d.clock.Mono()}
}

func (r *rig) dayBad(change func(*airlock.DayFacts)) func(*rig) posted {
	return func(r *rig) posted {
		f := r.usual()
		change(&f)
		r.day("BTCUSDT", f)
		return r.post("main", r.body("BTCUSDT", nil))
	}
}

func usualAgain(r *rig) { r.day("BTCUSDT", r.usual()) }

func badSignals(r *rig) []bad {
	main, plain := r.body("BTCUSDT", nil), ""
	at := func(symbol string, change map[string]string) func(*rig) posted {
		return func(r *rig) posted { return r.post("main", r.body(symbol, change)) }
	}
	raw := func(body string) func(*rig) posted { return func(r *rig) posted { return r.post("main", body) } }
	times := func(p core.Price, n, m int64) string { return core.Price(int64(p) / m * n).String() }
	return []bad{
		{"not signed", airlock.Authenticity, func(r *rig) posted { return r.postAs("/main", main, nil) }, nil},
		{"signed with another secret", airlock.Authenticity, func(r *rig) posted {
			h := signed(main, r.venueMs())
			h["X-Signature"] = strings.Repeat("ab", 32)
			return r.postAs("/main", main, h)
		}, nil},
		{"another body under a good signature", airlock.Authenticity, func(r *rig) posted { return r.postAs("/main", main+" ", signed(main, r.venueMs())) }, nil},
		{"a timestamp that was not signed", airlock.Authenticity, func(r *rig) posted {
			h := signed(main, r.venueMs())
			h["X-Timestamp"] += "0"
			return r.postAs("/main", main, h)
		}, nil},
		{"no token in the path", airlock.Authenticity, func(r *rig) posted { return r.postAs("/tv/"+hookSecret+"x", main, nil) }, nil},
		{"no token in the body", airlock.Authenticity, func(r *rig) posted { return r.postAs("/pass", main, nil) }, nil},
		{"a wrong token in the body", airlock.Authenticity, func(r *rig) posted {
			return r.postAs("/pass", r.body("BTCUSDT", map[string]string{"key": `"x"`}), nil)
		}, nil},
		{"too long", airlock.Size, raw(main + strings.Repeat(" ", 20_000)), nil},
		{"a text", airlock.Message, raw("BUY BTCUSDT NOW"), nil},
		{"half a message", airlock.Message, raw(main[:40]), nil},
		{"two messages", airlock.Message, raw(main + main), nil},
		{"a bomb of objects", airlock.Message, raw(strings.Repeat(`{"a":`, 3000)), nil},
		{"a bomb of lists", airlock.Message, raw(strings.Repeat("[", 16_000)), nil},
		{"a key twice", airlock.Message, raw(strings.Replace(main, `"price"`, `"price":1,"price"`, 1)), nil},
		{"no symbol", airlock.Message, r.with("ticker", ""), nil},
		{"an unknown word for a side", airlock.Message, r.with("side", `"Buy!"`), nil},
		{"a side that is a number", airlock.Message, r.with("side", "1"), nil},
		{"no price", airlock.Message, r.with("price", "null"), nil},
		{"NaN", airlock.Message, r.with("price", "NaN"), nil},
		{"NaN as a text", airlock.Message, r.with("price", `"NaN"`), nil},
		{"infinity", airlock.Message, r.with("price", "1e999"), nil},
		{"a huge number", airlock.Message, r.with("price", strings.Repeat("9", 300)), nil},
		{"a negative price", airlock.Message, r.with("price", "-1"), nil},
		{"a price of 0", airlock.Message, r.with("price", "0"), nil},
		{"a price with a comma", airlock.Message, r.with("price", `"61,837.64"`), nil},
		{"time in seconds", airlock.Message, func(r *rig) posted {
			return r.post("main", r.body("BTCUSDT", map[string]string{"time": fmt.Sprint(r.venueMs() / 1000)}))
		}, nil},
		{"more than all its strength", airlock.Message, r.with("strength", "1.01"), nil},
		{"a horizon of a week", airlock.Message, r.with("interval", "10080"), nil},
		{"signed ten minutes ago", airlock.Replay, func(r *rig) posted {
			b := r.body("BTCUSDT", nil)
			return r.postAs("/main", b, signed(b, r.venueMs()-600_000))
		}, nil},
		{"signed ten minutes from now", airlock.Replay, func(r *rig) posted {
			b := r.body("BTCUSDT", nil)
			return r.postAs("/main", b, signed(b, r.venueMs()+600_000))
		}, nil},
		{"issued ten minutes ago", airlock.Replay, func(r *rig) posted {
			return r.post("main", r.body("BTCUSDT", map[string]string{"time": fmt.Sprint(r.venueMs() - 600_000)}))
		}, nil},
		{"sent again", airlock.Replay, func(r *rig) posted {
			plain = r.body("BTCUSDT", map[string]string{"strength": "0.01"}) // which is refused, and remembered
			first := r.post("main", plain)
			r.verdict(first.number)
			return r.post("main", plain)
		}, nil},
		{"its id again", airlock.Replay, func(r *rig) posted { return r.post("main", strings.Replace(plain, `"buy"`, `"sell"`, 1)) }, nil},
		{"more often than it may speak", airlock.Rate, func(r *rig) posted {
			for range 2 {
				r.verdict(r.post("rare", r.body("BTCUSDT", map[string]string{"strength": "0.01"})).number)
			}
			return r.post("rare", r.body("BTCUSDT", nil))
		}, nil},
		{"an unknown symbol", airlock.Symbol, r.with("ticker", `"DOGEUSDT"`), nil},
		{"a symbol that is none of its business", airlock.Symbol, at("ETHBTC", nil), nil},
		{"ten seconds old", airlock.Age, func(r *rig) posted {
			return r.post("main", r.body("BTCUSDT", map[string]string{"time": fmt.Sprint(r.venueMs() - 10_000)}))
		}, nil},
		{"three seconds from the future", airlock.Age, func(r *rig) posted {
			return r.post("main", r.body("BTCUSDT", map[string]string{"time": fmt.Sprint(r.venueMs() + 3_000)}))
		}, nil},
		{"a price ten times as high", airlock.Drift, func(r *rig) posted {
			return r.post("main", r.body("BTCUSDT", map[string]string{"price": times(r.mid("BTCUSDT"), 10, 1)}))
		}, nil},
		{"the smallest price", airlock.Drift, r.with("price", "0.00000001"), nil},
		{"the largest price", airlock.Drift, r.with("price", "92233720368.54775807"), nil},
		{"a price that has moved by 1 %", airlock.Drift, func(r *rig) posted {
			return r.post("main", r.body("BTCUSDT", map[string]string{"price": times(r.mid("BTCUSDT"), 99, 100)}))
		}, nil},
		{"a spread of tens of basis points", airlock.Spread, at("LTCBTC", nil), nil},
		{"a size that is not in the book", airlock.Depth, at("BNBBTC", nil), nil},
		{"strength that does not pay the costs", airlock.Edge, r.with("strength", "0.01"), nil},
		{"a horizon in which nothing can be earned", airlock.Edge, func(r *rig) posted {
			return r.post("main", r.body("BTCUSDT", map[string]string{"interval": "1", "strength": "0.05"}))
		}, nil},
		{"costs", airlock.Cost, r.dayBad(func(f *airlock.DayFacts) { f.Fee = 61 * airlock.Bp }), usualAgain},
		{"statistics that are old", airlock.Statistics, r.dayBad(func(f *airlock.DayFacts) { f.At = 1 - core.MonoNs(4*time.Hour) }), usualAgain},
		{"outside the day's range", airlock.Day, r.dayBad(func(f *airlock.DayFacts) { f.High = f.Low * 3 / 2 }), usualAgain},
		{"a market that nobody trades", airlock.Volume, r.dayBad(func(f *airlock.DayFacts) { f.Volume = 1 }), usualAgain},
		{"against the last minutes", airlock.Trend, r.dayBad(func(f *airlock.DayFacts) { f.Trend = -9001 * airlock.Bp }), usualAgain},
		{"a symbol that is halted", airlock.Halt, func(r *rig) posted {
			if err := r.d.control.halt(risk.HaltKilled, "symbol", "BTCUSDT", act{Who: "test", Why: "a drill"}); err != nil {
				r.t.Fatal(err)
			}
			r.await(func() bool {
				in, _ := r.d.table.Lookup("BTCUSDT")
				return r.d.shard.MarketStats(in.ID).Halted != 0
			})
			return r.post("main", r.body("BTCUSDT", nil))
		}, func(r *rig) {
			if err := r.d.control.resume(act{Who: "test", Why: "the drill is over"}); err != nil {
				r.t.Fatal(err)
			}
			r.await(func() bool {
				in, _ := r.d.table.Lookup("BTCUSDT")
				return r.d.shard.MarketStats(in.ID).Halted == 0
			})
		}},
		{"more than the position may be", airlock.Position, func(r *rig) posted { return r.post("big", r.body("BTCUSDT", nil)) }, nil},
		{"against an own signal", airlock.Contradiction, at("ETHUSDT", nil), nil},
		{"a source that has lost its weight", airlock.Score, func(r *rig) posted { return r.post("loser", r.body("BTCUSDT", nil)) }, nil},
		{"nobody approved it in time", airlock.Approval, func(r *rig) posted {
			p := r.post("slow", r.body("BTCUSDT", nil))
			if v := r.verdict(p.number); v.Outcome != airlock.Queued {
				r.t.Errorf("%v by %v, want it to wait", v.Outcome, v.Failed)
			}
			r.await(func() bool {
				r.drain()
				last.Lock()
				defer last.Unlock()
				// The second verdict of the same number is the one that counts.
				n := len(last.verdicts)
				return n > 0 && last.verdicts[n-1].Failed == airlock.Approval
			})
			last.Lock()
			defer last.Unlock()
			last.verdicts = last.verdicts[len(last.verdicts)-1:]
			return posted{status: p.status, number: p.number}
		}, nil},
		{"a wrong side on the WebSocket", airlock.Message, func(r *rig) posted { return r.push(`"dir":"LONG"`) }, nil},
		{"too long on the WebSocket", airlock.Size, func(r *rig) posted { return r.push(`"x":"` + strings.Repeat("x", 20_000) + `"`) }, nil},
		{"a price that is far on the WebSocket", airlock.Drift, func(r *rig) posted { return r.push(`"dir":"long","px":"1"`) }, nil},
		{"a book that is not live", airlock.Book, func(r *rig) posted {
			fault(r.t, r.d, "stale depth ETHUSDT 1000")
			fault(r.t, r.d, "drop depth ETHUSDT 1")
			in, _ := r.d.table.Lookup("ETHUSDT")
			price := r.mid("ETHUSDT").String()
			r.await(func() bool { return r.d.shard.MarketStats(in.ID).Top.Mid() == 0 })
			return r.post("main", r.body("ETHUSDT", map[string]string{"side": `"sell"`, "price": price}))
		}, nil},
	}
}
