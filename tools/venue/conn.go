package venue

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"
)

// connKind tells market stream sockets from WS API sockets.
type connKind uint8

const (
	streamConn connKind = iota
	apiConn
)

func (k connKind) String() string {
	if k == apiConn {
		return "wsapi"
	}
	return "streams"
}

// conn is one WebSocket connection. Its own goroutine reads, a second one writes. Frames to send come from any
// goroutine through a bounded queue: a client that does not drain it is disconnected, nobody ever waits for it.
type conn struct {
	id    uint64
	kind  connKind
	ip    string
	srv   *Server
	net   net.Conn
	us    bool // times in microseconds
	since int64
	// noLimits: the client asked not to be sent rateLimits blocks (WS API).
	noLimits bool

	frozen atomic.Bool

	mu       sync.Mutex
	queue    [][]byte
	queued   int // bytes in queue
	ended    bool
	draining bool // close once the queue is written
	pings    []ping

	wake   chan struct{}
	done   chan struct{}
	closed sync.Once

	// Owned by the loop goroutine.
	combined bool
	subs     map[string]*sub
	names    []string // stream names in the order of subscription
	users    []*userSub
	nextUser int
}

// ping is one PING that has not been answered.
type ping struct {
	payload string
	at      time.Time
}

func newConn(s *Server, kind connKind, nc net.Conn, ip string) *conn {
	if t := tcpOf(nc); t != nil {
		_ = t.SetNoDelay(true) // the default; said aloud because every frame counts on it
		if s.cfg.SendBuffer > 0 {
			_ = t.SetWriteBuffer(s.cfg.SendBuffer)
		}
	}
	return &conn{id: s.nextConn.Add(1), kind: kind, ip: ip, srv: s, net: nc, since: s.clock.now(),
		wake: make(chan struct{}, 1), done: make(chan struct{}), subs: make(map[string]*sub)}
}

func tcpOf(nc net.Conn) *net.TCPConn {
	switch t := nc.(type) {
	case *net.TCPConn:
		return t
	case *tls.Conn:
		if tcp, ok := t.NetConn().(*net.TCPConn); ok {
			return tcp
		}
	}
	return nil
}

// send queues one complete frame, shared and never written to again.
func (c *conn) send(frame []byte) {
	if c.frozen.Load() {
		return
	}
	c.mu.Lock()
	if c.ended || c.draining {
		c.mu.Unlock()
		return
	}
	if len(c.queue) >= c.srv.cfg.QueueFrames || c.queued+len(frame) > c.srv.cfg.QueueBytes {
		c.mu.Unlock()
		c.srv.stats.slow.Add(1)
		c.drop()
		return
	}
	c.queue = append(c.queue, frame)
	c.queued += len(frame)
	c.mu.Unlock()
	c.notify()
}

func (c *conn) notify() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// closeWith queues a close frame and ends the connection after it is written.
func (c *conn) closeWith(code ws.StatusCode, reason string) {
	c.mu.Lock()
	if !c.ended && !c.draining {
		c.queue = append(c.queue, closeFrame(code, reason))
		c.draining = true
	}
	c.mu.Unlock()
	c.notify()
}

// drop ends the connection at once with a TCP reset, as a broken line would.
func (c *conn) drop() {
	if t := tcpOf(c.net); t != nil {
		_ = t.SetLinger(0)
	}
	c.end()
}

// end closes the socket below TLS: a close_notify could block behind a full send buffer.
func (c *conn) end() {
	c.closed.Do(func() {
		c.mu.Lock()
		c.ended = true
		c.queue = nil
		c.mu.Unlock()
		close(c.done)
		if t := tcpOf(c.net); t != nil {
			_ = t.Close()
		} else {
			_ = c.net.Close()
		}
	})
}

// write is the writer goroutine: it takes all ready frames and hands them to the kernel in as few writes as fit.
func (c *conn) write() {
	cfg := &c.srv.cfg
	ticker := time.NewTicker(cfg.PingInterval)
	defer ticker.Stop()
	life := time.NewTimer(cfg.ConnectionLife)
	defer life.Stop()
	pong := time.NewTimer(time.Hour)
	pong.Stop()
	defer pong.Stop()
	defer c.end()
	var batch [][]byte
	var ending bool
	buf := make([]byte, 0, 16<<10)
	for {
		select {
		case <-c.done:
			return
		case <-c.wake:
		case <-ticker.C:
			if !c.frozen.Load() {
				c.ping(pong)
			}
		case <-pong.C:
			if c.pongLate(pong) {
				c.srv.stats.pongLate.Add(1)
				return
			}
		case <-life.C:
			c.shutdown(c.srv.cfg.ShutdownLead)
		}
		c.mu.Lock()
		batch, c.queue = c.queue, batch[:0]
		c.queued = 0
		ending = c.draining
		c.mu.Unlock()
		for i, f := range batch {
			if len(buf)+len(f) > cap(buf) && len(buf) > 0 {
				if !c.flush(buf) {
					return
				}
				buf = buf[:0]
			}
			if len(f) > cap(buf) {
				if !c.flush(f) {
					return
				}
			} else {
				buf = append(buf, f...)
			}
			batch[i] = nil
		}
		if len(buf) > 0 && !c.flush(buf) {
			return
		}
		c.srv.stats.frames[c.kind].Add(uint64(len(batch)))
		buf = buf[:0]
		if ending {
			c.linger()
			return
		}
	}
}

