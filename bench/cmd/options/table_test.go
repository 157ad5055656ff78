package main

import (
	"strings"
	"testing"
)

func TestRoundIsReadFromTheHarness(t *testing.T) {
	r, err := parseRound("x", []byte(`{"figures":[{"samples":100,"lost":1,"from_intended":{"p50_us":20,"p99_us":50,"p999_us":90}},
		{"samples":100,"from_intended":{"p50_us":22,"p99_us":40,"p999_us":80}}]}`))
	if err != nil || r != (round{"x", side{20, 50, 90}, side{22, 40, 80}}) {
		t.Errorf("got %+v, %v", r, err)
	}
	for text, want := range map[string]string{
		`{`:                "cannot read",
		`{"figures":[{}]}`: "figures of 1 subjects",
		`{"figures":[{"samples":100,"lost":2,"from_intended":{"p50_us":1}},{"samples":100,"from_intended":{"p50_us":1}}]}`: "lost 2 of 100",
		`{"figures":[{"samples":100},{"samples":100}]}`:                                                                    "p50 0.0",
	} {
		if _, err := parseRound("x", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}

func TestTableGivesMediansOfRoundsRatios(t *testing.T) {
	var rounds []round
	for _, p := range [][2]float64{{10, 20}, {100, 110}, {10, 5}} {
		rounds = append(rounds, round{"delay", side{p[0], p[0], p[0]}, side{p[1], p[1], p[1]}})
	}
	var b strings.Builder
	if err := table(&b, rounds); err != nil {
		t.Fatal(err)
	}
	f := strings.Fields(strings.Split(b.String(), "\n")[1])
	if got := strings.Join(f[:7], " "); got != "delay 3 10.0 20.0 1.100 0.500 2.000" {
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
