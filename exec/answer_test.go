package exec

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

const okAnswer = "HTTP/1.1 200 OK\r\nContent-Type: application/json;charset=UTF-8\r\nContent-Length: 15\r\n" +
	"x-mbx-used-weight-1m: 12\r\nX-MBX-ORDER-COUNT-10S: 3\r\n\r\n{\"orderId\": 28}"

// feed gives the reader text in pieces of at most step bytes.
func feed(r *AnswerReader, text string, step int) (done bool, used int, err AnswerError) {
	r.Reset()
	for used < len(text) {
		n := copy(r.Space(), text[used:min(len(text), used+step)])
		if n == 0 {
			return false, used, AnswerTooLong
		}
		used += n
		if done, err = r.Advance(n); done || err != AnswerOK {
			return done, used, err
		}
	}
	return false, used, AnswerOK
}

func TestAnswerIsReadWhateverTheCuts(t *testing.T) {
	chunked := "HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\nContent-Type:application/json\r\n\r\n" +
		"5\r\n{\"ord\r\nA;x=y\r\nerId\": 28}\r\n0\r\nX-Trailer: 1\r\n\r\n"
	interim := "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + okAnswer
	r := NewAnswerReader(4096, 1024, "x-mbx-")
	for name, text := range map[string]string{"plain": okAnswer, "chunked": chunked, "interim": interim} {
		for step := 1; step <= len(text); step++ {
			done, used, err := feed(r, text, step)
			if !done || err != AnswerOK || used != len(text) {
				t.Fatalf("%s in pieces of %d: done %v after %d of %d: %v", name, step, done, used, len(text), err)
			}
			a := r.Answer()
			if a.Status != 200 || !a.JSON || a.Close || string(a.Body) != `{"orderId": 28}`[:len(a.Body)] || len(a.Body) < 15 {
				t.Fatalf("%s in pieces of %d: read %d %q", name, step, a.Status, a.Body)
			}
			if name != "chunked" && (string(a.Header("x-mbx-used-weight-1m")) != "12" || string(a.Header("x-mbx-order-count-10s")) != "3") {
				t.Fatalf("%s in pieces of %d: headers are lost", name, step)
			}
		}
	}
}

func TestACutAnswerIsNeverComplete(t *testing.T) {
	r := NewAnswerReader(4096, 1024, "")
	for n := range len(okAnswer) {
		if done, _, err := feed(r, okAnswer[:n], 7); done || err != AnswerOK {
			t.Fatalf("cut after %d bytes: done %v, %v", n, done, err)
		}
	}
}

