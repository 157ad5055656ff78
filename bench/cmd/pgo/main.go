// Pgo cleans a CPU profile for the compiler: strings that are absolute paths, which say
// only where the profiled binaries lay, are emptied, and its size is checked. All else
// stays as go tool pprof -proto wrote it.
//
//	go run ./bench/cmd/pgo --out tools/riposte/default.pgo merged.pb.gz
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/alecthomas/kong"
)

type cli struct {
	Out   string `required:"" help:"The file to write."`
	Least int    `default:"5000" help:"Bytes that it must have: a profile of too short a run says nothing."`
	Most  int    `default:"300000" help:"Bytes that it may have."`
	File  string `arg:"" help:"The profile."`
}

// Run cleans.
func (c *cli) Run() error {
	text, err := os.ReadFile(c.File)
	if err != nil {
		return fmt.Errorf("cannot read the profile: %w", err)
	}
	out, err := clean(text)
	if err != nil {
		return fmt.Errorf("cannot use profile %s: %w", c.File, err)
	}
	if len(out) < c.Least || len(out) > c.Most {
		return fmt.Errorf("the profile has %d bytes, want %d to %d", len(out), c.Least, c.Most)
	}
	fmt.Printf("%s: %d bytes\n", c.Out, len(out))
	return os.WriteFile(c.Out, out, 0o644)
}

func clean(text []byte) ([]byte, error) {
	in, err := gzip.NewReader(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(in)
	if err != nil {
		return nil, err
	}
	if raw, err = withoutPaths(raw); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	out := gzip.NewWriter(&b)
	if _, err := out.Write(raw); err != nil {
		return nil, err
	}
	if err := out.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// stringTable is the field of a profile (profile.proto) whose entries all names are.
const stringTable = 6

var errCut = errors.New("it ends within a field")

// withoutPaths goes over the fields of the message and copies them, but for strings
// that begin with a slash. Only the lengths of fields need be understood for that.
func withoutPaths(in []byte) (out []byte, err error) {
	for len(in) > 0 {
		key, n := binary.Uvarint(in)
		if n <= 0 {
			return nil, errCut
		}
		size := uint64(0) // of what follows the key
		switch key & 7 {
		case 0: // varint
			_, m := binary.Uvarint(in[n:])
			if m <= 0 {
				return nil, errCut
			}
			size = uint64(m)
		case 1: // 64 bits
			size = 8
		case 2: // length and bytes
			length, m := binary.Uvarint(in[n:])
			if m <= 0 {
				return nil, errCut
			}
			if key>>3 == stringTable && length > 0 && uint64(len(in)-n-m) >= length && in[n+m] == '/' {
				out = append(append(out, in[:n]...), 0)
				in = in[uint64(n+m)+length:]
				continue
			}
			if length > uint64(len(in)) {
				return nil, errCut
			}
			size = uint64(m) + length
		case 5: // 32 bits
			size = 4
		default:
			return nil, fmt.Errorf("field %d has wire type %d, want 0, 1, 2 or 5", key>>3, key&7)
		}
		if uint64(len(in)-n) < size {
			return nil, errCut
		}
		out = append(out, in[:uint64(n)+size]...)
		in = in[uint64(n)+size:]
	}
	return out, nil
}

func main() {
	var c cli
	k := kong.Parse(&c, kong.Name("pgo"), kong.Description("Clean a CPU profile for the compiler."))
	k.FatalIfErrorf(k.Run())
}
