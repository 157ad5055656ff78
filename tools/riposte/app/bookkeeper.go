package app

import (
	"fmt"
	"sync"
	"time"

	"riposte/core"
	"riposte/core/book"
	"riposte/core/engine"
	"riposte/core/ring"
)

// bookKeeper is the cold side of recovery: it compares books with snapshots, at any
// venue, and keeps the record of how books got Live. A goroutine of its own reads the
// rings; a mutex guards what it found.
type bookKeeper struct {
	d         *desk
	copies    *ring.Ring[*book.Audit] // shard writes
	judged    *ring.Ring[*book.Audit] // this writes, shard reads
	recovered *ring.Ring[engine.Recovery]

	stop chan struct{}
	done sync.WaitGroup

	mu      sync.Mutex
	books   []bookRecord // by instrument
	used    int          // weight used in the venue's minute, at the last look
	began   outage       // the start
	last    outage       // the newest since, of more than one book
	resync  figure       // of single books: out of Live to Live
	bridge  figure       // and from when the stream was there to Live
	audits  uint64
	levels  uint64
	differ  uint64
	first   string // difference
	longest time.Duration
}

// bookRecord is what is known of one book.
type bookRecord struct {
	live     core.MonoNs // when it was first Live, 0: not yet
	resyncs  uint64
	slowest  time.Duration
	auditAt  core.MonoNs
	audits   uint64
	compared int // in the last audit
	differ   uint64
	worst    string // last difference
}

// outage is a time during which books were not Live, until all were again.
type outage struct {
	books    int
	from, to core.MonoNs
	back     core.MonoNs // when the first of their streams was there again
	wall     core.WallNs // venue's time of from
	used     int         // weight that was used then
}

// heard notes that a stream was there again at that time, 0: not said.
func (o *outage) heard(at core.MonoNs) {
	if at > 0 && (o.back == 0 || at < o.back) {
		o.back = at
	}
}

// lookEvery is how often the rings are read: an audit that found a difference must not
// wait long, and a ring must hold what comes in between.
const lookEvery = 20 * time.Millisecond

func newBookKeeper(d *desk) *bookKeeper {
	k := &bookKeeper{d: d, copies: ring.New[*book.Audit](auditCopiesMost), judged: ring.New[*book.Audit](auditCopiesMost),
		recovered: ring.New[engine.Recovery](recoveredRing), books: make([]bookRecord, len(d.table.List))}
	for range auditCopiesMost {
		*k.judged.Claim() = new(book.Audit)
		k.judged.Publish()
	}
	return k
}

// start begins the count of the time to Live.
func (k *bookKeeper) start() {
	now := k.d.clock.Mono()
	k.look()
	k.began = outage{from: now, wall: k.d.vclock.Now(), used: k.used}
	k.stop = make(chan struct{})
	k.done.Go(func() {
		t := time.NewTicker(lookEvery)
		defer t.Stop()
		for {
			select {
			case <-k.stop:
				return
			case <-t.C:
				k.look()
			}
		}
	})
}

func (k *bookKeeper) close() {
	if k.stop != nil {
		close(k.stop)
		k.done.Wait()
		k.stop = nil
	}
}

func (k *bookKeeper) look() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for list := k.recovered.Pending(); len(list) > 0; list = k.recovered.Pending() {
		for i := range list {
			k.recover(&list[i])
		}
		k.recovered.Release(len(list))
	}
	for list := k.copies.Pending(); len(list) > 0; list = k.copies.Pending() {
		a := list[0]
		k.copies.Release(1)
		a.Compare()
		k.audited(a)
		*k.judged.Claim() = a // as many slots as copies: never full
		k.judged.Publish()
	}
	k.used = k.d.budget.Use(k.d.vclock.Now(), k.d.clock.Mono()).Weight
}

func (k *bookKeeper) recover(r *engine.Recovery) {
	b := &k.books[r.Instrument]
	if r.First {
		b.live = r.Live
		k.began.heard(r.Asked)
		k.began.books++
		k.began.to = max(k.began.to, r.Live)
		return
	}
	b.resyncs++
	took := time.Duration(r.Live - r.Down)
	b.slowest = max(b.slowest, took)
	k.resync.record(int64(took))
	if r.Asked > 0 {
		k.bridge.record(int64(r.Live - r.Asked))
	}
	if r.Down > k.last.to || k.last.books == 0 {
		k.last = outage{from: r.Down, to: r.Live, used: k.used, wall: k.d.vclock.Now() - core.WallNs(k.d.clock.Mono()-r.Down)}
	}
	k.last.heard(r.Asked)
	k.last.books++
	k.last.from, k.last.to = min(k.last.from, r.Down), max(k.last.to, r.Live)
}

func (k *bookKeeper) audited(a *book.Audit) {
	b := &k.books[a.Instrument]
	if b.auditAt != 0 {
		k.longest = max(k.longest, time.Duration(a.At-b.auditAt))
	}
	b.audits++
	b.auditAt, b.compared = a.At, a.Compared
	k.audits++
	k.levels += uint64(a.Compared)
	if a.Different == 0 {
		return
	}
	b.differ++
	k.differ++
	b.worst = fmt.Sprintf("%s at update %d: %d of %d levels differ, the nearest %d levels from the touch: %s",
		k.d.table.Get(a.Instrument).Symbol, a.ID, a.Different, a.Compared, a.Distance, a.First)
	if k.first == "" {
		k.first = b.worst
	}
}

// least is the shortest time in which weight can be spent that begins at some time of
// the venue's, with room in each minute and some of it used.
func least(weight, room, used int, at core.WallNs) time.Duration {
	if weight -= max(room-used, 0); weight <= 0 {
		return 0
	}
	if room <= 0 {
		return time.Duration(1<<63 - 1)
	}
	minute := core.WallNs(time.Minute)
	minutes := (weight + room - 1) / room
	return time.Duration(minute-at%minute) + time.Duration(minutes-1)*time.Minute
}
