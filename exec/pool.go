package exec

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"riposte/core"
)

// PoolConfig is what a Pool needs to know. Zero durations and sizes get defaults.
type PoolConfig struct {
	URL         string // of the venue's REST service; only scheme and host matter
	Dial        Dial
	Wires       int // for orders; at least 1
	CancelWires int // reserved for cancels; at least 1

	DialTimeout   time.Duration // default 10 s
	WriteTimeout  time.Duration // default 2 s
	AnswerTimeout time.Duration // default 15 s: the venue itself waits 10 s for its engine
	DoubtAfter    time.Duration // default 3 s: silence that makes an order unknown
	KeepAlive     time.Duration // default 10 s: an idle wire is probed this often
	Replace       time.Duration // default 1 h: a wire is replaced at this age, less up to a tenth by chance
	IdleLook      time.Duration // default 5 ms, or as many ms as there are wires: how often an idle wire is read for a close
	BackoffMin    time.Duration // default 100 ms
	BackoffMax    time.Duration // default 15 s
	AnswerMax     int           // default 256 KiB, head included
	HeadMax       int           // default 16 KiB
	KeepHeaders   string        // lower-case prefix of header names the Codec wants
	Seed          uint64        // of the jitter
	Wake          func()        // called when a dial ended, from its goroutine; may be nil
	Go            func(func())  // starts a goroutine; nil: as Go does
}

func (c *PoolConfig) defaults() error {
	if c.Dial == nil || c.URL == "" {
		return fmt.Errorf("cannot make wires: Dial or URL is missing")
	}
	if c.Wires < 1 || c.CancelWires < 1 || c.Wires+c.CancelWires > 64 {
		return fmt.Errorf("cannot make wires: found %d for orders and %d for cancels, want at least 1 each and at most 64", c.Wires, c.CancelWires)
	}
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&c.DialTimeout, 10*time.Second)
	def(&c.WriteTimeout, 2*time.Second)
	def(&c.AnswerTimeout, 15*time.Second)
	def(&c.DoubtAfter, 3*time.Second)
	def(&c.KeepAlive, 10*time.Second)
	def(&c.Replace, time.Hour)
	def(&c.IdleLook, 5*time.Millisecond)
	def(&c.BackoffMin, 100*time.Millisecond)
	def(&c.BackoffMax, 15*time.Second)
	if c.AnswerMax <= 0 {
		c.AnswerMax = 256 << 10
	}
	if c.HeadMax <= 0 {
		c.HeadMax = 16 << 10
	}
	if c.Wake == nil {
		c.Wake = func() {}
	}
	return nil
}

// Pool is the set of warm wires. New connections are dialed on goroutines of their
// own and proved with a probe before anything depends on them; a wire that shows
// any irregularity is closed and replaced, never repaired. One that grows old is replaced
// by a spare that has been dialed and proved before. A request goes to one wire once:
// nothing here sends again. Owned by the loop goroutine.
type Pool struct {
	cfg    PoolConfig
	wires  []*wire
	spare  *wire // takes the place of wires[heir] when proved
	heir   int   // none: nothing is being replaced
	owner  wireOwner
	rng    *rand.Rand
	ctx    context.Context
	stop   context.CancelFunc
	dials  sync.WaitGroup
	closed bool
	busy   int
	ping   Request // a probe under way; here because its address crosses an interface

	Stats PoolStats
}

// PoolStats count what became of the wires.
type PoolStats struct {
	Dials, DialErrors uint64
	Lost              uint64 // wires that worked and were discarded
	Replaced          uint64 // wires that left after a spare had proved itself
	Probes            uint64
	Requests          uint64
	Answers           uint64
	LastError         string // the newest dial error, for display
}

// wireOwner is told what wires bring; all calls come from Pool.Step.
type wireOwner interface {
	answered(w *wire, a *Answer)
	lost(f *flight, why error) // the request has no answer
	slow(f *flight)            // the request is older than DoubtAfter
	probe(r *Request) bool     // lays out a probe, false if none may be sent now
	parted(r Route)            // a connection of the route ended under a request
}

