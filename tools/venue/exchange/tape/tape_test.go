package tape

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"riposte/tools/venue/exchange"
)

func symbols(t testing.TB, names ...string) []exchange.Symbol {
	t.Helper()
	s, err := exchange.BuiltinSymbols(names...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func written(t testing.TB, o Options) ([]byte, *Expected) {
	t.Helper()
	var b bytes.Buffer
	e, err := Write(&b, o)
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), e
}

// client is the slow reference: it follows the official procedure on the
// recorded events with maps and nothing of the exchange's book.
type client struct {
	book                           [2]map[exchange.Fixed]exchange.Fixed
	waiting                        []exchange.TapeEvent
	live                           bool
	snap, u                        int64
	frames, applied, dropped, gaps int
	first                          [2]int64
	tops                           []exchange.TapeEvent
	match, differ                  int
}

func (c *client) event(e exchange.TapeEvent) {
	switch e.Kind {
	case exchange.TapeTop:
		c.tops = append(c.tops, e)
	case exchange.TapeDiff:
		c.frames++
		if c.live {
			c.apply(e)
		} else {
			c.waiting = append(c.waiting, e)
		}
	case exchange.TapeSnapshot:
		c.live, c.snap, c.u = true, e.Last, e.Last
		c.book = [2]map[exchange.Fixed]exchange.Fixed{{}, {}}
		c.set(0, e.Bids)
		c.set(1, e.Asks)
		for _, w := range c.waiting {
			c.apply(w)
		}
	}
}

func (c *client) set(side int, ls []exchange.Level) {
	for _, l := range ls {
		if l.Qty == 0 {
			delete(c.book[side], l.Price)
		} else {
			c.book[side][l.Price] = l.Qty
		}
	}
}

func (c *client) apply(e exchange.TapeEvent) {
	if e.Last <= c.u && c.applied == 0 {
		c.dropped++
		return
	}
	if c.applied == 0 {
		c.first = [2]int64{e.First, e.Last}
		if e.First > c.u+1 {
			c.gaps++
		}
	} else if e.First != c.u+1 {
		c.gaps++
	}
	c.applied++
	c.u = e.Last
	c.set(0, e.Bids)
	c.set(1, e.Asks)
	bids, asks := c.levels()
	for i := len(c.tops) - 1; i >= 0; i-- {
		if t := c.tops[i]; t.Last <= c.u {
			if len(bids) > 0 && len(asks) > 0 && t.Bids[0] == bids[0] && t.Asks[0] == asks[0] {
				c.match++
			} else {
				c.differ++
			}
			break
		}
	}
}

func (c *client) levels() (bids, asks []exchange.Level) {
	for p, q := range c.book[0] {
		bids = append(bids, exchange.Level{Price: p, Qty: q})
	}
	for p, q := range c.book[1] {
		asks = append(asks, exchange.Level{Price: p, Qty: q})
	}
	slices.SortFunc(bids, func(a, b exchange.Level) int { return int(min(max(b.Price-a.Price, -1), 1)) })
	slices.SortFunc(asks, func(a, b exchange.Level) int { return int(min(max(a.Price-b.Price, -1), 1)) })
	return bids, asks
}

func play(rec *exchange.Recording) map[string]*client {
	out := map[string]*client{}
	for _, s := range rec.Symbols {
		out[s] = &client{}
	}
	for _, e := range rec.Events {
		out[rec.Symbols[e.Symbol]].event(e)
	}
	return out
}

func TestWrittenRecordingLeadsAClientToTheTrueBook(t *testing.T) {
	names := []string{"BTCUSDT", "NKNUSDT", "BNBETH"}
	raw, exp := written(t, Options{Seed: 5, Duration: 20_000_000, Symbols: symbols(t, names...)})
	rec, err := Read(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	clients := play(rec)
	for _, n := range names {
		c, e := clients[n], exp.Books[n]
		bids, asks := c.levels()
		if got := BookHash(bids, asks); got != e.FinalSHA256 {
			t.Errorf("%s: client's book differs from the exchange's at %d: got %d/%d levels, want %d/%d", n, c.u, len(bids), len(asks), e.BidLevels, e.AskLevels)
		}
		got := []int64{int64(c.frames), int64(c.applied), int64(c.dropped), int64(c.gaps), c.snap, c.u, c.first[0], c.first[1], int64(len(bids)), int64(len(asks))}
		want := []int64{int64(e.Frames), int64(e.Applied), int64(e.Dropped), int64(e.Gaps), e.Snapshot, e.LastU, e.FirstUu[0], e.FirstUu[1], int64(e.BidLevels), int64(e.AskLevels)}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: (-want +got)\n%s", n, d)
		}
		if c.differ != 0 || e.Ticker.Differ != 0 {
			t.Errorf("%s: top of the book differs from bookTicker: client %d, exchange %d times", n, c.differ, e.Ticker.Differ)
		}
	}
	if e := exp.Books["BTCUSDT"]; e.Dropped == 0 || e.Applied < 150 {
		t.Errorf("BTCUSDT: got %d dropped and %d applied events, want some dropped and about 195 applied", e.Dropped, e.Applied)
	}
}

func TestWriteIsDeterministic(t *testing.T) {
	o := Options{Seed: 11, Duration: 3_000_000, Symbols: symbols(t, "ETHUSDT", "LRCBTC")}
	a, _ := written(t, o)
	b, _ := written(t, o)
	if !bytes.Equal(a, b) {
		t.Error("two recordings of the same options differ")
	}
	o.Seed++
	if c, _ := written(t, o); bytes.Equal(a, c) {
		t.Error("another seed makes the same recording")
	}
}

func TestWrittenFramesHaveTheShapeOfRecordings(t *testing.T) {
	raw, exp := written(t, Options{Seed: 2, Duration: 5_000_000})
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	sum, frames, last := sha256.New(), 0, ""
	for _, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		f := strings.Split(line, "\t")
		if len(f) != 3 || len(f[0]) != 19 || f[0] <= last {
			t.Fatalf("line %.80q: want a rising receive time of 19 digits, kind and payload", line)
		}
		last = f[0]
		if !json.Valid([]byte(f[2])) {
			t.Fatalf("payload is not JSON: %.80q", f[2])
		}
		if f[1] == "ws" {
			frames++
			sum.Write([]byte(f[2] + "\n"))
			if !strings.HasPrefix(f[2], `{"stream":"btcusdt@`) {
				t.Fatalf("payload is not a combined frame: %.80q", f[2])
			}
		}
	}
	if frames != exp.Frames || hex.EncodeToString(sum.Sum(nil)) != exp.Payloads {
		t.Errorf("got %d frames, want %d and the same sha256", frames, exp.Frames)
	}
	for _, k := range []string{"trade", "aggTrade", "bookTicker", "depthUpdate", "kline"} {
		if exp.Messages["BTCUSDT"][k] == 0 {
			t.Errorf("no %s frame in five seconds of BTCUSDT", k)
		}
	}
}

