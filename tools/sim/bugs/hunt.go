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
	"strconv"
	"time"
)

// The simulation is a test of the assembly, because only there the rooms meet: its binary
// is built once for each bug, and run again and again with other seeds.
const (
	simPackage = "./tools/riposte/app"
	simTest    = "^TestSim" // all of them: also those that are no seeds may find a bug
	seedsTest  = "^TestSimSeeds$"
	seedsVar   = "RIPOSTE_SIM_SEEDS" // "first+count"

	defaultLimit = 20 * time.Minute
)

// violation is how the simulation says what it has found: one line, in its test's output.
var violation = regexp.MustCompile(`(?m)violated: seed (\d+) (P\d+)[ :]+(.*)$`)

// hunter builds and runs.
type hunter struct {
	root  string
	seeds int
	batch int
	limit time.Duration
	log   io.Writer
}

// catch is what became of one bug.
type catch struct {
	Bug      string   `json:"bug"`
	Expected []string `json:"expected"`
	Found    bool     `json:"found"`
	Promise  string   `json:"promise,omitempty"`
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
	if text, err := h.go_(ctx, nil, "build", "-overlay", over, "./core/...", "./feed/...", "./exec/...", "./tools/store", simPackage); err != nil {
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
	binary := filepath.Join(dir, "sim.test")
	if text, err := h.go_(ctx, nil, "test", "-c", "-vet=off", "-overlay", over, "-o", binary, simPackage); err != nil {
		c.Error = fmt.Sprintf("does not build: %s", text)
		return c
	}
	for c.Seeds < seeds && ctx.Err() == nil {
		n := min(h.batch, seeds-c.Seeds)
		text, err := h.simulate(ctx, binary, c.Seeds, n)
		if err == nil {
			c.Seeds += n
			continue
		}
		if ctx.Err() != nil {
			break
		}
		c.read(text, c.Seeds, n)
		return c
	}
	return c
}

// simulate runs seeds first+1 to first+count.
func (h *hunter) simulate(ctx context.Context, binary string, first, count int) (string, error) {
	cmd := exec.CommandContext(ctx, binary, "-test.run", seedsTest, "-test.timeout", h.limit.String())
	cmd.Dir = h.path(simPackage)
	cmd.Env = append(os.Environ(), seedsVar+"="+strconv.Itoa(first+1)+"+"+strconv.Itoa(count))
	text, err := cmd.CombinedOutput()
	return string(text), err
}

// read takes what the simulation said when it failed.
func (c *catch) read(text string, first, count int) {
	c.Found, c.Promise, c.Seeds = true, "crash", first+count
	m := violation.FindStringSubmatch(text)
	if m == nil {
		c.Text = clip(text, 200)
		return
	}
	c.Seed, _ = strconv.ParseUint(m[1], 10, 64)
	c.Promise, c.Text = m[2], m[3]
	c.Seeds = int(c.Seed)
}

func (h *hunter) go_(ctx context.Context, env []string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Env = h.root, append(os.Environ(), env...)
	text, err := cmd.CombinedOutput()
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return "took too long", ctx.Err()
	}
	return string(text), err
}
