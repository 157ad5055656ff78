package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"riposte": main})
}

// TestScripts runs the binary as a user would; -testwork keeps the folders.
func TestScripts(t *testing.T) {
	data := os.Getenv("RIPOSTE_DATA")
	if data == "" {
		data = filepath.Join("..", "..", "..", "shared", "data")
	}
	data, err := filepath.Abs(data)
	if err != nil {
		t.Fatal(err)
	}
	// A folder that holds anything else has no recordings either.
	expected := filepath.Join(data, "expected.json")
	if _, err := os.Stat(expected); err != nil {
		t.Logf("no recordings (%v): the scripts that need them are left out", err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("DATA", data)
			return nil
		},
		Condition: func(cond string) (bool, error) {
			_, err := os.Stat(expected)
			return cond == "recordings" && err == nil, nil
		},
	})
}
