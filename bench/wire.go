package bench

import "os"

// Wire is a connection in memory to a venue that answers at once: orders as
// AppendAnswer says, anything else with an empty object. One goroutine.
type Wire struct {
	quiet
	// Sent is called with each whole request when it is answered. Writing only
	// copies it, as a kernel would: what a test does with it is no part of sending.
	Sent func(req []byte)
	// Wrote is called when a request arrives, before all else; may be nil.
	Wrote  func()
	req    []byte
	due    bool // req waits for its answer
	answer []byte
	at     int
	orders int64
}

// NewWire makes a wire with nothing to read.
func NewWire(sent func(req []byte)) *Wire {
	return &Wire{Sent: sent, req: make([]byte, 0, 4096), answer: make([]byte, 0, 4096)}
}

// Write takes one whole request: a wire never has more than one in flight.
func (w *Wire) Write(p []byte) (int, error) {
	if w.Wrote != nil {
		w.Wrote()
	}
	w.req, w.due = append(w.req[:0], p...), true
	return len(p), nil
}

// Answer makes the answer to what was written last, if it has none yet. Read does
// so by itself; who measures the reading calls this before.
func (w *Wire) Answer() {
	if !w.due {
		return
	}
	w.due = false
	w.Sent(w.req)
	w.answer, w.at = w.answer[:0], 0
	if o, ok := ParseOrder(w.req); ok {
		w.orders++
		w.answer = AppendAnswer(w.answer, &o, w.orders, 1_723_161_255_000)
	} else {
		w.answer = append(w.answer, "HTTP/1.1 200 OK\r\nContent-Type: application/json;charset=UTF-8\r\nContent-Length: 2\r\n\r\n{}"...)
	}
}

// Read brings the answer, or a timeout.
func (w *Wire) Read(p []byte) (int, error) {
	w.Answer()
	if w.at == len(w.answer) {
		return 0, os.ErrDeadlineExceeded
	}
	n := copy(p, w.answer[w.at:])
	w.at += n
	return n, nil
}
