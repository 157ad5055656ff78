// Count counts the instructions of every stage's work on a fixed corpus, by
// valgrind's callgrind, and holds them against the committed figures. Unlike times,
// counts do not know what else the machine is doing: the same program on the same
// input gives the same count, on any machine that looks alike to valgrind.
//
//	go run ./bench/cmd/count             fails if a stage is off by more than 3 %
//	go run ./bench/cmd/count --update    writes the figures down
//	go run ./bench/cmd/count --only decode/depth100/fast --top 10
//
// What is counted is TestCountedStages in package bench. Figures hold for one Go
// version and one set of processor features, as valgrind shows them; without figures
// for those the program says so and passes, because nothing can be said.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"riposte/bench"
	"riposte/bench/callgrind"
)

type cli struct {
	Update  bool    `help:"Write the figures down instead of comparing."`
	Only    string  `help:"Count only stages whose name has this in it; nothing is compared that was not counted." placeholder:"TEXT"`
	Top     int     `help:"Show so many functions of each stage, by their own instructions."`
	Percent float64 `default:"3" help:"How far a stage may be off its figure, either way."`
	Figures string  `default:"bench/testdata/count.json" help:"File of committed figures, from the repository's top."`
}

// Run counts and compares.
func (c *cli) Run() error {
	root, err := bench.Root()
	if err != nil {
		return err
	}
	file := filepath.Join(root, c.Figures)
	all, err := readFigures(file)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "count")
	if err != nil {
		return fmt.Errorf("cannot count: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	start := time.Now()
	parts, err := run(root, dir, c.Only)
	if err != nil {
		return err
	}
	r, err := collect(parts)
	if err != nil {
		return err
	}
	r.only = c.Only
	fmt.Printf("counted %d stages in %v: instructions per item, valgrind (no AVX-512, no SHA-NI: the roads for lesser processors)\n%s\n",
		len(r.stages), time.Since(start).Round(time.Second), r.key)
	committed, known := all[r.key]
	r.print(os.Stdout, committed, c.Top)
	switch {
	case c.Update:
		all[r.key] = r.merge(committed)
		if err := all.write(file); err != nil {
			return err
		}
		fmt.Printf("written to %s\n", c.Figures)
		return nil
	case !known:
		fmt.Printf("\nWARNING: NOTHING WAS COMPARED. %s has no figures for\n  %s\nbut for\n  %s\nmake count UPDATE=1 adds these.\n",
			c.Figures, r.key, strings.Join(all.keys(), "\n  "))
		return nil
	}
	return r.compare(committed, c.Percent)
}

// run builds the stages and runs them under valgrind.
func run(root, dir, only string) ([]callgrind.Part, error) {
	valgrind, err := exec.LookPath("valgrind")
	if err != nil {
		return nil, fmt.Errorf("cannot count: valgrind is not installed (apt-get install valgrind): %w", err)
	}
	binary, out := filepath.Join(dir, "stages"), filepath.Join(dir, "callgrind.out")
	build := exec.Command("go", "test", "-c", "-trimpath", "-o", binary, "./bench")
	build.Dir = root
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOAMD64=v1")
	if text, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("cannot count: the stages do not build: %w\n%s", err, text)
	}
	cmd := exec.Command(valgrind, "--tool=callgrind", "--instr-atstart=no", "--collect-atstart=no", "--combine-dumps=yes",
		"--callgrind-out-file="+out, binary, "-test.run=^TestCountedStages$", "-test.timeout=10m", "-count.only="+only)
	cmd.Dir = filepath.Join(root, "bench")
	// Nothing may run beside or between: one processor, no collector, no preemption.
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1", "GOGC=off", "GOMEMLIMIT=off", "GODEBUG=asyncpreemptoff=1")
	var text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &text, &text
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("cannot count: the stages failed under valgrind: %w\n%s", err, &text)
	}
	f, err := os.Open(out)
	if err != nil {
		return nil, fmt.Errorf("cannot count: valgrind wrote nothing: %w", err)
	}
	defer f.Close()
	parts, err := callgrind.Read(bufio.NewReaderSize(f, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("cannot count: %w", err)
	}
	return parts, nil
}

func main() {
	var c cli
	k := kong.Parse(&c, kong.Name("count"), kong.Description("Count every stage's instructions and compare them with the committed figures."))
	k.FatalIfErrorf(k.Run())
}
