package sock

import (
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func option(t *testing.T, c net.Conn, level, opt int) int {
	t.Helper()
	v, err := unix.GetsockoptInt(c.(*Conn).fd, level, opt)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestSocketsDoNotDelayWritesUnlessTold(t *testing.T) {
	plain, _ := pair(t, &Dialer{}, false)
	if v := option(t, plain, unix.IPPROTO_TCP, unix.TCP_NODELAY); v == 0 {
		t.Error("TCP_NODELAY is off by default, want on")
	}
	delayed, _ := pair(t, &Dialer{Options: Options{Delay: true, QuickAck: true}}, false)
	if v := option(t, delayed, unix.IPPROTO_TCP, unix.TCP_NODELAY); v != 0 {
		t.Errorf("TCP_NODELAY is %d where delay was asked for, want 0", v)
	}
	if v := option(t, delayed, unix.IPPROTO_TCP, unix.TCP_QUICKACK); v != 1 {
		t.Errorf("TCP_QUICKACK is %d, want 1", v)
	}
}

// Whether the process may set SO_BUSY_POLL is the machine's affair; either it is set or
// the error says what is missing.
func TestBusyPollIsSetOrTheMissingRightIsNamed(t *testing.T) {
	o := Options{BusyPoll: 50 * time.Microsecond}
	if err := o.Check(); err != nil {
		if !errors.Is(err, unix.EPERM) || !strings.Contains(err.Error(), "CAP_NET_ADMIN") {
			t.Fatalf("got %v, want EPERM and what is missing", err)
		}
		t.Logf("this process may not: %v", err)
		return
	}
	c, _ := pair(t, &Dialer{Options: o}, false)
	if v := option(t, c, unix.SOL_SOCKET, unix.SO_BUSY_POLL); v != 50 {
		t.Errorf("SO_BUSY_POLL is %d, want 50", v)
	}
}

func TestOptionsOfAClosedSocketAreAnError(t *testing.T) {
	if err := (Options{Delay: true, QuickAck: true, BusyPoll: time.Millisecond}).apply(-1); !errors.Is(err, unix.EBADF) ||
		!strings.Contains(err.Error(), "TCP_NODELAY") || !strings.Contains(err.Error(), "SO_BUSY_POLL") {
		t.Errorf("got %v, want each option named", err)
	}
}
