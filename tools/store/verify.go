package store

import (
	"fmt"

	"riposte/core/journal"
)

// Verified is what a whole journal was found to hold.
type Verified struct {
	Files   int
	Records uint64
	Bytes   int64
	Chained int   // files whose sums a later one tells, all of them right
	Torn    int64 // bytes at the end of the newest that are no record
	Short   bool  // the newest has been cut, by no run
	Kinds   map[journal.Kind]uint64
}

// Verify reads all of a folder, of whatever run, and holds it against itself: every
// record's checksum, every number, and of every finished file the sum. It changes
// nothing and needs no lock; of a journal that is being written it sees what is there.
func Verify(dir string) (*Verified, error) {
	files, err := listFiles(dir)
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("cannot verify %s: there is no journal file in it", dir)
	}
	c := newChecker(dir)
	v := &Verified{Files: len(files), Kinds: map[journal.Kind]uint64{}}
	newest := len(files) - 1
	for i := range files {
		if i == newest && ahead(dir, files[i].number) {
			files = files[:i] // made ahead, with nothing in it
			break
		}
		err := c.file(&files[i], func(rec *journal.Record) error {
			v.Kinds[rec.Kind]++
			if p := journal.New(rec.Kind); p != nil {
				return p.Decode(rec)
			}
			return fmt.Errorf("%v is not known: a newer riposte wrote it", rec.Kind)
		})
		if err != nil {
			return nil, err
		}
	}
	if err := c.chains(files); err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return v, nil
	}
	newest = len(files) - 1
	v.Torn, v.Short = files[newest].cut, files[newest].short
	// A file without a sum can be the newest and, where that has only begun, the one
	// before it.
	if want := files[newest].number; c.chained+2 < want {
		return nil, &Broken{File: fileName(dir, want), Want: fmt.Sprintf("the sum of file %d", c.chained+1), Found: "none"}
	}
	v.Records, v.Bytes, v.Chained = c.records, c.bytes, len(c.links)
	return v, nil
}

// ahead reports whether a file is one made ahead, without any record.
func ahead(dir string, number uint64) bool {
	r, err := OpenReader(fileName(dir, number))
	if err != nil {
		return false
	}
	defer r.Close()
	return r.used == 0
}
