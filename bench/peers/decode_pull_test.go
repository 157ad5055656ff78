package peers

import (
	"errors"
	"io"

	"github.com/buger/jsonparser"
	"github.com/go-faster/jx"
	jsoniter "github.com/json-iterator/go"
	"github.com/mailru/easyjson/jlexer"

	"riposte/core"
)

// pulled is what those who read value by value fill, by the keys that the three kinds
// of frame share; capital keys have big in front.
type pulled struct {
	u, bigU, b, bigB, a, bigA int64
	t, bigT, p, q             int64
	prev                      int64 // "pu", futures only
	m                         bool
	levels                    []int64 // price and quantity by turns, bids then asks
	bids                      int     // levels of those that are bids
}

// number is the place of a key whose value is a number in quotes.
func (v *pulled) number(key byte) *int64 {
	switch key {
	case 'b':
		return &v.b
	case 'B':
		return &v.bigB
	case 'a':
		return &v.a
	case 'A':
		return &v.bigA
	case 'p':
		return &v.p
	case 'q':
		return &v.q
	}
	return nil
}

// plain is the place of a key whose value is a bare integer.
func (v *pulled) plain(key byte) *int64 {
	switch key {
	case 'u':
		return &v.u
	case 'U':
		return &v.bigU
	case 't':
		return &v.t
	case 'T':
		return &v.bigT
	}
	return nil
}

func (v *pulled) sum(kind core.EventKind) uint64 {
	switch kind {
	case core.Touch:
		return touchSum(v.u, v.b, v.bigB, v.a, v.bigA)
	case core.Trade:
		return tradeSum(v.t, v.p, v.q, v.bigT, v.m)
	}
	sum := depthSum(v.bigU, v.u)
	for i := 0; i < len(v.levels); i += 2 {
		sum = levelSum(sum, v.levels[i], v.levels[i+1])
	}
	return sum
}

// jsoniterPull pulls with json-iterator's iterator, which it keeps.
type jsoniterPull struct {
	pulled
	it *jsoniter.Iterator
}

func newJsoniterPull() *jsoniterPull {
	return &jsoniterPull{it: jsoniter.NewIterator(jsoniter.ConfigFastest)}
}

func (v *jsoniterPull) read(kind core.EventKind, f []byte) {
	it := v.it
	it.ResetBytes(f)
	v.levels = v.levels[:0]
	for key := it.ReadObject(); key != ""; key = it.ReadObject() {
		if key == "data" {
			v.data(kind)
		} else {
			it.Skip()
		}
	}
	if it.Error != nil && !errors.Is(it.Error, io.EOF) {
		panic(it.Error)
	}
}

func (v *jsoniterPull) data(kind core.EventKind) {
	it := v.it
	for key := it.ReadObject(); key != ""; key = it.ReadObject() {
		switch to := v.plain(key[0]); {
		case key == "pu":
			v.prev = it.ReadInt64()
		case len(key) > 1:
			it.Skip()
		case to != nil:
			*to = it.ReadInt64()
		case key == "m":
			v.m = it.ReadBool()
		case kind == core.DepthDelta && (key == "b" || key == "a"):
			for it.ReadArray() {
				for it.ReadArray() {
					v.levels = append(v.levels, num(it.ReadStringAsSlice()))
				}
			}
			if key == "b" {
				v.bids = len(v.levels) / 2
			}
		case v.number(key[0]) != nil:
			*v.number(key[0]) = num(it.ReadStringAsSlice())
		default:
			it.Skip()
		}
	}
}

func jsoniterDecode(kind core.EventKind) func([]byte) uint64 {
	v := newJsoniterPull()
	return func(f []byte) uint64 {
		v.read(kind, f)
		return v.sum(kind)
	}
}

