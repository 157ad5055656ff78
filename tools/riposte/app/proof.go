package app

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"riposte/core/engine"
	"riposte/core/risk"
	"riposte/tools/tape"
)

// proofFlags are those of riposte replay --journal.
type proofFlags struct {
	Journal string   `type:"path" placeholder:"DIR" help:"Instead: decide again what the runs of this journal decided, from their input logs, and hold each decision against the run's and the journal's. Exit 0: all is identical; 1: something differs; 3: identical up to a hole or a torn tail of a log, or to a log's end that comes before the journal's; 4: a run has no log. Of several the first of 1, 4, 3 counts."`
	Inputs  string   `type:"path" placeholder:"DIR" help:"With --journal: where the input logs lie; without: in the journal's folder."`
	Epoch   uint64   `help:"With --journal: only the run of this epoch."`
	Set     []string `placeholder:"KEY=VALUE" sep:"none" help:"With --journal: change one key of the runs' configuration, and see where it first makes a difference; may be given more than once."`
}

// proof is what came of deciding one run again.
type proof struct {
	Epoch      uint64  `json:"epoch"`
	Version    string  `json:"riposte"`
	Account    string  `json:"account"`
	Log        string  `json:"log"` // its first file
	Steps      uint64  `json:"steps"`
	Inputs     uint64  `json:"inputs"`
	Seconds    float64 `json:"seconds"`
	Decisions  int     `json:"decisions"` // that are the same
	Orders     int     `json:"orders"`    // approved: new ones, replaces, amends
	Cancels    int     `json:"cancels"`
	Refusals   int     `json:"refusals"`
	Sent       int     `json:"sent"`        // of the orders: journal records that agree
	Unsent     int     `json:"unsent"`      // and those of which no byte left, as the journal says
	Refused    int     `json:"refused"`     // of the refusals: counted in journal records that agree
	Beyond     int     `json:"beyond"`      // journal records of inputs behind the log's end
	Hash       string  `json:"sha256"`      // of all decisions
	Ended      string  `json:"ended"`       // how the log does
	Differ     string  `json:"differ"`      // "" if identical
	Input      uint64  `json:"input"`       // at which it differs
	Identical  bool    `json:"identical"`   // all that the log holds
	Whole      bool    `json:"whole"`       // no hole, no torn tail, nothing in the journal behind the log
	ConfigHash string  `json:"config_hash"` // of the run

	last uint64 // input that was replayed
}

// prove decides again what a journal's runs decided.
func (c replayCmd) prove(o *output) error {
	if len(c.Files) > 0 {
		return usageError{errors.New("want recordings to replay, or --journal, and not both")}
	}
	runs, err := readRuns(c.Journal)
	if err != nil {
		return usageError{err}
	}
	if c.Epoch != 0 && !slices.ContainsFunc(runs, func(r *journalRun) bool { return r.start.Epoch == c.Epoch }) {
		return usageError{fmt.Errorf("--epoch is %d, want a run of the journal %s", c.Epoch, c.Journal)}
	}
	folder := cmp.Or(c.Inputs, c.Journal)
	logs, err := tape.InputLogs(folder)
	if err != nil {
		return usageError{err}
	}
	if len(logs) == 0 {
		return exitError{fmt.Errorf("cannot prove anything: no input log in %s, want files *%s, which `riposte run --record DIR` or record.inputs makes; --inputs names their folder", folder, tape.InputsSuffix), exitNoLog}
	}
	var proofs []*proof
	for _, files := range logs {
		p, err := c.proveRun(files, runs)
		if err != nil {
			return usageError{fmt.Errorf("%s: %w", files[0], err)}
		}
		if p != nil {
			proofs = append(proofs, p)
		}
	}
	if len(proofs) == 0 {
		return exitError{fmt.Errorf("cannot prove anything: none of the input logs in %s is of %s", folder, whichRun(c.Epoch)), exitNoLog}
	}
	var without []uint64
	for _, r := range runs {
		if c.Epoch == 0 && !slices.ContainsFunc(proofs, func(p *proof) bool { return p.Epoch == r.start.Epoch }) {
			without = append(without, r.start.Epoch)
		}
	}
	if c.JSON {
		e := json.NewEncoder(o.stdout)
		e.SetIndent("", " ")
		err = e.Encode(map[string]any{"runs": proofs, "without_log": without})
	} else {
		sayProofs(o.stdout, proofs, without)
	}
	if err != nil {
		return err
	}
	return verdict(proofs, without)
}

func whichRun(epoch uint64) string {
	if epoch == 0 {
		return "a run of this journal"
	}
	return fmt.Sprintf("run %d", epoch)
}

