package venue

import (
	"bufio"
	"bytes"
	"errors"
	"testing"

	"github.com/gobwas/ws"
)

func TestFramesHaveTheShortestLengthForm(t *testing.T) {
	for _, n := range []int{0, 125, 126, 65535, 65536, 70000} {
		payload := bytes.Repeat([]byte{'x'}, n)
		f := textFrame(payload)
		h, err := ws.ReadHeader(bytes.NewReader(f))
		if err != nil || !h.Fin || h.Masked || h.OpCode != ws.OpText || h.Length != int64(n) {
			t.Errorf("%d bytes: got header %+v %v", n, h, err)
		}
		if want := ws.HeaderSize(h) + n; len(f) != want || !bytes.Equal(f[len(f)-n:], payload) {
			t.Errorf("%d bytes: got a frame of %d, want %d", n, len(f), want)
		}
	}
}

// FuzzFrameReader: any bytes end in messages within the cap, a named breach or the end of input.
func FuzzFrameReader(f *testing.F) {
	f.Add([]byte{0x81, 0x82, 1, 2, 3, 4, 'a', 'b'})
	f.Add([]byte{0x01, 0x81, 0, 0, 0, 0, 'a', 0x89, 0x80, 0, 0, 0, 0, 0x80, 0x81, 0, 0, 0, 0, 'b'})
	f.Add([]byte{0x81, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{0x88, 0x82, 0, 0, 0, 0, 3, 232})
	f.Fuzz(func(t *testing.T, in []byte) {
		r := frameReader{r: bufio.NewReader(bytes.NewReader(in)), cap: 64}
		for {
			op, p, err := r.next()
			var fault *wsFault
			if errors.As(err, &fault) && fault.code < 1000 {
				t.Fatalf("got close code %d", fault.code)
			}
			if err != nil {
				return
			}
			if len(p) > 125 || op == ws.OpText && len(p) > 64 {
				t.Fatalf("got %d bytes of %v, want at most the cap", len(p), op)
			}
		}
	})
}
