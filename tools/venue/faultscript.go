package venue

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Fault is one thing that goes wrong, and when. Without a time or an event it means at once. Every repeats; About
// repeats after intervals drawn from the venue's seed between half and one and a half times its value.
type Fault struct {
	At, Every, About time.Duration
	On               Trigger
	Chance           float64 // that it happens when its time has come, drawn from the seed; 0 is always

	Verb   string // first word of a line of FaultUsage
	Target string // kind of socket, class of requests, symbol or "*", stream name, key
	Event  string // kind of event
	How    string // form of the fault
	Count  int    // events, snapshots, requests or connections it hits
	Number int    // close code, levels, bytes a second
	Value  string // a price or quantity
	For    time.Duration
	Taken  bool // lose: the request reaches the exchange

	Conn   uint64 // only this connection (0: all)
	Here   bool   // only the connection at which the event happened
	After  int    // cut: bytes that are sent before
	Jitter time.Duration

	Text string // the script line
}

// Trigger is an event that fires a fault: the Nth of its kind from the moment the script line is given, with Each every
// Nth. Event is empty for faults that have a time.
type Trigger struct {
	Event   string
	Subject string // kind of socket or symbol, for events that have one
	N       int
	Each    bool
}

// FaultUsage is the grammar of fault lines, one form per line.
var FaultUsage = usage()

func usage() string {
	var b strings.Builder
	b.WriteString("[WHEN] [chance P] FAULT, WHEN being: 5s | every 5s | about 5s | on [every] EVENT [KIND|SYMBOL] N")
	for _, e := range triggers {
		b.WriteString("\non " + strings.TrimSpace(e.name+" "+e.subject) + " N: " + e.help)
	}
	for i := range verbs {
		v := &verbs[i]
		b.WriteString("\n" + strings.TrimSpace(v.name+" "+v.args) + ": " + v.help)
	}
	for _, t := range sortedTokens() {
		if list := tokens[t].of; list != nil {
			b.WriteString("\n" + t + ": " + strings.Join(list, "|"))
		}
	}
	return b.String()
}

