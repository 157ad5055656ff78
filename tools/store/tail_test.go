package store

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"riposte/core"
	"riposte/core/journal"
)

// TestATailReadsEveryRecordOnceWhileItIsWritten follows a journal of small files from a
// goroutine of its own, from places in between too.
func TestATailReadsEveryRecordOnceWhileItIsWritten(t *testing.T) {
	dir := t.TempDir()
	stop, done := make(chan struct{}), make(chan error, 1)
	go func() {
		at, last := NewTail(dir, Place{}), false
		want := uint64(1)
		done <- func() error {
			for {
				rec, err := at.Next()
				switch {
				case err == nil && rec.Seq != want:
					return errors.New("a record is missing or came twice")
				case err == nil:
					if want++; want%500 == 0 {
						at = NewTail(dir, at.Place()) // as after a restart of the reader
					}
				case !errors.Is(err, io.EOF):
					return err
				case last:
					if got := at.Place().Seq; got != want-1 {
						return errors.New("the place is not behind the last record")
					}
					return nil
				default:
					select {
					case <-stop:
						last = true // all is written: what is there now is the rest
					default:
					}
				}
			}
		}()
	}()
	var seq uint64
	for i := range 6 {
		j, err := openIn(dir, table(t), disk{}, fileLeast)
		if err != nil {
			t.Fatal(err)
		}
		for n := range 2000 {
			if err := j.Sent(sent(core.OrderID(n + 1))); err != nil {
				t.Fatal(err)
			}
		}
		if seq = j.Seq(); i%2 == 0 {
			kill(j)
		} else if err := j.Close(true, ""); err != nil {
			t.Fatal(err)
		} else {
			seq++
		}
	}
	close(stop)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	v, err := Verify(dir)
	if err != nil || v.Records != seq {
		t.Errorf("the journal has %+v and %v, want %d records", v, err, seq)
	}
}

// TestATailStopsAtDamage damages a copy of a journal in every way that a reader can meet.
func TestATailStopsAtDamage(t *testing.T) {
	dir := t.TempDir()
	life(t, dir, 20, true, 0)
	life(t, dir, 20, true, 0)
	first, second := fileName(dir, 1), fileName(dir, 2)
	whole, err := os.ReadFile(first)
	if err != nil {
		t.Fatal(err)
	}
	read := func() (n int, err error) {
		at := NewTail(dir, Place{})
		for {
			if _, err := at.Next(); err != nil {
				return n, err
			}
			n++
		}
	}
	all, err := read()
	if !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	flipped := append([]byte(nil), whole...)
	flipped[len(whole)/2] ^= 4
	for what, c := range map[string]struct {
		text []byte
		want string
	}{
		"a bit flipped":    {flipped, "bytes that are none before record"},
		"records cut off":  {whole[:len(whole)/2], "want record"},
		"the file is gone": {nil, "want this file, between its neighbours"},
	} {
		if c.text == nil {
			// Between two others: the oldest file may be missing.
			if err := os.WriteFile(first, whole, 0o600); err != nil {
				t.Fatal(err)
			}
			life(t, dir, 1, true, 0)
			if err := os.Rename(second, second+".away"); err != nil {
				t.Fatal(err)
			}
		} else if err := os.WriteFile(first, c.text, 0o600); err != nil {
			t.Fatal(err)
		}
		n, err := read()
		var broken *Broken
		if !errors.As(err, &broken) || !strings.Contains(err.Error(), c.want) || n >= all {
			t.Errorf("%s: got %d records and %v, want an error with %q", what, n, err, c.want)
		}
		if c.text == nil {
			if err := os.Rename(second+".away", second); err != nil {
				t.Fatal(err)
			}
		} else if err := os.WriteFile(first, whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestATailWaitsForTheRestOfARecord gives it a journal byte by byte.
func TestATailWaitsForTheRestOfARecord(t *testing.T) {
	dir := t.TempDir()
	var text []byte
	for i := range 3 {
		text = (&journal.Limit{Scope: "BTCUSDT", Name: "qty_max", Value: "1"}).Append(text, uint64(i+1))
	}
	each := len(text) / 3
	at := NewTail(dir, Place{})
	for n := range len(text) + 1 {
		b := make([]byte, len(text)+1000)
		copy(b, text[:n])
		if err := os.WriteFile(fileName(dir, 1), b, 0o600); err != nil {
			t.Fatal(err)
		}
		for {
			_, err := at.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("with %d bytes: %v", n, err)
			}
		}
		// The last bytes of a record may be zeros, as those behind it are.
		if got := int(at.Place().Seq); got < n/each || got > (n+16)/each {
			t.Fatalf("with %d bytes: at record %d, want %d", n, got, n/each)
		}
	}
}
