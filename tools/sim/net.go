package sim

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Net is the network between hosts and one listener. Connections are made by Dial and
// accepted by the listener; what is written to one is noted, and the world carries it
// over, piece by piece, when its time has come. One lock guards everything that both
// the world and the goroutines at the ends touch; nobody holds it for long.
type Net struct {
	w       *World
	rng     *rand.Rand
	mu      sync.Mutex
	backlog []*End
	arrived sync.Cond // backlog
	shut    bool
	dials   []*dialing
	dirty   []*pipe
	Links   []*Link // by number
	perKind [kinds]int

	Latency Latency
	refuse  [kinds]refusal
}

// Latency is how long a piece takes: never less than Base, with an exponential tail of
// mean Tail. Each link's own share of Base is drawn when it is made. What goes up takes
// Lean more.
type Latency struct{ Base, Tail, Lean time.Duration }

// LinkKind is what a connection is for.
type LinkKind uint8

// The kinds of link.
const (
	REST   LinkKind = iota // queries and snapshots
	Wire                   // the loop's own HTTP
	Stream                 // market data
	API                    // WebSocket API: orders, account events

	kinds = int(API) + 1
)

func (k LinkKind) String() string { return [...]string{"rest", "wire", "stream", "api"}[k] }

// Trouble is what can come of a dial.
type Trouble uint8

// The troubles.
const (
	Refused Trouble = iota
	NoName
	NoAnswer
)

type refusal struct {
	until time.Duration
	how   Trouble
}

// Host is one end of the world: an engine's life. What is of the world's goroutine says
// so; the rest is under the network's lock.
type Host struct {
	Name  string
	net   *Net
	dead  bool
	held  time.Duration // it is not running until then: what arrives waits
	ready func()        // bytes have come for whoever does not wait for them

	writes int // until strike is called; the world's goroutine
	after  bool
	strike func()
}

// Host makes a host. ready is called on the world's goroutine.
func (n *Net) Host(name string, ready func()) *Host { return &Host{Name: name, net: n, ready: ready} }

func newNet(w *World) *Net {
	n := &Net{w: w, rng: w.Rand("net"), Latency: Latency{Base: 300 * time.Microsecond, Tail: 200 * time.Microsecond}}
	n.arrived.L = &n.mu
	return n
}

// dialing is a dial under way.
type dialing struct {
	host *Host
	kind LinkKind
	done chan dialed
	gone bool // nobody waits any more
}

type dialed struct {
	end *End
	err error
}

// kindOf tells links apart by where they go.
func kindOf(rawURL string, hot bool) LinkKind {
	u, err := url.Parse(rawURL)
	switch {
	case err != nil:
		return REST
	case u.Scheme == "http" && hot:
		return Wire
	case u.Scheme == "http":
		return REST
	case strings.HasPrefix(u.Path, "/ws-api"):
		return API
	}
	return Stream
}

// dialTime bounds a dial. It is no round number: a caller that waits for 10 s as well, from
// the same instant on, would give up at the instant at which the dial fails, and which of
// the two it tells of would be Go's choice.
const dialTime = 10*time.Second + 1_234_567

// Dial connects to the listener. hot: the loop's own connections.
func (h *Host) Dial(ctx context.Context, rawURL string, hot bool) (net.Conn, error) {
	n := h.net
	// As the machine's own dialer does. A client of net/http dials on when whoever asked
	// for the connection has long gone.
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	d := &dialing{host: h, kind: kindOf(rawURL, hot), done: make(chan dialed, 1)}
	n.mu.Lock()
	if h.dead {
		n.mu.Unlock()
		return nil, errDead
	}
	n.dials = append(n.dials, d)
	n.mu.Unlock()
	n.w.Poke()
	select {
	case r := <-d.done:
		if r.err != nil {
			return nil, r.err
		}
		return r.end, nil
	case <-ctx.Done():
	}
	n.mu.Lock()
	d.gone = true
	n.mu.Unlock()
	select {
	case r := <-d.done:
		if r.end != nil {
			_ = r.end.Close()
		}
	default:
	}
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: ctx.Err()}
}

var errDead = errors.New("the process is gone")

// Refuse has dials of a kind fail for a while.
func (n *Net) Refuse(kind LinkKind, how Trouble, d time.Duration) {
	n.refuse[kind] = refusal{n.w.Now() + d, how}
}

