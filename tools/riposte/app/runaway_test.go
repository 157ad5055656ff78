package app

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"riposte/core"
	"riposte/core/engine"
	"riposte/core/risk"
	"riposte/tools/venue"
)

func init() { engine.Register("runaway", newRunaway) }

// runaway rests one order far off, and once that is at work takes what is offered at
// every event, each time a little more of it, without end.
type runaway struct {
	qty   core.Qty
	rests bool
	n     core.Qty
}

func newRunaway(in *core.Instrument, p *engine.Params) (engine.Strategy, error) {
	return &runaway{qty: p.Qty("qty", in.Filters.QtyMin)}, p.Done()
}

func (s *runaway) Market(v *engine.View, _ *core.Event) {
	f, top := &v.Instrument().Filters, v.Top()
	if !s.rests {
		if v.Exposure().Open == 0 {
			v.Post(core.Buy, (top.Bid * 995 / 1000).TickFloor(f.Tick), smallestWorth(f, top.Bid))
		}
		return
	}
	s.n++
	v.Place(core.Intent{Side: core.Buy, Type: core.Limit, TIF: core.IOC, Price: (top.Ask * 1001 / 1000).TickFloor(f.Tick), Qty: s.qty + s.n%64*f.Lot})
}

// smallestWorth is the least that the venue takes at a price, and half as much again.
func smallestWorth(f *core.Filters, p core.Price) core.Qty {
	return core.Qty(core.NotionalOfAmount(f.NotionalMin*3/2).Div(uint64(p))).LotFloor(f.Lot) + f.Lot
}

func (s *runaway) Report(_ *engine.View, r *core.Report, _ *risk.Order) {
	s.rests = s.rests || r.Kind == core.ReportAck
}

func (s *runaway) Timer(*engine.View) {}

// A strategy that never stops ordering, on a venue that rejects everything and on one that
// fills everything: it stops at the limit and the order that was under way, what rests is
// cancelled, the halt is on file, a restart stays halted, and a person lifts it.
func TestARunawayStrategyIsStoppedAtItsLimit(t *testing.T) {
	const limit = 10
	poor := []venue.Account{{Name: "main", Balances: map[string]string{"USDT": "100"}, Keys: []venue.Key{venue.NewHMACKey(1, "main")}}}
	for name, c := range map[string]struct {
		accounts []venue.Account
		qty      string
		edits    []string
		cause    risk.HaltCause
		orders   func(*outside) uint64 // that the strategy's loop has sent
	}{
		"everything rejected": {poor, "0.005", []string{"reject_max = 20\nreject_span_max = 20", "reject_max = 10\nreject_span_max = 50"}, risk.HaltRejects,
			func(o *outside) uint64 { return o.srv.Stats().Rejected }},
		"everything filled": {nil, "0.0005", nil, risk.HaltExecutions,
			func(o *outside) uint64 { return o.srv.Stats().Accepted - 1 }},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOutsideWith(t, c.accounts, append(append(c.edits, paramsOf(t)[0], "[strategy.params]\nqty = \""+c.qty+"\"\n"), `name = "quoter"`, `name = "runaway"`,
				"empty: all of market.symbols.\nsymbols = []", "empty: all of market.symbols.\nsymbols = [\"BTCUSDT\"]",
				"open_max = 6\ncollar_bps = 100", "open_max = 2\nexecution_max = 10\ncollar_bps = 100")...)
			p := o.start("run", "--json")
			o.until("the halt is on file", func() bool { return o.halted(c.cause) })
			o.until("nothing rests", func() bool { return o.open() == 0 })
			n := c.orders(o)
			if n < 2 || n > limit+1 {
				t.Errorf("%d orders were sent, want up to the limit of %d and one", n, limit)
			}
			t.Logf("%d orders at a limit of %d", n, limit)
			r := p.report(5)
			if got := c.orders(o); got != n {
				t.Errorf("%d orders were sent after the halt; state %q", got-n, r.State)
			}
			if err := p.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if r := p.last(); !r.Clean {
				t.Errorf("it did not end in order: %q", r.Problems)
			}
			_ = p.Wait()

			q := o.start("run", "--json")
			r = q.report(3)
			if !strings.Contains(strings.Join(r.Problems, "\n"), "halted until `riposte resume") || r.Orders != 0 || !o.halted(c.cause) {
				t.Errorf("after a restart: %d orders, problems %q", r.Orders, r.Problems)
			}
			if h := o.start("resume", "--reason", "looked at"); h.Wait() != nil {
				t.Fatal("resume failed")
			}
			o.until("it orders again", func() bool { return c.orders(o) > n })
		})
	}
}

// halted reports whether the folder's record has a cause.
func (o *outside) halted(cause risk.HaltCause) bool {
	list, err := readHalts(filepath.Join(o.dir, "state"))
	for i := range list {
		if list[i].causes()&cause != 0 {
			return err == nil
		}
	}
	return false
}

// report is the n-th report from now.
func (p *process) report(n int) (r report) {
	p.o.t.Helper()
	for range n {
		r = report{}
		if err := json.Unmarshal([]byte(<-p.lines), &r); err != nil {
			p.o.t.Fatal(err)
		}
	}
	return r
}

// P13: the engine's thread stands in a strategy that does not return. What it has at work
// is cancelled around it.
func TestAKillEndsTheOrdersOfAStuckStrategy(t *testing.T) {
	o := newOutside(t, append(paramsOf(t), `name = "quoter"`, `name = "stuck"`)...)
	p := o.start("run", "--json")
	o.until("orders rest at the venue", func() bool { return o.open() > 0 })
	p.says(isStuck)
	if h := o.start("halt", "--reason", "a drill"); h.Wait() != nil {
		t.Fatal("halt failed")
	}
	o.until("nothing rests", func() bool { return o.open() == 0 })
	p.says("cancelled around it")
	acts := o.srv.Stats().Accepted
	if h := o.start("halt", "--reason", "once more"); h.Wait() != nil || o.srv.Stats().Accepted != acts || o.open() != 0 {
		t.Errorf("%d orders since, %d open", o.srv.Stats().Accepted-acts, o.open())
	}
}
