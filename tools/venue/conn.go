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

	frozen  atomic.Bool
	pongLag atomic.Int64 // how late PINGs are answered, a time.Duration

	mu       sync.Mutex
	queue    [][]byte
	queued   int // bytes in queue
	ended    bool
	draining bool // close once the queue is written
	breaking bool // and with a reset
	pings    []ping

	wake   chan struct{}
	heard  chan struct{} // closed when nothing more is read
	done   chan struct{}
	closed sync.Once

	// Owned by the loop goroutine.
	combined bool
	subs     map[string]*sub
	names    []string // stream names in the order of subscription
	users    []*userSub
	nextUser int
	interval int64 // between PINGs, µs, 0 for none
	beat     *tick // next PING
	late     *tick // end of the wait for a PONG
	life     *tick // planned end
}

// ping is one PING that has not been answered.
type ping struct {
	payload string
	at      int64 // venue time
}

func newConn(s *Server, kind connKind, nc net.Conn, ip string) *conn {
	l := linkOf(nc)
	if t, ok := l.NetConn().(*net.TCPConn); ok {
		_ = t.SetNoDelay(true) // the default; said aloud because every frame counts on it
		if s.cfg.SendBuffer > 0 {
			_ = t.SetWriteBuffer(s.cfg.SendBuffer)
		}
	}
	return &conn{id: l.ID(), kind: kind, ip: ip, srv: s, net: nc, since: s.clock.now(),
		wake: make(chan struct{}, 1), heard: make(chan struct{}), done: make(chan struct{}), subs: make(map[string]*sub)}
}

// below is the connection under TLS, nc itself without.
func below(nc net.Conn) net.Conn {
	if t, ok := nc.(*tls.Conn); ok {
		return t.NetConn()
	}
	return nc
}

// reset ends a connection as a broken line would: with a TCP reset, or what a listener of another kind makes of linger
// 0, and else just with its end.
func reset(nc net.Conn) {
	l := linkOf(nc)
	_ = l.SetLinger(0)
	_ = l.Close()
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
func (c *conn) closeWith(code ws.StatusCode, reason string) { c.last(closeFrame(code, reason), false) }

// last queues the connection's last bytes; its end after them is a reset if breaking.
func (c *conn) last(b []byte, breaking bool) {
	c.mu.Lock()
	if !c.ended && !c.draining {
		c.queue = append(c.queue, b)
		c.draining, c.breaking = true, breaking
	}
	c.mu.Unlock()
	c.notify()
}

// hangUp is the reader's end: what is queued is still written, whichever of reader and writer is faster, then the
// connection ends.
func (c *conn) hangUp() {
	c.mu.Lock()
	c.draining = true
	c.mu.Unlock()
	close(c.heard)
	c.notify()
}

// drop ends the connection at once with a reset, as a broken line would.
func (c *conn) drop() { c.finish(reset) }

// end closes the socket below TLS: a close_notify could block behind a full send buffer.
func (c *conn) end() { c.finish(func(nc net.Conn) { _ = below(nc).Close() }) }

func (c *conn) finish(how func(net.Conn)) {
	c.closed.Do(func() {
		c.mu.Lock()
		c.ended = true
		c.queue = nil
		c.mu.Unlock()
		close(c.done)
		how(c.net)
	})
}

// write is the writer goroutine: it takes all ready frames and hands them to the kernel in as few writes as fit.
func (c *conn) write() {
	defer c.end()
	var batch [][]byte
	var ending, breaking bool
	buf := make([]byte, 0, 16<<10)
	for {
		select {
		case <-c.done:
			return
		case <-c.wake:
		}
		c.mu.Lock()
		batch, c.queue = c.queue, batch[:0]
		c.queued = 0
		ending, breaking = c.draining, c.breaking
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
		if breaking {
			c.drop()
			return
		}
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
	case <-c.heard:
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

// live puts the connection's PINGs and its planned end on the calendar. Loop goroutine.
func (c *conn) live(now int64) {
	l := c.srv.loop
	c.pace(now, c.srv.cfg.PingInterval)
	c.life = l.at(now+c.srv.cfg.ConnectionLife.Microseconds(), func(now int64) { c.shutdown(now, c.srv.cfg.ShutdownLead) })
}

// leave takes them off again. Loop goroutine.
func (c *conn) leave() {
	for _, t := range []*tick{c.beat, c.late, c.life} {
		c.srv.loop.remove(t)
	}
}

// ping sends a PING and plans the next one. Loop goroutine.
func (c *conn) ping(now int64) {
	l := c.srv.loop
	c.beat = l.at(now+c.interval, c.ping)
	if c.frozen.Load() {
		return
	}
	payload := strconv.FormatInt(now/1000, 10)
	c.mu.Lock()
	if len(c.pings) == 0 {
		l.remove(c.late)
		c.late = l.at(now+c.srv.cfg.PongTimeout.Microseconds(), c.unanswered)
	}
	c.pings = append(c.pings, ping{payload, now})
	c.mu.Unlock()
	c.send(appendFrame(nil, ws.OpPing, []byte(payload)))
}

// unanswered ends a connection whose oldest PING has run out, and otherwise waits on for it. Loop goroutine.
func (c *conn) unanswered(now int64) {
	c.mu.Lock()
	ends := int64(0)
	if len(c.pings) > 0 {
		ends = c.pings[0].at + c.srv.cfg.PongTimeout.Microseconds()
	}
	c.mu.Unlock()
	switch {
	case ends == 0:
	case ends <= now:
		c.srv.stats.pongLate.Add(1)
		c.end()
	default:
		c.late = c.srv.loop.at(ends, c.unanswered)
	}
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

// shutdown announces the planned close with serverShutdown and closes lead later. Loop goroutine.
func (c *conn) shutdown(now int64, lead time.Duration) {
	c.send(c.shutdownFrame(now))
	c.srv.loop.at(now+lead.Microseconds(), func(int64) { c.closeWith(ws.StatusGoingAway, "server shutdown") })
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
	defer c.hangUp()
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
			c.answerPing(appendFrame(nil, ws.OpPong, payload))
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

// answerPing sends a PONG, now or as late as the fault says.
func (c *conn) answerPing(frame []byte) {
	late := time.Duration(c.pongLag.Load())
	if late == 0 {
		c.send(frame)
		return
	}
	l := c.srv.loop
	l.do(func(now int64) { l.at(now+late.Microseconds(), func(int64) { c.send(frame) }) })
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
