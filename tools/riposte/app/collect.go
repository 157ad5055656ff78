package app

import (
	"runtime"
	"time"
)

// developerFlags are for measuring riposte, not for running it.
type developerFlags struct {
	GCEvery time.Duration `name:"gc-every" hidden:"" help:"Force a garbage collection this often, to show what one does to orders on their way; 0 leaves it to the runtime."`
}

// collect begins to force collections, if it was asked for; stop ends that.
func (f developerFlags) collect() (stop func()) {
	if f.GCEvery <= 0 {
		return func() {}
	}
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		t := time.NewTicker(f.GCEvery)
		defer t.Stop()
		for {
			select {
			case <-t.C:
				runtime.GC()
			case <-end:
				return
			}
		}
	}()
	return func() { close(end); <-ended }
}
