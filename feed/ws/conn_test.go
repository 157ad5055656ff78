package ws

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// tape is a connection's worth of frames: whole, empty, fragmented, with control
// frames between and inside, and one longer than a small buffer.
func tape() []byte {
	return join(
		text(`{"e":"trade"}`),
		frame(ws.OpPing, true, []byte("1723161255")),
		frame(ws.OpBinary, true, []byte{0, 1, 2, 0xff}),
		frame(ws.OpText, false, []byte("first ")),
		frame(ws.OpPing, true, []byte("inside")),
		frame(ws.OpContinuation, false, nil),
		frame(ws.OpPong, true, nil),
		frame(ws.OpContinuation, true, []byte("second")),
		text(""),
		text(strings.Repeat("x", 200)),
		frame(ws.OpText, false, []byte("a")),
		frame(ws.OpContinuation, true, bytes.Repeat([]byte("b"), 300)),
		text("last"),
	)
}

var cmpMessages = cmp.AllowUnexported(message{})

func TestNextIsTheSameForEveryByteSplit(t *testing.T) {
	data := tape()
	want, _, _ := reference(data, DefaultMaxMessage)
	if len(want) != 7 {
		t.Fatalf("the tape holds %d messages, want 7", len(want))
	}
	for first := 1; first < len(data); first++ {
		for _, buffer := range []int{0, 64} {
			s := &script{data: data, end: io.EOF, starve: true}
			pieces := 0
			s.cut = func(left int) int {
				if pieces++; pieces == 1 {
					return first
				}
				return left
			}
			c := NewConn(s, nil, Options{Buffer: buffer})
			if err := c.NonBlocking(); err != nil {
				t.Fatal(err)
			}
			got, err := drain(c)
			if err != io.EOF {
				t.Fatalf("split at %d: got error %v, want EOF", first, err)
			}
			if d := cmp.Diff(want, got, cmpMessages); d != "" {
				t.Fatalf("split at %d, buffer %d: %s", first, buffer, d)
			}
		}
	}
}

func TestNextByteByByte(t *testing.T) {
	data := tape()
	want, _, _ := reference(data, DefaultMaxMessage)
	s := &script{data: data, end: io.EOF, cut: func(int) int { return 1 }}
	c := NewConn(s, nil, Options{Buffer: 32})
	got, err := drain(c)
	if err != io.EOF || !cmp.Equal(want, got, cmpMessages) {
		t.Fatalf("got %v, %v", got, err)
	}
	// One byte at a time nothing can be coalesced.
	var pongs []string
	for _, f := range s.written(t) {
		if f.Header.OpCode != ws.OpPong {
			t.Fatalf("client wrote %v, want only PONGs", f.Header.OpCode)
		}
		pongs = append(pongs, string(f.Payload))
	}
	if d := cmp.Diff([]string{"1723161255", "inside"}, pongs); d != "" {
		t.Fatal(d)
	}
	if st := c.Stats(); st.Pings != 2 || st.Pongs != 1 || st.Messages != 7 || st.Fragmented != 2 || st.Reads != uint64(len(data)) {
		t.Fatalf("got stats %+v", st)
	}
}

// The peer's own high-level reader, on the same bytes, gives the same messages.
func TestNextAgreesWithWsutilOnRandomTapes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var data []byte
		size := rapid.SampledFrom([]int{0, 1, 7, 125, 126, 127, 300, 65535, 65536, 70000})
		payload := func(label string) []byte {
			b := make([]byte, size.Draw(t, label))
			for i := range b {
				b[i] = byte('a' + i%26)
			}
			return b
		}
		for range rapid.IntRange(1, 8).Draw(t, "messages") {
			op := rapid.SampledFrom([]ws.OpCode{ws.OpText, ws.OpBinary}).Draw(t, "op")
			parts := rapid.IntRange(1, 4).Draw(t, "parts")
			for i := range parts {
				if i > 0 {
					op = ws.OpContinuation
				}
				data = append(data, frame(op, i == parts-1, payload("part"))...)
				if rapid.Bool().Draw(t, "ping") {
					data = append(data, frame(ws.OpPing, true, []byte{byte(i)})...)
				}
			}
		}
		var want []message
		rd := wsutil.Reader{Source: bytes.NewReader(data), State: ws.StateClientSide,
			OnIntermediate: func(_ ws.Header, r io.Reader) error { _, err := io.Copy(io.Discard, r); return err }}
		for {
			h, err := rd.NextFrame()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			p, err := io.ReadAll(&rd)
			if err != nil {
				t.Fatal(err)
			}
			if !h.OpCode.IsControl() {
				want = append(want, message{h.OpCode, string(p)})
			}
		}
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		s := &script{data: data, end: io.EOF, starve: rapid.Bool().Draw(t, "starve"),
			cut: func(left int) int { return 1 + rng.IntN(min(left, 1+rng.IntN(5000))) }}
		c := NewConn(s, nil, Options{Buffer: rapid.SampledFrom([]int{16, 100, 4096, 1 << 17}).Draw(t, "buffer")})
		if err := c.NonBlocking(); err != nil {
			t.Fatal(err)
		}
		got, err := drain(c)
		if err != io.EOF || !cmp.Equal(want, got, cmpMessages) {
			t.Fatalf("got %d messages and %v, want %d and EOF", len(got), err, len(want))
		}
	})
}

