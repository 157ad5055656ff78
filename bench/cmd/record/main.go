// Record runs a command, shows its output and keeps it in bench/history with what a
// number needs to mean anything.
//
//	go run ./bench/cmd/record --name stages -- go test ./bench -run '^$' -bench .
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"

	"github.com/alecthomas/kong"

	"riposte/bench/history"
)

type cli struct {
	Name    string   `default:"stages" help:"What it is, the last part of the file's name."`
	Append  bool     `help:"Put it behind what this commit and day have under that name."`
	Command []string `arg:"" passthrough:"" help:"What to run."`
}

// Run records one command.
func (c *cli) Run() (err error) {
	if len(c.Command) > 0 && c.Command[0] == "--" {
		c.Command = c.Command[1:]
	}
	if len(c.Command) == 0 {
		return errors.New("cannot record: no command is given")
	}
	f, err := history.Create(c.Name, c.Append, c.Command)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close(err == nil)) }()
	cmd := exec.Command(c.Command[0], c.Command[1:]...)
	cmd.Stdout = io.MultiWriter(os.Stdout, f)
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("cannot record: %w", err)
	}
	return nil
}

func main() {
	var c cli
	k := kong.Parse(&c, kong.Name("record"), kong.Description("Run a command and keep its output in bench/history."))
	k.FatalIfErrorf(k.Run())
}
