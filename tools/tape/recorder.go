package tape

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"riposte/core"
	"riposte/core/ring"
)

// RecorderConfig is a recorder's.
type RecorderConfig struct {
	Dir   string // made if it does not exist
	Clock core.Clock
	Meta  Meta
	// Room is how many bytes of frames may wait to be written, a power of two; 0: 16 MiB.
	Room int
	// FileMost is after how many bytes the next file begins; 0: 1 GiB.
	FileMost int64
	// FlushEvery is how much a process that dies may lose; 0: 1 s.
	FlushEvery time.Duration
	// RetryEvery is how long after trouble with the disk it is tried again; 0: 5 s.
	RetryEvery time.Duration
	// Inputs makes it a recorder of an input log instead: it reads the messages that an
	// engine puts there, and Frame must not be called. Begin is what the run began with.
	Inputs *ring.Bytes
	Begin  []byte
	// Create opens a file that must not exist yet; nil: os.OpenFile.
	Create func(name string) (io.WriteCloser, error)
}

// RecorderStatus is a recorder as seen from outside.
type RecorderStatus struct {
	Lines, Bytes, Files uint64 // written
	Lost                uint64 // frames not taken: no room, or no disk
	Waiting             int    // bytes
	Trouble             string // what the disk says now, "" if all is well
}

// Recorder writes everything that comes from a venue to files, behind those who act on
// it: whoever brings a frame copies it into memory and goes on; what the disk does
// shows in Status and never delays anyone.
//
// Frame belongs to one goroutine, REST and Status to any.
type Recorder struct {
	cfg    RecorderConfig
	frames *ring.Bytes
	cold   chan coldLine
	quit   chan struct{}
	done   chan struct{}
	err    error // of the end, for Close

	lost                atomic.Uint64
	lines, bytes, files atomic.Uint64
	trouble             atomic.Pointer[string]
	closeOnce           sync.Once

	// The writing goroutine's.
	file    io.WriteCloser
	w       *Writer
	began   uint64 // bytes written when this file began
	number  int
	told    uint64 // frames lost that the recording knows of
	safe    uint64 // of them, told in blocks that have left
	notes   int    // ours in the block being filled
	retryAt time.Time
	held    *coldLine
	line    []byte   // of messages
	rules   []string // in force, for the next file's beginning
	ruleOf  map[string]int
}

// coldLine is the body of a REST answer or what the recorder itself has to say, which do
// not come by the ring.
type coldLine struct {
	at      core.WallNs
	rest    string
	note    string // kind of a note, "" for a body
	payload []byte
	rules   []Rules // instead of a payload
}

const (
	frameHead  = 16 // receive time, connection
	coldRoom   = 1024
	writeEvery = 20 * time.Millisecond
)

// NewRecorder makes the folder and the first file, so that what cannot work is told at
// the start.
func NewRecorder(cfg RecorderConfig) (*Recorder, error) {
	if cfg.Dir == "" || cfg.Clock == nil {
		return nil, errors.New("cannot record: want a folder and a clock")
	}
	if cfg.Room == 0 {
		cfg.Room = 16 << 20
	}
	if cfg.FileMost == 0 {
		cfg.FileMost = 1 << 30
	}
	if cfg.FlushEvery == 0 {
		cfg.FlushEvery = time.Second
	}
	if cfg.RetryEvery == 0 {
		cfg.RetryEvery = 5 * time.Second
	}
	if cfg.Create == nil {
		cfg.Create = func(name string) (io.WriteCloser, error) {
			return os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		}
	}
	if err := os.MkdirAll(cfg.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("cannot record: %w", err)
	}
	cfg.Meta.Recording = 1
	if cfg.Meta.Session == "" {
		cfg.Meta.Session = time.Unix(0, int64(cfg.Clock.Wall())).UTC().Format("20060102T150405.000Z")
	}
	frames := cfg.Inputs
	if frames == nil {
		frames = ring.NewBytes(cfg.Room)
	}
	r := &Recorder{cfg: cfg, frames: frames, cold: make(chan coldLine, coldRoom),
		quit: make(chan struct{}), done: make(chan struct{}), ruleOf: map[string]int{}}
	if err := r.next(); err != nil {
		return nil, fmt.Errorf("cannot record: %w", err)
	}
	if cfg.Inputs != nil {
		if err := r.begin(); err != nil {
			return nil, errors.Join(fmt.Errorf("cannot record: %w", err), r.file.Close())
		}
	}
	go r.work()
	return r, nil
}

// Frame takes one frame as it came: line is its connection, at when its bytes had been
// read. It copies and returns; a frame that finds no room is lost, counted, and told in
// the recording.
func (r *Recorder) Frame(line uint8, at core.MonoNs, payload []byte) {
	if len(payload)+frameHead > r.frames.Most() {
		r.lost.Add(1)
		return
	}
	room := r.frames.Claim(frameHead + len(payload))
	if room == nil {
		r.lost.Add(1)
		return
	}
	binary.NativeEndian.PutUint64(room, uint64(at))
	room[8] = line
	copy(room[frameHead:], payload)
	r.frames.Publish()
}

// REST takes the body that a GET was answered with just now. The body is kept and must
// not change afterwards.
func (r *Recorder) REST(pathQuery string, body []byte) {
	r.put(coldLine{rest: pathQuery, payload: body})
}

// Gap tells of something that no connection brought, or one did not. Any goroutine.
func (r *Recorder) Gap(g Gap) {
	if text, err := json.Marshal(g); err == nil { // numbers and texts: it cannot fail
		r.put(coldLine{note: NoteGap, payload: text})
	}
}

// Rules tells of the rules that hold for some symbols from now on. Those that the
// recording has already are not written again, but at the beginning of each file. Any
// goroutine; the list is kept and must not change afterwards.
func (r *Recorder) Rules(list []Rules) { r.put(coldLine{note: NoteRules, rules: list}) }

func (r *Recorder) put(l coldLine) {
	l.at = r.cfg.Clock.Wall()
	select {
	case r.cold <- l:
	default:
		r.lost.Add(1)
	}
}

// Status is how it stands.
func (r *Recorder) Status() RecorderStatus {
	s := RecorderStatus{Lines: r.lines.Load(), Bytes: r.bytes.Load(), Files: r.files.Load(), Lost: r.lost.Load(), Waiting: r.frames.Len()}
	if t := r.trouble.Load(); t != nil {
		s.Trouble = *t
	}
	return s
}

// Close writes what waits and ends. Whoever brings frames must have stopped.
func (r *Recorder) Close() error {
	r.closeOnce.Do(func() { close(r.quit) })
	<-r.done
	return r.err
}
