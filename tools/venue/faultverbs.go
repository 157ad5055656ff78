package venue

import (
	"maps"
	"slices"
)

// verb is one row of the table that parser and usage are both made of. args are the arguments: a word in capitals is a
// class of tokens or a number, a|b one of those words; [brackets] may be left out.
type verb struct {
	name, args, help string
	act              func(f *Faults, fault Fault, c cause) error
	// deep faults change the exchange: one that an event of the exchange fires waits until the exchange is done with it.
	deep  bool
	check func(*Fault) (want string) // what cannot be said by args, empty if all is well
}

// verbs is every fault there is.
var verbs = []verb{
	{"cut", "KIND [after=BYTES] [conn=ID]", "a reset, at once or in the midst of what is sent", (*Faults).cut, false, nil},
	{"hold", "KIND out|in|both DURATION [conn=ID]", "bytes to or from the client wait, its end too: half-open, one-way, window stall, reorder", (*Faults).hold, false, nil},
	{"slow", "KIND DURATION [jitter=DURATION] [conn=ID]", "every byte sent from now on is so late; 0s ends it", (*Faults).slow, false, nil},
	{"trickle", "KIND RATE DURATION [conn=ID]", "so many bytes a second are sent", (*Faults).trickle, false, nil},
	{"accept", "GREETING [COUNT]", "the next connections end at once or are never heard", (*Faults).accept, false, nil},
	{"refuse", "DURATION", "connections are refused", (*Faults).refuse, false, nil},
	{"cert", "CERT", "the certificate that new connections are shown", (*Faults).cert, false, nil},

	{"drop", "EVENT SYMBOLS [COUNT] [conn=ID]", "events never leave", (*Faults).armData, false, nil},
	{"double", "EVENT SYMBOLS [COUNT] [conn=ID]", "events leave twice", (*Faults).armData, false, nil},
	{"swap", "EVENT SYMBOLS [COUNT] [conn=ID]", "events leave behind the next one", (*Faults).armData, false, nil},
	{"overlap", "depth SYMBOLS [COUNT] [conn=ID]", "an event begins inside the one before", (*Faults).armData, false, nil},
	{"late", "EVENT SYMBOLS DURATION [COUNT] [conn=ID]", "events leave so much later, those behind them pass", (*Faults).armData, false, nil},
	{"spoil", "EVENT SYMBOLS SPOIL [COUNT] [conn=ID]", "events leave as what no venue should send", (*Faults).armData, false, nil},
	{"stale", "depth SYMBOLS [COUNT]", "snapshots are seconds old", (*Faults).armSnapshot, false, nil},
	{"boundary", "depth SYMBOLS [COUNT]", "snapshots end exactly where an event does", (*Faults).armSnapshot, false, nil},
	{"cached", "depth SYMBOLS DURATION", "one snapshot is the answer for so long", (*Faults).armSnapshot, false, nil},
	{"shallow", "depth SYMBOLS LEVELS [COUNT]", "snapshots have so few levels, or none", (*Faults).armSnapshot, false, nil},

	{"delay", "CLASS DURATION [COUNT]", "answers are late", (*Faults).armAnswer, false, nil},
	{"lose", "CLASS taken|untaken LOSS [COUNT]", "the request is executed or not, the answer says neither", (*Faults).armAnswer, false, nil},
	{"garble", "CLASS GARBLE [COUNT]", "the request is executed, its answer damaged", (*Faults).armAnswer, false, nil},
	{"429", "DURATION", "every request is over the limit", (*Faults).limit, false, nil},
	{"418", "DURATION", "every request comes from a banned address", (*Faults).limit, false, nil},
	{"lag", "QUERY DURATION", "queries see a past so old; 0s ends it", (*Faults).lag, false, nil},
	{"race", "RACE", "whether user event or answer leaves first", (*Faults).race, false, nil},
	{"clock", "OFFSET", "the clock that requests are judged by differs by so much from the engine's", (*Faults).step, false, nil},

	{"freeze", "STREAM DURATION [conn=ID]", "a kind of socket or a stream is silent", (*Faults).freeze, false, nil},
	{"stick", "STREAM", "present subscriptions to a stream bring nothing any more", (*Faults).stick, false, nil},
	{"shutdown", "SOCKETS [LEAD] [conn=ID]", "serverShutdown, then the end", (*Faults).shutdown, false, nil},
	{"bye", "SOCKETS CODE [conn=ID]", "an unasked close frame", (*Faults).bye, false, nil},
	{"pings", "SOCKETS DURATION [conn=ID]", "the interval of the venue's PINGs; 0s for none", (*Faults).pings, false, nil},
	{"pongs", "SOCKETS DURATION [conn=ID]", "the venue's PONGs are so late; 0s ends it", (*Faults).pongs, false, nil},
	{"subscribe", "SUBSCRIBE [COUNT]", "the next SUBSCRIBE requests on stream sockets", (*Faults).armSubscribe, false, nil},
	{"terminate", "ACCOUNT", "user data subscriptions end with eventStreamTerminated", (*Faults).terminate, false, nil},
	{"revoke", "APIKEY", "a key is unknown from now on", (*Faults).revoke, false, nil},

	{"status", "SYMBOL STATUS", "a trading phase", (*Faults).status, true, nil},
	{"filter", "SYMBOL FILTER VALUE", "a trading rule of exchangeInfo", (*Faults).filter, true, nil},
	{"reference", "SYMBOL VALUE", "the reference price, or none", (*Faults).reference, true, nil},
	{"range", "SYMBOL RANGE VALUE", "a multiplier of PRICE_RANGE, 0 for unbounded", (*Faults).priceRange, true, nil},
}

