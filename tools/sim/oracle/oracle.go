package oracle

import "fmt"

// Checker watches facts for one promise. It belongs to one run.
type Checker interface {
	// Promise is which, "P13".
	Promise() string
	// See is shown every fact once, and may not keep f. It calls found for each violation.
	See(f *Fact, found func(text string))
}

// Violation is a promise that was not kept.
type Violation struct {
	At      int64
	Promise string
	Text    string
}

func (v Violation) String() string {
	return fmt.Sprintf("%s at %d.%09d s: %s", v.Promise, v.At/1e9, v.At%1e9, v.Text)
}

// Oracle reads the connections' bytes, makes facts of them, and shows all facts to its
// checkers. One goroutine at a time.
type Oracle struct {
	checkers []Checker
	conns    map[int]*conn
	all      []Violation
	now      int64
	asking   Checker
	fact     Fact // that which is shown: checkers do not keep it
}

// violationsKept bounds what is kept of a run that breaks everything.
const violationsKept = 100

// New makes an oracle.
func New(checkers ...Checker) *Oracle {
	return &Oracle{checkers: checkers, conns: map[int]*conn{}}
}

// See takes a fact.
func (o *Oracle) See(at int64, what any) {
	o.now = at
	o.show(what)
	switch w := what.(type) {
	case Dialed:
		o.conns[w.Conn] = &conn{id: w.Conn}
	case Wrote:
		if c := o.conns[w.Conn]; c != nil {
			c.wrote(w.B, o.show)
		}
	case Read:
		if c := o.conns[w.Conn]; c != nil {
			c.read(w.B, o.show)
		}
	case Closed:
		delete(o.conns, w.Conn)
	}
}

func (o *Oracle) show(what any) {
	if r, ok := what.(*Request); ok {
		r.at = o.now
	}
	o.fact = Fact{At: o.now, What: what}
	found := o.found
	for _, c := range o.checkers {
		o.asking = c
		c.See(&o.fact, found)
	}
}

func (o *Oracle) found(text string) {
	if len(o.all) < violationsKept {
		o.all = append(o.all, Violation{At: o.now, Promise: o.asking.Promise(), Text: text})
	}
}

// Violations are what was found so far, at most a hundred.
func (o *Oracle) Violations() []Violation { return o.all }