// connect plans what becomes of a dial.
func (n *Net) connect(d *dialing) {
	base := n.Latency.Base
	wait := base + base/2 + time.Duration(n.rng.Int64N(int64(base)))
	no := n.refuse[d.kind]
	if n.w.Trace.Deep {
		n.w.Trace.Add(n.w.Now(), "%s dials %s, which takes %v", d.host.Name, d.kind, wait)
	}
	fail := func(err error) {
		n.w.After(wait, func() { d.done <- dialed{err: &net.OpError{Op: "dial", Net: "tcp", Err: err}} })
	}
	switch {
	case no.until <= n.w.Now():
		n.w.After(wait, func() { n.join(d) })
	case no.how == Refused:
		fail(syscall.ECONNREFUSED)
	case no.how == NoName:
		fail(&net.DNSError{Err: "no such host", Name: "venue.sim", IsNotFound: true})
	}
}

// join makes the link of a dial.
func (n *Net) join(d *dialing) {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case d.gone || d.host.dead:
		return
	case n.shut:
		d.done <- dialed{err: &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}}
		return
	}
	l := &Link{Number: len(n.Links), Kind: d.kind, Nth: n.perKind[d.kind], Host: d.host, net: n, Born: n.w.Now()}
	l.rng = rand.New(rand.NewPCG(n.w.seed^textHash("link"), uint64(d.kind)<<32|uint64(l.Nth)))
	l.base = n.Latency.Base + time.Duration(l.rng.Int64N(int64(n.Latency.Base)))
	n.perKind[d.kind]++
	n.Links = append(n.Links, l)
	l.client, l.server = newEnd(l, d.host), newEnd(l, nil)
	l.up = &pipe{link: l, up: true, from: l.client, to: l.server}
	l.down = &pipe{link: l, from: l.server, to: l.client}
	l.client.out, l.server.out = l.up, l.down
	n.backlog = append(n.backlog, l.server)
	n.arrived.Broadcast()
	d.done <- dialed{end: l.client}
}

// drain plans what has been written and dialed since it was last called.
func (n *Net) drain() {
	n.mu.Lock()
	dials, dirty := n.dials, n.dirty
	n.dials, n.dirty = nil, nil
	n.mu.Unlock()
	for _, d := range dials {
		n.connect(d)
	}
	if len(dirty) > 1 {
		slices.SortFunc(dirty, func(a, b *pipe) int { return a.rank() - b.rank() })
	}
	for _, p := range dirty {
		p.plan()
	}
}

// Pause holds back all that a host would receive: it is not running.
func (h *Host) Pause(d time.Duration) {
	h.net.mu.Lock()
	h.held = h.net.w.Now() + d
	h.net.mu.Unlock()
}

// AtWrite calls strike in the n-th write of the loop's from now on: before its bytes have
// left, or after.
func (h *Host) AtWrite(n int, after bool, strike func()) {
	h.writes, h.after, h.strike = n+1, after, strike
}

// writing is called around a write of the loop's.
func (h *Host) writing(done bool) {
	if h.strike == nil || done != h.after {
		return
	}
	if h.writes--; h.writes <= 0 {
		strike := h.strike
		h.strike = nil
		strike()
	}
}

// Paused says whether the host is not running now.
func (h *Host) Paused() bool { return h.held > h.net.w.Now() }

// Kill ends a host: its connections are reset, one after another, or vanish without a
// word, and whatever still runs of it reaches nobody.
func (h *Host) Kill(silent bool) {
	n := h.net
	n.mu.Lock()
	h.dead = true
	var mine []*Link
	for _, l := range n.Links {
		if l.Host == h && !l.client.closed {
			mine = append(mine, l)
			l.client.dead = true
			l.client.cond.Broadcast()
		}
	}
	for _, d := range n.dials {
		if d.host == h {
			d.done <- dialed{err: errDead}
			d.gone = true
		}
	}
	n.mu.Unlock()
	for _, l := range mine {
		l.up.clear()
		l.down.clear()
		if silent {
			l.up.void, l.down.void = true, true
			continue
		}
		l.up.put(segment{kind: segReset})
	}
}

// Listener is the network's only one.
func (n *Net) Listener() net.Listener { return (*listener)(n) }

type listener Net

// Accept waits for the next connection.
func (l *listener) Accept() (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.backlog) == 0 {
		if l.shut {
			return nil, net.ErrClosed
		}
		l.arrived.Wait()
	}
	e := l.backlog[0]
	l.backlog = l.backlog[1:]
	return e, nil
}

// Close refuses what comes from now on.
func (l *listener) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.shut = true
	l.arrived.Broadcast()
	return nil
}

// Addr is where the venue is.
func (l *listener) Addr() net.Addr { return address(7000) }

func address(port int) net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port} }

// String names a link for people: its kind, which of that kind, and whose.
func (l *Link) String() string { return fmt.Sprintf("%s%d/%s", l.Kind, l.Nth, l.Host.Name) }
