package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"riposte/bench"
	"riposte/bench/history"
)

type cli struct {
	Bench     string        `default:"." help:"Which contests of bench/peers, a regular expression. What it leaves out is shown as not measured."`
	BenchTime time.Duration `name:"benchtime" default:"100ms" help:"Time of each run."`
	Count     int           `default:"5" help:"Runs of each; the median counts."`
	Keep      bool          `default:"true" negatable:"" help:"Keep the output in bench/history."`
	From      []string      `type:"existingfile" help:"Measure nothing: the table of these kept outputs, as rounds of one run."`
}

// program is one of the two test programs.
type program struct {
	name string // in keys of results
	dir  string // under bench
	path string // of the built program
	args []string
}

// Run compares.
func (c *cli) Run() (err error) {
	if len(c.From) > 0 {
		return again(os.Stdout, c.From)
	}
	if c.Count < 1 || c.BenchTime <= 0 {
		return fmt.Errorf("cannot compare: got %d runs of %v, want at least one run of some time", c.Count, c.BenchTime)
	}
	root, err := bench.Root()
	if err != nil {
		return err
	}
	load := history.LoadAverage() // before the compiler makes its own
	var keep *history.File
	if c.Keep {
		keep, err = history.Create("compare", false, []string{"make", "compare", fmt.Sprintf("COUNT=%d", c.Count), "BENCHTIME=" + c.BenchTime.String()})
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, keep.Close(err == nil)) }()
	}
	tmp, err := os.MkdirTemp("", "compare-*")
	if err != nil {
		return fmt.Errorf("cannot compare: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	programs := []*program{
		{name: "bench", dir: "bench", args: []string{"-test.bench", pattern(rows, "bench")}},
		{name: "peers", dir: filepath.Join("bench", "peers"), args: []string{"-test.bench", c.Bench}},
	}
	for _, p := range programs {
		if err := p.build(root, tmp); err != nil {
			return err
		}
	}
	var out bytes.Buffer
	results, err := c.rounds(root, programs, &out)
	if err != nil {
		return err
	}
	head := fmt.Sprintf("machine: %s\nload: %s before, %s after%s\nruns: %d of %v each\n", bench.ThisMachine(), load, history.LoadAverage(), disturbed(load), c.Count, c.BenchTime)
	for _, corpus := range results.corpus {
		head += "corpus " + corpus + "\n"
	}
	head += "\n"
	if err := print(os.Stdout, head, results); err != nil || keep == nil {
		return err
	}
	if err := print(keep, head, results); err != nil {
		return err
	}
	_, err = fmt.Fprintf(keep, "\n%s", out.Bytes())
	return err
}

// loadQuiet is the load, over the last minute, at which a machine still counts as at
// rest: make and go run are at work themselves.
const loadQuiet = 1.0

// disturbed says so where the run began at a load that leaves its mark.
func disturbed(load string) string {
	var now float64
	if _, err := fmt.Sscan(load, &now); err != nil || now <= loadQuiet {
		return ""
	}
	return "\nDISTURBED: others were at work when this began; what needs two processors at once (ring, order) means little\nhere, and slow contenders look slower than they are, for their passes are longer"
}

// rounds runs both programs by turns, the first of them first in every other round.
func (c *cli) rounds(root string, programs []*program, out *bytes.Buffer) (*results, error) {
	all := newResults()
	for round := range c.Count {
		for i := range programs {
			p := programs[(i+round)%len(programs)]
			fmt.Fprintf(out, roundLine+"\n", round+1, c.Count, p.name)
			fmt.Fprintf(os.Stderr, "round %d of %d, %s ", round+1, c.Count, p.name)
			text, err := p.run(root, c.BenchTime, round)
			out.Write(text)
			fmt.Fprintln(os.Stderr)
			if err != nil {
				return nil, fmt.Errorf("cannot compare: %s: %w\n%s", p.name, err, text)
			}
			if err := all.add(p.name, text); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

func (p *program) build(root, tmp string) error {
	p.path = filepath.Join(tmp, p.name+".test")
	cmd := exec.Command("go", "test", "-c", "-o", p.path, ".")
	cmd.Dir = filepath.Join(root, p.dir)
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot build %s: %w\n%s", p.name, err, text)
	}
	return nil
}

func (p *program) run(root string, each time.Duration, round int) ([]byte, error) {
	args := append([]string{"-test.run", "^$", "-test.benchmem", "-test.benchtime", each.String(), "-test.timeout", "20m"}, p.args...)
	if p.name == "peers" {
		args = append(args, "-round", fmt.Sprint(round))
	}
	var out bytes.Buffer
	cmd := exec.Command(p.path, args...)
	cmd.Dir = filepath.Join(root, p.dir)
	// One writer for both, so that they come through one pipe and not at once.
	both := io.MultiWriter(&out, dots{os.Stderr})
	cmd.Stdout, cmd.Stderr = both, both
	err := cmd.Run()
	return out.Bytes(), err
}

// again prints the table of kept outputs, say after a target has changed.
func again(w io.Writer, files []string) error {
	all := newResults()
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		if err := all.read(text); err != nil {
			return fmt.Errorf("cannot take %s: %w", f, err)
		}
	}
	return print(w, "from: "+strings.Join(files, ", ")+"\n\n", all)
}

// dots shows that something is going on.
type dots struct{ w io.Writer }

func (d dots) Write(p []byte) (int, error) {
	_, err := io.WriteString(d.w, strings.Repeat(".", bytes.Count(p, []byte{'\n'})))
	return len(p), err
}

func main() {
	var c cli
	k := kong.Parse(&c, kong.Name("compare"), kong.Description("The same work by riposte and by others."))
	k.FatalIfErrorf(k.Run())
}
