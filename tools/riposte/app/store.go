package app

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"riposte/tools/store"
	storesql "riposte/tools/store/sql"
)

// StoreConfig is [store].
type StoreConfig struct {
	Enabled bool `toml:"enabled"`
}

// storeReport is how far the store is behind the journal.
type storeReport struct {
	Rows  uint64 `json:"rows"`        // records written in this run
	Lag   uint64 `json:"lag_records"` // records of the journal that are not in it yet
	Error string `json:"error,omitempty"`
}

// followJournal begins to write the store behind the journal. Nothing waits for it.
func (d *desk) followJournal() {
	if d.journal != nil && d.cfg.Store.Enabled {
		d.store = storesql.Follow(d.cfg.Journal.Dir)
	}
}

// reportStore tells of the store. Trouble with it is told and stops nothing: whatever is
// decided is decided by the journal.
func (d *desk) reportStore(r *report, g *gatewayView) {
	if d.store == nil {
		return
	}
	s := d.store.Status()
	r.Store = &storeReport{Rows: s.Rows, Lag: max(g.journalSeq, s.Seq) - s.Seq}
	if s.Err != nil {
		r.Store.Error = s.Err.Error()
		r.Problems = append(r.Problems, "orders go on, the store does not: "+r.Store.Error)
	}
}

// openStore is the store of the configured journal, with all that the journal has. While
// an engine writes it, it is read as it is; behind is then by how many records.
func openStore(cfg *Config) (r *storesql.Reader, behind int, err error) {
	dir := cfg.Journal.Dir
	if dir == "" {
		return nil, 0, usageError{want("journal.dir", `""`, "the folder of the journal that the store is made of")}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.journal"))
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("there is no store yet: %s holds no journal, `riposte run` makes one", dir)
	}
	if err != nil {
		return nil, 0, err
	}
	w, err := storesql.OpenWriter(dir)
	switch {
	case err == nil:
		_, err = w.CatchUp(context.Background())
		if err = errors.Join(err, w.Close()); err != nil {
			return nil, 0, err
		}
	case !errors.Is(err, store.ErrTaken):
		return nil, 0, err
	}
	taken := err != nil
	if r, err = storesql.OpenReader(dir); err != nil {
		return nil, 0, err
	}
	if taken {
		if behind, err = r.Behind(dir); err != nil {
			return nil, 0, errors.Join(err, r.Close())
		}
	}
	return r, behind, nil
}
