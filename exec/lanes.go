package exec

import (
	"context"
	"errors"
	"time"

	"riposte/core"
)

// What happens to sessions over time: dialing, logging on, signs of life, replacement.

// tick does what need not be done on every Step. May be called on nil.
func (p *Sessions) tick(now core.MonoNs, wall core.WallNs) int {
	if p == nil || p.closed {
		return 0
	}
	work := 0
	for i := range p.lanes {
		l := &p.lanes[i]
		for _, s := range [...]*session{l.cur, l.next, l.old} {
			if s != nil {
				work += p.attend(l, s, now, wall)
			}
		}
		work += p.arrange(l, now)
	}
	return work
}

// arrange moves sessions between the parts of a lane.
func (p *Sessions) arrange(l *lane, now core.MonoNs) int {
	if s := l.cur; s != nil && l.attempt > 0 && now-s.liveAt >= min(settledAfter, core.MonoNs(p.cfg.Rotate/2)) {
		l.attempt = 0
	}
	if l.old != nil && l.old.inflight() == 0 {
		p.bury(l.old)
		l.old = nil
		p.Stats.Replaced++
		return 1
	}
	if l.next != nil && l.next.state == sessionLive && (l.cur == nil || l.old == nil) {
		l.cur, l.next, l.old = l.next, nil, l.cur
		return 1
	}
	// A connect costs weight 2 (Binance Spot API docs, 2026-07-21).
	if l.next == nil && l.wants(now) && now >= l.redial && p.owner.mayAsk(2) {
		l.redial = now + core.MonoNs(p.backoff(l.attempt))
		l.attempt++
		l.next = newSession()
		p.dial(l.next)
		return 1
	}
	return 0
}

// backoff is exponential with full jitter; the first retry after a session that has held
// is nearly at once.
func (p *Sessions) backoff(attempt int) time.Duration {
	limit := p.cfg.BackoffMax
	if attempt < 20 {
		limit = min(limit, p.cfg.BackoffMin<<attempt)
	}
	return limit/2 + time.Duration(p.rng.Int64N(int64(limit/2)+1))
}

func (p *Sessions) dial(s *session) {
	p.Stats.Dials++
	launch(p.cfg.Go, &p.dials, func() {
		ctx, cancel := context.WithTimeout(p.ctx, p.cfg.DialTimeout)
		defer cancel()
		conn, err := p.cfg.Dial(ctx)
		s.dialed.Store(&framesDialed{conn, err})
		p.cfg.Wake()
	})
}

// attend looks after one session.
func (p *Sessions) attend(l *lane, s *session, now core.MonoNs, wall core.WallNs) int {
	switch s.state {
	case sessionDialing:
		d := s.dialed.Swap(nil)
		if d == nil {
			return 0
		}
		if d.err != nil {
			p.dialFailed(l, d.err, now)
			return 1
		}
		s.conn, s.state, s.heardAt = d.conn, sessionFresh, now
		return 1
	case sessionFresh:
		if err := p.bound(s, now, wall); err != nil {
			p.fail(l, s, err, now)
			return 1
		}
		p.introduce(s, now)
		return 1
	}
	if s.inflight() == 0 && now-s.looked >= core.MonoNs(p.cfg.IdleLook) {
		// To notice an end, or its announcement, before an order depends on it.
		s.looked = now
		if n := p.read(l, s, now); n > 0 {
			return n
		}
	}
	if err := p.alive(s, now, wall); err != nil {
		p.fail(l, s, err, now)
		return 1
	}
	return p.overdue(l, s, now)
}

// introduce begins to prove a connection: by a logon where the key can, and a question.
func (p *Sessions) introduce(s *session, now core.MonoNs) {
	if p.cfg.Codec.Logon(s.next().ID, p.owner.venueNow(), &p.quiet) {
		if !p.owner.mayAsk(2) {
			return // again with the next tick
		}
		s.state = sessionLogon
		// On an error the session ends with the next read.
		_, _ = p.request(s, p.quiet.Bytes, RequestLogon, nil, now)
		clear(p.quiet.Bytes) // it holds an API key and a signature
		return
	}
	if p.probe(s, now) {
		s.state = sessionProving
	}
}

