package peers

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"riposte/bench"
	"riposte/core"
	"riposte/core/book"
	"riposte/core/ring"
	"riposte/core/risk"
	"riposte/exec"
	dialect "riposte/exec/binance"
	"riposte/tools/sock"
)

// orderTable is one instrument on which every order of orderAt is within the rules.
func orderTable() (*core.Instruments, core.InstrumentID, error) {
	t := core.NewInstruments()
	id, err := t.Add(core.Instrument{
		Symbol: "BTCUSDT", Base: t.Asset("BTC"), Quote: t.Asset("USDT"), Status: core.StatusTrading,
		OrderTypes: core.OrderTypeSet(0).With(core.Limit),
		Filters:    core.Filters{Tick: orderTick, Lot: 1000, QtyMin: 1000, QtyMax: 9000 * core.Scale},
	})
	return t, id, err
}

// liveBook is a book that the gate trusts, with the touch where the orders are.
func liveBook(in *core.Instrument, now core.MonoNs) (*book.Sync, error) {
	s := book.NewSync(in, 0, 0)
	im := &book.Image{Instrument: in.ID, LastID: 10,
		Bids: []core.Level{{Price: orderPrice, Qty: core.Scale}}, Asks: []core.Level{{Price: orderPrice + orderTick, Qty: core.Scale}}}
	if v := s.Snapshot(im); v != book.Applied {
		return nil, errors.New("the book does not take its snapshot")
	}
	ev := core.Event{Kind: core.DepthDelta, Instrument: in.ID, ID: 11, Bids: 1, Recv: now, W: [4]int64{11, 10}}
	if v := s.Delta(&ev, im.Bids); v != book.Applied || s.State() != book.Live {
		return nil, errors.New("the book is not live after an event that joins its snapshot")
	}
	return s, nil
}

// riposteOrders is all of exec between gate and report, over a socket that is tried
// and not waited for, as in a hot loop.
func riposteOrders(tb testing.TB, addr string) func(int) (int64, bool) {
	tab, id, err := orderTable()
	must(err)
	clock := core.NewSystemClock()
	sync, err := liveBook(tab.Get(id), clock.Mono())
	must(err)
	gate, err := risk.NewGate(tab, map[core.InstrumentID]risk.Limits{id: {QtyMax: 1e18, NotionalMax: 1e18, PositionMax: 1e18,
		OpenMax: 1000, CollarBps: 10_000, StaleAfter: time.Hour}}, risk.AccountLimits{OpenMax: 1000, RateMax: 1000, RateSpan: 1, RejectMax: 1000})
	must(err)
	gate.Lift(risk.HaltNotReconciled)
	out, reports := ring.New[risk.Approved](64), ring.New[core.Report](64)
	gateway, err := orderGateway(tab, clock, addr, out, reports)
	must(err)
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		must(gateway.Close(ctx))
	})
	for end := time.Now().Add(10 * time.Second); ; gateway.Step() {
		if orders, cancels := gateway.Pool().Ready(); orders > 0 && cancels > 0 {
			break
		}
		if time.Now().After(end) {
			tb.Fatal("riposte's wires did not come up within 10 s")
		}
	}
	n := uint64(0)
	return func(i int) (venueID int64, expired bool) {
		p, q := orderAt(i)
		n++
		now := clock.Mono()
		in := core.Intent{Kind: core.Place, Side: core.Buy, Type: core.Limit, TIF: core.IOC, Instrument: id, Price: p, Qty: q}
		if why := gate.Approve(&in, sync, &risk.Stamps{Recv: now, Decided: now}, n, now, out.Claim()); why != risk.None {
			panic("riposte's gate refuses: " + why.String())
		}
		out.Publish()
		for gate.Live() > 0 {
			gateway.Step()
			list := reports.Pending()
			for k := range list {
				if o, ok := gate.Report(&list[k]); ok && o.Status == core.Expired {
					venueID, expired = list[k].VenueID, true
				}
			}
			reports.Release(len(list))
		}
		return venueID, expired
	}
}

func orderGateway(tab *core.Instruments, clock *core.SystemClock, addr string, out *ring.Ring[risk.Approved], reports *ring.Ring[core.Report]) (*exec.Gateway, error) {
	ids, err := exec.NewIDs("rp", 1_723_161_255)
	if err != nil {
		return nil, err
	}
	key, err := bench.TestKey()
	if err != nil {
		return nil, err
	}
	base := "http://" + addr
	codec, err := dialect.NewCodec(dialect.Config{Instruments: tab, URL: base, Key: key, IDs: ids})
	if err != nil {
		return nil, err
	}
	budget, err := exec.NewBudget(10)
	if err != nil {
		return nil, err
	}
	if err := budget.Set([]exec.Limit{{Kind: exec.LimitWeight, Span: time.Minute, Max: 1e9}, {Kind: exec.LimitOrders, Span: 10 * time.Second, Max: 1e9}}); err != nil {
		return nil, err
	}
	return exec.NewGateway(exec.Config{
		Instruments: tab, Clock: clock, Time: exec.NewVenueClock(clock), IDs: ids, Codec: codec, Budget: budget,
		Venue: deaf{}, Approved: out, Reports: reports,
		Pool: exec.PoolConfig{URL: base, Wires: 1, CancelWires: 1, KeepHeaders: dialect.HeaderPrefix,
			Dial: func(ctx context.Context, _ string) (net.Conn, error) {
				var d net.Dialer
				nc, err := d.DialContext(ctx, "tcp", addr)
				if err != nil {
					return nil, err
				}
				return sock.FromTCP(nc.(*net.TCPConn))
			}},
	})
}

// deaf is a venue that is never asked anything: every order here is answered.
type deaf struct{}

var errDeaf = errors.New("this venue answers no questions")

func (deaf) Order(context.Context, core.InstrumentID, core.ClientID, int64) (core.Execution, error) {
	return core.Execution{}, errDeaf
}

func (deaf) OrderTrades(context.Context, core.InstrumentID, int64) ([]core.Execution, error) {
	return nil, errDeaf
}

func (deaf) TradesFrom(context.Context, core.InstrumentID, int64) ([]core.Execution, error) {
	return nil, errDeaf
}

func (deaf) TradesSince(context.Context, core.InstrumentID, core.WallNs) ([]core.Execution, error) {
	return nil, errDeaf
}

func (deaf) HistoryFrom(context.Context, core.InstrumentID, int64) ([]core.Execution, error) {
	return nil, errDeaf
}

func (deaf) HistorySince(context.Context, core.InstrumentID, core.WallNs) ([]core.Execution, error) {
	return nil, errDeaf
}

func (deaf) OpenOrdersOf(context.Context, core.InstrumentID) ([]core.Execution, error) {
	return nil, errDeaf
}
func (deaf) OpenOrders(context.Context) ([]core.Execution, error)          { return nil, errDeaf }
func (deaf) Balances(context.Context) ([]core.Balance, core.WallNs, error) { return nil, 0, errDeaf }
func (deaf) SyncClock(context.Context) error                               { return errDeaf }
