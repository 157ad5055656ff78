package venue

import (
	"strconv"
	"time"

	"riposte/tools/venue/exchange"
)

// deadMan holds the countdowns of POST /fapi/v1/countdownCancelAll, one per account and symbol. USD-M has this call,
// spot has nothing like it (Binance USD-M docs, read 2026-07-21): here it cancels the same account's orders of this
// venue, so that a client's dead man can be tried. Loop goroutine.
type deadMan struct {
	srv  *Server
	ends map[countdown]*tick // absent: disarmed
}

type countdown struct {
	account exchange.AccountID
	symbol  string
}

// countdownMax is the longest countdown taken, a day; the venue's own is not documented.
const countdownMax = 24 * time.Hour

func newDeadMan(s *Server) *deadMan { return &deadMan{srv: s, ends: make(map[countdown]*tick)} }

// set starts the countdown anew, or disarms it with 0.
func (d *deadMan) set(c countdown, now, span int64) {
	if t := d.ends[c]; t != nil {
		d.srv.loop.remove(t)
		delete(d.ends, c)
	}
	if span == 0 {
		return
	}
	d.ends[c] = d.srv.loop.at(now+span, func(now int64) {
		delete(d.ends, c)
		_, _ = d.srv.x.CancelAll(now, c.account, c.symbol) // refused if there is nothing to cancel
	})
}

func countdownEndpoints() []*op {
	return []*op{{verb: "POST", path: "/fapi/v1/countdownCancelAll", security: trade, weight: cost(10),
		params: []string{"symbol", "countdownTime"}, run: countdownCancelAll}}
}

func countdownCancelAll(c *call, b []byte) ([]byte, *apiError) {
	symbol, err := c.market()
	if err != nil {
		return b, err
	}
	span, err := c.int("countdownTime")
	if err != nil {
		return b, err
	}
	if !span.Set {
		return b, errMandatory("countdownTime")
	}
	if span.V > countdownMax.Milliseconds() {
		return b, bad(-1130, "Data sent for parameter 'countdownTime' is not valid.")
	}
	err = c.engine(func(_ *exchange.Exchange, now int64) *apiError {
		c.srv.deadMan.set(countdown{c.account, symbol}, now, span.V*1000)
		return nil
	})
	if err != nil {
		return b, err
	}
	w := enc{b: b}
	w.open('{')
	w.str("symbol", symbol)
	w.str("countdownTime", strconv.FormatInt(span.V, 10))
	w.close('}')
	return w.b, nil
}
