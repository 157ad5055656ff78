package app

import (
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"

	"riposte/core"
	"riposte/core/ring"
	"riposte/tools/sock"
)

// What the configuration asks of this machine: sockets, threads, memory. Each option
// is tried before anything dials; what it brings stands in TUNING.md.

// sockets are the options of the connections that the loop reads and writes.
func (l *LoopConfig) sockets() sock.Options {
	return sock.Options{Delay: !l.NoDelay, QuickAck: l.QuickAck, BusyPoll: l.BusyPoll.Duration}
}

// threadCount is how many threads the loop has.
func (l *LoopConfig) threadCount() int {
	if l.Threads == "pinned" {
		return 2
	}
	return 1
}

// advise says what will not work well on usable CPUs, although it works. GOMAXPROCS is
// no matter: each thread of the loop brings a processor of its own (see threads.start).
func (l *LoopConfig) advise(usable int) (warnings []string) {
	n := l.threadCount()
	spin := l.Wait == "spin"
	// A spinning thread never gives its CPU back, and beside it run the collector,
	// snapshots, the journal's flushing, the kernel's network work.
	if spin && usable <= n {
		warnings = append(warnings, fmt.Sprintf("loop.wait is spin and loop.threads %s, %d spinning on %d usable CPUs: nothing is left for the rest of the process, want at least %d CPUs or wait = \"park\"",
			l.Threads, n, usable, n+1))
	}
	if len(l.CPUs) > n {
		warnings = append(warnings, fmt.Sprintf("loop.cpus names %d CPUs, of which threads = %q uses the first %d", len(l.CPUs), l.Threads, n))
	}
	if n == 2 && len(l.CPUs) >= 2 && l.CPUs[0] == l.CPUs[1] {
		warnings = append(warnings, fmt.Sprintf("loop.cpus puts both threads on CPU %d", l.CPUs[0]))
	}
	return warnings
}

// prepareMachine checks what was asked for and returns warnings about the rest.
func (d *desk) prepareMachine() error {
	l := &d.cfg.Loop
	if err := l.sockets().Check(); err != nil {
		return fmt.Errorf("loop.busy_poll, quick_ack or no_delay: %w", err)
	}
	for _, cpu := range l.CPUs {
		if err := tryCPU(cpu); err != nil {
			return fmt.Errorf("loop.cpus: cannot run on CPU %d: %w, want one of those that are here and allowed", cpu, err)
		}
	}
	var usable unix.CPUSet
	if err := unix.SchedGetaffinity(0, &usable); err != nil {
		return fmt.Errorf("cannot learn which CPUs may be used: %w", err)
	}
	d.warnings = l.advise(usable.Count())
	return nil
}

// tryCPU has a thread of its own move to the CPU, which alone shows whether that
// exists and is allowed. The thread ends with the goroutine.
func tryCPU(cpu int) error {
	ch := make(chan error)
	go func() {
		runtime.LockOSThread()
		var set unix.CPUSet
		set.Set(cpu)
		ch <- unix.SchedSetaffinity(0, &set)
	}()
	return <-ch
}

// MemoryConfig is [memory].
type MemoryConfig struct {
	Lock     bool `toml:"lock"`
	Prefault bool `toml:"prefault"`
}

// prepareMemory is called once all that holds state has been made.
func (d *desk) prepareMemory() error {
	if d.cfg.Memory.Prefault {
		d.prefault()
	}
	if d.cfg.Memory.Lock {
		if err := lockMemory(unix.Mlockall); err != nil {
			return fmt.Errorf("memory.lock: %w", err)
		}
	}
	return nil
}

// lockMemory keeps every page that has been touched, now or later, from being taken
// away. ONFAULT: without it the kernel would fill at once what the runtime has merely
// reserved.
func lockMemory(mlockall func(flags int) error) error {
	err := mlockall(unix.MCL_CURRENT | unix.MCL_FUTURE | unix.MCL_ONFAULT)
	if err == nil {
		return nil
	}
	var r unix.Rlimit
	limit := "unknown"
	if unix.Getrlimit(unix.RLIMIT_MEMLOCK, &r) == nil {
		limit = fmt.Sprintf("%d bytes", r.Cur)
		if r.Cur == unix.RLIM_INFINITY {
			limit = "unlimited"
		}
	}
	return fmt.Errorf("cannot lock memory (mlockall): %w; RLIMIT_MEMLOCK is %s, want unlimited (ulimit -l unlimited, or LimitMEMLOCK=infinity in a systemd unit) or the capability CAP_IPC_LOCK", err, limit)
}

// prefault writes once to every slot that the loop will write to. Single goroutine,
// before the threads start.
func (d *desk) prefault() {
	for _, q := range d.queues {
		prefaultQueue(q)
	}
	prefaultRing(d.stages.stages)
	prefaultRing(d.stages.stamps)
	prefaultRing(d.approved)
	prefaultRing(d.commands)
}

func prefaultRing[T any](r *ring.Ring[T]) {
	var zero T
	for range r.Cap() {
		slot := r.Claim()
		if slot == nil {
			break // in use already
		}
		*slot = zero
		r.Publish()
		r.Release(len(r.Pending()))
	}
}

// prefaultQueue goes round the queue once, by filling and emptying it.
func prefaultQueue(q *ring.Queue) {
	for range q.Cap() {
		ev, lv := q.Claim()
		if ev == nil {
			break
		}
		*ev = core.Event{}
		clear(lv[:cap(lv)])
		q.Publish(cap(lv))
	}
	for ev, _ := q.Peek(); ev != nil; ev, _ = q.Peek() {
		q.Pop()
	}
}
