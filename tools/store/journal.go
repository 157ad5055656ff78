package store

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"

	"riposte/core"
	"riposte/core/fault"
	"riposte/core/journal"
	"riposte/exec"
)

// Journal is where one run's records go: what was about to be sent, what was heard,
// what was refused and why, who stopped trading. What is noted is in the kernel when
// the call returns, so an intent, noted before the first byte of its request leaves,
// survives the death of the process; nothing of it is synced to the platter, which only
// the loss of power would tell apart. See window.go for how that is done without a
// system call. The first error is kept: after it nothing is accepted, and so nothing is
// sent.
//
// While it is open its newest file is longer than its records, by zeros; see Reader.
//
// All methods but Close and Trouble belong to the engine's goroutine. It implements
// exec.Journal.
type Journal struct {
	folder  *Folder
	table   *core.Instruments
	clock   core.Clock
	keeper  *keeper
	win     *window
	at      int // where the next record goes in win
	buf     []byte
	seq     uint64
	first   uint64 // file in which this run began
	in      journal.Intent
	rep     journal.Report
	sent    journal.Sent
	rules   map[string]string // by symbol: as they are on record
	refused refusals
	signals signals
	err     error
}

// Session is what a run says of itself when it begins.
type Session struct {
	Version string
	Config  [32]byte
	Account string // which account at which venue
	Prefix  string // of client ids
	Limits  []journal.Limit
	Rules   []*core.Instrument // of what is traded
	// Strategies are their names by number, as exec.Past has enlisted them.
	Strategies []string
	// FileBytes is after how many bytes a file is full, 0: 64 MiB.
	FileBytes int64
}

const (
	fileBytes = 64 << 20
	fileLeast = 8 << 10
)

// Begin opens the next file and notes there what the run starts from: itself, the sums
// of files that have none yet, what numbers mean, and a checkpoint of the folder's Past,
// after which nothing before it is needed any more. All of that is synced when Begin
// returns, so nothing can be sent by a run that a loss of power could undo. The folder
// belongs to the journal from then on, also after an error.
func (f *Folder) Begin(table *core.Instruments, s *Session) (*Journal, error) {
	most := s.FileBytes
	if most == 0 {
		most = fileBytes
	}
	most = max(most, fileLeast) / fileLeast * fileLeast // windows begin at pages
	k := &keeper{dir: f.dir, disk: f.disk, chunk: min(chunkMost, most), most: most, stop: make(chan struct{})}
	j := &Journal{folder: f, table: table, clock: f.clock, keeper: k, buf: make([]byte, 0, spill), seq: f.seq, first: f.next()}
	if err := j.begin(s); err != nil {
		f.Close()
		return nil, err
	}
	return j, nil
}

// OpenJournal opens a folder and begins a run in it, whatever former runs left there.
func OpenJournal(dir string, table *core.Instruments, clock core.Clock, s *Session) (*Journal, error) {
	f, err := OpenFolder(dir, clock)
	if err != nil {
		return nil, err
	}
	return f.Begin(table, s)
}

// next is the number of the file to be made.
func (f *Folder) next() uint64 {
	if len(f.files) == 0 {
		return 1
	}
	return f.files[len(f.files)-1].number + 1
}

func (j *Journal) begin(s *Session) (err error) {
	k, f := j.keeper, j.folder
	if j.win, err = k.file(j.first); err != nil {
		return err
	}
	k.pending.Store(j.win) // a long checkpoint goes through windows before the keeper runs
	wall := j.clock.Wall()
	j.opened()
	fault.At(fault.SegmentNamed)
	j.note(&journal.SessionStart{Epoch: f.Epoch, Wall: wall, Config: s.Config, Version: s.Version, Account: s.Account, Prefix: s.Prefix})
	fault.At(fault.SessionNoted)
	for i := range f.files {
		if p := &f.files[i]; p.number > f.chained && j.err == nil {
			if err := j.sumUp(p); err != nil {
				j.err = err
			}
		}
	}
	fault.At(fault.ChainNoted)
	noteNames(j.table, j.note)
	if len(s.Strategies) > 0 {
		j.note(&journal.Strategies{Names: s.Strategies})
	}
	for i := range s.Limits {
		j.note(&s.Limits[i])
	}
	for _, in := range s.Rules {
		j.RulesSet(in)
	}
	fault.At(fault.NamesNoted)
	f.Past.Checkpoint(f.Epoch, wall, func(p journal.Payload) {
		if p, last := p.(*journal.Checkpoint); last {
			fault.At(fault.CheckpointHalf)
			j.note(p)
			return
		}
		j.note(p)
	})
	fault.At(fault.CheckpointNoted)
	if j.err == nil {
		if err := k.disk.sync(j.win.f); err != nil {
			j.err = fmt.Errorf("cannot write the journal: cannot sync its beginning: %w", err)
		}
	}
	fault.At(fault.JournalSynced)
	for i := range f.files {
		if j.err == nil {
			j.err = f.trim(&f.files[i])
		}
	}
	probe, err := os.OpenFile(probeName(f.dir), os.O_CREATE|os.O_RDWR, 0o600)
	if j.err = errors.Join(j.err, err); j.err != nil {
		j.win.unmap()
		_ = j.win.f.Close()
		return j.err
	}
	if f.still {
		return probe.Close()
	}
	k.made.Go(func() { k.run(probe) })
	return nil
}

