package exec

import "sync"

// launch runs f on a goroutine of its own, which start starts (nil: as Go does), and
// counts it in wg. A simulation has goroutines start one after another, so that the same
// seed gives the same run.
func launch(start func(func()), wg *sync.WaitGroup, f func()) {
	wg.Add(1)
	counted := func() {
		defer wg.Done()
		f()
	}
	if start == nil {
		go counted()
		return
	}
	start(counted)
}
