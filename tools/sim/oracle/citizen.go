package oracle

import "fmt"

// citizen is P25, seen from our side: connections are not tried more often than the venue
// allows, messages on a market's connection are no more than five a second, nothing leaves
// while the venue has asked for silence, and what is refused is not asked for again at once.
type citizen struct {
	tried    []int64
	sent     map[int][]int64
	markets  map[int]bool
	silent   int64 // until when nothing may leave
	heard    int64 // when that was asked for: what was under way then leaves yet
	noOrders int64 // until when nothing that creates an order may
	told     int64
	vain     map[string][]int64 // by symbol: when snapshots were asked for in vain, one after another
	cancels  map[string][]int64 // by symbol and order: when its cancel left
}

// What is refused is not asked for again and again at once: with full jitter and waits that
// double, no more than so many times within a span.
const (
	vainMost   = 25
	vainWithin = 5 * sec
)

// One order's cancel goes out on every way at once, on each way that comes back, and again
// after a second without an answer; a refusal makes it wait.
const (
	cancelsMost   = 12
	cancelsWithin = sec
)

// What the venue allows (Binance Spot API docs, WebSocket streams, 2026-07-21).
const (
	triesMost    = 300
	triesWithin  = 300 * sec
	messagesMost = 5
)

func newCitizen() *citizen {
	return &citizen{sent: map[int][]int64{}, markets: map[int]bool{}, told: -1 << 62, vain: map[string][]int64{}, cancels: map[string][]int64{}}
}

// Promise is P25.
func (*citizen) Promise() string { return "P25" }

// See takes a fact.
func (c *citizen) See(f *Fact, found func(string)) {
	says := func(format string, args ...any) {
		if f.At-c.told > 10*sec {
			c.told = f.At
			found(fmt.Sprintf(format, args...))
		}
	}
	switch w := f.What.(type) {
	case Tried:
		if w.Role != "market" && w.Role != "api" {
			return
		}
		c.tried = append(c.tried, f.At)
		if n := len(c.tried); n > triesMost {
			if c.tried[0] > f.At-triesWithin {
				says("%d connections were tried within %d s, want at most %d", n, (f.At-c.tried[0])/sec, triesMost)
			}
			c.tried = c.tried[1:]
		}
	case Dialed:
		c.markets[w.Conn] = w.Role == "market"
	case Closed:
		delete(c.markets, w.Conn)
		delete(c.sent, w.Conn)
	case Died:
		c.silent, c.noOrders, c.tried = 0, 0, nil // the dead cannot tell their heirs
		clear(c.vain)
		clear(c.cancels)
		clear(c.sent)
		clear(c.markets)
	case Wrote:
		if !c.markets[w.Conn] {
			return
		}
		list := append(c.sent[w.Conn], f.At)
		if n := len(list); n > messagesMost+1 { // the first is the handshake
			if list[n-1-messagesMost] > f.At-sec {
				says("%d messages left on a market's connection within %d ms, want at most %d a second", messagesMost+1, (f.At-list[n-1-messagesMost])/ms, messagesMost)
			}
			list = list[n-1-messagesMost:]
		}
		c.sent[w.Conn] = list
	case Reply:
		if w.For != nil && w.For.Path == "/api/v3/depth" {
			if n := c.inVain(&w, f.At); n > vainMost {
				says("%d snapshots of %s were asked for in vain within %d s", n, w.For.Args["symbol"], vainWithin/sec)
			}
		}
		// It was said when the request was there, which is not before it left.
		if w.For == nil || w.Retry <= 0 {
			return
		}
		if until := w.For.at + w.Retry; w.Code == -1015 {
			c.noOrders = max(c.noOrders, until)
		} else {
			if f.At >= c.silent {
				c.heard = f.At
			}
			c.silent = max(c.silent, until)
		}
	case *Request:
		const moment, underWay = 50 * ms, sec / 2
		if n := c.cancelled(w, f.At); n > cancelsMost {
			says("%d cancels of one order left within %d ms: %v", n, cancelsWithin/ms, w)
		}
		switch {
		case w.Method == "GET" && (w.Path == "/ws-api/v3" || w.Path == "/ws" || w.Path == "/stream"):
		case c.markets[w.Conn]: // what is asked on a market's stream has no weight
		case f.At < c.silent-moment && f.At-c.heard > underWay:
			says("%v left %d ms before the silence was over that the venue had asked for", w, (c.silent-f.At)/ms)
		case w.Creates() && f.At < c.noOrders-moment:
			says("%v left %d ms before the venue takes orders again", w, (c.noOrders-f.At)/ms)
		}
	}
}

// inVain counts snapshots of a symbol that one after another could not be had lately.
func (c *citizen) inVain(r *Reply, at int64) int {
	symbol := r.For.Args["symbol"]
	list := append(c.vain[symbol], at)
	if r.Status == 200 {
		list = nil
	}
	for len(list) > 0 && at-list[0] > vainWithin {
		list = list[1:]
	}
	c.vain[symbol] = list
	return len(list)
}

// cancelled counts how often one order's cancel has left lately.
func (c *citizen) cancelled(r *Request, at int64) int {
	if !r.Cancels() || r.Creates() {
		return 0
	}
	order := r.Args["symbol"] + " " + r.Args["orderId"] + r.Client()
	list := append(c.cancels[order], at)
	for at-list[0] > cancelsWithin {
		list = list[1:]
	}
	c.cancels[order] = list
	return len(list)
}
