package ws

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/gobwas/ws"
)

// DialFunc opens the transport to the host of rawURL, TLS included if the scheme
// asks for it, with the server's name verified.
type DialFunc func(ctx context.Context, rawURL string) (net.Conn, error)

// HandshakeError is an upgrade that the server answered with another status than
// 101. A venue tells 429 and 418 here: RetryAfter says how long to stay away.
type HandshakeError struct {
	Status     int
	RetryAfter time.Duration // 0 if not told
	Body       string        // the beginning of it
}

func (e *HandshakeError) Error() string {
	return fmt.Sprintf("cannot upgrade to WebSocket: got status %d %q, want 101", e.Status, e.Body)
}

// maxRefusalBody is how much of a refusal is kept.
const maxRefusalBody = 512

// Dial opens the transport and upgrades it. No extension and no subprotocol is
// offered, and one that is answered all the same is refused. The connection is
// blocking; see NonBlocking. ctx bounds the dial and the handshake.
func Dial(ctx context.Context, dial DialFunc, rawURL string, opt Options) (*Conn, error) {
	u, err := url.ParseRequestURI(rawURL)
	if err != nil {
		return nil, fmt.Errorf("cannot dial: %w", err)
	}
	if u.Scheme != "ws" && u.Scheme != "wss" {
		return nil, fmt.Errorf("cannot dial %s: got scheme %q, want ws or wss", rawURL, u.Scheme)
	}
	nc, err := dial(ctx, rawURL)
	if err != nil {
		return nil, fmt.Errorf("cannot dial %s: %w", u.Host, err)
	}
	c, err := upgrade(ctx, nc, u, opt)
	if err != nil {
		_ = nc.Close()
		return nil, err
	}
	return c, nil
}

func upgrade(ctx context.Context, nc net.Conn, u *url.URL, opt Options) (*Conn, error) {
	// A deadline in the past is the only way to wake a blocked Read or Write.
	stop := context.AfterFunc(ctx, func() { _ = nc.SetDeadline(time.Unix(1, 0)) })
	var refusal *HandshakeError
	d := ws.Dialer{
		Header: ws.HandshakeHeaderHTTP(http.Header(opt.Header)),
		OnStatusError: func(status int, _ []byte, resp io.Reader) {
			refusal = readRefusal(status, resp)
		},
	}
	br, hs, err := d.Upgrade(nc, u)
	if !stop() {
		// The deadline is set or about to be: the transport is spoilt even if
		// the last byte made it.
		return nil, fmt.Errorf("cannot upgrade to WebSocket: %w", context.Cause(ctx))
	}
	if err != nil {
		if refusal != nil {
			return nil, refusal
		}
		return nil, fmt.Errorf("cannot upgrade to WebSocket: %w", err)
	}
	if len(hs.Extensions) > 0 || hs.Protocol != "" {
		return nil, errors.New("cannot upgrade to WebSocket: server chose an extension or subprotocol; none was offered")
	}
	var early []byte
	if br != nil {
		// Frames that came in the same packet as the answer.
		early, err = br.Peek(br.Buffered())
		defer ws.PutReader(br)
		if err != nil {
			return nil, fmt.Errorf("cannot read the first frames: %w", err)
		}
	}
	return NewConn(nc, early, opt), nil
}

// readRefusal reads an HTTP answer that is not an upgrade, up to a cap.
func readRefusal(status int, resp io.Reader) *HandshakeError {
	e := &HandshakeError{Status: status}
	r, err := http.ReadResponse(bufio.NewReader(resp), nil)
	if err != nil {
		return e
	}
	defer r.Body.Close()
	if s, err := strconv.Atoi(r.Header.Get("Retry-After")); err == nil && s > 0 {
		e.RetryAfter = time.Duration(s) * time.Second
	}
	// A body without a length ends with the connection, which a server may keep:
	// only a stated one is waited for.
	if r.ContentLength > 0 {
		b, _ := io.ReadAll(io.LimitReader(r.Body, min(r.ContentLength, maxRefusalBody)))
		e.Body = string(b)
	}
	return e
}
