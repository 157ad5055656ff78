package exec

import (
	"net"
	"sync/atomic"

	"riposte/core"
)

// wire is one connection to the venue with at most one request in flight. It is
// owned by the loop goroutine, except for dialed.
type wire struct {
	conn    net.Conn
	reader  *AnswerReader
	state   wireState
	cancels bool // reserved for cancels
	flight       // the request in flight

	idle    core.MonoNs // since when it has nothing to do
	looked  core.MonoNs // when it was last read while idle
	writeBy core.MonoNs // write deadline in force
	redial  core.MonoNs // not before
	attempt int         // dials since it last worked

	replaceAt core.MonoNs // when a spare shall take its place; 0 before it has worked

	dialed atomic.Pointer[dialed] // put by the dialing goroutine, taken by the loop
}

type dialed struct {
	conn net.Conn
	err  error
}

type wireState uint8

const (
	wireDown wireState = iota
	wireDialing
	wireFresh // connected, not proved yet
	wireIdle
	wireBusy
)

// wireError is why a wire was discarded, a one-byte error.
type wireError uint8

const (
	wireClosed    wireError = iota + 1 // by the other side
	wireJunk                           // bytes that nobody asked for
	wireTimeout                        // no answer in time
	wireWrite                          // the request was not written in full
	wireAnswer                         // the answer could not be read
	wireRefused                        // the probe was not answered with success
	wireDiscarded                      // discarded by our own decision
)

var wireText = [...]string{"", "closed by the venue", "unexpected bytes", "no answer in time", "write failed", "unreadable answer", "probe refused", "discarded"}

func (e wireError) Error() string { return "wire lost: " + wireText[e] }

// read takes what has come. done: the answer is complete. A nil error without done
// means wait.
func (w *wire) read() (done bool, got int, err error) {
	space := w.reader.Space()
	if len(space) == 0 {
		return false, 0, wireAnswer
	}
	n, rerr := w.conn.Read(space)
	if n > 0 {
		if w.state != wireBusy {
			return false, n, wireJunk
		}
		done, aerr := w.reader.Advance(n)
		if aerr != AnswerOK {
			return false, n, aerr
		}
		if done {
			return true, n, nil
		}
	}
	if rerr == nil || isTimeout(rerr) {
		return false, n, nil
	}
	return false, n, wireClosed
}

// isTimeout does without errors.As: it runs on every empty read, and what Read
// returns is not wrapped.
func isTimeout(err error) bool {
	t, ok := err.(interface{ Timeout() bool }) //nolint:errorlint // see above
	return ok && t.Timeout()
}
