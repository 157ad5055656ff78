package alert

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fastjson"

	"riposte/core"
	"riposte/core/airlock"
)

// Fields are where a message says what: dotted paths, a number being a place in a list
// ("data.0.symbol"). Those that may be empty say so.
type Fields struct {
	Symbol   string
	Side     string
	Price    string
	Time     string
	ID       string // empty: made of the message's bytes
	Strength string // empty: 1
	Horizon  string // empty: the mapping's
	Token    string // empty: the token is elsewhere
}

// Mapping is how a source's messages are read.
type Mapping struct {
	Fields      Fields
	TimeFormat  string // s, ms, us, ns, or rfc3339
	Symbols     map[string]core.InstrumentID
	Sides       map[string]core.Side
	Horizons    map[string]core.MonoNs // texts that stand for one
	HorizonUnit core.MonoNs            // of a horizon told as a number; 0: it must be a text of Horizons
	Horizon     core.MonoNs            // where none is told
	HorizonMax  core.MonoNs
	FullAt      int64 // a strength of this is 1, as whole units: 1 or 100
	// When and Equals: a message whose field When is not the text Equals is no signal
	// and no mistake. Empty: every message is one.
	When, Equals string
}

// TimeFormats are what TimeFormat may be.
var TimeFormats = []string{"s", "ms", "us", "ns", "rfc3339"}

// CheckPath reports what is wrong with a path.
func CheckPath(path string) error {
	for part := range strings.SplitSeq(path, ".") {
		if part == "" || len(part) > 64 {
			return fmt.Errorf("got %q, want names of 1 to 64 bytes with points between them", path)
		}
	}
	return nil
}

// fault is what is wrong with a message. Field is "" where it is the whole.
type fault struct {
	gate  airlock.Gate
	field string
	text  string
}

func (f *fault) Error() string {
	if f.field == "" {
		return f.text
	}
	return f.field + ": " + f.text
}

func malformed(field, format string, args ...any) *fault {
	return &fault{airlock.Message, field, fmt.Sprintf(format, args...)}
}

// shown is a value of a message for an error: short, quoted, printable.
func shown[T ~string | ~[]byte](s T) string {
	if len(s) > 40 {
		return strconv.QuoteToASCII(string(s[:40])) + "..."
	}
	return strconv.QuoteToASCII(string(s))
}

// reader reads messages; one goroutine at a time.
type reader struct {
	m      *Mapping
	parser fastjson.Parser
}

// parse reads a whole message as JSON, strictly.
func (r *reader) parse(body []byte) (*fastjson.Value, *fault) {
	v, err := r.parser.ParseBytes(body)
	if err == nil {
		// The parser lets some things pass that are no JSON, such as a number of two points.
		err = fastjson.ValidateBytes(body)
	}
	switch {
	case err == nil:
		return v, nil
	case len(bytes.TrimSpace(body)) == 0:
		return nil, malformed("", "not JSON: it is empty")
	case strings.Contains(err.Error(), "depth"):
		return nil, malformed("", "not JSON that can be read: it is nested deeper than %d", fastjson.MaxDepth)
	case strings.Contains(err.Error(), "unexpected tail"):
		return nil, malformed("", "not JSON: something follows its value")
	}
	return nil, malformed("", "not JSON")
}

// at walks a path. A key that stands twice on the way is a fault: two readers could take
// it for two things.
func at(v *fastjson.Value, path string) (*fastjson.Value, *fault) {
	whole := path
	for path != "" {
		part, rest, _ := strings.Cut(path, ".")
		path = rest
		var next *fastjson.Value
		switch v.Type() {
		case fastjson.TypeObject:
			n := 0
			v.GetObject().Visit(func(key []byte, x *fastjson.Value) {
				if string(key) == part {
					next = x
					n++
				}
			})
			if n > 1 {
				return nil, malformed(whole, "%s stands there %d times, want once", part, n)
			}
		case fastjson.TypeArray:
			if i, err := strconv.Atoi(part); err == nil && i >= 0 && i < len(v.GetArray()) {
				next = v.GetArray()[i]
			}
		}
		if next == nil {
			return nil, malformed(whole, "is missing")
		}
		v = next
	}
	return v, nil
}

// text is a value as it is written: of a string its text, of a number its digits.
func text(v *fastjson.Value, field string) ([]byte, bool, *fault) {
	switch v.Type() {
	case fastjson.TypeString:
		return v.GetStringBytes(), false, nil
	case fastjson.TypeNumber:
		return v.MarshalTo(nil), true, nil
	}
	return nil, false, malformed(field, "is %s, want a text or a number", v.Type())
}

func (r *reader) field(v *fastjson.Value, path string) ([]byte, bool, *fault) {
	x, f := at(v, path)
	if f != nil {
		return nil, false, f
	}
	return text(x, path)
}

// signals reports whether a message is a signal at all.
func (r *reader) signals(v *fastjson.Value) bool {
	if r.m.When == "" {
		return true
	}
	x, f := at(v, r.m.When)
	if f != nil {
		return false
	}
	b, _, f := text(x, r.m.When)
	return f == nil && string(b) == r.m.Equals
}

