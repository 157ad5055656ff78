package tape

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"pgregory.net/rapid"
)

// said is a line as the tests compare it.
type said struct {
	recv          int64
	rest, label   string
	note, payload string
}

func readAll(r *Reader) (list []said, err error) {
	var l Line
	for {
		if err := r.Next(&l); err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return list, err
		}
		list = append(list, said{l.RecvNs, l.Rest, l.Label, l.Note, string(l.Payload)})
	}
}

// recording is n lines in blocks of a few lines each.
func recording(t testing.TB, n int) (file []byte, want []said, ends []int) {
	t.Helper()
	var out bytes.Buffer
	w, err := NewWriter(&out)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		at := int64(1_700_000_000_000_000_000 + i)
		switch i % 5 {
		case 0:
			kind, text := NoteMeta, `{"recording":1}`
			switch i % 15 {
			case 5:
				kind, text = NoteRules, `{"symbol":"BTCUSDT","base":"BTC","quote":"USDT","rules":{"Symbol":"BTCUSDT","Status":2}}`
			case 10:
				kind, text = NoteGap, `{"why":"no line brought it in time","symbol":"BTCUSDT","stream":"depth","last":7,"first":12}`
			}
			err = w.Note(at, kind, []byte(text))
			want = append(want, said{at, "", "", kind, text})
		case 1:
			err = w.REST(at, "/api/v3/depth?symbol=BTCUSDT", []byte("{\n \"bids\": []\r\n}"))
			want = append(want, said{at, "/api/v3/depth?symbol=BTCUSDT", "", "", "{\n \"bids\": []\r\n}"})
		default:
			text := fmt.Sprintf(`{"stream":"btcusdt@trade","data":{"t":%d}}`, i)
			label := []string{"", "1", "2"}[i%5-2]
			err = w.Frame(at, label, []byte(text))
			want = append(want, said{at, "", label, "", text})
		}
		if err == nil && i%3 == 2 {
			err = w.Flush()
			ends = append(ends, len(want))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if int64(out.Len()) != w.Bytes() {
		t.Errorf("Bytes says %d, %d were written", w.Bytes(), out.Len())
	}
	return out.Bytes(), want, append(ends, len(want))
}

func same(got, want []said) bool {
	if len(got) != len(want) {
		return false
	}
	for i := range got {
		if got[i] != want[i] {
			return false
		}
	}
	return true
}

func TestWhatIsWrittenIsReadAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var out bytes.Buffer
		w, err := NewWriter(&out)
		if err != nil {
			t.Fatal(err)
		}
		var want []said
		for range rapid.IntRange(0, 30).Draw(t, "lines") {
			s := said{recv: rapid.Int64().Draw(t, "recv"), payload: string(rapid.SliceOfN(rapid.Byte(), 0, 2000).Draw(t, "payload"))}
			switch rapid.IntRange(0, 3).Draw(t, "kind") {
			case 0:
				err = w.Frame(s.recv, "", []byte(s.payload))
			case 1:
				s.label = rapid.StringMatching(`[a-z0-9]{1,5}`).Draw(t, "label")
				err = w.Frame(s.recv, s.label, []byte(s.payload))
			case 2:
				s.rest = rapid.StringMatching(`/api/v3/[a-z]{1,9}\?symbol=[A-Z]{1,9}`).Draw(t, "path")
				err = w.REST(s.recv, s.rest, []byte(s.payload))
			case 3:
				s.note = rapid.SampledFrom(notes[:]).Draw(t, "note")
				err = w.Note(s.recv, s.note, []byte(s.payload))
			}
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, s)
			if rapid.Bool().Draw(t, "flush") {
				if err := w.Flush(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		r, err := NewReader("x", &out)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		got, err := readAll(r)
		if err != nil || !same(got, want) || r.Cut() != 0 {
			t.Fatalf("got %d lines, %v, cut %d\n%v\nwant\n%v", len(got), err, r.Cut(), got, want)
		}
	})
}

func TestARecordingCutAtAnyByteKeepsItsWholeBlocks(t *testing.T) {
	file, want, ends := recording(t, 20)
	whole := map[int]bool{0: true}
	for _, n := range ends {
		whole[n] = true
	}
	seen := 0
	for cut := range file {
		r, err := NewReader("x", bytes.NewReader(file[:cut]))
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		got, err := readAll(r)
		if err != nil && cut >= 4 { // with fewer bytes nobody can tell what it is
			t.Fatalf("cut at %d: %v", cut, err)
		}
		if err == nil && (!whole[len(got)] || !same(got, want[:len(got)]) || len(got) < seen) {
			t.Fatalf("cut at %d: got %d lines, want those of whole blocks, at least %d", cut, len(got), seen)
		}
		if len(got) > seen {
			if seen = len(got); r.Cut() != 0 {
				t.Errorf("cut at %d, between blocks: says that %d bytes are cut off", cut, r.Cut())
			}
		}
		r.Close()
	}
}

