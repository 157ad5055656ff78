package oracle

// A Fact is something that happened, with the virtual time in nanoseconds. The order in
// which facts are shown is the order in which they happened. Times of the venue are told
// by the venue's clock where a field says so.
type Fact struct {
	At   int64
	What any // one of the types below
}

// What happened on the engine's connections. Dialed, Read, Wrote and Closed are bytes as
// the engine moved them; the rest is made of those.
type (
	// Dialed is a connection that came about. Role is what it is for: "market", "orders"
	// (by HTTP), "api" (by frames: orders, and the account's stream), "cold".
	Dialed struct {
		Conn int
		Role string
	}
	// Tried is an attempt to make a connection, whatever comes of it.
	Tried struct{ Role string }
	// Read are bytes that the engine has just taken from a connection.
	// All of B left the venue at Left; 0: nobody knows.
	Read struct {
		Conn int
		B    []byte
		Left int64
	}
	// Wrote are bytes that the engine has just given to a connection.
	Wrote struct {
		Conn int
		B    []byte
	}
	// Closed is a connection that has ended: by the engine, or because it read its end.
	Closed struct{ Conn int }
)

// What requests and messages said.
type (
	// Begun is the first byte of a request that creates an order; the rest may follow later.
	Begun struct {
		Conn int
		B    []byte // what has been written of it so far
	}
	// Request is a whole request of the engine; it is shown as a *Request.
	Request struct {
		Conn   int
		ID     string // of frames
		Method string // of HTTP, or of the WebSocket API
		Path   string
		Key    bool // it carries a key
		Args   map[string]string
		// Streams are those that a request on a market connection names.
		Streams []string
		at      int64
	}
	// Reply is the answer to the request For, on its connection.
	Reply struct {
		Conn   int
		For    *Request
		Status int
		Code   int
		Retry  int64 // ns that the venue demanded silence for, 0: none
		Body   []byte
	}
	// Garbled is a message that is not what it should be, or not one alone: what could be
	// read of it has been shown before.
	Garbled struct{ Conn int }
	// Depth is an event of a market's book that the engine has read.
	Depth struct {
		Conn        int
		Symbol      string
		First, Last int64
	}
	// Touch is the best price of a market that the engine has read.
	Touch struct {
		Conn   int
		Symbol string
		ID     int64
	}
	// Pong is a sign of life that the engine has read.
	Pong struct{ Conn int }
	// Account is an execution report that the engine has read.
	Account struct {
		Conn        int
		Client      string
		Symbol      string
		Order       int64
		Trade       int64
		Status      string
		Cum         int64
		Termination bool // the subscription is over; nothing else is set
	}
)

// What the venue knows and the engine is to find out.
type (
	// Accepted is an order that the exchange has taken.
	Accepted struct {
		Client, Symbol string
		Order          int64
		Sell           bool
		Price, Qty     int64
		Foreign        bool // of somebody else on the account
	}
	// Traded is a fill of an order of the account.
	Traded struct {
		Symbol       string
		Order, Trade int64
		Sell         bool
		Price, Qty   int64
		Fee          int64
		FeeAsset     string
		Foreign      bool
	}
	// Shrunk is an order of the account of which less may trade than before.
	Shrunk struct {
		Symbol string
		Order  int64
		Qty    int64 // in all
	}
	// Ended is an order of the account that can no longer trade.
	Ended struct {
		Symbol  string
		Order   int64
		Status  string
		Foreign bool
	}
)

// What happens to the engine.
type (
	// Started is a new life, which has got as far as having an epoch.
	Started struct {
		Life    int
		Epoch   uint64
		Journal string // its folder, "": none
	}
	// Died is its end, by a fault, or in order, and then Clean says that it claims to have
	// left nothing open.
	Died struct {
		Life  int
		Clean bool
	}
	// Halted is an order from outside to stop: everything, if Scope is empty. Stop says
	// that it is the end of this life, and not of trading.
	Halted struct {
		Scope, Why string
		Stop       bool
	}
	// Resumed takes all of them back, by a person with a reason.
	Resumed struct{}
	// Rekeyed says that the engine has taken another key after one was refused.
	Rekeyed struct{}
	// DiskFails is the disk's trouble as a call has just told it to the engine.
	DiskFails struct{ Op string }
	// Damaged says that the journal was changed while nobody used it; the next start must
	// refuse it.
	Damaged struct{ What string }
	// Refused is a start that came to nothing, with the reason that it gave.
	Refused struct{ Why string }
	// Healed says that no fault will come any more.
	Healed struct{}
	// Called is a call of a strategy, with the book that it could read, as it sees it.
	Called struct {
		Symbol string
		Report bool // it is told of an order, which it may be at any time
		Event  bool // it is shown an event of the market, and not called by its timer
		Live   bool
		Book   int64 // update id
	}
	// Asked is an order that a strategy has asked for and the gate has let pass.
	Asked struct {
		Symbol     string
		Sell       bool
		Price, Qty int64
	}
	// Dump is what the engine believes, at a moment at which it rests.
	Dump struct {
		Halted  []string // causes, empty while trading is active
		Books   []BookDump
		Orders  []OrderDump
		Sizes   map[string]Size
		Claimed *Face // what it shows to people, nil if nobody looked
	}
	// BookDump is a book.
	BookDump struct {
		Symbol string
		State  string // live, syncing, stale, gapped
		ID     int64
	}
	// OrderDump is an own order.
	OrderDump struct {
		Client string
		Symbol string
		Order  int64 // the venue's id, 0 if not known
		Status string
		Cum    int64
		Qty    int64
	}
	// Size is how much something holds and may hold.
	Size struct{ Now, Most int }
	// Face is what the engine shows of itself.
	Face struct {
		State     string // "active", or what stops it
		BooksLive int
		Books     int
		Unknown   int
		Problems  int
		Market    string // state of the market connection
	}
)
