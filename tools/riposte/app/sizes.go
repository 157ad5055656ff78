package app

import (
	"fmt"
	"os"
	"runtime/metrics"
	"slices"
	"unsafe"

	"riposte/core"
	"riposte/core/book"
)

// A queue holds what comes while its reader is busy or waits for a snapshot. With five
// symbols there is room for seconds of the wildest; with four hundred there is not, and
// not needed: the many are quiet, and a queue that fills while it waits sheds its older
// half, of which a snapshot has no use. So where the configuration gives no sizes, a
// fixed amount of memory is shared out: a little for each, then more for the symbols
// that are traded, then for all by their place in the list.

// queueSize is what one instrument's queue is made of.
type queueSize struct {
	events   int // a power of two
	levels   int // a power of two; what all waiting events share
	perEvent int // most levels of one event
}

// bytes is what the queue allocates: an event with its span, and the levels with the
// slack behind them.
func (s queueSize) bytes() int {
	const perEvent, perLevel = int(unsafe.Sizeof(core.Event{})) + 8, int(unsafe.Sizeof(core.Level{}))
	return s.events*perEvent + (s.levels+s.perEvent)*perLevel
}

const (
	queueClasses = 6
	// queueBudget is shared out among all queues.
	queueBudget = 16 << 20
	// windowBudget is what the windows of all books may take at most, two sides of a
	// quantity and a bit for each tick. Both budgets and the far levels of four
	// hundred books of a thousand levels stay within 40 MB.
	windowBudget = 17 << 20
	// levelsPerEvent is the most that one event may bring; the largest seen in
	// recordings has 1076 levels. One with more costs a new snapshot.
	levelsPerEvent = 1 << 12
)

// queueClass is the size of a class: 256 events and 512 levels (35 kB) to 8192 and
// 16384 (0.9 MB).
func queueClass(class int) queueSize {
	levels := 1 << (9 + class)
	return queueSize{events: 1 << (8 + class), levels: levels, perEvent: min(levels, levelsPerEvent)}
}

// queueSizes are the sizes by place in the list of symbols. traded says which are
// traded; places are by importance.
func (m *MarketConfig) queueSizes(traded []bool) []queueSize {
	class := make([]int, len(traded))
	left := queueBudget - len(traded)*queueClass(0).bytes()
	raise := func(budget int, who func(i int) bool) (spent int) {
		for next := 1; next < queueClasses; next++ {
			more := queueClass(next).bytes() - queueClass(next-1).bytes()
			for i := range class {
				if who(i) && class[i] == next-1 && spent+more <= budget {
					class[i] = next
					spent += more
				}
			}
		}
		return spent
	}
	left -= raise(left/2, func(i int) bool { return traded[i] })
	raise(left, func(int) bool { return true })
	sizes := make([]queueSize, len(traded))
	for i := range sizes {
		sizes[i] = queueClass(class[i])
		if m.QueueEvents > 0 {
			sizes[i].events = powerOfTwo(m.QueueEvents)
		}
		if m.QueueLevels > 0 {
			sizes[i].levels = powerOfTwo(m.QueueLevels)
			sizes[i].perEvent = min(sizes[i].levels, levelsPerEvent)
		}
	}
	return sizes
}

// queueRange says how large the largest queue is, and the smallest where they differ.
func (d *desk) queueRange() string {
	sizes := d.cfg.queueSizes(d.table)
	by := func(a, b queueSize) int { return a.bytes() - b.bytes() }
	text := func(s queueSize) string { return fmt.Sprintf("%d events and %d levels", s.events, s.levels) }
	lo, hi := slices.MinFunc(sizes, by), slices.MaxFunc(sizes, by)
	if lo == hi {
		return "each " + text(hi)
	}
	return "from " + text(lo) + " to " + text(hi)
}

func powerOfTwo(n int) int {
	p := 1
	for p < n {
		p *= 2
	}
	return p
}

// bookWindow is how many ticks per side each of n books may index.
func (m *MarketConfig) bookWindow(n int) int {
	if m.BookWindow > 0 {
		return m.BookWindow
	}
	const bitsPerTick = 2 * (64 + 1)
	window := book.DefaultWindow
	for window > 1<<10 && n*window*bitsPerTick/8 > windowBudget {
		window /= 2
	}
	return window
}

// memoryUse is what the process takes.
type memoryUse struct {
	Queues   int    `json:"queues_bytes"`   // all market queues
	Heap     uint64 `json:"heap_bytes"`     // live objects and garbage not collected yet
	Resident uint64 `json:"resident_bytes"` // as the kernel counts
}

// memory asks the runtime and the kernel; neither stops the world.
func (d *desk) memory() memoryUse {
	heap := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(heap)
	m := memoryUse{Queues: d.queueBytes}
	if heap[0].Value.Kind() == metrics.KindUint64 {
		m.Heap = heap[0].Value.Uint64()
	}
	if text, err := os.ReadFile("/proc/self/statm"); err == nil {
		var size, resident uint64
		if _, err := fmt.Sscan(string(text), &size, &resident); err == nil {
			m.Resident = resident * uint64(os.Getpagesize())
		}
	}
	return m
}