func TestUnreadableAnswersAreRefused(t *testing.T) {
	head := "HTTP/1.1 200 OK\r\n"
	for _, tc := range []struct {
		name, text string
		want       AnswerError
	}{
		{"junk after the end", okAnswer + "H", AnswerJunk},
		{"pipelined answer", okAnswer + okAnswer, AnswerJunk},
		{"not HTTP", "SSH-2.0-OpenSSH_9.6\r\n", AnswerStatusLine},
		{"HTTP/2 preface", "HTTP/2.0 200 OK\r\n", AnswerStatusLine},
		{"short status", "HTTP/1.1 20\r\n", AnswerStatusLine},
		{"status with letters", "HTTP/1.1 2x0 OK\r\n", AnswerStatusLine},
		{"switching protocols", "HTTP/1.1 101 Switching\r\n\r\n", AnswerStatusLine},
		{"endless 1xx", strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 5), AnswerStatusLine},
		{"bare LF", "HTTP/1.1 200 OK\n", AnswerStatusLine},
		{"CR inside", "HTTP/1.1 200 O\rK\r\n", AnswerStatusLine},
		{"two CRs", "HTTP/1.1 200 OK\r\r\n", AnswerStatusLine},
		{"NUL behind a CR", "HTTP/1.1 200 OK\r\x00\n", AnswerStatusLine},
		{"header without colon", head + "Nonsense\r\n", AnswerHeader},
		{"folded header", head + "A: b\r\n c\r\n", AnswerHeader},
		{"blank before colon", head + "Content-Length : 1\r\n", AnswerHeader},
		{"NUL in a header", head + "A: \x00\r\n", AnswerHeader},
		{"no length", head + "\r\n", AnswerLength},
		{"negative length", head + "Content-Length: -1\r\n", AnswerLength},
		{"two lengths", head + "Content-Length: 1\r\nContent-Length: 2\r\n", AnswerLength},
		{"length and chunks", head + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", AnswerLength},
		{"gzip coding", head + "Transfer-Encoding: gzip, chunked\r\n", AnswerLength},
		{"length beyond the buffer", head + "Content-Length: 9999\r\n\r\n", AnswerTooLong},
		{"huge length", head + "Content-Length: 999999999999999\r\n\r\n", AnswerTooLong},
		{"chunk beyond the buffer", head + "Transfer-Encoding: chunked\r\n\r\nffff\r\n", AnswerTooLong},
		{"huge chunk", head + "Transfer-Encoding: chunked\r\n\r\nfffffffff\r\n", AnswerTooLong},
		{"chunk size not hex", head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", AnswerChunk},
		{"chunk size empty", head + "Transfer-Encoding: chunked\r\n\r\n\r\n", AnswerChunk},
		{"chunk not ended", head + "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", AnswerChunk},
		{"endless head", head + "A: " + strings.Repeat("x", 2000), AnswerTooLong},
		{"endless status", strings.Repeat("x", 2000), AnswerTooLong},
		{"endless trailer", head + "Transfer-Encoding: chunked\r\n\r\n0\r\n" + strings.Repeat("x", 2000), AnswerTooLong},
	} {
		r := NewAnswerReader(4096, 1024, "")
		for _, step := range []int{1, 5, 4096} {
			done, _, err := feed(r, tc.text, step)
			if tc.want == AnswerJunk && step == 1 {
				continue // complete before the junk has come: the idle wire finds it
			}
			if tc.name == "pipelined answer" && step == 5 && done {
				continue
			}
			if done || err != tc.want {
				t.Errorf("%s in pieces of %d: done %v, %v, want %v", tc.name, step, done, err, tc.want)
			}
		}
	}
}

func TestAnswerDetails(t *testing.T) {
	r := NewAnswerReader(4096, 1024, "")
	done, _, err := feed(r, "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 17\r\nConnection: Close\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n", 3)
	a := r.Answer()
	if !done || err != AnswerOK || a.Status != 429 || a.RetryAfter != 17*time.Second || !a.Close || a.JSON || len(a.Body) != 0 {
		t.Errorf("read %+v, %v", a, err)
	}
	if done, _, _ := feed(r, "HTTP/1.0 204\r\n\r\n", 9); !done || !r.Answer().Close || r.Answer().Status != 204 {
		t.Errorf("read %+v", r.Answer())
	}
}

func TestReadingAnswersDoesNotAllocate(t *testing.T) {
	r := NewAnswerReader(4096, 1024, "x-mbx-")
	if n := testing.AllocsPerRun(100, func() { feed(r, okAnswer, 100) }); n != 0 {
		t.Errorf("an answer allocates %v times, want 0", n)
	}
}

// FuzzAnswer: any bytes in any cut give the same outcome, and where the standard
// library reads a whole answer too it reads the same.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte(okAnswer), uint8(3))
	f.Add([]byte("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3;a\r\nabc\r\n0\r\n\r\n"), uint8(1))
	f.Add([]byte("HTTP/1.1 418 I'm a teapot\r\nRetry-After: 120\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"), uint8(9))
	f.Add([]byte("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 X\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>"), uint8(4))
	f.Fuzz(func(t *testing.T, text []byte, step uint8) {
		one, cut := NewAnswerReader(8192, 2048, "x-"), NewAnswerReader(8192, 2048, "x-")
		done1, _, err1 := feed(one, string(text), len(text)+1)
		done2, used2, err2 := feed(cut, string(text), int(step)+1)
		if err1 == AnswerJunk { // a cut reader may finish before the junk comes
			if err2 != AnswerJunk && !done2 {
				t.Fatalf("whole: %v, cut: done %v %v", err1, done2, err2)
			}
			return
		}
		if len(text) > 8192 {
			return
		}
		if done1 != done2 || err1 != err2 {
			t.Fatalf("whole: done %v %v, cut: done %v %v", done1, err1, done2, err2)
		}
		if !done1 {
			return
		}
		a, b := one.Answer(), cut.Answer()
		if a.Status != b.Status || !bytes.Equal(a.Body, b.Body) || a.JSON != b.JSON || a.Close != b.Close || a.RetryAfter != b.RetryAfter || used2 != len(text) {
			t.Fatalf("whole and cut differ: %+v, %+v", a, b)
		}
		src := bufio.NewReader(bytes.NewReader(text))
		resp, err := http.ReadResponse(src, nil)
		for err == nil && resp.StatusCode < 200 {
			resp, err = http.ReadResponse(src, nil)
		}
		if err != nil {
			return // the library is stricter here
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			return
		}
		if resp.StatusCode != a.Status || !bytes.Equal(body, a.Body) {
			t.Fatalf("we read %d %q, the library %d %q", a.Status, a.Body, resp.StatusCode, body)
		}
	})
}

func BenchmarkAnswer(b *testing.B) {
	r := NewAnswerReader(64<<10, 16<<10, "x-mbx-")
	b.ReportAllocs()
	b.SetBytes(int64(len(okAnswer)))
	for b.Loop() {
		feed(r, okAnswer, 1<<20)
	}
	if got := fmt.Sprintf("%d %s", r.Answer().Status, r.Answer().Body); got != `200 {"orderId": 28}` {
		b.Fatal(got)
	}
}
