package main

import (
	"strconv"
	"strings"
	"testing"
)

const said = `--- FAIL: TestSimulation (1.00s)
    simulation_test.go:128: seed 7  breaks promises:
        	at 2.5s: P9: BTC: the venue has 1, ours is 2
        	at 3.5s: P26: more
    simulation_test.go:128: seed 9 with a note breaks promises:
        	at 2m2s: X2: the engine did not end
FAIL
`

func TestWhatTheSimulationSaysIsUnderstood(t *testing.T) {
	for _, c := range []struct {
		text string
		sick map[uint64]bool
		want string
	}{
		{said, nil, "P9 7 7 BTC: the venue has 1, ours is 2"},
		{said, map[uint64]bool{7: true}, "X2 9 9 the engine did not end"},
		{said, map[uint64]bool{7: true, 9: true}, ""},
		{"    x_test.go:1: seed 3: two runs differ: a and b\nFAIL\n", nil, "P23 3 3 two runs differ"},
		{"lines\npanic: BUG: something\n\ngoroutine 1\n", nil, "crash 0 1 panic: BUG: something"},
	} {
		var k catch
		got := ""
		if k.read(c.text, c.sick) {
			got = strings.TrimSpace(strings.Join([]string{k.Promise, uitoa(k.Seed), uitoa(uint64(k.Seeds)), k.Text}, " "))
		}
		if got != c.want {
			t.Errorf("understood %q, want %q", got, c.want)
		}
	}
}

func uitoa(n uint64) string { return strconv.FormatUint(n, 10) }

func TestTheTableCountsWhatWasCaught(t *testing.T) {
	var b strings.Builder
	table(&b, []catch{{Bug: "a", Found: true, Promise: "P1", Seeds: 3}, {Bug: "b", Seeds: 9}, {Bug: "c", Found: true, Promise: "P2", Seeds: 5}, {Bug: "d", Error: "does not build"},
		{Bug: "e", Found: true, Test: "./exec TestX"}})
	if text := b.String(); !strings.HasSuffix(text, "5 bugs: 2 caught by the simulation (seeds needed: median 5, most 5), 1 caught by a named test, 2 not caught\n") || !strings.Contains(text, "not caught") || !strings.Contains(text, "ERROR") {
		t.Error(text)
	}
}