// opened notes the head of a new file.
func (j *Journal) opened() {
	j.note(&journal.Segment{Number: j.win.number, First: j.first, Base: j.folder.base, Epoch: j.folder.Epoch, Wall: j.clock.Wall()})
}

// sumUp notes the sum of a file that a death left without one.
func (j *Journal) sumUp(p *segment) error {
	if !p.read {
		return fmt.Errorf("BUG: file %d is not read and has no sum", p.number)
	}
	j.note(&journal.Chain{Number: p.number, Bytes: p.size, Cut: p.cut, Sum: p.sum})
	return nil
}

// noteNames notes what instruments and assets the run's numbers stand for, in records
// of a size that always fits.
func noteNames(t *core.Instruments, note func(journal.Payload)) {
	const each = 100
	for i, a := 0, 0; i < len(t.List) || a < len(t.Assets); i, a = i+each, a+each {
		n := journal.Names{FirstInstrument: core.InstrumentID(min(i, len(t.List))), FirstAsset: core.AssetID(min(a, len(t.Assets)))}
		for at := i; at < min(i+each, len(t.List)); at++ {
			in := &t.List[at]
			n.Instruments = append(n.Instruments, journal.InstrumentName{Symbol: in.Symbol, Base: in.Base, Quote: in.Quote})
		}
		n.Assets = append(n.Assets, t.Assets[min(a, len(t.Assets)):min(a+each, len(t.Assets))]...)
		note(&n)
	}
}

// Name is the name of the file that is being written.
func (j *Journal) Name() string { return fileName(j.folder.dir, j.win.number) }

// Seq is the number of the record noted last.
func (j *Journal) Seq() uint64 { return j.seq }

// note puts a record into the file; what goes wrong is kept in j.err.
func (j *Journal) note(r journal.Payload) {
	if !j.room() {
		return
	}
	j.put(r)
}

// put is note where there is room for sure.
func (j *Journal) put(r journal.Payload) {
	// The record is made in memory that is in the cache, and then only stored: its
	// place in the file mostly is not, and the checksum would have to wait for it.
	j.buf = r.Append(j.buf[:0], j.seq+1)
	if len(j.buf) > spill {
		panic(fmt.Sprintf("BUG: a journal record of %d bytes, want at most %d", len(j.buf), spill))
	}
	defer j.caught(debug.SetPanicOnFault(true))
	j.at += copy(j.win.mem[j.at:], j.buf)
	j.seq++
}

// room is false after an error. It goes on to the next window when this one is full,
// and notes the sum of a file when that has been made.
func (j *Journal) room() bool {
	if j.err != nil {
		return false
	}
	k := j.keeper
	if e := k.trouble.Load(); e != nil {
		j.err = *e
		return false
	}
	if j.at >= int(k.chunk) && !j.turn() {
		return false
	}
	if c := k.chain.Load(); c != nil {
		k.chain.Store(nil)
		j.put(c)
		k.behind.Add(-1)
		fault.At(fault.RotateChained)
		return j.err == nil && (j.at < int(k.chunk) || j.turn())
	}
	return true
}

