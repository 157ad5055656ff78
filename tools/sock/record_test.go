package sock

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestAskingASecureConnectionInVainCostsNothing spins on a TLS session as the loop
// does.
func TestAskingASecureConnectionInVainCostsNothing(t *testing.T) {
	c, far := pair(t, &Dialer{Waiter: newWaiter(t)}, true)
	if err := c.SetReadDeadline(past); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 4096)
	ask := func() {
		if n, err := c.Read(buf); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("nothing was sent: got %d, %v", n, err)
		}
	}
	ask() // takes session tickets that came with the handshake
	if n := testing.AllocsPerRun(500, ask); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
	_ = far.Close()
}

// TestRecordsComeOneByOneWhateverTheCuts sends many records in one piece, in crumbs and
// with reads shorter than they are; everything arrives, in order, and nothing waits for
// the next packet.
func TestRecordsComeOneByOneWhateverTheCuts(t *testing.T) {
	var sent []string
	for i, n := range []int{1, 300, 16_000, 2, 40_000, 7} { // the fifth is three records
		sent = append(sent, strings.Repeat(string(rune('a'+i)), n))
	}
	want := strings.Join(sent, "")
	for _, size := range []int{1, 100, 1 << 16} {
		w := newWaiter(t)
		c, far := pair(t, &Dialer{Waiter: w}, true)
		if err := c.SetReadDeadline(past); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() {
			var err error
			for _, s := range sent {
				_, e := io.WriteString(far, s)
				err = errors.Join(err, e)
			}
			done <- err
		}()
		var got []byte
		buf := make([]byte, size)
		for end := time.Now().Add(30 * time.Second); len(got) < len(want); {
			n, err := c.Read(buf)
			got = append(got, buf[:n]...)
			switch {
			case err == nil:
			case !errors.Is(err, os.ErrDeadlineExceeded):
				t.Fatal(err)
			case time.Now().After(end):
				t.Fatalf("reads of %d: got %d bytes after 30 s, want %d", size, len(got), len(want))
			default:
				w.Wait(time.Second)
			}
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Errorf("reads of %d: got other bytes than were sent", size)
		}
	}
}

func TestRecordsHandsOutOneRecordAtATime(t *testing.T) {
	record := func(n int) []byte { return append([]byte{23, 3, 3, byte(n >> 8), byte(n)}, make([]byte, n)...) }
	stream := slices.Concat(record(0), record(10), record(600), record(1))
	for _, cut := range []int{1, 3, 5, 6, 100, len(stream)} {
		ours, far := rawPair(t)
		r := newRecords(ours)
		if err := r.SetReadDeadline(past); err != nil {
			t.Fatal(err)
		}
		var sizes []int
		sent, seen := 0, 0
		buf := make([]byte, 1<<16)
		for p := range slices.Chunk(stream, cut) {
			if _, err := far.Write(p); err != nil {
				t.Fatal(err)
			}
			sent += len(p)
			// Loopback delivers within the call.
			for r.ready() {
				n, err := r.Read(buf)
				if err != nil {
					t.Fatal(err)
				}
				sizes = append(sizes, n)
				seen += n
			}
		}
		if !slices.Equal(sizes, []int{5, 15, 605, 6}) || seen != sent {
			t.Errorf("pieces of %d: got records of %v bytes, %d of %d in all", cut, sizes, seen, sent)
		}
		// A head that is cut off by the end is handed out, and then the end.
		if _, err := far.Write([]byte{23, 3}); err != nil {
			t.Fatal(err)
		}
		if r.ready() {
			t.Error("half a head is no record")
		}
		_ = far.Close()
		if !r.ready() {
			t.Error("the end is not seen")
		}
		n, err := r.Read(buf)
		if n != 2 || err != nil {
			t.Errorf("got %d bytes, %v before the end, want 2", n, err)
		}
		if _, err = r.Read(buf); err != io.EOF {
			t.Errorf("got %v at the end, want EOF", err)
		}
	}
}

// rawPair is a plain Conn and its far end.
func rawPair(t *testing.T) (*Conn, net.Conn) {
	t.Helper()
	c, far := pair(t, &Dialer{}, false)
	return c.(*Conn), far
}

// BenchmarkAskInVain is what a spinning loop does most of the time.
func BenchmarkAskInVain(b *testing.B) {
	for _, secured := range []bool{false, true} {
		name := "plain"
		if secured {
			name = "TLS"
		}
		b.Run(name, func(b *testing.B) {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			defer ln.Close()
			nc, err := net.Dial("tcp", ln.Addr().String())
			if err != nil {
				b.Fatal(err)
			}
			far, err := ln.Accept()
			if err != nil {
				b.Fatal(err)
			}
			defer far.Close()
			c, err := FromTCP(nc.(*net.TCPConn))
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			_ = c.SetReadDeadline(past)
			var r io.Reader = c
			if secured {
				rec := newRecords(c)
				r = &tlsConn{Conn: tls.Client(rec, &tls.Config{InsecureSkipVerify: true}), records: rec}
			}
			buf := make([]byte, 4096)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.Read(buf); !timedOut(err) {
					b.Fatal(err)
				}
			}
		})
	}
}
