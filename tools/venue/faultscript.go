package venue

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"riposte/tools/venue/exchange"
)

// Fault is one thing that goes wrong, and when. The zero time means at once; Every repeats; About repeats after
// intervals drawn from the venue's seed between half and one and a half times its value.
type Fault struct {
	At, Every, About time.Duration

	Verb   string // cut, drop, double, swap, overlap, stale, boundary, delay, lose, 429, 418, freeze, shutdown, status, revoke
	Target string // kind of socket, class of requests, symbol or "*", stream name, key
	Count  int    // events, snapshots or requests it hits
	Conn   uint64 // depth faults: only this connection (0: all)
	For    time.Duration
	Taken  bool   // lose: the request reaches the exchange
	With   string // lose: timeout, reset, 503 or busy
	Status exchange.SymbolStatus
	Text   string // the script line
}

// FaultUsage is the grammar of fault lines, one form per line.
const FaultUsage = `5s | every 5s | about 5s, then one of:
cut streams|wsapi|rest|all
drop|double|swap|overlap depth SYMBOL|* [COUNT] [conn=ID]
stale|boundary depth SYMBOL|* [COUNT]
delay orders|cancels|queries|all DURATION [COUNT]
lose orders|cancels|queries|all taken|untaken timeout|reset|503|busy [COUNT]
429 DURATION
418 DURATION
freeze streams|wsapi|STREAM DURATION
shutdown streams|wsapi|all [LEAD]
status SYMBOL TRADING|HALT|BREAK|CANCEL_ONLY
revoke APIKEY`

// ParseFaults reads a script: one fault per line, '#' starts a comment. file is only named in errors.
func ParseFaults(r io.Reader, file string) ([]Fault, error) {
	var list []Fault
	sc := bufio.NewScanner(r)
	for n := 1; sc.Scan(); n++ {
		line, _, _ := strings.Cut(sc.Text(), "#")
		if strings.TrimSpace(line) == "" {
			continue
		}
		f, err := parseTimed(line)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, n, err)
		}
		list = append(list, f)
	}
	if err := sc.Err(); err != nil {
		return nil, fmt.Errorf("%s: cannot read: %w", file, err)
	}
	return list, nil
}

func parseTimed(line string) (Fault, error) {
	words := strings.Fields(line)
	var f Fault
	dst := &f.At
	switch words[0] {
	case "every":
		dst, words = &f.Every, words[1:]
	case "about":
		dst, words = &f.About, words[1:]
	}
	if len(words) == 0 {
		return f, fmt.Errorf("cannot read fault %q: got nothing, want a duration such as 5s", strings.TrimSpace(line))
	}
	d, err := faultDuration(words[0])
	if err != nil {
		return f, err
	}
	if *dst = d; dst != &f.At && d < time.Millisecond {
		return f, fmt.Errorf("cannot repeat a fault: got interval %v, want at least 1ms", d)
	}
	return f, f.parse(words[1:])
}

// ParseFault reads one fault line without a time.
func ParseFault(line string) (Fault, error) {
	var f Fault
	return f, f.parse(strings.Fields(line))
}

func faultDuration(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("cannot read a time: got %q, want a duration such as 500ms or 12.5s", s)
	}
	return d, nil
}

// words hands out the arguments of a fault line and keeps the first error.
type words struct {
	list []string
	err  error
}

func (w *words) next(want string) string {
	if len(w.list) == 0 {
		w.fail("nothing", want)
		return ""
	}
	s := w.list[0]
	w.list = w.list[1:]
	return s
}

func (w *words) fail(got, want string) {
	if w.err == nil {
		if got != "nothing" {
			got = strconv.Quote(got)
		}
		w.err = fmt.Errorf("cannot read the fault: got %s, want %s", got, want)
	}
}

func (w *words) oneOf(list ...string) string {
	want := strings.Join(list, ", ")
	s := w.next(want)
	if w.err == nil && !slices.Contains(list, s) {
		w.fail(s, want)
	}
	return s
}

func (w *words) duration() time.Duration {
	s := w.next("a duration such as 500ms")
	if w.err != nil {
		return 0
	}
	d, err := faultDuration(s)
	if err != nil {
		w.err = err
	}
	return d
}

// count reads an optional positive number, 1 if there is none.
func (w *words) count() int {
	if len(w.list) == 0 || strings.HasPrefix(w.list[0], "conn=") {
		return 1
	}
	s := w.next("a count")
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > 1_000_000 {
		w.fail(s, "a count from 1 to 1000000")
	}
	return n
}

// parse reads verb and arguments. All of the line must be understood.
func (f *Fault) parse(list []string) error {
	f.Text = strings.Join(list, " ")
	w := &words{list: list}
	f.Verb = w.oneOf("cut", "drop", "double", "swap", "overlap", "stale", "boundary", "delay", "lose", "429", "418",
		"freeze", "shutdown", "status", "revoke")
	f.Count = 1
	switch f.Verb {
	case "cut":
		f.Target = w.oneOf("streams", "wsapi", "rest", "all")
	case "drop", "double", "swap", "overlap":
		w.oneOf("depth")
		f.Target = w.next("a symbol or *")
		f.Count = w.count()
		f.conn(w)
	case "stale", "boundary":
		w.oneOf("depth")
		f.Target = w.next("a symbol or *")
		f.Count = w.count()
	case "delay":
		f.Target = w.oneOf("orders", "cancels", "queries", "all")
		f.For = w.duration()
		f.Count = w.count()
	case "lose":
		f.Target = w.oneOf("orders", "cancels", "queries", "all")
		f.Taken = w.oneOf("taken", "untaken") == "taken"
		f.With = w.oneOf("timeout", "reset", "503", "busy")
		f.Count = w.count()
	case "429", "418":
		f.For = w.duration()
	case "freeze":
		f.Target = w.next("streams, wsapi or a stream name")
		f.For = w.duration()
	case "shutdown":
		f.Target = w.oneOf("streams", "wsapi", "all")
		if len(w.list) > 0 {
			f.For = w.duration()
		}
	case "status":
		f.Target = w.next("a symbol")
		s := w.oneOf("TRADING", "HALT", "BREAK", "CANCEL_ONLY")
		f.Status, _ = exchange.ParseSymbolStatus(s)
	case "revoke":
		f.Target = w.next("an API key")
	}
	if w.err == nil && len(w.list) > 0 {
		w.fail(w.list[0], "the end of the line")
	}
	return w.err
}

func (f *Fault) conn(w *words) {
	if len(w.list) == 0 {
		return
	}
	s := w.next("conn=ID")
	id, err := strconv.ParseUint(strings.TrimPrefix(s, "conn="), 10, 64)
	if !strings.HasPrefix(s, "conn=") || err != nil || id == 0 {
		w.fail(s, "conn=ID with the number of a connection from /sim/stats")
	}
	f.Conn = id
}
