//go:build faultpoints

package app

import (
	"fmt"
	"os"
	"sync/atomic"

	"golang.org/x/sys/unix"

	places "riposte/core/fault"
)

// dieAt has the process kill itself the nth time it comes to a place.
func dieAt(text string) {
	var place, nth int64
	if _, err := fmt.Sscanf(text, "%d:%d", &place, &nth); err != nil {
		panic(err)
	}
	var seen atomic.Int64
	places.Hit = func(p places.Point) {
		if p == places.Point(place) && seen.Add(1) == nth {
			_ = unix.Kill(os.Getpid(), unix.SIGKILL)
			select {} // the signal is on its way
		}
	}
}
