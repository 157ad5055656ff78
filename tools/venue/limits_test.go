package venue

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const (
	testSecond = int64(1_000_000)
	// aDay is 2026-01-02 00:00:00 UTC in µs.
	aDay = int64(1767312000) * testSecond
)

func TestWindowsAreAlignedToTheClock(t *testing.T) {
	for _, c := range []struct {
		limit   RateLimit
		at      int64
		resets  int64
		initial string
	}{
		{RateLimit{"MINUTE", 1, 5}, aDay + 59*testSecond, aDay + 60*testSecond, "1M"},
		{RateLimit{"SECOND", 10, 5}, aDay + 11*testSecond, aDay + 20*testSecond, "10S"},
		{RateLimit{"DAY", 1, 5}, aDay + 86399*testSecond, aDay + 86400*testSecond, "1D"},
	} {
		w := newWindow(c.limit)
		w.roll(c.at)
		w.count = 3
		w.roll(c.resets - 1)
		if w.count != 3 || w.ends() != c.resets || c.limit.letter() != c.initial {
			t.Errorf("%v: got count %d, end %d, suffix %s, want 3, %d, %s", c.limit, w.count, w.ends(), c.limit.letter(), c.resets, c.initial)
		}
		if w.roll(c.resets); w.count != 0 {
			t.Errorf("%v: got count %d after the reset, want 0", c.limit, w.count)
		}
	}
}

func TestWeightIsRefusedThenBanned(t *testing.T) {
	cfg := Config{Weight: RateLimit{"MINUTE", 1, 10}, BanAfter: 2, BanFor: 2 * time.Minute}
	cfg.fill()
	l := newLimiter(&cfg)
	now := aDay
	if used, err := l.charge(now, "a", 6, true); used != 6 || err != nil {
		t.Fatalf("got %d %v, want 6 nil", used, err)
	}
	for i := range 2 {
		_, err := l.charge(now, "a", 5, true)
		if err == nil || err.status != 429 || err.code != -1003 || err.retryAt != aDay+60*testSecond ||
			!strings.Contains(err.msg, "current limit is 10 request weight per 1 MINUTE") {
			t.Fatalf("refusal %d: got %+v, want 429 until the end of the minute", i, err)
		}
	}
	if _, err := l.charge(now, "b", 5, true); err != nil {
		t.Fatalf("another IP: got %v, want it to pass", err)
	}
	for i, span := range []time.Duration{2 * time.Minute, 4 * time.Minute} {
		var err *apiError
		for range 3 {
			_, err = l.charge(now, "a", 11, true)
		}
		until := now + span.Microseconds()
		if err == nil || err.status != 418 || err.retryAt != until || !strings.Contains(err.msg, fmt.Sprintf("IP banned until %d", until/1000)) {
			t.Fatalf("ban %d: got %+v, want 418 until %d", i, err, until)
		}
		if _, err := l.charge(until-1, "a", 1, true); err == nil || err.status != 418 {
			t.Fatalf("during ban %d: got %v, want 418", i, err)
		}
		now = until
		if _, err := l.charge(now, "a", 1, true); err != nil {
			t.Fatalf("after ban %d: got %v, want it to pass", i, err)
		}
	}
}

func TestRefundsDoNotReachIntoAnotherMinute(t *testing.T) {
	cfg := Config{}
	cfg.fill()
	l := newLimiter(&cfg)
	if _, err := l.charge(aDay, "a", 1, true); err != nil {
		t.Fatal(err)
	}
	if got := l.refund(aDay+60*testSecond, "a", 1); got != 0 {
		t.Errorf("got %d, want 0", got)
	}
}

func TestOrderCountFallsWithFirstFillsAndNeverBelowZero(t *testing.T) {
	c := newOrderCount([]RateLimit{{"SECOND", 10, 3}, {"DAY", 1, 5}})
	for range 3 {
		if err := c.add(aDay, 1); err != nil {
			t.Fatal(err)
		}
	}
	err := c.add(aDay, 1)
	if err == nil || err.code != -1015 || err.status != 429 || err.msg != "Too many new orders; current limit is 3 orders per 10 SECOND." {
		t.Fatalf("got %+v, want -1015", err)
	}
	c.filled(aDay, 1)
	if err := c.add(aDay, 1); err != nil {
		t.Fatalf("after a fill: got %v, want it to pass", err)
	}
	if c.filled(aDay, 50); c.windows[0].count != 0 || c.windows[1].count != 0 {
		t.Errorf("got counts %d %d, want 0 0", c.windows[0].count, c.windows[1].count)
	}
	for range 5 {
		if err := c.add(aDay+11*testSecond, 1); err != nil && err.code != -1015 {
			t.Fatal(err)
		}
	}
	if err := c.add(aDay+21*testSecond, 3); err == nil || !strings.Contains(err.msg, "5 orders per 1 DAY") {
		t.Errorf("got %v, want the day's limit", err)
	}
}

func TestRecvWindowIsDecimalMilliseconds(t *testing.T) {
	for _, c := range []struct {
		text string
		want int64
		code int
	}{
		{"5000", 5_000_000, 0}, {"6000.346", 6_000_346, 0}, {"0.5", 500, 0}, {"60000", 60_000_000, 0}, {"60000.001", 0, -1131},
		{"1.2345", 0, -1100}, {"", 0, -1100}, {"-1", 0, -1100}, {"1.", 0, -1100}, {"5e3", 0, -1100}, {"99999999999999999999", 0, -1131},
	} {
		got, err := parseRecvWindow(c.text)
		if got != c.want && c.code == 0 || (err == nil) != (c.code == 0) || err != nil && err.code != c.code {
			t.Errorf("%q: got %d %v, want %d code %d", c.text, got, err, c.want, c.code)
		}
	}
}

func TestTimestampChecks(t *testing.T) {
	now := aDay
	for _, c := range []struct {
		name  string
		at    int64
		early string
		later bool
	}{
		{"fresh", now, "", false},
		{"999.999 ms ahead", now + 999_999, "", false},
		{"1000 ms ahead", now + 1_000_000, textAhead, false},
		{"at the window's edge", now - 5_000_000, "", false},
		{"past the window", now - 5_000_001, textOutside, true},
		{"before 2017", firstTimestamp - 1, textOutside, true},
	} {
		st := stamp{at: c.at, window: 5_000_000}
		got := ""
		if err := st.onReceipt(now); err != nil {
			got = err.msg
			if err.code != -1021 {
				t.Errorf("%s: got code %d, want -1021", c.name, err.code)
			}
		}
		if got != c.early {
			t.Errorf("%s: got %q on receipt, want %q", c.name, got, c.early)
		}
		if err := st.later(now); (err != nil) != c.later {
			t.Errorf("%s: got %v later, want refused %v", c.name, err, c.later)
		}
	}
	for text, want := range map[string]int64{"1499827319559": 1499827319559000, "1499827319559123": 1499827319559123} {
		if got, err := parseInstant("timestamp", text); err != nil || got != want {
			t.Errorf("%s: got %d %v, want %d", text, got, err, want)
		}
	}
}
