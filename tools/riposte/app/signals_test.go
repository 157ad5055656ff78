package app

import (
	"fmt"
	"strings"
	"testing"
)

// withSignal is the built-in configuration with one more table, in which a line may
// be changed.
func withSignal(t *testing.T, from, to string) []byte {
	t.Helper()
	text := `
[signals.trend]
on = "event"
when = 'imbalance() > 0.3'
direction = "buy"
strength = "imbalance()"
horizon = "1s"
`
	if !strings.Contains(text, from) {
		t.Fatalf("the signal has no line %q", from)
	}
	return append([]byte(string(defaultTOML)), strings.Replace(text, from, to, 1)...)
}

func TestSignalsAreCompiledForTheSymbolsTheyAreOf(t *testing.T) {
	c, err := parseConfig("x", withSignal(t, `horizon = "1s"`, "horizon = \"1s\"\nsymbols = [\"BTCUSDT\"]"))
	if err != nil {
		t.Fatal(err)
	}
	btc, err := c.rules("BTCUSDT")
	if err != nil || btc.Find("trend") != 0 || btc.List()[0].Horizon != 1e9 {
		t.Errorf("got %+v, %v, want the signal", btc, err)
	}
	if eth, err := c.rules("ETHUSDT"); eth != nil || err != nil {
		t.Errorf("got %+v, %v, want no rules on another symbol", eth, err)
	}
}

func TestBadSignalsAreNamedWithTheirPlace(t *testing.T) {
	for _, c := range []struct{ from, to, want string }{
		{"imbalance() > 0.3", "imbalence() > 0.3", `signals.trend.when: "imbalence" is no indicator, want one such as imbalance`},
		{"imbalance() > 0.3", "mid() > spread()", "signals.trend.when: > stands between a price and bps, want the same unit on both sides"},
		{"imbalance() > 0.3", "rsi(1m) > 30", `signals.trend reads bars of 1m, and bars.intervals has no "1m"`},
		{"imbalance() > 0.3", `rsi("kline 1m") > 30`, "signals.trend reads klines of 1m, and market.streams has no kline_1m"},
		{`"event"`, `"bar"`, `signals.trend.on: it is "bar", want "event" or bars`},
		{`"event"`, `"bar 7m"`, `signals.trend.on: cannot use bars of "7m"`},
		{`"event"`, `"bar 1m"`, `bars.intervals has no "1m"`},
		{`"buy"`, `"bye"`, `signals.trend.direction: "bye" is no indicator`},
		{`"buy"`, `"imbalance() > 0"`, "signals.trend.direction: it gives true or false, want a number"},
		{`"imbalance()"`, "true", "signals.trend.strength is true, want a number from 0 to 1 or an expression"},
		{`"imbalance()"`, `"mid()"`, "signals.trend.strength: it gives a price"},
		{`"1s"`, `"0s"`, "signals.trend.horizon is 0s, want 1ms to 24h0m0s"},
		{`horizon = "1s"`, "horizon = \"1s\"\nsymbols = [\"XRPUSDT\"]", `signals.trend.symbols is "XRPUSDT", want only symbols`},
		{"[signals.trend]", `[signals."a b"]`, `signals is "a b", want names`},
		{"horizon", "horizn", "unknown keys"},
		{`when = 'imbalance() > 0.3'`, "", "signals.trend.when: "},
	} {
		_, err := parseConfig("test.toml", withSignal(t, c.from, c.to))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.to, err, c.want)
		}
	}
}

// The place is that of the file, whichever way its text is written.
func TestSignalsErrorsShowTheLineAndTheWord(t *testing.T) {
	line := strings.Count(string(defaultTOML), "\n") + 4
	for _, c := range []struct {
		text string
		line int
		want string
	}{
		{`when = 'mid() > 1 and emma(1m) > 2'`, line, "                      ~~~~"},
		{`when = "mid() > 1 and emma(1m) > 2"`, line, "                      ~~~~"},
		{"when = '''\nmid() > 1\n  and emma(1m) > 2'''", line + 2, "      ~~~~"},
		{"\twhen = 'emma(1m) > 2' # sums", line, "\t        ~~~~"},
		{`when = "emma(1m) > 2 \u0061"`, line, "       ~"},
	} {
		_, err := parseConfig("test.toml", withSignal(t, `when = 'imbalance() > 0.3'`, c.text))
		if err == nil {
			t.Errorf("%s: no error", c.text)
			continue
		}
		lines := strings.Split(c.text, "\n")
		prefix := fmt.Sprintf("%d| ", c.line)
		want := prefix + lines[c.line-line] + "\n" + strings.Repeat(" ", len(prefix)-2) + "| " + c.want
		if !strings.Contains(err.Error()+"\n", want+"\n") {
			t.Errorf("got\n%v\nwant in it\n%s", err, want)
		}
	}
	_, err := parseConfig("test.toml", withSignal(t, `on`, `on`), `signals.trend.when='emma() > 0'`)
	if want := "1| signals.trend.when = 'emma() > 0'\n"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want the line of --set", err)
	}
}
