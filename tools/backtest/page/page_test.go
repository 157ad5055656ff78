package page

import (
	"bytes"
	"encoding/json"
	"math"
	"regexp"
	"strings"
	"testing"

	"riposte/core"
	"riposte/tools/backtest"
)

func result() (*backtest.Result, *About) {
	t := core.NewInstruments()
	if _, err := t.Add(core.Instrument{Symbol: "BTCUSDT", Base: t.Asset("BTC"), Quote: t.Asset("USDT")}); err != nil {
		panic(err)
	}
	r := &backtest.Result{Events: 1_234_567, Span: 3600, PnL: -1.5, Spread: 2, Fees: 3, Holding: -0.5, Hash: "ab12", AckTimes: &backtest.Histogram{},
		Refused: map[string]uint64{"stale book": 7, "position limit": 2}, Halted: "loss limit"}
	r.Orders.Placed, r.Orders.Fills, r.Orders.Codes = 10, 2, map[int32]uint64{-2010: 3}
	f := backtest.FillRow{Fill: backtest.Fill{At: 5e9, Price: 100 * core.Scale, Qty: core.Scale, Mid: 101 * core.Scale, Maker: true, FeeAsset: 1}}
	f.Marks[0], f.Marks[5] = 1.25, math.NaN()
	r.FillRows = []backtest.FillRow{f}
	r.Points = []backtest.Point{{Mids: []core.Price{0}, Position: []core.Qty{0}}, {At: 1e9, Equity: -1, Drawdown: 1, Mids: []core.Price{101 * core.Scale}, Position: []core.Qty{core.Scale}}}
	return r, &About{Title: `mine </script><b>`, Start: 1_700_000_000_000_000_000, Table: t, Currency: "USDT", Config: "name = \"</pre><script>alert(1)</script>\"",
		Repeat: []Row{{Name: "tapes, SHA-256", Value: "c0ffee"}}, Notes: []string{"trades alone"}}
}

// TestThePageNeedsNothingElse: no address in it, nothing that the browser would fetch, and
// what others wrote cannot become part of the page.
func TestThePageNeedsNothingElse(t *testing.T) {
	r, a := result()
	var b bytes.Buffer
	if err := Write(&b, r, a); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	if m := regexp.MustCompile(`(?i)https?:|src=|href=|@import|url\(`).FindString(text); m != "" {
		t.Errorf("the page refers to something outside: %q", m)
	}
	if strings.Contains(text, "alert(1)</script>") || strings.Contains(text, "mine </script>") {
		t.Error("text of the configuration or a title became part of the page")
	}
	for _, want := range []string{"1\u202f234\u202f567 events", "stale book", "c0ffee", "loss limit", "trades alone", "new order rejected"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not tell %q", want)
		}
	}
}

// TestThePageDrawsWhatTheRunWrote: the numbers that the script gets, and nothing for a mid
// that was not known.
func TestThePageDrawsWhatTheRunWrote(t *testing.T) {
	r, a := result()
	var b bytes.Buffer
	if err := Write(&b, r, a); err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(b.String(), "<script>const data = ")
	text, _, ok := strings.Cut(rest, ";</script>")
	var d drawn
	if err := json.Unmarshal([]byte(text), &d); err != nil || !ok {
		t.Fatalf("the data cannot be read: %v in %.200s", err, text)
	}
	s := d.Symbols[0]
	if len(d.T) != 2 || d.T[1] != 1000 || d.Equity[1] != -1 || d.Drawdown[1] != -1 || s.Mid[0] != nil || *s.Mid[1] != 101 || s.Position[1] != 1 {
		t.Errorf("the points are %+v of %+v", d, s)
	}
	if len(s.Fills) != 1 || s.Fills[0] != [4]float64{5000, 100, 1, 1} {
		t.Errorf("the fills are %v", s.Fills)
	}
}
