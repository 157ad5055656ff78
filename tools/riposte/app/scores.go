package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"

	"riposte/core/signal"
)

// scoresName is the file in which scores outlive the process, in the journal's folder.
const scoresName = "scores.json"

// scoresFile is its content. Sum is the CRC-32C of List's bytes.
type scoresFile struct {
	Sum  uint32
	List json.RawMessage
}

// savedScore is one source of it.
type savedScore struct {
	Source string
	Score  signal.Score
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// readScores fills in what the file knows of the named sources. One that is damaged is
// put aside, and an error says so: nothing of it is believed.
func readScores(dir string, names []string, into []signal.Score) error {
	if dir == "" {
		return nil
	}
	name := filepath.Join(dir, scoresName)
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var f scoresFile
	var list []savedScore
	if err == nil {
		err = json.Unmarshal(text, &f)
	}
	if err == nil && crc32.Checksum(f.List, castagnoli) != f.Sum {
		err = errors.New("its checksum is wrong")
	}
	if err == nil {
		err = json.Unmarshal(f.List, &list)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("scores begin anew: cannot read %s, which is kept as %s.bad: %w", name, scoresName, err), os.Rename(name, name+".bad"))
	}
	for _, s := range list {
		for i := range names {
			if names[i] == s.Source {
				into[i] = s.Score
			}
		}
	}
	return nil
}

// writeScores puts the scores in the file's place at once. Sources that the configuration
// no longer has are kept: they may come back.
func writeScores(dir string, list []savedScore) error {
	if dir == "" {
		return nil
	}
	name := filepath.Join(dir, scoresName)
	raw, err := json.Marshal(list)
	if err != nil {
		return fmt.Errorf("cannot write the scores: %w", err)
	}
	text, err := json.Marshal(scoresFile{Sum: crc32.Checksum(raw, castagnoli), List: raw})
	if err != nil {
		return fmt.Errorf("cannot write the scores: %w", err)
	}
	if err := writeSynced(name+".new", append(text, '\n'), os.O_TRUNC); err != nil {
		return err
	}
	if err := os.Rename(name+".new", name); err != nil {
		return fmt.Errorf("cannot write the scores: %w", err)
	}
	return syncDir(dir)
}

// save writes the newest published scores.
func (o *intake) save() error {
	if o.d.shard == nil || o.d.cfg.Journal.Dir == "" {
		return nil
	}
	stats := o.d.shard.Scores()
	if len(stats.List) != len(o.names) {
		return nil // none are published yet
	}
	var list []savedScore
	for i, name := range o.names {
		list = append(list, savedScore{name, stats.List[i].Score})
	}
	return writeScores(o.d.cfg.Journal.Dir, list)
}
