package exec

import (
	"time"

	"riposte/core"
	"riposte/core/risk"
)

// deadman ends what rests at the venue once we can no longer hear what becomes of it,
// or no longer reach it. Being cut off for a moment stops new orders at most; after
// Config.LostAfter all own orders are cancelled, and where there is no wire for that,
// their cancels wait for the first that comes back. What the process itself cannot do when it is gone, a
// guard does; see package guard.
type deadman struct {
	user  core.MonoNs // since when the account stream is down, 0: it is up
	link  core.MonoNs // since when no wire and no session works, 0: one does
	fired bool
}

// Lost is since when account stream or order link are down, 0 if both are up. Loop
// goroutine.
func (g *Gateway) Lost() core.MonoNs {
	switch d := &g.dead; {
	case d.user == 0 || d.link == 0:
		return max(d.user, d.link)
	default:
		return min(d.user, d.link)
	}
}

// watchLinks is the dead man's part of a tick.
func (g *Gateway) watchLinks(now core.MonoNs) {
	d := &g.dead
	if g.pool.Up(now) || g.sessions.up() {
		d.link = 0
		g.Lift(risk.HaltLink)
	} else if d.link == 0 {
		d.link = now
	}
	since := g.Lost()
	if since == 0 {
		d.fired = false
		return
	}
	if g.cfg.LostAfter <= 0 || now-since <= core.MonoNs(g.cfg.LostAfter) {
		return
	}
	if d.link != 0 {
		// Without a wire orders end as too late by themselves; this says why.
		g.raise(risk.HaltLink)
	}
	if !d.fired {
		d.fired = true
		g.Stats.DeadMan++
		g.CancelAllOwn()
	}
}

// lostAfterMin keeps a reconnect from cancelling everything.
const lostAfterMin = 100 * time.Millisecond
