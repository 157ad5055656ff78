package binance

import (
	"context"
	"errors"
	"fmt"

	"github.com/valyala/fastjson"

	"riposte/core"
	"riposte/exec"
)

// ReplaceRequest cancels one order and places another on the same symbol: POST
// /api/v3/order/cancelReplace, weight 1 if it fails, order count 1 also where the new
// order is not attempted (Binance Spot API docs, 2026-07-21). The new order's filters
// and the order count are looked at before the cancel.
type ReplaceRequest struct {
	OrderRequest

	Old          Ref
	CancelClient core.ClientID // cancelNewClientOrderId: the id of the cancel, may be empty
	Only         Restriction
	AllowFailure bool // place the new order also if the cancel fails
	CancelAnyway bool // orderRateLimitExceededMode CANCEL_ONLY: cancel though the order count is full
}

// Ref names an order: by the venue's id, which is the fast way, by its client id, or by
// both, which must then belong together.
type Ref struct {
	VenueID int64
	Client  core.ClientID
}

func (r Ref) empty() bool { return r.VenueID == 0 && len(r.Client.Bytes()) == 0 }

func (r Ref) add(p *Params, id, client string) {
	p.IntIf(id, r.VenueID).Text(client, r.Client.String())
}

// Restriction cancels an order only in one state.
type Restriction uint8

// The restrictions.
const (
	Always Restriction = iota
	OnlyNew
	OnlyPartiallyFilled
)

var restrictionText = [...]string{"", "ONLY_NEW", "ONLY_PARTIALLY_FILLED"}

// Outcome is what became of one half of a replace.
type Outcome uint8

// The outcomes. OutcomeUnknown is the zero value: what nobody read may have happened.
const (
	OutcomeUnknown Outcome = iota
	Accepted
	Refused
	NotAttempted
)

var outcomeText = [...]string{"unknown", "accepted", "refused", "not attempted"}

func (o Outcome) String() string { return outcomeText[o] }

// Half is one half of a replace. Done, or for the cancel of a list's leg List, is set if
// it was accepted and the answer told; Code and Msg if it was refused.
type Half struct {
	Outcome Outcome
	Done    *Order
	List    *OrderList
	Code    int
	Msg     string
}

// Replaced is what became of both halves.
type Replaced struct{ Cancel, New Half }

// Replace cancels and places. The halves tell what happened in every case, as far as
// anybody knows; the error is nil only if both were accepted. Its class is that of the
// new order: accepted where only the cancel failed.
func (t *Trader) Replace(ctx context.Context, q *ReplaceRequest) (Replaced, error) {
	c, err := q.OrderRequest.call("/api/v3/order/cancelReplace", weightPlace)
	if err == nil && (q.Old.empty() || q.Only > OnlyPartiallyFilled) {
		err = fmt.Errorf("old order is %d %q with restriction %d, want one of its ids and a known restriction", q.Old.VenueID, q.Old.Client, q.Only)
	}
	if err != nil {
		return notAttempted(0, err.Error()), refusedHere(c, err)
	}
	c.orders = 1
	mode := "STOP_ON_FAILURE"
	if q.AllowFailure {
		mode = "ALLOW_FAILURE"
	}
	q.Old.add(c.params.Text("cancelReplaceMode", mode), "cancelOrderId", "cancelOrigClientOrderId")
	c.params.Text("cancelNewClientOrderId", q.CancelClient.String()).Text("cancelRestrictions", restrictionText[q.Only])
	if q.CancelAnyway {
		c.params.Text("orderRateLimitExceededMode", "CANCEL_ONLY")
	}
	a, err := t.send(ctx, c)
	return t.replaced(c, a, err, q)
}

func notAttempted(code int, msg string) Replaced {
	return Replaced{Half{Outcome: NotAttempted}, Half{Outcome: Refused, Code: code, Msg: msg}}
}

