package ring

import "sync/atomic"

// Mailbox carries the newest value of T from one goroutine to one other: a
// status, a set of figures. The writer never waits, the reader always gets a
// whole value, and values it was too slow for are gone.
//
// Three buffers go round: one is the writer's draft, one the reader holds, one
// lies in the middle. Posting swaps draft and middle, reading swaps held and
// middle if the middle is newer; each swap is one atomic exchange, so the three
// never meet.
//
// Draft and Post belong to the writing goroutine, Latest to the reading one.
type Mailbox[T any] struct {
	buf [3]struct {
		v T
		_ pad
	}
	_      pad
	draft  uint32 // writer's buffer
	_      pad
	held   uint32 // reader's buffer
	_      pad
	middle atomic.Uint32 // buffer in the middle, with unread set if it is newer than held
	_      pad
}

const unread = 4

// NewMailbox makes a mailbox that holds T's zero value, already read.
func NewMailbox[T any]() *Mailbox[T] {
	m := &Mailbox[T]{draft: 0, held: 1}
	m.middle.Store(2)
	return m
}

// Draft is the buffer to fill before Post. It holds an older value, not the one
// posted last: write all of it. Writer only.
func (m *Mailbox[T]) Draft() *T { return &m.buf[m.draft].v }

// Post makes the draft the newest value. Writer only.
func (m *Mailbox[T]) Post() { m.draft = m.middle.Swap(m.draft|unread) &^ unread }

// Latest is the newest value posted and whether it is one not returned before.
// It is valid until the next call. Reader only.
func (m *Mailbox[T]) Latest() (v *T, fresh bool) {
	if m.middle.Load()&unread != 0 {
		m.held = m.middle.Swap(m.held) &^ unread
		fresh = true
	}
	return &m.buf[m.held].v, fresh
}
