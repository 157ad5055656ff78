package app

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"riposte/core"
	"riposte/core/journal"
	execbinance "riposte/exec/binance"
)

// sharedFor is how long the account is shared; an acceptance run takes 10m.
func sharedFor(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("RIPOSTE_SHARED_FOR")
	if text == "" {
		return 6 * time.Second
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Pain 33: what one does on an account never touches what another does there.
func TestTwoEnginesAndAHumanOnOneAccountDoNotTouchEachOther(t *testing.T) {
	o := newOutside(t)
	second := o.as("two")
	engines := map[string]*process{"rp": o.start("run", "--json"), "two": second.start("run", "--json")}
	o.until("both have orders", func() bool { return o.openOf("rp-") > 0 && o.openOf("two-") > 0 })
	h := o.human()
	for end := time.Now().Add(sharedFor(t)); time.Now().Before(end); {
		h.act()
	}
	final := map[string]report{}
	for name, p := range engines {
		if err := p.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		final[name] = p.last()
	}
	left := h.close()

	// By the venue: whose each order was, and how it ended.
	position := map[string]map[string]core.Qty{}
	fills, canceled := map[string]uint64{}, map[string][]string{}
	prefix := map[int64]string{}
	for _, symbol := range []string{"BTCUSDT", "ETHUSDT"} {
		orders, err := h.rest.OrdersFrom(t.Context(), symbol, 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range orders {
			who, _, _ := strings.Cut(x.Client, "-")
			prefix[x.VenueID] = who
			if x.Status == core.Canceled {
				canceled[who] = append(canceled[who], x.Client)
			}
			if who == "human" && x.Status == core.Canceled && !h.ended[x.Client] {
				t.Errorf("the human's order %s was cancelled by somebody else", x.Client)
			}
		}
		trades, err := h.rest.AccountTradesFrom(t.Context(), symbol, 0)
		if err != nil {
			t.Fatal(err)
		}
		for i := range trades {
			x := &trades[i]
			who := prefix[x.VenueID]
			if position[who] == nil {
				position[who] = map[string]core.Qty{}
			}
			q := x.Qty
			if !x.Buyer {
				q = -q
			}
			if x.FeeAsset == strings.TrimSuffix(symbol, "USDT") {
				q -= core.Qty(x.Fee) // a position is what one can sell
			}
			position[who][symbol] += q
			fills[who]++
		}
	}
	for name, dir := range map[string]string{"rp": o.dir, "two": second.dir} {
		asked, foreign := journaledCancels(t, filepath.Join(dir, "state"), name+"-")
		if foreign != 0 {
			t.Errorf("%s asked for the cancel of %d orders that are not its own", name, foreign)
		}
		for _, id := range canceled[name] {
			if !asked[id] {
				t.Errorf("order %s of %s was cancelled, and it had not asked for that", id, name)
			}
		}
		r := final[name]
		if !r.Clean || r.Mismatches != 0 || r.Unknown != 0 || r.OpenAtVenue != 0 {
			t.Errorf("%s: clean %v, mismatches %d, unknown %d, left open %d: %q %q", name, r.Clean, r.Mismatches, r.Unknown, r.OpenAtVenue, r.Differences, r.Problems)
		}
		if r.Fills != fills[name] {
			t.Errorf("%s booked %d fills, the venue has %d of it", name, r.Fills, fills[name])
		}
		for symbol, q := range position[name] {
			if got := r.Position[symbol]; got != q.String() {
				t.Errorf("%s has a position of %s in %s, the venue %v", name, got, symbol, q)
			}
		}
	}
	if left != 0 {
		t.Errorf("%d of the human's orders could not be found at the end", left)
	}
	t.Logf("%v on one account: rp %d orders, two %d, human %d; %d, %d and %d cancelled, %d, %d and %d fills; 0 touched by others",
		sharedFor(t), final["rp"].Orders, final["two"].Orders, h.placed, len(canceled["rp"]), len(canceled["two"]), len(canceled["human"]),
		fills["rp"], fills["two"], fills["human"])
}

// as is the same venue and account for another instance with a state of its own.
func (o *outside) as(instance string) *outside {
	o.t.Helper()
	n := *o
	n.dir = filepath.Join(o.dir, instance)
	if err := os.Mkdir(n.dir, 0o700); err != nil {
		o.t.Fatal(err)
	}
	text, err := os.ReadFile(o.config)
	if err != nil {
		o.t.Fatal(err)
	}
	n.config = filepath.Join(n.dir, "riposte.toml")
	edited := strings.NewReplacer(`instance = "rp"`, `instance = "`+instance+`"`, filepath.Join(o.dir, "state"), filepath.Join(n.dir, "state")).Replace(string(text))
	if err := os.WriteFile(n.config, []byte(edited), 0o600); err != nil {
		o.t.Fatal(err)
	}
	return &n
}

func (o *outside) openOf(prefix string) (n int) {
	o.t.Helper()
	list, err := o.srv.OpenOrders("main")
	if err != nil {
		o.t.Fatal(err)
	}
	for i := range list {
		if strings.HasPrefix(list[i].ClientOrderID, prefix) {
			n++
		}
	}
	return n
}

// last is the final report of a process that ends.
func (p *process) last() (r report) {
	p.o.t.Helper()
	text := ""
	for line := range p.lines {
		text = line
	}
	if err := json.Unmarshal([]byte(text), &r); err != nil || !r.Final {
		p.o.t.Fatalf("the process ended with %q, %v, want its final report", text, err)
	}
	return r
}

// journaledCancels are the client ids whose cancel a journal has on record, and how
// many of them have another prefix.
func journaledCancels(t *testing.T, dir, prefix string) (asked map[string]bool, foreign int) {
	t.Helper()
	asked = map[string]bool{}
	for _, in := range journaled[journal.Intent](t, dir, journal.KindIntent) {
		if in.Kind != core.Cancel {
			continue
		}
		id := in.Client.String()
		asked[id] = true
		if !strings.HasPrefix(id, prefix) {
			foreign++
		}
	}
	return asked, foreign
}

// human trades by hand on the account.
type human struct {
	o      *outside
	rest   *execbinance.REST
	trader *execbinance.Trader
	done   func()
	rng    *rand.Rand
	open   map[string]string // symbol by client id
	ended  map[string]bool   // cancelled by itself
	placed int
	serial int
	tick   *time.Ticker
}

func (o *outside) human() *human {
	o.t.Helper()
	cfg, err := loadConfig(o.config)
	if err != nil {
		o.t.Fatal(err)
	}
	c, err := openContact(cfg, "", false)
	if err != nil {
		o.t.Fatal(err)
	}
	return &human{o: o, rest: c.rest, trader: execbinance.NewTrader(c.rest), rng: rand.New(rand.NewPCG(3, 4)), open: map[string]string{},
		ended: map[string]bool{}, tick: time.NewTicker(100 * time.Millisecond),
		done: func() {
			if err := c.close(); err != nil {
				o.t.Error(err)
			}
		}}
}

// act places an order or cancels one of its own.
func (h *human) act() {
	t := h.o.t
	t.Helper()
	<-h.tick.C
	for id, symbol := range h.open {
		if len(h.open) < 4 || h.rng.IntN(2) == 0 {
			break
		}
		client, _ := core.MakeClientID(id)
		h.ended[id] = true
		// It may have traded meanwhile: then there is nothing to cancel.
		_, _ = h.rest.CancelOrder(t.Context(), &execbinance.CancelRequest{Symbol: symbol, Ref: execbinance.Ref{Client: client}})
		delete(h.open, id)
		return
	}
	symbol, q := "BTCUSDT", core.Qty(20_000)
	if h.rng.IntN(2) == 0 {
		symbol, q = "ETHUSDT", 500_000
	}
	h.placed++
	h.serial++
	id := fmt.Sprintf("human-%d", h.serial)
	client, _ := core.MakeClientID(id)
	side := core.Side(h.rng.IntN(2))
	req := execbinance.OrderRequest{Symbol: symbol, Side: side, Qty: q}
	req.Client, req.Type = client, core.MarketOrder
	if h.rng.IntN(4) > 0 {
		book, err := h.o.srv.BookAt(symbol, 0)
		if err != nil || len(book.Bids) == 0 || len(book.Asks) == 0 {
			t.Fatalf("no book of %s: %v", symbol, err)
		}
		p := core.Price(book.Bids[0].Price) * 99 / 100
		if side == core.Sell {
			p = core.Price(book.Asks[0].Price) * 101 / 100
		}
		req.Type, req.Price = core.Limit, p-p%1_000_000
	}
	if _, err := h.trader.Place(t.Context(), &req); err != nil {
		h.placed--
		t.Logf("the human's order was not taken: %v", err)
		return
	}
	if req.Type == core.Limit {
		h.open[id] = symbol
	}
}

// close counts the orders that should still be known and are not, and cancels none.
func (h *human) close() (missing int) {
	h.tick.Stop()
	h.o.t.Cleanup(h.done)
	for id, symbol := range h.open {
		client, _ := core.MakeClientID(id)
		if _, err := h.rest.QueryOrder(h.o.t.Context(), symbol, execbinance.Ref{Client: client}); err != nil {
			missing++
		}
	}
	return missing
}
