package sql

import (
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"riposte/core"
	"riposte/core/journal"
	"riposte/core/risk"
	"riposte/tools/store"
)

// story is a short journal with something of everything.
func story(t testing.TB, dir string) *tape {
	b := newTape(t, dir)
	b.begin(7)
	b.note(&journal.Limit{Scope: "BTCUSDT", Name: "qty_max", Value: "0.01"})
	b.note(&journal.Holding{Kind: journal.HoldingOpening, Asset: "USDT", Owned: 1000_00000000, Wall: b.now})
	b.note(&journal.Holding{Kind: journal.HoldingOpening, Asset: "BNB", Owned: 1_00000000, Wall: b.now})
	b.note(&journal.Audit{Wall: b.now, Settled: true, Marks: []journal.Mark{{Instrument: 0, Trade: 40}}})
	b.place(7, 1, "BTCUSDT", core.Buy, 100_00000000, 2_00000000)
	b.tell(core.Report{Kind: core.ReportAck, Status: core.New, ID: 1, VenueID: 501, TradeID: -1, FeeAsset: core.NoAsset})
	b.tell(core.Report{Kind: core.ReportFill, Status: core.PartiallyFilled, ID: 1, VenueID: 501, TradeID: 41, Price: 100_00000000, Qty: 1_00000000,
		Cum: 1_00000000, Quote: 100_00000000, Fee: 100000, FeeAsset: 0, Maker: true, VenueTime: b.now})
	b.tell(core.Report{Kind: core.ReportFill, Status: core.PartiallyFilled, ID: 1, VenueID: 501, TradeID: 41, Price: 100_00000000, Qty: 1_00000000,
		Cum: 1_00000000, Quote: 100_00000000, Fee: 100000, FeeAsset: 0}) // told twice
	b.note(&journal.Intent{Kind: core.Cancel, Order: 1, Wall: b.now, Symbol: "BTCUSDT"})
	b.tell(core.Report{Kind: core.ReportDone, Status: core.Canceled, ID: 1, VenueID: 501, TradeID: -1, Cum: 1_00000000, FeeAsset: core.NoAsset})
	b.tell(core.Report{Kind: core.ReportAck, Status: core.New, ID: 1, VenueID: 501, TradeID: -1, FeeAsset: core.NoAsset}) // late
	b.place(7, 2, "BTCUSDT", core.Sell, 120_00000000, 50000000)
	b.tell(core.Report{Kind: core.ReportDoubt, Status: core.Unknown, ID: 2, TradeID: -1, Side: core.Sell, FeeAsset: core.NoAsset})
	b.tell(core.Report{Kind: core.ReportResolved, Status: core.New, ID: 2, VenueID: 502, TradeID: -1, Side: core.Sell, FeeAsset: core.NoAsset})
	b.tell(core.Report{Kind: core.ReportFill, Status: core.Filled, ID: 2, VenueID: 502, TradeID: 44, Side: core.Sell, Price: 120_00000000, Qty: 50000000,
		Cum: 50000000, Quote: 60_00000000, Fee: 5, FeeAsset: 3})
	b.tell(core.Report{Kind: core.ReportDone, Status: core.Filled, ID: 2, VenueID: 502, TradeID: -1, Side: core.Sell, Cum: 50000000, FeeAsset: core.NoAsset})
	b.place(7, 3, "ETHBTC", core.Buy, 5000000, 1_00000000)
	b.tell(core.Report{Kind: core.ReportDone, Status: core.Rejected, Code: -2010, ID: 3, Instrument: 1, TradeID: -1, FeeAsset: core.NoAsset})
	b.place(7, 4, "ETHBTC", core.Buy, 4000000, 1_00000000)
	b.tell(core.Report{Kind: core.ReportAck, Status: core.New, ID: 4, VenueID: 9, Instrument: 1, TradeID: -1, FeeAsset: core.NoAsset})
	b.note(&journal.Refusal{Kind: core.Place, Reason: 12, Order: 5, Price: 7, Qty: 8, Wall: b.now, Symbol: "BTCUSDT", Count: 1, Text: "position limit"})
	b.note(&journal.Refusal{Kind: core.Place, Reason: 12, Order: 5, Price: 7, Qty: 8, Wall: b.now, Symbol: "BTCUSDT", Count: 499, Text: "position limit"})
	b.tell(core.Report{Kind: core.ReportDone, Status: core.NotSent, ID: 6, TradeID: -1, FeeAsset: core.NoAsset}) // never had a byte
	b.note(&journal.Halt{On: true, Code: 2, Wall: b.now, Text: "lunch", Who: "console"})
	b.note(&journal.Holding{Kind: journal.HoldingExternal, Asset: "USDT", Owned: 970_00000000, Delta: 10_00000000, Wall: b.now, Text: "deposit"})
	b.note(&journal.SessionEnd{Clean: true, Wall: b.now, Text: "bye"})
	b.flush()
	return b
}

