package signal

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"riposte/core"
)

// SeriesKind is what ends a bar.
type SeriesKind uint8

// The kinds of series.
const (
	TimeBars   SeriesKind = iota + 1 // an interval of time, made of trades
	KlineBars                        // an interval of time, as the venue tells it
	TickBars                         // a number of trades
	VolumeBars                       // a traded quantity
)

// Series names one series of bars. It can be compared.
type Series struct {
	Kind   SeriesKind
	Span   time.Duration // TimeBars, KlineBars
	Trades int64         // TickBars
	Volume core.Qty      // VolumeBars
}

// intervals are the venue's kline intervals of fixed length that begin to count at
// the epoch (Binance Spot API docs, 2026-07-21).
var intervals = [...]struct {
	name string
	span time.Duration
}{
	{"1s", time.Second}, {"1m", time.Minute}, {"3m", 3 * time.Minute}, {"5m", 5 * time.Minute}, {"15m", 15 * time.Minute},
	{"30m", 30 * time.Minute}, {"1h", time.Hour}, {"2h", 2 * time.Hour}, {"4h", 4 * time.Hour}, {"6h", 6 * time.Hour},
	{"8h", 8 * time.Hour}, {"12h", 12 * time.Hour}, {"1d", 24 * time.Hour},
}

// tradesMax bounds a tick bar; a larger one would not close within a day of most markets.
const tradesMax = 1_000_000

// ParseSeries reads "1m" (made of trades), "kline 1m" (as the venue tells it), "100
// ticks" (trades) or "2.5 base" (traded quantity).
func ParseSeries(text string) (Series, error) {
	words := strings.Fields(text)
	bad := fmt.Errorf(`cannot use bars %q: want an interval such as 1m, "kline 1m", "100 ticks" or "2.5 base"`, text)
	switch {
	case len(words) == 1:
		return interval(TimeBars, words[0])
	case len(words) == 2 && words[0] == "kline":
		return interval(KlineBars, words[1])
	case len(words) == 2 && words[1] == "ticks":
		n, err := strconv.ParseInt(words[0], 10, 64)
		if err != nil || n < 1 || n > tradesMax {
			return Series{}, fmt.Errorf("cannot use bars %q: want 1 to %d ticks", text, tradesMax)
		}
		return Series{Kind: TickBars, Trades: n}, nil
	case len(words) == 2 && words[1] == "base":
		q, err := core.ParseQty(words[0])
		if err != nil || q <= 0 {
			return Series{}, fmt.Errorf("cannot use bars %q: want a quantity above 0", text)
		}
		return Series{Kind: VolumeBars, Volume: q}, nil
	}
	return Series{}, bad
}

func interval(kind SeriesKind, name string) (Series, error) {
	names := make([]string, len(intervals))
	for i, v := range intervals {
		if v.name == name {
			return Series{Kind: kind, Span: v.span}, nil
		}
		names[i] = v.name
	}
	return Series{}, fmt.Errorf("cannot use bars of %q: want one of %s", name, strings.Join(names, ", "))
}

// String is as ParseSeries reads it.
func (s Series) String() string {
	switch s.Kind {
	case TickBars:
		return strconv.FormatInt(s.Trades, 10) + " ticks"
	case VolumeBars:
		return s.Volume.String() + " base"
	case TimeBars:
		return s.Interval()
	case KlineBars:
		return "kline " + s.Interval()
	}
	return "no bars"
}

// Interval is the name of a bar of time's interval, "" of others.
func (s Series) Interval() string {
	for _, v := range intervals {
		if v.span == s.Span {
			return v.name
		}
	}
	return ""
}