// turn goes on to the next window.
func (j *Journal) turn() bool {
	fault.At(fault.RotateBefore)
	last := j.win
	next, err := j.keeper.follow(last, last.base+int64(j.at))
	if err != nil {
		j.err = err
		return false
	}
	j.win = next
	if next.f == last.f {
		j.at -= int(j.keeper.chunk)
		return true
	}
	j.at = 0
	fault.At(fault.RotateSwitched)
	if j.folder.base < j.first { // this run's checkpoint is complete
		j.folder.base = j.first
	}
	j.put(&journal.Segment{Number: next.number, First: j.first, Base: j.folder.base, Epoch: j.folder.Epoch, Wall: j.clock.Wall()})
	return j.err == nil
}

// caught ends a copy. A fault means that the file could not take the bytes: the
// device failed, or somebody cut the file short. A record that is not whole is as good
// as none: the reader cuts such a tail.
func (j *Journal) caught(before bool) {
	debug.SetPanicOnFault(before)
	switch e := recover().(type) {
	case nil:
	case interface {
		error
		Addr() uintptr
	}:
		j.err = fmt.Errorf("cannot write the journal: the file does not take a record at %d: %w", j.win.base+int64(j.at), e)
	default:
		panic(e)
	}
}

// Sent records a request that is about to be written.
func (j *Journal) Sent(r *exec.SentRecord) error {
	in := &r.Intent
	fault.At(fault.IntentBefore)
	j.in = journal.Intent{Kind: in.Kind, Side: in.Side, Type: in.Type, TIF: in.TIF, Strategy: in.Strategy, Order: in.ID,
		Input: r.Input, Price: in.Price, Qty: in.Qty, Wall: r.Stamp, Client: r.Client, Symbol: j.table.Get(in.Instrument).Symbol,
		VenueID: r.VenueID, Window: r.Window, Stop: in.Stop, Iceberg: in.Iceberg, Old: in.Old, LifeUs: in.LifeUs, Trail: in.Trail,
		STP: in.STP, Route: uint8(r.Path), Presigned: r.Presigned}
	j.note(&j.in)
	fault.At(fault.IntentNoted)
	return j.err
}

// UnsentReasons is where the gateway's reasons begin among the codes of refusals; the
// gate's are below.
const UnsentReasons = 1000

// Unsent records that no byte of a recorded request left: the reason, and a report that
// says so.
func (j *Journal) Unsent(r *exec.SentRecord, why exec.Refusal) {
	j.refuse(&r.Intent, UnsentReasons+uint16(why), why.String(), r.Input, nil)
	rep := core.Report{Kind: core.ReportDone, Status: core.NotSent, Side: r.Intent.Side, Instrument: r.Intent.Instrument,
		FeeAsset: core.NoAsset, Strategy: r.Intent.Strategy, ID: r.Intent.ID}
	j.Reported(&rep)
}

// Reported records what became known of an order. An error is kept, and the next Sent
// tells.
func (j *Journal) Reported(r *core.Report) {
	fault.At(fault.ReportBefore)
	j.rep = journal.Report{Wall: j.clock.Wall(), Report: *r}
	j.note(&j.rep)
	fault.At(fault.ReportNoted)
}

// Err is the error that ended the journal, nil while it is whole.
func (j *Journal) Err() error {
	if j.err == nil {
		return j.Trouble()
	}
	return j.err
}

// Trouble is what went wrong behind the writer's back, nil if nothing has. Any
// goroutine.
func (j *Journal) Trouble() error {
	if e := j.keeper.trouble.Load(); e != nil {
		return *e
	}
	return nil
}

var errClosed = errors.New("cannot write the journal: it is closed")

// Close writes how the run ended, cuts the file behind it, syncs and closes it, and
// gives the folder back. It returns the first error there was. Nothing is accepted
// afterwards.
func (j *Journal) Close(clean bool, text string) error {
	if j.win == nil {
		return j.err
	}
	j.refused.flush(j, 1<<62)
	end := journal.SessionEnd{Clean: clean, Wall: j.clock.Wall(), Text: text}
	j.note(&end)
	fault.At(fault.EndNoted)
	err := j.err
	if e := j.keeper.end(j.win, j.win.base+int64(j.at)); err == nil && e != nil {
		err = fmt.Errorf("cannot close the journal: %w", e)
	}
	j.win = nil
	j.folder.Close()
	if j.err == nil {
		j.err = errClosed
	}
	return err
}