// jxDecode pulls with go-faster/jx.
func jxDecode(kind core.EventKind) func([]byte) uint64 {
	d := jx.DecodeBytes(nil)
	v := new(pulled)
	text := func(d *jx.Decoder) error {
		s, err := d.StrBytes()
		if err != nil {
			return err
		}
		v.levels = append(v.levels, num(s))
		return nil
	}
	level := func(d *jx.Decoder) error { return d.Arr(text) }
	data := func(d *jx.Decoder, key []byte) (err error) {
		if len(key) != 1 {
			return d.Skip()
		}
		switch to := v.plain(key[0]); {
		case to != nil:
			*to, err = d.Int64()
		case key[0] == 'm':
			v.m, err = d.Bool()
		case kind == core.DepthDelta && (key[0] == 'b' || key[0] == 'a'):
			err = d.Arr(level)
		case v.number(key[0]) != nil:
			to, s := v.number(key[0]), []byte(nil)
			if s, err = d.StrBytes(); err == nil {
				*to = num(s)
			}
		default:
			err = d.Skip()
		}
		return err
	}
	top := func(d *jx.Decoder, key []byte) error {
		if string(key) != "data" {
			return d.Skip()
		}
		return d.ObjBytes(data)
	}
	return func(f []byte) uint64 {
		d.ResetBytes(f)
		v.levels = v.levels[:0]
		must(d.ObjBytes(top))
		return v.sum(kind)
	}
}

// easyjsonDecode pulls with the lexer that easyjson's generated code uses, as that
// code does.
func easyjsonDecode(kind core.EventKind) func([]byte) uint64 {
	v := new(pulled)
	field := func(l *jlexer.Lexer, key string) {
		if len(key) != 1 {
			l.SkipRecursive()
			return
		}
		switch to := v.plain(key[0]); {
		case to != nil:
			*to = l.Int64()
		case key == "m":
			v.m = l.Bool()
		case kind == core.DepthDelta && (key == "b" || key == "a"):
			l.Delim('[')
			for !l.IsDelim(']') {
				l.Delim('[')
				for !l.IsDelim(']') {
					v.levels = append(v.levels, num(l.UnsafeBytes()))
					l.WantComma()
				}
				l.Delim(']')
				l.WantComma()
			}
			l.Delim(']')
		case v.number(key[0]) != nil:
			*v.number(key[0]) = num(l.UnsafeBytes())
		default:
			l.SkipRecursive()
		}
	}
	object := func(l *jlexer.Lexer, f func(*jlexer.Lexer, string)) {
		l.Delim('{')
		for !l.IsDelim('}') {
			key := l.UnsafeFieldName(false)
			l.WantColon()
			f(l, key)
			l.WantComma()
		}
		l.Delim('}')
	}
	top := func(l *jlexer.Lexer, key string) {
		if key == "data" {
			object(l, field)
		} else {
			l.SkipRecursive()
		}
	}
	return func(f []byte) uint64 {
		l := jlexer.Lexer{Data: f}
		v.levels = v.levels[:0]
		object(&l, top)
		must(l.Error())
		return v.sum(kind)
	}
}

// jsonparserDecode walks with buger/jsonparser.
func jsonparserDecode(kind core.EventKind) func([]byte) uint64 {
	v := new(pulled)
	number := func(text []byte, _ jsonparser.ValueType, _ int, _ error) { v.levels = append(v.levels, num(text)) }
	level := func(pair []byte, _ jsonparser.ValueType, _ int, _ error) {
		_, err := jsonparser.ArrayEach(pair, number)
		must(err)
	}
	field := func(key, value []byte, _ jsonparser.ValueType, _ int) (err error) {
		if len(key) != 1 {
			return nil
		}
		switch to := v.plain(key[0]); {
		case to != nil:
			*to, err = jsonparser.ParseInt(value)
		case key[0] == 'm':
			v.m, err = jsonparser.ParseBoolean(value)
		case kind == core.DepthDelta && (key[0] == 'b' || key[0] == 'a'):
			if len(value) > len("[]") {
				_, err = jsonparser.ArrayEach(value, level)
			}
		case v.number(key[0]) != nil:
			*v.number(key[0]) = num(value)
		}
		return err
	}
	return func(f []byte) uint64 {
		v.levels = v.levels[:0]
		data, _, _, err := jsonparser.Get(f, "data")
		must(err)
		must(jsonparser.ObjectEach(data, field))
		return v.sum(kind)
	}
}