// verdict is what the process exits with: of several findings the worst.
func verdict(proofs []*proof, without []uint64) error {
	for _, p := range proofs {
		if !p.Identical {
			return fmt.Errorf("the replay differs from run %d", p.Epoch)
		}
	}
	if len(without) > 0 {
		return exitError{fmt.Errorf("not all is proved: run %d has no input log", without[0]), exitNoLog}
	}
	for _, p := range proofs {
		if !p.Whole {
			return exitError{fmt.Errorf("not all is proved: the log of run %d %s, behind input %d; %d of the journal's records come behind that", p.Epoch, p.Ended, p.last, p.Beyond), exitPartly}
		}
	}
	return nil
}

// proveRun decides one run again; nil if the log is of none of the runs.
func (c replayCmd) proveRun(files []string, runs []*journalRun) (*proof, error) {
	from := time.Now()
	p := &proof{Log: files[0], Ended: "ends in order"}
	lines := tape.NewFiles(files...)
	var w *proving
	hash := sha256.New()
	err := lines.Each(func(l *tape.Line) error {
		switch l.Note {
		case tape.NoteBegin:
			var b beginning
			if err := json.Unmarshal(l.Payload, &b); err != nil {
				return fmt.Errorf("cannot read what the run began with: %w", err)
			}
			p.Epoch, p.Version, p.Account, p.ConfigHash = b.Epoch, b.Version, b.Account, b.Config.Hash
			i := slices.IndexFunc(runs, func(r *journalRun) bool { return r.start.Epoch == b.Epoch })
			if i < 0 || c.Epoch != 0 && c.Epoch != b.Epoch {
				return errOther
			}
			var err error
			w, err = newProving(&b, runs[i], c.Set)
			return err
		case tape.NoteGap:
			p.Ended = "ends in a hole: the disk did not take what followed"
			return errStop
		case tape.NoteInputs:
			if w == nil {
				return tape.ErrNoBegin
			}
			return engine.Messages(l.Payload, func(msg []byte) error {
				list, diff, err := w.replay.Feed(msg)
				switch {
				case errors.Is(err, engine.ErrHole):
					p.Ended = "ends in a hole: " + err.Error()
					return errStop
				case err != nil:
					return err
				case diff != nil:
					p.Differ, p.Input = w.sayDifference(diff)
					p.Ended = "is not read further"
					return errStop
				}
				hash.Write(w.replay.Decided())
				w.take(list)
				return nil
			})
		}
		return nil
	})
	switch {
	case errors.Is(err, errOther):
		return nil, nil
	case err != nil && !errors.Is(err, errStop):
		return nil, err
	case w == nil:
		return nil, tape.ErrNoBegin
	}
	early := err != nil // a hole, or a difference
	if cuts := lines.Cuts(); len(cuts) > 0 {
		early = true
		p.Ended = "is cut off: " + cuts[0]
	}
	p.Seconds, p.Steps, p.Inputs, p.last = time.Since(from).Seconds(), w.replay.Steps, w.replay.Inputs, w.replay.Input()
	p.Hash = hex.EncodeToString(hash.Sum(nil))
	if p.Ended == "ends in order" && !w.run.ended {
		p.Ended = "ends with the process, which did not end its run"
	}
	w.settle(p)
	p.Identical = p.Differ == ""
	p.Whole = !early && p.Beyond == 0
	return p, nil
}

var (
	errStop  = errors.New("the proof is over")
	errOther = errors.New("another run's log")
)

func sayProofs(o io.Writer, proofs []*proof, without []uint64) {
	same := 0
	for _, p := range proofs {
		same += p.Decisions
		fmt.Fprintf(o, "run %d of riposte %s, %s\n", p.Epoch, p.Version, p.Account)
		fmt.Fprintf(o, "  %d inputs in %d steps, decided again in %.2f s: %.2f million inputs/s\n", p.Inputs, p.Steps, p.Seconds, float64(p.Inputs)/p.Seconds/1e6)
		fmt.Fprintf(o, "  the log %s, behind input %d\n", p.Ended, p.last)
		fmt.Fprintf(o, "  %d decisions byte for byte as in the run: %d orders and amends, %d cancels, %d refusals; sha256 %.16s\n", p.Decisions, p.Orders, p.Cancels, p.Refusals, p.Hash)
		fmt.Fprintf(o, "  the journal agrees: %d orders sent, %d not sent, %d refusals counted", p.Sent, p.Unsent, p.Refused)
		if p.Beyond > 0 {
			fmt.Fprintf(o, "; %d of its records come behind the end of the log", p.Beyond)
		}
		fmt.Fprintln(o)
		if p.Differ != "" {
			fmt.Fprintln(o, p.Differ)
		}
	}
	for _, epoch := range without {
		fmt.Fprintf(o, "run %d has no input log: not proved\n", epoch)
	}
	if !slices.ContainsFunc(proofs, func(p *proof) bool { return !p.Identical }) {
		fmt.Fprintf(o, "identical: %d of %d decisions\n", same, same)
	}
}

// tell counts decisions by what they are.
func (p *proof) tell(d *engine.Decision) {
	p.Decisions++
	switch {
	case d.Refusal != risk.None:
		p.Refusals++
	case isOrder(&d.Intent):
		p.Orders++
	default:
		p.Cancels++
	}
}
