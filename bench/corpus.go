package bench

import (
	"bytes"
	_ "embed" // for the kept recording
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/valyala/fastjson"

	"riposte/core"
	"riposte/core/book"
	"riposte/tools/tape"
	"riposte/tools/venue/exchange"
	written "riposte/tools/venue/exchange/tape"
)

// The corpora. Spot is one symbol with bookTicker, trade and depth at 100 ms;
// Linear is USD-M futures with depth at every change and many far levels; Multi is
// four small spot symbols on one connection.
const (
	Spot   = "spot"
	Linear = "usdm"
	Multi  = "multi"
	// Fixed is Spot's shape in small, kept beside this file: for figures that must
	// mean the same everywhere and for ever.
	Fixed = "fixed"
)

var recordings = map[string]struct {
	market core.Market
	key    string // in expected.json
	files  []string
}{
	Spot:   {core.Spot, "spot_btcusdt_20240808", []string{"spot_btcusdt_20240808.tsv.gz"}},
	Linear: {core.LinearFutures, "usdm_btcusdt_20230404+05", []string{"usdm_btcusdt_20230404.tsv.gz", "usdm_btcusdt_20230405.tsv.gz"}},
	Multi:  {core.Spot, "spot_multi4_20211012", []string{"spot_multi4_20211012.tsv.gz"}},
}

// Line is one thing that was received: a frame, or where Image is set a depth
// snapshot at the place where it arrived.
type Line struct {
	RecvNs int64
	Frame  []byte
	Image  *book.Image
}

// Corpus is one recording in memory. It is shared and only read; frames lie one
// behind the other in receive order, as they would in a socket's buffer.
type Corpus struct {
	Name     string
	Recorded bool // received from the venue; else written from a seed
	Market   core.Market
	Table    *core.Instruments
	Lines    []Line
	Frames   int
	Bytes    int // of frames
	Foreign  int // frames of streams that riposte does not follow
	Want     map[string]Want
}

// Want is what a book must be after the whole corpus, from an independent source:
// the reference results of the recordings, or the embedded venue's own book.
type Want struct {
	Applied int    `json:"applied"`
	Dropped int    `json:"dropped"`
	LastU   uint64 `json:"last_u"`
	Final   string `json:"final_sha256"`
	Tops    string `json:"bbo_sha256"`
}

// String names the corpus for an output's header.
func (c *Corpus) String() string {
	kind := "recorded"
	if !c.Recorded {
		kind = "written by the embedded venue from a seed"
	}
	return fmt.Sprintf("%s (%d frames, %d bytes, %s)", c.Name, c.Frames, c.Bytes, kind)
}

var loaded struct {
	sync.Mutex
	by map[string]*Corpus
}

// ErrNoCorpus is the answer to a corpus that exists only as a recording, where
// there are no recordings.
var ErrNoCorpus = errors.New("needs the recordings")

// Load returns a corpus, reading it on first use. Without the recordings Spot and
// Multi are written from a seed, and Linear is ErrNoCorpus: the embedded venue is
// a spot venue.
func Load(name string) (*Corpus, error) {
	loaded.Lock()
	defer loaded.Unlock()
	if c := loaded.by[name]; c != nil {
		return c, nil
	}
	r, ok := recordings[name]
	if !ok && name != Fixed {
		return nil, fmt.Errorf("cannot load corpus: got %q, want %s, %s, %s or %s", name, Spot, Linear, Multi, Fixed)
	}
	var c *Corpus
	dir, err := DataDir()
	switch {
	case name == Fixed:
		c, err = readKept()
	case err == nil:
		c, err = record(dir, r.market, r.key, r.files)
	case r.market != core.Spot:
		return nil, fmt.Errorf("cannot load corpus %s: %w: %w", name, ErrNoCorpus, err)
	default:
		c, err = write(name)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot load corpus %s: %w", name, err)
	}
	if loaded.by == nil {
		loaded.by = map[string]*Corpus{}
	}
	loaded.by[name] = c
	return c, nil
}

