package peers

import (
	"github.com/Workiva/go-datastructures/queue"
	"github.com/puzpuzpuz/xsync/v4"
)

func xsyncBounce() hand {
	to, from := xsync.NewSPSCQueue[item](ringSize), xsync.NewSPSCQueue[item](ringSize)
	return hand{name: "xsync-spsc", other: func() {
		for n := 0; n < ringTrips; {
			if it, ok := to.TryDequeue(); ok {
				for !from.TryEnqueue(it) {
					continue
				}
				n++
			}
		}
	}, mine: func() (sum uint64) {
		var it item
		for i := range uint64(ringTrips) {
			it.fill(i)
			for !to.TryEnqueue(it) {
				continue
			}
			back, ok := from.TryDequeue()
			for !ok {
				back, ok = from.TryDequeue()
			}
			sum = back.look(sum)
		}
		return sum
	}}
}

func xsyncSingle() hand {
	q := xsync.NewSPSCQueue[item](ringSize)
	return hand{name: "xsync-spsc", other: func() {
		var it item
		for i := range uint64(ringItems) {
			it.fill(i)
			for !q.TryEnqueue(it) {
				continue
			}
		}
	}, mine: func() (sum uint64) {
		for n := 0; n < ringItems; {
			if it, ok := q.TryDequeue(); ok {
				sum = it.look(sum)
				n++
			}
		}
		return sum
	}}
}

func xsyncBatched() hand {
	q := xsync.NewSPSCQueue[[ringBatch]item](ringSize / ringBatch)
	return hand{name: "xsync-spsc", other: func() {
		var s [ringBatch]item
		for i := uint64(0); i < ringItems; {
			for k := range s {
				s[k].fill(i)
				i++
			}
			for !q.TryEnqueue(s) {
				continue
			}
		}
	}, mine: func() (sum uint64) {
		for n := 0; n < ringBatchN; {
			if s, ok := q.TryDequeue(); ok {
				for k := range s {
					sum = s[k].look(sum)
				}
				n++
			}
		}
		return sum
	}}
}

// Workiva's ring carries any; pointers into memory that goes round do not allocate.
// The ring's readers and writers yield to the scheduler while they wait.

func workivaBounce() hand {
	to, from := queue.NewRingBuffer(ringSize), queue.NewRingBuffer(ringSize)
	pool := make([]item, 4*ringSize)
	return hand{name: "workiva-ring", other: func() {
		for range ringTrips {
			it, err := to.Get()
			must(err)
			must(from.Put(it))
		}
	}, mine: func() (sum uint64) {
		for i := range uint64(ringTrips) {
			it := &pool[i%uint64(len(pool))]
			it.fill(i)
			must(to.Put(it))
			back, err := from.Get()
			must(err)
			sum = back.(*item).look(sum)
		}
		return sum
	}}
}

func workivaSingle() hand {
	q := queue.NewRingBuffer(ringSize)
	pool := make([]item, 4*ringSize)
	return hand{name: "workiva-ring", other: func() {
		for i := range uint64(ringItems) {
			it := &pool[i%uint64(len(pool))]
			it.fill(i)
			must(q.Put(it))
		}
	}, mine: func() (sum uint64) {
		for range ringItems {
			it, err := q.Get()
			must(err)
			sum = it.(*item).look(sum)
		}
		return sum
	}}
}

// Channels are used in two ways: unpinned as everyone does, with the scheduler putting
// goroutines to sleep and waking them; pinned by tries that never wait, because a
// goroutine that stays on its thread is woken by the kernel, which takes microseconds.

func send[T any](ch chan<- T, v T, spin bool) {
	if !spin {
		ch <- v
		return
	}
	for !trySend(ch, v) {
		continue
	}
}

func trySend[T any](ch chan<- T, v T) bool {
	select {
	case ch <- v:
		return true
	default:
		return false
	}
}

func receive[T any](ch <-chan T, spin bool) T {
	if !spin {
		return <-ch
	}
	v, ok := tryReceive(ch)
	for !ok {
		v, ok = tryReceive(ch)
	}
	return v
}

func tryReceive[T any](ch <-chan T) (v T, ok bool) {
	select {
	case v = <-ch:
		return v, true
	default:
		return v, false
	}
}

func channelBounce(name string, unpinned bool) hand {
	to, from := make(chan item, ringSize), make(chan item, ringSize)
	return hand{name: name, unpinned: unpinned, other: func() {
		for range ringTrips {
			send(from, receive(to, !unpinned), !unpinned)
		}
	}, mine: func() (sum uint64) {
		var it item
		for i := range uint64(ringTrips) {
			it.fill(i)
			send(to, it, !unpinned)
			back := receive(from, !unpinned)
			sum = back.look(sum)
		}
		return sum
	}}
}

func channelSingle(name string, unpinned bool) hand {
	ch := make(chan item, ringSize)
	return hand{name: name, unpinned: unpinned, other: func() {
		var it item
		for i := range uint64(ringItems) {
			it.fill(i)
			send(ch, it, !unpinned)
		}
	}, mine: func() (sum uint64) {
		for range ringItems {
			it := receive(ch, !unpinned)
			sum = it.look(sum)
		}
		return sum
	}}
}

func channelBatched(name string, unpinned bool) hand {
	ch := make(chan [ringBatch]item, ringSize/ringBatch)
	return hand{name: name, unpinned: unpinned, other: func() {
		var s [ringBatch]item
		for i := uint64(0); i < ringItems; {
			for k := range s {
				s[k].fill(i)
				i++
			}
			send(ch, s, !unpinned)
		}
	}, mine: func() (sum uint64) {
		for range ringBatchN {
			s := receive(ch, !unpinned)
			for k := range s {
				sum = s[k].look(sum)
			}
		}
		return sum
	}}
}
