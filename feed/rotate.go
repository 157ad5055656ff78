package feed

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"riposte/core"
)

// DayWindow is a part of the day, UTC, in which connections are replaced. The zero
// value is the whole day. It may reach over midnight.
type DayWindow struct {
	From, To time.Duration // since midnight, below 24 h
}

const wholeDay = 24 * time.Hour

// ParseDayWindow reads "03:00-05:00"; empty text is the whole day.
func ParseDayWindow(text string) (w DayWindow, err error) {
	if text == "" {
		return w, nil
	}
	from, to, ok := strings.Cut(text, "-")
	if ok {
		w.From, ok = clockTime(from)
	}
	if ok {
		w.To, ok = clockTime(to)
	}
	if !ok || w.From == w.To {
		return DayWindow{}, fmt.Errorf("got %q, want two different times of day, UTC, such as \"03:00-05:00\"", text)
	}
	return w, nil
}

func clockTime(text string) (time.Duration, bool) {
	h, m, ok := strings.Cut(text, ":")
	hour, errH := strconv.ParseUint(h, 10, 8)
	minute, errM := strconv.ParseUint(m, 10, 8)
	return time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute,
		ok && len(h) == 2 && len(m) == 2 && errH == nil && errM == nil && hour < 24 && minute < 60
}

// Length is how long the window is.
func (w DayWindow) Length() time.Duration {
	if w == (DayWindow{}) {
		return wholeDay
	}
	return (w.To - w.From + wholeDay) % wholeDay
}

// rotateSoonest is the least age at which a connection is replaced for the sake of a
// window.
const rotateSoonest = time.Minute

// rotateIn is after how long a connection that was made at wall is to be replaced: at a
// random point of the last window that it reaches within age, or, without a window,
// when up to a tenth of its age is left. The phase is random so that lines opened
// together do not go together. Where a window is shorter than what a day has beyond
// age, no connection lasts from one to the next: then it is replaced by age.
func rotateIn(age time.Duration, w DayWindow, wall core.WallNs, rng *rand.Rand) time.Duration {
	if w != (DayWindow{}) {
		midnight := -(time.Duration(wall) % wholeDay) // from now
		for day := wholeDay; day >= -wholeDay; day -= wholeDay {
			from := midnight + day + w.From
			to := min(from+w.Length(), age)
			if from = max(from, rotateSoonest); from < to {
				return from + time.Duration(rng.Int64N(int64(to-from)))
			}
		}
	}
	return age - time.Duration(rng.Int64N(int64(age)/10+1))
}
