package binance

import (
	"riposte/core"
)

// mask is the set of slots of one-letter keys.
func mask(letters string) (m uint64) {
	for i := range len(letters) {
		m |= 1 << letter(letters[i])
	}
	return m
}

// What each payload may hold without being counted as unknown. 2023 spot trades
// still carry the orders' ids a and b; futures trades carry X.
var (
	knownTouch  = mask("eEsTubBaA")
	knownTrade  = mask("eEsTtpqmMabX")
	knownAgg    = mask("eEsTapqflmM")
	knownDepth  = mask("eEsTUuba") | 1<<slotPrev
	knownTop    = uint64(1<<slotLast|1<<slotBids|1<<slotAsks) | mask("esET")
	knownKline  = mask("eEsTk")
	knownTicker = mask("eEspPwxcQbBaAohlvqOCFLn")
	knownMini   = mask("eEscohlvq")
	knownAvg    = mask("eEsiwT")

	needTouch   = mask("ubBaA")
	needPartial = uint64(1<<slotLast | 1<<slotBids | 1<<slotAsks)
)

// event turns the payload o into ev. st is what the stream's name, or the
// socket, says about it; bare is false inside a wrapper, where no replies are.
func (d *Decoder) event(b []byte, o *object, st streamName, bare bool, ev *core.Event) (n int, res Result) {
	if o.dup {
		return 0, Malformed
	}
	if !o.has(letter('e')) {
		switch {
		case o.hasAll(needPartial):
			return d.finish(b, o, st, ev, core.DepthTop)
		case o.hasAll(needTouch):
			return d.finish(b, o, st, ev, core.Touch)
		case bare && (o.has(slotResult) || o.has(slotError) || o.hasAll(1<<slotCode|1<<slotMsg)):
			return 0, d.control(b, o)
		}
		return 0, Ignored
	}
	name, ok := d.text(b, o, letter('e'))
	if !ok {
		return 0, Malformed
	}
	kind := core.EventKind(0)
	switch string(name) {
	case "depthUpdate":
		kind = core.DepthDelta
		if st.partial {
			kind = core.DepthTop // futures send partial depth in the clothes of a delta
		}
	case "bookTicker":
		kind = core.Touch
	case "trade":
		kind = core.Trade
	case "aggTrade":
		kind = core.AggTrade
	case "kline":
		kind = core.Kline
	case "24hrTicker":
		kind = core.Ticker24h
	case "24hrMiniTicker":
		kind = core.MiniTicker
	case "avgPrice":
		kind = core.AvgPrice
	case "serverShutdown":
		return 0, Shutdown
	default:
		return 0, Ignored
	}
	return d.finish(b, o, st, ev, kind)
}

// finish finds the instrument and reads the fields.
func (d *Decoder) finish(b []byte, o *object, st streamName, ev *core.Event, kind core.EventKind) (n int, res Result) {
	id := st.id
	if o.has(letter('s')) {
		sym, ok := d.text(b, o, letter('s'))
		if !ok {
			return 0, Malformed
		}
		if id != core.NoInstrument && string(sym) == d.syms.Name(id) {
			// as its stream says
		} else if id = d.syms.Lookup(sym); id != core.NoInstrument && st.id != core.NoInstrument && id != st.id {
			return 0, Malformed // name and payload speak of different symbols
		}
	}
	if id == core.NoInstrument {
		return 0, UnknownSymbol
	}
	ev.Kind, ev.Flags, ev.Instrument = kind, 0, id
	ev.Bids, ev.Asks = 0, 0
	ev.ID, ev.W = 0, [4]int64{}
	f := fields{d: d, b: b, o: o}
	var known uint64
	switch kind {
	case core.DepthDelta:
		known = knownDepth
		ev.ID = uint64(f.count(letter('u')))
		ev.W[0] = f.count(letter('U'))
		if o.has(slotPrev) {
			ev.W[1] = f.count(slotPrev)
		}
		ev.W[2] = f.timeOpt('E')
		n, res = d.depth(&f, ev, letter('b'), letter('a'))
	case core.DepthTop:
		if o.has(slotLast) {
			known = knownTop
			ev.ID = uint64(f.count(slotLast))
			ev.W[2] = f.timeOpt('E')
			n, res = d.depth(&f, ev, slotBids, slotAsks)
			break
		}
		known = knownDepth
		ev.ID = uint64(f.count(letter('u')))
		ev.W[2] = f.timeOpt('E')
		n, res = d.depth(&f, ev, letter('b'), letter('a'))
	case core.Touch:
		known = knownTouch
		ev.ID = uint64(f.count(letter('u')))
		ev.W = [4]int64{f.dec('b'), f.dec('B'), f.dec('a'), f.dec('A')}
	case core.Trade:
		known = knownTrade
		ev.ID = uint64(f.count(letter('t')))
		ev.W = [4]int64{f.dec('p'), f.dec('q'), f.time('T')}
		ev.Flags = flagIf(f.boolean('m'), core.FlagBuyerMaker)
	case core.AggTrade:
		known = knownAgg
		ev.ID = uint64(f.count(letter('a')))
		ev.W = [4]int64{f.dec('p'), f.dec('q'), f.time('T'), f.signed(letter('f'))}
		ev.Flags = flagIf(f.boolean('m'), core.FlagBuyerMaker)
		n, res = d.pairs(&f, ev, [4][2]int64{{f.signed(letter('l')), 0}}, 1)
	case core.Kline:
		known = knownKline
		n, res = d.kline(&f, ev)
	case core.Ticker24h:
		known = knownTicker
		ev.ID = uint64(d.lastTrade(&f))
		ev.W = [4]int64{f.time('E'), f.dec('c'), f.dec('o'), f.count(letter('n'))}
		n, res = d.pairs(&f, ev, [4][2]int64{{f.dec('h'), f.dec('l')}, {f.volume('v'), f.volume('q')},
			{f.decOpt('b'), f.decOpt('B')}, {f.decOpt('a'), f.decOpt('A')}}, 4)
	case core.MiniTicker:
		known = knownMini
		ev.W = [4]int64{f.time('E'), f.dec('c'), f.dec('o')}
		n, res = d.pairs(&f, ev, [4][2]int64{{f.dec('h'), f.dec('l')}, {f.volume('v'), f.volume('q')}}, 2)
	case core.AvgPrice:
		known = knownAvg
		ev.W = [4]int64{f.dec('w'), f.time('T')}
	}
	if f.bad {
		return 0, Malformed
	}
	if res == Decoded {
		d.stats.UnknownFields += unknownFields(o, known)
	}
	return n, res
}

