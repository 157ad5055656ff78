package journal

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"riposte/core"
)

var update = flag.Bool("update", false, "rewrite testdata/records.golden")

func client(s string) core.ClientID {
	c, ok := core.MakeClientID(s)
	if !ok {
		panic("client id too long: " + s)
	}
	return c
}

// samples is one record of each kind, in the order a short run has them.
func samples() []Payload {
	start := &SessionStart{Epoch: 7, Wall: 1_784_000_000_123_456_789, Version: "v0.1.0", Account: "testnet", Prefix: "rp"}
	for i := range start.Config {
		start.Config[i] = byte(i * 7)
	}
	judged := Judged{Top: core.Top{ID: 1, Bid: 2, BidQty: 3, Ask: 4, AskQty: 5}, Position: -6, Buy: 7, Sell: 8, Open: 9, Live: 10, Unknown: 11, Gross: 12, DayPnL: -13, Proof: 14, ClockError: 15}
	return []Payload{
		start,
		&Snapshot{Instrument: 1, LastID: 50093239218, Time: 5, Limit: 1000,
			Bids: []core.Level{{Price: 6183763000000, Qty: 378826000}}, Asks: []core.Level{{Price: 6183764000000, Qty: 154698000}, {Price: 6183985000000, Qty: 1}}},
		&Market{Event: core.Event{Kind: core.DepthDelta, Flags: 1, Line: 2, Instrument: 1, Bids: 1, Asks: 1, DecodeNs: 230, Recv: 99, ID: 50093239224,
			W: [4]int64{50093239219, 0, 1723161254087891268, -1}}, Levels: []core.Level{{Price: 6183763000000}, {Price: 6183764000000, Qty: 92233720368_54775807}}},
		&Intent{Kind: core.Place, Side: core.Sell, Type: core.LimitMaker, TIF: core.GTC, Strategy: 3, Order: 17, Input: 1 << 40, Price: 6183764000000, Qty: 100000,
			Wall: 1_784_000_000_223_456_789, Client: client("r7-11-abcdefghijklmnopqrstuvwxyz0123"), Symbol: "BTCUSDT",
			VenueID: 12, Window: 2e9, Stop: 13, Iceberg: 14, Old: 16, LifeUs: 15, Trail: 200, STP: core.STPExpireBoth, Route: 1, Presigned: true},
		&Sent{Kind: core.Place, Order: 17, Wall: 1_784_000_000_223_460_000, Input: 5, Bytes: 402, Recv: 1, Decoded: 2, Applied: 3, Decided: 4, Approved: 5, Encoded: 6, Written: 7, Routes: [2]uint32{1200, 650},
			Cause: 1, Event: core.Touch, EventID: 50093239224, Venue: 8, Judged: judged},
		&Report{Wall: 8, Report: core.Report{Kind: core.ReportFill, Status: core.PartiallyFilled, Side: core.Sell, Maker: true, Instrument: 1, FeeAsset: core.NoAsset,
			Code: -2010, ID: 17, VenueID: 123456789, TradeID: -1, Price: 6183764000000, Qty: 50000, Cum: 50000, Quote: 3091882000, Fee: -5, VenueTime: 9, Recv: 10, Strategy: 3}},
		&Refusal{Kind: core.Cancel, Side: core.Buy, Reason: 12, Strategy: 3, Order: 18, Input: 5, Price: 1, Qty: 2, Wall: 3, Symbol: "1000SATSUSDT", Count: 900, Text: "position limit",
			Why: Why{Type: core.StopLossLimit, TIF: core.IOC, Stop: 1, Iceberg: 2, Old: 3, Trail: 4, Halt: 5, Book: 1, OfPrice: 6, OfQty: 7, OfCum: 8, OfAmends: 9,
				Last: 10, Average: 11, Held: 12, Unpriced: true, Audited: 13, Rules: 14, Orders: 15, Trades: 16, Judged: judged}},
		&Halt{On: true, Code: 4, Wall: 11, Text: "reports ring full", Who: "gateway"},
		&SessionEnd{Clean: true, Wall: 12, Text: ""},
		&Segment{Number: 3, First: 2, Base: 1, Epoch: 7, Wall: 13},
		&Chain{Number: 2, Bytes: 4096, Cut: 17, Sum: [32]byte{1, 2, 3, 31: 255}},
		&Names{FirstInstrument: 1, FirstAsset: 2, Instruments: []InstrumentName{{"BTCUSDT", 0, 1}, {"ÄÖ", 2, 1}}, Assets: []string{"BTC", "USDT"}},
		&Position{Symbol: "BTCUSDT", Net: -5, Cash: 1 << 40, Mark: -1, BaseFees: 6, QuoteFees: 7},
		&Holding{Kind: HoldingExternal, Asset: "BNB", Owned: 7, Delta: -8, Fees: 9, Wall: 14, Text: "moved while away"},
		&Order{ID: 17, Client: client("rp-t8kq2c1-0000002f"), VenueID: 99, Symbol: "BTCUSDT", Strategy: 3, Side: core.Sell, Type: core.Limit, TIF: core.IOC, Price: 1, Qty: 20,
			Filled: 5, Stamp: 15, Window: 2e9, Alive: true, Doubt: true, End: core.Canceled, Trades: []int64{7, 8}, Cum: 25},
		&Checkpoint{Epoch: 7, Positions: 1, Holdings: 1, Orders: 1, Wall: 16, Runs: []Run{{5, 6}, {7, 0}}, Shares: 1},
		&Audit{Wall: 17, Settled: true, Found: 2, Halting: 1, Text: "foreign order", Marks: []Mark{{1, 50}, {2, -1}}},
		&Limit{Scope: "BTCUSDT", Name: "qty_max", Value: "0.01"},
		&Signal{Number: 3, Input: 1 << 41, Source: "tv", Own: true, Symbol: "BTCUSDT", Told: "BINANCE:BTCUSDT", ID: "a-17", Side: core.Sell, Outcome: 1, Failed: 9,
			Price: 6183764000000, Mid: 6183764500000, Strength: 1e8, Scaled: 5e7, Horizon: 300e9, Issued: 18, Heard: 19, Wall: 20, Why: "none",
			Readings: []Reading{{8, 1, 200_000_000, 5_000_000_000}, {9, 1, -5, 6}}},
		&MarkOut{Number: 3, Source: "tv", Horizon: 1e9, Price: 6183764000000, Edge: -11.25, Wall: 21},
		&Score{Source: "tv", N: 12.5, Hits: 7, Sum: 3.25, Sum2: 1.5, Weight: 0.75, Wall: 22},
		&Strategies{Names: []string{"maker", "taker"}},
		&Share{Strategy: "maker", Symbol: "BTCUSDT", Net: -4, BaseFees: 5},
		&Param{Strategy: "maker", Symbol: "BTCUSDT", Name: "qty", Value: "0.001", Wall: 23, Who: "ops", Why: "wider"},
		&Choice{Order: 17, Input: 5, Symbol: "BTCUSDT", Strategy: 3, Maker: true, MakerBps: 1.5, TakerBps: 10.25, Spread: 0.5, Impact: 0.125, Fill: 0.75, Adverse: 2, Miss: 3,
			Horizon: 2e9, Wall: 24},
		&Rules{Symbol: "BTCUSDT", Wall: 23, Text: `{"ID":0}`},
		&Ahead{Order: 1, End: core.Canceled, Cum: 2, Wall: 3},
	}
}

