package oracle

import (
	"bytes"
	"encoding/json"
	"testing"
)

// FuzzMembersAreThoseThatTheLibraryReads holds object against encoding/json.
func FuzzMembersAreThoseThatTheLibraryReads(f *testing.F) {
	for _, s := range []string{
		`{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":1,"u":2,"b":[["1.0","2"],["3","}"]],"a":[]}`, `{}`, ` { } `, `{"a":1}junk`, `{"a":{"b":[1,{"c":"]"}]} , "d" : null}`,
		`{"a":1,"a":2}`, `{"a":1,"a":null}`, `{"\u0061":"\n"}`, `{"a":"\"}"}`, `{"a":"` + "\xff" + `"}`, `{"a":tru}`, `{"a":[1,]}`, `{"a":1`, `{"a":"`, `{"a":"\`,
		`null`, `[1]`, `"a"`, `1`, ``, ` `, `{"a" 1}`, `{,}`, `{"a":-1.5e3,"b":true,"c":false,"":0}`, `{]}`, `{"a":1]`, `}`, `{"a":[}]}`, `,{}`, `:{"a":1}`, `{"a"::1}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var want map[string]json.RawMessage
		if json.NewDecoder(bytes.NewReader(b)).Decode(&want) != nil {
			want = nil
		}
		got := object(b)
		if (got == nil) != (want == nil) {
			t.Fatalf("%q: got %v, want %v", b, got, want)
		}
		for name, v := range want {
			if string(v) == "null" {
				v = nil
			}
			if g := got.get(name); !bytes.Equal(g, v) || (g == nil) != (v == nil) {
				t.Errorf("%q: %q is %q, want %q", b, name, g, v)
			}
			var s string
			if json.Unmarshal(v, &s) == nil && len(v) > 0 && text(v) != s {
				t.Errorf("%q: %q says %q, want %q", b, name, text(v), s)
			}
		}
		for _, m := range got {
			if _, ok := want[m.name]; !ok {
				t.Errorf("%q: found %q, which is not there", b, m.name)
			}
		}
	})
}
