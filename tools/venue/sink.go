package venue

import (
	"riposte/tools/venue/exchange"
	"riposte/tools/venue/wire"
)

// sink takes the exchange's events on the loop goroutine and hands them to streams and user data.
type sink struct {
	srv  *Server
	hub  *hub
	user *users
}

func unit(us bool) wire.Unit {
	if us {
		return wire.Micro
	}
	return wire.Milli
}

func (k *sink) market(symbol string) *market {
	if k.hub == nil {
		return nil // the market may trade while the exchange is being made
	}
	return k.hub.markets[symbol]
}

// Trade implements exchange.Sink.
func (k *sink) Trade(t *exchange.Trade) {
	m := k.market(t.Symbol)
	if m == nil {
		return
	}
	m.trades++
	if m.trade != nil && !m.mute(false) {
		k.hub.publish(m.trade, t.Time, func(b []byte, us bool) []byte { return wire.AppendTrade(b, t, t.Time, unit(us)) })
	}
}

// AggTrade implements exchange.Sink.
func (k *sink) AggTrade(t *exchange.AggTrade) {
	if m := k.market(t.Symbol); m != nil && m.agg != nil && !m.mute(false) {
		k.hub.publish(m.agg, t.Time, func(b []byte, us bool) []byte { return wire.AppendAggTrade(b, t, t.Time, unit(us)) })
	}
}

// Top implements exchange.Sink.
func (k *sink) Top(t *exchange.Top) {
	if m := k.market(t.Symbol); m != nil && m.ticker != nil && !m.mute(false) {
		k.hub.publish(m.ticker, t.Time, func(b []byte, _ bool) []byte { return wire.AppendBookTicker(b, t) })
	}
}

// Execution implements exchange.Sink.
func (k *sink) Execution(a exchange.AccountID, r *exchange.ExecutionReport) {
	if k.srv == nil {
		return
	}
	k.srv.executed(a, r)
	event := "report"
	if r.Exec == exchange.ExecTrade {
		event = "fill"
		if f := k.srv.faults; f.listening.Load() {
			f.happened(event, "", cause{now: r.TransactTime, inside: true})
		}
	}
	k.user.emit(a, event, r.Symbol, func(b []byte, us bool) []byte { return appendExecutionReport(b, r, us) })
}

// List implements exchange.Sink.
func (k *sink) List(a exchange.AccountID, s *exchange.ListState) {
	if k.srv != nil {
		k.user.emit(a, "user", s.Symbol, func(b []byte, us bool) []byte { return appendListStatus(b, s, us) })
	}
}

// Balances implements exchange.Sink.
func (k *sink) Balances(a exchange.AccountID, list []exchange.Balance, t exchange.Micros) {
	if k.srv == nil {
		return
	}
	k.srv.lag.settled(a, t)
	k.user.emit(a, "balance", "", func(b []byte, us bool) []byte { return appendAccountPosition(b, list, t, us) })
}

// Status implements exchange.Sink.
func (k *sink) Status(symbol string, s exchange.SymbolStatus) {
	if m := k.market(symbol); m != nil {
		m.status = s
	}
}

// flushDepth sends what changed since the last flush of one speed, then the partial books of that speed.
func (h *hub) flushDepth(now int64, fast bool) {
	for _, m := range h.order {
		h.flushMarket(m, now, fast)
	}
}

func (h *hub) flushMarket(m *market, now int64, fast bool) {
	cur := m.slowCur
	if fast {
		cur = m.fastCur
	}
	// The cursor moves even when nobody listens, so that a new subscriber's first event is one interval, not the past.
	diff, changed := h.srv.x.FlushDepth(cur)
	if m.mute(false) {
		return
	}
	for _, t := range m.other {
		if t.spec.fast != fast {
			continue
		}
		switch t.spec.kind {
		case streamDepth:
			if changed {
				h.happened(t, now)
				h.overlap(t, &diff, now)
				h.publish(t, now, func(b []byte, us bool) []byte { return wire.AppendDepthUpdate(b, &diff, now, unit(us)) })
			}
		case streamPartial:
			h.partial(t, now)
		}
	}
}

func (h *hub) partial(t *topic, now int64) {
	if len(t.subs) == 0 {
		return
	}
	id, bids, asks, rej := h.srv.x.Depth(t.spec.symbol, t.spec.levels)
	if rej != nil || id == t.sentID {
		return
	}
	t.sentID = id
	h.publish(t, now, func(b []byte, _ bool) []byte { return wire.AppendDepth(b, id, bids, asks) })
}

// flushKlines sends the open bar of every kline stream with the given pace if trades changed it, and a bar that closed
// since the last time with x set.
func (h *hub) flushKlines(now int64, second bool) {
	for _, m := range h.order {
		if m.mute(true) {
			continue
		}
		for _, t := range m.other {
			if t.spec.kind == streamKline && (t.spec.ivName == "1s") == second && len(t.subs) > 0 {
				h.kline(m, t, now)
			}
		}
	}
}

