package engine

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"riposte/core"
	"riposte/core/airlock"
	"riposte/core/book"
	"riposte/core/ring"
	"riposte/core/risk"
	"riposte/core/trail"
)

// CauseKind is what kind of input led to a decision.
type CauseKind uint8

// The kinds.
const (
	CauseNone CauseKind = iota
	CauseEvent
	CauseReport
	CauseSnapshot
	CauseHistory
	CauseCommand
	CauseAudit
	CauseTimer
	CauseHalt
	CausePause
	CauseAlert
)

func (k CauseKind) String() string {
	return [...]string{"nothing", "market event", "report", "snapshot", "the venue's memory", "command", "comparison of a book", "timer", "halt", "pause of the process", "signal from outside"}[k]
}

// Cause is the input that a decision came of.
type Cause struct {
	Kind       CauseKind
	Instrument core.InstrumentID
	Event      core.Event // of CauseEvent, with its levels
	Levels     []core.Level
	Report     core.Report
	Command    Command
	Update     uint64 // of CauseSnapshot
	Alert      airlock.Alert
}

// Replay decides again what an input log says was decided: the same shard, gate and
// strategies, fed with what the log has, by the clock that the log has. One goroutine.
type Replay struct {
	Shard *Shard

	log      *Log
	gate     *risk.Gate
	queues   []*ring.Queue
	reports  *ring.Ring[core.Report]
	images   *ring.Ring[*book.Image]
	commands *ring.Ring[Command]
	alerts   *ring.Ring[airlock.Alert]
	out      *ring.Ring[risk.Approved]
	want     *ring.Ring[book.Want]
	asks     *ring.Ring[trail.Ask]
	answers  *ring.Ring[*trail.Answer]
	copies   *ring.Ring[*book.Audit]
	judged   *ring.Ring[*book.Audit]
	away     []*book.Audit // at whoever compares, oldest first

	cause  Cause
	causes []Cause         // of what was decided in this step
	denied []*risk.Denial  // nil for an approval
	step   step            // being gathered
	next   uint64          // step
	times  fields          // left of the step's readings
	fixed  bool            // the clock shows monoAt whatever the log has
	monoAt core.MonoNs     // last reading
	wallAt core.WallNs     // likewise
	yes    map[uint64]bool // numbers of the questions that were answered yes
	told   []uint64        // how many ends there were
	shed   map[int]int     // by market: how many events its crowded queue lost
	turn   int
	short  bool // the clock was read more often than in the run

	Steps, Inputs uint64 // taken so far; an input is one thing that a step took
}

// step is one step of a log.
type step struct {
	taken, yes, decided, times []byte
	idle                       bool
	idleBy                     int64
}

// ErrHole says that steps are missing: nothing can be proved behind them.
var ErrHole = errors.New("the input log has a hole")

// replayRing is more than a step of a run can have taken of anything.
const replayRing = 1 << 14

// NewReplay builds the shard. cfg is the run's own but for the clock and the rings,
// which are made here; Queues are fresh ones of the run's sizes. audits is how many
// copies of books there were, 0 where none were compared.
func NewReplay(cfg Config, audits int) (*Replay, error) {
	p := &Replay{log: NewLog(nil), gate: cfg.Gate, queues: cfg.Queues,
		reports: ring.New[core.Report](replayRing), images: ring.New[*book.Image](replayRing), commands: ring.New[Command](replayRing),
		out: ring.New[risk.Approved](replayRing), want: ring.New[book.Want](replayRing), yes: map[uint64]bool{}, shed: map[int]int{}}
	p.log.again = p
	cfg.Inputs, cfg.Clock = p.log, p.log
	cfg.Reports, cfg.Images, cfg.Commands, cfg.Out, cfg.Want = p.reports, p.images, p.commands, p.out, p.want
	p.asks, p.answers = ring.New[trail.Ask](replayRing), ring.New[*trail.Answer](replayRing)
	cfg.Asks, cfg.Answers = p.asks, p.answers
	if cfg.Airlock.Verdicts = nil; len(cfg.Airlock.Sources) > 0 {
		p.alerts = ring.New[airlock.Alert](replayRing)
		cfg.Airlock.Alerts = p.alerts
	}
	if audits > 0 {
		p.copies, p.judged = ring.New[*book.Audit](replayRing), ring.New[*book.Audit](replayRing)
		cfg.Depth.Copies, cfg.Depth.Judged = p.copies, p.judged
		for range audits {
			p.away = append(p.away, new(book.Audit))
		}
	}
	var err error
	p.Shard, err = NewShard(cfg)
	return p, err
}

// Input is the number of the last input that was taken.
func (p *Replay) Input() uint64 { return p.Shard.input }