// read fills in what a message says. Source, Recv and Failed are the caller's.
func (r *reader) read(v *fastjson.Value, a *airlock.Alert) *fault {
	m, p := r.m, &r.m.Fields
	b, _, f := r.field(v, p.Symbol)
	if f != nil {
		return f
	}
	a.Symbol = airlock.MakeText(b)
	a.Instrument = core.NoInstrument
	if id, ok := m.Symbols[string(b)]; ok {
		a.Instrument = id
	}
	if b, _, f = r.field(v, p.Side); f != nil {
		return f
	}
	side, ok := m.Sides[string(b)]
	if !ok {
		return malformed(p.Side, "got %s, which is no word for a side", shown(b))
	}
	a.Side = side
	if a.Price, f = r.price(v); f != nil {
		return f
	}
	if a.Issued, f = r.time(v); f != nil {
		return f
	}
	if a.Strength, f = r.strength(v); f != nil {
		return f
	}
	if a.Horizon, f = r.horizon(v); f != nil {
		return f
	}
	if p.ID == "" {
		return nil
	}
	if b, _, f = r.field(v, p.ID); f != nil {
		return f
	}
	if len(b) == 0 || len(b) > airlock.TextMost {
		return malformed(p.ID, "has %d bytes, want 1 to %d", len(b), airlock.TextMost)
	}
	a.ID = airlock.MakeText(b)
	return nil
}

// decimal reads a plain decimal. Digits beyond the eighth are cut off: senders that
// compute in floats make them, and they move a price by less than any tick.
func decimal(b []byte, field string) (int64, *fault) {
	if i := bytes.IndexByte(b, '.'); i >= 0 && len(b) > i+9 {
		for _, c := range b[i+9:] {
			if c < '0' || c > '9' {
				return 0, malformed(field, "got %s, want a plain decimal", shown(b))
			}
		}
		b = b[:i+9]
	}
	n, err := core.ParseDecimal(b)
	if err != nil {
		return 0, malformed(field, "got %s: %v", shown(b), err)
	}
	return n, nil
}

func (r *reader) price(v *fastjson.Value) (core.Price, *fault) {
	path := r.m.Fields.Price
	b, _, f := r.field(v, path)
	if f != nil {
		return 0, f
	}
	n, f := decimal(b, path)
	if f == nil && n == 0 {
		f = malformed(path, "is 0, want a price")
	}
	return core.Price(n), f
}

// years in which a time must lie: others are a wrong unit.
const (
	timeLeast = 946_684_800_000_000_000   // 2000
	timeMost  = 4_102_444_800_000_000_000 // 2100
)

func (r *reader) time(v *fastjson.Value) (core.WallNs, *fault) {
	path := r.m.Fields.Time
	b, _, f := r.field(v, path)
	if f != nil {
		return 0, f
	}
	return readTime(b, r.m.TimeFormat, path)
}

func readTime(b []byte, format, field string) (core.WallNs, *fault) {
	if format == "rfc3339" {
		t, err := time.Parse(time.RFC3339Nano, string(b))
		if err != nil || t.Year() < 2000 || t.Year() >= 2100 {
			return 0, malformed(field, "got %s, want a time such as 2026-07-21T08:15:00Z", shown(b))
		}
		return core.WallNs(t.UnixNano()), nil
	}
	unit := map[string]uint64{"s": 1e9, "ms": 1e6, "us": 1e3, "ns": 1}[format]
	n, err := strconv.ParseUint(string(b), 10, 63)
	if err != nil || n > timeMost/unit || n*unit < timeLeast || n*unit > timeMost {
		return 0, malformed(field, "got %s, want a time in %s since 1970", shown(b), format)
	}
	return core.WallNs(n * unit), nil
}

func (r *reader) strength(v *fastjson.Value) (airlock.Ratio, *fault) {
	path := r.m.Fields.Strength
	if path == "" {
		return core.Scale, nil
	}
	b, _, f := r.field(v, path)
	if f != nil {
		return 0, f
	}
	n, f := decimal(b, path)
	if f != nil {
		return 0, f
	}
	if n > r.m.FullAt*core.Scale {
		return 0, malformed(path, "is %s, want 0 to %d", shown(b), r.m.FullAt)
	}
	return airlock.Ratio(n / r.m.FullAt), nil
}

func (r *reader) horizon(v *fastjson.Value) (core.MonoNs, *fault) {
	m, path := r.m, r.m.Fields.Horizon
	if path == "" {
		return m.Horizon, nil
	}
	b, _, f := r.field(v, path)
	if f != nil {
		return 0, f
	}
	if h, ok := m.Horizons[string(b)]; ok {
		return h, nil
	}
	n, err := strconv.ParseUint(string(b), 10, 32)
	h := core.MonoNs(n) * m.HorizonUnit
	if err != nil || m.HorizonUnit == 0 || h <= 0 || h > m.HorizonMax {
		return 0, malformed(path, "got %s, want a horizon up to %v", shown(b), time.Duration(m.HorizonMax))
	}
	return h, nil
}
