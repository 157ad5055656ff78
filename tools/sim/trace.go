package sim

import (
	"fmt"
	"hash/fnv"
	"math/bits"
	"strings"
	"time"
)

// hash is a running digest of a world: all messages, all deliveries, all that was noted,
// with their times.
type hash uint64

func (h *hash) word(v uint64) {
	*h = hash(bits.RotateLeft64(uint64(*h)^v, 29) * 0x9e3779b97f4a7c15)
}

func (h *hash) bytes(b []byte) {
	h.word(uint64(len(b)))
	for ; len(b) >= 8; b = b[8:] {
		h.word(uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 | uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56)
	}
	var last uint64
	for i, c := range b {
		last |= uint64(c) << (8 * i)
	}
	h.word(last)
}

func textHash(s string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s))
	return h.Sum64()
}

// traceLines is how much of the past a trace remembers, traceText how much of a message.
const (
	traceLines = 4000
	traceText  = 300
)

// Trace remembers the last things that happened, for people.
type Trace struct {
	lines []line
	next  int
	All   func(string) // gets every line as it comes, if set
	Deep  bool         // each piece too: to find where two runs part
}

type line struct {
	at   time.Duration
	text string
}

func newTrace() *Trace { return &Trace{lines: make([]line, 0, traceLines)} }

// Add notes a line.
func (t *Trace) Add(at time.Duration, format string, args ...any) {
	l := line{at, fmt.Sprintf(format, args...)}
	if t.All != nil {
		t.All(l.String())
	}
	if len(t.lines) < traceLines {
		t.lines = append(t.lines, l)
		return
	}
	t.lines[t.next] = l
	t.next = (t.next + 1) % traceLines
}

func (l *line) String() string {
	return fmt.Sprintf("%12.6f  %s", l.at.Seconds(), l.text)
}

// Last is the last n lines, oldest first.
func (t *Trace) Last(n int) string {
	all := append(t.lines[t.next:len(t.lines):len(t.lines)], t.lines[:t.next]...)
	var b strings.Builder
	for i := max(0, len(all)-n); i < len(all); i++ {
		b.WriteString(all[i].String())
		b.WriteByte('\n')
	}
	return b.String()
}

// Hash is the digest so far.
func (w *World) Hash() uint64 { return uint64(w.hash) }

// Digest takes more into the digest: what a run leaves behind beside its messages.
func (w *World) Digest(what string, b []byte) {
	w.hash.bytes([]byte(what))
	w.hash.bytes(b)
}

// Note is a line for the trace that also goes into the digest.
func (w *World) Note(format string, args ...any) {
	w.Trace.Add(w.Now(), format, args...)
	w.hash.word(uint64(w.Now()))
	w.hash.bytes(fmt.Appendf(nil, format, args...))
}

// sent takes what an end has handed to the network.
func (w *World) sent(l *Link, up bool, s *segment) {
	dir := 0
	if up {
		dir = 1
	}
	now := w.Now()
	w.hash.word(uint64(now))
	w.hash.word(uint64(l.Number)<<8 | uint64(dir)<<4 | uint64(s.kind))
	if w.Trace.Deep {
		w.Trace.Add(now, "%s %s leaves: %d bytes, kind %d, at %d", l, arrow(up), len(s.b), s.kind, now)
	}
	if s.kind != segData {
		w.Trace.Add(now, "%s %s %s", l, arrow(up), [...]string{"", "end", "reset"}[s.kind])
		return
	}
	l.seen[dir].feed(s.b, func(m *Message) {
		m.At, m.Link, m.Up = now, l, up
		w.hash.word(uint64(m.Kind)<<32 | uint64(m.Status))
		w.hash.bytes([]byte(m.Path))
		w.hash.bytes(m.Query)
		w.hash.bytes(m.Body)
		w.show(m)
		for _, c := range w.checkers {
			c.Message(m)
		}
	})
}

func (w *World) show(m *Message) {
	if m.Kind == Ping || m.Kind == Pong {
		return
	}
	if w.Trace.All == nil && m.Link.Kind == Stream && m.Kind == Text && !m.Up {
		return // far more than all else; the times of deliveries are in the digest
	}
	text := ""
	switch m.Kind {
	case Request:
		text = fmt.Sprintf("%s %s?%.*s", m.Method, m.Path, traceText, m.Query)
	case Answer:
		text = fmt.Sprintf("%d", m.Status)
	}
	w.Trace.Add(m.At, "%s %s %s %s %.*s", m.Link, arrow(m.Up), m.Kind, text, traceText, m.Body)
}

func arrow(up bool) string {
	if up {
		return "->"
	}
	return "<-"
}

// arrived hands a piece over and notes that.
func (w *World) arrived(p *pipe, s *segment) {
	w.hash.word(uint64(w.Now()))
	if w.Trace.Deep {
		w.Trace.Add(w.Now(), "%s %s arrives: %d bytes, kind %d, at %d", p.link, arrow(p.up), len(s.b), s.kind, w.Now())
	}
	w.hash.word(uint64(p.rank())<<32 | uint64(s.kind)<<30 | uint64(len(s.b)))
	p.take(s)
}