// token is a class of words: those listed, or any if there is no list. Target says that the word goes into that field.
type token struct {
	of     []string
	want   string
	target bool
}

var tokens = map[string]token{
	"KIND":      {of: []string{"streams", "wsapi", "rest", "all"}, target: true},
	"SOCKETS":   {of: []string{"streams", "wsapi", "all"}, target: true},
	"SOCKET":    {of: []string{"streams", "wsapi", "rest"}},
	"WEBSOCKET": {of: []string{"streams", "wsapi"}},
	"CLASS":     {of: []string{"orders", "amends", "cancels", "queries", "market", "session", "handshakes", "all"}, target: true},
	"QUERY":     {of: []string{"order", "openOrders", "allOrders", "lists", "account", "trades", "all"}, target: true},
	"EVENT":     {of: slices.Concat(marketEvents, userEvents)},
	"MARKET":    {of: marketEvents}, // as a trigger: one for each
	"SYMBOL":    {want: "a symbol", target: true},
	"SYMBOLS":   {want: "a symbol or *", target: true},
	"STREAM":    {want: "streams, wsapi or a stream name", target: true},
	"APIKEY":    {want: "an API key", target: true},
	"ACCOUNT":   {want: "an account or *", target: true},
	"GREETING":  {of: []string{"reset", "end", "stall"}},
	"CERT":      {of: []string{"good", "expired", "wronghost", "unknown", "tls12"}},
	"LOSS":      {of: lossNames()},
	"GARBLE":    {of: []string{"partial", "short", "long", "junk", "trailing", "type", "swapped"}},
	"SPOIL":     {of: spoilNames},
	"RACE":      {of: []string{"event", "answer", "random"}},
	"SUBSCRIBE": {of: []string{"refused", "partial", "silent"}},
	"STATUS":    {of: []string{"TRADING", "HALT", "BREAK", "CANCEL_ONLY"}},
	"FILTER":    {of: []string{"tick", "step", "minQty", "maxQty", "minPrice", "maxPrice", "minNotional"}},
	"RANGE":     {of: []string{"bidUp", "bidDown", "askUp", "askDown"}},
}

func sortedTokens() []string { return slices.Sorted(maps.Keys(tokens)) }

// The kinds of events that data faults choose from. report is every executionReport, fill one with a trade, balance an
// outboundAccountPosition, user any.
var (
	marketEvents = []string{"depth", "partial", "trade", "aggTrade", "bookTicker", "kline", "ticker"}
	userEvents   = []string{"user", "report", "fill", "balance"}
)

// triggers are the events that fire faults.
var triggers = []struct{ name, subject, help string }{
	{"accept", "", "a connection, before anything is said on it"},
	{"connect", "SOCKET", "the first request on a connection, before its answer"},
	{"open", "WEBSOCKET", "a WebSocket is open"},
	{"subscribe", "", "streams were added by SUBSCRIBE"},
	{"order", "", "a request that places orders has arrived"},
	{"amend", "", "a request that amends or replaces one"},
	{"cancel", "", "a request that cancels"},
	{"query", "", "a signed request that only reads"},
	{"request", "", "any request"},
	{"fill", "", "an account's order trades, before its report leaves"},
	{"MARKET", "SYMBOLS", "a market event of the kind is published, before it leaves"},
}

func verbOf(name string) *verb {
	for i := range verbs {
		if verbs[i].name == name {
			return &verbs[i]
		}
	}
	return nil
}

func verbNames() []string {
	list := make([]string, len(verbs))
	for i := range verbs {
		list[i] = verbs[i].name
	}
	return list
}
