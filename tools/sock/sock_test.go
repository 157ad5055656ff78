package sock

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var past = time.Unix(1, 0)

// pair is a connection of ours, a loop's, and the far end of it.
func pair(t *testing.T, d *Dialer, secure bool) (net.Conn, net.Conn) {
	t.Helper()
	if d.Waiter == nil {
		d.Waiter = newWaiter(t)
	}
	return anyPair(t, d, secure)
}

func anyPair(t *testing.T, d *Dialer, secure bool) (net.Conn, net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	url := "http://" + ln.Addr().String()
	if secure {
		cert, ca := selfSigned(t)
		if d.TLS, err = NewTLS(ca); err != nil {
			t.Fatal(err)
		}
		ln = tls.NewListener(ln, &tls.Config{Certificates: []tls.Certificate{cert}})
		url = "https://" + ln.Addr().String()
	}
	far := make(chan net.Conn, 1)
	go func() {
		c, err := ln.Accept()
		if err != nil {
			close(far)
			return
		}
		if tc, ok := c.(*tls.Conn); ok {
			_ = tc.Handshake()
		}
		far <- c
	}()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	c, err := d.Dial(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	f, ok := <-far
	if !ok {
		t.Fatal("accept failed")
	}
	t.Cleanup(func() { c.Close(); f.Close() })
	return c, f
}

func newWaiter(t *testing.T) *Waiter {
	t.Helper()
	w, err := NewWaiter()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

func TestWakeEndsAWaitOnceEvenIfItCameFirst(t *testing.T) {
	w := newWaiter(t)
	const long = 30 * time.Second
	w.Wake()
	w.Wake()
	from := time.Now()
	w.Wait(long)
	go w.Wake()
	w.Wait(long)
	if d := time.Since(from); d > long/2 {
		t.Errorf("two woken waits took %v", d)
	}
	if n := testing.AllocsPerRun(20, func() { w.Wake(); w.Wait(long) }); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
	w.Close()
	w.Wake() // must not write into a descriptor that is someone else's by now
}

func selfSigned(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tpl := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, tpl, tpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file
}

func TestPastDeadlineMakesReadNonBlocking(t *testing.T) {
	for _, secure := range []bool{false, true} {
		w := newWaiter(t)
		c, far := pair(t, &Dialer{Waiter: w}, secure)
		if err := c.SetReadDeadline(past); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 64)
		for range 3 {
			if _, err := c.Read(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatalf("nothing sent (TLS %v): got %v, want a deadline error", secure, err)
			}
		}
		if _, err := far.Write([]byte("tick")); err != nil {
			t.Fatal(err)
		}
		got := readSome(t, c, w, 4)
		if got != "tick" {
			t.Errorf("TLS %v: got %q, want tick", secure, got)
		}
		far.Close()
		for {
			w.Wait(time.Second)
			_, err := c.Read(buf)
			if errors.Is(err, os.ErrDeadlineExceeded) {
				continue
			}
			if err != io.EOF && err != io.ErrUnexpectedEOF {
				t.Errorf("peer gone (TLS %v): got %v, want EOF", secure, err)
			}
			break
		}
		c.Close()
		w.Close()
	}
}

func readSome(t *testing.T, c net.Conn, w *Waiter, n int) string {
	t.Helper()
	buf, got := make([]byte, 64), ""
	for end := time.Now().Add(20 * time.Second); len(got) < n; {
		m, err := c.Read(buf)
		got += string(buf[:m])
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
		if time.Now().After(end) {
			t.Fatalf("got %q after 20 s, want %d bytes", got, n)
		}
		if m == 0 {
			w.Wait(10 * time.Millisecond)
		}
	}
	return got
}

// TestConnectionOfNoLoopIsTheRuntimes dials without a waiter: whoever reads waits in the
// runtime's poller, and the options are set all the same.
func TestConnectionOfNoLoopIsTheRuntimes(t *testing.T) {
	for _, secure := range []bool{false, true} {
		c, far := anyPair(t, &Dialer{Options: Options{Delay: true}}, secure)
		tcp, ok := c.(*net.TCPConn)
		if session, is := c.(*tls.Conn); is {
			tcp, ok = session.NetConn().(*net.TCPConn)
		}
		if !ok {
			t.Fatalf("TLS %v: got %T, want the runtime's", secure, c)
		}
		raw, err := tcp.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		noDelay := -1
		if err := errors.Join(raw.Control(func(fd uintptr) {
			noDelay, err = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NODELAY)
		}), err); err != nil || noDelay != 0 {
			t.Errorf("TLS %v: TCP_NODELAY is %d, %v, want 0", secure, noDelay, err)
		}
		go func() { _, _ = far.Write([]byte("x")) }()
		if n, err := c.Read(make([]byte, 8)); n != 1 || err != nil {
			t.Errorf("TLS %v: got %d, %v, want one byte", secure, n, err)
		}
	}
}

func TestBlockingReadWaitsForBytesAndForItsDeadline(t *testing.T) {
	c, far := pair(t, &Dialer{}, false)
	if err := c.SetReadDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 8)
	if _, err := c.Read(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("got %v, want a deadline error", err)
	}
	if err := c.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = far.Write([]byte("x")) }()
	if n, err := c.Read(buf); n != 1 || err != nil {
		t.Fatalf("got %d, %v, want one byte", n, err)
	}
}

func TestCloseWakesABlockedReader(t *testing.T) {
	c, _ := pair(t, &Dialer{}, false)
	done := make(chan error, 1)
	go func() {
		_, err := c.Read(make([]byte, 1))
		done <- err
	}()
	c.Close()
	select {
	case err := <-done:
		if err == nil {
			t.Error("read after close: got nil, want an error")
		}
	case <-time.After(20 * time.Second):
		t.Fatal("reader still blocked after Close")
	}
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v, want net.ErrClosed", err)
	}
}

func TestLargeWriteArrivesWhole(t *testing.T) {
	c, far := pair(t, &Dialer{}, false)
	const size = 8 << 20
	sum := make(chan int, 1)
	go func() {
		n, _ := io.Copy(io.Discard, far)
		sum <- int(n)
	}()
	if n, err := c.Write(make([]byte, size)); n != size || err != nil {
		t.Fatalf("got %d, %v", n, err)
	}
	c.Close()
	if n := <-sum; n != size {
		t.Errorf("far end got %d bytes, want %d", n, size)
	}
}

func TestReadAndWriteDoNotAllocate(t *testing.T) {
	c, far := pair(t, &Dialer{}, false)
	if err := c.SetReadDeadline(past); err != nil {
		t.Fatal(err)
	}
	buf, msg := make([]byte, 64), []byte("frame")
	if n := testing.AllocsPerRun(200, func() {
		if _, err := c.Write(msg); err != nil {
			t.Error(err)
		}
		if _, err := c.Read(buf); err == nil {
			t.Error("nothing was sent to us")
		}
	}); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
	far.Close()
}

func TestDialRefusesWhatItCannotReach(t *testing.T) {
	d := &Dialer{}
	for url, want := range map[string]string{
		"ftp://127.0.0.1/x": `scheme is "ftp", want ws, wss, http or https`,
		"ws:///path":        "names no host",
		"ws://%zz":          "cannot dial",
	} {
		if _, err := d.Dial(context.Background(), url); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want an error with %q", url, err, want)
		}
	}
	if _, err := NewTLS(filepath.Join(t.TempDir(), "none.pem")); err == nil {
		t.Error("missing CA file: got nil, want an error")
	}
}
