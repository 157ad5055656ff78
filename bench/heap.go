package bench

import "runtime"

// Heap counts what is allocated between Start and Stop, by the whole process. The
// testing package divides by its own number of operations, which is not that of the
// passes that benchmarks here are made of.
type Heap struct {
	Mallocs, Bytes uint64
	before         runtime.MemStats
	after          runtime.MemStats
}

// Start begins counting.
func (h *Heap) Start() { runtime.ReadMemStats(&h.before) }

// Stop ends it.
func (h *Heap) Stop() {
	runtime.ReadMemStats(&h.after)
	h.Mallocs = h.after.Mallocs - h.before.Mallocs
	h.Bytes = h.after.TotalAlloc - h.before.TotalAlloc
}
