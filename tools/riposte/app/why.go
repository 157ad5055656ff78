package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"riposte/core/journal"
)

type whyCmd struct {
	ID      string   `arg:"" help:"An order by its client id, its number in its run or the venue's; a refusal by its record in the journal, as r77; a signal by its number, as s3. RUN:ID asks about a former run."`
	Journal string   `type:"path" placeholder:"DIR" help:"The journal's folder; without one, that of the configuration. The engine may be running."`
	Config  string   `type:"path" help:"The engine's configuration file, for its journal's folder."`
	Set     []string `placeholder:"KEY=VALUE" sep:"none" help:"Change one key of the configuration; may be given more than once."`
	JSON    bool     `name:"json" help:"One JSON object: the records, and the text by section."`
}

// story is an answer: sections of lines, and the records they come from.
type story struct {
	ID       string    `json:"id"`
	Kind     string    `json:"kind"` // order, refusal, signal
	Run      uint64    `json:"run"`
	Sections []section `json:"sections"`
	Records  []any     `json:"records"`
}

type section struct {
	Title string   `json:"title"`
	Lines []string `json:"lines"`
}

// Run tells the chain that led to an order, a refusal or a signal, and what came of it.
func (c whyCmd) Run(o *output) error {
	dir := c.Journal
	if dir == "" {
		cfg, err := loadConfig(c.Config, c.Set...)
		if err != nil {
			return usageError{err}
		}
		if dir = cfg.Journal.Dir; dir == "" {
			return usageError{errors.New("want --journal DIR, or a configuration with journal.dir: without a journal nothing is known")}
		}
	}
	all, err := readChronicle(dir)
	if err != nil {
		return usageError{err}
	}
	if len(all.runs) == 0 {
		return usageError{fmt.Errorf("cannot tell why: no run in the journal %s", dir)}
	}
	s, err := all.find(c.ID)
	if err != nil {
		return usageError{err}
	}
	if c.JSON {
		e := json.NewEncoder(o.stdout)
		e.SetIndent("", " ")
		return e.Encode(s)
	}
	for i, sec := range s.Sections {
		if i > 0 {
			fmt.Fprintln(o.stdout)
		}
		fmt.Fprintln(o.stdout, sec.Title)
		for _, line := range sec.Lines {
			fmt.Fprintln(o.stdout, "  "+line)
		}
	}
	return nil
}

// find finds what an id stands for, the newest run's first.
func (c *chronicle) find(id string) (*story, error) {
	runs := slices.Clone(c.runs)
	slices.Reverse(runs)
	text := id
	if epoch, rest, ok := strings.Cut(id, ":"); ok {
		n, err := strconv.ParseUint(epoch, 10, 64)
		at := slices.IndexFunc(runs, func(r *whyRun) bool { return r.start.Epoch == n })
		if err != nil || at < 0 {
			return nil, fmt.Errorf("cannot tell why: no run %s in this journal; it has %s", epoch, c.runList())
		}
		runs, text = runs[at:at+1], rest
	}
	n, number := uint64(0), false
	if v, err := strconv.ParseUint(strings.TrimLeft(text, "rs"), 10, 64); err == nil && len(text)-len(strings.TrimLeft(text, "rs")) <= 1 {
		n, number = v, true
	}
	for _, r := range runs {
		if s := r.find(id, text, n, number); s != nil {
			return s, nil
		}
	}
	return nil, fmt.Errorf("cannot tell why: the journal has no order, refusal or signal %q; near it are %s", id, near(runs, text, n, number))
}

func (r *whyRun) find(id, text string, n uint64, number bool) *story {
	switch {
	case number && text[0] == 'r':
		for _, f := range r.refusals {
			if f.seq == n {
				return f.story(id)
			}
		}
	case number && text[0] == 's':
		for _, s := range r.signals {
			if s.rec.Number == n {
				return s.story(id)
			}
		}
	case number:
		for _, o := range r.inOrder {
			if uint64(o.id) == n || o.venue != 0 && uint64(o.venue) == n {
				return o.story(id)
			}
		}
	default:
		for _, o := range r.inOrder {
			if o.client == text {
				return o.story(id)
			}
		}
	}
	return nil
}

func (c *chronicle) runList() string {
	var list []string
	for _, r := range c.runs {
		list = append(list, strconv.FormatUint(r.start.Epoch, 10))
	}
	if len(list) > 5 {
		list = append([]string{"..."}, list[len(list)-5:]...)
	}
	return strings.Join(list, ", ")
}

// near names ids like the one that was not found.
func near(runs []*whyRun, text string, n uint64, number bool) string {
	type candidate struct {
		id   string
		away uint64
	}
	var list []candidate
	add := func(id string, away uint64) { list = append(list, candidate{id, away}) }
	distance := func(v uint64) uint64 { return max(v, n) - min(v, n) }
	for _, r := range runs {
		for _, o := range r.inOrder {
			if number {
				add(fmt.Sprintf("order %d (%s)", o.id, o.client), distance(uint64(o.id)))
			} else {
				add(o.client, uint64(apart(text, o.client)))
			}
		}
		for _, f := range r.refusals {
			if number && text[0] == 'r' {
				add(fmt.Sprintf("r%d", f.seq), distance(f.seq))
			}
		}
		for _, s := range r.signals {
			if number && text[0] == 's' {
				add(fmt.Sprintf("s%d", s.rec.Number), distance(s.rec.Number))
			}
		}
	}
	if number && (text[0] == 'r' || text[0] == 's') {
		list = slices.DeleteFunc(list, func(x candidate) bool { return x.id[0] != text[0] })
	}
	slices.SortStableFunc(list, func(a, b candidate) int {
		switch {
		case a.away < b.away:
			return -1
		case a.away > b.away:
			return 1
		}
		return 0
	})
	var names []string
	for i := range min(3, len(list)) {
		names = append(names, list[i].id)
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// apart is how many bytes two texts of one length differ in, more where one is longer.
func apart(a, b string) int {
	n := max(len(a), len(b)) - min(len(a), len(b))
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			n++
		}
	}
	return n
}

// record adds a record that the story tells of.
func (s *story) record(seq uint64, p journal.Payload) {
	m := map[string]any{"record": strings.TrimPrefix(fmt.Sprintf("%T", p), "*journal.")}
	eachFieldOf(p, func(name string, v any) { m[name] = v })
	if seq != 0 {
		m["seq"] = seq
	}
	s.Records = append(s.Records, m)
}

// part begins a section.
func (s *story) part(title string, lines ...string) *section {
	s.Sections = append(s.Sections, section{Title: title, Lines: lines})
	return &s.Sections[len(s.Sections)-1]
}

func (p *section) add(format string, args ...any) {
	p.Lines = append(p.Lines, fmt.Sprintf(format, args...))
}
