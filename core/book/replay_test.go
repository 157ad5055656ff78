package book

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"riposte/core"
	"riposte/core/ring"
)

// reader is what a shard does for one instrument: a queue, a Sync, and the
// results that references are given as.
type reader struct {
	q       *ring.Queue
	s       *Sync
	applied func(*Book) // after each applied event
	verdict func(*core.Event, Verdict)
}

func newReader(s *Sync) *reader { return &reader{q: ring.NewQueue(1024, 8192, 2048), s: s} }

// put sends an event through the queue and lets the shard work.
func (r *reader) put(t testing.TB, st *step) {
	ev, lv := r.q.Claim()
	if ev == nil || cap(lv) < len(st.lv) {
		t.Fatalf("queue is full with %d events", r.q.Len())
	}
	*ev = st.ev
	r.q.Publish(copy(lv[:len(st.lv)], st.lv))
	r.drain(t)
}

func (r *reader) drain(t testing.TB) {
	for ev, lv := r.q.Peek(); ev != nil; ev, lv = r.q.Peek() {
		switch ev.Kind {
		case core.DepthDelta:
			v := r.s.Delta(ev, lv)
			if r.verdict != nil {
				r.verdict(ev, v)
			}
			if v == Wait || v == Gap {
				if _, ok := r.s.Live(); ok || !r.s.NeedsSnapshot() {
					t.Fatalf("after %v the book is live (%v) or asks for no snapshot", v, ok)
				}
				return
			}
			if v == Applied && r.applied != nil {
				b, ok := r.s.Live()
				if !ok {
					t.Fatalf("book is %v after an applied event", r.s.State())
				}
				r.applied(b)
			}
		case core.Touch:
			r.s.Touch(ev)
		case core.LineDown:
			r.s.LineDown()
		case core.Overflow:
			r.s.Overflow()
		}
		r.q.Pop()
	}
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// expectedBook is one entry of expected.json's books; data/README.md says what
// the fields mean.
type expectedBook struct {
	Snapshots               uint64
	SnapshotID              uint64 `json:"snapshot_lastUpdateId"`
	Frames                  uint64
	Applied, Dropped        uint64
	Gaps, Overlaps, Waiting uint64
	First                   [2]uint64 `json:"first_applied_U_u"`
	LastU                   uint64    `json:"last_u"`
	Levels                  uint64    `json:"levels_in_applied_events"`
	AbsentDeletes           uint64    `json:"deletes_of_absent_levels"`
	BidLevels               int       `json:"bid_levels"`
	AskLevels               int       `json:"ask_levels"`
	BestBid                 [2]string `json:"best_bid"`
	BestAsk                 [2]string `json:"best_ask"`
	FinalSHA                string    `json:"final_sha256"`
	BboSHA                  string    `json:"bbo_sha256"`
	Checkpoints             [][3]any
	BookTicker              struct{ Match, Differ uint64 } `json:"bookTicker_check"`
	hash                    hash.Hash
}

func TestReplayGivesTheReferenceResult(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(dataDir(), "expected.json"))
	if os.IsNotExist(err) {
		t.Skipf("needs the recordings in %s", dataDir())
	}
	var expected map[string]struct {
		Files  []string
		Market string
		Books  map[string]*json.RawMessage
	}
	if err != nil || json.Unmarshal(raw, &expected) != nil {
		t.Fatalf("cannot read the reference results: %v", err)
	}
	books := 0
	for name, e := range expected {
		market := core.Spot
		if e.Market == "futures" {
			market = core.LinearFutures
		}
		tp := recorded(t, market, e.Files...)
		if tp == nil {
			t.Fatalf("%s: recording %v is missing", name, e.Files)
		}
		got := replay(t, tp)
		for symbol, text := range e.Books {
			books++
			dec := json.NewDecoder(bytes.NewReader(*text))
			dec.UseNumber()
			dec.DisallowUnknownFields()
			var want expectedBook
			if err := dec.Decode(&want); err != nil {
				t.Fatalf("%s %s: %v", name, symbol, err)
			}
			g, w := figures(got[symbol]), figures(&want)
			if g != w {
				t.Errorf("%s %s:\ngot  %s\nwant %s", name, symbol, g, w)
			}
		}
	}
	if books != 11 {
		t.Errorf("%d books compared, want 11", books)
	}
}

// figures is every compared figure in one text.
func figures(e *expectedBook) string {
	if e == nil {
		return "no book"
	}
	var at strings.Builder
	for _, c := range e.Checkpoints {
		fmt.Fprintf(&at, " %v/%v/%v", c[0], c[1], c[2])
	}
	return fmt.Sprint(e.Snapshots, e.SnapshotID, e.Frames, e.Applied, e.Dropped, e.Gaps, e.Overlaps, e.Waiting, e.First, e.LastU,
		e.Levels, e.AbsentDeletes, e.BidLevels, e.AskLevels, e.BestBid, e.BestAsk, e.FinalSHA, e.BboSHA, e.BookTicker, at.String())
}