// closeWait is how long a closing connection waits for the client's end, so that a reset does not overtake the close
// frame.
const closeWait = time.Second

// linger ends the sending half after a close frame and waits for the reader to see the client's end.
func (c *conn) linger() {
	if half, ok := c.net.(interface{ CloseWrite() error }); !ok || half.CloseWrite() != nil {
		return
	}
	t := time.NewTimer(closeWait)
	defer t.Stop()
	select {
	case <-c.done:
	case <-t.C:
	}
}

// drain reads and drops what a client still sends after it was told to go.
func (c *conn) drain(br *bufio.Reader) {
	if c.net.SetReadDeadline(time.Now().Add(closeWait)) == nil {
		_, _ = io.Copy(io.Discard, br) // ends with the client's end or the deadline
	}
}

func (c *conn) flush(b []byte) bool {
	if err := c.net.SetWriteDeadline(time.Now().Add(c.srv.cfg.WriteTimeout)); err != nil {
		return false
	}
	_, err := c.net.Write(b)
	if err == nil {
		c.srv.stats.bytes.Add(uint64(len(b)))
	}
	return err == nil
}

func (c *conn) ping(deadline *time.Timer) {
	payload := strconv.FormatInt(c.srv.clock.now()/1000, 10)
	c.mu.Lock()
	if len(c.pings) == 0 {
		deadline.Reset(c.srv.cfg.PongTimeout)
	}
	c.pings = append(c.pings, ping{payload, time.Now()})
	c.mu.Unlock()
	c.send(appendFrame(nil, ws.OpPing, []byte(payload)))
}

// pongLate says whether the oldest unanswered PING has run out, and otherwise sets the timer for it.
func (c *conn) pongLate(deadline *time.Timer) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.pings) == 0 {
		return false
	}
	left := c.srv.cfg.PongTimeout - time.Since(c.pings[0].at)
	if left <= 0 {
		return true
	}
	deadline.Reset(left)
	return false
}

// pong answers the PING whose payload it echoes and every one before it. Others are allowed and mean nothing.
func (c *conn) pong(payload []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := len(c.pings) - 1; i >= 0; i-- {
		if c.pings[i].payload == string(payload) {
			c.pings = append(c.pings[:0], c.pings[i+1:]...)
			return
		}
	}
}

// shutdown announces the planned close with serverShutdown and closes lead later.
func (c *conn) shutdown(lead time.Duration) {
	c.srv.loop.do(func(now int64) { c.send(c.shutdownFrame(now)) })
	c.srv.after(lead, func() { c.closeWith(ws.StatusGoingAway, "server shutdown") })
}

// shutdownFrame is the event in the form of this connection. Loop goroutine only: it reads combined.
func (c *conn) shutdownFrame(now int64) []byte {
	w := enc{us: c.us}
	switch {
	case c.kind == apiConn:
		w.open('{')
		w.key("event")
	case c.combined:
		w.open('{')
		w.str("stream", "!serverShutdown")
		w.key("data")
	}
	w.open('{')
	w.str("e", "serverShutdown")
	w.time("E", now)
	w.close('}')
	if c.kind == apiConn || c.combined {
		w.close('}')
	}
	return textFrame(w.b)
}

// read is the reader goroutine: control frames are answered here, text goes to handle.
func (c *conn) read(br *bufio.Reader, handle func([]byte)) {
	defer c.end()
	f := frameReader{r: br, cap: c.srv.cfg.MaxMessage}
	pace := newPace(c.srv.cfg.ClientMessagesPerSecond)
	for {
		op, payload, err := f.next()
		if err != nil {
			var fault *wsFault
			if errors.As(err, &fault) {
				c.closeWith(fault.code, fault.reason)
				c.drain(br)
			}
			return
		}
		if c.kind == streamConn && !pace.allow(time.Now()) {
			c.srv.stats.tooFast.Add(1)
			c.closeWith(ws.StatusPolicyViolation, "Too many requests")
			c.drain(br)
			return
		}
		switch op {
		case ws.OpPing:
			c.send(appendFrame(nil, ws.OpPong, payload))
		case ws.OpPong:
			c.pong(payload)
		case ws.OpClose:
			code := ws.StatusNormalClosure
			if len(payload) >= 2 {
				code = ws.StatusCode(uint16(payload[0])<<8 | uint16(payload[1]))
			}
			if code.IsNotUsed() || len(payload) == 1 {
				code = ws.StatusProtocolError
			}
			c.closeWith(code, "")
			c.drain(br)
			return
		default:
			if c.frozen.Load() {
				continue
			}
			handle(payload)
		}
	}
}

// pace refuses the message that would be one too many within a second.
type pace struct {
	at   []time.Time
	head int
}

func newPace(limit int) *pace { return &pace{at: make([]time.Time, limit)} }

func (p *pace) allow(now time.Time) bool {
	if len(p.at) == 0 {
		return true
	}
	if old := p.at[p.head]; !old.IsZero() && now.Sub(old) < time.Second {
		return false
	}
	p.at[p.head] = now
	p.head = (p.head + 1) % len(p.at)
	return true
}
