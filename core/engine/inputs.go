package engine

import (
	"encoding/binary"
	"sync/atomic"

	"riposte/core"
	"riposte/core/airlock"
	"riposte/core/book"
	"riposte/core/ring"
	"riposte/core/risk"
	"riposte/core/trail"
)

// Log is the input log: all that a shard's decisions depend on, as the shard takes it,
// and the decisions. With what the shard was built from it is enough to decide all of it
// again (Replay), byte for byte:
//
//	what was taken   market events with their levels, reports, snapshots, answers of the
//	                 venue's memory, commands, signals from outside, comparisons of books
//	what was asked   every reading of the clock, how full a ring or queue was
//	what came of it  approvals and refusals
//
// One message a Step goes into a ring of bytes, and a step that did nothing but look at
// the clock goes with the next one. A ring without room makes a hole: from there on
// nothing is written, and the loop has not waited. Nothing allocates in steady state.
//
// It belongs to the shard's goroutine, Hole to any. It is the shard's clock.
type Log struct {
	out   *ring.Bytes
	clock core.Clock
	again *Replay // not nil: nothing is written, what is taken is compared

	// Of the step under way.
	taken, yes, decided, times []byte
	questions, lastYes         uint64 // asked; number of the last that was answered yes, from 1
	readings                   int
	pieces                     int

	number     uint64 // of the step under way
	mono, base core.MonoNs
	wall       core.WallNs
	patience   core.MonoNs // after which a step that did nothing is written all the same
	idleAt     core.MonoNs
	idle       bool // a step that did nothing waits for the next one

	statsAt core.MonoNs
	posted  int
	turn    int
	hole    atomic.Uint64
}

// What stands before each thing that was taken.
const (
	tookEvent byte = iota + 1
	tookReport
	tookImage
	tookAnswer
	tookCommand
	tookJudgement
	tookEnds // how many ends a queue has
	tookShed // how many events a crowded queue lost
	tookTurn // whose queue is served first in the next step
	tookAlert
)

// Flags of a message.
const (
	moreFollows byte = 1 << iota // of the same step
	afterIdle                    // before it a step that only read the clock
)

const (
	// pieceBytes is where a long step is cut.
	pieceBytes = 64 << 10
	messageMin = 9
)

// NewLog writes into out.
func NewLog(out *ring.Bytes) *Log {
	return &Log{out: out, taken: make([]byte, 0, 4*pieceBytes), yes: make([]byte, 0, 256), decided: make([]byte, 0, pieceBytes),
		times: make([]byte, 0, pieceBytes)}
}

// Hole is the number of the first step that is missing, counted from 1, 0 while there is
// none. Any goroutine.
func (l *Log) Hole() uint64 { return l.hole.Load() }

// Mono reads the clock and keeps what it said.
func (l *Log) Mono() core.MonoNs {
	if l.again != nil {
		return l.again.mono()
	}
	t := l.clock.Mono()
	l.times = binary.AppendVarint(l.times, int64(t-l.mono))
	l.mono = t
	l.readings++
	return t
}

// Wall reads the civil clock and keeps what it said.
func (l *Log) Wall() core.WallNs {
	if l.again != nil {
		return l.again.wall()
	}
	t := l.clock.Wall()
	l.times = binary.AppendVarint(l.times, int64(t-l.wall))
	l.wall = t
	l.readings++
	return t
}

// answer keeps a yes or no that other goroutines have part in. No is the likely one.
func (l *Log) answer(yes bool) bool {
	l.questions++
	if l.again != nil {
		return l.again.answer(l.questions)
	}
	if yes {
		l.yes = binary.AppendUvarint(l.yes, l.questions-l.lastYes)
		l.lastYes = l.questions
	}
	return yes
}

// ends keeps how many ends a queue had.
func (l *Log) ends(n uint64) uint64 {
	if l.again != nil {
		return l.again.ends()
	}
	l.taken = binary.LittleEndian.AppendUint64(append(l.taken, tookEnds), n)
	return n
}

// shed keeps how many events a crowded queue has lost.
func (l *Log) shed(m *market, n int) {
	if l.again != nil {
		delete(l.again.shed, m.at)
		return
	}
	l.taken = le.AppendUint32(append(l.taken, tookShed, byte(m.at), byte(m.at>>8)), uint32(n))
}

// event keeps the head of a market's queue when it is first looked at.
func (l *Log) event(m *market, ev *core.Event, lv []core.Level) {
	if l.again != nil {
		l.again.cause = Cause{Kind: CauseEvent, Instrument: m.id, Event: *ev, Levels: append(l.again.cause.Levels[:0], lv...)}
		return
	}
	if m.noted {
		return
	}
	m.noted = true
	l.room()
	l.taken = appendEvent(append(l.taken, tookEvent, byte(m.at), byte(m.at>>8)), ev, lv)
}

func (l *Log) report(r *core.Report) {
	if l.again != nil {
		l.again.cause = Cause{Kind: CauseReport, Instrument: r.Instrument, Report: *r}
		return
	}
	l.room()
	l.taken = appendReport(append(l.taken, tookReport), r)
}

func (l *Log) image(im *book.Image) {
	if l.again != nil {
		l.again.cause = Cause{Kind: CauseSnapshot, Instrument: im.Instrument, Update: im.LastID}
		return
	}
	l.room()
	l.taken = appendImage(append(l.taken, tookImage), im)
}

func (l *Log) history(a *trail.Answer) {
	if l.again != nil {
		l.again.cause = Cause{Kind: CauseHistory, Instrument: a.Instrument}
		return
	}
	l.room()
	l.taken = appendAnswer(append(l.taken, tookAnswer), a)
}

