package exec

import (
	"context"
	"fmt"
	"net"
	"time"

	"riposte/core"
	"riposte/core/risk"
)

// Dial opens a connection to the host of rawURL (http or https; https does the TLS
// handshake and verifies the certificate). The connection's Read with a past
// deadline must return what is there, or at once an error with Timeout() true.
type Dial func(ctx context.Context, rawURL string) (net.Conn, error)

// RequestKind is what a request in flight on a wire is for.
type RequestKind uint8

// The kinds of request.
const (
	RequestProbe RequestKind = iota // a cheap call that proves the wire
	RequestPlace
	RequestCancel
	RequestStatus // what has become of an order
	RequestLogon  // authenticates a session
	RequestReplace
	RequestAmend
)

// places reports whether the request can create an order.
func (k RequestKind) places() bool { return k == RequestPlace || k == RequestReplace }

// Class is what an answer, or its absence, says about the request.
type Class uint8

// The classes. Unknown is the zero value on purpose: what nobody classified may
// have been done.
const (
	ClassUnknown  Class = iota // it may or may not have been done
	ClassAccepted              // the venue did it
	ClassRefused               // the venue did not do it and said why
	ClassLimited               // as Refused, for reasons of rate: send nothing until told
)

var classText = [...]string{"unknown", "accepted", "refused", "limited"}

func (c Class) String() string { return classText[c] }

// Request is one encoded request. Bytes is the Codec's memory, whole and signed,
// valid until the Codec's next call; the very slice that was signed is sent.
type Request struct {
	Bytes     []byte
	Client    core.ClientID // the order's id (Place: made for it)
	Seq       uint64        // the sequence inside Client
	Stamp     core.WallNs   // the venue time that was signed
	Window    time.Duration // how long after Stamp the venue may act on it
	Presigned bool          // it had been signed ahead
}

// Verdict is what an answer said. Execs and Msg are the Codec's memory, valid
// until its next call. Counts are -1 where the answer did not tell.
type Verdict struct {
	Class       Class
	Code        int32 // the venue's error code, 0 if none
	Msg         []byte
	Execs       []core.Execution
	Weight      int32 // used in this minute, by the venue's count
	OrdersShort int32 // unfilled orders in the venue's short window
	OrdersDay   int32
	Lockout     bool          // the venue demands silence, whatever the class
	RetryAfter  time.Duration // Lockout: how long, 0 if not told
	ClockOff    bool          // the venue found our timestamp outside its window
	KeyRefused  bool          // the venue refuses the key itself
	OrderLimit  bool          // Lockout is for new orders only: cancels may go on
	Duplicate   bool          // the venue says an order with this id is open
	GoneOrder   bool          // cancel, amend: the venue knows no such working order

	// Replace only; the rest is about the new order.
	Untried bool // the new order was not attempted, because the old one did not end
	Old     Half
}

// Half is what an answer said of the cancel inside a replace.
type Half struct {
	Class Class
	Code  int32
	Gone  bool // the venue knows no such working order
}

// Codec is a venue's dialect. All methods are called from the loop goroutine,
// allocate nothing in steady state, and return an EncodeError instead of bytes
// that the venue could misread.
type Codec interface {
	// Place lays out and signs a new order under a client id of its own. born is when
	// it was decided, by the venue's clock: the venue may act on it until born and its
	// life (Intent.LifeUs, or else the configured window), and not a moment longer.
	Place(in *core.Intent, born, now core.WallNs, r *Request) EncodeError
	// Cancel lays out and signs the cancel of an order, by venue id if known.
	Cancel(o *Order, now core.WallNs, r *Request) EncodeError
	// Replace lays out and signs the end of old and, if that succeeds, a new order, in
	// one request; see Place.
	Replace(in *core.Intent, old *Order, born, now core.WallNs, r *Request) EncodeError
	// Amend lays out and signs that an order is to be of qty in all, less than now. Its
	// client id stays.
	Amend(o *Order, qty core.Qty, now core.WallNs, r *Request) EncodeError
	// Probe is a request without effect that proves a wire works.
	Probe(r *Request)
	// Answer reads an answer to a request of that kind; o is the order it was
	// about (nil for a probe), and an answer about any other is ClassUnknown.
	Answer(kind RequestKind, o *Order, a *Answer, v *Verdict)
	// AnswerReplace reads the answer to a replace of old by o: what became of each, on
	// its own.
	AnswerReplace(o, old *Order, a *Answer, v *Verdict)
	// Hint tells where the market is, for signing ahead: each side's touch and the
	// levels behind it, as many as are at hand; the book may be behind the touch, and
	// prices may come twice. A side without any stays where it was.
	Hint(id core.InstrumentID, bids, asks []core.Level)
	// Idle does one small piece of signing ahead; 0 when there was nothing to do.
	Idle(now core.WallNs) int
}

