package store

import (
	"os"
	"strconv"
	"testing"
	"time"

	"riposte/core"
)

// TestALongJournalIsReadBack recovers from a run of 10 000 orders that died, in a journal
// of some MiB, or of as many as RIPOSTE_RECOVERY_MIB says (1024 for the figure), and
// tells how long it took.
func TestALongJournalIsReadBack(t *testing.T) {
	mib := 8
	if text := os.Getenv("RIPOSTE_RECOVERY_MIB"); text != "" {
		var err error
		if mib, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	j, err := OpenJournal(dir, table(t), clock(), &Session{})
	if err != nil {
		t.Fatal(err)
	}
	const orders = 10_000
	for id := core.OrderID(1); id <= orders; id++ {
		if err := j.Sent(sent(id)); err != nil {
			t.Fatal(err)
		}
		j.Reported(&core.Report{Kind: core.ReportAck, Status: core.New, ID: id, VenueID: int64(id)})
		if id%2 == 0 {
			j.Reported(&core.Report{Kind: core.ReportFill, ID: id, TradeID: int64(id), Qty: 6, Quote: 30, FeeAsset: core.NoAsset})
			j.Reported(&core.Report{Kind: core.ReportDone, Status: core.Filled, ID: id})
		}
	}
	// The rest is the noise of a long run: orders that come and go.
	const noise = 410 // bytes of three records
	for n := range mib << 20 / noise {
		id := core.OrderID(orders + 1 + n)
		if err := j.Sent(sent(id)); err != nil {
			t.Fatal(err)
		}
		j.Reported(&core.Report{Kind: core.ReportAck, Status: core.New, ID: id, VenueID: int64(id)})
		j.Reported(&core.Report{Kind: core.ReportDone, Status: core.Canceled, ID: id})
	}
	seq := j.Seq()
	kill(j)
	began := time.Now()
	f, err := OpenFolder(dir, clock())
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(began)
	if got := len(f.Past.Orders()); got != orders/2 || f.seq != seq {
		t.Errorf("got %d orders up to record %d, want %d up to %d", got, f.seq, orders/2, seq)
	}
	if s := f.Past.Symbols["BTCUSDT"]; s == nil || s.Net != 6*orders/2 {
		t.Errorf("position %+v, want %d", s, 6*orders/2)
	}
	began = time.Now()
	next, err := f.Begin(table(t), &Session{})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d orders, %d records, %.0f MB in %d files: read back in %v, next run begun in %v", orders, seq, float64(f.Read)/1e6, len(f.files), took, time.Since(began))
	if err := next.Close(true, ""); err != nil {
		t.Fatal(err)
	}
}