// sampleFile is the records one after the other and where each ends.
func sampleFile() (file []byte, ends []int) {
	for i, e := range samples() {
		file = e.Append(file, uint64(100+i))
		ends = append(ends, len(file))
	}
	return file, ends
}

// readAll is every record and the error that ended it.
func readAll(r io.Reader) (recs []Record, last int64, err error) {
	in := newReader(r, 1<<14) // thousands of readers: a smaller buffer, for samples of a few hundred bytes
	for {
		rec, err := in.Next()
		if err != nil {
			if _, again := in.Next(); again != err {
				return recs, in.Offset(), errors.New("a second call gives another error")
			}
			return recs, in.Offset(), err
		}
		rec.Payload = bytes.Clone(rec.Payload)
		recs = append(recs, rec)
	}
}

func same(a, b Record) bool {
	return a.Seq == b.Seq && a.Kind == b.Kind && a.Version == b.Version && bytes.Equal(a.Payload, b.Payload)
}

// TestRecordsKeepTheirBytes pins the format: a change of these bytes is a new
// version, never an edit.
func TestRecordsKeepTheirBytes(t *testing.T) {
	var text strings.Builder
	for i, e := range samples() {
		b := e.Append(nil, uint64(100+i))
		text.WriteString(Kind(b[16]).String() + "\n")
		for ; len(b) > 32; b = b[32:] {
			text.WriteString("  " + hex.EncodeToString(b[:32]) + "\n")
		}
		text.WriteString("  " + hex.EncodeToString(b) + "\n")
	}
	const name = "testdata/records.golden"
	if *update {
		if err := os.WriteFile(name, []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if text.String() != string(want) {
		t.Errorf("records differ:\n%s", cmp.Diff(string(want), text.String()))
	}
}

// TestRecordsOfVersion1AreStillRead reads the records that the first version wrote, all
// kinds of them, and finds in them what their layout held.
func TestRecordsOfVersion1AreStillRead(t *testing.T) {
	text, err := os.ReadFile("testdata/records.v1.golden")
	if err != nil {
		t.Fatal(err)
	}
	var file []byte
	for line := range strings.Lines(string(text)) {
		if digits, ok := strings.CutPrefix(line, "  "); ok {
			b, err := hex.DecodeString(strings.TrimSpace(digits))
			if err != nil {
				t.Fatal(err)
			}
			file = append(file, b...)
		}
	}
	recs, _, err := readAll(bytes.NewReader(file))
	if err != io.EOF || len(recs) != 9 {
		t.Fatalf("got %d records and %v, want 9 and the end", len(recs), err)
	}
	for i, want := range samples()[:9] {
		if recs[i].Version != 1 {
			t.Fatalf("record %d is of version %d, want 1", i, recs[i].Version)
		}
		switch w := want.(type) { // what version 1 did not have
		case *SessionStart:
			w.Account, w.Prefix = "", ""
		case *Intent:
			*w = Intent{Kind: w.Kind, Side: w.Side, Type: w.Type, TIF: w.TIF, Strategy: w.Strategy, Order: w.Order, Input: w.Input,
				Price: w.Price, Qty: w.Qty, Wall: w.Wall, Client: w.Client, Symbol: w.Symbol}
		case *Refusal:
			w.Count, w.Text, w.Why = 1, "", Why{}
		case *Sent:
			*w = Sent{Kind: w.Kind, Order: w.Order, Wall: w.Wall}
		case *Report:
			w.Report.Strategy = core.NoStrategy
		case *Halt:
			w.Who = ""
		}
		got := New(recs[i].Kind)
		if err := got.Decode(&recs[i]); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got, cmp.AllowUnexported(core.ClientID{}), cmp.Comparer(func(a, b core.Event) bool { return a == b })); d != "" {
			t.Errorf("%v of version 1 differs:\n%s", recs[i].Kind, d)
		}
	}
}

func TestRecordsComeBack(t *testing.T) {
	file, ends := sampleFile()
	recs, last, err := readAll(iotest.OneByteReader(bytes.NewReader(file)))
	if err != io.EOF || len(recs) != len(ends) || last != int64(len(file)) {
		t.Fatalf("%d records up to %d, then %v, want %d up to %d", len(recs), last, err, len(ends), len(file))
	}
	for i, want := range samples() {
		got := New(recs[i].Kind)
		if err := got.Decode(&recs[i]); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got, cmp.AllowUnexported(core.ClientID{}), cmp.Comparer(func(a, b core.Event) bool { return a == b })); d != "" {
			t.Errorf("%v differs:\n%s", recs[i].Kind, d)
		}
		if recs[i].Seq != uint64(100+i) {
			t.Errorf("sequence %d, want %d", recs[i].Seq, 100+i)
		}
		raw := Append(nil, &recs[i])
		if !bytes.Equal(raw, want.Append(nil, recs[i].Seq)) {
			t.Errorf("%v appended raw differs", recs[i].Kind)
		}
	}
}

