package ring

// Fill is how full the queue is, 0 to 1: of its event slots or of its level
// memory, whichever is fuller. Reader only; what the writer adds meanwhile may
// not be counted yet.
func (q *Queue) Fill() float64 {
	tail := q.tail.Load()
	if tail == q.first {
		return 0
	}
	newest, oldest := q.spans[(tail-1)&q.mask], q.spans[q.first&q.mask]
	events := float64(tail-q.first) / float64(len(q.events))
	levels := float64(newest.start+newest.n-oldest.start) / float64(q.lap)
	return max(events, levels)
}
