package feed

import (
	"time"

	"riposte/core"
)

// Result is what a frame turned out to be. On anything but Decoded the event and
// levels lent to a codec hold nothing of meaning.
type Result uint8

// The results.
const (
	Decoded       Result = iota
	Control              // the reply to a request of ours: see Codec.Reply
	Shutdown             // the venue will close this connection: reconnect at once
	Many                 // an array of events: walk it with Codec.NextOf
	Ignored              // legal, but no event we know
	UnknownSymbol        // an event of an instrument that is not in the table
	Malformed            // unreadable, or an event with a missing or unreadable field
	Full                 // the event is sound but its levels do not fit
	Results              // how many there are
)

var resultText = [...]string{"decoded", "control", "shutdown", "many", "ignored", "unknown symbol", "malformed", "full"}

func (r Result) String() string { return resultText[r] }

// Route is what a cheap look at a frame's beginning tells: whose it is, so that
// the event can be decoded straight into that instrument's queue. All but the
// instrument is the codec's own.
type Route struct {
	Instrument core.InstrumentID // NoInstrument: only decoding will tell
	Hint       uint16
	At         int32
}

// Reply is the answer to a request on a market socket. The slices are valid
// until the next frame is decoded.
type Reply struct {
	ID     int64  // where HasID
	HasID  bool   // the id was an integer; ours always are
	OK     bool   // no error
	Code   int32  // of the error, 0 if it told none
	Msg    []byte // of the error
	Result []byte // text of the result, nil if there was none
}

// Codec reads and writes one market connection's frames in a venue's dialect.
// One per connection; only its session's loop calls it. Nothing it does
// allocates, once warm, except a request that is appended to a short dst.
type Codec interface {
	// Route looks at a frame.
	Route(frame []byte) Route
	// DecodeRouted fills ev except for Recv, Line and DecodeNs and writes the
	// event's levels to lv[:n] within cap(lv).
	DecodeRouted(frame []byte, r Route, ev *core.Event, lv []core.Level) (n int, res Result)
	// NextOf gives the events of a frame that was Many, one after the other.
	NextOf(frame []byte, ev *core.Event, lv []core.Level) (n int, res Result, more bool)
	// Reply is what the last Control frame said.
	Reply() *Reply
	// AppendSubscribe appends the request for some streams.
	AppendSubscribe(dst []byte, id int64, streams []string) []byte
	// AppendUnsubscribe appends the request to end some streams.
	AppendUnsubscribe(dst []byte, id int64, streams []string) []byte
	// AppendList appends the request for the list of the streams in force. The reply's
	// Result is a JSON array of names.
	AppendList(dst []byte, id int64) []byte
}

// UserKind is what a frame of an account's connection turned out to be.
type UserKind uint8

// The kinds.
const (
	UserExecution     UserKind = iota // Execution is set
	UserBalances                      // Balances and Time are set
	UserDelta                         // a deposit, withdrawal or transfer: Delta and Time are set
	UserReplied                       // the answer to a request of ours: Reply is set
	UserTerminated                    // this subscription is over: subscribe again
	UserShutdown                      // the venue will close this connection: reconnect at once
	UserIgnored                       // legal, but nothing that changes an order or a balance
	UserUnknownSymbol                 // an execution of an instrument that is not in the table
	UserMalformed                     // unreadable, or an event with a missing or unreadable field
	UserKinds                         // how many there are
)

// UserEvent is what one frame of an account's connection said; its kind tells
// which parts are set. It belongs to the codec and is valid until the next
// frame.
type UserEvent struct {
	Execution core.Execution // all but Recv
	Balances  []core.Balance
	Delta     core.Balance // Free is what was added, negative if taken
	Time      core.WallNs
	Reply     UserReply
}

// UserReply is a reply on an account's connection: status by HTTP's meanings,
// where 5xx means that the outcome is unknown.
type UserReply struct {
	ID           int64
	HasID        bool // false for a null or textual id: a failure of the connection as a whole
	Status       int
	Code         int32         // of the error, else 0
	Msg          []byte        // of the error
	RetryAfter   time.Duration // of a 429 or 418: how long to be silent, by the venue's own clock; 0: it did not say
	Subscription int64         // id of the subscription made, -1 if none
	Limits       []LimitUse    // what the request touched
}

// RateLimit is one budget of the venue: Limit per IntervalNum Intervals.
type RateLimit struct {
	Type        string // REQUEST_WEIGHT, ORDERS, RAW_REQUESTS, CONNECTIONS
	Interval    string // SECOND, MINUTE, HOUR, DAY
	IntervalNum int
	Limit       int
}

// LimitUse is a budget and how much of it is used.
type LimitUse struct {
	RateLimit
	Count int
}

// UserCodec reads one account connection's frames. One per connection.
type UserCodec interface {
	Decode(frame []byte) (*UserEvent, UserKind)
	// KeyRefused reports whether a reply's error code says that the key or its
	// signature is refused, which no retry can mend.
	KeyRefused(code int32) bool
	// ClockRefused reports whether the code says that our time is off.
	ClockRefused(code int32) bool
}