// NewPool makes the wires; dialing begins with the first Step.
func NewPool(cfg PoolConfig, owner wireOwner) (*Pool, error) {
	if err := cfg.defaults(); err != nil {
		return nil, err
	}
	p := &Pool{cfg: cfg, owner: owner, rng: rand.New(rand.NewPCG(cfg.Seed, 0x7769726573))}
	p.ctx, p.stop = context.WithCancel(context.Background())
	p.spare, p.heir = p.newWire(), int(none)
	for i := range cfg.Wires + cfg.CancelWires {
		w := p.newWire()
		w.cancels = i >= cfg.Wires
		p.wires = append(p.wires, w)
	}
	return p, nil
}

func (p *Pool) newWire() *wire {
	return &wire{reader: NewAnswerReader(p.cfg.AnswerMax, p.cfg.HeadMax, p.cfg.KeepHeaders)}
}

// take is an idle wire, nil if there is none. Orders never use the wires reserved
// for cancels; cancels use any, theirs first.
func (p *Pool) take(cancel bool) *wire {
	if cancel {
		if w := p.reserved(); w != nil {
			return w
		}
	}
	for _, w := range p.wires[:p.cfg.Wires] {
		if w.state == wireIdle {
			return w
		}
	}
	return nil
}

// reserved is an idle wire of those kept for cancels, nil if there is none.
func (p *Pool) reserved() *wire {
	for _, w := range p.wires[p.cfg.Wires:] {
		if w.state == wireIdle {
			return w
		}
	}
	return nil
}

// health says whether a wire for orders is connected, and when the request left that
// waits for its answer for the longest time, 0 if there is none.
func (p *Pool) health() (up bool, oldest core.MonoNs) {
	for _, w := range p.wires {
		up = up || !w.cancels && w.state >= wireIdle
		if w.state == wireBusy && (oldest == 0 || w.sent < oldest) {
			oldest = w.sent
		}
	}
	return up, oldest
}

// prove sends a probe on the wire for orders that has been idle for the longest time.
func (p *Pool) prove(now core.MonoNs) bool {
	var idle *wire
	for _, w := range p.wires[:p.cfg.Wires] {
		if w.state == wireIdle && (idle == nil || w.idle < idle.idle) {
			idle = w
		}
	}
	return idle != nil && p.probe(idle, now)
}

// Ready is how many wires could take a request now, for orders and for cancels.
func (p *Pool) Ready() (orders, cancels int) {
	for _, w := range p.wires {
		if w.state != wireIdle {
			continue
		}
		if w.cancels {
			cancels++
		} else {
			orders++
		}
	}
	return orders, cancels
}

// Up reports whether any wire works: proved since it was dialed, and idle or with a
// request on it that is not overdue.
func (p *Pool) Up(now core.MonoNs) bool {
	for _, w := range p.wires {
		if w.state == wireIdle {
			return true
		}
		// idle and attempt are what finish leaves behind.
		if w.state == wireBusy && w.idle > 0 && w.attempt == 0 && now-w.sent <= core.MonoNs(p.cfg.DoubtAfter) {
			return true
		}
	}
	return false
}

// request writes b on an idle wire, all of it in one write. taken is how many bytes the
// kernel took; 0 with an error means the venue cannot have seen any of the request. After
// an error the wire is gone, and the owner knows about it from the result alone. The
// reader has been reset when the last answer was taken, and has met no byte since.
func (p *Pool) request(w *wire, b []byte, kind RequestKind, o *Order, now core.MonoNs) (taken int, err error) {
	p.Stats.Requests++
	w.begin(kind, o, now, p.cfg.AnswerTimeout, p.cfg.DoubtAfter)
	w.state = wireBusy
	p.busy++
	n, err := w.conn.Write(b)
	if err == nil && n != len(b) {
		err = wireWrite
	}
	if err != nil {
		p.discard(w, now)
	}
	return n, err
}

