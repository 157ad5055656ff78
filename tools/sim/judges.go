package sim

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"riposte/tools/venue"
	"riposte/tools/venue/exchange"
)

// BookJudge holds every Live book against the venue's own at the same update id (P1).
type BookJudge struct {
	Blind
	w        *World
	srv      *venue.Server
	Compared int
}

// NewBookJudge makes one.
func NewBookJudge(w *World, srv *venue.Server) *BookJudge { return &BookJudge{w: w, srv: srv} }

// Book compares level by level; beyond what is trusted the venue may have more.
func (j *BookJudge) Book(b *Book) {
	truth, err := j.srv.BookAt(b.Symbol, b.ID)
	if err != nil {
		return // older than the venue's own history
	}
	j.Compared++
	if len(b.Bids) > 0 && len(b.Asks) > 0 && b.Bids[0].Price >= b.Asks[0].Price {
		j.w.Violated("P1", fmt.Sprintf("%s at %d is crossed", b.Symbol, b.ID))
	}
	for side, pair := range [2]struct {
		ours []Level
		true []exchange.Level
	}{{b.Bids, truth.Bids}, {b.Asks, truth.Asks}} {
		if text := unlike(pair.ours, pair.true, side == 0, b.Trusted[side]); text != "" {
			j.w.Violated("P1", fmt.Sprintf("%s at %d, side %d: %s", b.Symbol, b.ID, side, text))
			return
		}
	}
}

func unlike(ours []Level, truth []exchange.Level, bid bool, trusted int64) string {
	i := 0
	for _, t := range truth {
		p, q := t.Price, t.Qty
		if i < len(ours) && ours[i].Price == p {
			if ours[i].Qty != q {
				return fmt.Sprintf("%d holds %d, ours %d", p, q, ours[i].Qty)
			}
			i++
			continue
		}
		if bid && p >= trusted || !bid && p <= trusted {
			return fmt.Sprintf("%d x %d is missing in ours", p, q)
		}
	}
	if i < len(ours) {
		return fmt.Sprintf("%d x %d is ours alone", ours[i].Price, ours[i].Qty)
	}
	return ""
}

// OrderJudge counts the requests that create orders, by client id: each may leave once
// (P5).
type OrderJudge struct {
	Blind
	w    *World
	sent map[string]*Message
	// Places is how many requests that create an order have left.
	Places int
}

// NewOrderJudge makes one.
func NewOrderJudge(w *World) *OrderJudge { return &OrderJudge{w: w, sent: map[string]*Message{}} }

// Message looks for client ids of new orders.
func (j *OrderJudge) Message(m *Message) {
	id := NewClientID(m)
	if id == "" {
		return
	}
	j.Places++
	if first := j.sent[id]; first != nil {
		j.w.Violated("P5", fmt.Sprintf("order %s left twice: on %s at %v and on %s", id, first.Link, first.At, m.Link))
		return
	}
	j.sent[id] = &Message{At: m.At, Link: m.Link}
}

// NewClientID is the client id of the order that a message would create, "" if it
// creates none.
func NewClientID(m *Message) string {
	switch {
	case !m.Up:
		return ""
	case m.Kind == Request:
		if m.Method != "POST" || m.Path != "/api/v3/order" && m.Path != "/api/v3/order/cancelReplace" {
			return ""
		}
		id := formValue(m.Query, "newClientOrderId")
		if id == "" {
			id = formValue(m.Body, "newClientOrderId")
		}
		return id
	case m.Kind == Text && m.Link.Kind == API:
		if !bytes.Contains(m.Body, []byte(`"order.place"`)) && !bytes.Contains(m.Body, []byte(`"order.cancelReplace"`)) {
			return ""
		}
		return jsonText(m.Body, "newClientOrderId")
	}
	return ""
}

func formValue(form []byte, name string) string {
	for _, pair := range bytes.Split(form, []byte("&")) {
		if k, v, _ := bytes.Cut(pair, []byte("=")); string(k) == name {
			return string(v)
		}
	}
	return ""
}

// jsonText is the first text with that name, wherever it stands. Client ids have no
// escapes.
func jsonText(b []byte, name string) string {
	_, rest, ok := bytes.Cut(b, []byte(`"`+name+`":"`))
	if !ok {
		return ""
	}
	v, _, _ := bytes.Cut(rest, []byte(`"`))
	return string(v)
}

