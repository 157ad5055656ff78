package ring

import (
	"bytes"
	"fmt"
	"runtime"
	"testing"

	"pgregory.net/rapid"
)

// TestBytesEqualsSlice lets random calls of both sides run against a plain slice.
func TestBytesEqualsSlice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := NewBytes(1 << rapid.IntRange(5, 9).Draw(t, "log2 capacity"))
		var model [][]byte
		next := byte(0)
		t.Repeat(map[string]func(*rapid.T){
			"publish": func(t *rapid.T) {
				n := rapid.IntRange(0, b.Most()).Draw(t, "length")
				room := b.Claim(n)
				if room == nil {
					if b.Len()+n+2*bytesHeader+n <= b.Cap()/2 {
						t.Fatalf("no room for %d bytes with %d of %d in use", n, b.Len(), b.Cap())
					}
					return
				}
				if len(room) != n {
					t.Fatalf("Claim(%d) gives %d bytes", n, len(room))
				}
				next++
				for i := range room {
					room[i] = next
				}
				if rapid.Bool().Draw(t, "published") {
					b.Publish()
					model = append(model, bytes.Repeat([]byte{next}, n))
				}
			},
			"read": func(t *rapid.T) {
				got := b.Peek()
				if (got == nil) != (len(model) == 0) {
					t.Fatalf("Peek gives nil: %v, with %d published", got == nil, len(model))
				}
				if got == nil {
					return
				}
				if !bytes.Equal(got, model[0]) || !bytes.Equal(b.Peek(), model[0]) {
					t.Fatalf("got %v, want %v", got, model[0])
				}
				b.Pop()
				model = model[1:]
			},
			"": func(t *rapid.T) {
				if len(model) == 0 && b.Len() != 0 {
					t.Fatalf("empty and %d bytes in use", b.Len())
				}
				if b.Len() > b.Cap() {
					t.Fatalf("%d of %d bytes in use", b.Len(), b.Cap())
				}
			},
		})
	})
}

func TestEmptyByteRingTakesItsLongestMessageAtAnyOffset(t *testing.T) {
	for offset := range 64 {
		b := NewBytes(64)
		for range offset {
			b.Claim(0)
			b.Publish()
			b.Peek()
			b.Pop()
		}
		if b.Claim(b.Most()) == nil {
			t.Fatalf("after %d empty messages: no room for %d bytes in an empty ring", offset, b.Most())
		}
	}
}

func TestBytesBetweenGoroutinesAreWholeAndInOrder(t *testing.T) {
	const messages = 20_000
	b := NewBytes(1 << 12)
	done := make(chan error, 1)
	go func() {
		for i := 0; i < messages; {
			got := b.Peek()
			if got == nil {
				runtime.Gosched()
				continue
			}
			want := fmt.Appendf(nil, "%0*d", i%300, i)
			if !bytes.Equal(got, want) {
				done <- fmt.Errorf("message %d: got %q, want %q", i, got, want)
				return
			}
			b.Pop()
			i++
		}
		done <- nil
	}()
	var scratch []byte
	for i := range messages {
		scratch = fmt.Appendf(scratch[:0], "%0*d", i%300, i)
		room := b.Claim(len(scratch))
		for room == nil {
			select {
			case err := <-done:
				t.Fatal(err)
			default:
				runtime.Gosched()
			}
			room = b.Claim(len(scratch))
		}
		copy(room, scratch)
		b.Publish()
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestByteRingDoesNotAllocate(t *testing.T) {
	b := NewBytes(1 << 10)
	if n := testing.AllocsPerRun(1000, func() {
		b.Claim(100)
		b.Publish()
		b.Peek()
		b.Pop()
	}); n != 0 {
		t.Errorf("got %v allocations a message, want 0", n)
	}
}
