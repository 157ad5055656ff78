package oracle

import (
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"regexp"
	"slices"
)

// journal knows which client ids stand in whole records of a folder's files. It reads on
// from where it was. Of the format it knows the head of a record (length, checksum,
// sequence, kind, version), and that an intent is of kind 2 and spells its client id.
type journal struct {
	dir   string
	files map[string]int64 // how far each has been read
	ids   map[string]bool
	page  []byte // what is read of a file at a time
}

const (
	recordHead   = 18
	recordIntent = 2
)

var clientID = regexp.MustCompile(`[A-Za-z0-9_]{1,19}-[0-9a-z]{7}-[0-9a-z]{8}`)

func newJournal(dir string) *journal {
	return &journal{dir: dir, files: map[string]int64{}, ids: map[string]bool{}, page: make([]byte, 256<<10)}
}

// has reports whether an intent under that id stands on disk.
func (j *journal) has(id string) bool {
	if !j.ids[id] {
		j.read()
	}
	return j.ids[id]
}

func (j *journal) read() {
	names, _ := filepath.Glob(filepath.Join(j.dir, "*.journal"))
	slices.Sort(names)
	for _, name := range names {
		j.readFile(name)
	}
}

func (j *journal) readFile(name string) {
	f, err := os.Open(name)
	if err != nil {
		return
	}
	defer f.Close()
	for {
		n, _ := f.ReadAt(j.page, j.files[name])
		used := j.take(j.page[:n])
		j.files[name] += int64(used)
		if used == 0 {
			return
		}
	}
}

// take reads whole records and says how many bytes they have.
func (j *journal) take(b []byte) (used int) {
	for {
		rest := b[used:]
		if len(rest) < recordHead {
			return used
		}
		size := int(binary.LittleEndian.Uint32(rest)) + 8
		if size < recordHead || size > len(rest) {
			return used
		}
		table := crc32.MakeTable(crc32.Castagnoli)
		sum := crc32.Update(crc32.Update(0, table, rest[:4]), table, rest[8:size])
		if sum != binary.LittleEndian.Uint32(rest[4:]) {
			return used
		}
		if rest[16] == recordIntent {
			for _, id := range clientID.FindAll(rest[recordHead:size], -1) {
				j.ids[string(id)] = true
			}
		}
		used += size
	}
}
