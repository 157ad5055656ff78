package sim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"
)

// Draw takes the choices of a run from a seed: first what the engine is set to do, then
// which classes of fault exist at all (a fault that is always there hides others), then
// how often each strikes, then each event.
func Draw(seed uint64, length time.Duration) *Plan { return Campaign(seed, length, nil) }

// campaignRate is how often in ten minutes the classes of a campaign strike at least.
const campaignRate = 60

// Campaign draws from a seed as Draw does, but of the classes named only, and of each as
// often as it may strike and every ten seconds at least: for what takes one fault many times, or two together that are
// both rare. No name: Draw.
func Campaign(seed uint64, length time.Duration, names []string) *Plan {
	d := &drawing{Rand: rand.New(rand.NewPCG(seed, textHash("plan"))), p: &Plan{Seed: seed, Time: length}}
	d.work()
	d.world()
	list := slices.Concat(classes, lasting)
	alone := -1
	if len(names) == 0 && d.chance(0.25) { // what one fault does is often hidden by the others
		alone = d.IntN(len(list))
		if d.chance(0.3) { // what must cost nothing shows only where nothing else is wrong
			alone = slices.IndexFunc(list, func(c class) bool { return c.name == "planned" })
		}
	}
	for i := range list {
		c := &list[i]
		on, rate := d.Float64() < c.share, d.rate(c.low, c.high)
		if len(names) > 0 {
			on, rate = slices.Contains(names, c.name), max(c.high, campaignRate)
		}
		if alone >= 0 && alone != i || alone < 0 && !on {
			continue
		}
		d.p.Classes = append(d.p.Classes, c.name)
		n := int(rate*length.Minutes()/10 + d.Float64())
		for range max(n, 1) {
			e := Event{At: time.Duration(d.Int64N(int64(length)))}
			c.draw(d, &e)
			if d.chance(0.6) { // left to chance nearly all would find a live engine
				e.In = d.state()
				d.bring(&e)
			}
			d.p.Events = append(d.p.Events, e)
		}
	}
	slices.SortStableFunc(d.p.Events, func(a, b Event) int { return int(a.At - b.At) })
	return d.p
}

// state draws what an event waits for: those that hold often need no aim.
func (d *drawing) state() string {
	return pick(d, "boot", "replay", "replay", "reconcile", "buffering", "in flight", "in flight", "unknown", "part-filled", "part-filled", "part-filled",
		"cancelling", "cancelling", "halted", "ending", "ending", "rotating", "rotating", "rotating")
}

// bring adds what brings about the state that an event waits for, where chance alone
// hardly would.
func (d *drawing) bring(e *Event) {
	help := Event{At: e.At}
	switch e.In {
	case "boot":
		e.At = time.Duration(d.Int64N(int64(20 * d.p.Work.Base)))
		return
	case "replay":
		help.Kind, help.For = "crash", d.between(10*time.Millisecond, 5*time.Second)
	case "unknown":
		help.Kind, help.Text = "venue", "lose orders taken silent 1"
	case "halted":
		help.Kind, help.Text, help.For = "operator", "halt", d.between(time.Second, 10*time.Second)
	case "ending":
		help.Kind, help.For = "restart", d.between(10*time.Millisecond, 5*time.Second)
	case "part-filled":
		help.Kind, help.N = "nibble", d.IntN(1000)
	case "rotating":
		help.Kind, help.Text = "venue", fmt.Sprintf("shutdown streams %v", d.between(time.Second, 10*time.Second))
	default:
		return
	}
	if d.chance(0.7) {
		d.p.Events = append(d.p.Events, help)
	}
}

// Classes are the names of all classes of fault.
func Classes() (list []string) {
	for _, c := range slices.Concat(classes, lasting) {
		list = append(list, c.name)
	}
	return list
}

// Kinds are all kinds of event that Draw can draw.
func Kinds() (list []string) {
	for _, c := range slices.Concat(classes, lasting) {
		for _, k := range c.kinds {
			if !slices.Contains(list, k) {
				list = append(list, k)
			}
		}
	}
	return list
}

type drawing struct {
	*rand.Rand
	p *Plan
}

// rate is log-uniform.
func (d *drawing) rate(low, high float64) float64 {
	return low * math.Pow(high/low, d.Float64())
}

func (d *drawing) between(low, high time.Duration) time.Duration {
	return time.Duration(d.rate(float64(low), float64(high))).Round(time.Microsecond)
}

func pick[T any](d *drawing, list ...T) T { return list[d.IntN(len(list))] }

func (d *drawing) chance(p float64) bool { return d.Float64() < p }

// class is a family of faults. Rates are per ten minutes.
type class struct {
	name      string
	share     float64 // of seeds that have it
	low, high float64
	kinds     []string
	draw      func(d *drawing, e *Event)
}