func (l *Log) command(c *Command) {
	if l.again != nil {
		l.again.cause = Cause{Kind: CauseCommand, Instrument: c.Instrument, Command: *c}
		return
	}
	l.room()
	l.taken = appendCommand(append(l.taken, tookCommand), c)
}

func (l *Log) alert(a *airlock.Alert) {
	if l.again != nil {
		l.again.cause = Cause{Kind: CauseAlert, Instrument: a.Instrument, Alert: *a}
		return
	}
	l.room()
	l.taken = appendAlert(append(l.taken, tookAlert), a)
}

func (l *Log) judgement(a *book.Audit) {
	if l.again != nil {
		l.again.cause = Cause{Kind: CauseAudit, Instrument: a.Instrument}
		return
	}
	l.taken = append(l.taken, tookJudgement, flag(a.Different != 0))
}

// because names a cause that comes from no ring.
func (l *Log) because(k CauseKind) {
	if l.again != nil {
		l.again.cause = Cause{Kind: k, Instrument: core.NoInstrument}
	}
}

// approved keeps what was handed on.
func (l *Log) approved(a *risk.Approved) {
	l.decide(&Decision{Intent: a.Intent(), Stamps: *a.Stamps(), Input: a.Input()})
}

// refused keeps what was not.
func (l *Log) refused(in *core.Intent, r risk.Refusal, st *risk.Stamps, input uint64) {
	l.decide(&Decision{Refusal: r, Intent: *in, Stamps: *st, Input: input})
}

func (l *Log) decide(d *Decision) {
	l.decided = d.append(l.decided)
	if l.again != nil {
		l.again.decided()
	}
}

// room cuts a long step.
func (l *Log) room() {
	if len(l.taken) >= pieceBytes {
		l.publish(moreFollows)
	}
}

// end closes a step. busy: it did more than look at the clock.
func (l *Log) end(s *Shard, busy bool) {
	if l.again != nil {
		return
	}
	if s.statsAt != l.statsAt || s.posted != l.posted {
		l.statsAt, l.posted, busy = s.statsAt, s.posted, true
	}
	if s.turn != l.turn { // bells of queues that were not looked at have part in it
		l.turn = s.turn
		l.taken = append(l.taken, tookTurn, byte(s.turn), byte(s.turn>>8))
	}
	if !busy && l.pieces == 0 && l.readings == 1 && l.mono-l.base < l.patience && len(l.taken)+len(l.yes)+len(l.decided) == 0 {
		l.idle, l.idleAt, l.mono, l.times = true, l.mono, l.base, l.times[:0]
	} else {
		l.publish(0)
		l.number++
		l.base = l.mono
	}
	l.questions, l.lastYes, l.readings, l.pieces = 0, 0, 0, 0
}

// publish hands on what there is of a step.
func (l *Log) publish(flags byte) {
	if l.pieces++; l.hole.Load() == 0 {
		l.write(flags)
	}
	l.taken, l.yes, l.decided, l.times = l.taken[:0], l.yes[:0], l.decided[:0], l.times[:0]
}

func (l *Log) write(flags byte) {
	var head [messageMin + 4*binary.MaxVarintLen64]byte
	binary.LittleEndian.PutUint64(head[:], l.number)
	h := head[:messageMin]
	if l.idle {
		flags |= afterIdle
		h = binary.AppendVarint(h, int64(l.idleAt-l.base))
		l.idle = false
	}
	head[8] = flags
	h = binary.AppendUvarint(h, uint64(len(l.taken)))
	h = binary.AppendUvarint(h, uint64(len(l.yes)))
	h = binary.AppendUvarint(h, uint64(len(l.decided)))
	n := len(h) + len(l.taken) + len(l.yes) + len(l.decided) + len(l.times)
	var to []byte
	if n <= l.out.Most() {
		to = l.out.Claim(n)
	}
	if to == nil {
		l.hole.Store(l.number + 1)
		return
	}
	at := copy(to, h)
	at += copy(to[at:], l.taken)
	at += copy(to[at:], l.yes)
	at += copy(to[at:], l.decided)
	copy(to[at:], l.times)
	l.out.Publish()
}

func flag(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// openLog has the log stand between the shard and its clock.
func (s *Shard) openLog() {
	if s.log = s.cfg.Inputs; s.log == nil {
		return
	}
	s.log.clock, s.clock, s.log.posted = s.clock, s.log, s.posted
	if s.log.patience = core.MonoNs(s.cfg.PauseMax / 2); s.log.patience == 0 {
		s.log.patience = 1<<63 - 1
	}
}

// outside is a yes or no in which other goroutines have part, such as whether a ring is
// full. The input log keeps it.
func (s *Shard) outside(yes bool) bool {
	if s.log == nil {
		return yes
	}
	return s.log.answer(yes)
}

// crowded reports whether a queue is fuller than that. A replay goes by how many events
// the run gave up: what waits behind them it does not see.
func (s *Shard) crowded(m *market, share float64, shed int) bool {
	if s.log != nil && s.log.again != nil {
		return shed < s.log.again.shed[m.at]
	}
	return m.queue.Fill() > share
}

// peek is the head of a market's queue.
func (s *Shard) peek(m *market) (*core.Event, []core.Level) {
	ev, lv := m.queue.Peek()
	if s.log != nil && ev != nil {
		s.log.event(m, ev, lv)
	}
	return ev, lv
}

// because names the cause of an input that is no market event.
func (s *Shard) because(k CauseKind) {
	s.cause = k
	if s.log != nil {
		s.log.because(k)
	}
}
