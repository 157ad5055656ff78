package main_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The import table. A row is a package path within the module, or a tree where it
// ends in "/..."; the first that matches counts. may lists the packages and trees of
// ours that its code, tests aside, may import; "*" is anything. A package without
// a row is an error: a new room says where it stands.
var importTable = []struct {
	room string
	may  []string
}{
	{"core", nil},
	{"core/ring", []string{"core"}},
	{"core/book", []string{"core"}},
	{"core/signal", []string{"core"}},
	{"core/bar", []string{"core"}},
	{"core/trail", []string{"core", "core/bar"}},
	{"core/journal", []string{"core"}},
	{"core/airlock", []string{"core"}},
	{"core/fault", nil},                          // places at which a death is tried
	{"core/risk", []string{"core", "core/book"}}, // the gate judges the book's age and depth itself
	{"core/engine/...", []string{"core/..."}},
	{"core/strategy/...", []string{"core/..."}},
	{"feed/ws", nil},
	{"feed", []string{"core/...", "feed/ws"}},
	{"feed/alert", []string{"core", "core/airlock", "core/ring", "feed", "feed/ws"}},
	{"feed/binance", []string{"core", "core/bar", "core/book", "core/trail", "feed"}}, // a snapshot's body becomes a book.Image, a page of trades a trail.Answer
	{"exec", []string{"core/..."}},
	{"exec/binance", []string{"core", "exec"}},
	{"exec/guard", []string{"core"}},                 // nothing that could create an order
	{"tools/venue/...", []string{"tools/venue/..."}}, // writes the dialect a second time, so that it can catch our mistakes
	{"tools/sock", nil},
	{"tools/tape", []string{"core", "core/ring"}},
	{"tools/backtest", []string{"core/...", "feed", "feed/binance", "tools/tape"}},
	{"tools/backtest/page", []string{"core/...", "tools/backtest"}},
	{"tools/sim", []string{"core", "tools/venue/..."}},       // judges the engine and shares nothing with it but numbers
	{"tools/store/sql", []string{"core/...", "tools/store"}}, // nothing else but the assembly links SQLite
	{"tools/store", []string{"core/...", "exec"}},            // its files are what exec's Journal writes
	{"tools/console", []string{"core/..."}},
	{"tools/sim/oracle", nil}, // judges the engine, and so knows nothing of it
	{"tools/sim/bugs", nil},   // plants mistakes by their text alone
	{"tools/examples/mine", []string{"tools/examples/...", "tools/riposte/app"}},
	{"tools/examples/...", []string{"core/..."}}, // a user's own strategies
	{"tools/riposte/...", []string{"*"}},
	{"bench/...", []string{"*"}},
}

// neverTests holds for tests too: not even a test may join these rooms, the
// assembly's tests do.
var neverTests = []struct{ room, not string }{
	{"exec/...", "feed/..."},
	{"feed/...", "exec/..."},
	{"core/...", "feed/..."},
	{"core/...", "exec/..."},
}

// coreForbidden is what core's code, tests aside, may not import of the standard
// library: it does no I/O, does not log and has no chance of its own.
var coreForbidden = []string{"os", "os/...", "io/fs", "net", "net/...", "syscall", "log", "log/...", "math/rand", "math/rand/v2", "crypto/rand", "plugin"}

// coreMay lifts one import of coreForbidden for one file.
var coreMay = map[string]string{
	"core/sysclock.go": "os", // asks the kernel once by what it keeps time
}

// clockFiles may read the machine's clock beside tests; everyone else is handed a
// core.Clock. Trees end in "/...".
var clockFiles = []string{
	"core/sysclock.go",     // the one place where time enters the engine
	"exec/binance/rest.go", // cold: deadlines of net/http calls
	"tools/...",
	"bench/...",
}

const linesMax = 500

// source is one Go file of the module.
type source struct {
	name  string // from the module's root, with slashes
	text  []byte
	file  *ast.File
	fset  *token.FileSet
	lines int
}

func (s *source) room() string { return path.Dir(s.name) }
func (s *source) test() bool   { return strings.HasSuffix(s.name, "_test.go") }

// imports are the import paths with the name each has in the file.
func (s *source) imports() map[string]string {
	m := map[string]string{}
	for _, i := range s.file.Imports {
		p, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			continue
		}
		m[p] = path.Base(p)
		if i.Name != nil {
			m[p] = i.Name.Name
		}
	}
	return m
}

func parse(name string, text []byte) (*source, error) {
	s := &source{name: name, text: text, fset: token.NewFileSet(), lines: bytes.Count(text, []byte("\n"))}
	var err error
	s.file, err = parser.ParseFile(s.fset, name, text, parser.SkipObjectResolution)
	return s, err
}

