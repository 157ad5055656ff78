package feed

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"syscall"

	"riposte/feed/ws"
)

// Trouble is the kind of thing that keeps a connection from being, told apart because
// each calls for something else from whoever runs the program.
type Trouble uint8

// The kinds.
const (
	NoTrouble Trouble = iota
	TroubleRefused
	TroubleName
	TroubleRoute
	TroubleTLS
	TroubleTimeout
	TroubleFirewall // 403
	TroubleLocation // 451
	TroubleLimited  // 429
	TroubleBanned   // 418
	TroubleOutage   // 5xx
	TroubleCut
	TroubleSilent
	TroubleOther
	Troubles // how many there are
)

var troubleText = [...]string{
	"",
	"nobody listens at the venue's address (connection refused)",
	"the venue's name is not resolved (DNS)",
	"there is no way to the venue's network",
	"the venue's certificate or the TLS handshake is refused",
	"the venue does not answer in time",
	"the venue's firewall refuses us (403)",
	"the venue refuses our location (451)",
	"the venue asks for fewer requests (429)",
	"the venue has banned our address for a while (418)",
	"the venue is out of order (5xx)",
	"the venue ended the connection",
	"the line is dead: nothing comes, not even a PONG",
	"the connection fails",
}

// String is a plain sentence without its end.
func (t Trouble) String() string { return troubleText[t] }

// TroubleOfStatus is the trouble that an HTTP status tells of.
func TroubleOfStatus(status int) Trouble {
	switch {
	case status == 403:
		return TroubleFirewall
	case status == 451:
		return TroubleLocation
	case status == 429:
		return TroubleLimited
	case status == 418:
		return TroubleBanned
	case status >= 500:
		return TroubleOutage
	}
	return TroubleOther
}

// TroubleOf is the trouble that the end of a connection, or of an attempt, tells of.
func TroubleOf(err error) Trouble {
	var he *ws.HandshakeError
	var name *net.DNSError
	var verify *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	var host x509.HostnameError
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var closed *ws.CloseError
	is := func(list ...error) bool {
		for _, e := range list {
			if errors.Is(err, e) {
				return true
			}
		}
		return false
	}
	timeout, _ := errors.AsType[net.Error](err)
	switch {
	case err == nil:
		return NoTrouble
	case errors.As(err, &he):
		return TroubleOfStatus(he.Status)
	case errors.As(err, &name):
		return TroubleName
	case errors.As(err, &verify), errors.As(err, &record), errors.As(err, &alert), errors.As(err, &host), errors.As(err, &unknown), errors.As(err, &invalid):
		return TroubleTLS
	case is(syscall.ECONNREFUSED):
		return TroubleRefused
	case is(syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.ENETDOWN, syscall.EHOSTDOWN, syscall.EADDRNOTAVAIL):
		return TroubleRoute
	case is(errNoPong):
		return TroubleSilent
	case is(context.DeadlineExceeded, os.ErrDeadlineExceeded, syscall.ETIMEDOUT), timeout != nil && timeout.Timeout():
		return TroubleTimeout
	case errors.As(err, &closed), is(io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE, net.ErrClosed):
		return TroubleCut
	}
	return TroubleOther
}
