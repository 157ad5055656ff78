package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The simulation is a test of the assembly, because only there the rooms meet: its binary
// is built once for each bug, and run again and again with other seeds.
const (
	simPackage = "./tools/riposte/app"
	simTest    = "^TestSimulation$"

	defaultLimit = 30 * time.Minute
	// batchMost is how many seeds one process runs; the first ones run fewer, for most
	// bugs show soon.
	batchMost = 32
)

// How the simulation says what it has found, in its test's output.
var (
	broken  = regexp.MustCompile(`seed (\d+)\b[^\n]* breaks promises:\s*at [^:]+: ([A-Za-z0-9]+): (.*)`)
	differs = regexp.MustCompile(`seed (\d+): two runs differ(.*)`)
)

// hunter builds and runs.
type hunter struct {
	root  string
	seeds int
	limit time.Duration

	minutes float64
	sick    map[uint64]bool // seeds that break a promise without any bug: they prove nothing
	dir     string          // of binary
	binary  string          // the simulation without a bug
	log     io.Writer
}

// catch is what became of one bug.
type catch struct {
	Bug      string   `json:"bug"`
	Expected []string `json:"expected"`
	Found    bool     `json:"found"`
	Promise  string   `json:"promise,omitempty"`
	Test     string   `json:"test,omitempty"` // that failed, where it was no matter of the simulation
	Seed     uint64   `json:"seed"`
	Seeds    int      `json:"seeds"` // run until it was found, or in vain
	Text     string   `json:"text,omitempty"`
	Error    string   `json:"error,omitempty"`
	Seconds  float64  `json:"seconds"`
}

func (c catch) String() string {
	switch {
	case c.Error != "":
		return fmt.Sprintf("%s: %s", c.Bug, c.Error)
	case !c.Found:
		return fmt.Sprintf("%s: not found in %d seeds", c.Bug, c.Seeds)
	case c.Test != "":
		return fmt.Sprintf("%s: %s fails", c.Bug, c.Test)
	}
	return fmt.Sprintf("%s: %s after %d seeds (%d): %s", c.Bug, c.Promise, c.Seeds, c.Seed, c.Text)
}

func moduleRoot(at string) (string, error) {
	root, err := filepath.Abs(at)
	if err == nil {
		_, err = os.Stat(filepath.Join(root, "tools", "sim", "testdata", "bugs"))
	}
	if err != nil {
		return "", fmt.Errorf("cannot find the module: want -root, or to be called in its folder: %w", err)
	}
	return root, nil
}

func (h *hunter) path(name string) string { return filepath.Join(h.root, filepath.FromSlash(name)) }

// try only builds what the bug is in.
func (h *hunter) try(ctx context.Context, b *bug) (c catch) {
	c = catch{Bug: b.name, Expected: b.caught}
	dir, err := os.MkdirTemp("", "bug")
	if err != nil {
		c.Error = err.Error()
		return c
	}
	defer func() { _ = os.RemoveAll(dir) }()
	over, err := b.overlay(h.root, dir)
	if err != nil {
		c.Error = err.Error()
		return c
	}
	if text, err := h.golang(ctx, "build", "-overlay", over, "./core/...", "./feed/...", "./exec/...", "./tools/store", simPackage); err != nil {
		c.Error = fmt.Sprintf("does not build: %s", text)
	}
	return c
}

// hunt runs up to so many seeds with the bug, nil for the tree as it is.
func (h *hunter) hunt(ctx context.Context, b *bug, seeds int) (c catch) {
	begun := time.Now()
	defer func() { c.Seconds = time.Since(begun).Seconds() }()
	if b != nil {
		c.Bug, c.Expected = b.name, b.caught
	}
	ctx, cancel := context.WithTimeout(ctx, h.limit)
	defer cancel()
	dir, err := os.MkdirTemp("", "bug")
	if err != nil {
		c.Error = err.Error()
		return c
	}
	defer func() { _ = os.RemoveAll(dir) }()
	over, err := b.overlay(h.root, dir)
	if err != nil {
		c.Error = err.Error()
		return c
	}
	if b != nil && len(b.tests) > 0 {
		h.prove(ctx, b, over, &c)
		return c
	}
	var swarm []string
	if b != nil {
		swarm = b.swarm
	}
	binary := filepath.Join(dir, "sim.test")
	if text, err := h.golang(ctx, "test", "-c", "-vet=off", "-ldflags=-s -w", "-overlay", over, "-o", binary, simPackage); err != nil {
		c.Error = fmt.Sprintf("does not build: %s", text)
		return c
	}
	for batch := 1; c.Seeds < seeds && ctx.Err() == nil; batch = min(2*batch, batchMost) {
		n := min(batch, seeds-c.Seeds)
		text, err := h.simulate(ctx, binary, c.Seeds+1, c.Seeds+n, slices.Contains(c.Expected, "P23"), swarm)
		if err == nil {
			c.Seeds += n
			continue
		}
		if ctx.Err() != nil {
			break
		}
		sick := h.sick
		if len(swarm) > 0 {
			if sick, err = h.sickOf(ctx, text, swarm); err != nil {
				c.Error = err.Error()
				return c
			}
		}
		if c.read(text, sick) {
			return c
		}
		if !broken.MatchString(text) {
			c.Error = fmt.Sprintf("the simulation failed and what it said is not understood: %s", clip(text, 200))
			return c
		}
		c.Seeds += n
	}
	return c
}

