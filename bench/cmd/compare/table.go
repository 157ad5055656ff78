package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// ours is the name of riposte among contenders.
const ours = "riposte"

// run is one line of benchmark output.
type run struct {
	name      string // stage/case
	contender string
	ns        float64
	allocs    float64
}

// parse reads go test's output: lines "BenchmarkStage/case/contender-2 N v unit ...".
func parse(out []byte) (rows []run, err error) {
	for sc := bufio.NewScanner(bytes.NewReader(out)); sc.Scan(); {
		f := strings.Fields(sc.Text())
		if len(f) < 4 || !strings.HasPrefix(f[0], "Benchmark") {
			continue
		}
		name := strings.TrimPrefix(f[0], "Benchmark")
		if i := strings.LastIndexByte(name, '-'); i > 0 { // GOMAXPROCS
			if _, err := strconv.Atoi(name[i+1:]); err == nil {
				name = name[:i]
			}
		}
		i := strings.LastIndexByte(name, '/')
		if i < 0 {
			return nil, fmt.Errorf("cannot read the output: benchmark %q has no contender", name)
		}
		r := run{name: name[:i], contender: name[i+1:], ns: -1}
		for k := 2; k+1 < len(f); k += 2 {
			v, err := strconv.ParseFloat(f[k], 64)
			if err != nil {
				return nil, fmt.Errorf("cannot read the output: %q in %q is not a number", f[k], sc.Text())
			}
			switch f[k+1] {
			case "ns/op":
				r.ns = v
			case "allocs/op":
				r.allocs = v
			}
		}
		if r.ns < 0 {
			return nil, fmt.Errorf("cannot read the output: %q has no ns/op", sc.Text())
		}
		rows = append(rows, r)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("cannot read the output: it has no benchmark lines")
	}
	return rows, nil
}

// row is one case with all its contenders, in the order in which they came.
type row struct {
	name  string
	order []string
	ns    map[string][]float64
	mem   map[string]float64
}

func (t *row) add(r run) {
	if t.ns == nil {
		t.ns, t.mem = map[string][]float64{}, map[string]float64{}
	}
	if t.ns[r.contender] == nil {
		t.order = append(t.order, r.contender)
	}
	t.ns[r.contender] = append(t.ns[r.contender], r.ns)
	t.mem[r.contender] = max(t.mem[r.contender], r.allocs)
}

func median(v []float64) float64 {
	v = slices.Clone(v)
	slices.Sort(v)
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}

// best is the fastest of the others.
func (t *row) best() string {
	name := ""
	for _, c := range t.order {
		if c != ours && !strings.HasPrefix(c, "floor-") && !strings.HasPrefix(c, "limit-") && (name == "" || median(t.ns[c]) < median(t.ns[name])) {
			name = c
		}
	}
	return name
}

// targets are how many times as fast as which contender a stage shall be: "" is the
// best peer. From the design of record, section 5; sign is against go-binance.
var targets = map[string]struct {
	than  string
	ratio float64
}{
	"Decode/bookTicker": {"", 10}, "Decode/trade": {"", 10}, "Decode/depth20": {"", 7}, "Decode/depth100": {"", 7},
	"Book/spot": {"", 4}, "Book/usdm": {"", 4},
	"Frame/memory": {"gobwas-reused", 2},
	"Sign/hmac":    {"go-binance", 4},
}

// table prints a line per case: ours, the best peer, how many times as fast ours is,
// and below all the contenders.
func table(w io.Writer, rows []*row) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "stage\tours ns\tallocs\tbest peer\tns\tallocs\tratio\ttarget\t")
	for _, r := range rows {
		best := r.best()
		if r.ns[ours] == nil || best == "" {
			return fmt.Errorf("cannot compare %s: got contenders %v, want %s and others", r.name, r.order, ours)
		}
		mine, other := median(r.ns[ours]), median(r.ns[best])
		want := "-"
		if g, ok := targets[r.name]; ok {
			than := best
			if g.than != "" {
				than = g.than
			}
			if r.ns[than] == nil {
				return fmt.Errorf("cannot compare %s: its target is against %s, which did not run", r.name, than)
			}
			got := median(r.ns[than]) / mine
			mark := "missed"
			if got >= g.ratio {
				mark = "met"
			}
			want = fmt.Sprintf("%gx %s: %.1fx, %s", g.ratio, than, got, mark)
		}
		fmt.Fprintf(t, "%s\t%.1f\t%.2g\t%s\t%.1f\t%.2g\t%.2fx\t%s\t\n", r.name, mine, r.mem[ours], best, other, r.mem[best], other/mine, want)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w)
	for _, r := range rows {
		fmt.Fprintf(w, "%s:", r.name)
		for _, c := range r.order {
			fmt.Fprintf(w, " %s %.1f ns", c, median(r.ns[c]))
		}
		fmt.Fprintln(w)
	}
	return nil
}
