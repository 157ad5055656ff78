package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	execbinance "riposte/exec/binance"
)

func TestAuditLinesStandAloneAfterACut(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, apiAuditName)
	if err := os.WriteFile(name, []byte(`{"id":"cut","ev`), 0o600); err != nil {
		t.Fatal(err)
	}
	a, err := openAPIAudit(dir)
	if err != nil {
		t.Fatal(err)
	}
	q := &execbinance.RawCall{Method: "GET", Path: "/api/v3/order", Params: []execbinance.RawParam{{Name: "symbol", Value: "\n１"}}}
	r := newAPIRecord(time.Unix(1, 0), &sites{name: "sim", rest: "http://h"}, q)
	if err := a.begin(r); err != nil {
		t.Fatal(err)
	}
	if err := a.end(r, &execbinance.RawAnswer{Status: 200, Body: []byte("{}")}, nil, time.Unix(2, 0)); err != nil {
		t.Fatal(err)
	}
	if err := a.close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	if len(lines) != 3 || !strings.HasPrefix(lines[1], `{"id":"`+r.ID) || !strings.Contains(lines[2], `"outcome":"accepted","status":200,"bytes":2,"sha256":"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"`) {
		t.Errorf("the file is %q", lines)
	}
	if err := a.begin(r); err == nil {
		t.Error("a line went into a closed file")
	}
}

func TestTheQuestionToAskCanBePasted(t *testing.T) {
	c := apiCmd{Config: "my file.toml", Set: []string{`limits.X.note=it's "x"`}}
	got := c.line(&execbinance.RawCall{Method: "GET", Path: "/api/v3/order", Params: []execbinance.RawParam{{Name: "symbol", Value: "１２"}, {Name: "orderId", Value: "7"}}})
	if want := `riposte api --config 'my file.toml' --set 'limits.X.note=it'\''s "x"' GET /api/v3/order symbol=１２ orderId=7`; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}