func TestTheStoreTellsWhatTheJournalDoes(t *testing.T) {
	dir := t.TempDir()
	b := story(t, dir)
	w := caughtUp(t, dir)
	if w.Seq() != b.seq {
		t.Errorf("the store is at record %d, the journal at %d", w.Seq(), b.seq)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	orders := rows(t, dir, (*Reader).Orders, Query{})
	var got []string
	for _, o := range orders {
		got = append(got, strings.Join([]string{o.Client, o.Symbol, string(o.Side), o.Qty.String(), o.Cum.String(), string(o.Status)}, " "))
		if (o.Acked != 0) != (o.Status != "REJECTED" && o.Client != "rp-0000007-00000002") || (o.Ended != 0) != (o.Status != "NEW") || o.Signed == 0 {
			t.Errorf("times of %+v", o)
		}
	}
	want := "rp-0000007-00000001 BTCUSDT BUY 2 1 CANCELED, rp-0000007-00000002 BTCUSDT SELL 0.5 0.5 FILLED, " +
		"rp-0000007-00000003 ETHBTC BUY 1 0 REJECTED, rp-0000007-00000004 ETHBTC BUY 1 0 NEW"
	if strings.Join(got, ", ") != want {
		t.Errorf("orders are %s, want %s", strings.Join(got, ", "), want)
	}
	if o := orders[0]; o.Venue != 501 || o.Cancel == 0 || orders[1].Doubted == 0 || orders[2].Code != -2010 {
		t.Errorf("details of %+v", orders)
	}
	if open := rows(t, dir, (*Reader).Orders, Query{Open: true}); len(open) != 1 || open[0].Venue != 9 {
		t.Errorf("open orders are %+v, want the one that rests", open)
	}
	if newest := rows(t, dir, (*Reader).Orders, Query{Limit: 2, Symbol: "BTCUSDT"}); len(newest) != 2 || newest[1].Client != orders[1].Client {
		t.Errorf("the newest two are %+v", newest)
	}
	if since := rows(t, dir, (*Reader).Orders, Query{Since: orders[2].Signed}); len(since) != 2 {
		t.Errorf("since the third there are %+v", since)
	}
	fills := rows(t, dir, (*Reader).Fills, Query{})
	if len(fills) != 2 || fills[0].Client != orders[0].Client || !fills[0].Maker || fills[0].FeeAsset != "BTC" || fills[1].FeeAsset != "BNB" || fills[1].Trade != 44 {
		t.Errorf("fills are %+v", fills)
	}
	pos := rows(t, dir, (*Reader).Positions, Query{})
	if len(pos) != 1 || pos[0] != (Position{Symbol: "BTCUSDT", Net: 50000000, Holding: 50000000 - 100000, Cost: 50_00000000, Average: 100_00000000,
		Cash: -40_00000000, Realised: 10_00000000, BaseFees: 100000, BaseWorth: 10000000, Profit: 10_00000000 - 10000000, Quote: "USDT", Fills: 2, Mark: 40}) {
		t.Errorf("positions are %+v", pos)
	}
	if fees := rows(t, dir, (*Reader).Fees, Query{}); len(fees) != 2 || fees[0] != (Fee{"BTCUSDT", "BNB", 5}) || fees[1] != (Fee{"BTCUSDT", "BTC", 100000}) {
		t.Errorf("fees are %+v", fees)
	}
	for _, bal := range rows(t, dir, (*Reader).Balances, Query{}) {
		want := map[string]core.Amount{"BNB": 1_00000000 - 5, "BTC": 50000000 - 100000, "USDT": 970_00000000}[bal.Asset]
		if bal.Owned != want || bal.Difference != 0 {
			t.Errorf("balance is %+v, want %v owned", bal, want)
		}
	}
	refused := rows(t, dir, (*Reader).Refusals, Query{})
	if len(refused) != 2 || refused[0].Count != 500 || refused[0].Text != "position limit" || refused[0].Price != 7 || refused[1].Reason != withheld ||
		!regexp.MustCompile("^r[0-9]+$").MatchString(refused[0].ID) || refused[1].ID != "7:6" {
		t.Errorf("refusals are %+v", refused)
	}
	halts := rows(t, dir, (*Reader).Halts, Query{})
	if len(halts) != 1 || halts[0].Who != "console" || halts[0].Causes != risk.HaltOperator.String() || !halts[0].Raised {
		t.Errorf("halts are %+v", halts)
	}
	if s := rows(t, dir, (*Reader).Sessions, Query{}); len(s) != 1 || !s[0].Clean || s[0].Ended == 0 || s[0].Era != 7 || s[0].Account != "testnet" {
		t.Errorf("sessions are %+v", s)
	}
	if r := rows(t, dir, (*Reader).Reconciliations, Query{}); len(r) != 1 || !r[0].Settled {
		t.Errorf("reconciliations are %+v", r)
	}
	if l := rows(t, dir, (*Reader).Limits, Query{}); len(l) != 1 || l[0].Value != "0.01" {
		t.Errorf("limits are %+v", l)
	}
}

func TestARunThatCarriesNothingOverBeginsAnEra(t *testing.T) {
	dir := t.TempDir()
	b := story(t, dir)
	// The next run goes on: its numbers for old orders are others, its position is ours.
	b.file()
	b.begin(8, &journal.Position{Symbol: "BTCUSDT", Net: 50000000, Cash: -40_00000000, BaseFees: 100000, Mark: 44},
		&journal.Holding{Kind: journal.HoldingCarried, Asset: "USDT", Owned: 970_00000000},
		&journal.Order{ID: 1, Client: clientOf(7, 4), VenueID: 9, Symbol: "ETHBTC", Qty: 1_00000000, Alive: true})
	b.tell(core.Report{Kind: core.ReportFill, Status: core.Filled, ID: 1, VenueID: 9, Instrument: 1, TradeID: 5, Price: 4000000, Qty: 1_00000000, Cum: 1_00000000, Quote: 4000000, FeeAsset: core.NoAsset})
	b.tell(core.Report{Kind: core.ReportDone, Status: core.Filled, ID: 1, VenueID: 9, Instrument: 1, TradeID: -1, Cum: 1_00000000, FeeAsset: core.NoAsset})
	b.flush()
	w := caughtUp(t, dir)
	if pos := rows(t, dir, (*Reader).Positions, Query{Symbol: "BTCUSDT"}); len(pos) != 1 || pos[0].Realised != 10_00000000 || pos[0].Net != 50000000 {
		t.Errorf("after a restart positions are %+v, want those before it", pos)
	}
	if open := rows(t, dir, (*Reader).Orders, Query{Open: true}); len(open) != 0 {
		t.Errorf("open orders are %+v, want none: the last was filled in another run than its own", open)
	}
	// The one after that knows of nothing, and its venue counts its trades from 1 again.
	b.file()
	b.begin(9)
	b.place(9, 1, "BTCUSDT", core.Buy, 5, 6)
	b.tell(core.Report{Kind: core.ReportFill, Status: core.PartiallyFilled, ID: 1, TradeID: 41, Price: 5, Qty: 3, Cum: 3, Quote: 1, FeeAsset: core.NoAsset})
	b.flush()
	if _, err := w.CatchUp(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if pos := rows(t, dir, (*Reader).Positions, Query{}); len(pos) != 1 || pos[0].Net != 3 || pos[0].Fills != 1 {
		t.Errorf("positions of a new era are %+v, want one of one fill", pos)
	}
	if fills := rows(t, dir, (*Reader).Fills, Query{}); len(fills) != 4 {
		t.Errorf("%d fills, want those of both eras", len(fills))
	}
	if open := rows(t, dir, (*Reader).Orders, Query{Open: true}); len(open) != 1 || open[0].Run != 9 {
		t.Errorf("open orders are %+v, want this era's", open)
	}
}

// A store of the first schema knows no names: its rows stay, and tell a strategy's number.
func TestAnOlderStoreIsReadWithoutNames(t *testing.T) {
	dir := t.TempDir()
	b := newTape(t, dir)
	b.begin(7)
	b.note(&journal.Strategies{Names: []string{"maker"}})
	b.place(7, 1, "BTCUSDT", core.Buy, 100_00000000, 2_00000000)
	b.note(&journal.Refusal{Kind: core.Place, Reason: 12, Wall: b.now, Symbol: "BTCUSDT", Count: 1, Text: "position limit"})
	b.flush()
	w := caughtUp(t, dir)
	told := func(name, id string) {
		t.Helper()
		orders, refused := rows(t, dir, (*Reader).Orders, Query{}), rows(t, dir, (*Reader).Refusals, Query{})
		if len(orders) != 1 || orders[0].Strategy != name || len(refused) != 1 || refused[0].Strategy != name || (refused[0].ID == "") != (id == "") {
			t.Errorf("got %+v and %+v, want strategy %q and a refusal's id %q", orders, refused, name, id)
		}
	}
	told("maker", "r")
	for _, text := range []string{"DROP TABLE strategies", "ALTER TABLE refusals DROP COLUMN record", "PRAGMA user_version = 1"} {
		if err := w.exec(text); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if w = caughtUp(t, dir); w.Close() != nil {
		t.Fatal("cannot close")
	}
	told("0", "")
	if _, err := Rebuild(context.Background(), dir); err != nil {
		t.Fatal(err)
	}
	told("maker", "r")
}

func TestWhatCannotBeOpenedIsSaidOnOneLine(t *testing.T) {
	dir := t.TempDir()
	if _, err := OpenReader(dir); !errors.Is(err, ErrNone) {
		t.Errorf("without a store: got %v, want %v", err, ErrNone)
	}
	story(t, dir)
	w := caughtUp(t, dir)
	if _, err := OpenWriter(dir); !errors.Is(err, store.ErrTaken) {
		t.Errorf("a second writer: got %v, want %v", err, store.ErrTaken)
	}
	if _, err := Rebuild(context.Background(), dir); !errors.Is(err, store.ErrTaken) {
		t.Errorf("a rebuild under a writer: got %v, want %v", err, store.ErrTaken)
	}
	if err := w.exec("PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for what, open := range map[string]func() error{
		"reader": func() error { _, err := OpenReader(dir); return err },
		"writer": func() error { _, err := OpenWriter(dir); return err },
	} {
		if err := open(); err == nil || !strings.Contains(err.Error(), "version 99, this riposte knows up to "+strconv.Itoa(len(schema()))) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s of a newer schema: got %v, want one line with both versions", what, err)
		}
	}
	if _, err := Rebuild(context.Background(), t.TempDir()); err == nil || !strings.Contains(err.Error(), "there is no journal in it") {
		t.Errorf("a rebuild of nothing: got %v", err)
	}
}

func TestADamagedStoreIsSaidAndRebuilt(t *testing.T) {
	dir := t.TempDir()
	b := story(t, dir)
	for i := 5; i < 2000; i++ { // enough for a few dozen pages
		b.place(7, i, "ETHBTC", core.Buy, 1, 1)
	}
	b.flush()
	if err := caughtUp(t, dir).Close(); err != nil {
		t.Fatal(err)
	}
	want := dump(t, dir)
	name := filepath.Join(dir, FileName)
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	damage := map[string]func([]byte) []byte{
		"text":         func([]byte) []byte { return []byte(strings.Repeat("this is no database ", 100)) },
		"half":         func(p []byte) []byte { return p[:len(p)/2] },
		"a few bytes":  func(p []byte) []byte { return p[:100] },
		"zeroed pages": func(p []byte) []byte { clear(p[4096:]); return p },
		"noise": func(p []byte) []byte {
			for i := 4096; i < len(p); i += 3 {
				p[i] ^= 0x5a
			}
			return p
		},
	}
	for what, f := range damage {
		if err := os.WriteFile(name, f(append([]byte(nil), whole...)), 0o600); err != nil {
			t.Fatal(err)
		}
		err := func() error {
			r, err := OpenReader(dir)
			if err != nil {
				return err
			}
			defer r.Close()
			n := 0
			return r.Orders(Query{}, func(*Order) error { n++; return nil })
		}()
		if !errors.Is(err, ErrDamaged) || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "store rebuild") {
			t.Errorf("%s: got %v, want one line that says damaged and what helps", what, err)
		}
		if n, err := Rebuild(context.Background(), dir); err != nil || uint64(n) != b.seq {
			t.Fatalf("%s: rebuilt from %d records and %v, want %d", what, n, err, b.seq)
		}
		if got := dump(t, dir); got != want {
			t.Errorf("%s: a rebuilt store differs", what)
		}
	}
}

func TestAFullDiskCostsNothingButTime(t *testing.T) {
	dir := t.TempDir()
	b := story(t, dir)
	for i := 5; i < 3000; i++ {
		b.place(7, i, "ETHBTC", core.Buy, 1, 1)
	}
	b.flush()
	w, err := OpenWriter(dir)
	if err != nil {
		t.Fatal(err)
	}
	// A database that may not grow is to SQLite a disk that is full.
	if err := w.exec("PRAGMA max_page_count = 60"); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := w.CatchUp(context.Background()); err == nil || !strings.Contains(err.Error(), "the disk is full") {
			t.Fatalf("got %v, want that the disk is full", err)
		}
	}
	if w.Seq() >= b.seq {
		t.Errorf("the store is at record %d of %d although nothing fits", w.Seq(), b.seq)
	}
	if err := w.exec("PRAGMA max_page_count = 100000"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.CatchUp(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got := dump(t, dir)
	if _, err := Rebuild(context.Background(), dir); err != nil {
		t.Fatal(err)
	}
	if want := dump(t, dir); got != want {
		t.Error("rows after a full disk differ from those of a rebuild")
	}
}

// TestAStoreAheadOfItsJournalIsSaid loses the end of a journal, as a loss of power can,
// after which a next run has gone on.
func TestAStoreAheadOfItsJournalIsSaid(t *testing.T) {
	dir := t.TempDir()
	b := story(t, dir)
	lost, whole := b.seq, b.now
	for i := 10; i < 20; i++ {
		b.place(7, i, "BTCUSDT", core.Buy, 1, 1)
	}
	before, err := os.ReadFile(b.name())
	if err != nil {
		t.Fatal(err)
	}
	b.flush()
	if err := caughtUp(t, dir).Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(b.name(), before, 0o600); err != nil {
		t.Fatal(err)
	}
	b.seq, b.now = lost, whole
	sum := sha256.Sum256(before)
	b.n++
	b.note(&journal.Segment{Number: b.n, First: b.n})
	b.note(&journal.Chain{Number: b.n - 1, Bytes: int64(len(before)), Sum: sum})
	b.begin(8)
	b.flush()
	w, err := OpenWriter(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.CatchUp(context.Background()); err == nil || !strings.Contains(err.Error(), "it has read up to record "+strconv.FormatUint(lost+10, 10)) || !strings.Contains(err.Error(), "store rebuild") {
		t.Errorf("got %v, want that the store is ahead and what helps", err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := Rebuild(context.Background(), dir); err != nil || uint64(n) != b.seq {
		t.Errorf("rebuilt from %d records and %v, want %d", n, err, b.seq)
	}
}
