package venue

// Calm ends all faults that are armed or under way: nothing goes wrong any more that the
// config does not ask for. What a fault has changed for good (a status, a filter, a key)
// stays.
func (f *Faults) Calm() {
	s := f.srv
	s.loop.do(func(int64) {
		clear(f.snapshots)
		f.subscribe, f.waiting = nil, nil
		f.listening.Store(false)
		clear(s.hub.frozen)
		for _, t := range s.hub.topics {
			t.frozen = 0
			for _, sub := range t.subs {
				sub.armed = nil
			}
		}
		for _, a := range s.users.byAccount {
			for _, u := range a.subs {
				u.armed = nil
			}
		}
		for _, c := range append(s.sockets(streamConn), s.sockets(apiConn)...) {
			c.frozen.Store(false)
			c.pongLag.Store(0)
		}
		s.skew.Store(0)
		s.limits.force(429, 0)
		s.limits.force(418, 0)
	})
	f.mu.Lock()
	f.answers = nil
	f.armed.Store(0)
	f.mu.Unlock()
}
