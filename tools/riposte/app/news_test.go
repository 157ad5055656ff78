package app

import (
	"slices"
	"testing"
	"time"

	"riposte/feed"
)

// However long a trouble lasts and however often it is tried, it is told once, and its
// end once.
func TestNewsTellOfTroubleOnceAndOfItsEndOnce(t *testing.T) {
	n := &news{}
	at := time.Unix(1000, 0)
	up := func(name string) subject { return subject{name: name, up: true, trouble: feed.TroubleCut} }
	down := func(name string, kind feed.Trouble) subject {
		return subject{name: name, trouble: kind, err: "why"}
	}
	look := func(s ...subject) []string {
		at = at.Add(time.Second)
		return n.look(at, s)
	}
	if got := look(up("a"), up("b")); got != nil {
		t.Fatalf("told %q of nothing", got)
	}
	if got := look(subject{name: "a"}, up("b")); got != nil {
		t.Fatalf("told %q of a connection that is on its way", got)
	}
	var told []string
	for range 100 {
		told = append(told, look(down("a", feed.TroubleRefused), down("b", feed.TroubleRefused))...)
	}
	for range 100 {
		told = append(told, look(down("a", feed.TroubleOutage), up("b"))...)
		told = append(told, look(down("a", feed.TroubleRefused), up("b"))...)
	}
	told = append(told, look(up("a"), subject{name: "b"})...)
	told = append(told, look(up("a"), up("b"))...)
	told = append(told, look(up("a"), up("b"))...)
	want := []string{
		"a, b: nobody listens at the venue's address (connection refused); trying again (why)",
		"a: the venue is out of order (5xx); trying again (why)",
		"connected again after 5m1s: a, b",
	}
	if !slices.Equal(told, want) {
		t.Fatalf("told %q, want %q", told, want)
	}
	if got := look(up("a"), down("b", feed.TroubleName)); len(got) != 1 {
		t.Fatalf("told %q of the next trouble", got)
	}
}

func TestGapsOfOneCutAreOneLine(t *testing.T) {
	g := gapLog{fresh: []lineGap{
		{Line: 0, Symbol: "A", Last: 5, First: 9, Ns: 1e9, Covered: true},
		{Line: 0, Symbol: "B", Last: 7, First: 8, Ns: 2e9, Covered: true},
		{Line: 1, Symbol: "A", Last: 5, First: 9, Ns: 3e9, Covered: true},
		{Line: 1, Symbol: "B", Last: 7, First: 99, Ns: 2e9},
		{Line: -1, Symbol: "A", Stream: "depth", Last: 5, First: 9, Ns: 1e6},
		{Line: -1, Symbol: "B", Stream: "trade", Last: 7, First: 9, Ns: 2e6},
	}}
	want := []string{
		"market line 0 was cut and is back: 2 symbols, another line had all of it; longest 2s, B after update id 7 until 8",
		"market line 1 was cut and is back: 2 symbols, 1 books have a gap; longest 2s, B after update id 7 until 99",
		"no market line brought 2 stretches of ids; longest 2ms, trade of B after id 7 until 9",
	}
	if got := g.tell(); !slices.Equal(got, want) || len(g.tell()) != 0 {
		t.Fatalf("told %q", got)
	}
}