// HintDepth is how many levels of a side are worth a Hint, the touch among them.
const HintDepth = 10

// EncodeError is why an intent could not be laid out, a one-byte error.
type EncodeError uint8

// The encode errors. EncodeOK is the absence of one.
const (
	EncodeOK EncodeError = iota
	EncodeInstrument
	EncodeType
	EncodeNumber
	EncodeNoKey
	EncodeLate // its life was over before it could be signed
)

var encodeText = [...]string{"ok", "instrument has no template", "order type is not supported", "a number is missing, not positive or does not belong to its type", "no key is loaded", "its life is over"}

func (e EncodeError) Error() string { return "cannot encode request: " + encodeText[e] }

// Journal keeps what was about to be sent. Sent is called on the loop goroutine
// after the request is complete and before its first byte leaves; when it returns
// an error nothing is sent and the order ends as NotSent. Unsent says that no
// byte of that request left after all, and why.
type Journal interface {
	Sent(r *SentRecord) error
	Unsent(r *SentRecord, why Refusal)
	// Written notes that all of a request about a new order or an amend has left, and what
	// it came of.
	Written(r *WrittenRecord)
	// Reported notes what became known of an order, before anybody acts on it.
	Reported(r *core.Report)
	// Adopted tells of an order that the table holds from now on although this run did
	// not send it; a fill of it may be noted right after.
	Adopted(o *Order)
	// Ahead tells what the venue has said of an order ahead of its fills: that it is over,
	// or that more has traded than the known ones add up to. Reported follows with the fills.
	Ahead(o *Order)
	// Opened tells the balances that the ledger opens with; they count once the audit
	// that brought them has been told.
	Opened(bs []core.Balance)
	// Moved tells of a change of what we own that no trade of ours has made.
	Moved(asset core.AssetID, delta, owned core.Amount, why string)
	// Audited tells what a comparison with the venue found, and how far trades are
	// read now. All its corrections have been made.
	Audited(diffs []Difference, settled bool, marks []TradeMark)
}

// SentRecord is the journal's view of a request. Fixed size; valid during the call.
type SentRecord struct {
	Kind      RequestKind
	Intent    core.Intent
	Client    core.ClientID
	VenueID   int64 // of the order that a cancel, an amend or a replace is about
	Stamp     core.WallNs
	Window    time.Duration
	At        core.MonoNs
	Input     uint64 // number of the engine input that led to it
	Presigned bool
	Path      Path // the route it takes, and why
}

// WrittenRecord is the journal's view of a request that has left. Valid during the call.
type WrittenRecord struct {
	Kind             core.IntentKind
	Approved         *risk.Approved
	Stamp            core.WallNs // as signed
	Encoded, Written core.MonoNs
	Bytes            int
	Routes           [routes]uint32 // what an order is expected to take by each, in microseconds; 0: not known
}

// NoJournal keeps nothing: for tools and tests that have no store.
type NoJournal struct{}

// Sent accepts everything.
func (NoJournal) Sent(*SentRecord) error { return nil }

// Unsent does nothing.
func (NoJournal) Unsent(*SentRecord, Refusal) {}