func replay(t *testing.T, tp *tape) map[string]*expectedBook {
	out := map[string]*expectedBook{}
	readers := make([]*reader, len(tp.names))
	for i, s := range tp.syncs() {
		r, e := newReader(s), &expectedBook{hash: sha256.New()}
		readers[i], out[tp.names[i]] = r, e
		r.verdict = func(ev *core.Event, v Verdict) {
			if v == Applied && e.First == [2]uint64{} {
				e.First = [2]uint64{ev.FirstID(), ev.ID}
			}
		}
		r.applied = func(b *Book) {
			e.hash.Write(AppendCanonicalTop(nil, b.Top()))
			if n := s.Status().Counters.Applied; n%500 == 0 {
				e.Checkpoints = append(e.Checkpoints, [3]any{n, b.ID(), digest(b.AppendCanonical(nil))})
			}
		}
	}
	for i := range tp.steps {
		st := &tp.steps[i]
		r := readers[st.at()]
		if st.im == nil {
			if st.ev.Kind == core.DepthDelta {
				out[tp.names[st.at()]].Frames++
			}
			r.put(t, st)
			continue
		}
		if v := r.s.Snapshot(st.im); v != Applied {
			t.Fatalf("%s: snapshot %d: %v", tp.names[st.at()], st.im.LastID, v)
		}
		out[tp.names[st.at()]].SnapshotID = st.im.LastID
		r.drain(t)
	}
	for i, r := range readers {
		e, st := out[tp.names[i]], r.s.Status()
		b, ok := r.s.Live()
		if !ok {
			t.Fatalf("%s ends %v: %v", tp.names[i], st.State, st.Reason)
		}
		c := st.Counters
		e.Snapshots, e.Applied, e.Dropped, e.Gaps, e.Overlaps, e.LastU = c.Snapshots, c.Applied, c.Dropped, c.Gaps, c.Overlaps, st.LastID
		e.Levels, e.AbsentDeletes = c.Levels, c.AbsentDeletes
		e.BookTicker.Match, e.BookTicker.Differ = c.TouchMatch, c.TouchDiffer
		e.Waiting = uint64(r.q.Len())
		e.BidLevels, e.AskLevels = b.Len(core.Buy), b.Len(core.Sell)
		bid, ask := b.Best(core.Buy), b.Best(core.Sell)
		e.BestBid = [2]string{bid.Price.String(), bid.Qty.String()}
		e.BestAsk = [2]string{ask.Price.String(), ask.Qty.String()}
		e.FinalSHA = digest(b.AppendCanonical(nil))
		e.BboSHA = hex.EncodeToString(e.hash.Sum(nil))
		if c.Repeated+c.Refetches+c.LineDowns+c.Overflows != 0 {
			t.Errorf("%s: %+v, want no repeats, refetches or losses", tp.names[i], c)
		}
	}
	return out
}

// TestReplayWithoutSnapshotStaysSyncing is the second half of a pair alone.
func TestReplayWithoutSnapshotStaysSyncing(t *testing.T) {
	tp := recorded(t, core.LinearFutures, "usdm_btcusdt_20230405.tsv.gz")
	if tp == nil {
		t.Log("no recordings here; uses a synthetic tape without its snapshots")
		tp = synthetic(core.LinearFutures, 5, 200)
	}
	syncs := tp.syncs()
	n := 0
	for i := range tp.steps {
		if st := &tp.steps[i]; st.im == nil && st.ev.Kind == core.DepthDelta {
			if v := syncs[st.at()].Delta(&st.ev, st.lv); v != Wait {
				t.Fatalf("event %d: %v, want wait", i, v)
			}
			n++
		}
	}
	for i, s := range syncs {
		if s.State() != Syncing || !s.NeedsSnapshot() || s.Top() != (core.Top{}) {
			t.Fatalf("%s is %v after %d events, want syncing", tp.names[i], s.State(), n)
		}
	}
}

// TestSyntheticTapesEndInTheMakersBook shows that the generator, which stands in
// for recordings elsewhere, tells the truth, and that Sync finds it.
func TestSyntheticTapesEndInTheMakersBook(t *testing.T) {
	for _, market := range []core.Market{core.Spot, core.LinearFutures} {
		for seed := range uint64(3) {
			tp := synthetic(market, seed, 400)
			truth := make([]*twin, len(tp.names))
			for i := range truth {
				truth[i] = newTwin()
			}
			got := replay(t, tp)
			var snap [3]bool
			for i := range tp.steps {
				st := &tp.steps[i]
				w := truth[st.at()]
				if st.im != nil {
					w.load(st.im)
					snap[st.at()] = true
					for j := range tp.steps[:i] { // those that waited
						if p := &tp.steps[j]; p.im == nil && p.at() == st.at() && p.ev.Kind == core.DepthDelta && p.ev.ID > w.id {
							w.apply(p.ev.ID, p.lv[:p.ev.Bids], p.lv[p.ev.Bids:])
						}
					}
				} else if st.ev.Kind == core.DepthDelta && snap[st.at()] {
					w.apply(st.ev.ID, st.lv[:st.ev.Bids], st.lv[st.ev.Bids:])
				}
			}
			for i, name := range tp.names {
				if e := got[name]; e.FinalSHA != digest(truth[i].canonical()) || e.Applied < 60 || e.BookTicker.Differ != 0 || e.BookTicker.Match == 0 {
					t.Errorf("market %d seed %d %s: %+v, want the maker's book", market, seed, name, e)
				}
			}
		}
	}
}