// depth finishes an event whose levels were read on the way.
func (d *Decoder) depth(f *fields, ev *core.Event, bids, asks int) (int, Result) {
	switch {
	case !d.sides(f.b, f.o, bids, asks):
		f.bad = true
		return 0, Malformed
	case f.o.overflown, f.o.bids > maxLevels, f.o.asks > maxLevels:
		return 0, Full
	}
	ev.Bids, ev.Asks = uint16(f.o.bids), uint16(f.o.asks)
	return f.o.bids + f.o.asks, Decoded
}

// maxLevels is what one side of an event can count.
const maxLevels = 1<<16 - 1

// pairs writes the payload of an event that has no levels into level memory.
func (d *Decoder) pairs(_ *fields, ev *core.Event, p [4][2]int64, n int) (int, Result) {
	if len(d.lv) < n {
		return 0, Full
	}
	for i := range n {
		d.lv[i] = core.Level{Price: core.Price(p[i][0]), Qty: core.Qty(p[i][1])}
	}
	ev.Bids = uint16(n)
	return n, Decoded
}

// inner is the nesting of an object inside a payload, as far as it matters: the
// frame has been found legal as a whole.
const inner = 3

// kline reads a candle, whose fields lie in an object of their own.
func (d *Decoder) kline(f *fields, ev *core.Event) (int, Result) {
	slot := letter('k')
	if !f.o.has(slot) || f.b[f.o.at[slot].lo] != '{' {
		f.bad = true
		return 0, Malformed
	}
	d.object(f.b, int(f.o.at[slot].lo), &d.sub, inner)
	k := fields{d: d, b: f.b, o: &d.sub, bad: d.sub.dup}
	ev.ID = uint64(d.lastTrade(&k))
	ev.W = [4]int64{k.time('t'), k.time('T'), k.count(letter('n')), k.signed(letter('f'))}
	ev.Flags = flagIf(k.boolean('x'), core.FlagClosed)
	n, res := d.pairs(&k, ev, [4][2]int64{{k.dec('o'), k.dec('h')}, {k.dec('l'), k.dec('c')},
		{k.volume('v'), k.volume('q')}, {k.volume('V'), k.volume('Q')}}, 4)
	f.bad = f.bad || k.bad
	return n, res
}

// lastTrade is the trade id in L: 0 where the venue says -1, no trade.
func (d *Decoder) lastTrade(f *fields) int64 {
	if !f.o.has(letter('L')) {
		return 0
	}
	return max(f.signed(letter('L')), 0)
}

func flagIf(set bool, flag uint8) uint8 {
	if set {
		return flag
	}
	return 0
}

// control reads the reply to a request.
func (d *Decoder) control(b []byte, o *object) Result {
	d.reply = Reply{OK: true}
	if o.has(slotID) {
		p := o.at[slotID]
		d.reply.ID, d.reply.HasID = integer(b[p.lo:p.hi])
	}
	if o.has(slotResult) {
		p := o.at[slotResult]
		d.reply.Result = b[p.lo:p.hi]
	}
	at := o
	switch {
	case o.has(slotError) && b[o.at[slotError].lo] != 'n':
		d.reply.OK = false
		if b[o.at[slotError].lo] != '{' {
			return Control
		}
		at = &d.sub
		d.object(b, int(o.at[slotError].lo), at, inner)
	case !o.has(slotResult) && o.has(slotCode):
		d.reply.OK = false
	default:
		return Control
	}
	if at.has(slotCode) {
		p := at.at[slotCode]
		if c, ok := integer(b[p.lo:p.hi]); ok && int64(int32(c)) == c {
			d.reply.Code = int32(c)
		}
	}
	d.reply.Msg, _ = d.text(b, at, slotMsg)
	return Control
}