// ParseFaults reads a script: one fault per line, '#' starts a comment. file is only named in errors.
func ParseFaults(r io.Reader, file string) ([]Fault, error) {
	var list []Fault
	sc := bufio.NewScanner(r)
	for n := 1; sc.Scan(); n++ {
		line, _, _ := strings.Cut(sc.Text(), "#")
		if strings.TrimSpace(line) == "" {
			continue
		}
		f, err := ParseFault(line)
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

// ParseFault reads one fault line. All of it must be understood.
func ParseFault(line string) (Fault, error) {
	f := Fault{Count: 1}
	w := &words{list: strings.Fields(line)}
	f.Text = strings.Join(w.list, " ")
	f.when(w)
	f.chance(w)
	f.what(w)
	if len(w.list) > 0 {
		w.fail(w.list[0], "the end of the line")
	}
	return f, w.err
}

// when reads the time or event, if there is one: a line that begins with a verb has none.
func (f *Fault) when(w *words) {
	first := w.peek()
	switch {
	case first == "":
		w.fail("", "a fault, or a duration such as 5s, every, about or on before it")
	case first == "every":
		w.skip()
		f.Every = w.interval()
	case first == "about":
		w.skip()
		f.About = w.interval()
	case first == "on":
		w.skip()
		f.trigger(w)
	case verbOf(first) == nil && first != "chance":
		if f.At = w.duration(); w.err != nil && !startsTime(first) {
			w.err = fmt.Errorf("cannot read the fault: got %q, want a duration, every, about, on or one of %s", first, strings.Join(verbNames(), ", "))
		}
	}
}

func startsTime(s string) bool { return s[0] == '-' || s[0] >= '0' && s[0] <= '9' }

// interval is a duration after which something repeats.
func (w *words) interval() time.Duration {
	d := w.duration()
	if w.err == nil && d < time.Millisecond {
		w.err = fmt.Errorf("cannot repeat a fault: got interval %v, want at least 1ms", d)
	}
	return d
}

func (f *Fault) trigger(w *words) {
	if w.peek() == "every" {
		w.skip()
		f.On.Each = true
	}
	var names []string
	subjects := make(map[string]string)
	for _, e := range triggers {
		of := []string{e.name}
		if t := tokens[e.name]; t.of != nil {
			of = t.of
		}
		for _, n := range of {
			names = append(names, n)
			subjects[n] = e.subject
		}
	}
	f.On.Event = w.oneOf(names...)
	if subject := subjects[f.On.Event]; subject != "" {
		f.On.Subject = w.token(subject)
	}
	f.On.N = w.number("how many of them, such as 1", 1, 1_000_000_000)
}

func (f *Fault) chance(w *words) {
	if w.err != nil || w.peek() != "chance" {
		return
	}
	w.skip()
	s := w.next("a chance such as 0.05")
	p, err := strconv.ParseFloat(s, 64)
	if w.err == nil && (err != nil || !(p > 0 && p <= 1)) {
		w.fail(s, "a chance above 0 and up to 1, such as 0.05")
	}
	f.Chance = p
}

// what reads verb and arguments by the verb's row in the table.
func (f *Fault) what(w *words) {
	f.Verb = w.oneOf(verbNames()...)
	if w.err != nil {
		return
	}
	v := verbOf(f.Verb)
	for _, arg := range strings.Fields(v.args) {
		if w.err != nil {
			return
		}
		name, optional := strings.CutPrefix(arg, "[")
		name = strings.TrimSuffix(name, "]")
		if key, _, ok := strings.Cut(name, "="); ok {
			f.option(w, key)
			continue
		}
		if optional && (len(w.list) == 0 || strings.Contains(w.list[0], "=")) {
			continue
		}
		f.argument(w, name)
	}
	if w.err == nil && v.check != nil {
		if want := v.check(f); want != "" {
			w.fail(f.Text, want)
		}
	}
}

// option reads key=value if it is next.
func (f *Fault) option(w *words, key string) {
	s, ok := strings.CutPrefix(w.peek(), key+"=")
	if !ok {
		return
	}
	w.list[0] = s
	switch key {
	case "conn":
		if f.Here = s == "it"; f.Here {
			if f.On.Event == "" {
				w.fail("conn=it", "an event with on, or conn=ID")
			}
			w.skip()
			return
		}
		if f.Conn = uint64(w.number("conn=ID with the number of a connection from /sim/stats", 1, 1<<53)); f.Conn == 0 && w.err == nil {
			w.fail(s, "conn=ID")
		}
	case "after":
		f.After = w.number("after=BYTES", 0, 1<<30)
	case "jitter":
		f.Jitter = w.duration()
	}
}

// argument reads one argument into the field that its name stands for.
func (f *Fault) argument(w *words, name string) {
	switch name {
	case "COUNT":
		f.Count = w.number("a count from 1 to 1000000", 1, 1_000_000)
	case "LEVELS":
		f.Number = w.number("a number of levels", 0, 5000)
	case "RATE":
		f.Number = w.number("a number of bytes a second", 1, 1<<30)
	case "CODE":
		f.Number = w.number("a close code from 0 to 65535", 0, 65535)
	case "DURATION", "LEAD":
		f.For = w.duration()
	case "OFFSET":
		f.For = w.offset()
	case "taken|untaken":
		f.Taken = w.oneOf("taken", "untaken") == "taken"
	case "EVENT":
		f.Event = w.token(name)
	case "depth":
		w.oneOf("depth")
		f.Event = name
	case "VALUE":
		f.Value = w.next("a decimal number")
	default:
		if t := tokens[name]; t.target {
			f.Target = w.token(name)
		} else if t.of != nil {
			f.How = w.token(name)
		} else {
			f.How = w.oneOf(strings.Split(name, "|")...)
		}
	}
}

// words hands out the words of a fault line and keeps the first error.
type words struct {
	list []string
	err  error
}

func (w *words) peek() string {
	if len(w.list) == 0 {
		return ""
	}
	return w.list[0]
}

func (w *words) skip() { w.list = w.list[1:] }

func (w *words) next(want string) string {
	if len(w.list) == 0 {
		w.fail("", want)
		return ""
	}
	s := w.list[0]
	w.skip()
	return s
}

func (w *words) fail(got, want string) {
	if w.err != nil {
		return
	}
	if got == "" {
		got = "nothing"
	} else {
		got = strconv.Quote(got)
	}
	w.err = fmt.Errorf("cannot read the fault: got %s, want %s", got, want)
}

// token reads a word of the class with that name.
func (w *words) token(name string) string {
	t := tokens[name]
	if t.of == nil {
		return w.next(t.want)
	}
	return w.oneOf(t.of...)
}

func (w *words) oneOf(list ...string) string {
	want := strings.Join(list, ", ")
	s := w.next(want)
	if w.err == nil && !slices.Contains(list, s) {
		w.fail(s, want)
	}
	return s
}

func (w *words) number(want string, least, most int) int {
	s := w.next(want)
	n, err := strconv.Atoi(s)
	if w.err == nil && (err != nil || n < least || n > most) {
		w.fail(s, want)
	}
	return n
}

func (w *words) duration() time.Duration {
	d := w.offset()
	if w.err == nil && d < 0 {
		w.err = fmt.Errorf("cannot read a time: got \"%v\", want a duration of at least 0", d)
	}
	return d
}

// offset is a duration that may be negative.
func (w *words) offset() time.Duration {
	s := w.next("a duration such as 500ms")
	if w.err != nil {
		return 0
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		w.err = fmt.Errorf("cannot read a time: got %q, want a duration such as 500ms or 12.5s", s)
	}
	return d
}
