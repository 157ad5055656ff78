package core

import "time"

// epochUnit and epochZero lay the epochs of runs on the calendar: fine enough that a
// program cannot start twice within one, wide enough for the seven base 36 digits that a
// client id has for them to reach the year 2044. They lie above all epochs of the time
// when those were Unix seconds.
const (
	epochUnit = WallNs(10 * time.Millisecond)
	epochZero = WallNs(1_577_836_800 * time.Second) // 2020-01-01
)

// EpochAfter is the epoch of a run that starts at that time: the number that keeps its
// client ids apart from all other runs'. last is the highest one any run of the account
// is known to have used, 0 if none is. The epoch is above it even when the civil clock
// has been set back, or when two runs start in one instant and share what they know.
func EpochAfter(last uint64, start WallNs) uint64 {
	return max(uint64(max((start-epochZero)/epochUnit, 1)), last+1)
}
