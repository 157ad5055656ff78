package rule

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"
	"pgregory.net/rapid"

	"riposte/core"
	"riposte/core/signal"
)

// fill lets a panel see a touch, trades and a hundred minutes, so that all is ready.
func fill(p *signal.Panel) {
	rng := rand.New(rand.NewPCG(1, 2))
	top := core.Top{Bid: 99 * core.Scale, BidQty: 3 * core.Scale, Ask: 101 * core.Scale, AskQty: core.Scale}
	for i := range 100 {
		price := core.Price(100+rng.IntN(10)) * core.Scale
		bar := signal.Bar{Start: core.WallNs(i) * 60e9, End: core.WallNs(i+1) * 60e9, Open: price, High: price + 2*core.Scale, Low: price - core.Scale, Close: price + core.Scale, Volume: 5, Quote: 500, Trades: 3}
		for k := 0; ; k++ {
			s, ok := p.Of(k)
			if !ok {
				break
			}
			if s.Span > 0 {
				p.OnBar(k, &bar)
			}
		}
		p.OnTop(&top, core.MonoNs(i)*1e9)
		p.OnTrade(price, core.Scale, core.Side(i&1), bar.Start, core.MonoNs(i)*1e9)
	}
}

const now = core.MonoNs(99e9)

func value(t *testing.T, text string, kind Kind) (float64, bool) {
	t.Helper()
	p := new(signal.Panel)
	c, err := Compile(text, kind, p)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	fill(p)
	return c.Program.Eval(p, now)
}

func TestExpressionsGiveWhatTheySay(t *testing.T) {
	for text, want := range map[string]float64{
		"1 + 2 * 3 == 7": 1, "(1 + 2) * 3 == 9": 1, "-2 < -1 and not (1 > 2)": 1, "1 >= 1 && 1 <= 1 && 1 != 2": 1,
		"false or 2 > 1 ? true : false": 1, "abs(-3) == 3": 1, "min(2, 1) == 1 and max(2, 1) == 2": 1, "1_000 == 1e3": 1,
		"imbalance() == 0.5": 1, "spread() > 199 and spread() < 201": 1, "mid() == 100": 1, "microprice() > mid()": 1,
		"microprice() - mid() < mid() * 0.01": 1, "rsi(1m) > 0": 1, "ema(1m, 20) > 90": 1,
		`close("kline 1m") > low("kline 1m")`: 1, "volume(1m) * close(1m) / close(1m) == 5": 1,
		"flow(10s) < 1 and turnover(10s) > 1": 1, "trade_rate(10s) > 0.9 and trade_rate(10s) < 1.1": 1,
		"hammer(1m) == 0 or hammer(1m) != 0": 1, "spread() / spread() == 1": 1, "close(1m, 1) > 0": 1,
		"mid() > 99 ? imbalance() > 0 : imbalance() < 0": 1, `trades("4 ticks") == 4`: 1, `volume("2.5 base") == 3`: 1,
	} {
		if v, ok := value(t, text, Truth); !ok || v != want {
			t.Errorf("%s is %v, %v, want %v", text, v, ok, want)
		}
	}
	for text, want := range map[string]float64{"buy": 1, "sell": -1, "imbalance() > 0 ? sell : buy": -1, "mid() - microprice()": -0.5, "0": 0} {
		if v, ok := value(t, text, Direction); !ok || v != want {
			t.Errorf("direction %s is %v, %v, want %v", text, v, ok, want)
		}
	}
	rsi, _ := value(t, "rsi(1m)", Direction)
	for text, want := range map[string]float64{"0.5": 0.5, "imbalance()": 0.5, "rsi(1m)": rsi / 100, "abs(imbalance()) * 2": 1} {
		if v, ok := value(t, text, Strength); !ok || v != want {
			t.Errorf("strength %s is %v, %v, want %v", text, v, ok, want)
		}
	}
}

