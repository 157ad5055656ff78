package journal

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strconv"
	"testing"

	"riposte/core"
)

// longFile is a journal of about size bytes as an engine writes it, and where its
// records begin.
func longFile(size int) (file []byte, starts []int) {
	all := samples()
	for seq := uint64(1); len(file) < size; seq++ {
		starts = append(starts, len(file))
		if seq%50 == 0 {
			file = all[int(seq/50)%len(all)].Append(file, seq)
			continue
		}
		if seq%2 == 0 {
			file = (&Report{Wall: core.WallNs(seq), Report: core.Report{Kind: core.ReportAck, ID: core.OrderID(seq), VenueID: int64(seq) << 9}}).Append(file, seq)
			continue
		}
		file = (&Intent{Order: core.OrderID(seq), Price: core.Price(seq) << 20, Qty: 5, Client: client("rp-0000007-0000002f"), Symbol: "BTCUSDT", Window: 2e9}).Append(file, seq)
	}
	return file, starts
}

// damageBytes is how long the damaged journal is: 1048576 is the size of the acceptance
// run.
func damageBytes(t *testing.T) int {
	n, err := strconv.Atoi(cmp0(os.Getenv("RIPOSTE_JOURNAL_BYTES"), "49152"))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func cmp0(s, or string) string {
	if s == "" {
		return or
	}
	return s
}

// TestNoFlippedByteOfALongFileIsAccepted flips every byte, one at a time, in two ways.
// What lies before the damaged record is read as ever and is not read again each time;
// from that record on the reader must find that it is none and, where records follow,
// that they do.
func TestNoFlippedByteOfALongFileIsAccepted(t *testing.T) {
	file, starts := longFile(damageBytes(t))
	tried, silent := 0, 0
	buf := make([]byte, 0, 8<<10)
	in := bytes.NewReader(nil)
	for i, start := range starts {
		last := i == len(starts)-1
		end := len(file)
		if !last {
			end = starts[i+1]
		}
		// Far enough for the records behind to be found.
		buf = append(buf[:0], file[start:min(end+2048, len(file))]...)
		for at := range end - start {
			for _, flip := range []byte{1 << (at % 8), 255} {
				tried++
				buf[at] ^= flip
				in.Reset(buf)
				r := newReader(in, 8<<10)
				_, err := r.Next()
				var torn *TornTail
				var bad *Corrupt
				if last && !errors.As(err, &torn) || !last && (!errors.As(err, &bad) || bad.Next != int64(end-start)) {
					silent++
					t.Errorf("byte %d ^ %#x: %v", start+at, flip, err)
				}
				buf[at] ^= flip
			}
		}
	}
	t.Logf("%d bytes, %d flips, %d silent accepts", len(file), tried, silent)
}

// TestNoTruncationOfALongFileIsAccepted cuts at every length: whole records before the
// cut are read, and what is left of one is told.
func TestNoTruncationOfALongFileIsAccepted(t *testing.T) {
	file, starts := longFile(damageBytes(t))
	tried, silent := 0, 0
	in := bytes.NewReader(nil)
	for i, start := range starts {
		end := len(file)
		if i < len(starts)-1 {
			end = starts[i+1]
		}
		for n := range end - start {
			tried++
			in.Reset(file[start : start+n])
			_, err := newReader(in, 4<<10).Next()
			var torn *TornTail
			if n == 0 && err != io.EOF || n > 0 && (!errors.As(err, &torn) || torn.Offset != 0 || torn.Bytes != int64(n)) {
				silent++
				t.Errorf("cut at %d: %v", start+n, err)
			}
		}
	}
	t.Logf("%d bytes, %d lengths, %d silent accepts", len(file), tried, silent)
}
