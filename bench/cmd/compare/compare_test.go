package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"riposte/bench"
)

const peersOutput = `corpus-spot: recorded
goos: linux
note: Decode/trade/simdjson-go: panics: needs AVX2 and CLMUL
BenchmarkDecode/trade/riposte-2         	  1	       100.0 ns/op	  1000 MB/s	       0 B/op	       0 allocs/op
BenchmarkDecode/trade/fastjson-2        	  1	       900.0 ns/op	       0 B/op	       0 allocs/op
BenchmarkDecode/trade/jx-2              	  1	       700.0 ns/op	       0 B/op	       2 allocs/op
BenchmarkDecode/trade/floor-c-a-2       	  1	        90.0 ns/op	       0 B/op	       0 allocs/op
BenchmarkDecode/trade/floor-c-b-2       	  1	        50.0 ns/op	       0 B/op	       0 allocs/op
BenchmarkDecode/trade/limit-c-2         	  1	         5.0 ns/op	       0 B/op	       0 allocs/op
BenchmarkOther/case/riposte-2           	  1	         5.0 ns/op	       0 B/op	       0 allocs/op
BenchmarkOther/case/somebody-2          	  1	         4.0 ns/op	         3.5 cpu-ns/op	       0 B/op	       0 allocs/op
PASS
`

