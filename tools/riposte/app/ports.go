package app

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"sync"
	"time"

	"riposte/core/engine"
	"riposte/feed"
	"riposte/tools/sock"
)

// ports is where a desk meets what is not itself: time, sockets, the wait for them,
// chance, goroutines. The zero value is this machine; a simulation has its own, and
// nothing else of a desk differs there. contact.clock is the port of time.
type ports struct {
	// dial opens connections: hot ones for the loop, which w watches once they are
	// in non-blocking mode, or cold ones, for which w is nil.
	dial func(w waiter) dialFunc
	wait func() waiter
	// seed begins every jitter; 0: each from the instant or from the system.
	seed uint64
	// spawn starts a goroutine of the loop's; nil: as Go does.
	spawn func(func())
	// sealed: nobody outside the process can reach in. No door is opened.
	sealed bool
	// disk is asked before each operation on the journal's files, and may have it fail;
	// nil: what the disk itself says.
	disk func(op string) error
	// recording opens the files of a recording; nil: on this machine's disk.
	recording func(name string) (io.WriteCloser, error)
	// codec is put around the reader of each market connection; nil: nothing is.
	codec func(feed.Codec) feed.Codec
	// observer sees depth events in place of the auditor of an embedded venue; nil
	// without one.
	observer engine.Observer
}

type dialFunc = func(ctx context.Context, rawURL string) (net.Conn, error)

// waiter lets a loop sleep until one of its connections has bytes, or until Wake.
type waiter interface {
	Wait(d time.Duration)
	Wake()
	Close()
}

// dialer opens hot connections for a loop, or cold ones where w is nil.
func (p *ports) dialer(w waiter, conf *tls.Config, o sock.Options) dialFunc {
	if p.dial != nil {
		return p.dial(w)
	}
	d := &sock.Dialer{TLS: conf, Options: o}
	d.Waiter, _ = w.(*sock.Waiter)
	return d.Dial
}

func (p *ports) waiter() (waiter, error) {
	if p.wait != nil {
		return p.wait(), nil
	}
	return sock.NewWaiter()
}

// together does n things at a time and waits for all of them; where goroutines start one
// after another, so do these.
func (p *ports) together(n int, do func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		if p.spawn != nil {
			do(i)
			continue
		}
		wg.Go(func() { do(i) })
	}
	wg.Wait()
}

// seedOf is the seed of one of the desk's parts, instant where chance is the machine's.
func (p *ports) seedOf(part, instant uint64) uint64 {
	if p.seed == 0 {
		return instant
	}
	return (p.seed + part) * 0x9e3779b97f4a7c15
}

// Parts with a seed of their own.
const (
	seedMarket = iota + 1
	seedUser
	seedWires
	seedSessions
	seedSnapshots
	seedBackfill
	seedContact
	seedOutside
)
