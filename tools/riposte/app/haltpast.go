package app

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"riposte/core/risk"
	"riposte/exec"
	"riposte/tools/store"
)

// A halt has two records: the file of halts, which people can change while no engine runs,
// and the journal. Where the disk took the journal's and not the file's, and the process
// died before it was well again, the journal alone knows. A resume must not be undone by
// it, though, so each notes in the list of acts how far in the journal it reaches: the
// epoch of the run, and within it the number of a record. Both only grow, whatever the
// civil clock does.

// pardon is how far a resume goes, and what it lifted.
type pardon struct {
	Epoch  uint64   `json:"epoch,omitempty"`
	Seq    uint64   `json:"seq,omitempty"`
	Lifted []string `json:"lifted,omitempty"`
}

// wholeRun is the Seq of a resume that was given when a run was over.
const wholeRun = math.MaxUint64

func (r *pardon) lifts(epoch uint64, h *exec.PastHalt) bool {
	causes, _ := risk.ParseHaltCauses(r.Lifted)
	return uint32(causes)&h.Code != 0 && (r.Epoch > epoch || r.Epoch == epoch && r.Seq >= h.Seq)
}

// offline is the reach of a resume while no engine runs: it lifts what was on file, of all
// runs so far.
func offline(dir string, list []haltEntry) (r pardon, err error) {
	if dir == "" {
		return r, nil
	}
	if r.Epoch, err = store.ReadEpoch(dir); err != nil {
		return r, err
	}
	r.Seq = wholeRun
	var causes risk.HaltCause
	for i := range list {
		causes |= list[i].causes()
	}
	if causes != 0 {
		r.Lifted = causes.Words()
	}
	return r, nil
}

// online is the reach of a resume in this run: up to what the journal was last seen to
// hold. What was noted since may be halted again by a start; it is not lost.
func (c *control) online() pardon {
	return pardon{Epoch: c.d.epoch, Seq: c.journaled.Load(), Lifted: risk.HaltLatched.Words()}
}

// resumes are the reaches of all resumes on record. A line that is not whole is of an act
// that did not come about.
func resumes(dir string) (all []pardon, err error) {
	text, err := os.ReadFile(filepath.Join(dir, actsName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the list of acts: %w", err)
	}
	for line := range bytes.Lines(text) {
		var a act
		if json.Unmarshal(line, &a) == nil && a.Op == "resume" {
			all = append(all, a.pardon)
		}
	}
	return all, nil
}

// remember adds to the halts on file those which the journal alone has, and has them on
// file before anything runs.
func (c *control) remember() error {
	if c.d.folder == nil {
		return nil
	}
	past := c.d.folder.Past
	lifted, err := resumes(c.dir)
	if err != nil {
		return err
	}
	more, found := c.list, false
	for i := range past.Halted {
		h := &past.Halted[i]
		cause := risk.HaltCause(h.Code) & risk.HaltLatched
		if cause == 0 || covers(lifted, past.Epoch, h) {
			continue
		}
		e := haltEntry{Scope: "all", Causes: cause.Words(), Who: h.Who, Why: h.Text, When: time.Unix(0, int64(h.Wall))}
		if kind, name, ok := strings.Cut(h.Scope, " "); ok {
			e.Scope, e.Name = kind, name
		}
		if !onFile(more, &e) {
			more, found = withHalt(more, e), true
		}
	}
	if !found {
		return nil
	}
	c.list = more
	return writeHalts(c.dir, more)
}

func covers(lifted []pardon, epoch uint64, h *exec.PastHalt) bool {
	for i := range lifted {
		if lifted[i].lifts(epoch, h) {
			return true
		}
	}
	return false
}

// onFile reports whether the list halts what e does, for the same cause.
func onFile(list []haltEntry, e *haltEntry) bool {
	for i := range list {
		if o := &list[i]; o.Scope == e.Scope && o.Name == e.Name && o.causes()&e.causes() == e.causes() {
			return true
		}
	}
	return false
}
