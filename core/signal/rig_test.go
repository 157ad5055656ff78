package signal

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"riposte/core"
	"riposte/tools/tape"
)

// walk is a random walk of bars of a minute around a price, moving by about step
// (a part of the price) within a bar.
func walk(seed uint64, n int, price, step float64) []Bar {
	rng := rand.New(rand.NewPCG(seed, 7))
	bars := make([]Bar, n)
	at := func() core.Price { return core.Price(math.Round(price * core.Scale)) }
	for i := range bars {
		b := &bars[i]
		b.Start = core.WallNs(i) * 60e9
		b.End = b.Start + 60e9
		b.Open, b.High, b.Low = at(), at(), at()
		for range 12 {
			price *= 1 + step*rng.NormFloat64()/3
			b.High, b.Low = max(b.High, at()), min(b.Low, at())
		}
		b.Close, b.Trades = at(), 12
		b.Volume = rng.ExpFloat64() * 3
		b.TakerBuy = b.Volume * rng.Float64()
		b.Quote = b.Volume * (whole(b.High) + whole(b.Low)) / 2
	}
	return bars
}

// market is what a recording tells of one symbol, in the order in which it was heard.
type market struct {
	events []heard
	bars   []Bar // of 8 trades
}

type heard struct {
	top   core.Top // where Bid is not 0
	price core.Price
	qty   core.Qty
	side  core.Side
	now   core.MonoNs
	at    core.WallNs
}

// recorded is the recording of BTCUSDT (spot, 2024-08-08), nil where it is not on this
// machine.
var recorded = sync.OnceValue(func() *market {
	dir := os.Getenv("RIPOSTE_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	r, err := tape.Open(filepath.Join(dir, "streams", "spot_btcusdt_20240808.tsv.gz"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		panic(err)
	}
	defer func() { _ = r.Close() }()
	m, ticks := &market{}, NewCounted(8, 0)
	var line tape.Line
	for {
		err := r.Next(&line)
		if errors.Is(err, io.EOF) {
			return m
		}
		if err != nil {
			panic(err)
		}
		var frame struct {
			Stream string                     `json:"stream"`
			Data   map[string]json.RawMessage `json:"data"`
		}
		if !line.Frame() || json.Unmarshal(line.Payload, &frame) != nil {
			continue
		}
		number := func(key string) int64 {
			var text string
			if json.Unmarshal(frame.Data[key], &text) != nil {
				return 0
			}
			v, err := core.ParseDecimal([]byte(text))
			if err != nil {
				panic(err)
			}
			return v
		}
		e := heard{now: core.MonoNs(line.RecvNs)}
		switch frame.Stream {
		case "btcusdt@bookTicker":
			e.top = core.Top{Bid: core.Price(number("b")), BidQty: core.Qty(number("B")), Ask: core.Price(number("a")), AskQty: core.Qty(number("A"))}
		case "btcusdt@trade":
			e.price, e.qty = core.Price(number("p")), core.Qty(number("q"))
			var ms int64
			if json.Unmarshal(frame.Data["T"], &ms) != nil {
				panic("a trade without its time")
			}
			e.at = core.WallNs(ms) * 1e6
			if string(frame.Data["m"]) == "true" {
				e.side = core.Sell
			}
			var b Bar
			if ticks.Trade(e.price, e.qty, e.side, e.at, &b) {
				m.bars = append(m.bars, b)
			}
		default:
			continue
		}
		m.events = append(m.events, e)
	}
})

// inputs are the bars that the oracle is asked about: what was recorded, and walks at
// prices from very small to very large.
func inputs(t testing.TB) map[string][]Bar {
	in := map[string][]Bar{
		"walk at 60000": walk(1, 4000, 60000, 1e-4),
		"walk at 1e-5":  walk(2, 4000, 1e-5, 2e-2),
		"walk at 9e6":   walk(3, 4000, 9e6, 1e-3),
	}
	if m := recorded(); m != nil {
		in["recording"] = m.bars
	} else {
		t.Log("the recordings are not on this machine: walks alone")
	}
	return in
}

// build makes an indicator by name.
func build(t testing.TB, name string, args ...float64) (Indicator, int) {
	t.Helper()
	s, err := Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	given := make([]Arg, len(args))
	for i, a := range args {
		given[i] = Arg{V: a, Span: s.Params[i].Kind == Span}
	}
	in, out, err := s.Build(given...)
	if err != nil {
		t.Fatal(err)
	}
	return in, out
}
