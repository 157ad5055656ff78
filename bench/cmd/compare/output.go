package main

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// results are all runs by key: the program, a colon and the benchmark's name without
// "Benchmark" and without the number of processors, as in
// "peers:Decode/trade/fastjson".
type results struct {
	order  []string
	runs   map[string][]figures
	notes  []string // what contenders said of themselves, each once
	corpus []string // what it was measured on
}

// figures are one run's metrics by unit.
type figures map[string]float64

// typify makes the median pass the figure where a program gives it beside the mean,
// as that of the stages does; what was derived from the mean follows.
func (f figures) typify() {
	typical, ok := f["typical-ns/op"]
	mean := f["ns/op"]
	if !ok || typical == 0 || mean == 0 {
		return
	}
	f["mean-ns/op"], f["ns/op"] = mean, typical
	for _, unit := range []string{"MB/s", "M-items/s"} {
		if v, ok := f[unit]; ok {
			f[unit] = v * mean / typical
		}
	}
	if v, ok := f["ns/level"]; ok {
		f["ns/level"] = v * typical / mean
	}
}

func newResults() *results { return &results{runs: map[string][]figures{}} }

// add reads one program's output: lines "BenchmarkStage/case/contender-2 N v unit ...",
// "note: ..." and "corpus-name: ...". Other lines mean nothing here.
func (r *results) add(program string, text []byte) error {
	found := false
	sc := bufio.NewScanner(bytes.NewReader(text))
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		line := sc.Text()
		if note, ok := strings.CutPrefix(line, "note: "); ok {
			r.notes = once(r.notes, note)
			continue
		}
		if corpus, ok := strings.CutPrefix(line, "corpus-"); ok {
			r.corpus = once(r.corpus, corpus)
			continue
		}
		f := strings.Fields(line)
		if len(f) < 4 || !strings.HasPrefix(f[0], "Benchmark") {
			continue
		}
		run := figures{}
		for k := 2; k+1 < len(f); k += 2 {
			v, err := strconv.ParseFloat(f[k], 64)
			if err != nil {
				return fmt.Errorf("cannot read the output of %s: got %q where %q has a figure, want a number", program, f[k], line)
			}
			run[f[k+1]] = v
		}
		if _, ok := run["ns/op"]; !ok {
			return fmt.Errorf("cannot read the output of %s: got no ns/op in %q", program, line)
		}
		run.typify()
		key := program + ":" + benchmarkName(f[0])
		if r.runs[key] == nil {
			r.order = append(r.order, key)
		}
		r.runs[key] = append(r.runs[key], run)
		found = true
	}
	if err := sc.Err(); err != nil {
		return fmt.Errorf("cannot read the output of %s: %w", program, err)
	}
	if !found {
		return fmt.Errorf("cannot read the output of %s: got no benchmark lines in %d bytes", program, len(text))
	}
	return nil
}

// roundLine stands before one program's output of one round.
const roundLine = "-- round %d of %d, %s --"

// read takes the rounds of a kept output.
func (r *results) read(text []byte) error {
	program, from, at := "", 0, 0
	end := func(to int) error {
		if program == "" {
			return nil
		}
		return r.add(program, text[from:to])
	}
	for line := range bytes.Lines(text) {
		var n, of int
		var name string
		if k, err := fmt.Sscanf(string(line), strings.TrimSuffix(roundLine, " --"), &n, &of, &name); err == nil && k == 3 {
			if err := end(at); err != nil {
				return err
			}
			program, from = name, at+len(line)
		}
		at += len(line)
	}
	if program == "" {
		return errors.New("found no round in it")
	}
	return end(at)
}

func once(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// benchmarkName leaves out what go test puts around a name.
func benchmarkName(s string) string {
	s = strings.TrimPrefix(s, "Benchmark")
	if i := strings.LastIndexByte(s, '-'); i > 0 {
		if _, err := strconv.Atoi(s[i+1:]); err == nil {
			return s[:i]
		}
	}
	return s
}

// figure is what the runs of a benchmark come to in one unit.
type figure struct {
	median float64
	spread float64 // half the distance between the quartiles, as a part of the median
	runs   int
}

// get is the figure of a key, ok if it was measured.
func (r *results) get(key, unit string) (figure, bool) {
	var v []float64
	for _, run := range r.runs[key] {
		if x, ok := run[unit]; ok {
			v = append(v, x)
		}
	}
	if len(v) == 0 {
		return figure{}, false
	}
	slices.Sort(v)
	f := figure{median: quantile(v, 0.5), runs: len(v)}
	if f.median != 0 {
		f.spread = (quantile(v, 0.75) - quantile(v, 0.25)) / 2 / f.median
	}
	return f, true
}

// most is the largest value of any run.
func (r *results) most(key, unit string) (most float64) {
	for _, run := range r.runs[key] {
		most = max(most, run[unit])
	}
	return most
}

// quantile is the q-quantile of sorted values, between two of them by distance.
func quantile(v []float64, q float64) float64 {
	at := q * float64(len(v)-1)
	i := int(at)
	if i+1 == len(v) {
		return v[i]
	}
	return v[i] + (at-float64(i))*(v[i+1]-v[i])
}

// match are the keys of a contest in the order in which they came first, by its
// name: "peers:Decode/trade" has "peers:Decode/trade/fastjson" and others.
func (r *results) match(name string) (keys []string) {
	for _, key := range r.order {
		if i := strings.LastIndexByte(key, '/'); i > 0 && key[:i] == name {
			keys = append(keys, key)
		}
	}
	return keys
}

// contender is the last part of a key.
func contender(key string) string { return key[strings.LastIndexByte(key, '/')+1:] }

// The kinds of contender, by name; see bench/peers.
const (
	ourName     = "riposte"
	floorPrefix = "floor-"
	limitPrefix = "limit-"
)

// isPeer reports whether a contender is somebody else's work: neither ours nor C of
// our own nor less than the work.
func isPeer(name string) bool {
	return name != ourName && !strings.HasPrefix(name, ourName+"-") && !strings.HasPrefix(name, floorPrefix) && !strings.HasPrefix(name, limitPrefix)
}

// sorted is a contest fastest first.
func sorted(all *results, name string) []string {
	keys := all.match(name)
	slices.SortStableFunc(keys, func(a, b string) int {
		x, _ := all.get(a, "ns/op")
		y, _ := all.get(b, "ns/op")
		return cmp.Compare(x.median, y.median)
	})
	return keys
}
