package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/HdrHistogram/hdrhistogram-go"
)

func TestRoundIsReadFromTheHarness(t *testing.T) {
	h := hdrhistogram.New(1, 1_000_000_000, 3)
	for i := range int64(100) {
		if err := h.RecordValue((i + 1) * 1000); err != nil {
			t.Fatal(err)
		}
	}
	text, err := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		t.Fatal(err)
	}
	figures := func(lost, p50 int) string {
		return fmt.Sprintf(`{"samples":100,"lost":%d,"foreign_share":0.%d,"from_actual":{"p50_us":%d,"p99_us":60,"p999_us":90},"histograms":{"from_actual":%q}}`, lost, lost, p50, text)
	}
	doc := func(list ...string) []byte { return []byte(`{"figures":[` + strings.Join(list, ",") + `]}`) }
	r, err := parseRound("x", doc(figures(1, 50), figures(2, 40)))
	if err != nil || r.Without.P50 != 50 || r.With.P50 != 40 || r.With.P10 < 9.9 || r.With.P10 > 10.1 || r.Foreign != 0.2 {
		t.Errorf("got %+v, %v", r, err)
	}
	for want, text := range map[string][]byte{
		"cannot read the harness's figures": []byte("{"),
		"figures of 1 subjects":             doc(figures(0, 50)),
		"lost 26 of 100":                    doc(figures(26, 50), figures(0, 50)),
		"p50 0.0":                           doc(figures(0, 0), figures(0, 50)),
		"histogram":                         doc(`{"samples":1,"from_actual":{"p50_us":1}}`, figures(0, 50)),
	} {
		if _, err := parseRound("x", text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}

func TestTableGivesMediansOfRoundsRatios(t *testing.T) {
	var rounds []round
	for _, p := range [][2]float64{{10, 20}, {100, 110}, {10, 5}} {
		rounds = append(rounds, round{Option: "delay", Without: side{p[0], p[0], p[0], p[0]}, With: side{p[1], p[1], p[1], p[1]}, Foreign: 0.5})
	}
	rounds = append(rounds, round{Option: "delay", Without: side{1, 1, 1, 1}, With: side{9, 9, 9, 9}, Foreign: 0.6})
	if rounds = quiet(rounds, 0.5); len(rounds) != 3 {
		t.Fatalf("got %d rounds, want those that nobody disturbed", len(rounds))
	}
	var b strings.Builder
	if err := table(&b, rounds); err != nil {
		t.Fatal(err)
	}
	f := strings.Fields(strings.Split(b.String(), "\n")[1])
	if got := strings.Join(f[:8], " "); got != "delay 3 50% 10.0 20.0 1.100 0.500 2.000" {
		t.Errorf("got %q, want medians 10 and 20, ratio 1.1 of 0.5 to 2", got)
	}
}

func TestWrapperPassesArgumentsAndEnvironment(t *testing.T) {
	got := string(wrapper("/bin/engine", append(set("loop.wait=spin"), "GOGC=off")))
	for _, want := range []string{"#!/bin/sh\n", "export 'GOGC=off'\n", `exec '/bin/engine' "$@" '--set' 'loop.wait=spin'` + "\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("got %q, want %q in it", got, want)
		}
	}
}
