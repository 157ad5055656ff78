package book

import "riposte/core"

// Alive says that the connection of this instrument's depth answered a ping after
// everything sent before: bytes of one connection arrive in order, so a Live book
// that owes no touch is current up to recv although no event came. It is how a
// quiet market is told from a dead feed.
func (s *Sync) Alive(recv core.MonoNs) {
	if s.state == Live && s.touches.owed() == 0 {
		s.proof = max(s.proof, recv)
	}
}