// TestNoFlippedByteIsAccepted damages every byte of a journal in turn, in nine
// ways each: what is read is the records before the damage, and it is named.
func TestNoFlippedByteIsAccepted(t *testing.T) {
	file, ends := sampleFile()
	whole, _, _ := readAll(bytes.NewReader(file))
	silent, tried := 0, 0
	for at := range file {
		intact := 0
		for ends[intact] <= at {
			intact++
		}
		start := 0
		if intact > 0 {
			start = ends[intact-1]
		}
		for _, flip := range []byte{1, 2, 4, 8, 16, 32, 64, 128, 255} {
			tried++
			bad := bytes.Clone(file)
			bad[at] ^= flip
			recs, last, err := readAll(bytes.NewReader(bad))
			if len(recs) != intact || !slices.EqualFunc(whole[:intact], recs, same) || last != int64(start) {
				silent++
				t.Errorf("byte %d ^ %#x: %d records up to %d, want %d up to %d", at, flip, len(recs), last, intact, start)
			}
			if intact == len(ends)-1 {
				var torn *TornTail
				if !errors.As(err, &torn) || *torn != (TornTail{int64(start), int64(len(file) - start)}) {
					t.Errorf("byte %d of the last record: %v, want a torn tail from %d", at, err, start)
				}
				continue
			}
			var e *Corrupt
			if !errors.As(err, &e) || e.Offset != int64(start) || e.Next != int64(ends[intact]) || e.Seq != uint64(100+intact+1) {
				t.Errorf("byte %d: %v, want corruption from %d to %d", at, err, start, ends[intact])
			}
		}
	}
	t.Logf("%d flips, %d accepted", tried, silent)
}

