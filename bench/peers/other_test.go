package peers

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"riposte/bench"
	"riposte/core"
)

// What has sockets in it has the other end in a process of its own, a copy of this
// program: its processor time and garbage are not the contenders'.

// roleEnv says in the environment of a copy what it is.
const roleEnv = "RIPOSTE_PEERS_ROLE"

// roles are the other ends. Each listens, says where in one line on standard output,
// and ends when its standard input does.
var roles = map[string]func(ln *net.TCPListener) error{"frames": sendFrames, "orders": answerOrders}

// takeRole is this process as the other end of a connection.
func takeRole(run func(*net.TCPListener) error) error {
	ln, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return err
	}
	fmt.Println(ln.Addr())
	return run(ln)
}

// other is the other end as seen from here.
type other struct {
	addr  string
	stdin io.WriteCloser
}

// again asks for the stream once more, on the connection that was the which-th to be
// opened.
func (o *other) again(which byte) {
	_, err := o.stdin.Write([]byte{which})
	must(err)
}

// startOther starts a copy in a role, to be ended with tb.
func startOther(tb testing.TB, role string) *other {
	tb.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleEnv+"="+role)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		stdin.Close()
		if err := cmd.Wait(); err != nil {
			tb.Errorf("the other end of %s: %v", role, err)
		}
	})
	addr, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		tb.Fatalf("the other end of %s did not say where it listens: %v", role, err)
	}
	return &other{strings.TrimSpace(addr), stdin}
}

// greeting is the answer to an opening handshake, RFC 6455 section 4.2.2.
func greeting(request []byte) []byte {
	req, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(request)))
	must(err)
	sum := sha1.Sum([]byte(req.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return fmt.Appendf(nil, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		base64.StdEncoding.EncodeToString(sum[:]))
}

// sendFrames greets each connection and writes the whole corpus to one of them for
// each byte on standard input, which is the number of that connection.
func sendFrames(ln *net.TCPListener) error {
	c, err := bench.Load(bench.Spot)
	if err != nil {
		return err
	}
	stream := bench.NewFeed(c, false).Bytes()
	conns := make(chan net.Conn)
	go func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			conns <- nc
		}
	}()
	again := make(chan byte)
	go func() {
		defer close(again)
		for b := make([]byte, 1); ; {
			if _, err := os.Stdin.Read(b); err != nil {
				return
			}
			again <- b[0]
		}
	}()
	var list []net.Conn
	for {
		select {
		case nc := <-conns:
			list = append(list, nc)
			if err := greet(nc); err != nil {
				return fmt.Errorf("cannot greet: %w", err)
			}
		case which, more := <-again:
			if !more {
				return nil
			}
			if _, err := list[which].Write(stream); err != nil {
				return fmt.Errorf("cannot send the corpus: %w", err)
			}
		}
	}
}

// greet is the server's half of an opening handshake.
func greet(nc net.Conn) error {
	head := make([]byte, 0, 4096)
	for !bytes.HasSuffix(head, []byte("\r\n\r\n")) {
		n, err := nc.Read(head[len(head):cap(head)])
		if head = head[:len(head)+n]; err != nil {
			return err
		}
	}
	_, err := nc.Write(greeting(head))
	return err
}

// provenFirst is how many requests of each connection have their signature checked:
// all of them would make the other end the slow one.
const provenFirst = 64

// answerOrders is a venue that takes every order and answers from a template, on one
// thread that spins while there are orders.
func answerOrders(ln *net.TCPListener) error {
	raw, err := ln.File()
	if err != nil {
		return err
	}
	defer raw.Close()
	ep, err := unix.EpollCreate1(0)
	if err != nil {
		return err
	}
	watch := func(fd int) error {
		return unix.EpollCtl(ep, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
	}
	if err := errors.Join(watch(int(raw.Fd())), watch(0)); err != nil {
		return err
	}
	clients := map[int32]*client{}
	events := make([]unix.EpollEvent, 16)
	for last := time.Now(); ; {
		wait := 0
		if time.Since(last) > 20*time.Millisecond {
			wait = -1 // nobody is being timed
		}
		n, err := unix.EpollWait(ep, events, wait)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return err
		}
		for _, e := range events[:max(n, 0)] {
			last = time.Now()
			switch e.Fd {
			case 0:
				return nil // standard input has ended
			case int32(raw.Fd()):
				fd, _, err := unix.Accept(int(raw.Fd()))
				if err != nil {
					return err
				}
				if err := errors.Join(unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1), watch(fd)); err != nil {
					return err
				}
				clients[int32(fd)] = &client{fd: fd}
			default:
				if err := clients[e.Fd].serve(); err != nil {
					unix.Close(int(e.Fd))
					delete(clients, e.Fd)
					if !errors.Is(err, io.EOF) {
						return err
					}
				}
			}
		}
	}
}