// link draws what link a fault is on.
func (d *drawing) link(e *Event) {
	e.Link = pick(d, Stream, API, API, Wire, REST).String()
	e.Nth, e.Up = d.IntN(8), d.chance(0.5)
}

// classes are all that is drawn. Of what the venue can do to itself one thing is not among
// them: "clock", which moves the clock that requests are judged by. The times of its events
// and the minutes of its limits stay where they are, so such a venue is at odds with itself,
// and whether data is old (P3), an order signed too early (P20) or a minute used up (P25)
// would depend on which of its clocks a judge believes. That the two sides differ is drawn
// all the same: Work.Offset for a whole run, "drift" and "clockstep" on the engine's side.
var classes = []class{
	{"reset", 0.4, 1, 30, []string{"reset"}, func(d *drawing, e *Event) { e.Kind = "reset"; d.link(e) }},
	{"vanish", 0.3, 0.5, 8, []string{"vanish"}, func(d *drawing, e *Event) { e.Kind = "vanish"; d.link(e) }},
	{"hold", 0.3, 1, 20, []string{"hold"}, func(d *drawing, e *Event) {
		e.Kind, e.For = "hold", d.between(20*time.Millisecond, 30*time.Second)
		d.link(e)
	}},
	{"slow", 0.3, 1, 20, []string{"slow"}, func(d *drawing, e *Event) {
		e.Kind, e.For, e.N = "slow", d.between(time.Second, 30*time.Second), int(d.between(5*time.Millisecond, 5*time.Second)/time.Millisecond)
		d.link(e)
	}},
	{"drip", 0.2, 1, 10, []string{"drip"}, func(d *drawing, e *Event) {
		e.Kind, e.For = "drip", d.between(200*time.Millisecond, 20*time.Second)
		d.link(e)
	}},
	{"cut", 0.3, 1, 30, []string{"cut"}, func(d *drawing, e *Event) {
		e.Kind, e.N = "cut", d.IntN(600)
		d.link(e)
		if d.chance(0.25) {
			e.Text = "silent"
		}
	}},
	{"refuse", 0.25, 0.5, 6, []string{"refuse", "noname", "noanswer"}, func(d *drawing, e *Event) {
		e.Kind, e.For = pick(d, "refuse", "noname", "noanswer"), d.between(100*time.Millisecond, 30*time.Second)
		e.Link = pick(d, Stream, API, Wire, REST).String()
	}},
	{"partition", 0.25, 0.3, 4, []string{"partition"}, func(d *drawing, e *Event) {
		e.Kind, e.For = "partition", d.between(200*time.Millisecond, 40*time.Second)
		e.N = d.IntN(3) // both ways, only up, only down
		if d.chance(0.3) {
			e.Text = "reset"
		}
	}},
	{"depth", 0.4, 1, 60, []string{"venue"}, func(d *drawing, e *Event) {
		e.Kind, e.Text = "venue", fmt.Sprintf("%s depth * %d", pick(d, "drop", "double", "swap", "overlap"), 1+d.IntN(3))
		if d.chance(0.3) {
			e.Text = fmt.Sprintf("late depth * %v %d", d.between(time.Millisecond, 3*time.Second), 1+d.IntN(3))
		}
	}},
	{"touch", 0.3, 1, 30, []string{"venue"}, func(d *drawing, e *Event) {
		e.Kind, e.Text = "venue", fmt.Sprintf("%s bookTicker * %d", pick(d, "drop", "double", "swap"), 1+d.IntN(3))
	}},
	{"spoil", 0.3, 1, 20, []string{"venue"}, func(d *drawing, e *Event) {
		of := pick(d, "depth", "depth", "bookTicker")
		e.Kind, e.Text = "venue", fmt.Sprintf("spoil %s * %s 1", of, pick(d, "cross", "cross", "cross", "cross", "json", "number", "utf8", "symbol", "event", "type", "missing", "nest",
			"huge", "fragments", "rsv", "binary", "opcode", "masked", "truncated"))
	}},
	{"reports", 0.4, 1, 20, []string{"venue"}, func(d *drawing, e *Event) {
		e.Kind = "venue"
		what := pick(d, "report", "fill", "user", "balance")
		if e.Text = fmt.Sprintf("%s %s * %d", pick(d, "drop", "double", "swap"), what, 1+d.IntN(2)); d.chance(0.4) {
			e.Text = fmt.Sprintf("late %s * %v %d", what, d.between(time.Millisecond, 25*time.Second), 1+d.IntN(2))
		}
	}},
	{"session", 0.25, 0.5, 6, []string{"venue"}, func(d *drawing, e *Event) {
		e.Kind, e.Text = "venue", pick(d, "terminate *", "subscribe refused 1", "subscribe partial 1", "subscribe silent 1", "bye streams 1008", "bye wsapi 1001", "bye all 1011")
	}},
	{"pongs", 0.15, 0.3, 3, []string{"venue"}, func(d *drawing, e *Event) {
		e.Kind, e.Text = "venue", fmt.Sprintf("pongs %s %v", pick(d, "streams", "wsapi", "all"), d.between(100*time.Millisecond, 10*time.Second))
	}},
	{"snapshot", 0.3, 1, 10, []string{"venue"}, func(d *drawing, e *Event) {
		e.Kind, e.Text = "venue", fmt.Sprintf("%s depth * %d", pick(d, "stale", "boundary"), 1+d.IntN(3))
		if d.chance(0.3) {
			e.Text = fmt.Sprintf("shallow depth * %d %d", d.IntN(12), 1+d.IntN(3))
		}
		if d.chance(0.3) {
			e.Text = fmt.Sprintf("cached depth * %v", d.between(time.Second, 30*time.Second))
		}
	}},
	{"answers", 0.5, 1, 40, []string{"venue"}, func(d *drawing, e *Event) {
		e.Kind = "venue"
		of := pick(d, "orders", "orders", "amends", "cancels", "cancels", "queries", "market", "session", "all")
		if d.chance(0.2) {
			e.Text = fmt.Sprintf("garble %s %s 1", of, pick(d, "partial", "short", "long", "junk", "trailing", "type", "swapped"))
			return
		}
		if d.chance(0.4) {
			e.Text = fmt.Sprintf("delay %s %v %d", of, d.between(50*time.Millisecond, 15*time.Second), 1+d.IntN(2))
			return
		}
		e.Text = fmt.Sprintf("lose %s %s %s %d", of, pick(d, "taken", "untaken"), pick(d, "timeout", "timeout", "reset", "reset", "503", "busy", "disconnected", "unexpected", "firewall", "html", "redirect", "empty", "silent"), 1+d.IntN(2))
	}},
	{"limits", 0.2, 0.3, 3, []string{"venue"}, func(d *drawing, e *Event) {
		e.Kind, e.Text = "venue", fmt.Sprintf("%s %v", pick(d, "429", "429", "418"), d.between(time.Second, 30*time.Second))
	}},
	{"freeze", 0.3, 0.5, 8, []string{"venue"}, func(d *drawing, e *Event) {
		what := pick(d, "streams", "wsapi", "depth", "touch")
		s := lower(pick(d, d.p.Work.Symbols...))
		switch what {
		case "depth":
			what = s + "@depth@100ms"
		case "touch":
			what = s + "@bookTicker"
		}
		e.Kind, e.Text = "venue", fmt.Sprintf("freeze %s %v", what, d.between(time.Second, 40*time.Second))
	}},
	{"shutdown", 0.25, 0.5, 6, []string{"venue"}, func(d *drawing, e *Event) {
		e.Kind, e.Text = "venue", fmt.Sprintf("shutdown %s %v", pick(d, "streams", "wsapi", "all"), d.between(100*time.Millisecond, 10*time.Second))
	}},
	{"sockets", 0.25, 0.5, 10, []string{"venue"}, func(d *drawing, e *Event) {
		e.Kind, e.Text = "venue", "cut "+pick(d, "streams", "wsapi", "rest", "all")
	}},
	{"status", 0.15, 0.3, 3, []string{"status"}, func(d *drawing, e *Event) {
		e.Kind, e.For = "status", d.between(time.Second, 40*time.Second)
		e.Text = pick(d, d.p.Work.Symbols...) + " " + pick(d, "HALT", "BREAK", "CANCEL_ONLY")
	}},
	{"crash", 0.35, 0.5, 10, []string{"crash", "crashwrite", "crashpoint"}, func(d *drawing, e *Event) {
		e.Kind, e.For = "crash", d.between(10*time.Millisecond, 20*time.Second)
		if d.chance(0.6) {
			e.Kind, e.N = "crashwrite", d.IntN(40)
			e.Up = d.chance(0.5) // the bytes still leave
			if d.chance(0.5) {
				e.Kind, e.N = "crashpoint", 1+d.IntN(400)
			}
		}
		if d.chance(0.3) {
			e.Text = "silent"
		}
	}},
	{"restart", 0.2, 0.3, 4, []string{"restart"}, func(d *drawing, e *Event) {
		e.Kind, e.For = "restart", d.between(10*time.Millisecond, 10*time.Second)
	}},
	{"pause", 0.25, 0.5, 6, []string{"pause"}, func(d *drawing, e *Event) {
		e.Kind, e.For = "pause", d.between(200*time.Millisecond, 120*time.Second)
	}},
	{"starve", 0.2, 0.5, 6, []string{"starve"}, func(d *drawing, e *Event) {
		e.Kind, e.For, e.N = "starve", d.between(time.Second, 30*time.Second), 20+d.IntN(400)
	}},
	{"clock", 0.25, 0.3, 5, []string{"clockstep", "drift"}, func(d *drawing, e *Event) {
		if d.chance(0.4) {
			e.Kind, e.N = "drift", d.IntN(401)-200
			return
		}
		e.Kind, e.N = "clockstep", int(d.between(10*time.Millisecond, time.Hour)/time.Millisecond)
		if d.chance(0.5) {
			e.N = -e.N
		}
	}},
	{"disk", 0.3, 1, 10, []string{"disk"}, func(d *drawing, e *Event) {
		e.Kind, e.For = "disk", d.between(500*time.Millisecond, 20*time.Second)
		e.Text = pick(d, "probe", "probe", "sync", "create", "allot", "mmap", "truncate", "sync", "probe", "write", "rename")
	}},
	{"operator", 0.3, 0.5, 8, []string{"operator"}, func(d *drawing, e *Event) {
		e.Kind, e.Text, e.For = "operator", pick(d, "kill", "halt"), d.between(100*time.Millisecond, 20*time.Second)
	}},
	{"stranger", 0.15, 0.3, 3, []string{"deposit"}, func(d *drawing, e *Event) {
		e.Kind, e.Text, e.N = "deposit", pick(d, "USDT", "BTC", "ETH"), 1+d.IntN(1000)
	}},
	{"guest", 0.2, 1, 12, []string{"guest"}, func(d *drawing, e *Event) {
		e.Kind, e.N, e.For = "guest", d.IntN(1_000_000), d.between(time.Second, 2*time.Minute)
	}},
	{"twin", 0.1, 0.3, 2, []string{"twin"}, func(d *drawing, e *Event) {
		e.Kind, e.N, e.For = "twin", d.IntN(1_000_000), d.between(100*time.Millisecond, 20*time.Second)
	}},
	{"damage", 0.2, 0.5, 5, []string{"damage"}, func(d *drawing, e *Event) {
		e.Kind, e.N, e.For = "damage", d.IntN(1_000_000), d.between(10*time.Millisecond, 5*time.Second)
	}},
}

