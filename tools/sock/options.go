package sock

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// Options are what a socket is told once, when it has connected. The zero value is
// what nearly everybody wants.
type Options struct {
	// Delay lets the kernel hold a small write back while an earlier one is not
	// acknowledged (Nagle's algorithm): TCP_NODELAY off, where it is on by default.
	Delay bool
	// QuickAck acknowledges what comes at once instead of with the next write or
	// after some 40 ms: TCP_QUICKACK. The kernel leaves the mode when it sees fit,
	// which is mostly with the next write.
	QuickAck bool
	// BusyPoll has a read or a poll without data ask the network card's queue for
	// that long before it gives up: SO_BUSY_POLL, in microseconds. Loopback has no
	// such queue. More than net.core.busy_read needs CAP_NET_ADMIN.
	BusyPoll time.Duration
}

// apply sets the options on a connected socket.
func (o Options) apply(fd int) error {
	set := func(name string, level, opt, value int) error {
		if err := unix.SetsockoptInt(fd, level, opt, value); err != nil {
			return fmt.Errorf("cannot set %s to %d: %w", name, value, err)
		}
		return nil
	}
	var errs []error
	if o.Delay {
		errs = append(errs, set("TCP_NODELAY", unix.IPPROTO_TCP, unix.TCP_NODELAY, 0))
	}
	if o.QuickAck {
		errs = append(errs, set("TCP_QUICKACK", unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1))
	}
	if o.BusyPoll > 0 {
		err := set("SO_BUSY_POLL", unix.SOL_SOCKET, unix.SO_BUSY_POLL, int(o.BusyPoll.Microseconds()))
		if errors.Is(err, unix.EPERM) {
			err = fmt.Errorf("%w: want the capability CAP_NET_ADMIN, or sysctl net.core.busy_read of at least %d", err, o.BusyPoll.Microseconds())
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// Check tries the options on a socket of its own, so that one which this process
// may not set is known before anything dials.
func (o Options) Check() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("cannot make a socket to try options on: %w", err)
	}
	return errors.Join(o.apply(fd), unix.Close(fd))
}
