package oracle

import "fmt"

// damage is P18: a journal that was changed is not taken for what it was.
type damage struct{ what string }

func newDamage() *damage { return &damage{} }

// Promise is P18.
func (*damage) Promise() string { return "P18" }

// See takes a fact.
func (d *damage) See(f *Fact, found func(string)) {
	switch w := f.What.(type) {
	case Damaged:
		d.what = w.What
	case Refused:
		d.what = ""
	case Begun:
		if id := newClient(w.B); id != "" && d.what != "" {
			found(fmt.Sprintf("%s left in a life that began from a journal with %s", id, d.what))
			d.what = ""
		}
	}
}

// disk is P19: once the disk has failed no order leaves in that life. That cancels go on
// is seen by the way out.
type disk struct {
	since int64
	op    string
}

func newDisk() *disk { return &disk{since: -1} }

// Promise is P19.
func (*disk) Promise() string { return "P19" }

// See takes a fact.
func (d *disk) See(f *Fact, found func(string)) {
	switch w := f.What.(type) {
	case DiskFails:
		if d.since < 0 {
			d.since, d.op = f.At, w.Op
		}
	case Died:
		d.since = -1
	case Begun:
		// The operation may be another goroutine's: its failure has to be told.
		if id := newClient(w.B); id != "" && d.since >= 0 && f.At-d.since > 100*ms {
			found(fmt.Sprintf("%s left %d ms after %s had failed", id, (f.At-d.since)/ms, d.op))
			d.since = -1
		}
	}
}
