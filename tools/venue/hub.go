package venue

import (
	"slices"

	"riposte/tools/venue/exchange"
)

// hub routes the exchange's events to subscribed connections. Every field belongs to the loop goroutine. An event is
// encoded once for each form that somebody wants (raw or combined, ms or µs) and the frame is shared.
type hub struct {
	srv     *Server
	markets map[string]*market
	order   []*market
	topics  map[string]*topic
	all     []*topic         // topics over all symbols
	frozen  map[string]int64 // stream name: silent until this venue time
	frames  arena
	payload []byte
	wrapped []byte
}

// market is what one symbol's streams need.
type market struct {
	name               string
	status             exchange.SymbolStatus
	trade, agg, ticker *topic // bookTicker
	slowCur, fastCur   *exchange.DepthCursor
	other              []*topic
	trades             int64   // trades so far: klines and tickers go out only after a change
	stale              []int64 // book ids of the last slow ticks, oldest first
}

// topic is one stream name with its subscribers.
type topic struct {
	name   string
	spec   streamSpec
	m      *market // nil for streams over all symbols
	subs   []*sub
	frozen int64 // silent until this venue time

	sentID   int64             // partial depth: book id last sent
	sentSeen int64             // klines, tickers: m.trades when last sent
	openTime int64             // klines: bar last sent
	seen     map[*market]int64 // streams over all symbols: m.trades when last sent
}

// sub is one connection's subscription to one topic.
type sub struct {
	lane
	t *topic
}

func newHub(s *Server, x *exchange.Exchange) (*hub, error) {
	h := &hub{srv: s, markets: make(map[string]*market), topics: make(map[string]*topic), frozen: make(map[string]int64)}
	for _, sym := range x.Symbols() {
		m := &market{name: sym.Name, status: sym.Status}
		var rej *exchange.Reject
		if m.slowCur, rej = x.NewDepthCursor(sym.Name); rej == nil {
			m.fastCur, rej = x.NewDepthCursor(sym.Name)
		}
		if rej != nil {
			return nil, rej
		}
		h.markets[sym.Name] = m
		h.order = append(h.order, m)
	}
	return h, nil
}

// subscribe adds the named stream to c. Loop goroutine.
func (h *hub) subscribe(c *conn, name string, sp streamSpec) {
	if c.subs[name] != nil {
		return
	}
	t := h.topics[name]
	if t == nil {
		t = &topic{name: name, spec: sp, m: h.markets[sp.symbol], frozen: h.frozen[name]}
		h.topics[name] = t
		h.attach(t)
	}
	s := &sub{lane{c: c}, t}
	c.subs[name] = s
	c.names = append(c.names, name)
	t.subs = append(t.subs, s)
	if t.spec.kind == streamPartial {
		t.sentID = -1 // a new subscriber gets the book at the next tick even if it stands still
	}
}

// attach puts a new topic where its events are made.
func (h *hub) attach(t *topic) {
	m := t.m
	switch k := t.spec.kind; {
	case k == streamMiniTickers || k == streamRollTickers:
		h.all = append(h.all, t)
	case m == nil || k == streamNone:
	case k == streamTrade:
		m.trade = t
	case k == streamAggTrade:
		m.agg = t
	case k == streamBookTicker:
		m.ticker = t
	default:
		m.other = append(m.other, t)
	}
}

// unsubscribe removes one stream from c. Loop goroutine.
func (h *hub) unsubscribe(c *conn, name string) {
	s := c.subs[name]
	if s == nil {
		return
	}
	delete(c.subs, name)
	c.names = slices.DeleteFunc(c.names, func(n string) bool { return n == name })
	s.t.subs = slices.DeleteFunc(s.t.subs, func(o *sub) bool { return o == s })
	if len(s.t.subs) == 0 {
		h.detach(s.t)
	}
}

// detach forgets a topic that nobody listens to any more.
func (h *hub) detach(t *topic) {
	delete(h.topics, t.name)
	same := func(o *topic) bool { return o == t }
	h.all = slices.DeleteFunc(h.all, same)
	m := t.m
	switch {
	case m == nil:
	case m.trade == t:
		m.trade = nil
	case m.agg == t:
		m.agg = nil
	case m.ticker == t:
		m.ticker = nil
	default:
		m.other = slices.DeleteFunc(m.other, same)
	}
}

// leave removes everything of a closed connection. Loop goroutine.
func (h *hub) leave(c *conn) {
	for _, name := range slices.Clone(c.names) {
		h.unsubscribe(c, name)
	}
	for _, u := range c.users {
		h.srv.users.remove(u)
	}
	c.users = nil
}

// publish sends one event to everybody on t; encode appends its payload in the wanted time unit.
func (h *hub) publish(t *topic, now int64, encode func(b []byte, us bool) []byte) {
	if t == nil || len(t.subs) == 0 {
		return
	}
	if now < t.frozen {
		return
	}
	event := t.spec.kind.event()
	if event != "depth" { // told already
		h.happened(t, now)
	}
	var made [4][]byte
	for _, s := range t.subs {
		form := s.c.form()
		if made[form] == nil {
			made[form] = h.frame(t, form, encode)
		}
		s.deliver(made[form], event, t.spec.symbol)
	}
}

// happened fires the faults that wait for an event of a topic, before it leaves.
func (h *hub) happened(t *topic, now int64) {
	if f := h.srv.faults; f.listening.Load() && len(t.subs) > 0 {
		f.happened(t.spec.kind.event(), t.spec.symbol, cause{now: now, inside: true})
	}
}

// form is which of the four encodings of an event the connection gets: in µs, in the combined wrapper.
func (c *conn) form() int {
	form := 0
	if c.us {
		form = 1
	}
	if c.combined {
		form += 2
	}
	return form
}

func (h *hub) frame(t *topic, form int, encode func(b []byte, us bool) []byte) []byte {
	if form < 2 {
		h.payload = encode(h.payload[:0], form == 1)
		return h.frames.text(h.payload)
	}
	b := append(h.wrapped[:0], `{"stream":`...)
	b = appendQuoted(b, t.name)
	b = append(b, `,"data":`...)
	b = encode(b, form == 3)
	h.wrapped = append(b, '}')
	return h.frames.text(h.wrapped)
}

// arena cuts frames out of larger blocks, so that a busy stream costs one allocation per block. A block lives as long
// as any of its frames waits in a queue.
type arena struct{ block []byte }

func (a *arena) text(payload []byte) []byte {
	need := len(payload) + 10
	if need > 8<<10 {
		return textFrame(payload)
	}
	if cap(a.block)-len(a.block) < need {
		a.block = make([]byte, 0, 64<<10)
	}
	at := len(a.block)
	a.block = appendFrame(a.block, 1, payload)
	return a.block[at:len(a.block):len(a.block)]
}

// mute says whether the symbol's phase stops market data: BREAK stops all, CANCEL_ONLY stops klines.
func (m *market) mute(kline bool) bool {
	return m.status == exchange.Break || kline && m.status == exchange.CancelOnly
}
