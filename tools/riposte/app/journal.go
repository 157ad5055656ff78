package app

import (
	"errors"
	"fmt"
	"strings"

	"riposte/core"
	death "riposte/core/fault"
	"riposte/core/journal"
	"riposte/core/risk"
	"riposte/exec"
	"riposte/tools/store"
)

// JournalConfig is [journal].
type JournalConfig struct {
	Dir       string `toml:"dir"`
	Instance  string `toml:"instance"`
	Position  string `toml:"position"`
	OnRestart string `toml:"on_restart"`
	FileBytes int64  `toml:"file_bytes"`
}

func (c *JournalConfig) check() error {
	_, err := exec.NewIDs(c.Instance, 1)
	if err != nil {
		err = fmt.Errorf("journal.instance: %w", err)
	}
	return errors.Join(err, between("journal.file_bytes", c.FileBytes, 8<<10, 1<<40),
		oneOf("journal.position", c.Position, "carry", "flat"),
		oneOf("journal.on_restart", c.OnRestart, "cancel", "keep"))
}

// openJournal takes the journal's folder and reads what former runs left, before
// anything is asked of the venue: a second instance is refused while it has done
// nothing yet. Without a journal the civil clock alone keeps the runs apart.
func (d *desk) openJournal() (err error) {
	if d.cfg.Journal.Dir == "" {
		return nil
	}
	if d.folder, err = store.OpenFolderOn(d.cfg.Journal.Dir, d.clock, d.ports.disk); err != nil {
		return err
	}
	d.epoch = d.folder.Epoch
	if d.folder.Cut > 0 {
		d.warnings = append(d.warnings, fmt.Sprintf("the last run died while it noted something: %d torn bytes at the end of its journal are left out", d.folder.Cut))
	}
	if d.folder.Short {
		d.warnings = append(d.warnings, "the newest journal file has been cut, by no run: what was noted last may be missing, and the venue is asked for it")
	}
	return nil
}

// account is which account at which venue this run is about. An embedded venue is
// another one each time.
func (d *desk) account() string { return d.sites.name + " " + d.sites.rest }

// embeddedAccount begins the account of a run on the venue inside it.
const embeddedAccount = "sim (embedded venue)"

// past makes sure that what former runs left is of this account. A run on an embedded
// venue leaves nothing that matters, for that is gone with it; but such a run does not
// write over what a real account's left.
func (d *desk) past() error {
	if d.folder == nil {
		return nil
	}
	p := d.folder.Past
	switch {
	case p.Epoch == 0:
	case strings.HasPrefix(p.Account, embeddedAccount):
		p.Forget()
	case p.Account != d.account():
		return fmt.Errorf("cannot use journal.dir %s: it is of %q, this run is of %q; want a folder for each", d.cfg.Journal.Dir, p.Account, d.account())
	case p.Prefix != d.cfg.Journal.Instance:
		return fmt.Errorf("cannot use journal.dir %s: its orders are of instance %q, journal.instance is %q; want a folder for each", d.cfg.Journal.Dir, p.Prefix, d.cfg.Journal.Instance)
	}
	return nil
}

// carry has the gate start from the positions that former runs left, if that is wanted:
// each strategy from its own part, by its name.
func (d *desk) carry(gate *risk.Gate) {
	d.owners = d.strategies
	if d.folder == nil {
		return
	}
	d.owners = d.folder.Past.Enlist(d.strategies, gate.Strategies())
	if d.cfg.Journal.Position == "flat" {
		return
	}
	for i := range d.table.List {
		in := &d.table.List[i]
		if s := d.folder.Past.Symbols[in.Symbol]; s != nil {
			rest := s.Net - s.BaseFees
			gate.Carry(in.ID, rest)
			for n, name := range d.owners {
				part := d.folder.Past.Part(name, in.Symbol)
				gate.CarryOwn(uint16(n), in.ID, part)
				rest -= part
			}
			gate.CarryOwn(core.NoStrategy, in.ID, rest)
		}
	}
}

// beginJournal hands what former runs left to the gateway and notes what this run
// starts from. Nothing can be sent before.
func (d *desk) beginJournal() error {
	if d.folder == nil {
		return nil
	}
	if err := d.gateway.Restore(d.folder.Past, d.cfg.Journal.OnRestart == "keep"); err != nil {
		return err
	}
	death.At(death.PastRestored)
	s := store.Session{Version: version, Config: d.cfg.hash, Account: d.account(), Prefix: d.cfg.Journal.Instance, FileBytes: d.cfg.Journal.FileBytes,
		Limits: d.cfg.limitRecords(), Strategies: d.owners}
	for _, id := range d.orders {
		s.Rules = append(s.Rules, d.table.Get(id))
	}
	var err error
	if d.journal, err = d.folder.Begin(d.table, &s); err != nil {
		return err
	}
	d.gateway.Keep(d.journal)
	if d.begun != nil {
		d.begun()
	}
	return nil
}

// limitRecords are the limits in force, as they are put on record.
func (c *Config) limitRecords() (list []journal.Limit) {
	for _, sym := range c.traded() {
		for name, v := range fieldsOf(c.Limits[sym]) {
			list = append(list, journal.Limit{Scope: sym, Name: name, Value: v})
		}
	}
	for name, v := range fieldsOf(c.Account) {
		list = append(list, journal.Limit{Name: name, Value: v})
	}
	return list
}
