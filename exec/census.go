package exec

import (
	"context"
	"errors"
	"slices"
	"time"

	"riposte/core"
)

// A census is everything the venue tells of one instrument's orders since a time: those
// that are open, the history, the fills. An order in doubt that was answered "does not
// exist" is looked for in it; one census serves all of an instrument that are in doubt,
// so a storm of lost answers costs little more weight than one.
type census struct {
	id     core.InstrumentID
	begun  core.WallNs // venue time before the first call
	open   []core.Execution
	orders []core.Execution
	trades []core.Execution
}

// strangerMost bounds how many fills of unknown orders a census looks up. With more, it
// proves nothing and another is taken.
const strangerMost = 32

var errStrangers = errors.New("too many fills of unknown orders to look up")

// absent weighs an answer that the order does not exist.
func (g *Gateway) absent(o *Order, asked core.WallNs, now core.MonoNs) {
	if o.alive || o.Status() != core.Unknown {
		// It does exist; the read side lags. What only an audit missed is in no doubt, and is not
		// to be expected there before the read side must have caught up.
		if !o.cancel.settle && o.cancel.gone == 0 && !g.wondersAfter(o) {
			o.ask.due = max(o.ask.due, o.Heard+core.MonoNs(g.cfg.ProofMargin))
		}
		return
	}
	if proofAt := g.proofAt(o); asked <= proofAt {
		// Not later than right after the moment from which an answer counts.
		o.ask.soon(now + core.MonoNs(proofAt-g.time.At(now)) + tickEvery)
		return
	}
	if o.ask.asked == 0 {
		o.ask.asked = asked
	}
	// Asked again only when the census is in, or after a while if that fails.
	o.ask.due = now + 2*core.MonoNs(g.cfg.AskMax)
	g.counted(o.Instrument)
}

// proofAt is the venue time after which absence counts: nothing can be done with the
// request any more, and what was done has long been visible.
func (g *Gateway) proofAt(o *Order) core.WallNs {
	return o.Stamp + core.WallNs(o.Window) + core.WallNs(g.cfg.ProofMargin) + core.WallNs(g.time.Error())
}

// nextPoll is how long from now the next poll of an order is due that can count: the polls
// stand apart evenly from the first one on, so that one which came late, because the venue
// did not answer, does not put off the verdict.
func (g *Gateway) nextPoll(q *inquiry, now core.MonoNs) core.MonoNs {
	every := g.cfg.ProofSpan / time.Duration(max(g.cfg.AbsentPolls-1, 1))
	at := q.first + core.WallNs(every)*core.WallNs(min(int(q.absent), max(g.cfg.AbsentPolls-1, 1)))
	return max(core.MonoNs(at-g.time.At(now)), core.MonoNs(g.cfg.AskMin))
}

// counted asks for a census of an instrument.
func (g *Gateway) counted(id core.InstrumentID) {
	if !slices.Contains(g.wanted, id) {
		g.wanted = append(g.wanted, id)
	}
}

// takeCensus starts a census that is wanted, when the questions about single orders
// have been answered: those that come meanwhile wait for the next one.
func (g *Gateway) takeCensus(now core.MonoNs) int {
	if len(g.wanted) == 0 || now < g.censusAt {
		return 0
	}
	j := g.freeJob(jobCensus)
	if j == nil {
		return 0
	}
	c := &census{id: g.wanted[0], begun: g.time.At(now)}
	g.wanted = slices.Delete(g.wanted, 0, 1)
	g.censusAt = now + core.MonoNs(g.cfg.AskMin)
	since := c.begun
	g.table.EachLive(func(o *Order) {
		if o.Instrument == c.id && o.ask.asked > 0 {
			since = min(since, o.Stamp)
		}
	})
	// The venue stamps orders by its own clock, and takes ours up to a second ahead.
	since -= core.WallNs(time.Second) + core.WallNs(g.time.Error())
	g.Stats.Censuses++
	j.census = c
	g.start(j, func(j *job) { j.err = g.count(j.census, since) })
	return 1
}

// count runs on a goroutine of its own. The order of the calls matters: an order that
// fills between two of them is in the later one.
func (g *Gateway) count(c *census, since core.WallNs) (err error) {
	ctx, cancel := context.WithTimeout(g.ctx, 3*g.cfg.CallTimeout)
	defer cancel()
	if c.open, err = g.cfg.Venue.OpenOrdersOf(ctx, c.id); err != nil {
		return err
	}
	if c.orders, err = g.cfg.Venue.HistorySince(ctx, c.id, since); err != nil {
		return err
	}
	if c.trades, err = g.cfg.Venue.TradesSince(ctx, c.id, since); err != nil {
		return err
	}
	// A fill names its order by the venue's id alone: whose is it?
	known := make(map[int64]*core.Execution, len(c.orders))
	for i := range c.orders {
		known[c.orders[i].VenueID] = &c.orders[i]
	}
	looked := 0
	for i := range c.trades {
		t := &c.trades[i]
		o := known[t.VenueID]
		if o == nil {
			if looked++; looked > strangerMost {
				return errStrangers
			}
			e, err := g.cfg.Venue.Order(ctx, c.id, core.ClientID{}, t.VenueID)
			if err != nil {
				return err
			}
			o = &e
			known[t.VenueID] = o
			c.orders = append(c.orders, e)
		}
		t.Client, t.Qty, t.Price = o.Client, o.Qty, o.Price
	}
	return nil
}

// censusTold counts who was found nowhere.
func (g *Gateway) censusTold(j *job, now core.MonoNs) {
	c := j.census
	if j.err != nil {
		g.Stats.AskFailed++
		g.censusAt = now + core.MonoNs(g.cfg.AskMax)
		g.counted(c.id)
		return
	}
	for _, list := range [][]core.Execution{c.open, c.orders, c.trades} {
		for i := range list {
			switch g.table.StandingOf(list[i].Client) {
			case StandHeld, StandLate:
				list[i].Recv = now
				if o := g.table.Apply(&list[i]); o != nil {
					g.after(o)
				}
			}
		}
	}
	again := false
	g.table.EachLive(func(o *Order) {
		q := &o.ask
		if o.Instrument != c.id || q.asked == 0 || o.alive {
			return
		}
		if q.asked > c.begun {
			again = true // answered while the census was taken; the next one is its own
			return
		}
		asked := q.asked
		q.asked = 0
		if q.absent++; q.absent == 1 {
			q.first = asked
		}
		if int(q.absent) < g.cfg.AbsentPolls || asked-q.first < core.WallNs(g.cfg.ProofSpan) {
			q.due = now + g.nextPoll(q, now) + tickEvery
			return
		}
		if g.table.Absent(o, now) {
			g.Stats.Proved++
			g.after(o)
		}
	})
	if again {
		g.counted(c.id)
	}
}
