package exec_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"riposte/core"
	"riposte/exec"
)

// writeCounter counts the writes to a socket. Until a read deadline is set, reads wait:
// a TLS handshake needs that.
type writeCounter struct {
	*tryConn
	try    bool
	writes *atomic.Int64
}

func (c *writeCounter) Write(p []byte) (int, error) {
	c.writes.Add(1)
	return c.tryConn.Write(p)
}

func (c *writeCounter) SetReadDeadline(time.Time) error { c.try = true; return nil }

func (c *writeCounter) Read(p []byte) (int, error) {
	if !c.try {
		return c.TCPConn.Read(p)
	}
	return c.tryConn.Read(p)
}

// TestAnOrderIsOneWriteOfTheSocket, also with TLS: request line, head and signature go
// out in one record and one system call. (crypto/tls makes records of at most 1208 bytes
// at first, which an order is far below.)
func TestAnOrderIsOneWriteOfTheSocket(t *testing.T) {
	for _, secure := range []bool{false, true} {
		var id atomic.Int64
		srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			w.Header().Set("Content-Type", "application/json;charset=UTF-8")
			body := "{}"
			if q.URL.Path != "/api/v3/ping" {
				body = placed(&request{query: q.URL.Query()}, id.Add(1), "NEW", "0.00000000")
			}
			_, _ = io.WriteString(w, body)
		}))
		if secure {
			srv.StartTLS()
		} else {
			srv.Start()
		}
		var writes atomic.Int64
		plain := dialTry(srv)
		dial := func(ctx context.Context, url string) (net.Conn, error) {
			c, err := plain(ctx, url)
			if err != nil {
				return nil, err
			}
			counted := &writeCounter{tryConn: c.(*tryConn), writes: &writes}
			if !secure {
				return counted, nil
			}
			roots := x509.NewCertPool()
			roots.AddCert(srv.Certificate())
			tc := tls.Client(counted, &tls.Config{RootCAs: roots, ServerName: "example.com", MinVersion: tls.VersionTLS13})
			return tc, tc.HandshakeContext(ctx)
		}
		sys := core.NewSystemClock() // the server's time is real
		r := newRig(t, func(c *exec.Config) {
			c.Pool.Dial, c.Clock, c.Time = dial, sys, exec.NewVenueClock(sys)
			c.TimeToLive = time.Minute
			c.Pool.KeepAlive = time.Hour // no probe comes between
		})
		for i := range 30 {
			before, sent := writes.Load(), r.g.Stats.Sent
			r.clock.ns.Store(int64(sys.Mono())) // the gate's clock follows the gateway's
			order := r.buy(100_00000000 + int64(i)*1_000_000)
			r.g.Step()
			if n := writes.Load() - before; n != 1 || r.g.Stats.Sent != sent+1 {
				t.Errorf("TLS %v: an order made %d writes, want 1; sent %d", secure, n, r.g.Stats.Sent-sent)
			}
			r.until("the order is answered", func() bool { return len(r.of(order)) > 0 })
		}
		r.close()
		srv.Close()
	}
}