func TestEveryCutIsATornTail(t *testing.T) {
	file, ends := sampleFile()
	for n := range len(file) + 1 {
		whole, start := 0, 0
		for whole < len(ends) && ends[whole] <= n {
			start = ends[whole]
			whole++
		}
		recs, last, err := readAll(bytes.NewReader(file[:n]))
		var torn *TornTail
		switch {
		case len(recs) != whole || last != int64(start):
			t.Fatalf("cut at %d: %d records up to %d, want %d up to %d", n, len(recs), last, whole, start)
		case n == start && err != io.EOF:
			t.Fatalf("cut at %d, between records: %v, want the end", n, err)
		case n > start && (!errors.As(err, &torn) || *torn != (TornTail{int64(start), int64(n - start)})):
			t.Fatalf("cut at %d: %v, want a torn tail of %d", n, err, n-start)
		}
	}
}

func TestZerosAtTheEndAreATornTail(t *testing.T) {
	file, _ := sampleFile()
	_, last, err := readAll(bytes.NewReader(append(bytes.Clone(file), make([]byte, 5000)...)))
	var torn *TornTail
	if !errors.As(err, &torn) || torn.Bytes != 5000 || last != int64(len(file)) {
		t.Fatalf("%v at %d, want 5000 bytes torn", err, last)
	}
}

func TestMissingAndRepeatedRecordsAreCorruption(t *testing.T) {
	file, ends := sampleFile()
	for name, bad := range map[string][]byte{
		"missing":  append(bytes.Clone(file[:ends[2]]), file[ends[3]:]...),
		"repeated": append(bytes.Clone(file[:ends[2]]), file[ends[1]:]...),
	} {
		recs, _, err := readAll(bytes.NewReader(bad))
		var e *Corrupt
		if !errors.As(err, &e) || len(recs) != 3 || e.Offset != int64(ends[2]) || e.Want != 103 || e.Seq == 103 {
			t.Errorf("%s: %v after %d records", name, err, len(recs))
		}
		if !strings.Contains(err.Error(), "want 103") {
			t.Errorf("%s: %v does not say what was expected", name, err)
		}
	}
}

func TestReadErrorsAreNotDamage(t *testing.T) {
	file, ends := sampleFile()
	broken := errors.New("disk on fire")
	for _, n := range []int{0, 5, ends[0], ends[0] + 20, ends[3] + 1} {
		r := io.MultiReader(bytes.NewReader(file[:n]), iotest.ErrReader(broken))
		if _, _, err := readAll(r); !errors.Is(err, broken) {
			t.Errorf("source fails at %d: %v, want its error", n, err)
		}
	}
	damaged := bytes.Clone(file)
	damaged[ends[0]+9] ^= 1
	r := io.MultiReader(bytes.NewReader(damaged[:ends[0]+30]), iotest.ErrReader(broken))
	if _, _, err := readAll(r); !errors.Is(err, broken) {
		t.Errorf("source fails behind damage: %v, want its error", err)
	}
}

