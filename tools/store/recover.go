package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"riposte/core/fault"
	"riposte/core/journal"
)

// recover reads the files that can still matter: from the newest complete checkpoint
// on. Nothing is changed but that a file which was made ahead and never written to is
// taken away; torn tails are cut off when the next file tells of it, see Begin.
func (f *Folder) recover() error {
	c := newChecker(f.dir)
	if err := f.dropAhead(); err != nil || len(f.files) == 0 {
		return err
	}
	start, err := f.start()
	if err != nil {
		return err
	}
	for i := range f.files {
		s := &f.files[i]
		if s.number < start {
			continue
		}
		if err := c.file(s, f.Past.Take); err != nil {
			return err
		}
		fault.At(fault.SegmentRead)
	}
	if err := c.chains(f.files); err != nil {
		return err
	}
	f.seq, f.base, f.chained, f.Read = c.seq, c.base, c.chained, c.bytes
	if f.base == 0 {
		f.base = start
	}
	newest := &f.files[len(f.files)-1]
	f.Cut, f.Short = newest.cut, newest.short
	return nil
}

// dropAhead takes away the file that a run had made ahead when it died: there is no
// byte in it that is not zero.
func (f *Folder) dropAhead() error {
	if len(f.files) == 0 {
		return nil
	}
	name := fileName(f.dir, f.files[len(f.files)-1].number)
	file, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("cannot read the journal: %w", err)
	}
	defer file.Close()
	used, _, err := extent(file)
	if err != nil || used > 0 {
		return err
	}
	if err := os.Remove(name); err != nil {
		return fmt.Errorf("cannot take away a journal file without records: %w", err)
	}
	f.files = f.files[:len(f.files)-1]
	return nil
}

// start is the file from which on the journal has to be read.
func (f *Folder) start() (uint64, error) {
	for i := len(f.files) - 1; i >= 0; i-- {
		head, ok, err := f.head(f.files[i].number)
		if err != nil {
			return 0, err
		}
		if !ok {
			continue // died before its first record was whole
		}
		start := head.First
		if whole, err := f.hasCheckpoint(start, f.files[len(f.files)-1].number); err != nil {
			return 0, err
		} else if !whole {
			start = head.Base
		}
		if low := f.files[0].number; start == 0 || i == 0 {
			return low, nil
		} else if start < low {
			return 0, &Broken{File: fileName(f.dir, start), Want: fmt.Sprintf("this file, in which by %s the state of things stands", fileName(f.dir, head.Number)), Found: "none of that name"}
		}
		return start, nil
	}
	return f.files[0].number, nil
}

// head is the first record of a file; ok is false if that is not a segment's.
func (f *Folder) head(number uint64) (s journal.Segment, ok bool, err error) {
	r, err := OpenReader(fileName(f.dir, number))
	if err != nil {
		return s, false, err
	}
	defer r.Close()
	rec, err := r.Next()
	if err != nil || rec.Kind != journal.KindSegment {
		return s, false, nil // judged when it is read
	}
	return s, true, s.Decode(&rec)
}

// hasCheckpoint reports whether the run that began in a file noted its whole
// checkpoint; the files up to last are looked at as far as need be.
func (f *Folder) hasCheckpoint(number, last uint64) (bool, error) {
	for ; number <= last; number++ {
		r, err := OpenReader(fileName(f.dir, number))
		if errors.Is(err, os.ErrNotExist) {
			return false, nil
		} else if err != nil {
			return false, err
		}
		for {
			rec, err := r.Next()
			if err != nil {
				break
			}
			switch rec.Kind {
			case journal.KindCheckpoint:
				_ = r.Close()
				return true, nil
			case journal.KindIntent, journal.KindReport:
				_ = r.Close()
				return false, nil
			}
		}
		_ = r.Close()
	}
	return false, nil
}

// trim cuts a file to its records: what a death left behind them, or the room that
// nobody had cut yet. A later file has its sum by now.
func (f *Folder) trim(s *segment) error {
	if s.room == 0 {
		return nil
	}
	file, err := os.OpenFile(fileName(f.dir, s.number), os.O_RDWR, 0)
	if err == nil {
		err = errors.Join(f.disk.truncate(file, s.size), f.disk.sync(file), file.Close())
	}
	if err != nil {
		return fmt.Errorf("cannot cut the journal's tail: %w", err)
	}
	fault.At(fault.TailCut)
	return nil
}

// checker reads files one after the other and holds them against each other.
type checker struct {
	dir     string
	seq     uint64 // of the record read last, 0 before the first
	bytes   int64
	base    uint64 // newest file whose run has a whole checkpoint
	first   uint64 // file in which the run being read began
	chained uint64
	links   []link
	sums    sync.WaitGroup
	records uint64
	last    journal.Kind
}

// link is the sum of a file, as a later one tells.
type link struct {
	journal.Chain
	in uint64
	at int64
}

func newChecker(dir string) *checker { return &checker{dir: dir} }

