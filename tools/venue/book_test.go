package venue

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"riposte/tools/venue/exchange"
)

// tinyBook is a client's book: decimal texts by price, nothing shared with the venue but ParseFixed for the comparison.
type tinyBook struct {
	id         int64
	bids, asks map[string]string
	// lowBid and highAsk bound what the snapshot showed; beyond them absence proves nothing.
	lowBid, highAsk int64
}

type members map[string]json.RawMessage

func (m members) int(t *testing.T, name string) (v int64) {
	t.Helper()
	if err := json.Unmarshal(m[name], &v); err != nil {
		t.Fatalf("cannot read %s of %v: %v", name, m, err)
	}
	return v
}

func (m members) levels(t *testing.T, name string) (v [][2]string) {
	t.Helper()
	if err := json.Unmarshal(m[name], &v); err != nil {
		t.Fatalf("cannot read %s of %v: %v", name, m, err)
	}
	return v
}

func fixedOf(t *testing.T, s string) int64 {
	t.Helper()
	v, err := exchange.ParseFixed(s)
	if err != nil {
		t.Fatalf("cannot read %q: %v", s, err)
	}
	return v
}

func snapshotOf(t *testing.T, c *rest, symbol string) *tinyBook {
	t.Helper()
	var m members
	c.get("/api/v3/depth?limit=5000&symbol="+symbol).into(t, &m)
	b := &tinyBook{id: m.int(t, "lastUpdateId"), bids: map[string]string{}, asks: map[string]string{}, highAsk: 1<<63 - 1}
	bids, asks := m.levels(t, "bids"), m.levels(t, "asks")
	for _, l := range bids {
		b.bids[l[0]] = l[1]
	}
	for _, l := range asks {
		b.asks[l[0]] = l[1]
	}
	if len(bids) == 5000 {
		b.lowBid = fixedOf(t, bids[4999][0])
	}
	if len(asks) == 5000 {
		b.highAsk = fixedOf(t, asks[4999][0])
	}
	return b
}

// apply takes one diff by the venue's procedure; false is a gap.
func (b *tinyBook) apply(t *testing.T, m members) bool {
	t.Helper()
	first, last := m.int(t, "U"), m.int(t, "u")
	if last <= b.id {
		return true
	}
	if first > b.id+1 {
		return false
	}
	for name, side := range map[string]map[string]string{"b": b.bids, "a": b.asks} {
		for _, l := range m.levels(t, name) {
			if strings.Trim(l[1], "0.") == "" {
				delete(side, l[0])
			} else {
				side[l[0]] = l[1]
			}
		}
	}
	b.id = last
	return true
}

// differs compares with the venue's true book inside the snapshot's range; empty means equal.
func (b *tinyBook) differs(t *testing.T, truth Book) string {
	t.Helper()
	check := func(side map[string]string, levels []exchange.Level, within func(p int64) bool) string {
		n := 0
		for _, l := range levels {
			if !within(l.Price) {
				continue
			}
			n++
			price := string(exchange.AppendFixed(nil, l.Price))
			if got, want := side[price], string(exchange.AppendFixed(nil, l.Qty)); got != want {
				return fmt.Sprintf("at %s got %q, want %q", price, got, want)
			}
		}
		have := 0
		for p := range side {
			if within(fixedOf(t, p)) {
				have++
			}
		}
		if have != n {
			return fmt.Sprintf("got %d levels, want %d", have, n)
		}
		return ""
	}
	if d := check(b.bids, truth.Bids, func(p int64) bool { return p >= b.lowBid }); d != "" {
		return "bids: " + d
	}
	if d := check(b.asks, truth.Asks, func(p int64) bool { return p <= b.highAsk }); d != "" {
		return "asks: " + d
	}
	return ""
}

