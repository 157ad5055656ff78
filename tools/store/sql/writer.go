package sql

import (
	"context"
	dbsql "database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"riposte/core"
	"riposte/core/journal"
	"riposte/tools/store"
)

// batchMost is how many records are written in one transaction: enough to share out its
// sync, few enough for readers to see what is new.
const batchMost = 256

// Writer turns a journal's records into rows. A process at a time has it, a goroutine at
// a time uses it.
type Writer struct {
	name string
	dir  string // of the journal
	lock *os.File
	db   *dbsql.DB
	conn *dbsql.Conn
	stmt map[string]*dbsql.Stmt
	tail *store.Tail // nil: to be opened where the last commit left it

	progress
	names     []journal.InstrumentName
	assets    []string
	positions map[string]*position
	dirty     map[string]bool // positions changed in this batch

	verdict error // on a journal that does not go on from where it has been read

	in  journal.Intent
	rep journal.Report
}

// progress is what has to be known beside rows to read on.
type progress struct {
	at       store.Place // as of the last commit
	run, era int64
	draft    int
	account  string
}

// The states of a run's checkpoint.
const (
	draftOver = iota
	draftEmpty
	draftCarries
)

// OpenWriter opens the store of a journal's folder and makes it if need be. Another
// process that writes it is an error.
func OpenWriter(dir string) (*Writer, error) {
	lock, err := lockStore(dir)
	if err != nil {
		return nil, err
	}
	return openWriter(dir, filepath.Join(dir, FileName), lock)
}

func lockStore(dir string) (*os.File, error) {
	lock, err := store.Lock(filepath.Join(dir, FileName+".lock"))
	if err != nil {
		return nil, fmt.Errorf("cannot write the store in %s: %w", dir, err)
	}
	return lock, nil
}

// openWriter opens the database under that name. lock, if there is one, belongs to the
// writer from then on, also after an error.
func openWriter(dir, name string, lock *os.File) (*Writer, error) {
	w := &Writer{name: name, dir: dir, lock: lock, stmt: map[string]*dbsql.Stmt{}}
	var err error
	if w.db, w.conn, err = open(name, true); err == nil {
		err = w.load()
	}
	if err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

// Close closes the database and gives the lock back.
func (w *Writer) Close() error {
	var errs []error
	for _, s := range w.stmt {
		_ = s.Close()
	}
	if w.conn != nil {
		errs = append(errs, w.conn.Close(), w.db.Close())
	}
	w.conn = nil
	if w.lock != nil {
		errs = append(errs, w.lock.Close())
	}
	return errors.Join(errs...)
}

// Seq is the number of the journal's record up to which all rows are in the store.
func (w *Writer) Seq() uint64 { return w.at.Seq }

// CatchUp writes what the journal has and the store has not, and returns how many records
// that was. After an error nothing of the batch counts; the next call tries it again.
func (w *Writer) CatchUp(ctx context.Context) (n int, err error) {
	for ctx.Err() == nil {
		wrote, err := w.batch()
		n += wrote
		if err != nil || wrote < batchMost {
			return n, err
		}
	}
	return n, ctx.Err()
}

// batch writes up to batchMost records in one transaction.
func (w *Writer) batch() (n int, err error) {
	if w.tail == nil {
		if err := w.load(); err != nil {
			return 0, err
		}
	}
	defer func() {
		if err != nil {
			w.undo()
		}
	}()
	for n < batchMost {
		rec, err := w.tail.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return 0, w.unread(err)
		}
		if n == 0 {
			if err := w.exec("BEGIN IMMEDIATE"); err != nil {
				return 0, err
			}
		}
		if err := w.take(&rec); err != nil {
			return 0, err
		}
		n++
	}
	if n == 0 {
		return 0, nil
	}
	return n, w.commit()
}

// unread says why the journal cannot be read on. A loss of power can leave it behind the
// store, which syncs more often: then it is whole, and the store has what it has lost.
func (w *Writer) unread(err error) error {
	var broken *store.Broken
	if !errors.As(err, &broken) {
		return err
	}
	if w.verdict == nil { // asked once: it reads all of the journal
		w.verdict = err
		if _, sick := store.Verify(w.dir); sick == nil {
			w.verdict = fmt.Errorf("cannot use the store %s: it has read up to record %d, which the journal, whole as it is, goes on from differently; `riposte store rebuild` makes it anew", w.name, w.at.Seq)
		}
	}
	return w.verdict
}

