package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"riposte/core"
	"riposte/tools/tape"
)

type importCmd struct {
	Out    string   `required:"" type:"path" help:"The recording to write; it must not exist."`
	Market string   `enum:"spot,usdm,coinm" default:"spot" help:"Whose market it is."`
	Files  []string `arg:"" help:"Recordings (.tsv, .tsv.gz, .tsv.zst, folders of them), one after the other, and files of the venue's public history (SYMBOL-trades-DATE.zip, SYMBOL-aggTrades-DATE.zip, SYMBOL-1m-DATE.zip), by time."`
}

// Run writes one recording of ours out of what others have recorded.
func (c importCmd) Run(o *output) (err error) {
	files, err := tape.Expand(c.Files)
	if err != nil {
		return usageError{err}
	}
	in, err := openImport(files)
	if err != nil {
		return usageError{err}
	}
	defer in.close()
	f, err := os.OpenFile(c.Out, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return usageError{fmt.Errorf("cannot import: %w", err)}
	}
	lines, err := c.copy(f, in)
	err = errors.Join(err, f.Close())
	if err != nil {
		// Half of an import looks like a whole one to whoever finds it.
		return errors.Join(err, os.Remove(c.Out))
	}
	for _, text := range in.files.Cuts() {
		fmt.Fprintln(o.stderr, "riposte: warning:", text)
	}
	st, err := os.Stat(c.Out)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(o.stdout, "%d lines in %s, %.1f MB\n", lines, c.Out, float64(st.Size())/1e6)
	return err
}

func (c importCmd) copy(out io.Writer, in *imported) (lines int, err error) {
	w, err := tape.NewWriter(out)
	if err != nil {
		return 0, err
	}
	unit := map[core.TimeUnit]string{core.Milliseconds: "ms", core.Microseconds: "us"}[in.unit]
	meta, err := json.Marshal(tape.Meta{Recording: 1, Version: version, Market: c.Market, TimeUnit: unit, Venue: "imported"})
	if err != nil {
		return 0, err
	}
	var l tape.Line
	for {
		err := in.Next(&l)
		if lines == 0 && (err == nil || errors.Is(err, io.EOF)) {
			if err := w.Note(l.RecvNs, tape.NoteMeta, meta); err != nil {
				return 0, err
			}
		}
		if errors.Is(err, io.EOF) {
			return lines, w.Close()
		}
		if err == nil {
			switch {
			case l.Note == tape.NoteMeta: // of another recording; this one has its own
				continue
			case l.Note != "":
				err = w.Note(l.RecvNs, l.Note, l.Payload)
			case l.Rest != "":
				err = w.REST(l.RecvNs, l.Rest, l.Payload)
			default:
				err = w.Frame(l.RecvNs, l.Label, l.Payload)
			}
		}
		if err != nil {
			return lines, err
		}
		lines++
	}
}

// imported is what an import reads: tapes as they are, histories as frames.
type imported struct {
	*tape.Merge
	files   *tape.Files
	history []*tape.History
	unit    core.TimeUnit // of the histories' frames
}

func openImport(names []string) (in *imported, err error) {
	in = new(imported)
	defer func() {
		if err != nil {
			in.close()
		}
	}()
	var tapes []string
	var sources []tape.Source
	for _, name := range names {
		if slices.ContainsFunc([]string{".zip", ".csv"}, func(end string) bool { return strings.HasSuffix(name, end) }) {
			h, err := tape.OpenHistory(name)
			if err != nil {
				return in, err
			}
			in.history = append(in.history, h)
			in.unit = max(in.unit, h.Unit())
			sources = append(sources, h)
			continue
		}
		tapes = append(tapes, name)
	}
	unit, err := tape.Unit(tapes...)
	if err != nil {
		return in, err
	}
	if len(tapes) > 0 && unit < in.unit {
		return in, errors.New("cannot join histories whose times are in us with tapes in ms, want one unit")
	}
	in.unit = max(in.unit, unit)
	for _, h := range in.history {
		h.In(in.unit) // a recording has one unit
	}
	in.files = tape.NewFiles(tapes...)
	in.Merge = tape.NewMerge(append([]tape.Source{in.files}, sources...)...)
	return in, nil
}

func (in *imported) close() {
	if in.files != nil {
		_ = in.files.Close() // read only
	}
	for _, h := range in.history {
		_ = h.Close()
	}
}