// client is one connection of the venue's.
type client struct {
	fd     int
	in     []byte
	out    []byte
	proven int
}

func (c *client) serve() error {
	c.in = append(c.in, make([]byte, 4096)...)
	n, err := unix.Read(c.fd, c.in[len(c.in)-4096:])
	c.in = c.in[:len(c.in)-4096+max(n, 0)]
	if n <= 0 {
		if err == nil || errors.Is(err, unix.ECONNRESET) {
			err = io.EOF
		}
		return err
	}
	for {
		head, rest, whole := bytes.Cut(c.in, []byte("\r\n\r\n"))
		size := 0
		if _, v, ok := bytes.Cut(head, []byte("\r\nContent-Length: ")); ok {
			v, _, _ = bytes.Cut(v, []byte("\r\n"))
			if size, err = strconv.Atoi(string(v)); err != nil {
				return fmt.Errorf("request has content length %q", v)
			}
		}
		if !whole || len(rest) < size {
			return nil
		}
		if err := c.answer(head, rest[:size]); err != nil {
			return err
		}
		c.in = append(c.in[:0], rest[size:]...)
	}
}

func (c *client) answer(head, body []byte) error {
	line, _, _ := bytes.Cut(head, []byte("\r\n"))
	method, target, _ := bytes.Cut(line, []byte(" "))
	target, _, _ = bytes.Cut(target, []byte(" "))
	path, query, _ := bytes.Cut(target, []byte("?"))
	c.out = c.out[:0]
	if string(method) != "POST" || string(path) != "/api/v3/order" {
		c.out = append(c.out, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"...)
	} else if err := c.order(query, body); err != nil {
		return fmt.Errorf("%w in %q %q", err, head, body)
	}
	_, err := unix.Write(c.fd, c.out)
	return err
}

// order takes an order whose parameters are in the query, the body or both, and says
// that it expired.
func (c *client) order(query, body []byte) error {
	if c.proven < provenFirst {
		c.proven++
		if err := proven(query, body); err != nil {
			return err
		}
	}
	var o bench.Order
	for _, part := range [2][]byte{query, body} {
		for len(part) > 0 {
			var pair []byte
			pair, part, _ = bytes.Cut(part, []byte("&"))
			name, value, _ := bytes.Cut(pair, []byte("="))
			switch string(name) {
			case "symbol":
				o.Symbol = value
			case "side":
				o.Side = value
			case "type":
				o.Type = value
			case "timeInForce":
				o.TIF = value
			case "price":
				o.Price = value
			case "quantity":
				o.Qty = value
			case "newClientOrderId":
				o.Client = value
			}
		}
	}
	price, err := core.ParseDecimal(o.Price)
	if err != nil || len(o.Client) == 0 || len(o.Qty) == 0 {
		return fmt.Errorf("got order %q, want price, quantity and client id", o)
	}
	c.out = bench.AppendAnswer(c.out, &o, venueID(price), 1_723_161_255_000)
	return nil
}

// venueID is the id under which the venue knows an order, made from its price so that
// everyone who places the same orders gets the same answers.
func venueID(price int64) int64 { return price / 1e6 }

// proven checks a signature as the venue does: over the query and the body as they
// were sent, without the signature (Binance Spot API docs, 2026-07-21).
func proven(query, body []byte) error {
	const mark = "&signature="
	text := string(query)
	i := strings.Index(text, mark)
	if i < 0 {
		return errors.New("no signature")
	}
	sig, err := url.QueryUnescape(text[i+len(mark):])
	if err != nil {
		return err
	}
	h := hmac.New(sha256.New, []byte(bench.TestSecret))
	h.Write([]byte(text[:i]))
	h.Write(body)
	if want := hex.EncodeToString(h.Sum(nil)); sig != want {
		return fmt.Errorf("got signature %s, want %s", sig, want)
	}
	return nil
}
