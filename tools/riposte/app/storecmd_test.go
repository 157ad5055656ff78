package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"riposte/core"
	"riposte/core/journal"
	"riposte/exec"
	storesql "riposte/tools/store/sql"
)

// handmade is a journal of two orders, which the commands are tried on.
func handmade(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	const wall = core.WallNs(1_795_000_000_123_456_789)
	client := func(n int) core.ClientID {
		c, _ := core.MakeClientID(fmt.Sprintf("rp-0000007-%08d", n))
		return c
	}
	var text []byte
	for i, p := range []journal.Payload{
		&journal.Segment{Number: 1, First: 1},
		&journal.SessionStart{Epoch: 7, Wall: wall, Version: "v1", Account: "testnet", Prefix: "rp"},
		&journal.Names{Instruments: []journal.InstrumentName{{Symbol: "BTCUSDT", Base: 0, Quote: 1}}, Assets: []string{"BTC", "USDT", "BNB"}},
		&journal.Strategies{Names: []string{"maker"}},
		&journal.Checkpoint{Epoch: 7},
		&journal.Intent{Kind: core.Place, Type: core.LimitMaker, Order: 1, Price: 50000_00000000, Qty: 200000, Wall: wall, Client: client(1), Symbol: "BTCUSDT"},
		&journal.Report{Wall: wall + 1000, Report: core.Report{Kind: core.ReportAck, Status: core.New, ID: 1, VenueID: 11, TradeID: -1, FeeAsset: core.NoAsset}},
		&journal.Report{Wall: wall + 2000, Report: core.Report{Kind: core.ReportFill, Status: core.PartiallyFilled, Maker: true, ID: 1, VenueID: 11, TradeID: 3, Price: 50000_00000000,
			Qty: 100000, Cum: 100000, Quote: 50_00000000, Fee: 100, FeeAsset: 0, VenueTime: wall + 1500}},
		&journal.Intent{Kind: core.Place, Side: core.Sell, TIF: core.IOC, Strategy: 1, Order: 2, Price: 51000_50000000, Qty: 50000, Wall: wall + 3000, Client: client(2), Symbol: "BTCUSDT", Stop: 1},
		&journal.Report{Wall: wall + 4000, Report: core.Report{Kind: core.ReportFill, Status: core.Filled, Side: core.Sell, ID: 2, VenueID: 12, TradeID: 4, Price: 51000_50000000,
			Qty: 50000, Cum: 50000, Quote: 25_50025000, Fee: 1234, FeeAsset: 2, VenueTime: wall + 3500}},
		&journal.Report{Wall: wall + 4000, Report: core.Report{Kind: core.ReportDone, Status: core.Filled, Side: core.Sell, ID: 2, VenueID: 12, TradeID: -1, Cum: 50000, FeeAsset: core.NoAsset}},
		&journal.Refusal{Kind: core.Place, Reason: 3, Wall: wall, Symbol: "BTCUSDT", Count: 17, Text: "position, \"limit\""},
	} {
		text = p.Append(text, uint64(i+1))
	}
	if err := os.WriteFile(filepath.Join(dir, "00000001.journal"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// command runs the command line and returns what it wrote.
func command(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = run(args, &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

func mustRun(t *testing.T, args ...string) string {
	t.Helper()
	code, out, errs := command(t, args...)
	if code != exitOK || errs != "" {
		t.Fatalf("%v: exit %d, %s", args, code, errs)
	}
	return out
}

func TestCommandsShowTheStore(t *testing.T) {
	dir := "journal.dir=" + handmade(t)
	cases := []struct{ args, want string }{
		{"orders --format csv", `run,client,venue_id,symbol,strategy,side,type,tif,price,qty,filled,status,code,stop,iceberg,trail,stp,route,input,signed,sent,acked,cancel_asked,doubted,ended
7,rp-0000007-00000001,11,BTCUSDT,maker,BUY,LIMIT_MAKER,GTC,50000,0.002,0.001,PARTIALLY_FILLED,0,0,0,0,,0,0,2026-11-18T11:06:40.123456789Z,,2026-11-18T11:06:40.123457789Z,,,
7,rp-0000007-00000002,12,BTCUSDT,1,SELL,LIMIT,IOC,51000.5,0.0005,0.0005,FILLED,0,0.00000001,0,0,,0,0,2026-11-18T11:06:40.123459789Z,,,,,2026-11-18T11:06:40.123460789Z
`},
		{"orders --open --format json", `{"run":7,"client":"rp-0000007-00000001","venue_id":11,"symbol":"BTCUSDT","strategy":"maker","side":"BUY","type":"LIMIT_MAKER","tif":"GTC","price":"50000","qty":"0.002",` +
			`"filled":"0.001","status":"PARTIALLY_FILLED","code":0,"stop":"0","iceberg":"0","trail":0,"stp":"","route":0,"input":0,"signed":"2026-11-18T11:06:40.123456789Z","sent":"",` +
			`"acked":"2026-11-18T11:06:40.123457789Z","cancel_asked":"","doubted":"","ended":""}
`},
		{"fills --format csv", `time,symbol,trade_id,client,venue_id,strategy,side,price,qty,quote,fee,fee_asset,maker,heard
2026-11-18T11:06:40.123458289Z,BTCUSDT,3,rp-0000007-00000001,11,maker,BUY,50000,0.001,50,0.000001,BTC,true,2026-11-18T11:06:40.123458789Z
2026-11-18T11:06:40.123460289Z,BTCUSDT,4,rp-0000007-00000002,12,1,SELL,51000.5,0.0005,25.50025,0.00001234,BNB,false,2026-11-18T11:06:40.123460789Z
`},
		{"fills --symbol ETHUSDT --format csv", "time,symbol,trade_id,client,venue_id,strategy,side,price,qty,quote,fee,fee_asset,maker,heard\n"},
		// 0.0005 bought at 50000 went at 51000.5, less 0.000001 BTC at 50000; BNB is apart.
		{"positions", `symbol   net     holding   cost  average  cash       realised  quote_fees  base_fees  base_fees_worth  profit   quote  fills  read_up_to_trade
BTCUSDT  0.0005  0.000499  25    50000    -24.49975  0.50025   0           0.000001   0.05             0.45025  USDT   2      -1

symbol   asset  paid
BTCUSDT  BNB    0.00001234
BTCUSDT  BTC    0.000001
`},
		{"positions --fees --format csv", "symbol,asset,paid\nBTCUSDT,BNB,0.00001234\nBTCUSDT,BTC,0.000001\n"},
		{"store show refusals --format csv", `id,run,reason,text,symbol,strategy,side,count,first,last,price,qty
r12,7,3,"position, ""limit""",BTCUSDT,maker,BUY,17,2026-11-18T11:06:40.123456789Z,2026-11-18T11:06:40.123456789Z,0,0
`},
		{"store show sessions --limit 1", `run  era  started                         ended  clean  version  config                                                            account  prefix  text
7    7    2026-11-18T11:06:40.123456789Z  -      false  v1       0000000000000000000000000000000000000000000000000000000000000000  testnet  rp      -
`},
		{"store show halts --format csv", "time,run,raised,causes,who,text\n"},
		{"store show balances --format json --out " + filepath.Join(t.TempDir(), "x"), ""},
	}
	for _, c := range cases {
		if got := mustRun(t, append(strings.Fields(c.args), "--set", dir)...); got != c.want {
			t.Errorf("riposte %s:\n%s\nwant\n%s", c.args, got, c.want)
		}
	}
}

// The id that is shown of a refusal is the one that why takes.
func TestARefusalShownIsOneThatWhyTells(t *testing.T) {
	dir := handmade(t)
	id, _, _ := strings.Cut(strings.Split(mustRun(t, "store", "show", "refusals", "--format", "csv", "--set", "journal.dir="+dir), "\n")[1], ",")
	if out := mustRun(t, "why", id, "--journal", dir); !strings.Contains(out, `position, "limit"`) {
		t.Errorf("why %s:\n%s", id, out)
	}
}

func TestAParquetFileHoldsTheRows(t *testing.T) {
	dir := handmade(t)
	set := []string{"--set", "journal.dir=" + dir, "--format", "parquet", "--out"}
	parquetEquals(t, dir, set, "orders", (*storesql.Reader).Orders)
	parquetEquals(t, dir, set, "fills", (*storesql.Reader).Fills)
	parquetEquals(t, dir, set, "positions", (*storesql.Reader).Positions)
	parquetEquals(t, dir, set, "store show refusals", (*storesql.Reader).Refusals)
	parquetEquals(t, dir, set, "store show sessions", (*storesql.Reader).Sessions)
}

func parquetEquals[T any](t *testing.T, dir string, set []string, what string, ask func(*storesql.Reader, storesql.Query, func(*T) error) error) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "rows.parquet")
	mustRun(t, append(append(strings.Fields(what), set...), name)...)
	got, err := parquet.ReadFile[T](name)
	if err != nil {
		t.Fatal(err)
	}
	r, err := storesql.OpenReader(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var want []T
	if err := ask(r, storesql.Query{}, func(row *T) error { want = append(want, *row); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(want) == 0 || !reflect.DeepEqual(got, want) {
		t.Errorf("%s: the file holds %+v, the store %+v", what, got, want)
	}
}

func TestCommandsSayWhatIsMissing(t *testing.T) {
	dir, empty := handmade(t), t.TempDir()
	for args, want := range map[string]string{
		"orders --set journal.dir=" + empty:                            "there is no store yet: " + empty + " holds no journal",
		"orders --set journal.dir=":                                    "journal.dir is",
		"orders --format parquet":                                      "--out is missing",
		"orders --format xml":                                          "must be one of",
		"orders --since yesterday --set journal.dir=" + dir:            `--since is "yesterday"`,
		"fills --limit=-1 --set journal.dir=" + dir:                    "--limit is -1",
		"fills --out " + empty + "/no/x --set journal.dir=" + dir:      "cannot write " + empty + "/no/x",
		"store rebuild --set journal.dir=" + empty:                     "there is no journal in it",
		"reconcile --set journal.dir=" + dir:                           "the embedded venue lives inside",
		"reconcile --set journal.dir=" + empty:                         "there is no store yet",
		"store show nothing --set journal.dir=" + dir:                  "must be one of",
		"positions --set store.enabled=maybe --set journal.dir=" + dir: "store.enabled",
	} {
		code, out, errs := command(t, strings.Fields(args)...)
		if code == exitOK || out != "" || !strings.Contains(errs, want) {
			t.Errorf("%s: exit %d, %q on stdout, %q; want a message with %q", args, code, out, errs, want)
		}
	}
}

func TestALockedOrDamagedStoreIsSaid(t *testing.T) {
	dir := handmade(t)
	set := "journal.dir=" + dir
	before := mustRun(t, "orders", "--format", "csv", "--set", set)
	w, err := storesql.OpenWriter(dir)
	if err != nil {
		t.Fatal(err)
	}
	// Under a writer the rows are read all the same, and only making anew is refused.
	if got := mustRun(t, "orders", "--format", "csv", "--set", set); got != before {
		t.Errorf("under a writer there is %s, want %s", got, before)
	}
	if code, _, errs := command(t, "store", "rebuild", "--set", set); code != exitFailure || !strings.Contains(errs, "another riposte has it") {
		t.Errorf("a rebuild under a writer: exit %d, %q", code, errs)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, storesql.FileName), bytes.Repeat([]byte("noise"), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, errs := command(t, "orders", "--set", set)
	if code != exitFailure || !strings.Contains(errs, "damaged") || strings.Count(errs, "\n") != 1 {
		t.Errorf("a damaged store: exit %d, %q; want one line", code, errs)
	}
	if out := mustRun(t, "store", "rebuild", "--set", set); !strings.Contains(out, "made anew from 12 records") {
		t.Errorf("the rebuild says %q", out)
	}
	if got := mustRun(t, "orders", "--format", "csv", "--set", set); got != before {
		t.Errorf("after a rebuild there is %s, want %s", got, before)
	}
}

// TestTheStoreEqualsTheEnginesOwnBooks trades on the embedded venue and holds the rows
// against the engine's ledger and the venue's own lists, to the last unit.
func TestTheStoreEqualsTheEnginesOwnBooks(t *testing.T) {
	d := started(t, simConfig(t))
	wait(t, "trading", d, func(r *report) bool { return r.Fills >= 10 && r.Orders >= 20 && settled(r) })
	fault(t, d, "lose orders taken reset 1")
	wait(t, "an order whose answer was lost", d, func(r *report) bool { return d.sim.Faults().Counts()["lose"] > 0 && settled(r) })
	finish(t, d)
	wait(t, "the store has all of the journal", d, func(*report) bool { return d.store.Status().Seq >= d.journal.Seq() })
	if r := d.report(); r.Store == nil || r.Store.Error != "" || r.Store.Rows == 0 {
		t.Errorf("the report says of the store: %+v", r.Store)
	}
	r, err := storesql.OpenReader(d.cfg.Journal.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	positions := map[string]storesql.Position{}
	if err := r.Positions(storesql.Query{}, func(p *storesql.Position) error { positions[p.Symbol] = *p; return nil }); err != nil {
		t.Fatal(err)
	}
	fees := map[string]core.Amount{}
	if err := r.Fees(storesql.Query{}, func(f *storesql.Fee) error { fees[f.Asset] += f.Paid; return nil }); err != nil {
		t.Fatal(err)
	}
	for a, name := range d.table.Assets {
		if want := d.gateway.Ledger().Fees(core.AssetID(a)); fees[name] != want {
			t.Errorf("fees in %s are %v, the ledger says %v", name, fees[name], want)
		}
	}
	if err := r.Balances(storesql.Query{}, func(b *storesql.Balance) error {
		if a, ok := d.table.AssetID(b.Asset); !ok || b.Owned != d.gateway.Ledger().Owned(a) || b.Difference != 0 || b.Told == 0 != (b.Owned == 0) {
			t.Errorf("the store has %+v, the ledger %v", b, d.gateway.Ledger().Owned(a))
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	var orders, fills int
	for i := range d.table.List {
		in := &d.table.List[i]
		p := positions[in.Symbol]
		if l := d.gateway.Ledger(); p.Net != l.Position(in.ID) || p.Cash != l.Cash(in.ID) || p.Holding != l.Holding(in.ID) {
			t.Errorf("%s: the store has %+v, the ledger %v, %v, %v", in.Symbol, p, l.Position(in.ID), l.Cash(in.ID), l.Holding(in.ID))
		}
		orders += sameOrders(t, d, r, in)
		fills += sameFills(t, d, r, in)
	}
	if orders < 20 || fills < 10 {
		t.Errorf("%d orders and %d fills were compared, want more", orders, fills)
	}
	t.Logf("%d orders and %d fills equal to the venue's", orders, fills)
}

func sameOrders(t *testing.T, d *desk, r *storesql.Reader, in *core.Instrument) (n int) {
	t.Helper()
	history, err := d.rest.HistoryFrom(context.Background(), in.ID, 0)
	if err != nil {
		t.Fatal(err)
	}
	venue := map[string]core.Execution{}
	for i := range history {
		if _, _, owner := d.ids.Parse(history[i].Client.Bytes()); owner == exec.Ours {
			venue[history[i].Client.String()] = history[i]
		}
	}
	err = r.Orders(storesql.Query{Symbol: in.Symbol}, func(o *storesql.Order) error {
		e, there := venue[o.Client]
		delete(venue, o.Client)
		switch {
		case !there && (o.Status == "NOT_SENT" || o.Status == "REJECTED"):
		case !there:
			t.Errorf("the venue has no order %+v", o)
		case string(o.Status) != e.Status.String() || o.Cum != e.Cum || o.Qty != e.Qty || o.Price != e.Price || o.Venue != e.VenueID || string(o.Side) != e.Side.String():
			t.Errorf("the store has %+v, the venue %+v", o, e)
		case o.Acked == 0 || o.Ended == 0 || o.Signed == 0:
			t.Errorf("times are missing in %+v", o)
		}
		n++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range venue {
		t.Errorf("the store does not have the venue's %s", name)
	}
	return n
}

func sameFills(t *testing.T, d *desk, r *storesql.Reader, in *core.Instrument) int {
	t.Helper()
	trades, err := d.rest.TradesFrom(context.Background(), in.ID, 0)
	if err != nil {
		t.Fatal(err)
	}
	var stored []storesql.Fill
	if err := r.Fills(storesql.Query{Symbol: in.Symbol}, func(f *storesql.Fill) error { stored = append(stored, *f); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(stored) != len(trades) {
		t.Errorf("%s: %d fills in the store, %d at the venue", in.Symbol, len(stored), len(trades))
	}
	known := map[int64]storesql.Fill{}
	for _, f := range stored {
		known[f.Trade] = f
	}
	for i := range trades {
		e := &trades[i]
		f := known[e.TradeID]
		if f.Price != e.LastPrice || f.Qty != e.LastQty || f.Quote != e.LastQuote || f.Fee != e.Fee || f.FeeAsset != d.table.AssetName(e.FeeAsset) ||
			f.Maker != e.Maker || f.Venue != e.VenueID || string(f.Side) != e.Side.String() || f.Client == "" {
			t.Errorf("the store has %+v, the venue %+v", f, e)
		}
	}
	return len(trades)
}

func TestReportTellsOfTheStoreAndTroubleWithIt(t *testing.T) {
	cfg := simConfig(t)
	if err := os.WriteFile(filepath.Join(cfg.Journal.Dir, storesql.FileName), bytes.Repeat([]byte("noise"), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	d := started(t, cfg)
	wait(t, "orders although the store is damaged", d, func(r *report) bool {
		return r.Acks >= 2 && r.Store != nil && strings.Contains(r.Store.Error, "damaged") && strings.Contains(strings.Join(r.Problems, "\n"), "orders go on, the store does not")
	})
	if r := finish(t, d); r.Store.Rows != 0 || r.Store.Lag == 0 {
		t.Errorf("the report says of the store: %+v", r.Store)
	}
	text, err := json.Marshal(d.report())
	if err != nil || !bytes.Contains(text, []byte(`"store":{"rows":0,"lag_records":`)) {
		t.Errorf("the report is %s (%v)", text, err)
	}
}