func TestNextRefusesWhatTheRFCForbids(t *testing.T) {
	long := func(n byte, rest ...byte) []byte { return append([]byte{0x82, n}, rest...) }
	cases := []struct {
		name string
		data []byte
		want ProtocolError
	}{
		{"masked", []byte{0x81, 0x80}, ErrMasked},
		{"rsv1", []byte{0xc1, 0}, ErrReservedBits},
		{"rsv3", []byte{0x91, 0}, ErrReservedBits},
		{"opcode 3", []byte{0x83, 0}, ErrReservedOpcode},
		{"opcode 7", []byte{0x87, 0}, ErrReservedOpcode},
		{"opcode 11", []byte{0x8b, 0}, ErrReservedOpcode},
		{"opcode 15", []byte{0x8f, 0}, ErrReservedOpcode},
		{"ping of 126", []byte{0x89, 126}, ErrControlTooLong},
		{"close of 127", []byte{0x88, 127}, ErrControlTooLong},
		{"ping in fragments", []byte{0x09, 0}, ErrControlFragmented},
		{"continuation first", []byte{0x80, 0}, ErrContinuationNoMsg},
		{"text inside a message", join(frame(ws.OpText, false, []byte("a")), text("b")), ErrMessageInterleaved},
		{"16 bits for 125", long(126, 0, 125), ErrLengthNotMinimal},
		{"64 bits for 65535", long(127, 0, 0, 0, 0, 0, 0, 0xff, 0xff), ErrLengthNotMinimal},
		{"64 bits, top bit", long(127, 0x80), ErrLengthTopBit},
		{"length 2^63-1", long(127, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), ErrMessageTooLong},
		{"length cap+1", long(127, 0, 0, 0, 0, 0, 0x10, 0, 1), ErrMessageTooLong},
		{"close of one byte", frame(ws.OpClose, true, []byte{3}), ErrClosePayload},
		{"close code 1005", frame(ws.OpClose, true, []byte{0x03, 0xed}), ErrClosePayload},
		{"close code 999", frame(ws.OpClose, true, []byte{0x03, 0xe7}), ErrClosePayload},
		{"close reason not UTF-8", frame(ws.OpClose, true, []byte{0x03, 0xe8, 0xff}), ErrClosePayload},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			s := &script{data: tc.data, end: os.ErrDeadlineExceeded}
			c := NewConn(s, nil, Options{})
			if err := c.NonBlocking(); err != nil {
				t.Fatal(err)
			}
			before := cap(c.buf) + cap(c.msg)
			var err error
			for err == nil {
				_, _, err = c.Next()
			}
			var perr ProtocolError
			if !errors.As(err, &perr) || perr != tc.want {
				t.Fatalf("got %v, want %v", err, tc.want)
			}
			if grown := cap(c.buf) + cap(c.msg) - before; grown > 64 {
				t.Fatalf("memory grew by %d bytes for a refused frame", grown)
			}
			fs := s.written(t)
			if len(fs) != 1 || fs[0].Header.OpCode != ws.OpClose {
				t.Fatalf("client wrote %v, want one CLOSE", fs)
			}
			if _, _, again := c.Next(); again != err {
				t.Fatalf("next call gave %v, want the same error", again)
			}
			if err := c.SendText([]byte("x")); err == nil {
				t.Fatal("sending on a failed connection succeeded")
			}
		})
	}
}

func TestMessageCapCountsAllFragments(t *testing.T) {
	part := bytes.Repeat([]byte("a"), 60)
	data := join(frame(ws.OpText, false, part), frame(ws.OpContinuation, true, part[:40]),
		frame(ws.OpText, false, part), frame(ws.OpContinuation, true, part[:41]))
	c := NewConn(&script{data: data, end: io.EOF}, nil, Options{MaxMessage: 100})
	got, err := drain(c)
	if len(got) != 1 || len(got[0].payload) != 100 || !errors.Is(err, ErrMessageTooLong) {
		t.Fatalf("got %d messages and %v, want one of 100 bytes and ErrMessageTooLong", len(got), err)
	}
}

