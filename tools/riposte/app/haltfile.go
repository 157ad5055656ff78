package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"riposte/core/risk"
)

// haltName is the file in the journal's folder that keeps trading halted over a restart;
// killName is one that halts when it appears, whatever is in it.
const (
	haltName = "halt.json"
	killName = "HALT"
	actsName = "acts.jsonl"
)

// haltEntry is one scope that is halted, and by whom. Scope is "all", "symbol" or
// "strategy", Name which one.
type haltEntry struct {
	Scope  string    `json:"scope"`
	Name   string    `json:"name,omitempty"`
	Causes []string  `json:"causes"`
	Who    string    `json:"who"`
	Why    string    `json:"why"`
	When   time.Time `json:"when"`
}

func (e *haltEntry) causes() risk.HaltCause {
	c, _ := risk.ParseHaltCauses(e.Causes)
	return c
}

// String is the entry for a person.
func (e *haltEntry) String() string {
	where := ""
	if e.Scope != "all" {
		where = " (" + e.Scope + " " + e.Name + ")"
	}
	return fmt.Sprintf("%v%s by %s at %s: %s", e.causes(), where, e.Who, e.When.UTC().Format(time.RFC3339), e.Why)
}

// readHalts reads the file; none is no halt. A file that cannot be read is an error,
// and then nothing trades: whoever wrote it meant to stop something.
func readHalts(dir string) ([]haltEntry, error) {
	if dir == "" {
		return nil, nil
	}
	name := filepath.Join(dir, haltName)
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the record of halts: %w", err)
	}
	var list []haltEntry
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("cannot read the record of halts in %s: %w", name, err)
	}
	for i := range list {
		e := &list[i]
		if _, ok := risk.ParseHaltCauses(e.Causes); !ok || len(e.Causes) == 0 || !slices.Contains([]string{"all", "symbol", "strategy"}, e.Scope) {
			return nil, fmt.Errorf("cannot read the record of halts in %s: found scope %q with causes %q, want ones that riposte knows", name, e.Scope, e.Causes)
		}
	}
	return list, nil
}

// writeHalts puts the list in the file's place at once and for good: synced, renamed,
// and the folder synced. No entry removes the file.
func writeHalts(dir string, list []haltEntry) (err error) {
	if dir == "" {
		return nil
	}
	name := filepath.Join(dir, haltName)
	if len(list) == 0 {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("cannot remove the record of halts: %w", err)
		}
		return syncDir(dir)
	}
	text, err := json.MarshalIndent(list, "", "  ")
	if err != nil {
		return fmt.Errorf("cannot write the record of halts: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("cannot make the journal's folder: %w", err)
	}
	if err := writeSynced(name+".new", append(text, '\n'), os.O_TRUNC); err != nil {
		return err
	}
	if err := os.Rename(name+".new", name); err != nil {
		return fmt.Errorf("cannot write the record of halts: %w", err)
	}
	return syncDir(dir)
}

func writeSynced(name string, text []byte, flag int) (err error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|flag, 0o600)
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", filepath.Base(name), err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Write(text); err != nil {
		return fmt.Errorf("cannot write %s: %w", filepath.Base(name), err)
	}
	return f.Sync()
}

// act is what a person, or the engine itself, did to trading.
type act struct {
	Op   string    `json:"op"` // halt, resume, limits-proposed, limits
	Who  string    `json:"who"`
	Why  string    `json:"why"`
	When time.Time `json:"when"`
	What string    `json:"what,omitempty"`
	pardon
}

// writeAct appends an act to the folder's list of them, one JSON object a line, synced.
func writeAct(dir string, a act) error {
	if dir == "" {
		return nil
	}
	line, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("cannot record an act: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("cannot make the journal's folder: %w", err)
	}
	return writeSynced(filepath.Join(dir, actsName), append(line, '\n'), os.O_APPEND)
}

// without is the list less the causes, and less what has none left.
func without(list []haltEntry, causes risk.HaltCause) (kept []haltEntry) {
	for _, e := range list {
		if rest := e.causes() &^ causes; rest != 0 {
			e.Causes = rest.Words()
			kept = append(kept, e)
		}
	}
	return kept
}

// withHalt is the list with one more halt; causes of the same scope add up.
func withHalt(list []haltEntry, e haltEntry) []haltEntry {
	out := make([]haltEntry, 0, len(list)+1)
	causes := e.causes()
	for _, o := range list {
		if o.Scope == e.Scope && o.Name == e.Name {
			causes |= o.causes()
			continue
		}
		out = append(out, o)
	}
	e.Causes = causes.Words()
	return append(out, e)
}
