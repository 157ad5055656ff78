package book

import "riposte/core"

// touches cross-checks the book against the venue's best-price stream. Both
// number their states alike, so after a depth event that ends at u the book's
// best prices and quantities must be those of the newest touch with id <= u:
// true of all 3449 + 159 spot and 4322 futures events of the recordings.
//
// Touches run ahead of depth (35 ms in the middle, up to an event's interval),
// so they wait here, oldest first, until depth has caught up. Room is bounded:
// where it runs out the oldest go, and with them the claim to know the newest
// touch at ids that they may have covered.
type touches struct {
	wait []touch // a circle, a power of two long
	most int     // how long it may get
	head uint64
	tail uint64
	base core.Top // newest touch at or below the ids of depth seen so far; ID 0: not known
	last core.Top // newest touch seen
	recv core.MonoNs

	suspect  core.Top // touch of the last mismatch, ID 0 after a match
	suspectB core.Top // and the book's top there
}

type touch struct {
	top  core.Top
	recv core.MonoNs
}

// outcome of comparing the book with the newest touch it must agree with.
type outcome uint8

const (
	unknown    outcome = iota // no touch to compare with
	agrees                    //
	differs                   // differs, for the first time or on the same evidence as before
	contradict                // differs, and did so already before this evidence
)

// touchesMin is the first size: quiet symbols never need more, and there may be
// hundreds of them.
const touchesMin = 16

func newTouches(n int) touches {
	t := touches{most: 1}
	for t.most < n {
		t.most *= 2
	}
	t.wait = make([]touch, min(t.most, touchesMin))
	return t
}

// grow doubles the circle; it happens a few times in a symbol's life.
func (t *touches) grow() {
	wide := make([]touch, 2*len(t.wait))
	for i := t.head; i != t.tail; i++ {
		wide[i&uint64(len(wide)-1)] = t.wait[i&uint64(len(t.wait)-1)]
	}
	t.wait = wide
}

// forget drops all that was heard: some may have been lost.
func (t *touches) forget() {
	t.head, t.tail = 0, 0
	t.base, t.last, t.suspect = core.Top{}, core.Top{}, core.Top{}
}

// doubt starts the comparison over after a gap. Where touches caused it, those
// at hand have had their say: if it was their stream that had stopped and not the
// book that was wrong, one resync must be enough.
func (t *touches) doubt(caused bool) {
	t.suspect = core.Top{}
	if caused {
		t.base = core.Top{}
	}
}

// add takes a touch. One that is not newer than the newest is a late copy from
// another connection and tells nothing.
func (t *touches) add(ev *core.Event) {
	if ev.ID <= t.last.ID {
		return
	}
	t.last, t.recv = ev.Top(), ev.Recv
	if t.tail-t.head == uint64(len(t.wait)) {
		if len(t.wait) < t.most {
			t.grow()
		} else {
			t.head++
			t.base = core.Top{}
		}
	}
	t.wait[t.tail&uint64(len(t.wait)-1)] = touch{t.last, ev.Recv}
	t.tail++
}

// owed is when the oldest touch was received that depth has not caught up with,
// 0 if there is none.
func (t *touches) owed() core.MonoNs {
	if t.head == t.tail {
		return 0
	}
	return t.wait[t.head&uint64(len(t.wait)-1)].recv
}

// compare moves on to the book's update id and compares.
//
// Real best-price streams skip states inside one matching step: 2 of 6493
// recorded depth events end in such a state, and the next one agrees again. So
// one mismatch is only suspicious; a second with new evidence, a newer touch or a
// changed top, and no agreement in between, is proof that the book is wrong.
func (t *touches) compare(top *core.Top) outcome {
	for t.head != t.tail {
		w := &t.wait[t.head&uint64(len(t.wait)-1)]
		if w.top.ID > top.ID {
			break
		}
		t.base = w.top
		t.head++
	}
	if t.base.ID == 0 {
		return unknown
	}
	if samePrices(&t.base, top) {
		t.suspect = core.Top{}
		return agrees
	}
	before := t.suspect
	news := t.base.ID != before.ID || !samePrices(top, &t.suspectB)
	t.suspect, t.suspectB = t.base, *top
	if before.ID != 0 && news {
		return contradict
	}
	return differs
}

func samePrices(a, b *core.Top) bool {
	return a.Bid == b.Bid && a.BidQty == b.BidQty && a.Ask == b.Ask && a.AskQty == b.AskQty
}
