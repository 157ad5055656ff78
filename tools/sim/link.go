package sim

import (
	"math/rand/v2"
	"time"
)

// Link is one connection between a host and the venue. Its faults are set by the world's
// goroutine.
type Link struct {
	Number int
	Kind   LinkKind
	Nth    int // of its kind
	Host   *Host
	Born   time.Duration

	net            *Net
	rng            *rand.Rand
	base           time.Duration
	client, server *End
	up, down       *pipe
	seen           [2]decoder // of what went up and down
}

// Open reports whether both ends are there yet. The world's goroutine.
func (l *Link) Open() bool {
	l.net.mu.Lock()
	defer l.net.mu.Unlock()
	return !l.client.closed && !l.client.dead && !l.server.closed && !l.client.reset && !l.server.reset
}

type segKind uint8

const (
	segData segKind = iota
	segEnd          // the sender has closed its half
	segReset
)

// segment is a piece on its way.
type segment struct {
	kind segKind
	b    []byte
	left []Piece // when b was written
	due  time.Duration
}

// Piece is how many bytes were written at one time.
type Piece struct {
	N  int
	At time.Duration
}

// cut takes the first n bytes off pieces.
func cut(pieces []Piece, n int) (first, rest []Piece) {
	for i, p := range pieces {
		if n <= p.N {
			first = append(first, Piece{n, p.At})
			if n < p.N {
				rest = append(rest, Piece{p.N - n, p.At})
			}
			return first, append(rest, pieces[i+1:]...)
		}
		first = append(first, p)
		n -= p.N
	}
	return first, nil
}

// pipe is one direction of a link. fresh, queued and dirty are under the network's lock,
// the rest is the world's.
type pipe struct {
	link     *Link
	up       bool
	from, to *End

	fresh  []segment // written and not planned
	queued int       // bytes on their way
	dirty  bool

	way   []segment // planned, in order
	armed uint64    // the entry of the calendar that knows of the first of way, 0: none

	void    bool          // nothing arrives any more, and nobody is told
	held    time.Duration // nothing arrives before
	slow    time.Duration // until then pieces take extra longer
	extra   time.Duration
	drip    time.Duration // until then bytes come dripEach at a time
	cut     int           // bytes after which the link breaks; -1: it does not
	cutting bool
	silent  bool // a cut without a reset
	window  int  // bytes that may be under way
	last    time.Duration
}

const (
	windowBytes = 256 << 10
	dripBytes   = 7
	dripEvery   = 20 * time.Millisecond
	// mergeWithin is how near two pieces must be to come in one read.
	mergeWithin = 30 * time.Microsecond
	mergeBytes  = 16 << 10
)

func (p *pipe) rank() int {
	r := 2 * p.link.Number
	if p.up {
		r++
	}
	return r
}

func (p *pipe) peer() *pipe {
	if p.up {
		return p.link.down
	}
	return p.link.up
}

// room is how many bytes may be written. The lock is held.
func (p *pipe) room() int {
	w := windowBytes
	if p.window > 0 {
		w = p.window
	}
	return w - p.queued - len(p.to.in)
}

func (p *pipe) stuck() bool { return p.room() <= 0 }

// plan gives what was written its time.
func (p *pipe) plan() {
	n := p.link.net
	n.mu.Lock()
	fresh := p.fresh
	p.fresh, p.dirty = nil, false
	if p.room() > 0 {
		p.from.cond.Broadcast()
	}
	n.mu.Unlock()
	for i := 0; i < len(fresh); i++ {
		s := fresh[i]
		// In how many pieces a server's writer hands over what the server's loop gives
		// it at one instant is Go's choice, so they are one.
		for !p.up && s.kind == segData && i+1 < len(fresh) && fresh[i+1].kind == segData {
			i++
			s.b = append(s.b, fresh[i].b...)
		}
		p.put(s)
	}
}

func (p *pipe) put(s segment) {
	w := p.link.net.w
	w.sent(p.link, p.up, &s)
	if p.void {
		return
	}
	now := w.Now()
	s.left = []Piece{{len(s.b), now}}
	lat := p.link.base + time.Duration(p.link.rng.ExpFloat64()*float64(p.link.net.Latency.Tail))
	if p.up {
		lat += p.link.net.Latency.Lean
	}
	if now < p.slow {
		lat += time.Duration(float64(p.extra) * p.link.rng.Float64())
	}
	s.due = max(now+lat, p.last)
	p.last = s.due
	p.way = append(p.way, s)
	p.arm()
}

func (p *pipe) arm() {
	if p.armed != 0 || len(p.way) == 0 {
		return
	}
	p.wake(max(p.way[0].due, p.held))
}

func (p *pipe) wake(at time.Duration) {
	p.armed = p.link.net.w.add(at, entry{pipe: p})
}

