package path

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"riposte/bench"
)

// Subject is something that answers frames with orders.
type Subject struct {
	Name    string
	InOrder bool   // see Plan
	Skip    string // why it cannot be measured here; empty if it can
	// Start connects it to the server.
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
	// PID is its process, 0 if that is ours.
	PID int
}

// InProcess is the Go echo on goroutines of this process: for tests.
func InProcess(o EchoOptions) Subject {
	return Subject{Name: "echo", InOrder: true, Start: func(s *Server) (*Running, error) {
		ctx, cancel := context.WithCancel(context.Background())
		r := &Running{Stop: cancel, Ended: make(chan error, 1), Said: func() string { return "" }}
		o.REST, o.Stream, _ = s.URLs()
		o.Target = s.Target()
		go func() { r.Ended <- Echo(ctx, o) }()
		return r, nil
	}}
}

// Command is a subject that is a program of its own; args makes its arguments. It
// is ended by SIGTERM.
func Command(name string, inOrder bool, args func(s *Server) ([]string, error)) Subject {
	return Subject{Name: name, InOrder: inOrder, Start: func(s *Server) (*Running, error) {
		list, err := args(s)
		if err != nil {
			return nil, err
		}
		out := new(tail)
		cmd := exec.Command(list[0], list[1:]...)
		cmd.Stdout, cmd.Stderr, cmd.Env = out, out, ownEnvironment()
		// Whatever becomes of the harness, no subject is left spinning.
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		r := &Running{Ended: make(chan error, 1), Said: out.String,
			Stop: func() { _ = cmd.Process.Signal(syscall.SIGTERM) }} // it may have ended
		began := make(chan error)
		go func() {
			// A child inherits the affinity of the thread that starts it, and dies
			// with that thread: this one waits for it and is not given back.
			runtime.LockOSThread()
			err := Pin(s.subjectCPU)
			if err == nil {
				err = cmd.Start()
			}
			began <- err
			if err != nil {
				return
			}
			if err = cmd.Wait(); err != nil {
				err = fmt.Errorf("%s: %w", strings.Join(list, " "), err)
			}
			r.Ended <- err
		}()
		if err := <-began; err != nil {
			return nil, fmt.Errorf("cannot start %s: %w", name, err)
		}
		r.PID = cmd.Process.Pid
		return r, nil
	}}
}

// ownEnvironment is ours without what Confine put there for the harness alone.
func ownEnvironment() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, confined+"=") || strings.HasPrefix(v, "GODEBUG=") && strings.Contains(v, "asyncpreemptoff")
	})
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

// Setup is what all trials of a comparison have in common.
type Setup struct {
	Corpus *bench.Corpus
	Walk   Walk
	Others int         // markets beside the traded one
	TLS    *tls.Config // the server's side; nil is plain
	CPU    int         // the subjects' own; -1: any
	Own    int         // the harness's own; -1: any
}

// Trial starts a subject against a fresh server, waits until it answers, measures
// and stops it. The calling goroutine does the measuring.
func (u *Setup) Trial(sub Subject, p Plan) (res *Result, err error) {
	var markets []*Market
	for k := range 1 + u.Others {
		m, err := NewMarket(symbolOf(k), u.Corpus, u.Walk)
		if err != nil {
			return nil, err
		}
		markets = append(markets, m)
	}
	s, err := NewServer(markets, u.TLS)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	s.subjectCPU = u.CPU
	r, err := sub.Start(s)
	if err != nil {
		return nil, err
	}
	if err = s.ready(r); err == nil {
		p.InOrder, p.Shared = sub.InOrder, r.PID == 0
		if u.CPU >= 0 && r.PID != 0 {
			p.PID = r.PID
			s.watch(u.Own, u.CPU)
		}
		res, err = s.Measure(p)
	}
	err = errors.Join(err, s.stop(r)) // how it ended may be why nothing came
	if res != nil {
		res.Said = lastLine(r.Said())
	}
	if err != nil {
		err = errors.Join(fmt.Errorf("%s: %w", sub.Name, err), s.Odd, errors.New("it said last: "+r.Said()))
	}
	return res, err
}

// watch begins to note what runs on these CPUs, if it may.
func (s *Server) watch(cpus ...int) {
	for _, cpu := range cpus {
		if cpu < 0 {
			continue
		}
		w, err := newWatch(cpu)
		if err != nil {
			for _, w := range s.watches {
				_ = w.close()
			}
			s.watches = nil
			return
		}
		s.watches = append(s.watches, w)
	}
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

const (
	readyTime  = 60 * time.Second
	readyEvery = 10 * time.Millisecond
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
			for k := range s.markets {
				s.SendTouch(k)
			}
		}
		for next := s.Now() + Ns(readyEvery); s.Now() < next; {
			s.Step(time.Millisecond)
		}
		for k := range s.markets {
			s.SendDepth(k)
		}
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