// file reads one file and gives each record to take.
func (c *checker) file(s *segment, take func(*journal.Record) error) error {
	name := fileName(c.dir, s.number)
	r, err := OpenReader(name)
	if err != nil {
		return err
	}
	defer r.Close()
	for n := 0; ; n++ {
		at := r.Offset()
		rec, err := r.Next()
		if err != nil {
			var torn *journal.TornTail
			switch {
			case errors.Is(err, io.EOF):
				s.size = r.Offset()
			case errors.As(err, &torn):
				s.size, s.cut = torn.Offset, torn.Bytes // judged with the files behind, see chains
			default:
				return corrupt(name, err)
			}
			s.room = r.size - s.size
			// A run that dies leaves room behind its records, one that ends says so: with
			// neither, somebody has cut the file.
			s.short = s.room == s.cut && c.last != journal.KindSessionEnd
			break
		}
		if err := c.record(s, n, at, &rec); err != nil {
			return err
		}
		if err := take(&rec); err != nil {
			return &Broken{File: name, Offset: at, Want: "a record that fits what came before", Found: err.Error()}
		}
	}
	s.read = true
	c.bytes += s.size
	return c.sumOf(s, name)
}

// record holds one record against its place.
func (c *checker) record(s *segment, n int, at int64, rec *journal.Record) error {
	broken := func(want, found string, args ...any) error {
		return &Broken{File: fileName(c.dir, s.number), Offset: at, Want: want, Found: fmt.Sprintf(found, args...)}
	}
	if c.seq != 0 && rec.Seq != c.seq+1 {
		return broken(fmt.Sprintf("record %d", c.seq+1), "record %d", rec.Seq)
	}
	c.seq, c.last = rec.Seq, rec.Kind
	c.records++
	if (rec.Kind == journal.KindSegment) != (n == 0) {
		return broken("a segment's head at a file's start and nowhere else", "%v as number %d", rec.Kind, n+1)
	}
	switch rec.Kind {
	case journal.KindSegment:
		var g journal.Segment
		if err := g.Decode(rec); err != nil {
			return broken("a segment's head", "%v", err)
		}
		if g.Number != s.number {
			return broken(fmt.Sprintf("the head of file %d", s.number), "that of file %d", g.Number)
		}
		c.first = g.First
	case journal.KindChain:
		var l link
		if err := l.Decode(rec); err != nil {
			return broken("a chain", "%v", err)
		}
		l.in, l.at = s.number, at
		if l.Number >= s.number || l.Number <= c.chained {
			return broken(fmt.Sprintf("the sum of a file from %d to %d", c.chained+1, s.number-1), "that of file %d", l.Number)
		}
		c.links, c.chained = append(c.links, l), l.Number
	case journal.KindCheckpoint:
		c.base = c.first
	}
	return nil
}

// sumOf has the file summed on a goroutine of its own.
func (c *checker) sumOf(s *segment, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("cannot read the journal: %w", err)
	}
	c.sums.Go(func() {
		defer f.Close()
		// A file that cannot be read to its end has another sum, which is said.
		s.sum, _ = sum(f, s.size)
	})
	return nil
}

// chains holds the sums that later files tell against the files, and finds out what
// there is to trim. Only the newest may end in bytes that are no record, and one of
// which a later file says that it did.
func (c *checker) chains(files []segment) error {
	c.sums.Wait()
	links := map[uint64]*link{}
	for i := range c.links {
		links[c.links[i].Number] = &c.links[i]
	}
	for i := range files {
		s := &files[i]
		name := fileName(c.dir, s.number)
		l := links[s.number]
		switch {
		case l == nil && (i == len(files)-1 || s.cut == 0):
			continue
		case l == nil:
			return &Broken{File: name, Offset: s.size, Want: "a record, for a later file follows", Found: fmt.Sprintf("%d bytes that are none", s.cut)}
		}
		if !s.read {
			if err := s.measure(name, l.Bytes); err != nil {
				return err
			}
		}
		broken := func(at int64, found string, args ...any) error {
			return &Broken{File: name, Offset: at, Found: fmt.Sprintf(found, args...),
				Want: fmt.Sprintf("%d bytes with SHA-256 %x, by %s at offset %d", l.Bytes, l.Sum, fileName(c.dir, l.in), l.at)}
		}
		switch {
		case s.size != l.Bytes:
			return broken(min(s.size, l.Bytes), "%d bytes", s.size)
		case s.cut != 0 && s.cut != l.Cut:
			return broken(s.size, "%d bytes behind them", s.cut)
		case s.read && s.sum != l.Sum:
			return broken(0, "%d bytes with SHA-256 %x", s.size, s.sum)
		}
	}
	return nil
}

// measure is for a file that is not read: how far it reaches beyond size.
func (s *segment) measure(name string, size int64) error {
	f, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("cannot read the journal: %w", err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return fmt.Errorf("cannot read the journal: %w", err)
	}
	s.size = min(size, st.Size())
	if s.room = st.Size() - s.size; s.room > 0 {
		used, _, err := extent(f)
		if err != nil {
			return fmt.Errorf("cannot read the journal: %w", err)
		}
		s.cut = max(used-s.size, 0)
	}
	return nil
}