func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// work draws what the engine does and how the world is when nothing goes wrong.
func (d *drawing) work() {
	k := &d.p.Work
	k.Symbols = [][]string{{"BTCUSDT"}, {"BTCUSDT", "ETHUSDT"}, {"ETHUSDT", "BTCUSDT", "ETHBTC"}}[pick(d, 0, 0, 0, 1, 1, 2)]
	k.Streams = pick(d, []string{"depth@100ms", "bookTicker"}, []string{"depth@100ms", "bookTicker"}, []string{"depth@100ms", "bookTicker", "trade"}, []string{"depth@100ms"})
	k.Strategy = pick(d, "quoter", "quoter", "reflex", "greedy", "greedy", "greedy", "deep", "deep", "burst")
	k.Pace = d.rate(0.5, 4)
	k.Base, k.Tail = d.between(100*time.Microsecond, 60*time.Millisecond), d.between(20*time.Microsecond, 10*time.Millisecond)
	k.Park = d.between(10*time.Millisecond, 40*time.Millisecond)
	k.Race = d.IntN(3)
	if d.chance(0.3) {
		k.Forward, k.Engine, k.Answer = d.between(time.Millisecond, 200*time.Millisecond), d.between(time.Millisecond, 200*time.Millisecond), d.between(time.Millisecond, 200*time.Millisecond)
	}
	if d.chance(0.3) {
		k.Lag = d.between(10*time.Millisecond, 12*time.Second)
	}
	if d.chance(0.3) {
		k.Offset = d.between(time.Millisecond, 3*time.Second)
		if d.chance(0.5) {
			k.Offset = -k.Offset
		}
	}
	k.BNB = d.chance(0.2)
	k.Set = map[string]string{
		"exec.route":         pick(d, "auto", "auto", "rest", "ws"),
		"exec.hedge_cancels": strconv.FormatBool(d.chance(0.5)),
		"loop.order_wires":   strconv.Itoa(1 + d.IntN(3)),
		"journal.on_restart": pick(d, "cancel", "keep"),
		"journal.position":   "carry",
	}
	k.Set["market.lines"], k.Set["market.snapshot_limit"] = pick(d, "2", "2", "1"), pick(d, "100", "50", "20")
	if k.Strategy == "quoter" && d.chance(0.4) {
		k.Set["strategy.params.requote"] = `"replace"`
	}
	if d.chance(0.3) {
		k.Set["market.queue_events"] = pick(d, "16", "32", "64")
	}
	if d.chance(0.3) {
		k.Limits = map[string]string{"open_max": pick(d, "1", "2", "3")}
	}
}
