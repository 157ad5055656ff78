package app

import (
	"errors"
	"fmt"

	"riposte/exec"
	"riposte/tools/store"
)

// JournalConfig is [journal].
type JournalConfig struct {
	Dir       string `toml:"dir"`
	Instance  string `toml:"instance"`
	FileBytes int64  `toml:"file_bytes"`
}

func (c *JournalConfig) check() error {
	_, err := exec.NewIDs(c.Instance, 1)
	if err != nil {
		err = fmt.Errorf("journal.instance: %w", err)
	}
	return errors.Join(err, between("journal.file_bytes", c.FileBytes, 64<<10, 1<<40))
}

// openJournal takes the journal's folder and reads what former runs left, before
// anything is asked of the venue: a second instance is refused while it has done
// nothing yet. Without a journal the civil clock alone keeps the runs apart.
func (d *desk) openJournal() (err error) {
	if d.cfg.Journal.Dir == "" {
		return nil
	}
	if d.folder, err = store.OpenFolder(d.cfg.Journal.Dir, d.clock); err != nil {
		return err
	}
	d.epoch = d.folder.Epoch
	return nil
}

// beginJournal notes what this run starts from. Nothing can be sent before.
func (d *desk) beginJournal() (err error) {
	if d.folder == nil {
		return nil
	}
	d.folder.Past.Forget()
	s := store.Session{Version: version, Config: d.cfg.hash, Account: d.sites.name, Prefix: d.cfg.Journal.Instance, FileBytes: d.cfg.Journal.FileBytes}
	d.journal, err = d.folder.Begin(d.table, &s)
	return err
}
