package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// disk is the file system as the journal uses it. fault, nil but in tests and simulations, is asked
// before each operation and may have it fail; the operation then does nothing.
type disk struct {
	fault func(op string) error
}

func (d disk) try(op string) error {
	if d.fault == nil {
		return nil
	}
	return d.fault(op)
}

// create makes a file that must be new.
func (d disk) create(name string) (*os.File, error) {
	if err := d.try("create"); err != nil {
		return nil, &os.PathError{Op: "open", Path: name, Err: err}
	}
	return os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
}

// allot gives a file blocks, all of them zeros, up to off+size.
func (d disk) allot(f *os.File, off, size int64) error {
	for {
		err := d.try("allot")
		if err == nil {
			err = unix.Fallocate(int(f.Fd()), 0, off, size)
		}
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS):
			return zeros(f, off, size)
		}
		return err
	}
}

// zeros is allot for file systems that have no such call: what is not there yet is
// written.
func zeros(f *os.File, off, size int64) error {
	st, err := f.Stat()
	if err != nil {
		return err
	}
	b := make([]byte, 256<<10)
	for at := max(off, st.Size()); at < off+size; {
		n, err := f.WriteAt(b[:min(int64(len(b)), off+size-at)], at)
		if err != nil {
			return err
		}
		at += int64(n)
	}
	return nil
}

// mmap maps a piece of a file, shared.
func (d disk) mmap(f *os.File, off int64, size int) ([]byte, error) {
	if err := d.try("mmap"); err != nil {
		return nil, err
	}
	return unix.Mmap(int(f.Fd()), off, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
}

func (d disk) truncate(f *os.File, size int64) error {
	if err := d.try("truncate"); err != nil {
		return err
	}
	return f.Truncate(size)
}

func (d disk) sync(f *os.File) error {
	if err := d.try("sync"); err != nil {
		return err
	}
	return f.Sync()
}

// syncDir makes the names in a folder survive the loss of power.
func (d disk) syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return d.sync(f)
}

// replace gives a file new content, all of it or none: it survives the loss of power
// when the call returns.
func (d disk) replace(name string, text []byte) error {
	temp := name + ".new"
	f, err := os.OpenFile(temp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err == nil {
		if err = d.try("write"); err == nil {
			_, err = f.Write(text)
		}
		if err == nil {
			err = d.sync(f)
		}
		err = errors.Join(err, f.Close())
	}
	if err == nil {
		if err = d.try("rename"); err == nil {
			err = os.Rename(temp, name)
		}
	}
	if err == nil {
		err = d.syncDir(filepath.Dir(name))
	}
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", name, err)
	}
	return nil
}
