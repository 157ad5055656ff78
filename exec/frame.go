package exec

import (
	"context"
	"time"

	"riposte/core"
)

// FrameConn is a connection of whole messages, such as a WebSocket. One goroutine uses
// it. None of its calls waits.
type FrameConn interface {
	// Next is the next message, nil while there is none. It is valid until the
	// following call. An error is final.
	Next() ([]byte, error)
	// Send writes one message, whole. It neither changes nor keeps p. After an error,
	// which is final, any part of it may have left.
	Send(p []byte) error
	// Ping asks the other side for a sign of life, below the messages.
	Ping() error
	// Heard rises whenever bytes have come, of whatever kind.
	Heard() uint64
	// SetWriteDeadline bounds the writes that follow.
	SetWriteDeadline(t time.Time) error
	// Close says goodbye and closes.
	Close() error
}

// DialFrames opens a connection of frames. A *CallError with a RetryAfter says that the
// venue does not want another before that.
type DialFrames func(ctx context.Context) (FrameConn, error)

// Envelope is what a request on a session carries beside what it asks for.
type Envelope struct {
	ID       int64 // echoed in the answer, at least 1e12 and below 1e13
	LoggedOn bool  // the session is authenticated: no signature is needed
}

// FrameKind is what a message from the venue is.
type FrameKind uint8

// The kinds of message.
const (
	FrameJunk     FrameKind = iota // cannot be understood, or answers nobody can say what
	FrameAnswer                    // to the request with that id
	FrameShutdown                  // the venue is about to close the connection
	FrameRevoked                   // the key of the session is no longer valid
	FrameEvent                     // nothing that was asked for
)

// FrameCodec is a venue's dialect on sessions of frames. All methods are called from the
// loop goroutine and allocate nothing in steady state; see Codec.
type FrameCodec interface {
	// Logon lays out the request that authenticates a session; false where the key is of
	// a kind that cannot: then each request is signed.
	Logon(id int64, now core.WallNs, r *Request) bool
	// Place is a new order under a client id of its own; see Codec.Place.
	Place(in *core.Intent, born, now core.WallNs, env Envelope, r *Request) EncodeError
	// Cancel is the cancel of an order, by venue id if known.
	Cancel(o *Order, now core.WallNs, env Envelope, r *Request) EncodeError
	// Status asks for the state of an order.
	Status(o *Order, now core.WallNs, env Envelope, r *Request) EncodeError
	// Probe is a request without effect that proves a session.
	Probe(env Envelope, r *Request)
	// Open looks at a message and says what it is and, of an answer, to which request.
	Open(msg []byte) (FrameKind, int64)
	// Answer reads the message last opened, an answer to a request of that kind about o.
	Answer(kind RequestKind, o *Order, v *Verdict)
}
