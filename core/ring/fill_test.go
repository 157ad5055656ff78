package ring

import "testing"

func TestFillCountsWhicheverIsFuller(t *testing.T) {
	q := NewQueue(8, 64, 32)
	if f := q.Fill(); f != 0 {
		t.Fatalf("empty queue: got %v, want 0", f)
	}
	put := func(levels int) {
		ev, lv := q.Claim()
		if ev == nil || cap(lv) < levels {
			t.Fatalf("no room for %d levels", levels)
		}
		q.Publish(levels)
	}
	put(0)
	put(0)
	if f := q.Fill(); f != 2.0/8 {
		t.Errorf("two of eight events: got %v, want 0.25", f)
	}
	put(32)
	if f := q.Fill(); f != 32.0/64 {
		t.Errorf("32 of 64 levels: got %v, want 0.5", f)
	}
	for range 3 {
		q.Peek()
		q.Pop()
	}
	if f := q.Fill(); f != 0 {
		t.Errorf("drained queue: got %v, want 0", f)
	}
}