// three is three rounds of the same with ours at 100, 300 and 110 ns.
func three(t *testing.T) *results {
	t.Helper()
	all := newResults()
	for _, ns := range []string{"100.0", "300.0", "110.0"} {
		if err := all.add("peers", []byte(strings.Replace(peersOutput, "100.0", ns, 1))); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func tradeRow() row {
	return row{stage: "parse trade", ours: "peers:Decode/trade/riposte", match: "peers:Decode/trade",
		goals: []goal{{of: 1.25}, {times: 6}, {times: 7, than: "peers:Decode/trade/fastjson"}, {atMost: 120}, {allocs: true}, {unit: "MB/s", least: 1200, what: "MB/s"}}}
}

func TestFiguresAreMediansWithTheSpreadOfTheMiddleHalf(t *testing.T) {
	all := three(t)
	f, ok := all.get("peers:Decode/trade/riposte", "ns/op")
	// Of 100, 110 and 300 the quartiles are 105 and 205.
	if !ok || f.median != 110 || f.runs != 3 || f.spread < 0.454 || f.spread > 0.455 {
		t.Errorf("got %+v, %v, want median 110 of 3 runs, spread 50/110", f, ok)
	}
	if f, ok := all.get("peers:Decode/trade/jx", "ns/op"); !ok || f.median != 700 || f.spread != 0 {
		t.Errorf("got %+v, %v, want 700 without spread", f, ok)
	}
	if _, ok := all.get("peers:Decode/trade/jx", "cpu-ns/op"); ok {
		t.Error("got a figure in a unit that was not measured")
	}
	if got := quantile([]float64{1, 2}, 0.5); got != 1.5 {
		t.Errorf("got %v between 1 and 2, want 1.5", got)
	}
	if len(all.notes) != 1 || len(all.corpus) != 1 || all.corpus[0] != "spot: recorded" {
		t.Errorf("got notes %q, corpus %q, want one of each, once", all.notes, all.corpus)
	}
}

func TestRowsAreHeldAgainstBestPeerAndFastestFloor(t *testing.T) {
	l := judge(tradeRow(), three(t))
	if l.peer != "jx" || l.peerFigure.median != 700 || l.peerAllocs != 2 || l.floor != "floor-c-b" || l.floorFig.median != 50 {
		t.Errorf("got peer %s %+v, floor %s %+v, want jx at 700 and floor-c-b at 50: floors and limits are no peers", l.peer, l.peerFigure, l.floor, l.floorFig)
	}
	for i, want := range []string{
		"≤ 1.25× floor: 2.20×, missed",
		"≥ 6× best peer: 6.36×, met",
		"≥ 7× fastjson: 8.18×, met",
		"≤ 120 ns, absolute: 110, met",
		"no allocations: 0, met",
		"≥ 1200 MB/s, absolute: 1000, missed",
	} {
		if l.verdicts[i].text != want {
			t.Errorf("goal %d: got %q, want %q", i, l.verdicts[i].text, want)
		}
	}
}

func TestAFloorCanBeNamedByItsBeginning(t *testing.T) {
	all := three(t)
	for floor, want := range map[string]string{
		"peers:Decode/trade/limit-": "limit-c", "peers:Decode/trade/floor-c-a": "floor-c-a", "peers:Decode/trade/floor-": "floor-c-b",
	} {
		r := tradeRow()
		r.floor = floor
		if l := judge(r, all); l.floor != want || l.floorFig == nil {
			t.Errorf("%s: got %q, want %s", floor, l.floor, want)
		}
	}
}

func TestEachKindOfGoalCanBeMissed(t *testing.T) {
	all := three(t)
	r := tradeRow()
	r.ours = "peers:Decode/trade/jx"
	r.goals = []goal{{of: 1.25}, {times: 6}, {atMost: 120}, {allocs: true}}
	for i, v := range judge(r, all).verdicts {
		if v.outcome != missed || !strings.HasSuffix(v.text, ", missed") {
			t.Errorf("goal %d: got %q, want missed", i, v.text)
		}
	}
}

func TestWhatWasNotMeasuredIsShownAsMissing(t *testing.T) {
	all := three(t)
	r := tradeRow()
	r.ours = "bench:Decode/trade/general"
	r.goals = append(r.goals, goal{of: 3, than: "bench:Decode/trade/fast", what: "our fast path"}, goal{unit: "ns/level", atMost: 9, what: "ns a level"})
	l := judge(r, all)
	for i, v := range l.verdicts {
		if v.outcome != missing || !strings.HasSuffix(v.text, ": not measured") {
			t.Errorf("goal %d: got %q, want not measured", i, v.text)
		}
	}
	var b strings.Builder
	table(&b, []line{l, judge(row{stage: "nowhere", ours: "bench:No/such", match: "peers:No", floor: "peers:No/floor-x", goals: []goal{{times: 2}}}, all)})
	for _, want := range []string{"missing: no bench:Decode/trade/general", "jx 700 ±0%", "our fast path: not measured",
		"nowhere", "missing: no bench:No/such", "floor-x not measured", "≥ 2× best peer: not measured"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}

func TestReportHasEveryRowEveryContestAndEveryNote(t *testing.T) {
	var b strings.Builder
	if err := print(&b, "machine: x\n", three(t)); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	for _, r := range rows {
		if !strings.Contains(text, "\n"+r.stage+" ") {
			t.Errorf("no row %q in the report", r.stage)
		}
	}
	for _, want := range []string{
		"machine: x\n",
		"Decode/trade: limit-c 5 ±0%, floor-c-b 50 ±0%, floor-c-a 90 ±0%, riposte 110 ±45%, jx 700 ±0%, fastjson 900 ±0%\n",
		"Other/case: somebody 4 ±0% (CPU 3.5), riposte 5 ±0%\n", // no row is made of it
		"Decode/trade/simdjson-go: panics: needs AVX2 and CLMUL",
		"go-disruptor",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	sum := regexp.MustCompile(`Targets: (\d+) met, (\d+) missed, (\d+) not measured`).FindStringSubmatch(text)
	goals := 0
	for _, r := range rows {
		goals += len(r.goals)
	}
	var met, missed, missing int
	if sum == nil {
		t.Fatalf("no sum of targets in\n%s", text)
	}
	if _, err := fmt.Sscan(strings.Join(sum[1:], " "), &met, &missed, &missing); err != nil || met+missed+missing != goals || missing == 0 {
		t.Errorf("got %v, want %d targets in all, most of them not measured", sum[1:], goals)
	}
}

func TestTheMedianPassCountsWhereItIsGiven(t *testing.T) {
	all := newResults()
	if err := all.add("bench", []byte("BenchmarkReplay/both-2 1 200.0 ns/op 1000 MB/s 5.0 M-items/s 20 ns/level 160.0 typical-ns/op 0 allocs/op\n")); err != nil {
		t.Fatal(err)
	}
	for unit, want := range map[string]float64{"ns/op": 160, "mean-ns/op": 200, "MB/s": 1250, "M-items/s": 6.25, "ns/level": 16} {
		if f, ok := all.get("bench:Replay/both", unit); !ok || f.median != want {
			t.Errorf("%s: got %v, %v, want %v", unit, f.median, ok, want)
		}
	}
}

func TestTheTableCanBeMadeAgainOfWhatWasKept(t *testing.T) {
	kept := "date: x\n\nstage  ours\n\n-- round 1 of 2, bench --\nBenchmarkGate/approve-2 1 50.0 ns/op\nPASS\n-- round 1 of 2, peers --\n" + peersOutput +
		"-- round 2 of 2, peers --\n" + strings.Replace(peersOutput, "100.0", "120.0", 1) + "-- round 2 of 2, bench --\nBenchmarkGate/approve-2 1 60.0 ns/op\nPASS\n"
	path := filepath.Join(t.TempDir(), "kept.txt")
	if err := os.WriteFile(path, []byte(kept), 0o600); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := again(&b, []string{path}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"from: " + path, "gate, all controls", "55 ±5%", "riposte 110 ±5%", "≤ 60 ns, absolute: 55, met"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	for _, text := range []string{"", "date: x\n", "-- round 1 of 1, bench --\nPASS\n"} {
		if err := newResults().read([]byte(text)); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

func TestOutputThatCannotBeReadIsAnError(t *testing.T) {
	for _, text := range []string{"", "PASS\n", "BenchmarkA/b/c-2 1 5 MB/s\n", "BenchmarkA/b/c-2 1 x ns/op\n"} {
		if err := newResults().add("peers", []byte(text)); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

func TestNamesLoseTheNumberOfProcessorsOnly(t *testing.T) {
	for in, want := range map[string]string{
		"BenchmarkRing/batch16/riposte-2": "Ring/batch16/riposte", "BenchmarkDecode/trade/json-v2-16": "Decode/trade/json-v2",
		"BenchmarkDecode/trade/simdjson-go": "Decode/trade/simdjson-go",
	} {
		if got := benchmarkName(in); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}

// TestRowsNameBenchmarksThatExist looks into the sources, so that a benchmark that is
// renamed does not leave its row empty unnoticed.
func TestRowsNameBenchmarksThatExist(t *testing.T) {
	root, err := bench.Root()
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	for program, dir := range map[string]string{"bench": "bench", "peers": "bench/peers"} {
		files, err := filepath.Glob(filepath.Join(root, dir, "*_test.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("got no test files in %s (%v)", dir, err)
		}
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range regexp.MustCompile(`(?m)^func Benchmark(\w+)\(`).FindAllSubmatch(text, -1) {
				have[program+":"+string(m[1])] = true
			}
		}
	}
	for _, r := range rows {
		for _, key := range append([]string{r.ours, r.match, r.floor}, thans(r)...) {
			if top, _, _ := strings.Cut(key, "/"); key != "" && !have[top] {
				t.Errorf("%s: no benchmark %s", r.stage, key)
			}
		}
	}
}

func thans(r row) (out []string) {
	for _, g := range r.goals {
		out = append(out, g.than)
	}
	return out
}

func TestPatternAsksForEachBenchmarkOnce(t *testing.T) {
	got := pattern([]row{
		{ours: "bench:Gate/approve"}, {ours: "bench:Gate/approve", goals: []goal{{than: "bench:Decode/trade/fast"}, {than: "peers:X/y/z"}}},
		{ours: "peers:A/b/c", floor: "peers:A/b/floor"},
	}, "bench")
	if want := "^BenchmarkGate$/^approve$|^BenchmarkDecode$/^trade$/^fast$"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAFigureThatMissesByLittleShowsIt(t *testing.T) {
	for v, want := range map[float64]string{10.03: "10.03", 9.996: "10.00", 4.2: "4.20", 55: "55", 1345.4: "1345"} {
		if got := exact(v); got != want {
			t.Errorf("%v: got %s, want %s", v, got, want)
		}
	}
}

func TestALoadedMachineIsSaidToBeOne(t *testing.T) {
	for load, want := range map[string]bool{"0.10 0.20 3.00": false, "1.00 0 0": false, "7.20 1 1": true, "unknown": false} {
		if got := disturbed(load) != ""; got != want {
			t.Errorf("load %q: got %v, want %v", load, got, want)
		}
	}
}

func TestRunRefusesNothingToDo(t *testing.T) {
	for _, c := range []cli{{Count: 0, BenchTime: 1}, {Count: 1}} {
		if err := c.Run(); err == nil {
			t.Errorf("%+v was taken", c)
		}
	}
}