func TestDepthStreamOnASnapshotIsTheTrueBookAtEveryUpdateID(t *testing.T) {
	s := venueOf(t, nil)
	c := restOf(t, s)
	k := dial(t, s.Stream()+"/stream?streams=btcusdt@depth@100ms/btcusdt@bookTicker/btcusdt@depth")
	var book, slow *tinyBook
	var top members // newest bookTicker
	tops := map[int64]members{}
	var waiting, slowWaiting []members
	compared, topsCompared, slowLast := 0, 0, int64(0)
	for compared < 60 || slowLast == 0 {
		var f struct {
			Stream string
			Data   members
		}
		if err := json.Unmarshal(k.next(), &f); err != nil {
			t.Fatal(err)
		}
		switch f.Stream {
		case "btcusdt@bookTicker":
			top = f.Data
			tops[top.int(t, "u")] = top
			continue
		case "btcusdt@depth":
			if slow == nil {
				slowWaiting = append(slowWaiting, f.Data)
			} else if !slow.apply(t, f.Data) {
				t.Fatalf("slow stream: gap after %d", slow.id)
			} else {
				slowLast = slow.id
			}
			continue
		}
		waiting = append(waiting, f.Data)
		if book == nil {
			book, slow = snapshotOf(t, c, "BTCUSDT"), snapshotOf(t, c, "BTCUSDT")
			for _, m := range slowWaiting {
				if !slow.apply(t, m) {
					t.Fatalf("slow stream: gap after the snapshot at %d", slow.id)
				}
			}
		}
		ended := false
		for _, m := range waiting {
			ended = m.int(t, "u") >= book.id
			if !book.apply(t, m) {
				t.Fatalf("gap: book at %d, event starts at %d", book.id, m.int(t, "U"))
			}
		}
		waiting = waiting[:0]
		truth, err := s.BookAt("BTCUSDT", book.id)
		if err != nil {
			t.Fatal(err)
		}
		if d := book.differs(t, truth); d != "" {
			t.Fatalf("at update id %d: %s", book.id, d)
		}
		compared++
		if ended { // else the snapshot is ahead of what the socket has brought, tickers included
			topsCompared += checkTop(t, tops, book.id, truth)
		}
	}
	if truth, err := s.BookAt("BTCUSDT", slowLast); err != nil {
		t.Fatal(err)
	} else if d := slow.differs(t, truth); d != "" {
		t.Fatalf("slow stream at update id %d: %s", slowLast, d)
	}
	if topsCompared == 0 {
		t.Error("no bookTicker was compared")
	}
	t.Logf("%d books compared, %d tops", compared, topsCompared)
}

// checkTop holds the newest bookTicker with u' <= u against the best levels of the book at u.
func checkTop(t *testing.T, tops map[int64]members, u int64, truth Book) int {
	t.Helper()
	best := int64(0)
	for id := range tops {
		if id <= u {
			best = max(best, id)
		}
	}
	if best == 0 {
		return 0
	}
	for name, l := range map[string]exchange.Level{"b": truth.Bids[0], "a": truth.Asks[0]} {
		var px, qty string
		m := tops[best]
		if json.Unmarshal(m[name], &px) != nil || json.Unmarshal(m[strings.ToUpper(name)], &qty) != nil {
			t.Fatalf("cannot read %v", m)
		}
		if fixedOf(t, px) != l.Price || fixedOf(t, qty) != l.Qty {
			t.Fatalf("bookTicker %d: got %s x %s, want %d x %d at update id %d", best, px, qty, l.Price, l.Qty, u)
		}
	}
	return 1
}

func TestPartialDepthIsTheTopOfTheTrueBook(t *testing.T) {
	s := venueOf(t, nil)
	k := dial(t, s.Stream()+"/ws/btcusdt@depth10@100ms")
	for range 20 {
		var m members
		if err := json.Unmarshal(k.next(), &m); err != nil {
			t.Fatal(err)
		}
		truth, err := s.BookAt("BTCUSDT", m.int(t, "lastUpdateId"))
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string][]exchange.Level{"bids": truth.Bids, "asks": truth.Asks} {
			var got []exchange.Level
			for _, l := range m.levels(t, name) {
				got = append(got, exchange.Level{Price: fixedOf(t, l[0]), Qty: fixedOf(t, l[1])})
			}
			if !slices.Equal(got, want[:10]) {
				t.Fatalf("%s at %d: got %v, want %v", name, truth.UpdateID, got, want[:10])
			}
		}
	}
}

// depthFrames reads n diffs of one raw stream.
func depthFrames(t *testing.T, k *socket, n int) (list []members) {
	t.Helper()
	for len(list) < n {
		var m members
		if err := json.Unmarshal(k.next(), &m); err != nil {
			t.Fatal(err)
		}
		list = append(list, m)
	}
	return list
}

