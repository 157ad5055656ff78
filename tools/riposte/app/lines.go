package app

import (
	"errors"
	"fmt"
	"io"
	"time"

	"riposte/core"
	"riposte/feed"
	feedbinance "riposte/feed/binance"
)

// MarketLines is what [market] says of the connections that bring it.
type MarketLines struct {
	Lines    int      `toml:"lines"`
	LineHold duration `toml:"line_hold"`

	FrozenAfter  duration `toml:"frozen_after"`
	RotateAge    duration `toml:"rotate_age"`
	RotateWindow string   `toml:"rotate_window"`
}

func (c *MarketLines) check() error {
	return errors.Join(
		between("market.lines", c.Lines, 1, feed.LinesMost),
		span("market.line_hold", c.LineHold, 0, time.Second),
		span("market.frozen_after", c.FrozenAfter, 100*time.Millisecond, time.Hour),
		span("market.rotate_age", c.RotateAge, time.Second, 23*time.Hour+50*time.Minute),
		c.checkWindow(),
	)
}

// checkWindow: a connection that was replaced early in one day's window must reach into
// the next day's.
func (c *MarketLines) checkWindow() error {
	w, err := feed.ParseDayWindow(c.RotateWindow)
	if err != nil {
		return fmt.Errorf("market.rotate_window: %w", err)
	}
	if least := 24*time.Hour - c.RotateAge.Duration + 10*time.Minute; c.RotateWindow != "" && w.Length() < least {
		return want("market.rotate_window", fmt.Sprintf("%q, %v long", c.RotateWindow, w.Length()),
			fmt.Sprintf("at least %v, or a longer market.rotate_age: a connection must last from one day's window into the next", least))
	}
	return nil
}

// rotation is when connections are replaced.
func (c *MarketLines) rotation(l *feed.LineConfig) {
	l.Rotate = c.RotateAge.Duration
	l.RotateWithin, _ = feed.ParseDayWindow(c.RotateWindow) // check has seen it
}

// openMarket makes the market's lines.
func (d *desk) openMarket(syms *feedbinance.Symbols, unit core.TimeUnit, connects *feed.ConnectBudget) error {
	var streams []feed.Subscription
	for _, sym := range d.cfg.Market.Symbols {
		in, _ := d.table.Lookup(sym)
		for _, kind := range d.cfg.Market.Streams {
			sub, err := subscription(in, kind)
			if err != nil {
				return usageError{err}
			}
			if sub.MaxAge > 0 {
				sub.MaxAge = d.cfg.Market.FrozenAfter.Duration
			}
			streams = append(streams, sub)
		}
	}
	url, err := feedbinance.StreamURL(d.sites.stream, unit)
	if err != nil {
		return usageError{err}
	}
	hold := d.cfg.Market.LineHold.Duration
	if hold == 0 {
		hold = -1
	}
	cfg := feed.LinesConfig{
		SessionConfig: feed.SessionConfig{
			LineConfig: feed.LineConfig{URL: url, Dial: d.ports.dialer(d.feedWait, d.sites.tls, d.cfg.Loop.sockets()), Clock: d.clock,
				Budget: connects, Wake: d.feedWait.Wake, Go: d.ports.spawn, Seed: d.ports.seedOf(seedMarket, 0), OnSilence: d.silence,
				Silence: lineSilence, PongWithin: pongWithin},
			Streams: streams, Queues: d.queues, Tap: d.tapFrames(), Shown: d.shown,
		},
		NewCodec: func() feed.Codec {
			c := feed.Codec(feedbinance.NewDecoder(syms, unit, feedbinance.Raw{Instrument: core.NoInstrument}))
			if d.ports.codec != nil {
				c = d.ports.codec(c)
			}
			return c
		},
		Count: d.cfg.Market.Lines, Hold: hold,
	}
	d.cfg.Market.rotation(&cfg.LineConfig)
	d.market, err = feed.NewLines(cfg)
	return err
}

