package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// bug is one planted mistake. In its file it reads
//
//	bug fills-counted-twice
//	from nautilus_trader#3046: the same trade by stream and by answer moved the position twice
//	fault U3
//	caught P8 P9
//	file exec/evidence.go
//	 		t.Stats.Duplicates++
//	-		fill = false
//	 	}
//
// and ends at the next or at an empty line. Below file stand whole lines of it: " " those
// that stay, "-" those that go, "+" those that come. They must be found exactly once.
// A bug may have several changes, of one file too; lines that begin with # are for people.
//
// Two more lines are for what the whole swarm of seeds would find too seldom or not at all:
//
//	swarm dark session
//	test ./exec TestTheDeadManWorksAgain
//	why the venue of the simulation never ...
//
// With the first its seeds draw these classes of fault only. A bug with a test is not
// hunted with the simulation, for the reason told: it is caught if that test, run on the
// planted source, fails.
type bug struct {
	name   string
	from   string   // thread or incident, and what went wrong there
	faults []string // rows of the fault matrix that it takes to show, "none": any run does
	caught []string // promises that should catch it
	swarm  []string // classes of fault that its seeds draw, none: as always
	tests  []test
	why    string // it is not caught by the simulation
	edits  []edit
}

// test names one test of the tree.
type test struct{ pkg, name string }

// edit is one change of one file.
type edit struct {
	file     string // from the module's root, with slashes
	old, new []string
}

// readBugs reads all files of a folder.
func readBugs(dir string) ([]bug, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil || len(names) == 0 {
		return nil, fmt.Errorf("cannot read planted bugs: found no file in %s: %w", dir, err)
	}
	var all []bug
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("cannot read planted bugs: %w", err)
		}
		list, err := parseBugs(string(text))
		if err != nil {
			return nil, fmt.Errorf("cannot read planted bugs in %s: %w", filepath.Base(name), err)
		}
		all = append(all, list...)
	}
	for i := range all {
		if at := slices.IndexFunc(all, func(b bug) bool { return b.name == all[i].name }); at != i {
			return nil, fmt.Errorf("cannot read planted bugs: found %s twice", all[i].name)
		}
	}
	return all, nil
}

func parseBugs(text string) (list []bug, err error) {
	var b *bug
	fail := func(line int, format string, args ...any) error {
		return fmt.Errorf("line %d: %s", line+1, fmt.Sprintf(format, args...))
	}
	lines := strings.Split(text, "\n")
	for n, line := range lines {
		word, rest, _ := strings.Cut(line, " ")
		switch {
		case strings.HasPrefix(line, "#"):
		case line == "":
			b = nil
		case word == "bug":
			list = append(list, bug{name: rest})
			b = &list[len(list)-1]
		case b == nil:
			return nil, fail(n, "found %q, want a bug", line)
		case word == "from":
			b.from = rest
		case word == "fault":
			b.faults = strings.Fields(rest)
		case word == "caught":
			b.caught = strings.Fields(rest)
		case word == "swarm":
			b.swarm = strings.Fields(rest)
		case word == "test":
			pkg, name, _ := strings.Cut(rest, " ")
			b.tests = append(b.tests, test{pkg, name})
		case word == "why":
			b.why = rest
		case word == "file":
			b.edits = append(b.edits, edit{file: rest})
		case strings.ContainsAny(line[:1], " -+") && len(b.edits) > 0:
			e := &b.edits[len(b.edits)-1]
			if line[0] != '+' {
				e.old = append(e.old, line[1:])
			}
			if line[0] != '-' {
				e.new = append(e.new, line[1:])
			}
		default:
			return nil, fail(n, "found %q, want from, fault, caught, swarm, test, why, file or a line of one", line)
		}
	}
	for i := range list {
		if err := list[i].check(); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (b *bug) check() error {
	switch {
	case b.name == "" || strings.Trim(b.name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "":
		return fmt.Errorf("found the name %q, want small letters, digits and -", b.name)
	case !strings.Contains(b.from, ": "):
		return fmt.Errorf("%s is from %q, want a source, a colon and what went wrong there", b.name, b.from)
	case len(b.caught) == 0 || len(b.faults) == 0:
		return fmt.Errorf("%s does not say what should catch it, or under which faults", b.name)
	case len(b.tests) > 0 != (b.why != ""):
		return fmt.Errorf("%s has %d tests and %q for why the simulation does not catch it, want both or none", b.name, len(b.tests), b.why)
	case slices.ContainsFunc(b.tests, func(t test) bool { return !strings.HasPrefix(t.pkg, "./") || !strings.HasPrefix(t.name, "Test") }):
		return fmt.Errorf("%s has the tests %q, want each as ./package TestName", b.name, b.tests)
	case len(b.edits) == 0:
		return fmt.Errorf("%s changes nothing", b.name)
	}
	for i := range b.edits {
		if e := &b.edits[i]; len(e.old) == 0 || slices.Equal(e.old, e.new) {
			return fmt.Errorf("%s changes nothing in %s", b.name, e.file)
		}
	}
	return nil
}
