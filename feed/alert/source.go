package alert

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"

	"riposte/core"
	"riposte/core/airlock"
)

// Config is one source.
type Config struct {
	Name    string
	Number  uint16 // from 1, as in the shard's configuration
	Auth    Auth
	Mapping Mapping
	BodyMax int // bytes
	// Every is the time after which one more message may come, Burst how many at once.
	Every core.MonoNs
	Burst int64
	// Window is how far from the venue's time a message may say it was issued, and for
	// twice as long it is remembered.
	Window core.MonoNs
	Keep   int // messages that are remembered
	Clock  core.Clock
	Venue  func() core.WallNs // the venue's time
	Inbox  *Inbox
}

// Source takes the messages of one source. Any goroutine; a mutex keeps its state.
type Source struct {
	cfg Config

	mu      sync.Mutex
	reader  reader
	seen    *seen
	rate    bucket
	telling bucket // of refusals, to the shard
	status  Status
}

// Status is a source as of one instant.
type Status struct {
	Messages  uint64 // all of them
	Let       uint64 // to the shard, to be judged
	Ignored   uint64 // no signals, and not meant to be
	Refused   [airlock.Gates]uint64
	Untold    uint64 // refusals of which the shard was not told: too many
	Lost      uint64 // signals that found the way to the shard full
	LastError string
	HeardAt   core.MonoNs // the newest message, 0: none yet
	LetAt     core.MonoNs // the newest that was let in
}

// Refusals by the door that tell the shard of themselves: so many at once, and one more
// each second.
const (
	tellBurst = 20
	tellEvery = core.MonoNs(1e9)
)

// NewSource checks nothing that a configuration has to say; what is missing here is a
// mistake of the caller's.
func NewSource(cfg Config) (*Source, error) {
	switch {
	case cfg.Clock == nil || cfg.Venue == nil || cfg.Inbox == nil:
		return nil, errors.New("cannot open a source: want Clock, Venue and Inbox")
	case cfg.BodyMax <= 0 || cfg.Every <= 0 || cfg.Burst <= 0 || cfg.Window <= 0 || cfg.Keep <= 0 || cfg.Mapping.FullAt <= 0 || cfg.Number == 0:
		return nil, fmt.Errorf("cannot open source %s: a bound is not above 0", cfg.Name)
	case cfg.Auth.Kind != Unsigned && len(cfg.Auth.Secret) == 0:
		return nil, fmt.Errorf("cannot open source %s: its secret is empty", cfg.Name)
	}
	s := &Source{cfg: cfg, seen: newSeen(2*cfg.Window, cfg.Keep)}
	s.reader.m = &s.cfg.Mapping
	s.rate = bucket{every: cfg.Every, burst: cfg.Burst}
	s.telling = bucket{every: tellEvery, burst: tellBurst}
	return s, nil
}

// Name is the source's.
func (s *Source) Name() string { return s.cfg.Name }

// BodyMax is how long a message may be.
func (s *Source) BodyMax() int { return s.cfg.BodyMax }

// Answer is what became of a message at the door. The shard's verdict comes later.
type Answer struct {
	Failed  airlock.Gate // None: let in, or ignored
	Ignored bool
	Full    bool  // the way to the shard was full
	Err     error // names source and field
}

// Take takes one message. body is only borrowed. recv is when its last byte was read.
func (s *Source) Take(body []byte, p *Proof, recv core.MonoNs) Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status.Messages++
	s.status.HeardAt = recv
	a := airlock.Alert{Source: s.cfg.Number, Instrument: core.NoInstrument, Recv: recv}
	ignored, f := s.judge(body, p, &a)
	if ignored {
		s.status.Ignored++
		return Answer{Ignored: true}
	}
	if f != nil {
		return s.refuse(&a, f)
	}
	return s.let(&a)
}