// chain describes how ids follow each other: "" unbroken, else the first break.
func chain(t *testing.T, list []members) string {
	for i := 1; i < len(list); i++ {
		prev, first, last := list[i-1].int(t, "u"), list[i].int(t, "U"), list[i].int(t, "u")
		switch {
		case first == prev+1:
		case last <= prev:
			return "repeated"
		case first <= prev:
			return "overlap"
		default:
			return "gap"
		}
	}
	return ""
}

func TestDepthFaultsBreakTheChainAsNamed(t *testing.T) {
	for _, c := range []struct{ fault, want string }{
		{"drop depth BTCUSDT 1", "gap"}, {"double depth BTCUSDT", "repeated"}, {"swap depth *", "gap"}, {"overlap depth BTCUSDT", "overlap"},
	} {
		s := venueOf(t, nil)
		k := dial(t, s.Stream()+"/ws/btcusdt@depth@100ms")
		other := dial(t, s.Stream()+"/ws/ethusdt@trade")
		list := depthFrames(t, k, 10)
		if got := chain(t, list); got != "" {
			t.Errorf("%s: got %s before the fault, want an unbroken chain", c.fault, got)
		}
		other.next()
		if err := s.Faults().Do(c.fault); err != nil {
			t.Fatal(err)
		}
		list = append(list, depthFrames(t, k, 40)...)
		if got := chain(t, list); got != c.want {
			t.Errorf("%s: got chain %q, want %q", c.fault, got, c.want)
		}
		if got := chain(t, list[len(list)-5:]); got != "" {
			t.Errorf("%s: got %s after it, want an unbroken chain again", c.fault, got)
		}
		if n := s.Faults().Counts()[strings.Fields(c.fault)[0]]; n != 1 {
			t.Errorf("%s: got %d counted, want 1", c.fault, n)
		}
	}
}

func TestDepthFaultsCanHitOneConnection(t *testing.T) {
	s := venueOf(t, nil)
	a := dial(t, s.Stream()+"/ws/btcusdt@depth@100ms").settle() // the first to be numbered
	b := dial(t, s.Stream()+"/ws/btcusdt@depth@100ms")
	fromA, fromB := depthFrames(t, a, 2), depthFrames(t, b, 2)
	ids := s.Stats().Sockets
	if err := s.Faults().Do(fmt.Sprintf("drop depth BTCUSDT 2 conn=%d", ids[0].ID)); err != nil {
		t.Fatal(err)
	}
	fromA, fromB = append(fromA, depthFrames(t, a, 40)...), append(fromB, depthFrames(t, b, 40)...)
	if x, y := chain(t, fromA), chain(t, fromB); x != "gap" || y != "" {
		t.Errorf("got %q and %q, want a gap on the first only", x, y)
	}
}

func TestStaleSnapshotIsOlderThanTheStreamAndBoundaryIsExact(t *testing.T) {
	s := venueOf(t, func(c *Config) { c.Weight.Limit, c.Weight.Num, c.Weight.Interval = 1<<30, 1, "MINUTE" })
	c := restOf(t, s)
	k := dial(t, s.Stream()+"/ws/btcusdt@depth@100ms")
	if err := s.Faults().Do("stale depth BTCUSDT 100000"); err != nil {
		t.Fatal(err)
	}
	// Book ids are remembered once a second; until there is an old one, snapshots are fresh.
	first := depthFrames(t, k, 1)[0].int(t, "U")
	for deadline := time.Now().Add(hang); snapshotOf(t, c, "BTCUSDT").id >= first; {
		if time.Now().After(deadline) {
			t.Fatal("no stale snapshot")
		}
		k = dial(t, s.Stream()+"/ws/btcusdt@depth@100ms")
		first = depthFrames(t, k, 1)[0].int(t, "U")
	}
	k = dial(t, s.Stream()+"/ws/ethusdt@depth@100ms").settle()
	if err := s.Faults().Do("boundary depth ETHUSDT"); err != nil {
		t.Fatal(err)
	}
	book := snapshotOf(t, c, "ETHUSDT")
	var seen []string
	for _, m := range depthFrames(t, k, 40) {
		seen = append(seen, fmt.Sprintf("%d-%d", m.int(t, "U"), m.int(t, "u")))
		if m.int(t, "U") == book.id+1 {
			return
		}
	}
	t.Errorf("no event begins right after the snapshot at %d: %v", book.id, seen)
}
