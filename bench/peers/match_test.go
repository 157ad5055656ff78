package peers

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"riposte/bench"
)

// contender is one way to do the work.
type contender struct {
	name string
	// pass does all of the work once and returns a checksum of the result.
	pass func() uint64
	// spent, if not nil, is where pass puts the time that counts.
	spent *time.Duration
	// blind does less than the work and has no result to compare: a limit.
	blind bool
	// miss says why it cannot take part here; pass is nil then.
	miss string
}

// ours is the contender that the others must agree with, and comes first. Names that
// begin with floor- are C of our own that shows what the processor can do, those with
// limit- do less than the work: a bound that nobody can pass. All other names are
// peers. The table in bench/cmd/compare tells them apart by that.
const ours = "riposte"

// match is one piece of work and all who do it. items is how many a pass has.
type match struct {
	name   string // stage/case
	items  int
	bytes  int  // per pass, 0 where bytes mean nothing
	levels int  // per pass, where a level is the smaller item
	cpu    bool // processor time of the whole process is a figure too
	list   []contender
}

// round is which of several runs this is: each begins with another contender, so
// that what comes before whom evens out.
var round = flag.Int("round", 0, "which of several runs this is")

// agree has every contender do the work once and compares the results with ours.
// Who cannot do it here is said once in the output and leaves the list; who does it
// wrongly is an error.
func (m *match) agree(stage string) (want uint64, err error) {
	if m.items == 0 || len(m.list) == 0 || m.list[0].name != ours || m.list[0].miss != "" {
		return 0, fmt.Errorf("%s: got %d items and contenders %v, want some items and %s first", m.name, m.items, names(m.list), ours)
	}
	want, err = m.list[0].try()
	if err != nil {
		return 0, fmt.Errorf("%s: %s: %w", m.name, ours, err)
	}
	kept := m.list[:1]
	for _, c := range m.list[1:] {
		if c.miss == "" {
			var got uint64
			if got, err = c.try(); err != nil {
				c.miss = err.Error()
			} else if got != want && !c.blind {
				return 0, fmt.Errorf("%s: %s gives checksum %x, want ours %x", m.name, c.name, got, want)
			}
		}
		if c.miss != "" {
			fmt.Printf("note: %s/%s/%s: %s\n", stage, m.name, c.name, c.miss)
			continue
		}
		kept = append(kept, c)
	}
	m.list = kept
	return want, nil
}

// try is one pass whose panic is an error: a library that does not work with this Go
// or on this processor says so that way.
func (c contender) try() (sum uint64, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panics: %v", p)
		}
	}()
	return c.pass(), nil
}

func names(list []contender) (out []string) {
	for _, c := range list {
		out = append(out, c.name)
	}
	return out
}

// contest times all contenders of a match, after their results were found equal.
func contest(b *testing.B, m match) {
	b.Helper()
	want, err := m.agree(strings.TrimPrefix(b.Name(), "Benchmark"))
	if err != nil {
		b.Fatal(err)
	}
	for i := range m.list {
		c := m.list[(i+*round)%len(m.list)]
		b.Run(m.name+"/"+c.name, func(b *testing.B) { m.run(b, c, want) })
	}
}

// run times passes until b.N items are done. The figure is the median pass, so that
// passes from which the kernel took the processor away count as one each and not with
// all the time that others had it. Where passes are short it leaves out garbage
// collection too, in the peers' favour; mean-ns has everything in it.
func (m *match) run(b *testing.B, c contender, want uint64) {
	b.ReportAllocs()
	var heap bench.Heap
	passes := make([]time.Duration, 0, 1<<12) // the first of them, if there are more
	heap.Start()
	before := processorTime()
	b.ResetTimer()
	done := 0
	for done < b.N {
		from := time.Now()
		if got := c.pass(); got != want && !c.blind {
			b.Fatalf("got checksum %x, want %x", got, want)
		}
		took := time.Since(from)
		if c.spent != nil {
			took = *c.spent
		}
		if len(passes) < cap(passes) {
			passes = append(passes, took)
		}
		done += m.items
	}
	b.StopTimer()
	spent := processorTime() - before
	heap.Stop()
	slices.Sort(passes)
	perItem := float64(passes[len(passes)/2]) / float64(m.items)
	b.ReportMetric(perItem, "ns/op")
	b.ReportMetric(float64(b.Elapsed())/float64(done), "mean-ns/op")
	b.ReportMetric(float64(heap.Mallocs)/float64(done), "allocs/op")
	b.ReportMetric(float64(heap.Bytes)/float64(done), "B/op")
	if m.bytes > 0 {
		b.ReportMetric(float64(m.bytes)/float64(m.items)/perItem*1e3, "MB/s")
	}
	if m.levels > 0 {
		b.ReportMetric(perItem*float64(m.items)/float64(m.levels), "ns/level")
	}
	if m.cpu {
		b.ReportMetric(float64(spent)/float64(done), "cpu-ns/op")
	}
}

// processorTime is what this process has used, kernel included.
func processorTime() time.Duration {
	var u syscall.Rusage
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// load is bench.Load; what exists only as a recording is left out where there are
// none, which TestMain says for benchmarks.
func load(tb testing.TB, name string) *bench.Corpus {
	tb.Helper()
	c, err := bench.Load(name)
	if err != nil {
		tb.Skip(err)
	}
	if _, test := tb.(*testing.T); test && !c.Recorded {
		tb.Logf("left out what needs the recordings: corpus %s", c)
	}
	return c
}

// TestMain says in front of the results what they were measured on. A copy of this
// program that was started as the other end of a connection is that instead.
func TestMain(m *testing.M) {
	if run := roles[os.Getenv(roleEnv)]; run != nil {
		if err := takeRole(run); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	flag.Parse()
	if f := flag.Lookup("test.bench"); f != nil && f.Value.String() != "" {
		for _, name := range []string{bench.Spot, bench.Linear, bench.Multi} {
			if c, err := bench.Load(name); err == nil {
				fmt.Printf("corpus-%s: %s\n", name, c)
			} else {
				fmt.Printf("corpus-%s: none, %v\n", name, err)
			}
		}
	}
	os.Exit(m.Run())
}
