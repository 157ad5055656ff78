package tape

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Source gives lines, io.EOF at their end. A line is borrowed until its next call.
type Source interface{ Next(l *Line) error }

// Merge gives the lines of several sources by receive time, of equal ones the earlier
// source's first; each source's own order stays as it is.
type Merge struct {
	sources []Source
	heads   []Line
	state   []headState
}

type headState uint8

const (
	toRead headState = iota
	held
	ended
)

// NewMerge merges sources.
func NewMerge(sources ...Source) *Merge {
	return &Merge{sources: sources, heads: make([]Line, len(sources)), state: make([]headState, len(sources))}
}

// Next reads the next line into l; io.EOF when all sources have ended.
func (m *Merge) Next(l *Line) error {
	at := -1
	for i := range m.sources {
		if m.state[i] == toRead {
			err := m.sources[i].Next(&m.heads[i])
			switch {
			case errors.Is(err, io.EOF):
				m.state[i] = ended
				continue
			case err != nil:
				return err
			}
			m.state[i] = held
		}
		if m.state[i] == held && (at < 0 || m.heads[i].RecvNs < m.heads[at].RecvNs) {
			at = i
		}
	}
	if at < 0 {
		return io.EOF
	}
	*l = m.heads[at]
	m.state[at] = toRead
	return nil
}

// Expand replaces each folder by the recordings of ours in it, in the order of their
// names, which is that of their making.
func Expand(names []string) (out []string, err error) {
	for _, name := range names {
		st, err := os.Stat(name)
		if err != nil || !st.IsDir() {
			out = append(out, name) // what is wrong with it is told by whoever opens it
			continue
		}
		list, err := os.ReadDir(name)
		if err != nil {
			return nil, fmt.Errorf("cannot read the recordings in %s: %w", name, err)
		}
		n := len(out)
		for _, e := range list {
			if strings.HasSuffix(e.Name(), ".tsv.zst") {
				out = append(out, filepath.Join(name, e.Name()))
			}
		}
		if len(out) == n {
			return nil, fmt.Errorf("cannot read the recordings in %s: found none, want files named *.tsv.zst", name)
		}
	}
	return out, nil
}

// Files reads several tapes one after the other as one.
type Files struct {
	names []string
	now   *Reader
	cut   []string // files of ours whose last block is not whole
}

// NewFiles reads the named tapes.
func NewFiles(names ...string) *Files { return &Files{names: names} }

// Next reads the next line into l; io.EOF at the end of the last file.
func (f *Files) Next(l *Line) error {
	for {
		if f.now == nil {
			if len(f.names) == 0 {
				return io.EOF
			}
			r, err := Open(f.names[0])
			if err != nil {
				return err
			}
			f.now, f.names = r, f.names[1:]
		}
		err := f.now.Next(l)
		if !errors.Is(err, io.EOF) {
			return err
		}
		if n := f.now.Cut(); n > 0 {
			f.cut = append(f.cut, fmt.Sprintf("%s ends in the middle of a block: the last %d bytes are passed over", f.now.name, n))
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
}

// Each calls fn with every line until it returns an error.
func (f *Files) Each(fn func(*Line) error) (err error) {
	defer func() { err = errors.Join(err, f.Close()) }()
	var l Line
	for {
		switch err := f.Next(&l); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := fn(&l); err != nil {
			return err
		}
	}
}

// Cuts tells of files whose writer was interrupted, one line each.
func (f *Files) Cuts() []string { return f.cut }

// Close closes the file being read.
func (f *Files) Close() error {
	if f.now == nil {
		return nil
	}
	err := f.now.Close()
	f.now = nil
	return err
}
