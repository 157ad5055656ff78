package bar

import (
	"fmt"
	"strings"
	"time"

	"riposte/core"
)

// Interval is how long a bar is and where its time begins to count. It can be compared.
// The zero value is none.
type Interval struct {
	at     uint8 // in names
	offset time.Duration
}

const monthly = 15

// The venue's kline intervals, case-sensitive (Binance Spot API docs, 2026-07-21).
var names = [...]string{"1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M"}

var lengths = [...]time.Duration{time.Second, time.Minute, 3 * time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 4 * time.Hour, 6 * time.Hour, 8 * time.Hour, 12 * time.Hour,
	24 * time.Hour, 72 * time.Hour, 168 * time.Hour, 0}

// east is the one other alignment that the venue's streams know: bars of UTC+8, whose
// times are UTC all the same.
const east = "@+08:00"

// Parse reads an interval as the venue's stream names write it: "1m", "1d@+08:00".
func Parse(text string) (Interval, error) {
	var v Interval
	name, found := strings.CutSuffix(text, east)
	if found {
		v.offset = 8 * time.Hour
	}
	for i, n := range names {
		if n == name {
			v.at = uint8(i + 1)
			return v, nil
		}
	}
	return Interval{}, fmt.Errorf("cannot use bar interval %q: want one of %s, or one with %s behind it", text, strings.Join(names[:], ", "), east)
}

// The intervals that others are put together from.
var (
	Second = Interval{at: 1}
	Minute = Interval{at: 2}
	Hour   = Interval{at: 7}
)

// Name is the interval without its alignment.
func (v Interval) Name() string {
	if v.at == 0 {
		return ""
	}
	return names[v.at-1]
}

// Offset is what is added to UTC before bars are aligned.
func (v Interval) Offset() time.Duration { return v.offset }

// String is as Parse reads it.
func (v Interval) String() string {
	if v.offset != 0 {
		return v.Name() + east
	}
	return v.Name()
}

// Length is how long a bar is; a month's is that of the shortest.
func (v Interval) Length() time.Duration {
	if v.at == monthly+1 {
		return 28 * 24 * time.Hour
	}
	return lengths[v.at-1]
}

// Open is when the bar that holds an instant opens. Weeks begin on Monday, months with
// their first day, all others are counted from the epoch.
func (v Interval) Open(t core.WallNs) core.WallNs {
	off := core.WallNs(v.offset)
	if v.at == monthly+1 {
		return v.month(t, 0)
	}
	// The epoch was a Thursday, and the first Monday came four days later.
	shift := off
	if names[v.at-1] == "1w" {
		shift -= core.WallNs(4 * 24 * time.Hour)
	}
	n := core.WallNs(lengths[v.at-1])
	into := (t + shift) % n
	if into < 0 {
		into += n
	}
	return t - into
}

// Next is when the bar after the one that opens at open does, and so when that one ends.
func (v Interval) Next(open core.WallNs) core.WallNs {
	if v.at == monthly+1 {
		return v.month(open, 1)
	}
	return open + core.WallNs(lengths[v.at-1])
}

// month is the first instant of t's month or of one after it.
func (v Interval) month(t core.WallNs, after int) core.WallNs {
	u := time.Unix(0, int64(t)+int64(v.offset)).UTC()
	return core.WallNs(time.Date(u.Year(), u.Month()+time.Month(after), 1, 0, 0, 0, 0, time.UTC).UnixNano() - int64(v.offset))
}

// Back is when the bar opens that is n bars before the one that opens at open.
func (v Interval) Back(open core.WallNs, n int) core.WallNs {
	if v.at == monthly+1 {
		return v.month(open, -n)
	}
	return open - core.WallNs(n)*core.WallNs(lengths[v.at-1])
}

// Matches reports whether a kline from open to close, its last instant in the venue's
// time unit, is one of this interval.
func (v Interval) Matches(open, last core.WallNs) bool {
	rest := v.Next(open) - last
	return v.Open(open) == open && rest > 0 && rest <= core.WallNs(time.Millisecond)
}
