package bench

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	gobwas "github.com/gobwas/ws"

	"riposte/core"
	"riposte/exec"
	dialect "riposte/exec/binance"
	"riposte/feed/ws"
)

// acker answers every order on loopback at once: it came, and has expired. The same
// answer goes out over either protocol.
type acker struct {
	ln    net.Listener
	ended chan error
}

func newAcker(t testing.TB, serve func(net.Conn) error) *acker {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a := &acker{ln, make(chan error, 1)}
	go func() {
		c, err := ln.Accept()
		if err == nil {
			err = serve(c)
			c.Close()
		}
		a.ended <- err
	}()
	t.Cleanup(func() {
		ln.Close()
		if err := <-a.ended; err != nil && !errors.Is(err, io.EOF) {
			t.Error(err)
		}
	})
	return a
}

func ackREST(c net.Conn) error {
	r := bufio.NewReader(c)
	var req, out []byte
	for id := int64(1); ; id++ {
		req = req[:0]
		for !bytes.HasSuffix(req, []byte("\r\n\r\n")) {
			line, err := r.ReadSlice('\n')
			if err != nil {
				return err
			}
			req = append(req, line...)
		}
		o, ok := ParseOrder(req)
		if !ok {
			return fmt.Errorf("got %q, want an order", req)
		}
		out = AppendAnswer(out[:0], &o, id, 1_723_161_255_000)
		if _, err := c.Write(out); err != nil {
			return err
		}
	}
}

func ackFrames(c net.Conn) error {
	if _, err := gobwas.Upgrade(c); err != nil {
		return err
	}
	r := bufio.NewReader(c)
	var head [8]byte
	var req, out, body []byte
	for id := int64(1); ; id++ {
		// A text frame of a client, 126 to 65535 bytes: header, length, mask.
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return err
		}
		if head[0] != 0x81 || head[1] != 0x80|126 {
			if head[0] == 0x88 {
				return io.EOF
			}
			return fmt.Errorf("got a frame that begins with % x, want a text of some hundred bytes", head)
		}
		n := int(binary.BigEndian.Uint16(head[2:]))
		req = append(req[:0], make([]byte, n)...)
		if _, err := io.ReadFull(r, req); err != nil {
			return err
		}
		gobwas.Cipher(req, [4]byte(head[4:]), 0)
		value := func(mark string) []byte {
			_, rest, _ := bytes.Cut(req, []byte(mark))
			v, _, _ := bytes.Cut(rest, []byte(`"`))
			return v
		}
		o := Order{Symbol: value(`"symbol":"`), Side: value(`"side":"`), Type: value(`"type":"`), TIF: value(`"timeInForce":"`), Price: value(`"price":"`),
			Qty: value(`"quantity":"`), Client: value(`"newClientOrderId":"`)}
		body = AppendAnswer(body[:0], &o, id, 1_723_161_255_000)
		_, result, _ := bytes.Cut(body, []byte("\r\n\r\n"))
		out = append(out[:0], 0x81, 126, 0, 0)
		out = append(out, req[:len(`{"id":1000000000000`)]...)
		out = append(append(out, `,"status":200,"result":`...), result...)
		out = append(out, `,"rateLimits":[{"rateLimitType":"ORDERS","interval":"SECOND","intervalNum":10,"limit":50,"count":1},{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":6000,"count":1}]}`...)
		binary.BigEndian.PutUint16(out[2:], uint16(len(out)-4))
		if _, err := c.Write(out); err != nil {
			return err
		}
	}
}

// routeWork takes one order at a time from its intent to what its answer says: laid out,
// written, answered by a venue that only parses and answers, read. Reads block, so each
// side sleeps until the other has written.
func routeWork(t testing.TB, frames, logon bool) *work {
	tab := orderTable(t)
	var key *dialect.Key
	var err error
	if logon {
		key, err = dialect.NewEd25519Key("vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zv", ed25519.NewKeyFromSeed(make([]byte, 32)))
	} else {
		key, err = TestKey()
	}
	if err != nil {
		t.Fatal(err)
	}
	ids, err := exec.NewIDs("rp", 1_723_161_255)
	if err != nil {
		t.Fatal(err)
	}
	cfg := dialect.Config{Instruments: tab, URL: rigURL, Key: key, IDs: ids}
	var req exec.Request
	var v exec.Verdict
	var place func(in *core.Intent, n int) error
	if frames {
		place = frameRoute(t, cfg, logon, &req, &v)
	} else {
		place = wireRoute(t, cfg, &req, &v)
	}
	var failed error
	n := 0
	w := &work{items: 256}
	w.pass = func() {
		for range w.items {
			n++
			in := core.Intent{Kind: core.Place, Type: core.Limit, TIF: core.IOC, Price: orderPrice + core.Price(n%1000)*core.Scale/100, Qty: 10_000}
			v = exec.Verdict{Execs: v.Execs[:0]}
			if err := place(&in, n); err != nil {
				failed = err
				return
			}
			if v.Class != exec.ClassAccepted || len(v.Execs) != 1 || v.Execs[0].Status != core.Expired || v.Execs[0].Price != in.Price {
				failed = fmt.Errorf("order %d: got %+v, want an order at %v that has expired", n, v, in.Price)
			}
		}
	}
	w.check = func() error { return failed }
	return w
}

