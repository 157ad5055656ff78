package bench

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"testing"

	"riposte/core"
	"riposte/core/risk"
	"riposte/tools/sock"
)

// sink takes bytes on loopback and counts them.
type sink struct {
	ln    net.Listener
	bytes atomic.Int64
	ended chan error
}

func newSink(t testing.TB, cfg *tls.Config) *sink {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &sink{ln: ln, ended: make(chan error, 1)}
	go func() {
		c, err := ln.Accept()
		if err != nil {
			s.ended <- err
			return
		}
		if cfg != nil {
			c = tls.Server(c, cfg)
		}
		defer c.Close()
		_, err = io.Copy(counter{&s.bytes}, c)
		s.ended <- err
	}()
	return s
}

type counter struct{ n *atomic.Int64 }

func (c counter) Write(p []byte) (int, error) {
	c.n.Add(int64(len(p)))
	return len(p), nil
}

// sendWork writes a whole signed order on a connection that is up: one write call.
func sendWork(t testing.TB, secure bool) *work {
	var server, client *tls.Config
	if secure {
		a, err := NewAuthority()
		if err != nil {
			t.Fatal(err)
		}
		server, client = a.Server(), a.Client()
	}
	s := newSink(t, server)
	nc, err := net.Dial("tcp", s.ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	var conn net.Conn
	if conn, err = sock.FromTCP(nc.(*net.TCPConn)); err != nil {
		t.Fatal(err)
	}
	if secure {
		tc := tls.Client(conn, client)
		if err := tc.Handshake(); err != nil {
			t.Fatal(err)
		}
		conn = tc
	}
	req := append([]byte(nil), order(t)...)
	sent := int64(0)
	var failed error
	t.Cleanup(func() {
		conn.Close()
		err := <-s.ended
		s.ln.Close()
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Error(err)
		}
		if got := s.bytes.Load(); got != sent {
			t.Errorf("got %d bytes through, want %d", got, sent)
		}
	})
	w := &work{items: 256}
	w.bytes = w.items * len(req)
	w.pass = func() {
		for range w.items {
			n, err := conn.Write(req)
			sent += int64(n)
			if err != nil {
				failed = err
				return
			}
		}
	}
	w.check = func() error { return failed }
	return w
}

// order is one whole signed request.
func order(t testing.TB) []byte {
	r := rig(t, corpus(t, Spot), RigOptions{})
	var req []byte
	r.Sent = func(b []byte) { req = append(req[:0], b...) }
	r.Pass()
	if len(req) == 0 {
		t.Fatal("the rig sent no order")
	}
	return req
}

// gatewayWork takes one order at a time from approval to its end: laid out, signed,
// entered in the table, written to a wire in memory, answered, reported.
func gatewayWork(t testing.TB, c *Corpus) *work {
	r := rig(t, c, RigOptions{})
	r.Pass()
	in := intents(r)
	sync := r.shard.Sync(0)
	before, ended, bad := r.Orders, 0, 0
	passes := 0
	w := &work{items: 16 * round}
	w.pass = func() {
		passes++
		for n := range w.items {
			now := r.clock.Mono()
			order, st := in[n%round], risk.Stamps{Recv: now, Decided: now}
			if r.gate.Approve(&order, sync, &st, uint64(n), now, r.out.Claim()) != risk.None {
				bad++
				continue
			}
			r.out.Publish()
			for r.gate.Live() > 0 {
				r.gateway.Step()
				reports := r.reports.Pending()
				for i := range reports {
					if o, ok := r.gate.Report(&reports[i]); ok && o.Status == core.Expired {
						ended++
					}
				}
				r.reports.Release(len(reports))
			}
		}
	}
	w.check = func() error {
		if want := passes * w.items; bad != 0 || ended != want || r.Orders-before != want {
			return fmt.Errorf("got %d refusals, %d orders sent, %d ended, want 0 and %d of both", bad, r.Orders-before, ended, want)
		}
		return nil
	}
	return w
}

// BenchmarkSend: loopback is one write of a signed order on a warm connection, the
// kernel's work included; gateway is all of exec around it without the kernel, from
// approval to the report of the order's end.
func BenchmarkSend(b *testing.B) {
	stage(b, "loopback", func(t testing.TB) *work { return sendWork(t, false) })
	stage(b, "loopback/tls", func(t testing.TB) *work { return sendWork(t, true) })
	stage(b, "gateway", func(t testing.TB) *work { return gatewayWork(t, corpus(t, Spot)) })
}
