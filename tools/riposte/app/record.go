package app

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"riposte/core"
	"riposte/tools/tape"
)

// RecordConfig is [record].
type RecordConfig struct {
	Dir    string `toml:"dir"`
	FileMB int    `toml:"file_mb"`
	Inputs bool   `toml:"inputs"`
}

func (c *Config) checkRecord() error {
	err := between("record.file_mb", c.Record.FileMB, 1, 1<<20)
	if c.Record.Inputs && c.Record.Dir == "" && c.Journal.Dir == "" {
		err = errors.Join(err, want("record.inputs", true, "false without a folder: record.dir or journal.dir"))
	}
	return err
}

type recordCmd struct {
	Out    string        `required:"" type:"path" placeholder:"DIR" help:"Folder for the recording; files of several runs may lie in it."`
	Config string        `type:"path" help:"Configuration file; without one, the built-in configuration on the embedded venue."`
	Set    []string      `placeholder:"KEY=VALUE" sep:"none" help:"Change one key of the configuration; may be given more than once."`
	For    time.Duration `help:"Stop after this long; 0 runs until SIGINT or SIGTERM."`
	JSON   bool          `name:"json" help:"One JSON object per second and a final one."`
}

// Run is riposte run without a strategy: what is recorded is what an engine would see.
func (c recordCmd) Run(o *output) error {
	r := runCmd{Config: c.Config, Set: append(c.Set, `strategy.name=""`, "strategy.params={}"), For: c.For, JSON: c.JSON, Record: c.Out, Live: true}
	return r.Run(o)
}

// recordReport is the recorder in a report.
type recordReport struct {
	Lines   uint64 `json:"lines"`
	Bytes   uint64 `json:"bytes"` // on disk
	Files   uint64 `json:"files"`
	Lost    uint64 `json:"lost"`    // frames and bodies that are not in it; the recording says where
	Waiting int    `json:"waiting"` // bytes not written yet
	Trouble string `json:"trouble,omitempty"`
	Hole    uint64 `json:"hole,omitempty"` // of an input log: the first step that is missing
}

// openRecorder begins to record, if that is asked for, before anything is heard.
func (d *desk) openRecorder() (err error) {
	if d.cfg.Record.Dir == "" {
		return nil
	}
	d.recorder, err = tape.NewRecorder(tape.RecorderConfig{Dir: d.cfg.Record.Dir, Clock: d.clock, FileMost: int64(d.cfg.Record.FileMB) << 20, Create: d.ports.recording,
		Meta: tape.Meta{Version: version, Venue: d.cfg.Venue.Environment, Market: "spot", TimeUnit: d.cfg.Venue.TimeUnit}})
	if err != nil {
		return fmt.Errorf("record.dir: %w", err)
	}
	d.heard = func(pathQuery string, body []byte) {
		if strings.HasSuffix(pathQuery, "/time") {
			return // of the clock, many, and of no use later
		}
		d.recorder.REST(pathQuery, bytes.Clone(body)) // whoever asked may change it
	}
	return nil
}

// recordRules tells the recording of the rules that hold from now on: it keeps those that
// it does not have.
func (d *desk) recordRules(list []core.Instrument) {
	if d.recorder == nil {
		return
	}
	var told []tape.Rules
	for i := range list {
		in := list[i]
		told = append(told, tape.Rules{Symbol: in.Symbol, Base: d.table.AssetName(in.Base), Quote: d.table.AssetName(in.Quote), Rules: in})
	}
	d.recorder.Rules(told)
}

// tapFrames is who is shown the frames, nil if nobody is.
func (d *desk) tapFrames() func(line uint8, at core.MonoNs, frame []byte) {
	if d.recorder == nil {
		return nil
	}
	return d.recorder.Frame
}

// closeRecorder ends the recording; nothing may be heard any more.
func (d *desk) closeRecorder() error {
	var err error
	if d.recorder != nil {
		err = d.recorder.Close()
	}
	if d.inputs != nil {
		err = errors.Join(err, d.inputs.recorder.Close())
	}
	return err
}

// reportRecord adds how the recording stands. Trouble with it is an alarm and no
// reason to stop trading.
func (d *desk) reportRecord(r *report) {
	d.reportInputs(r)
	if d.recorder == nil {
		return
	}
	s := d.recorder.Status()
	r.Record = &recordReport{Lines: s.Lines, Bytes: s.Bytes, Files: s.Files, Lost: s.Lost, Waiting: s.Waiting, Trouble: s.Trouble}
	if s.Trouble != "" {
		r.Problems = append(r.Problems, "nothing is recorded: "+s.Trouble)
	}
	if s.Lost > 0 {
		r.Problems = append(r.Problems, fmt.Sprintf("%d frames or bodies are not in the recording", s.Lost))
	}
}
