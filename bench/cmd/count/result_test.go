package main

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"riposte/bench/callgrind"
)

func part(name string, n uint64) callgrind.Part {
	return callgrind.Part{Name: name, Instructions: n, Functions: map[string]uint64{"f": n - n/3, "g": n / 3}}
}

func run3(t *testing.T) *result {
	t.Helper()
	r, err := collect([]callgrind.Part{
		part("key go1.26.8 linux/amd64 avx2", 0),
		part("book 100", 33_401), part("book 100", 33_400), part("book 100", 33_900),
		part("gate 10", 6_570), part("gate 10", 6_570),
		{Name: ""},
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAStageCountsAsItsLeastPass(t *testing.T) {
	r := run3(t)
	if r.key != "go1.26.8 linux/amd64 avx2" || len(r.stages) != 2 || r.stages[0].perItem() != 334 || r.stages[1].perItem() != 657 {
		t.Fatalf("got key %q and %+v, want book at 334 and gate at 657 per item", r.key, r.stages)
	}
	if s := r.stages[0].spread(); s < 1.49 || s > 1.5 {
		t.Fatalf("got a spread of %v %%, want 1.497", s)
	}
}

func TestCompareNamesEveryStageThatIsOff(t *testing.T) {
	for _, c := range []struct {
		name      string
		committed map[string]float64
		want      []string // of the error; none: no error
	}{
		{"all within 3 %", map[string]float64{"book": 325, "gate": 675}, nil},
		{"one 5 % up", map[string]float64{"book": 318, "gate": 657}, []string{"stage book: 334.00 instructions per item, committed are 318.00: 5.03 % more"}},
		{"one down", map[string]float64{"book": 334, "gate": 700}, []string{"stage gate: 657.00 instructions per item, committed are 700.00: 6.14 % fewer"}},
		{"both", map[string]float64{"book": 1, "gate": 1}, []string{"stage book", "stage gate"}},
		{"one is new", map[string]float64{"book": 334}, []string{"stage gate: 657.00 instructions per item, no figure is committed"}},
		{"one is gone", map[string]float64{"book": 334, "gate": 657, "sign": 1}, []string{"stage sign has a committed figure and was not counted"}},
	} {
		err := run3(t).compare(c.committed, 3)
		if len(c.want) == 0 && err != nil {
			t.Errorf("%s: got %v, want no error", c.name, err)
		}
		for _, w := range c.want {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("%s: got %v, want an error with %q", c.name, err, w)
			}
		}
	}
}

func TestAPartialRunLeavesOtherFiguresAlone(t *testing.T) {
	r := run3(t)
	r.only = "o"
	r.stages = r.stages[:1]
	former := map[string]float64{"book": 1, "gone": 2, "gate": 3}
	if got, want := r.merge(former), map[string]float64{"book": 334, "gate": 3}; !reflect.DeepEqual(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	if err := r.compare(map[string]float64{"book": 334, "gate": 1}, 3); err != nil {
		t.Fatalf("got %v for stages that were not asked for, want no error", err)
	}
}

func TestFiguresAreWhatWasWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "count.json")
	none, err := readFigures(file)
	if err != nil || len(none) != 0 {
		t.Fatalf("got %v and %v without a file, want no figures", none, err)
	}
	want := figures{"go1": {"book": 33.25}, "go2": {"book": 30}}
	if err := want.write(file); err != nil {
		t.Fatal(err)
	}
	if got, err := readFigures(file); err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("got %v and %v, want %v", got, err, want)
	}
}

func TestCollectRefusesDumpsThatAreNoStages(t *testing.T) {
	for name, parts := range map[string][]callgrind.Part{
		"no key":          {part("book 10", 30)},
		"no stage":        {part("key k", 0)},
		"no items":        {part("key k", 0), part("book", 30)},
		"no instructions": {part("key k", 0), part("book 10", 0)},
	} {
		if r, err := collect(parts); err == nil {
			t.Errorf("%s: got %+v, want an error", name, r)
		}
	}
}

func TestTheTableHasBothFiguresAndTheHeaviestFunctions(t *testing.T) {
	var out strings.Builder
	run3(t).print(&out, map[string]float64{"book": 318}, 1)
	for _, want := range []string{"318.00  +5.03 %", "334.00", "f  "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("got\n%s\nwant %q in it", out.String(), want)
		}
	}
	if n := strings.Count(out.String(), "66.7 %"); n != 2 {
		t.Errorf("got\n%s\nwant the heaviest function of both stages, which has two thirds", out.String())
	}
}
