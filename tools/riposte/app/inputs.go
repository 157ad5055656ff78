package app

import (
	"cmp"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"riposte/core"
	"riposte/core/engine"
	"riposte/core/ring"
	"riposte/core/risk"
	"riposte/core/signal"
	"riposte/tools/tape"
)

// inputLog is the run's input log: the engine's thread fills it, the recorder's goroutine
// writes it to disk.
type inputLog struct {
	log      *engine.Log
	recorder *tape.Recorder
}

// inputsRoom is how many bytes of it may wait to be written: some seconds of the wildest
// market.
const inputsRoom = 8 << 20

// beginning is the first thing in an input log: what it takes to build shard, gate and
// strategies as the run had them. It holds no secret, for a configuration has none.
type beginning struct {
	Format  int    `json:"format"` // engine.LogFormat
	Version string `json:"riposte"`
	Epoch   uint64 `json:"epoch"`
	Account string `json:"account"`
	Config  struct {
		Text string   `json:"text"`
		Sets []string `json:"sets"`
		Hash string   `json:"hash"`
	} `json:"config"`
	Instruments []core.Instrument   `json:"instruments"`
	Assets      []string            `json:"assets"`
	AccountOf   core.AccountFilters `json:"account_filters"`
	Rank        []int               `json:"rank"`
	Strategies  []string            `json:"strategies"` // by number
	Halts       []beginHalt         `json:"halts"`
	Carried     []beginCarried      `json:"carried"`
	Now         core.MonoNs         `json:"mono"` // the two clocks at one instant
	Wall        core.WallNs         `json:"wall"`
	Audits      int                 `json:"audits"`           // copies of books for comparisons
	Scores      []signal.Score      `json:"scores,omitempty"` // of sources, then of own signals
}

type beginHalt struct {
	Scope  engine.Scope   `json:"scope"`
	Number uint16         `json:"number"` // of instrument or strategy
	Causes risk.HaltCause `json:"causes"`
}

// beginCarried is a position that a former run left.
type beginCarried struct {
	Instrument core.InstrumentID `json:"instrument"`
	Position   core.Qty          `json:"position"`
	Own        []core.Qty        `json:"own,omitempty"` // by strategy: its part
}

// openInputs begins the input log, if that is asked for, right before the shard is built.
func (d *desk) openInputs() (*engine.Log, error) {
	if !d.cfg.Record.Inputs {
		return nil, nil
	}
	text, err := json.Marshal(d.beginning())
	if err != nil {
		return nil, err
	}
	room := ring.NewBytes(inputsRoom)
	in := &inputLog{log: engine.NewLog(room)}
	in.recorder, err = tape.NewRecorder(tape.RecorderConfig{Dir: cmp.Or(d.cfg.Record.Dir, d.cfg.Journal.Dir), Clock: d.clock, FileMost: int64(d.cfg.Record.FileMB) << 20,
		Meta: tape.Meta{Version: version, Venue: d.cfg.Venue.Environment, Market: "spot", TimeUnit: d.cfg.Venue.TimeUnit}, Inputs: room, Begin: text})
	if err != nil {
		return nil, fmt.Errorf("record.inputs: %w", err)
	}
	d.inputs = in
	return in.log, nil
}

func (d *desk) beginning() *beginning {
	b := &beginning{Format: engine.LogFormat, Version: version, Epoch: d.epoch, Account: d.account(), Instruments: d.table.List, Assets: d.table.Assets,
		AccountOf: d.table.Account, Rank: d.rank, Strategies: d.strategies, Now: d.clock.Mono(), Wall: d.clock.Wall(), Audits: auditCopiesMost, Scores: d.scores}
	b.Config.Text, b.Config.Sets, b.Config.Hash = string(d.cfg.text), d.cfg.sets, hex.EncodeToString(d.cfg.hash[:])
	halt := func(s engine.Scope, n int, c risk.HaltCause) {
		if c != 0 {
			b.Halts = append(b.Halts, beginHalt{s, uint16(n), c})
		}
	}
	halt(engine.ScopeAll, 0, d.gate.Halted())
	for i := range d.table.List {
		id := core.InstrumentID(i)
		halt(engine.ScopeSymbol, i, d.gate.HaltedSymbol(id))
		if p := d.gate.Exposure(id).Position; p != 0 {
			c := beginCarried{Instrument: id, Position: p}
			for n := range d.strategies {
				c.Own = append(c.Own, d.gate.Own(uint16(n), id).Position)
			}
			b.Carried = append(b.Carried, c)
		}
	}
	for n := range d.gate.Strategies() {
		halt(engine.ScopeStrategy, n, d.gate.HaltedStrategy(uint16(n)))
	}
	return b
}

// table is the instruments as they were.
func (b *beginning) table() (*core.Instruments, error) {
	t := core.NewInstruments()
	for _, a := range b.Assets {
		t.Asset(a)
	}
	for i := range b.Instruments {
		if id, err := t.Add(b.Instruments[i]); err != nil || int(id) != i {
			return nil, errors.Join(err, fmt.Errorf("cannot use the input log: instrument %d of its beginning has number %d", i, id))
		}
	}
	t.Account = b.AccountOf
	return t, nil
}

// rebuild builds the shard as the run had it, in a replay. More settings alter its
// configuration.
func (b *beginning) rebuild(sets []string) (*engine.Replay, *core.Instruments, *risk.Gate, error) {
	if b.Format != engine.LogFormat {
		return nil, nil, nil, fmt.Errorf("cannot use the input log: its format is %d, want %d: riposte %s wrote it", b.Format, engine.LogFormat, b.Version)
	}
	cfg, err := parseConfig("of the input log", []byte(b.Config.Text), append(b.Config.Sets[:len(b.Config.Sets):len(b.Config.Sets)], sets...)...)
	if err != nil {
		return nil, nil, nil, err
	}
	t, err := b.table()
	if err != nil {
		return nil, nil, nil, err
	}
	tr, err := cfg.trading(t)
	if err != nil {
		return nil, nil, nil, err
	}
	for _, h := range b.Halts {
		switch h.Scope {
		case engine.ScopeAll:
			tr.gate.Halt(h.Causes)
		case engine.ScopeSymbol:
			tr.gate.HaltSymbol(core.InstrumentID(h.Number), h.Causes)
		default:
			tr.gate.HaltStrategy(h.Number, h.Causes)
		}
	}
	for _, c := range b.Carried {
		tr.gate.Carry(c.Instrument, c.Position)
		for n, own := range c.Own {
			if own != 0 {
				tr.gate.CarryOwn(uint16(n), c.Instrument, own)
			}
		}
	}
	shard, err := cfg.shard(t, tr, b.Rank)
	if err != nil {
		return nil, nil, nil, err
	}
	copy(shard.Score.Begin, b.Scores)
	p, err := engine.NewReplay(shard, b.Audits)
	return p, t, tr.gate, err
}

// reportInputs adds how the input log stands. Trouble with it is an alarm and no reason
// to stop trading.
func (d *desk) reportInputs(r *report) {
	if d.inputs == nil {
		return
	}
	s, hole := d.inputs.recorder.Status(), d.inputs.log.Hole()
	r.Inputs = &recordReport{Lines: s.Lines, Bytes: s.Bytes, Files: s.Files, Lost: s.Lost, Waiting: s.Waiting, Trouble: s.Trouble, Hole: hole}
	if s.Trouble != "" {
		r.Problems = append(r.Problems, "the input log is not written: "+s.Trouble)
	}
	if hole > 0 || s.Lost > 0 {
		r.Problems = append(r.Problems, "the input log has a hole: what was decided behind it cannot be proved again")
	}
}
