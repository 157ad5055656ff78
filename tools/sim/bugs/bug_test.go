package main

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

const folder = "../testdata/bugs"

// Whoever changes a line that a planted bug stands in changes the bug with it: its lines
// must be found once, and what becomes of the file must be Go.
func TestEveryPlantedBugFitsTheTree(t *testing.T) {
	list, err := readBugs(folder)
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 60 {
		t.Errorf("found %d planted bugs, want at least 60", len(list))
	}
	for i := range list {
		b := &list[i]
		texts, err := b.plant("../../..")
		if err != nil {
			t.Error(err)
			continue
		}
		for name, text := range texts {
			if _, err := parser.ParseFile(token.NewFileSet(), name, text, parser.SkipObjectResolution); err != nil {
				t.Errorf("with %s: %v", b.name, err)
			}
		}
	}
}

func TestABugIsOneChangeOfWholeLines(t *testing.T) {
	list, err := parseBugs("# for people\n\nbug one-more\nfrom x#1: too many\nfault N1 R2\ncaught P1\nfile a.go\n \tkept\n-\tgone\n+\tput\n+\tanother\nfile a.go\n-last\n")
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	b := &list[0]
	if b.name != "one-more" || b.from != "x#1: too many" || strings.Join(b.faults, " ") != "N1 R2" || b.caught[0] != "P1" || len(b.edits) != 2 {
		t.Fatalf("read %+v", b)
	}
	for _, c := range []struct {
		text, want string
		found      int
	}{
		{"first\n\tkept\n\tgone\nlast\n", "first\n\tkept\n\tput\n\tanother\nlast\n", 1},
		{"\tkept\n\tgone\n\tkept\n\tgone\n", "\tkept\n\tgone\n\tkept\n\tgone\n", 2},
		{"\tkept\n\tgone more\n", "\tkept\n\tgone more\n", 0},
	} {
		if got, n := b.edits[0].apply(c.text); got != c.want || n != c.found {
			t.Errorf("%q became %q with %d found, want %q and %d", c.text, got, n, c.want, c.found)
		}
	}
	if got, n := b.edits[1].apply("a\nlast\nb\n"); got != "a\nb\n" || n != 1 {
		t.Errorf("a line taken away left %q, found %d", got, n)
	}
}

func TestABugThatSaysTooLittleIsRefused(t *testing.T) {
	const good = "bug a\nfrom x#1: what\nfault none\ncaught P1\nfile a.go\n-old\n+new\n"
	for _, c := range []struct{ old, new string }{
		{"bug a", "bug A b"}, {"from x#1: what\n", ""}, {"from x#1: what", "from x#1"}, {"fault none\n", ""}, {"caught P1\n", ""},
		{"file a.go\n", ""}, {"-old\n", ""}, {"+new", "+old"}, {"fault", "guilt"},
		{"file a.go", "test ./a TestA\nfile a.go"}, {"file a.go", "why not\nfile a.go"}, {"file a.go", "why not\ntest a TestA\nfile a.go"},
	} {
		if _, err := parseBugs(strings.Replace(good, c.old, c.new, 1)); err == nil {
			t.Errorf("with %q for %q there is no complaint", c.new, c.old)
		}
	}
	if _, err := parseBugs(good); err != nil {
		t.Error(err)
	}
	list, err := parseBugs(strings.Replace(good, "file", "swarm dark reset\ntest ./a TestA\nwhy it is small\nfile", 1))
	if err != nil || len(list[0].swarm) != 2 || list[0].tests[0] != (test{"./a", "TestA"}) || list[0].why != "it is small" {
		t.Error(list, err)
	}
	if _, err := readBugs(filepath.Join(folder, "none")); err == nil {
		t.Error("a folder without bugs is taken for one")
	}
}