// prove runs the tests that a bug names on the planted source: one of them must fail, and
// not for want of a build. That they pass without it is what the tree's own tests say.
func (h *hunter) prove(ctx context.Context, b *bug, over string, c *catch) {
	for _, t := range b.tests {
		text, err := h.golang(ctx, "test", "-vet=off", "-count=1", "-overlay", over, "-run", "^"+t.name+"$", t.pkg)
		if err != nil && failed(text, t.name) {
			c.Found, c.Test, c.Text = true, t.pkg+" "+t.name, b.why
			return
		}
		if err != nil {
			c.Error = fmt.Sprintf("%s of %s did not run: %s", t.name, t.pkg, clip(text, 200))
		} else if strings.Contains(text, "no tests to run") {
			c.Error = fmt.Sprintf("%s has no test %s", t.pkg, t.name)
		}
	}
}

// failed says whether a test's output tells that it failed, or ended its process.
func failed(text, name string) bool {
	return strings.Contains(text, "--- FAIL: "+name+" ") || crashed(text) != "" && !strings.Contains(text, "[build failed]")
}

// clean is the simulation without a bug, built once.
func (h *hunter) clean(ctx context.Context) (string, error) {
	if h.binary != "" {
		return h.binary, nil
	}
	dir, err := os.MkdirTemp("", "bug")
	if err != nil {
		return "", err
	}
	h.dir = dir
	binary := filepath.Join(dir, "sim.test")
	if text, err := h.golang(ctx, "test", "-c", "-vet=off", "-ldflags=-s -w", "-o", binary, simPackage); err != nil {
		return "", fmt.Errorf("the tree as it is does not build: %s", text)
	}
	h.binary = binary
	return binary, nil
}

// close takes away what it has built.
func (h *hunter) close() {
	if h.dir != "" {
		_ = os.RemoveAll(h.dir)
	}
}

// sickOf runs the seeds of a swarm that have found something once more without the bug,
// and says which find something all the same.
func (h *hunter) sickOf(ctx context.Context, text string, swarm []string) (map[uint64]bool, error) {
	binary, err := h.clean(ctx)
	if err != nil {
		return nil, err
	}
	sick := map[uint64]bool{}
	for _, m := range broken.FindAllStringSubmatch(text, -1) {
		seed, _ := strconv.ParseUint(m[1], 10, 31)
		if _, err := h.simulate(ctx, binary, int(seed), int(seed), false, swarm); err == nil {
			break
		}
		sick[seed] = true
	}
	return sick, ctx.Err()
}

// canary runs seeds with the tree as it is and says which break a promise.
func (h *hunter) canary(ctx context.Context, seeds int) (sick map[uint64]bool, report string, err error) {
	binary, err := h.clean(ctx)
	if err != nil {
		return nil, "", err
	}
	sick = map[uint64]bool{}
	text, err := h.simulate(ctx, binary, 1, seeds, false, nil)
	if err == nil {
		return sick, "", nil
	}
	for _, m := range broken.FindAllStringSubmatch(text, -1) {
		seed, _ := strconv.ParseUint(m[1], 10, 64)
		sick[seed] = true
		report += fmt.Sprintf("seed %d: %s: %s\n", seed, m[2], clip(m[3], 120))
	}
	if len(sick) == 0 {
		return nil, "", fmt.Errorf("the tree as it is: %s", crashed(text))
	}
	return sick, report, ctx.Err()
}

// simulate runs seeds.
func (h *hunter) simulate(ctx context.Context, binary string, from, to int, twice bool, swarm []string) (string, error) {
	cmd := exec.CommandContext(ctx, binary, "-test.run", simTest, "-test.timeout", "0", fmt.Sprintf("-sim.seeds=%d:%d", from, to),
		fmt.Sprintf("-sim.minutes=%g", h.minutes), fmt.Sprintf("-sim.twice=%v", twice), "-sim.only="+strings.Join(swarm, ","))
	cmd.Dir = h.path(simPackage)
	text, err := cmd.CombinedOutput()
	return string(text), err
}

// read takes what the simulation said when it failed; false if that means nothing.
func (c *catch) read(text string, sick map[uint64]bool) bool {
	for _, m := range broken.FindAllStringSubmatch(text, -1) {
		seed, _ := strconv.ParseUint(m[1], 10, 64)
		if !sick[seed] {
			c.Found, c.Seed, c.Seeds, c.Promise, c.Text = true, seed, int(seed), m[2], m[3]
			return true
		}
	}
	if m := differs.FindStringSubmatch(text); m != nil {
		c.Found, c.Promise, c.Text = true, "P23", "two runs differ"
		c.Seed, _ = strconv.ParseUint(m[1], 10, 64)
		c.Seeds = int(c.Seed)
		return true
	}
	if why := crashed(text); why != "" {
		c.Found, c.Promise, c.Text = true, "crash", why
		c.Seeds++
		return true
	}
	return false
}

// crashed is the line of an output that says why it ended before its time, "" if it did
// not.
func crashed(text string) string {
	for _, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(line, "panic:") || strings.HasPrefix(line, "fatal error:") {
			return line
		}
	}
	return ""
}

func (h *hunter) golang(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = h.root
	text, err := cmd.CombinedOutput()
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return "took too long", ctx.Err()
	}
	return string(text), err
}