// poll reads the wires that wait for an answer.
func (p *Pool) poll(now core.MonoNs) int {
	if p.busy == 0 {
		return 0
	}
	work := 0
	for _, w := range p.wires {
		if w.state == wireBusy {
			work += p.read(w, now)
		}
	}
	if p.spare.state == wireBusy {
		work += p.read(p.spare, now)
	}
	return work
}

func (p *Pool) read(w *wire, now core.MonoNs) int {
	work := 0
	// A large answer comes in several reads; four keep one wire from starving others.
	for range 4 {
		done, got, err := w.read()
		if got > 0 {
			work++
		}
		switch {
		case err != nil:
			p.fail(w, err, now)
			return work + 1
		case done:
			p.finish(w, now)
			return work
		case got == 0:
			return work
		}
	}
	return work
}

// finish hands out a complete answer and frees the wire.
func (p *Pool) finish(w *wire, now core.MonoNs) {
	p.Stats.Answers++
	a := w.reader.Answer()
	last := a.Close
	ok := a.Status == 200
	p.owner.answered(w, a)
	if w.state != wireBusy {
		return // the owner discarded it
	}
	if last || (w.kind == RequestProbe && !ok) {
		p.discard(w, now)
		return
	}
	p.busy--
	if w.state, w.idle, w.looked, w.attempt = wireIdle, now, now, 0; w.replaceAt == 0 {
		age := int64(p.cfg.Replace)
		w.replaceAt = now + core.MonoNs(age-p.rng.Int64N(age/10+1))
	}
	w.reader.Reset()
}

// fail gives up a wire; the owner hears of the request in flight.
func (p *Pool) fail(w *wire, why error, now core.MonoNs) {
	if w.state == wireBusy {
		p.owner.lost(&w.flight, why)
		p.owner.parted(RouteREST)
	}
	p.discard(w, now)
}

// discard closes a wire and plans the next dial.
func (p *Pool) discard(w *wire, now core.MonoNs) {
	if w.conn != nil {
		w.conn.Close()
		w.conn = nil
		p.Stats.Lost++
	}
	if w.state == wireBusy {
		p.busy--
	}
	w.state = wireDown
	w.redial = now + core.MonoNs(p.backoff(w.attempt))
	w.attempt++
	w.reader.Reset()
}

// backoff is exponential with full jitter; the first retry after a working wire is
// nearly at once.
func (p *Pool) backoff(attempt int) time.Duration {
	limit := p.cfg.BackoffMax
	if attempt < 20 {
		limit = min(limit, p.cfg.BackoffMin<<attempt)
	}
	return time.Duration(p.rng.Int64N(int64(limit) + 1))
}

// tick does what need not be done on every Step: dials, probes, deadlines, reading
// idle wires to notice a close before an order depends on them.
func (p *Pool) tick(now core.MonoNs, wall core.WallNs) int {
	if p.closed {
		return 0
	}
	work := p.succeed(now)
	look := p.unread(now)
	for _, w := range p.wires {
		work += p.attend(w, w == look, now, wall)
	}
	if p.heir != int(none) {
		work += p.attend(p.spare, false, now, wall)
	}
	return work
}

// attend looks after one wire; look: an idle one is read now.
func (p *Pool) attend(w *wire, look bool, now core.MonoNs, wall core.WallNs) int {
	work := 0
	switch w.state {
	case wireDown:
		if now >= w.redial {
			p.dial(w)
			work++
		}
	case wireDialing:
		if d := w.dialed.Swap(nil); d != nil {
			p.connected(w, d, now)
			work++
		}
	case wireFresh:
		p.probe(w, now)
	case wireIdle:
		// One a tick, the longest unread first: all at once they would be a pause of
		// several system calls.
		if look {
			w.looked = now
			if _, _, err := w.read(); err != nil {
				p.fail(w, err, now)
				return 1
			}
		}
		if now-w.idle >= core.MonoNs(p.cfg.KeepAlive) {
			p.probe(w, now)
		}
	case wireBusy:
		if now >= w.deadline {
			p.fail(w, wireTimeout, now)
			return 1
		}
		if now >= w.doubtAt {
			w.doubtAt = w.deadline
			p.owner.slow(&w.flight)
		}
	}
	if w.conn != nil && w.writeBy-now < core.MonoNs(p.cfg.WriteTimeout) {
		// Far ahead and renewed early, so that no write pays for setting it.
		w.writeBy = now + 2*core.MonoNs(p.cfg.WriteTimeout)
		until := time.Unix(0, int64(wall)).Add(2 * p.cfg.WriteTimeout)
		if err := w.conn.SetWriteDeadline(until); err != nil {
			p.fail(w, wireClosed, now)
		}
	}
	return work
}