func TestCloseIsAnsweredWithItsCode(t *testing.T) {
	s := &script{data: join(text("a"), frame(ws.OpClose, true, ws.NewCloseFrameBody(1001, "bye")), text("never")), end: io.EOF}
	c := NewConn(s, nil, Options{})
	got, err := drain(c)
	var ce *CloseError
	if len(got) != 1 || !errors.As(err, &ce) || ce.Code != 1001 || ce.Reason != "bye" {
		t.Fatalf("got %v, %v", got, err)
	}
	fs := s.written(t)
	if len(fs) != 1 || fs[0].Header.OpCode != ws.OpClose || !bytes.Equal(fs[0].Payload, []byte{0x03, 0xe9}) {
		t.Fatalf("client wrote %v, want CLOSE 1001", fs)
	}
}

func TestBlockingTimeoutCanBeResumed(t *testing.T) {
	s := &script{data: text("resumed"), end: os.ErrDeadlineExceeded, starve: true, cut: func(int) int { return 3 }}
	c := NewConn(s, nil, Options{})
	timeouts := 0
	for {
		p, _, err := c.Next()
		if err == nil {
			if string(p) != "resumed" || timeouts == 0 {
				t.Fatalf("got %q after %d timeouts", p, timeouts)
			}
			return
		}
		var ne net.Error
		if !errors.As(err, &ne) || !ne.Timeout() {
			t.Fatalf("got %v, want a timeout", err)
		}
		timeouts++
	}
}

func TestTransportThatNeverProgressesIsGivenUp(t *testing.T) {
	c := NewConn(&script{}, nil, Options{})
	if _, _, err := c.Next(); err != io.ErrNoProgress {
		t.Fatalf("got %v, want io.ErrNoProgress", err)
	}
}

func TestClockIsReadOncePerRead(t *testing.T) {
	now, asked := int64(100), 0
	s := &script{data: join(text("a"), text("b"), text("c"), text("d")), end: io.EOF}
	first := len(join(text("a"), text("b"))) + 1
	s.cut = func(left int) int {
		if s.reads == 1 {
			return first
		}
		return left
	}
	c := NewConn(s, nil, Options{Now: func() int64 { asked++; now += 10; return now }})
	var stamps []int64
	for range 4 {
		if _, _, err := c.Next(); err != nil {
			t.Fatal(err)
		}
		stamps = append(stamps, c.Stamp())
	}
	if !slices.Equal(stamps, []int64{110, 110, 120, 120}) || asked != 2 {
		t.Fatalf("got stamps %v after %d clock reads", stamps, asked)
	}
}

// What a message takes to come in whole, control frames and fragments too, is how far the
// line falls behind; what lies between whole messages is not.
func TestALineIsSlowWhileAMessageIsUnderWay(t *testing.T) {
	now := int64(0)
	frames := join(text("whole"), text("in three"), text("whole again"), frame(ws.OpText, false, []byte("first")), frame(ws.OpContinuation, true, []byte("last")))
	a, b := len(text("whole")), len(text("in three"))
	d := a + b + len(text("whole again"))
	reads := []struct{ end, at, slow int }{
		{a, 100, 0}, {a + 3, 200, 0}, {a + 5, 250, 50}, {a + b, 260, 60}, {d, 900, 60},
		{d + len(text("first")), 1000, 60}, {len(frames), 1007, 67},
	}
	s := &script{data: frames, end: io.EOF, starve: true}
	next := 0
	s.cut = func(left int) int { next++; return left - (len(frames) - reads[next-1].end) }
	c := NewConn(s, nil, Options{Now: func() int64 { return now }})
	if err := c.NonBlocking(); err != nil {
		t.Fatal(err)
	}
	for i, r := range reads {
		now = int64(r.at)
		for before := c.Stats().Reads; c.Stats().Reads == before; {
			if _, _, err := c.Next(); err != nil && err != ErrNoData {
				t.Fatal(err)
			}
		}
		if c.Slow() != int64(r.slow) {
			t.Errorf("after read %d: slow for %d, want %d", i, c.Slow(), r.slow)
		}
	}
}

func TestSendIsMaskedAndWhole(t *testing.T) {
	for _, n := range []int{0, 1, 125, 126, 65535, 65536} {
		s := &script{}
		c := NewConn(s, nil, Options{})
		p := bytes.Repeat([]byte("z"), n)
		if err := c.SendText(p); err != nil {
			t.Fatal(err)
		}
		fs := s.written(t)
		if len(fs) != 1 || fs[0].Header.OpCode != ws.OpText || !fs[0].Header.Fin || !bytes.Equal(fs[0].Payload, p) {
			t.Fatalf("%d bytes: got %+v", n, fs)
		}
		if size := ws.HeaderSize(fs[0].Header) + len(ws.Header{}.Mask); s.wrote.Len() != size+n {
			t.Fatalf("%d bytes: frame is %d bytes, want %d", n, s.wrote.Len(), size+n)
		}
	}
	c := NewConn(&script{}, nil, Options{})
	if err := c.SendPing(make([]byte, 126)); err == nil {
		t.Fatal("a ping of 126 bytes was sent")
	}
	if err := c.SendPing([]byte("p")); err != nil {
		t.Fatal(err)
	}
}

