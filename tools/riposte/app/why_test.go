package app

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"riposte/core"
	"riposte/core/airlock"
	"riposte/core/engine"
	"riposte/core/journal"
	"riposte/core/risk"
)

var updateWhy = flag.Bool("update-why", false, "rewrite testdata/why")

// toldJournal is a journal made by hand: a run that heard a signal, sent an order which
// traded in two parts and was cancelled, was refused another, and one of which no byte
// left; and an order as an older riposte recorded it.
func toldJournal(t *testing.T) string {
	t.Helper()
	client := func(s string) core.ClientID {
		c, ok := core.MakeClientID(s)
		if !ok {
			t.Fatal(s)
		}
		return c
	}
	const wall = core.WallNs(1_795_837_446_000_000_000)
	const mono = core.MonoNs(3_600_000_000_000)
	top := core.Top{ID: 27647501258, Bid: 6183763000000, BidQty: 39491000, Ask: 6183764000000, AskQty: 1126000}
	judged := journal.Judged{Top: top, Position: 9000, Buy: 9000, Open: 1, Live: 4, Gross: 1120075815, DayPnL: -6804471, Proof: 1_300_000, ClockError: 530_861}
	report := func(kind core.ReportKind, status core.OrderStatus, at core.MonoNs, f func(r *core.Report)) *journal.Report {
		r := &journal.Report{Wall: wall + core.WallNs(at), Report: core.Report{Kind: kind, Status: status, ID: 17, VenueID: 14157285252, TradeID: -1,
			FeeAsset: core.NoAsset, Recv: mono + at, VenueTime: wall}}
		if f != nil {
			f(&r.Report)
		}
		return r
	}
	start := &journal.SessionStart{Epoch: 21800064607, Wall: wall, Version: "v1", Account: "testnet https://testnet.binance.vision", Prefix: "rp"}
	rules := `{"Symbol":"BTCUSDT","Status":1,"OrderTypes":127,"Filters":{"Tick":1000000,"Lot":1000,"QtyMin":1000,"QtyMax":900000000000,"NotionalMin":500000000}}`
	records := []journal.Payload{
		&journal.Segment{Number: 1, First: 1, Epoch: start.Epoch, Wall: wall},
		start,
		&journal.Names{Instruments: []journal.InstrumentName{{Symbol: "BTCUSDT", Base: 0, Quote: 1}}, Assets: []string{"BTC", "USDT", "BNB"}},
		&journal.Strategies{Names: []string{"maker"}},
		&journal.Limit{Scope: "BTCUSDT", Name: "qty_max", Value: "0.01"}, &journal.Limit{Scope: "BTCUSDT", Name: "notional_max", Value: "500"},
		&journal.Limit{Scope: "BTCUSDT", Name: "position_max", Value: "0.05"}, &journal.Limit{Scope: "BTCUSDT", Name: "open_max", Value: "2"},
		&journal.Limit{Scope: "BTCUSDT", Name: "stale_after", Value: "3s"},
		&journal.Limit{Name: "currency", Value: "USDT"}, &journal.Limit{Name: "gross_max", Value: "25000"}, &journal.Limit{Name: "loss_max", Value: "200"},
		&journal.Rules{Symbol: "BTCUSDT", Wall: wall, Text: rules},
		&journal.Position{Symbol: "BTCUSDT", Net: 9000},
		&journal.Checkpoint{Epoch: start.Epoch, Positions: 1, Wall: wall},
		&journal.Signal{Number: 3, Input: 4711, Source: "tv", Symbol: "BTCUSDT", Told: "BINANCE:BTCUSDT", ID: "a-17", Side: core.Buy, Outcome: uint8(airlock.Accepted),
			Price: 6183760000000, Mid: 6183763500000, Strength: 1e8, Scaled: 5e7, Horizon: 300e9, Issued: wall - 800_000_000, Heard: wall, Wall: wall,
			Readings: []journal.Reading{{Gate: uint8(airlock.Age), State: uint8(airlock.Measured), Value: 800_000_000, Bound: 5_000_000_000}}},
		&journal.Choice{Order: 17, Input: 4711, Symbol: "BTCUSDT", Maker: true, MakerBps: 8.5, TakerBps: 10.25, Spread: 0.25, Fill: 0.75, Adverse: 0.5, Miss: 1, Horizon: 2e9,
			Wall: wall + 500_000},
		&journal.Intent{Kind: core.Place, Type: core.LimitMaker, Strategy: 0, Order: 17, Input: 4711, Price: 6183763000000, Qty: 9000, Wall: wall + 600_000,
			Client: client("rp-a0j42s2-0000000h"), Symbol: "BTCUSDT", Window: 2e9, Route: 1 | 3<<1, Presigned: true},
		&journal.Sent{Kind: core.Place, Order: 17, Wall: wall + 600_000, Input: 4711, Bytes: 410, Recv: mono, Decoded: mono + 1943, Applied: mono + 2243, Decided: mono + 2824,
			Approved: mono + 2900, Encoded: mono + 2917, Written: mono + 13417, Cause: uint8(engine.CauseEvent), Event: core.Trade, EventID: 5007119454, Venue: wall - 400_000, Judged: judged, Routes: [2]uint32{1200, 650}},
		report(core.ReportAck, core.New, 312_000, nil),
		report(core.ReportFill, core.PartiallyFilled, 9_000_000, func(r *core.Report) {
			r.TradeID, r.Price, r.Qty, r.Cum, r.Maker, r.FeeAsset, r.Fee = 5007119460, 6183763000000, 4000, 4000, true, 2, 77
		}),
		&journal.Intent{Kind: core.Cancel, Order: 17, Input: 4790, Wall: wall + 20_000_000, Client: client("rp-a0j42s2-0000000h"), Symbol: "BTCUSDT", VenueID: 14157285252, Route: 1},
		report(core.ReportDone, core.Canceled, 21_000_000, func(r *core.Report) { r.Cum = 4000 }),
		&journal.Refusal{Kind: core.Place, Reason: uint16(risk.RefusedOpenOrders), Input: 4800, Price: 6183763000000, Qty: 9000, Wall: wall + 30_000_000, Symbol: "BTCUSDT", Count: 1,
			Text: risk.RefusedOpenOrders.String(), Why: journal.Why{Type: core.LimitMaker, Book: 1, Last: 6183763000000, Orders: 4, Trades: 1,
				Judged: journal.Judged{Top: top, Position: 13000, Buy: 18000, Open: 2, Live: 5, Gross: 1120075815, Proof: 2_000_000, ClockError: 530_861}}},
		&journal.Refusal{Kind: core.Place, Reason: uint16(risk.RefusedOpenOrders), Input: 4800, Price: 6183763000000, Qty: 9000, Wall: wall + 30_000_000, Symbol: "BTCUSDT", Count: 41, Text: "too many open orders"},
		&journal.Refusal{Kind: core.Place, Reason: 1003, Order: 18, Input: 4900, Price: 6183763000000, Qty: 9000, Wall: wall + 31_000_000, Symbol: "BTCUSDT", Count: 1, Text: "no connection took it"},
		report(core.ReportDone, core.NotSent, 31_000_000, func(r *core.Report) { r.ID, r.VenueID = 18, 0 }),
		&journal.MarkOut{Number: 3, Source: "tv", Horizon: 1e9, Price: 6183900000000, Edge: 2.15, Wall: wall + 1_000_000_000},
		&journal.Intent{Kind: core.Place, Type: core.Limit, Order: 19, Input: 5000, Price: 6183763000000, Qty: 9000, Wall: wall + 40_000_000, Client: client("rp-a0j42s2-0000000j"), Symbol: "BTCUSDT", Window: 2e9},
	}
	var text []byte
	for i, p := range records {
		text = p.Append(text, uint64(i+1))
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "00000001.journal"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestWhyTellsTheChainFromTheJournal(t *testing.T) {
	dir := toldJournal(t)
	for name, id := range map[string]string{"order": "rp-a0j42s2-0000000h", "refusal": "r24", "signal": "s3", "unsent": "18", "unanswered": "19"} {
		out, code := riposte(t, "why", id, "--journal", dir)
		if code != 0 {
			t.Fatalf("%s: exit %d\n%s", name, code, out)
		}
		golden := filepath.Join("testdata", "why", name+".golden")
		if *updateWhy {
			if err := os.MkdirAll(filepath.Dir(golden), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(golden, []byte(out), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), out); d != "" {
			t.Errorf("%s: -want +got\n%s", name, d)
		}
	}
}

func TestWhyFindsAnOrderByAnyOfItsIDs(t *testing.T) {
	dir := toldJournal(t)
	first := ""
	for _, id := range []string{"rp-a0j42s2-0000000h", "17", "14157285252", "21800064607:17"} {
		out, code := riposte(t, "why", id, "--journal", dir)
		if first == "" {
			first = out
		}
		if code != 0 || out != first {
			t.Errorf("%s: exit %d\n%s", id, code, out)
		}
		var s story
		text, code := riposte(t, "why", id, "--journal", dir, "--json")
		if err := json.Unmarshal([]byte(text), &s); err != nil || code != 0 || s.Kind != "order" || len(s.Sections) != 6 || len(s.Records) != 5 {
			t.Errorf("%s: exit %d, %v, %d sections and %d records\n%s", id, code, err, len(s.Sections), len(s.Records), text)
		}
	}
	for id, want := range map[string]string{
		"16": "near it are order 17 (rp-a0j42s2-0000000h)", "rp-a0j42s2-0000000k": "near it are rp-a0j42s2-0000000", "r99": "near it are r24",
		"s9": "near it are s3", "5:17": "no run 5 in this journal; it has 21800064607",
	} {
		if out, code := riposte(t, "why", id, "--journal", dir); code != exitUsage || !strings.Contains(out, want) {
			t.Errorf("%s: exit %d, want %d and %q\n%s", id, code, exitUsage, want, out)
		}
	}
	for _, args := range [][]string{{"why", "1", "--journal", t.TempDir()}, {"why", "1", "--set", "journal.dir="}} {
		if out, code := riposte(t, args...); code != exitUsage {
			t.Errorf("%q: exit %d\n%s", args, code, out)
		}
	}
}