func (w *Writer) commit() error {
	if err := w.flush(); err != nil {
		return err
	}
	w.at = w.tail.Place()
	if err := w.exec("UPDATE progress SET file = ?, offset = ?, seq = ?, run = ?, era = ?, draft = ?, account = ?",
		int64(w.at.File), w.at.Offset, int64(w.at.Seq), w.run, w.era, w.draft, w.account); err != nil {
		return err
	}
	return w.exec("COMMIT")
}

// undo gives up the batch; what is in memory is read anew before the next.
func (w *Writer) undo() {
	_, _ = w.conn.ExecContext(context.Background(), "ROLLBACK")
	w.tail = nil
}

// exec runs one statement; each text is prepared once.
func (w *Writer) exec(text string, args ...any) error {
	_, err := w.changed(text, args...)
	return err
}

// changed is exec, with how many rows that changed.
func (w *Writer) changed(text string, args ...any) (int64, error) {
	s := w.stmt[text]
	if s == nil {
		var err error
		if s, err = w.conn.PrepareContext(context.Background(), text); err != nil {
			return 0, explain(w.name, err)
		}
		w.stmt[text] = s
	}
	r, err := s.Exec(args...)
	if err != nil {
		return 0, explain(w.name, err)
	}
	n, err := r.RowsAffected()
	return n, err
}

// load reads what the last commit left.
func (w *Writer) load() error {
	ctx := context.Background()
	var file, seq int64
	row := w.conn.QueryRowContext(ctx, "SELECT file, offset, seq, run, era, draft, account FROM progress")
	if err := row.Scan(&file, &w.at.Offset, &seq, &w.run, &w.era, &w.draft, &w.account); err != nil {
		return explain(w.name, err)
	}
	w.at.File, w.at.Seq = uint64(file), uint64(seq)
	w.names, w.assets = nil, nil
	w.positions, w.dirty = map[string]*position{}, map[string]bool{}
	err := w.each("SELECT symbol, base, quote FROM instruments ORDER BY id", func(r *dbsql.Rows) error {
		var n journal.InstrumentName
		err := r.Scan(&n.Symbol, &n.Base, &n.Quote)
		w.names = append(w.names, n)
		return err
	})
	if err == nil {
		err = w.each("SELECT name FROM assets ORDER BY id", func(r *dbsql.Rows) error {
			var name string
			err := r.Scan(&name)
			w.assets = append(w.assets, name)
			return err
		})
	}
	if err == nil {
		err = w.each("SELECT symbol, base, quote, net, cash, base_fees, quote_fees, base_worth, cost, realised, fills, mark FROM positions WHERE era = ?", func(r *dbsql.Rows) error {
			p, symbol := new(position), ""
			err := r.Scan(&symbol, &p.base, &p.quote, &p.net, &p.cash, &p.baseFees, &p.quoteFees, &p.baseWorth, &p.cost, &p.realised, &p.fills, &p.mark)
			w.positions[symbol] = p
			return err
		}, w.era)
	}
	if err != nil {
		return explain(w.name, err)
	}
	w.tail = store.NewTail(w.dir, w.at)
	return nil
}

func (w *Writer) each(text string, f func(*dbsql.Rows) error, args ...any) error {
	return eachRow(w.conn, text, f, args...)
}