// Decided is how many bytes of decisions the last step made, and what they were.
func (p *Replay) Decided() []byte { return p.log.decided }

// Difference is where a replay first decided otherwise than the run.
type Difference struct {
	Step  uint64
	Index int       // among the decisions of the step
	Run   *Decision // nil: the run decided nothing more in this step
	Again *Decision // nil: the replay did not
	Cause Cause     // of the replay's decision
	// Denial is what the replay's refusal was judged by, nil for an approval.
	Denial *risk.Denial
	Broke  string // what else went wrong: no decision differs, yet the replay did not do what the run did
}

// Feed takes one message of the log. After the last of a step it returns what the run
// decided in it, which the replay did too, or where they differ: then the replay is over.
// Errors are about the log.
func (p *Replay) Feed(msg []byte) ([]Decision, *Difference, error) {
	f := fields{b: msg}
	number, flags := f.u64(), f.u8()
	if f.err != nil {
		return nil, nil, f.err
	}
	if number != p.next {
		return nil, nil, fmt.Errorf("%w: step %d follows step %d", ErrHole, number, int64(p.next)-1)
	}
	st := &p.step
	if flags&afterIdle != 0 {
		st.idle, st.idleBy = true, f.varint()
	}
	sizes := [3]uint64{f.uvarint(), f.uvarint(), f.uvarint()}
	for i, part := range [3]*[]byte{&st.taken, &st.yes, &st.decided} {
		*part = append(*part, f.take(int(min(sizes[i], 1<<31)))...)
	}
	if f.err != nil {
		return nil, nil, f.err
	}
	st.times = append(st.times, f.b...)
	if flags&moreFollows != 0 {
		return nil, nil, nil
	}
	list, diff, err := p.run()
	p.next++
	*st = step{taken: st.taken[:0], yes: st.yes[:0], decided: st.decided[:0], times: st.times[:0]}
	return list, diff, err
}

// run does one step.
func (p *Replay) run() (list []Decision, diff *Difference, err error) {
	if list, err = decisions(p.step.decided); err != nil {
		return nil, nil, err
	}
	if p.step.idle {
		was := p.monoAt
		p.monoAt, p.fixed = was+core.MonoNs(p.step.idleBy), true
		if broke := p.again(); broke != "" || len(p.causes) > 0 {
			return nil, p.differ(nil, broke), nil
		}
		p.monoAt, p.fixed = was, false
	}
	if err := p.offer(); err != nil {
		return nil, nil, err
	}
	clear(p.yes)
	y, at := fields{b: p.step.yes}, uint64(0)
	for len(y.b) > 0 && y.err == nil {
		at += y.uvarint()
		p.yes[at] = true
	}
	if y.err != nil {
		return nil, nil, y.err
	}
	p.times, p.short = fields{b: p.step.times}, false
	broke := p.again()
	p.Shard.turn = p.turn
	switch {
	case !bytes.Equal(p.log.decided, p.step.decided):
		return nil, p.differ(list, broke), nil
	case broke != "":
	case p.short:
		broke = "it asked for the time more often than the run"
	case len(p.times.b) > 0:
		broke = "it asked for the time less often than the run"
	case p.left() != "":
		broke = "it did not take " + p.left()
	}
	if broke != "" {
		return nil, &Difference{Step: p.next, Cause: p.cause, Broke: broke}, nil
	}
	p.Steps++
	return list, nil, nil
}

// again has the shard take a step, and what it asked for forgotten.
func (p *Replay) again() (broke string) {
	p.log.decided, p.log.questions, p.causes, p.denied = p.log.decided[:0], 0, p.causes[:0], p.denied[:0]
	defer func() {
		if e := recover(); e != nil {
			broke = fmt.Sprint("it came to something that cannot be: ", e)
		}
	}()
	p.Shard.Step()
	p.out.Release(len(p.out.Pending()))
	p.want.Release(len(p.want.Pending()))
	p.asks.Release(len(p.asks.Pending()))
	if p.copies != nil {
		list := p.copies.Pending()
		p.away = append(p.away, list...)
		p.copies.Release(len(list))
	}
	return ""
}

// left is what the shard should have taken and did not.
func (p *Replay) left() string {
	switch {
	case p.commands.Len() > 0:
		return "a command"
	case p.reports.Len() > 0:
		return "a report"
	case p.images.Len() > 0:
		return "a snapshot"
	case p.alerts != nil && p.alerts.Len() > 0:
		return "a signal from outside"
	}
	return ""
}

// decided notes what a decision came of.
func (p *Replay) decided() {
	p.causes = append(p.causes, p.cause)
	last := &p.causes[len(p.causes)-1]
	last.Levels = slices.Clone(last.Levels)
	p.denied = append(p.denied, nil)
	if d := p.log.decided; len(d) > 0 && risk.Refusal(d[len(d)-decisionBytes]) != risk.None {
		copied := *p.gate.Denied()
		p.denied[len(p.denied)-1] = &copied
	}
}

