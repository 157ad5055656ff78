package app

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// mark shows a part of a text value of the configuration: its line, with its number,
// and strokes under the runes from to end of the value. It is "" where the value
// cannot be found, as in an inline table.
func (c *Config) mark(path []string, from, end int) string {
	for _, text := range slices.Backward(c.texts) { // the last one that sets it wins
		at, value, ok := valueAt(text, path)
		if !ok {
			continue
		}
		runes := []rune(value)
		from = min(from, len(runes))
		end = min(max(end, from+1), max(len(runes), from+1))
		start := at + len(string(runes[:from]))
		line := 1 + bytes.Count(text[:start], []byte("\n"))
		head := bytes.LastIndexByte(text[:start], '\n') + 1
		whole, _, _ := strings.Cut(string(text[head:]), "\n")
		prefix := fmt.Sprintf("%d| ", line)
		under := []rune(strings.Repeat(" ", len(prefix)-2) + "| ")
		for _, r := range string(text[head:start]) {
			if r != '\t' {
				r = ' '
			}
			under = append(under, r)
		}
		left := len([]rune(whole)) - len([]rune(string(text[head:start])))
		return prefix + strings.TrimSuffix(whole, "\r") + "\n" + string(under) + strings.Repeat("~", max(1, min(end-from, left)))
	}
	return ""
}

// valueAt finds a text value: where its first rune stands, and what it says. One that
// is written with escapes is taken for one rune at its quote.
func valueAt(text []byte, path []string) (at int, value string, ok bool) {
	var p unstable.Parser
	p.Reset(text)
	var table []string
	for p.NextExpression() {
		e := p.Expression()
		var keys []string
		for it := e.Key(); it.Next(); {
			keys = append(keys, string(it.Node().Data))
		}
		switch e.Kind {
		case unstable.Table, unstable.ArrayTable:
			table = keys
			continue
		case unstable.KeyValue:
		default:
			continue
		}
		v := e.Value()
		if !slices.Equal(append(slices.Clone(table), keys...), path) {
			continue
		}
		at, raw := int(v.Raw.Offset), p.Raw(v.Raw)
		if v.Kind != unstable.String {
			return at, string(raw), true
		}
		if inner := bytes.Index(raw, v.Data); inner >= 0 {
			return at + inner, string(v.Data), true
		}
		return at, "", true
	}
	return 0, "", false
}
