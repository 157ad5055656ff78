package app

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"riposte/exec"
	execbinance "riposte/exec/binance"
)

// apiAudit is the file api.jsonl in the journal's folder: two lines a call, one on disk
// before the first byte leaves and one once the outcome is known. A first line without a
// second is a call that was cut off: nobody knows what became of it. Lines are only ever
// appended, whole; other processes may append too. One goroutine.
type apiAudit struct{ f *os.File }

// apiRecord is the first line of a call. It holds parameters, never the signature, and
// nothing of the key.
type apiRecord struct {
	ID          string   `json:"id"`
	Event       string   `json:"event"` // "sent"
	Time        string   `json:"time"`
	Environment string   `json:"environment"`
	Host        string   `json:"host"`
	Method      string   `json:"method"`
	Path        string   `json:"path"`
	Params      []string `json:"params"`
	ClientID    string   `json:"client_id,omitempty"`
	Public      bool     `json:"public,omitempty"`
}

// apiOutcome is the second line.
type apiOutcome struct {
	ID        string `json:"id"`
	Event     string `json:"event"` // "ended"
	Time      string `json:"time"`
	Outcome   string `json:"outcome"` // accepted, refused, limited, unknown
	Status    int    `json:"status"`  // 0: no answer
	Code      int    `json:"code,omitempty"`
	Error     string `json:"error,omitempty"`
	Bytes     int    `json:"bytes"`
	SHA256    string `json:"sha256,omitempty"` // of the answer's body
	LatencyUs int64  `json:"latency_us"`
}

const apiAuditName = "api.jsonl"

func openAPIAudit(dir string) (*apiAudit, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the audit file's folder: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, apiAuditName), os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot open the audit file: %w", err)
	}
	a := &apiAudit{f}
	if err := errors.Join(a.mend(), syncDir(dir)); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot open the audit file: %w", err), f.Close())
	}
	return a, nil
}

// mend ends a line that a full disk or a crash has cut, so that the next one is its own.
func (a *apiAudit) mend() error {
	end, err := a.f.Seek(0, io.SeekEnd)
	if err != nil || end == 0 {
		return err
	}
	var last [1]byte
	if _, err := a.f.ReadAt(last[:], end-1); err != nil || last[0] == '\n' {
		return err
	}
	_, err = a.f.WriteString("\n")
	return err
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func newAPIRecord(now time.Time, at *sites, q *execbinance.RawCall) *apiRecord {
	r := &apiRecord{ID: strconv.FormatInt(now.UnixNano(), 36) + "-" + strconv.Itoa(os.Getpid()), Event: "sent", Time: now.UTC().Format(time.RFC3339Nano),
		Environment: at.name, Host: at.rest, Method: q.Method, Path: q.Path, Public: q.Public, Params: []string{}}
	for _, p := range q.Params {
		r.Params = append(r.Params, p.Name+"="+p.Value)
	}
	if name := q.ClientIDParam(); name != "" {
		r.ClientID = value(q, name)
	}
	return r
}

// begin puts the call on record; nothing may be sent if it fails.
func (a *apiAudit) begin(r *apiRecord) error { return a.line(r) }

// end puts the outcome on record.
func (a *apiAudit) end(r *apiRecord, got *execbinance.RawAnswer, err error, now time.Time) error {
	o := apiOutcome{ID: r.ID, Event: "ended", Time: now.UTC().Format(time.RFC3339Nano), Outcome: exec.ClassAccepted.String(), Status: got.Status,
		Bytes: len(got.Body), LatencyUs: got.Latency.Microseconds()}
	var ce *exec.CallError
	if errors.As(err, &ce) {
		o.Outcome, o.Status, o.Code, o.Error = ce.Class.String(), ce.Status, ce.Code, ce.Error()
	}
	if got.Body != nil {
		sum := sha256.Sum256(got.Body)
		o.SHA256 = hex.EncodeToString(sum[:])
	}
	return a.line(o)
}

// line appends one line and waits until the disk has it.
func (a *apiAudit) line(v any) error {
	b, err := json.Marshal(v)
	if err == nil {
		_, err = a.f.Write(append(b, '\n'))
	}
	if err == nil {
		err = a.f.Sync()
	}
	if err != nil {
		return fmt.Errorf("cannot write the audit file %s: %w", a.f.Name(), err)
	}
	return nil
}

func (a *apiAudit) close() error { return a.f.Close() }