// alive asks for signs of life and keeps the write deadline ahead.
func (p *Sessions) alive(s *session, now core.MonoNs, wall core.WallNs) error {
	if h := s.conn.Heard(); h != s.heard {
		s.heard, s.heardAt, s.pingAt = h, now, 0
	}
	switch {
	case s.pingAt != 0 && now-s.pingAt > core.MonoNs(p.cfg.PongWithin):
		p.Stats.HalfOpen++
		return sessionSilent
	case s.pingAt == 0 && now-s.heardAt >= core.MonoNs(p.cfg.PingEvery):
		if err := s.conn.Ping(); err != nil {
			return err
		}
		s.pingAt = now
	}
	return p.bound(s, now, wall)
}

// bound keeps the write deadline far ahead and renews it early, so that no write pays
// for setting it.
func (p *Sessions) bound(s *session, now core.MonoNs, wall core.WallNs) error {
	if s.writeBy-now >= core.MonoNs(p.cfg.WriteTimeout) {
		return nil
	}
	s.writeBy = now + 2*core.MonoNs(p.cfg.WriteTimeout)
	return s.conn.SetWriteDeadline(time.Unix(0, int64(wall)).Add(2 * p.cfg.WriteTimeout))
}

// overdue tells the owner of answers that are late, and gives up those that are too late.
// An unanswered request does not end the session: the others on it are answered.
func (p *Sessions) overdue(l *lane, s *session, now core.MonoNs) int {
	if s.inflight() == 0 {
		return 0
	}
	work := 0
	for i := range s.flights {
		f := &s.flights[i]
		switch {
		case f.id == 0:
		case now >= f.deadline:
			work++
			was := p.land(s, f)
			if was.kind == RequestLogon || was.kind == RequestProbe && s.state == sessionProving {
				p.fail(l, s, sessionUnproved, now)
				return work
			}
			p.owner.lost(was, sessionLate)
		case now >= f.doubtAt:
			f.doubtAt = f.deadline
			p.owner.slow(&f.flight)
		}
	}
	return work
}

func (p *Sessions) dialFailed(l *lane, err error, now core.MonoNs) {
	p.Stats.DialErrors++
	p.Stats.LastError = err.Error()
	l.next = nil // sessions are dialed there
	var ce *CallError
	if errors.As(err, &ce) && ce.RetryAfter > 0 {
		l.redial = max(l.redial, now+core.MonoNs(ce.RetryAfter))
	}
}

// fail ends a session; the owner hears of every request in flight.
func (p *Sessions) fail(l *lane, s *session, why error, now core.MonoNs) {
	planned := s == l.old || errors.Is(why, sessionDiscarded) || s.leaving && s == l.cur && s.inflight() == 0
	switch s {
	case l.cur:
		l.cur = nil
	case l.next:
		l.next = nil
	case l.old:
		l.old = nil
	}
	for i := range s.flights {
		if f := &s.flights[i]; f.id != 0 {
			p.owner.lost(p.land(s, f), why)
		}
	}
	p.bury(s)
	if !planned {
		p.Stats.Lost++
		p.Stats.LastError = why.Error()
		p.owner.parted(RouteWS)
	}
}

func (p *Sessions) bury(s *session) {
	if s.conn != nil {
		_ = s.conn.Close()
		s.conn = nil
	}
}

// rekey has every request from now on laid out by next. Sessions that the old key had
// logged on, or is about to, take no more requests and are replaced. May be called on nil.
func (p *Sessions) rekey(next FrameCodec) {
	if p == nil {
		return
	}
	p.cfg.Codec = next
	for i := range p.lanes {
		l := &p.lanes[i]
		for _, s := range [...]*session{l.cur, l.next} {
			if s != nil && (s.loggedOn || s.state == sessionLogon) {
				s.leaving, s.retired = true, true
			}
		}
	}
}
