package main

import (
	"bytes"
	"compress/gzip"
	"testing"
)

func TestAbsolutePathsAreEmptiedAndNothingElse(t *testing.T) {
	in := []byte{
		1<<3 | 2, 3, '/', 'a', 'b', // another field, whose bytes are no string
		6<<3 | 2, 0, // the empty string
		6<<3 | 2, 4, '/', 'o', 'p', 't',
		6<<3 | 2, 4, 'a', '/', 'b', 'c',
		9 << 3, 0x96, 0x01, // varint
		10<<3 | 1, 1, 2, 3, 4, 5, 6, 7, 8,
		11<<3 | 5, 1, 2, 3, 4,
	}
	want := bytes.Replace(in, []byte{6<<3 | 2, 4, '/', 'o', 'p', 't'}, []byte{6<<3 | 2, 0}, 1)
	got, err := withoutPaths(in)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
}

func TestCutProfilesAreRefused(t *testing.T) {
	for _, in := range [][]byte{{0x80}, {1 << 3}, {1<<3 | 2}, {1<<3 | 2, 5, 1}, {6<<3 | 2, 5, '/'}, {1<<3 | 1, 0}, {1<<3 | 5}, {1<<3 | 3},
		{1<<3 | 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}} {
		if out, err := withoutPaths(in); err == nil {
			t.Errorf("%v: got %v, want an error", in, out)
		}
	}
	if _, err := clean([]byte("no gzip")); err == nil {
		t.Error("what is not compressed is no profile, want an error")
	}
}

func FuzzWithoutPathsIsStable(f *testing.F) {
	f.Add([]byte{6<<3 | 2, 4, '/', 'o', 'p', 't'})
	f.Fuzz(func(t *testing.T, in []byte) {
		once, err := withoutPaths(in)
		if err != nil {
			return
		}
		twice, err := withoutPaths(once)
		if err != nil || !bytes.Equal(once, twice) {
			t.Errorf("got %v after %v, %v; want the same", twice, once, err)
		}
	})
}

func TestCleanKeepsAProfileReadable(t *testing.T) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte{6<<3 | 2, 1, 'x'}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	out, err := clean(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	again, err := clean(out)
	if err != nil || !bytes.Equal(out, again) {
		t.Errorf("cleaning twice gives %v, %v; want the same", again, err)
	}
}
