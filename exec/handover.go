package exec

import (
	"context"
	"fmt"
)

// A change of key is a change of codec: everything that a key has signed, and all that
// could sign, is in one. The loop takes the next one over between two of its Steps, so
// there is one moment before which each request was laid out by the old codec, and after
// which each is by the new one: what the old one had signed ahead can no longer be
// reached. Answers to what is in flight are read by either. A session that was logged on
// with the old key takes no further orders: its successor logs on with the new one.

// handover is a codec on its way in.
type handover struct {
	next, old Codec
	frames    FrameCodec // nil: no second route, or as it was
	done      chan struct{}
}

// Switch has every request from now on laid out by next, and on sessions by frames (nil
// changes nothing there), and returns the codec that did it until now once the loop has let go of it: nobody uses it any more, and it can be
// wiped. If ctx ends before that nothing has changed and nothing will. Any goroutine,
// one at a time.
func (g *Gateway) Switch(ctx context.Context, next Codec, frames FrameCodec) (old Codec, err error) {
	h := &handover{next: next, frames: frames, done: make(chan struct{})}
	g.handover.Store(h)
	g.cfg.Wake()
	select {
	case <-h.done:
		return h.old, nil
	case <-ctx.Done():
	}
	if g.handover.CompareAndSwap(h, nil) {
		return nil, fmt.Errorf("cannot switch codecs: the loop did not take the new one over: %w", ctx.Err())
	}
	<-h.done // it is being taken over
	return h.old, nil
}

// takeOver is the loop's side of Switch.
func (g *Gateway) takeOver(h *handover) int {
	if !g.handover.CompareAndSwap(h, nil) {
		return 0
	}
	h.old, g.codec = g.codec, h.next
	if h.frames != nil {
		g.sessions.rekey(h.frames)
	}
	close(h.done)
	return 1
}
