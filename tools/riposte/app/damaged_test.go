package app

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"riposte/core"
	"riposte/core/book"
	recording "riposte/tools/tape"
)

// Recordings with lost, doubled and swapped depth events, through the live path. A
// naive book of maps, fed with what the venue sent, gives the snapshot wherever a client
// would fetch one.

// damagesEach is how many times each symbol of a recording is damaged in each way.
func damagesEach(t *testing.T) int {
	if text := os.Getenv("RIPOSTE_DAMAGES"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	return 10
}

// sentLine is one line of a recording, and the depth event in it.
type sentLine struct {
	recording.Line
	depth *sentDepth // nil for anything else
}

type sentDepth struct {
	symbol string
	first  uint64
	last   uint64
	sides  [2][][2]string
}

// naiveBook is one symbol's book as one would write it first.
type naiveBook struct {
	id     uint64
	loaded bool
	early  []*sentDepth // before the snapshot
	sides  [2]map[string]string
}

func (b *naiveBook) apply(d *sentDepth) {
	switch {
	case !b.loaded:
		b.early = append(b.early, d)
		return
	case d.last <= b.id:
		return
	}
	b.id = d.last
	for s := range b.sides {
		for _, lv := range d.sides[s] {
			if q, err := core.ParseQty(lv[1]); err == nil && q == 0 {
				delete(b.sides[s], lv[0])
			} else {
				b.sides[s][lv[0]] = lv[1]
			}
		}
	}
}

func (b *naiveBook) load(t *testing.T, body []byte) {
	var in struct {
		LastUpdateID uint64 `json:"lastUpdateId"`
		Bids, Asks   [][2]string
	}
	if err := json.Unmarshal(body, &in); err != nil {
		t.Fatal(err)
	}
	b.loaded, b.id = true, in.LastUpdateID
	for s, list := range [2][][2]string{in.Bids, in.Asks} {
		b.sides[s] = map[string]string{}
		for _, lv := range list {
			b.sides[s][plainText(t, lv[0])] = lv[1]
		}
	}
	for _, d := range b.early {
		b.apply(d)
	}
}

// plainText makes prices comparable: a recorder may have rewritten them.
func plainText(t *testing.T, s string) string {
	p, err := core.ParsePrice(s)
	if err != nil {
		t.Fatal(err)
	}
	return p.String()
}

func (b *naiveBook) image(t *testing.T, id core.InstrumentID) *book.Image {
	im := &book.Image{Instrument: id, LastID: b.id}
	for s, into := range [2]*[]core.Level{&im.Bids, &im.Asks} {
		for p, q := range b.sides[s] {
			price, err1 := core.ParsePrice(p)
			qty, err2 := core.ParseQty(q)
			if err := errors.Join(err1, err2); err != nil {
				t.Fatal(err)
			}
			*into = append(*into, core.Level{Price: price, Qty: qty})
		}
		slices.SortFunc(*into, func(a, b core.Level) int {
			d := int(min(max(a.Price-b.Price, -1), 1))
			if s == 0 {
				return -d
			}
			return d
		})
	}
	return im
}

func readSent(t *testing.T, files []string) (lines []sentLine) {
	err := recording.Each(func(l *recording.Line) error {
		s := sentLine{Line: *l}
		s.Payload = bytes.Clone(l.Payload)
		if l.Frame() && bytes.Contains(l.Payload[:min(80, len(l.Payload))], []byte("@depth")) {
			var in struct {
				Data struct {
					S string      `json:"s"`
					U uint64      `json:"U"`
					L uint64      `json:"u"`
					B [][2]string `json:"b"`
					A [][2]string `json:"a"`

					E  string `json:"e"` // so that E does not match it
					E2 int64  `json:"E"`
				} `json:"data"`
			}
			if err := json.Unmarshal(l.Payload, &in); err != nil {
				return err
			}
			s.depth = &sentDepth{in.Data.S, in.Data.U, in.Data.L, [2][][2]string{in.Data.B, in.Data.A}}
			for i := range s.depth.sides {
				for k := range s.depth.sides[i] {
					s.depth.sides[i][k][0] = plainText(t, s.depth.sides[i][k][0])
				}
			}
		}
		lines = append(lines, s)
		return nil
	}, files...)
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// damage is what happens to a depth event on its way.
type damage uint8

const (
	whole damage = iota
	lost
	doubled
	swapped // with the next of its symbol
)

var damageName = [...]string{"whole", "lost", "doubled", "swapped", "mixed"}

// damaged is one recording on its damaged way.
type damaged struct {
	t      *testing.T
	what   string
	r      *replay
	lines  []sentLine
	plan   []damage
	books  map[string]*naiveBook
	broken map[string]bool // the next event to arrive must show it
	swap   map[string]*sentLine

	hurt, losses, flagged, given int
}

// choose plans damages of a kind (mixed: of every kind), never to the first events of a
// symbol nor to its last, behind which nothing could show them.
func (d *damaged) choose(kind, each int) {
	rnd := rand.New(rand.NewPCG(uint64(kind), uint64(len(d.lines))))
	at := map[string][]int{}
	from := map[string]uint64{} // the snapshot's id
	for i := range d.lines {
		l := &d.lines[i]
		if b := new(naiveBook); l.Rest != "" {
			b.load(d.t, l.Payload)
			from[l.Symbol()] = b.id
		} else if l.depth != nil && from[l.depth.symbol] > 0 && l.depth.last > from[l.depth.symbol] {
			at[l.depth.symbol] = append(at[l.depth.symbol], i)
		}
	}
	d.plan = make([]damage, len(d.lines))
	for _, sym := range slices.Sorted(maps.Keys(at)) {
		list := at[sym]
		if len(list) < 8 {
			continue
		}
		step := max((len(list)-4)/each, 4)
		for i := 2; i+4 < len(list); i += step {
			k := damage(kind)
			if kind > int(swapped) {
				k = lost + damage(rnd.IntN(3))
			}
			burst := 1
			if k == lost {
				burst += rnd.IntN(2)
			}
			for n := range burst {
				d.plan[list[i+n]] = k
			}
			d.hurt++
		}
	}
}

func (d *damaged) run() {
	d.books, d.broken, d.swap = map[string]*naiveBook{}, map[string]bool{}, map[string]*sentLine{}
	for i := range d.r.table.List {
		d.books[d.r.table.List[i].Symbol] = new(naiveBook)
	}
	for i := range d.lines {
		l := &d.lines[i]
		d.r.clock.MonoNow++
		switch {
		case l.depth != nil:
			d.depth(l, d.plan[i])
		case l.Frame():
			if err := d.r.frame(l.Payload); err != nil {
				d.t.Fatal(err)
			}
		default:
			if err := d.r.rest(&l.Line); err != nil {
				d.t.Fatal(err)
			}
			if b := d.books[l.Symbol()]; b != nil && !b.loaded {
				b.load(d.t, l.Payload)
			}
		}
	}
}

// depth is one event that the venue sent.
func (d *damaged) depth(l *sentLine, k damage) {
	sym := l.depth.symbol
	if first := d.swap[sym]; first != nil { // l overtakes it
		d.swap[sym] = nil
		d.books[sym].apply(l.depth)
		d.broken[sym] = true
		d.arrive(l)
		d.arrive(first)
		return
	}
	d.books[sym].apply(l.depth)
	switch k {
	case lost:
		d.losses++
		d.broken[sym] = true
	case doubled:
		d.arrive(l)
		d.arrive(l)
	case swapped:
		d.swap[sym] = l
	default:
		d.arrive(l)
	}
}

// arrive gives an event to the engine, holds what it says against what is known of the
// way, and answers if it wants a snapshot.
func (d *damaged) arrive(l *sentLine) {
	sym := l.depth.symbol
	in, _ := d.r.table.Lookup(sym)
	s := d.r.shard.Sync(in.ID)
	before := s.Status().Counters.Gaps
	if err := d.r.frame(l.Payload); err != nil {
		d.t.Fatal(err)
	}
	st := s.Status()
	gap := st.Counters.Gaps > before
	if gap != d.broken[sym] {
		d.t.Fatalf("%s: event %d of %s: a gap was told: %v, want %v (%v)", d.what, l.depth.last, sym, gap, d.broken[sym], st.Reason)
	}
	if gap {
		d.flagged++
		if _, live := s.Live(); live || st.Reason != book.EventMissing {
			d.t.Fatalf("%s: event %d of %s: the book is %v (%v), want gapped: event missing", d.what, l.depth.last, sym, st.State, st.Reason)
		}
	}
	d.broken[sym] = false
	if b := d.books[sym]; b.loaded && s.NeedsSnapshot() {
		*d.r.images.Claim() = b.image(d.t, in.ID)
		d.r.images.Publish()
		d.r.step()
		d.given++
	}
}

func TestDamagedRecordingsEndInTheReferenceBook(t *testing.T) {
	dir := dataDir(t)
	if dir == "" {
		return // core/book damages its own synthetic tapes
	}
	text, err := os.ReadFile(filepath.Join(dir, "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var refs map[string]struct {
		reference
		Market string
	}
	if err := json.Unmarshal(text, &refs); err != nil {
		t.Fatal(err)
	}
	each := damagesEach(t)
	table := "recording, damage: times, events lost, flagged on the first bad event, snapshots, books in their final hash\n"
	for _, name := range slices.Sorted(maps.Keys(refs)) {
		ref := refs[name]
		var files []string
		for _, f := range ref.Files {
			files = append(files, filepath.Join(dir, "streams", f))
		}
		lines := readSent(t, files)
		for kind := int(lost); kind < len(damageName); kind++ {
			r, err := newReplay("auto", files)
			if err != nil {
				t.Fatal(err)
			}
			d := &damaged{t: t, what: name + ", " + damageName[kind], r: r, lines: lines}
			d.choose(kind, each)
			d.run()
			same := 0
			got := r.result().Books
			for sym, want := range ref.Books {
				w, g := want.(map[string]any), got[sym]
				if g == nil || g.FinalSHA256 != w["final_sha256"] || float64(g.LastID) != w["last_u"] {
					t.Errorf("%s: %s ends %+v, want final hash %v at %v", d.what, sym, g, w["final_sha256"], w["last_u"])
					continue
				}
				same++
			}
			r.close()
			table += fmt.Sprintf("%-26s %-8s %4d %4d %4d %4d %3d of %d\n", name, damageName[kind], d.hurt, d.losses, d.flagged, d.given, same, len(ref.Books))
			if kind == int(lost) && d.flagged != d.hurt || kind == int(doubled) && d.flagged+d.given != 0 || kind == int(swapped) && d.flagged != d.hurt || d.given != d.flagged {
				t.Errorf("%s: %d damages, %d flagged, %d snapshots", d.what, d.hurt, d.flagged, d.given)
			}
		}
	}
	t.Log(table)
}