// tree reads every Go file of the module that holds this test; modules within it,
// testdata and hidden folders are not part of it.
func tree(t *testing.T) []*source {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	var all []*source
	err = filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			_, nested := os.Stat(filepath.Join(p, "go.mod"))
			if p != root && (nested == nil || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".")) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(p, ".go") {
			return nil
		}
		text, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		s, err := parse(filepath.ToSlash(rel), text)
		all = append(all, s)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 100 || !slices.ContainsFunc(all, func(s *source) bool { return s.name == "core/clock.go" }) {
		t.Fatalf("found %d Go files below %s, want the whole module", len(all), root)
	}
	return all
}

// within reports whether name is the pattern, or lies in its tree if it ends in
// "/...".
func within(name, pattern string) bool {
	if root, ok := strings.CutSuffix(pattern, "/..."); ok {
		return name == root || strings.HasPrefix(name, root+"/")
	}
	return name == pattern || pattern == "*"
}

func withinAny(name string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return within(name, p) })
}

// importFaults holds one file against the import table.
func importFaults(s *source) (faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, s.name+" "+fmt.Sprintf(format, args...)) }
	row := slices.IndexFunc(importTable, func(r struct {
		room string
		may  []string
	}) bool {
		return within(s.room(), r.room)
	})
	if row < 0 {
		fault("is in a room without a row in the import table")
		return faults
	}
	for p := range s.imports() {
		ours, isOurs := strings.CutPrefix(p, "riposte/")
		switch {
		case isOurs && s.test():
			for _, n := range neverTests {
				if within(s.room(), n.room) && within(ours, n.not) {
					fault("imports %s, which not even a test of %s may", ours, n.room)
				}
			}
		case isOurs && ours != s.room() && !withinAny(ours, importTable[row].may):
			fault("imports %s, want one of %v", ours, importTable[row].may)
		case !isOurs && !s.test() && within(s.room(), "core/..."):
			if strings.Contains(strings.Split(p, "/")[0], ".") {
				fault("imports %s, want the standard library alone in core", p)
			}
			if withinAny(p, coreForbidden) && coreMay[s.name] != p {
				fault("imports %s: core does no I/O and has no chance of its own", p)
			}
		}
	}
	slices.Sort(faults)
	return faults
}

// houseFaults holds one file against the house rules.
func houseFaults(s *source) (faults []string) {
	fault := func(at token.Pos, format string, args ...any) {
		faults = append(faults, fmt.Sprintf("%s:%d %s", s.name, s.fset.Position(at).Line, fmt.Sprintf(format, args...)))
	}
	if s.lines > linesMax {
		faults = append(faults, fmt.Sprintf("%s has %d lines, want at most %d", s.name, s.lines, linesMax))
	}
	clock, inCore := s.imports()["time"], within(s.room(), "core/...") && !s.test()
	if clock == "." {
		fault(s.file.Pos(), "imports time as its own names, want them said in full")
	}
	var bubbles []ast.Node // calls whose time is their own
	ast.Inspect(s.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if f, ok := n.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "Test" {
				if pkg, ok := f.X.(*ast.Ident); ok && pkg.Name == s.imports()["testing/synctest"] {
					bubbles = append(bubbles, n)
				}
			}
		case *ast.SelectorExpr:
			pkg, ok := n.X.(*ast.Ident)
			if !ok || clock == "" || pkg.Name != clock {
				return true
			}
			switch n.Sel.Name {
			case "Now", "Since", "Until":
				if !s.test() && !withinAny(s.name, clockFiles) {
					fault(n.Pos(), "reads the machine's clock by time.%s, want a core.Clock", n.Sel.Name)
				}
			case "Sleep":
				inBubble := slices.ContainsFunc(bubbles, func(b ast.Node) bool { return b.Pos() <= n.Pos() && n.End() <= b.End() })
				if s.test() && !inBubble {
					fault(n.Pos(), "sleeps, want a test that waits for what it tests")
				}
			}
		case *ast.GoStmt:
			if inCore {
				fault(n.Pos(), "starts a goroutine, which core never does")
			}
		case *ast.SelectStmt:
			if inCore {
				fault(n.Pos(), "selects among channels, which is a choice that no replay repeats")
			}
		}
		return true
	})
	return faults
}

func TestImportTable(t *testing.T) {
	for _, s := range tree(t) {
		for _, f := range importFaults(s) {
			t.Error(f)
		}
	}
}

func TestHouseRules(t *testing.T) {
	for _, s := range tree(t) {
		for _, f := range houseFaults(s) {
			t.Error(f)
		}
	}
}