func wireRoute(t testing.TB, cfg dialect.Config, req *exec.Request, v *exec.Verdict) func(*core.Intent, int) error {
	c, err := dialect.NewCodec(cfg)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", newAcker(t, ackREST).ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	reader := exec.NewAnswerReader(64<<10, 8<<10, dialect.HeaderPrefix)
	return func(in *core.Intent, n int) error {
		now := orderStamp + core.WallNs(n)*1e6
		if e := c.Place(in, now, now, req); e != exec.EncodeOK {
			return e
		}
		o := exec.Order{Client: req.Client, Qty: in.Qty}
		if _, err := conn.Write(req.Bytes); err != nil {
			return err
		}
		for done := false; !done; {
			k, err := conn.Read(reader.Space())
			if err != nil {
				return err
			}
			var bad exec.AnswerError
			if done, bad = reader.Advance(k); bad != exec.AnswerOK {
				return bad
			}
		}
		c.Answer(exec.RequestPlace, &o, reader.Answer(), v)
		reader.Reset()
		return nil
	}
}

func frameRoute(t testing.TB, cfg dialect.Config, logon bool, req *exec.Request, v *exec.Verdict) func(*core.Intent, int) error {
	c, err := dialect.NewFrames(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	at := newAcker(t, ackFrames).ln.Addr().String()
	conn, err := ws.Dial(ctx, func(ctx context.Context, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", at)
	}, "ws://"+at, ws.Options{Buffer: 32 << 10})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.NetConn().Close() })
	return func(in *core.Intent, n int) error {
		now := orderStamp + core.WallNs(n)*1e6
		env := exec.Envelope{ID: 1e12 + int64(n), LoggedOn: logon}
		if e := c.Place(in, now, now, env, req); e != exec.EncodeOK {
			return e
		}
		o := exec.Order{Client: req.Client, Qty: in.Qty}
		if err := conn.SendText(req.Bytes); err != nil {
			return err
		}
		msg, _, err := conn.Next()
		if err != nil {
			return err
		}
		if kind, id := c.Open(msg); kind != exec.FrameAnswer || id != env.ID {
			return fmt.Errorf("got %.200q, want the answer to %d", msg, env.ID)
		}
		c.Answer(exec.RequestPlace, &o, v)
		return nil
	}
}

// BenchmarkRoute is an order from its intent to its answer over loopback, by each route:
// REST with HMAC, the WebSocket API with each request signed, and on a session that is
// logged on.
func BenchmarkRoute(b *testing.B) {
	stage(b, "rest", func(t testing.TB) *work { return routeWork(t, false, false) })
	stage(b, "ws/signed", func(t testing.TB) *work { return routeWork(t, true, false) })
	stage(b, "ws/loggedon", func(t testing.TB) *work { return routeWork(t, true, true) })
}

// BenchmarkEncodeFrame is one order laid out as a frame, the twin of BenchmarkEncode.
func BenchmarkEncodeFrame(b *testing.B) {
	stage(b, "signed", func(t testing.TB) *work { return layFrames(t, false) })
	stage(b, "loggedon", func(t testing.TB) *work { return layFrames(t, true) })
}

func layFrames(t testing.TB, logon bool) *work {
	tab := orderTable(t)
	ids, err := exec.NewIDs("rp", 1_723_161_255)
	if err != nil {
		t.Fatal(err)
	}
	key, err := TestKey()
	if logon {
		key, err = dialect.NewEd25519Key("vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zv", ed25519.NewKeyFromSeed(make([]byte, 32)))
	}
	if err != nil {
		t.Fatal(err)
	}
	c, err := dialect.NewFrames(dialect.Config{Instruments: tab, Key: key, IDs: ids})
	if err != nil {
		t.Fatal(err)
	}
	var req exec.Request
	failed := 0
	w := &work{items: 4096}
	w.pass = func() {
		for i := range w.items {
			in := core.Intent{Kind: core.Place, Side: core.Side(i & 1), Type: core.Limit, TIF: core.IOC, Instrument: core.InstrumentID(i % len(tab.List)),
				Price: orderPrice + core.Price(i)*core.Scale/100, Qty: 1000 * core.Qty(1+i)}
			now := orderStamp + core.WallNs(i)*1e6
			if c.Place(&in, now, now, exec.Envelope{ID: 1e12 + int64(i), LoggedOn: logon}, &req) != exec.EncodeOK {
				failed++
			}
		}
	}
	w.check = func() error {
		if failed != 0 || bytes.Contains(req.Bytes, []byte("signature")) == logon {
			return fmt.Errorf("got %d orders that were not laid out, the last %q", failed, req.Bytes)
		}
		return nil
	}
	return w
}
