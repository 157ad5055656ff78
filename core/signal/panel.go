package signal

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"riposte/core"
)

// Bounds of a panel: what one instrument's rules may name.
const (
	SlotsMax  = 64
	SeriesMax = 16
)

// Panel is the indicators that one instrument's rules name, each once however often it
// is named, and the way to feed them. Add fills it at the start; then one goroutine,
// the shard's, feeds and reads it, and nothing allocates.
type Panel struct {
	made   []made
	slots  []slot
	series []barSeries
	touch  []ofTouch
	trades []ofTrades
	depth  []ofDepth
	levels int // deepest book that any of them looks at
	late   uint64
	holes  uint64
	bar    Bar // closed by a trade; kept here so that it is not allocated
}

// made is an indicator as it was asked for.
type made struct {
	f      *family
	series int // -1: not of bars
	vals   []float64
	in     Indicator
}

type slot struct {
	in   Indicator
	out  int
	name string
	unit Unit
}

type barSeries struct {
	of      Series
	counted Counted
	last    core.WallNs // end of the newest bar
	bars    uint64
	feeds   []ofBars
	resets  []Indicator
}

// Add makes an indicator, or finds it if it is there, and returns its slot. series is
// its zero value for one that does not read bars.
func (p *Panel) Add(s *Spec, series Series, given ...Arg) (int, error) {
	fail := func(err error) (int, error) { return 0, fmt.Errorf("cannot use %s: %w", s.Name, err) }
	if (s.Of == Bars) != (series.Kind != 0) {
		if s.Of == Bars {
			return fail(fmt.Errorf("it reads bars and got none, want %s with bars such as 1m", s.Signature()))
		}
		return fail(fmt.Errorf("it reads the %s and got bars of %v, want %s", s.Of, series, s.Signature()))
	}
	vals, err := s.args(given)
	if err != nil {
		return fail(err)
	}
	at := -1
	if s.Of == Bars {
		if at, err = p.Series(series); err != nil {
			return fail(err)
		}
	}
	if len(p.slots) == SlotsMax {
		return fail(fmt.Errorf("it is one indicator more than the %d that a symbol's rules may name", SlotsMax))
	}
	i := slices.IndexFunc(p.made, func(m made) bool {
		return m.f == s.family && m.series == at && slices.Equal(m.vals, vals)
	})
	if i < 0 {
		i = len(p.made)
		p.wire(made{s.family, at, vals, s.family.build(vals)})
	}
	in := p.made[i].in
	for k := range p.slots {
		if p.slots[k].in == in && p.slots[k].out == s.out {
			return k, nil
		}
	}
	p.slots = append(p.slots, slot{in, s.out, s.name(series, vals), s.Unit})
	return len(p.slots) - 1, nil
}

// name is an indicator as its user would write it, without what is the default anyway.
func (s *Spec) name(series Series, vals []float64) string {
	var parts []string
	if s.Of == Bars {
		text := series.String()
		if strings.Contains(text, " ") {
			text = strconv.Quote(text)
		}
		parts = append(parts, text)
	}
	n := len(vals)
	for n > 0 && vals[n-1] == s.Params[n-1].Def {
		n--
	}
	for i, v := range vals[:n] {
		parts = append(parts, s.Params[i].text(v))
	}
	return s.Name + "(" + strings.Join(parts, ", ") + ")"
}

func (p *Panel) wire(m made) {
	p.made = append(p.made, m)
	switch in := m.in.(type) {
	case ofBars:
		b := &p.series[m.series]
		b.feeds, b.resets = append(b.feeds, in), append(b.resets, m.in)
	case ofTouch:
		p.touch = append(p.touch, in)
	case ofTrades:
		p.trades = append(p.trades, in)
	case ofDepth:
		p.depth = append(p.depth, in)
		p.levels = max(p.levels, in.Levels())
	}
}

