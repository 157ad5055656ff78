package engine

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"riposte/core"
	"riposte/core/bar"
	"riposte/core/book"
	"riposte/core/trail"
)

// fill gives every field of a struct a value of its own, so that one which is not
// encoded is noticed.
func fill(v reflect.Value, n *uint64) {
	*n++
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[bar.Interval]() {
			in, _ := bar.Parse("5m")
			v.Set(reflect.ValueOf(in))
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i), n)
			}
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), n)
		fill(v.Index(1), n)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Map:
		v.Set(reflect.ValueOf(map[string]string{"name": "text"}))
	case reflect.Interface: // a strategy, which a replay builds anew
	case reflect.Bool:
		v.SetBool(true)
	case reflect.String:
		v.SetString("text")
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(*n % 200)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(-int64(*n))
	case reflect.Float64:
		v.SetFloat(float64(*n) + 0.5)
	default:
		panic("a field of kind " + v.Kind().String())
	}
}

func filled[T any]() *T {
	v, n := new(T), uint64(0)
	fill(reflect.ValueOf(v).Elem(), &n)
	return v
}

// TestNoFieldIsLeftOutOfTheInputLog fails when a struct gets a field that the log does
// not keep: a replay would then not see what the run saw.
func TestNoFieldIsLeftOutOfTheInputLog(t *testing.T) {
	same := func(name string, want, got any, f *fields) {
		t.Helper()
		if f.err != nil || len(f.b) > 0 {
			t.Errorf("%s: %v, %d bytes left", name, f.err, len(f.b))
		}
		if d := cmp.Diff(want, got, cmp.Comparer(func(a, b core.Event) bool { return a == b }), cmp.Comparer(func(a, b bar.Interval) bool { return a == b })); d != "" {
			t.Errorf("%s: -want +got\n%s", name, d)
		}
	}
	ev, lv := filled[core.Event](), *filled[[]core.Level]()
	f := fields{b: appendEvent(nil, ev, lv)}
	var gotEvent core.Event
	gotLevels := f.event(&gotEvent, nil)
	same("event", *ev, gotEvent, &f)
	same("levels", lv, gotLevels, &f)

	r := filled[core.Report]()
	f = fields{b: appendReport(nil, r)}
	var gotReport core.Report
	f.report(&gotReport)
	same("report", *r, gotReport, &f)

	im := filled[book.Image]()
	im.Limit = 7
	f = fields{b: appendImage(nil, im)}
	same("image", im, f.image(), &f)

	a := filled[trail.Answer]()
	for i := range a.Bars {
		a.Bars[i].First, a.Bars[i].Last = -1, -2
	}
	f = fields{b: appendAnswer(nil, a)}
	same("answer", a, f.answer(), &f)

	c := filled[Command]()
	f = fields{b: appendCommand(nil, c)}
	var gotCommand Command
	f.command(&gotCommand)
	same("command", *c, gotCommand, &f)

	d := filled[Decision]()
	list, err := decisions(d.append(nil))
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	same("decision", *d, list[0], &fields{})
}
