package engine_test

import (
	"maps"
	"testing"

	"riposte/core"
	"riposte/core/engine"
	"riposte/core/engine/enginetest"
)

// dial is a strategy with one parameter and something that it remembers.
type dial struct {
	probe
	at, seen int64
}

func (d *dial) Tune(_ *engine.View, next engine.Strategy) { d.at = next.(*dial).at }

func newDial(p *engine.Params) (engine.Strategy, error) {
	d := &dial{at: p.Int("at", 1, 0, 10)}
	return d, p.Done()
}

func TestTuningKeepsTheStrategysState(t *testing.T) {
	var d *dial
	build := engine.Maker(newDial, map[string]any{"at": int64(2)})
	w, err := enginetest.New(enginetest.Setup{Seats: func(*core.Instrument) ([]engine.Seat, error) {
		one, err := build(nil)
		d = one.(*dial)
		return []engine.Seat{{Number: 3, Strategy: one, Make: build}, {Number: 4, Strategy: &probe{}}}, err
	}})
	if err != nil {
		t.Fatal(err)
	}
	d.seen = 42
	next, err := build(map[string]string{"at": "5"})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		cmd engine.Command
		at  int64
		bad uint64
	}{
		"prepared":       {engine.Command{Strategy: 3, Tune: &engine.Tuning{Next: next}}, 5, 0},
		"by the seat":    {engine.Command{Strategy: 3, Tune: &engine.Tuning{Set: map[string]string{"at": "7"}}}, 7, 0},
		"out of range":   {engine.Command{Strategy: 3, Tune: &engine.Tuning{Set: map[string]string{"at": "70"}}}, 2, 1},
		"not tunable":    {engine.Command{Strategy: 4, Tune: &engine.Tuning{Set: map[string]string{"at": "7"}}}, 2, 1},
		"nobody's":       {engine.Command{Strategy: 9, Tune: &engine.Tuning{Next: next}}, 2, 1},
		"no instrument":  {engine.Command{Strategy: 3, Instrument: 9, Tune: &engine.Tuning{Next: next}}, 2, 1},
		"nothing at all": {engine.Command{Strategy: 3}, 2, 1},
	} {
		d.at = 2
		w.Advance(1e9)
		before := w.Shard.Stats().BadCommands
		c.cmd.Kind = engine.CmdTune
		w.Command(c.cmd)
		w.Run()
		w.Advance(1e9)
		if bad := w.Shard.Stats().BadCommands - before; d.at != c.at || bad != c.bad || d.seen != 42 {
			t.Errorf("%s: at %d with %d seen and %d bad commands, want %d, 42 and %d", name, d.at, d.seen, bad, c.at, c.bad)
		}
	}
}

func TestParametersAreReadFromTextToo(t *testing.T) {
	values := map[string]any{"i": engine.Text("3"), "f": engine.Text("2.5"), "q": engine.Text("0.1"), "p": engine.Text("100.5"), "d": engine.Text("2s"),
		"c": engine.Text("b"), "w": engine.Text("x,y")}
	p := engine.NewParams(values)
	if i, f, q, pr := p.Int("i", 0, 0, 9), p.Float("f", 0, 0, 9), p.Qty("q", 0), p.Price("p", 0); i != 3 || f != 2.5 || q != core.Scale/10 || pr != enginetest.P("100.5") {
		t.Errorf("read %d, %v, %v, %v", i, f, q, pr)
	}
	if d, c, w := p.Duration("d", 0, 0, 1<<40), p.Choice("c", "a", "a", "b"), p.Words("w"); d != 2e9 || c != "b" || len(w) != 2 || w[1] != "y" {
		t.Errorf("read %v, %q, %q", d, c, w)
	}
	if err := p.Done(); err != nil {
		t.Error(err)
	}
	for name := range values {
		bad := maps.Clone(values)
		bad[name] = engine.Text("x,x")
		p := engine.NewParams(bad)
		p.Int("i", 0, 0, 9)
		p.Float("f", 0, 0, 9)
		p.Qty("q", 0)
		p.Price("p", 0)
		p.Duration("d", 0, 0, 1<<40)
		p.Choice("c", "a", "a", "b")
		p.Words("w")
		if p.Done() == nil {
			t.Errorf("%s was taken as x,x", name)
		}
	}
	if w := engine.NewParams(map[string]any{"w": []any{"a", 1}}); len(w.Words("w")) > 0 || w.Done() == nil {
		t.Error("a list with a number was taken for words")
	}
}
