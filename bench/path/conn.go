package path

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// socket is a connected TCP socket outside the Go runtime's poller. While waits is
// set, Read and Write wait, for handshakes; else Read answers a timeout at once when
// there is nothing. One goroutine at a time.
type socket struct {
	fd    int
	waits bool
	until time.Time // of waiting
}

func (s *socket) Read(p []byte) (int, error) {
	for {
		n, err := unix.Read(s.fd, p)
		switch {
		case n > 0:
			return n, nil
		case err == nil:
			return 0, io.EOF
		case err == unix.EINTR:
		case err != unix.EAGAIN:
			return 0, os.NewSyscallError("read", err)
		case !s.waits:
			return 0, os.ErrDeadlineExceeded
		default:
			if err := s.poll(unix.POLLIN); err != nil {
				return 0, err
			}
		}
	}
}

// Write sends all of p, waiting for room if it must.
func (s *socket) Write(p []byte) (int, error) {
	for sent := 0; ; {
		n, err := unix.Write(s.fd, p[sent:])
		sent += max(n, 0)
		switch {
		case sent == len(p):
			return sent, nil
		case err == nil || err == unix.EINTR:
		case err != unix.EAGAIN:
			return sent, os.NewSyscallError("write", err)
		default:
			if err := s.poll(unix.POLLOUT); err != nil {
				return sent, err
			}
		}
	}
}

func (s *socket) poll(events int16) error {
	fds := []unix.PollFd{{Fd: int32(s.fd), Events: events}}
	left := 5 * time.Second
	if !s.until.IsZero() {
		left = time.Until(s.until)
	}
	n, err := unix.Poll(fds, max(int(left/time.Millisecond), 0))
	if err == unix.EINTR {
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