func recorded(name string) string {
	dir := os.Getenv("RIPOSTE_DATA")
	if dir == "" {
		dir = "../../../../../shared/data"
	}
	return filepath.Join(dir, "streams", name)
}

// TestRecordingsAreReadAsTheReferenceReadThem compares the reader's events with
// what an independent reader found in the recordings.
func TestRecordingsAreReadAsTheReferenceReadThem(t *testing.T) {
	expectedPath := filepath.Join(filepath.Dir(filepath.Dir(recorded("x"))), "expected.json")
	raw, err := os.ReadFile(expectedPath)
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("recordings are not here; TestWrittenRecordingLeadsAClientToTheTrueBook reads written ones")
	}
	if err != nil {
		t.Fatal(err)
	}
	var expected map[string]struct {
		Books map[string]struct {
			Final         string `json:"final_sha256"`
			Applied       int
			Dropped, Gaps int
			LastU         int64 `json:"last_u"`
		}
		Messages map[string]map[string]struct {
			Frames int
			QtySum string `json:"qty_sum"`
		}
	}
	if err := json.Unmarshal(raw, &expected); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"spot_btcusdt_20240808", "spot_multi4_20211012"} {
		rec, err := Load(recorded(name + ".tsv.gz"))
		if err != nil {
			t.Fatal(err)
		}
		for s, c := range play(rec) {
			want, ok := expected[name].Books[s]
			if !ok {
				t.Fatalf("%s: symbol %s is not expected", name, s)
			}
			bids, asks := c.levels()
			if BookHash(bids, asks) != want.Final || c.applied != want.Applied || c.dropped != want.Dropped || c.gaps != want.Gaps || c.u != want.LastU {
				t.Errorf("%s %s: got applied %d dropped %d gaps %d u %d, want %+v", name, s, c.applied, c.dropped, c.gaps, c.u, want)
			}
		}
		var qty exchange.Fixed
		trades := 0
		for _, e := range rec.Events {
			if e.Kind == exchange.TapeTrade && rec.Symbols[e.Symbol] == "BTCUSDT" {
				qty += e.Qty
				trades++
			}
		}
		if want := expected[name].Messages["BTCUSDT"]["trade"]; string(exchange.AppendPlain(nil, qty)) != want.QtySum && trades > 0 || trades != want.Frames {
			t.Errorf("%s: got %d trades of %s, want %d of %s", name, trades, exchange.AppendPlain(nil, qty), want.Frames, want.QtySum)
		}
	}
}

