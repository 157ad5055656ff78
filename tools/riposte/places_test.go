package main_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"riposte/core/fault"
)

// TestEveryPlaceToDieAtIsInTheProgram: a place that nobody comes to is never tried.
func TestEveryPlaceToDieAtIsInTheProgram(t *testing.T) {
	if fault.Count < 40 {
		t.Errorf("there are %d places, want at least 40", fault.Count)
	}
	var calls bytes.Buffer
	var names []string
	for _, s := range tree(t) {
		switch {
		case s.name == "core/fault/point.go":
			_, list, _ := strings.Cut(string(s.text), "FolderLocked Point = iota\n")
			list, _, _ = strings.Cut(list, "\n\n")
			names = append([]string{"FolderLocked"}, strings.Fields(list)...)
		case !s.test():
			calls.Write(s.text)
		}
	}
	if len(names) != fault.Count {
		t.Fatalf("found the names of %d places, want %d", len(names), fault.Count)
	}
	for i, name := range names {
		if !bytes.Contains(calls.Bytes(), []byte("."+name+")")) {
			t.Errorf("nobody comes to %s (%v)", name, fault.Point(i))
		}
		if fault.Point(i).String() == "" {
			t.Error(fmt.Sprint("place ", i, " has no name"))
		}
	}
}
