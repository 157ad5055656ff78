package exec

import (
	"time"

	"riposte/core"
)

// The venue's queries may lag behind its engine by many seconds, and the account's stream
// does not (Binance Spot API docs, 2026-07-21). What the stream has told therefore shows
// that an answer is old: the account's last update in it is before one that was told, or
// its newest trade is. Comparing balances with such an answer finds differences where
// nothing is wrong, so it is asked for again.

// word is how far the account's stream has told. The loop goroutine's.
type word struct {
	account core.WallNs // the newest update of the account, 0: none
	trades  []int64     // by instrument, the highest trade id, 0: none
	since   core.MonoNs // of the first snapshot that could have opened the ledger, 0: none
}

// staleMost is how long one and the same difference is put off because the answers are
// old. While something trades, differences that lag makes change all the time; one that
// stays for so long is judged as if its answers were new.
const staleMost = core.MonoNs(2 * time.Minute)

// trade notes a fill that the stream has told, whoever's it is.
func (w *word) trade(id core.InstrumentID, trade int64) {
	if trade <= 0 || id == core.NoInstrument {
		return
	}
	for len(w.trades) <= int(id) {
		w.trades = append(w.trades, 0)
	}
	w.trades[id] = max(w.trades[id], trade)
}

// newer reports whether the stream has told more than a snapshot knows. Balances carry
// their time in milliseconds, whatever the stream's unit is; trades that are not read are
// not missed.
func (w *word) newer(s *Snapshot, reads []bool) bool {
	const ms = core.WallNs(time.Millisecond)
	if s.Updated != 0 && s.Updated/ms < w.account/ms {
		return true
	}
	for _, m := range s.Marks {
		if int(m.Instrument) < len(w.trades) && m.Trade < w.trades[m.Instrument] && (reads == nil || reads[m.Instrument]) {
			return true
		}
	}
	return false
}

// toOpen reports whether a snapshot may open the ledger. What counts from old balances
// would be off for good.
func (w *word) toOpen(s *Snapshot) bool {
	if w.since == 0 {
		w.since = s.Begun
	}
	return !s.Stale || s.Begun-w.since > staleMost
}

// OnBalances takes the absolute balances of an account event. at is the account's update
// that they are of, by the venue's clock.
func (g *Gateway) OnBalances(bs []core.Balance, at core.WallNs) {
	g.word.account = max(g.word.account, at)
	g.ledger.Told(bs)
}

// OnExternal takes a deposit, withdrawal or transfer: it changes what we own
// without a trade.
func (g *Gateway) OnExternal(asset core.AssetID, delta core.Amount) {
	g.ledger.External(asset, delta, "told by the account's stream")
}
