package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"riposte/bench"
	"riposte/bench/path"
)

// row is one subject and what came of it, round by round.
type row struct {
	sub    path.Subject
	rounds []*path.Result
}

// builder makes subjects from their names.
type builder struct {
	c         *measureCmd
	dir       string
	authority *bench.Authority
	mark      path.Mark
}

func (b *builder) subjects() ([]*row, error) {
	var rows []*row
	for i, name := range b.c.Subjects {
		dir := filepath.Join(b.dir, fmt.Sprint(i))
		if err := os.Mkdir(dir, 0o700); err != nil {
			return nil, err
		}
		sub, err := b.subject(name, dir)
		if err != nil {
			return nil, err
		}
		rows = append(rows, &row{sub: sub})
	}
	return rows, nil
}

func (b *builder) subject(name, dir string) (path.Subject, error) {
	kind, binary, other := strings.Cut(name, "@")
	if !other {
		binary = b.c.Binary
	}
	kind, collect := strings.CutSuffix(kind, "-gc")
	switch kind {
	case "c-spin":
		return path.Floor(name, dir, b.authority, b.mark), nil
	case "go-spin", "go-park":
		return b.echo(name, dir, strings.TrimPrefix(kind, "go-"))
	case "stack":
		return b.stack(name, dir)
	case "riposte-spin", "riposte-park":
		binary, err := filepath.Abs(binary)
		if err != nil {
			return path.Subject{}, err
		}
		if _, err := os.Stat(binary); err != nil {
			return path.Subject{}, fmt.Errorf("cannot measure riposte: %w (make build makes it)", err)
		}
		o := path.RiposteOptions{Name: name, Binary: binary, Dir: dir, Threads: b.c.Threads, Wait: strings.TrimPrefix(kind, "riposte-"),
			Wires: b.c.Wires, Journal: b.c.Journal, Profile: b.c.EngineProfile}
		if collect {
			o.Args = append(o.Args, "--gc-every", b.c.GCEvery.String())
		}
		return path.Riposte(o, b.authority), nil
	}
	return path.Subject{}, fmt.Errorf("cannot measure %q, want c-spin, go-spin, go-park, stack, riposte-spin or riposte-park", name)
}

// authorityFile puts the authority where a subject can read it; "" if all is plain.
func (b *builder) authorityFile(dir string) (string, error) {
	if b.authority == nil {
		return "", nil
	}
	ca := filepath.Join(dir, "ca.pem")
	return ca, os.WriteFile(ca, b.authority.PEM(), 0o600)
}

func (b *builder) echo(name, dir, wait string) (path.Subject, error) {
	self, err := os.Executable()
	if err != nil {
		return path.Subject{}, err
	}
	ca, err := b.authorityFile(dir)
	return path.Command(name, true, func(s *path.Server) ([]string, error) {
		rest, stream, _ := s.URLs()
		return []string{self, "echo", "--rest", rest, "--stream", stream, "--target", s.Target(), "--wait", wait, "--ca", ca,
			"--prefix", b.mark.Prefix, fmt.Sprintf("--mark-at=%d", b.mark.At)}, nil
	}), err
}

// stack is bench/peers/cmd/stack, which is of another module.
func (b *builder) stack(name, dir string) (path.Subject, error) {
	binary := b.c.Stack
	if binary == "" {
		root, err := bench.Root()
		if err != nil {
			return path.Subject{}, err
		}
		binary = filepath.Join(dir, "stack")
		build := exec.Command("go", "build", "-o", binary, "./cmd/stack")
		build.Dir = filepath.Join(root, "bench", "peers")
		if out, err := build.CombinedOutput(); err != nil {
			return path.Subject{Name: name, Skip: fmt.Sprintf("it cannot be built: %v: %.300s", err, out)}, nil
		}
	}
	binary, err := filepath.Abs(binary)
	if err != nil {
		return path.Subject{}, err
	}
	ca, err := b.authorityFile(dir)
	return path.Command(name, false, func(s *path.Server) ([]string, error) {
		rest, stream, _ := s.URLs()
		return []string{binary, "-rest", rest, "-stream", stream + s.Target(), "-symbol", path.Symbol, "-ca", ca}, nil
	}), err
}