func eachRow(conn *dbsql.Conn, text string, f func(*dbsql.Rows) error, args ...any) error {
	rows, err := conn.QueryContext(context.Background(), text, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // its error is that of Err
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// take writes what one record says.
func (w *Writer) take(rec *journal.Record) error {
	switch rec.Kind {
	case journal.KindIntent:
		if err := w.in.Decode(rec); err != nil {
			return err
		}
		return w.intent(&w.in)
	case journal.KindReport:
		if err := w.rep.Decode(rec); err != nil {
			return err
		}
		return w.report(rec.Seq, &w.rep)
	case journal.KindSegment, journal.KindChain, journal.KindMarket, journal.KindSnapshot, journal.KindSignal, journal.KindMarkOut, journal.KindScore:
		return nil
	}
	p := journal.New(rec.Kind)
	if p == nil {
		return fmt.Errorf("cannot store record %d: %v is not known: a newer riposte wrote it", rec.Seq, rec.Kind)
	}
	if err := p.Decode(rec); err != nil {
		return err
	}
	switch p := p.(type) {
	case *journal.SessionStart:
		return w.begin(p)
	case *journal.SessionEnd:
		return w.exec("UPDATE sessions SET ended = ?, clean = ?, text = ? WHERE run = ?", int64(p.Wall), p.Clean, p.Text, w.run)
	case *journal.Names:
		return w.named(p)
	case *journal.Strategies:
		return w.strategies(p)
	case *journal.Limit:
		return w.exec("INSERT OR REPLACE INTO limits VALUES (?, ?, ?, ?)", w.run, p.Scope, p.Name, p.Value)
	case *journal.Checkpoint:
		return w.checkpoint()
	case *journal.Sent:
		return w.exec("UPDATE orders SET sent = ? WHERE holder = ? AND number = ?", int64(p.Wall), w.run, int64(p.Order))
	case *journal.Order:
		return w.order(p)
	case *journal.Ahead:
		return w.exec("UPDATE orders SET status = CASE WHEN ?1 > 0 THEN ?1 ELSE status END, cum = max(cum, ?2) WHERE holder = ?3 AND number = ?4", int64(p.End), int64(p.Cum), w.run, int64(p.Order))
	case *journal.Position:
		return w.carried(p)
	case *journal.Holding:
		return w.holding(p)
	case *journal.Refusal:
		return w.refusal(rec.Seq, p)
	case *journal.Halt:
		return w.halt(rec.Seq, p)
	case *journal.Audit:
		return w.audit(rec.Seq, p)
	}
	return nil
}

// begin opens a run. Its checkpoint will tell whether it goes on from the one before.
func (w *Writer) begin(p *journal.SessionStart) error {
	w.run, w.draft = int64(p.Epoch), draftEmpty
	if p.Account != w.account || w.era == 0 {
		w.account = p.Account
		if err := w.newEra(); err != nil {
			return err
		}
	}
	w.names, w.assets = nil, nil
	for _, text := range []string{"DELETE FROM instruments", "DELETE FROM assets"} {
		if err := w.exec(text); err != nil {
			return err
		}
	}
	if err := w.exec("UPDATE balances SET unsure = 0 WHERE era = ?", w.era); err != nil {
		return err
	}
	return w.exec("INSERT OR REPLACE INTO sessions (run, era, started, version, config, account, prefix) VALUES (?, ?, ?, ?, ?, ?, ?)",
		w.run, w.era, int64(p.Wall), p.Version, fmt.Sprintf("%x", p.Config), p.Account, p.Prefix)
}

// newEra starts from nothing: this run knows of no former one.
func (w *Writer) newEra() error {
	if err := w.flush(); err != nil {
		return err
	}
	w.era = w.run
	w.positions = map[string]*position{}
	return nil
}

// checkpoint ends what a run starts from.
func (w *Writer) checkpoint() error {
	if w.draft == draftEmpty && w.era != w.run {
		if err := w.newEra(); err != nil {
			return err
		}
		if err := w.exec("UPDATE sessions SET era = ? WHERE run = ?", w.era, w.run); err != nil {
			return err
		}
	}
	w.draft = draftOver
	return nil
}

// named keeps what a run's numbers mean.
func (w *Writer) named(p *journal.Names) error {
	for i, n := range p.Instruments {
		w.names = append(w.names, n)
		if err := w.exec("INSERT OR REPLACE INTO instruments VALUES (?, ?, ?, ?)", int64(p.FirstInstrument)+int64(i), n.Symbol, int64(n.Base), int64(n.Quote)); err != nil {
			return err
		}
	}
	for i, name := range p.Assets {
		w.assets = append(w.assets, name)
		if err := w.exec("INSERT OR REPLACE INTO assets VALUES (?, ?)", int64(p.FirstAsset)+int64(i), name); err != nil {
			return err
		}
	}
	return nil
}

// asset is the name of an asset, "" of one that no table knew.
func (w *Writer) asset(id core.AssetID) string {
	if int(id) >= len(w.assets) {
		return ""
	}
	return w.assets[id]
}

func (w *Writer) symbol(id core.InstrumentID) string {
	if int(id) >= len(w.names) {
		return ""
	}
	return w.names[id].Symbol
}
