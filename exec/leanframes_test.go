package exec_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"net"
	"testing"
	"time"

	"riposte/exec"
	"riposte/exec/binance"
)

// leanFrames answers orders, cancels and questions at once without allocating: it patches
// ids into prepared messages. It shares orders with the lean wires.
type leanFrames struct {
	wires  *leanConn
	order  []byte
	cancel []byte
	small  []byte // answer of a question or logon
	ready  []byte
	at     struct{ client, id, fill, cclient, cid int }
}

const frameHead = `{"id":1000000000000,"status":200,"result":`

// frameOf is the body of an HTTP answer as a frame.
func frameOf(http []byte) []byte {
	_, body, _ := bytes.Cut(http, []byte("\r\n\r\n"))
	return append(append([]byte(frameHead), body...),
		`,"rateLimits":[{"rateLimitType":"ORDERS","interval":"SECOND","intervalNum":10,"limit":50,"count":1},{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":6000,"count":1}]}`...)
}

func newLeanFrames(w *leanConn) *leanFrames {
	l := &leanFrames{wires: w, order: frameOf(w.order), cancel: frameOf(w.cancel), small: []byte(`{"id":1000000000000,"status":200,"result":{}}`)}
	shift := func(http []byte, at int) int { return at - bytes.Index(http, []byte("\r\n\r\n")) - 4 + len(frameHead) }
	l.at.id, l.at.client, l.at.fill = shift(w.order, w.idAt), shift(w.order, w.clientAt), shift(w.order, w.fillAt)
	l.at.cid, l.at.cclient = shift(w.cancel, w.cidAt), shift(w.cancel, w.cclientAt)
	return l
}

func (l *leanFrames) Next() ([]byte, error) {
	b := l.ready
	l.ready = nil
	return b, nil
}

var (
	placeMark  = []byte(`"order.place"`)
	cancelMark = []byte(`"order.cancel"`)
	clientMark = []byte(`"newClientOrderId":"`)
	orderMark  = []byte(`"orderId":`)
)

func (l *leanFrames) Send(p []byte) error {
	w := l.wires
	switch {
	case bytes.Contains(p, placeMark):
		at := bytes.Index(p, clientMark) + len(clientMark)
		w.next++
		copy(l.order[l.at.client:], p[at:at+w.clientLen])
		copy(w.clients[w.next%int64(len(w.clients))][:], p[at:at+w.clientLen])
		putDigits(l.order[l.at.id:l.at.id+10], w.next)
		putDigits(l.order[l.at.fill:l.at.fill+10], w.next+1_000_000_000)
		l.ready = l.order
	case bytes.Contains(p, cancelMark):
		at := bytes.Index(p, orderMark) + len(orderMark)
		id := int64(0)
		for _, c := range p[at : at+10] {
			id = id*10 + int64(c-'0')
		}
		copy(l.cancel[l.at.cclient:], w.clients[id%int64(len(w.clients))][:w.clientLen])
		putDigits(l.cancel[l.at.cid:l.at.cid+10], id)
		l.ready = l.cancel
	default:
		l.ready = l.small
	}
	const at = len(`{"id":`)
	copy(l.ready[at:at+13], p[at:at+13])
	return nil
}

func (l *leanFrames) Ping() error                      { return nil }
func (l *leanFrames) Heard() uint64                    { return 0 }
func (l *leanFrames) SetWriteDeadline(time.Time) error { return nil }
func (l *leanFrames) Close() error                     { return nil }

// leanRoutes is a gateway on a venue that costs nothing, its orders by frames.
func leanRoutes(t testing.TB) *rig {
	wires := newLean(len("rp-") + 7 + 1 + 8)
	r := newRig(t, func(c *exec.Config) {
		key, err := binance.NewEd25519Key("vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zv", ed25519.NewKeyFromSeed(make([]byte, 32)))
		must(t, err)
		f, err := binance.NewFrames(binance.Config{Instruments: c.Instruments, Key: key, IDs: c.IDs})
		must(t, err)
		c.Pool.Wires, c.Pool.CancelWires = 1, 1
		c.Orders = 128
		c.Pool.Dial = func(context.Context, string) (net.Conn, error) { return &leanShare{leanConn: wires}, nil }
		c.Sessions = &exec.SessionConfig{Codec: f, Seed: 1, PongWithin: 1000 * time.Hour, Dial: func(context.Context) (exec.FrameConn, error) {
			return newLeanFrames(wires), nil
		}}
		c.Route, c.HedgeCancels = exec.RouteWSOnly, true
	})
	r.until("sessions are warm", func() bool {
		o, c := r.g.Sessions().Ready()
		return o == 1 && c == 1
	})
	return r
}
