package sql

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"

	"riposte/core"
)

// kills is how many writers are killed; acceptance runs take 50.
var kills = flag.Int("kills", 8, "writers killed in the middle of their batches")

// child writes the store of dir, a batch at a time, and says so after each.
func child(dir string) error {
	w, err := OpenWriter(dir)
	if err != nil {
		return err
	}
	for {
		n, err := w.batch()
		if err != nil {
			return err
		}
		if n == 0 {
			return w.Close()
		}
		fmt.Println(w.Seq())
	}
}

// TestAKilledWriterGoesOnWhereItsRowsEnd kills writers at no instant in particular, and
// holds the rows in the end against those of a store that nobody has disturbed.
func TestAKilledWriterGoesOnWhereItsRowsEnd(t *testing.T) {
	dir := t.TempDir()
	b := newTape(t, dir)
	rng := rand.New(rand.NewPCG(1, 2))
	b.begin(7)
	for i := 1; b.seq < uint64(*kills)*3*batchMost; i++ {
		trade := rng.Int64N(int64(i) + 1) // some are told twice
		b.place(7, i, "BTCUSDT", core.Side(i%2), 100, 10)
		b.tell(core.Report{Kind: core.ReportAck, Status: core.New, ID: core.OrderID(i), VenueID: int64(i), TradeID: -1, FeeAsset: core.NoAsset})
		b.tell(core.Report{Kind: core.ReportFill, Status: core.PartiallyFilled, Side: core.Side(i % 2), ID: core.OrderID(i), VenueID: int64(i),
			TradeID: trade, Price: 100, Qty: 5, Cum: 5, Quote: core.Amount(trade + 1), Fee: 1, FeeAsset: core.AssetID(i % 4)})
		if i%1000 == 0 {
			b.file()
		}
	}
	b.flush()
	killed := 0
	for range *kills {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childDir+"="+dir)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		more := true
		for range rng.IntN(4) {
			more = more && lines.Scan()
		}
		// Some more work, so that deaths do not all fall on the same instruction.
		for n := rng.IntN(2_000_000); n > 0; n-- {
			rng.Uint64()
		}
		_ = cmd.Process.Kill()
		if err := cmd.Wait(); err != nil && more {
			killed++
		}
	}
	if killed < *kills*3/4 {
		t.Errorf("%d of %d writers were killed at work, want nearly all", killed, *kills)
	}
	w := caughtUp(t, dir)
	if w.Seq() != b.seq {
		t.Errorf("the store is at record %d, want %d", w.Seq(), b.seq)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got := dump(t, dir)
	if _, err := Rebuild(context.Background(), dir); err != nil {
		t.Fatal(err)
	}
	if want := dump(t, dir); got != want {
		t.Error("the rows of killed writers differ from those of a rebuild")
	}
	t.Logf("%d of %d writers killed at work, %d records", killed, *kills, b.seq)
}
