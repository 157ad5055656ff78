package exec

import "riposte/core"

// latelyMost is how many of an asset's last fills are remembered: more do not come within
// the time by which the venue's reads may lag behind.
const latelyMost = 32

// lately is what the ledger held of one asset before each of its last fills. A balance read
// at the venue may be of before some of them, and is then no difference. Two such races look
// like one difference that stays, where all fills are of one size.
type lately struct {
	ring [latelyMost]moment
	next int
}

// moment says that so much was owned until then.
type moment struct {
	until core.MonoNs
	owned core.Amount
}

func (l *lately) add(m moment) {
	l.ring[l.next] = m
	l.next = (l.next + 1) % latelyMost
}

// about notes what is owned of an asset that a fill is about to move.
func (l *Ledger) about(a core.AssetID, at core.MonoNs) {
	l.lately[a].add(moment{at, l.owned[a]})
}

// Lags reports whether a balance is one that was right at some moment since then.
func (l *Ledger) Lags(a core.AssetID, told core.Amount, since core.MonoNs) bool {
	if int(a) >= len(l.lately) {
		return false
	}
	for _, m := range l.lately[a].ring {
		if m.until > 0 && m.until >= since && m.owned == told {
			return true
		}
	}
	return false
}
