package path

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// watch is the kernel's account of what ran on one CPU, and when: its perf events of
// context switches. It needs the right to watch whole CPUs (root, CAP_PERFMON).
type watch struct {
	fd    int
	mem   []byte
	ahead Ns // of the kernel's monotonic clock before ours

	running  int // process that has the CPU since since; 0 is none
	since    Ns
	programs map[int]bool // by process: it is a program, not a part of the kernel
}

// span is a time during which some other program ran.
type span struct{ from, to Ns }

const (
	watchPages = 128 // of records, a power of two
	pageSize   = 4096

	recordLost   = 2       // PERF_RECORD_LOST
	recordSwitch = 15      // PERF_RECORD_SWITCH_CPU_WIDE
	switchedOut  = 1 << 13 // PERF_RECORD_MISC_SWITCH_OUT
	softwareNone = 9       // PERF_COUNT_SW_DUMMY: nothing but the records is wanted
)

// newWatch watches a CPU from now on.
func newWatch(cpu int) (*watch, error) {
	attr := unix.PerfEventAttr{
		Type: unix.PERF_TYPE_SOFTWARE, Config: softwareNone, Size: uint32(unsafe.Sizeof(unix.PerfEventAttr{})),
		Sample_type: unix.PERF_SAMPLE_TID | unix.PERF_SAMPLE_TIME,
		Bits:        unix.PerfBitSampleIDAll | unix.PerfBitContextSwitch | unix.PerfBitUseClockID,
		Clockid:     unix.CLOCK_MONOTONIC,
	}
	fd, err := unix.PerfEventOpen(&attr, -1, cpu, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("cannot watch CPU %d: %w", cpu, os.NewSyscallError("perf_event_open", err))
	}
	mem, err := unix.Mmap(fd, 0, (1+watchPages)*pageSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("cannot watch CPU %d: %w", cpu, os.NewSyscallError("mmap", err))
	}
	ahead, err := kernelAhead()
	if err != nil {
		return nil, errors.Join(err, unix.Munmap(mem), unix.Close(fd))
	}
	return &watch{fd: fd, mem: mem, ahead: ahead, programs: map[int]bool{0: false}}, nil
}

// kernelAhead is by how much the kernel's monotonic clock is before ours, from the
// reading that took the least time.
func kernelAhead() (ahead Ns, err error) {
	width := Ns(math.MaxInt64)
	for range 16 {
		var t unix.Timespec
		from := now()
		if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
			return 0, os.NewSyscallError("clock_gettime", err)
		}
		if w := now() - from; w < width {
			width, ahead = w, Ns(t.Nano())-from // at most so far behind, never in the future
		}
	}
	return ahead, nil
}

func (w *watch) close() error { return errors.Join(unix.Munmap(w.mem), unix.Close(w.fd)) }

// others returns the times until now, since the last call, in which a program that is
// none of ours ran. complete is false if the kernel had to drop records.
func (w *watch) others(ours func(pid int) bool) (list []span, complete bool) {
	page := (*unix.PerfEventMmapPage)(unsafe.Pointer(&w.mem[0]))
	head := atomic.LoadUint64(&page.Data_head)
	data := w.mem[pageSize:]
	size := uint64(len(data))
	complete = true
	add := func(until Ns) {
		// What was switched while the last call ended lies before that end.
		if until > w.since && w.running != 0 && !ours(w.running) && w.program(w.running) {
			list = append(list, span{w.since, until})
		}
	}
	var rec [256]byte
	for tail := page.Data_tail; tail < head; {
		for i := range rec { // a record may go round the end
			rec[i] = data[(tail+uint64(i))%size]
		}
		kind, misc, n := binary.NativeEndian.Uint32(rec[0:]), binary.NativeEndian.Uint16(rec[4:]), binary.NativeEndian.Uint16(rec[6:])
		if n == 0 {
			complete = false
			break
		}
		switch {
		case kind == recordLost:
			complete = false
		case kind == recordSwitch && misc&switchedOut == 0 && n >= 32:
			// head, the one before: pid and tid; then who has come: pid, tid, time
			pid, at := int(binary.NativeEndian.Uint32(rec[16:])), Ns(binary.NativeEndian.Uint64(rec[24:]))-w.ahead
			add(at)
			w.running, w.since = pid, max(at, w.since)
		}
		tail += uint64(n)
	}
	atomic.StoreUint64(&page.Data_tail, head)
	at := now()
	add(at)
	w.since = max(at, w.since)
	return list, complete
}

// program reports whether a process is one, and not a thread of the kernel's, which
// serves everybody. One that has ended was.
func (w *watch) program(pid int) bool {
	is, known := w.programs[pid]
	if !known {
		_, err := os.Stat(fmt.Sprintf("/proc/%d", pid))
		_, exe := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
		is = err != nil || exe == nil
		w.programs[pid] = is
	}
	return is
}

// overlaps reports whether any span has a part in from..to. Lists are in order; at is
// where the last search ended, and from never falls.
func overlaps(list []span, at *int, from, to Ns) bool {
	for *at < len(list) && list[*at].to <= from {
		*at++
	}
	return *at < len(list) && list[*at].from < to
}
