package binance

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
)

// tlsDial verifies the test server's certificate as a real dialer would.
func (v *restVenue) tlsDial(ctx context.Context, host string) (net.Conn, error) {
	roots := x509.NewCertPool()
	roots.AddCert(v.srv.Certificate())
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		return nil, err
	}
	d := tls.Dialer{Config: &tls.Config{RootCAs: roots, ServerName: name, MinVersion: tls.VersionTLS13}}
	return d.DialContext(ctx, "tcp", host)
}
