package sim

import (
	"fmt"
	"time"
)

// lasting are families of faults that last, come again and again, or are aimed: what is
// over at once is forgiven by a retry, and whoever only retries looks well.
var lasting = []class{
	// The venue announces the end of connections in good time.
	{"planned", 0.1, 5, 15, []string{"venue"}, func(d *drawing, e *Event) {
		e.Kind, e.Text = "venue", fmt.Sprintf("shutdown %s %v", pick(d, "streams", "streams", "all"), d.between(4*time.Second, 10*time.Second))
	}},
	// A whole kind of connection is gone: what there is breaks or falls silent, and no
	// other can be made.
	{"dark", 0.3, 1, 8, []string{"dark"}, func(d *drawing, e *Event) {
		e.Kind, e.For, e.N = "dark", d.between(2*time.Second, 60*time.Second), d.IntN(3)
		e.Link = pick(d, Stream, Stream, API, API, Wire, REST).String()
	}},
	// The peer reads no more: a request is taken in part.
	{"narrow", 0.2, 5, 60, []string{"narrow"}, func(d *drawing, e *Event) {
		e.Kind, e.N, e.For = "narrow", 100+d.IntN(400), d.between(20*time.Millisecond, 5*time.Second)
		e.Link, e.Nth, e.Up = pick(d, Wire, Wire, API).String(), d.IntN(8), true
	}},
	// Answers to orders are lost, one after another.
	{"doubts", 0.25, 5, 60, []string{"venue"}, func(d *drawing, e *Event) {
		e.Kind = "venue"
		e.Text = fmt.Sprintf("lose orders %s %s %d", pick(d, "taken", "taken", "untaken"), pick(d, "timeout", "reset", "503", "unexpected", "unknown", "silent"), 1+d.IntN(3))
	}},
	// What is fetched cannot be had, however often it is asked for.
	{"denied", 0.25, 1, 10, []string{"venue"}, func(d *drawing, e *Event) {
		e.Kind, e.Text = "venue", fmt.Sprintf("lose %s untaken %s %d", pick(d, "market", "market", "queries", "all"), pick(d, "503", "timeout", "unexpected", "firewall", "reset"), 5+d.IntN(100))
		if d.chance(0.3) {
			e.Text = fmt.Sprintf("delay market %v %d", d.between(2*time.Second, 15*time.Second), 1+d.IntN(4))
		} else if d.chance(0.3) {
			e.Text = fmt.Sprintf("subscribe %s %d", pick(d, "refused", "partial", "silent"), 2+d.IntN(8))
		}
	}},
	// A subscription that stands brings nothing any more, and does not say so.
	{"stuck", 0.25, 1, 10, []string{"venue"}, func(d *drawing, e *Event) {
		if len(d.p.Work.Streams) == 1 { // alone on its line, nobody could know it from one of a quiet market
			e.Kind, e.Text = "venue", "cut streams"
			return
		}
		e.Kind, e.Text = "venue", fmt.Sprintf("stick %s@%s", lower(pick(d, d.p.Work.Symbols...)), pick(d, "depth@100ms", "depth@100ms", "bookTicker"))
	}},
	// Somebody trades with what rests, in part.
	{"nibble", 0.3, 5, 80, []string{"nibble"}, func(d *drawing, e *Event) { e.Kind, e.N = "nibble", d.IntN(1000) }},
	{"rights", 0.15, 0.5, 4, []string{"rights"}, func(d *drawing, e *Event) {
		e.Kind, e.For = "rights", d.between(200*time.Millisecond, 30*time.Second)
	}},
	{"rules", 0.15, 0.5, 4, []string{"rules"}, func(d *drawing, e *Event) {
		e.Kind, e.For = "rules", d.between(2*time.Second, 40*time.Second)
		e.Text, e.N = pick(d, d.p.Work.Symbols...), d.IntN(3)
	}},
}
