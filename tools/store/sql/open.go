package sql

import (
	"context"
	dbsql "database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"
)

// FileName is the database's name in a journal's folder.
const FileName = "store.db"

//go:embed schema/*.sql
var schemaFiles embed.FS

// schema is the versions' text in their order: version n is schema[n-1].
func schema() (list []string) {
	names, err := fs.Glob(schemaFiles, "schema/*.sql")
	if err != nil {
		panic(fmt.Sprintf("BUG: %v", err))
	}
	for i, name := range names {
		if want := fmt.Sprintf("schema/%04d_", i+1); name[:len(want)] != want {
			panic(fmt.Sprintf("BUG: %s stands where %s… should", name, want))
		}
		text, err := schemaFiles.ReadFile(name)
		if err != nil {
			panic(fmt.Sprintf("BUG: %v", err))
		}
		list = append(list, string(text))
	}
	return list
}

// mark says that a database is ours: "ripo".
const mark = 0x7269706f

// ErrNone says that there is no store yet.
var ErrNone = errors.New("there is no store yet")

// open opens the file, for writing if that is said, and holds it against our schema. One
// connection: it is a reader's view, or the only writer.
func open(name string, write bool) (*dbsql.DB, *dbsql.Conn, error) {
	mode := "ro"
	if write {
		mode = "rwc"
	} else if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("cannot read %s: %w", name, ErrNone)
	}
	abs, err := filepath.Abs(name)
	if err != nil {
		return nil, nil, err
	}
	dsn := url.URL{Scheme: "file", Path: abs, RawQuery: "mode=" + mode + "&_pragma=busy_timeout(5000)&_pragma=synchronous(FULL)"}
	db, err := dbsql.Open("sqlite", dsn.String())
	if err != nil {
		return nil, nil, explain(name, err)
	}
	db.SetMaxOpenConns(1)
	conn, err := db.Conn(context.Background())
	if err == nil {
		err = settle(conn, write)
	}
	if err != nil {
		if conn != nil {
			_ = conn.Close()
		}
		return nil, nil, errors.Join(explain(name, err), db.Close())
	}
	return db, conn, nil
}

// newerSchema is a store that a later program made.
type newerSchema struct{ found, want int }

func (e newerSchema) Error() string {
	return fmt.Sprintf("its schema is version %d, this riposte knows up to %d: a newer one made it", e.found, e.want)
}

var errStranger = errors.New("it is a database, but not a store of riposte's")

// settle checks whose the database is and brings its schema up to ours. Each version is
// applied whole or not at all.
func settle(conn *dbsql.Conn, write bool) error {
	ctx := context.Background()
	var owner, version, tables int
	for what, to := range map[string]*int{"PRAGMA application_id": &owner, "PRAGMA user_version": &version, "SELECT count(*) FROM sqlite_master": &tables} {
		if err := conn.QueryRowContext(ctx, what).Scan(to); err != nil {
			return err
		}
	}
	list := schema()
	switch {
	case owner != mark && tables > 0:
		return errStranger
	case version > len(list):
		return newerSchema{version, len(list)}
	case !write && version < len(list):
		return ErrNone // its writer has not come to it yet
	case !write:
		return nil
	}
	if _, err := conn.ExecContext(ctx, "PRAGMA journal_mode = WAL"); err != nil {
		return err
	}
	for i := version; i < len(list); i++ {
		_, err := conn.ExecContext(ctx, fmt.Sprintf("BEGIN IMMEDIATE; %s; PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT", list[i], mark, i+1))
		if err != nil {
			_, _ = conn.ExecContext(ctx, "ROLLBACK")
			return err
		}
	}
	return nil
}

// ErrDamaged says that only a rebuild helps.
var ErrDamaged = errors.New("it is damaged")

// explain says what an error of the database means, on one line that names the file.
func explain(name string, err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		var newer newerSchema
		if errors.Is(err, ErrDamaged) {
			return fmt.Errorf("cannot use the store %s: %w; `riposte store rebuild` makes it anew from the journal", name, err)
		}
		if errors.As(err, &newer) || errors.Is(err, errStranger) || errors.Is(err, ErrNone) {
			return fmt.Errorf("cannot use the store %s: %w", name, err)
		}
		return fmt.Errorf("the store %s: %w", name, err)
	}
	switch e.Code() & 0xff {
	case codes.SQLITE_NOTADB, codes.SQLITE_CORRUPT, codes.SQLITE_ERROR, codes.SQLITE_CONSTRAINT, codes.SQLITE_MISMATCH:
		return fmt.Errorf("cannot use the store %s: %w (%w); `riposte store rebuild` makes it anew from the journal", name, ErrDamaged, err)
	case codes.SQLITE_FULL:
		return fmt.Errorf("cannot write the store %s: the disk is full", name)
	case codes.SQLITE_BUSY, codes.SQLITE_LOCKED:
		return fmt.Errorf("cannot write the store %s: another process is writing it", name)
	case codes.SQLITE_READONLY:
		return fmt.Errorf("cannot write the store %s: it is read-only", name)
	case codes.SQLITE_CANTOPEN:
		return fmt.Errorf("cannot open the store %s: %w", name, err)
	}
	return fmt.Errorf("the store %s: %w", name, err)
}