// LimitJudge sees to it that the venue's limits are never hit but where a fault says so
// (P25).
type LimitJudge struct {
	Blind
	w      *World
	forced time.Duration // until then refusals are the plan's
	// Tight are limits of weight that a former life may have used up.
	Tight bool
}

// Life gives a new life time to learn what the last has used: a window of the order count,
// or of the weight. Without the folder that processes share nobody tells it.
func (j *LimitJudge) Life(n int, on bool) {
	span := 11 * time.Second
	if j.Tight {
		span = time.Minute
	}
	if on && n > 0 {
		j.forced = max(j.forced, j.w.Now()+span)
	}
}

// NewLimitJudge makes one.
func NewLimitJudge(w *World) *LimitJudge { return &LimitJudge{w: w} }

// Fault notes refusals that the plan asks for.
func (j *LimitJudge) Fault(e *Event) {
	verb, rest, _ := strings.Cut(e.Text, " ")
	if e.Kind == "venue" && (verb == "429" || verb == "418") {
		d, _ := time.ParseDuration(rest)
		j.forced = max(j.forced, j.w.Now()+d+time.Second)
	}
}

// Message looks for refusals by rate.
func (j *LimitJudge) Message(m *Message) {
	if m.Up || j.w.Now() < j.forced {
		return
	}
	bad := m.Kind == Answer && (m.Status == 429 || m.Status == 418)
	if m.Kind == Text && m.Link.Kind == API || m.Kind == Answer && m.Status >= 400 {
		bad = bad || bytes.Contains(m.Body, []byte(`"code":-1003`)) || bytes.Contains(m.Body, []byte(`"code":-1015`))
	}
	bad = bad || m.Kind == Close && bytes.Contains(m.Body, []byte("Too many requests"))
	if bad {
		j.w.Violated("P25", fmt.Sprintf("refused by rate on %s: %d %.200s", m.Link, m.Status, m.Body))
	}
}

// RestJudge compares what is left at rest: fills, each once, and every balance (P7, P8,
// P9), and that no own order is left (X2).
type RestJudge struct {
	Blind
	w *World
}

// NewRestJudge makes one.
func NewRestJudge(w *World) *RestJudge { return &RestJudge{w: w} }

// Rest compares.
func (j *RestJudge) Rest(e Engine, srv *venue.Server) {
	trades, err := srv.AllTrades("")
	orders, oerr := srv.AllOrders("")
	balances, berr := srv.Balances("")
	booked, jerr := e.Booked()
	for _, err := range []error{err, oerr, berr, jerr} {
		if err != nil {
			j.w.Violated("harness", err.Error())
			return
		}
	}
	seen := map[string]int{}
	for i := range booked {
		seen[fmt.Sprintf("%s %d", booked[i].Symbol, booked[i].Trade)]++
	}
	for _, key := range slices.Sorted(maps.Keys(seen)) {
		if n := seen[key]; n > 1 {
			j.w.Violated("P8", fmt.Sprintf("fill %s is booked %d times", key, n))
		}
	}
	for i := range trades {
		key := fmt.Sprintf("%s %d", trades[i].Symbol, trades[i].ID)
		if seen[key] == 0 {
			j.w.Violated("P7", fmt.Sprintf("fill %s of order %d, %d at %d, is not booked", key, trades[i].OrderID, trades[i].Qty, trades[i].Price))
		}
		delete(seen, key)
	}
	for _, key := range slices.Sorted(maps.Keys(seen)) {
		j.w.Violated("P8", fmt.Sprintf("fill %s is booked and was none", key))
	}
	ours := e.Balances()
	for _, b := range balances {
		if own, ok := ours[b.Asset]; ok && own != b.Free+b.Locked {
			j.w.Violated("P9", fmt.Sprintf("%s: the venue has %d, ours is %d", b.Asset, b.Free+b.Locked, own))
		}
	}
	ids := map[string]int{}
	for i := range orders {
		o := &orders[i]
		ids[o.ClientOrderID]++
		if n := ids[o.ClientOrderID]; n > 1 {
			j.w.Violated("P5", fmt.Sprintf("%d orders at the venue have the client id %s", n, o.ClientOrderID))
		}
		if slices.Contains([]string{"NEW", "PARTIALLY_FILLED", "PENDING_NEW"}, o.Status.String()) {
			j.w.Violated("X2", fmt.Sprintf("order %s of %s is still %s", o.ClientOrderID, o.Symbol, o.Status))
		}
	}
}
