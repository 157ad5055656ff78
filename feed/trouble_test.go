package feed

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"riposte/feed/ws"
)

// Each trouble that a user can do something about is told apart, as real dials report
// it where they can be made to.
func TestTroublesAreToldApart(t *testing.T) {
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := nobody.Addr().String()
	nobody.Close()
	secure := httptest.NewTLSServer(nil)
	defer secure.Close()
	plain := func(ctx context.Context, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", address)
	}
	dial := func(d ws.DialFunc) error {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		c, err := ws.Dial(ctx, d, "ws://venue.test/stream", ws.Options{})
		if err == nil {
			c.Close(1000)
		}
		return err
	}
	for _, c := range []struct {
		want Trouble
		err  error
	}{
		{TroubleRefused, dial(plain)},
		{TroubleTLS, dial(func(ctx context.Context, _ string) (net.Conn, error) {
			return (&tls.Dialer{}).DialContext(ctx, "tcp", secure.Listener.Addr().String())
		})},
		{TroubleName, fmt.Errorf("cannot dial: %w", &net.DNSError{Err: "no such host", Name: "venue.test", IsNotFound: true})},
		{TroubleName, &net.DNSError{Err: "i/o timeout", Name: "venue.test", IsTimeout: true}},
		{TroubleRoute, &net.OpError{Op: "dial", Err: syscall.ENETUNREACH}},
		{TroubleTLS, x509.HostnameError{Certificate: &x509.Certificate{}, Host: "x"}},
		{TroubleTimeout, fmt.Errorf("cannot upgrade: %w", context.DeadlineExceeded)},
		{TroubleFirewall, &ws.HandshakeError{Status: 403}},
		{TroubleLocation, &ws.HandshakeError{Status: 451}},
		{TroubleLimited, &ws.HandshakeError{Status: 429}},
		{TroubleBanned, fmt.Errorf("x: %w", &ws.HandshakeError{Status: 418})},
		{TroubleOutage, &ws.HandshakeError{Status: 503}},
		{TroubleCut, io.EOF},
		{TroubleCut, &ws.CloseError{Code: 1001}},
		{TroubleCut, fmt.Errorf("cannot read: %w", syscall.ECONNRESET)},
		{TroubleSilent, errNoPong},
		{TroubleOther, errors.New("something else")},
		{NoTrouble, nil},
	} {
		if got := TroubleOf(c.err); got != c.want {
			t.Errorf("%v is %q, want %q", c.err, got, c.want)
		}
	}
	seen := map[string]bool{}
	for k := NoTrouble + 1; k < Troubles; k++ {
		if text := k.String(); text == "" || seen[text] || strings.HasSuffix(text, ".") {
			t.Errorf("trouble %d says %q", k, text)
		} else {
			seen[text] = true
		}
	}
}
