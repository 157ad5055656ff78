package sock

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"time"
)

var errEOF = io.EOF

// Dialer opens connections. Its fields are set before the first Dial; it may then
// be used from any goroutine.
type Dialer struct {
	// Waiter is of the loop whose connections these will be: it watches each from
	// the moment its owner puts it into non-blocking mode until it is closed.
	// Without one a connection is not for a loop and stays with the runtime's
	// poller: a goroutine that waits on a socket outside it keeps a thread in a
	// system call, and makes the scheduler's monitor wake a thousand times a second
	// to take that thread's processor away, on whatever CPU the loop may have.
	Waiter *Waiter
	// TLS is the base of every TLS session; nil means the system's roots, TLS 1.2
	// or later and a shared session cache.
	TLS *tls.Config
	// Options are set on every socket.
	Options Options
	// Timeout bounds connecting and the TLS handshake together; 10 s if zero.
	Timeout time.Duration
}

// NewTLS builds the TLS configuration of all connections: TLS 1.2 or later, the
// system's roots, and the certificates of caFile if it is named.
func NewTLS(caFile string) (*tls.Config, error) {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, ClientSessionCache: tls.NewLRUClientSessionCache(64)}
	if caFile == "" {
		return cfg, nil
	}
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, fmt.Errorf("cannot read the CA file: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("cannot use CA file %s: got no PEM certificate in it, want at least one", caFile)
	}
	cfg.RootCAs = pool
	return cfg, nil
}

// Dial connects to the host of rawURL; wss and https speak TLS, ws and http do
// not. The connection comes back in blocking mode.
func (d *Dialer) Dial(ctx context.Context, rawURL string) (net.Conn, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, fmt.Errorf("cannot dial: %w", err)
	}
	port, secure, err := portOf(u)
	if err != nil {
		return nil, err
	}
	timeout := d.Timeout
	if timeout == 0 {
		timeout = 10 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	nd := net.Dialer{KeepAlive: 15 * time.Second}
	nc, err := nd.DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return nil, err
	}
	tcp := nc.(*net.TCPConn)
	if d.Waiter == nil {
		return d.cold(ctx, tcp, u, secure)
	}
	c, err := FromTCP(tcp)
	if err != nil {
		_ = nc.Close()
		return nil, err
	}
	if err := d.Options.apply(c.fd); err != nil {
		_ = c.Close()
		return nil, err
	}
	c.onMode = d.Waiter.mode
	if !secure {
		return c, nil
	}
	rec := newRecords(c)
	session, err := d.handshake(ctx, rec, u)
	if err != nil {
		return nil, err
	}
	return &tlsConn{Conn: session, records: rec, more: true}, nil
}

// cold prepares a connection that stays with the runtime's poller.
func (d *Dialer) cold(ctx context.Context, tcp *net.TCPConn, u *url.URL, secure bool) (net.Conn, error) {
	raw, err := tcp.SyscallConn()
	if err == nil {
		var optErr error
		err = errors.Join(raw.Control(func(fd uintptr) { optErr = d.Options.apply(int(fd)) }), optErr)
	}
	if err != nil {
		_ = tcp.Close()
		return nil, err
	}
	if !secure {
		return tcp, nil
	}
	return d.handshake(ctx, tcp, u)
}

// handshake begins a TLS session over c, which is closed if that fails.
func (d *Dialer) handshake(ctx context.Context, c net.Conn, u *url.URL) (*tls.Conn, error) {
	cfg := d.TLS
	if cfg == nil {
		var err error
		if cfg, err = NewTLS(""); err != nil {
			_ = c.Close()
			return nil, err
		}
	}
	cfg = cfg.Clone()
	if cfg.ServerName == "" {
		cfg.ServerName = u.Hostname()
	}
	session := tls.Client(c, cfg)
	if err := session.HandshakeContext(ctx); err != nil {
		_ = c.Close()
		return nil, fmt.Errorf("TLS with %s: %w", u.Host, err)
	}
	return session, nil
}

func portOf(u *url.URL) (port string, secure bool, err error) {
	switch u.Scheme {
	case "ws", "http":
		port = "80"
	case "wss", "https":
		port, secure = "443", true
	default:
		return "", false, fmt.Errorf("cannot dial %s: scheme is %q, want ws, wss, http or https", u.Redacted(), u.Scheme)
	}
	if p := u.Port(); p != "" {
		port = p
	}
	if u.Hostname() == "" {
		return "", false, fmt.Errorf("cannot dial %s: it names no host", u.Redacted())
	}
	return port, secure, nil
}
