package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"reflect"
	"slices"
	"strings"

	"riposte/core"
	"riposte/core/journal"
	"riposte/tools/store"
)

type journalCmd struct {
	Verify journalVerifyCmd `cmd:"" help:"Hold a whole journal against itself: every record, every file's place and sum. Needs no lock and changes nothing."`
	Print  journalPrintCmd  `cmd:"" help:"Print a journal file's records, of whatever version, one a line."`
}

type journalVerifyCmd struct {
	Dir string `arg:"" type:"path" help:"The journal's folder."`
}

// Run verifies and tells what was found; damage is an error that names the place.
func (c journalVerifyCmd) Run(o *output) error {
	v, err := store.Verify(c.Dir)
	if err != nil {
		return err
	}
	fmt.Fprintf(o.stdout, "%s is whole: %d records in %d files, %d bytes, %d files vouched for by their sums\n", c.Dir, v.Records, v.Files, v.Bytes, v.Chained)
	for _, k := range slices.Sorted(maps.Keys(v.Kinds)) {
		fmt.Fprintf(o.stdout, "%10d %s\n", v.Kinds[k], k)
	}
	if v.Torn > 0 {
		fmt.Fprintf(o.stdout, "the newest file ends in %d bytes that are no record: what a death leaves, and the next start cuts off\n", v.Torn)
	}
	if v.Short {
		fmt.Fprintln(o.stdout, "the newest file has been cut where no run ends or dies: records may be missing at its end")
	}
	return nil
}

type journalPrintCmd struct {
	File string `arg:"" type:"path" help:"A journal file."`
	JSON bool   `name:"json" help:"One JSON object a line."`
}

// Run prints all records up to the end or to damage, which is an error.
func (c journalPrintCmd) Run(o *output) error {
	r, err := store.OpenReader(c.File)
	if err != nil {
		return usageError{err}
	}
	defer r.Close()
	for {
		rec, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", c.File, err)
		}
		p := journal.New(rec.Kind)
		if p == nil {
			fmt.Fprintf(o.stdout, "%d %s, %d bytes: a newer riposte wrote it\n", rec.Seq, rec.Kind, len(rec.Payload))
			continue
		}
		if err := p.Decode(&rec); err != nil {
			return fmt.Errorf("%s: %w", c.File, err)
		}
		if c.JSON {
			err = json.NewEncoder(o.stdout).Encode(recordJSON(&rec, p))
		} else {
			_, err = fmt.Fprintln(o.stdout, recordLine(&rec, p))
		}
		if err != nil {
			return err
		}
	}
}

// recordLine is a record on a line: its number, its kind, and each field that is not
// zero. Numbers are shown as what they are by their types' own words.
func recordLine(rec *journal.Record, p journal.Payload) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s", rec.Seq, rec.Kind)
	if rec.Version != journal.Newest(rec.Kind) {
		fmt.Fprintf(&b, " (version %d)", rec.Version)
	}
	eachField(reflect.ValueOf(p).Elem(), func(name string, v any) { fmt.Fprintf(&b, " %s=%v", name, v) })
	return b.String()
}

func recordJSON(rec *journal.Record, p journal.Payload) map[string]any {
	m := map[string]any{"seq": rec.Seq, "kind": rec.Kind.String(), "version": rec.Version}
	eachFieldOf(p, func(name string, v any) { m[name] = v })
	return m
}

// eachFieldOf is eachField of a record, with what has words of its own as text.
func eachFieldOf(p journal.Payload, f func(name string, v any)) {
	eachField(reflect.ValueOf(p).Elem(), func(name string, v any) {
		if s, ok := v.(fmt.Stringer); ok {
			v = s.String()
		}
		f(name, v)
	})
}

// eachField calls f for every field that is not zero; a report's and an event's own
// fields are told as if they were the record's.
func eachField(s reflect.Value, f func(name string, v any)) {
	for i := range s.NumField() {
		v := s.Field(i)
		name := s.Type().Field(i).Name
		switch x := v.Interface().(type) {
		case core.Report, core.Event, core.Top, journal.Judged, journal.Why:
			eachField(v, f)
		case core.ClientID:
			if len(x.Bytes()) > 0 {
				f(name, x.String())
			}
		case [32]byte:
			if !v.IsZero() {
				f(name, fmt.Sprintf("%x", x))
			}
		case string:
			if x != "" {
				f(name, fmt.Sprintf("%q", x))
			}
		default:
			// The zero of these is a word of its own.
			if _, word := x.(fmt.Stringer); !v.IsZero() || word && v.Kind() == reflect.Uint8 {
				f(name, x)
			}
		}
	}
}

// fieldsOf are the keys of a table of the configuration and their values as text, in
// the table's order.
func fieldsOf(table any) iter.Seq2[string, string] {
	v := reflect.ValueOf(table)
	return func(yield func(string, string) bool) {
		for i := range v.NumField() {
			key, x := v.Type().Field(i).Tag.Get("toml"), v.Field(i)
			if x.Kind() == reflect.Pointer {
				if x.IsNil() {
					continue // its default is the program's, which the session names
				}
				x = x.Elem()
			}
			text := fmt.Sprint(x.Interface())
			if q, ok := x.Interface().(quantity); ok {
				text = core.Qty(q.e8).String()
			}
			if key != "" && !yield(key, text) {
				return
			}
		}
	}
}
