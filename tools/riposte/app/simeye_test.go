package app

import (
	"context"
	"errors"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"riposte/core"
	"riposte/exec"
	"riposte/tools/sim"
	"riposte/tools/sim/oracle"
	"riposte/tools/venue/exchange"
)

// simEye shows a run to the oracle: what the engine reads and writes, what the exchange
// does, what the engine believes. Bytes come from any goroutine, one at a time in a
// simulated world; the lock is for the race detector.
type simEye struct {
	sim.Blind
	r      *simRun
	mu     sync.Mutex
	oracle *oracle.Oracle
	rules  oracle.Rules
	conns  int
	told   int // violations that the world has been told of
	ours   string
	calm   atomic.Pointer[simCalm] // while nothing may be lost

	known  bool // this life has said who it is
	orders map[core.OrderID]string
	next   core.OrderID
	booked time.Duration // when books and face were last looked at
	faced  time.Duration
}

// How often the oracle is told what changes slowly.
const (
	eyeBooks = 100 * time.Millisecond
	eyeFace  = time.Second
)

func newSimEye(r *simRun) *simEye {
	e := &simEye{r: r, orders: map[core.OrderID]string{}}
	start := r.w.Start().UnixNano() + int64(r.plan.Work.Offset)
	e.rules.VenueNow = func(at int64) int64 { return start + at }
	return e
}

// see shows the oracle a fact. Before the first life is known there is no oracle.
func (e *simEye) see(what any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.oracle != nil {
		e.oracle.See(int64(e.r.w.Now()), what)
	}
}

// begin makes the oracle by what the engine was told to keep to.
func (e *simEye) begin(cfg *Config) {
	rules := &e.rules
	rules.Prefix, rules.Symbols = cfg.Journal.Instance, map[string]oracle.Symbol{}
	e.ours = rules.Prefix + "-"
	for _, name := range cfg.traded() {
		l := cfg.Limits[name].limits()
		base, quote := name[:3], name[3:] // of the symbols that worlds have
		rules.Symbols[name] = oracle.Symbol{Base: base, Quote: quote, PositionMax: int64(l.PositionMax), QtyMax: int64(l.QtyMax),
			NotionalMax: int64(l.NotionalMax), OpenMax: l.OpenMax}
		rules.Stale = int64(l.StaleAfter)
	}
	a := &cfg.Account
	rules.ClockError = int64(cfg.Account.ClockErrorMax.Duration)
	rules.RateMax, rules.RateSpan = a.RateMax, int64(a.RateSpan.Duration)
	rules.StrategyRateMax, rules.StrategyRateSpan = a.StrategyRateMax, int64(a.StrategyRateSpan.Duration)
	rules.RejectMax = a.RejectMax
	rules.Life, rules.Window = int64(250*time.Millisecond), int64(cfg.Venue.RecvWindow.Duration)
	rules.Margin, rules.Span = int64(cfg.Doubt.Margin.Duration), int64(cfg.Doubt.Span.Duration)
	rules.LostAfter, rules.KeepsOrders = int64(cfg.DeadMan.LostAfter.Duration), cfg.Journal.OnRestart == "keep"
	rules.Silence = int64(6 * time.Second) // three to ask, two to wait, one to notice
	e.oracle = oracle.New(oracle.All(rules)...)
}

// dial wraps what a life's connections move.
func (e *simEye) dial(l *simLife, dial dialFunc, hot bool) dialFunc {
	return func(ctx context.Context, rawURL string) (net.Conn, error) {
		role := "cold"
		switch u, _ := url.Parse(rawURL); {
		case strings.HasPrefix(u.Path, "/ws-api"):
			role = "api"
		case u.Scheme == "ws":
			role = "market"
		case hot:
			role = "orders"
		}
		if l.stage.Load() != lifeKilled {
			e.see(oracle.Tried{Role: role})
		}
		c, err := dial(ctx, rawURL)
		if err != nil {
			return nil, err
		}
		e.mu.Lock()
		e.conns++
		n := e.conns
		e.mu.Unlock()
		t := &simTap{Conn: c, life: l, n: n, role: role}
		t.see(oracle.Dialed{Conn: n, Role: role})
		return t, nil
	}
}

// simTap is a connection that is watched.
type simTap struct {
	net.Conn
	life *simLife
	n    int
	role string
	over sync.Once
}

// see tells of a living process alone: what a dead one still does reaches nobody.
func (t *simTap) see(what any) {
	if t.life.stage.Load() != lifeKilled {
		t.life.r.eye.see(what)
	}
}

func (t *simTap) Read(p []byte) (int, error) {
	n, err := t.Conn.Read(p)
	if end, ok := t.Conn.(*sim.End); ok && n > 0 {
		at := 0
		for _, piece := range end.Left() {
			t.see(oracle.Read{Conn: t.n, B: p[at : at+piece.N], Left: int64(piece.At)})
			at += piece.N
		}
	}
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		t.end()
	}
	return n, err
}

func (t *simTap) Write(p []byte) (int, error) {
	n, err := t.Conn.Write(p)
	if n > 0 {
		t.see(oracle.Wrote{Conn: t.n, B: p[:n]})
	}
	return n, err
}

func (t *simTap) Close() error {
	t.end()
	return t.Conn.Close()
}

func (t *simTap) end() {
	t.over.Do(func() {
		if c := t.life.r.eye.calm.Load(); c != nil {
			c.closed(t.role)
		}
		t.see(oracle.Closed{Conn: t.n})
	})
}