func TestWriteErrorIsFinal(t *testing.T) {
	c := NewConn(&script{writeErr: io.ErrClosedPipe}, nil, Options{})
	if err := c.SendText(nil); !errors.Is(err, io.ErrClosedPipe) {
		t.Fatalf("got %v", err)
	}
	if _, _, err := c.Next(); !errors.Is(err, io.ErrClosedPipe) {
		t.Fatalf("got %v", err)
	}
}

func TestCloseByUs(t *testing.T) {
	s := &script{end: io.EOF}
	c := NewConn(s, nil, Options{})
	if err := c.Close(1000); err != nil || !s.closed {
		t.Fatalf("got %v, closed %v", err, s.closed)
	}
	fs := s.written(t)
	if len(fs) != 1 || fs[0].Header.OpCode != ws.OpClose {
		t.Fatalf("client wrote %v", fs)
	}
	if _, _, err := c.Next(); err == nil {
		t.Fatal("reading after Close succeeded")
	}
}

// endless repeats a tape for ever.
type endless struct {
	script
	tape []byte
	at   int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.tape[e.at:])
	if e.at += n; e.at == len(e.tape) {
		e.at = 0
	}
	return n, nil
}
func (e *endless) Write(p []byte) (int, error) { return len(p), nil }

func TestNextDoesNotAllocate(t *testing.T) {
	c := NewConn(&endless{tape: tape()}, nil, Options{Now: func() int64 { return 1 }})
	read := func() {
		for range 70 {
			if _, _, err := c.Next(); err != nil {
				t.Fatal(err)
			}
		}
	}
	read() // warm-up: the fragment and write buffers are made
	if n := testing.AllocsPerRun(100, read); n != 0 {
		t.Fatalf("got %v allocations per 70 messages, want 0", n)
	}
}

func FuzzFrames(f *testing.F) {
	f.Add(tape(), uint64(1), 64)
	f.Add(frame(ws.OpClose, true, ws.NewCloseFrameBody(1000, "")), uint64(2), 0)
	f.Add([]byte{0x82, 127, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, uint64(3), 0)
	f.Add([]byte{0x01, 1, 'a', 0x89, 0, 0x00, 0, 0x80, 1, 'b'}, uint64(4), 16)
	f.Fuzz(func(t *testing.T, data []byte, seed uint64, buffer int) {
		const maxMessage = 2000
		want, pings, wantErr := reference(data, maxMessage)
		rng := rand.New(rand.NewPCG(seed, 0))
		s := &script{data: data, end: io.EOF, starve: seed%2 == 0, cut: func(left int) int { return 1 + rng.IntN(left) }}
		c := NewConn(s, nil, Options{Buffer: buffer % 5000, MaxMessage: maxMessage})
		if err := c.NonBlocking(); err != nil {
			t.Fatal(err)
		}
		got, err := drain(c)
		if d := cmp.Diff(want, got, cmpMessages); d != "" {
			t.Fatal(d)
		}
		var perr ProtocolError
		var ce *CloseError
		switch {
		case wantErr == io.EOF:
			// A violation shows in the first bytes of a header that the
			// reference wants whole.
			if err != io.EOF && !errors.As(err, &perr) {
				t.Fatalf("got %v, want EOF", err)
			}
		case errors.As(wantErr, &ce):
			if !errors.As(err, &ce) {
				t.Fatalf("got %v, want %v", err, wantErr)
			}
		default:
			if !errors.As(err, &perr) {
				t.Fatalf("got %v, want a protocol error for %v", err, wantErr)
			}
		}
		if c.Stats().Pings != uint64(len(pings)) {
			t.Fatalf("got %d pings, want %d", c.Stats().Pings, len(pings))
		}
	})
}

func BenchmarkNext300(b *testing.B) {
	one := text(strings.Repeat("m", 300))
	c := NewConn(&endless{tape: bytes.Repeat(one, 400)}, nil, Options{Now: func() int64 { return 1 }})
	b.SetBytes(int64(len(one)))
	b.ReportAllocs()
	for b.Loop() {
		p, op, err := c.Next()
		if err != nil || op != Text || len(p) != 300 {
			b.Fatal(len(p), op, err)
		}
	}
}
