package sql

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Rebuild makes the store of a journal's folder anew from all that the folder holds, and
// then puts it in the place of the old one, which may be damaged or of any version. It
// returns how many records there were. Where it fails the old one stays.
func Rebuild(ctx context.Context, dir string) (n int, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.journal"))
	if err != nil || len(files) == 0 {
		return 0, fmt.Errorf("cannot rebuild the store of %s: there is no journal in it", dir)
	}
	lock, err := lockStore(dir)
	if err != nil {
		return 0, err
	}
	defer lock.Close()
	old := filepath.Join(dir, FileName)
	temp := old + ".new"
	if err := remove(temp, temp+"-wal", temp+"-shm"); err != nil {
		return 0, err
	}
	w, err := openWriter(dir, temp, nil)
	if err != nil {
		return 0, err
	}
	// Nobody reads it yet, so one sync at the end is as good as many.
	_, err = w.conn.ExecContext(ctx, "PRAGMA synchronous = OFF")
	if err == nil {
		n, err = w.CatchUp(ctx)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		return n, errors.Join(err, remove(temp, temp+"-wal", temp+"-shm"))
	}
	if err := syncFile(temp); err != nil {
		return n, err
	}
	// What the old one's log holds belongs to no other.
	if err := remove(old+"-wal", old+"-shm"); err != nil {
		return n, err
	}
	if err := os.Rename(temp, old); err != nil {
		return n, fmt.Errorf("cannot put the store in its place: %w", err)
	}
	return n, syncFile(dir)
}

func syncFile(name string) error {
	f, err := os.Open(name)
	if err == nil {
		err = errors.Join(f.Sync(), f.Close())
	}
	if err != nil {
		return fmt.Errorf("cannot sync the store: %w", err)
	}
	return nil
}

func remove(names ...string) error {
	for _, name := range names {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("cannot take an old store away: %w", err)
		}
	}
	return nil
}
