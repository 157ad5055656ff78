package peers

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"riposte/bench"
)

// contender is one way to do the work. pass does all of it once and returns a checksum
// of the result.
type contender struct {
	name string
	pass func() uint64
}

// ours is the contender that the others must agree with, and comes first.
const ours = "riposte"

// contest times contenders whose results are equal. items is how many a pass has.
func contest(b *testing.B, name string, items int, list []contender) {
	b.Helper()
	if items == 0 || list[0].name != ours {
		b.Fatalf("%s: got %d items and %q first, want some and %q", name, items, list[0].name, ours)
	}
	want := list[0].pass()
	for _, c := range list[1:] {
		if got := c.pass(); got != want {
			b.Fatalf("%s: %s gives checksum %x, want ours %x", name, c.name, got, want)
		}
	}
	for _, c := range list {
		b.Run(name+"/"+c.name, func(b *testing.B) {
			b.ReportAllocs()
			var heap bench.Heap
			heap.Start()
			b.ResetTimer()
			done := 0
			for done < b.N {
				if got := c.pass(); got != want {
					b.Fatalf("got checksum %x, want %x", got, want)
				}
				done += items
			}
			b.StopTimer()
			heap.Stop()
			b.ReportMetric(float64(b.Elapsed())/float64(done), "ns/op")
			b.ReportMetric(float64(heap.Mallocs)/float64(done), "allocs/op")
			b.ReportMetric(float64(heap.Bytes)/float64(done), "B/op")
		})
	}
}

func load(b *testing.B, name string) *bench.Corpus {
	b.Helper()
	c, err := bench.Load(name)
	if err != nil {
		b.Skip(err)
	}
	return c
}

// TestMain says in front of the results what they were measured on.
func TestMain(m *testing.M) {
	flag.Parse()
	for _, name := range []string{bench.Spot, bench.Linear} {
		if c, err := bench.Load(name); err == nil {
			fmt.Printf("corpus-%s: %s\n", name, c)
		} else {
			fmt.Printf("corpus-%s: none, %v\n", name, err)
		}
	}
	os.Exit(m.Run())
}
