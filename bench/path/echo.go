package path

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime"

	"golang.org/x/sys/unix"
)

// EchoOptions say where an echo connects and how it waits.
type EchoOptions struct {
	Stream, REST string
	Target       string // path and query of the stream
	Mark         Mark
	TLS          *tls.Config
	Spin         bool // read without waiting, over and over; else Go's network poller
}

// Mark tells which frames are to be answered: those whose payload begins with Prefix
// and has an even digit at At. Without a Prefix every frame is.
type Mark struct {
	Prefix string
	At     int
}

// echoOrder is as long as an order of the engine's, and always the same.
const echoOrder = "POST /api/v3/order?symbol=" + Symbol + "&side=BUY&type=LIMIT&timeInForce=IOC&newOrderRespType=FULL&recvWindow=5000" +
	"&newClientOrderId=rp-t8kq2c1-00000001&timestamp=1723161255000&price=61837.64&quantity=0.00009" +
	"&signature=c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71 HTTP/1.1\r\nHost: 127.0.0.1:65535\r\n" +
	"X-MBX-APIKEY: vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A\r\nContent-Length: 0\r\n\r\n"

// Echo answers every frame of the touch stream with the same order bytes, looking at
// nothing but the frames' headers, until ctx ends or a connection does: what the
// machine, the kernel and Go cost without an engine.
func Echo(ctx context.Context, o EchoOptions) error {
	stream, early, err := openStream(o)
	if err != nil {
		return fmt.Errorf("cannot start the echo: %w", err)
	}
	defer stream.Close()
	orders, err := o.dial(o.REST)
	if err != nil {
		return fmt.Errorf("cannot start the echo: %w", err)
	}
	defer orders.Close()
	f := frameCount{mark: o.Mark}
	if err := echo(orders, f.add(early)); err != nil {
		return err
	}
	if o.Spin {
		return o.spin(ctx, stream, orders, &f)
	}
	return park(ctx, stream, orders, &f)
}

func echo(orders io.Writer, n int) error {
	for range n {
		if _, err := io.WriteString(orders, echoOrder); err != nil {
			return err
		}
	}
	return nil
}

func (o *EchoOptions) dial(rawURL string) (net.Conn, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, err
	}
	nc, err := net.Dial("tcp", u.Host)
	if err != nil {
		return nil, err
	}
	if o.Spin {
		s, err := take(nc.(*net.TCPConn))
		if err != nil {
			return nil, err
		}
		if o.TLS == nil {
			return s, nil
		}
		return s.secure(o.TLS, false)
	}
	if o.TLS == nil {
		return nc, nil
	}
	tc := tls.Client(nc, o.TLS)
	return tc, tc.Handshake()
}

// openStream upgrades a connection to the touch stream. early is what came behind
// the answer.
func openStream(o EchoOptions) (c net.Conn, early []byte, err error) {
	if c, err = o.dial(o.Stream); err != nil {
		return nil, nil, err
	}
	s, spins := c.(*socket)
	if tc, ok := c.(*tls.Conn); ok {
		s, spins = tc.NetConn().(*socket)
	}
	if spins {
		s.waits = true
		defer func() { s.waits = false }()
	}
	req := "GET " + o.Target + " HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
	if _, err := io.WriteString(c, req); err != nil {
		return nil, nil, errors.Join(err, c.Close())
	}
	br := bufio.NewReader(c)
	resp, err := http.ReadResponse(br, nil)
	if err != nil {
		return nil, nil, errors.Join(err, c.Close())
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return nil, nil, errors.Join(fmt.Errorf("got %s for the stream, want 101", resp.Status), c.Close())
	}
	early, err = br.Peek(br.Buffered())
	return c, early, err
}

// frameCount finds the frames to be answered in a stream of bytes.
type frameCount struct {
	mark     Mark
	kept     []byte // the beginning of a frame that cannot be judged yet
	left     int    // bytes of a frame that has been judged
	answered bool   // it has been, at its first byte
}

// add returns how many orders are due for what begins in b: at the first byte of a
// frame if every one counts, else as soon as its mark has come.
func (f *frameCount) add(b []byte) (due int) {
	if len(f.kept) > 0 {
		f.kept = append(f.kept, b...)
		b = f.kept
	}
	for len(b) > 0 {
		if f.left > 0 {
			n := min(f.left, len(b))
			f.left -= n
			b = b[n:]
			continue
		}
		every := f.mark.Prefix == ""
		if every && !f.answered {
			f.answered = true
			due++
		}
		head, size, ok := frameSize(b)
		if !ok {
			break
		}
		if !every && size > f.mark.At {
			if len(b) <= head+f.mark.At {
				break
			}
			if string(b[head:head+len(f.mark.Prefix)]) == f.mark.Prefix && b[head+f.mark.At]&1 == 0 {
				due++
			}
		}
		f.left, f.answered = head+size, false
	}
	f.kept = append(f.kept[:0], b...)
	return due
}

// frameSize reads a server frame's header; ok is false while it is not whole.
func frameSize(b []byte) (head, size int, ok bool) {
	if len(b) < 2 {
		return 0, 0, false
	}
	switch size = int(b[1] & 0x7f); size {
	case 126:
		if len(b) < 4 {
			return 0, 0, false
		}
		return 4, int(binary.BigEndian.Uint16(b[2:])), true
	case 127:
		if len(b) < 10 {
			return 0, 0, false
		}
		return 10, int(binary.BigEndian.Uint64(b[2:])), true
	}
	return 2, size, true
}

// idleLook is how many empty reads go between two looks at the answers.
const idleLook = 256

// spin does all on one thread that never sleeps.
func (o *EchoOptions) spin(ctx context.Context, stream, orders net.Conn, f *frameCount) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	// With one processor the runtime could not run anything beside a loop that
	// never gives it back.
	if runtime.GOMAXPROCS(0) < 2 {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	}
	buf, answer := make([]byte, 64<<10), make([]byte, 64<<10)
	for turn := 0; ; turn++ {
		n, err := stream.Read(buf)
		if n > 0 {
			if err := echo(orders, f.add(buf[:n])); err != nil {
				return err
			}
			continue
		}
		if !timedOut(err) {
			return ended(err)
		}
		if turn%idleLook != 0 {
			continue
		}
		if ctx.Err() != nil {
			return nil
		}
		if _, err := orders.Read(answer); err != nil && !timedOut(err) {
			return ended(err)
		}
	}
}

// park reads by the network poller.
func park(ctx context.Context, stream, orders net.Conn, f *frameCount) error {
	stop := context.AfterFunc(ctx, func() { _ = stream.Close(); _ = orders.Close() })
	defer stop()
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		_, _ = io.Copy(io.Discard, orders) // its end is the stream's too
	}()
	defer func() { _ = orders.Close(); <-drained }()
	buf := make([]byte, 64<<10)
	for {
		n, err := stream.Read(buf)
		if e := echo(orders, f.add(buf[:n])); e != nil {
			err = e
		}
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return ended(err)
		}
	}
}

func timedOut(err error) bool {
	t, ok := err.(interface{ Timeout() bool })
	return ok && t.Timeout()
}

// ended makes the harness's hanging up a normal end.
func ended(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, unix.ECONNRESET) || errors.Is(err, unix.EPIPE) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}