// succeed replaces wires by age: one at a time, by a spare that has proved itself, and
// not while a request is on its way.
func (p *Pool) succeed(now core.MonoNs) int {
	if p.heir == int(none) {
		for i, w := range p.wires {
			if w.state == wireIdle && now >= w.replaceAt {
				p.heir, p.spare.redial, p.spare.attempt = i, now, 0
				return 1
			}
		}
		return 0
	}
	w := p.wires[p.heir]
	if p.spare.state != wireIdle || w.state == wireBusy || w.state == wireDialing {
		return 0
	}
	p.spare.cancels = w.cancels
	p.wires[p.heir], p.spare, p.heir = p.spare, w, int(none)
	closeConn(w.conn)
	w.conn, w.state = nil, wireDown
	w.reader.Reset()
	p.Stats.Replaced++
	return 1
}

// unread is the idle wire that was not looked at for the longest time, nil while none is
// due.
func (p *Pool) unread(now core.MonoNs) (oldest *wire) {
	for _, w := range p.wires {
		if w.state == wireIdle && now-w.looked >= core.MonoNs(p.cfg.IdleLook) && (oldest == nil || w.looked < oldest.looked) {
			oldest = w
		}
	}
	return oldest
}

// past, as a read deadline, makes a connection non-blocking; see Dial.
var past = time.Unix(1, 0)

func (p *Pool) dial(w *wire) {
	p.Stats.Dials++
	w.state = wireDialing
	launch(p.cfg.Go, &p.dials, func() {
		ctx, cancel := context.WithTimeout(p.ctx, p.cfg.DialTimeout)
		defer cancel()
		conn, err := p.cfg.Dial(ctx, p.cfg.URL)
		if err == nil {
			err = conn.SetReadDeadline(past)
		}
		w.dialed.Store(&dialed{conn, err})
		p.cfg.Wake()
	})
}

func (p *Pool) connected(w *wire, d *dialed, now core.MonoNs) {
	if d.err != nil {
		p.Stats.DialErrors++
		p.Stats.LastError = d.err.Error()
		closeConn(d.conn)
		p.discard(w, now)
		return
	}
	w.conn, w.state, w.writeBy, w.replaceAt = d.conn, wireFresh, 0, 0
}

func (p *Pool) probe(w *wire, now core.MonoNs) bool {
	if !p.owner.probe(&p.ping) {
		return false
	}
	p.Stats.Probes++
	// On an error the wire is discarded already; a probe has no one to tell.
	_, _ = p.request(w, p.ping.Bytes, RequestProbe, nil, now)
	return true
}

// Close ends all dialing and closes all wires; requests in flight are reported
// lost. It waits for its goroutines, at most until ctx ends.
func (p *Pool) Close(ctx context.Context, now core.MonoNs) error {
	p.closed = true
	p.stop()
	all := append(p.wires[:len(p.wires):len(p.wires)], p.spare)
	for _, w := range all {
		if w.conn != nil {
			p.fail(w, wireDiscarded, now)
		}
	}
	done := make(chan struct{})
	go func() { p.dials.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
		return fmt.Errorf("cannot close wires: a dial did not end: %w", ctx.Err())
	}
	for _, w := range all {
		if d := w.dialed.Swap(nil); d != nil {
			closeConn(d.conn)
		}
		w.state = wireDown
	}
	return nil
}

func closeConn(c net.Conn) {
	if c != nil {
		c.Close()
	}
}
