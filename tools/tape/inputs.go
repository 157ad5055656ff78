package tape

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// An input log is a recording too, in files of its own beside those of frames: lines of
// messages that an engine's shard has written into a ring, in blocks that a death leaves
// whole. What a message holds is the engine's business, see engine.Log.

// InputsSuffix ends the name of a file of an input log.
const InputsSuffix = ".inputs.zst"

const frameSuffix = ".tsv.zst"

func (r *Recorder) suffix() string {
	if r.cfg.Inputs != nil {
		return InputsSuffix
	}
	return frameSuffix
}

// begin writes what the run began with.
func (r *Recorder) begin() error {
	if err := r.w.Note(int64(r.cfg.Clock.Wall()), NoteBegin, r.cfg.Begin); err != nil {
		return err
	}
	return r.w.Flush()
}

// inputsLine is about how many bytes of messages make a line.
const inputsLine = 32 << 10

// drainInputs writes the messages that wait.
func (r *Recorder) drainInputs() {
	for {
		n, line := 0, r.line[:0]
		for m := r.frames.Peek(); m != nil && len(line) < inputsLine; m = r.frames.Peek() {
			line = append(binary.AppendUvarint(line, uint64(len(m))), m...)
			r.frames.Pop()
			n++
		}
		if r.line = line; n == 0 {
			return
		}
		r.write(func() error { return r.w.Note(int64(r.cfg.Clock.Wall()), NoteInputs, line) })
	}
}

// InputLogs are the input logs in a folder, each the files of one run in order; by the
// time at which they began.
func InputLogs(dir string) (logs [][]string, err error) {
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot look for input logs: %w", err)
	}
	last := ""
	for _, e := range list {
		session, ok := strings.CutSuffix(e.Name(), InputsSuffix)
		if !ok {
			continue
		}
		if i := strings.LastIndexByte(session, '-'); i >= 0 {
			session = session[:i]
		}
		if session != last || len(logs) == 0 {
			logs, last = append(logs, nil), session
		}
		logs[len(logs)-1] = append(logs[len(logs)-1], filepath.Join(dir, e.Name()))
	}
	return logs, nil
}

// ErrNoBegin says that an input log does not tell what its run began with.
var ErrNoBegin = errors.New("the input log has no beginning")
