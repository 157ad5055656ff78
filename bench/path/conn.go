package path

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// socket is a connected TCP socket outside the Go runtime's poller. While waits is
// set, Read and Write wait, for handshakes; else Read answers a timeout at once when
// there is nothing. System calls that cannot wait go round the scheduler. One
// goroutine at a time.
type socket struct {
	fd    int
	waits bool
	until time.Time // of waiting

	stamps  bool // keep the two below; it costs a clock reading per call
	readAt  Ns   // when the newest bytes had been read
	wroteAt Ns   // when the newest bytes were handed to the kernel
	corked  bool // collect what is written until flush
	held    []byte
}

// base is when the harness's clock began.
var base = time.Now()

// now reads the harness's clock.
func now() Ns { return Ns(time.Since(base)) }

func (s *socket) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		n, _, err := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(s.fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)), unix.MSG_DONTWAIT, 0, 0)
		switch {
		case err == 0 && n > 0:
			if s.stamps {
				s.readAt = now()
			}
			return int(n), nil
		case err == 0:
			return 0, io.EOF
		case err == unix.EINTR:
		case err != unix.EAGAIN:
			return 0, os.NewSyscallError("recv", err)
		case !s.waits:
			return 0, os.ErrDeadlineExceeded
		default:
			if err := s.poll(unix.POLLIN); err != nil {
				return 0, err
			}
		}
	}
}

// Write sends all of p, waiting for room if it must. On a corked socket it only keeps
// it for flush.
func (s *socket) Write(p []byte) (int, error) {
	if s.corked {
		s.held = append(s.held, p...)
		return len(p), nil
	}
	if s.stamps {
		s.wroteAt = now()
	}
	for sent := 0; sent < len(p); {
		n, _, err := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(s.fd), uintptr(unsafe.Pointer(&p[sent])), uintptr(len(p)-sent), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
		switch {
		case err == 0:
			sent += int(n)
		case err == unix.EINTR:
		case err != unix.EAGAIN:
			return sent, os.NewSyscallError("send", err)
		default:
			if err := s.poll(unix.POLLOUT); err != nil {
				return sent, err
			}
		}
	}
	return len(p), nil
}

// flush sends what a corked socket holds with one call, and uncorks it.
func (s *socket) flush() error {
	s.corked = false
	_, err := s.Write(s.held)
	s.held = s.held[:0]
	return err
}

// poll waits until the socket is ready. While handshakes are not under way it does so
// round the scheduler, which the measuring goroutine has shut out.
func (s *socket) poll(events int16) error {
	fds := []unix.PollFd{{Fd: int32(s.fd), Events: events}}
	left := 5 * time.Second
	if !s.until.IsZero() {
		left = time.Until(s.until)
	}
	n, err := 0, error(nil)
	if ms := max(int(left/time.Millisecond), 0); s.waits {
		n, err = unix.Poll(fds, ms)
	} else {
		t := unix.NsecToTimespec(int64(ms) * 1e6)
		r, _, e := unix.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&fds[0])), 1, uintptr(unsafe.Pointer(&t)), 0, 0, 0)
		if n = int(r); e != 0 {
			n, err = 0, e
		}
	}
	if errors.Is(err, unix.EINTR) {
		return nil
	}
	if err != nil {
		return os.NewSyscallError("poll", err)
	}
	if n == 0 {
		return fmt.Errorf("waited %v for the peer: %w", left.Round(time.Millisecond), os.ErrDeadlineExceeded)
	}
	return nil
}

func (s *socket) Close() error                     { return unix.Close(s.fd) }
func (s *socket) LocalAddr() net.Addr              { return (*net.TCPAddr)(nil) }
func (s *socket) RemoteAddr() net.Addr             { return (*net.TCPAddr)(nil) }
func (s *socket) SetDeadline(time.Time) error      { return nil }
func (s *socket) SetReadDeadline(time.Time) error  { return nil }
func (s *socket) SetWriteDeadline(time.Time) error { return nil }

// take makes a socket of a runtime connection, which is closed.
func take(tc *net.TCPConn) (*socket, error) {
	raw, err := tc.SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("cannot take the socket: %w", err)
	}
	fd, dupErr := -1, error(nil)
	if err = raw.Control(func(f uintptr) { fd, dupErr = unix.FcntlInt(f, unix.F_DUPFD_CLOEXEC, 3) }); err == nil {
		err = dupErr
	}
	if err != nil {
		return nil, fmt.Errorf("cannot take the socket: %w", err)
	}
	if err := tc.Close(); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("cannot take the socket: %w", err)
	}
	return &socket{fd: fd}, nil
}

// handshakeTime bounds a TLS handshake.
const handshakeTime = 10 * time.Second

// secure speaks TLS over a socket, as server or client, and leaves it not waiting.
func (s *socket) secure(cfg *tls.Config, server bool) (net.Conn, error) {
	s.waits, s.until = true, time.Now().Add(handshakeTime)
	defer func() { s.waits, s.until = false, time.Time{} }()
	tc := tls.Client(s, cfg)
	if server {
		tc = tls.Server(s, cfg)
	}
	if err := tc.Handshake(); err != nil {
		return nil, fmt.Errorf("TLS handshake: %w", err)
	}
	return tc, nil
}