// replaced reads every row of the table of outcomes: 200 both; 400 -2022 the cancel
// failed and the new order was not attempted or failed; 409 -2021 one of the two; 429
// -1015 alone: neither was tried; -1015 within -2021, with 409 or 429: cancelled only.
// Any other refusal came before the cancel (Binance Spot API docs, 2026-07-21).
func (r *REST) replaced(c *call, a *answer, err error, q *ReplaceRequest) (Replaced, error) {
	var ce *exec.CallError
	if err != nil && !errors.As(err, &ce) {
		return Replaced{}, err
	}
	if a == nil {
		if ce.Class == exec.ClassRefused || ce.Class == exec.ClassLimited {
			return notAttempted(ce.Code, ce.Error()), err // nothing left
		}
		return Replaced{}, err
	}
	doc, perr := fastjson.ParseBytes(a.body)
	halves := doc
	switch {
	case perr != nil:
	case a.status >= 500:
		return Replaced{}, err
	case ce != nil && (ce.Code == -2021 || ce.Code == -2022):
		halves = doc.Get("data")
	case ce != nil && (ce.Class == exec.ClassRefused || ce.Class == exec.ClassLimited):
		return notAttempted(ce.Code, ce.Msg), err
	}
	if perr != nil || halves == nil || halves.Type() != fastjson.TypeObject {
		return Replaced{}, r.halfRead(c, a, ce, fmt.Errorf("found %s, want both halves of a replace", clip(string(a.body))))
	}
	var res Replaced
	var bad [2]error
	res.Cancel, bad[0] = r.cancelHalf(halves)
	res.New, bad[1] = r.newHalf(halves, &q.OrderRequest)
	if err := errors.Join(bad[:]...); err != nil {
		return res, r.halfRead(c, a, ce, err)
	}
	if ce == nil && (res.Cancel.Outcome != Accepted || res.New.Outcome != Accepted) {
		return res, r.halfRead(c, a, ce, fmt.Errorf("found cancel %s and new order %s, want both accepted", res.Cancel.Outcome, res.New.Outcome))
	}
	if ce != nil {
		ce.Class = map[Outcome]exec.Class{Accepted: exec.ClassAccepted, Refused: exec.ClassRefused, NotAttempted: exec.ClassRefused}[res.New.Outcome]
		if res.New.Code == -1015 {
			ce.Class = exec.ClassLimited
			r.cfg.Budget.OrderLockout(ce.RetryAfter, r.cfg.Time.Now(), r.cfg.Clock.Mono())
		}
	}
	return res, err
}

// halfRead is the error of an answer that is not what was documented.
func (r *REST) halfRead(c *call, a *answer, ce *exec.CallError, why error) error {
	e := &exec.CallError{Op: c.op(), Class: exec.ClassUnknown, Status: a.status, Err: why}
	if ce != nil {
		e.Code, e.Msg, e.RetryAfter = ce.Code, ce.Msg, ce.RetryAfter
	}
	return e
}

func outcomeOf(v *fastjson.Value, name string, reply *fastjson.Value) (h Half, accepted bool, err error) {
	switch s := string(v.GetStringBytes(name)); s {
	case "SUCCESS":
		return Half{Outcome: Accepted}, true, nil
	case "NOT_ATTEMPTED":
		return Half{Outcome: NotAttempted}, false, nil
	case "FAILURE":
		code := 0
		if reply != nil {
			code = errorCode(reply)
		}
		if code == 0 || openCode(code) { // says nothing that could be relied upon
			return Half{}, false, fmt.Errorf("%s is FAILURE for %s, want a code", name, clip(fmt.Sprint(reply)))
		}
		return Half{Outcome: Refused, Code: code, Msg: clip(string(reply.GetStringBytes("msg")))}, false, nil
	default:
		return Half{}, false, fmt.Errorf("%s is %q, want SUCCESS, FAILURE or NOT_ATTEMPTED", name, clip(s))
	}
}

func (r *REST) cancelHalf(v *fastjson.Value) (Half, error) {
	reply := v.Get("cancelResponse")
	h, done, err := outcomeOf(v, "cancelResult", reply)
	if !done {
		return h, err
	}
	gone, err := r.canceledOf(reply)
	h.Done, h.List = gone.Order, gone.List
	return h, err
}

func (r *REST) newHalf(v *fastjson.Value, o *OrderRequest) (Half, error) {
	reply := v.Get("newOrderResponse")
	h, done, err := outcomeOf(v, "newOrderResult", reply)
	if !done {
		return h, err
	}
	got, err := r.newOrderOf(reply, o)
	if err != nil {
		return Half{}, err // of which order this speaks is not known
	}
	h.Done = got
	return h, nil
}
