package exchange

import (
	"io"
	"strconv"
)

// eventLog writes the canonical event log: one line per command, reject, level
// change, trade, top, report and balance, in engine order, all numbers as
// integers. Equal config and commands give equal bytes; nothing in a line
// depends on memory, maps or the wall clock.
type eventLog struct {
	w   io.Writer
	buf []byte
	err error
}

const logFlush = 1 << 15

func (l *eventLog) on() bool { return l.w != nil }

func (l *eventLog) flush() {
	if len(l.buf) == 0 {
		return
	}
	if l.err == nil {
		_, l.err = l.w.Write(l.buf)
	}
	l.buf = l.buf[:0]
}

func (l *eventLog) word(s string) *eventLog {
	l.buf = append(append(l.buf, s...), ' ')
	return l
}

func (l *eventLog) num(v int64) *eventLog {
	l.buf = append(strconv.AppendInt(l.buf, v, 10), ' ')
	return l
}

func (l *eventLog) opt(o Opt) *eventLog {
	if !o.Set {
		return l.word("-")
	}
	return l.num(o.V)
}

func (l *eventLog) end() {
	l.buf[len(l.buf)-1] = '\n'
	if len(l.buf) >= logFlush {
		l.flush()
	}
}

func (l *eventLog) start(x *Exchange, seed uint64) {
	if l.on() {
		l.word("start").num(x.now).num(int64(seed)).num(int64(len(x.insts))).num(int64(len(x.accounts))).end()
	}
}

func (l *eventLog) command(now Micros, verb string, acct AccountID, symbol string) {
	l.word("C").num(now).word(verb).num(int64(acct)).word(symbol).end()
}

func (l *eventLog) newOrder(r *NewOrder) {
	l.word("  new").word(r.Side.String()).word(r.Type.String()).word(r.TimeInForce.String()).opt(r.Quantity).
		opt(r.QuoteOrderQty).opt(r.Price).opt(r.StopPrice).opt(r.IcebergQty).opt(r.TrailingDelta).
		word(r.ClientOrderID).word(r.STP.String()).opt(r.StrategyID).opt(r.StrategyType).
		word(r.Peg.Price.String()).word(r.Peg.Offset.String()).opt(r.Peg.Value).end()
}

func (l *eventLog) newList(r *NewList) {
	l.word("  list").num(int64(r.Kind)).word(r.ClientID).end()
	for i := range r.Legs {
		l.newOrder(&r.Legs[i])
	}
}

func (l *eventLog) list(a AccountID, s *ListState, now Micros) {
	l.word("G").num(now).num(int64(a)).word(s.Symbol).num(s.ListID).word(s.Contingency.String()).word(s.Type.String()).
		word(s.Status.String()).word(s.Reject.String()).word(s.ClientID)
	for i := range s.Orders {
		l.num(s.Orders[i].OrderID).word(s.Orders[i].ClientOrderID)
	}
	l.end()
}

func (l *eventLog) cancel(r *CancelRequest) {
	l.word("  of").opt(r.OrderID).word(r.OrigClientOrderID).word(r.NewClientOrderID).word(r.Restriction.String()).end()
}

func (l *eventLog) amend(r *AmendRequest) {
	l.word("  to").opt(r.OrderID).word(r.OrigClientOrderID).word(r.NewClientOrderID).opt(r.NewQty).end()
}

func (l *eventLog) reject(r *Reject) {
	if r != nil && l.on() {
		l.word("R").num(int64(r.Code)).word(r.Msg).end()
		l.flush()
	}
}

func (l *eventLog) level(in *instrument, side Side, price, qty Fixed) {
	l.word("L").num(in.x.now).word(in.sym.Name).num(in.updateID).num(int64(side)).num(price).num(qty).end()
}

func (l *eventLog) trade(t *Trade) {
	maker := int64(0)
	if t.BuyerIsMaker {
		maker = 1
	}
	l.word("T").num(t.Time).word(t.Symbol).num(t.ID).num(t.Price).num(t.Qty).num(t.QuoteQty).num(t.BuyOrderID).num(t.SellOrderID).num(maker).end()
}

func (l *eventLog) top(t *Top) {
	l.word("B").num(t.Time).word(t.Symbol).num(t.UpdateID).num(t.Bid.Price).num(t.Bid.Qty).num(t.Ask.Price).num(t.Ask.Qty).end()
}

func (l *eventLog) execution(a AccountID, r *ExecutionReport) {
	l.word("E").num(r.EventTime).num(int64(a)).word(r.Symbol).num(r.ExecutionID).word(r.Exec.String()).word(r.Status.String()).
		word(r.Reject.String()).num(r.OrderID).word(r.ClientOrderID).word(r.OrigClientID).word(r.Side.String()).
		word(r.Type.String()).word(r.TimeInForce.String()).num(r.Quantity).num(r.Price).num(r.LastQty).num(r.LastPrice).
		num(r.LastQuote).num(r.CumQty).num(r.CumQuote).num(r.QuoteOrderQty).num(r.Commission).word(r.CommAsset).num(r.TradeID).
		num(r.OrderTime).num(r.WorkingTime).word(r.STP.String()).word(r.ExpiryReason.String()).num(r.PreventedMatchID).
		num(r.PreventedQty).num(r.LastPrevented).num(r.CounterOrderID).num(r.OrderListID).num(r.StopPrice).
		num(r.IcebergQty).num(r.TrailingTime).num(r.PeggedPrice).end()
}

func (l *eventLog) balances(a AccountID, bs []Balance, now Micros) {
	l.word("P").num(now).num(int64(a))
	for i := range bs {
		l.word(bs[i].Asset).num(bs[i].Free).num(bs[i].Locked)
	}
	l.end()
}
