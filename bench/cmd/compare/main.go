// Compare does the same work by riposte and by others, on the same bytes in one run,
// and prints one table with ratios. The raw output and the table go to bench/history.
//
//	make compare
package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/alecthomas/kong"

	"riposte/bench"
	"riposte/bench/history"
)

type cli struct {
	Bench     string        `default:"." help:"Which benchmarks, a regular expression."`
	BenchTime time.Duration `name:"benchtime" default:"300ms" help:"Time of each run."`
	Count     int           `default:"3" help:"Runs of each; the median counts."`
	Keep      bool          `default:"true" negatable:"" help:"Keep the output in bench/history."`
}

// Run compares.
func (c *cli) Run() (err error) {
	root, err := bench.Root()
	if err != nil {
		return err
	}
	args := []string{"test", "-run", "^$", "-bench", c.Bench, "-benchmem", "-benchtime", c.BenchTime.String(),
		"-count", fmt.Sprint(c.Count), "-timeout", "60m", "."}
	var out bytes.Buffer
	var keep io.Writer = &out
	if c.Keep {
		f, err := history.Create("compare", false, append([]string{"go"}, args...))
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, f.Close(err == nil)) }()
		keep = io.MultiWriter(&out, f)
		defer func() {
			if err == nil {
				err = print(f, &out)
			}
		}()
	}
	cmd := exec.Command("go", args...)
	cmd.Dir = filepath.Join(root, "bench", "peers")
	cmd.Stdout, cmd.Stderr = io.MultiWriter(keep, dots{os.Stderr}), os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("cannot compare: %w\n%s", err, out.Bytes())
	}
	fmt.Fprintf(os.Stderr, "\n")
	fmt.Printf("machine: %s\n", bench.ThisMachine())
	return print(os.Stdout, &out)
}

// dots shows that something is going on.
type dots struct{ w io.Writer }

func (d dots) Write(p []byte) (int, error) {
	_, err := d.w.Write(bytes.Repeat([]byte{'.'}, bytes.Count(p, []byte{'\n'})))
	return len(p), err
}

func print(w io.Writer, out *bytes.Buffer) error {
	rows, err := parse(out.Bytes())
	if err != nil {
		return err
	}
	cases := map[string]*row{}
	for _, r := range rows {
		t := cases[r.name]
		if t == nil {
			t = &row{name: r.name}
			cases[r.name] = t
		}
		t.add(r)
	}
	list := slices.SortedFunc(maps.Values(cases), func(a, b *row) int { return cmp.Compare(a.name, b.name) })
	return table(w, list)
}

func main() {
	var c cli
	k := kong.Parse(&c, kong.Name("compare"), kong.Description("The same work by riposte and by others."))
	k.FatalIfErrorf(k.Run())
}