// Files that the allowlist names must exist and need it, so that it cannot rot.
func TestClockFilesReadTheClock(t *testing.T) {
	all := tree(t)
	for _, name := range clockFiles {
		if strings.HasSuffix(name, "/...") {
			continue
		}
		i := slices.IndexFunc(all, func(s *source) bool { return s.name == name })
		if i < 0 {
			t.Errorf("%s may read the clock and does not exist", name)
			continue
		}
		if s := all[i]; !bytes.Contains(s.text, []byte("time.Now()")) && !bytes.Contains(s.text, []byte("time.Since(")) && !bytes.Contains(s.text, []byte("time.Until(")) {
			t.Errorf("%s may read the clock and does not", name)
		}
	}
}

// The rules are tried on code that breaks them: a check that sees nothing proves
// nothing.
func TestRulesSeeWhatBreaksThem(t *testing.T) {
	cases := []struct {
		name, text string
		want       int // faults
	}{
		{"core/x.go", `package core; import "riposte/core/ring"; var _ ring.Queue`, 1},
		{"core/x.go", `package core; import "math/bits"; var _ = bits.Len`, 0},
		{"core/book/x.go", `package book; import "riposte/core/ring"; var _ ring.Queue`, 1},
		{"core/engine/x.go", `package engine; import "riposte/core/risk"; var _ risk.Gate`, 0},
		{"core/engine/deep/x.go", `package deep; import "riposte/core/engine"; var _ engine.Shard`, 0},
		{"core/engine/x.go", `package engine; import "riposte/feed"; var _ = feed.X`, 1},
		{"core/engine/x_test.go", `package engine; import "riposte/feed"; var _ = feed.X`, 1},
		{"core/engine/x_test.go", `package engine; import ("riposte/tools/tape"; "os"; "pgregory.net/rapid")`, 0},
		{"core/risk/x.go", `package risk; import "os"; var _ = os.Args`, 1},
		{"core/sysclock.go", `package core; import "os"; var _ = os.Args`, 0},
		{"core/sysclock.go", `package core; import "net"; var _ net.Conn`, 1},
		{"core/risk/x.go", `package risk; import "net/http"`, 1},
		{"core/risk/x.go", `package risk; import "github.com/x/y"`, 1},
		{"core/risk/x.go", `package risk; func f() { go f() }`, 1},
		{"core/risk/x.go", `package risk; func f(c chan int) { select { case <-c: default: } }`, 1},
		{"core/risk/x.go", `package risk; import clk "time"; var _ = clk.Now()`, 1},
		{"core/risk/x.go", `package risk; import . "time"; var _ = Now()`, 1},
		{"core/risk/x.go", `package risk; import "time"; var _ = time.Second`, 0},
		{"core/sysclock.go", `package core; import "time"; var _ = time.Now()`, 0},
		{"feed/x.go", `package feed; import "riposte/exec"`, 1},
		{"feed/x_test.go", `package feed; import "riposte/exec/binance"`, 1},
		{"feed/x.go", `package feed; import ("riposte/feed/ws"; "riposte/core/ring")`, 0},
		{"feed/x.go", `package feed; import "riposte/feed/binance"`, 1},
		{"feed/ws/x.go", `package ws; import "riposte/core"`, 1},
		{"feed/binance/x.go", `package binance; import "time"; var _ = time.Until(time.Time{})`, 1},
		{"exec/x.go", `package exec; import "riposte/feed/ws"`, 1},
		{"exec/x_test.go", `package exec; import "riposte/feed"`, 1},
		{"exec/binance/x.go", `package binance; import ("riposte/exec"; "riposte/core")`, 0},
		{"exec/gateway.go", `package exec; import "time"; func f() { time.Now() }`, 1},
		{"exec/x_test.go", `package exec; import "time"; func f() { time.Now(); time.Sleep(1) }`, 1},
		{"exec/x_test.go", `package exec; import ("testing/synctest"; "time"); func f() { synctest.Test(t, func() { time.Sleep(1) }) }`, 0},
		{"exec/x_test.go", `package exec; import ("testing/synctest"; "time"); func f() { synctest.Test(t, g); time.Sleep(1) }`, 1},
		{"tools/venue/x.go", `package venue; import "riposte/core"`, 1},
		{"tools/venue/wire/x.go", `package wire; import "riposte/tools/venue/exchange"`, 0},
		{"tools/venue/x_test.go", `package venue; import "riposte/exec/binance"`, 0},
		{"tools/riposte/app/x.go", `package app; import ("riposte/feed"; "riposte/exec"; "time"); var _ = time.Now()`, 0},
		{"newroom/x.go", `package newroom`, 1},
		{"core/risk/x.go", "package risk\n" + strings.Repeat("\n", 499), 0},
		{"core/risk/x.go", "package risk\n" + strings.Repeat("\n", 500), 1},
	}
	for _, c := range cases {
		s, err := parse(c.name, []byte(c.text))
		if err != nil {
			t.Fatal(err)
		}
		if got := append(importFaults(s), houseFaults(s)...); len(got) != c.want {
			t.Errorf("%s: %q gives %q, want %d faults", c.name, c.text, got, c.want)
		}
	}
}
