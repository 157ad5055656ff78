package sock

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// receive reads what the kernel holds for a socket. It never waits, and therefore does
// without what the runtime does around a call that might: telling the scheduler that the
// thread may be gone for a while, and asking to be let back in. A spinning loop makes
// this call a million times a second, and to be thought gone costs it its processor now
// and then.
func receive(fd int, p []byte) (int, unix.Errno) {
	n, _, err := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), unix.MSG_DONTWAIT, 0, 0)
	return int(n), err
}

// send hands bytes to the kernel, likewise. On loopback the kernel brings them to the
// receiver within the call, which takes some microseconds; still nothing waits.
func send(fd int, p []byte) (int, unix.Errno) {
	n, _, err := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
	return int(n), err
}

// sleep waits for events, at most ms milliseconds or until a signal comes, and keeps the
// scheduler out of it; see Waiter.Wait.
func sleep(ep int, events []unix.EpollEvent, ms int) (int, unix.Errno) {
	n, _, err := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(ep), uintptr(unsafe.Pointer(unsafe.SliceData(events))), uintptr(len(events)), uintptr(ms), 0, 0)
	if err != 0 {
		return 0, err
	}
	return int(n), 0
}

// told is sleep with the scheduler's knowledge, which gives the processor to others.
func told(ep int, events []unix.EpollEvent, ms int) (int, unix.Errno) {
	n, _, err := unix.Syscall6(unix.SYS_EPOLL_PWAIT, uintptr(ep), uintptr(unsafe.Pointer(unsafe.SliceData(events))), uintptr(len(events)), uintptr(ms), 0, 0)
	if err != 0 {
		return 0, err
	}
	return int(n), 0
}
