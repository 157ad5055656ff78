//go:build unix

package binance

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// openKeyFile opens once and checks what it has opened, so that nothing can be
// swapped in between.
func openKeyFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		if errors.Is(err, syscall.ELOOP) {
			return nil, fmt.Errorf("found a symbolic link, want a regular file")
		}
		return nil, err
	}
	info, err := f.Stat()
	if err == nil {
		err = checkKeyFile(info)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func checkKeyFile(info os.FileInfo) error {
	if !info.Mode().IsRegular() {
		return fmt.Errorf("found a %s, want a regular file", info.Mode().Type())
	}
	if m := info.Mode().Perm(); m != 0o600 && m != 0o400 {
		return fmt.Errorf("found mode %04o, want 0600 or 0400", m)
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Errorf("cannot tell the owner on this system")
	}
	if int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("found owner %d, want our own user %d", st.Uid, os.Geteuid())
	}
	return nil
}
