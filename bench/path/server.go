package path

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"riposte/bench"
)

// role is which of the venue's services a connection is to.
type role int

const (
	roleREST role = iota
	roleStream
	roleAPI
	roles
)

// Server is the venue as an engine under test sees it. Step serves what has come;
// one goroutine calls it, and all else but Close.
type Server struct {
	markets []*Market
	told    []ladder // by market, of depth events that have left
	tls     *tls.Config
	ep      int
	lns     [roles]*net.TCPListener
	wg      sync.WaitGroup
	fresh   chan *conn // shaken hands, not served yet
	conns   []*conn    // by descriptor
	subs    []*conn    // that get the market
	events  []unix.EpollEvent
	buf     []byte
	orders  int64
	closed  bool

	watches    []*watch // of the harness's CPU and the subject's; none: not possible here
	subjectCPU int      // where commands are started; -1: anywhere

	// Order is called with every whole new order and when it had been read.
	Order func(o *bench.Order, at Ns)
	// Odd is the newest thing that was not understood, for the report.
	Odd error
	// Asked counts requests that were not orders.
	Asked int
}

// Ns is an instant on the harness's own monotonic clock.
type Ns int64

// conn is one connection being served.
type conn struct {
	role  role
	sock  *socket
	rw    net.Conn
	in    []byte // in[:n] has been read and not consumed
	n     int
	ws    bool // upgraded
	dead  bool
	out   []byte
	wants uint64 // bit by topic
	names []string
}

// NewServer listens on three loopback ports. The first of the markets is the traded
// one. cfg is the TLS side, nil for plain.
func NewServer(markets []*Market, cfg *tls.Config) (*Server, error) {
	s := &Server{subjectCPU: -1, markets: markets, tls: cfg, fresh: make(chan *conn, 64), events: make([]unix.EpollEvent, 64),
		buf: make([]byte, 0, 1<<16), Order: func(*bench.Order, Ns) {}}
	for _, m := range markets {
		s.told = append(s.told, m.told)
	}
	var err error
	if s.ep, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, fmt.Errorf("cannot serve: %w", os.NewSyscallError("epoll_create1", err))
	}
	for r := range roles {
		ln, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			return nil, errors.Join(fmt.Errorf("cannot serve: %w", err), s.Close())
		}
		s.lns[r] = ln
		s.wg.Go(func() { s.accept(ln, r) })
	}
	return s, nil
}

// URLs are the base addresses to configure a client with.
func (s *Server) URLs() (rest, stream, api string) {
	x := ""
	if s.tls != nil {
		x = "s"
	}
	return "http" + x + "://" + s.lns[roleREST].Addr().String(),
		"ws" + x + "://" + s.lns[roleStream].Addr().String(),
		"ws" + x + "://" + s.lns[roleAPI].Addr().String() + "/ws-api/v3"
}

// Now reads the harness's clock.
func (s *Server) Now() Ns { return now() }

// accept shakes hands on goroutines, since that waits, and hands over to Step.
func (s *Server) accept(ln *net.TCPListener, r role) {
	for {
		tc, err := ln.AcceptTCP()
		if err != nil {
			return // closed
		}
		s.wg.Go(func() {
			sock, err := take(tc)
			if err != nil {
				_ = tc.Close()
				return
			}
			sock.stamps = true
			c := &conn{role: r, sock: sock, rw: sock, in: make([]byte, 32<<10)}
			if s.tls != nil {
				if c.rw, err = sock.secure(s.tls, true); err != nil {
					_ = sock.Close()
					return
				}
			}
			s.fresh <- c
		})
	}
}

// Step serves what has come, waiting for it at most wait; 0 does not wait.
func (s *Server) Step(wait time.Duration) {
	select {
	case c := <-s.fresh:
		s.adopt(c)
	default:
	}
	n, err := 0, error(nil)
	if wait == 0 {
		r, _, e := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(s.ep), uintptr(unsafe.Pointer(&s.events[0])), uintptr(len(s.events)), 0, 0, 0)
		if n = int(r); e != 0 {
			n, err = 0, e
		}
	} else {
		n, err = unix.EpollWait(s.ep, s.events, int(wait/time.Millisecond))
	}
	if err != nil {
		if !errors.Is(err, unix.EINTR) {
			s.Odd = os.NewSyscallError("epoll_wait", err)
		}
		return
	}
	for i := range n {
		if c := s.conns[s.events[i].Fd]; c != nil {
			s.serve(c)
		}
	}
}

func (s *Server) adopt(c *conn) {
	fd := c.sock.fd
	for len(s.conns) <= fd {
		s.conns = append(s.conns, nil)
	}
	s.conns[fd] = c
	ev := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}
	if err := unix.EpollCtl(s.ep, unix.EPOLL_CTL_ADD, fd, &ev); err != nil {
		s.Odd = os.NewSyscallError("epoll_ctl", err)
		s.drop(c)
		return
	}
	s.serve(c) // TLS may have taken more than the handshake from the socket
}

// serve reads a connection until it would wait.
func (s *Server) serve(c *conn) {
	for !c.dead {
		if c.n == len(c.in) {
			s.Odd = fmt.Errorf("a request is longer than %d bytes", len(c.in))
			s.drop(c)
			return
		}
		n, err := c.rw.Read(c.in[c.n:])
		if n > 0 {
			c.n += n
			s.consume(c, c.sock.readAt)
			continue
		}
		if t, ok := err.(interface{ Timeout() bool }); ok && t.Timeout() {
			return
		}
		s.drop(c)
	}
}

// consume takes whole requests or frames off a connection's buffer.
func (s *Server) consume(c *conn, at Ns) {
	from := 0
	for !c.dead && from < c.n {
		var n int
		if c.ws {
			n = s.frame(c, c.in[from:c.n])
		} else {
			n = s.request(c, c.in[from:c.n], at)
		}
		if n == 0 {
			break
		}
		from += n
	}
	c.n = copy(c.in, c.in[from:c.n])
}

// write sends all of b, or gives the connection up.
func (s *Server) write(c *conn, b []byte) {
	if _, err := c.rw.Write(b); err != nil {
		s.drop(c)
	}
}

func (s *Server) drop(c *conn) {
	if c.dead {
		return
	}
	c.dead = true
	s.conns[c.sock.fd] = nil
	for i, sub := range s.subs {
		if sub == c {
			s.subs = append(s.subs[:i:i], s.subs[i+1:]...)
			break
		}
	}
	_ = c.sock.Close()
}

// Close ends all connections and goroutines.
func (s *Server) Close() error {
	if s.closed {
		return nil
	}
	s.closed = true
	var errs []error
	for _, ln := range s.lns {
		if ln != nil {
			errs = append(errs, ln.Close())
		}
	}
	done := make(chan struct{})
	go func() { s.wg.Wait(); close(done) }()
	for open := true; open; {
		select {
		case c := <-s.fresh:
			_ = c.sock.Close()
		case <-done:
			open = false
		}
	}
	for len(s.fresh) > 0 {
		_ = (<-s.fresh).sock.Close()
	}
	for _, c := range s.conns {
		if c != nil {
			s.drop(c)
		}
	}
	for _, w := range s.watches {
		errs = append(errs, w.close())
	}
	return errors.Join(append(errs, unix.Close(s.ep))...)
}