// executed is the exchange's own word. The venue's goroutine.
func (e *simEye) executed(account int, x *exchange.ExecutionReport) {
	if account != 0 {
		return
	}
	client := x.ClientOrderID
	if x.OrigClientID != "" {
		client = x.OrigClientID
	}
	foreign := !strings.HasPrefix(client, e.ours) || strings.HasPrefix(client, e.ours+twinEpoch)
	switch x.Exec {
	case exchange.ExecNew:
		e.see(oracle.Accepted{Client: client, Symbol: x.Symbol, Order: x.OrderID, Sell: x.Side == exchange.Sell, Price: x.Price, Qty: x.Quantity, Foreign: foreign})
	case exchange.ExecReplaced:
		e.see(oracle.Shrunk{Symbol: x.Symbol, Order: x.OrderID, Qty: x.Quantity})
	case exchange.ExecTrade:
		e.see(oracle.Traded{Symbol: x.Symbol, Order: x.OrderID, Trade: x.TradeID, Sell: x.Side == exchange.Sell, Price: x.LastPrice, Qty: x.LastQty,
			Fee: x.Commission, FeeAsset: x.CommAsset, Foreign: foreign})
	}
	if x.Status.Ended() && x.Exec != exchange.ExecRejected {
		status := x.Status.String()
		if x.Status == exchange.StatusExpiredInMatch {
			status = "EXPIRED"
		}
		e.see(oracle.Ended{Symbol: x.Symbol, Order: x.OrderID, Status: status, Foreign: foreign})
	}
}

// Life is a beginning or an end.
func (e *simEye) Life(n int, on bool) {
	if on {
		if e.oracle == nil {
			e.begin(e.r.config(e.r.life.dir))
		}
		e.see(oracle.Died{Life: n - 1}) // whatever became of it
		e.known = false
		clear(e.orders)
		e.next = 1
		return
	}
	e.see(oracle.Died{Life: n})
	e.report()
}

// Stepped looks at the engine after it has done something.
func (e *simEye) Stepped(sim.Engine) {
	l := e.r.life
	if l == nil {
		return // it died of it
	}
	if !e.known {
		e.known = true
		e.see(oracle.Started{Life: l.n, Epoch: l.d.epoch, Journal: l.dir})
	}
	now := e.r.w.Now()
	d := oracle.Dump{Halted: haltWords(l), Orders: e.look(l.d.gateway.Table(), l.d.table)}
	if now-e.booked >= eyeBooks {
		e.booked = now
		for _, b := range l.Books() {
			d.Books = append(d.Books, oracle.BookDump{Symbol: b.Symbol, State: b.State, ID: b.ID})
		}
		d.Sizes = map[string]oracle.Size{
			"foreign orders": {Now: len(l.d.gateway.Table().ForeignSeen()), Most: 64},
			"approved":       {Now: l.d.approved.Len(), Most: approvedRing},
			"commands":       {Now: l.d.commands.Len(), Most: commandRing},
		}
		if now-e.faced >= eyeFace && l.stage.Load() == lifeRunning { // at the end the one who ends it reads the report
			e.faced = now
			r := l.d.report()
			d.Claimed = &oracle.Face{State: r.State, BooksLive: r.BooksLive, Books: r.Books, Unknown: r.Unknown, Problems: len(r.Problems)}
		}
	}
	e.see(d)
	e.report()
}

func haltWords(l *simLife) []string {
	if h := l.d.gate.Halted() | l.d.gateway.Halted(); h != 0 {
		return h.Words()
	}
	return nil
}

// look finds the state of every order that works, and of those that have ended since they
// did.
func (e *simEye) look(t *exec.Table, table *core.Instruments) (list []oracle.OrderDump) {
	for id := e.next; id < e.next+64; id++ { // the gateway does not take them all
		if o := t.Find(id); o != nil {
			e.orders[id], e.next = o.Client.String(), id+1
		}
	}
	t.EachLive(func(o *exec.Order) { e.orders[o.ID] = o.Client.String() })
	ids := make([]core.OrderID, 0, len(e.orders))
	for id := range e.orders {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		o := t.Find(id)
		if o == nil || o.Client.String() != e.orders[id] {
			delete(e.orders, id)
			continue
		}
		list = append(list, oracle.OrderDump{Client: e.orders[id], Symbol: table.Get(o.Instrument).Symbol, Order: o.VenueID,
			Status: eyeStatus[o.Status()], Cum: int64(o.Cum), Qty: int64(o.Qty)})
		if o.Complete() {
			delete(e.orders, id) // should it live again, it is found among those that do
		}
	}
	return list
}

var eyeStatus = map[core.OrderStatus]string{core.PendingNew: "PENDING", core.New: "NEW", core.PartiallyFilled: "PARTIALLY_FILLED", core.Filled: "FILLED",
	core.Canceled: "CANCELED", core.Rejected: "REJECTED", core.Expired: "EXPIRED", core.Unknown: "UNKNOWN", core.NotSent: "NOT_SENT"}

// report hands what was found to the world.
func (e *simEye) report() {
	e.mu.Lock()
	all := e.oracle.Violations()
	fresh := slices.Clone(all[e.told:])
	e.told = len(all)
	e.mu.Unlock()
	for _, v := range fresh {
		e.r.w.Violated(v.Promise, v.Text)
	}
}

// Witness of the ring between gate and gateway.
type simWitness struct{ e *simEye }

// Step shows the oracle what the gate has let pass, before the gateway takes it.
func (s simWitness) Step() int {
	l := s.e.r.life
	if l == nil {
		return 0 // it has died earlier in this round
	}
	d := l.d
	for _, a := range d.approved.Pending() {
		if in := a.Intent(); in.Kind == core.Place || in.Kind == core.Replace {
			s.e.see(oracle.Asked{Symbol: d.table.Get(in.Instrument).Symbol, Sell: in.Side == core.Sell, Price: int64(in.Price), Qty: int64(in.Qty)})
		}
	}
	return 0
}
