package store

import (
	"errors"
	"io"
	"testing"

	"riposte/core"
	"riposte/core/journal"
	"riposte/exec"
)

func TestAnAuditNamesWhatItsFirstFindingIsAbout(t *testing.T) {
	client, _ := core.MakeClientID("rp-t8kq2c1-0000002f")
	for want, d := range map[string]exec.Difference{
		"not open at the venue order 7":               {Kind: exec.DiffNotOpen, Order: 7},
		"not open at the venue rp-t8kq2c1-0000002f":   {Kind: exec.DiffNotOpen, Order: 7, Evidence: core.Execution{Client: client}},
		exec.DiffMismatch.String() + " " + firstAsset: {Kind: exec.DiffMismatch},
	} {
		j := open(t)
		j.table.Asset(firstAsset)
		j.Audited([]exec.Difference{d}, false, nil)
		if got := lastAudit(t, j); got.Text != want || got.Found != 1 || got.Halting != 1 {
			t.Errorf("got %q, %d found, %d open, want %q, 1, 1", got.Text, got.Found, got.Halting, want)
		}
	}
}

const firstAsset = "BTC"

func lastAudit(t *testing.T, j *Journal) (a journal.Audit) {
	t.Helper()
	r, err := OpenReader(j.Name())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for {
		rec, err := r.Next()
		if errors.Is(err, io.EOF) {
			return a
		}
		if err != nil {
			t.Fatal(err)
		}
		if rec.Kind == journal.KindAudit {
			if err := a.Decode(&rec); err != nil {
				t.Fatal(err)
			}
		}
	}
}
