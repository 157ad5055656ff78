package sql

import (
	"context"
	"testing"

	"riposte/core"
)

// BenchmarkBehind is the store written behind a journal: four records an order, batches
// of batchMost, each synced.
func BenchmarkBehind(b *testing.B) {
	dir := b.TempDir()
	orders := tapeOfOrders(b, dir, 25_000)
	b.ResetTimer()
	n := 0
	for range b.N {
		b.StopTimer()
		if err := remove(dir+"/"+FileName, dir+"/"+FileName+"-wal", dir+"/"+FileName+"-shm"); err != nil {
			b.Fatal(err)
		}
		w, err := OpenWriter(dir)
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		wrote, err := w.CatchUp(context.Background())
		if err != nil {
			b.Fatal(err)
		}
		n += wrote
		b.StopTimer()
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(float64(orders*b.N)/b.Elapsed().Seconds(), "orders/s")
}

// BenchmarkRebuild makes the store of 100,000 orders anew.
func BenchmarkRebuild(b *testing.B) {
	dir := b.TempDir()
	orders := tapeOfOrders(b, dir, 100_000)
	for b.Loop() {
		if _, err := Rebuild(context.Background(), dir); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(orders*b.N)/b.Elapsed().Seconds(), "orders/s")
}

func tapeOfOrders(b *testing.B, dir string, n int) int {
	t := newTape(b, dir)
	t.begin(7)
	for i := 1; i <= n; i++ {
		id := core.OrderID(i)
		t.place(7, i, "BTCUSDT", core.Side(i%2), 100, 10)
		t.tell(core.Report{Kind: core.ReportAck, Status: core.New, ID: id, VenueID: int64(i), TradeID: -1, FeeAsset: core.NoAsset})
		t.tell(core.Report{Kind: core.ReportFill, Status: core.Filled, Side: core.Side(i % 2), ID: id, VenueID: int64(i), TradeID: int64(i), Price: 100, Qty: 10, Cum: 10, Quote: 7, Fee: 1, FeeAsset: 3})
		t.tell(core.Report{Kind: core.ReportDone, Status: core.Filled, Side: core.Side(i % 2), ID: id, VenueID: int64(i), TradeID: -1, Cum: 10, FeeAsset: core.NoAsset})
		if i%10_000 == 0 {
			t.file()
		}
	}
	t.flush()
	return n
}
