package engine

import (
	"riposte/core"
	"riposte/core/risk"
)

// Saying is a strategy that tells in words how it stands, for the status: progress,
// estimates, what it waits for. Say appends to dst, is called when statistics are
// published, some twenty times a second on the shard's own thread, and must not place or
// cancel. One that trades fast should not allocate in it.
type Saying interface {
	Strategy
	Say(v *View, dst []byte) []byte
}

// SeatStats is one strategy at one instrument as of one instant.
type SeatStats struct {
	Number   uint16
	Exposure risk.Exposure // its own
	PnL      core.Amount   // since the start, in the account's currency
	Halted   risk.HaltCause
	Says     []byte // "" from one that does not tell
}

// seatStats fills in what a draft tells of the seats, in the draft's own memory.
func (m *market) seatStats(s *Shard, list []SeatStats) []SeatStats {
	if cap(list) < len(m.seats) {
		list = make([]SeatStats, len(m.seats))
	}
	list = list[:len(m.seats)]
	for i := range m.seats {
		t, d := &m.seats[i], &list[i]
		d.Number, d.Exposure, d.PnL, d.Halted = t.Number, s.gate.Own(t.Number, m.id), s.gate.OwnPnL(t.Number, m.id), s.gate.HaltedStrategy(t.Number)
		if d.Says = d.Says[:0]; t.says != nil {
			d.Says = t.says.Say(&t.view, d.Says)
		}
	}
	return list
}
