package app

import (
	"context"
	"errors"
	"time"

	"riposte/exec"
	execbinance "riposte/exec/binance"
	"riposte/feed/ws"
)

// ExecConfig is [exec].
type ExecConfig struct {
	Route        string `toml:"route"`
	Sessions     int    `toml:"sessions"`
	HedgeCancels bool   `toml:"hedge_cancels"`
}

var routeModes = map[string]exec.RouteMode{"auto": exec.RouteAuto, "rest": exec.RouteRESTOnly, "ws": exec.RouteWSOnly}

func (c *ExecConfig) check() error {
	return errors.Join(oneOf("exec.route", c.Route, "auto", "rest", "ws"), between("exec.sessions", c.Sessions, 1, 8))
}

// routes builds the second way out beside the wires, unless orders go by REST alone.
func (d *desk) routes(cfg *exec.Config, hot dialFunc) (err error) {
	c := &d.cfg.Exec
	cfg.Route, cfg.HedgeCancels = routeModes[c.Route], c.HedgeCancels
	if cfg.Route == exec.RouteRESTOnly {
		return nil
	}
	if d.frames, err = d.newFrames(d.key); err != nil {
		return err
	}
	cfg.Sessions = &exec.SessionConfig{Dial: d.dialFrames(hot), Codec: d.frames, Orders: c.Sessions, Cancels: 1,
		Seed: d.ports.seedOf(seedSessions, uint64(time.Now().UnixNano()))}
	return nil
}

func (d *desk) newFrames(key *execbinance.Key) (*execbinance.Frames, error) {
	return execbinance.NewFrames(execbinance.Config{Instruments: d.table, Traded: d.orders, Key: key, IDs: d.ids, RecvWindow: d.cfg.Venue.RecvWindow.Duration})
}

// frameBuffer is the read buffer of a session: answers are small.
const frameBuffer = 32 << 10

// dialFrames opens a WebSocket for orders, within the venue's allowance of connections. A
// refusal that demands silence silences everything.
func (d *desk) dialFrames(dial ws.DialFunc) exec.DialFrames {
	const op = "connect to the WebSocket API"
	return func(ctx context.Context) (exec.FrameConn, error) {
		if wait := d.allow.connects.Take(d.clock.Mono()); wait > 0 {
			return nil, &exec.CallError{Op: op, Class: exec.ClassLimited, RetryAfter: wait, Msg: "too many connections"}
		}
		c, err := ws.Dial(ctx, dial, d.sites.api, ws.Options{Buffer: frameBuffer, Now: func() int64 { return int64(d.clock.Mono()) }})
		var refused *ws.HandshakeError
		switch {
		case errors.As(err, &refused):
			ce := &exec.CallError{Op: op, Class: exec.ClassRefused, Status: refused.Status, RetryAfter: refused.RetryAfter, Err: err}
			if refused.Status == 429 || refused.Status == 418 {
				ce.Class = exec.ClassLimited
				now := d.clock.Mono()
				d.budget.Lockout(refused.RetryAfter, d.vclock.At(now), now)
			}
			return nil, ce
		case err != nil:
			return nil, err
		}
		if err := c.NonBlocking(); err != nil {
			_ = c.NetConn().Close()
			return nil, err
		}
		return &frameConn{c}, nil
	}
}

// frameConn is a WebSocket as exec wants it.
type frameConn struct{ conn *ws.Conn }

func (c *frameConn) Next() ([]byte, error) {
	msg, _, err := c.conn.Next()
	if errors.Is(err, ws.ErrNoData) {
		return nil, nil
	}
	return msg, err
}

func (c *frameConn) Send(p []byte) error                { return c.conn.SendText(p) }
func (c *frameConn) Ping() error                        { return c.conn.SendPing(nil) }
func (c *frameConn) Heard() uint64                      { return c.conn.Stats().Reads }
func (c *frameConn) SetWriteDeadline(t time.Time) error { return c.conn.NetConn().SetWriteDeadline(t) }
func (c *frameConn) Close() error                       { return c.conn.Close(1000) }

// routeLine is a way to the venue in the report. P50 and P95 are nanoseconds from a
// request to its answer, of the last ten seconds.
type routeLine struct {
	Route  string  `json:"route"`
	State  string  `json:"state"` // down, up, stalled; chosen: new orders go there
	Chosen bool    `json:"chosen"`
	Why    string  `json:"why,omitempty"` // of the chosen one
	Orders uint64  `json:"orders"`
	Acks   uint64  `json:"acks"` // answers to orders and cancels
	P50    int64   `json:"p50"`
	P95    int64   `json:"p95"`
	Share  float64 `json:"share"` // of all orders
}

func routeLines(g *gatewayView) (list []routeLine) {
	for _, u := range g.routes {
		l := routeLine{Route: u.Route.String(), State: "down", Chosen: u.Chosen, Orders: u.Sent, Acks: u.Acks, P50: int64(u.P50), P95: int64(u.P95), Share: u.Share}
		switch {
		case u.Stalled:
			l.State = "stalled"
		case u.Up:
			l.State = "up"
		}
		if u.Chosen {
			l.Why = u.Why.String()
		}
		if u.Route == exec.RouteWS && !g.twoRoutes {
			continue
		}
		list = append(list, l)
	}
	return list
}