func (h *hub) kline(m *market, t *topic, now int64) {
	k, ok := h.srv.x.CurrentKline(m.name, t.spec.interval, t.spec.offset)
	if !ok {
		return
	}
	if t.openTime != 0 && k.OpenTime != t.openTime {
		q := exchange.KlineQuery{Interval: t.spec.interval, Offset: t.spec.offset,
			StartTime: exchange.Some(t.openTime), EndTime: exchange.Some(k.OpenTime - 1), Limit: 1000}
		if done, rej := h.srv.x.Klines(m.name, q); rej == nil {
			for i := range done {
				done[i].Closed = true
				h.publish(t, now, func(b []byte, us bool) []byte { return wire.AppendKline(b, &done[i], now, unit(us)) })
			}
		}
		t.sentSeen = -1
	}
	t.openTime = k.OpenTime
	if t.sentSeen == m.trades {
		return
	}
	t.sentSeen = m.trades
	h.publish(t, now, func(b []byte, us bool) []byte { return wire.AppendKline(b, &k, now, unit(us)) })
}

// flushTickers sends tickers, mini tickers and average prices of symbols that traded since the last time.
func (h *hub) flushTickers(now int64) {
	for _, m := range h.order {
		if m.mute(false) {
			continue
		}
		for _, t := range m.other {
			if len(t.subs) == 0 {
				continue
			}
			if t.spec.kind == streamReference {
				h.reference(m, t, now)
				continue
			}
			if t.sentSeen == m.trades {
				continue
			}
			if encode := h.tickerOf(m, t.spec, now); encode != nil {
				t.sentSeen = m.trades
				h.publish(t, now, encode)
			}
		}
	}
	for _, t := range h.all {
		h.allTickers(t, now)
	}
}

// reference sends a symbol's reference price, null included, once it has had one. The event has no event time.
func (h *hub) reference(m *market, t *topic, now int64) {
	price, at := h.srv.x.Reference(m.name)
	if at == 0 {
		return
	}
	h.publish(t, now, func(b []byte, us bool) []byte {
		w := enc{b: b, us: us}
		w.open('{')
		w.str("e", "referencePrice")
		w.str("s", m.name)
		if price.Set {
			w.fixed("r", price.V)
		} else {
			w.raw("r", []byte("null"))
		}
		w.time("t", at)
		w.close('}')
		return w.b
	})
}

// tickerOf is the encoder of a ticker-like stream, nil for the other kinds.
func (h *hub) tickerOf(m *market, sp streamSpec, now int64) func(b []byte, us bool) []byte {
	window := exchange.Day
	switch sp.kind {
	case streamTicker, streamMiniTicker:
	case streamRollTicker:
		window = sp.window.Microseconds()
	case streamAvgPrice:
		avg, ok := h.srv.x.AvgPrice(m.name)
		if !ok {
			return nil
		}
		return func(b []byte, us bool) []byte { return wire.AppendAvgPrice(b, &avg, now, unit(us)) }
	default:
		return nil
	}
	tk, ok := h.srv.x.Ticker(m.name, window)
	if !ok {
		return nil
	}
	return func(b []byte, us bool) []byte { return appendTickerEvent(b, sp, &tk, now, us) }
}

func appendTickerEvent(b []byte, sp streamSpec, tk *exchange.Ticker, now int64, us bool) []byte {
	switch sp.kind {
	case streamTicker:
		return wire.AppendTicker(b, tk, now, unit(us))
	case streamMiniTicker, streamMiniTickers:
		return wire.AppendMiniTicker(b, tk, now, unit(us))
	}
	tk.OpenTime = minuteOf(tk.OpenTime)
	return wire.AppendWindowTicker(b, sp.winName+"Ticker", tk, now, unit(us))
}

// allTickers sends one array of the symbols that traded since the last time; nothing if none did.
func (h *hub) allTickers(t *topic, now int64) {
	var total int64
	for _, m := range h.order {
		total += m.trades
	}
	if len(t.subs) == 0 || total == t.sentSeen {
		return
	}
	t.sentSeen = total
	window := exchange.Day
	if t.spec.kind == streamRollTickers {
		window = t.spec.window.Microseconds()
	}
	if t.seen == nil {
		t.seen = make(map[*market]int64)
	}
	var list []exchange.Ticker
	for _, m := range h.order {
		if seen, sent := t.seen[m]; m.mute(false) || sent && seen == m.trades {
			continue
		}
		t.seen[m] = m.trades
		if tk, ok := h.srv.x.Ticker(m.name, window); ok {
			list = append(list, tk)
		}
	}
	if len(list) == 0 {
		return
	}
	h.publish(t, now, func(b []byte, us bool) []byte {
		b = append(b, '[')
		for i := range list {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendTickerEvent(b, t.spec, &list[i], now, us)
		}
		return append(b, ']')
	})
}