// What is not ready is neither true nor false, unless the rest decides alone.
func TestWhatIsNotKnownDecidesNothing(t *testing.T) {
	for text, want := range map[string]string{
		"ema(1h, 4000) > 0": "?", "not (ema(1h, 4000) > 0)": "?", "ema(1h, 4000) == ema(1h, 4000)": "?", "ema(1h, 4000) != 3": "?",
		"ema(1h, 4000) > 0 and 1 > 2": "no", "1 > 2 and ema(1h, 4000) > 0": "no", "ema(1h, 4000) > 0 and 2 > 1": "?",
		"ema(1h, 4000) > 0 or 2 > 1": "yes", "ema(1h, 4000) > 0 or 1 > 2": "?", "2 > 1 ? 3 > 2 : ema(1h, 4000) > 0": "yes",
		"(imbalance() - 0.5 != 0 ? 1 / (imbalance() - 0.5) : 7) == 7": "yes", "1 / (imbalance() - 0.5) > 0": "?",
		"max(1, 0 / (imbalance() - 0.5)) == 1": "?", "abs(ema(1h, 4000)) > 0": "?",
	} {
		got := "?"
		if v, ok := value(t, text, Truth); ok {
			got = map[float64]string{1: "yes", 0: "no"}[v]
		}
		if got != want {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
	}
}

func TestACrossingIsSeenOnceAndNotAcrossAHole(t *testing.T) {
	p := new(signal.Panel)
	up, err := Compile("crossed_above(close(1m), 100)", Truth, p)
	if err != nil {
		t.Fatal(err)
	}
	down, err := Compile("crossed_below(close(1m), 100)", Truth, p)
	if err != nil {
		t.Fatal(err)
	}
	at, got := core.WallNs(0), ""
	step := func(close core.Price) {
		b := signal.Bar{Start: at, End: at + 60e9, Open: close * core.Scale, High: close * core.Scale, Low: close * core.Scale, Close: close * core.Scale}
		at += 60e9
		p.OnBar(0, &b)
		a, _ := up.Program.Eval(p, 0)
		z, _ := down.Program.Eval(p, 0)
		got += map[float64]string{0: ".", 1: "+", -1: "-"}[a-z]
	}
	for _, c := range []core.Price{101, 99, 100, 101, 102, 100, 99, 98, 101} {
		step(c)
	}
	if want := ".-.+..-.+"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Each error says what, names what is wanted, and points at its place.
func TestErrorsPointAtTheirPlace(t *testing.T) {
	for _, c := range []struct {
		text, at, want string
		kind           Kind
	}{
		{"emma(1m, 20) > 0", "emma", `"emma" is no indicator, want one such as ema`, Truth},
		{"ema(1m, 20) > closs(1m)", "closs", `"closs" is no indicator, want one such as close`, Truth},
		{"ema(1m) > 0", "ema", "length is missing, want ema(bars, length)", Truth},
		{"ema(1m, 1) > 0", "ema", "length is 1, want a whole number from 2 to 4096", Truth},
		{"ema(20) > 0", "ema", "it reads bars and got none", Truth},
		{"ema(2m, 20) > 0", "2m", `cannot use bars of "2m": want one of 1s, 1m`, Truth},
		{`ema("7 days", 20) > 0`, `"7 days"`, `cannot use bars "7 days"`, Truth},
		{`imbalance("1m") > 0`, "imbalance", "it reads the touch and got bars of 1m, want imbalance()", Truth},
		{"imbalance(1m) > 0", "imbalance", "got 1 arguments beside the bars, want imbalance()", Truth},
		{"flow(2) > 0", "flow", "half_life is 2, want a duration from 0.1s to 86400s", Truth},
		{"ema(1m, 20s) > 0", "ema", "length is 20s, want a whole number", Truth},
		{"ema(1m, imbalance()) > 0", "imbalance", "an argument of ema is imbalance(), want a number or a duration", Truth},
		{"imbalance > 0", "imbalance", "imbalance is written without its brackets, want imbalance()", Truth},
		{"1m > 0", "1m", "the duration 1m stands alone", Truth},
		{"close(1m) > rsi(1m)", ">", "> stands between a price and percent, want the same unit on both sides", Truth},
		{"close(1m) + volume(1m) > 0", "+", "+ stands between a price and base", Truth},
		{"spread() > imbalance()", ">", "> stands between bps and a number", Truth},
		{"spread() * rsi(1m) > 0", "*", "* stands between bps and percent, which gives no unit", Truth},
		{"close(1m) and true", "and", "and stands between a price and true or false", Truth},
		{"true + 1 > 0", "+", "+ stands between true or false and a number, want numbers on both sides", Truth},
		{"not close(1m)", "not", "not stands before a price", Truth},
		{"ema(1m, 20)", "ema", "it gives a price, want true or false: compare it", Truth},
		{"close(1m) ? true : false", "close", "what is asked before ? gives a price", Truth},
		{"true ? 1 : false", "false", "the two answers are a number and true or false", Truth},
		{"min(1) > 0", "min", "min has 1 arguments, want 2", Truth},
		{"abs(true) > 0", "true", "abs is of numbers, found true or false", Truth},
		{"imbalance() > 0", ">", "it gives true or false, want a number", Direction},
		{"close(1m)", "close", "it gives a price, want a number from 0 to 1 or a percentage", Strength},
		{"spread()", "spread", "it gives bps, want a number from 0 to 1", Strength},
		{"1 +", "", "unexpected token", Truth},
		{"(1 > 0", "", "unexpected token EOF", Truth},
		{"close(1m) > 'x'", "'x'", `"x" is not something a rule is made of`, Truth},
		{"2 ** 3 > 0", "**", "the operator ** is not something a rule is made of", Truth},
		{"1 > 0 | 2", "", "", Truth},
		{"filter([1], # > 0)", "", "", Truth},
		{"let x = 1; x > 0", "", "is not something a rule is made of", Truth},
		{"α > 0", "α", "a Greek letter", Truth},
		{"1.5m > 0", "", "", Truth},
		{"", "", "", Truth},
	} {
		_, err := Compile(c.text, c.kind, new(signal.Panel))
		var at *Error
		if !errors.As(err, &at) || strings.Contains(at.Text, "\n") || !strings.Contains(at.Text, c.want) {
			t.Errorf("%q: got %v, want %s", c.text, err, c.want)
			continue
		}
		runes := []rune(c.text)
		if at.At < 0 || at.At > len(runes) || at.End <= at.At {
			t.Errorf("%q: points from %d to %d", c.text, at.At, at.End)
			continue
		}
		if got := string(runes[at.At:]); c.at != "" && !strings.HasPrefix(got, c.at) {
			t.Errorf("%q: points at %q, want %q", c.text, got, c.at)
		}
	}
	if _, err := Compile(strings.Repeat("(1+", 60)+"1"+strings.Repeat(")", 60)+" > 0", Truth, new(signal.Panel)); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("sixty brackets deep: %v", err)
	}
}

// names are what the expressions of the test below may use, with what they stand for.
var names = map[string]float64{"imbalance()": 0.5, "mid()": 100, "bid()": 99, "ask()": 101, "microprice()": 100.5}

// expression draws one that gives a number (or a truth), of no unit that would hinder.
func expression(t *rapid.T, depth int, truth bool) string {
	sub := func(truth bool) string { return expression(t, depth-1, truth) }
	if truth {
		switch k := rapid.IntRange(0, 6).Draw(t, "truth"); {
		case depth == 0:
			return rapid.SampledFrom([]string{"true", "false"}).Draw(t, "word")
		case k == 0:
			return "(not " + sub(true) + ")"
		case k == 1:
			return "(" + sub(true) + " and " + sub(true) + ")"
		case k == 2:
			return "(" + sub(true) + " or " + sub(true) + ")"
		case k == 3:
			return "(" + sub(true) + " ? " + sub(true) + " : " + sub(true) + ")"
		}
		return "(" + sub(false) + rapid.SampledFrom([]string{" < ", " <= ", " > ", " >= ", " == ", " != "}).Draw(t, "op") + sub(false) + ")"
	}
	switch k := rapid.IntRange(0, 7).Draw(t, "number"); {
	case depth == 0 || k == 0:
		return fmt.Sprintf("%g", rapid.Float64Range(0.25, 8).Draw(t, "v"))
	case k == 1:
		return rapid.SampledFrom([]string{"imbalance()", "(mid() / bid())", "(ask() / microprice())"}).Draw(t, "name")
	case k == 2:
		return "(-" + sub(false) + ")"
	case k == 3:
		return "abs(" + sub(false) + ")"
	case k == 4:
		return rapid.SampledFrom([]string{"min", "max"}).Draw(t, "f") + "(" + sub(false) + ", " + sub(false) + ")"
	case k == 5:
		return "(" + sub(true) + " ? " + sub(false) + " : " + sub(false) + ")"
	}
	return "(" + sub(false) + rapid.SampledFrom([]string{" + ", " - ", " * "}).Draw(t, "op") + sub(false) + ")"
}

// oracle is the same expression by the library's own compiler and machine.
func oracle(t interface{ Fatalf(string, ...any) }, text string) (*vm.Program, map[string]any) {
	env := map[string]any{}
	for name, v := range names {
		env[strings.TrimSuffix(name, "()")] = func() float64 { return v }
	}
	p, err := expr.Compile(text, expr.Env(env))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return p, env
}

func TestProgramsEqualTheLibrarysMachine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := expression(t, 5, true)
		p := new(signal.Panel)
		c, err := Compile(text, Truth, p)
		if err != nil {
			if strings.Contains(err.Error(), "too large") {
				return
			}
			t.Fatalf("%s: %v", text, err)
		}
		fill(p)
		got, ok := c.Program.Eval(p, now)
		prog, env := oracle(t, text)
		want, err := expr.Run(prog, env)
		if err != nil || !ok || (got == 1) != want.(bool) {
			t.Fatalf("%s is %v, %v, the library says %v, %v", text, got, ok, want, err)
		}
	})
}