// clear forgets what is under way.
func (p *pipe) clear() { p.way, p.last = nil, 0 }

// deliver hands over the first piece under way. The calendar calls it.
func (p *pipe) deliver() {
	n := p.link.net
	w, now := n.w, n.w.Now()
	p.armed = 0
	if len(p.way) == 0 {
		return
	}
	hold := p.held
	if h := p.to.host; h != nil {
		hold = max(hold, h.held)
	}
	if hold > now || p.way[0].due > now {
		p.wake(max(hold, p.way[0].due))
		return
	}
	s := p.way[0]
	p.way = p.way[1:]
	if s.kind == segData {
		if now < p.drip && len(s.b) > dripBytes {
			first, rest := cut(s.left, dripBytes)
			p.way = append([]segment{{kind: segData, b: s.b[dripBytes:], left: rest, due: now + dripEvery}}, p.way...)
			s.b, s.left = s.b[:dripBytes], first
		}
		// What comes close together comes in one read. A server that works on several
		// requests at a time would race with itself, so it gets them one by one.
		for !p.up && len(p.way) > 0 && p.way[0].kind == segData && p.way[0].due <= now+mergeWithin && len(s.b) < mergeBytes && now >= p.drip {
			s.b, s.left = append(s.b, p.way[0].b...), append(s.left, p.way[0].left...)
			p.way = p.way[1:]
		}
		if p.cutting {
			if len(s.b) > p.cut {
				s.b = s.b[:p.cut]
			}
			p.cut -= len(s.b)
		}
	}
	w.arrived(p, &s)
	if p.cutting && p.cut <= 0 {
		p.cutting = false
		p.link.Break(p.silent)
	}
	p.arm()
}

// take puts a piece where it is read.
func (p *pipe) take(s *segment) {
	n, e := p.link.net, p.to
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(s.b) > 0 {
		p.queued -= len(s.b)
		if p.room() > 0 {
			p.from.cond.Broadcast()
		}
	}
	switch {
	case e.dead || e.reset:
		return
	case e.closed:
		if s.kind == segData { // the kernel of who closed says so
			e.out.fresh = append(e.out.fresh, segment{kind: segReset})
			n.touch(e.out)
		}
		return
	case s.kind == segData:
		e.in, e.left = append(e.in, s.b...), append(e.left, s.left...)
	case s.kind == segEnd:
		e.eof = true
	case s.kind == segReset:
		e.reset = true
	}
	e.cond.Broadcast()
	if e.polled && e.host.ready != nil {
		e.host.ready()
	}
}

// Break ends the link at both ends with a reset, or silent: without a word to anybody,
// as when a box between has forgotten it.
func (l *Link) Break(silent bool) {
	for _, p := range []*pipe{l.up, l.down} {
		p.clear()
		if silent {
			p.void = true
			continue
		}
		p.put(segment{kind: segReset})
	}
}

// Hold lets nothing arrive in a direction for a while; it comes afterwards.
func (l *Link) Hold(up bool, d time.Duration) { l.pipe(up).held = l.net.w.Now() + d }

// Slow has each piece take up to extra longer for a while.
func (l *Link) Slow(up bool, extra, d time.Duration) {
	p := l.pipe(up)
	p.extra, p.slow = extra, l.net.w.Now()+d
}

// Drip has bytes come a few at a time for a while.
func (l *Link) Drip(up bool, d time.Duration) { l.pipe(up).drip = l.net.w.Now() + d }

// CutAfter breaks the link once so many more bytes have arrived.
func (l *Link) CutAfter(up bool, bytes int, silent bool) {
	p := l.pipe(up)
	p.cutting, p.cut, p.silent = true, bytes, silent
}

// Narrow has at most so many bytes be under way in a direction for a while, none of which
// arrives before: a write is taken in part.
func (l *Link) Narrow(up bool, bytes int, d time.Duration) {
	p := l.pipe(up)
	l.net.mu.Lock()
	p.window = max(bytes, 1)
	l.net.mu.Unlock()
	l.Hold(up, d)
	l.net.w.After(d, p.widen)
}

// widen ends what Narrow began.
func (p *pipe) widen() {
	n := p.link.net
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.w.Now() >= p.held {
		p.window = 0
		p.from.cond.Broadcast()
	}
}

// Heal ends all faults of the link that have an end.
func (l *Link) Heal() {
	for _, p := range []*pipe{l.up, l.down} {
		p.held, p.slow, p.drip, p.cutting = 0, 0, 0, false
		p.widen()
		if len(p.way) > 0 {
			p.wake(l.net.w.Now())
		}
	}
}

func (l *Link) pipe(up bool) *pipe {
	if up {
		return l.up
	}
	return l.down
}