// Root is the top folder of the repository, found from the working directory up.
func Root() (string, error) {
	at, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("cannot find the repository: %w", err)
	}
	for dir := at; ; dir = filepath.Dir(dir) {
		if text, err := os.ReadFile(filepath.Join(dir, "go.mod")); err == nil && bytes.HasPrefix(text, []byte("module riposte\n")) {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("cannot find the repository: no go.mod of module riposte in %s or above", at)
		}
	}
}

// DataDir is the folder of the recordings: RIPOSTE_DATA, or ../shared/data beside
// the repository. It is an error if there are none.
func DataDir() (string, error) {
	dir := os.Getenv("RIPOSTE_DATA")
	if dir == "" {
		root, err := Root()
		if err != nil {
			return "", err
		}
		dir = filepath.Join(root, "..", "shared", "data")
	}
	if _, err := os.Stat(filepath.Join(dir, "expected.json")); err != nil {
		return "", fmt.Errorf("no recordings: %w", err)
	}
	return dir, nil
}

func record(dir string, market core.Market, key string, files []string) (*Corpus, error) {
	text, err := os.ReadFile(filepath.Join(dir, "expected.json"))
	if err != nil {
		return nil, err
	}
	var want map[string]struct{ Books map[string]Want }
	if err := json.Unmarshal(text, &want); err != nil {
		return nil, fmt.Errorf("cannot read expected.json: %w", err)
	}
	c := &Corpus{Name: key, Recorded: true, Market: market, Want: want[key].Books}
	b := newBuilder(c)
	var paths []string
	for _, f := range files {
		paths = append(paths, filepath.Join(dir, "streams", f))
	}
	if err := tape.Each(b.line, paths...); err != nil {
		return nil, err
	}
	return c, b.done()
}

//go:embed testdata/seed1.tsv.gz
var seed1 []byte

//go:embed testdata/seed1.json
var seed1Want []byte

// readKept reads Fixed.
func readKept() (*Corpus, error) {
	c := &Corpus{Name: "kept_seed1", Market: core.Spot}
	if err := json.Unmarshal(seed1Want, &c.Want); err != nil {
		return nil, fmt.Errorf("cannot read seed1.json: %w", err)
	}
	return c.read(bytes.NewReader(seed1))
}

// read takes a recording that the embedded venue wrote.
func (c *Corpus) read(r io.Reader) (*Corpus, error) {
	b := newBuilder(c)
	t, err := tape.NewReader(c.Name, r)
	if err != nil {
		return nil, err
	}
	var l tape.Line
	for err = t.Next(&l); err == nil; err = t.Next(&l) {
		if err := b.line(&l); err != nil {
			return nil, err
		}
	}
	if !errors.Is(err, io.EOF) {
		return nil, err
	}
	return c, b.done()
}

// write makes a recording of a minute from a seed, always the same.
func write(name string) (*Corpus, error) {
	o := written.Options{Seed: 1, Duration: 60_000_000}
	if name == Multi {
		var err error
		if o.Symbols, err = exchange.BuiltinSymbols("BTCUSDT", "ETHUSDT", "BNBBTC", "LTCBTC"); err != nil {
			return nil, err
		}
	}
	var out bytes.Buffer
	exp, err := written.Write(&out, o)
	if err != nil {
		return nil, err
	}
	c := &Corpus{Name: "seed1_" + name, Market: core.Spot, Want: map[string]Want{}}
	for sym, e := range exp.Books {
		c.Want[sym] = Want{Applied: e.Applied, Dropped: e.Dropped, LastU: uint64(e.LastU), Final: e.FinalSHA256, Tops: e.BBOSHA256}
	}
	return c.read(&out)
}

// builder collects lines; payloads go into one arena, cut up at the end because it
// moves while it grows.
type builder struct {
	c      *Corpus
	arena  []byte
	ends   []int
	parser fastjson.Parser
}

func newBuilder(c *Corpus) *builder {
	c.Table = core.NewInstruments()
	return &builder{c: c}
}

