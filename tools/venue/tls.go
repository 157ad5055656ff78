package venue

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// certs are the certificates that the venue can show: a good one, and the bad ones of the verb cert.
type certs struct {
	forms map[string]*tls.Config
	shown atomic.Pointer[tls.Config]
}

// authority signs certificates.
type authority struct {
	cert *x509.Certificate
	der  []byte
	key  *ecdsa.PrivateKey
}

func newAuthority(now time.Time) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("cannot make the authority's key: %w", err)
	}
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "riposte venue test authority"},
		NotBefore: now.Add(-48 * time.Hour), NotAfter: now.AddDate(1, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, ca, ca, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("cannot sign the authority: %w", err)
	}
	return &authority{ca, der, key}, nil
}

// sign makes a server's side. TLS 1.3 only, HTTP/1.1 only: the pools that connect here speak that.
func (a *authority) sign(names []string, addresses []net.IP, from, to time.Time) (*tls.Config, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("cannot make the server's key: %w", err)
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(to.UnixNano()), Subject: pkix.Name{CommonName: names[0]}, NotBefore: from, NotAfter: to,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames: names, IPAddresses: addresses,
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, a.cert, key.Public(), a.key)
	if err != nil {
		return nil, fmt.Errorf("cannot sign the server certificate: %w", err)
	}
	return &tls.Config{MinVersion: tls.VersionTLS13, NextProtos: []string{"http/1.1"},
		Certificates: []tls.Certificate{{Certificate: [][]byte{der, a.der}, PrivateKey: key}}}, nil
}

// newCerts makes two authorities, one of which is to be trusted: its certificate is written as PEM to caFile.
func newCerts(caFile string) (*certs, error) {
	now := time.Now()
	known, err := newAuthority(now)
	if err != nil {
		return nil, err
	}
	stranger, err := newAuthority(now)
	if err != nil {
		return nil, err
	}
	loopback := []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	c := &certs{forms: make(map[string]*tls.Config)}
	for _, f := range []struct {
		name      string
		by        *authority
		host      string
		addresses []net.IP
		to        time.Time
	}{
		{"good", known, "localhost", loopback, now.AddDate(1, 0, 0)},
		{"expired", known, "localhost", loopback, now.Add(-time.Hour)},
		{"wronghost", known, "api.example.test", nil, now.AddDate(1, 0, 0)},
		{"unknown", stranger, "localhost", loopback, now.AddDate(1, 0, 0)},
	} {
		if c.forms[f.name], err = f.by.sign([]string{f.host}, f.addresses, now.Add(-24*time.Hour), f.to); err != nil {
			return nil, err
		}
		// Nobody but the good one can resume a session that the good one began.
		c.forms[f.name].SessionTicketsDisabled = f.name != "good"
	}
	old := c.forms["good"].Clone()
	old.MinVersion, old.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
	c.forms["tls12"] = old
	c.show("good")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: known.der})
	if err := os.WriteFile(caFile, text, 0o600); err != nil {
		return nil, fmt.Errorf("cannot write the authority's certificate: %w", err)
	}
	return c, nil
}

// show changes what new connections see.
func (c *certs) show(form string) { c.shown.Store(c.forms[form]) }

func (c *certs) server() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return c.shown.Load(), nil }}
}

func tempCAFile() (string, error) {
	f, err := os.CreateTemp("", "riposte-venue-ca-*.pem")
	if err != nil {
		return "", fmt.Errorf("cannot make a file for the authority's certificate: %w", err)
	}
	return f.Name(), f.Close()
}
