// Package history keeps raw benchmark outputs, one file per day, commit and name,
// each with the machine it came from. README.md says how to compare them.
package history

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"riposte/bench"
)

// File is an output being written. Until Close it has another name, so that the
// history holds only whole outputs.
type File struct {
	f    *os.File
	name string
}

var plain = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)

// Create begins an output: bench/history/<date>-<commit>-<name>.txt with a header.
// more keeps what the file holds already and goes on behind it.
func Create(name string, more bool, command []string) (*File, error) {
	root, err := bench.Root()
	if err != nil {
		return nil, err
	}
	return create(filepath.Join(root, "bench", "history"), name, more, command)
}

func create(dir, name string, more bool, command []string) (*File, error) {
	if !plain.MatchString(name) {
		return nil, fmt.Errorf("cannot keep the output: name is %q, want small letters, digits and hyphens", name)
	}
	m := bench.ThisMachine()
	path := filepath.Join(dir, fmt.Sprintf("%s-%s-%s.txt", m.Date[:len("2006-01-02")], m.Commit, name))
	var before []byte
	if more {
		var err error
		if before, err = os.ReadFile(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("cannot keep the output: %w", err)
		}
	}
	f, err := os.Create(path + ".tmp")
	if err != nil {
		return nil, fmt.Errorf("cannot keep the output: %w", err)
	}
	// benchstat takes "key: value" lines for configuration, so these travel with
	// the numbers into its tables.
	_, err = fmt.Fprintf(f, "%sdate: %s\ncommit: %s\nmachine: %s, %d CPUs\nkernel: %s\ngovernor: %s\nload: %s\ngo: %s\ngomaxprocs: %d\ncorpus: %s\ncommand: %s\n",
		before, m.Date, m.Commit, m.CPU, m.CPUs, m.Kernel, governor(), LoadAverage(), m.Go, m.GOMAXPROCS, corpus(), strings.Join(command, " "))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cannot keep the output: %w", err), f.Close(), os.Remove(f.Name()))
	}
	return &File{f: f, name: path}, nil
}

// LoadAverage is how many tasks wanted to run over the last minute, five and fifteen
// minutes, "unknown" where the kernel does not say. More than what is measured makes
// itself is a disturbed measurement.
func LoadAverage() string { return firstFields("/proc/loadavg", 3) }

// governor is how the kernel chooses the processor's clock, "unknown" mostly on
// virtual machines, whose host chooses.
func governor() string {
	return firstFields("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", 1)
}

func firstFields(path string, n int) string {
	text, err := os.ReadFile(path)
	if f := strings.Fields(string(text)); err == nil && len(f) >= n {
		return strings.Join(f[:n], " ")
	}
	return "unknown"
}

func corpus() string {
	if dir, err := bench.DataDir(); err != nil {
		return "written from a seed"
	} else if os.Getenv("RIPOSTE_DATA") != "" {
		return "recorded, " + filepath.Base(dir)
	}
	return "recorded"
}

// Write appends to the output.
func (f *File) Write(p []byte) (int, error) { return f.f.Write(p) }

// Close ends the output. keep says whether it is whole and worth keeping.
func (f *File) Close(keep bool) error {
	if err := f.f.Close(); err != nil || !keep {
		return errors.Join(err, os.Remove(f.f.Name()))
	}
	if err := os.Rename(f.f.Name(), f.name); err != nil {
		return fmt.Errorf("cannot keep the output: %w", err)
	}
	return nil
}
