package binance

import (
	"encoding/json"
	"math/big"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"riposte/core"
)

// tally is what expected.json holds per symbol and type.
type tally struct {
	Frames       int     `json:"frames"`
	LastU        *uint64 `json:"last_u,omitempty"`
	FirstID      *uint64 `json:"first_id,omitempty"`
	LastID       *uint64 `json:"last_id,omitempty"`
	BuyerIsMaker *int    `json:"buyer_is_maker,omitempty"`
	QtySum       string  `json:"qty_sum,omitempty"`
	NotionalSum  string  `json:"notional_sum,omitempty"`
	Closed       *int    `json:"closed,omitempty"`
	LastClose    string  `json:"last_close,omitempty"`

	qty, notional big.Int
}

type expectation struct {
	Files    []string                     `json:"files"`
	Frames   int                          `json:"ws_frames"`
	Messages map[string]map[string]*tally `json:"messages"`
}

var kindName = map[core.EventKind]string{
	core.DepthDelta: "depthUpdate", core.Touch: "bookTicker", core.Trade: "trade", core.AggTrade: "aggTrade", core.Kline: "kline",
}

// plain prints an integer at 1e-digits without trailing zeros.
func plain(v *big.Int, digits int64) string {
	r := new(big.Rat).SetFrac(v, new(big.Int).Exp(big.NewInt(10), big.NewInt(digits), nil))
	s := r.FloatString(int(digits))
	for s[len(s)-1] == '0' {
		s = s[:len(s)-1]
	}
	if s[len(s)-1] == '.' {
		s = s[:len(s)-1]
	}
	return s
}

func (m *tally) add(ev *core.Event, lv []core.Level) {
	m.Frames++
	id := ev.ID
	switch ev.Kind {
	case core.Touch:
		m.LastU = &id
	case core.Trade, core.AggTrade:
		if m.FirstID == nil {
			m.FirstID, m.BuyerIsMaker = &id, new(int)
		}
		m.LastID = &id
		if ev.Aggressor() == core.Sell {
			*m.BuyerIsMaker++
		}
		p, q := big.NewInt(int64(ev.TradePrice())), big.NewInt(int64(ev.TradeQty()))
		m.qty.Add(&m.qty, q)
		m.notional.Add(&m.notional, p.Mul(p, q))
		m.QtySum, m.NotionalSum = plain(&m.qty, 8), plain(&m.notional, 16)
	case core.Kline:
		if m.Closed == nil {
			m.Closed = new(int)
		}
		if ev.Flags&core.FlagClosed != 0 {
			*m.Closed++
		}
		m.LastClose = core.Price(lv[1].Qty).String()
	}
}

// The messages section of expected.json, computed by an independent program, is
// reproduced exactly by every road.
func TestDecodeReproducesTheRecordings(t *testing.T) {
	dir := dataDir(t)
	if dir == "" {
		t.Skip("the recordings are not here; golden frames and fuzz seeds cover the roads' equality")
	}
	b, err := os.ReadFile(filepath.Join(dir, "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]expectation
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	syms := testSymbols(t)
	cache := map[string][][]byte{}
	for name, exp := range want {
		var fs [][]byte
		for _, f := range exp.Files {
			if cache[f] == nil {
				cache[f] = frames(readRecords(t, filepath.Join(dir, "streams", f)))
			}
			fs = append(fs, cache[f]...)
		}
		if len(fs) != exp.Frames {
			t.Fatalf("%s: got %d frames, want %d", name, len(fs), exp.Frames)
		}
		ignored := 0
		for _, types := range exp.Messages {
			if m := types["markPriceUpdate"]; m != nil {
				ignored += m.Frames
				delete(types, "markPriceUpdate")
			}
		}
		fast := NewDecoder(syms, core.Milliseconds, noRaw)
		general := NewDecoder(syms, core.Milliseconds, noRaw).GeneralOnly()
		slow := &Slow{Symbols: syms, Levels: 5000}
		for _, r := range []road{{"fast", live(fast, 5000)}, {"general", live(general, 5000)}, {"slow", slow.Decode}} {
			if testing.Short() && r.name == "slow" {
				continue
			}
			got := map[string]map[string]*tally{}
			results := map[Result]int{}
			for _, f := range fs {
				events, res, _ := r.decode(f)
				results[res]++
				if res != Decoded {
					continue
				}
				ev, lv := &events[0].Event, events[0].Levels
				sym := syms.Name(ev.Instrument)
				if got[sym] == nil {
					got[sym] = map[string]*tally{}
				}
				m := got[sym][kindName[ev.Kind]]
				if m == nil {
					m = &tally{}
					got[sym][kindName[ev.Kind]] = m
				}
				m.add(ev, lv)
			}
			if d := cmp.Diff(exp.Messages, got, cmp.FilterPath(func(p cmp.Path) bool {
				return p.Last().String() == ".qty" || p.Last().String() == ".notional"
			}, cmp.Ignore()), cmp.AllowUnexported(tally{})); d != "" {
				t.Errorf("%s, %s road: %s", name, r.name, d)
			}
			if results[Decoded] != len(fs)-ignored || results[Ignored] != ignored {
				t.Errorf("%s, %s road: got results %v, want %d decoded and %d ignored", name, r.name, results, len(fs)-ignored, ignored)
			}
		}
		if s := fast.Stats(); s.General > 1 || s.UnknownFields != 0 {
			t.Errorf("%s: %d events took the general road, want at most one futures trade that is not \"MARKET\"; %d unknown fields", name, s.General, s.UnknownFields)
		}
		if s := general.Stats(); s.Fast != 0 || s.UnknownFields != 0 {
			t.Errorf("%s: general road: %+v", name, *s)
		}
	}
}

// Every recorded frame, event by event, by all three roads.
func TestRoadsAgreeOnTheRecordings(t *testing.T) {
	dir := dataDir(t)
	if dir == "" {
		t.Skip("the recordings are not here; TestRoadsAgreeOnGoldenFrames runs on the committed ones")
	}
	files, err := filepath.Glob(filepath.Join(dir, "streams", "*.tsv.gz"))
	if err != nil {
		t.Fatal(err)
	}
	syms := testSymbols(t)
	for _, f := range files {
		step := 1
		if testing.Short() {
			step = 20
		}
		fs := frames(readRecords(t, f))
		for i := 0; i < len(fs); i += step {
			agree(t, syms, core.Milliseconds, noRaw, 5000, fs[i])
		}
	}
}
