package main

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// legend says how to read the table.
const legend = `Figures are ns per item (frame, level, order, handed-over item): of each run the median pass, of the runs the
median, ± half the distance between their quartiles. ratio: the best peer's figure over ours. of floor: ours over
that of C of our own (floor-) or of less than the work (limit-). allocs: ours / best peer's. Targets are those of
the plan of record, section 5.`

// print writes the whole report: the table, its targets' sum, all contenders, notes.
func print(w io.Writer, head string, all *results) error {
	var lines []line
	for _, r := range rows {
		lines = append(lines, judge(r, all))
	}
	var b strings.Builder
	b.WriteString(head)
	b.WriteString(legend + "\n\n")
	table(&b, lines)
	total(&b, lines)
	contenders(&b, all)
	if len(all.notes) > 0 {
		b.WriteString("\nNot in it:\n")
		for _, n := range all.notes {
			fmt.Fprintf(&b, "  %s\n", n)
		}
	}
	b.WriteString("\nNot measured by this run:\n")
	for _, n := range elsewhere {
		fmt.Fprintf(&b, "  %s\n", n)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

var columns = []string{"stage", "ours", "best peer", "ratio", "floor", "of floor", "allocs", "target: got"}

// table prints a line per row, and a further one for each target after the first.
func table(b *strings.Builder, lines []line) {
	cells := [][]string{columns}
	for i := range lines {
		l := &lines[i]
		c := []string{l.row.stage, "missing: no " + l.row.ours, "-", "-", "-", "-", "-", ""}
		if l.ours != nil {
			c[1] = value(*l.ours)
			c[6] = short(l.allocs)
		}
		if l.peerFigure != nil {
			c[2] = l.peer + " " + value(*l.peerFigure)
			if l.ours != nil {
				c[3] = times(l.peerFigure.median / l.ours.median)
				c[6] += " / " + short(l.peerAllocs)
			}
		}
		if l.floorFig != nil {
			c[4] = l.floor + " " + value(*l.floorFig)
			if l.ours != nil {
				c[5] = times(l.ours.median / l.floorFig.median)
			}
		} else if l.floor != "" {
			c[4] = l.floor + " not measured"
		}
		for k, v := range l.verdicts {
			if k > 0 {
				cells = append(cells, c)
				c = make([]string, len(columns))
			}
			c[len(c)-1] = v.text
		}
		cells = append(cells, c)
	}
	align(b, cells)
}

// align prints cells in columns. text/tabwriter counts bytes that are no letters.
func align(b *strings.Builder, cells [][]string) {
	width := make([]int, len(columns))
	for _, c := range cells {
		for i := range c {
			width[i] = max(width[i], utf8.RuneCountInString(c[i]))
		}
	}
	for n, c := range cells {
		line := ""
		for i := range c {
			line += c[i] + strings.Repeat(" ", width[i]-utf8.RuneCountInString(c[i])+2)
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
		if n == 0 {
			for i := range width {
				b.WriteString(strings.Repeat("-", width[i]) + "  ")
			}
			b.WriteString("\n")
		}
	}
}

// value is a figure with its spread.
func value(f figure) string {
	if f.runs < 2 {
		return short(f.median)
	}
	return fmt.Sprintf("%s ±%.0f%%", short(f.median), 100*f.spread)
}

// total counts the targets.
func total(b *strings.Builder, lines []line) {
	var n [len(outcomes)]int
	for i := range lines {
		for _, v := range lines[i].verdicts {
			n[v.outcome]++
		}
	}
	fmt.Fprintf(b, "\nTargets: %d met, %d missed, %d not measured.\n", n[met], n[missed], n[missing])
}

// contenders lists every contest with everyone in it, whether or not a row is made of
// it.
func contenders(b *strings.Builder, all *results) {
	b.WriteString("\nEveryone, ns:\n")
	seen := map[string]bool{}
	for _, key := range all.order {
		i := strings.LastIndexByte(key, '/')
		if !strings.HasPrefix(key, "peers:") || i < 0 || seen[key[:i]] {
			continue
		}
		seen[key[:i]] = true
		fmt.Fprintf(b, "  %s:", strings.TrimPrefix(key[:i], "peers:"))
		for k, key := range sorted(all, key[:i]) {
			f, _ := all.get(key, "ns/op")
			if k > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(b, " %s %s", contender(key), value(f))
			if cpu, ok := all.get(key, "cpu-ns/op"); ok {
				fmt.Fprintf(b, " (CPU %s)", short(cpu.median))
			}
		}
		b.WriteByte('\n')
	}
}
