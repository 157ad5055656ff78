package callgrind

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Part is one dump: its name, the instructions counted, and how many of them were
// in which function itself. What valgrind writes when the program ends has no name.
type Part struct {
	Name         string
	Instructions uint64
	Functions    map[string]uint64
}

// trigger is how the tool introduces the name that a program gave.
const trigger = "desc: Trigger: Client Request: "

// Read reads an output file with all of a run's dumps in it (--combine-dumps=yes).
// The format is Callgrind's 1, one event (Callgrind Format Specification, valgrind
// 3.19).
func Read(r io.Reader) ([]Part, error) {
	sc := bufio.NewScanner(r)
	sc.Buffer(make([]byte, 64<<10), 16<<20)
	p := parser{names: map[string]string{}}
	for sc.Scan() {
		p.line++
		if err := p.take(sc.Text()); err != nil {
			return nil, fmt.Errorf("cannot read callgrind output: line %d: %w", p.line, err)
		}
	}
	if err := sc.Err(); err != nil {
		return nil, fmt.Errorf("cannot read callgrind output after line %d: %w", p.line, err)
	}
	for i := range p.parts {
		sum := uint64(0)
		for _, n := range p.parts[i].Functions {
			sum += n
		}
		if sum != p.parts[i].Instructions {
			return nil, fmt.Errorf("cannot read callgrind output: functions of part %q add up to %d instructions, want %d", p.parts[i].Name, sum, p.parts[i].Instructions)
		}
	}
	return p.parts, nil
}

type parser struct {
	line  int
	parts []Part
	names map[string]string // function names by the number that stands for them
	fn    string
	call  bool // the next cost is what a call cost, not the function itself
}

func (p *parser) take(s string) error {
	switch {
	case s == "" || strings.HasPrefix(s, "#"):
	case strings.HasPrefix(s, "part: "):
		p.parts = append(p.parts, Part{Functions: map[string]uint64{}})
		p.fn, p.call = "", false
	case len(p.parts) == 0: // the file's own header
	case strings.HasPrefix(s, trigger):
		p.parts[len(p.parts)-1].Name = s[len(trigger):]
	case strings.HasPrefix(s, "events: ") && s != "events: Ir":
		return fmt.Errorf("found %q, want events: Ir", s)
	case strings.HasPrefix(s, "fn="):
		p.fn = p.name(s[len("fn="):])
	case strings.HasPrefix(s, "cfn="):
		p.name(s[len("cfn="):]) // a name may be introduced where it is called
	case strings.HasPrefix(s, "calls="):
		p.call = true
	case strings.HasPrefix(s, "totals: "):
		n, err := strconv.ParseUint(s[len("totals: "):], 10, 64)
		if err != nil {
			return fmt.Errorf("found %q, want a number of instructions", s)
		}
		p.parts[len(p.parts)-1].Instructions = n
	case s[0] >= '0' && s[0] <= '9' || s[0] == '+' || s[0] == '-' || s[0] == '*':
		return p.cost(s)
	}
	return nil
}

// cost takes a line of a position and a count.
func (p *parser) cost(s string) error {
	if p.call {
		p.call = false
		return nil
	}
	_, text, _ := strings.Cut(s, " ")
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return fmt.Errorf("found %q, want a position and a count", s)
	}
	p.parts[len(p.parts)-1].Functions[p.fn] += n
	return nil
}

// name resolves "(12) text", which introduces a number, or "(12)".
func (p *parser) name(s string) string {
	number, text, ok := strings.Cut(s, " ")
	if !strings.HasPrefix(number, "(") {
		return s
	}
	if ok {
		p.names[number] = text
	}
	return p.names[number]
}