func FuzzCompile(f *testing.F) {
	for _, s := range []string{"ema(1m, 20) > close(1m)", `ema("kline 1m", 2) > 1 and imbalance() > 0.3`, "flow(250ms) > 1 ? buy : sell", "((1", "1d", "'", "a?.b[1:2]", "α1m"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p := new(signal.Panel)
		for k := Truth; k <= Strength; k++ {
			c, err := Compile(text, k, p)
			var at *Error
			switch {
			case err == nil:
				if v, ok := c.Program.Eval(p, 0); ok && (math.IsNaN(v) || math.IsInf(v, 0)) {
					t.Errorf("%q gives %v", text, v)
				}
			case !errors.As(err, &at):
				t.Errorf("%q: %v is without a place", text, err)
			}
		}
	})
}

const typical = "microprice() > mid() * 1.0001 and imbalance() > 0.3 and (ask() / bid() < 1.03 or mid() > 50)"

// Benchmark is one evaluation of a rule on every event: ours, and the library's machine
// for the same text.
func Benchmark(b *testing.B) {
	p := new(signal.Panel)
	c, err := Compile(typical, Truth, p)
	if err != nil {
		b.Fatal(err)
	}
	fill(p)
	b.Run("program", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			if _, ok := c.Program.Eval(p, now); !ok {
				b.Fatal("not ready")
			}
		}
	})
	b.Run("expr", func(b *testing.B) {
		prog, env := oracle(b, typical)
		var machine vm.VM
		b.ReportAllocs()
		for range b.N {
			if _, err := machine.Run(prog, env); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func TestEvaluationDoesNotAllocate(t *testing.T) {
	p := new(signal.Panel)
	c, err := Compile(typical+" and crossed_above(mid(), 5) == false", Truth, p)
	if err == nil {
		t.Fatal("truths are compared by == like numbers")
	}
	if c, err = Compile(typical+" and not crossed_above(mid(), 5)", Truth, p); err != nil {
		t.Fatal(err)
	}
	fill(p)
	if n := testing.AllocsPerRun(1000, func() { c.Program.Eval(p, now) }); n != 0 {
		t.Errorf("got %v allocations an evaluation, want 0", n)
	}
}
