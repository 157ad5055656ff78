package app

import (
	"errors"
	"time"

	"riposte/exec"
)

// DoubtConfig is [doubt]: what ends the doubt about an order whose answer was lost, and
// what may not happen meanwhile.
type DoubtConfig struct {
	Margin duration `toml:"margin"`
	Polls  int      `toml:"polls"`
	Span   duration `toml:"span"`
	Block  int      `toml:"block"`
}

func (c *DoubtConfig) check() error {
	return errors.Join(
		span("doubt.margin", c.Margin, 10*time.Millisecond, time.Hour),
		between("doubt.polls", c.Polls, 1, 100),
		span("doubt.span", c.Span, time.Millisecond, time.Hour),
		between("doubt.block", c.Block, 0, 1000),
	)
}

func (c *DoubtConfig) set(g *exec.Config) {
	g.ProofMargin, g.ProofSpan, g.AbsentPolls, g.UnknownMax = c.Margin.Duration, c.Span.Duration, c.Polls, c.Block
}