func (b *builder) line(l *tape.Line) error {
	if l.Frame() {
		b.arena = append(b.arena, l.Payload...)
		b.ends = append(b.ends, len(b.arena))
		b.c.Lines = append(b.c.Lines, Line{RecvNs: l.RecvNs})
		b.c.Frames++
		b.c.Bytes += len(l.Payload)
		return b.symbolOf(l.Payload)
	}
	if !strings.Contains(l.Rest, "/depth?") {
		return nil
	}
	id, err := b.symbol(l.Symbol())
	if err != nil {
		return err
	}
	im, err := b.image(l.Payload, id)
	if err != nil {
		return fmt.Errorf("cannot read the answer of %s: %w", l.Rest, err)
	}
	b.c.Lines = append(b.c.Lines, Line{RecvNs: l.RecvNs, Image: im})
	return nil
}

func (b *builder) done() error {
	from, n := 0, 0
	for i := range b.c.Lines {
		if b.c.Lines[i].Image == nil {
			b.c.Lines[i].Frame = b.arena[from:b.ends[n]:b.ends[n]]
			from = b.ends[n]
			n++
		}
	}
	if n == 0 || len(b.c.Want) == 0 {
		return fmt.Errorf("found %d frames and %d reference books, want some of both", n, len(b.c.Want))
	}
	return nil
}

// symbolOf puts the symbol of a frame into the table: the text before the @ of its
// stream name.
func (b *builder) symbolOf(frame []byte) error {
	const head = `{"stream":"`
	name, _, ok := bytes.Cut(frame[min(len(head), len(frame)):], []byte{'@'})
	if !ok || !bytes.HasPrefix(frame, []byte(head)) {
		return fmt.Errorf("frame %.40q does not begin with a stream name", frame)
	}
	if bytes.HasPrefix(frame[len(head)+len(name):], []byte("@markPrice")) {
		b.c.Foreign++
	}
	_, err := b.symbol(strings.ToUpper(string(name)))
	return err
}

// symbol finds or adds an instrument with rules wide enough for any benchmark
// order. Its tick is set by its snapshot.
func (b *builder) symbol(name string) (core.InstrumentID, error) {
	if in, ok := b.c.Table.Lookup(name); ok {
		return in.ID, nil
	}
	return b.c.Table.Add(core.Instrument{
		Symbol: name, Base: b.c.Table.Asset(name + " base"), Quote: b.c.Table.Asset(name + " quote"),
		Market: b.c.Market, Status: core.StatusTrading,
		OrderTypes: core.OrderTypeSet(0).With(core.Limit).With(core.LimitMaker).With(core.MarketOrder),
		Filters:    core.Filters{Lot: 1000, QtyMin: 1000, QtyMax: 9000 * core.Scale},
	})
}

// tick is the greatest price that divides all prices of a snapshot.
func tick(im *book.Image) core.Price {
	var g core.Price
	for _, side := range [2][]core.Level{im.Bids, im.Asks} {
		for _, l := range side {
			for a := l.Price; a != 0; {
				g, a = a, g%a
			}
		}
	}
	return g
}

// image reads a depth snapshot. The engine's own reader is not used here: what it
// is measured on must not depend on it.
func (b *builder) image(body []byte, id core.InstrumentID) (*book.Image, error) {
	v, err := b.parser.ParseBytes(body)
	if err != nil {
		return nil, err
	}
	im := &book.Image{Instrument: id, LastID: v.GetUint64("lastUpdateId")}
	for _, side := range []struct {
		name string
		to   *[]core.Level
	}{{"bids", &im.Bids}, {"asks", &im.Asks}} {
		for _, l := range v.GetArray(side.name) {
			p, perr := core.ParsePrice(l.GetStringBytes("0"))
			q, qerr := core.ParseQty(l.GetStringBytes("1"))
			if err := errors.Join(perr, qerr); err != nil {
				return nil, err
			}
			*side.to = append(*side.to, core.Level{Price: p, Qty: q})
		}
	}
	b.c.Table.Get(id).Filters.Tick = tick(im)
	return im, im.Check()
}
