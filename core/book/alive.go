package book

import "riposte/core"

// proof is up to when a book was shown to be current.
//
// When bytes were read says little of what a slow line delivers late, so an event that
// carries the venue's time proves no more than that: at is the earlier of when it was read
// and when it left the venue at the latest, by the venue's clock as we know it and its
// error. An age by at is the greater of the two ages, without a second comparison. Times of
// the venue are cut to milliseconds, which is left out: it makes data a little older.
type proof struct {
	at, read core.MonoNs
	origin   core.WallNs // the venue's time at our instant 0; 0: not known
	bound    core.MonoNs // by which it may be off
}

// left is when something that was read at read had left the venue at the latest; sent is
// its venue time, 0 if it has none.
func (p *proof) left(read core.MonoNs, sent core.WallNs) core.MonoNs {
	if sent == 0 || p.origin == 0 {
		return read
	}
	return min(read, core.MonoNs(sent-p.origin)+p.bound)
}

func (p *proof) add(read, at core.MonoNs) {
	p.read, p.at = max(p.read, read), max(p.at, at)
}

// VenueClock tells what the venue's clock shows at our instant 0, and by how much that may
// be wrong. Until it is told, the venue's times in events prove nothing.
func (s *Sync) VenueClock(origin core.WallNs, bound core.MonoNs) {
	s.proof.origin, s.proof.bound = origin, bound
}

// Alive says that the connection of this instrument's depth brought something after
// everything sent before: bytes of one connection arrive in order, so a Live book that
// owes no touch is current up to ev.Recv although no event of its own came, less what the
// newest event of that connection which the venue has dated was late. It is how a quiet
// market is told from a dead feed, and from a slow one.
func (s *Sync) Alive(ev *core.Event) {
	if s.state == Live && s.touches.owed() == 0 {
		dated := core.MonoNs(ev.W[1])
		s.proof.add(ev.Recv, ev.Recv-(dated-s.proof.left(dated, ev.VenueTime())))
	}
}

// LastProof is up to when the book was last shown to be current, by our clock and the
// venue's; see Status. Touches do not count: they say nothing of the depth.
func (s *Sync) LastProof() core.MonoNs { return s.proof.at }

// LastRead is when the bytes of the last proof were read: LastProof where lines are
// prompt.
func (s *Sync) LastRead() core.MonoNs { return s.proof.read }
