package app

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"riposte/tools/sim"
	"riposte/tools/sim/oracle"
	"riposte/tools/venue/exchange"
)

// twinEpoch is that of a run which no journal knows.
const twinEpoch = "0zzzzzz"

// Others on the account, and what happens to a journal while nobody looks.

func init() {
	simFaults["guest"] = func(r *simRun, e *sim.Event) {
		n := 1
		if e.N%4 == 0 {
			n = 40 // a busy one
		}
		for i := range n {
			r.guest(e, fmt.Sprintf("web_%d_%d", e.N, i))
		}
	}
	simFaults["nibble"] = func(r *simRun, e *sim.Event) { r.nibble(e.N) }
	// The id of a run of our own that no journal knows: another engine under our prefix.
	simFaults["twin"] = func(r *simRun, e *sim.Event) { r.guest(e, fmt.Sprintf("%s%s-%08d", r.eye.ours, twinEpoch, e.N)) }
	simFaults["damage"] = func(r *simRun, e *sim.Event) { r.damage(e) }
}

// guest has somebody rest an order on the account, far from the market, and take it back.
func (r *simRun) guest(e *sim.Event, client string) {
	symbol := r.plan.Work.Symbols[e.N%len(r.plan.Work.Symbols)]
	limit := r.eye.rules.Symbols[symbol]
	book, err := r.srv.BookAt(symbol, 0)
	if err != nil || len(book.Bids) == 0 {
		return
	}
	// A tenth below the best bid, on a coarse grid that every tick divides.
	price := book.Bids[0].Price / 10 * 9
	price -= price % 1_000_000
	if price == 0 {
		price = book.Bids[0].Price
	}
	id, err := r.srv.Place("", &exchange.NewOrder{Symbol: symbol, Side: exchange.Buy, Type: exchange.LimitOrder, TimeInForce: exchange.GTC,
		Quantity: exchange.Some(limit.QtyMax), Price: exchange.Some(price), ClientOrderID: client})
	if err != nil {
		r.w.Note("guest: %v", err)
		return
	}
	leave := func() {
		if slices.Contains(r.guests, id) {
			r.guests = slices.DeleteFunc(r.guests, func(o int64) bool { return o == id })
			if err := r.srv.Cancel("", symbol, id); err != nil {
				r.w.Note("guest: %v", err)
			}
		}
	}
	r.guests = append(r.guests, id)
	r.w.After(min(e.For, max(r.plan.Time-r.w.Now(), 0)), leave)
}

// taker is the account of another who trades on the market.
const taker = "taker"

// nibble has somebody take all that the market offers before one of the engine's resting
// orders, and a part of that order.
func (r *simRun) nibble(n int) {
	open, err := r.srv.OpenOrders("")
	if err != nil {
		r.broken(err)
		return
	}
	open = slices.DeleteFunc(open, func(o exchange.Order) bool {
		return !strings.HasPrefix(o.ClientOrderID, r.eye.ours) || strings.HasPrefix(o.ClientOrderID, r.eye.ours+twinEpoch)
	})
	if len(open) == 0 {
		return
	}
	o := &open[n%len(open)]
	book, err := r.srv.BookAt(o.Symbol, 0)
	if err != nil {
		return
	}
	side, levels := exchange.Sell, book.Bids
	if o.Side == exchange.Sell {
		side, levels = exchange.Buy, book.Asks
	}
	left := o.OrigQty - o.ExecutedQty
	before := -left // its own level holds it too
	for _, l := range levels {
		if side == exchange.Sell && l.Price < o.Price || side == exchange.Buy && l.Price > o.Price {
			break
		}
		before += l.Qty
	}
	q := max(before, 0) + left/4*exchange.Fixed(1+n%3)
	q -= q % 1_000_000 // a hundredth, which every lot divides
	if q <= 0 {
		q = max(before, 0) + left/2
		q -= q % 10_000
	}
	if _, err := r.srv.Place(taker, &exchange.NewOrder{Symbol: o.Symbol, Side: side, Type: exchange.LimitOrder, TimeInForce: exchange.IOC,
		Quantity: exchange.Some(q), Price: exchange.Some(o.Price)}); err != nil {
		r.w.Note("nibble: %v", err)
	}
}

// damage kills the engine and changes a byte of its newest journal file, within a record
// that others follow. The next start has to refuse it; then the good one is put back.
func (r *simRun) damage(e *sim.Event) {
	if r.life == nil || r.healed || r.spoilt != "" {
		return
	}
	r.crash(e.For, false)
	good := r.next
	bad := r.copyJournal(good)
	names, _ := filepath.Glob(filepath.Join(bad, "*.journal"))
	if len(names) == 0 {
		return
	}
	slices.Sort(names)
	if e.N%2 == 0 && len(names) > 2 {
		if err := os.Remove(names[len(names)/2]); err != nil {
			r.broken(err)
		}
		r.spoil(bad, good, filepath.Base(names[len(names)/2])+" is gone")
		return
	}
	name := names[len(names)-1]
	b, err := os.ReadFile(name)
	if err != nil {
		r.broken(err)
		return
	}
	at := spoilable(b, e.N)
	if at < 0 {
		return
	}
	b[at] ^= 0x10
	if err := os.WriteFile(name, b, 0o600); err != nil {
		r.broken(err)
		return
	}
	r.spoil(bad, good, fmt.Sprintf("byte %d of %s changed", at, filepath.Base(name)))
}

func (r *simRun) spoil(bad, good, what string) {
	r.w.Note("damage: %s", what)
	r.next, r.spoilt = bad, good
	r.eye.see(oracle.Damaged{What: what})
}

// spoilable is a byte within one of a file's records but the last, -1 if it has too few.
func spoilable(b []byte, n int) int {
	var starts []int
	for at := 0; at+8 < len(b); {
		size := int(binary.LittleEndian.Uint32(b[at:])) + 8
		if size == 8 || at+size > len(b) {
			break
		}
		starts = append(starts, at)
		at += size
	}
	if len(starts) < 3 {
		return -1
	}
	return starts[1+n%(len(starts)-2)] + 20
}

// unrefused judges a start that came about (P18): whatever it does then, on a damaged journal
// there must be none.
func (r *simRun) unrefused(l *simLife) {
	if r.spoilt != "" && l.dir == r.next {
		r.w.Violated("P18", fmt.Sprintf("life %d runs on a damaged journal", l.n))
		r.spoilt = ""
	}
}

// refused takes note of a start that came to nothing: one on a damaged journal has to, and
// the journal is put back. It reports whether that was so.
func (r *simRun) refused(why string) bool {
	if r.spoilt == "" {
		return false
	}
	r.eye.see(oracle.Refused{Why: why})
	r.next, r.spoilt = r.spoilt, ""
	return true
}