func TestDecodeRefusesWhatIsNotTheRecord(t *testing.T) {
	for i, e := range samples() {
		recs, _, _ := readAll(bytes.NewReader(e.Append(nil, 1)))
		rec := recs[0]
		try := func(what string, r Record, want string) {
			if err := New(rec.Kind).Decode(&r); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v %s: %v, want %q", rec.Kind, what, err, want)
			}
		}
		other := rec
		other.Kind = 1 + other.Kind%(kinds-1)
		try("as another kind", other, "it is")
		newer := rec
		newer.Version = Newest(rec.Kind) + 1
		try("of a later version", newer, "a newer riposte wrote it")
		longer := rec
		longer.Payload = append(bytes.Clone(rec.Payload), 0)
		try("with a byte more", longer, "1 bytes too many")
		for n := range rec.Payload {
			short := rec
			short.Payload = rec.Payload[:n]
			try("cut", short, "cannot read")
		}
		if New(rec.Kind) == nil {
			t.Errorf("sample %d has no kind", i)
		}
	}
	wild := func(e Payload, at int) {
		b := e.Append(nil, 1)
		rec := Record{Seq: 1, Kind: Kind(b[16]), Version: b[17], Payload: b[headerLen:]}
		rec.Payload[at] = 200
		if err := New(rec.Kind).Decode(&rec); err == nil {
			t.Errorf("%v with 200 at %d was accepted", rec.Kind, at)
		}
	}
	for at := range 4 {
		wild(&Intent{}, at)
		wild(&Report{}, 8+at)
	}
	wild(&Intent{}, 46) // client id of 200 bytes
	wild(&Halt{}, 0)
	wild(&Market{}, 0)
}

func TestPayloadsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		i64 := func(name string) int64 { return rapid.Int64().Draw(t, name) }
		enum := func(last uint8) uint8 { return rapid.Uint8Range(0, last).Draw(t, "enum") }
		symbol := rapid.StringN(0, -1, 255).Draw(t, "symbol")
		lv := func() (out []core.Level) {
			for range rapid.IntRange(0, 30).Draw(t, "levels") {
				out = append(out, core.Level{Price: core.Price(i64("price")), Qty: core.Qty(i64("qty"))})
			}
			return out
		}
		id := client(rapid.StringMatching(`[a-zA-Z0-9_.:/-]{0,36}`).Draw(t, "client"))
		all := []Payload{
			&SessionStart{Epoch: uint64(i64("epoch")), Wall: core.WallNs(i64("wall")), Version: symbol},
			&Intent{Kind: core.IntentKind(enum(2)), Side: core.Side(enum(1)), Type: core.OrderType(enum(6)), TIF: core.TIF(enum(2)), Order: core.OrderID(i64("order")),
				Input: uint64(i64("input")), Price: core.Price(i64("price")), Qty: core.Qty(i64("qty")), Wall: core.WallNs(i64("wall")), Client: id, Symbol: symbol, Window: time.Duration(i64("window")), Stop: core.Price(i64("stop"))},
			&Sent{Kind: core.IntentKind(enum(2)), Order: core.OrderID(i64("order")), Wall: core.WallNs(i64("wall"))},
			&Report{Report: core.Report{Kind: core.ReportKind(enum(5)), Status: core.OrderStatus(enum(8)), Side: core.Side(enum(1)), Maker: rapid.Bool().Draw(t, "maker"),
				Code: rapid.Int32().Draw(t, "code"), TradeID: i64("trade"), Fee: core.Amount(i64("fee")), Cum: core.Qty(i64("cum")), Recv: core.MonoNs(i64("recv"))}},
			&Refusal{Kind: core.IntentKind(enum(2)), Reason: rapid.Uint16().Draw(t, "reason"), Order: core.OrderID(i64("order")), Symbol: symbol, Count: 1},
			&Market{Event: core.Event{Kind: core.EventKind(enum(uint8(core.Overflow))), ID: uint64(i64("id")), W: [4]int64{i64("w"), i64("w"), i64("w"), i64("w")}}, Levels: lv()},
			&Snapshot{LastID: uint64(i64("id")), Limit: rapid.Uint32().Draw(t, "limit"), Bids: lv(), Asks: lv()},
			&Halt{On: rapid.Bool().Draw(t, "on"), Code: rapid.Uint32().Draw(t, "code"), Text: symbol},
			&SessionEnd{Clean: rapid.Bool().Draw(t, "clean"), Text: symbol},
		}
		seq := uint64(i64("seq"))
		var file []byte
		for i, e := range all {
			file = e.Append(file, seq+uint64(i))
		}
		recs, _, err := readAll(bytes.NewReader(file))
		if err != io.EOF || len(recs) != len(all) {
			t.Fatalf("%d of %d records, then %v", len(recs), len(all), err)
		}
		for i, want := range all {
			got := New(recs[i].Kind)
			if err := got.Decode(&recs[i]); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got, cmp.AllowUnexported(core.ClientID{}), cmp.Comparer(func(a, b core.Event) bool { return a == b })); d != "" {
				t.Fatalf("%v differs:\n%s", recs[i].Kind, d)
			}
		}
	})
}