// lineReport is one of the market's lines in a report.
type lineReport struct {
	Line       int     `json:"line"`
	State      string  `json:"state"`
	Succession bool    `json:"succession,omitempty"` // another connection is being made to replace it
	Frames     uint64  `json:"frames"`
	First      uint64  `json:"first"`  // events that it brought before any other
	Copies     uint64  `json:"copies"` // and after one
	Wins       float64 `json:"wins"`   // share of the first
	LeadP50    int64   `json:"lead_p50_ns"`
	LeadP99    int64   `json:"lead_p99_ns"`
	LeadMax    int64   `json:"lead_max_ns"`
	Leads      uint64  `json:"leads"`
	Held       uint64  `json:"held"`    // events that waited for what is before them
	GaveUp     uint64  `json:"gave_up"` // in vain
	Missed     uint64  `json:"missed"`  // places where it lost events
	MissedIDs  uint64  `json:"missed_ids"`
	Connects   uint64  `json:"connects"`
	Lost       uint64  `json:"lost"`
	Rotations  uint64  `json:"rotations"`
	Shutdowns  uint64  `json:"shutdowns"`
	Error      string  `json:"error,omitempty"`
}

// reportLines adds what is known of each line.
func reportLines(m *feed.LinesStatus) (out []lineReport) {
	for i := range m.Lines {
		l := &m.Lines[i]
		r := lineReport{Line: int(l.Number), State: l.State.String(), Succession: l.Succession, Frames: l.Messages, First: l.First, Copies: l.Copies, Wins: l.Wins(),
			LeadP50: int64(l.Lead.P50), LeadP99: int64(l.Lead.P99), LeadMax: int64(l.Lead.Max), Leads: l.Lead.Count,
			Held: l.Held, GaveUp: l.GaveUp, Missed: l.Missed, MissedIDs: l.Gone,
			Connects: l.Connects, Lost: l.Lost, Rotations: l.Rotations, Shutdowns: l.Shutdowns}
		if l.State != feed.Live {
			r.Error = l.LastError
		}
		out = append(out, r)
	}
	return out
}

// text is the line on the status screen.
func (l *lineReport) text() string {
	s := fmt.Sprintf("line %d %s: first %.0f %%, ahead by p50 %s, p99 %s", l.Line, l.State, 100*l.Wins, short(l.LeadP50), short(l.LeadP99))
	if l.Missed > 0 {
		s += fmt.Sprintf(", lost events %d times", l.Missed)
	}
	if l.Succession {
		s += ", being replaced"
	}
	return s
}

// lineMetrics writes what is known of each line.
func (r *report) lineMetrics(w io.Writer) {
	for _, m := range []struct {
		name string
		of   func(l *lineReport) uint64
	}{
		{"first", func(l *lineReport) uint64 { return l.First }}, {"copies", func(l *lineReport) uint64 { return l.Copies }},
		{"held", func(l *lineReport) uint64 { return l.Held }}, {"missed", func(l *lineReport) uint64 { return l.Missed }},
		{"connects", func(l *lineReport) uint64 { return l.Connects }}, {"lost", func(l *lineReport) uint64 { return l.Lost }},
		{"rotations", func(l *lineReport) uint64 { return l.Rotations }},
	} {
		if len(r.Lines) > 0 {
			fmt.Fprintf(w, "# TYPE riposte_line_%s_total counter\n", m.name)
		}
		for i := range r.Lines {
			fmt.Fprintf(w, "riposte_line_%s_total{line=\"%d\"} %d\n", m.name, r.Lines[i].Line, m.of(&r.Lines[i]))
		}
	}
	if len(r.Lines) > 0 {
		fmt.Fprintln(w, "# TYPE riposte_line_lead_seconds gauge")
	}
	for i := range r.Lines {
		l := &r.Lines[i]
		fmt.Fprintf(w, "riposte_line_lead_seconds{line=\"%d\",quantile=\"0.5\"} %g\n", l.Line, float64(l.LeadP50)/1e9)
		fmt.Fprintf(w, "riposte_line_lead_seconds{line=\"%d\",quantile=\"0.99\"} %g\n", l.Line, float64(l.LeadP99)/1e9)
	}
}
