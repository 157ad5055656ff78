package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// plant gives the changed text of every file that the bug touches, by name.
func (b *bug) plant(root string) (map[string]string, error) {
	texts := map[string]string{}
	for i := range b.edits {
		e := &b.edits[i]
		text, ok := texts[e.file]
		if !ok {
			read, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(e.file)))
			if err != nil {
				return nil, fmt.Errorf("cannot plant %s: %w", b.name, err)
			}
			text = string(read)
		}
		changed, found := e.apply(text)
		if found != 1 {
			return nil, fmt.Errorf("cannot plant %s: found its lines %d times in %s, want once:\n%s", b.name, found, e.file, strings.Join(e.old, "\n"))
		}
		texts[e.file] = changed
	}
	return texts, nil
}

// apply makes the change and says how often its lines were found.
func (e *edit) apply(text string) (changed string, found int) {
	lines := strings.Split(text, "\n")
	at := 0
	for i := range lines {
		if len(lines)-i >= len(e.old) && slices.Equal(lines[i:i+len(e.old)], e.old) {
			at = i
			found++
		}
	}
	if found != 1 {
		return text, found
	}
	return strings.Join(slices.Concat(lines[:at], e.new, lines[at+len(e.old):]), "\n"), 1
}

// overlay writes the changed files and go's description of them into dir, and returns the
// name of that. No bug: an overlay of nothing.
func (b *bug) overlay(root, dir string) (string, error) {
	replace := map[string]string{}
	if b != nil {
		texts, err := b.plant(root)
		if err != nil {
			return "", err
		}
		for file, text := range texts {
			name := filepath.Join(dir, strings.ReplaceAll(file, "/", "_"))
			if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
				return "", fmt.Errorf("cannot write an overlay: %w", err)
			}
			replace[filepath.Join(root, filepath.FromSlash(file))] = name
		}
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", fmt.Errorf("cannot write an overlay: %w", err)
	}
	name := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(name, text, 0o600); err != nil {
		return "", fmt.Errorf("cannot write an overlay: %w", err)
	}
	return name, nil
}