func TestLongTextsAreCutNotRefused(t *testing.T) {
	long := strings.Repeat("x", 300)
	recs, _, _ := readAll(bytes.NewReader((&Halt{Text: long}).Append(nil, 1)))
	var h Halt
	if err := h.Decode(&recs[0]); err != nil || h.Text != long[:255] {
		t.Fatalf("%v, %d bytes of text, want 255", err, len(h.Text))
	}
}

func TestLargestPayloadIsRead(t *testing.T) {
	rec := Record{Seq: 1, Kind: KindSnapshot, Version: 1, Payload: bytes.Repeat([]byte{0xab}, PayloadMax)}
	file := Append(Append(nil, &rec), &Record{Seq: 2, Kind: KindHalt, Version: 1})
	in := NewReader(bytes.NewReader(file))
	if got, err := in.Next(); err != nil || !same(got, rec) {
		t.Fatalf("%d bytes of payload, %v, want %d", len(got.Payload), err, PayloadMax)
	}
	if got, err := in.Next(); err != nil || got.Seq != 2 || in.Offset() != int64(len(file)) {
		t.Fatalf("record after it: %v, %v", got, err)
	}
}

func TestOversizedPayloadPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Fatal("went through, want a panic")
		}
	}()
	Append(nil, &Record{Kind: KindHalt, Version: 1, Payload: make([]byte, PayloadMax+1)})
}

func TestAppendDoesNotAllocate(t *testing.T) {
	buf := make([]byte, 0, 4096)
	in := Intent{Symbol: "BTCUSDT", Client: client("r7-1")}
	m := Market{Levels: make([]core.Level, 20)}
	if got := testing.AllocsPerRun(100, func() {
		b := in.Append(buf, 1)
		b = m.Append(b, 2)
		b = (&Sent{Order: 1}).Append(b, 3)
		b = (&Report{}).Append(b, 4)
		_ = (&Refusal{Symbol: "BTCUSDT"}).Append(b, 5)
	}); got != 0 {
		t.Fatalf("%v allocations per round, want 0", got)
	}
}

// FuzzJournal reads anything. Whatever is accepted must append to the very bytes
// it was read from.
func FuzzJournal(f *testing.F) {
	file, ends := sampleFile()
	f.Add([]byte{})
	f.Add(file)
	f.Add(file[:ends[3]+7])
	damaged := bytes.Clone(file)
	damaged[ends[1]+3] ^= 4
	f.Add(damaged)
	for i, e := range samples() {
		f.Add(e.Append(nil, uint64(i)))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		recs, last, err := readAll(bytes.NewReader(in))
		var out []byte
		for i := range recs {
			out = Append(out, &recs[i])
			if e := New(recs[i].Kind); e != nil && recs[i].Version == Newest(recs[i].Kind) && e.Decode(&recs[i]) == nil {
				if typed := e.Append(nil, recs[i].Seq); !bytes.Equal(typed, Append(nil, &recs[i])) {
					t.Fatalf("%v record decodes to something else", recs[i].Kind)
				}
			}
		}
		if int64(len(out)) != last || !bytes.Equal(out, in[:last]) {
			t.Fatalf("accepted %d bytes, records hold %d others", last, len(out))
		}
		var torn *TornTail
		var corrupt *Corrupt
		switch {
		case err == io.EOF && last == int64(len(in)):
		case errors.As(err, &torn) && torn.Offset == last && torn.Offset+torn.Bytes == int64(len(in)):
		case errors.As(err, &corrupt) && corrupt.Offset == last && corrupt.Next >= last:
		default:
			t.Fatalf("ends with %v at %d of %d", err, last, len(in))
		}
	})
}

func BenchmarkAppendIntent(b *testing.B) {
	buf := make([]byte, 0, 256)
	in := Intent{Symbol: "BTCUSDT", Client: client("r7-11-abcdefghijk")}
	b.ReportAllocs()
	for i := range b.N {
		if got := in.Append(buf, uint64(i)); !valid(got) {
			b.Fatal("not a record")
		}
	}
}
