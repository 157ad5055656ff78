package venue

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"riposte/tools/venue/exchange"
	"riposte/tools/venue/wire"
)

// serveAdmin answers the simulator's own pages:
//
//	GET  /sim/ledger?account=main        every balance change
//	GET  /sim/balances?account=main      balances now
//	GET  /sim/book?symbol=BTCUSDT&u=123  the true book at update id u (without u: now)
//	GET  /sim/orders?account=main        open orders
//	GET  /sim/trades?account=main        fills
//	GET  /sim/stats                      connections, frames, faults, orders
//	POST /sim/fault                      body: one fault line
//	POST /sim/rights?key=API-KEY         body: the key's Rights as JSON, flags left out being false
//	POST /sim/bnb?account=main&on=true   commissions in BNB from now on, or no more
//	POST /sim/reference?symbol=BTCUSDT&price=60000   the reference price; without price: null
//
// Answers are JSON with prices and quantities as decimal texts; errors are text with status 400.
func (s *Server) serveAdmin(w http.ResponseWriter, r *http.Request) {
	_, rawQuery, _ := strings.Cut(r.RequestURI, "?")
	q, err := url.ParseQuery(rawQuery)
	if err != nil {
		http.Error(w, "cannot read the query: "+err.Error(), http.StatusBadRequest)
		return
	}
	var b []byte
	switch r.Method + " " + r.URL.Path {
	case "GET /sim/ledger":
		b, err = s.adminLedger(q)
	case "GET /sim/balances":
		b, err = s.adminBalances(q)
	case "GET /sim/book":
		b, err = s.adminBook(q)
	case "GET /sim/orders":
		b, err = s.adminOrders(q)
	case "GET /sim/trades":
		b, err = s.adminTrades(q)
	case "GET /sim/stats":
		b, err = json.Marshal(s.Stats())
	case "POST /sim/fault":
		b, err = s.adminFault(r)
	case "POST /sim/rights":
		b, err = s.adminRights(q, r)
	case "POST /sim/bnb":
		b, err = s.adminBNB(q)
	case "POST /sim/reference":
		b, err = []byte(`{}`), s.SetReferencePrice(q.Get("symbol"), q.Get("price"))
	default:
		http.NotFound(w, r)
		return
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	_, _ = w.Write(b)
}

func (s *Server) adminFault(r *http.Request) ([]byte, error) {
	line, err := io.ReadAll(io.LimitReader(r.Body, 4096))
	if err != nil {
		return nil, err
	}
	if err := s.faults.Do(string(line)); err != nil {
		return nil, err
	}
	return []byte(`{}`), nil
}

func (s *Server) adminBNB(q url.Values) ([]byte, error) {
	on, err := strconv.ParseBool(q.Get("on"))
	if err != nil {
		return nil, fmt.Errorf("cannot read on: got %q, want true or false", q.Get("on"))
	}
	return []byte(`{}`), s.SetPayBNB(q.Get("account"), on)
}

func (s *Server) adminLedger(q url.Values) ([]byte, error) {
	list, err := s.Ledger(q.Get("account"))
	if err != nil {
		return nil, err
	}
	w := enc{us: true}
	w.open('[')
	for i := range list {
		e := &list[i]
		w.open('{')
		w.time("time", e.Time)
		w.str("asset", e.Asset)
		w.str("reason", e.Reason.String())
		w.fixed("freeDelta", e.FreeDelta)
		w.fixed("lockedDelta", e.LockedDelta)
		w.fixed("free", e.Free)
		w.fixed("locked", e.Locked)
		w.str("symbol", e.Symbol)
		w.int("orderId", e.OrderID)
		w.int("tradeId", e.TradeID)
		w.close('}')
	}
	w.close(']')
	return w.b, nil
}

func (s *Server) adminBalances(q url.Values) ([]byte, error) {
	list, err := s.Balances(q.Get("account"))
	if err != nil {
		return nil, err
	}
	w := enc{}
	w.open('[')
	for _, b := range list {
		w.open('{')
		w.str("asset", b.Asset)
		w.fixed("free", b.Free)
		w.fixed("locked", b.Locked)
		w.close('}')
	}
	w.close(']')
	return w.b, nil
}

func (s *Server) adminBook(q url.Values) ([]byte, error) {
	u := int64(0)
	if text := q.Get("u"); text != "" {
		var err error
		if u, err = strconv.ParseInt(text, 10, 64); err != nil || u < 1 {
			return nil, fmt.Errorf("cannot read u: got %q, want a positive update id", text)
		}
	}
	book, err := s.BookAt(q.Get("symbol"), u)
	if err != nil {
		return nil, err
	}
	return wire.AppendDepth(nil, book.UpdateID, book.Bids, book.Asks), nil
}

func (s *Server) adminOrders(q url.Values) ([]byte, error) {
	list, err := s.OpenOrders(q.Get("account"))
	if err != nil {
		return nil, err
	}
	w := enc{us: true}
	w.orders(list)
	return w.b, nil
}

func (s *Server) adminTrades(q url.Values) ([]byte, error) {
	list, err := s.Trades(q.Get("account"))
	if err != nil {
		return nil, err
	}
	w := enc{us: true}
	w.userTrades(list)
	return w.b, nil
}

// Stats is a snapshot of the venue's counters.
type Stats struct {
	Now         int64             `json:"now"`
	Connections map[string]int    `json:"connections"` // open, by kind: streams, wsapi, rest
	Sockets     []SocketInfo      `json:"sockets"`
	Opened      map[string]uint64 `json:"opened"`
	Frames      map[string]uint64 `json:"frames"` // sent
	Bytes       uint64            `json:"bytes"`
	Requests    uint64            `json:"requests"` // REST
	Messages    uint64            `json:"messages"` // received on WebSockets
	Accepted    uint64            `json:"accepted"` // orders
	Rejected    uint64            `json:"rejected"`
	Slow        uint64            `json:"slow"`     // disconnected: did not drain
	TooFast     uint64            `json:"tooFast"`  // disconnected: more messages than allowed
	PongLate    uint64            `json:"pongLate"` // disconnected: PING unanswered
	Faults      map[string]uint64 `json:"faults"`   // fired, by verb
}

// SocketInfo is one open connection: a WebSocket (streams, wsapi), one with REST requests (rest), with requests of
// these pages (admin), or one that said nothing yet (new).
type SocketInfo struct {
	ID      uint64   `json:"id"`
	Kind    string   `json:"kind"`
	Streams []string `json:"streams,omitempty"`
	Users   int      `json:"users,omitempty"`
}

// Stats reads the counters.
func (s *Server) Stats() Stats {
	st := Stats{Now: s.clock.now(), Connections: map[string]int{}, Opened: map[string]uint64{}, Frames: map[string]uint64{},
		Bytes: s.stats.bytes.Load(), Requests: s.stats.requests.Load(), Messages: s.stats.calls.Load(),
		Accepted: s.stats.orders.Load(), Rejected: s.stats.rejects.Load(), Slow: s.stats.slow.Load(),
		TooFast: s.stats.tooFast.Load(), PongLate: s.stats.pongLate.Load(), Faults: s.faults.Counts()}
	for _, k := range []connKind{streamConn, apiConn} {
		list := s.sockets(k)
		st.Connections[k.String()] = len(list)
		st.Opened[k.String()] = s.stats.opened[k].Load()
		st.Frames[k.String()] = s.stats.frames[k].Load()
		s.loop.do(func(int64) {
			for _, c := range list {
				st.Sockets = append(st.Sockets, SocketInfo{ID: c.id, Kind: k.String(),
					Streams: append([]string(nil), c.names...), Users: len(c.users)})
			}
		})
	}
	for _, l := range s.line.Conns("") {
		if k := l.Kind(); k == "" || k == "rest" || k == "admin" {
			st.Connections["rest"]++
			st.Sockets = append(st.Sockets, SocketInfo{ID: l.ID(), Kind: cmp.Or(k, "new")})
		}
	}
	return st
}

// Book is the true state of one order book.
type Book struct {
	Symbol   string
	UpdateID int64
	Bids     []exchange.Level // best first
	Asks     []exchange.Level
}

// BookAt is the full book of symbol as it was at update id u, or as it is if u is 0. It fails if u is older than the
// configured history, or not reached yet.
func (s *Server) BookAt(symbol string, u int64) (Book, error) {
	b := Book{Symbol: symbol, UpdateID: u}
	var err error
	ok := s.loop.do(func(int64) {
		if u == 0 {
			var rej *exchange.Reject
			if b.UpdateID, b.Bids, b.Asks, rej = s.x.Depth(symbol, 1<<30); rej != nil {
				err = rej
			}
			return
		}
		var found bool
		if b.Bids, b.Asks, found = s.x.BookAt(symbol, u); !found {
			err = fmt.Errorf("cannot give the book of %q at %d: want a symbol of the venue and an update id within its history", symbol, u)
		}
	})
	if !ok {
		return b, errVenueClosed
	}
	return b, err
}

// account finds an account by name; empty means the first one. Loop goroutine or any: the list never changes.
func (s *Server) account(name string) (exchange.AccountID, error) {
	for i := range s.cfg.Accounts {
		if name == "" || s.cfg.Accounts[i].Name == name {
			return exchange.AccountID(i), nil
		}
	}
	return 0, fmt.Errorf("cannot find account %q: want one of the venue's %d accounts", name, len(s.cfg.Accounts))
}

func ask[T any](s *Server, account string, read func(a exchange.AccountID) (T, error)) (v T, err error) {
	a, err := s.account(account)
	if err != nil {
		return v, err
	}
	if !s.loop.do(func(int64) { v, err = read(a) }) {
		return v, errVenueClosed
	}
	return v, err
}

// Ledger is every balance change of an account since the start, oldest first.
func (s *Server) Ledger(account string) ([]exchange.LedgerEntry, error) {
	return ask(s, account, func(a exchange.AccountID) ([]exchange.LedgerEntry, error) { return s.x.Ledger(a), nil })
}

// Balances are the balances of an account now.
func (s *Server) Balances(account string) ([]exchange.Balance, error) {
	return ask(s, account, func(a exchange.AccountID) ([]exchange.Balance, error) { return s.x.Account(a).Balances, nil })
}

// SetPayBNB switches an account's payment of commissions in BNB, from its next fill on.
func (s *Server) SetPayBNB(account string, on bool) error {
	a, err := s.account(account)
	if err != nil {
		return err
	}
	if !s.loop.do(func(now int64) { err = s.x.SetPayBNB(now, a, on) }) {
		return errVenueClosed
	}
	return err
}

// OpenOrders are the orders of an account on all books.
func (s *Server) OpenOrders(account string) ([]exchange.Order, error) {
	return ask(s, account, func(a exchange.AccountID) ([]exchange.Order, error) {
		list, rej := s.x.OpenOrders(a, "")
		if rej != nil {
			return nil, rej
		}
		return list, nil
	})
}

// Trades are the newest fills of an account, up to 1000 per symbol, by symbol and trade id.
func (s *Server) Trades(account string) ([]exchange.UserTrade, error) {
	return ask(s, account, func(a exchange.AccountID) ([]exchange.UserTrade, error) {
		var all []exchange.UserTrade
		for _, m := range s.hub.order {
			list, rej := s.x.MyTrades(a, m.name, exchange.TradeQuery{Limit: 1000})
			if rej != nil {
				return nil, rej
			}
			all = append(all, list...)
		}
		return all, nil
	})
}

// SetFilters gives a symbol the filters that it has in an exchangeInfo body.
func (s *Server) SetFilters(symbol string, exchangeInfo []byte) error {
	list, err := exchange.LoadSymbols(exchangeInfo, []string{symbol})
	if err != nil {
		return err
	}
	if !s.loop.do(func(now int64) { err = s.x.SetFilters(now, symbol, list[0].Filters) }) {
		return errVenueClosed
	}
	return err
}

// SetStatus moves a symbol to another trading phase.
func (s *Server) SetStatus(symbol string, st exchange.SymbolStatus) error {
	return s.faults.Do("status " + symbol + " " + st.String())
}
