package oracle

import (
	"fmt"
	"strconv"
	"strings"
)

// intent is P4: before the first byte of a request that creates an order its intent is on
// disk.
type intent struct {
	journal *journal
}

func newIntent() *intent { return &intent{} }

// Promise is P4.
func (*intent) Promise() string { return "P4" }

// See takes a fact.
func (i *intent) See(f *Fact, found func(string)) {
	if w, ok := f.What.(Started); ok {
		i.journal = nil
		if w.Journal != "" {
			i.journal = newJournal(w.Journal)
		}
	}
	if i.journal == nil {
		return
	}
	switch w := f.What.(type) {
	case Begun:
		// A cut request may be over before it has named its order.
		if id := newClient(w.B); id != "" && !i.journal.has(id) {
			found(id + " began to leave before its intent was on disk")
		}
	case *Request:
		if id := w.Client(); w.Creates() && clientID.MatchString(id) && !i.journal.has(id) {
			found(id + " left, and its intent is not on disk")
		}
	}
}

// newClient is the client id of the order that a request's bytes create, "" if they do not
// create one or do not say it.
func newClient(b []byte) string {
	for _, mark := range []string{"newClientOrderId=", `"newClientOrderId":"`} {
		if _, rest, ok := strings.Cut(string(b), mark); ok {
			if id := clientID.FindString(rest); strings.HasPrefix(rest, id) {
				return id
			}
		}
	}
	return ""
}

// tag is P12: each order carries the id of the one gate that can make them: prefix, epoch
// of the life that sends it, and a number of its own.
type tag struct {
	rules *Rules
	epoch uint64
	used  map[string]bool
}

func newTag(r *Rules) *tag { return &tag{rules: r, used: map[string]bool{}} }

// Promise is P12.
func (*tag) Promise() string { return "P12" }

// See takes a fact.
func (g *tag) See(f *Fact, found func(string)) {
	switch w := f.What.(type) {
	case Started:
		g.epoch = w.Epoch
	case *Request:
		if !w.Creates() {
			return
		}
		id := w.Client()
		prefix, epoch, _, ok := splitID(id)
		switch {
		case !ok || prefix != g.rules.Prefix:
			found(fmt.Sprintf("an order left under %q, which is no id of the gate's: %v", id, w))
		case epoch != g.epoch:
			found(fmt.Sprintf("%s left in the life of epoch %d", id, g.epoch))
		case g.used[id]:
			found(id + " left for a second time")
		}
		g.used[id] = true
	}
}

// splitID takes a client id of ours apart.
func splitID(id string) (prefix string, epoch, seq uint64, ok bool) {
	if clientID.FindString(id) != id || id == "" {
		return "", 0, 0, false
	}
	parts := strings.Split(id, "-")
	epoch, err1 := strconv.ParseUint(parts[1], 36, 64)
	seq, err2 := strconv.ParseUint(parts[2], 36, 64)
	return parts[0], epoch, seq, err1 == nil && err2 == nil
}
