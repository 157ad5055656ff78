package alert

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"riposte/core"
	"riposte/feed"
	"riposte/feed/ws"
)

// SocketConfig is a source whose messages come on a WebSocket that we open.
type SocketConfig struct {
	URL       string
	Header    map[string][]string
	Subscribe []byte // sent once the connection is open; empty: nothing is
	Dial      ws.DialFunc
	Source    *Source
	Clock     core.Clock
	Seed      uint64 // of the waits between attempts
	Go        func(func())

	DialTimeout            time.Duration // 10 s
	Silence                time.Duration // after which we ask whether anyone is there, 15 s
	PongWithin             time.Duration // 10 s
	BackoffMin, BackoffMax time.Duration // 100 ms, 30 s
}

// Socket keeps one connection: dial, subscribe, read, and come back after a wait that
// grows, with full jitter, as the market's lines do. One goroutine; Status is for any.
type Socket struct {
	cfg    SocketConfig
	back   feed.Backoff
	cancel context.CancelFunc
	done   chan struct{}

	mu     sync.Mutex
	status SocketStatus
}

// SocketStatus is a connection as of one instant.
type SocketStatus struct {
	Up        bool
	Connects  uint64 // attempts
	Lost      uint64 // connections that ended
	LastError string
	Since     core.MonoNs // of the present state
}

// messageMost is the longest message that does not end a connection. One that is longer
// than the source may send is refused all the same.
const messageMost = 256 << 10

// OpenSocket starts. Close ends it.
func OpenSocket(cfg SocketConfig) (*Socket, error) {
	if cfg.URL == "" || cfg.Dial == nil || cfg.Source == nil || cfg.Clock == nil {
		return nil, errors.New("cannot open a source's connection: want URL, Dial, Source and Clock")
	}
	for _, d := range []struct {
		d   *time.Duration
		def time.Duration
	}{{&cfg.DialTimeout, 10 * time.Second}, {&cfg.Silence, 15 * time.Second}, {&cfg.PongWithin, 10 * time.Second},
		{&cfg.BackoffMin, 100 * time.Millisecond}, {&cfg.BackoffMax, 30 * time.Second}} {
		if *d.d <= 0 {
			*d.d = d.def
		}
	}
	if cfg.Go == nil {
		cfg.Go = func(f func()) { go f() }
	}
	ctx, cancel := context.WithCancel(context.Background())
	k := &Socket{cfg: cfg, back: feed.NewBackoff(cfg.BackoffMin, cfg.BackoffMax, cfg.Seed), cancel: cancel, done: make(chan struct{})}
	k.status.Since = cfg.Clock.Mono()
	cfg.Go(func() {
		defer close(k.done)
		k.run(ctx)
	})
	return k, nil
}

// Close ends the connection and waits for its goroutine.
func (k *Socket) Close() {
	k.cancel()
	<-k.done
}

// Status is a copy.
func (k *Socket) Status() SocketStatus {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.status
}

func (k *Socket) run(ctx context.Context) {
	for ctx.Err() == nil {
		began := k.cfg.Clock.Mono()
		err := k.once(ctx)
		now := k.cfg.Clock.Mono()
		k.mu.Lock()
		if k.status.Up {
			k.status.Up, k.status.Since = false, now
			k.status.Lost++
		}
		if err != nil && ctx.Err() == nil {
			k.status.LastError = err.Error()
		}
		k.mu.Unlock()
		// One that held has proved that the server is there; one that it shut at once has not.
		if now-began > core.MonoNs(k.cfg.BackoffMax) {
			k.back.Reset()
		}
		wait := k.back.Next()
		var refused *ws.HandshakeError
		if errors.As(err, &refused) {
			wait = max(wait, refused.RetryAfter)
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
		case <-t.C:
		}
	}
}

// deadline is an instant from now on the clock that sockets go by.
func (k *Socket) deadline(d time.Duration) time.Time {
	return time.Unix(0, int64(k.cfg.Clock.Wall())).Add(d)
}

// once is one connection, from dialing to its end.
func (k *Socket) once(ctx context.Context) error {
	k.mu.Lock()
	k.status.Connects++
	k.mu.Unlock()
	dialing, stop := context.WithTimeout(ctx, k.cfg.DialTimeout)
	defer stop()
	conn, err := ws.Dial(dialing, k.cfg.Dial, k.cfg.URL, ws.Options{Buffer: 4096, MaxMessage: max(messageMost, k.cfg.Source.BodyMax()), Header: k.cfg.Header,
		WriteDeadline: func() time.Time { return k.deadline(5 * time.Second) }})
	if err != nil {
		return err
	}
	// Closing the transport is what ends a Next that waits.
	ended := context.AfterFunc(ctx, func() { _ = conn.NetConn().Close() })
	defer func() {
		if ended() {
			_ = conn.Close(1000)
		}
	}()
	if len(k.cfg.Subscribe) > 0 {
		if err := conn.SendText(k.cfg.Subscribe); err != nil {
			return fmt.Errorf("cannot subscribe: %w", err)
		}
	}
	k.mu.Lock()
	k.status.Up, k.status.Since, k.status.LastError = true, k.cfg.Clock.Mono(), ""
	k.mu.Unlock()
	return k.read(conn)
}

// read takes messages until the connection ends. A server that is silent is asked, and
// given up when it does not answer.
func (k *Socket) read(conn *ws.Conn) error {
	asked := uint64(0) // how much had been read when we asked, plus one
	for {
		wait := k.cfg.Silence
		if asked > 0 {
			wait = k.cfg.PongWithin
		}
		if err := conn.NetConn().SetReadDeadline(k.deadline(wait)); err != nil {
			return err
		}
		body, _, err := conn.Next()
		switch read := conn.Stats().Reads + 1; {
		case err == nil:
			asked = 0
			// What came is its own proof of the time: the read that brought it is over now.
			k.cfg.Source.Take(body, &Proof{}, k.cfg.Clock.Mono())
		case timeout(err) && asked != read:
			asked = read
			if err := conn.SendPing(nil); err != nil {
				return err
			}
		case timeout(err):
			return errors.New("the server does not answer")
		default:
			if tooLong(err) {
				k.cfg.Source.Oversize(k.cfg.Clock.Mono())
			}
			return err
		}
	}
}

func timeout(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

func tooLong(err error) bool {
	var p ws.ProtocolError
	return errors.As(err, &p) && p == ws.ErrMessageTooLong
}
