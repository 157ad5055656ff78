package tape

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"riposte/core"
)

// The writing side of a Recorder: one goroutine, which alone waits for the disk.

func (r *Recorder) work() {
	defer close(r.done)
	tick := time.NewTicker(writeEvery)
	defer tick.Stop()
	flushed := time.Now()
	for {
		last := false
		select {
		case <-tick.C:
		case <-r.quit:
			last = true
		}
		r.drain()
		if now := time.Now(); last || now.Sub(flushed) >= r.cfg.FlushEvery {
			flushed = now
			r.check(r.flush())
		}
		if last {
			r.err = r.endFile()
			if r.err == nil && r.trouble.Load() != nil {
				r.err = errors.New("cannot record: " + *r.trouble.Load())
			}
			return
		}
	}
}

// drain writes what waits, frames and the rest by their times.
func (r *Recorder) drain() {
	if r.file == nil && !time.Now().Before(r.retryAt) {
		r.check(r.next())
	}
	if r.cfg.Inputs != nil {
		r.drainInputs()
		return
	}
	// Monotonic times become civil ones by the difference as it is now; a frame has
	// waited for some milliseconds at most.
	mono := r.cfg.Clock.Wall() - core.WallNs(r.cfg.Clock.Mono())
	for {
		m := r.frames.Peek()
		cold := r.nextCold()
		if m == nil && cold == nil {
			return
		}
		at := core.WallNs(0)
		if m != nil {
			at = core.WallNs(binary.NativeEndian.Uint64(m)) + mono
		}
		if m == nil || cold != nil && cold.at < at {
			r.held = nil
			switch {
			case cold.note == NoteRules:
				r.ruled(cold)
			case cold.note != "":
				r.write(func() error { return r.w.Note(int64(cold.at), cold.note, cold.payload) })
			default:
				r.write(func() error { return r.w.REST(int64(cold.at), cold.rest, cold.payload) })
			}
			continue
		}
		r.write(func() error { return r.w.Frame(int64(at), label(m[8]), m[frameHead:]) })
		r.frames.Pop()
	}
}

func (r *Recorder) nextCold() *coldLine {
	if r.held == nil {
		select {
		case l := <-r.cold:
			r.held = &l
		default:
		}
	}
	return r.held
}

// ruled writes rules that are not those on record, and keeps them for the next file.
func (r *Recorder) ruled(l *coldLine) {
	for i := range l.rules {
		line, err := json.Marshal(&l.rules[i])
		if err != nil {
			continue // numbers and texts: it cannot fail
		}
		text := string(line)
		of, known := r.ruleOf[l.rules[i].Symbol]
		switch {
		case !known:
			r.ruleOf[l.rules[i].Symbol] = len(r.rules)
			r.rules = append(r.rules, text)
		case r.rules[of] == text:
			continue
		default:
			r.rules[of] = text
		}
		if r.file != nil { // else the next one begins with them
			r.write(func() error { return r.w.Note(int64(l.at), NoteRules, line) })
		}
	}
}

// write writes one line, before it what was lost since the last.
func (r *Recorder) write(line func() error) {
	if r.file == nil {
		r.lost.Add(1)
		return
	}
	err := r.tellLoss()
	if err == nil {
		if err = line(); err == nil {
			r.lines.Add(1)
			r.left()
		} else if r.w.Err() == nil { // longer than a line may be: the file is as good as before
			r.lost.Add(1)
			err = nil
		}
	}
	if err == nil {
		err = r.turn()
	}
	r.check(err)
}

func (r *Recorder) tellLoss() error {
	lost := r.lost.Load()
	if lost == r.told {
		return nil
	}
	text, err := json.Marshal(Gap{Why: "the recorder could not take them", Frames: lost - r.told})
	if err != nil {
		return err
	}
	if err := r.w.Note(int64(r.cfg.Clock.Wall()), NoteGap, text); err != nil {
		return err
	}
	r.told = lost
	r.notes++
	r.left()
	return nil
}

// left looks whether the block being filled has left.
func (r *Recorder) left() {
	if r.w.Unwritten() == 0 {
		r.safe, r.notes = r.told, 0
	}
}

// turn begins the next file when this one is long enough.
func (r *Recorder) turn() error {
	r.bytes.Store(r.began + uint64(r.w.Bytes()))
	if r.w.Bytes() < r.cfg.FileMost {
		return nil
	}
	if err := r.endFile(); err != nil {
		return err
	}
	return r.next()
}

func (r *Recorder) flush() error {
	if r.file == nil {
		return nil
	}
	if err := r.tellLoss(); err != nil {
		return err
	}
	err := r.w.Flush()
	r.bytes.Store(r.began + uint64(r.w.Bytes()))
	r.left()
	return err
}

// check takes trouble with the disk: this file has ended, and the next is tried later.
func (r *Recorder) check(err error) {
	if err == nil {
		return
	}
	text := err.Error()
	r.trouble.Store(&text)
	r.retryAt = time.Now().Add(r.cfg.RetryEvery)
	if r.file != nil {
		_ = r.file.Close() // what it says now is no news
		lost := uint64(r.w.Unwritten() - r.notes)
		r.lost.Add(lost)
		r.lines.Add(-lost)
		r.told, r.notes = r.safe, 0 // what the block told is lost with it
		r.began += uint64(r.w.Bytes())
		r.file = nil
	}
}

// next begins a file. Files of a run sort by name in the order they were written.
func (r *Recorder) next() error {
	name := filepath.Join(r.cfg.Dir, fmt.Sprintf("%s-%04d%s", r.cfg.Meta.Session, r.number, r.suffix()))
	f, err := r.cfg.Create(name)
	if err != nil {
		return err
	}
	w, err := NewWriter(f)
	if err == nil {
		m := r.cfg.Meta
		m.File = r.number
		var text []byte
		if text, err = json.Marshal(m); err == nil {
			err = w.Note(int64(r.cfg.Clock.Wall()), NoteMeta, text)
		}
	}
	for i := 0; i < len(r.rules) && err == nil; i++ {
		err = w.Note(int64(r.cfg.Clock.Wall()), NoteRules, []byte(r.rules[i]))
	}
	r.number++ // a name is used once
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		_ = f.Close()
		return err
	}
	r.file, r.w = f, w
	r.files.Add(1)
	r.trouble.Store(nil)
	return nil
}

func (r *Recorder) endFile() error {
	if r.file == nil {
		return nil
	}
	err := errors.Join(r.w.Close(), r.file.Close())
	r.bytes.Store(r.began + uint64(r.w.Bytes()))
	r.began += uint64(r.w.Bytes())
	r.file = nil
	return err
}

// label names a connection.
func label(line uint8) string { return strconv.Itoa(int(line)) }