func TestReadRefusesWhatItCannotPlay(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "is empty"},
		{"no tabs", "hello\n", "without a tab"},
		{"one tab", "1\tws\n", "one tab"},
		{"bad time", "x\tws\t{}\n", "receive time"},
		{"bad json", "1\tws\t{\n", "cannot parse payload"},
		{"futures", `1	ws	{"e":"depthUpdate","s":"BTCUSDT","U":1,"u":2,"pu":1,"b":[],"a":[]}` + "\n", "spot only"},
		{"bad level", `1	ws	{"e":"depthUpdate","s":"BTCUSDT","U":1,"u":2,"b":[["1"]],"a":[]}` + "\n", "level of 1 values"},
		{"bad number", `1	ws	{"e":"depthUpdate","s":"BTCUSDT","U":1,"u":2,"b":[["1x","2"]],"a":[]}` + "\n", "1x"},
		{"price zero", `1	ws	{"e":"depthUpdate","s":"BTCUSDT","U":1,"u":2,"b":[["0","2"]],"a":[]}` + "\n", "price 0"},
		{"huge level", `1	ws	{"e":"depthUpdate","s":"BTCUSDT","U":1,"u":2,"b":[["90000000000","90000000000"]],"a":[]}` + "\n", "fits 64 bits"},
		{"empty trade", `1	ws	{"e":"trade","s":"BTCUSDT","t":1,"p":"1","q":"0"}` + "\n", "positive amount"},
		{"no update id", `1	ws	{"e":"depthUpdate","s":"BTCUSDT","b":[],"a":[]}` + "\n", "update id"},
		{"nothing to play", `1	ws	{"e":"kline","s":"BTCUSDT"}` + "\n", "no depth"},
	} {
		if _, err := Read(strings.NewReader(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got error %v, want one with %q", c.name, err, c.want)
		}
	}
}

func FuzzReadNeverPanics(f *testing.F) {
	raw, _ := written(f, Options{Seed: 1, Duration: 1_000_000, Symbols: symbols(f, "NKNUSDT")})
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		f.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text[:min(len(text), 4000)])
	f.Add([]byte("1\tws\t{\"e\":\"trade\",\"s\":\"A\",\"t\":1,\"p\":\"1\",\"q\":\"1\",\"m\":true}\n"))
	f.Add([]byte("1\trest:/api/v3/depth?symbol=A\t{\"lastUpdateId\":1,\"bids\":[[\"1\",\"1\"]],\"asks\":[]}\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		rec, err := Read(bytes.NewReader(b))
		if err != nil {
			return
		}
		for i := range rec.Events {
			if int(rec.Events[i].Symbol) >= len(rec.Symbols) {
				t.Fatalf("event %d names symbol %d of %d", i, rec.Events[i].Symbol, len(rec.Symbols))
			}
		}
	})
}

// TestRecordedTapeIsPlayedToTheReferenceBook plays a real recording as the
// market and asks for the book at its last depth event.
func TestRecordedTapeIsPlayedToTheReferenceBook(t *testing.T) {
	rec, err := Load(recorded("spot_btcusdt_20240808.tsv.gz"))
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("recordings are not here; the exchange's own test plays a written tape")
	}
	if err != nil {
		t.Fatal(err)
	}
	c := &count{}
	x, err := exchange.New(exchange.Config{Start: defaultStart, Symbols: symbols(t, "BTCUSDT"), Market: exchange.Tape(exchange.TapeOptions{Recording: rec})}, c)
	if err != nil {
		t.Fatal(err)
	}
	last, snapshot, trades := 0, false, 0
	for i, e := range rec.Events {
		switch e.Kind {
		case exchange.TapeDiff:
			last = i
		case exchange.TapeSnapshot:
			snapshot = true
		case exchange.TapeTrade:
			if snapshot {
				trades++
			}
		}
	}
	x.Advance(defaultStart + rec.Events[last].Time - rec.Events[0].Time)
	_, bids, asks, _ := x.Depth("BTCUSDT", 0)
	if got, want := BookHash(bids, asks), "7145c0b7167706651f18386a9ae136f6e958ec3556ff3c5896c3539b5b4a30ce"; got != want {
		t.Errorf("book after the last depth event: got %d/%d levels, hash %s, want 1209/2196 and %s", len(bids), len(asks), got, want)
	}
	for {
		next, ok := x.NextEvent()
		if !ok {
			break
		}
		x.Advance(next)
	}
	if c.trades != trades || trades < 9000 {
		t.Errorf("got %d trades, want %d", c.trades, trades)
	}
}

type count struct {
	exchange.Discard
	trades int
}

func (c *count) Trade(*exchange.Trade) { c.trades++ }