// Series finds or makes the place of a series of bars.
func (p *Panel) Series(s Series) (int, error) {
	for i := range p.series {
		if p.series[i].of == s {
			return i, nil
		}
	}
	if len(p.series) == SeriesMax {
		return 0, fmt.Errorf("bars of %v are one series more than the %d that a symbol's rules may name", s, SeriesMax)
	}
	b := barSeries{of: s}
	if s.Kind == TickBars || s.Kind == VolumeBars {
		b.counted = NewCounted(s.Trades, s.Volume)
	}
	p.series = append(p.series, b)
	return len(p.series) - 1, nil
}

// Of is the series at a place; ok is false beyond the last.
func (p *Panel) Of(i int) (s Series, ok bool) {
	if i >= len(p.series) {
		return Series{}, false
	}
	return p.series[i].of, true
}

// Reads reports whether any indicator is fed with this.
func (p *Panel) Reads(f Feed) bool {
	return slices.ContainsFunc(p.made, func(m made) bool { return m.f.of == f })
}

// Levels is how deep a book OnDepth wants, 0 where nothing looks at it.
func (p *Panel) Levels() int { return p.levels }

// OnBar takes a closed bar of the series at place i, from history or live, and reports
// whether it was taken. One that begins before the newest has ended is late: it is
// refused and counted. A hole before a bar of time makes the indicators of the
// series begin anew.
func (p *Panel) OnBar(i int, b *Bar) bool {
	s := &p.series[i]
	if ofTime := s.of.Span > 0; ofTime && s.bars > 0 && b.Start != s.last {
		if b.Start < s.last {
			p.late++
			return false
		}
		p.holes++
		for _, in := range s.resets {
			in.Reset()
		}
	}
	s.last = b.End
	s.bars++
	for _, in := range s.feeds {
		in.OnBar(b)
	}
	return true
}

// OnTop takes a two-sided best bid and ask; one with an empty side changes nothing.
func (p *Panel) OnTop(t *core.Top, now core.MonoNs) {
	if t.Bid == 0 || t.Ask == 0 {
		return
	}
	for _, in := range p.touch {
		in.OnTop(t, now)
	}
}

// OnTrade takes a trade that was heard in its order. It returns a bit for each series,
// by place, of which it closed a bar, which the indicators have then taken.
func (p *Panel) OnTrade(price core.Price, q core.Qty, aggressor core.Side, at core.WallNs, now core.MonoNs) (closed uint16) {
	for _, in := range p.trades {
		in.OnTrade(price, q, aggressor, now)
	}
	for i := range p.series {
		s := &p.series[i]
		if s.of.Span > 0 {
			continue // its bars come by OnBar
		}
		if s.counted.Trade(price, q, aggressor, at, &p.bar) && p.OnBar(i, &p.bar) {
			closed |= 1 << i
		}
	}
	return closed
}

// OnDepth takes the best levels of a book, best first; at least Levels of them where
// the book has so many.
func (p *Panel) OnDepth(bids, asks []core.Level, now core.MonoNs) {
	for _, in := range p.depth {
		in.OnDepth(bids, asks, now)
	}
}

// Blind forgets what is only true of a market that is seen without a break: touch,
// depth, flow, and bars under way. Closed bars stay true.
func (p *Panel) Blind() {
	for i := range p.made {
		if p.made[i].series < 0 {
			p.made[i].in.Reset()
		}
	}
	for i := range p.series {
		p.series[i].counted.Reset()
	}
}

// Value is the value of a slot at now; ok is false while it is not ready.
func (p *Panel) Value(slot int, now core.MonoNs) (float64, bool) {
	s := &p.slots[slot]
	return s.in.Value(s.out, now)
}

// Slots is how many values there are.
func (p *Panel) Slots() int { return len(p.slots) }

// Name is how a slot is written, such as "ema(1m, 20)".
func (p *Panel) Name(slot int) string { return p.slots[slot].name }

// Unit is what a slot is measured in.
func (p *Panel) Unit(slot int) Unit { return p.slots[slot].unit }

// Late counts the bars that were refused.
func (p *Panel) Late() uint64 { return p.late }

// Holes counts the holes before bars of time.
func (p *Panel) Holes() uint64 { return p.holes }
