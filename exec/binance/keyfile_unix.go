//go:build unix

package binance

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// ownership says who may own a key's file and folder.
type ownership uint8

const (
	ours ownership = iota
	// managers: a service manager's credential may stay root's own and be readable for
	// us by an access list, which shows as the right of the group to read (systemd.exec,
	// LoadCredential=).
	managers
)

// openKeyFile opens folder and file once and checks what it has opened, so that
// nothing can be swapped in between.
func openKeyFile(path string, whose ownership) (*os.File, error) {
	dir, err := unix.Open(filepath.Dir(path), unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("its folder: %w", err)
	}
	defer func() { _ = unix.Close(dir) }()
	var st unix.Stat_t
	if err := unix.Fstat(dir, &st); err != nil {
		return nil, fmt.Errorf("its folder: %w", err)
	}
	if m := st.Mode & 0o7777; m&0o022 != 0 {
		return nil, fmt.Errorf("found its folder with mode %04o, want one that only its owner can write to", m)
	}
	if int(st.Uid) != os.Geteuid() && st.Uid != 0 {
		return nil, fmt.Errorf("found its folder with owner %d, want our own user %d or root", st.Uid, os.Geteuid())
	}
	fd, err := unix.Openat(dir, filepath.Base(path), unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		if errors.Is(err, syscall.ELOOP) {
			return nil, fmt.Errorf("found a symbolic link, want a regular file")
		}
		return nil, err
	}
	f := os.NewFile(uintptr(fd), path)
	info, err := f.Stat()
	if err == nil {
		err = checkKeyFile(info, whose)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func checkKeyFile(info os.FileInfo, whose ownership) error {
	if !info.Mode().IsRegular() {
		return fmt.Errorf("found a %s, want a regular file", info.Mode().Type())
	}
	m := info.Mode().Perm()
	if m != 0o600 && m != 0o400 && (whose != managers || m != 0o440) {
		return fmt.Errorf("found mode %04o, want 0600 or 0400", m)
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Errorf("cannot tell the owner on this system")
	}
	if int(st.Uid) != os.Geteuid() && (whose != managers || st.Uid != 0) {
		return fmt.Errorf("found owner %d, want our own user %d", st.Uid, os.Geteuid())
	}
	return nil
}
