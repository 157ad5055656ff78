package path

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"riposte/bench"
)

// Subject is something that answers frames with orders.
type Subject struct {
	Name    string
	InOrder bool // see Plan
	// Start connects it to the server. It is called on a goroutine of its own.
	Start func(s *Server) (*Running, error)
}

// Running is a subject at work.
type Running struct {
	// Stop asks it to end; it may be called on any goroutine.
	Stop func()
	// Ended brings how it ended.
	Ended chan error
	// Said is the end of what it printed.
	Said func() string
}

// InProcess is the echo on goroutines of this process: for tests.
func InProcess(o EchoOptions) Subject {
	return Subject{Name: "echo", InOrder: true, Start: func(s *Server) (*Running, error) {
		ctx, cancel := context.WithCancel(context.Background())
		r := &Running{Stop: cancel, Ended: make(chan error, 1), Said: func() string { return "" }}
		o.REST, o.Stream, _ = s.URLs()
		go func() { r.Ended <- Echo(ctx, o) }()
		return r, nil
	}}
}

// Command is a subject that is a program of its own; args makes its arguments. end is
// the signal that ends it in order.
func Command(name string, inOrder bool, args func(s *Server) ([]string, error)) Subject {
	return Subject{Name: name, InOrder: inOrder, Start: func(s *Server) (*Running, error) {
		list, err := args(s)
		if err != nil {
			return nil, err
		}
		out := new(tail)
		cmd := exec.Command(list[0], list[1:]...)
		cmd.Stdout, cmd.Stderr = out, out
		if err := cmd.Start(); err != nil {
			return nil, fmt.Errorf("cannot start %s: %w", name, err)
		}
		r := &Running{Ended: make(chan error, 1), Said: out.String,
			Stop: func() { _ = cmd.Process.Signal(syscall.SIGTERM) }} // it may have ended
		go func() {
			err := cmd.Wait()
			if err != nil {
				err = fmt.Errorf("%s: %w", strings.Join(list, " "), err)
			}
			r.Ended <- err
		}()
		return r, nil
	}}
}

// tail keeps the end of a program's output.
type tail struct {
	mu sync.Mutex
	b  []byte
}

const tailMost = 8 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, p...)
	if len(t.b) > 2*tailMost {
		t.b = bytes.Clone(t.b[len(t.b)-tailMost:])
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.b)
}

// RiposteOptions vary how the engine runs.
type RiposteOptions struct {
	Binary  string
	Dir     string // for config, key, CA file and journal
	Threads string // inline or pinned
	Wait    string // spin or park
	CPUs    []int
	Wires   int
	Journal bool
	Profile string // passed on
	Args    []string
}

// Riposte is the engine: reflex on the one symbol, limits wide open.
func Riposte(o RiposteOptions, a *bench.Authority) Subject {
	return Command("riposte", false, func(s *Server) ([]string, error) {
		config, err := o.write(s, a)
		if err != nil {
			return nil, fmt.Errorf("cannot set riposte up: %w", err)
		}
		list := []string{o.Binary, "run", "--json", "--config", config}
		if o.Profile != "" {
			list = append(list, "--profile", o.Profile)
		}
		return append(list, o.Args...), nil
	})
}

func (o *RiposteOptions) write(s *Server, a *bench.Authority) (config string, err error) {
	key := filepath.Join(o.Dir, "key")
	if err := os.WriteFile(key, []byte(bench.TestKeyFile), 0o600); err != nil {
		return "", err
	}
	ca := ""
	if a != nil {
		ca = filepath.Join(o.Dir, "ca.pem")
		if err := os.WriteFile(ca, a.PEM(), 0o600); err != nil {
			return "", err
		}
	}
	journal := ""
	if o.Journal {
		journal = filepath.Join(o.Dir, "journal")
	}
	cpus := make([]string, len(o.CPUs))
	for i, c := range o.CPUs {
		cpus[i] = strconv.Itoa(c)
	}
	rest, stream, api := s.URLs()
	config = filepath.Join(o.Dir, "riposte.toml")
	return config, os.WriteFile(config, fmt.Appendf(nil, riposteConfig, rest, stream, api, ca, key, o.Threads, o.Wait,
		strings.Join(cpus, ", "), o.Wires, journal), 0o600)
}

const riposteConfig = `[venue]
environment = "sim"
rest = %q
stream = %q
ws_api = %q
ca_file = %q
key_file = %q
recv_window = "5s"

[market]
symbols = ["` + Symbol + `"]
streams = ["depth@100ms", "bookTicker"]

[strategy]
name = "reflex"
[strategy.params]
tif = "IOC"
keep = 1000

[limits.` + Symbol + `]
qty_max = "1000"
notional_max = "100000000"
position_max = "1000"
open_max = 1000
collar_bps = 10000
stale_after = "1h"

[account]
open_max = 1000
rate_max = 100000
rate_span = "100ms"
reject_max = 1000000

[loop]
threads = %q
wait = %q
cpus = [%s]
order_wires = %d
cancel_wires = 1

[journal]
dir = %q
`

// Trial starts a subject against a fresh server, waits until it answers, measures
// and stops it. The calling goroutine does the measuring.
func Trial(sub Subject, c *bench.Corpus, w Walk, cfg *tls.Config, p Plan) (res *Result, err error) {
	m, err := NewMarket(c, w)
	if err != nil {
		return nil, err
	}
	s, err := NewServer(m, cfg)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	// A child inherits the affinity of the thread that starts it, and this one may
	// have been pinned.
	type started struct {
		r   *Running
		err error
	}
	ch := make(chan started, 1)
	go func() {
		r, err := sub.Start(s)
		ch <- started{r, err}
	}()
	up := <-ch
	if up.err != nil {
		return nil, up.err
	}
	if err = s.ready(up.r); err == nil {
		p.InOrder = sub.InOrder
		res, err = s.Measure(p)
	}
	if stopErr := s.stop(up.r); err == nil {
		err = stopErr
	}
	if res != nil {
		res.Said = lastLine(up.r.Said())
	}
	if err != nil {
		err = errors.Join(fmt.Errorf("%s: %w", sub.Name, err), s.Odd, errors.New("it said last: "+up.r.Said()))
	}
	return res, err
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

const (
	readyTime  = 60 * time.Second
	readyEvery = 20 * time.Millisecond
	readyRun   = 25 // orders in a row
)

// ready sends touches at an easy pace until enough in a row have been answered.
func (s *Server) ready(r *Running) error {
	answered := false
	s.Order = func(*bench.Order, Ns) { answered = true }
	row := 0
	for end := s.Now() + Ns(readyTime); s.Now() < end && row < readyRun; {
		select {
		case err := <-r.Ended:
			r.Ended <- err
			return fmt.Errorf("it ended before it answered: %w", errors.Join(err, errors.New("no orders")))
		default:
		}
		answered = false
		if s.Subscribed() {
			s.SendTouch()
		}
		for next := s.Now() + Ns(readyEvery); s.Now() < next; {
			s.Step(time.Millisecond)
		}
		s.SendDepth()
		if row++; !answered {
			row = 0
		}
	}
	if row < readyRun {
		return fmt.Errorf("it did not answer %d frames in a row within %v", readyRun, readyTime)
	}
	return nil
}

const stopTime = 60 * time.Second

// stop ends a subject, serving it until it is gone.
func (s *Server) stop(r *Running) error {
	r.Stop()
	for end := s.Now() + Ns(stopTime); s.Now() < end; s.Step(time.Millisecond) {
		select {
		case err := <-r.Ended:
			return err
		default:
		}
	}
	return fmt.Errorf("it did not end within %v of being told to", stopTime)
}
