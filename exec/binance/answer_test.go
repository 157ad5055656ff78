package binance

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"riposte/core"
	"riposte/exec"
)

// httpAnswer puts a body through the real answer reader.
func httpAnswer(t testing.TB, status int, body []byte) *exec.Answer {
	t.Helper()
	r := exec.NewAnswerReader(len(body)+1024, 512, HeaderPrefix)
	n := copy(r.Space(), fmt.Sprintf("HTTP/1.1 %d X\r\nContent-Type: application/json;charset=UTF-8\r\nX-MBX-USED-WEIGHT: 9\r\nX-MBX-USED-WEIGHT-1M: 12\r\n"+
		"X-MBX-ORDER-COUNT-10S: 3\r\nX-MBX-ORDER-COUNT-1D: 44\r\nContent-Length: %d\r\n\r\n%s", status, len(body), body))
	if done, err := r.Advance(n); !done {
		t.Fatalf("answer is not complete: %v", err)
	}
	return r.Answer()
}

type answerCase struct {
	Name, Kind, Body, Class, Client, OrderStatus, Cum, Quote string
	Status, Code, Fills                                      int
	Instrument                                               core.InstrumentID
}

func answerCases(t testing.TB) (out []answerCase) {
	t.Helper()
	f, err := os.Open("testdata/answers.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		var c answerCase
		if err := json.Unmarshal(s.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		out = append(out, c)
	}
	return out
}

func kindOfCase(s string) exec.RequestKind {
	if s == "cancel" {
		return exec.RequestCancel
	}
	return exec.RequestPlace
}

func TestAnswersAreReadByClass(t *testing.T) {
	cases := answerCases(t)
	if len(cases) < 30 {
		t.Fatalf("found %d cases, want at least 30", len(cases))
	}
	c := codec(t, hmacKey(t), 0)
	for _, tc := range cases {
		client, _ := core.MakeClientID(tc.Client)
		var v exec.Verdict
		c.Answer(kindOfCase(tc.Kind), &exec.Order{Client: client, Instrument: tc.Instrument}, httpAnswer(t, tc.Status, []byte(tc.Body)), &v)
		if v.Class.String() != tc.Class || int(v.Code) != tc.Code || v.Weight != 12 || v.OrdersShort != 3 || v.OrdersDay != 44 {
			t.Errorf("%s: got %v, code %d, usage %d %d %d, want %s, code %d", tc.Name, v.Class, v.Code, v.Weight, v.OrdersShort, v.OrdersDay, tc.Class, tc.Code)
			continue
		}
		if tc.Class != "accepted" {
			if len(v.Execs) != 0 {
				t.Errorf("%s: it brought evidence %+v", tc.Name, v.Execs)
			}
			continue
		}
		e := v.Execs[0]
		if e.Status.String() != tc.OrderStatus || len(v.Execs) != 1+tc.Fills || (tc.Cum != "" && e.Cum.String() != tc.Cum) {
			t.Errorf("%s: got %+v", tc.Name, v.Execs)
		}
		checkFills(t, tc.Name, v.Execs, tc.Quote)
	}
}

// checkFills holds that the fills of a whole answer sum up to what it says.
func checkFills(t *testing.T, name string, es []core.Execution, quote string) {
	t.Helper()
	var qty core.Qty
	var sum core.Amount
	for _, f := range es[1:] {
		qty += f.LastQty
		sum += f.LastQuote
		if f.FeeAsset == core.NoAsset || f.TradeID <= 0 {
			t.Errorf("%s: fill is %+v", name, f)
		}
	}
	if len(es) > 1 && (qty != es[0].Cum || sum != es[0].CumQuote) {
		t.Errorf("%s: fills sum up to %v for %v, the answer says %v for %v", name, qty, sum, es[0].Cum, es[0].CumQuote)
	}
	if quote != "" && sum.String() != quote {
		t.Errorf("%s: quote is %v, want %s", name, sum, quote)
	}
}

// dataDir is the folder of recordings, "" if there is none.
func dataDir(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("RIPOSTE_DATA")
	if dir == "" {
		dir = "../../../shared/data"
	}
	if _, err := os.Stat(filepath.Join(dir, "rest")); err != nil {
		t.Logf("left out: recordings (no %s)", dir)
		return ""
	}
	return dir
}

func TestRecordedOrderAnswersAndErrors(t *testing.T) {
	dir := dataDir(t)
	if dir == "" {
		return // answers.jsonl holds the same shapes
	}
	c := codec(t, hmacKey(t), 0)
	read := func(name string, f func(line []byte)) {
		b, err := os.ReadFile(filepath.Join(dir, "rest", name))
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(b) {
			f(line)
		}
	}
	orders, failures := 0, 0
	read("orders_seen.jsonl", func(line []byte) {
		var row struct{ Body string }
		if err := json.Unmarshal(line, &row); err != nil {
			t.Fatal(err)
		}
		var body struct {
			Symbol, ClientOrderID string
			Fills                 []struct{ Commission json.Number }
		}
		if err := json.Unmarshal([]byte(row.Body), &body); err != nil {
			t.Fatal(err)
		}
		in, ok := c.instruments.Lookup(body.Symbol)
		if !ok {
			t.Fatalf("the table lacks %s", body.Symbol)
		}
		client, _ := core.MakeClientID(body.ClientOrderID)
		var v exec.Verdict
		c.Answer(exec.RequestPlace, &exec.Order{Client: client, Instrument: in.ID}, httpAnswer(t, 200, []byte(row.Body)), &v)
		if v.Class != exec.ClassAccepted || len(v.Execs) != 1+len(body.Fills) {
			t.Fatalf("read %v with %d pieces of evidence from %s", v.Class, len(v.Execs), row.Body)
		}
		checkFills(t, body.Symbol, v.Execs, "")
		for i, f := range body.Fills {
			want, _ := new(big.Rat).SetString(string(f.Commission))
			if got := big.NewRat(int64(v.Execs[1+i].Fee), core.Scale); got.Cmp(want) != 0 {
				t.Errorf("fee is %v, want %v", got, want)
			}
		}
		orders++
	})
	read("errors.jsonl", func(line []byte) {
		var row struct {
			Status *int `json:"http_status"`
			Body   string
		}
		if err := json.Unmarshal(line, &row); err != nil {
			t.Fatal(err)
		}
		status := 400
		if row.Status != nil {
			status = *row.Status
		}
		client, _ := core.MakeClientID("x")
		var v exec.Verdict
		c.Answer(exec.RequestPlace, &exec.Order{Client: client}, httpAnswer(t, status, []byte(row.Body)), &v)
		if (v.Class != exec.ClassRefused && v.Class != exec.ClassLimited) || !strings.Contains(row.Body, fmt.Sprint(v.Code)) || len(v.Msg) == 0 {
			t.Errorf("read %v, code %d, %q from %s", v.Class, v.Code, v.Msg, row.Body)
		}
		failures++
	})
	if orders == 0 || failures == 0 {
		t.Errorf("read %d orders and %d errors, want some of both", orders, failures)
	}
	if c.UnknownAssets != 0 {
		t.Errorf("%d commissions were in unknown assets", c.UnknownAssets)
	}
}

func TestReadingAnswersDoesNotAllocate(t *testing.T) {
	c := codec(t, hmacKey(t), 0)
	for _, tc := range answerCases(t) {
		client, _ := core.MakeClientID(tc.Client)
		o := &exec.Order{Client: client, Instrument: tc.Instrument}
		a := httpAnswer(t, tc.Status, []byte(tc.Body))
		v := exec.Verdict{Execs: make([]core.Execution, 0, 16)}
		read := func() {
			v.Execs = v.Execs[:0]
			c.Answer(kindOfCase(tc.Kind), o, a, &v)
		}
		for range 10 {
			read()
		}
		if n := testing.AllocsPerRun(50, read); n != 0 {
			t.Errorf("%s: reading it allocates %v times, want 0", tc.Name, n)
		}
	}
}

// FuzzAnswerBody: whatever the body, no panic; evidence only about the order asked
// for, never more executed than ordered, and only when the answer is accepted.
func FuzzAnswerBody(f *testing.F) {
	for _, tc := range answerCases(f) {
		f.Add([]byte(tc.Body), tc.Status, tc.Kind == "cancel")
	}
	c := codec(f, hmacKey(f), 0)
	client, _ := core.MakeClientID("6gCrw2kRUAF9CvJDGP16IP")
	f.Fuzz(func(t *testing.T, body []byte, status int, cancel bool) {
		if status < 200 || status > 599 || status == 204 || status == 304 || len(body) > 1<<16 {
			return
		}
		kind := exec.RequestPlace
		if cancel {
			kind = exec.RequestCancel
		}
		var v exec.Verdict
		c.Answer(kind, &exec.Order{Client: client}, httpAnswer(t, status, body), &v)
		if (v.Class == exec.ClassAccepted) != (len(v.Execs) > 0) || (v.Class == exec.ClassAccepted && status != 200) {
			t.Fatalf("HTTP %d gives %v with %d pieces of evidence", status, v.Class, len(v.Execs))
		}
		if status >= 500 && v.Class != exec.ClassUnknown {
			t.Fatalf("HTTP %d gives %v", status, v.Class)
		}
		for _, e := range v.Execs {
			if e.Client != client || e.VenueID <= 0 || e.Cum > e.Qty || (e.Kind == core.ExecTrade && e.LastQty <= 0) {
				t.Fatalf("evidence %+v", e)
			}
		}
	})
}

func BenchmarkAnswerFull(b *testing.B) {
	c := codec(b, hmacKey(b), 0)
	tc := answerCases(b)[2]
	client, _ := core.MakeClientID(tc.Client)
	o := &exec.Order{Client: client}
	a := httpAnswer(b, 200, []byte(tc.Body))
	v := exec.Verdict{Execs: make([]core.Execution, 0, 16)}
	b.ReportAllocs()
	for b.Loop() {
		v.Execs = v.Execs[:0]
		c.Answer(exec.RequestPlace, o, a, &v)
	}
	if len(v.Execs) != 3 {
		b.Fatalf("%+v", v)
	}
}
