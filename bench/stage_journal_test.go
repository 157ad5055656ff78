package bench

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"testing"

	"riposte/core"
	"riposte/core/journal"
	"riposte/exec"
	"riposte/tools/store"
)

// sentRecords are what the gateway would note of some orders.
func sentRecords(t testing.TB, tab *core.Instruments) []exec.SentRecord {
	c := codec(t, tab, 0)
	out := make([]exec.SentRecord, 1024)
	var req exec.Request
	for i := range out {
		in := core.Intent{Kind: core.Place, Side: core.Side(i & 1), Type: core.Limit, TIF: core.IOC, Instrument: core.InstrumentID(i % len(tab.List)),
			ID: core.OrderID(i + 1), Price: orderPrice + core.Price(i)*core.Scale/100, Qty: 1000 * core.Qty(1+i)}
		if e := c.Place(&in, orderStamp, orderStamp, &req); e != exec.EncodeOK {
			t.Fatal(e)
		}
		out[i] = exec.SentRecord{Kind: exec.RequestPlace, Intent: in, Client: req.Client, Stamp: req.Stamp, Window: req.Window, Input: uint64(i)}
	}
	return out
}

// journalWork notes intents in the real journal, as the gateway does before the
// first byte of each request. check reads the file back.
func journalWork(t testing.TB) *work {
	tab := orderTable(t)
	recs := sentRecords(t, tab)
	dir := t.TempDir()
	j, err := store.OpenJournal(dir, tab, core.NewSystemClock(), &store.Session{Version: "bench"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(true, ""); err != nil {
			t.Error(err)
		}
	})
	failed, passes := 0, 0
	return &work{
		items: len(recs),
		pass: func() {
			passes++
			for i := range recs {
				if j.Sent(&recs[i]) != nil {
					failed++
				}
			}
		},
		check: func() error {
			if err := j.Err(); err != nil || failed != 0 {
				return fmt.Errorf("got %d intents that were not noted, want 0: %w", failed, err)
			}
			got, err := intentsIn(dir, recs)
			if want := passes * len(recs); err == nil && got != want {
				err = fmt.Errorf("got %d intents in the journal, want %d", got, want)
			}
			return err
		},
	}
}

// intentsIn counts the intents in a folder's journals and compares them with what
// was noted.
func intentsIn(dir string, recs []exec.SentRecord) (n int, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.journal"))
	if err != nil {
		return 0, err
	}
	for _, f := range files {
		r, err := store.OpenReader(f)
		if err != nil {
			return 0, err
		}
		defer r.Close()
		for {
			rec, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return n, err
			}
			if rec.Kind != journal.KindIntent {
				continue
			}
			var in journal.Intent
			if err := in.Decode(&rec); err != nil {
				return n, err
			}
			if want := &recs[n%len(recs)]; in.Price != want.Intent.Price || in.Qty != want.Intent.Qty || in.Client != want.Client {
				return n, fmt.Errorf("intent %d is %+v, want %+v", n, in, want)
			}
			n++
		}
	}
	return n, nil
}

// BenchmarkJournal is one intent noted before its request leaves.
func BenchmarkJournal(b *testing.B) {
	stage(b, "intent", func(t testing.TB) *work { return journalWork(t) })
}