// Written does nothing.
func (NoJournal) Written(*WrittenRecord) {}

// Reported does nothing.
func (NoJournal) Reported(*core.Report) {}

// Adopted does nothing.
func (NoJournal) Adopted(*Order) {}

// Ahead does nothing.
func (NoJournal) Ahead(*Order) {}

// Opened does nothing.
func (NoJournal) Opened([]core.Balance) {}

// Moved does nothing.
func (NoJournal) Moved(core.AssetID, core.Amount, core.Amount, string) {}

// Audited does nothing.
func (NoJournal) Audited([]Difference, bool, []TradeMark) {}

// Venue is the cold, slow way to ask: REST calls that may take seconds and
// allocate. It is called from goroutines of the Gateway's own making, several at a
// time. Errors are *CallError.
type Venue interface {
	// Order is the state of one order by its client id, or by venue id if that
	// is not 0. A *CallError with NoSuchOrder set is no proof that it never was.
	Order(ctx context.Context, id core.InstrumentID, client core.ClientID, venueID int64) (core.Execution, error)
	// OrderTrades are the fills of one order.
	OrderTrades(ctx context.Context, id core.InstrumentID, venueID int64) ([]core.Execution, error)
	// TradesFrom are the account's fills from trade id from on, all pages, oldest
	// first. from < 0 returns only the newest one.
	TradesFrom(ctx context.Context, id core.InstrumentID, from int64) ([]core.Execution, error)
	// TradesSince are the account's fills of an instrument since a venue time, all
	// pages, oldest first.
	TradesSince(ctx context.Context, id core.InstrumentID, since core.WallNs) ([]core.Execution, error)
	// OpenOrders are all working orders of the account, ours or not. Orders on
	// instruments outside the table have NoInstrument.
	OpenOrders(ctx context.Context) ([]core.Execution, error)
	// OpenOrdersOf are those of one instrument.
	OpenOrdersOf(ctx context.Context, id core.InstrumentID) ([]core.Execution, error)
	// HistoryFrom are the account's orders of an instrument, working or ended, from the
	// venue's id on, all pages. With an error comes what was read before it.
	HistoryFrom(ctx context.Context, id core.InstrumentID, venueID int64) ([]core.Execution, error)
	// HistorySince are those made since a venue time, all pages.
	HistorySince(ctx context.Context, id core.InstrumentID, since core.WallNs) ([]core.Execution, error)
	// Balances are all assets of the account that are in the table.
	// at is the account's last update in the answer, in milliseconds; 0: not told.
	Balances(ctx context.Context) (bs []core.Balance, at core.WallNs, err error)
	// SyncClock measures the venue's time anew.
	SyncClock(ctx context.Context) error
}

// CallError is why a cold call failed.
type CallError struct {
	Op          string // "GET /api/v3/order"; never holds parameters
	Class       Class
	Status      int // HTTP status, 0 if none was received
	Code        int // the venue's error code, 0 if none
	Msg         string
	RetryAfter  time.Duration
	NoSuchOrder bool
	KeyRefused  bool  // the venue refuses the key itself
	Err         error // transport or parse error, if that was it
}

func (e *CallError) Error() string {
	switch {
	case e.Code != 0:
		return fmt.Sprintf("cannot %s: %s: venue says %d %s (HTTP %d)", e.Op, e.Class, e.Code, e.Msg, e.Status)
	case e.Err != nil && e.Status != 0:
		return fmt.Sprintf("cannot %s: %s: HTTP %d: %v", e.Op, e.Class, e.Status, e.Err)
	case e.Err != nil:
		return fmt.Sprintf("cannot %s: %s: %v", e.Op, e.Class, e.Err)
	}
	return fmt.Sprintf("cannot %s: %s: HTTP %d %s", e.Op, e.Class, e.Status, e.Msg)
}

// Unwrap is the transport or parse error.
func (e *CallError) Unwrap() error { return e.Err }
