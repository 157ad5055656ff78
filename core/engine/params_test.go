package engine_test

import (
	"strings"
	"testing"
	"time"

	"riposte/core"
	"riposte/core/engine"
)

// read reads one parameter of each kind, with bounds.
func read(values map[string]any) (i int64, f float64, q core.Qty, d time.Duration, c string, err error) {
	p := engine.NewParams(values)
	i, f, q = p.Int("int", 7, 1, 10), p.Float("float", 0.5, 0, 1), p.Qty("qty", 42)
	d, c = p.Duration("duration", time.Second, 0, time.Minute), p.Choice("choice", "a", "a", "b")
	return i, f, q, d, c, p.Done()
}

func TestParamsGivenAndLeftOut(t *testing.T) {
	i, f, q, d, c, err := read(nil)
	if err != nil || i != 7 || f != 0.5 || q != 42 || d != time.Second || c != "a" {
		t.Errorf("defaults are %v %v %v %v %v, %v", i, f, q, d, c, err)
	}
	i, f, q, d, c, err = read(map[string]any{"int": int64(10), "float": int64(1), "qty": "0.001", "duration": "250ms", "choice": "b"})
	if err != nil || i != 10 || f != 1 || q != 100_000 || d != 250*time.Millisecond || c != "b" {
		t.Errorf("values read are %v %v %v %v %v, %v", i, f, q, d, c, err)
	}
}

func TestEachWrongParamIsNamedWithWhatWasWanted(t *testing.T) {
	cases := []struct {
		name  string
		value any
		want  string
	}{
		{"int", int64(0), "int is 0, want a whole number from 1 to 10"},
		{"int", int64(11), "int is 11, want"},
		{"int", 2.0, "int is 2, want a whole number"},
		{"int", "3", "int is 3, want a whole number"},
		{"float", 1.5, "float is 1.5, want a number from 0 to 1"},
		{"float", -0.1, "float is -0.1, want"},
		{"float", "0.5", "float is 0.5, want a number"},
		{"float", true, "float is true, want"},
		{"qty", 0.001, `qty is 0.001, want a quantity above 0 written as text, such as "0.001"`},
		{"qty", "0", "qty is 0, want"},
		{"qty", "-1", "qty is -1, want"},
		{"qty", "1e3", "qty is 1e3, want"},
		{"duration", "-1s", "duration is -1s, want a duration from 0s to 1m0s"},
		{"duration", "61s", "duration is 61s, want"},
		{"duration", int64(5), "duration is 5, want"},
		{"duration", "soon", "duration is soon, want"},
		{"choice", "c", "choice is c, want one of a, b"},
		{"choice", int64(1), "choice is 1, want one of"},
		{"chioce", "a", "chioce is not a parameter, want one of choice, duration, float, int, qty"},
	}
	for _, c := range cases {
		i, f, q, d, ch, err := read(map[string]any{c.name: c.value})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s = %v gives %v, want %q", c.name, c.value, err, c.want)
		}
		if i != 7 || f != 0.5 || q != 42 || d != time.Second || ch != "a" {
			t.Errorf("%s = %v was taken over: %v %v %v %v %v", c.name, c.value, i, f, q, d, ch)
		}
	}
}

func TestAllWrongParamsStandInOneError(t *testing.T) {
	values := map[string]any{"int": 1.5, "float": "x", "qty": int64(1), "duration": "1", "choice": "", "zebra": int64(1), "apple": int64(1)}
	_, _, _, _, _, err := read(values)
	if err == nil {
		t.Fatal("no error")
	}
	text, at := err.Error(), 0
	for _, name := range []string{"int is", "float is", "qty is", "duration is", "choice is", "apple is not", "zebra is not"} {
		i := strings.Index(text[at:], name)
		if i < 0 {
			t.Fatalf("%q is missing, or out of order, in: %s", name, text)
		}
		at += i
	}
}

func TestUnknownStrategyIsAnErrorThatNamesTheKnown(t *testing.T) {
	engine.Register("engine test", func(*core.Instrument, *engine.Params) (engine.Strategy, error) { return nil, nil })
	if f, err := engine.Lookup("engine test"); err != nil || f == nil {
		t.Errorf("a registered strategy is not found: %v", err)
	}
	if _, err := engine.Lookup("nope"); err == nil || !strings.Contains(err.Error(), `"nope", want one of`) || !strings.Contains(err.Error(), "engine test") {
		t.Errorf("got %v, want an error that lists the known ones", err)
	}
	defer func() {
		if recover() == nil {
			t.Error("a name given twice did not panic")
		}
	}()
	engine.Register("engine test", nil)
}
