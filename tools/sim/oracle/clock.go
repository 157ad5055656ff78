package oracle

import "fmt"

// clock is P20: what an order is signed with is the venue's time, of the moment in which it
// was decided. Signed ahead, it is never older than half its window.
type clock struct {
	rules *Rules
	asked []wish
}

// wish is an order that a strategy asked for.
type wish struct {
	Asked
	at int64
}

// wishesKept is more than can be on their way at once.
const wishesKept = 4096

func newClock(r *Rules) *clock { return &clock{rules: r} }

// Promise is P20.
func (*clock) Promise() string { return "P20" }

// clockSlack is how far the engine may take its own clock to be off and go on.
const clockSlack = 250 * ms

// See takes a fact.
func (c *clock) See(f *Fact, found func(string)) {
	switch w := f.What.(type) {
	case Asked:
		if c.asked = append(c.asked, wish{w, f.At}); len(c.asked) > wishesKept {
			c.asked = c.asked[wishesKept/2:]
		}
	case Died:
		c.asked = nil
	case *Request:
		if w.Creates() {
			c.leaves(f.At, w, found)
		}
	}
}

func (c *clock) leaves(at int64, r *Request, found func(string)) {
	stamp, window := r.stamp()
	old := c.rules.VenueNow(at) - stamp
	most := max(c.rules.Window/2, c.rules.Life) + clockSlack + 10*ms
	switch {
	case window <= 0 || window > c.rules.Window+ms: // it ends at a moment, and stamps are whole milliseconds
		found(fmt.Sprintf("%s may be acted on for %d ms, want at most %d", r.Client(), window/ms, c.rules.Window/ms))
	case old > most:
		found(fmt.Sprintf("%s left %d ms after the time it was signed with, want at most %d", r.Client(), old/ms, most/ms))
	case old < -clockSlack-10*ms:
		found(fmt.Sprintf("%s was signed for %d ms from now", r.Client(), -old/ms))
	}
	if len(c.asked) == 0 {
		return // nobody tells what strategies ask for
	}
	o := Asked{Symbol: r.Args["symbol"], Sell: r.Args["side"] == "SELL", Price: r.number("price"), Qty: r.number("quantity")}
	for i := len(c.asked) - 1; i >= 0; i-- {
		if c.asked[i].Asked != o {
			continue
		}
		if late := at - c.asked[i].at; late > c.rules.Life+20*ms {
			found(fmt.Sprintf("%s left %d ms after it was decided, want at most %d", r.Client(), late/ms, c.rules.Life/ms))
		}
		c.asked = append(c.asked[:i], c.asked[i+1:]...)
		return
	}
	found(fmt.Sprintf("%s left, and nobody had asked for it: %v", r.Client(), r))
}
