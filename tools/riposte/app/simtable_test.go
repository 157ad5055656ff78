package app

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"riposte/core"
	"riposte/core/risk"
	"riposte/exec"
	"riposte/tools/sim"
)

// faultTable counts, by fault and state, how often a fault has struck in a state.
type faultTable map[string]map[string]int

// struck notes a fault and all states that hold.
func (t *faultTable) struck(r *simRun, e *sim.Event) {
	if *t == nil {
		*t = faultTable{}
	}
	name := e.Kind
	if e.Kind == "venue" {
		name, _, _ = strings.Cut(e.Text, " ")
	}
	row := (*t)[name]
	if row == nil {
		row = map[string]int{}
		(*t)[name] = row
	}
	for _, s := range r.states() {
		row[s]++
	}
}

// add adds another table.
func (t *faultTable) add(o faultTable) {
	if *t == nil {
		*t = faultTable{}
	}
	for name, row := range o {
		if (*t)[name] == nil {
			(*t)[name] = map[string]int{}
		}
		for s, n := range row {
			(*t)[name][s] += n
		}
	}
}

// void are the cells in which a fault has nothing to strike, each kind with the reason: they
// are drawn and come to nothing, and count for nothing.
var void = []struct {
	faults, states []string
	why            string
}{
	{[]string{"operator"}, []string{"boot", "replay", "ending"}, "commands are taken by a process that runs, not by one that starts or ends"},
	{[]string{"restart"}, []string{"boot", "replay", "ending"}, "only a process that runs can be asked to end"},
	{[]string{"bye", "stick", "terminate"}, []string{"boot"}, "they end sockets and subscriptions that are there, and a start has none: the loop opens them"},
	{[]string{"nibble"}, []string{"boot"}, "nothing rests that could be traded with: nothing has been sent yet"},
	{[]string{"damage"}, []string{"boot"}, "the journal of a first life has no record yet that others follow"},
}

// voidFor is why a fault has nothing to strike in a state, "" if it has.
func voidFor(fault, state string) string {
	for _, v := range void {
		if slices.Contains(v.faults, fault) && slices.Contains(v.states, state) {
			return v.why
		}
	}
	return ""
}

// String is the table for people; "-" is a cell that cannot be.
func (t faultTable) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%12s", "")
	for _, s := range sim.States {
		fmt.Fprintf(&b, " %11s", s)
	}
	for _, name := range slices.Sorted(maps.Keys(t)) {
		fmt.Fprintf(&b, "\n%12s", name)
		for _, s := range sim.States {
			cell := strconv.Itoa(t[name][s])
			if voidFor(name, s) != "" {
				cell = "-"
			}
			fmt.Fprintf(&b, " %11s", cell)
		}
	}
	for _, v := range void {
		fmt.Fprintf(&b, "\n- %s when %s: %s", strings.Join(v.faults, ", "), strings.Join(v.states, ", "), v.why)
	}
	return b.String()
}

// rare tells the other cells that are empty or nearly so. They are possible: a fault strikes
// by the calendar, or when the state it waits for comes. In brackets is how often it would
// have struck there if faults and states came together by chance, from the sums of row and
// column.
func (t faultTable) rare() string {
	const few = 30
	rows, columns, all := map[string]int{}, map[string]int{}, 0
	for name, row := range t {
		for s, n := range row {
			if voidFor(name, s) != "" {
				continue
			}
			rows[name] += n
			columns[s] += n
			all += n
		}
	}
	var empty []string
	cells, below, none := 0, 0, 0
	for _, name := range slices.Sorted(maps.Keys(t)) {
		for _, s := range sim.States {
			if voidFor(name, s) != "" {
				none++
				continue
			}
			n := t[name][s]
			cells++
			if n < few {
				below++
			}
			if n == 0 {
				empty = append(empty, fmt.Sprintf("%s when %s (%.1f)", name, s, float64(rows[name])*float64(columns[s])/float64(max(all, 1))))
			}
		}
	}
	return fmt.Sprintf("%d cells cannot be; of the %d others %d are below %d, and %d empty, in brackets how often chance alone would bring them: %s",
		none, cells, below, few, len(empty), strings.Join(empty, ", "))
}

// states are those that hold now.
func (r *simRun) states() (list []string) {
	l := r.life
	if l == nil {
		return nil
	}
	is := func(what string, holds bool) {
		if holds {
			list = append(list, what)
		}
	}
	stage := l.stage.Load()
	is("boot", stage == lifeStarting && l.n == 0)
	is("replay", stage == lifeStarting && l.n > 0)
	is("ending", stage == lifeEnding)
	if stage != lifeRunning && stage != lifeEnding {
		return list
	}
	halted := l.d.gate.Halted() | l.d.gateway.Halted()
	live := true
	for _, b := range l.Books() {
		live = live && b.Live
	}
	is("reconcile", halted&risk.HaltNotReconciled != 0)
	is("halted", halted&^(risk.HaltNotReconciled|risk.HaltShutdown) != 0)
	is("buffering", !live)
	is("live", live && halted == 0)
	var flying, unknown, part, cancelling bool
	l.d.gateway.Table().EachLive(func(o *exec.Order) {
		s := o.Status()
		flying = flying || s == core.PendingNew
		unknown = unknown || s == core.Unknown
		part = part || o.Cum > 0 && o.Cum < o.Qty
		cancelling = cancelling || o.Cancelling()
	})
	is("in flight", flying)
	is("unknown", unknown)
	is("part-filled", part)
	is("cancelling", cancelling)
	lines := 0
	for _, k := range r.w.Net.Links {
		if k.Host == l.host && k.Kind == sim.Stream && k.Open() {
			lines++
		}
	}
	is("rotating", lines > l.d.cfg.Market.Lines)
	return list
}

// digestJournal takes what is in the journal into the digest of the run.
func (r *simRun) digestJournal(dir string) {
	names, err := filepath.Glob(filepath.Join(dir, "*.journal"))
	if err != nil {
		r.broken(err)
	}
	slices.Sort(names)
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			r.broken(err)
		}
		r.w.Digest(filepath.Base(name), b)
	}
}
