package venue

import (
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/gobwas/ws"

	"riposte/tools/venue/link"
)

// Faults of connections: their bytes, and the WebSocket protocol on them. Loop goroutine.

// linkOf is the connection below TLS.
func linkOf(nc net.Conn) *link.Conn {
	c, _ := below(nc).(*link.Conn) // the venue's listener makes no others
	return c
}

// links are the connections that a fault is meant for, oldest first.
func (f *Faults) links(fault Fault, c cause) []*link.Conn {
	switch {
	case fault.Here:
		if c.link == nil {
			return nil
		}
		return []*link.Conn{c.link}
	case fault.Conn != 0:
		if one := f.srv.line.Conn(fault.Conn); one != nil {
			return []*link.Conn{one}
		}
		return nil
	case fault.Target == "all":
		// Those of the simulator's own pages are spared: the answer to this very line may be one's.
		return slices.DeleteFunc(f.srv.line.Conns(""), func(l *link.Conn) bool { return l.Kind() == "admin" })
	}
	return f.srv.line.Conns(fault.Target)
}

func (f *Faults) cut(fault Fault, c cause) error {
	for _, l := range f.links(fault, c) {
		l.Cut(fault.After)
	}
	return nil
}

func (f *Faults) hold(fault Fault, c cause) error {
	for _, l := range f.links(fault, c) {
		l.Hold(fault.How != "in", fault.How != "out", fault.For)
	}
	return nil
}

func (f *Faults) slow(fault Fault, c cause) error {
	for _, l := range f.links(fault, c) {
		l.Slow(fault.For, fault.Jitter)
	}
	return nil
}

func (f *Faults) trickle(fault Fault, c cause) error {
	for _, l := range f.links(fault, c) {
		l.Trickle(fault.Number, fault.For)
	}
	return nil
}

func (f *Faults) accept(fault Fault, _ cause) error {
	f.srv.line.Greet(map[string]link.Greeting{"reset": link.Reset, "end": link.End, "stall": link.Stall}[fault.How], fault.Count)
	return nil
}

func (f *Faults) refuse(fault Fault, _ cause) error {
	f.srv.line.Refuse(fault.For)
	return nil
}

func (f *Faults) cert(fault Fault, _ cause) error {
	if f.srv.certs == nil {
		return fmt.Errorf("the venue does not speak TLS")
	}
	f.srv.certs.show(fault.How)
	return nil
}

// webSockets are the open ones that a fault is meant for, oldest first.
func (f *Faults) webSockets(fault Fault, c cause) []*conn {
	var list []*conn
	for _, kind := range []connKind{streamConn, apiConn} {
		if fault.Target == "all" || fault.Target == kind.String() {
			list = append(list, f.srv.sockets(kind)...)
		}
	}
	return slices.DeleteFunc(list, func(k *conn) bool { return !f.meant(fault, c, k.id) })
}

// meant says whether a fault is for the connection with that number.
func (f *Faults) meant(fault Fault, c cause, id uint64) bool {
	if fault.Here {
		return c.link != nil && c.link.ID() == id
	}
	return fault.Conn == 0 || fault.Conn == id
}

func (f *Faults) freeze(fault Fault, c cause) error {
	until := c.now + fault.For.Microseconds()
	if fault.Target == "streams" || fault.Target == "wsapi" {
		list := f.webSockets(fault, c)
		for _, k := range list {
			k.frozen.Store(true)
		}
		f.srv.loop.at(until, func(int64) {
			for _, k := range list {
				k.frozen.Store(false)
			}
		})
		return nil
	}
	if _, ok := parseStream(fault.Target, f.srv.cfg.DepthFast); !ok {
		return fmt.Errorf("got stream %q, want streams, wsapi or a stream name", fault.Target)
	}
	f.srv.hub.frozen[fault.Target] = until // also for those who subscribe again meanwhile
	if t := f.srv.hub.topics[fault.Target]; t != nil {
		t.frozen = until
	}
	return nil
}

// stick silences the subscriptions that there are to a stream, for good: who subscribes
// again hears it.
func (f *Faults) stick(fault Fault, _ cause) error {
	if _, ok := parseStream(fault.Target, f.srv.cfg.DepthFast); !ok || fault.Target == "streams" || fault.Target == "wsapi" {
		return fmt.Errorf("got stream %q, want a stream name", fault.Target)
	}
	if t := f.srv.hub.topics[fault.Target]; t != nil {
		for _, s := range t.subs {
			s.stuck = true
		}
	}
	return nil
}

// shutdown announces a planned close; the sockets go down after the lead.
func (f *Faults) shutdown(fault Fault, c cause) error {
	lead := fault.For
	if lead == 0 {
		lead = f.srv.cfg.ShutdownLead
	}
	for _, k := range f.webSockets(fault, c) {
		k.shutdown(c.now, lead)
	}
	return nil
}

func (f *Faults) bye(fault Fault, c cause) error {
	for _, k := range f.webSockets(fault, c) {
		if fault.Number == 0 {
			k.last([]byte{0x80 | byte(ws.OpClose), 0}, false) // without a code
			continue
		}
		k.closeWith(ws.StatusCode(fault.Number), "bye")
	}
	return nil
}

func (f *Faults) pings(fault Fault, c cause) error {
	for _, k := range f.webSockets(fault, c) {
		k.pace(c.now, fault.For)
	}
	return nil
}

func (f *Faults) pongs(fault Fault, c cause) error {
	for _, k := range f.webSockets(fault, c) {
		k.pongLag.Store(int64(fault.For))
	}
	return nil
}

// terminate ends user data subscriptions as the venue does when a key or session ends.
func (f *Faults) terminate(fault Fault, c cause) error {
	found := fault.Target == "*"
	for i := range f.srv.cfg.Accounts {
		if name := f.srv.cfg.Accounts[i].Name; fault.Target != "*" && fault.Target != name {
			continue
		}
		found = true
		for _, u := range slices.Clone(f.srv.users.list(i)) {
			f.srv.users.terminate(u, c.now)
		}
	}
	if !found {
		return fmt.Errorf("got account %q, want one of the venue's or *", fault.Target)
	}
	return nil
}

func (f *Faults) revoke(fault Fault, _ cause) error {
	if !f.srv.revoke(fault.Target) {
		return fmt.Errorf("got key %q, want a key of the venue", fault.Target)
	}
	return nil
}

// armSubscribe spoils the next SUBSCRIBE requests.
func (f *Faults) armSubscribe(fault Fault, _ cause) error {
	for range fault.Count {
		f.subscribe = append(f.subscribe, fault.How)
	}
	return nil
}

// nextSubscribe takes what happens to this one, empty for nothing.
func (f *Faults) nextSubscribe() string {
	if len(f.subscribe) == 0 {
		return ""
	}
	how := f.subscribe[0]
	f.subscribe = f.subscribe[1:]
	return how
}

// pace changes the interval of the venue's PINGs, 0 for none. Loop goroutine.
func (c *conn) pace(now int64, every time.Duration) {
	c.srv.loop.remove(c.beat)
	if c.interval = every.Microseconds(); c.interval > 0 {
		c.beat = c.srv.loop.at(now+c.interval, c.ping)
	}
}