// Oversize counts a message that was not even read to its end.
func (s *Source) Oversize(recv core.MonoNs) Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status.Messages++
	s.status.HeardAt = recv
	return s.refuse(&airlock.Alert{Source: s.cfg.Number, Instrument: core.NoInstrument, Recv: recv},
		&fault{airlock.Size, "", fmt.Sprintf("has more than %d bytes", s.cfg.BodyMax)})
}

// judge reads a message, in the order of the gates.
func (s *Source) judge(body []byte, p *Proof, a *airlock.Alert) (ignored bool, f *fault) {
	now := s.cfg.Venue()
	if len(body) > s.cfg.BodyMax {
		return false, &fault{airlock.Size, "", fmt.Sprintf("has more than %d bytes", s.cfg.BodyMax)}
	}
	switch s.cfg.Auth.Kind {
	case Signed:
		f = s.cfg.Auth.signature(body, p, now, core.WallNs(s.cfg.Window))
	case PathToken:
		f = s.cfg.Auth.token([]byte(p.Token))
	}
	if f != nil {
		return false, f
	}
	v, f := s.reader.parse(body)
	if f == nil && s.cfg.Auth.Kind == BodyToken {
		// Whoever has no token is told nothing else.
		t, _, bad := s.reader.field(v, s.cfg.Mapping.Fields.Token)
		if bad != nil {
			t = nil
		}
		f = s.cfg.Auth.token(t)
	}
	if f != nil {
		return false, f
	}
	if !s.reader.signals(v) {
		return true, nil
	}
	if f = s.reader.read(v, a); f != nil {
		return false, f
	}
	if d := core.MonoNs(now - a.Issued); d > s.cfg.Window || d < -s.cfg.Window {
		return false, &fault{airlock.Replay, s.cfg.Mapping.Fields.Time, "lies outside the window"}
	}
	return false, s.fresh(body, a)
}

// fresh refuses what was heard before and what comes too often, and remembers the rest.
func (s *Source) fresh(body []byte, a *airlock.Alert) *fault {
	known := body
	if s.cfg.Mapping.Fields.ID != "" {
		known = a.ID.Bytes()
	}
	sum := sha256.Sum256(known)
	k := key(sum[:16])
	if s.cfg.Mapping.Fields.ID == "" {
		a.ID = airlock.MakeText(hex.EncodeToString(k[:]))
	}
	switch {
	case s.seen.has(k, a.Recv):
		return &fault{airlock.Replay, s.cfg.Mapping.Fields.ID, "was heard before"}
	case s.seen.full():
		return &fault{airlock.Replay, s.cfg.Mapping.Fields.ID, "could not be remembered: too many are"}
	case !s.rate.take(a.Recv):
		return &fault{airlock.Rate, "", "comes more often than the source may speak"}
	}
	s.seen.add(k, a.Recv)
	return nil
}

func (s *Source) let(a *airlock.Alert) Answer {
	if !s.cfg.Inbox.put(a) {
		s.status.Lost++
		return Answer{Full: true, Err: fmt.Errorf("cannot take a message of source %s: the way to the engine is full", s.cfg.Name)}
	}
	s.status.Let++
	s.status.LetAt = a.Recv
	return Answer{}
}

func (s *Source) refuse(a *airlock.Alert, f *fault) Answer {
	err := fmt.Errorf("cannot use a message of source %s: %w", s.cfg.Name, f)
	s.status.Refused[f.gate]++
	s.status.LastError = err.Error()
	// Nothing of it is believed, and so nothing is kept but why.
	told := airlock.Alert{Source: a.Source, Instrument: core.NoInstrument, Recv: a.Recv, Failed: f.gate, Why: airlock.MakeText(f.Error())}
	if !s.telling.take(a.Recv) || !s.cfg.Inbox.put(&told) {
		s.status.Untold++
	}
	return Answer{Failed: f.gate, Err: err}
}

// Status is a copy of the counters.
func (s *Source) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status
}