// differ finds the first decision that is not the same.
func (p *Replay) differ(run []Decision, broke string) *Difference {
	again, err := decisions(p.log.decided)
	if err != nil {
		panic("BUG: the replay's own decisions cannot be read: " + err.Error())
	}
	d := &Difference{Step: p.next, Cause: p.cause, Broke: broke}
	for d.Index < min(len(run), len(again)) && run[d.Index] == again[d.Index] {
		d.Index++
	}
	if d.Index < len(run) {
		d.Run = &run[d.Index]
	}
	if d.Index < len(again) {
		d.Again, d.Cause, d.Denial = &again[d.Index], p.causes[d.Index], p.denied[d.Index]
	}
	return d
}

// mono is the clock.
func (p *Replay) mono() core.MonoNs {
	if !p.fixed {
		p.monoAt += core.MonoNs(p.reading())
	}
	return p.monoAt
}

func (p *Replay) wall() core.WallNs {
	p.wallAt += core.WallNs(p.reading())
	return p.wallAt
}

func (p *Replay) reading() int64 {
	if len(p.times.b) == 0 {
		p.short = true
		return 0
	}
	return p.times.varint()
}

func (p *Replay) answer(number uint64) bool { return p.yes[number] }

func (p *Replay) ends() uint64 {
	if len(p.told) == 0 {
		return 0
	}
	n := p.told[0]
	p.told = p.told[1:]
	return n
}

var errUnfit = errors.New("cannot replay: more was taken in one step than the replay's rings hold")

// offer puts what the run took in a step where the shard will take it.
func (p *Replay) offer() error {
	p.told = p.told[:0]
	f := fields{b: p.step.taken}
	for len(f.b) > 0 && f.err == nil {
		p.Inputs++
		ok := true
		switch kind := f.u8(); kind {
		case tookEvent:
			at := int(f.u16())
			if at >= len(p.Shard.markets) {
				return fmt.Errorf("cannot replay: an event of market %d, want one of %d", at, len(p.Shard.markets))
			}
			ok = p.event(&f, p.Shard.markets[at].queue)
		case tookReport:
			if slot := p.reports.Claim(); slot != nil {
				f.report(slot)
				p.reports.Publish()
			} else {
				ok = false
			}
		case tookImage:
			ok = push(p.images, f.image())
		case tookAnswer:
			ok = push(p.answers, f.answer())
		case tookCommand:
			var c Command
			f.command(&c)
			ok = push(p.commands, c)
		case tookJudgement:
			if len(p.away) == 0 || p.judged == nil {
				return errors.New("cannot replay: the run compared a book that the replay has not")
			}
			a := p.away[0]
			p.away = p.away[1:]
			a.Different = int(f.u8())
			ok = push(p.judged, a)
		case tookShed:
			at := int(f.u16())
			p.shed[at] = int(f.u32())
			if at < len(p.Shard.markets) {
				p.Shard.busy.Add(at)
			}
		case tookTurn:
			p.turn = int(f.u16())
		case tookAlert:
			var a airlock.Alert
			f.alert(&a)
			ok = p.alerts != nil && push(p.alerts, a)
		case tookEnds:
			p.told = append(p.told, f.u64())
		default:
			return fmt.Errorf("cannot read the input log: kind %d in step %d", kind, p.next)
		}
		if !ok && f.err == nil {
			return errUnfit
		}
	}
	return f.err
}

func (p *Replay) event(f *fields, q *ring.Queue) bool {
	ev, lv := q.Claim()
	if ev == nil || len(f.b) < eventBytes+4 {
		f.event(new(core.Event), nil)
		return false
	}
	if n := le.Uint32(f.b[eventBytes:]); int(n) > cap(lv) {
		return false
	}
	q.Publish(len(f.event(ev, lv)))
	return true
}

func push[T any](r *ring.Ring[T], v T) bool {
	slot := r.Claim()
	if slot == nil {
		return false
	}
	*slot = v
	r.Publish()
	return true
}

// decisionBytes is how long a decision is in the log.
var decisionBytes = len((&Decision{}).append(nil))

// Messages calls f for each message in a line of the log: several, each behind its
// length.
func Messages(line []byte, f func(msg []byte) error) error {
	for len(line) > 0 {
		n, k := binary.Uvarint(line)
		if k <= 0 || n > uint64(len(line)-k) {
			return fmt.Errorf("cannot read the input log: a message of %d bytes in %d", n, len(line))
		}
		if err := f(line[k : k+int(n)]); err != nil {
			return err
		}
		line = line[k+int(n):]
	}
	return nil
}
