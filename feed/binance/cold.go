package binance

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/valyala/fastjson"

	"riposte/core"
)

// What the parsers of cold bodies share. Each call has its own fastjson parser:
// its values die with it, and cold goroutines need share nothing.

var errNotJSON = errors.New("body is not JSON")

// parse reads a body that must be a JSON object.
func parse(body []byte) (*fastjson.Value, error) {
	// fastjson lets some non-JSON pass; the library's check is cheap out here.
	if !json.Valid(body) {
		return nil, errNotJSON
	}
	var p fastjson.Parser
	v, err := p.ParseBytes(body)
	if err != nil {
		return nil, err
	}
	if v.Type() != fastjson.TypeObject {
		return nil, fmt.Errorf("got %s, want an object", clip(v))
	}
	return v, nil
}

// clip is a value's text for an error message.
func clip(v *fastjson.Value) string {
	if v == nil {
		return "nothing"
	}
	s := v.String()
	if len(s) > 60 {
		s = s[:60] + "..."
	}
	return s
}

// coldDecimal reads a string as a decimal at 1e-8.
func coldDecimal(v *fastjson.Value) (int64, error) {
	if v == nil || v.Type() != fastjson.TypeString {
		return 0, fmt.Errorf("got %s, want a decimal in a string", clip(v))
	}
	n, err := core.ParseDecimal(v.GetStringBytes())
	if err != nil {
		return 0, fmt.Errorf("got %s: %w", clip(v), err)
	}
	return n, nil
}

// decimalField is coldDecimal of an object's field.
func decimalField(v *fastjson.Value, key string) (int64, error) {
	n, err := coldDecimal(v.Get(key))
	if err != nil {
		return 0, fmt.Errorf("%s: %w", key, err)
	}
	return n, nil
}

// wholeNumber reads an object's field as an integer of zero or above.
func wholeNumber(v *fastjson.Value, key string) (int64, error) {
	f := v.Get(key)
	if f != nil && f.Type() == fastjson.TypeNumber {
		if n, err := strconv.ParseInt(f.String(), 10, 64); err == nil && n >= 0 {
			return n, nil
		}
	}
	return 0, fmt.Errorf("%s: got %s, want an integer of zero or above", key, clip(f))
}

// textField reads an object's field as a string.
func textField(v *fastjson.Value, key string) (string, error) {
	f := v.Get(key)
	if f == nil || f.Type() != fastjson.TypeString {
		return "", fmt.Errorf("%s: got %s, want a string", key, clip(f))
	}
	return string(f.GetStringBytes()), nil
}