func TestDamageInTheMiddleIsToldAndNotPassedOver(t *testing.T) {
	file, want, _ := recording(t, 20)
	for at := range file {
		for _, bit := range []byte{1, 0x80} {
			bad := bytes.Clone(file)
			bad[at] ^= bit
			r, err := NewReader("x", bytes.NewReader(bad))
			if err != nil {
				continue
			}
			got, err := readAll(r)
			switch {
			case err != nil:
				if !strings.Contains(err.Error(), "tape x") {
					t.Errorf("byte %d: got error %q, want one that names the tape", at, err)
				}
			case same(got, want):
				// A bit that carries nothing, such as the unused one of zstd's frame header.
			case len(got) < len(want) && same(got, want[:len(got)]) && r.Cut() > 0:
				t.Errorf("byte %d: taken for a recording that was cut off, %d of %d lines", at, len(got), len(want))
			default:
				t.Errorf("byte %d: %d lines accepted that nobody wrote", at, len(got))
			}
			r.Close()
		}
	}
}

func TestBlocksThatAreMissingOrDoubledAreTold(t *testing.T) {
	one, _, _ := recording(t, 3)
	all, _, _ := recording(t, 6)
	for name, file := range map[string][]byte{
		"missing": all[len(one):], "doubled": append(bytes.Clone(one), one...),
	} {
		r, err := NewReader("x", bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := readAll(r); err == nil || !strings.Contains(err.Error(), "blocks are missing or doubled") {
			t.Errorf("%s: got error %v", name, err)
		}
		r.Close()
	}
}

func TestEveryZstdToolReadsARecording(t *testing.T) {
	file, want, _ := recording(t, 12)
	z, err := zstd.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewReader("x", bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := readAll(r); err != nil || !same(got, want) {
		t.Errorf("as plain text: got %d lines, %v; want %d", len(got), err, len(want))
	}
	var again bytes.Buffer
	e, err := zstd.NewWriter(&again)
	if err != nil {
		t.Fatal(err)
	}
	e.Write(text)
	e.Close()
	r, err = NewReader("x", &again)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got, err := readAll(r); err != nil || !same(got, want) {
		t.Errorf("packed by another: got %d lines, %v; want %d", len(got), err, len(want))
	}
}

// fullDisk takes so many bytes.
type fullDisk struct {
	bytes.Buffer
	room int
}

var errFull = errors.New("no space left on device")

func (f *fullDisk) Write(p []byte) (int, error) {
	n := min(len(p), f.room-f.Len())
	f.Buffer.Write(p[:n])
	if n < len(p) {
		return n, errFull
	}
	return n, nil
}

func TestAFullDiskLosesTheLastBlockAlone(t *testing.T) {
	file, want, _ := recording(t, 20)
	for room := range len(file) {
		d := &fullDisk{room: room}
		w, err := NewWriter(d)
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range want {
			if s.note != "" {
				err = w.Note(s.recv, s.note, []byte(s.payload))
			} else if s.rest != "" {
				err = w.REST(s.recv, s.rest, []byte(s.payload))
			} else {
				err = w.Frame(s.recv, s.label, []byte(s.payload))
			}
			if i%3 == 2 && err == nil {
				err = w.Flush()
			}
			if err != nil {
				break
			}
		}
		if err == nil {
			err = w.Flush()
		}
		if !errors.Is(err, errFull) || !errors.Is(w.Flush(), errFull) || !errors.Is(w.Frame(1, "", nil), errFull) {
			t.Fatalf("room for %d: got error %v, want it and for ever", room, err)
		}
		r, err := NewReader("x", &d.Buffer)
		if err != nil {
			t.Fatal(err)
		}
		got, err := readAll(r)
		if room >= 4 && (err != nil || !same(got, want[:len(got)])) {
			t.Errorf("room for %d: got %d lines and %v", room, len(got), err)
		}
		r.Close()
	}
}

func TestABlockThatClaimsTooMuchIsRefusedBeforeAnyMemoryIsTaken(t *testing.T) {
	h := header{packed: blockMost + 1, raw: 1}
	r, err := NewReader("x", bytes.NewReader(h.append(nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := readAll(r); err == nil || !strings.Contains(err.Error(), "want at most") {
		t.Errorf("got %v", err)
	}
}

func FuzzReader(f *testing.F) {
	file, _, _ := recording(f, 9)
	f.Add(file)
	f.Add([]byte(sample))
	f.Fuzz(func(t *testing.T, file []byte) {
		r, err := NewReader("x", bytes.NewReader(file))
		if err != nil {
			return
		}
		defer r.Close()
		if _, err := readAll(r); err != nil && !strings.Contains(err.Error(), "tape x") {
			t.Errorf("got error %q, want one that names the tape", err)
		}
	})
}
